"""The reverse sweep: gradients of one result with respect to all it depends on.

S. Linnainmaa, "Taylor expansion of the accumulated rounding error", BIT 16
(1976): visit the operations in reverse order of computation; hand each input
its contribution to the gradient; add the contributions up where a value was
used twice.

The same sweep serves twice.  On plain arrays it computes numbers.  Given a
function that lifts nodes to Values, the rules work on these, so what they compute
is itself recorded and can be differentiated again.

Between two nodes gradients are transposes, without complex conjugates; `conjugate`
turns one into the direction of steepest ascent where it leaves the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import zip_longest
from math import isfinite
from operator import attrgetter
from typing import Any, cast

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import BackwardError, NoRuleError, RuleError
from autograd_lite.core.interpreter import ONLY_HERE, ONLY_THERE, getrefcount
from autograd_lite.core.joint import joint_gradients
from autograd_lite.core.memory import Overwritten, Watched
from autograd_lite.core.node import ABSENT, Handle, Node, data_of
from autograd_lite.core.primitive import PYTHON_SCALARS, Primitive, Rule

__all__ = [
    "LEAST_WRITTEN",
    "Lift",
    "add",
    "as_dtype",
    "by_serial",
    "conjugate",
    "dependencies",
    "guard",
    "in_byte_order",
    "is_complex",
    "ones_like",
    "rules_for",
    "sweep",
    "unbroadcast",
    "zeros_like",
]

by_serial = attrgetter("serial")


def dependencies(roots: Iterable[Node], since: int = 0) -> tuple[list[Node], bool, list[Node]]:
    """Nodes that the roots depend on and that require a gradient, oldest first.

    Nodes with a serial number below ``since`` are left out and not entered;
    the second result says whether there were any, be it by way of a comparison
    or an index, through which no gradient flows.  The third are constants that
    somebody else could write to.
    """
    seen = set(roots)
    found: list[Node] = []
    watched: list[Node] = []
    older = False
    stack = list(seen)
    pop, push, see, find = stack.pop, stack.append, seen.add, found.append
    while stack:
        node = pop()
        if node.serial < since:
            older = True
            continue
        if node.requires_grad:
            find(node)
        elif node.parameters.__class__ is Watched:
            watched.append(node)
        x, y = node.left, node.right
        if x.__class__ is Node and x not in seen:
            see(x)
            push(x)
        if y is ABSENT:
            continue
        if y.__class__ is Node and y not in seen:
            see(y)
            push(y)
        for x in node.rest:
            if x.__class__ is Node and x not in seen:
                see(x)
                push(x)
    # Depth first they are found in long runs that are sorted already.
    found.sort(key=by_serial)
    return found, older, watched


Lift = Callable[[Node], Any]
"""What the rules get for a node."""


def sweep(
    order: list[Node],
    gradients: dict[Node, Any],
    *,
    lift: Lift | None = None,
    visit: Callable[[Node], None] | None = None,
    free: bool = False,
    drop: bool = False,
    since: int = 0,
    masked: bool = False,
) -> dict[Node, Any]:
    """Carry ``gradients`` of the last nodes in ``order`` back to all the others.

    ``order`` is consumed.  Rules get the data of nodes, or what ``lift`` makes of
    each; ``visit`` is called with a node before its rules are.  With ``free`` each
    node forgets its inputs as it is passed, and only the gradients of leaves are
    kept; with ``drop`` the nodes of ``order`` keep what they are, and lose their
    gradients all the same.  Nodes with a serial number below ``since`` get no gradient.
    ``masked``: the gradients come from behind a mask.
    """
    while order:
        if lift is None:
            masked = sweep_fast(order, gradients, masked, free, drop)
            if not order:
                break
        node = order.pop()
        primitive = node.primitive
        if primitive is None:
            continue
        is_last_use = drop or is_passed_over(node.data)
        g = gradients.pop(node, None) if is_last_use else gradients.get(node)
        if g is None:
            continue
        if visit is not None:
            visit(node)
        writes = primitive.consume is not None or primitive.over is not None
        can_write = writes and lift is None and getrefcount(g) == ONLY_HERE
        can_write = can_write and has_memory(g) and not isinstance(node.data, Handle)
        if can_write and primitive.consume is not None:
            operands = map(data_of, node.inputs)
            joint = primitive.consume(g, node.data, *operands, **node.parameters)
            hand_out(node, joint, gradients, since)
        elif can_write and not (masked and primitive.singular) and varies_alone(node, since):
            write_over(node, g, gradients, since)
        else:
            propagate(node, g, gradients, lift, masked and primitive.singular, since)
        masked = masked or primitive.masks
        if free:
            forget(node, gradients)
    return gradients


def sweep_fast(
    order: list[Node], gradients: dict[Node, Any], masked: bool, free: bool, drop: bool
) -> bool:
    """`sweep` through operations that broadcast one or two inputs, where graphs spend their time.

    It stops before a node of any other kind, before one whose rule Python's arithmetic
    refuses or may write over a large gradient, and before one without its second rule;
    ``masked`` is returned as it stands there.  The two operands are written out:
    with a loop over them the sweep through a graph of scalars took 32 µs instead of 15.
    """
    ndarray = np.ndarray
    passes = free or drop
    while order:
        node = order.pop()
        primitive: Any = node.primitive
        g = gradients.get(node)
        if g is None or primitive is None:
            continue
        guard = masked and primitive.singular
        is_usual = primitive.fast_path and not (node.parameters or node.rest)
        if not is_usual or (
            g.__class__ is not float and (guard or (drop and is_large(g) and primitive.over))
        ):
            order.append(node)
            break
        x, y = node.left, node.right
        if x.__class__ is Node:
            x_data, x_varies = x.data, x.requires_grad
        else:
            x_data, x_varies = x, False
        if y is ABSENT:
            y_varies = False
        elif y.__class__ is Node:
            y_data, y_varies = y.data, y.requires_grad
        else:
            y_data, y_varies = y, False
        if guard and g == 0.0:
            # Behind a mask zero upstream gives zero, whatever the local derivative.
            if x_varies:
                gradients.setdefault(x, 0.0)
            if y_varies:
                gradients.setdefault(y, 0.0)
        else:
            try:
                if y is ABSENT:
                    g_x = primitive.rules[0](g, node.data, x_data)
                elif x_varies:
                    g_x = primitive.rules[0](g, node.data, x_data, y_data)
                if y_varies:
                    g_y = primitive.rules[1](g, node.data, x_data, y_data)
            except (ArithmeticError, IndexError):
                order.append(node)
                break
            if x_varies:
                if (g_x.__class__ is not float or x_data.__class__ is not float) and not (
                    g_x.__class__ is ndarray is x_data.__class__
                    and g_x.shape == x_data.shape
                    and g_x.dtype is x_data.dtype
                ):
                    g_x = conform_to(g_x, x_data, primitive, 0)
                gradients[x] = gradients[x] + g_x if x in gradients else g_x
            if y_varies:
                if (g_y.__class__ is not float or y_data.__class__ is not float) and not (
                    g_y.__class__ is ndarray is y_data.__class__
                    and g_y.shape == y_data.shape
                    and g_y.dtype is y_data.dtype
                ):
                    g_y = conform_to(g_y, y_data, primitive, 1)
                gradients[y] = gradients[y] + g_y if y in gradients else g_y
        masked = masked or primitive.masks
        if passes:
            if drop:
                del gradients[node]
            else:
                forget(node, gradients)
    return masked


def is_passed_over(data: Any) -> bool:
    """Whether the gradient is not worth its memory: of a large array that was written since."""
    return data.__class__ is Overwritten and data.nbytes > MOST_KEPT


MOST_KEPT = 1 << 12
"""Bytes up to which the gradients of all versions of an array are kept, for people to see."""


LEAST_WRITTEN = 1 << 16
"""Bytes from which on it pays to write over a gradient: below, memory is as good as free."""


def is_large(g: Any) -> bool:
    """Whether it is a gradient that is worth writing over."""
    return g.__class__ is np.ndarray and g.nbytes >= LEAST_WRITTEN


def forget(node: Node, gradients: dict[Node, Any]) -> None:
    """Free what the node holds; later sweeps are told."""
    gradients.pop(node, None)
    node.inputs = ()
    node.primitive = FREED


def fits(contribution: Any, like: Any) -> bool:
    """Whether a contribution is an array that needs no conforming."""
    return (
        contribution.__class__ is np.ndarray is like.__class__
        and contribution.shape == like.shape
        and contribution.dtype is like.dtype
    )


def propagate(
    node: Node, g: Any, gradients: dict[Node, Any], lift: Lift | None, guarded: bool, since: int
) -> None:
    """Hand each input of a node its contribution from the node's gradient ``g``."""
    primitive, inputs = node.primitive, node.inputs
    if primitive is FREED:
        raise BackwardError(
            "this graph was freed by an earlier backward(retain_graph=False); compute the "
            "result again, or keep the graph by leaving retain_graph at True"
        )
    if lift is None:
        out: Any = node.data
        operands = [x.data if isinstance(x, Node) else x for x in inputs]
    else:
        out = lift(node)
        operands = [lift(x) if isinstance(x, Node) else x for x in inputs]
    if primitive.joint is not None and not guarded:
        # Once for all inputs: of thousands of rows each would be handed all of the others.
        nodes = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Node)]
        wanted = [i for i, x in nodes if x.requires_grad and x.serial >= since]
        if wanted:
            joint = partial(joint_gradients, primitive, wanted[-1])
            found = apply_plainly(joint, g, out, operands, node.parameters)
            hand_out(node, found, gradients, since)
        return
    rules = primitive.rules
    if len(rules) < len(inputs):
        rules = rules_for(primitive, inputs)
    apply_rule = apply_guarded if guarded else apply_plainly
    for index, x in enumerate(inputs):
        rule = rules[index]
        if rule is None or not isinstance(x, Node) or not x.requires_grad or x.serial < since:
            continue
        if index == 0 and primitive.accumulate is not None and lift is None and x in gradients:
            is_only_there = getrefcount(gradients[x]) == ONLY_THERE
            is_array = has_memory(gradients[x]) and not isinstance(node.data, Handle)
            if is_only_there and is_array and gradients[x].dtype is getattr(g, "dtype", None):
                primitive.accumulate(gradients[x], g, out, *operands, **node.parameters)
                continue
        contribution = apply_rule(rule, g, out, operands, node.parameters)
        contribute(x, contribution, gradients, primitive, index)


