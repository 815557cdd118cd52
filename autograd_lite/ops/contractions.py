"""Rules of products of matrices and tensors: each operand's gradient is again a contraction."""

from __future__ import annotations

import operator
from string import ascii_letters
from typing import Any

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, register
from autograd_lite.ops.define import LeftToNumpy, array_function, cast, composite, in_loop, in_loops
from autograd_lite.ops.joining import as_array
from autograd_lite.ops.shaping import inverse_order

__all__ = [
    "contracted_axes",
    "dot",
    "dot_axes",
    "einsum_explicit",
    "einsum_forward",
    "matmul",
    "matmul_by_places",
    "matrix_transpose",
    "tensordot",
]


def matrix_transpose(x: Any) -> Any:
    """The transposes of a stack of matrices."""
    return np.swapaxes(x, -1, -2)


def matmul_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The gradient of x @ y with respect to x: g yᵀ; vectors count as NumPy counts them."""
    if are_matrices(x, y):
        return np.matmul(g, y.T)
    if np.ndim(y) == 1:
        return g * y if np.ndim(x) == 1 else np.expand_dims(g, -1) * y
    if np.ndim(x) == 1 and np.ndim(y) > 2:
        return np.squeeze(np.matmul(y, np.expand_dims(g, -1)), axis=-1)
    return np.matmul(g, matrix_transpose(y))


def matmul_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    """The gradient of x @ y with respect to y: xᵀ g."""
    if are_matrices(x, y):
        # `matmul` has no BLAS for the product of a column and a row, as of one sample, and takes
        # five times as long; with a single number `dot` would lose NaNs.
        is_outer = len(x) == 1 < min(x.size, g.size)
        return np.dot(x.T, g) if is_outer else np.matmul(x.T, g)
    if np.ndim(x) == 1:
        return g * x if np.ndim(y) == 1 else np.expand_dims(g, -2) * np.expand_dims(x, -1)
    if np.ndim(y) == 1 and np.ndim(x) == 2:
        return np.matmul(g, x)
    if np.ndim(y) == 1:
        return np.squeeze(np.matmul(matrix_transpose(x), np.expand_dims(g, -1)), axis=-1)
    if np.ndim(y) == 2 and np.ndim(x) > 2:
        x, g = np.reshape(x, (-1, np.shape(x)[-1])), np.reshape(g, (-1, np.shape(g)[-1]))
    return np.matmul(matrix_transpose(x), g)


def are_matrices(x: Any, y: Any) -> bool:
    """Whether two operands are plain arrays with two axes: most are, and need no questions."""
    return x.__class__ is y.__class__ is np.ndarray and x.ndim == y.ndim == 2


matmul = Primitive(
    np.matmul, matmul_left, matmul_right, broadcasts=True, linear="each", formula="x @ y"
)
register(np.matmul, matmul)
in_loops(np.matmul, np.matvec, np.vecmat)


def product_by_places(x: Any, matrix: Any) -> Any:
    """``x @ matrix``, where zeros of the matrix let nothing through: no infinity, and no NaN."""
    with np.errstate(all="ignore"):
        product = np.matmul(x, matrix)
        if np.isfinite(product).all():
            return product
        product[...] = 0.0
        for column, row in zip(np.moveaxis(x, -1, 0), matrix, strict=True):
            product += np.where(row != 0, column[..., None] * row, 0.0)
    return product


matmul_by_places: Primitive = Primitive(
    product_by_places,
    lambda g, out, x, matrix: matmul_by_places(g, matrix_transpose(matrix)),
    None,
    name="matmul",
    builtin=True,
    linear="all",
)
"""Of rows of a Jacobian and a constant matrix: slopes that are infinite concern nobody else."""


# tensordot: contract the listed axes; what is left of x comes first, then what is left of y.


def contracted_axes(axes: Any, x: Any, y: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, int | np.integer):
        return list(range(np.ndim(x) - int(axes), np.ndim(x))), list(range(int(axes)))
    left, right = (list(np.atleast_1d(a)) for a in axes)
    return [int(a) % np.ndim(x) for a in left], [int(a) % np.ndim(y) for a in right]


def free_axes(x: Any, contracted: list[int]) -> list[int]:
    return [a for a in range(np.ndim(x)) if a not in contracted]


def tensordot_left(g: Any, out: Any, x: Any, y: Any, axes: Any = 2) -> Any:
    left, right = contracted_axes(axes, x, y)
    free_x, free_y = free_axes(x, left), free_axes(y, right)
    product = np.tensordot(g, y, (list(range(len(free_x), np.ndim(out))), free_y))
    return np.transpose(product, inverse_order(free_x + [left[i] for i in inverse_order(right)]))


def tensordot_right(g: Any, out: Any, x: Any, y: Any, axes: Any = 2) -> Any:
    left, right = contracted_axes(axes, x, y)
    free_x, free_y = free_axes(x, left), free_axes(y, right)
    product = np.tensordot(x, g, (free_x, list(range(len(free_x)))))
    return np.transpose(product, inverse_order([right[i] for i in inverse_order(left)] + free_y))


tensordot = array_function(np.tensordot, tensordot_left, tensordot_right, linear="each")


# dot and inner: one axis of each operand is contracted; a number scales the other operand.


def dot_axes(x: Any, y: Any) -> Any:
    return ((np.ndim(x) - 1,), (max(np.ndim(y) - 2, 0),))


def dot_left(g: Any, out: Any, x: Any, y: Any) -> Any:
    if 0 < np.ndim(x) <= 2 and 0 < np.ndim(y) <= 2:
        return matmul_left(g, out, x, y)
    return one_axis_left(g, out, x, y, dot_axes(x, y))


def dot_right(g: Any, out: Any, x: Any, y: Any) -> Any:
    if 0 < np.ndim(x) <= 2 and 0 < np.ndim(y) <= 2:
        return matmul_right(g, out, x, y)
    return one_axis_right(g, out, x, y, dot_axes(x, y))


def one_axis_left(g: Any, out: Any, x: Any, y: Any, axes: Any) -> Any:
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return np.sum(g * y) if np.ndim(x) == 0 else g * y
    return tensordot_left(g, out, x, y, axes)


def one_axis_right(g: Any, out: Any, x: Any, y: Any, axes: Any) -> Any:
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return np.sum(g * x) if np.ndim(y) == 0 else g * x
    return tensordot_right(g, out, x, y, axes)


dot = array_function(np.dot, dot_left, dot_right, linear="each")
inner = array_function(
    np.inner,
    lambda g, out, x, y: one_axis_left(g, out, x, y, (-1, -1)),
    lambda g, out, x, y: one_axis_right(g, out, x, y, (-1, -1)),
    linear="each",
)


@composite(np.outer, asks_numpy="on failure")
def outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@composite(np.kron, asks_numpy="on failure")
def kron(a: Any, b: Any) -> Any:
    ndim = max(np.ndim(a), np.ndim(b))
    if min(np.ndim(a), np.ndim(b)) == 0:  # a number becomes an array of its own dtype here
        return np.reshape(a, np.shape(a)) * np.reshape(b, np.shape(b))
    shape_a, shape_b = ((1,) * (ndim - np.ndim(x)) + np.shape(x) for x in (a, b))
    blocks = np.reshape(a, [n for length in shape_a for n in (length, 1)])
    inside = np.reshape(b, [n for length in shape_b for n in (1, length)])
    lengths = [m * n for m, n in zip(shape_a, shape_b, strict=True)]
    return np.reshape(blocks * inside, lengths)


@composite(np.cross, asks_numpy="on failure")
def cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    axisa, axisb, axisc = map(operator.index, (axisa, axisb, axisc))
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if not np.shape(a)[-1] == np.shape(b)[-1] == 3:
        raise UnsupportedError(
            f"cross: vectors of length {np.shape(a)[-1]} and {np.shape(b)[-1]} along the axis; "
            "both must have length 3"
        )
    parts = [a[..., i] * b[..., j] - a[..., j] * b[..., i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.moveaxis(np.copy(np.stack(parts, axis=-1), "C"), -1, axisc)


@composite(np.trace, asks_numpy="on failure")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype)


# Products of vectors; the first one is conjugated, but for matvec.

vdot = array_function(
    np.vdot,
    lambda g, out, a, b: np.reshape(np.conjugate(g * np.ravel(b)), np.shape(a)),
    lambda g, out, a, b: np.reshape(g * np.conjugate(np.ravel(a)), np.shape(b)),
    linear="each",
)
vecdot = Primitive(
    np.vecdot,
    lambda g, out, x, y: np.conjugate(np.expand_dims(g, -1) * y),
    lambda g, out, x, y: np.expand_dims(g, -1) * np.conjugate(x),
    broadcasts=True,
    linear="each",
)
register(np.vecdot, vecdot)


@composite((np.vecdot, "__call__"), asks_numpy="on failure")
def vecdot_along(
    x: Any, y: Any, axis: int = -1, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    axis = operator.index(axis)
    x, y = in_loop(np.vecdot, (x, y), dtype, casting)
    return vecdot(np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1))


matvec = array_function(
    np.matvec,
    lambda g, out, a, x: np.expand_dims(g, -1) * np.expand_dims(x, -2),
    lambda g, out, a, x: np.matvec(matrix_transpose(a), g),
    broadcasts=True,
    linear="each",
)
vecmat = array_function(
    np.vecmat,
    lambda g, out, x, a: np.conjugate(np.matvec(a, g)),
    lambda g, out, x, a: np.expand_dims(np.conjugate(x), -1) * np.expand_dims(g, -2),
    broadcasts=True,
    linear="each",
)


# einsum: the gradient of one operand is an einsum of the upstream gradient and the others.


def einsum_forward(*operands: Any, subscripts: str, optimize: Any) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


def einsum_vjp(index: int, g: Any, out: Any, *operands: Any, subscripts: str, optimize: Any) -> Any:
    """Let the upstream gradient and this operand's subscripts change places.

    Subscripts that only this operand has were summed over: its gradient is
    constant along them, which a factor of ones spells out.  A subscript that
    it has twice took a diagonal: the gradient lives on that diagonal alone,
    which a factor of the identity matrix spells out.
    """
    inputs, output = subscripts.split("->")
    terms = inputs.split(",")
    term, shape = terms[index], np.shape(operands[index])
    others = [x for i, x in enumerate(operands) if i != index]
    names = [output, *(t for i, t in enumerate(terms) if i != index)]
    factors = [g, *others]
    target = ""
    unused = iter(c for c in ascii_letters if c not in subscripts)
    for axis, name in enumerate(term):
        if name in target:
            fresh = next(unused)
            factors.append(np.eye(shape[axis], dtype=g.dtype))
            names.append(name + fresh)
            target += fresh
        else:
            if not any(name in other for other in names):
                factors.append(np.ones(shape[axis], dtype=g.dtype))
                names.append(name)
            target += name
    return einsum_explicit(
        *factors, subscripts=",".join(names) + "->" + target, optimize=len(factors) > 2
    )


einsum_explicit = Primitive(
    einsum_forward, each=einsum_vjp, name="einsum", builtin=True, linear="each"
)


def is_view(subscripts: str) -> bool:
    """Whether nothing is multiplied or summed: NumPy gives a view then, whatever the dtype."""
    term, output = subscripts.split("->")
    return set(term) == set(output)


def explicit_subscripts(subscripts: str, shapes: list[tuple[int, ...]]) -> str:
    """Write out an ellipsis and an implied output, as ``np.einsum`` understands them."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(shapes):
        raise ArgumentValueError(
            f"einsum: the subscripts {subscripts!r} name {len(terms)} operands, "
            f"but {len(shapes)} were given"
        )
    if not arrow:
        letters = inputs.replace(",", "").replace("...", "")
        output = ("..." if "..." in inputs else "") + "".join(
            sorted(c for c in set(letters) if letters.count(c) == 1)
        )
    widths = [
        len(shape) - len(term.replace("...", "")) if "..." in term else 0
        for term, shape in zip(terms, shapes, strict=True)
    ]
    spare = [c for c in ascii_letters if c not in subscripts][: max(widths, default=0)]
    terms = [
        term.replace("...", "".join(spare[len(spare) - width :]))
        for term, width in zip(terms, widths, strict=True)
    ]
    return ",".join(terms) + "->" + output.replace("...", "".join(spare))


