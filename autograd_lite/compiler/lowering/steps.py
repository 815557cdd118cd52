"""Loops that Numba compiles whole: the text of a function that makes all steps.

The body is a row of units: nests of loops over elements, products of matrices, reductions.
Elementwise operations of one shape share a nest, where what one of them leaves for the next is
a number; a nest holds one elementary function, which the compiler then computes on vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Program, walk
from autograd_lite.compiler.lowering.calls import reduced_axes
from autograd_lite.compiler.lowering.elements import (
    Index,
    broadcast_index,
    moves_elements,
    source_index,
    taken_back,
)
from autograd_lite.compiler.lowering.formulas import (
    BOOL,
    FLOAT,
    NUMBA_NAMES,
    formula_of,
    is_elementary,
    is_float,
    number_name,
)
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.ops import contractions, indexing, reductions

__all__ = ["Steps", "steps_of", "types_of"]

MOST_ELEMENTS = 1 << 12
"""Of an array in a body: of larger ones NumPy takes care as well, on several threads."""

MOST_PRODUCTS = 1 << 15
"""Of numbers in a product of matrices: larger ones are better left to BLAS."""

MOST_ARGUMENTS = 60
"""NumPy's ufuncs take 64."""

ALIGNMENT = 64
"""Bytes: where a line of the cache begins."""

REDUCTIONS: dict[Primitive, tuple[str, str]] = {
    reductions.sum: ("0.0", "{} + {}"),
    reductions.mean: ("0.0", "{} + {}"),
    reductions.max_: ("-inf", "maximum({}, {})"),
    reductions.min_: ("inf", "minimum({}, {})"),
}
"""With what they begin, and how they take in a number."""


@dataclass
class Unit:
    """Operations whose results are computed together, element by element."""

    shape: tuple[int, ...] = ()
    operations: list[Operation] = field(default_factory=list)
    is_nest: bool = True
    """Whether it is made of elementwise operations, and more of that shape may join."""

    @property
    def has_elementary(self) -> bool:
        return any(is_elementary(x.primitive) for x in self.operations)


def steps_of(operation: Operation) -> Steps | None:
    """A loop as Numba compiles it; None if its body does what Numba's loops have not."""
    is_scan = len(operation.bodies) == 1 and operation.parameters.get("length") is not None
    if not is_scan or not is_known(operation.bodies[0]):
        return None
    rows = operation.parameters["carries"], operation.parameters["rows"]
    given = operation.bodies[0].inputs[rows[0] : sum(rows)]
    outer = operation.operands[rows[0] : sum(rows)]
    if not all(x.type.is_array and y.type.is_array for x, y in zip(given, outer, strict=True)):
        return None
    steps = Steps(operation)
    return steps if len(steps.arguments) <= MOST_ARGUMENTS else None


def is_known(body: Program) -> bool:
    """Whether all that a body does is known for single numbers, and little enough."""
    if any(x.bodies or not heeds_errors(x) for x in walk(body)):
        return False
    if not all(is_simple(x) for x in body.inputs):
        return False
    if not all(x.type.is_array and is_simple(x) for x in body.outputs):
        return False
    return bool(body.operations) and all(map(is_known_operation, body.operations))


def heeds_errors(operation: Operation) -> bool:
    """Whether errors are left to the caller; those of a gradient behind a mask are ignored."""
    origin = operation.origin
    return not origin.errstate or (origin.section == "backward" and is_silent(operation))


def is_silent(operation: Operation) -> bool:
    """Whether all errors of floating-point arithmetic are ignored."""
    errstate = operation.origin.errstate
    return len(errstate) == len(np.geterr()) and {how for _, how in errstate} == {"ignore"}


def is_simple(x: Operand) -> bool:
    """Whether it is made of numbers that Numba's loops are written for, and not too large."""
    return x.type.dtype in NUMBA_NAMES if x.type.is_array else is_float(x)