def contribute(
    x: Node, contribution: Any, gradients: dict[Node, Any], primitive: Primitive, index: int
) -> None:
    """Add to the gradient of a node what comes from a result of which it is this argument.

    ABSENT is what has no influence, whatever the data are.
    """
    if contribution is ABSENT:
        return
    if not fits(contribution, x.data):
        contribution = conform_to(contribution, x.data, primitive, index)
    gradients[x] = add(gradients[x], contribution) if x in gradients else contribution


def hand_out(node: Node, joint: Iterable[Any], gradients: dict[Node, Any], since: int) -> None:
    """Hand each input of a node its contribution, computed jointly."""
    for index, (x, contribution) in enumerate(zip(node.inputs, joint, strict=False)):
        if varies(x, since):
            contribute(x, contribution, gradients, node.primitive, index)


def varies(x: Any, since: int) -> bool:
    """Whether an operand gets a gradient."""
    return isinstance(x, Node) and x.requires_grad and x.serial >= since


def varies_alone(node: Node, since: int) -> bool:
    """Whether one operand of a node gets a gradient, and that once."""
    return [varies(x, since) for x in node.inputs].count(True) == 1


def write_over(node: Node, g: Any, gradients: dict[Node, Any], since: int) -> None:
    """Hand the one operand that varies its contribution, in the memory of the node's gradient."""
    operands = list(map(data_of, node.inputs))
    for index, x in enumerate(node.inputs):
        if varies(x, since):
            contribution = node.primitive.over[index](g, node.data, *operands)
            contribute(x, contribution, gradients, node.primitive, index)


