"""NumPy calls: how the operations of each primitive are written where that is known better.

A primitive that stands for a ufunc is a call of that ufunc; what is lowered in
another way has a function here, entered with `lowers`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from autograd_lite.compiler.ir import Constant, Operand, Operation
from autograd_lite.compiler.lowering.forms import (
    CALL,
    Form,
    Lower,
    Lowered,
    Lowering,
    Writer,
    call,
    call_lines,
)
from autograd_lite.compiler.lowering.numbers import SCALAR, is_safe_power
from autograd_lite.compiler.runtime.steps import add_steps
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import contractions, elementwise, indexing, joining, reductions, shaping
from autograd_lite.random import draw_random, draw_standard_normal
from autograd_lite.transforms.stacking import Steps

__all__ = [
    "BITS",
    "DRAWN_ELSEWHERE",
    "bits_of",
    "find_lowering",
    "has_dtype",
    "is_power_of_numbers",
    "is_zero",
    "lowering_of",
    "lowers",
    "reduce_by",
    "reduced_axes",
]

LOWERINGS: dict[Primitive, Lower] = {}


def lowers(*primitives: Primitive) -> Callable[[Lower], Lower]:
    """Enter a function that lowers the operations of these primitives."""

    def enter(lower: Lower) -> Lower:
        LOWERINGS.update(dict.fromkeys(primitives, lower))
        return lower

    return enter


def find_lowering(primitive: Primitive) -> Lower | None:
    """How operations of a primitive are lowered; None if only its function can be called."""
    if isinstance(primitive, Lowered):
        return lambda operation: primitive.lowering
    lower, function = LOWERINGS.get(primitive), primitive.function
    if lower is not None or not isinstance(function, np.ufunc):
        return lower
    is_elementwise = function.nout == 1 and function.signature is None
    return partial(lower_ufunc, function) if is_elementwise else None


def lowering_of(operation: Operation) -> Lowering:
    """The lowering of an operation; any function may at least be called as it is."""
    if operation.type.kind is Steps and operation.primitive is elementwise.add:
        return ADD_STEPS
    if operation.type.dtype is None:
        return SCALAR if operation.type.kind in (float, complex, int, bool) else CALL
    if all(x.type.dtype is None for x in operation.operands) and operation.type.shape == ():
        return CALL
    lower = find_lowering(operation.primitive)
    return (lower(operation) if lower else None) or CALL


def write_sum_of_steps(write: Writer, operation: Operation, out: str | None) -> list[str]:
    return [call(write, add_steps, list(map(write.operand, operation.operands)))]


ADD_STEPS = Lowering(Form.ALLOCATE, write_sum_of_steps)


# Ufuncs.


def loop_dtypes(ufunc: np.ufunc, operands: tuple[Operand, ...], result: Any) -> Any:
    """The dtypes in which a ufunc computes a result of this one, None where it does not."""
    kinds = [x.type.dtype or x.type.kind for x in operands]
    if any(kind is bool for kind in kinds):
        return None
    dtypes = resolved_dtypes(ufunc, *kinds)
    return None if dtypes is None or dtypes[-1] != result else dtypes


@lru_cache(maxsize=1024, typed=True)  # np.dtype(float) equals float
def resolved_dtypes(ufunc: np.ufunc, *kinds: Any) -> tuple[np.dtype[Any], ...] | None:
    """What a ufunc computes in, given dtypes and Python's own numbers; None for what it refuses."""
    try:
        return ufunc.resolve_dtypes((*kinds, None))
    except TypeError:
        return None


def fits(x: Operand, dtype: Any) -> bool:
    """Whether an operand can be made one of a dtype; NumPy compares with any integer rightly."""
    if not isinstance(x, Constant) or type(x.value) is not int or dtype.kind not in "iu":
        return True
    return bool(np.iinfo(dtype).min <= x.value <= np.iinfo(dtype).max)


