"""What values cannot show is never called wrong, nor accepted without a word."""

import numpy as np
import pytest

import autograd_lite as ag


def report(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


def spoiled(gradient, place, factor):
    def wrong(x):
        g = np.array(gradient(x), dtype=float)
        g[place] *= factor
        return g

    return wrong


def softmax(x):
    shares = np.exp(x - np.max(x))
    return shares / np.sum(shares)


CONSTANT = {
    "log(1 + exp(-x))": (lambda x: np.log(1 + np.exp(-x)), 37.0),
    "cos(x) - 1": (lambda x: np.cos(x) - 1, 1e-9),
    "sqrt(1 + x²) - 1": (lambda x: np.sqrt(1 + x * x) - 1, 1e-9),
    "log(1 + x²)": (lambda x: np.log(1 + x * x), 1e-9),
    "1 - (1 - p)¹⁰": (lambda p: 1 - (1 - p) ** 10, 1e-18),
    "-log(1 - p)": (lambda p: -np.log(1 - p), 1e-17),
    "1 - σ(x)": (lambda x: 1 - 1 / (1 + np.exp(-x)), 40.0),
    "cross-entropy": (lambda x: -np.log(softmax(x))[0], np.array([40.0, 1.0, 0.0])),
    "(1 + x) - 1": (lambda x: (1 + 1e-20 * x) - 1, 1.0),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_values_that_stay_the_same_decide_nothing_below_rounding(name):
    function, x = CONSTANT[name]
    assert report(function, x).verdict == "cannot decide"


def test_a_softmax_that_is_saturated_is_not_wrong_in_second_order():
    x = np.array([100.0, 0.0, 1.0])
    assert report(softmax, x, order=2).verdict in ("correct", "cannot decide")


def test_a_wrong_sign_where_nothing_changes_is_not_accepted():
    found = report(lambda x: np.log(1 + np.exp(-x)), 37.0, gradient=lambda x: np.exp(-x))
    assert found.verdict == "cannot decide"
    assert "log1p" in found.reason


@pytest.mark.parametrize("factor", [2.0, -2.0])
def test_values_that_underflow_decide_nothing(factor):
    found = report(lambda x: x**2, 1e-200, gradient=lambda x: factor * x)
    assert found.verdict == "cannot decide"


@pytest.mark.parametrize(("value", "slope"), [(0.0, -1.0), (1e-20, 1.0)])
def test_a_claim_that_would_show_is_wrong_where_nothing_changes(value, slope):
    found = report(lambda x: value + np.maximum(0, 1 - x), 5.0, gradient=lambda x: slope)
    assert found.verdict == "wrong derivative"


@pytest.mark.parametrize("x", [[1e-8, 1e8], [1e-8, 1.0, 1e8], [1e-5, 1.0, 1e4]])
@pytest.mark.parametrize("factor", [-1.0, 0.0, 3.0])
def test_the_weakest_of_weak_entries_is_found(x, factor):
    wrong = spoiled(lambda x: 2 * x, 0, factor)
    found = report(lambda x: np.sum(x**2), np.array(x), gradient=wrong)
    assert found.verdict == "wrong derivative"


@pytest.mark.parametrize("factor", [1.01, 0.7])
@pytest.mark.parametrize(
    ("power", "place", "x"),
    [
        (2, 2, [1.0, 1e-5, 1e-9]),
        (2, 3, [1.0, 1e-3, 1e-6, 1e-9]),
        (3, 1, [1.0, 9.2e-7, 1.1e-9, 1.2e-5]),
        (3, 3, [1.0, 2.6e-4, 5.6e-6, 5.3e-6]),
    ],
)
def test_each_of_the_weak_entries_is_known_to_a_part_of_itself(power, place, x, factor):
    """One of them that shows beside the next stronger, but only roughly, is looked at alone."""
    wrong = spoiled(lambda x: power * x ** (power - 1), place, factor)
    assert report(lambda x: np.sum(x**power), np.array(x)).verdict == "correct"
    found = report(lambda x: np.sum(x**power), np.array(x), gradient=wrong)
    assert found.verdict == "wrong derivative" or f"x[{place}]" in found.reason


def test_inputs_as_far_apart_as_floats_can_be():
    """The ratio of the largest to the smallest is beyond all floats."""
    x = np.array([1e200, 1e-200, 1.0, 3.0])
    assert report(np.sqrt, x).verdict == "correct"
    assert report(lambda x: np.sum(np.log(x)), x).verdict == "correct"
    wrong = spoiled(lambda x: 1 / x, 1, 1.01)
    found = report(lambda x: np.sum(np.log(x)), x, gradient=wrong)
    assert found.verdict == "wrong derivative"


@pytest.mark.parametrize("factor", [-1.0, 0.0])
@pytest.mark.parametrize("size", [1e16, 1e22])
def test_entries_that_no_value_shows_are_named(size, factor):
    wrong = spoiled(lambda x: 2 * x * np.array([size, 1.0]), 1, factor)
    found = report(lambda x: size * x[0] ** 2 + x[1] ** 2, np.ones(2), gradient=wrong)
    assert "x[1]" in found.reason


def test_an_argument_that_no_value_shows_is_named():
    found = report(
        lambda w, b: 1e6 * np.sum((w - 1) ** 2) + 1e-12 * b**2,
        np.array([2.0, 3.0]),
        2.0,
        gradient=lambda w, b: (2e6 * (w - 1), -2e-12 * b),
    )
    assert "what b contribute" in found.reason


def test_results_too_small_beside_others_are_named():
    def wrong(g, x):
        return np.array([1e12 * g[0] + 1.01e-12 * x[1] * g[1], 1e-12 * x[0] * g[1]])

    found = report(
        lambda x: np.stack([1e12 * x[0], 1e-12 * x[0] * x[1]]), np.array([2.0, 3.0]), vjp=wrong
    )
    assert "result[1] is too small" in found.reason


class TestBudget:
    def counted(self, **options):
        calls = []

        def function(x):
            calls.append(1)
            return np.sum(np.sin(x.astype(np.float32)))

        x = np.linspace(-2, 2, 100)
        found = report(function, x, gradient=lambda x: np.where(x > 0, np.cos(x), x), **options)
        return found, len(calls)

    @pytest.mark.parametrize("most", [40, 60, 100, 300])
    def test_no_more_evaluations_than_allowed(self, most):
        found, calls = self.counted(max_evaluations=most)
        assert found.verdict in ("wrong derivative", "cannot decide")
        assert calls <= most

    @pytest.mark.parametrize("most", [0, -3, 39, 2.5, True, "300"])
    def test_what_is_no_budget_is_refused(self, most):
        with pytest.raises(ag.ArgumentValueError, match="pass an integer from 40 on"):
            report(np.sin, 1.0, max_evaluations=most)

    def test_a_whole_jacobian_beyond_the_budget_is_refused(self):
        with pytest.raises(ag.ArgumentValueError, match="pass max_evaluations=640"):
            report(np.sin, np.ones(100), full=True)


@pytest.mark.parametrize("size", [4, 5, 8, 20])
def test_a_forgotten_regularizer_is_named(size):
    rng = np.random.default_rng(size)
    x, y, w = rng.normal(size=(30, size)), rng.normal(size=30), rng.normal(size=size)
    found = report(
        lambda w: np.mean((x @ w - y) ** 2) + 0.1 * np.sum(w**2),
        w,
        gradient=lambda w: 2 / 30 * x.T @ (x @ w - y),
    )
    assert (
        str(found.hints[0]) == "a term is missing or wrong: add 0.2·w times the upstream gradient"
    )


def test_choices_of_another_type_are_refused_by_name():
    with pytest.raises(ag.ArgumentValueError, match=r"order=2\.0"):
        report(np.sin, 1.0, order=2.0)
    with pytest.raises(ag.ArgumentValueError, match=r"rtol='1e-3'"):
        report(np.sin, 1.0, rtol="1e-3")


def test_what_underflows_under_small_cotangents_may_be_zero():
    x = np.array([[-1.47483934e150, -2.79349503e150, -3.51291489e150]])
    assert ag.gradcheck(lambda x: 1 / x, x, order=2, rng=100942)


WEAK = {
    "a power": lambda x, y, p: abs(x) ** p + y,
    "times a sine": lambda x, y, p: abs(x) ** p * np.sin(y) + y,
    "beside a cube": lambda x, y, p: abs(x) ** p + y**3,
}


class TestWeakBesideStrong:
    """Powers of tiny numbers beside what does not depend on them."""

    @staticmethod
    def wrong(name, power, factor):
        def by_x(x, y):
            weight = np.sin(y) if name == "times a sine" else 1.0
            return factor * weight * power * abs(x) ** (power - 1)

        def by_y(x, y):
            if name == "times a sine":
                return abs(x) ** power * np.cos(y) + 1
            return 3 * y**2 if name == "beside a cube" else 1.0

        return lambda x, y: (by_x(x, y), by_y(x, y))

    @pytest.mark.parametrize("full", [False, True])
    @pytest.mark.parametrize(
        ("name", "power", "factor", "x", "y"),
        [("a power", 1.5, 1.05, 4.6e-8, -0.98), ("times a sine", 2.5, 2.0, 1.43e-5, 0.78)],
    )
    def test_it_is_found(self, name, power, factor, x, y, full):
        found = report(
            lambda x, y: WEAK[name](x, y, power),
            x,
            y,
            gradient=self.wrong(name, power, factor),
            full=full,
        )
        assert found.verdict == "wrong derivative"

    @pytest.mark.parametrize("name", WEAK)
    @pytest.mark.parametrize("power", [1.25, 1.5, 1.75, 2.25, 2.5])
    @pytest.mark.parametrize("seed", range(6))
    def test_or_named(self, name, power, seed):
        rng = np.random.default_rng(seed)
        x, y = 10 ** rng.uniform(-9, -4), rng.choice([-1, 1]) * 10 ** rng.uniform(-1, 1)
        factor = (1.05, 2.0, 0.5, -1.0, 0.97)[seed % 5]
        found = report(
            lambda x, y: WEAK[name](x, y, power),
            x,
            y,
            gradient=self.wrong(name, power, factor),
            rng=seed,
        )
        assert not found or "what x contribute" in found.reason


def test_a_derivative_that_underflows_is_not_known_without_any_error():
    found = report(lambda x: 1000 + np.tanh(x**5), 1e-70, gradient=lambda x: -5 * x**4)
    assert (
        found.verdict == "cannot decide" or "both derivatives are zero, as far as" in found.reason
    )


ALIVE = np.array([1.0, 1.0, 0.0, 1.0, 0.0, 1.0])


class TestBesideResultsThatStay:
    """Such a result may hide its own derivative, but not that of the others."""

    x = np.array([0.3, -1.2, 0.7, 2.0, -0.4, 1.1])

    @pytest.mark.parametrize("unit", [1.0, 1e-16, 1e-20, 1e-100, 1e-200, 1e-300])
    @pytest.mark.parametrize(
        "mistake",
        [
            lambda g: 1.01 * g,
            lambda g: np.roll(g, 1),
            lambda g: g - 0.3 * np.mean(g),
            lambda g: g * [1, 1, 1, 0, 1, 1],
        ],
    )
    def test_however_small_these_are(self, unit, mistake):
        def masked(x):
            return unit * ALIVE * np.sin(x)

        def right(g, x):
            return unit * ALIVE * np.cos(x) * g

        assert report(masked, self.x, vjp=right)
        found = report(masked, self.x, vjp=lambda g, x: mistake(right(g, x)))
        assert found.verdict == "wrong derivative"

    def test_the_mistake_is_named(self):
        def masked(x):
            return 1e-20 * ALIVE * np.sin(x)

        found = report(masked, self.x, vjp=lambda g, x: 1.1e-20 * ALIVE * np.cos(x) * g)
        assert found.hints[0].text.startswith("a constant factor: the analytic derivative is 11/10")

    def test_what_they_hide_is_left_undecided(self):
        """1 + 1e-20·x is 1 whatever x is."""
        found = report(
            lambda x: np.array([1 + 1e-20 * x[0], 1e-20 * x[1]]),
            self.x[:2],
            vjp=lambda g, x: 1e-20 * g,
        )
        assert found.verdict == "cannot decide"


def entropy_of_softmax(x):
    p = softmax(x)
    return -np.sum(p * np.log(p))


def entropy_of_softmax_gradient(x):
    p = softmax(x)
    return -p * (np.log(p) + entropy_of_softmax(x))


class TestLostOnTheWay:
    """Where the largest p of a softmax is 1, its -p·log(p) is 0, and its derivative too."""

    @pytest.mark.parametrize("by_hand", [True, False])
    @pytest.mark.parametrize("scale", [30.0, 36.0, 50.0, 100.0, 140.0])
    def test_of_what_is_lost_nothing_is_said(self, scale, by_hand):
        x = scale * np.array([2.04, -2.56, 0.42, -0.57])
        claim = {"gradient": entropy_of_softmax_gradient} if by_hand else {}
        found = report(entropy_of_softmax, x, **claim)
        assert found or found.verdict == "cannot decide"
        assert found or "terms are lost beside larger ones" in found.reason

    @pytest.mark.parametrize("scale", [1.0, 3.0, 10.0])
    def test_where_nothing_is_lost_it_is_decided(self, scale):
        x = scale * np.array([2.04, -2.56, 0.42, -0.57])
        assert report(entropy_of_softmax, x, gradient=entropy_of_softmax_gradient)

        def wrong(x):
            return 1.02 * entropy_of_softmax_gradient(x)

        assert report(entropy_of_softmax, x, gradient=wrong).verdict == "wrong derivative"

    @pytest.mark.parametrize("x", [1e-300, 1e-100, 1e100, 1e150, 1e300])
    @pytest.mark.parametrize(
        ("function", "gradient"),
        [
            (lambda x: np.hypot(x, 1e-5 * x), lambda x: 1.02 * np.hypot(1, 1e-5)),
            (lambda x: x * np.log(x), lambda x: 1.02 * (np.log(x) + 1)),
            (lambda x: 3 * x, lambda x: 3.1),
        ],
    )
    def test_sizes_of_any_kind_are_decided(self, x, function, gradient):
        assert report(function, x, gradient=gradient).verdict == "wrong derivative"


@pytest.mark.parametrize("distance", [1e-11, 1e-12, 1e-13, 1e-15])
@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)),
        (np.arctanh, lambda x: 1 / (1 - x * x)),
        (lambda x: np.sqrt(1 - x), lambda x: -0.5 / np.sqrt(1 - x)),
    ],
)
def test_beside_a_border_it_is_said_to_go_farther_away(function, gradient, distance):
    found = report(function, 1 - distance, gradient=gradient)
    assert found or "border" in found.reason


