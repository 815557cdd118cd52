"""Batching: one computation carried out for many samples at once, along a leading axis.

A `Batched` stands for one sample, and holds them all: shape, axes and indices are those
of one, and the leading axis comes in where an operation is carried out.  What does not
differ between the samples is computed once.

Two transforms use it.  A Jacobian sweeps back with all rows as one cotangent, for a
sweep is linear in it (`trace.Trace.rows`).  `vmap` calls a function on Values whose data
are Batched: nodes, rules and sweeps inside know the shapes of one sample, so that every
transform works there.  Batches nest: the array of a Batched may be a Value, or a Batched.

The rules are in `batching_axes`, `batching_indexing` and `batching_products`.
"""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import Any

from autograd_lite.core.array_methods import ArrayMethods
from autograd_lite.core.calling import lines_of_engine
from autograd_lite.core.errors import AutogradWarning, UnsupportedError
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.recorder import current, using
from autograd_lite.core.tree import tuple_like
from autograd_lite.core.views import root_of
from autograd_lite.ops import contractions, indexing
from autograd_lite.ops.define import apart

__all__ = [
    "BATCHING",
    "Batch",
    "Batched",
    "NoBatchingRuleError",
    "Rule",
    "array_of",
    "batch_in",
    "batch_of",
    "batching",
    "count_of",
    "each_element",
    "every_axis",
    "in_every_row",
    "is_stacked",
    "ndim_of",
    "one_stacked",
    "rows_of",
    "shares_memory",
    "shifted",
    "with_axes",
]


class NoBatchingRuleError(UnsupportedError):
    """A function cannot be computed for all samples at once."""


serials = count(1)


class Batch:
    """Samples that are computed together.

    Parameters
    ----------
    count
        How many there are.
    recorder
        The recorder outside, if a function that has no rule may be computed there, sample
        by sample.
    """

    __slots__ = (
        "bodies",
        "closed",
        "count",
        "has_shared",
        "is_by_places",
        "is_over",
        "is_swept",
        "recorder",
        "serial",
        "slow",
    )

    def __init__(self, count: int, recorder: Any = None) -> None:
        self.count = count
        self.recorder = recorder
        self.serial = next(serials)
        """Where batches nest, the younger one is inside."""
        self.bodies: list[int] = []
        """Serial numbers from which on nodes are inside, of bodies of loops and branches."""
        self.closed: list[range] = []
        """Serial numbers of what some samples alone wanted, and nobody may use any more."""
        self.is_by_places = False  # whether zeros of constant matrices keep infinite slopes out
        self.is_over = False
        self.is_swept = False
        """Whether a sweep goes through what was computed, all of it."""
        self.has_shared = False
        """Whether what was last called sample by sample gave memory of its argument."""
        self.slow: set[str] = set()  # the names of what was computed sample by sample


