"""Recorded calls of the engine: the one place where the checker sweeps graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.backward import dependencies, gradient_found, steepest, sweep
from autograd_lite.core.primitive import Node, no_grad
from autograd_lite.core.value import Value

__all__ = ["Recording"]


@dataclass(frozen=True)
class Recording:
    """One call: the Values it varies in, its results, and the nodes between them, oldest first.

    Nodes with a serial number below ``since`` are not entered.
    """

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    order: Sequence[Node]
    since: int = 0

    @classmethod
    def between(cls, inputs: Sequence[Any], outputs: Sequence[Any], since: int = 0) -> Recording:
        """What was recorded from some Values to some results."""
        roots = [_node(y) for y in outputs if _varies(y)]
        return cls(inputs, outputs, dependencies(roots, since)[0], since)

    def sweep(self, seeds: Sequence[Any]) -> dict[Node, Any]:
        """The gradients of ⟨seeds, outputs⟩ with respect to all nodes, as transposes."""
        gradients: dict[Node, Any] = {}
        for output, seed in zip(self.outputs, seeds, strict=True):
            if _varies(output):
                node, seed = _node(output), steepest(seed)
                gradients[node] = gradients[node] + seed if node in gradients else seed
        with no_grad():
            return sweep(list(self.order), gradients, since=self.since)

    def gradients(self, seeds: Sequence[Any]) -> list[Any]:
        """The gradients of ⟨seeds, outputs⟩ with respect to the inputs."""
        found = self.sweep(seeds)
        return [steepest(gradient_found(_node(x), found)) for x in self.inputs]

    def first_nonfinite(self) -> Node | None:
        """The first operation that made a NaN or infinity."""
        return next((x for x in self.order if x.primitive and not is_finite(x.data)), None)

    def first_nonfinite_users(self, seeds: Sequence[Any]) -> list[Node]:
        """The operations whose rules made the first NaN or infinity of the reverse sweep."""
        with np.errstate(all="ignore"):
            gradients = self.sweep(seeds)
        for node in sorted(gradients, key=lambda node: -node.serial):
            if not is_finite(gradients[node]):
                return [user for user in self.order if any(x is node for x in user.inputs)]
        return []


def _node(value: Value) -> Node:
    """The node of a Value: what lies behind the surface of a graph."""
    return value


def _varies(output: Any) -> bool:
    return isinstance(output, Value) and output.requires_grad


def is_finite(data: Any) -> bool:
    """Whether all numbers are, in each of an operation's outputs if it has several."""
    parts = data if isinstance(data, tuple) else (data,)
    return all(part is None or bool(np.all(np.isfinite(part))) for part in parts)
