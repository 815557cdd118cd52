"""Values that cancel, vanish, overflow, are rounded, or end: right is accepted, wrong is not."""

import contextlib
import math
import re

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.5, -1.0, 2.0])
Y = np.random.default_rng(0).normal(size=250)
rng = np.random.default_rng(3)


def checked(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


def verdict(function, *args, **options):
    return str(checked(function, *args, **options).verdict)


def likelihood(mean):
    return np.prod(np.exp(-((Y - mean) ** 2) / 2) / np.sqrt(2 * np.pi))


def slope_of_likelihood(mean):
    return likelihood(mean) * np.sum(Y - mean)


SCALES = {
    "exp(400x)": (lambda x: np.exp(400 * x), lambda x: 400 * np.exp(400 * x), 1.0),
    "likelihood": (likelihood, slope_of_likelihood, 0.1),
    "almost overflow": (lambda x: 1e308 * x, lambda x: 1e308, 0.9),
    "subnormal": (lambda x: 1e-310 * x**2, lambda x: 2e-310 * x, 1.1),
    "tiny input": (lambda x: 2.0 * x, lambda x: 2.0, 1e-300),
    "huge input": (lambda x: np.sqrt(x), lambda x: 0.5 / np.sqrt(x), 1e300),
}


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("factor", [1.0, 1.01, -1.0, 0.0, 0.0025])
def test_numbers_of_any_size_are_judged(name, factor):
    function, slope, x = SCALES[name]
    expected = "correct" if factor == 1.0 else "wrong derivative"
    assert verdict(function, x, gradient=lambda x: factor * slope(x)) == expected


@pytest.mark.parametrize("factor", [1.0, 1.05])
def test_rounded_values_do_not_overrule_sharp_steps(factor):
    found = verdict(
        lambda x: np.round(np.sum(np.sin(x)), 12), X, gradient=lambda x: factor * np.cos(x)
    )
    assert found == ("correct" if factor == 1.0 else "wrong derivative")


def conjugate_gradients(matrix, rtol):
    def solve(b):
        x, r = np.zeros_like(b), b
        p, size = r, r @ r
        while r @ r > rtol**2 * (b @ b):
            step = size / (p @ matrix @ p)
            x, r = x + step * p, r - step * (matrix @ p)
            p, size = r + (r @ r) / size * p, r @ r
        return x

    return solve


@pytest.mark.parametrize("seed", range(15))
def test_a_solver_that_stops_early(seed):
    draws = np.random.default_rng(seed)
    half, b = draws.normal(size=(12, 12)), draws.normal(size=12)
    matrix = half @ half.T + np.eye(12)
    solve = conjugate_gradients(matrix, 1e-10)
    assert verdict(solve, b, vjp=lambda g, b: np.linalg.solve(matrix, g)) == "correct"
    wrong = verdict(solve, b, vjp=lambda g, b: 1.01 * np.linalg.solve(matrix, g))
    assert wrong == "wrong derivative"


def test_a_zero_claim_does_not_hide_behind_a_strong_entry():
    report = checked(
        lambda x: 1e8 * x[0] ** 2 + x[1] ** 2,
        np.array([1.3, 0.7]),
        gradient=lambda x: np.array([2e8 * x[0], 0.0]),
    )
    assert report.verdict == "wrong derivative"
    assert [entry.input for entry in report.entries] == ["x[1]"]


@pytest.mark.parametrize("factor", [2, -1, 0])
def test_what_a_large_constant_hides_is_left_undecided(factor):
    report = checked(lambda x: 1e6 + 1e-10 * np.sum(x**2), X, gradient=lambda x: factor * 2e-10 * x)
    assert report.verdict == "cannot decide"
    assert "subtract the large constant" in report.reason


@pytest.mark.parametrize("constant", [1e5, 1e6])
@pytest.mark.parametrize("factor", [2, 1, -1, 0])
@pytest.mark.parametrize("seed", range(5))
def test_nor_does_the_draw_decide_what_a_large_constant_hides(constant, factor, seed):
    x = X * np.random.default_rng(seed).uniform(0.5, 2, 3)
    found = verdict(
        lambda x: constant + 1e-10 * np.sum(x**2),
        x,
        gradient=lambda x: factor * 2e-10 * x,
        rng=seed,
    )
    assert found == "cannot decide"


ZERO = {
    "constant": lambda x: 1e8 + 0 * np.sum(x),
    "dead unit": lambda x: 3.2 + np.sum(np.maximum(x - 50, 0)),
    "one": lambda x: np.sum(np.sin(x) ** 2 + np.cos(x) ** 2),
    "less the mean": lambda x: np.sum(x - np.mean(x)),
}


@pytest.mark.parametrize("name", ZERO)
def test_a_derivative_of_zero_is_correct_to_what_values_tell(name):
    report = checked(ZERO[name], X, gradient=np.zeros_like)
    assert report.verdict == "correct"
    assert "both derivatives are zero, as far as the values can tell: within" in report.reason


class TestValues:
    """What a function does on plain arrays is what counts."""

    def test_another_function_on_values(self):
        buffer = np.zeros(3)

        def reuses(x):
            parts = []
            for factor in (1.0, 2.0):
                if isinstance(x, ag.Value):
                    parts.append(x * factor)
                else:
                    parts.append(np.multiply(x, factor, out=buffer))
            return np.sum(parts[0] * parts[1])

        report = checked(reuses, X)
        assert report.verdict == "another function on Values"
        assert "21 on plain arrays and 10.5 on Values" in report.reason

    @pytest.mark.parametrize(
        "function", [lambda x: math.exp(x) * x, lambda x: x * math.exp(float(x))]
    )
    def test_what_leaves_the_graph_is_not_called_correct(self, function):
        with contextlib.suppress(ag.AutogradError):  # refused by name
            assert not checked(function, 0.7)

    @pytest.mark.parametrize(("factor", "expected"), [(2.0, "correct"), (1.0, "wrong derivative")])
    def test_a_list_does_not_bypass_the_rules(self, factor, expected):
        def rule(g, out, x):
            return [factor * g * part for part in x]

        squares = ag.Primitive(lambda x: x[0] ** 2 + x[1] ** 2, rule, name="squares")
        assert verdict(squares, [1.0, 2.0]) == expected


@pytest.mark.parametrize("name", ["rtol", "atol", "nondeterminism"])
@pytest.mark.parametrize("amount", [math.nan, math.inf, -1.0])
def test_tolerances_are_finite_numbers(name, amount):
    with pytest.raises(ag.ArgumentValueError, match=f"{name}="):
        ag.gradcheck(np.sin, 1.0, **{name: amount})


def test_the_whole_jacobian_is_compared_within_the_tolerances():
    jacobian = {"jacobian": lambda x: np.diag(2.0001 * x), "full": True}
    assert verdict(lambda x: x**2, X, **jacobian) == "wrong derivative"
    assert verdict(lambda x: x**2, X, **jacobian, rtol=1e-3) == "correct"
    assert (
        verdict(lambda x: x**2, X, jacobian=lambda x: np.diag(2 * x) + 1e-4, full=True, atol=1e-3)
        == "correct"
    )


TINY = [np.sin, np.tanh, np.tan, np.arctan, np.sinh, np.expm1, np.log1p, np.cos, np.exp, np.arcsinh]


@pytest.mark.parametrize("function", TINY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-20, 1e-10, 1e-6])
def test_second_derivatives_at_tiny_inputs(function, x):
    assert verdict(function, x, order=2) == "correct"


