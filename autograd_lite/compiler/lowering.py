"""From operations to NumPy calls: for each primitive, the line of Python that computes it.

A lowering has one of four forms.  INTO writes into a buffer that is handed to
it, VIEW looks at its operand's memory in another way, MAKE lets NumPy allocate
the result, NUMBER is arithmetic on Python's own numbers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from autograd_lite.compiler.ir import Constant, Operand, Operation, Program
from autograd_lite.compiler.runtime.backend import Library
from autograd_lite.core.backward import guard
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops import elementwise, indexing, joining, shaping
from autograd_lite.random import Draw, draw_random, draw_standard_normal

__all__ = ["Form", "Lowering", "Writer", "lowering_of", "lowerings_of", "reduced_axes"]


class Form(Enum):
    INTO = "writes into a buffer"
    VIEW = "looks at its operand's memory"
    MAKE = "allocates its result"
    NUMBER = "computes a Python number"


class Writer(Protocol):
    """What a lowering may ask of the source that is being written."""

    def operand(self, x: Operand, dtype: np.dtype[Any] | None = None) -> str:
        """The name of an operand; a Python number becomes an array of this dtype."""

    def function(self, function: Any) -> str:
        """The name by which a function is called."""

    def reduced(self, ufunc: np.ufunc, array: str, axis: str, out: str | None, keeps: bool) -> str:
        """A reduction by a ufunc; ``keeps``: the axis stays, with length 1."""

    def reduced_rows(self, ufunc: np.ufunc, array: str, out: str | None, keeps: bool) -> str:
        """A reduction of many short rows by a ufunc whose result no order changes."""

    def defined(self, function: Any, text: str) -> str:
        """The name of a function that can be imported from nowhere; ``text`` defines it."""

    def literal(self, value: Any) -> str:
        """A static argument as it is written."""


Lines = Callable[[Writer, Operation, str | None], list[str]]
"""Writes an operation: into ``out``, or with None as one expression that makes the result."""


@dataclass(frozen=True)
class Lowering:
    form: Form
    lines: Lines
    in_place: bool = False
    """Whether the buffer may be that of an operand, which is read before it is written over."""
    elementwise: bool = False
    """Whether each element depends on its like in the operands only."""
    reduces: np.ufunc | None = None
    """What a reduction puts parts of it together with."""


def lowering_of(operation: Operation) -> Lowering:
    """The lowering of an operation; any function may at least be called as it is."""
    own: Lowering | None = getattr(operation.primitive, "lowering", None)
    if own is not None:
        return own
    if operation.type.dtype is None:
        return NUMBER if operation.type.kind in (float, complex, int, bool) else CALL
    if all(x.type.dtype is None for x in operation.operands) and operation.type.shape == ():
        return CALL
    choose = LOWERINGS.get(operation.primitive)
    return (choose(operation) if choose else None) or CALL


def lowerings_of(program: Program, library: Library) -> dict[Operation, Lowering]:
    """The lowerings of all operations, where arrays of this library are computed with."""

    def chosen(operation: Operation) -> Lowering:
        drawn = isinstance(operation.primitive, Draw) and operation.type.is_array
        return DRAWN if drawn and not library.is_numpy else lowering_of(operation)

    return {x: chosen(x) for x in program.operations}


# Forms common to many.


def call_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    arguments = [write.operand(x) for x in operation.operands]
    arguments += [f"{key}={write.literal(x)}" for key, x in operation.parameters.items()]
    return [f"{write.function(operation.primitive.forward)}({', '.join(arguments)})"]


CALL = Lowering(Form.MAKE, call_lines)


def loop_dtypes(ufunc: np.ufunc, operation: Operation) -> list[Any] | None:
    """The dtypes in which a ufunc computes, None where NumPy finds no loop."""
    kinds = [x.type.dtype or x.type.kind for x in operation.operands]
    if any(kind is bool for kind in kinds):
        return None
    try:
        dtypes = ufunc.resolve_dtypes((*kinds, None))
    except TypeError:
        return None
    return list(dtypes) if dtypes[-1] == operation.type.dtype else None


BY_KEYWORD = (np.maximum, np.minimum, np.matmul)
"""Libraries want the name of their ``out``: NumPy of the first two, CuPy of the third."""


def given_out(function: Any, out: str) -> str:
    return f"out={out}" if function in BY_KEYWORD else out


def ufunc_lowering(ufunc: np.ufunc, *extra: Operand) -> Callable[[Operation], Lowering | None]:
    """Lower to a ufunc; ``extra`` operands follow those of the operation."""

    def choose(operation: Operation) -> Lowering | None:
        full = Operation(operation.primitive, (*operation.operands, *extra), {}, operation.type)
        dtypes = loop_dtypes(ufunc, full)
        if dtypes is None or operation.parameters:
            return None

        def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
            operands = (*operation.operands, *extra)
            arguments = [write.operand(x, d) for x, d in zip(operands, dtypes, strict=False)]
            if out is not None:
                arguments.append(given_out(ufunc, out))
            return [f"{write.function(ufunc)}({', '.join(arguments)})"]

        return Lowering(Form.INTO, lines, in_place=True, elementwise=True)

    return choose


# Products of matrices.


def product_lowering(operation: Operation) -> Lowering | None:
    """``dot`` where it does the same as ``matmul``: it is faster for few rows, and takes out."""
    x, y = (operand.type for operand in operation.operands)
    if operation.parameters or not x.shape or not y.shape or x.dtype != y.dtype:
        return None
    function = np.dot if len(x.shape) <= 2 and len(y.shape) <= 2 else np.matmul
    if operation.primitive is not registry[np.matmul] and function is np.matmul:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        arguments = [write.operand(x) for x in operation.operands]
        arguments += [] if out is None else [given_out(function, out)]
        return [f"{write.function(function)}({', '.join(arguments)})"]

    return Lowering(Form.INTO, lines)


# Reductions.


def reduction_lowering(ufunc: np.ufunc) -> Callable[[Operation], Lowering | None]:
    def choose(operation: Operation) -> Lowering | None:
        if set(operation.parameters) - {"axis", "keepdims"}:
            return None

        def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
            x, axis = operation.operands[0], write.literal(operation.parameters.get("axis"))
            keeps = bool(operation.parameters.get("keepdims"))
            if ufunc in OF_ANY_ORDER and has_short_rows(operation):
                return [write.reduced_rows(ufunc, write.operand(x), out, keeps)]
            return [write.reduced(ufunc, write.operand(x), axis, out, keeps)]

        return Lowering(Form.INTO, lines, reduces=ufunc)

    return choose


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


def mean_lowering(operation: Operation) -> Lowering | None:
    """The sum, divided by the number of elements, as ``np.mean`` does it."""
    dtype = operation.operands[0].type.dtype
    add = reduction_lowering(np.add)(operation)
    if add is None or dtype not in (np.float32, np.float64) or not operation.operands[0].type.size:
        return None
    count = operation.operands[0].type.size // max(operation.type.size, 1)
    if count * operation.type.size != operation.operands[0].type.size:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        number = write.operand(Constant(count), dtype)
        (reduced,) = add.lines(write, operation, out)
        divide = write.function(np.divide)
        if out is None:
            return [f"{divide}({reduced}, {number})"]
        return [reduced, f"{divide}({out}, {number}, {out})"]

    return Lowering(Form.INTO, lines, reduces=np.add)


# Choices, joins, indexing.


BITS = {np.dtype(f"f{size}"): np.dtype(f"i{size}") for size in (2, 4, 8)}
"""Integers of the size of a float.  Its bits times 0 or 1 are +0 or the float itself, NaN too."""

LEAST_BY_BITS = 4096
"""Elements from which on choosing without a branch is worth three calls."""


def where_lowering(operation: Operation) -> Lowering | None:
    """A choice: a processor guesses badly which of two it will be, and multiplies fast."""
    condition, x, y = operation.operands
    dtype = operation.type.dtype
    if condition.type.dtype != bool:
        return None
    if dtype in BITS and x.type.dtype == dtype:
        if is_zero(y):
            return Lowering(Form.INTO, masked_lines, in_place=True, elementwise=True)
        if y.type.dtype == dtype and operation.type.size >= LEAST_BY_BITS:
            return Lowering(Form.INTO, chosen_bits_lines, elementwise=True)
    return Lowering(Form.INTO, where_lines, elementwise=True)


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


def join_lowering(operation: Operation) -> Lowering | None:
    if any(x.type.dtype is None for x in operation.operands):
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        arrays = "".join(f"{write.operand(x)}, " for x in operation.operands)
        arguments = [f"({arrays.strip()})", write.literal(operation.parameters.get("axis", 0))]
        arguments += [] if out is None else [out]
        return [f"{write.function(np.concatenate)}({', '.join(arguments)})"]

    return Lowering(Form.INTO, lines)


def index_text(write: Writer, parts: tuple[Operand, ...]) -> str:
    """An index between brackets."""
    texts = [
        slice_text(write, x.value)
        if isinstance(x, Constant) and isinstance(x.value, slice)
        else "..."
        if isinstance(x, Constant) and x.value is Ellipsis
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


def getitem_lowering(operation: Operation) -> Lowering | None:
    x, *parts = operation.operands
    if x.type.dtype is None or operation.parameters:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x, *parts = operation.operands
        return [f"{write.operand(x)}[{index_text(write, tuple(parts))}]"]

    return Lowering(Form.VIEW if all(map(is_basic, parts)) else Form.MAKE, lines)


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


def scatter_lowering(operation: Operation) -> Lowering | None:
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

    return Lowering(Form.INTO, lines)


def view_lowering(operation: Operation) -> Lowering | None:
    return None if operation.operands[0].type.dtype is None else Lowering(Form.VIEW, view_lines)


def view_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    x = write.operand(operation.operands[0])
    primitive, shape = operation.primitive, operation.type.shape
    if primitive in (shaping.identity, shaping.recompute):
        return [x]
    if is_matrix_transpose(operation):
        return [f"{x}.T"]
    if primitive is registry[np.transpose] and operation.parameters.get("axes") is not None:
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
    if operation.primitive is registry[np.transpose]:
        return axes is None or [int(a) % 2 for a in axes] == [1, 0]
    if operation.primitive is registry[np.swapaxes]:
        return {operation.parameters.get(name, 0) % 2 for name in ("axis1", "axis2")} == {0, 1}
    return False


RESHAPES = tuple(registry[f] for f in (np.reshape, np.ravel, np.expand_dims, np.squeeze))


def astype_lowering(operation: Operation) -> Lowering | None:
    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        x = write.operand(operation.operands[0])
        if out is None:
            return [f"{x}.astype({write.literal(operation.type.dtype)})"]
        return [f"{write.function(np.copyto)}({out}, {x}, 'unsafe')"]

    if operation.operands[0].type.dtype is None:
        return None
    return Lowering(Form.INTO, lines, elementwise=True)


def draw_lowering(operation: Operation) -> Lowering | None:
    """A draw by a method of the generator, into a buffer."""
    if not operation.type.shape:
        return None

    def lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
        size, dtype = (operation.parameters[name] for name in ("size", "dtype"))
        arguments = [write.literal(size if out is None else None), write.literal(np.dtype(dtype))]
        arguments += [] if out is None else [out]
        method = operation.primitive.name
        return [f"{write.operand(operation.operands[0])}.{method}({', '.join(arguments)})"]

    return Lowering(Form.INTO, lines)


def drawn_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """Generators are NumPy's: what they draw moves to where the program computes."""
    (text,) = call_lines(write, operation, None)
    return [f"{write.function(np.asarray)}({text})"]