def lower_ufunc(ufunc: np.ufunc, operation: Operation, *extra: Operand) -> Lowering | None:
    """Lower to a ufunc; ``extra`` operands follow those of the operation."""
    dtypes = loop_dtypes(ufunc, (*operation.operands, *extra), operation.type.dtype)
    if dtypes is None or operation.parameters:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        operands = (*operation.operands, *extra)
        arguments = [
            write.operand(x, d if fits(x, d) else None)
            for x, d in zip(operands, dtypes, strict=False)
        ]
        return [call(write, ufunc, arguments, out)]

    return Lowering(Form.OUT, lines, in_place=True, elementwise=True)


@lowers(elementwise.power_operator)
def lower_power(operation: Operation) -> Lowering | None:
    if not is_power_of_numbers(operation):
        return lower_ufunc(np.power, operation)

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x, n = (write.operand(x) + "[()]" * x.type.is_array for x in operation.operands)
        return [f"{x} ** {n}"]

    return Lowering(Form.ALLOCATE, lines)


def is_power_of_numbers(operation: Operation) -> bool:
    """Whether it is ``x ** n`` of single numbers, and ``n`` is perhaps no whole number.

    That is the power of the C library.  For arrays NumPy takes the root where ``n`` is ½ for all:
    of -∞ and -0 these are ∞ and 0, and NaN and -0.
    """
    if operation.primitive is not elementwise.power_operator:
        return False
    of, n = operation.type, operation.operands[1]
    if of.kind is not np.generic or of.dtype is None or of.dtype.kind != "f" or is_safe_power(n):
        return False
    return all(x.type.kind is not np.ndarray for x in operation.operands)


@lowers(elementwise.relu)
def lower_relu(operation: Operation) -> Lowering | None:
    return lower_ufunc(np.maximum, operation, Constant(0))


# Products of matrices.


@lowers(contractions.matmul, contractions.dot)
def lower_product(operation: Operation) -> Lowering | None:
    """``dot`` where it does the same as ``matmul``: it is faster for few rows, and takes out.

    With a single number it is not the same: of that one being 0 it gives 0, whatever the others.
    """
    x, y = (operand.type for operand in operation.operands)
    if operation.parameters or not x.shape or not y.shape or x.dtype != y.dtype:
        return None
    is_flat = len(x.shape) <= 2 and len(y.shape) <= 2
    if operation.primitive is contractions.dot:
        if not is_flat:
            return None
        function: Any = np.dot
    else:
        has_number = 1 in (math.prod(x.shape), math.prod(y.shape))
        function = np.dot if is_flat and not has_number else np.matmul

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        return [call(write, function, [write.operand(x) for x in operation.operands], out)]

    return Lowering(Form.OUT, lines)


# Reductions.


def reduce_by(ufunc: np.ufunc, operation: Operation) -> Lowering | None:
    """Lower to a reduction by a ufunc."""
    if set(operation.parameters) - {"axis", "keepdims"}:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x, axis = operation.operands[0], write.literal(operation.parameters.get("axis"))
        keeps = bool(operation.parameters.get("keepdims"))
        if ufunc not in OF_ANY_ORDER or not has_short_rows(operation):
            return [reduction_text(write, ufunc, [write.operand(x), axis], out, keeps)]
        array = write.operand(x)
        if not write.backend.prefers_columns:
            return [reduction_text(write, ufunc, [array, "-1"], out, keeps)]
        rows = None if out is None else f"{out}.T[0]" if keeps else f"{out}.T"
        text = reduction_text(write, ufunc, [f"{array}.T.copy()", "0"], rows, False)
        if out is None:
            text = f"{text}.T[..., None]" if keeps else f"{text}.T"
        return [text]

    return Lowering(Form.OUT, lines, reduces=ufunc)


def reduction_text(
    write: Writer, ufunc: np.ufunc, arguments: list[str], out: str | None, keeps: bool
) -> str:
    """A reduction by a ufunc; ``keeps``: the axis stays, with length 1."""
    function, method, options = write.backend.reduction(ufunc, out, keeps)
    return f"{write.function(function)}{method}({', '.join([*arguments, *options])})"


