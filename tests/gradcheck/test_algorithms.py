"""Wrong derivatives of layers and algorithms, as people write them by hand, and what is said."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import signal

import autograd_lite as ag

rng = np.random.default_rng(7)
BATCH, GAMMA, BETA = rng.normal(size=(6, 3)), rng.uniform(0.5, 1.5, 3), rng.normal(size=3)
IMAGE, KERNEL = rng.normal(size=(5, 5)), rng.normal(size=(3, 3))
LABELS = np.array([1.0, 0.0, 1.0, 0.0])
SQUARE = rng.normal(size=(3, 3))
POSITIVE = SQUARE @ SQUARE.T + 3 * np.eye(3)


def batch_norm(x, gamma, beta):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) + beta


def batch_norm_vjp(g, x, gamma, beta, weight):
    s = 1 / np.sqrt(x.var(0) + 1e-5)
    h, gx = (x - x.mean(0)) * s, g * weight
    return s * (gx - gx.mean(0) - h * (gx * h).mean(0)), (g * h).sum(0), g.sum(0)


def without_gamma(g, x, gamma, beta):
    return batch_norm_vjp(g, x, gamma, beta, 1.0)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cross_entropy(z):
    return np.mean(np.logaddexp(0, z) - LABELS * z)


def through_the_sigmoid(z):
    s = sigmoid(z)
    return (s - LABELS) * s * (1 - s) / z.size


def correlate(x, k):
    return signal.correlate2d(x, k, "valid")


def not_flipped(g, x, k):
    return signal.correlate2d(g, k, "full"), signal.correlate2d(x, g, "valid")


def cholesky_of_symmetric(a):
    return np.linalg.cholesky((a + a.T) / 2)


def cholesky_vjp(g, a):
    lower = np.linalg.cholesky((a + a.T) / 2)
    inner = np.tril(lower.T @ np.tril(g))
    inner[np.diag_indices(len(a))] *= 0.5
    inverse = np.linalg.inv(lower)
    return inverse.T @ inner @ inverse


def log_determinant(a):
    return 2 * np.sum(np.log(np.diag(np.linalg.cholesky(a))))


def runge_kutta(y):
    step = 0.1

    def slope(y):
        return -0.8 * y * y

    for _ in range(10):
        a = slope(y)
        b = slope(y + step / 2 * a)
        c = slope(y + step / 2 * b)
        y = y + step / 6 * (a + 2 * b + 2 * c + slope(y + step * c))
    return y


def continuous_adjoint(g, y):
    return g / (1 + 0.8 * y) ** 2


MASK = np.tril(np.ones((4, 4), bool))
QUERIES, KEYS, VALUES = rng.normal(size=(3, 4, 3))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attention(q, k, v):
    return softmax(np.where(MASK, q @ k.T, -1e9)) @ v


def without_mask(g, q, k, v):
    p = softmax(q @ k.T)
    dp = g @ v.T
    ds = p * (dp - (p * dp).sum(-1, keepdims=True))
    return ds @ k, ds.T @ q, p.T @ g


CASES = {
    "degrees": (
        lambda x: np.sin(np.deg2rad(x)),
        (30 * LABELS - 20,),
        {"vjp": lambda g, x: g * np.cos(np.deg2rad(x))},
        "a constant factor: the analytic derivative is 180/π times the true one",
    ),
    "a running sum run forwards": (
        np.cumsum,
        (BATCH[:, 0],),
        {"vjp": lambda g, x: np.cumsum(g)},
        "transposed: the upstream gradient is multiplied by the Jacobian",
    ),
    "a weight of batch normalization forgotten": (
        batch_norm,
        (BATCH, GAMMA, BETA),
        {"vjp": without_gamma},
        "only for x: a factor is missing, as the inner one of the chain rule: multiply by gamma",
    ),
    "cross entropy through the sigmoid once more": (
        cross_entropy,
        (np.array([0.3, -1.1, 0.8, 2.0]),),
        {"gradient": through_the_sigmoid},
        "a factor too many: divide by σ(z)(1 - σ(z))",
    ),
    "a kernel that is not flipped": (
        correlate,
        (IMAGE, KERNEL),
        {"vjp": not_flipped},
        "only for x: right in the mirror, with the gradient of x and the upstream gradient both "
        "flipped along its last two axes: what slides over them",
    ),
    "not symmetrized": (
        cholesky_of_symmetric,
        (POSITIVE,),
        {"vjp": cholesky_vjp},
        "the gradient of a is not symmetric, and should be: its symmetric part",
    ),
    "of a function that reads one triangle": (
        log_determinant,
        (POSITIVE,),
        {"gradient": np.linalg.inv},
        "right for symmetric changes of a only, as the function reads one triangle of it",
    ),
    "of the continuous problem": (
        runge_kutta,
        (np.array([0.7, 1.3, 0.9]),),
        {"vjp": continuous_adjoint},
        "right but for ",
    ),
    "a mask forgotten on the way back": (
        attention,
        (QUERIES, KEYS, VALUES),
        {"vjp": without_mask},
        "q: right except at index 0, 1, 2 of axis 0 of q",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_mistake_is_named(name):
    function, args, claim, hint = CASES[name]
    report = ag.gradcheck(function, *args, raise_error=False, **claim)
    assert report.verdict == "wrong derivative"
    assert report.hints[0].text.startswith(hint)


def test_batch_normalization_itself_is_right():
    claim = {"vjp": lambda g, x, gamma, beta: batch_norm_vjp(g, x, gamma, beta, gamma)}
    assert ag.gradcheck(batch_norm, BATCH, GAMMA, BETA, **claim)


JUNK = np.random.default_rng(3).normal(size=(4, 3, 3))


def test_junk_is_neither_symmetric_nor_nearly_right():
    for junk in (*JUNK, *(x + x.T for x in JUNK)):
        report = ag.gradcheck(
            lambda a: np.sum(np.sin(a) * SQUARE),
            SQUARE,
            gradient=lambda a: junk,  # noqa: B023 - called at once
            raise_error=False,
            max_evaluations=100,
        )
        assert [hint.kind for hint in report.hints] == ["unexplained"]


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (lambda x: float(np.sum(np.sin(x.astype(np.float16)))), "let it keep all digits"),
        (lambda x: np.sum(np.round(np.sin(x), 3)), "if steps are what is meant"),
        (lambda x: 1e12 + 1e-4 * np.sum(np.sin(x)), "subtract the large constant"),
    ],
)
def test_what_rounds_is_told_from_what_hides(function, advice):
    x = np.array([0.3, 1.2, -0.7])
    factor = 1e-4 if "constant" in advice else 1.0
    report = ag.gradcheck(
        function, x, gradient=lambda x: factor * np.cos(x), raise_error=False, rng=1
    )
    assert report.verdict == "cannot decide"
    assert advice in report.reason


def test_neighbouring_floats_that_are_periods_apart_are_told():
    report = ag.gradcheck(np.sin, np.array([-2.5e293, 9.5e292]), raise_error=False)
    assert report.verdict == "cannot decide"
    assert report.reason.endswith("of numbers as large as here they may be periods apart")


@pytest.mark.parametrize(("sizes", "batch"), [([300, 300, 5], 1), ([300, 150, 150, 150, 10], 32)])
def test_a_network_full_of_kinks_takes_few_evaluations(sizes, batch):
    draw = np.random.default_rng(1)
    weights = [draw.normal(size=pair) * np.sqrt(2 / pair[0]) for pair in pairwise(sizes)]
    inputs = draw.normal(size=(batch, sizes[0]))

    def loss(*weights):
        x = inputs
        for w in weights[:-1]:
            x = np.maximum(x @ w, 0)
        return np.mean((x @ weights[-1] - 1) ** 2)

    report = ag.gradcheck(loss, *weights)
    assert report.evaluations <= 40
    digits = float(report.reason.partition("good to ")[2].split(";")[0])
    assert digits < 1e-7
