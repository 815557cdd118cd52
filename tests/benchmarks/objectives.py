"""The objectives of GradBench, each written once for NumPy, for JAX and for PyTorch.

GradBench is the successor of ADBench: F. Srajer, Z. Kukelova, A. Fitzgibbon, "A benchmark of
selected algorithmic differentiation tools on some problems in computer vision and machine
learning" (2018).  Each function takes a `Library` first, of which it calls the functions that
the three have in common; what is differentiated comes next.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Library:
    """What the objectives are written with, and what is done to them."""

    numpy: Any
    scan: Function
    grad: Function
    jvp: Function
    ready: Function
    """Compiles a function before it is called again and again, or leaves it as it is."""
    array: Function
    """Makes arrays of this library from NumPy's, in nested arguments."""
    number: Function
    """Makes a number of this library."""
    wait: Function
    """Waits until nested results are computed."""


def logsumexp(library: Library, x: Any) -> Any:
    """``log(sum(exp(x)))`` along the last axis, from its elements."""
    largest = library.numpy.max(x, axis=-1)
    total = library.numpy.sum(library.numpy.exp(x - largest[..., None]), axis=-1)
    return largest + library.numpy.log(total)


def gaussian_mixture(
    library: Library, parameters: dict[str, Any], x: Any, gamma: float, m: int
) -> Any:
    """The logarithm of a posterior, of weights, means and factors of inverse covariances."""
    xp = library.numpy
    alpha, mu, q, below = (parameters[name] for name in ("alpha", "mu", "q", "l"))
    n, d = x.shape
    k = alpha.shape[0]
    sums, scales = xp.sum(q, axis=-1), xp.exp(q)
    centered = x[None] - mu[:, None]
    factors = xp.concat([below, xp.zeros_like(q[:, :1])], axis=1)[:, places_below(d)]
    whitened = centered * scales[:, None] + centered @ xp.permute_dims(factors, (0, 2, 1))
    exponents = alpha + sums - 0.5 * xp.sum(whitened**2, axis=-1).T
    likelihood = xp.sum(logsumexp(library, exponents)) - n * logsumexp(library, alpha)
    norms = xp.sum(scales**2) + xp.sum(below**2)
    prior = m * xp.sum(sums) - 0.5 * gamma**2 * norms
    return likelihood + prior + gaussian_constant(n, d, k, gamma, m)


def places_below(d: int) -> Any:
    """Where each element of a strictly lower triangle stands among those given column by column."""
    columns, rows = np.triu_indices(d, 1)
    places = np.full((d, d), len(rows))  # behind the last, where a zero stands
    places[rows, columns] = np.arange(len(rows))
    return places


def gaussian_constant(n: int, d: int, k: int, gamma: float, m: int) -> float:
    freedom = d + m + 1
    gammas = sum(math.lgamma(0.5 * freedom + 0.5 * (1 - j)) for j in range(1, d + 1))
    multigamma = 0.25 * d * (d - 1) * math.log(math.pi) + gammas
    wishart = freedom * d * (math.log(gamma) - 0.5 * math.log(2)) - multigamma
    return -0.5 * n * d * math.log(2 * math.pi) + k * wishart


def recurrent(library: Library, parameters: Any, state: Any, sequence: Any) -> Any:
    """The mean loss of an LSTM whose weight matrices are diagonal, over a sequence of bits."""
    xp = library.numpy
    main, extra = parameters
    layers = len(main) // 2

    def sigmoid(x: Any) -> Any:
        return 1 / (1 + xp.exp(-x))

    def layer(weight: Any, bias: Any, hidden: Any, cell: Any, x: Any) -> tuple[Any, Any]:
        forget = sigmoid(x * weight[0] + bias[0])
        ingate = sigmoid(hidden * weight[1] + bias[1])
        outgate = sigmoid(x * weight[2] + bias[2])
        change = xp.tanh(hidden * weight[3] + bias[3])
        cell = cell * forget + ingate * change
        return outgate * xp.tanh(cell), cell

    def step(states: Any, rows: Any) -> tuple[Any, Any]:
        x, target = rows
        x = x * extra[0]
        after = []
        for i, (hidden, cell) in enumerate(states):
            x, cell = layer(main[2 * i], main[2 * i + 1], hidden, cell, x)
            after.append((x, cell))
        y = x * extra[1] + extra[2]
        return after, xp.sum(target * (y - xp.log(xp.sum(xp.exp(y)) + 2)))

    init = [(state[2 * i], state[2 * i + 1]) for i in range(layers)]
    _, totals = library.scan(step, init, (sequence[:-1], sequence[1:]))
    return -xp.sum(totals) / ((sequence.shape[0] - 1) * sequence.shape[1])


