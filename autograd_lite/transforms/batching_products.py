"""Batching rules of products, linear systems and norms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from string import ascii_letters
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import (
    contractions,
    linalg,
)
from autograd_lite.ops.define import RowByRow
from autograd_lite.transforms.batching import (
    Batched,
    NoBatchingRuleError,
    Rule,
    array_of,
    batching,
    count_of,
    is_stacked,
    ndim_of,
    shifted,
    with_axes,
)

__all__: list[str] = []


# Products.


@batching(contractions.matmul)
def matmul(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Vectors become matrices of one row or column, and stacks of rows one tall matrix."""
    x, y = inputs
    ranks = ndim_of(x), ndim_of(y)
    if ranks == (1, 2) and not is_stacked(y):
        return by_matrix(x, array_of(y))
    if ranks == (2, 1) and not is_stacked(x):
        return by_matrix(y, np.swapaxes(array_of(x), 0, 1))
    left = np.expand_dims(x, -2) if np.ndim(x) == 1 else x
    right = np.expand_dims(y, -1) if np.ndim(y) == 1 else y
    product = matrix_product(left, right)
    shape = list(np.shape(product))
    if np.ndim(y) == 1:
        del shape[-1]
    if np.ndim(x) == 1:
        del shape[-1 if np.ndim(y) == 1 else -2]
    return np.reshape(product, shape)


def matrix_product(left: Any, right: Any) -> Any:
    if not is_stacked(right) and np.ndim(right) == 2:
        return by_matrix(left, array_of(right))
    if not is_stacked(left) and np.ndim(left) == 2:
        matrix = np.swapaxes(array_of(left), 0, 1)
        if np.shape(right)[-1] == 1:
            column = Batched(np.squeeze(right.array, axis=-1), right.batch)
            return np.expand_dims(by_matrix(column, matrix), -1)
        if is_by_places(right, matrix):
            turned = Batched(np.swapaxes(right.array, -1, -2), right.batch)
            return np.swapaxes(by_matrix(turned, matrix), -1, -2)
    ndim = max(np.ndim(left), np.ndim(right))
    return np.matmul(with_axes(left, ndim), with_axes(right, ndim))


def by_matrix(stacked: Any, matrix: Any) -> Any:
    """Multiply all vectors along the last axis by one matrix, in one product."""
    rows = stacked.array
    multiply: Any = contractions.matmul_by_places if is_by_places(stacked, matrix) else np.matmul
    shape = np.shape(rows)
    if len(shape) == 2:
        return multiply(rows, matrix)
    product = multiply(np.reshape(rows, (-1, shape[-1])), matrix)
    return np.reshape(product, (*shape[:-1], np.shape(matrix)[1]))


def is_by_places(stacked: Any, matrix: Any) -> bool:
    """Whether zeros of a matrix have to keep out what is not finite."""
    return bool(
        stacked.batch.is_by_places
        and isinstance(matrix, np.ndarray)
        and np.count_nonzero(matrix) < matrix.size
    )


@batching(contractions.matmul_by_places)
def matmul_by_places(
    primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]
) -> Any:
    x, matrix = inputs
    shape = np.shape(x.array)
    product = primitive(np.reshape(x.array, (-1, shape[-1])), array_of(matrix))
    return np.reshape(product, (*shape[:-1], np.shape(matrix)[1]))


