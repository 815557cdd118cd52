"""One call of a function that is to be differentiated, and the sweeps back through it.

The function runs on fresh Values, made after everything that it may have
captured; the sweeps go back to these and no further.  That a node is fresh can
be told by its serial number, so captured Values are never entered, and
perturbations of nested transforms cannot be confused: each has nodes of its own.

The rule throughout: *a result is a Value exactly when it depends on a Value
other than the function's own fresh inputs; else it is a plain array or float.*
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite.core.backward import (
    by_serial,
    dependencies,
    gradient_found,
    ones_like,
    steepest,
    sweep,
    zero_of,
)
from autograd_lite.core.duck_arrays import as_array_of, is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, BackwardError
from autograd_lite.core.primitive import Node, recording
from autograd_lite.core.tree import flatten, rebuild
from autograd_lite.core.value import Value, checked, seed_of
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
        self.keep = recording.get()
        token = recording.set(True)
        try:
            self.fresh = [self._fresh(leaf) for leaf in leaves]
            self.since = self.fresh[0].serial
            called = list(args)
            for index, tree in zip(varied, rebuild(self.trees, self.fresh), strict=True):
                called[index] = tree
            self.result = function(*called)
        finally:
            recording.reset(token)
        self.outputs = flatten(self.result)
        roots = [output for output in self.outputs if isinstance(output, Node)]
        self.order, self.foreign = self._reach(roots)
        self.traced = any(root.traced for root in roots)
        self.on_nodes = any(is_duck_array(root.data) for root in roots)

    def _fresh(self, leaf: Any) -> Node:
        if isinstance(leaf, Node):
            node: Node = as_new_node(leaf)
            node.requires_grad = True
            return node
        return Value(checked(leaf, f"an argument of {self.name}"))

    def _reach(self, roots: list[Node]) -> tuple[list[Node], bool]:
        """What the roots depend on here, and whether they depend on Values of the caller."""
        order, foreign = dependencies(roots, self.since)
        newest = bisect_right(order, self.fresh[-1].serial, key=by_serial)
        fresh = set(self.fresh)
        foreign = foreign or any(node.inputs and node in fresh for node in order[:newest])
        order[:newest] = [node for node in order[:newest] if node not in fresh]
        return order, foreign

    def plain(self, result: Any) -> Any:
        """A result as the caller gets it: a Value only if it depends on one of the caller's."""
        if not isinstance(result, Node) or result.traced:
            return result
        if not self.keep or (not self.foreign and any(result is y for y in self.outputs)):
            return result.data
        return result if self._reach([result])[1] else result.data

    def gradients(self, seeds: Sequence[Any], recorded: bool | None = None) -> list[Any]:
        """The gradients of <seeds, outputs> with respect to every fresh Value.

        An output without influence has None as its seed.
        """
        if recorded is None:
            recorded = self.keep and (self.foreign or any(isinstance(g, Node) for g in seeds))
        recorded = recorded or self.traced
        return self._swept(seeds, recorded, recorded or self.on_nodes)

    def _swept(self, seeds: Sequence[Any], recorded: bool, seen: Any) -> list[Any]:
        """Sweep, recorded or not; ``seen`` is how the rules see nodes (see `sweep`)."""
        gradients: dict[Node, Any] = {}
        for output, seed in zip(self.outputs, seeds, strict=True):
            if isinstance(output, Node) and output.requires_grad and seed is not None:
                seed = steepest(seed)
                seed = seed if output.traced else seed_of(seed, output.data)
                gradients[output] = gradients[output] + seed if output in gradients else seed
        token = recording.set(recorded)
        try:
            sweep(self.order[:], gradients, recorded=seen, since=self.since)
            return [
                self._there(steepest(gradient_found(node, gradients)), node) for node in self.fresh
            ]
        finally:
            recording.reset(token)

    def _there(self, g: Any, node: Node) -> Any:
        """A gradient where its argument is; a program moves constants itself."""
        moves = self.on_nodes and not self.traced and not isinstance(g, Node)
        return as_array_of(node.data, g) if moves else g

    def rows(self, index: int) -> list[Any]:
        """The derivatives of one output by every fresh Value: a row for each of its elements.

        All rows come from one sweep, or from a few where the numbers of one would take
        too much memory; one after the other where a rule cannot work on several.
        """
        count = np.size(self.outputs[index])
        if not count:
            return [rows_of(zero_of(node.data), 0) for node in self.fresh]
        numbers = 1 + sum(getattr(node.data, "size", 1) for node in self.order)
        together = min(count, MOST_TOGETHER // numbers)
        if together > 1 and not self.on_nodes:
            # A rule of the user's may fail in any way on what is no plain array.
            with suppress(Exception):
                return _joined(
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
        seeds: list[Any] = [None] * len(self.outputs)
        seeds[index] = Batched(np.reshape(units, (len(places), *np.shape(output))))
        recorded = self.traced or (self.keep and self.foreign)
        swept = self._swept(seeds, recorded, same_in_all_rows if recorded else False)
        return [rows_of(row, len(places)) for row in swept]

    def _one_by_one(self, index: int) -> list[Any]:
        output = self.outputs[index]
        like = output.data if isinstance(output, Node) else output
        seeds: list[Any] = [None] * len(self.outputs)
        rows = []
        for position in np.ndindex(np.shape(like)):
            seeds[index] = _unit(like, position)
            rows.append(self.gradients(seeds))
        if not np.shape(like):
            return rows[0]
        return [np.stack(parts) for parts in zip(*rows, strict=True)]

    def like_arguments(self, results: Sequence[Any]) -> list[Any]:
        """Gradients in the nesting of the arguments, as the caller gets them."""
        trees: list[Any] = rebuild(self.trees, owned(map(self.plain, results)))
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
        shared = id(result) in seen or getattr(result, "base", None) is not None
        if shared and (isinstance(result, np.ndarray) or is_duck_array(result)):
            result = result.copy()
        seen.add(id(result))
        found.append(result)
    return found


def is_number(x: Any) -> bool:
    numbers = (Node, np.ndarray, np.generic, float, int, complex)
    return isinstance(x, numbers) or is_duck_array(x)


def _unit(data: Any, position: tuple[int, ...]) -> Any:
    """The cotangent that picks one element."""
    if not position:
        return ones_like(data)
    seed = np.zeros_like(data)
    seed[position] = 1
    return seed


def _joined(batches: list[list[Any]]) -> list[Any]:
    """Batches of rows of several matrices, each matrix put together."""
    if len(batches) == 1:
        return batches[0]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]
