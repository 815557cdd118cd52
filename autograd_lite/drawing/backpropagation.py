"""The reverse sweep taken apart: what each operation hands to each of its operands."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.core.backward import conjugate
from autograd_lite.core.errors import BackwardError
from autograd_lite.core.node import NO_PARAMETERS, Node, data_of
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback, unit_cotangent

__all__ = ["Backpropagation", "backpropagation_from"]


def backpropagation_from(root: Node) -> Backpropagation | None:
    """The sweep from a result; None if it can have none.

    It needs a gradient to start from: that of a single number is 1, another
    result has one if ``backward`` was called with a seed.
    """
    if not root.requires_grad or (root.grad is None and getattr(root.data, "size", 1) != 1):
        return None
    try:
        return Backpropagation(root)
    except BackwardError:
        return None  # the graph was freed


class Backpropagation:
    """One sweep from a result, kept so that every contribution in it can be asked for.

    Gradients are computed afresh, from the gradient that the result has, if it has
    one; no ``.grad`` is touched.

    Attributes
    ----------
    gradients : dict
        The gradient of each node that the sweep reached, as ``.grad`` shows it.
    order : list
        These nodes in the order in which the sweep passes them.
    """

    def __init__(self, root: Node) -> None:
        seed = unit_cotangent(root) if root.grad is None else conjugate(root.grad)
        pullback = Pullback([root])
        with np.errstate(all="ignore"):
            self._upstream = pullback.sweep([seed])
        self.order = [node for node in reversed(pullback.order) if node in self._upstream]
        self.gradients = {node: conjugate(g) for node, g in self._upstream.items()}
        self._masked: set[Node] = set()
        masked = False
        for node in self.order:
            if masked:
                self._masked.add(node)
            masked = masked or (node.primitive is not None and node.primitive.masks)

    def contribution(self, node: Node, place: int) -> Any:
        """What ``node`` adds to the gradient of its operand at ``place``; None for nothing.

        The engine's own sweep over a single operation, of which only this
        operand varies.
        """
        operand = node.inputs[place]
        if node not in self._upstream or not isinstance(operand, Node):
            return None
        if node.primitive is None or not operand.requires_grad:
            return None
        pullback, mask = self.alone(node, place)
        with np.errstate(all="ignore"):
            found = pullback.sweep([self._upstream[node], *mask]).get(operand)
        return None if found is None else conjugate(found)

    def alone(self, node: Node, place: int) -> tuple[Pullback, list[float]]:
        """The map from gradients of a node to what it adds to one operand.

        The numbers are cotangents to be given besides: where the gradient comes from behind a
        mask, that of the mask.
        """
        assert node.primitive is not None
        operand = node.inputs[place]
        assert isinstance(operand, Node)
        alone = copy_node(node, node.primitive)
        alone.inputs = tuple(
            x if index == place else data_of(x) for index, x in enumerate(node.inputs)
        )
        outputs, mask = [alone], []
        if node in self._masked:
            outputs.append(copy_node(node, MASK))
            mask.append(0.0)
        return Pullback(outputs, [operand], since=alone.serial), mask


def copy_node(node: Node, primitive: Primitive) -> Node:
    copy = Node.leaf(node.data, requires_grad=True)
    copy.primitive = primitive
    copy.parameters = node.parameters if primitive is node.primitive else NO_PARAMETERS
    return copy


MASK = Primitive(lambda: 0.0, each=lambda index, g, out: g, name="mask", masks=True)