def binary(function: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def operate(self: Batched, other: Any) -> Any:
        if other.__class__ is not Batched and is_inside(other, self.batch):
            return NotImplemented
        return each_element(function, (self, other), NO_PARAMETERS)

    def reflect(self: Batched, other: Any) -> Any:
        return each_element(function, (other, self), NO_PARAMETERS)

    return operate, reflect


class Batched(ArrayMethods[Any]):
    """An array or Value with one more axis in front than it shows: one entry for each sample.

    Without ``stacked`` the axis is not there, and all samples are equal.
    """

    __slots__ = ("array", "batch", "stacked")

    def __init__(self, array: Any, batch: Batch, stacked: bool = True) -> None:
        self.array = array
        self.batch = batch
        self.stacked = stacked

    @property  # type: ignore[misc]
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        shape: tuple[int, ...] = getattr(self.array, "shape", ())
        return shape[1:] if self.stacked else shape

    @property
    def size(self) -> int:
        """The number of elements of one sample."""
        return math.prod(self.shape)

    @property  # type: ignore[misc]
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the samples."""
        dtype: np.dtype[Any] | None = getattr(self.array, "dtype", None)
        return np.dtype(type(self.array)) if dtype is None else dtype

    def _node(self) -> Any:
        """The node of the numbers, if they are the same in all samples; else of them all."""
        if self.stacked:
            if self.batch.recorder is None:
                raise NoBatchingRuleError("the rows of a Batched array have no data in common")
            return Node.leaf(self)
        return self.array.node if isinstance(self.array, Handle) else Node.leaf(self.array)

    node: Any = property(_node)

    __add__, __radd__ = binary(operator.add)
    __sub__, __rsub__ = binary(operator.sub)
    __mul__, __rmul__ = binary(operator.mul)
    __truediv__, __rtruediv__ = binary(operator.truediv)
    __floordiv__, __rfloordiv__ = binary(operator.floordiv)
    __mod__, __rmod__ = binary(operator.mod)
    __pow__, __rpow__ = binary(operator.pow)
    __and__, __rand__ = binary(operator.and_)
    __or__, __ror__ = binary(operator.or_)
    __xor__, __rxor__ = binary(operator.xor)
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

    def __invert__(self) -> Any:
        return each_element(operator.invert, (self,), NO_PARAMETERS)

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

    def __repr__(self) -> str:
        return f"<{self.batch.count} samples of shape {self.shape}, dtype {self.dtype}>"

    def __bool__(self) -> bool:
        return bool(self._plain("a Python branch (if, while, and, or, not, assert)", WITH_WHERE))

    def __float__(self) -> float:
        return float(self._plain("float()", WITH_NUMPY))

    def __int__(self) -> int:
        return int(self._plain("int()", WITH_NUMPY))

    def __complex__(self) -> complex:
        return complex(self._plain("complex()", WITH_NUMPY))

    def __index__(self) -> int:
        return operator.index(self._plain("a Python index or length", WITH_TAKE))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self._plain("a conversion to a plain array", WITH_LIKE), dtype, copy=copy)

    def __setitem__(self, index: Any, content: Any) -> None:
        raise NoBatchingRuleError(
            "the data of a Value are not written under ag.vmap; write into the Value itself"
        )

    @property
    def data(self) -> Any:
        """The numbers, if they are the same in all samples."""
        return self._plain("a function that asks for plain numbers", WITH_NUMPY)

    def item(self) -> Any:
        """The single number, if it is the same in all samples."""
        return np.asarray(self._plain(".item()", WITH_NUMPY)).item()

    def _plain(self, how: str, instead: str) -> Any:
        """The numbers, if they are the same in all samples."""
        if self.stacked:
            raise UnsupportedError(
                f"{how} needs one number, and under ag.vmap there is one for each of "
                f"{self.batch.count} samples; {instead}, or call ag.map, which takes the samples "
                "one by one"
            )
        return self.array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if any(is_inside(x, self.batch) for x in inputs):
            return NotImplemented
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
        batch = youngest(inputs)
        for x in inputs:
            if is_inside(x, batch):
                return current.get().apply(primitive, inputs, parameters)
        inputs = tuple(at_one_level(inputs, batch))
        if not any(map(is_stacked, inputs)):
            call = getattr(primitive, "with_residuals", primitive)
            return in_batch(call(*map(array_of, inputs), **parameters), batch, False)
        rule = BATCHING.get(primitive)
        if rule is None and is_elementwise(primitive):
            return each_element(primitive, inputs, parameters)
        try:
            rule = rule_of(primitive) if rule is None else rule
            return in_batch(rule(primitive, inputs, parameters), batch, True)
        except NoBatchingRuleError:
            if batch.recorder is None:
                raise
        return in_batch(sample_by_sample(primitive, inputs, parameters, batch), batch, True)


def is_elementwise(primitive: Primitive) -> bool:
    """Whether each element of its result depends on its like: also of comparisons."""
    return primitive.elementwise or any(
        isinstance(function, np.ufunc) and function.signature is None
        for function in (primitive.function, primitive.forward)
    )


WITH_WHERE = "write np.where(condition, x, y), ag.cond or ag.while_loop"
WITH_NUMPY = (
    "compute with functions of NumPy, which take all samples together, and write into "
    "np.zeros(n, like=x)"
)
WITH_TAKE = "write np.array(a, like=i)[i] for a[i]"
WITH_LIKE = (
    "write np.array(a, like=i)[i] for a[i], ag.array([x, y]) for np.array([x, y]), and "
    "np.zeros(n, like=x) for an array to write into"
)


def rule_of(primitive: Primitive) -> Rule:
    """How a primitive treats the leading axis."""
    name = primitive.name if primitive.builtin else None
    keys = (primitive, primitive.forward, type(primitive), name)
    return next((BATCHING[key] for key in keys if key in BATCHING), no_rule)


def no_rule(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    raise NoBatchingRuleError(f"no batching rule for {primitive.name}")


def youngest(inputs: Sequence[Any]) -> Batch:
    """The batch that all others are outside of."""
    batch: Any = None
    for x in inputs:
        if x.__class__ is Batched and (batch is None or x.batch.serial > batch.serial):
            batch = x.batch
    if batch.is_over:
        raise UnsupportedError(
            "a number that ag.vmap mapped over was used after the mapped function had returned, "
            "and an attribute or a list had kept it; return it from the function"
        )
    found: Batch = batch
    return found


def batch_of(x: Any) -> Batch | None:
    """The batch that the data of a handle are of."""
    if not isinstance(x, Handle):
        return None
    data = x if x.__class__ is Batched else x.node.data
    while isinstance(data, tuple) and data:
        data = data[0]
    return data.batch if data.__class__ is Batched else None


def is_inside(x: Any, batch: Batch) -> bool:
    """Whether it is a Value whose data are of this batch, or of one inside of it."""
    if x.__class__ is Batched or not isinstance(x, Handle):
        return False
    found = batch_of(x)
    return found is not None and found.serial >= batch.serial


def at_one_level(inputs: Sequence[Any], batch: Batch) -> Sequence[Any]:
    """Inputs as they are seen from a batch: what is outside is the same in all samples."""
    for x in inputs:
        if x.__class__ is Batched and x.batch is not batch:
            break
    else:
        return inputs
    return [
        Batched(x, batch, False) if x.__class__ is Batched and x.batch is not batch else x
        for x in inputs
    ]


def in_batch(x: Any, batch: Batch, stacked: bool) -> Any:
    """A result; or several in a tuple, as those of decompositions."""
    if isinstance(x, Handle) and x.__class__ is not Batched and isinstance(x.node.data, tuple):
        x = apart(x)
    if isinstance(x, (tuple, list)):
        parts: list[Any] = [None if y is None else Batched(y, batch, stacked) for y in x]
        return tuple_like(x, parts) if isinstance(x, tuple) else tuple(parts)
    return Batched(x, batch, stacked)


def rows_of(x: Any, batch: Batch) -> Any:
    """All samples of a result, with the leading axis: equal ones if it is not of the batch."""
    if x.__class__ is Batched and x.batch is batch:
        return in_every_row(x, batch.count)
    return np.broadcast_to(x, (batch.count, *np.shape(x)))


def is_stacked(x: Any) -> bool:
    return x.__class__ is Batched and x.stacked


def array_of(x: Any) -> Any:
    return x.array if x.__class__ is Batched else x


def each_element(function: Any, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    """A function that works element by element, and broadcasts."""
    batch = youngest(inputs)
    inputs = at_one_level(inputs, batch)
    ndim = max([ndim_of(x) for x in inputs])
    result = function(*[with_axes(x, ndim) for x in inputs], **parameters)
    return in_batch(result, batch, any(map(is_stacked, inputs)))


def ndim_of(x: Any) -> int:
    """`np.ndim`, without the detour through NumPy."""
    if x.__class__ is Batched:
        return len(getattr(x.array, "shape", ())) - x.stacked
    shape = getattr(x, "shape", None)
    return np.ndim(x) if shape is None else len(shape)


def with_axes(x: Any, ndim: int) -> Any:
    """The array of an operand; between the leading axis and the others come axes of length one."""
    if x.__class__ is not Batched:
        return x
    missing = ndim + 1 - len(x.array.shape) if x.stacked else 0
    if not missing:
        return x.array
    return np.reshape(x.array, (x.batch.count, *(1,) * missing, *x.shape))


def in_every_row(x: Any, count: int) -> Any:
    """The samples of an operand, whether they differ or not."""
    if is_stacked(x):
        return x.array
    return np.broadcast_to(array_of(x), (count, *np.shape(array_of(x))))


# What has no rule.


def sample_by_sample(
    primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any], batch: Batch
) -> Any:
    """The results of a function that is called for each sample, stacked."""
    if not batch.count:
        raise UnsupportedError(
            f"ag.vmap: {primitive.name} has no batching rule and is called for each sample, and "
            "there is none, so that the shape of its result is unknown; pass at least one sample"
        )

    call = getattr(primitive, "with_residuals", primitive)

    def of_sample(i: int) -> Any:
        with using(batch.recorder):
            return call(
                *(x.array[i] if is_stacked(x) else array_of(x) for x in inputs), **parameters
            )

    results = [of_sample(0)]  # what NumPy refuses is refused before it is called slow
    if primitive.name not in batch.slow:
        batch.slow.add(primitive.name)
        warnings.warn(
            f"ag.vmap: {primitive.name} has no batching rule and is called for each of "
            f"{batch.count} samples, which is slow; write it with other functions of NumPy to "
            "have all samples computed together",
            AutogradWarning,
            stacklevel=lines_of_engine(),
        )
    results += map(of_sample, range(1, batch.count))
    batch.has_shared = any(
        shares_memory(results[0], x.array[0] if is_stacked(x) else array_of(x)) for x in inputs
    )
    results = [apart(x) for x in results]
    if isinstance(results[0], (tuple, list)):
        columns = zip(*results, strict=True)
        parts = [stack(primitive.name, column) for column in columns]
        return tuple_like(results[0], parts) if isinstance(results[0], tuple) else tuple(parts)
    return stack(primitive.name, results)


def shares_memory(x: Any, y: Any) -> bool:
    if x.__class__ is Batched and y.__class__ is Batched:
        return shares_memory(x.array, y.array)
    if isinstance(x, Handle) or isinstance(y, Handle):
        return root_of(x) is root_of(y)
    is_view = isinstance(x, np.ndarray) and (x is y or x.base is not None)
    return is_view and bool(np.may_share_memory(x, y))


def stack(name: str, results: Sequence[Any]) -> Any:
    if results[0] is None:
        return None
    if not isinstance(results[0], (Handle, np.ndarray, np.generic, float, int, complex)):
        objects = np.empty(len(results), object)  # kept for a rule
        objects[:] = results
        return objects
    if getattr(getattr(results[0], "dtype", None), "kind", "") == "O":  # in a batch within one
        return np.stack(results)
    shapes = list(dict.fromkeys(map(np.shape, results)))
    if len(shapes) > 1:
        raise UnsupportedError(
            f"ag.vmap: the results of {name} differ in shape from sample to sample, "
            f"{shapes[0]} and {shapes[1]} among them; write np.where(mask, x, 0) for x[mask], "
            "or call ag.map up to there"
        )
    return registry["array"](list(results))


def one_like(a: Batched) -> Any:
    """An array of the shape and dtype of a sample."""
    return np.empty(a.shape, a.dtype)


def of_one(function: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of the shapes and types of its arguments."""
    return function(*(one_like(x) if x.__class__ is Batched else x for x in args), **kwargs)


# Questions about shapes and types, which concern one sample.

ABOUT_ONE_ROW: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.result_type: lambda *args: np.result_type(
        *(x.dtype if isinstance(x, Batched) else x for x in args)
    ),
    np.copy: lambda a, *_, **__: a,
    **{
        function: partial(of_one, function)
        for function in (
            np.can_cast,
            np.common_type,
            np.einsum_path,
            np.diag_indices_from,
            np.tril_indices_from,
            np.triu_indices_from,
        )
    },
    np.zeros_like: lambda a, *args, **kwargs: np.zeros_like(one_like(a), *args, **kwargs),
    np.ones_like: lambda a, *args, **kwargs: np.ones_like(one_like(a), *args, **kwargs),
    np.empty_like: lambda a, *args, **kwargs: np.zeros_like(one_like(a), *args, **kwargs),
}


