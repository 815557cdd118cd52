"""Passes: each a pure function from program to program that computes the same with less.

They hold for every program, so they may run in any order and any number of
times.  ``simplified`` runs them in an order in which each leaves work for the
next.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from autograd_lite.compiler.ir import (
    Constant,
    Input,
    Operand,
    Operation,
    Program,
    Type,
    rewritten,
    with_operands,
)
from autograd_lite.core.backward import guard
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import elementwise, indexing, joining, shaping
from autograd_lite.ops.linalg import OF_MATRICES
from autograd_lite.random import Draw

__all__ = [
    "PASSES",
    "Pass",
    "common_subexpressions",
    "constants_folded",
    "dead_code_removed",
    "early_updates",
    "exact_algebra",
    "repetition_removed",
    "simplified",
]

Pass = Callable[[Program], Program]

MOST_FOLDED = 1 << 16
"""Constants of more bytes are not computed beforehand: the program would carry them about."""


def simplified(program: Program) -> Program:
    """The program after all passes."""
    for transform in PASSES:
        program = transform(program)
    return program


def dead_code_removed(program: Program) -> Program:
    """Leave out operations that no output depends on; random draws stay, each moves a stream."""
    alive = {x for x in program.outputs if isinstance(x, Operation)}
    alive.update(x for x in program.operations if isinstance(x.primitive, Draw))
    for operation in reversed(program.operations):
        if operation in alive:
            alive.update(x for x in operation.operands if isinstance(x, Operation))
    return replace(program, operations=tuple(x for x in program.operations if x in alive))


def common_subexpressions(program: Program) -> Program:
    """Compute what is computed twice, the same primitive on the same operands, only once.

    Errors of floating-point arithmetic that the caller is to hear of are not silenced by that.
    """
    known: dict[Any, Operation] = {}
    silenced: dict[Any, Operation] = {}

    def rule(operation: Operation) -> Operand:
        if not is_pure(operation.primitive):
            return operation
        key = (
            operation.primitive,
            tuple(map(identity_of, operation.operands)),
            frozen(operation.parameters),
        )
        errstate = operation.origin.errstate
        if not errstate:
            return known.setdefault(key, operation)
        return known.get(key) or silenced.setdefault((key, errstate), operation)

    return rewritten(program, rule)


def is_pure(primitive: Primitive) -> bool:
    """Whether it gives the same for the same; a recomputation for memory's sake is kept apart."""
    return not isinstance(primitive, Draw) and primitive is not shaping.recompute


def identity_of(x: Operand) -> Any:
    """What two operands must have in common to be the same."""
    if not isinstance(x, Constant):
        return x
    if x.is_number:
        return type(x.value), x.type, np.asarray(x.value).tobytes()
    return type(x.value), frozen(x.value)


def frozen(x: Any) -> Any:
    """A hashable stand-in for a static argument: equal where the argument is surely the same."""
    if isinstance(x, dict):
        return tuple((key, frozen(value)) for key, value in x.items())
    if isinstance(x, (tuple, list)):
        return type(x), tuple(map(frozen, x))
    if isinstance(x, (int, float, str, bytes, type, np.dtype, type(None), type(Ellipsis))):
        return type(x), repr(x)
    if isinstance(x, slice):
        return slice, frozen((x.start, x.stop, x.step))
    return id(x)


def constants_folded(program: Program) -> Program:
    """Compute beforehand what depends on known constants only."""

    def rule(operation: Operation) -> Operand:
        known = all(isinstance(x, Constant) and x.is_known for x in operation.operands)
        if not known or not operation.operands or operation.type.nbytes > MOST_FOLDED:
            return operation
        if not is_builtin(operation.primitive):
            return operation
        with np.errstate(all="ignore"):
            value = computed(operation)
        return operation if Type.of(value) != operation.type else Constant(value, private=True)

    return rewritten(program, rule)


def computed(operation: Operation) -> Any:
    """The result of an operation on constants, of the type that it was recorded with."""
    values = [x.value for x in operation.operands if isinstance(x, Constant)]
    try:
        value = operation.primitive.forward(*values, **operation.parameters)
    except ArithmeticError:
        return None
    if isinstance(value, np.generic) and operation.type.dtype is None:
        return value.item()
    return value.copy() if isinstance(value, np.ndarray) else value


def is_builtin(primitive: Primitive) -> bool:
    """Whether a primitive is the package's own, and so free of side effects."""
    return primitive in BUILTIN


BUILTIN = {rule for rule in registry.values() if isinstance(rule, Primitive)}
BUILTIN |= {elementwise.where_chosen, elementwise.clip_between, indexing.scatter, joining.join}
BUILTIN |= {shaping.identity, guard}