NOT_ANALYTIC = {
    "|x|³": (lambda x: np.sum(np.abs(x) ** 3), X * 1e-7),
    "Parseval": (lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2), X),
    "svd": (lambda x: np.linalg.svd(x, compute_uv=False), rng.normal(size=(3, 3))),
    "eigvalsh": (lambda x: np.linalg.eigvalsh(x + x.T), rng.normal(size=(3, 3))),
    "var": (np.var, X),
    "sinc": (np.sinc, np.array([1e-9, 1e-4, 1e-12])),
}


@pytest.mark.parametrize("name", NOT_ANALYTIC)
def test_functions_that_are_not_analytic(name):
    function, x = NOT_ANALYTIC[name]
    assert verdict(function, x) == "correct"


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


CANCELLING = {
    "less the mean": lambda x: np.sum(x - np.mean(x)),
    "softmax": lambda x: np.sum(softmax(x)) - 1,
    "layernorm": lambda x: np.sum((x - np.mean(x)) / np.std(x)),
    "sin² + cos²": lambda x: np.sin(x) ** 2 + np.cos(x) ** 2,
}


@pytest.mark.parametrize("name", CANCELLING)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("order", [1, 2])
def test_values_that_cancel(name, scale, order):
    assert verdict(CANCELLING[name], scale * X, order=order) == "correct"


