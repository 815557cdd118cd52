"""Simplification: identities that hold to the last bit, as 1·x = x, x ** 2 = x·x."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program, Type, rewrite
from autograd_lite.core.backward import guard
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import elementwise, indexing, lengths, reductions, shaping

__all__ = ["simplify"]

Identity = Callable[[Operation], Operand | None]
"""What an operation may be replaced by; None if it does not apply."""

IDENTITIES: dict[Primitive, list[Identity]] = {}

LOGICAL_NOT, NOT_EQUAL = registry[np.logical_not], registry[np.not_equal]


def identity(*primitives: Primitive) -> Callable[[Identity], Identity]:
    """Enter an identity of the operations of these primitives; they are tried in order."""

    def enter(rule: Identity) -> Identity:
        for primitive in primitives:
            IDENTITIES.setdefault(primitive, []).append(rule)
        return rule

    return enter


def simplify(program: Program) -> Program:
    """Apply identities: 1·x, x - 0, x ** 2, a transpose of a transpose."""

    def rule(operation: Operation) -> Operand:
        for identity in IDENTITIES.get(operation.primitive, ()):
            result = result_of(identity, operation)
            if result is not None:
                return result
        return operation

    return rewrite(program, rule)


def result_of(identity: Identity, operation: Operation) -> Operand | None:
    """What an identity makes of an operation; None if it does not apply, or changes the type."""
    result = identity(operation)
    return result if result is not None and result.type == operation.type else None


def is_uniform(x: Operand, number: float) -> bool:
    """Whether an operand is a constant all of whose elements are this number."""
    if not isinstance(x, Constant) or not x.is_known:
        return False
    return bool(np.all(np.equal(x.value, number)))


@identity(shaping.identity, elementwise.positive, shaping.broadcast_to, lengths.curved)
def remove_identity(operation: Operation) -> Operand | None:
    return operation.operands[0]


def is_complex(operation: Operation) -> bool:
    """Whether it computes on complex numbers, which 1·z and z - 0 change: -0, infinities, NaN."""
    dtype = operation.type.dtype
    return operation.type.kind is complex or (dtype is not None and dtype.kind == "c")


@identity(elementwise.multiply)
def remove_one(operation: Operation) -> Operand | None:
    x, y = operation.operands
    if is_complex(operation):
        return None
    return y if is_uniform(x, 1) else x if is_uniform(y, 1) else None


@identity(elementwise.multiply)
def square_product(operation: Operation) -> Operand | None:
    """x·x is a square, which rounds alike; written alike, the two are computed once."""
    x, y = operation.operands
    if x is not y or operation.type.dtype is None or operation.type.dtype.kind != "f":
        return None
    return replace(operation, primitive=elementwise.square, operands=(x,))


@identity(elementwise.divide)
def remove_divisor_one(operation: Operation) -> Operand | None:
    x, y = operation.operands
    return x if is_uniform(y, 1) and not is_complex(operation) else None


@identity(elementwise.add, elementwise.subtract)
def remove_zero(operation: Operation) -> Operand | None:
    """x - 0 is x; x + 0 is not where x is -0, so only a zero of the same sign goes."""
    x, y = operation.operands
    if is_complex(operation):
        return None
    if operation.primitive is elementwise.add:
        return y if is_negative_zero(x) else x if is_negative_zero(y) else None
    return x if is_uniform(y, 0) and not is_negative_zero(y) else None


def is_negative_zero(x: Operand) -> bool:
    return (
        isinstance(x, Constant)
        and is_uniform(x, 0)
        and not np.iscomplexobj(x.value)
        and bool(np.all(np.signbit(np.asarray(x.value, float))))
    )


@identity(elementwise.power, elementwise.power_operator)
def reduce_power(operation: Operation) -> Operand | None:
    """The powers for which NumPy's ``**`` itself takes another function, `numpy.power` not."""
    x, n = operation.operands
    is_operator = operation.primitive is elementwise.power_operator
    if not isinstance(n, Constant) or n.value.__class__ not in (int, float):
        return None
    if not (operation.type.is_array and x.type.is_array and x.type.dtype == operation.type.dtype):
        return None
    if n.value == 1:
        return None if is_complex(operation) else x
    is_exact = operation.type.dtype is not None and operation.type.dtype.kind not in "fc"
    if is_operator and operation.type.kind is np.generic and not is_exact:
        return None  # ``**`` of single numbers is the C library's, which rounds in another way
    if n.value == 0:
        if operation.type.dtype == np.float16:
            return None  # of a signaling NaN it is NaN
        one = np.ones((), operation.type.dtype)
        return Constant(np.broadcast_to(one, operation.type.shape)[()], private=True)
    if is_complex(operation) and not (is_operator and is_shortened(operation)):
        return None
    if not is_operator and n.value == 0.5:
        return None
    primitive = {2: np.square, -1: np.reciprocal, 0.5: np.sqrt}.get(n.value)
    if primitive is None or operation.type.dtype is None or operation.type.dtype.kind not in "fc":
        return None
    return replace(operation, primitive=registry[primitive], operands=(x,))


