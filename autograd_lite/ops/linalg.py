"""Rules of linear algebra: inverses, determinants, linear systems, norms.

All work on stacks of matrices.  Singular matrices raise NumPy's LinAlgError,
as in the functions themselves; only the determinant has a gradient there.
"""

from __future__ import annotations

import operator
from math import prod
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.contractions import matrix_transpose
from autograd_lite.ops.decompositions import adjoint
from autograd_lite.ops.define import (
    LeftToNumpy,
    array_function,
    as_operand,
    composite,
    is_known,
    multi_output,
    parts,
)
from autograd_lite.ops.lengths import direction, with_curvature
from autograd_lite.ops.reductions import extremum_vjp, products_of_others
from autograd_lite.ops.shaping import keep_axes, laid_out

__all__ = ["second_cofactors"]

# Inverses and determinants.


def inv_vjp(g: Any, out: Any, a: Any) -> Any:
    return -matrix_transpose(out) @ g @ matrix_transpose(out)


def pinv_vjp(g: Any, out: Any, a: Any, rcond: Any = None, rtol: Any = None) -> Any:
    """G. Golub, V. Pereyra, "The differentiation of pseudo-inverses ..." (1973).

    It holds where all singular values that count as zero are nearly so; those that a limit
    of the caller's has cut off may be large.
    """
    limit = rtol if rcond is None else rcond
    if limit is not None and cuts(a, limit):
        return cut_pinv_vjp(g, a, limit)
    h = adjoint(out)
    g_h = matrix_transpose(g)
    beside_rows = g_h - a @ (out @ g_h)
    beside_columns = g_h - (g_h @ out) @ a
    contribution = -h @ np.conjugate(g) @ h + beside_rows @ out @ h + h @ out @ beside_columns
    return np.conjugate(contribution)


def cuts(a: Any, limit: Any) -> bool:
    """Whether a limit may take a singular value for zero that is none, for all that is known."""
    if not is_known(a):
        return True
    s = np.linalg.svd(unwrap(a), compute_uv=False)
    relative = s / np.where(s[..., :1] == 0, 1, s[..., :1])
    rounding = np.finfo(s.dtype).eps * max(np.shape(a)[-2:])
    return bool(
        np.any(np.logical_and(relative > rounding, relative <= np.asarray(limit)[..., None]))
    )


def cut_pinv_vjp(g: Any, a: Any, limit: Any) -> Any:
    """The gradient of U f(S) Vᴴ, with f(s) = 1/s for s above the limit, else 0.

    F. Andersson, M. Carlsson, K.-M. Perfekt, "Operator-Lipschitz estimates for the singular
    value functional calculus" (2016): the differential is divided differences of f in S.
    """
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    v = adjoint(vh)
    kept = s > (limit if np.ndim(limit) == 0 else np.asarray(limit)[..., None]) * s[..., :1]
    f = np.where(kept, 1 / np.where(kept, s, 1), 0)
    row, column, f_row, f_column = (
        s[..., :, None],
        s[..., None, :],
        f[..., :, None],
        f[..., None, :],
    )
    mixed = np.logical_xor(kept[..., :, None], kept[..., None, :])
    gaps = np.where(mixed, np.abs(row * row - column * column), 1)
    straight = np.where(mixed, 1 / gaps, 0)
    crossed = np.where(mixed, row * column * (f_row + f_column) ** 2 / gaps, -f_row * f_column)
    g_h = matrix_transpose(g)
    turned = adjoint(u) @ g_h @ v
    inner = u @ (straight * turned + crossed * adjoint(turned)) @ vh
    squares = f * f
    beside_rows = ((g_h @ v - u @ turned) * squares[..., None, :]) @ vh
    beside_columns = (u * squares[..., None, :]) @ (adjoint(u) @ g_h - turned @ vh)
    return np.conjugate(inner + beside_rows + beside_columns)


def cofactors_forward(a: Any) -> Any:
    """The derivative of the determinant: det(A) A⁻ᵀ, also where A is singular."""
    u, s, vh = np.linalg.svd(a)
    scale = np.linalg.det(u) * np.linalg.det(vh)
    return scale[..., None, None] * np.conjugate(u * products_of_others(s)[..., None, :] @ vh)


def cofactors_vjp(g: Any, out: Any, a: Any) -> Any:
    return second_cofactors(a, g)


