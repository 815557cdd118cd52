"""Where other checkers pass what is wrong, fail what is right, or decide by luck."""

import os

import numpy as np
import pytest

import autograd_lite as ag
from tests.gradcheck.false_alarms import run, run_wrong

IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))


def normal(size):
    """The same numbers in whatever order tests run."""
    return np.random.default_rng(5).normal(size=size)


def verdict(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options).verdict


def sum_of_squares(x):
    return np.sum(x**2)


def spoiled(place, factor):
    def gradient(x):
        g = 2 * x
        g[place] *= factor
        return g

    return gradient


@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.parametrize("factor", [1.001, 2.0, -1.0, 0.0])
def test_one_wrong_entry_among_many(size, factor):
    x = normal(size=size)
    gradient = spoiled(size // 3, factor)
    report = ag.gradcheck(sum_of_squares, x, gradient=gradient, raise_error=False)
    assert report.verdict == "wrong derivative"
    assert [entry.input for entry in report.entries] == [f"x[{size // 3}]"]
    assert report.hints[0].kind == "entries"


def test_a_wrong_entry_where_the_input_is_tiny():
    x = normal(size=10_000)
    x[77] = 1e-9
    wrong = ag.gradcheck(
        lambda x: np.sum(np.sin(x)),
        x,
        gradient=lambda x: np.where(np.abs(x) < 1e-6, 0, np.cos(x)),
        raise_error=False,
    )
    assert [entry.input for entry in wrong.entries] == ["x[77]"]


def test_a_permuted_gradient():
    x = normal(size=50)
    assert verdict(sum_of_squares, x, gradient=lambda x: 2 * x[::-1]) == "wrong derivative"


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_steps_fit_the_scale_of_the_input(scale):
    assert verdict(lambda x: x**2, scale) == "correct"
    assert verdict(lambda x: x**2, scale, gradient=lambda x: 2.002 * x) == "wrong derivative"
    assert verdict(np.sin, scale) == "correct"


def test_scales_that_differ_within_one_array():
    x = np.array([1e8, 1e-8])
    assert verdict(sum_of_squares, x) == "correct"
    x = np.array([1e4, 1e-2])
    assert verdict(sum_of_squares, x) == "correct"
    assert verdict(sum_of_squares, x, gradient=spoiled(1, 1.01)) == "wrong derivative"


def test_a_zero_gradient_of_a_flat_function():
    assert verdict(lambda x: 1e-7 * x**2, 1.0, gradient=lambda x: 0.0) == "wrong derivative"
    assert verdict(lambda x: 1e-7 * x**2, 1.0) == "correct"


def flat_in_real_numbers(x):
    return 1e8 + 1e-12 * float(np.sin(x))


def test_what_rounding_hides_is_no_pass():
    report = ag.gradcheck(
        flat_in_real_numbers, 1.0, gradient=lambda x: 1e-12 * np.cos(x), raise_error=False
    )
    assert report.verdict == "cannot decide"
    assert "subtract the large constant" in report.reason


def test_no_step_into_the_complex_plane_overrules_what_was_measured():
    """Whether a function is analytic cannot be seen where its values are noise."""

    def flat(x):
        return 1e8 + 1e-12 * np.sin(x)

    assert verdict(flat, 1.0) == "cannot decide"
    assert verdict(flat, 1.0, gradient=lambda x: 1.01e-12 * np.cos(x)) == "cannot decide"


KINKS = {
    "abs": (np.abs, [1.0, 0.0, -2.0], "x[1]"),
    "relu": (lambda x: np.maximum(x, 0), [1.0, 0.0, -2.0], "x[1]"),
    "ties": (lambda x: np.max(x), [1.0, 2.0, 2.0], "x[2]"),
    "almost tied": (lambda x: np.max(x), [1.0, 2.0, 2.0 + 1e-14], "x[2]"),
    "crossing": (np.sort, [1.0, 2.0, 2.0], "[2]"),
    "where": (lambda x: np.where(x > 0, x, 3 * x), [1.0, 0.0, -2.0], "x[1]"),
    "jump": (lambda x: np.where(x > 0, x + 1, x), [1.0, 0.0, -2.0], "x[1]"),
    "step": (np.sign, [1.0, 0.0, -2.0], "[1]"),
    "one in a thousand": (lambda x: np.sum(np.abs(x)), [*normal(size=999), 0.0], "x[999]"),
}


@pytest.mark.parametrize("kink", KINKS)
def test_a_kink_is_told_as_such(kink):
    function, x, place = KINKS[kink]
    report = ag.gradcheck(function, np.array(x), raise_error=False)
    assert report.verdict == "not differentiable here"
    assert place in report.reason


@pytest.mark.parametrize("analytic", [-1.0, 0.0, 0.5, 1.0])
def test_no_claim_passes_or_fails_at_a_kink(analytic):
    assert verdict(abs, 0.0, gradient=lambda x: analytic) == "not differentiable here"


def test_close_to_a_kink_the_derivative_is_judged():
    x = np.array([1e-9, -1e-9, 2.0])
    assert verdict(np.abs, x) == "correct"
    assert verdict(np.abs, x, gradient=lambda x: np.ones(3)) == "wrong derivative"


class TestCost:
    """How often the function is evaluated, for 100,000 inputs."""

    size = 100_000

    @pytest.mark.parametrize(
        "function",
        [
            sum_of_squares,
            np.sin,
            lambda x: np.sum(np.maximum(x, 0)),
            lambda x: np.sum(np.log(np.abs(x))),
            lambda x: np.sum(np.tanh(np.reshape(x, (100, 1000)) @ np.ones((1000, 3)))),
        ],
    )
    def test_a_correct_function_takes_at_most_40(self, function):
        report = ag.gradcheck(function, normal(size=self.size))
        assert report.evaluations <= 40

    @pytest.mark.parametrize("power", [2, 3])
    @pytest.mark.parametrize("seed", [4, 6, 10, 16])
    def test_nor_do_draws_with_entries_that_hardly_show(self, power, seed):
        x = np.random.default_rng(seed).normal(size=self.size)
        for function in (lambda x: np.sum(x**power), lambda x: np.sum(np.maximum(x, 0))):
            assert ag.gradcheck(function, x, rng=seed).evaluations <= 40

    @pytest.mark.parametrize("factor", [1.001, 2.0, 0.0])
    def test_finding_one_wrong_entry_takes_at_most_150_more(self, factor):
        x = normal(size=self.size)
        right = ag.gradcheck(sum_of_squares, x, gradient=lambda x: 2 * x)
        wrong = ag.gradcheck(sum_of_squares, x, gradient=spoiled(4321, factor), raise_error=False)
        assert wrong.worst.input == "x[4321]"
        assert wrong.evaluations <= right.evaluations + 150


def chunks(quick):
    """The indices of random checks: a few in the suite, all 20,000 at night."""
    starts = range(0, 20_000, 1_000) if IS_NIGHTLY else [0]
    return [range(start, start + (1_000 if IS_NIGHTLY else quick)) for start in starts]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("indices", chunks(450), ids=str)
def test_no_false_alarm_at_random_points(indices):
    alarms, undecided = run(indices, seed=1)
    assert not alarms, alarms
    assert len(undecided) <= len(indices) / 50, undecided


@pytest.mark.parametrize("indices", chunks(150), ids=str)
def test_no_wrong_derivative_is_accepted_at_random_points(indices):
    accepted = run_wrong(indices, seed=2)
    assert not accepted, accepted


def test_a_wrong_one_takes_at_most_300_evaluations_of_any_size():
    for size in (2, 64, 256, 257, 3_000, 100_000):
        x = normal(size=size)
        for gradient in (lambda x: 2.02 * x, lambda x: x[::-1], lambda x: np.cos(x) + x):
            report = ag.gradcheck(sum_of_squares, x, gradient=gradient, raise_error=False)
            assert report.verdict == "wrong derivative"
            assert report.evaluations <= 300


def test_more_evaluations_measure_more():
    x = normal(size=200)
    wrong = {"gradient": lambda x: 2 * x * np.where(x > 0, 1, 1 + x), "raise_error": False}
    few = ag.gradcheck(sum_of_squares, x, **wrong)
    many = ag.gradcheck(sum_of_squares, x, max_evaluations=3000, **wrong)
    assert few.evaluations <= 300 < many.evaluations
    assert many.hints[0].text == "right except where x is negative"


@pytest.mark.parametrize("x", [1e-70, 1e-20, 1e-12])
@pytest.mark.parametrize("claim", [1.0, 1e-3, 1e50])
@pytest.mark.parametrize(
    "function",
    [lambda x: 1000 + np.tanh(x**5), lambda x: 1000.0, np.cos],
    ids=["flat", "constant", "cosine"],
)
def test_tiny_inputs_do_not_hide_a_claim_behind_rounding(function, x, claim):
    found = verdict(function, x, gradient=lambda x: claim)
    assert found in ("wrong derivative", "cannot decide")


def test_a_right_claim_at_tiny_inputs_is_still_correct():
    assert verdict(lambda x: 1000 + np.tanh(x**5), 1e-70) == "correct"
    assert (
        verdict(lambda x: np.sum(np.sin(x / 1e-8)), 1e-8 * np.array([0.3, 1.0, 2.0])) == "correct"
    )
    x = 1e-300 * np.array([0.3, 1.0, 2.0])
    assert verdict(lambda x: np.sum(np.sin(x / 1e-300)), x) == "correct"


X32 = np.array([0.126, -0.132, 0.64, 0.105], np.float32)
LEAK = np.float32(0.1)


@pytest.mark.parametrize(
    ("function", "derivative"),
    [
        (
            lambda x: np.sum(np.where(x > 0, x, LEAK * x) ** 2),
            {"gradient": lambda x: np.where(x > 0, np.float32(1), np.float32(0.01)) * 2 * x},
        ),
        (
            lambda x: np.sum(np.sin(x)),
            {"gradient": lambda x: np.cos(x.astype(np.float32)).astype(np.float64)},
        ),
        (np.sin, {"vjp": lambda g, x: (g * np.cos(x)).astype(np.float32)}),
        (
            lambda x: np.sin(x.astype(np.float32)),
            {"vjp": lambda g, x: g.astype(np.float32) * np.cos(x.astype(np.float32))},
        ),
    ],
)
def test_derivatives_by_float32_numbers_may_be_in_single_precision(function, derivative):
    assert verdict(function, X32, **derivative) in ("correct", "cannot decide")
    wrong = {form: lambda *a, f=f: 1.001 * f(*a) for form, f in derivative.items()}
    assert verdict(function, X32, **wrong) in ("wrong derivative", "cannot decide")


def test_what_a_derivative_off_by_its_last_digits_lacks_is_no_factor():
    off = lambda a: (1 + 3e-8) * np.cos(a)  # noqa: E731
    report = ag.gradcheck(np.sin, 2.0, gradient=off, raise_error=False)
    assert [hint.kind for hint in report.hints] == ["approximate"]


def raises(*args):
    raise ValueError("no derivative here")


@pytest.mark.parametrize("form", ["gradient", "vjp", "jacobian"])
def test_a_derivative_that_raises_is_a_verdict_that_names_the_line(form):
    report = ag.gradcheck(np.sin, 0.5, **{form: raises}, raise_error=False)
    assert report.verdict == "wrong derivative"
    assert report.reason.startswith(f"{form} raises ValueError: no derivative here (line ")
    assert report.reason.endswith(" of test_blind_spots.py)")


def test_a_rule_that_raises_is_a_verdict_that_names_it():
    square = ag.Primitive(lambda x: x**2, raises, name="square")
    report = ag.gradcheck(square, 0.5, raise_error=False)
    assert report.verdict == "wrong derivative"
    assert report.reason.startswith("the rule of square for argument 'x' raises ValueError: no ")


def test_a_rule_that_divides_by_zero_gives_an_infinity_as_in_a_sweep():
    with np.errstate(all="ignore"):
        assert verdict(np.cbrt, 0.0) == "NaN or infinity"


def test_a_derivative_that_raises_beside_the_point_only_is_compared():
    def only_here(p):
        if p[0] != 0.25:
            raise ValueError("p must sum to 1")
        return 3 * p

    assert verdict(lambda p: np.sum(p**2), np.array([0.25, 0.5]), gradient=only_here) == (
        "wrong derivative"
    )
