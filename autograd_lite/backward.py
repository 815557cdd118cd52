"""The reverse sweep: gradients of one result with respect to all it depends on.

S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16
(1976): visit the operations in reverse order of computation; hand each input
its share of the gradient; add the shares up where a value was used twice.

The same sweep serves twice.  On plain arrays it computes numbers.  With
``recorded=True`` the rules get the nodes themselves, so what they compute is
itself recorded and can be differentiated again.

Between two nodes gradients are transposes, without complex conjugates; `steepest`
turns one into the direction of steepest ascent where it leaves the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from autograd_lite.errors import BackwardError, NoRuleError, RuleError
from autograd_lite.primitive import Node, Primitive, Rule

__all__ = ["add", "dependencies", "ones_like", "steepest", "sweep", "unbroadcast"]

by_serial = attrgetter("serial")


def dependencies(roots: Iterable[Node], since: int = -1) -> tuple[list[Node], bool]:
    """Nodes that the roots depend on through gradients, oldest first.

    Nodes with a serial number below ``since`` are left out and not entered;
    the second result says whether there were any.
    """
    seen = {root for root in roots if root.serial >= since and root.requires_grad}
    older = any(root.serial < since for root in roots)
    stack = list(seen)
    while stack:
        for x in stack.pop().inputs:
            if isinstance(x, Node) and x.requires_grad and x not in seen:
                if x.serial >= since:
                    seen.add(x)
                    stack.append(x)
                else:
                    older = True
    return sorted(seen, key=by_serial), older


def sweep(
    order: list[Node],
    gradients: dict[Node, Any],
    *,
    recorded: bool = False,
    free: bool = False,
    since: int = -1,
) -> dict[Node, Any]:
    """Carry ``gradients`` of the last nodes in ``order`` back to all the others.

    ``order`` is consumed.  With ``free`` each node forgets its inputs as it is
    passed, and only the gradients of leaves are kept.  Arrays of nodes with a
    serial number below ``since`` get no gradient.
    """
    masked = False
    known = gradients.get
    while order:
        node = order.pop()
        g = known(node)
        if g is None:
            continue
        primitive = node.primitive
        if primitive is None:
            continue
        if g.__class__ is float and primitive.binary and not recorded:
            if not _visit_numbers(node, primitive, g, gradients, masked):
                _visit(node, g, gradients, recorded, masked, since)
        else:
            _visit(node, g, gradients, recorded, masked, since)
        if primitive.masks:
            masked = True
        if free:
            del gradients[node]
            node.inputs = ()
            node.primitive = FREED
    return gradients


def _visit_numbers(
    node: Node, primitive: Primitive, g: float, gradients: dict[Node, Any], masked: bool
) -> bool:
    """`_visit` for an operation on two numbers, where scalar graphs spend their time.

    Declines by returning False, before anything has changed.
    """
    x, y = node.inputs
    x_varies = isinstance(x, Node) and x.requires_grad
    y_varies = isinstance(y, Node) and y.requires_grad
    share_x = share_y = 0.0
    if g != 0.0 or not masked:
        out = node.data
        x_data = x.data if isinstance(x, Node) else x
        y_data = y.data if isinstance(y, Node) else y
        rule_x, rule_y = primitive.rules
        try:
            if x_varies:
                share_x = rule_x(g, out, x_data, y_data)
            if y_varies:
                share_y = rule_y(g, out, x_data, y_data)
        except ArithmeticError:
            return False
        if not(share_x.__class__ is float is share_y.__class__ and (x_data.__class__ is float or not x_varies) and  (y_data.__class__ is float or not y_varies)):
            return False
    if x_varies:
        before = gradients.get(x)
        gradients[x] = share_x if before is None else before + share_x
    if y_varies:
        before = gradients.get(y)
        gradients[y] = share_y if before is None else before + share_y
    return True


def _visit(
    node: Node, g: Any, gradients: dict[Node, Any], recorded: bool, masked: bool, since: int
) -> None:
    """Hand each input of a node its share of the node's gradient ``g``."""
    primitive = node.primitive
    assert primitive is not None
    inputs = node.inputs
    if recorded:
        out: Any = node
        operands: Any = inputs
    else:
        out = node.data
        operands = [x.data if isinstance(x, Node) else x for x in inputs]
    rules = primitive.rules
    if len(rules) < len(inputs):
        rules = _rules_for(primitive, inputs)
    parameters = node.parameters
    guard = masked and primitive.singular
    for index, x in enumerate(inputs):
        if not isinstance(x, Node) or not x.requires_grad or x.serial < since:
            continue
        rule = rules[index]
        if rule is None:
            continue
        if guard:
            share = _guarded(rule, g, out, operands, parameters)
        elif parameters:
            share = rule(g, out, *operands, **parameters)
        else:
            try:
                share = rule(g, out, *operands)
            except ArithmeticError:
                share = _in_numpy(rule, g, out, operands)
        like = x.data
        if share.__class__ is np.ndarray and like.__class__ is np.ndarray:
            if share.shape != like.shape or share.dtype is not like.dtype:
                share = _conform(share, like, primitive, index)
        elif share.__class__ is not float or like.__class__ is not float:
            share = _conform(share, like, primitive, index)
        before = gradients.get(x)
        gradients[x] = share if before is None else add(before, share)


