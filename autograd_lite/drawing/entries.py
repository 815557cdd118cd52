"""One entry of a gradient spelt out, whatever the operation: upstream × local, added up.

The local derivatives are the engine's own: what its rule makes of a gradient that is 1 at one
entry of the result and 0 elsewhere, or the derivative of what it makes of any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.node import Node
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import recording
from autograd_lite.core.value import Value
from autograd_lite.drawing.backpropagation import Backpropagation
from autograd_lite.drawing.equations import sum_of_products
from autograd_lite.drawing.languages import word

__all__ = ["Entries", "flattened"]

Index = tuple[int, ...]

MOST_TERMS = 6
MOST_ROWS = 36
"""Of a result with more entries the derivatives are found one entry of the operand at a time."""


class Entries:
    """The entries of what a node hands to one of its operands, each with what it is made of."""

    def __init__(self, sweep: Backpropagation, node: Node, place: int, contribution: Any) -> None:
        self.contribution = np.asarray(contribution)
        self.upstream = flattened(sweep.gradients[node], node.data)
        self.pullback, self.mask = sweep.alone(node, place)
        self.node = node
        self.matrix: Any = None
        if self.upstream is not None and self.upstream.size <= MOST_ROWS:
            self.matrix = self._rows()

    def local(self, index: Index) -> Any:
        """∂result/∂operand of one entry of the operand, for all of the result; None if unknown."""
        if self.upstream is None or "c" in (self.contribution.dtype.kind, self.upstream.dtype.kind):
            return None
        if self.matrix is not None:
            return self.matrix[(slice(None), *index)]
        return self._column(index)

    def spell(self, index: Index) -> str | None:
        """``[1, 0]: 0.5 × 2.0 + 1.0 × 3.0 = 4.0``; None where that is not all there is to it."""
        local = self.local(index)
        if local is None:
            return None
        total = self.contribution[index]
        reached = np.flatnonzero(local)
        start = f"{list(map(int, index))}: " if index else ""
        if not reached.size:
            return f"{start}{word('unreached')}" if total == 0 else None
        products = self.upstream[reached] * local[reached]
        with np.errstate(all="ignore"):
            if not np.isclose(products.sum(), total, rtol=1e-4, atol=1e-6 * abs(products).sum()):
                return None
        chosen = np.arange(reached.size)
        if reached.size > MOST_TERMS:
            weight = np.argsort(-np.abs(products), kind="stable")[: MOST_TERMS - 2]
            chosen = np.sort(weight)
        others = np.delete(products, chosen)
        pairs = [(self.upstream[reached[k]], local[reached[k]]) for k in chosen]
        text = sum_of_products(pairs, "×", total, [others.sum()] if others.size else [])
        more = f"   ({word('last_term', count=others.size)})" if others.size else ""
        return f"{start}{text}{more}"

    def _rows(self) -> Any:
        """All local derivatives: a sweep for each entry of the result."""
        assert self.upstream is not None
        rows = [self._sweep(one) for one in np.eye(self.upstream.size)]
        if any(row is None for row in rows):
            return None
        return np.array(rows).reshape(self.upstream.size, *self.contribution.shape)

    def _sweep(self, flat: Any) -> Any:
        try:
            with np.errstate(all="ignore"):
                return self.pullback([shaped_like(flat, self.node.data), *self.mask])[0]
        except Exception:
            return None  # a rule of anybody's may refuse a gradient that is 0 elsewhere

    def _column(self, index: Index) -> Any:
        """The derivatives of one entry of the gradient by the upstream gradient, all at once."""
        if isinstance(self.node.data, tuple):
            return None
        upstream = Value(shaped_like(self.upstream, self.node.data))
        one = np.zeros(self.contribution.shape, self.contribution.dtype)
        one[index] = 1
        try:
            with recording(True), np.errstate(all="ignore"):
                found = self.pullback([upstream, *self.mask], recorded=True)[0]
            if not isinstance(found, Value):
                return np.zeros(self.upstream.size)
            with np.errstate(all="ignore"):
                column = Pullback([found.node], [upstream.node])([one[()]])[0]
        except Exception:
            return None  # the rule cannot be differentiated
        return np.ravel(column)


def flattened(upstream: Any, data: Any) -> Any:
    """The gradients of all entries of a result in a row; of several results one after the other.

    None for what has no numbers to show.
    """
    if not isinstance(data, tuple):
        known = isinstance(upstream, (float, int, complex, np.ndarray, np.generic))
        return np.ravel(np.asarray(upstream)) if known else None
    parts = []
    for g, x in zip(upstream, data, strict=True):
        parts.append(np.zeros(np.size(x)) if g is None else np.ravel(np.asarray(g)))
    return np.concatenate(parts) if parts else None


def shaped_like(flat: Any, data: Any) -> Any:
    """Numbers in a row in the shape and dtype of a result, or of several."""
    if not isinstance(data, tuple):
        return like(flat, data)
    sizes: Sequence[int] = [np.size(x) for x in data]
    ends = np.cumsum(sizes)
    return tuple(
        like(flat[end - size : end], x) for end, size, x in zip(ends, sizes, data, strict=True)
    )


def like(flat: Any, data: Any) -> Any:
    if isinstance(data, (float, complex)):
        return type(data)(flat[0])
    return np.asarray(flat, data.dtype).reshape(np.shape(data))[()]