# The table.

Rule = Callable[[Primitive, Sequence[Any], dict[str, Any]], Any]
"""From a primitive, its inputs and static arguments to an array with the leading axis."""

BATCHING: dict[Any, Rule] = {}
"""By primitives, their forward functions, their types, or their names."""


# What rules are made of.


def count_of(inputs: Sequence[Any]) -> int:
    """How many samples there are."""
    count: int = next(x.batch.count for x in inputs if is_stacked(x))
    return count


def batching(*functions: Any) -> Callable[[Rule], Rule]:
    """Enter a rule into the table, for primitives, or for functions that they are of.

    What is imported later, as `special`, is entered by its name.
    """

    def enter(rule: Rule) -> Rule:
        for function in functions:
            registered = registry.get(function)
            BATCHING[registered if isinstance(registered, Primitive) else function] = rule
        return rule

    return enter


def one_stacked(inputs: Sequence[Any]) -> tuple[Batched, list[Any]]:
    """The first input, which alone may differ from row to row, and the others."""
    first, *others = inputs
    if not is_stacked(first) or any(map(is_stacked, others)):
        raise NoBatchingRuleError("an operand other than the first differs from row to row")
    return first, list(map(array_of, others))


def batch_in(inputs: Sequence[Any]) -> Any:
    return next(x.batch for x in inputs if is_stacked(x))


# Axes are counted from 0, or from the end, where the leading axis changes nothing.


def shifted(axis: Any, ndim: int) -> Any:
    """The same axes behind the leading one, of samples with so many.

    An axis that these lack must not reach the one of the samples: NumPy is asked about one of
    them, and refuses it, or takes numbers for arrays of length one.
    """
    if np.ndim(axis):
        return tuple(shifted(one, ndim) for one in axis)
    if not -ndim <= axis < ndim:
        raise NoBatchingRuleError(f"there is no axis {axis} in samples of {ndim} axes")
    return axis + 1 if axis >= 0 else axis


def every_axis(x: Any) -> tuple[int, ...]:
    return tuple(range(1, np.ndim(x) + 1))