ADD, SUBTRACT = registry[np.add], registry[np.subtract]
MULTIPLY, DIVIDE = registry[np.multiply], registry[np.divide]
NEGATIVE, POSITIVE = registry[np.negative], registry[np.positive]
POWERS = (registry[np.power], registry[operator.pow])
TRANSPOSE, SWAPAXES = registry[np.transpose], registry[np.swapaxes]
RESHAPES = (registry[np.reshape], registry[np.expand_dims], registry[np.squeeze])
SQUARE, NOT_EQUAL, LOGICAL_NOT = (registry[f] for f in (np.square, np.not_equal, np.logical_not))
BROADCAST, SUM = registry[np.broadcast_to], registry[np.sum]


def exact_algebra(program: Program) -> Program:
    """Identities that hold to the last bit: 1·x, x + 0, x ** 2, a transpose of a transpose."""

    def rule(operation: Operation) -> Operand:
        for identity in IDENTITIES.get(operation.primitive, ()):
            result = identity(operation)
            if result is not None and result.type == operation.type:
                return result
        return operation

    return rewritten(program, rule)


def is_uniform(x: Operand, number: float) -> bool:
    """Whether an operand is a constant all of whose elements are this number."""
    if not isinstance(x, Constant) or not x.is_known:
        return False
    return bool(np.all(np.equal(x.value, number)))


def without_change(operation: Operation) -> Operand | None:
    return operation.operands[0]


def one_times(operation: Operation) -> Operand | None:
    x, y = operation.operands
    return y if is_uniform(x, 1) else x if is_uniform(y, 1) else None


def times_itself(operation: Operation) -> Operand | None:
    """x·x is a square, which rounds alike; written alike, the two are computed once."""
    x, y = operation.operands
    if x is not y or operation.type.dtype is None or operation.type.dtype.kind != "f":
        return None
    return replace(operation, primitive=SQUARE, operands=(x,))


def divided_by_one(operation: Operation) -> Operand | None:
    x, y = operation.operands
    return x if is_uniform(y, 1) else None


def minus_zero(operation: Operation) -> Operand | None:
    """x - 0 is x; x + 0 is not where x is -0, so only a zero of the same sign goes."""
    x, y = operation.operands
    if operation.primitive is ADD:
        return y if is_negative_zero(x) else x if is_negative_zero(y) else None
    return x if is_uniform(y, 0) and not is_negative_zero(y) else None


def is_negative_zero(x: Operand) -> bool:
    return (
        isinstance(x, Constant)
        and is_uniform(x, 0)
        and not np.iscomplexobj(x.value)
        and bool(np.all(np.signbit(np.asarray(x.value, float))))
    )


def small_power(operation: Operation) -> Operand | None:
    """The powers for which NumPy's ``**`` itself takes another function."""
    x, n = operation.operands
    if not isinstance(n, Constant) or n.value.__class__ not in (int, float):
        return None
    if not operation.type.is_array or x.type.dtype != operation.type.dtype:
        return None
    if n.value == 1:
        return x
    if n.value == 0:
        one = np.ones((), operation.type.dtype)
        return Constant(np.broadcast_to(one, operation.type.shape)[()], private=True)
    primitive = {2: np.square, -1: np.reciprocal, 0.5: np.sqrt}.get(n.value)
    if primitive is None or operation.type.dtype is None or operation.type.dtype.kind not in "fc":
        return None
    return replace(operation, primitive=registry[primitive], operands=(x,))


def twice_negative(operation: Operation) -> Operand | None:
    return before(operation, NEGATIVE)


def before(operation: Operation, primitive: Primitive) -> Operand | None:
    """What a primitive was applied to, where this operation's operand is its result."""
    x = operation.operands[0]
    return x.operands[0] if isinstance(x, Operation) and x.primitive is primitive else None


def same_axes(operation: Operation) -> Operand | None:
    """Two transposes in a row that cancel."""
    x = before(operation, operation.primitive)
    if x is None or not operation.type.shape:
        return None
    places = np.arange(operation.type.size).reshape(x.type.shape) if is_small(x) else None
    if places is None:
        return None
    inner = operation.operands[0]
    assert isinstance(inner, Operation)
    moved: np.ndarray = operation.primitive.forward(
        inner.primitive.forward(places, **inner.parameters), **operation.parameters
    )
    return x if moved.shape == places.shape and bool(np.all(moved == places)) else None


def is_small(x: Operand) -> bool:
    return x.type.size <= 1 << 12