def clustering(library: Library, centroids: Any, points: Any) -> Any:
    """The sum of the squared distances from each point to the nearest centroid."""
    xp = library.numpy
    distances = xp.sum((points[:, None] - centroids[None]) ** 2, axis=-1)
    return xp.sum(xp.min(distances, axis=-1))


def newton_direction(library: Library) -> Function:
    """The gradient of `clustering` divided by the diagonal of its Hessian, which is all of it."""

    def direction(centroids: Any, points: Any) -> Any:
        def gradient(x: Any) -> Any:
            return library.grad(lambda y: clustering(library, y, points))(x)

        ones = library.numpy.ones_like(centroids)
        slope, diagonal = library.jvp(gradient, (centroids,), (ones,))
        return slope / diagonal

    return direction


def cross(library: Library, x: Any, y: Any) -> Any:
    """The vector product along the last axis, written out."""
    (a, b, c), (d, e, f) = ((v[:, 0], v[:, 1], v[:, 2]) for v in (x, y))
    return library.numpy.stack([b * f - c * e, c * d - a * f, a * e - b * d], axis=-1)


def reprojection(library: Library, parameters: Any, features: Any) -> Any:
    """How far each camera's picture of its point lies from what was seen, times a weight.

    A row of cameras holds rotation, centre, focal length, principal point and radial distortion.
    """
    xp = library.numpy
    cameras, points, weights = parameters
    rotations, moved = cameras[:, :3], points - cameras[:, 3:6]
    angles = xp.sqrt(xp.sum(rotations**2, axis=-1))[:, None]
    axes = rotations / angles
    along = xp.sum(axes * moved, axis=-1)[:, None] * (1 - xp.cos(angles))
    turned = moved * xp.cos(angles) + cross(library, axes, moved) * xp.sin(angles) + axes * along
    flat = turned[:, :2] / turned[:, 2:]
    squares = xp.sum(flat**2, axis=-1)[:, None]
    distorted = flat * (1 + cameras[:, 9:10] * squares + cameras[:, 10:11] * squares**2)
    projected = distorted * cameras[:, 6:7] + cameras[:, 7:9]
    return weights[:, None] * (projected - features)


def blocks(library: Library) -> Function:
    """The nonzero blocks of the Jacobian of `reprojection`, and the errors of the weights'."""

    def jacobian(parameters: Any, features: Any) -> Any:
        def of_row(row: int) -> Any:
            return library.grad(
                lambda x: library.numpy.sum(reprojection(library, x, features)[:, row])
            )(parameters)

        rows = [of_row(0), of_row(1)]
        return rows, -2 * parameters[2]

    return jacobian


def runge_kutta(library: Library, x: Any, steps: int) -> Any:
    """The solution at 2 of a system in which each unknown drives the next one."""
    xp = library.numpy
    h = 2 / steps

    def slope(y: Any) -> Any:
        return xp.concat([x[:1], x[1:] * y[:-1]])

    def step(y: Any, _: Any) -> tuple[Any, Any]:
        k1 = slope(y)
        k2 = slope(y + h * k1 / 2)
        k3 = slope(y + h * k2 / 2)
        k4 = slope(y + h * k3)
        return y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6, None

    return library.scan(step, xp.zeros_like(x), None, steps)[0]


def last_of_runge_kutta(library: Library, x: Any, steps: int) -> Any:
    return runge_kutta(library, x, steps)[-1]


