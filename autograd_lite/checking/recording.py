"""Recorded calls of the engine: the one place where the checker sweeps graphs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.backward import conjugate
from autograd_lite.core.node import Handle, Node
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import no_grad

__all__ = ["Recording"]


class Recording:
    """One call: the Values it varies in, its results, and the nodes between them, oldest first.

    Nodes with a serial number below ``since`` are not entered.
    """

    def __init__(self, inputs: Sequence[Any], outputs: Sequence[Any], since: int = 0) -> None:
        self.inputs = inputs
        self.outputs = outputs
        nodes = [y.node if isinstance(y, Handle) else y for y in outputs]
        self._pullback = Pullback(nodes, [x.node for x in inputs], since)
        self.order: Sequence[Node] = self._pullback.order

    def sweep(self, cotangents: Sequence[Any]) -> dict[Node, Any]:
        """The gradients of ⟨cotangents, outputs⟩ with respect to all nodes, as transposes."""
        with no_grad():
            return self._pullback.sweep([conjugate(g) for g in cotangents])

    def gradients(self, cotangents: Sequence[Any]) -> list[Any]:
        """The gradients of ⟨cotangents, outputs⟩ with respect to the inputs."""
        with no_grad():
            return [conjugate(g) for g in self._pullback([conjugate(g) for g in cotangents])]

    def first_nonfinite(self) -> Node | None:
        """The first operation that made a NaN or infinity."""
        return next((x for x in self.order if x.primitive and not is_finite(x.data)), None)

    def first_nonfinite_users(self, cotangents: Sequence[Any]) -> list[Node]:
        """The operations whose rules made the first NaN or infinity of the reverse sweep."""
        with np.errstate(all="ignore"):
            gradients = self.sweep(cotangents)
        for node in sorted(gradients, key=lambda node: -node.serial):
            if not is_finite(gradients[node]):
                return [user for user in self.order if any(x is node for x in user.inputs)]
        return []


def is_finite(data: Any) -> bool:
    """Whether all numbers are, in each of an operation's outputs if it has several."""
    parts = data if isinstance(data, tuple) else (data,)
    return all(part is None or bool(np.all(np.isfinite(part))) for part in parts)
