"""Rules of linear algebra: inverses, determinants, linear systems, norms.

All work on stacks of matrices.  Singular matrices raise NumPy's LinAlgError,
as in the functions themselves; only the determinant has a gradient there.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.contractions import matrix_transpose
from autograd_lite.ops.decompositions import adjoint
from autograd_lite.ops.define import array_function, composite, multi_output, parts
from autograd_lite.ops.reductions import extremum_vjp, keep_axes, products_of_others

__all__: list[str] = []

# Inverses and determinants.


def inv_vjp(g: Any, out: Any, a: Any) -> Any:
    return -matrix_transpose(out) @ g @ matrix_transpose(out)


def pinv_vjp(g: Any, out: Any, a: Any, rcond: Any = None, rtol: Any = None) -> Any:
    """G. Golub, V. Pereyra, "The differentiation of pseudo-inverses ..." (1973)."""
    h = adjoint(out)
    g_h = matrix_transpose(g)
    beside_rows = g_h - a @ (out @ g_h)
    beside_columns = g_h - (g_h @ out) @ a
    contribution = -h @ np.conjugate(g) @ h + beside_rows @ out @ h + h @ out @ beside_columns
    return np.conjugate(contribution)


def cofactors_forward(a: Any) -> Any:
    """The derivative of the determinant: det(A) A⁻ᵀ, also where A is singular."""
    u, s, vh = np.linalg.svd(a)
    scale = np.linalg.det(u) * np.linalg.det(vh)
    return scale[..., None, None] * np.conjugate(u * products_of_others(s)[..., None, :] @ vh)


def cofactors_vjp(g: Any, out: Any, a: Any) -> Any:
    trace = np.sum(g * out, axis=(-2, -1), keepdims=True)
    slope = trace * np.eye(np.shape(a)[-1], dtype=a.dtype) - out @ matrix_transpose(g)
    return slope @ matrix_transpose(np.linalg.inv(a))


def slogdet_vjp(g: Any, out: Any, a: Any) -> Any:
    """d log|det A| = Re tr(A⁻¹ dA); a complex sign turns with the imaginary part."""
    g_sign, g_log = g
    sign, _ = parts(out, 2)
    slope = np.zeros_like(sign) if g_log is None else np.real(g_log)
    if g_sign is not None and is_complex(sign):
        slope = slope + 1j * np.imag(g_sign * sign)
    return slope[..., None, None] * matrix_transpose(np.linalg.inv(a))


cofactors = Primitive(cofactors_forward, cofactors_vjp, name="cofactors")
inv = array_function(np.linalg.inv, inv_vjp)
pinv = array_function(np.linalg.pinv, pinv_vjp)
det = array_function(np.linalg.det, lambda g, out, a: np.expand_dims(g, (-2, -1)) * cofactors(a))
slogdet = multi_output(np.linalg.slogdet, slogdet_vjp)


# Linear systems.


def solve_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        return -solve_right(g, out, a, b)[..., :, None] * out[..., None, :]
    return -np.linalg.solve(matrix_transpose(a), g) @ matrix_transpose(out)


def solve_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        return np.linalg.solve(matrix_transpose(a), g[..., None])[..., 0]
    return np.linalg.solve(matrix_transpose(a), g)


def lstsq_vjp(g: Any, out: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    """x = A⁺ b, of which the residual's derivative is that of |b - A x|² with x held."""
    g_x, g_residuals, _, g_s = g
    x = parts(out, 4)[0]
    g_a, g_b = np.zeros_like(a), np.zeros_like(b)
    column, target, solution = ((y if np.ndim(b) > 1 else y[:, None]) for y in (g_b, b, x))
    if g_x is not None:
        inverse = np.linalg.pinv(a)
        g_solution = g_x if np.ndim(b) > 1 else g_x[:, None]
        column = column + matrix_transpose(inverse) @ g_solution
        g_a = g_a + pinv_vjp(g_solution @ matrix_transpose(target), inverse, a)
    if g_residuals is not None and np.size(g_residuals):
        slope = 2 * np.conjugate(target - a @ solution) * g_residuals
        column = column + slope
        g_a = g_a - slope @ matrix_transpose(solution)
    if g_s is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        g_a = g_a + np.conjugate((u * g_s[None, :]) @ vh)
    return g_a, np.reshape(column, np.shape(b))


solve = array_function(np.linalg.solve, solve_left, solve_right, broadcasts=True)
lstsq = multi_output(np.linalg.lstsq, None, arrays=2, joint=lstsq_vjp)