DRAWN = Lowering(Form.MAKE, drawn_lines)


LOWERINGS: dict[Primitive, Callable[[Operation], Lowering | None]] = {
    **{
        primitive: ufunc_lowering(function)
        for function, primitive in registry.items()
        if isinstance(function, np.ufunc)
        and isinstance(primitive, Primitive)
        and function.nout == 1
        and function.signature is None
    },
    registry[operator.pow]: ufunc_lowering(np.power),
    elementwise.relu: ufunc_lowering(np.maximum, Constant(0)),
    registry[np.matmul]: product_lowering,
    registry[np.dot]: product_lowering,
    registry[np.sum]: reduction_lowering(np.add),
    registry[np.prod]: reduction_lowering(np.multiply),
    registry[np.max]: reduction_lowering(np.maximum),
    registry[np.min]: reduction_lowering(np.minimum),
    registry[np.mean]: mean_lowering,
    elementwise.where_chosen: where_lowering,
    joining.join: join_lowering,
    indexing.getitem: getitem_lowering,
    indexing.scatter: scatter_lowering,
    registry[np.astype]: astype_lowering,
    draw_random: draw_lowering,
    draw_standard_normal: draw_lowering,
    shaping.identity: view_lowering,
    shaping.recompute: view_lowering,
    **{
        registry[function]: view_lowering
        for function in (
            np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.expand_dims,
            np.squeeze, np.broadcast_to,
        )
    },
}  # fmt: skip


