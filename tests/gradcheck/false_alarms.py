"""Correct derivatives at random points of every scale, each alarm a false one; and wrong ones.

The suite runs a few hundred checks of either kind, at night many; for thousands, from one on::

    python -m tests.gradcheck.false_alarms 20000
    python -m tests.gradcheck.false_alarms 1000 19000
"""

import math
import sys

import numpy as np

import autograd_lite as ag


def softmax(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def log_sum_exp(x):
    top = np.max(x, axis=-1, keepdims=True)
    return np.squeeze(top, -1) + np.log(np.sum(np.exp(x - top), axis=-1))


ANY, POSITIVE = "any", "positive"

FUNCTIONS = {
    "sin": (np.sin, (ANY,)),
    "tanh": (np.tanh, (ANY,)),
    "arctan": (np.arctan, (ANY,)),
    "square": (lambda x: x**2, (ANY,)),
    "cube": (lambda x: x**3, (ANY,)),
    "log": (np.log, (POSITIVE,)),
    "sqrt": (np.sqrt, (POSITIVE,)),
    "inverse": (lambda x: 1 / x, (ANY,)),
    "relu": (lambda x: np.maximum(x, 0), (ANY,)),
    "abs": (np.abs, (ANY,)),
    "where": (lambda x: np.where(x > 0, x * x, -x), (ANY,)),
    "bell": (lambda x: np.exp(-x * x), (ANY,)),
    "multiply": (lambda x, y: x * y, (ANY, ANY)),
    "divide": (lambda x, y: x / y, (ANY, POSITIVE)),
    "add": (lambda x, y: x + y, (ANY, ANY)),
    "hypotenuse": (lambda x, y: np.sqrt(x * x + y * y), (ANY, ANY)),
    "logaddexp": (np.logaddexp, (ANY, ANY)),
    "matmul": (lambda x, y: x @ y.T, (ANY, ANY)),
    "sum": (np.sum, (ANY,)),
    "mean": (lambda x: np.mean(x, axis=0), (ANY,)),
    "running sum": (lambda x: np.cumsum(x, axis=0), (ANY,)),
    "sum of squares": (lambda x: np.sum(x**2), (ANY,)),
    "product": (lambda x: np.prod(x, axis=1), (ANY,)),
    "maximum": (lambda x: np.max(x, axis=1), (ANY,)),
    "deviation": (lambda x: np.std(x, axis=0), (ANY,)),
    "softmax": (softmax, (ANY,)),
    "log-sum-exp": (log_sum_exp, (ANY,)),
    "normalize": (lambda x: (x - np.mean(x)) / np.std(x), (ANY,)),
    "transpose": (np.transpose, (ANY,)),
}


CANCELLING = {
    "sin² + cos²": (lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, (ANY,)),
    "less its mean": (lambda x: np.sum(x - np.mean(x)), (ANY,)),
    "sum of softmax": (lambda x: np.sum(softmax(x)) - 1, (ANY,)),
    "sum of layernorm": (lambda x: np.sum((x - np.mean(x)) / np.std(x)), (ANY,)),
    "exact fit": (lambda x: np.mean((x @ np.ones(x.shape[-1]) - np.sum(x, axis=-1)) ** 2), (ANY,)),
    "Parseval": (lambda x: np.sum(np.abs(np.fft.fft(x)) ** 2), (ANY,)),
}
"""Values that are small differences of large numbers."""


def single(function):
    """A function that computes in single precision inside, with the claim in double."""
    return lambda x: float(np.sum(function(np.asarray(x, np.float32))))


order_of_sums = np.random.default_rng(0)


def entropy_of_softmax(x):
    p = softmax(x)
    return -np.sum(p * np.log(p))


def entropy_of_softmax_gradient(x):
    p = softmax(x)
    return -p * (np.log(p) - np.sum(p * np.log(p), axis=-1, keepdims=True))


VANDERMONDE = np.linspace(-1, 1, 17)[:, np.newaxis] ** np.arange(16)


def normal_matrix(x):
    """Of x.size powers, next to singular if these are many."""
    powers = VANDERMONDE[:, : x.size]
    return powers.T @ powers


def squared_difference(x):
    return x[0] * (x[1] - x[2]) ** 2


def squared_difference_gradient(x):
    off = x[1] - x[2]
    return np.array([off**2, 2 * x[0] * off, -2 * x[0] * off])


CLAIMED = {
    "factor": (squared_difference, squared_difference_gradient, "next to each other"),
    "single tanh": (single(np.tanh), lambda x: 1 - np.tanh(x) ** 2, 1.0),
    "single sine": (single(np.sin), np.cos, 1.0),
    "eight digits": (lambda x: float(f"{np.sum(np.sin(x)):.8g}"), np.cos, 1.0),
    "permuted": (lambda x: np.sum(order_of_sums.permutation(np.ravel(np.sin(x)))), np.cos, 1.0),
    "rounded": (lambda x: np.round(np.sum(np.sin(x)), 12), np.cos, 1.0),
    "narrow": (
        lambda x: np.tanh(x).astype(np.float32),
        lambda g, x: g * (1 - np.tanh(x) ** 2),
        "with an upstream gradient",
    ),
    "next to singular": (
        lambda x: np.ravel(x) @ np.linalg.solve(normal_matrix(x), np.ravel(x)),
        lambda x: 2 * np.reshape(np.linalg.solve(normal_matrix(x), np.ravel(x)), x.shape),
        1.0,
    ),
    "arccos": (
        lambda x: sum(map(math.acos, np.ravel(x))),
        lambda x: -1 / np.sqrt((1 - x) * (1 + x)),
        "inside one",
    ),
    "power 3/2": (
        lambda x: np.sum(np.abs(x) ** 1.5),
        lambda x: 1.5 * np.sign(x) * np.sqrt(abs(x)),
        1.0,
    ),
    "entropy": (lambda x: -np.sum(x * np.log(x)), lambda x: -np.log(x) - 1, "inside one"),
    "entropy of a softmax": (entropy_of_softmax, entropy_of_softmax_gradient, "saturated"),
    "huge": (lambda x: 1e300 * np.sum(np.tanh(x)), lambda x: 1e300 * (1 - np.tanh(x) ** 2), 1.0),
    "tiny": (lambda x: 1e-300 * np.sum(np.sin(x)), lambda x: 1e-300 * np.cos(x), 1.0),
}
"""Functions of plain arrays with gradients by formula, and where they are drawn."""


def draw(domain, shape, scale, dtype, rng):
    numbers = rng.normal(size=shape)
    if domain == POSITIVE:
        numbers = np.abs(numbers) + 0.1
    if rng.random() < 0.2:  # entries of many sizes in one array
        numbers = numbers * 10.0 ** rng.uniform(-12, 0, size=shape)
    drawn = (scale * numbers).astype(dtype)
    zeros = np.flatnonzero(drawn == 0)  # a kink of some functions; no two alike, which is another
    drawn.flat[zeros] = np.finfo(dtype).tiny * np.arange(1, 1 + len(zeros))
    return drawn


def next_to_each_other(rng):
    """A factor, of any size, and two numbers that hardly differ."""
    number = rng.uniform(1, 2)
    off = 10.0 ** rng.uniform(-10, -1)
    return np.array([10.0 ** rng.uniform(-6, 6), number * (1 + off), number])


def draw_claimed(where, shape, rng):
    if where == "next to each other":
        return next_to_each_other(rng)
    if where == "inside one":
        return np.minimum(rng.uniform(0.01, 1, size=shape), 1 - 10.0 ** rng.uniform(-9, -1))
    if where == "saturated":  # so that the largest of a softmax is 1, now and then
        return 10.0 ** rng.uniform(0, 1.3) * rng.normal(size=shape)
    return rng.normal(size=shape)


def case(index, rng):
    """What to check: a name, a function, its arguments and options."""
    names = [*FUNCTIONS, *CANCELLING, *CLAIMED]
    name = names[index % len(names)]
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 5)))
    if name in CLAIMED:
        function, gradient, where = CLAIMED[name]
        form = "vjp" if where == "with an upstream gradient" else "gradient"
        return name, function, [draw_claimed(where, shape, rng)], {form: gradient}
    function, domains = (FUNCTIONS | CANCELLING)[name]
    round_number = index // len(names)
    order = 2 if round_number % 4 == 3 else 1
    dtype = (np.float32, np.float64)[round_number // 2 % 2]
    reach = REACH[dtype] if round_number % 3 == 2 else 8
    scale = 10.0 ** rng.uniform(-reach, reach)
    if round_number % 5 == 4:
        scale = 10.0 ** rng.uniform(-20, -6)
    args = [draw(domain, shape, scale, dtype, rng) for domain in domains]
    return name, function, args, {"order": order}


NEARBY = [2.0**-20] * 8
"""How far away it is looked for values that overflow."""

REACH = {np.float32: 37, np.float64: 300}


def overflows(function, args, order):
    """Whether values here or at a neighbour are beyond all floats, or derivatives, by their size
    in long doubles."""
    with np.errstate(all="ignore"):
        rng = np.random.default_rng(0)
        for reach in (0.0, *NEARBY):
            there = [(x * rng.uniform(1 - reach, 1 + reach, x.shape)).astype(x.dtype) for x in args]
            if not np.all(np.isfinite(function(*there))):
                return True
        wide = [np.asarray(x, np.longdouble) for x in args]
        size = np.max(np.abs(function(*wide)))
        smallest = min(np.min(np.abs(x)) for x in wide)
        return bool(size / smallest**order > 1e290) or smallest**order < 1e-290


def run(indices, seed):
    """Check at random points; return descriptions of false alarms, and of what was undecided."""
    alarms, undecided = [], []
    for index in indices:
        name, function, args, options = case(index, np.random.default_rng([seed, index]))
        with np.errstate(all="ignore"):
            report = ag.gradcheck(
                function, *args, rng=index, raise_error=False, progress=False, **options
            )
        nonfinite = report.verdict in ("NaN or infinity", "at a border")
        if report or (nonfinite and overflows(function, args, options.get("order", 1) + 1)):
            continue
        found = undecided if report.verdict == "cannot decide" else alarms
        found.append(f"{index} {name} of {args} {options}: {report}")
    return alarms, undecided


def mutations(x, rng):
    """Wrong factors for a gradient of this shape: one entry, all entries, the sign of one."""
    place = tuple(int(rng.integers(n)) for n in x.shape)
    amount = float(rng.choice([0.99, 1.01, 1.001, 0.0, -1.0, 2.0]))
    factor = np.ones(x.shape)
    if rng.random() < 0.5:
        factor[place] = amount
    else:
        factor *= amount
    return factor


def wrong_case(index, rng):
    """A right gradient with something wrong: a name, the function, its argument, the claim, and
    what is wrong with it.

    None where the mistake is lost in the numbers: it changes the gradient, or what the entry
    contributes by its own size, by less than a millionth of the largest.
    """
    if index % 7 == 3:  # hidden by the rounding errors of what nearly cancels, where that moves too
        factor = np.array([float(rng.choice([0.99, 1.01, 0.0, -1.0, 2.0])), 1.0, 1.0])
        claim = {"gradient": lambda x: factor * squared_difference_gradient(x)}
        return "factor", squared_difference, next_to_each_other(rng), claim, factor
    single = [name for name in FUNCTIONS if len(FUNCTIONS[name][1]) == 1 and name != "sum"]
    name = single[index % len(single)]
    function, (domain,) = FUNCTIONS[name]
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 5)))
    scale = 10.0 ** rng.uniform(-3, 3) if index % 2 else 1.0
    x = draw(domain, shape, scale, np.float64, rng)
    size = 10.0 ** rng.uniform(-250, 250) if index % 3 == 0 else 1.0
    weights = rng.normal(size=np.shape(function(x)))
    factor = mutations(x, rng)

    def each(x):
        return size * weights * function(x)

    def weighed(x):
        return np.sum(each(x))

    right = ag.grad(weighed)(x)
    with np.errstate(all="ignore"):
        wrong = np.abs((factor - 1) * right)
        lost = np.max(wrong) < 1e-6 * np.max(np.abs(right)) and np.max(wrong * np.abs(x)) < (
            1e-6 * np.max(np.abs(right * x))
        )
    # What cancels to rounding errors has no factor that could be wrong.
    lost |= not np.max(wrong * np.abs(x)) > 1e-6 * abs(weighed(x))
    if lost:
        return None
    if index % 5 == 1:  # beside results that are always zero, as those of dead units
        dead = np.zeros_like(x)

        def beside(x):
            return (each(x), x * dead)

        def claim(g, x):
            return factor * ag.grad(lambda x: np.sum(g[0] * each(x)))(x)

        return name, beside, x, {"vjp": claim}, factor
    return name, weighed, x, {"gradient": lambda x: factor * ag.grad(weighed)(x)}, factor


def run_wrong(indices, seed):
    """Check mutated derivatives; return a description of each that was accepted."""
    accepted = []
    for index in indices:
        with np.errstate(all="ignore"):
            found = wrong_case(index, np.random.default_rng([seed, index]))
            if found is None:
                continue
            name, function, x, claim, factor = found
            report = ag.gradcheck(
                function,
                x,
                **claim,
                rng=index,
                raise_error=False,
                progress=False,
            )
        if report:
            accepted.append(f"{index} {name} of {x} times {factor}: {report}")
    return accepted


if __name__ == "__main__":
    total = int(sys.argv[1])
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    alarms, undecided = run(range(first, first + total), seed=1)
    accepted = run_wrong(range(first, first + total), seed=2)
    print(*alarms, *accepted, sep="\n")
    print(
        f"{len(alarms)} false alarms and {len(undecided)} undecided in {total} checks of right "
        f"derivatives; {len(accepted)} of {total} wrong ones accepted"
    )
    sys.exit(1 if alarms or accepted or len(undecided) > total / 50 else 0)
