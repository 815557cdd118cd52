"""The outputs of a call that have tangents, and the tangents that a direction gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.hooks import have_hooks, refuse_hooks
from autograd_lite.core.node import unwrap
from autograd_lite.core.pullback import unit_cotangent
from autograd_lite.transforms.trace import Trace, is_number

__all__ = [
    "check_outputs",
    "columns_of",
    "forward_mode_of",
    "is_tall",
    "kind_of",
    "push_forward",
    "push_together",
    "transposed",
]


def check_outputs(transform: str, trace: Trace) -> None:
    """Refuse results that have no derivative, as they are no numbers."""
    for output in trace.outputs:
        if not is_number(output) or kind_of(output) not in "fciub":
            what = f"an array of {output.dtype}" if is_number(output) else type(output).__name__
            raise ArgumentTypeError(
                f"{transform}: {trace.name} returned {what} among its results, which has no "
                "derivative; return numbers and arrays, and the rest as the second of two "
                "results, with has_aux=True"
            )


def kind_of(x: Any) -> str:
    """The kind of dtype of a number or array."""
    kind: str = getattr(unwrap(x), "dtype", np.dtype(type(unwrap(x)))).kind
    return kind


def forward_mode_of(trace: Trace) -> str:
    """What is refused where there are hooks."""
    return f"a derivative of {trace.name} in forward mode"


def transposed(trace: Trace) -> Trace:
    """The call of the pullback, whose own pullback gives the tangents of the outputs."""
    refuse_hooks(forward_mode_of(trace), trace.pullback.order)

    def pullback(*cotangents: Any) -> list[Any]:
        return trace.gradients(cotangents, recorded=True)

    # The map is linear, so that any cotangents serve; ones tell masked parts from the others.
    # Those of booleans, which are steps, are numbers too.
    ones = [unit_cotangent(x) if kind_of(x) != "b" else np.ones(np.shape(x)) for x in trace.outputs]
    return Trace(pullback, ones, range(len(ones)))


def push_forward(
    trace: Trace,
    directions: Sequence[Any],
    pullback: Trace | None = None,
    masked: bool = False,
) -> list[Any]:
    """The derivative of every output in one direction: the pullback, transposed once more."""
    found = pullback or transposed(trace)
    return found.gradients(directions, trace.is_recorded(directions), masked)


def push_together(trace: Trace, directions: Sequence[Any], count: int) -> list[Any]:
    """The derivatives of every output in several directions, stacked."""
    return transposed(trace).products(directions, count)


FEWER = 4
"""Columns are computed where there are so many times fewer of them: they take more sweeps."""


def is_tall(trace: Trace) -> bool:
    """Whether the Jacobian is computed column by column: of few numbers, for many results."""
    pullback = trace.pullback
    if trace.is_traced or pullback.is_duck or trace.foreign or trace.batch:
        return False
    if any(map(is_complex, (*pullback.inputs, *map(unwrap, trace.outputs)))):
        return False
    rows = sum(np.size(unwrap(x)) for x in trace.outputs)
    columns = sum(node.size for node in pullback.inputs)
    return bool(columns) and columns * FEWER <= rows and not have_hooks(pullback.order)


def columns_of(trace: Trace) -> list[list[Any]]:
    """For each output its derivatives by every argument, computed column by column."""
    inputs = [(np.shape(node.data), node.size, node.data) for node in trace.pullback.inputs]
    count = sum(size for _, size, _ in inputs)
    directions, start = [], 0
    for shape, size, data in inputs:
        units = np.eye(count, size, -start, dtype=np.asarray(data).dtype)
        directions.append(np.reshape(units, (count, *shape)))
        start += size
    ends = np.cumsum([size for _, size, _ in inputs])[:-1]
    found = []
    for tangents in push_together(trace, directions, count):
        matrix = np.moveaxis(unwrap(tangents), 0, -1)
        parts = np.split(matrix, ends, axis=-1)
        found.append(
            [
                np.array(np.reshape(part, matrix.shape[:-1] + shape), order="C")
                for part, (shape, _, _) in zip(parts, inputs, strict=True)
            ]
        )
    return found