# Python's own numbers.

INFIX = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", operator.pow: "**",
    np.power: "**", np.floor_divide: "//", np.remainder: "%", np.less: "<", np.less_equal: "<=",
    np.greater: ">", np.greater_equal: ">=", np.equal: "==", np.not_equal: "!=",
}  # fmt: skip

SYMBOLS = {registry[function]: symbol for function, symbol in INFIX.items()}

OF_FLOAT = {
    registry[getattr(np, name)]: getattr(math, name)
    for name in (
        "exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "sqrt",
    )
}  # fmt: skip
OF_FLOAT |= {
    registry[getattr(np, "arc" + name)]: getattr(math, "a" + name)
    for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")
}


def number_lines(write: Writer, operation: Operation, out: str | None) -> list[str]:
    """Arithmetic as Python writes it; a function of NumPy's gives its result as a number."""
    texts = [write.operand(x) for x in operation.operands]
    plain = all(x.type.kind in (float, int, bool) for x in operation.operands)
    primitive = operation.primitive
    if operation.parameters or any(x.type.is_array for x in operation.operands):
        plain = False
    elif primitive in SYMBOLS and len(texts) == 2:
        is_power = SYMBOLS[primitive] == "**"
        if not is_power or is_safe_power(operation.operands[1]):
            return [f"{texts[0]} {SYMBOLS[primitive]} {texts[1]}"]
    if plain and primitive is registry[np.negative]:
        return [f"-{texts[0]}"]
    if plain and primitive is elementwise.relu:
        return [f"0.0 if {texts[0]} <= 0.0 else {texts[0]}"]
    if plain and primitive in OF_FLOAT and operation.type.kind is float:
        return [f"{write.function(OF_FLOAT[primitive])}({texts[0]})"]
    if primitive is shaping.recompute:
        return texts
    if plain and primitive is guard:
        return [f"{texts[0]} if {texts[1]} else 0.0"]
    if plain and primitive is elementwise.where_chosen:
        return [f"float({texts[1]} if {texts[0]} else {texts[2]})"]
    (text,) = call_lines(write, operation, None)
    return [text if returns_number(operation) else f"{operation.type.kind.__name__}({text})"]


def is_safe_power(n: Operand) -> bool:
    """Whether a negative number may be raised to this: otherwise Python answers in complex."""
    return isinstance(n, Constant) and float(n.value).is_integer()


def returns_number(operation: Operation) -> bool:
    return operation.primitive.forward is elementwise.power_of_numbers


NUMBER = Lowering(Form.NUMBER, number_lines)
