"""What rules of lengths share: of `abs`, `hypot`, `norm` and `std`, which have a kink at zero.

At zero a length has no direction, and its gradient is 0.  A function of it may be smooth there
nevertheless, as |x|² is.  Its gradient is (g / length) · x, with g its derivative by the length;
where both are zero, g / length is the derivative of g by the length (l'Hôpital's rule).  What
of g is not zero there makes a kink, which adds nothing to second derivatives.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import ones_like
from autograd_lite.core.node import Handle, Node, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current
from autograd_lite.ops.define import is_known
from autograd_lite.ops.shaping import keep_axes

__all__ = ["curved", "direction", "with_curvature"]


def direction(x: Any, length: Any) -> Any:
    """The direction of what has this length; none where the length is zero."""
    is_zero = length == 0
    return np.where(is_zero, 0, x / np.where(is_zero, 1, length))


def with_curvature(
    share: Any, x: Any, g: Any, length: Any, axis: Any = None, keepdims: bool = False
) -> Any:
    """A rule's result, ``share``, with its derivative by ``x`` where the length is zero.

    ``g`` and ``length`` are what the rule got.  Only what is recorded has a derivative.
    """
    if not (isinstance(g, Handle) and isinstance(length, Handle)):
        return share
    if is_known(length) and not np.any(unwrap(length) == 0):
        return share
    parameters = {"axis": axis, "keepdims": keepdims, "curvature": Curvature(g, length)}
    return share.apply(curved, (share, x, length), parameters)


class Curvature:
    """The derivative of ``g`` by a length where that is zero, and 0 elsewhere.

    It is found when it is asked for, and once: by then curvatures further on in the graph
    of ``g`` have been found, so that each takes one sweep.  In the body of a loop of a program
    it is found for that body, as nothing of it is known in another.  As a parameter it is no other
    than any: what it is follows from the graph.
    """

    __slots__ = ("found", "g", "length")

    is_of_all_samples = True
    """Under `vmap` its graph is that of all samples; no single one has a part of it."""

    def __init__(self, g: Any, length: Any) -> None:
        self.g = g
        self.length = length
        self.found: dict[tuple[bool, int], Any] = {}
        """As Values, if recorded, and as numbers; by the body that it was asked for in."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Curvature)

    def __hash__(self) -> int:
        return hash(Curvature)

    def find(self, recorded: bool) -> Any:
        key = recorded, current.get().innermost_body
        if key not in self.found:
            node: Node = self.length.node
            since = 1 + max(x.serial for x in node.inputs if isinstance(x, Node))
            graph = Pullback([self.g.node], since=since)
            for other in graph.order:
                if other.primitive is curved:
                    other.parameters["curvature"].find(recorded)
            lengths = [other for other in graph.order if is_same(other, node)]
            slopes = Pullback([self.g.node], lengths, since)(
                [ones_like(self.g.node.data)], recorded=recorded
            )
            length = self.length if recorded else unwrap(self.length)
            with current.get().follow_sweep():  # whose rules may read what a branch has left behind
                self.found[key] = np.where(length == 0, sum(slopes), 0)
        return self.found[key]


def is_same(node: Node, other: Node) -> bool:
    """Whether two nodes are the same function of the same operands."""
    return (
        node.primitive is other.primitive
        and node.parameters == other.parameters
        and len(node.inputs) == len(other.inputs)
        and all(x is y for x, y in zip(node.inputs, other.inputs, strict=True))
    )


def is_recorded(x: Any) -> bool:
    """Whether it is a Value; samples of a batch are what the array of all of them is."""
    while hasattr(x, "array"):
        x = x.array
    return isinstance(x, Handle)


def curved_x(
    h: Any, out: Any, share: Any, x: Any, length: Any, axis: Any, keepdims: bool,
    curvature: Curvature,
) -> Any:  # fmt: skip
    return h * keep_axes(curvature.find(is_recorded(x)), axis, keepdims)


curved = Primitive(
    lambda share, x, length, **static: share,
    lambda h, out, share, x, length, **static: h,
    curved_x,
    None,
    name="curved",
    broadcasts=True,
    builtin=True,
)
"""The identity of a share, which has a derivative by ``x`` besides, where the length is zero."""