@pytest.mark.parametrize("seed", range(40))
def test_a_squared_error_at_its_exact_fit(seed):
    draws = np.random.default_rng(seed)
    inputs, weights = draws.normal(size=(6, 3)), draws.normal(size=3)
    targets = inputs @ weights

    def loss(w):
        return np.mean((inputs @ w - targets) ** 2)

    assert verdict(loss, weights, order=2) == "correct"
    slope = {"gradient": lambda w: 2 / 6 * inputs.T @ (inputs @ w - targets)}
    assert verdict(loss, weights, **slope) == "correct"
    noisy = targets + draws.normal(size=6)
    best = np.linalg.lstsq(inputs, noisy, rcond=None)[0]
    assert verdict(lambda w: np.sum((inputs @ w - noisy) ** 2), best) == "correct"


order_of_sum = np.random.default_rng(1)
MANY = rng.normal(size=1000)

NOISY = {
    "single precision": (lambda x: float(np.sum(np.sin(x.astype(np.float32)))), X),
    "eight digits": (lambda x: float(f"{np.sum(np.sin(x)):.8g}"), X),
    "permuted": (lambda x: np.sum(order_of_sum.permutation(np.sin(x))), MANY),
}


@pytest.mark.parametrize("name", NOISY)
@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_noise_is_measured(name, factor):
    function, x = NOISY[name]
    expected = "correct" if factor == 1.0 else "wrong derivative"
    assert verdict(function, x, gradient=lambda x: factor * np.cos(x)) == expected


def half(x):
    return np.asarray(x).astype(np.float16).astype(np.float64)


def printed(digits):
    return np.vectorize(lambda x: float(f"{x:.{digits}g}"))


ROUNDED = {"half": half, "four digits": printed(4), "six digits": printed(6)}

INSIDE = {
    "a factor": (lambda r: lambda x: np.sum(r(x) * x), lambda x: 2 * x),
    "before": (lambda r: lambda x: np.sum(np.sin(r(x))), np.cos),
    "after": (lambda r: lambda x: float(r(np.sum(np.sin(x)))), np.cos),
    "a norm": (
        lambda r: lambda x: np.sum(x) * float(r(np.sum(x**2))),
        lambda x: np.sum(x**2) + 2 * x * np.sum(x),
    ),
}


@pytest.mark.parametrize("rounded", ROUNDED)
@pytest.mark.parametrize("place", INSIDE)
@pytest.mark.parametrize("seed", range(4))
def test_coarse_rounding_inside_is_noise(rounded, place, seed):
    """It is no function of its own: right is never wrong, and wrong is never right."""
    function, gradient = INSIDE[place]
    x = np.random.default_rng(seed).normal(size=3)
    for factor in (1.0, 2.0, 0.0, -1.0):
        wrong = {"gradient": lambda x, factor=factor: factor * gradient(x), "rng": seed}
        found = verdict(function(ROUNDED[rounded]), x, **wrong)
        assert found in ("correct" if factor == 1 else "wrong derivative", "cannot decide")