def second_cofactors_forward(a: Any, g: Any) -> Any:
    """The derivative of the cofactors in the direction ``g``, also where A is singular.

    Of a diagonal matrix it is made of products of all elements but two, to which the singular
    value decomposition brings any matrix.
    """
    u, s, vh = np.linalg.svd(a)
    identity = np.eye(np.shape(a)[-1], dtype=s.dtype)
    others = products_of_others(np.where(identity == 1, 1, s[..., None, :])) * (1 - identity)
    turned = adjoint(u) @ g @ adjoint(vh)
    traces = others @ np.diagonal(turned, axis1=-2, axis2=-1)[..., None]
    inner = traces * identity - others * matrix_transpose(turned)
    scale = np.linalg.det(u) * np.linalg.det(vh)
    return scale[..., None, None] * (np.conjugate(u) @ inner @ np.conjugate(vh))


def second_cofactors_a(h: Any, out: Any, a: Any, g: Any) -> Any:
    """The third derivative of the determinant in the directions g and h, of regular matrices."""
    inverse = np.linalg.inv(a)
    p, q = inverse @ g, inverse @ h
    trace_p, trace_q, trace_pq = (
        np.trace(x, axis1=-2, axis2=-1)[..., None, None] for x in (p, q, p @ q)
    )
    inner = (trace_p * trace_q - trace_pq) * inverse - (trace_p * q + trace_q * p) @ inverse
    inner = inner + (p @ q + q @ p) @ inverse
    return np.linalg.det(a)[..., None, None] * matrix_transpose(inner)


def slogdet_vjp(g: Any, out: Any, a: Any) -> Any:
    """d log|det A| = Re tr(A⁻¹ dA); a complex sign turns with the imaginary part."""
    g_sign, g_log = g
    sign, _ = parts(out, 2)
    slope = np.zeros_like(sign) if g_log is None else np.real(g_log)
    if g_sign is not None and is_complex(sign):
        slope = slope + 1j * np.imag(g_sign * sign)
    return slope[..., None, None] * matrix_transpose(np.linalg.inv(a))


cofactors = Primitive(cofactors_forward, cofactors_vjp, name="cofactors")
second_cofactors: Primitive = Primitive(
    second_cofactors_forward,
    second_cofactors_a,
    lambda h, out, a, g: second_cofactors(a, h),
    name="second_cofactors",
    broadcasts=True,
)
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


EPSILON = float(np.finfo(np.float64).eps)


def lstsq_limit(a: Any, rcond: Any) -> Any:
    """The relative size below which `lstsq`, in double precision, takes a singular value for 0."""
    if rcond is None:
        return max(np.shape(a)) * EPSILON
    return rcond if 0 < rcond < 1 else EPSILON / 2  # LAPACK's own, which is half of NumPy's


