"""The outputs of a call that have tangents, and the tangents that a direction gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.hooks import refuse_hooks
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.pullback import unit_cotangent
from autograd_lite.transforms.trace import Trace, is_number

__all__ = ["check_outputs", "kind_of", "push_forward"]


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


def push_forward(trace: Trace, directions: Sequence[Any]) -> list[Any]:
    """The derivative of every output in one direction: the pullback, transposed once more."""
    refuse_hooks(f"a derivative of {trace.name} in forward mode", trace.pullback.order)

    def pullback(*cotangents: Any) -> list[Any]:
        return trace.gradients(cotangents, recorded=True)

    # The map is linear, so that any cotangents serve; ones tell masked parts from the others.
    # Those of booleans, which are steps, are numbers too.
    ones = [unit_cotangent(x) if kind_of(x) != "b" else np.ones(np.shape(x)) for x in trace.outputs]
    transposed = Trace(pullback, ones, range(len(ones)))
    recorded = trace.keep and (trace.foreign or any(isinstance(v, Handle) for v in directions))
    return transposed.gradients(directions, recorded)