def has_memory(gradient: Any) -> bool:
    """Whether it is an array with memory of its own, which can be written."""
    return gradient.__class__ is np.ndarray and gradient.base is None and gradient.flags.writeable


def rules_for(primitive: Primitive, inputs: tuple[Any, ...]) -> tuple[Rule | None, ...]:
    rules = primitive.rules_for(inputs)
    without = inputs[len(rules) :]
    for index, x in enumerate(without, len(rules)):
        if isinstance(x, Node) and x.requires_grad:
            raise NoRuleError(
                f"{primitive.name}: no derivative rule for {argument_text(primitive, index)}; "
                f"give one with {primitive.name}.defvjp(...), "
                "or None there if it has no derivative"
            )
    return (*rules, *(None,) * len(without))


def apply_plainly(
    rule: Rule, g: Any, out: Any, operands: Iterable[Any], parameters: dict[str, Any]
) -> Any:
    try:
        return rule(g, out, *operands, **parameters)
    except ArithmeticError:
        return in_numpy(rule, g, out, operands, parameters)


def apply_guarded(
    rule: Rule, g: Any, out: Any, operands: Iterable[Any], parameters: dict[str, Any]
) -> Any:
    """Apply a rule so that zero upstream gives zero, whatever the local derivative."""
    if g.__class__ is float:
        return 0.0 if g == 0.0 else apply_plainly(rule, g, out, operands, parameters)
    if g.__class__ is tuple:  # of several results: the rule sweeps by itself
        return rule(g, out, *operands, masked=True, **parameters)
    with np.errstate(all="ignore"):
        contribution = rule(g, out, *operands, **parameters)
        if isinstance(g, Handle) or contribution is ABSENT:
            return guard(contribution, g) if isinstance(contribution, Handle) else contribution
        return np.where(g == 0, 0, contribution)


