"""Functions of matrices, matrix equations, and matrices of a given form."""

from __future__ import annotations

import warnings
from typing import Any

from numpy import random
from scipy import linalg

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.contractions import matrix_transpose
from autograd_lite.scipy.names import as_array_operand, of_scipy

__all__ = [
    "block_diag",
    "cholesky",
    "circulant",
    "coshm",
    "cosm",
    "det",
    "expm",
    "hankel",
    "inv",
    "logm",
    "sinhm",
    "sinm",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "sqrtm",
    "toeplitz",
]

# What NumPy has as well, computed by SciPy.


def inv_vjp(g: Any, out: Any, a: Any, check_finite: bool = True) -> Any:
    (rule,) = registry[np.linalg.inv].rules
    return rule(g, out, a)


def det_vjp(g: Any, out: Any, a: Any, check_finite: bool = True) -> Any:
    (rule,) = registry[np.linalg.det].rules
    return rule(g, out, a)


def cholesky_vjp(g: Any, out: Any, a: Any, lower: bool = False, check_finite: bool = True) -> Any:
    (rule,) = registry[np.linalg.cholesky].rules
    return rule(g, out, a, upper=not lower)


inv = of_scipy(linalg.inv, inv_vjp)
det = of_scipy(linalg.det, det_vjp)
cholesky = of_scipy(linalg.cholesky, cholesky_vjp)

# Functions of matrices.  f([[A, E], [0, A]]) has in its corner the derivative of f(A) along E:
# N. Higham, "Functions of Matrices" (2008), theorem 3.6; the transposed is that along the
# gradient at the transposed matrix.


def logm_forward(A: Any) -> Any:  # noqa: N803, SciPy's name
    """SciPy's estimates a norm by draws from NumPy's global stream, which goes on as before.

    From 1.18 on it warns of every result in single precision: it has not the digits of a double.
    """
    state = random.get_state()
    try:
        with warnings.catch_warnings():
            if np.result_type(A) in (np.float32, np.complex64):
                warnings.filterwarnings("ignore", "logm result may be inaccurate", RuntimeWarning)
            return linalg.logm(A)
    finally:
        random.set_state(state)


def of_matrix(function: Any, forward: Any = None) -> Primitive:
    """A function that is a power series of a matrix."""

    def vjp(g: Any, out: Any, a: Any) -> Any:
        shape, dtype = np.shape(a), np.result_type(a, g)
        wide = np.result_type(dtype, np.float64)  # corners lose digits of single precision
        a, g = np.astype(matrix_transpose(np.atleast_2d(a)), wide), np.astype(g, wide)
        size = np.shape(a)[-1]
        above = np.concatenate([a, g], axis=-1)
        below = np.concatenate([np.zeros_like(a), a], axis=-1)
        corner = primitive(np.concatenate([above, below], axis=-2))[..., :size, size:]
        return np.reshape(np.astype(corner, dtype), shape)

    primitive = of_scipy(function, vjp, forward=forward)
    return primitive


expm = of_matrix(linalg.expm)
logm = of_matrix(linalg.logm, logm_forward)
sinm = of_matrix(linalg.sinm)
cosm = of_matrix(linalg.cosm)
sinhm = of_matrix(linalg.sinhm)
coshm = of_matrix(linalg.coshm)
sqrtm = of_scipy(
    linalg.sqrtm,
    lambda g, out, a: solve_sylvester(matrix_transpose(out), matrix_transpose(out), g),
)

# Matrix equations: the gradient solves the transposed equation.


def sylvester_vjp(g: Any, out: Any, a: Any, b: Any, q: Any) -> Any:
    """Of A X + X B = Q."""
    turned = solve_sylvester(matrix_transpose(a), matrix_transpose(b), g)
    return -turned @ matrix_transpose(out), -matrix_transpose(out) @ turned, turned


def continuous_lyapunov_vjp(g: Any, out: Any, a: Any, q: Any) -> Any:
    """Of A X + X Aᴴ = Q."""
    turned = solve_continuous_lyapunov(matrix_transpose(a), g)
    by_a = turned @ matrix_transpose(out) + np.conjugate(matrix_transpose(turned) @ out)
    return -by_a, turned


def discrete_lyapunov_vjp(g: Any, out: Any, a: Any, q: Any) -> Any:
    """Of X = A X Aᴴ + Q."""
    turned = solve_discrete_lyapunov(matrix_transpose(a), g)
    ahead = turned @ np.conjugate(a) @ matrix_transpose(out)
    return ahead + np.conjugate(matrix_transpose(turned) @ a @ out), turned


solve_sylvester: Primitive = of_scipy(
    linalg.solve_sylvester, arrays=3, joint=sylvester_vjp,
)  # fmt: skip
solve_continuous_lyapunov = of_scipy(
    linalg.solve_continuous_lyapunov, arrays=2, joint=continuous_lyapunov_vjp,
)  # fmt: skip
solve_discrete_lyapunov = of_scipy(
    linalg.solve_discrete_lyapunov, arrays=2, joint=discrete_lyapunov_vjp,
)  # fmt: skip

# Matrices whose elements are those of vectors.


def vector(x: Any, name: str = "") -> Any:
    """The elements in a row; of several vectors SciPy's newer versions make several matrices."""
    x = as_array_operand(x)
    if name and np.ndim(x) > 1:
        raise UnsupportedError(
            f"{name}: several vectors in one array, here of shape {np.shape(x)}, have no rule; "
            "pass one vector, and use ag.vmap for several"
        )
    return np.ravel(x)


def arranged(elements: Any, places: Any) -> Any:
    """The elements that belong to the places of a matrix."""
    return np.reshape(elements[np.ravel(places)], np.shape(places))


def toeplitz(c: Any, r: Any = None) -> Any:
    """The matrix with the first column ``c`` and the first row ``r``, the same along diagonals."""
    column = vector(c, "toeplitz")
    row = np.conjugate(column) if r is None else vector(r, "toeplitz")
    height, width = np.size(column), np.size(row)
    elements = np.concatenate([np.flip(row[1:]), column])
    return arranged(elements, np.arange(height)[:, None] - np.arange(width) + width - 1)


def hankel(c: Any, r: Any = None) -> Any:
    """The matrix with the first column ``c`` and the last row ``r``, the same across diagonals."""
    column = vector(c)
    row = np.zeros_like(column) if r is None else vector(r)
    elements = np.concatenate([column, row[1:]])
    return arranged(elements, np.arange(np.size(column))[:, None] + np.arange(np.size(row)))


def circulant(c: Any) -> Any:
    """The matrix each of whose columns is the one before, turned round by one place."""
    column = vector(c, "circulant")
    places = np.arange(np.size(column))
    return arranged(column, (places[:, None] - places) % np.size(column))


def block_diag(*arrs: Any) -> Any:
    """The matrix with these matrices along its diagonal, and zeros elsewhere."""
    blocks = [np.atleast_2d(as_array_operand(x)) for x in arrs]
    for x in blocks:
        if np.ndim(x) > 2:
            raise UnsupportedError(
                f"block_diag: a block of shape {np.shape(x)} has no rule; pass matrices, and use "
                "ag.vmap for several of each"
            )
    width = sum(np.shape(x)[1] for x in blocks)
    before, rows = 0, []
    for x in blocks:
        height, length = np.shape(x)
        gaps = [np.zeros((height, n), x.dtype) for n in (before, width - before - length)]
        rows.append(np.concatenate([gaps[0], x, gaps[1]], axis=1))
        before += length
    return np.concatenate(rows)


for function in (toeplitz, hankel, circulant, block_diag):
    registry[getattr(linalg, function.__name__)] = function
