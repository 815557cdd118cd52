"""Explanations are true: wrong backward passes as people write them, and their causes."""

import numpy as np
import pytest

import autograd_lite as ag

RNG = np.random.default_rng(11)
X, BIAS, SQUARE = RNG.normal(size=(6, 4)), RNG.normal(size=4), RNG.normal(size=(4, 4))
V = RNG.normal(size=6)
GAMMA, SHIFT = RNG.normal(size=4), RNG.normal(size=4)
QUERIES, KEYS = RNG.normal(size=(2, 5, 3))
KEPT = np.array([True, False, True, True, False, True])
ROWS = np.array([0, 2, 2, 1, 2])


def hints(function, *args, **claim):
    report = ag.gradcheck(function, *args, raise_error=False, **claim)
    assert report.verdict == "wrong derivative"
    return " | ".join(hint.text for hint in report.hints)


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_softmax(z):
    return z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))


def batch_norm(x, gamma, beta):
    return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5) + beta


def batch_norm_vjp(g, x, gamma, of_variance=1.0, of_mean=1.0, eps=1e-5):
    s = np.sqrt(x.var(0) + eps)
    scaled, centred = g * gamma, (x - x.mean(0)) / s
    through_mean = of_mean * scaled.mean(0)
    through_variance = of_variance * centred * (scaled * centred).mean(0)
    gradient = (scaled - through_mean - through_variance) / s
    return gradient, (g * centred).sum(0), g.sum(0)


def attention_weights(q, k):
    return softmax(q @ k.T / np.sqrt(3))


def attention_vjp(g, q, k, scale):
    p = attention_weights(q, k)
    d = p * (g - (g * p).sum(-1, keepdims=True)) / scale
    return d @ k, d.T @ q


def gathered(g, table, add):
    gradient = np.zeros_like(table)
    if add:
        gradient[ROWS] += g
    else:
        gradient[ROWS] = g
    return gradient


TERM = "a term of a normalization is missing or wrong: what goes through the "
TRUE = {
    "batch norm, a term with the wrong sign": (
        TERM + "variance of x over axis 0",
        batch_norm, (X, GAMMA, SHIFT), lambda g, x, a, b: batch_norm_vjp(g, x, a, of_variance=-1),
    ),
    "batch norm, a sum for a mean": (
        TERM + "mean of x over axis 0",
        batch_norm, (X, GAMMA, SHIFT), lambda g, x, a, b: batch_norm_vjp(g, x, a, of_mean=6),
    ),
    "batch norm, eps left out": (
        "right but for at most",
        batch_norm, (X, GAMMA, SHIFT), lambda g, x, a, b: batch_norm_vjp(g, x, a, eps=0.0),
    ),
    "attention without its scale": (
        "the analytic derivative is √3 times the true one",
        attention_weights, (QUERIES, KEYS), lambda g, q, k: attention_vjp(g, q, k, 1.0),
    ),
    "log-softmax, the mean for the sum": (
        "a term that couples the entries is missing or wrong",
        lambda x: x - np.log(np.sum(np.exp(x))), (V,), lambda g, x: g - softmax(x) * g.mean(),
    ),
    "log-softmax, a sum without keepdims": (
        "lacks keepdims",
        log_softmax, (SQUARE,), lambda g, z: g - np.exp(log_softmax(z)) * g.sum(1),
    ),
    "a bias summed over the wrong axis": (
        "summed over the wrong axis",
        lambda x, b: x + b, (SQUARE, BIAS), lambda g, x, b: (g, g.sum(1)),
    ),
    "swish, x left out of a term": (
        "each entry is off by a factor, whatever the upstream gradient",
        lambda x: x / (1 + np.exp(-x)), (V,),
        lambda g, x: g * (1 + np.exp(-x) + np.exp(-x)) / (1 + np.exp(-x)) ** 2,
    ),
    "an exponent not lowered": (
        "a factor too many: divide by x",
        lambda x: x**3, (V,), lambda g, x: 3 * g * x**3,
    ),
    "a sign in the sum of tan's derivative": (
        "a term is missing or wrong: add 2·out²",
        np.tan, (V,), lambda g, x: g * (1 - np.tan(x) ** 2),
    ),
    "a mask inverted": (
        "a mask that is inverted",
        lambda x: x * KEPT / 0.7, (V,), lambda g, x: g * ~KEPT / 0.7,
    ),
    "an index repeated, added in one go": (
        "as where an index is repeated (np.add.at counts each)",
        lambda table: table[ROWS], (SQUARE,), lambda g, table: gathered(g, table, add=True),
    ),
    "an index repeated, set": (
        "as where an index is repeated (np.add.at counts each)",
        lambda table: table[ROWS], (SQUARE,), lambda g, table: gathered(g, table, add=False),
    ),
    "straight through steps": (
        "the result does not change with x around this point",
        np.floor, (V,), lambda g, x: g,
    ),
    "a matrix that is not turned round, beside another that is": (
        "only for x: transposed",
        lambda x, w: x @ w, (X, SQUARE), lambda g, x, w: (g @ w, x.T @ g),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_the_cause_is_named(name):
    expected, function, args, vjp = TRUE[name]
    assert expected in hints(function, *args, vjp=vjp)


def test_each_pair_of_a_symmetric_matrix_counted_twice():
    matrix, inverse = SQUARE @ SQUARE.T, np.linalg.inv
    found = hints(
        lambda s: np.linalg.slogdet(s)[1],
        matrix,
        gradient=lambda s: 2 * inverse(s) - np.diag(np.diag(inverse(s))),
    )
    assert found.startswith("off the diagonal both entries of a pair of s are counted")


def test_a_kernel_that_is_never_filled_in_is_no_broadcast_sum():
    kernels, image = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5))
    kept = np.array([[1.0], [0.0], [0.0]])
    found = hints(lambda k: k @ image, kernels, vjp=lambda g, k: g @ image.T * kept)
    assert "broadcast" not in found
    assert "zero at index 1, 2 of axis 0 of k" in found