@pytest.mark.parametrize("rounded", ROUNDED)
@pytest.mark.parametrize("place", INSIDE)
@pytest.mark.parametrize("factor", [1.003, 1.01, 1.03])
def test_what_is_called_correct_is_so_to_the_digits_named(rounded, place, factor):
    """However little coarse rounding lets be known, and however contributions cancel."""
    function, gradient = INSIDE[place]
    for seed in range(3):
        x = np.random.default_rng(seed).normal(size=3)
        wrong = {"gradient": lambda x: factor * gradient(x), "rng": seed}
        report = checked(function(ROUNDED[rounded]), x, **wrong)
        digits = re.search(r"which are good to ([\d.e-]+)", report.reason)
        assert not report or (digits and factor - 1 <= 2 * float(digits[1])), report


@pytest.mark.parametrize("slope", [1.0, 0.0])
def test_a_value_at_one_point_alone_is_a_jump(slope):
    report = checked(lambda x: np.where(x == 0.5, 1.0, x), 0.5, gradient=lambda x: slope)
    assert report.verdict == "not differentiable here"
    assert "the value jumps: x (at this very point)" in report.reason


def test_nondeterminism_is_allowed_on_request():
    draws = np.random.default_rng(2)

    def noisy(x):
        return np.sum(np.sin(x)) + 1e-6 * draws.normal()

    assert verdict(noisy, X, gradient=np.cos) == "random function"
    assert verdict(noisy, X, gradient=np.cos, nondeterminism=1e-4) == "correct"


class TestBorders:
    def test_smaller_steps_stay_inside(self):
        slope = {"gradient": lambda x: -1 / np.sqrt((1 - x) * (1 + x))}
        assert verdict(math.acos, 1 - 1e-6, **slope) == "correct"
        factors = {"gradient": lambda d: 0.5 / np.sqrt(d)}
        diagonal = np.array([1.0, 2.0, 1e-9])
        assert (
            verdict(lambda d: np.sum(np.linalg.cholesky(np.diag(d))), diagonal, **factors)
            == "correct"
        )

    @pytest.mark.filterwarnings("ignore:invalid value")
    def test_one_side_is_enough(self):
        report = checked(
            lambda x: np.sum(x**2.5),
            np.array([0.0, 1.0, 2.0]),
            gradient=lambda x: 2.5 * x**1.5,
        )
        assert report.verdict == "correct"
        assert "on one side of the point only" in report.reason

    def test_a_function_that_raises_all_around_is_at_a_border(self):
        def entropy(p):
            if np.sum(p) != 1.0:
                raise ValueError("p must sum to 1")
            return -np.sum(p * np.log(p))

        report = checked(entropy, np.array([0.25, 0.25, 0.5]), gradient=lambda p: -np.log(p) - 1)
        assert report.verdict == "at a border"
        assert "raises ValueError (p must sum to 1) however little" in report.reason


class TestBadRules:
    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (lambda g: list(g), "returned a list of 3"),
            (lambda g: (g,), "returned a tuple of 1"),
            (lambda g: None, "returned None"),
        ],
    )
    def test_what_is_no_gradient_is_named(self, returned, said):
        rule = ag.Primitive(lambda x: x * x, lambda g, out, x: returned(2 * g * x), name="f")
        report = checked(rule, X)
        assert report.verdict == "wrong shape or dtype"
        assert said in report.reason

    @pytest.mark.parametrize("gradients", [lambda g, y: (g * y,), lambda g, y: None])
    def test_a_joint_rule_returns_one_gradient_for_each_input(self, gradients):
        rule = ag.Primitive(
            lambda x, y: x * y, joint=lambda g, out, x, y: gradients(g, y), name="product"
        )
        report = checked(rule, X, X)
        assert report.verdict == "wrong shape or dtype"
        assert "the joint rule returned" in report.reason