def _rules_for(primitive: Primitive, inputs: tuple[Any, ...]) -> tuple[Rule | None, ...]:
    rules = primitive.rules_for(inputs)
    for index in range(len(rules), len(inputs)):
        x = inputs[index]
        if isinstance(x, Node) and x.requires_grad:
            raise NoRuleError(
                f"{primitive.name}: no derivative rule for {_argument(primitive, index)}; "
                f"give one with {primitive.name}.defvjp(...), "
                "or None there if it has no derivative"
            )
    return (*rules, *(None for _ in inputs[len(rules) :]))


def _guarded(
    rule: Rule, g: Any, out: Any, operands: Iterable[Any], parameters: dict[str, Any]
) -> Any:
    """Apply a rule so that zero upstream gives zero, whatever the local derivative."""
    if g.__class__ is float:
        if g == 0.0:
            return 0.0
        try:
            return rule(g, out, *operands, **parameters)
        except ArithmeticError:
            return _in_numpy(rule, g, out, operands)
    with np.errstate(all="ignore"):
        share = rule(g, out, *operands, **parameters)
        return np.where(g == 0, 0, share)


def _in_numpy(rule: Rule, g: Any, out: Any, operands: Iterable[Any]) -> Any:
    """Redo in NumPy's arithmetic what Python's refuses: 1/0 is inf there, with a warning."""
    g, out, *operands = [
        np.float64(x) if x.__class__ is float else x for x in (g, out, *operands)
    ]
    return rule(g, out, *operands)


def _conform(share: Any, like: Any, primitive: Primitive, index: int) -> Any:
    """Give a rule's result the shape and dtype of the input that it is the gradient of."""
    if isinstance(like, tuple):
        return share
    dtype = getattr(share, "dtype", None)
    if dtype is None and not isinstance(share, (float, int, complex)):
        raise RuleError(
            f"{primitive.name}: the rule for {_argument(primitive, index)} returned "
            f"{type(share).__name__}; return an array of shape {np.shape(like)}"
        )
    shape = () if dtype is None else share.shape
    if shape != np.shape(like):
        if not primitive.broadcasts or not _broadcasts(np.shape(like), shape):
            raise RuleError(
                f"{primitive.name}: the rule for {_argument(primitive, index)} returned shape "
                f"{shape}, but the argument has shape {np.shape(like)}; a gradient has the "
                "shape of what it is the gradient of"
            )
        share = unbroadcast(share, np.shape(like))
    if isinstance(share, Node):
        wanted = getattr(like, "dtype", share.dtype)
        if is_complex(share) and not is_complex(like):
            share = np.real(share)
        return share if share.dtype == wanted else np.astype(share, wanted)
    if is_complex(share) and not is_complex(like):
        share = np.real(share)
    if isinstance(like, np.ndarray | np.generic):
        return np.asarray(share, like.dtype)
    if dtype is not None and dtype.kind not in "fciub":
        raise RuleError(
            f"{primitive.name}: the rule for {_argument(primitive, index)} returned "
            f"dtype {dtype}; return real or complex numbers"
        )
    return type(like)(share) if isinstance(like, (float, complex)) else share


def _argument(primitive: Primitive, index: int) -> str:
    names = primitive.argument_names
    return f"argument {index} ({names[index]!r})" if index < len(names) else f"argument {index}"


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether an array of shape ``small`` broadcasts to exactly ``large``."""
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an array of ``shape`` was broadcast."""
    extra = len(g.shape) - len(shape)
    axes = (
        *range(extra),
        *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1),
    )
    summed = np.sum(g, axis=axes)
    return summed if summed.shape == shape else np.reshape(summed, shape)


def add(a: Any, b: Any) -> Any:
    """Add two gradients of one node; those of several outputs are tuples with gaps."""
    if a.__class__ is tuple:
        return tuple(
            y if x is None else x if y is None else x + y for x, y in zip(a, b, strict=True)
        )
    return a + b


def ones_like(data: Any) -> Any:
    """The gradient of a result with respect to itself, in its own type."""
    if data.__class__ is float:
        return 1.0
    return np.ones_like(data) if isinstance(data, np.ndarray | np.generic) else type(data)(1)


def steepest(g: Any) -> Any:
    """From the transpose to ∂/∂re + i·∂/∂im, the direction of steepest ascent."""
    return np.conjugate(g) if is_complex(g) else g


def is_complex(x: Any) -> bool:
    """Whether a number, array or node is of complex type."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def _refuse_freed(index: int, *_: Any) -> Any:
    raise BackwardError(
        "this graph was freed by an earlier backward(retain_graph=False); compute the result "
        "again, or keep the graph by leaving retain_graph at True"
    )


def _freed(*_: Any) -> Any:
    raise AssertionError("a freed node is never computed again")


FREED = Primitive(_freed, each=_refuse_freed, name="freed")
