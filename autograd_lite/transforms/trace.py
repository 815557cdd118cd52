"""One call of a function that is to be differentiated, and the sweeps back through it.

The function runs on fresh Values, made after everything that it may have
captured; the sweeps go back to these and no further.  That a node is fresh can
be told by its serial number, so captured Values are never entered, and
perturbations of nested transforms cannot be confused: each has nodes of its own.

The rule throughout: *a result is a Value exactly when it depends on a Value
other than the function's own fresh inputs; else it is a plain array or float.*
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite.core.backward import conjugate, ones_like, zeros_like
from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, BackwardError
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current, recording
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value, as_data, own_memory
from autograd_lite.ops.shaping import as_new_node
from autograd_lite.transforms.batching import Batched, rows_of, same_in_all_rows

__all__ = ["Trace", "is_number", "owned"]

Function = Callable[..., Any]

MOST_TOGETHER = 1 << 24
"""Rows of a Jacobian are computed together as long as they have no more numbers than this."""


class Trace:
    """One call of a function on fresh Values, kept so that it can be swept, even repeatedly."""

    def __init__(self, function: Function, args: Sequence[Any], varied: Sequence[int]) -> None:
        self.name = getattr(function, "__name__", repr(function))
        for index in varied:
            if not -len(args) <= index < len(args):
                raise ArgumentValueError(
                    f"argnum {index} names no argument: {self.name} was called with {len(args)}"
                )
        self.trees = [args[index] for index in varied]
        leaves = flatten(self.trees)
        if not leaves:
            raise ArgumentValueError(f"{self.name}: there is no number among its arguments")
        recorder = current.get()
        self.keep = recorder.is_recording
        self.is_traced = recorder.trace is not None
        with recording(True):
            self.fresh = [self._fresh(leaf) for leaf in leaves]
            inputs = [value.node for value in self.fresh]
            self.since = inputs[0].serial
            called = list(args)
            for index, tree in zip(varied, unflatten(self.trees, self.fresh), strict=True):
                called[index] = tree
            self.result = function(*called)
        self.outputs = flatten(self.result)
        self.pullback = Pullback([node_or_constant(x) for x in self.outputs], inputs, self.since)
        self.foreign = self.pullback.reaches_older
        """Whether the outputs depend on Values of the caller."""

    def _fresh(self, leaf: Any) -> Handle:
        if isinstance(leaf, Handle):
            value: Handle = as_new_node(leaf)
            value.node.requires_grad = True
            return value
        return Value(as_data(leaf, f"an argument of {self.name}"))

    def unwrap(self, result: Any) -> Any:
        """A result as the caller gets it: a Value only if it depends on one of the caller's."""
        if not isinstance(result, Handle) or self.is_traced:
            return result
        if not self.keep or (not self.foreign and any(result is y for y in self.outputs)):
            return unwrap(result)
        is_foreign = Pullback([result.node], since=self.since).reaches_older
        return result if is_foreign else unwrap(result)

    def gradients(self, cotangents: Sequence[Any], recorded: bool | None = None) -> list[Any]:
        """The gradients of <cotangents, outputs> with respect to every fresh Value.

        An output without influence has None as its cotangent.
        """
        if recorded is None:
            recorded = self.keep and (
                self.foreign or any(isinstance(g, Handle) for g in cotangents)
            )
        return self._conjugated(cotangents, recorded)

    def _conjugated(self, cotangents: Sequence[Any], recorded: bool, lift: Any = None) -> list[Any]:
        """The pullback, between gradients as people know them."""
        transposed = [None if g is None else conjugate(g) for g in cotangents]
        return list(map(conjugate, self.pullback(transposed, recorded=recorded, lift=lift)))

    def rows(self, index: int) -> list[Any]:
        """The derivatives of one output by every fresh Value: a row for each of its elements.

        All rows come from one sweep, or from a few where the numbers of one would take
        too much memory; one after the other where a rule cannot work on several.
        """
        count = np.size(self.outputs[index])
        if not count:
            return [rows_of(zeros_like(node.data), 0) for node in self.pullback.inputs]
        numbers = 1 + sum(node.size for node in self.pullback.order)
        together = min(count, MOST_TOGETHER // numbers)
        if together > 1 and not self.pullback.is_duck:
            # A rule of the user's may fail in any way on what is no plain array.
            with suppress(Exception):
                return concatenate(
                    [
                        self._batch(index, range(start, min(start + together, count)))
                        for start in range(0, count, together)
                    ]
                )
        return self._one_by_one(index)

    def _batch(self, index: int, places: range) -> list[Any]:
        """The rows for these elements of an output, from one sweep."""
        output = self.outputs[index]
        units = np.eye(len(places), np.size(output), places.start, dtype=output.dtype)
        cotangents: list[Any] = [None] * len(self.outputs)
        cotangents[index] = Batched(np.reshape(units, (len(places), *np.shape(output))))
        recorded = self.is_traced or (self.keep and self.foreign)
        lift = same_in_all_rows if recorded else None
        gradients = self._conjugated(cotangents, recorded, lift)
        return [rows_of(rows, len(places)) for rows in gradients]

    def _one_by_one(self, index: int) -> list[Any]:
        like = unwrap(self.outputs[index])
        cotangents: list[Any] = [None] * len(self.outputs)
        rows = []
        for position in np.ndindex(np.shape(like)):
            cotangents[index] = unit(like, position)
            rows.append(self.gradients(cotangents))
        if not np.shape(like):
            return rows[0]
        return [np.stack(parts) for parts in zip(*rows, strict=True)]

    def like_arguments(self, results: Sequence[Any]) -> list[Any]:
        """Gradients in the nesting of the arguments, as the caller gets them."""
        trees: list[Any] = unflatten(self.trees, owned(map(self.unwrap, results)))
        return trees

    def number(self, transform: str) -> Any:
        """The one output, checked to be a single number."""
        output: Any = self.outputs[0] if len(self.outputs) == 1 else self.result
        if not is_number(output):
            raise ArgumentTypeError(
                f"{transform}: {self.name} returned {type(output).__name__}; "
                "it must return a single number"
            )
        if getattr(output, "size", 1) != 1:
            raise BackwardError(
                f"{transform}: {self.name} returned shape {np.shape(output)}, not a single "
                "number; reduce it (np.sum, np.mean), or use ag.jacobian or ag.vjp"
            )
        return output


def owned(results: Iterable[Any]) -> list[Any]:
    """The same with arrays that the caller may write to: no views, and none of them twice."""
    seen: set[int] = set()
    found = []
    for result in results:
        found.append(own_memory(result, seen))
        seen.add(id(result))
    return found


def is_number(x: Any) -> bool:
    numbers = (Handle, np.ndarray, np.generic, float, int, complex)
    return isinstance(x, numbers) or is_duck_array(x)


def node_or_constant(x: Any) -> Any:
    """What a graph holds of an output: the node of a Value, anything else as it is."""
    return x.node if isinstance(x, Handle) else x


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