def same_shape(operation: Operation) -> Operand | None:
    """A reshape to the shape that an array has, or one reshape after another."""
    x = operation.operands[0]
    if not in_order(operation):
        return None
    if x.type == operation.type:
        return x
    if not isinstance(x, Operation) or x.primitive not in RESHAPES or not in_order(x):
        return None
    if x.operands[0].type == operation.type:
        return x.operands[0]
    return replace(
        operation,
        primitive=RESHAPES[0],
        operands=x.operands,
        parameters={"shape": operation.type.shape},
    )


def in_order(operation: Operation) -> bool:
    return bool(operation.parameters.get("order", "C") == "C")


def over_no_axis(operation: Operation) -> Operand | None:
    """A sum over no axis."""
    if operation.parameters.get("axis") != () or set(operation.parameters) - {"axis", "keepdims"}:
        return None
    return operation.operands[0]


def one_in_each_row(operation: Operation) -> Operand | None:
    """The sums of rows into each of which one constant was put: what a one-hot matrix sums to."""
    x = operation.operands[0]
    if not isinstance(x, Operation) or x.primitive is not indexing.scatter:
        return None
    put, *index = x.operands
    if not is_known_vector(put) or len(index) != 2 or not is_every_row(index[0], x.type.shape):
        return None
    is_over_columns = operation.parameters.get("axis") in (1, -1, (1,), (-1,))
    if set(operation.parameters) - {"axis", "keepdims"} or not is_over_columns:
        return None
    if index[1].type.shape != put.type.shape or not is_of_integers(index[1]):
        return None
    assert isinstance(put, Constant)
    return Constant((put.value + 0).reshape(operation.type.shape), private=True)


def is_known_vector(x: Operand) -> bool:
    return isinstance(x, Constant) and x.is_known and len(x.type.shape) == 1


def is_of_integers(x: Operand) -> bool:
    return x.type.dtype is not None and x.type.dtype.kind in "iu"


def is_every_row(x: Operand, shape: tuple[int, ...]) -> bool:
    """Whether an index names each row of a matrix once, in order."""
    if not is_known_vector(x) or not is_of_integers(x) or len(shape) != 2:
        return False
    assert isinstance(x, Constant)
    return np.array_equal(x.value, np.arange(shape[0]))


def never_masked(operation: Operation) -> Operand | None:
    """A choice whose condition is known."""
    condition, x, y = operation.operands
    if is_uniform(condition, 1):
        return x
    return y if is_uniform(condition, 0) else None


def zero_last(operation: Operation) -> Operand | None:
    """``where(c, 0, y)`` as ``where(not c, y, 0)``: what is kept where, and zeros elsewhere."""
    condition, x, y = operation.operands
    if not is_plain_zero(x) or is_plain_zero(y) or condition.type.dtype != bool:
        return None
    opposite = replace(operation, primitive=LOGICAL_NOT, operands=(condition,), type=condition.type)
    return replace(operation, operands=(opposite, y, x))


def is_plain_zero(x: Operand) -> bool:
    return isinstance(x, Constant) and x.is_number and is_uniform(x, 0) and not is_negative_zero(x)


def never_poisoned(operation: Operation) -> Operand | None:
    """Zero stays zero in a share that is the upstream gradient times a finite number."""
    share, g = operation.operands
    if share is g:
        return share
    if not isinstance(share, Operation) or g not in share.operands:
        return None
    if share.primitive is NEGATIVE:
        return share
    if share.primitive is MULTIPLY:
        (factor,) = [x for x in share.operands if x is not g] or [g]
        return share if is_finite_constant(factor) else None
    return None


def is_finite_constant(x: Operand) -> bool:
    return isinstance(x, Constant) and x.is_known and bool(np.all(np.isfinite(x.value)))


def written_out_guard(operation: Operation) -> Operand | None:
    """0 where upstream is 0: what a sweep that nobody differentiates makes of a share."""
    share, g = operation.operands
    if share.type.dtype is None or g.type.dtype is None:
        return None
    passes = Type(g.type.kind, g.type.shape, np.dtype(bool))
    allowed = replace(operation, primitive=NOT_EQUAL, operands=(g, Constant(0)), type=passes)
    return replace(
        operation, primitive=elementwise.where_chosen, operands=(allowed, share, Constant(0))
    )


IDENTITIES: dict[Primitive, tuple[Callable[[Operation], Operand | None], ...]] = {
    shaping.identity: (without_change,),
    POSITIVE: (without_change,),
    BROADCAST: (without_change,),
    ADD: (minus_zero,),
    SUBTRACT: (minus_zero,),
    MULTIPLY: (one_times, times_itself),
    DIVIDE: (divided_by_one,),
    NEGATIVE: (twice_negative,),
    POWERS[0]: (small_power,),
    POWERS[1]: (small_power,),
    TRANSPOSE: (same_axes,),
    SWAPAXES: (same_axes,),
    SUM: (over_no_axis, one_in_each_row),
    elementwise.where_chosen: (never_masked, zero_last),
    guard: (never_poisoned, written_out_guard),
    **dict.fromkeys(RESHAPES, (same_shape,)),
}


