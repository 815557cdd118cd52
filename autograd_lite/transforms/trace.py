"""One call of a function that is to be differentiated, and the sweeps back through it.

The function runs on fresh Values, made after everything that it may have
captured; the sweeps go back to these and no further.  That a node is fresh can
be told by its serial number, so captured Values are never entered, and
perturbations of nested transforms cannot be confused: each has nodes of its own.

The rule throughout: *a result is a Value exactly when it depends on a Value
other than the function's own fresh inputs; else it is a plain array or float.*
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autograd_lite.core.backward import conjugate, is_complex, ones_like, zeros_like
from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    BackwardError,
    UnsupportedError,
)
from autograd_lite.core.foreign_arrays import check_ordinary
from autograd_lite.core.in_place import ARGUMENT, SHARED_ARGUMENT
from autograd_lite.core.leaving import call_differentiated
from autograd_lite.core.memory import copied, memory_of
from autograd_lite.core.node import Handle, Node, operand_of, unwrap
from autograd_lite.core.operands import as_data
from autograd_lite.core.pullback import Ancestry, Pullback, own_memory
from autograd_lite.core.recorder import Recorder, current, recording, using, value_of
from autograd_lite.core.refusals import Attempt
from autograd_lite.core.tree import flatten, refuse_hidden, unflatten
from autograd_lite.core.value import Value
from autograd_lite.core.views import is_number as is_scalar
from autograd_lite.ops.shaping import as_new_node
from autograd_lite.transforms.arguments import CallersArrays, passed_twice
from autograd_lite.transforms.batching import Batch, Batched, batch_of, rows_of
from autograd_lite.transforms.mapping import detached

__all__ = [
    "Trace",
    "is_number",
    "owned",
    "the_number",
]

Function = Callable[..., Any]

Along = Callable[["Trace"], Recorder]

MOST_TOGETHER = 1 << 24
"""Rows of a Jacobian are computed together as long as they have no more numbers than this."""


def is_recorded(result: Any, recorder: Recorder) -> bool:
    """Whether results are recorded where this one belongs: for samples of a batch, or outside."""
    return recorder.of_batch(batch_of(result)).is_recording


def nodes_beneath(x: Any) -> Iterator[Node]:
    """The node of a Value, and those of the Values that hold the numbers of its samples."""
    while isinstance(x, Handle):
        if x.__class__ is not Batched:
            yield x.node
        data = x if x.__class__ is Batched else x.node.data
        x = data.array if data.__class__ is Batched else None


class Trace:
    """One call of a function on fresh Values, kept so that it can be swept, even repeatedly."""

    def __init__(
        self,
        function: Function,
        args: Sequence[Any],
        varied: Sequence[int | str],
        kwargs: Mapping[str, Any] = MappingProxyType({}),
        has_aux: bool = False,
        is_kept: bool = False,
        along: Along | None = None,
    ) -> None:
        """``is_kept``: sweeps come later, when others may have written to the arguments.

        ``along`` is called with the trace when its fresh Values are there, and gives the recorder
        of the call.
        """
        self.is_kept = is_kept
        self.name = function.__name__ if hasattr(function, "__name__") else repr(function)
        self.callers = CallersArrays(self.name, is_kept)
        in_order: Any = list(args)
        by_name: Any = dict(kwargs)
        self.trees = [(by_name if isinstance(i, str) else in_order)[i] for i in varied]
        leaves = flatten(self.trees)
        if not leaves:
            raise ArgumentValueError(
                f"{self.name}: there is no number among its arguments; pass a number or array"
            )
        others = [x for i, x in enumerate(in_order) if i not in varied]
        others += [x for i, x in by_name.items() if i not in varied]
        is_one = len(leaves) == 1 and not others
        self.shared = set() if is_one else passed_twice(leaves + flatten(others))
        recorder = current.get()
        self.batch = recorder.batch
        self.is_traced = recorder.trace is not None
        with recording(True):
            self.fresh = [self._fresh(leaf) for leaf in leaves]
            inputs = [value.node for value in self.fresh]
            self.since = inputs[0].serial
            for i, tree in zip(varied, unflatten(self.trees, self.fresh), strict=True):
                (by_name if isinstance(i, str) else in_order)[i] = tree
            call = partial(function, **by_name) if by_name else function
            with using(current.get() if along is None else along(self)):
                self.result = call_differentiated(call, in_order, inputs, has_aux)
        self.callers.check()
        self.aux: Any = None
        if has_aux:
            self.result, self.aux = self._apart(self.result)
        self.outputs = flatten(self.result)
        if not isinstance(self.result, Handle):
            refuse_hidden(self.name, self.result, self.since)
        if has_aux:
            refuse_hidden(self.name, self.aux, self.since)
        self.pullback = Pullback(list(map(operand_of, self.outputs)), inputs, self.since)
        self.foreign = self.pullback.reaches_older
        """Whether the outputs depend on Values of the caller."""
        self.ancestry = Ancestry(self.since)
        self.own = set() if self.foreign else set(map(id, self.outputs))
        """Which outputs are known to depend on nothing of the caller's."""

    def _fresh(self, leaf: Any) -> Handle:
        is_usual = leaf.__class__ is float or (
            leaf.__class__ is np.ndarray and leaf.dtype.kind == "f"
        )
        if not is_usual and isinstance(leaf, Handle):
            if self.batch is not None:
                leaf = self._in_batch(leaf)
            dtype = np.result_type(leaf.node.data)
            if dtype.kind not in "fc":  # of a compiled function: as those that are no Values
                one: Any = as_data(np.ones((), dtype), f"an argument of {self.name}")
                leaf = one * leaf
            value: Handle = as_new_node(leaf)
            value.node.requires_grad = True
            return value
        data = leaf if is_usual else self._as_data(leaf)
        if data.__class__ is not float:
            data = self.callers.apart(data, leaf)
        if self.batch is not None:
            data = Batched(data, self.batch, stacked=False)
        node = Node.leaf(data, True)
        is_shared = self.shared and id(memory_of(leaf)) in self.shared
        node.parameters = SHARED_ARGUMENT if is_shared else ARGUMENT
        fresh: Handle = value_of(node)
        return fresh

    def _as_data(self, leaf: Any) -> Any:
        """The numbers of an argument, if it has any that can be differentiated by."""
        check_ordinary(leaf, f"an argument of {self.name}")
        if not (is_number(leaf) or isinstance(leaf, (str, bytes)) or hasattr(leaf, "__array__")):
            name = type(leaf).__name__
            raise ArgumentTypeError(
                f"an argument of {self.name} is {name}, which is neither a number nor a container "
                "that can be taken apart; mark a field of a dataclass that is not a number by "
                'field(metadata={"static": True}), or say how a class is taken apart by '
                f"ag.register_tree({name}, flatten, unflatten)"
            )
        data = as_data(leaf, f"an argument of {self.name}")
        # A number of NumPy's stays one: an array without axes could be written in place.
        return data[()] if isinstance(leaf, np.generic) else data

    def _in_batch(self, leaf: Any) -> Any:
        """A Value as a Value of the batch: one from outside is a number of its own there."""
        if batch_of(leaf) is not self.batch:
            outside = current.get().value(leaf.node)
            leaf = value_of(Node.leaf(Batched(outside, self.batch, stacked=False)))
        value: Any = leaf
        return value if value.dtype.kind in "fc" else np.astype(value, np.float64)

    def _apart(self, result: Any) -> tuple[Any, Any]:
        """What is to be differentiated, and what comes along with it."""
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ArgumentTypeError(
                f"{self.name} returned {type(result).__name__}, but with has_aux=True it must "
                "return a pair; write return result, aux"
            )
        return result[0], result[1]

    def as_returned(self, values: Iterable[Any]) -> Any:
        """Values of the outputs, or of anything in their places, in the nesting of the result."""
        return unflatten(self.result, self._handed_out(values))

    def returned_aux(self) -> Any:
        """What came along with the result, as the caller gets it."""
        return unflatten(self.aux, self._handed_out(flatten(self.aux)))

    def _handed_out(self, results: Iterable[Any]) -> list[Any]:
        """What the caller may write to, each in memory of its own."""
        arguments = Memories(map(array_in, self.fresh))
        return owned(apart_from_others(self, arguments, result) for result in results)

    def unwrap(self, result: Any, ancestry: Ancestry | None = None) -> Any:
        """A result as the caller gets it: a Value only if it depends on one of the caller's.

        Those younger than the call, cotangents and directions, are known to ``ancestry``.
        """
        if not isinstance(result, Handle) or (self.is_traced and self.batch is None):
            return result
        if batch_of(result) is not None:
            return unwrap_samples(self, result, ancestry or self.ancestry)
        is_own = id(result) in self.own
        if is_own or not is_recorded(result, current.get()):
            return unwrap(result)
        is_foreign = (ancestry or self.ancestry).reaches_older(result.node)
        return result if is_foreign else unwrap(result)

    def ancestry_with(self, given: Sequence[Any]) -> Ancestry:
        """What tells which results depend on the caller's Values, these among them."""
        return Ancestry(self.since, chain.from_iterable(map(nodes_beneath, given)))

    def is_recorded(self, given: Sequence[Any] = ()) -> bool:
        """Whether gradients have derivatives, where they are asked for: it may be much later."""
        values = [g for g in given if isinstance(g, Handle)]
        recorder = current.get()
        where = (*self.outputs, *values) if self.foreign or values else ()
        return any(is_recorded(x, recorder) for x in where)

    def gradients(
        self, cotangents: Sequence[Any], recorded: bool | None = None, masked: bool = False
    ) -> list[Any]:
        """The gradients of <cotangents, outputs> with respect to every fresh Value.

        An output without influence has None as its cotangent.  ``masked``: the cotangents come
        from behind a mask.
        """
        if recorded is None:
            recorded = self.is_recorded(cotangents)
        # What depends on the fresh Values alone is constant then, and only cotangents vary.
        is_constant = not (self.foreign or self.is_traced or self.pullback.is_duck)
        lift = unwrap if is_constant else None
        return self._conjugated(cotangents, recorded, lift, masked)

    def _conjugated(
        self, cotangents: Sequence[Any], recorded: bool, lift: Any = None, masked: bool = False
    ) -> list[Any]:
        """The pullback, between gradients as people know them."""
        transposed = [None if g is None else conjugate(g) for g in cotangents]
        found = self.pullback(transposed, recorded=recorded, lift=lift, masked=masked)
        return list(map(conjugate, found))

    def rows(self, index: int) -> list[Any]:
        """The derivatives of one output by every fresh Value: a row for each of its elements.

        Of a complex output by real numbers they are those of its real part and, times i, of
        its imaginary part.
        """
        if not is_complex(self.outputs[index]):
            return self._rows_of_part(index, 1)
        if any(is_complex(value.node.data) for value in self.fresh):
            raise UnsupportedError(
                f"jacobian: {self.name} has complex results of complex arguments, and no matrix of "
                "single numbers is the derivative of such a function, unless it is holomorphic.\n"
                "Write ag.jvp, ag.vjp or, for a Hessian, ag.hvp, with a complex direction; or "
                "differentiate by real numbers: ag.jacobian(lambda re, im: f(re + 1j * im), (0, 1))"
            )
        parts = self._rows_of_part(index, 1), self._rows_of_part(index, 1j)
        return [real + 1j * imaginary for real, imaginary in zip(*parts, strict=True)]

    def _rows_of_part(self, index: int, one: complex) -> list[Any]:
        """The derivatives of the real part of one output, or for ``one = 1j`` of the imaginary one.

        All rows come from one sweep, or from a few where the numbers of one would take
        too much memory; one after the other where a rule cannot work on several.
        """
        count = getattr(self.outputs[index], "size", 1)
        if not count:
            return [rows_of(zeros_like(node.data), Batch(0)) for node in self.pullback.inputs]
        together = min(count, self._rows_in_memory())
        if together > 1 and not self.pullback.is_duck:
            # A rule of the user's may fail in any way on what is not a plain array.
            with Attempt():
                return concatenate(
                    [
                        self._batch(index, range(start, min(start + together, count)), one)
                        for start in range(0, count, together)
                    ]
                )
        return self._one_by_one(index, one)

    def _rows_in_memory(self) -> int:
        """How many rows may be computed together."""
        numbers = 1 + sum(node.size for node in self.pullback.order)
        return MOST_TOGETHER // (numbers * (1 if self.batch is None else max(self.batch.count, 1)))

    def diagonal(self, index: int) -> Any:
        """The derivative of each element of an output by its like in the fresh Value of that place.

        For a function that returns as many arrays as it takes, shaped alike.  No more rows of
        the matrix are held than are computed together.
        """
        output = self.outputs[index]
        count = getattr(output, "size", 1)
        if not count or not np.shape(output):
            return zeros_like(unwrap(output)) if not count else self._one_by_one(index, 1)[index]
        together = min(count, self._rows_in_memory())
        found: list[Any] = []
        if together > 1 and not self.pullback.is_duck:
            with Attempt():  # as for `rows`
                for start in range(0, count, together):
                    places = range(start, min(start + together, count))
                    rows = np.reshape(self._batch(index, places, 1)[index], (len(places), count))
                    found.append(rows[np.arange(len(places)), np.array(places)])
                return np.reshape(np.concatenate(found), output.shape)
        cotangents: list[Any] = [None] * len(self.outputs)
        numbers_found: list[Any] = []
        for position in np.ndindex(output.shape):
            cotangents[index] = unit(unwrap(output), position)
            numbers_found.append(self.gradients(cotangents)[index][position])
        return np.reshape(np.stack(numbers_found), output.shape)

    def _batch(self, index: int, places: range, one: complex) -> list[Any]:
        """The rows for these elements of an output, from one sweep."""
        output = self.outputs[index]
        units = np.eye(len(places), output.size, places.start, dtype=output.dtype)
        units = units if one == 1 else one * units
        cotangents: list[Any] = [None] * len(self.outputs)
        cotangents[index] = np.reshape(units, (len(places), *output.shape))
        return self._together(cotangents, len(places))

    def _together(self, cotangents: Sequence[Any], count: int) -> list[Any]:
        """The gradients for several cotangents, whose zeros are a mask, stacked, from one sweep."""
        batch = batch_of_rows(count, self.pullback.order)
        stacked = [None if x is None else Batched(x, batch) for x in cotangents]
        recorded = self.is_traced or self.is_recorded()
        lift = (lambda x: Batched(x, batch, stacked=False)) if recorded else None
        gradients = self._conjugated(stacked, recorded, lift, masked=True)
        return [rows_of(rows, batch) for rows in gradients]

    def products(self, cotangents: Sequence[Any], count: int) -> list[Any]:
        """The gradients for ``count`` cotangents of each output, or None for one, stacked."""
        together = min(count, self._rows_in_memory())
        if together > 1 and not self.pullback.is_duck:
            with Attempt():  # as for `rows`
                return concatenate(
                    [
                        self._together([part(x, slice(start, start + n)) for x in cotangents], n)
                        for start in range(0, count, together)
                        for n in [min(together, count - start)]
                    ]
                )
        rows = [self.gradients([part(x, i) for x in cotangents], masked=True) for i in range(count)]
        return [np.stack(parts) for parts in zip(*rows, strict=True)]

    def _one_by_one(self, index: int, one: complex) -> list[Any]:
        like = unwrap(self.outputs[index])
        cotangents: list[Any] = [None] * len(self.outputs)
        rows = []
        for position in np.ndindex(np.shape(like)):
            cotangents[index] = one * unit(like, position)
            rows.append(self.gradients(cotangents, masked=True))
        if not np.shape(like):
            return rows[0]
        return [np.stack(parts) for parts in zip(*rows, strict=True)]

    def like_arguments(self, results: Sequence[Any], cotangents: Sequence[Any] = ()) -> list[Any]:
        """Gradients in the nesting of the arguments, as the caller gets them."""
        ancestry = self.ancestry_with(cotangents)
        unwrapped = [self.unwrap(result, ancestry) for result in results]
        trees: list[Any] = unflatten(self.trees, owned(unwrapped, cotangents))
        return trees


