"""Batching: rules applied to many cotangents at once, stacked along a leading axis.

A reverse sweep is linear in its cotangent, so that the rows of a Jacobian are the
same computation on other numbers.  `Batched` stands in for one cotangent and holds
them all: shape, axes and indices are those of one row, and the leading axis comes
in where an operation is carried out.  Everything else that a rule computes with is
the same for all rows and computed once.

Each entry of the table below says how a function treats the leading axis.  A
function that is not in it raises `NoBatchingRuleError`, and the rows are then computed
one after the other.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from string import ascii_letters
from typing import Any

from autograd_lite.core.array_methods import ArrayMethods
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import contractions, indexing, joining

__all__ = ["Batched", "NoBatchingRuleError", "rows_of", "same_in_all_rows"]


class NoBatchingRuleError(UnsupportedError):
    """A function cannot be computed for all rows at once."""


def binary(function: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def operate(self: Batched, other: Any) -> Any:
        return each_element(function, (self, other), NO_PARAMETERS)

    def reflect(self: Batched, other: Any) -> Any:
        return each_element(function, (other, self), NO_PARAMETERS)

    return operate, reflect


class Batched(ArrayMethods):
    """An array or Value with one more axis in front than it shows: one entry for each row.

    Without ``stacked`` the axis is not there, and all rows are equal.
    """

    __slots__ = ("array", "stacked")

    def __init__(self, array: Any, stacked: bool = True) -> None:
        self.array = array
        self.stacked = stacked

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row."""
        shape: tuple[int, ...] = getattr(self.array, "shape", ())
        return shape[1:] if self.stacked else shape

    @property
    def size(self) -> int:
        """The number of elements of one row."""
        return math.prod(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the rows."""
        dtype: np.dtype[Any] | None = getattr(self.array, "dtype", None)
        return np.dtype(type(self.array)) if dtype is None else dtype

    def _node(self) -> Any:
        """The node of the numbers, if they are the same in all rows."""
        if self.stacked:
            raise NoBatchingRuleError("the rows of a Batched array have no data in common")
        return self.array.node if isinstance(self.array, Handle) else Node.leaf(self.array)

    node: Any = property(_node)

    __add__, __radd__ = binary(operator.add)
    __sub__, __rsub__ = binary(operator.sub)
    __mul__, __rmul__ = binary(operator.mul)
    __truediv__, __rtruediv__ = binary(operator.truediv)
    __floordiv__, __rfloordiv__ = binary(operator.floordiv)
    __mod__, __rmod__ = binary(operator.mod)
    __pow__, __rpow__ = binary(operator.pow)
    __lt__, _ = binary(operator.lt)
    __le__, _ = binary(operator.le)
    __gt__, _ = binary(operator.gt)
    __ge__, _ = binary(operator.ge)
    __eq__, _ = binary(operator.eq)
    __ne__, _ = binary(operator.ne)
    __hash__ = object.__hash__

    def __neg__(self) -> Any:
        return each_element(operator.neg, (self,), NO_PARAMETERS)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return each_element(operator.abs, (self,), NO_PARAMETERS)

    def __matmul__(self, other: Any) -> Any:
        return contractions.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return contractions.matmul(other, self)

    def __getitem__(self, index: Any) -> Any:
        return indexing.getitem(self, *(index if isinstance(index, tuple) else (index,)))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NoBatchingRuleError("a Batched array is no single number or array")

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __array__ = __setitem__ = _refuse

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method == "__call__" and ufunc.signature is None and not keywords:
            return each_element(ufunc, inputs, NO_PARAMETERS)
        function = registry.get(ufunc if method == "__call__" and not keywords else (ufunc, method))
        if function is None:
            raise NoBatchingRuleError(f"no batching rule for {ufunc.__name__}.{method}")
        return function(*inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        answer = ABOUT_ONE_ROW.get(function) or registry.get(function)
        if answer is None:
            raise NoBatchingRuleError(f"no batching rule for {function.__name__}")
        return answer(*args, **kwargs)

    @staticmethod
    def apply(primitive: Primitive, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
        """Apply a primitive to inputs of which at least one is Batched."""
        if not any(map(is_stacked, inputs)):
            return same_in_all_rows(primitive(*map(array_of, inputs), **parameters))
        if primitive.elementwise:
            return each_element(primitive, inputs, parameters)
        rule = BATCHING.get(primitive)
        if rule is None:
            raise NoBatchingRuleError(f"no batching rule for {primitive.name}")
        return Batched(rule(primitive, inputs, parameters))


def same_in_all_rows(x: Any) -> Any:
    """An operand of a rule that does not depend on the row."""
    return Batched(x, stacked=False)


def rows_of(x: Any, count: int) -> Any:
    """All the rows of a result: an array or Value with the leading axis."""
    if is_stacked(x):
        return x.array
    return np.broadcast_to(array_of(x), (count, *np.shape(array_of(x))))


def is_stacked(x: Any) -> bool:
    return isinstance(x, Batched) and x.stacked


def array_of(x: Any) -> Any:
    return x.array if isinstance(x, Batched) else x


def count_of(inputs: Sequence[Any]) -> int:
    """How many rows there are."""
    return next(len(x.array) for x in inputs if is_stacked(x))


def each_element(function: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """A function that works element by element, and broadcasts."""
    ndim = max(np.ndim(x) for x in inputs)
    result = function(*(with_axes(x, ndim) for x in inputs), **parameters)
    stacked = any(map(is_stacked, inputs))
    if isinstance(result, tuple):
        return tuple(Batched(part, stacked) for part in result)
    return Batched(result, stacked)


def with_axes(x: Any, ndim: int) -> Any:
    """The array of an operand; between the leading axis and the others come axes of length one."""
    missing = ndim - np.ndim(x)
    if not is_stacked(x) or not missing:
        return array_of(x)
    return np.reshape(x.array, (len(x.array), *(1,) * missing, *x.shape))


def in_every_row(x: Any, count: int) -> Any:
    """The rows of an operand, whether they differ or not."""
    return x.array if is_stacked(x) else rows_of(x, count)


# Questions about shapes and types, which concern one row.

ABOUT_ONE_ROW: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.result_type: lambda *args: np.result_type(
        *(x.dtype if isinstance(x, Batched) else x for x in args)
    ),
    np.zeros_like: lambda a, dtype=None, **_: np.zeros(a.shape, dtype or a.dtype),
    np.ones_like: lambda a, dtype=None, **_: np.ones(a.shape, dtype or a.dtype),
    np.empty_like: lambda prototype, dtype=None, **_: np.zeros(
        prototype.shape, dtype or prototype.dtype
    ),
}


# The table.

Rule = Callable[[Primitive, Sequence[Any], dict[str, Any]], Any]
"""From a primitive, its inputs and static arguments to an array with the leading axis."""

BATCHING: dict[Primitive, Rule] = {}


def batching(*functions: Any) -> Callable[[Rule], Rule]:
    """Enter a rule into the table, for primitives or for the functions that they are of."""

    def enter(rule: Rule) -> Rule:
        for function in functions:
            BATCHING[function if isinstance(function, Primitive) else registry[function]] = rule
        return rule

    return enter


def one_stacked(inputs: Sequence[Any]) -> tuple[Batched, list[Any]]:
    """The first input, which alone may differ from row to row, and the others."""
    first, *others = inputs
    if not is_stacked(first) or any(map(is_stacked, others)):
        raise NoBatchingRuleError("an operand other than the first differs from row to row")
    return first, list(map(array_of, others))


# Axes are counted from 0, or from the end, where the leading axis changes nothing.


def shifted(axis: Any) -> Any:
    """The same axes behind the leading one."""
    if isinstance(axis, Iterable):
        return tuple(map(shifted, axis))
    return axis + 1 if axis >= 0 else axis


def every_axis(x: Any) -> tuple[int, ...]:
    return tuple(range(1, np.ndim(x) + 1))


@batching(np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.flip)
def along_axes(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """``axis`` is None for all."""
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    axis = every_axis(x) if axis is None else shifted(axis)
    return primitive(x.array, **{**parameters, "axis": axis})


@batching(np.expand_dims)
def new_axes(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    return primitive(x.array, axis=shifted(parameters["axis"]))


@batching(np.squeeze)
def squeeze(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    lengths = enumerate(x.shape, start=1)
    ones = tuple(i for i, n in lengths if n == 1) if axis is None else shifted(axis)
    return primitive(x.array, axis=ones)


@batching(np.cumsum, np.cumprod, np.roll)
def along_one_axis(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """``axis`` is None for the flattened array."""
    x, _ = one_stacked(inputs)
    axis = parameters.get("axis")
    if axis is not None:
        return primitive(x.array, **{**parameters, "axis": shifted(axis)})
    flat = np.reshape(x.array, (len(x.array), -1))
    result = primitive(flat, **{**parameters, "axis": 1})
    return np.reshape(result, np.shape(x.array)) if primitive is registry[np.roll] else result


@batching(np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft)
def transform(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axis = shifted(parameters.get("axis", -1))
    return primitive(x.array, **{**parameters, "axis": axis})


@batching(np.astype, np.nan_to_num, np.round, np.around, np.fix, np.tril, np.triu)
def as_it_is(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Functions of each element, or of the last axes."""
    x, others = one_stacked(inputs)
    return primitive(x.array, *others, **parameters)


# Shapes.


@batching(np.reshape, np.ravel)
def reshape(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    if parameters.get("order", "C") != "C":
        raise NoBatchingRuleError("only arrays in the order of C are reshaped row by row")
    shape = parameters.get("shape", -1)
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if -1 in shape:
        known = math.prod(n for n in shape if n != -1)
        shape = tuple(x.size // max(known, 1) if n == -1 else n for n in shape)
    return np.reshape(x.array, (len(x.array), *shape))


@batching(np.transpose)
def transpose(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axes = parameters.get("axes")
    places = range(x.ndim)[::-1] if axes is None else [int(a) % x.ndim for a in axes]
    return primitive(x.array, axes=(0, *(a + 1 for a in places)))


@batching(np.swapaxes, np.moveaxis)
def exchange(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """All static arguments are axes."""
    x, _ = one_stacked(inputs)
    return primitive(x.array, **{name: shifted(axis) for name, axis in parameters.items()})


@batching(np.diagonal)
def diagonal(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    axes = {name: shifted(parameters.get(name, i)) for i, name in enumerate(("axis1", "axis2"))}
    return primitive(x.array, **{**parameters, **axes})


@batching(np.broadcast_to)
def broadcast_to(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, _ = one_stacked(inputs)
    shape = parameters["shape"]
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    return primitive(with_axes(x, len(shape)), shape=(len(x.array), *shape))


# Joining.


@batching(joining.join)
def join(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    count = count_of(inputs)
    axis = shifted(parameters.get("axis", 0))
    return primitive(*(in_every_row(x, count) for x in inputs), axis=axis)


@batching(joining.array_of_rows)
def array_of_rows(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    count = count_of(inputs)
    return np.stack([in_every_row(x, count) for x in inputs], axis=1)


# Indexing.  NumPy puts the axes of indices in front where a slice is between them: there the
# leading axis, being a slice, comes after them.

ALL = slice(None)


def axes_in_front(parts: Sequence[Any]) -> int:
    """How many axes an index puts in front of the leading axis."""
    is_array = [isinstance(x, (list, Handle)) or getattr(x, "ndim", 0) > 0 for x in parts]
    if not any(is_array):
        return 0
    by_slice = [isinstance(x, slice) or x is None or x is Ellipsis for x in parts]
    between = by_slice[by_slice.index(False) : len(parts) - by_slice[::-1].index(False)]
    if not any(between):
        return 0
    ranks = (1 if getattr(x, "dtype", None) == np.bool else np.ndim(x) for x in parts)
    return max(n for n, sliced in zip(ranks, by_slice, strict=True) if not sliced)


@batching(indexing.getitem)
def getitem(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, parts = one_stacked(inputs)
    result, front = primitive(x.array, ALL, *parts), axes_in_front(parts)
    return np.moveaxis(result, front, 0) if front else result


@batching(indexing.scatter)
def scatter(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    g, parts = one_stacked(inputs)
    front = axes_in_front(parts)
    moved = np.moveaxis(g.array, 0, front) if front else g.array
    return primitive(moved, ALL, *parts, shape=(len(g.array), *parameters["shape"]))


@batching(indexing.at_set, indexing.at_add)
def replace(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, new, *parts = inputs
    parts = list(map(array_of, parts))
    if any(map(is_stacked, inputs[2:])) or axes_in_front(parts):
        raise NoBatchingRuleError("not every row is replaced in the same place")
    if is_stacked(new):
        new = with_axes(new, np.ndim(indexing.getitem(np.empty(x.shape), *parts)))
    return primitive(in_every_row(x, count_of(inputs)), array_of(new), ALL, *parts)


@batching(np.take_along_axis)
def take_along_axis(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    x, (places,) = one_stacked(inputs)
    axis = parameters.get("axis", -1)
    if axis is None:
        raise NoBatchingRuleError("take_along_axis of a flattened array")
    return primitive(x.array, rows_of(places, len(x.array)), axis=shifted(axis))


# Products.


@batching(contractions.matmul)
def matmul(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """Vectors become matrices of one row or column, and stacks of rows one tall matrix."""
    x, y = inputs
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
    x, y = array_of(left), array_of(right)
    if not is_stacked(right) and np.ndim(right) == 2:
        return by_matrix(x, y)
    if not is_stacked(left) and np.ndim(left) == 2 and np.shape(right)[-1] == 1:
        return np.expand_dims(by_matrix(np.squeeze(y, axis=-1), np.swapaxes(x, 0, 1)), -1)
    ndim = max(np.ndim(left), np.ndim(right))
    return np.matmul(with_axes(left, ndim), with_axes(right, ndim))


def by_matrix(rows: Any, matrix: Any) -> Any:
    """Multiply all vectors along the last axis by one matrix, in one product."""
    shape = np.shape(rows)
    product = np.matmul(np.reshape(rows, (-1, shape[-1])), matrix)
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
    left, right = contractions.contracted_axes(parameters.get("axes", 2), x, y)
    if is_stacked(x) and is_stacked(y):
        raise NoBatchingRuleError("both operands of tensordot differ from row to row")
    if is_stacked(x):
        return primitive(x.array, array_of(y), axes=(shifted(left), right))
    product = primitive(array_of(x), y.array, axes=(left, shifted(right)))
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


batching(np.inner)(in_terms_of_others(lambda x, y: np.tensordot(x, y, axes=(-1, -1))))
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
        raise NoBatchingRuleError("solve with one right-hand side in every row")
    if is_stacked(a) or np.ndim(a) > 2 or np.ndim(b) > 2:
        ndim = max(np.ndim(a), np.ndim(b))
        return primitive(with_axes(a, ndim), with_axes(b, ndim))
    count, size, columns = np.shape(b.array)
    together = np.reshape(np.moveaxis(b.array, 0, 1), (size, count * columns))
    solution = primitive(array_of(a), together)
    return np.moveaxis(np.reshape(solution, (size, count, columns)), 1, 0)


@batching(np.correlate, np.convolve)
def correlate(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """The part without edges: the product of every window with the shorter array."""
    x, (v,) = one_stacked(inputs)
    count = x.size - np.size(v) + 1
    if parameters.get("mode") != "valid" or count < 1:
        raise NoBatchingRuleError("convolution with edges")
    weights = np.flip(v) if primitive is registry[np.convolve] else np.conjugate(v)
    windows = x[np.arange(count)[:, None] + np.arange(np.size(v))]
    return (windows @ weights).array