def is_place(x: Operand) -> bool:
    """Whether it is a part of an index."""
    return isinstance(x, Constant) and not x.type.is_array


def is_known_operation(operation: Operation) -> bool:
    of = operation.type
    if not (of.is_array and of.dtype in NUMBA_NAMES) or of.size > MOST_ELEMENTS:
        return False
    if moves_elements(operation):
        return True
    if not all(is_simple(x) or is_place(x) for x in operation.operands):
        return False
    if operation.primitive in REDUCTIONS:
        x = operation.operands[0].type
        known = {"axis", "keepdims"}
        return x.size <= MOST_ELEMENTS and x.size > 0 and set(operation.parameters) <= known
    if operation.primitive is indexing.scatter:
        return taken_back(operation, indices(of.shape)) is not None
    if operation.primitive is contractions.matmul:
        x, y = (operand.type for operand in operation.operands)
        is_of_matrices = 0 < len(x.shape) <= 2 and 0 < len(y.shape) <= 2
        is_small = of.size * (x.shape[-1:] or (1,))[0] <= MOST_PRODUCTS
        return is_of_matrices and is_small and x.dtype == y.dtype == of.dtype != BOOL
    return formula_of(operation.primitive) is not None and not (
        set(operation.parameters) - {"dtype"}
    )