lowers(reductions.sum)(partial(reduce_by, np.add))
lowers(reductions.prod)(partial(reduce_by, np.multiply))
lowers(reductions.max_)(partial(reduce_by, np.maximum))
lowers(reductions.min_)(partial(reduce_by, np.minimum))


def reduced_axes(operation: Operation) -> tuple[int, ...]:
    """The axes that a reduction takes away."""
    count = len(operation.operands[0].type.shape)
    axis = operation.parameters.get("axis")
    axes = range(count) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(int(i) % count for i in axes)


OF_ANY_ORDER = (np.maximum, np.minimum)
"""Ufuncs with the same result whatever the order; a sum is rounded otherwise."""

LONGEST_SHORT_ROW = 32
FEWEST_ROWS = 64
MOST_BYTES_OF_ROWS = 1 << 20
"""A copy of more is quicker reduced along its rows: it does not stay in the cache."""


def has_short_rows(operation: Operation) -> bool:
    """Whether it reduces so many rows, each so short, that NumPy's work on rows is the most of it.

    To copy them to columns, and to reduce those, is then 3 to 20 times as quick.
    """
    rows = operation.operands[0].type
    shape = rows.shape
    if len(shape) < 2 or not 2 <= shape[-1] <= LONGEST_SHORT_ROW:
        return False
    is_last = reduced_axes(operation) == (len(shape) - 1,)
    is_many = math.prod(shape[:-1]) >= FEWEST_ROWS
    return is_last and is_many and rows.nbytes <= MOST_BYTES_OF_ROWS


@lowers(reductions.mean)
def lower_mean(operation: Operation) -> Lowering | None:
    """The sum, divided by the number of elements, as ``np.mean`` does it."""
    dtype = operation.operands[0].type.dtype
    add = reduce_by(np.add, operation)
    if add is None or dtype not in (np.float32, np.float64) or not operation.operands[0].type.size:
        return None
    count = operation.operands[0].type.size // max(operation.type.size, 1)
    if count * operation.type.size != operation.operands[0].type.size:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        number = write.operand(Constant(count), dtype)
        (total,) = add.lines(write, operation, out)
        divide = write.function(np.divide)
        if out is None:
            return [f"{divide}({total}, {number})"]
        return [total, f"{divide}({out}, {number}, {out})"]

    return Lowering(Form.OUT, lines, reduces=np.add)


# Choices, joins, indexing.


BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}
"""Integers of the size of a float.  Its bits times 0 or 1 are +0 or the float itself, NaN too."""

LEAST_BY_BITS = 4096
"""Elements from which on choosing without a branch is worth three calls."""


@lowers(elementwise.where_chosen)
def lower_where(operation: Operation) -> Lowering | None:
    """A choice: a processor guesses badly which of two it will be, and multiplies fast."""
    condition, x, y = operation.operands
    dtype = operation.type.dtype
    if condition.type.dtype != bool:
        return None
    if dtype in BITS and has_dtype(x, dtype):
        if is_zero(y):
            return Lowering(Form.OUT, masked_lines, in_place=True, elementwise=True)
        if has_dtype(y, dtype) and operation.type.size >= LEAST_BY_BITS:
            return Lowering(Form.OUT, chosen_bits_lines, elementwise=True)
    return Lowering(Form.OUT, where_lines, elementwise=True)


def has_dtype(x: Operand, dtype: Any) -> bool:
    """Whether it is an array of a dtype; NumPy takes None, which Python's numbers have, for one."""
    return x.type.dtype is not None and x.type.dtype == dtype


def bits_of(operation: Operation) -> np.dtype[Any]:
    assert operation.type.dtype is not None
    return BITS[operation.type.dtype]


def is_zero(x: Operand) -> bool:
    """Whether an operand is the number 0, without a sign."""
    return isinstance(x, Constant) and x.is_number and x.value == 0 and not np.signbit(x.value)