def sum_of_sines(x):
    return np.sum(np.sin(x))


@pytest.mark.parametrize("off", [1e-3, 1e-6, 1e-7])
def test_little_that_is_wrong_in_one_entry_is_not_said_of_all(off):
    claim = lambda x: np.cos(x) + off * (np.arange(6) == 2)  # noqa: E731
    found = hints(sum_of_sines, V, gradient=claim)
    assert found.endswith("right except in 1 of 6 entries: x[2]")
    assert "everywhere" not in found


@pytest.mark.parametrize("off", [1e-3, 1e-6, 1e-7])
def test_a_factor_next_to_1_is_named(off):
    found = hints(sum_of_sines, V, gradient=lambda x: (1 + off) * np.cos(x))
    assert found.startswith("a constant factor: the analytic derivative is 1")


def test_numbers_that_are_not_known_explain_nothing():
    """Values that go by steps of an eighth: a gradient of 0 almost everywhere."""
    x = np.random.default_rng(23).normal(size=6)
    found = hints(lambda x: np.round(x * 8) / 8, x, vjp=lambda g, x: g)
    assert found == (
        "the derivative by each entry is not known well enough to say what is wrong with it"
    )


@pytest.mark.parametrize("function", [np.floor, np.rint, np.sign, np.trunc])
@pytest.mark.parametrize("seed", range(6))
def test_steps_have_a_derivative_of_zero(function, seed):
    """What steps far out agree on would be seen nearby, if it were a slope; where a step is so
    close that it counts as noise, it is said that there are steps."""
    x = np.random.default_rng(seed).normal(size=6)
    report = ag.gradcheck(function, x, vjp=lambda g, x: 0 * g, raise_error=False)
    assert report or "if steps are what is meant (floor, round, sign)" in report.reason


def test_a_function_that_turns_where_no_value_shows_it():
    """Beside 1, x of 1e-8 is lost; moved farther, it passes the kinks that the claim follows."""
    rng = np.random.default_rng(3)
    constant = rng.normal(size=(3, 3))
    for _ in range(8):
        x, y = 1e-8 * rng.normal(size=(3, 3)), rng.normal(size=(3, 3))

        def function(x, y):
            curved = np.sin(x @ y.T @ x)
            return np.linalg.norm(constant + y - np.maximum(curved, 0.1 * curved))

        report = ag.gradcheck(function, x, y, raise_error=False)
        assert report.verdict in ("correct", "cannot decide")


