"""What stands beside a Value in an operator or a call: numbers, arrays, lists of either.

Most are numbers and arrays, for which `Value` has its own quick way; the others come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from autograd_lite.core.calling import PYTHON_SCALARS, in_numpys_type
from autograd_lite.core.duck_arrays import computed_by_library, is_duck_array, settled
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.foreign_arrays import BUFFERS, array_in_numpy, check_ordinary
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node, data_of, holds_value, operand_of
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, apply, kept, registry
from autograd_lite.core.recorder import current, noting_errors
from autograd_lite.core.views import is_number

__all__ = ["NUMBERS", "as_data", "as_operands", "operate_recorded", "otherwise", "unusual"]

NUMBERS = frozenset({float, int, complex, bool, np.float64, np.float32})


def as_data(data: Any, argument: str) -> Any:
    """Check what a Value is to hold; a Python number stays one, the rest becomes an array."""
    if data.__class__ is float or data.__class__ is complex:
        return data
    if data.__class__ is int:
        return float(data)
    if isinstance(data, Handle):
        raise ArgumentTypeError(
            f"{argument} is already a Value; use it as it is, or pass its .data for a new leaf"
        )
    if isinstance(data, (list, tuple)) and holds_value(data):
        raise ArgumentTypeError(
            f"{argument} is a list of Values; use ag.array or np.stack to join them "
            "with their gradients, or pass their .data"
        )
    check_ordinary(data, argument)
    try:
        fits = isinstance(data, (np.ndarray, np.generic)) or is_duck_array(data)
        array = data if fits else np.asarray(data)
    except ValueError as error:
        raise ArgumentValueError(
            f"{argument} is a ragged list: its rows differ in length; pass rows of equal length"
        ) from error
    array = settled(array, argument)
    kind = array.dtype.kind
    if kind in "iu":
        return array.astype(np.float64)
    if kind not in "fc":
        raise ArgumentTypeError(
            f"{argument} must hold real or complex numbers, not {type(data).__name__} "
            f"of dtype {array.dtype}; convert it to float first"
        )
    return np.asarray(array) if isinstance(array, np.generic) else array


def operate_recorded(primitive: Any, value: Any, other: Any, reflected: bool) -> Any:
    """What an operator gives with another recorder than the eager one, which it knows itself."""
    if not is_usual(other):
        return unusual(primitive, value, other, reflected)
    recorder = current.get()
    if recorder.batch is not None:
        pair = (other, value) if reflected else (value, other)
        result = recorder.apply(primitive, pair, NO_PARAMETERS)
        if result is not NotImplemented:
            return result
    mine, theirs = value.node, operand_of(other)
    operand = data_of(theirs)
    try:
        data = (
            primitive.forward(operand, mine.data)
            if reflected
            else primitive.forward(mine.data, operand)
        )
    except (ArithmeticError, TypeError):
        data = otherwise(primitive, mine.data, operand, reflected)
    varies = mine.requires_grad or (isinstance(theirs, Node) and theirs.requires_grad)
    if theirs.__class__ is np.ndarray and recorder.keeps_constants:
        theirs = kept(theirs)
    operands = (theirs, mine) if reflected else (mine, theirs)
    return recorder.record(
        primitive, data, NO_PARAMETERS, varies and primitive.differentiable, *operands
    )


def is_usual(operand: Any) -> bool:
    """Whether an operand needs no preparation."""
    return operand.__class__ in NUMBERS or isinstance(operand, (Handle, np.ndarray))


def otherwise(primitive: Primitive, x: Any, other: Any, reflected: bool) -> Any:
    """What operands refused: in NumPy 1/0 is inf, and a library may need its own arrays."""
    left, right = (other, x) if reflected else (x, other)
    if left.__class__ in PYTHON_SCALARS and right.__class__ in PYTHON_SCALARS:
        if complex in (left.__class__, right.__class__) and not primitive.differentiable:
            return primitive.forward(left, right)  # which Python does not order, nor do we
        return primitive.forward(in_numpys_type(left), in_numpys_type(right)).item()
    compute = computed_by_library(primitive.forward, [left, right], primitive.name)
    return noting_errors(compute, left, right)


def unusual(primitive: Primitive, value: Any, other: Any, reflected: bool) -> Any:
    """An operand of a less common type: lists, NumPy's scalars and fractions are numbers."""
    if getattr(type(other), "outranks_values", False):
        return NotImplemented
    check_ordinary(other, f"an operand of {primitive.name}")
    if is_sequence(other):
        if primitive is registry[np.multiply] and repeats(value, other):
            return NotImplemented  # Python repeats the sequence
        other = registry[np.array](other) if holds_value(other) else as_data(other, "the operand")
    elif other is None or isinstance(other, str):
        return compared(primitive, value)
    elif isinstance(other, (Real, Decimal)) and not isinstance(other, np.generic):
        # Comparisons are exact in Python; for the rest only floats have derivatives.
        other = as_float(other, primitive) if primitive.differentiable else other
    elif not hasattr(other, "__array_ufunc__"):
        other = array_in_numpy(other)
        if not isinstance(other, np.ndarray):
            return NotImplemented
    if getattr(other, "dtype", np.dtype(float)).kind not in "fciub":
        return NotImplemented
    return apply(primitive, (other, value) if reflected else (value, other), NO_PARAMETERS)


def is_sequence(x: Any) -> bool:
    """Whether NumPy makes an array of its elements, as of a list, a range or a deque."""
    if isinstance(x, (list, tuple)):
        return True
    return isinstance(x, Sequence) and not isinstance(x, (str, bytes, *BUFFERS))


def repeats(number: Any, sequence: Any) -> bool:
    """Whether a product is the sequence, that often: ``[0.0] * n``, with a whole number n."""
    return is_number(number) and number.dtype.kind in "iu" and not isinstance(sequence, range)


def compared(primitive: Primitive, array: Any) -> Any:
    """Equality with what is no number: of an array it is false for each of its elements."""
    if primitive not in (registry[np.equal], registry[np.not_equal]) or is_number(array):
        return NotImplemented
    return np.full(array.shape, primitive is registry[np.not_equal])


def as_float(number: Any, primitive: Primitive) -> float:
    """A number of Python's as one that floats mix with."""
    if isinstance(number, Decimal):
        raise ArgumentTypeError(
            f"{primitive.name} of a Value and a Decimal, which do not mix any more than a float "
            "and a Decimal do; write float(d) for the Decimal d"
        )
    return float(number)


def as_operands(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The operands of a ufunc, lists among them as one array or Value each."""
    for x in inputs:
        if isinstance(x, (list, tuple)):
            return tuple(
                registry[np.array](y) if isinstance(y, (list, tuple)) and y else y for y in inputs
            )
    return inputs