@composite(np.einsum, asks_numpy="on failure")
def einsum(
    *operands: Any, dtype: Any = None, order: str = "K", casting: Any = "safe",
    optimize: Any = False,
) -> Any:  # fmt: skip
    if isinstance(operands[0], str):
        subscripts, arrays = operands[0], list(operands[1:])
    else:
        subscripts, arrays = from_sublists(operands)
    arrays = [as_array(x) for x in arrays]
    explicit = explicit_subscripts(subscripts, [np.shape(x) for x in arrays])
    if dtype is not None and not is_view(explicit):
        arrays = [cast(x, dtype, casting) for x in arrays]
    sizes: dict[str, int] = {}
    for term, x in zip(explicit.split("->")[0].split(","), arrays, strict=True):
        if len(set(zip(term, np.shape(x), strict=True))) != len(set(term)):
            raise LeftToNumpy  # a diagonal of what is not square
        for name, length in zip(term, np.shape(x), strict=True):
            if sizes.get(name, 1) == 1:
                sizes[name] = length
    # einsum stretches lengths of one; done here, so that its rule need not know of them.
    full = [
        np.broadcast_to(x, tuple(sizes[name] for name in term))
        if np.shape(x) != tuple(sizes[name] for name in term)
        else x
        for term, x in zip(explicit.split("->")[0].split(","), arrays, strict=True)
    ]
    return einsum_explicit(*full, subscripts=explicit, optimize=optimize)


def from_sublists(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    """Turn einsum's form without a string, ``x, [0, 1], y, [1, 2], [0, 2]``, into the other."""

    def letters(sublist: Any) -> str:
        if any(i is not Ellipsis and i < 0 for i in sublist):
            raise LeftToNumpy
        return "".join("..." if i is Ellipsis else ascii_letters[i] for i in sublist)

    pairs = len(operands) // 2
    subscripts = ",".join(letters(operands[2 * i + 1]) for i in range(pairs))
    if len(operands) % 2:
        subscripts += "->" + letters(operands[-1])
    return subscripts, [operands[2 * i] for i in range(pairs)]