def repetition_removed(program: Program) -> Program:
    """Let elementwise operations broadcast by themselves, instead of spreading operands out first.

    A constant whose elements are all equal becomes a number.
    """

    def rule(operation: Operation) -> Operand:
        primitive = operation.primitive
        if not primitive.broadcasts or primitive in OF_MATRICES or operation.parameters:
            return operation
        operands = list(operation.operands)
        for index, x in enumerate(operands):
            narrow = unspread(x)
            if narrow is x:
                continue
            shapes = [y.type.shape for i, y in enumerate(operands) if i != index]
            if np.broadcast_shapes(narrow.type.shape, *shapes) == operation.type.shape:
                operands[index] = narrow
        return with_operands(operation, tuple(operands))

    return rewritten(program, rule)


def unspread(x: Operand) -> Operand:
    """What an operand repeats: the array before ``broadcast_to``, or the one number it holds."""
    if isinstance(x, Operation) and x.primitive is BROADCAST:
        return x.operands[0]
    if isinstance(x, Constant) and x.is_known and x.type.shape and x.type.size:
        first = x.value[(0,) * x.value.ndim]
        if x.value.dtype.kind in "fiub" and is_repeated(x.value, first):
            return Constant(first)
    return x


def is_repeated(array: Any, first: Any) -> bool:
    """Whether all elements are the same number, zeros of the same sign included."""
    if not any(array.strides):
        return True
    if array.dtype.kind == "f" and not np.all(np.signbit(array) == np.signbit(first)):
        return False
    return bool(np.all(array == first))


def early_updates(program: Program) -> Program:
    """Update a parameter as soon as its gradient is known and nobody reads it as it was.

    Otherwise all gradients would have to be kept until the end of the reverse sweep.
    """
    updates = updates_of(program)
    if not updates:
        return program
    ready: dict[Operand, int] = {}
    for index, operation in enumerate(program.operations):
        if operation not in updates:
            ready[operation] = index
            for x in seen_through(operation):
                ready[x] = index
    for operation in program.operations:
        if operation in updates:
            ready[operation] = max((ready.get(x, 0) for x in operation.operands), default=0)
    wait_for_users(program, updates, ready)
    order = sorted(program.operations, key=lambda x: (ready[x], x in updates))
    return replace(program, operations=tuple(order))


def updates_of(program: Program) -> set[Operation]:
    """What follows a sweep and is read by no other: of two sweeps, one may read what is between.

    Python's numbers hold up no memory to speak of.
    """
    updates: set[Operation] = set()
    read_by_sweeps: set[Operand] = set()
    for operation in reversed(program.operations):
        is_update = operation.origin.section == "update" and operation.type.dtype is not None
        if is_update and operation not in read_by_sweeps:
            updates.add(operation)
        else:
            read_by_sweeps.update(operation.operands)
    return updates


def wait_for_users(program: Program, updates: set[Operation], ready: dict[Operand, int]) -> None:
    """What depends on arguments alone, as a penalty on weights does, is best computed last.

    It then holds up no memory, and passes over the same blocks as what uses it.
    """
    of_arguments: set[Operand] = set()
    for operation in program.operations:
        operands = (x for x in operation.operands if isinstance(x, Operation))
        if operation in updates and of_arguments.issuperset(operands):
            of_arguments.add(operation)
    first_use: dict[Operand, int] = {}
    for operation in reversed(program.operations):
        if operation in of_arguments:
            ready[operation] = first_use.get(operation, ready[operation])
        for x in operation.operands:
            first_use[x] = min(ready[operation], first_use.get(x, ready[operation]))


def seen_through(operation: Operation) -> Iterator[Input]:
    """The arguments that an operation reads, be it through a transpose or a reshape."""
    for x in operation.operands:
        while isinstance(x, Operation) and x.primitive in VIEWS:
            x = x.operands[0]
        if isinstance(x, Input):
            yield x


VIEWS = (TRANSPOSE, SWAPAXES, *RESHAPES, shaping.recompute)

PASSES: tuple[Pass, ...] = (
    dead_code_removed,
    exact_algebra,
    repetition_removed,
    constants_folded,
    exact_algebra,
    common_subexpressions,
    dead_code_removed,
    early_updates,
)