def batch_of_rows(count: int, order: Iterable[Node]) -> Batch:
    """A batch for rows that are swept through these nodes, of which some may have no end."""
    batch = Batch(count)
    batch.is_by_places = any(x.primitive is not None and x.primitive.singular for x in order)
    return batch


def part(cotangents: Any, place: int | slice) -> Any:
    """Some of the cotangents of an output, if it has any."""
    return None if cotangents is None else cotangents[place]


def the_number(trace: Trace, transform: str) -> Any:
    """The one output of a trace, checked to be a single number."""
    output: Any = trace.outputs[0] if len(trace.outputs) == 1 else trace.result
    if not is_number(output):
        raise ArgumentTypeError(
            f"{transform}: {trace.name} returned {type(output).__name__}; "
            "it must return a single number"
        )
    if getattr(output, "size", 1) != 1:
        raise BackwardError(
            f"{transform}: {trace.name} returned shape {np.shape(output)}, not a single "
            "number; reduce it (np.sum, np.mean), or use ag.jacobian or ag.vjp"
        )
    return output


def apart_from_others(trace: Trace, arguments: Memories, result: Any) -> Any:
    """A copy of arguments, of what is not from this call, and of what a kept graph holds."""
    plain = trace.unwrap(result)
    is_value = isinstance(plain, Handle)
    is_others = plain.node.serial < trace.since if is_value else plain is result
    if is_others or arguments.may_hold(array_in(plain)):
        return own_memory(plain, {id(unwrap(plain))})
    return copied(plain) if trace.is_kept and isinstance(plain, np.ndarray) else plain