@pytest.mark.parametrize("factor", [1.5, 1.01, 0.0, -1.0])
def test_a_weak_entry_that_is_wrong_all_the_way(factor):
    def gradient(x):
        return np.array([2 * factor * x[0], 2 * x[1]])

    assert hints(lambda x: np.sum(x**2), np.array([1e-8, 1.0]), gradient=gradient) == (
        "right except in 1 of 2 entries: x[0]"
    )


class TestSamples:
    """Of many inputs a few are measured; what is said of all is true of all."""

    X = np.random.default_rng(5).normal(size=2000)
    FIRST = np.arange(2000) < 5

    @staticmethod
    def of_five(x):
        return np.sum(x[:5] ** 2)

    def test_one_entry_without_influence_is_not_all_of_them(self):
        def gradient(x):
            return np.where(self.FIRST, 2 * x, 0) + 1e-3 * (np.arange(2000) == 1999)

        assert hints(self.of_five, self.X, gradient=gradient) == (
            "right except in 1 of 2000 entries: x[1999]"
        )

    def test_a_term_of_the_measured_entries_is_not_one_of_all(self):
        def gradient(x):
            return np.where(self.FIRST, 2 * x, 1e-3)

        found = hints(self.of_five, self.X, gradient=gradient)
        assert found.startswith(
            "no simple mistake explains the numbers; the true derivative is zero"
        )
        assert "entries, which were measured)" in found

    @pytest.mark.parametrize("claim", [lambda x: 1.5 * x**2, lambda x: 3 * x**2 + 0.25, np.sin])
    def test_formulas_of_all_are_still_found(self, claim):
        found = hints(lambda x: np.sum(x**3), self.X, gradient=claim)
        expected = ["constant factor: the analytic derivative is 1/2", "take away 0.25 times", "no"]
        assert any(text in found for text in expected)

    def test_a_factor_of_all(self):
        found = hints(lambda x: np.sum(np.sin(x**2)), self.X, gradient=lambda x: np.cos(x**2))
        assert found == "a factor is missing, as the inner one of the chain rule: multiply by 2·x"

    def test_what_no_entry_shows_by_itself_is_explained_all_the_same(self):
        rng = np.random.default_rng(123)
        for n in (2000, 20000):
            x, w = rng.normal(size=n), np.exp(3 * rng.normal(size=n))
            sign = np.where(np.arange(n) == np.argmin(w), -1, 1)
            assert hints(
                lambda x, w=w: np.sum(w * np.sin(x)),
                x,
                gradient=lambda x, w=w, sign=sign: sign * w * np.cos(x),
            )


@pytest.mark.parametrize("away", [1e-11, 1e-12, 1e-14])
@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (lambda x: np.maximum(x - 1, 0), lambda x: 1.0),
        (lambda x: np.interp(x, [0, 1, 2], [0, 2, 1]), lambda x: -1.0),
    ],
)
def test_a_kink_nearer_than_the_steps_is_no_jump_and_no_noise(function, gradient, away):
    report = ag.gradcheck(function, 1 + away, gradient=gradient, raise_error=False)
    assert report or "the slope jumps (a kink): x" in report.reason


def test_a_bend_beside_inputs_far_larger_is_looked_at_closely():
    """At 0 differences are right by symmetry, however coarse the steps are."""
    x = np.array([-800.0, -30.0, 0.0, 30.0])
    assert ag.gradcheck(lambda x: -np.logaddexp(0, -x), x, gradient=lambda x: 1 / (1 + np.exp(x)))


def test_what_is_small_is_not_called_single_precision():
    found = hints(np.sin, V, vjp=lambda g, x: (g + 1e-8) * np.cos(x))
    assert "something small is added to what is multiplied by g, or to g" in found


def test_where_all_is_saturated_nothing_is_said_to_round():
    report = ag.gradcheck(np.arctan, 1e12, gradient=lambda x: 1 / (1 + x * x), raise_error=False)
    assert report.verdict == "cannot decide"
    assert "it is saturated, or numbers" in report.reason
    x = 1e12 * np.random.default_rng(11).normal(size=6)
    report = ag.gradcheck(np.arctan, x, gradient=lambda x: 1 / (1 + x * x), raise_error=False)
    assert report or "half precision" not in report.reason or "terms cancel" in report.reason