def where_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    condition, x, y = operation.operands
    dtype = operation.type.dtype
    if out is None:
        texts = [write.operand(condition), write.operand(x, dtype), write.operand(y, dtype)]
        return [f"{write.function(np.where)}({', '.join(texts)})"]
    copyto = write.function(np.copyto)
    return [
        f"{copyto}({out}, {write.operand(y, dtype)})",
        f"{copyto}({out}, {write.operand(x, dtype)}, 'same_kind', {write.operand(condition)})",
    ]


def masked_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """``where(condition, x, 0)``: the bits of x times the condition."""
    if out is None:
        return where_lines(write, operation, None)
    condition, x = map(write.operand, operation.operands[:2])
    view = f".view({write.literal(bits_of(operation))})"
    return [f"{write.function(np.multiply)}({x}{view}, {condition}, {out}{view})"]


def chosen_bits_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """``where(condition, x, y)``: y, with the bits changed in which x differs where chosen."""
    if out is None:
        return where_lines(write, operation, None)
    dtype = operation.type.dtype
    condition = write.operand(operation.operands[0])
    x, y = (write.operand(operand, dtype) for operand in operation.operands[1:])
    view = f".view({write.literal(bits_of(operation))})"
    differ, multiply = write.function(np.bitwise_xor), write.function(np.multiply)
    return [
        f"{differ}({x}{view}, {y}{view}, {out}{view})",
        f"{multiply}({out}{view}, {condition}, {out}{view})",
        f"{differ}({out}{view}, {y}{view}, {out}{view})",
    ]


@lowers(joining.join)
def lower_join(operation: Operation) -> Lowering | None:
    if any(x.type.dtype is None for x in operation.operands):
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        arrays = "".join(f"{write.operand(x)}, " for x in operation.operands)
        axis = write.literal(operation.parameters.get("axis", 0))
        return [call(write, np.concatenate, [f"({arrays.strip()})", axis], out)]

    return Lowering(Form.OUT, lines)


def index_text(write: Writer, parts: tuple[Operand, ...]) -> str:
    """An index between brackets."""
    texts = [
        slice_text(write, x.value)
        if isinstance(x, Constant) and isinstance(x.value, slice)
        else "..."
        if isinstance(x, Constant) and x.value is Ellipsis
        else repr(int(x.value))  # as an array without axes it would copy
        if isinstance(x, Constant) and isinstance(x.value, np.integer)
        else write.operand(x)
        for x in parts
    ]
    return ", ".join(texts) or "()"


def slice_text(write: Writer, part: slice) -> str:
    start, stop, step = (
        "" if bound is None else write.literal(bound)
        for bound in (part.start, part.stop, part.step)
    )
    return f"{start}:{stop}" + (f":{step}" if step else "")


def is_basic(part: Operand) -> bool:
    """Whether a part of an index is fixed and selects by position: the result is a view."""
    if not isinstance(part, Constant):
        return False
    value = part.value
    return value is None or value is Ellipsis or isinstance(value, slice | int | np.integer)


@lowers(indexing.getitem)
def lower_getitem(operation: Operation) -> Lowering | None:
    x, *parts = operation.operands
    if x.type.dtype is None or operation.parameters:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x, *parts = operation.operands
        return [f"{write.operand(x)}[{index_text(write, tuple(parts))}]"]

    return Lowering(Form.VIEW if all(map(is_basic, parts)) else Form.ALLOCATE, lines)


def names_once(parts: tuple[Operand, ...]) -> bool:
    """Whether no element can be named twice by an index: known from one part that never repeats."""
    for part in parts:
        if isinstance(part, Constant) and part.is_known and isinstance(part.value, np.ndarray):
            value = part.value
            if value.ndim == 1 and value.dtype.kind in "iu" and are_different(value):
                others = [x.type.shape for x in parts if x.type.shape]
                return np.broadcast_shapes(*others) == value.shape and bool(np.all(value >= 0))
    return False