def guard_forward(contribution: Any, g: Any) -> Any:
    """What a recorded sweep makes of a contribution: 0 where it is not finite and upstream is 0.

    A contribution that is finite stays as it is: upstream may be zero by chance, and the
    contribution then still has a derivative.
    """
    if contribution.__class__ is float:
        return contribution if g != 0.0 or isfinite(contribution) else 0.0
    return np.where(blocked(contribution, g), 0, contribution)


def guard_vjp(h: Any, out: Any, contribution: Any, g: Any) -> Any:
    return np.where(blocked(contribution, g), 0, h)


def blocked(contribution: Any, g: Any) -> Any:
    return np.logical_and(g == 0, np.logical_not(np.isfinite(contribution)))


guard = Primitive(
    guard_forward, guard_vjp, None, name="guard", elementwise=True, masks=True, builtin=True
)


def in_numpy(
    rule: Rule, g: Any, out: Any, operands: Iterable[Any], parameters: dict[str, Any]
) -> Any:
    """Redo in NumPy's arithmetic what Python's refuses: 1/0 is inf there, with a warning."""
    g, out, *operands = [np.float64(x) if x.__class__ is float else x for x in (g, out, *operands)]
    return rule(g, out, *operands, **parameters)


SCALARS = frozenset({np.float64, np.float32})
"""NumPy's numbers, which most losses are."""


def conform_to(contribution: Any, like: Any, primitive: Primitive, index: int) -> Any:
    """Give a rule's result the shape and dtype of the input that it is the gradient of."""
    are_arrays = contribution.__class__ is like.__class__ is np.ndarray and primitive.broadcasts
    if are_arrays and contribution.dtype is like.dtype and like.dtype.isnative:
        summed = sum_of_rows(contribution, like.shape)
        if summed is not None:
            return summed
    if contribution.__class__ is like.__class__ in SCALARS:
        return np.asarray(contribution)
    if contribution.__class__ is like.__class__ is float or isinstance(like, tuple):
        return contribution
    if contribution.__class__ is like.__class__ and isinstance(like, Handle):
        found, wanted = contribution, cast(Any, like)
        if found.shape == wanted.shape and found.dtype == wanted.dtype:
            return found
    check(contribution, np.shape(like), primitive, index)
    if np.shape(like) != getattr(contribution, "shape", ()):
        contribution = unbroadcast(contribution, np.shape(like))
    if is_complex(contribution) and not is_complex(like):
        contribution = np.real(contribution)
    if isinstance(contribution, Handle):
        if like.__class__ is complex and not is_complex(contribution):
            number: Any = contribution
            return number + 0j  # an operation, so that its own gradient is real again
        return as_dtype(contribution, getattr(like, "dtype", None))
    if isinstance(like, np.ndarray | np.generic | Handle):
        return np.asarray(contribution, cast(Any, like).dtype)
    if is_duck_array(like):  # a constant moves there where the sweep ends, or in a program
        return (
            contribution.astype(like.dtype)
            if is_duck_array(contribution)
            else np.asarray(contribution, like.dtype)
        )
    return type(like)(contribution) if isinstance(like, (float, complex)) else contribution


