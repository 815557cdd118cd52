"""Rules whose terms cancel leave rounding errors of these terms, which are no mistake."""

import numpy as np
import pytest

import autograd_lite as ag


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def softmax_vjp(g, x):
    s = softmax(x)
    return s * g - s * np.sum(s * g)


def normalized(x):
    return (x - np.mean(x)) / np.sqrt(np.var(x) + 1e-5)


def normalized_vjp(g, x):
    y = normalized(x)
    return (g - np.mean(g) - y * np.mean(g * y)) / np.sqrt(np.var(x) + 1e-5)


def unit(x):
    return x / np.sqrt(np.sum(x * x))


def unit_vjp(g, x):
    return (g - x * (x @ g) / (x @ x)) / np.sqrt(np.sum(x * x))


RULES = {
    "softmax": (softmax, softmax_vjp),
    "layer norm": (normalized, normalized_vjp),
    "unit vector": (unit, unit_vjp),
    "centred": (lambda x: x - np.mean(x), lambda g, x: g - np.mean(g)),
}


def report(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("softmax", [20.0, -10.0, 6.0]),
        ("layer norm", [1.0, -2.0]),
        ("unit vector", [1.7]),
        ("unit vector", [-0.3]),
    ],
)
def test_what_is_left_of_large_terms_is_linear(name, x):
    function, vjp = RULES[name]
    assert report(function, np.array(x), vjp=vjp)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("seed", range(25))
def test_right_rules_are_not_called_wrong(name, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rng.integers(1, 5)) * 10 ** rng.uniform(-2, 1.3)
    function, vjp = RULES[name]
    assert report(function, x, vjp=vjp, rng=seed).verdict in ("correct", "cannot decide")


@pytest.mark.parametrize("name", ["softmax", "layer norm"])
def test_what_is_wrong_with_them_is_found_all_the_same(name):
    function, vjp = RULES[name]
    x = np.array([20.0, -10.0, 6.0]) if name == "softmax" else np.array([1.0, -2.0])
    for wrong in (
        lambda g, x: 1.05 * vjp(g, x),
        lambda g, x: g * vjp(g, x),
        lambda g, x: vjp(1, x),
    ):
        assert report(function, x, vjp=wrong).verdict == "wrong derivative"


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: np.float32(g) * np.cos(x),
        lambda g, x: np.float64(np.float32(g * np.cos(x))),
        lambda g, x: np.float64(np.float32(g) * np.float32(np.cos(x))),
    ],
)
def test_single_precision_in_a_rule_is_named(rule):
    found = report(np.sin, np.array([1.0, -2.0, 0.3]), vjp=rule)
    assert "something in it computes in single precision" in found.hints[0].text


@pytest.mark.parametrize(
    "rule",
    [
        lambda g, x: np.abs(g) * np.cos(x),
        lambda g, x: g * np.cos(x) + 1e-9,
        lambda g, x: np.maximum(g, 0) * np.cos(x),
        lambda g, x: np.sign(g) * np.cos(x),
    ],
)
def test_what_is_not_linear_is_named(rule):
    found = report(np.sin, np.array([1.0, -2.0, 0.3]), vjp=rule)
    assert "not linear in its upstream gradient" in found.hints[0].text


@pytest.mark.parametrize("shape", [(2, 2), (3, 1)])
def test_those_of_torch(shape):
    torch = pytest.importorskip("torch")
    x = torch.tensor(np.random.default_rng(0).normal(size=shape))
    assert report(lambda x: torch.nn.functional.layer_norm(x, shape[-1:]), x).verdict == "correct"
    x = torch.tensor([20.0, -10.0, 6.0], dtype=torch.float64)
    assert report(lambda x: torch.softmax(x, -1), x).verdict == "correct"


@pytest.mark.parametrize(
    ("name", "x"),
    [("unit vector", [-0.3]), ("unit vector", [2.2]), ("softmax", [24.0, 0.0, 1.0])],
)
@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_forward_rules_of_them_are_transposes(name, x, factor):
    function, vjp = RULES[name]
    primitive = ag.primitive(lambda x: function(x))
    primitive.defvjp(lambda g, out, x: vjp(g, x))
    primitive.defjvp(lambda t, out, x: factor * vjp(t, x))  # these Jacobians are symmetric
    found = report(primitive, np.array(x))
    if factor == 1.0:
        assert found
    elif len(x) > 1:
        assert "is not the transpose" in found.hints[0].text


VANDERMONDE = np.linspace(0, 1, 9)[:, None] ** np.arange(8)
NORMAL = VANDERMONDE.T @ VANDERMONDE
"""Of condition 1e10: what solves with it is right to six digits."""


@pytest.mark.parametrize("seed", range(8))
def test_a_matrix_that_is_next_to_singular_loses_digits_but_makes_nothing_wrong(seed):
    b = np.random.default_rng(seed).normal(size=8)

    def quadratic(b):
        return b @ np.linalg.solve(NORMAL, b)

    def verdict_on(factor):
        def gradient(b):
            return factor * np.linalg.solve(NORMAL, b)

        return ag.gradcheck(quadratic, b, gradient=gradient, raise_error=False).verdict

    assert verdict_on(2.0) in ("correct", "cannot decide")
    assert verdict_on(3.0) == "wrong derivative"


@pytest.mark.parametrize("rng", range(3))
def test_values_that_jump_by_rounding_errors_are_no_jump(rng):
    hilbert = 1 / (np.arange(7)[:, None] + np.arange(7) + 1.0)

    def solved(change):
        return np.linalg.solve(hilbert + change, np.ones(7))

    report = ag.gradcheck(solved, np.zeros((7, 7)), rng=rng, raise_error=False)
    assert report.verdict in ("correct", "cannot decide")


def test_results_narrower_than_their_inputs():
    x = np.array([0.5, -1.0, 2.0])

    def narrow(x):
        return np.sin(x).astype(np.float32)

    assert ag.gradcheck(narrow, x, vjp=lambda g, x: g * np.cos(x))
    wrong = ag.gradcheck(narrow, x, vjp=lambda g, x: 1.01 * g * np.cos(x), raise_error=False)
    assert wrong.hints[0].kind == "factor"
    squared = ag.gradcheck(narrow, x, vjp=lambda g, x: g * g * np.cos(x), raise_error=False)
    assert squared.hints[0].text == "the vjp is not linear in its upstream gradient g"