def test_of_two_round_inputs_no_function_is_named_that_fits_by_chance():
    """6.51042·(1 - x²) is 1/x(1 - x) at both, and 0.4·(1 - out) what is lacking at 1/2 and 2."""
    x = np.array([0.2, 0.6])
    found = hints(
        lambda x: 6 * x**2 - 8 * x**3 + 3 * x**4,
        x,
        gradient=lambda x: 12 * x**2 * (1 - x) ** 3,
    )
    assert found == "a factor too many: divide by x(1 - x)"
    found = hints(
        lambda w: 1 / np.sqrt(1 + w**2),
        np.array([0.5, 2.0]),
        vjp=lambda g, w: -g * w / (1 + w**2),
    )
    assert found == "a factor is missing, as the inner one of the chain rule: multiply by out"


def test_a_ratio_of_nearly_1_is_told_from_1():
    found = hints(lambda x: x**3, 2.0, gradient=lambda x: 3.00119 * x**2)
    assert found == "no simple mistake explains the numbers; analytic over true is 1.0004"


def test_a_single_entry_that_is_right_makes_no_region():
    """Of a total variation one of two terms, right at the last entry, the only one above 1."""
    x = np.array([0.1, -0.1, 0.6, 0.1, -0.5, 0.4, 1.3])
    found = hints(
        lambda x: np.sum(np.abs(np.diff(x))),
        x,
        gradient=lambda x: np.append(0.0, np.sign(np.diff(x))),
    )
    assert "magnitude" not in found


@pytest.mark.parametrize("seed", range(4))
def test_an_array_of_which_few_entries_were_measured_is_not_called_right(seed):
    """The cell of an LSTM: all of 68 inputs but the cell state are wrong."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    rng = np.random.default_rng(seed)
    args = [rng.normal(size=shape) for shape in (2, 3, 3, (12, 2), (12, 3))]

    def gates(x, h, c, w, u):
        z = w @ x + u @ h
        return (*np.split(sigmoid(z[:9]), 3), np.tanh(z[9:]))

    def cell(x, h, c, w, u):
        i, f, o, n = gates(x, h, c, w, u)
        new = f * c + i * n
        return np.concatenate([o * np.tanh(new), new])

    def swapped(g, x, h, c, w, u):
        i, f, o, n = gates(x, h, c, w, u)
        t = np.tanh(f * c + i * n)
        gc = g[3:] + g[:3] * o * (1 - t * t)
        parts = gc * c * i * (1 - i), gc * n * f * (1 - f), g[:3] * t * o * (1 - o)
        d = np.concatenate([*parts, gc * i * (1 - n * n)])
        return w.T @ d, u.T @ d, gc * f, np.outer(d, x), np.outer(d, h)

    found = hints(cell, *args, vjp=swapped, rng=seed)
    named = found.partition("only for ")[2].partition(":")[0]
    named = named or found.partition("wrong is the gradient of ")[2].partition(", right that")[0]
    assert named == "x, h, w, u"


def test_a_small_argument_whose_upstream_gradient_is_ignored_computes_not_in_single_precision():
    def scaled(x, t):
        return t * np.log(np.sum(np.exp(x / t)))

    def ignores(g, x, t):
        p = np.exp(x / t) / np.sum(np.exp(x / t))
        return x * p, g * (np.log(np.sum(np.exp(x / t))) - np.sum(p * x) / t)

    assert hints(scaled, 1e-7 * V, 1.7, vjp=ignores) == (
        "the vjp is not linear in its upstream gradient g | only for x: the upstream gradient is "
        "ignored: the analytic derivative is the same whatever it is"
    )


def test_what_is_wrong_entry_by_entry_couples_nothing():
    x, w = RNG.normal(size=6), RNG.normal(size=6)
    mask = np.array([1, 0, 1, 1, 0, 1]) / 0.66

    def residual(x, w):
        return x + mask * np.maximum(w * x, 0.1 * w * x)

    def with_slope(slope):
        def vjp(g, x, w):
            through = g * mask * np.where(w * x > 0, 1, slope)
            return g + through * w, through * x

        return vjp

    assert ag.gradcheck(residual, x, w, vjp=with_slope(0.1))
    assert "couples" not in hints(residual, x, w, vjp=with_slope(-0.9))


def test_a_slope_claimed_of_what_is_saturated():
    claimed = hints(np.tanh, 50 + V, vjp=lambda g, x: 1e-5 * g)
    assert "of what is saturated (tanh or a sigmoid far out)" in claimed