def are_different(numbers: np.ndarray) -> bool:
    """Whether none of some integers comes twice; the first `np.unique` imports all of `np.ma`."""
    ascending = np.sort(numbers)
    return bool(np.all(ascending[1:] > ascending[:-1]))


@lowers(indexing.scatter)
def lower_scatter(operation: Operation) -> Lowering | None:
    """Zeros with ``g`` put in, or added up where an index may name an element twice."""
    parts = operation.operands[1:]
    once = all(map(is_basic, parts)) or names_once(parts)
    if not once and not all(x.type.dtype is not None and x.type.dtype.kind in "iu" for x in parts):
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        if out is None:
            return call_lines(write, operation, None)
        g, *parts = operation.operands
        index, taken = index_text(write, tuple(parts)), write.operand(g, operation.type.dtype)
        put = f"{out}[{index}] = {taken}"
        add = f"{write.function(np.add)}.at({out}, ({index},), {taken})"
        return [f"{out}.fill(0)", put if once else add]

    return Lowering(Form.OUT, lines)


RESHAPES = (shaping.reshape, shaping.ravel, shaping.expand_dims, shaping.squeeze)


@lowers(
    *RESHAPES,
    shaping.transpose,
    shaping.swapaxes,
    shaping.moveaxis,
    shaping.broadcast_to,
    shaping.identity,
    shaping.recompute,
)
def lower_view(operation: Operation) -> Lowering | None:
    return None if operation.operands[0].type.dtype is None else Lowering(Form.VIEW, view_lines)


def view_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    x = write.operand(operation.operands[0])
    primitive, shape = operation.primitive, operation.type.shape
    if primitive in (shaping.identity, shaping.recompute):
        return [x]
    if is_matrix_transpose(operation):
        return [f"{x}.T"]
    if primitive is shaping.transpose and operation.parameters.get("axes") is not None:
        axes = tuple(map(int, operation.parameters["axes"]))
        return [f"{x}.transpose({write.literal(axes)})"]
    if primitive in RESHAPES and operation.parameters.get("order", "C") == "C":
        return [f"{x}.reshape({write.literal(shape)})"]
    return call_lines(write, operation, out)


def is_matrix_transpose(operation: Operation) -> bool:
    """Whether an operation swaps the two axes of a matrix."""
    if len(operation.operands[0].type.shape) != 2:
        return False
    axes = operation.parameters.get("axes")
    if operation.primitive is shaping.transpose:
        return axes is None or [int(a) % 2 for a in axes] == [1, 0]
    if operation.primitive is shaping.swapaxes:
        return {operation.parameters.get(name, 0) % 2 for name in ("axis1", "axis2")} == {0, 1}
    return False


@lowers(shaping.astype)
def lower_astype(operation: Operation) -> Lowering | None:
    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x = write.operand(operation.operands[0])
        if out is None:
            return [f"{x}.astype({write.literal(operation.type.dtype)})"]
        return [f"{write.function(np.copyto)}({out}, {x}, 'unsafe')"]

    if operation.operands[0].type.dtype is None:
        return None
    return Lowering(Form.OUT, lines, elementwise=True)


# Random draws.


@lowers(draw_random, draw_standard_normal)
def lower_draw(operation: Operation) -> Lowering | None:
    """A draw by a method of the generator, into a buffer."""
    if not operation.type.shape:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        size, dtype = (operation.parameters[name] for name in ("size", "dtype"))
        arguments = [write.literal(size if out is None else None), write.literal(np.dtype(dtype))]
        arguments += [] if out is None else [out]
        method = operation.primitive.name
        return [f"{write.operand(operation.operands[0])}.{method}({', '.join(arguments)})"]

    return Lowering(Form.OUT, lines)


def draw_elsewhere(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """Generators are NumPy's: what they draw moves to where the program computes."""
    return [call(write, np.asarray, call_lines(write, operation, None))]


DRAWN_ELSEWHERE = Lowering(Form.ALLOCATE, draw_elsewhere)