@composite(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        kept = [axis for axis in range(np.ndim(a)) if axis not in axes]
        a = np.transpose(a, (*kept, *axes))
    shape = np.shape(a)[np.ndim(b) :]
    return np.reshape(np.linalg.solve(np.reshape(a, (-1, np.size(b))), np.ravel(b)), shape)


@composite(np.linalg.tensorinv)
def tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    columns = int(np.prod(shape[ind:]))
    return np.reshape(np.linalg.inv(np.reshape(a, (columns, -1))), shape[ind:] + shape[:ind])


# Products.


@composite(np.linalg.matrix_power)
def matrix_power(a: Any, n: int) -> Any:
    """By squaring, in the order of NumPy's own."""
    if n == 0:
        return a * 0 + np.eye(np.shape(a)[-1], dtype=a.dtype)
    base, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    if n == 3:
        return base @ base @ base
    square, result = base, None
    while n:
        if n % 2:
            result = square if result is None else result @ square
        n //= 2
        square = square @ square if n else square
    return result


def multi_dot_vjp(index: int, g: Any, out: Any, *arrays: Any) -> Any:
    """The product of what is left of it, transposed, g, and that of what is right of it."""
    rows = 1 if np.ndim(arrays[0]) == 1 else np.shape(arrays[0])[0]
    matrices = [
        np.reshape(x, (1, -1) if i == 0 else (-1, 1)) if np.ndim(x) == 1 else x
        for i, x in enumerate(arrays)
    ]
    contribution = np.reshape(g, (rows, -1))
    for matrix in matrices[:index]:
        contribution = matrix_transpose(matrix) @ contribution
    for matrix in reversed(matrices[index + 1 :]):
        contribution = contribution @ matrix_transpose(matrix)
    return np.reshape(contribution, np.shape(arrays[index]))


product_of_many = Primitive(
    lambda *arrays: np.linalg.multi_dot(arrays), each=multi_dot_vjp, name="multi_dot"
)


@composite(np.linalg.multi_dot)
def multi_dot(arrays: Any) -> Any:
    return product_of_many(*arrays)


# Norms.


def norm_vjp(
    g: Any, out: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The gradient at the zero vector is zero."""
    g_kept, kept = keep_axes(g, axis, keepdims), keep_axes(out, axis, keepdims)
    nonzero = np.where(kept == 0, 1, kept)
    direction = np.sign(np.conjugate(x))
    if ord in (None, 2, "fro", "f"):
        return g_kept * np.conjugate(x) / nonzero
    if ord == 0:
        return np.zeros_like(x)
    if ord in (np.inf, -np.inf):
        return direction * extremum_vjp(g, out, np.abs(x), axis=axis, keepdims=keepdims)
    return g_kept * direction * (np.abs(x) / nonzero) ** (ord - 1)


vector_norm_of = Primitive(np.linalg.norm, norm_vjp, name="norm", arrays=1, masks=True)


@composite(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    of_matrix = axis is None and ord is not None and np.ndim(x) == 2
    axes = (0, 1) if of_matrix else axis
    if not (isinstance(axes, tuple) and len(axes) == 2) or ord in (None, "fro", "f"):
        return vector_norm_of(x, ord=ord, axis=axis, keepdims=keepdims)
    result = matrix_norm_of(np.moveaxis(x, axes, (-2, -1)), ord)
    return np.expand_dims(result, axes) if keepdims else result


def matrix_norm_of(x: Any, ord: Any) -> Any:
    """The norms of a stack of matrices: of singular values, of columns or of rows."""
    if ord == "nuc":
        return np.sum(np.linalg.svdvals(x), axis=-1)
    if ord not in (1, -1, 2, -2, np.inf, -np.inf):
        raise UnsupportedError(
            f"norm: there is no norm of matrices of order {ord!r}; "
            "pass 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2"
        )
    choose = np.max if ord > 0 else np.min
    if abs(ord) == 2:
        return choose(np.linalg.svdvals(x), axis=-1)
    return choose(np.sum(np.abs(x), axis=-2 if abs(ord) == 1 else -1), axis=-1)


@composite(np.linalg.matrix_norm)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


@composite(np.linalg.vector_norm)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    some = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(range(np.ndim(x))) if axis is None else some
    first = np.moveaxis(x, axes, range(len(axes)))
    flat = np.reshape(first, (-1, *np.shape(first)[len(axes) :]))
    result = np.linalg.norm(flat, ord=ord, axis=0)
    return np.expand_dims(result, axes) if keepdims else result


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    norms = [np.linalg.norm(y, ord=p, axis=(-2, -1)) for y in (x, np.linalg.inv(x))]
    return norms[0] * norms[1]


# Names that NumPy has twice.

registry[np.linalg.matmul] = np.matmul
registry[np.linalg.outer] = np.outer


@composite(np.linalg.tensordot)
def tensordot(x1: Any, x2: Any, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes=axes)


@composite(np.linalg.trace)
def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, axis1=-2, axis2=-1, dtype=dtype)


@composite(np.linalg.cross)
def cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    return np.cross(x1, x2, axis=axis)


@composite(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))