def sum_of_rows(g: Any, shape: tuple[int, ...]) -> Any:
    """What `unbroadcast` gives for a bias, or for a column, at once; None for anything else."""
    rows = g.ndim - len(shape)
    if 0 < rows < g.ndim and g.shape[rows:] == shape:
        return np.add.reduce(g, axis=tuple(range(rows)))
    if rows == 0 and all(n == 1 or n == m for n, m in zip(shape, g.shape, strict=True)):
        axes = tuple([axis for axis, n in enumerate(shape) if n != g.shape[axis]])
        return np.add.reduce(g, axis=axes, keepdims=True) if axes else None
    return None


def check(contribution: Any, shape: tuple[int, ...], primitive: Primitive, index: int) -> None:
    """Refuse what cannot be the gradient of an array of this shape."""
    fault = fault_of(contribution, shape, primitive)
    if fault is not None:
        raise RuleError(f"{primitive.name}: the rule for {argument_text(primitive, index)} {fault}")


def fault_of(contribution: Any, shape: tuple[int, ...], primitive: Primitive) -> str | None:
    """Why a rule's result cannot be the gradient of an array of this shape; None if it can."""
    dtype = getattr(contribution, "dtype", None)
    if dtype is None and not isinstance(contribution, (float, int, complex)):
        return f"returned {type(contribution).__name__}; return an array of shape {shape}"
    if dtype is not None and dtype.kind not in "fciub":
        return f"returned dtype {dtype}; " + (
            "convert arrays of objects, text or times to numbers first, as a.astype(float) does"
            if primitive.builtin
            else "return real or complex numbers"
        )
    found = () if dtype is None else contribution.shape
    if found != shape and not (primitive.broadcasts and broadcasts(shape, found)):
        return (
            f"returned shape {found}, but the argument has shape {shape}; "
            "a gradient has the shape of what it is the gradient of"
        )
    return None


def as_dtype(contribution: Any, dtype: Any) -> Any:
    return (
        contribution
        if dtype is None or contribution.dtype == dtype
        else np.astype(contribution, dtype)
    )


def argument_text(primitive: Primitive, index: int) -> str:
    names = primitive.argument_names
    return f"argument {index} ({names[index]!r})" if index < len(names) else f"argument {index}"


def broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether an array of shape ``small`` broadcasts to exactly ``large``."""
    try:
        return np.broadcast_shapes(small, large) == large
    except ValueError:
        return False


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an array of ``shape`` was broadcast."""
    given = np.shape(g)
    extra = len(given) - len(shape)
    axes = (
        *range(extra),
        *(extra + i for i, n in enumerate(shape) if n == 1 and given[extra + i] != 1),
    )
    summed = np.sum(g, axis=axes)
    return summed if np.shape(summed) == shape else np.reshape(summed, shape)


def add(a: Any, b: Any) -> Any:
    """Add two gradients of one node; those of several outputs are tuples with gaps.

    A loop of a program may come to keep more results in the course of a sweep.
    """
    if a.__class__ is tuple:
        return tuple(y if x is None else x if y is None else x + y for x, y in zip_longest(a, b))
    return a + b


def ones_like(data: Any) -> Any:
    """The gradient of a result with respect to itself, in its own type."""
    if data.__class__ is float:
        return 1.0
    if data.__class__ in SCALARS:
        return np.array(1, cast(Any, data).dtype)  # as below, in a tenth of the time
    return type(data)(1) if data.__class__ in PYTHON_SCALARS else np.ones_like(data)


def zeros_like(data: Any) -> Any:
    """The gradient of what has no influence."""
    return type(data)(0) if data.__class__ in PYTHON_SCALARS else np.zeros_like(data)


def conjugate(g: Any) -> Any:
    """From the transpose to ∂/∂re + i·∂/∂im, the direction of steepest ascent, and back."""
    if g.__class__ is np.ndarray and g.dtype.kind == "f":
        return g
    if g.__class__ is complex:
        return g.conjugate()
    return as_dtype(np.conjugate(g), g.dtype) if is_complex(g) else g


def in_byte_order(g: Any, node: Node) -> Any:
    """A gradient in the byte order of its data, which sums of several do not keep."""
    dtype = getattr(node.data, "dtype", None)
    return g if dtype is None or dtype.isnative else as_dtype(g, dtype)


def is_complex(x: Any) -> bool:
    """Whether a number, array or node is of complex type."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def compute_freed(*_: Any) -> Any:
    raise AssertionError("a freed node is never computed again")


FREED = Primitive(compute_freed, name="freed")