class Steps:
    """The text of the function, and what it is called with.

    Attributes
    ----------
    arguments : list
        Operands of the loop; then, for each result, a number that says which.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        (self.body,) = operation.bodies
        count, rows = operation.parameters["carries"], operation.parameters["rows"]
        self.length: int = operation.parameters["length"]
        self.carries = self.body.inputs[:count]
        self.rows = frozenset(self.body.inputs[count : count + rows])
        self.results = self.body.outputs[:count]
        self.kept = self.body.outputs[count:]
        self.names: dict[Operand, str] = {}
        self.arguments: list[Operand | int] = []
        for given, operand in zip(self.body.inputs, operation.operands, strict=True):
            self.names[given] = self._argument(operand)
        read = (x for of in self.body.operations for x in of.operands)
        for x in (*read, *self.body.outputs):
            if isinstance(x, Constant) and isinstance(x.value, np.ndarray):
                self.names.setdefault(x, self._argument(x))
        self.outputs = [self._argument(index) for index in range(len(self.body.outputs))]
        self.units: list[Unit] = []
        self.places: dict[Operation, int] = {}
        for of in self.body.operations:
            if not moves_elements(of):
                self._place(of)
        self.arrays = self._find_arrays()
        self.before: list[str] = []
        self.nbytes = 0
        """Of the memory for arrays of its own."""
        self.text = self._write()

    def _argument(self, x: Operand | int) -> str:
        self.arguments.append(x)
        return f"x{len(self.arguments)}"

    # Which operations share a nest.

    def _base(self, x: Operand, index: Index) -> tuple[Operand, Index]:
        """What an operand is moved from, and the index there."""
        index = broadcast_index(x.type.shape, index)
        while isinstance(x, Operation) and moves_elements(x):
            moved = source_index(x, index)
            assert moved is not None
            x, index = x.operands[0], moved
        return x, index

    def _place(self, operation: Operation) -> None:
        """Put an operation into the first nest that it may join, or into a unit of its own."""
        shape = operation.type.shape
        is_nest = is_elementwise(operation)
        earliest = 0
        for x in operation.operands:
            if is_place(x):
                continue
            base, index = self._base(x, indices(shape if is_nest else x.type.shape))
            if isinstance(base, Operation):
                place = self.places[base]
                is_aligned = is_nest and index == indices(shape) and self.units[place].is_nest
                earliest = max(earliest, place if is_aligned else place + 1)
        fitting = (
            place
            for place in range(earliest, len(self.units))
            if is_nest and self.units[place].is_nest and self.units[place].shape == shape
            if not (is_elementary(operation.primitive) and self.units[place].has_elementary)
        )
        place = next(fitting, len(self.units))
        if place == len(self.units):
            self.units.append(Unit(shape, is_nest=is_nest))
        self.units[place].operations.append(operation)
        self.places[operation] = place

    def _find_arrays(self) -> set[Operation]:
        """Results that lie in an array, because another unit or another index reads them."""
        found = {x for x, place in self.places.items() if not self.units[place].is_nest}
        for x in self.body.outputs:
            base, _ = self._base(x, indices(x.type.shape))
            if isinstance(base, Operation):
                found.add(base)
        for operation, place in self.places.items():
            shape = operation.type.shape
            for x in filter(lambda x: not is_place(x), operation.operands):
                is_nest = self.units[place].is_nest
                base, index = self._base(x, indices(shape if is_nest else x.type.shape))
                is_here = isinstance(base, Operation) and self.places[base] == place
                if isinstance(base, Operation) and not (is_here and index == indices(shape)):
                    found.add(base)
        return found

    # The text.

    def _scratch(self, name: str, shape: tuple[int, ...], x: Operand) -> str:
        """An array of the loop's own: a part of the memory that it is given."""
        start, itemsize = self.nbytes, (x.type.dtype or FLOAT).itemsize
        self.nbytes += -(-itemsize * prod(shape) // ALIGNMENT) * ALIGNMENT
        return f"{name} = part(memory, {start}, {shape}, {dtype_name(x)})"

    def _write(self) -> str:
        begin, step, end = [], [], []
        self.stored: dict[Operand, str] = {}
        for name, x in zip(self.outputs[len(self.carries) :], self.kept, strict=True):
            if isinstance(x, Operation) and x in self.arrays:
                self.stored.setdefault(x, name)
        for number, x in enumerate(self.carries):
            name = f"c{number}"
            given = self.names[x]
            shape = x.type.shape or (1,)
            begin += [self._scratch(name, shape, x)]
            begin += copied(f"{name}[{{}}]", f"{given}[{{}}]", shape)
            last = self.outputs[number]
            end += copied(f"{last}[{{}}]", f"{name}[{{}}]", shape)
            self.names[x] = name
        for number, x in enumerate(sorted(self.arrays, key=self.places.__getitem__)):
            self.names[x] = f"b{number}"
            if x not in self.stored:
                shape = x.type.shape or (1,)
                begin.append(self._scratch(f"b{number}", shape, x))
        for unit in self.units:
            step += self._nest(unit) if unit.is_nest else self._unit(unit.operations[0])
        step += self._keep()
        step += self._hand_on()
        order = f"range({self.length})"
        if self.operation.parameters["reverse"]:
            order = f"range({self.length - 1}, -1, -1)"
        names = [f"x{number + 1}" for number in range(len(self.arguments))]
        names += ["memory"] if self.nbytes else []
        lines = [*self.before, *begin, f"for t in {order}:", *indented(step), *end]
        return "\n".join([f"def loop({', '.join(names)}):", *indented(lines)])

    def _element(self, x: Operand, index: Index) -> str:
        """One number of an operand."""
        base, index = self._base(x, index)
        if isinstance(base, Constant) and base not in self.names:
            return repr(bool(base.value)) if base.type.dtype == BOOL else repr(float(base.value))
        if base in self.numbers:
            return self.numbers[base]
        return self._at(base, index)

    def _at(self, x: Operand, index: Index) -> str:
        """A number of an array, by its index."""
        if x in self.rows or x in self.stored:
            return f"{self.stored.get(x, self.names[x])}[{', '.join(('t', *index))}]"
        return f"{self.names[x]}[{', '.join(index) or '0'}]"

    numbers: dict[Operand, str]
    """Results that are numbers in the nest that is being written."""

    def _nest(self, unit: Unit) -> list[str]:
        self.numbers = {}
        lines = []
        index = indices(unit.shape)
        for operation in unit.operations:
            name = f"v{len(self.numbers)}"
            arguments = [self._argument_of(operation, x, index) for x in operation.operands]
            formula = (formula_of(operation.primitive) or "").format(*arguments)
            if operation.type.dtype != BOOL:
                formula = f"{NUMBA_NAMES[operation.type.dtype]}({formula})"
            lines.append(f"{name} = {formula}")
            if operation in self.arrays:
                lines.append(f"{self._at(operation, index)} = {name}")
            self.numbers[operation] = name
        self.numbers = {}
        return nested(unit.shape, lines)

    def _argument_of(self, operation: Operation, x: Operand, index: Index) -> str:
        floats = [y.type.dtype for y in operation.operands if y.type.dtype is not None]
        is_narrow = bool(floats) and np.float64 not in floats and np.float32 in floats
        text = self._element(x, index)
        return f"float32({text})" if is_narrow and x.type.dtype is None else text

    def _unit(self, operation: Operation) -> list[str]:
        self.numbers = {}
        if operation.primitive is contractions.matmul:
            return self._product(operation)
        if operation.primitive is indexing.scatter:
            return self._scatter(operation)
        begin, take = REDUCTIONS[operation.primitive]
        (x,) = operation.operands
        axes = reduced_axes(operation)
        index = indices(x.type.shape)
        kept = bool(operation.parameters.get("keepdims"))
        result = tuple(
            "0" if axis in axes else i for axis, i in enumerate(index) if kept or axis not in axes
        )
        dtype = NUMBA_NAMES[operation.type.dtype]
        inner = [f"s = {dtype}({take.format('s', self._element(x, index))})"]
        for axis in sorted(axes, reverse=True):
            inner = [f"for {index[axis]} in range({x.type.shape[axis]}):", *indented(inner)]
        total = "s"
        if operation.primitive is reductions.mean:
            total = f"{dtype}(s / {x.type.size // max(operation.type.size, 1)})"
        lines = [f"s = {dtype}({begin})", *inner, f"{self._at(operation, result)} = {total}"]
        for axis in reversed([a for a in range(len(index)) if a not in axes]):
            lines = [f"for {index[axis]} in range({x.type.shape[axis]}):", *indented(lines)]
        return lines

    def _scatter(self, operation: Operation) -> list[str]:
        """Zeros with numbers put in."""
        index = indices(operation.type.shape)
        back = taken_back(operation, index)
        assert back is not None
        conditions, inner = back
        target = self._at(operation, index)
        taken = f"{target} = {self._element(operation.operands[0], inner)}"
        if not conditions:
            return nested(operation.type.shape, [taken])
        zero = f"{target} = {NUMBA_NAMES[operation.type.dtype or FLOAT]}(0)"
        lines = [f"if {' and '.join(conditions)}:", f"    {taken}", "else:", f"    {zero}"]
        return nested(operation.type.shape, lines)

    def _product(self, operation: Operation) -> list[str]:
        """A product of matrices, along rows of the second, or of the first one's transpose."""
        x, y = operation.operands
        rows, columns = len(x.type.shape) == 2, len(y.type.shape) == 2
        n = x.type.shape[0] if rows else 1
        k = x.type.shape[-1]
        m = y.type.shape[1] if columns else 1
        dtype = NUMBA_NAMES[operation.type.dtype]

        def left(i: str, j: str) -> str:
            return self._element(x, (i, j) if rows else (j,))

        def right(i: str, j: str) -> str:
            return self._element(y, (i, j) if columns else (i,))

        def result(i: str, j: str) -> str:
            index = ((i,) if rows else ()) + ((j,) if columns else ())
            return self._at(operation, index)

        if m > 1 or n == 1:
            lines = [
                *nested((m,), [f"{result('i', 'i0')} = {dtype}(0.0)"]),
                f"for k in range({k}):",
                *indented([f"u = {left('i', 'k')}"]),
                *indented(nested((m,), [f"{result('i', 'i0')} += u * {right('k', 'i0')}"])),
            ]
            return [f"for i in range({n}):", *indented(lines)]
        # One column: by columns of the first factor, which lie side by side in its transpose.
        base, _ = self._base(x, ("i", "k"))
        text = left("i0", "k")
        if isinstance(base, Input) and base not in self.rows and base not in self.carries:
            name = f"m{len(self.before)}"
            self.before += [self._scratch(name, (k, n), operation), f"for k in range({k}):"]
            self.before += indented(nested((n,), [f"{name}[k, i0] = {text}"]))
            text = f"{name}[k, i0]"
        return [
            *nested((n,), [f"{result('i0', '0')} = {dtype}(0.0)"]),
            f"for k in range({k}):",
            *indented([f"u = {right('k', '0')}"]),
            *indented(nested((n,), [f"{result('i0', '0')} += {text} * u"])),
        ]

    def _keep(self) -> list[str]:
        """What is kept of a step and does not lie there yet."""
        self.numbers = {}
        lines = []
        for name, x in zip(self.outputs[len(self.carries) :], self.kept, strict=True):
            if self.stored.get(x) != name:
                index = indices(x.type.shape)
                line = f"{name}[{', '.join(('t', *index))}] = {self._element(x, index)}"
                lines += nested(x.type.shape, [line])
        return lines

    def _hand_on(self) -> list[str]:
        """What is carried on; through arrays of their own where one carry goes to another."""
        self.numbers = {}
        first, second = [], []
        for number, (given, x) in enumerate(zip(self.carries, self.results, strict=True)):
            base, _ = self._base(x, indices(x.type.shape))
            if x is given:
                continue
            index = indices(given.type.shape)
            target = f"c{number}[{', '.join(index) or '0'}]"
            text = self._element(x, index)
            if base in self.carries:
                shape = given.type.shape or (1,)
                self.before.append(self._scratch(f"n{number}", shape, given))
                there = f"n{number}[{', '.join(index) or '0'}]"
                first += nested(given.type.shape, [f"{there} = {text}"])
                text = there
            second += nested(given.type.shape, [f"{target} = {text}"])
        return [*first, *second]

    # What it is compiled for.

    @property
    def is_silent(self) -> bool:
        """Whether errors are ignored: NumPy looks for them after all steps, and not in between."""
        return any(map(is_silent, self.body.operations))


def types_of(steps: Steps) -> Iterator[tuple[str, int]]:
    """What Numba calls the numbers of each argument, and how many axes it has."""
    for x in steps.arguments:
        if not isinstance(x, int):
            yield number_name(x), max(1, len(x.type.shape))
            continue
        output = steps.body.outputs[x]
        is_carry = x < len(steps.carries)
        yield number_name(output), max(1, len(output.type.shape) + (not is_carry))


def dtype_name(x: Operand) -> str:
    """What NumPy calls the dtype of an array that Numba makes."""
    return str(x.type.dtype.name) if x.type.dtype is not None else "float64"


def is_elementwise(operation: Operation) -> bool:
    others = {*REDUCTIONS, contractions.matmul, indexing.scatter}
    return operation.primitive not in others


def indices(shape: Sequence[int]) -> Index:
    return tuple(f"i{axis}" for axis in range(len(shape)))


def indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def nested(shape: Sequence[int], lines: Sequence[str]) -> list[str]:
    """Lines for each index into an array of this shape."""
    found = list(lines)
    for axis in reversed(range(len(shape))):
        found = [f"for i{axis} in range({shape[axis]}):", *indented(found)]
    return found


def copied(target: str, source: str, shape: Sequence[int]) -> list[str]:
    """Lines that copy an array; ``{}`` stands for the index."""
    index = ", ".join(indices(shape))
    return nested(shape, [f"{target.format(index)} = {source.format(index)}"])
