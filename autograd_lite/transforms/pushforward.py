"""The tangent of one result, from those of its operands: what forward mode does at each operation.

Rules are of reverse mode.  That of an elementwise function multiplies by its slope, which is the
same in both directions; a linear function is its own derivative; any other rule is linear in its
cotangent, and transposed (J. Townsend, "A new trick for calculating Jacobian vector products",
2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.backward import rules_for, zeros_like
from autograd_lite.core.node import Node, data_of, split_inputs, unwrap
from autograd_lite.core.pullback import Pullback, unit_cotangent
from autograd_lite.core.recorder import EAGER, using, value_of
from autograd_lite.ops.define import select

__all__ = ["push_through"]


def push_through(node: Node, tangents: Sequence[Any], guarded: bool) -> Any:
    """The tangent of a result; a tuple of them where it is one.

    Parameters
    ----------
    node
        The result, with its operands.
    tangents
        For each operand its tangent, of its shape and dtype; None is zero.
    guarded
        Whether a tangent that is zero may come from behind a mask, and stays zero then, whatever
        the slope (see `backward.apply_guarded`).
    """
    primitive = node.primitive
    if primitive is select:
        return tangents[0][node.parameters["index"]]
    if primitive.elementwise and is_real(node, tangents):
        found = multiply_by_slopes(node, tangents, guarded and primitive.singular)
        if found is not None:
            return found
    if primitive.linear is not None:
        return in_type_of(node.data, apply_linearly(node, tangents))
    return transpose_rules(node, tangents)


def apply_linearly(node: Node, tangents: Sequence[Any]) -> Any:
    """The tangent of a function that is linear, or a product."""
    primitive = node.primitive
    forward, operands = primitive.forward, list(map(data_of, node.inputs))
    parameters = {name: x for name, x in node.parameters.items() if name != "initial"}
    if primitive.linear == "each":
        terms = [
            forward(*operands[:place], t, *operands[place + 1 :], **parameters)
            for place, t in enumerate(tangents)
            if t is not None
        ]
        return sum(terms[1:], start=terms[0])
    for place, (rule, t) in enumerate(
        zip(rules_for(primitive, node.inputs), tangents, strict=True)
    ):
        if t is not None:
            operands[place] = t
        elif rule is not None:
            operands[place] = zeros_like(operands[place])
    return forward(*operands, **parameters)


def is_real(node: Node, tangents: Sequence[Any]) -> bool:
    """Whether a result, and all that it varies with, are real."""
    return kind_of(node.data) == "f" and all(t is None or kind_of(t) == "f" for t in tangents)


def kind_of(data: Any) -> str:
    return "f" if data.__class__ is float else getattr(getattr(data, "dtype", None), "kind", "")


def multiply_by_slopes(node: Node, tangents: Sequence[Any], guarded: bool) -> Any:
    """The tangent of an elementwise function: its rules, applied to tangents; None if in vain."""
    inputs, out, shape = node.inputs, node.data, node.shape
    operands = list(map(data_of, inputs))
    total = None
    for rule, t in zip(rules_for(node.primitive, inputs), tangents, strict=True):
        if rule is None or t is None:
            continue
        if np.shape(t) != shape:
            t = np.broadcast_to(t, shape)
        t = in_type_of(out, t)
        part = rule(t, out, *operands, **node.parameters)
        if guarded:
            part = np.where(t == 0, 0, part)
        if np.shape(part) != shape or kind_of(part) != "f":
            return None  # a rule that sums, or knows that it is zero
        total = part if total is None else total + part
    return zeros_like(out) if total is None else in_type_of(out, total)


def in_type_of(data: Any, t: Any) -> Any:
    """A tangent in the type of that which it is the tangent of."""
    if data.__class__ is float or data.__class__ is complex:
        return type(data)(t)
    return t if t.__class__ is np.ndarray and t.dtype is data.dtype else np.asarray(t, data.dtype)


def transpose_rules(node: Node, tangents: Sequence[Any]) -> Any:
    """The tangent from the rules, recorded as functions of cotangents and swept back through."""
    operands = [
        Node.leaf(x.data, t is not None) if isinstance(x, Node) else x
        for x, t in zip(node.inputs, tangents, strict=True)
    ]
    pairs = zip(operands, tangents, strict=True)
    varied, directions = zip(*[(x, t) for x, t in pairs if t is not None], strict=True)
    result = applied(node.primitive, node.data, node.parameters, operands)
    is_several = isinstance(node.data, tuple)
    results = selected(result) if is_several else {0: result}
    with using(EAGER):
        cotangents = [value_of(Node.leaf(unit_cotangent(x), True)) for x in results.values()]
        pulled = Pullback(list(results.values()), varied)(cotangents, recorded=True, lift=unwrap)
        outputs = [getattr(g, "node", g) for g in pulled]
        found = Pullback(outputs, [g.node for g in cotangents])(directions)
    if not is_several:
        return in_type_of(node.data, found[0])
    by_place = dict(zip(results, found, strict=True))
    return tuple(by_place.get(place) for place in range(len(node.data)))


def applied(primitive: Any, data: Any, parameters: dict[str, Any], operands: Sequence[Any]) -> Node:
    """A node for a result that is there, of other operands."""
    node = Node.leaf(data, True)
    node.primitive, node.parameters = primitive, parameters
    node.left, node.right, node.rest = split_inputs(tuple(operands))
    return node


def selected(result: Node) -> dict[int, Node]:
    """Those of several results that are float or complex, by their place."""
    several = result.data
    return {
        place: applied(select, x, {"index": place, "count": len(several)}, [result])
        for place, x in enumerate(several)
        if np.result_type(x).kind in "fc"
    }