@pytest.mark.parametrize("factor", [-1.0, 0.0, 1.01, 1.5])
@pytest.mark.parametrize("power", [2, 3])
@pytest.mark.parametrize("off", [1e-4, 1e-7, 1e-9])
def test_a_factor_of_what_nearly_cancels_is_looked_at_by_itself(off, power, factor):
    """Where a and b move, their rounding errors hide what s contributes to s·(a - b)²."""

    def function(s, a, b):
        return s * np.abs(a - b) ** power

    def gradient(s, a, b, factor=1.0):
        slope = s * power * np.abs(a - b) ** (power - 1) * np.sign(a - b)
        return factor * np.abs(a - b) ** power, slope, -slope

    at = (2.0, 1 + off, 1.0)
    right = report(function, *at, gradient=gradient)
    assert right.verdict == "correct" and "below the rounding errors" not in right.reason
    found = report(function, *at, gradient=lambda s, a, b: gradient(s, a, b, factor))
    assert found.verdict == "wrong derivative"


def morse(depth, width, r, rest):
    return depth * (1 - np.exp(-width * (r - rest))) ** 2


def morse_gradient(depth, width, r, rest, factor=1.0):
    bond = np.exp(-width * (r - rest))
    slope = 2 * depth * (1 - bond) * bond
    return (1 - bond) ** 2, factor * slope * (r - rest), slope * width, -slope * width