def least_squares(library: Library, x: Any, powers: Any, signs: Any) -> Any:
    """Half the sum of squares between a polynomial and a step, at equally spaced points."""
    return library.numpy.sum((signs - powers @ x) ** 2) / 2


def determinant(library: Library, matrices: Any) -> Any:
    """Determinants by expansion along the first rows, of all minors at once."""
    xp = library.numpy
    size = matrices.shape[-1]
    if size == 1:
        return matrices[..., 0, 0]
    others = np.array([[j for j in range(size) if j != i] for i in range(size)])
    minors = xp.moveaxis(matrices[..., 1:, :][..., others], -2, -3)
    signs = library.array((-1.0) ** np.arange(size))
    return xp.sum(signs * matrices[..., 0, :] * determinant(library, minors), axis=-1)


CLOSE = 1e-5


def argmin(f: Function, gradient: Function, x: Any) -> Any:
    """Gradient descent whose rate doubles after ten steps down and halves after one up.

    B. A. Pearlmutter, J. M. Siskind, "Using programming language theory to make automatic
    differentiation sound and efficient" (2008).
    """
    value, slope, rate, steps = f(x), gradient(x), 1e-5, 0
    while norm(slope) > CLOSE:
        if steps == 10:
            rate, steps = 2 * rate, 0
            continue
        after = [a - rate * b for a, b in zip(x, slope, strict=True)]
        if norm([a - b for a, b in zip(x, after, strict=True)]) <= CLOSE:
            break
        new = f(after)
        if new < value:
            x, value, slope, steps = after, new, gradient(after), steps + 1
        else:
            rate, steps = rate / 2, 0
    return x


def norm(x: Any) -> Any:
    return sum(a * a for a in x) ** 0.5


def by_columns(library: Library, f: Function) -> Function:
    """The gradient by forward mode, a number at a time."""

    def gradient(x: Any) -> Any:
        point = list(map(library.number, x))
        units = [[library.number(float(i == j)) for j in range(len(x))] for i in range(len(x))]
        return [library.jvp(f, (point,), (unit,))[1] for unit in units]

    return gradient


def by_sweep(library: Library, f: Function) -> Function:
    """The gradient by reverse mode."""
    return lambda x: library.grad(f)(list(map(library.number, x)))


MODES = {"f": by_columns, "r": by_sweep}


def particle(library: Library, modes: str, start: float) -> Any:
    """The place of a charge from which another one is driven through the origin."""
    outer, inner = (MODES[mode] for mode in modes)

    def crossing(w: Any) -> Any:
        charges = ((10.0, 10.0 - w[0]), (10.0, 0.0))

        def potential(x: Any) -> Any:
            return sum(1 / norm([x[0] - a, x[1] - b]) for a, b in charges)

        acceleration = inner(library, potential)
        x, v = [0.0 * w[0], 8.0 + 0.0 * w[0]], [0.75, 0.0]
        while True:
            force = acceleration(x)
            after = [a + 0.1 * b for a, b in zip(x, v, strict=True)]
            if after[1] <= 0:
                break
            x, v = after, [a - 0.1 * b for a, b in zip(v, force, strict=True)]
        return (x[0] - x[1] / v[1] * v[0]) ** 2

    return argmin(crossing, outer(library, crossing), [library.number(start)])[0]


def saddle(library: Library, modes: str, start: Any) -> Any:
    """The saddle point of a quadric: the least of what is greatest, found by descent in descent."""
    outer, inner = (MODES[mode] for mode in modes)
    start = list(map(library.number, start))

    def f(x: Any, y: Any) -> Any:
        return (x[0] ** 2 + x[1] ** 2) - (y[0] ** 2 + y[1] ** 2)

    def greatest(x: Any, mode: Any) -> Any:
        def below(y: Any) -> Any:
            return -f(x, y)

        return argmin(below, mode(library, below), start)

    def at_greatest(x: Any) -> Any:
        return f(x, greatest(x, inner))

    x = argmin(at_greatest, outer(library, at_greatest), start)
    return [*x, *greatest(x, outer)]