def lstsq_vjp(g: Any, out: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    """x = A⁺ b, of which the residual's derivative is that of |b - A x|² with x held."""
    g_x, g_residuals, _, g_s = g
    x = parts(out, 4)[0]
    dtype = np.result_type(a.dtype, b.dtype)
    a = np.astype(a, np.result_type(a.dtype, np.float64))  # as NumPy solves it
    g_a, g_b = np.zeros_like(a), np.zeros_like(b, dtype=a.dtype)
    column, target, solution = ((y if np.ndim(b) > 1 else y[:, None]) for y in (g_b, b, x))
    if g_x is not None:
        limit = lstsq_limit(a, rcond)
        inverse = np.linalg.pinv(a, limit)
        g_solution = g_x if np.ndim(b) > 1 else g_x[:, None]
        column = column + matrix_transpose(inverse) @ g_solution
        g_a = g_a + pinv_vjp(
            g_solution @ matrix_transpose(target), inverse, a, None if rcond is None else limit
        )
    if g_residuals is not None and np.size(g_residuals):
        slope = 2 * np.conjugate(target - a @ solution) * g_residuals
        column = column + slope
        g_a = g_a - slope @ matrix_transpose(solution)
    if g_s is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        g_a = g_a + np.conjugate((u * g_s[None, :]) @ vh)
    return np.astype(g_a, dtype), np.astype(np.reshape(column, np.shape(b)), dtype)


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


@composite(np.linalg.matrix_power, asks_numpy="on failure", whole=("n",))
def matrix_power(a: Any, n: int) -> Any:
    """By squaring, in the order of NumPy's own."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise LeftToNumpy
    if n == 0:
        everywhere = np.ones(np.shape(a), bool)  # whatever is in the matrix, NaN too
        identity = np.where(everywhere, np.eye(np.shape(a)[-2], dtype=a.dtype), a)
        return laid_out(np.astype(identity, a.dtype), a)
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
    columns = 1 if np.ndim(arrays[-1]) == 1 else np.shape(arrays[-1])[1]
    contribution = np.reshape(g, (rows, columns))
    for matrix in matrices[:index]:
        contribution = matrix_transpose(matrix) @ contribution
    for matrix in reversed(matrices[index + 1 :]):
        contribution = contribution @ matrix_transpose(matrix)
    return np.reshape(contribution, np.shape(arrays[index]))


product_of_many = Primitive(
    lambda *arrays: np.linalg.multi_dot(arrays), each=multi_dot_vjp, name="multi_dot"
)


@composite(np.linalg.multi_dot, of_sequences=True, asks_numpy="on failure")
def multi_dot(arrays: Any) -> Any:
    return product_of_many(*map(as_operand, arrays))


# Norms.


def norm_vjp(
    g: Any, out: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The gradient where the norm is zero is zero, and so it is for elements that are."""
    g_kept, kept = keep_axes(g, axis, keepdims), keep_axes(out, axis, keepdims)
    conjugate = np.conjugate(x)
    if ord in (None, 2, "fro", "f"):
        share = g_kept * direction(conjugate, kept)
        return with_curvature(share, conjugate, g, out, axis, keepdims)
    if ord == 0:
        return np.zeros_like(x)
    sign = np.sign(conjugate)
    if ord in (np.inf, -np.inf):
        return sign * extremum_vjp(g, out, np.abs(x), axis=axis, keepdims=keepdims)
    smooth = np.logical_and(kept != 0, x != 0)
    ratio = np.where(smooth, direction(np.abs(x), kept), 1)
    return g_kept * np.where(smooth, sign, 0) * ratio ** (ord - 1)


vector_norm_of = Primitive(np.linalg.norm, norm_vjp, name="norm", arrays=1, masks=True)


@composite(np.linalg.norm, asks_numpy="on failure")
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if np.ndim(ord):
        raise LeftToNumpy
    x = x if x.dtype.kind in "fc" else np.astype(x, float)
    axis = int(axis) if isinstance(axis, float) else axis
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
    of_nothing: dict[str, Any] = {} if np.size(x) or ord < 0 else {"initial": 0}
    if abs(ord) == 2:
        return choose(np.linalg.svdvals(x), axis=-1, **of_nothing)
    return choose(np.sum(np.abs(x), axis=-2 if abs(ord) == 1 else -1), axis=-1, **of_nothing)


@composite(np.linalg.matrix_norm, asks_numpy="on failure")
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


@composite(np.linalg.vector_norm, asks_numpy="on failure")
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    some = axis if isinstance(axis, tuple) else (axis,)
    axes = tuple(range(np.ndim(x))) if axis is None else some
    first = np.moveaxis(x, axes, range(len(axes)))
    lengths, kept = np.shape(first)[: len(axes)], np.shape(first)[len(axes) :]
    flat = np.reshape(first, (prod(lengths), *kept))
    result = np.linalg.norm(flat, ord=ord, axis=0)
    return np.expand_dims(result, axes) if keepdims and axes else result


@composite(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    with np.errstate(all="ignore"):
        if p in (None, 2, -2):
            s = np.linalg.svdvals(x)
            ratio = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
        else:
            norms = [np.linalg.norm(y, ord=p, axis=(-2, -1)) for y in (x, inv_or_nan(x))]
            ratio = norms[0] * norms[1]
    unknown = np.isnan(ratio)
    if is_known(ratio) and not np.any(unwrap(unknown)):
        return ratio
    is_singular = np.logical_and(unknown, np.logical_not(np.any(np.isnan(x), axis=(-2, -1))))
    return np.where(is_singular, np.inf, ratio)[()]  # of one matrix a number, as NumPy's


def inv_or_nan_forward(a: Any) -> Any:
    """Inverses; of singular matrices NaN, as LAPACK leaves them."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        if np.ndim(a) == 2:
            return np.full_like(a, np.nan, dtype=np.linalg.inv(np.eye(1, dtype=a.dtype)).dtype)
        return np.stack([inv_or_nan_forward(matrix) for matrix in a])


inv_or_nan = Primitive(inv_or_nan_forward, inv_vjp, name="inv", arrays=1)


# Names that NumPy has twice.

registry[np.linalg.matmul] = np.matmul


@composite(np.linalg.outer)
def outer(x1: Any, x2: Any) -> Any:
    return np.outer(x1, x2)


@composite(np.linalg.tensordot, asks_numpy="on failure")
def tensordot(x1: Any, x2: Any, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes=axes)


@composite(np.linalg.trace, asks_numpy="on failure")
def trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    return np.trace(x, offset, axis1=-2, axis2=-1, dtype=dtype)


@composite(np.linalg.cross, asks_numpy="on failure")
def cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    return np.cross(x1, x2, axis=operator.index(axis))


@composite(np.linalg.vecdot, asks_numpy="on failure")
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    axis = operator.index(axis)
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))