def unwrap_samples(trace: Trace, result: Any, ancestry: Ancestry) -> Any:
    """`Trace.unwrap` under `vmap`, where the numbers of a Value are another without gradient."""
    if result.__class__ is not Batched:
        if is_recorded(result, current.get()) and ancestry.reaches_older(result.node):
            return result
        result = result.node.data
    if result.batch is not trace.batch and isinstance(result.array, Handle):
        numbers = trace.unwrap(result.array, ancestry)
        result = Batched(numbers, result.batch, result.stacked)
    return detached(result)


def owned(results: Iterable[Any], given: Iterable[Any] = ()) -> list[Any]:
    """The same with arrays that the caller may write to: no views, none of them twice or given.

    What has no axes is a number, as it is of Values.
    """
    seen = {id(unwrap(x)) for x in given}
    found = []
    for result in results:
        own = own_memory(result, seen)
        is_array = isinstance(own, np.ndarray) or (isinstance(own, Value) and not is_scalar(own))
        found.append(own[()] if is_array and not own.ndim else own)
        seen.add(id(unwrap(result)))
    return found


class Memories:
    """Where arrays lie: others are asked whether they may lie there, too."""

    FEW = 4
    """Up to so many arrays are compared one by one, which takes less than to sort them."""

    def __init__(self, arrays: Iterable[Any]) -> None:
        self.arrays = [x for x in arrays if isinstance(x, np.ndarray) and x.size]
        self.starts: list[int] = []
        self.ends: list[int] = []
        if len(self.arrays) <= self.FEW:
            return
        for start, end in sorted(map(byte_bounds, self.arrays)):
            if self.ends and start <= self.ends[-1]:
                self.ends[-1] = max(self.ends[-1], end)
            else:
                self.starts.append(start)
                self.ends.append(end)

    def may_hold(self, array: Any) -> bool:
        """Whether an array may share memory with one of these, as `np.may_share_memory` tells."""
        if not isinstance(array, np.ndarray) or not array.size:
            return False
        if not self.starts:
            return any(np.may_share_memory(array, x) for x in self.arrays)
        start, end = byte_bounds(array)
        before = bisect_left(self.starts, end)
        return before > 0 and self.ends[before - 1] > start


def array_in(x: Any) -> Any:
    """What holds the numbers of a Value, in the end."""
    while isinstance(x, Handle):
        x = x.array if x.__class__ is Batched else x.node.data
    return x


def is_number(x: Any) -> bool:
    numbers = (Handle, np.ndarray, np.generic, float, int, complex)
    return isinstance(x, numbers) or is_duck_array(x)


def unit(data: Any, position: tuple[int, ...]) -> Any:
    """The cotangent that picks one element."""
    if not position:
        return ones_like(data)
    seed = np.zeros_like(data)
    seed[position] = 1
    return seed


def concatenate(batches: list[list[Any]]) -> list[Any]:
    """Batches of rows of several matrices, each matrix put together."""
    if len(batches) == 1:
        return batches[0]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]