def is_shortened(operation: Operation) -> bool:
    """Whether ``**`` of complex numbers takes another function: of arrays, by one of these powers.

    ``** 2.0`` and ``** -1.0``, and powers of single numbers, end otherwise at 0 and infinity.
    """
    n = operation.operands[1]
    powers = [(int, 2), (int, -1), (float, 0.5)]
    is_short = isinstance(n, Constant) and (n.value.__class__, n.value) in powers
    return is_short and operation.type.kind is np.ndarray


@identity(elementwise.negative)
def cancel_negatives(operation: Operation) -> Operand | None:
    return before(operation, elementwise.negative)


def before(operation: Operation, primitive: Primitive) -> Operand | None:
    """What a primitive was applied to, where this operation's operand is its result."""
    x = operation.operands[0]
    return x.operands[0] if isinstance(x, Operation) and x.primitive is primitive else None


@identity(shaping.transpose, shaping.swapaxes)
def cancel_transposes(operation: Operation) -> Operand | None:
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


RESHAPES = (shaping.reshape, shaping.expand_dims, shaping.squeeze)


@identity(*RESHAPES)
def merge_reshapes(operation: Operation) -> Operand | None:
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


@identity(reductions.sum)
def remove_empty_sum(operation: Operation) -> Operand | None:
    """A sum over no axis, which begins with 0: -0 becomes 0."""
    if operation.parameters.get("axis") != () or set(operation.parameters) - {"axis", "keepdims"}:
        return None
    x = operation.operands[0]
    if operation.type.dtype is not None and operation.type.dtype.kind in "fc":
        zero = Constant(0.0)
        return replace(operation, primitive=elementwise.add, operands=(x, zero), parameters={})
    return x


@identity(reductions.sum)
def sum_one_hot(operation: Operation) -> Operand | None:
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


@identity(elementwise.where_chosen)
def remove_choice(operation: Operation) -> Operand | None:
    """A choice whose condition is known."""
    condition, x, y = operation.operands
    if is_uniform(condition, 1):
        return x
    return y if is_uniform(condition, 0) else None


@identity(elementwise.where_chosen)
def put_zero_last(operation: Operation) -> Operand | None:
    """``where(c, 0, y)`` as ``where(not c, y, 0)``: what is kept where, and zeros elsewhere."""
    condition, x, y = operation.operands
    if not is_plain_zero(x) or is_plain_zero(y) or condition.type.dtype != bool:
        return None
    opposite = replace(operation, primitive=LOGICAL_NOT, operands=(condition,), type=condition.type)
    return replace(operation, operands=(opposite, y, x))


def is_plain_zero(x: Operand) -> bool:
    return isinstance(x, Constant) and x.is_number and is_uniform(x, 0) and not is_negative_zero(x)


@identity(guard)
def remove_guard(operation: Operation) -> Operand | None:
    """Zero stays zero in a share that is the upstream gradient times a finite number."""
    share, g = operation.operands
    if share is g:
        return share
    if not isinstance(share, Operation) or g not in share.operands:
        return None
    if share.primitive is elementwise.negative:
        return share
    if share.primitive is elementwise.multiply:
        (factor,) = [x for x in share.operands if x is not g] or [g]
        return share if is_finite_constant(factor) else None
    return None


def is_finite_constant(x: Operand) -> bool:
    return isinstance(x, Constant) and x.is_known and bool(np.all(np.isfinite(x.value)))


@identity(guard)
def expand_guard(operation: Operation) -> Operand | None:
    """0 where upstream is 0: what a sweep that nobody differentiates makes of a share."""
    share, g = operation.operands
    if share.type.dtype is None or g.type.dtype is None:
        return None
    passes = Type(g.type.kind, g.type.shape, np.dtype(bool))
    allowed = replace(operation, primitive=NOT_EQUAL, operands=(g, Constant(0)), type=passes)
    return replace(
        operation, primitive=elementwise.where_chosen, operands=(allowed, share, Constant(0))
    )