@batching(contractions.dot)
def dot(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, y = inputs
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return (x * y).array
    if np.ndim(x) <= 2 and np.ndim(y) <= 2:
        return matmul(contractions.matmul, inputs, parameters)
    axes = contractions.dot_axes(x, y)
    return tensordot(contractions.tensordot, inputs, {"axes": axes})


@batching(contractions.tensordot)
def tensordot(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, y = inputs
    axes = parameters.get("axes", 2)
    named = (range(-axes, 0), range(axes)) if isinstance(axes, int) else map(np.atleast_1d, axes)
    behind = [shifted(axis, np.ndim(operand)) for axis, operand in zip(named, inputs, strict=True)]
    left, right = contractions.contracted_axes(axes, x, y)
    if is_stacked(x) and is_stacked(y):
        rows = ascii_letters[1 : 1 + np.ndim(x)]
        columns = ascii_letters[1 + np.ndim(x) :][: np.ndim(y)]
        for a, b in zip(left, right, strict=True):
            columns = columns.replace(columns[b], rows[a])
        kept = [c for c in rows + columns if (c in rows) != (c in columns)]
        subscripts = f"a{rows},a{columns}->a{''.join(kept)}"
        return contractions.einsum_explicit(x.array, y.array, subscripts=subscripts, optimize=False)
    if is_stacked(x):
        return primitive(x.array, array_of(y), axes=(behind[0], right))
    product = primitive(array_of(x), y.array, axes=(left, behind[1]))
    return np.moveaxis(product, np.ndim(x) - len(left), 0)


@batching(contractions.einsum_explicit)
def einsum(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    terms, output = parameters["subscripts"].split("->")
    row = next(c for c in ascii_letters if c not in parameters["subscripts"])
    named = [
        row + term if is_stacked(x) else term
        for term, x in zip(terms.split(","), inputs, strict=True)
    ]
    subscripts = f"{','.join(named)}->{row}{output}"
    return primitive(*map(array_of, inputs), **{**parameters, "subscripts": subscripts})


def in_terms_of_others(function: Callable[..., Any]) -> Rule:
    """A product that is another one of the same operands with more axes."""

    def rule(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
        return function(*inputs).array

    return rule


batching(np.inner)(
    in_terms_of_others(
        lambda x, y: np.tensordot(x, y, axes=(-1, -1)) if np.ndim(x) and np.ndim(y) else x * y
    )
)
batching(np.vdot)(in_terms_of_others(lambda x, y: np.dot(np.conjugate(np.ravel(x)), np.ravel(y))))
batching(np.vecdot)(in_terms_of_others(lambda x, y: np.sum(np.conjugate(x) * y, axis=-1)))
batching(np.matvec)(
    in_terms_of_others(lambda a, x: np.squeeze(np.matmul(a, np.expand_dims(x, -1)), axis=-1))
)
batching(np.vecmat)(
    in_terms_of_others(
        lambda x, a: np.squeeze(np.matmul(np.expand_dims(np.conjugate(x), -2), a), axis=-2)
    )
)


@batching(np.linalg.solve)
def solve(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """All right-hand sides of one matrix are columns of one system."""
    a, b = inputs
    if np.ndim(b) == 1:
        solution: Any = np.linalg.solve(a, np.expand_dims(b, -1))
        return solution[..., 0].array
    if is_stacked(a) or np.ndim(a) > 2 or np.ndim(b) > 2:
        ndim = max(np.ndim(a), np.ndim(b))
        return primitive(with_axes(a, ndim), with_axes(b, ndim))
    count, size, columns = np.shape(b.array)
    together = np.reshape(np.moveaxis(b.array, 0, 1), (size, count * columns))
    solution = primitive(array_of(a), together)
    return np.moveaxis(np.reshape(solution, (size, count, columns)), 1, 0)


@batching(linalg.second_cofactors)
def second_cofactors(
    primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]
) -> Any:
    a, direction = inputs
    if is_stacked(a):
        raise NoBatchingRuleError("the matrix differs from row to row")
    return primitive(array_of(a), direction.array)


@batching(RowByRow)
def row_by_row(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    rows = [
        primitive(*[x.array[row] if is_stacked(x) else array_of(x) for x in inputs], **parameters)
        for row in range(count_of(inputs))
    ]
    if not rows or isinstance(rows[0], tuple):
        raise NoBatchingRuleError(f"several results of {primitive.name}")
    return np.stack(rows)


@batching(np.correlate, np.convolve)
def correlate(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """The product of every window of an array with the shorter one, beyond the edges zeros."""
    x, v = inputs
    if not (np.size(x) and np.size(v)):
        raise NoBatchingRuleError("an array is empty")
    is_convolution = primitive is registry[np.convolve]
    mode = parameters.get("mode", "full" if is_convolution else "valid")
    if np.size(x) < np.size(v):
        if not is_convolution:
            raise NoBatchingRuleError("a correlation with the longer array")
        x, v = v, x
    weights = np.flip(v) if is_convolution else np.conjugate(v)
    width = np.size(v)
    if mode != "valid":
        before = width - 1 if mode == "full" else width // 2
        edges = [
            np.zeros(n, x.dtype)
            for n in (before, width - 1 if mode == "full" else width - 1 - before)
        ]
        x = np.concatenate([edges[0], x, edges[1]])
    windows = x[np.arange(np.size(x) - width + 1)[:, None] + np.arange(width)]
    if is_stacked(weights):
        return (windows @ weights).array
    rows = np.matmul(np.reshape(windows.array, (-1, width)), array_of(weights))
    return np.reshape(rows, np.shape(windows.array)[:-1])