@pytest.mark.parametrize("factor", [-1.0, 0.0, 1.5])
def test_what_is_wrong_beside_the_bottom_of_a_potential_in_si_units(factor):
    at = (7.2e-19, 2e10, 7.4e-11 + 1e-19, 7.4e-11)
    assert report(morse, *at, gradient=morse_gradient).verdict == "correct"
    found = report(morse, *at, gradient=lambda *at: morse_gradient(*at, factor=factor))
    assert found.verdict == "wrong derivative"


@pytest.mark.parametrize("seed", [0, 2, 5, 86, 132])
def test_a_share_of_samples_has_a_derivative_of_zero(seed):
    """A digital option: from afar the steps of 2,000 paths are nearly a slope."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=2000)

    def digital(spot):
        return np.mean(spot * np.exp(0.2 * drawn) > 100.0)

    found = report(digital, 100.0 + rng.normal(), gradient=lambda spot: 0.0, rng=seed)
    assert found.verdict == "cannot decide"
    assert "if steps are what is meant (floor, round, sign), the derivative" in found.reason


def test_slopes_that_do_not_agree_beside_a_pole_are_not_laid_to_rounding():
    """1/(1/f - 1/d): of two lengths a pole is a few millionths away."""

    def image(f, d):
        return 1 / (1 / f - 1 / d)

    found = report(image, 0.05, 0.0500001, gradient=lambda f, d: (0.0, -((image(f, d) / d) ** 2)))
    assert found.verdict == "cannot decide"
    assert found.reason == (
        "the numerical derivative seems to be -1.25e+08, the analytic one is 5.2e+09, but finer "
        "steps see something else, and do not agree on what: a pole, or a slope that is infinite, "
        "may be closer than any step; to decide, check farther away from it"
    )
