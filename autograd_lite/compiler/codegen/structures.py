"""The source of loops and branches: ``for``, ``while`` and ``if`` around the lines of a body.

What a loop keeps of every step lies in arrays that are made beforehand, and the body writes
into their rows.  A carry is a name that is bound to another array at the end of each step;
where nobody keeps it, the body may write over the array that it had.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap
from typing import Any

import numpy as np

from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.codegen.steps import write_steps
from autograd_lite.compiler.ir import Constant, Input, Operand, Operation, Type
from autograd_lite.compiler.runtime.branches import refuse_index

__all__ = ["write_structure"]

LONGEST_LINE = 88
"""Characters of the line that opens a loop."""

WriteOperations = Callable[[OperationWriter], None]


def write_structure(
    write: OperationWriter, operation: Operation, write_operations: WriteOperations
) -> None:
    """Write a loop or branch; ``write_operations`` writes the lines of a body."""
    write.enter(operation)
    if operation in write.schedule.compiled:
        write_steps(write, operation, write.schedule.compiled[operation])
    elif "length" not in operation.parameters:
        write_branches(write, operation, write_operations)
    elif len(operation.bodies) > 1:
        WhileLoop(write, operation, write_operations).write()
    else:
        Loop(write, operation, write_operations).write()


def write_branches(
    write: OperationWriter, operation: Operation, write_operations: WriteOperations
) -> None:
    """An ``if``, by a condition or by a number."""
    emitter = write.emitter
    chooser, *read = operation.operands
    schedules = write.schedule.bodies[operation]
    text = emitter.operand(chooser)
    is_number = operation.primitive.name.startswith("switch")
    results = [emitter.fresh(name_of(x)) for x in schedules[0].program.outputs]
    lines: list[str] = []
    for number, schedule in enumerate(schedules):
        body = schedule.program
        emitter.aliases.update(zip(body.inputs, read, strict=True))
        inner = OperationWriter(emitter, schedule)
        with emitter.scope({}) as inside:
            emitter.homes.update(dict.fromkeys(body.operations, inside))
            write_operations(inner)
            texts = [emitter.operand(x, x.type.dtype) for x in body.outputs]
            emitter.lines += [f"{name} = {text}" for name, text in zip(results, texts, strict=True)]
        if is_number:
            opening = f"{'elif' if number else 'if'} {text} == {number}:"
        else:
            opening = "else:" if number else f"if {text}:"
        lines += [opening, *(f"    {line}" for line in inside or ["pass"])]
    if is_number:
        refuse = emitter.function(refuse_index)
        lines += ["else:", f"    {refuse}({text}, {len(schedules)})"]
    emitter.lines += lines
    write.parts[operation] = results


class Loop:
    """A loop over rows.

    An array for results of every step is called a store.  The store of a carry has one row
    more than there are steps: the first one, then those that the steps give.
    """

    def __init__(
        self, write: OperationWriter, operation: Operation, write_operations: WriteOperations
    ) -> None:
        self.operation = operation
        self.emitter = write.emitter
        self.outer = write
        self.write_operations = write_operations
        self.schedule, *self.others = write.schedule.bodies[operation]
        self.body = self.schedule.program
        carries, rows = (operation.parameters[name] for name in ("carries", "rows"))
        self.length: int | None = operation.parameters["length"]
        self.is_reversed: bool = operation.parameters["reverse"]
        self.begin = operation.operands[:carries]
        self.given_rows = operation.operands[carries : carries + rows]
        self.carries = self.body.inputs[:carries]
        self.rows = self.body.inputs[carries : carries + rows]
        self.results = self.body.outputs[:carries]
        self.kept = self.body.outputs[carries:]
        captured = operation.operands[carries + rows :]
        for schedule in (self.schedule, *self.others):
            inside = schedule.program.inputs[carries + rows :]
            self.emitter.aliases.update(zip(inside, captured, strict=True))
        self.names = {x: self.emitter.fresh(x.name) for x in (*self.carries, *self.rows)}
        self.items: list[tuple[str, str]] = []
        """What the loop goes through: a name, and an expression that gives what it stands for."""
        self.index: str | None = None
        self.stores: dict[Operand, str] = {}
        """Of what is kept of every step: an array of as many rows as there are steps."""
        self.row_names: dict[Operand, str] = {}
        """Of what is written into a row: what that is called."""
        self.next_rows: dict[Input, str] = {}
        """Of carries that are kept: the row that what takes their place belongs into."""

    def write(self) -> None:
        emitter = self.emitter
        for given, operand in zip(self.rows, self.given_rows, strict=True):
            self.items.append((self.names[given], self._rows_of(operand, given.type)))
        inner = OperationWriter(emitter, self.schedule)
        histories = self._make_stores()
        self._begin(histories)
        inner.rows = {
            x: name
            for x, name in self.row_names.items()
            if isinstance(x, Operation) and x in self.schedule.rows
        }
        inside: dict[Operand, str] = {x: self.names[x] for x in self.carries}
        inside |= {x: self.names[x] for x in self.rows}
        with emitter.scope(inside) as lines:
            emitter.homes.update(dict.fromkeys((*inside, *self.body.operations), lines))
            self._test()
            self.write_operations(inner)
            self._keep(inner)
            self._hand_on(inner)
        emitter.lines += self._opening()
        emitter.lines += [f"    {line}" for line in lines or ["pass"]]
        if self.length is None and self.is_reversed:
            emitter.lines += [f"{self.stores[x]}.reverse()" for x in dict.fromkeys(self.kept)]
        self.outer.parts[self.operation] = [
            *(self.names[x] for x in self.carries),
            *(self.stores[x] for x in self.kept),
        ]

    def _test(self) -> None:
        """What comes before the lines of a step."""

    # What is kept.

    def _make_stores(self) -> dict[Input, str]:
        """Arrays for what is kept; those of carries that are kept as they come in, by carry."""
        histories: dict[Input, str] = {}
        for given, result in zip(self.carries, self.results, strict=True):
            if given in self.kept and has_rows(given.type) and self.length is not None:
                name = self._declare(f"{given.name}_steps", given.type, self.length + 1)
                before, after = f"{name}[:-1]", f"{name}[1:]"
                if self.is_reversed:
                    before, after = after, before
                histories[given] = f"{name}[{-1 if self.is_reversed else 0}]"
                self.stores[given] = self._view(f"{given.name}_before", before)
                store = self._view(f"{given.name}_after", after)
                self.next_rows[given] = row = self._row(result, store)
                if isinstance(result, Operation) and result not in self.stores:
                    self.stores[result] = store
                    self.row_names[result] = row
        for x in self.kept:
            if self.length is None:
                self.stores[x] = self.emitter.fresh(f"{name_of(x)}_steps")
                self.emitter.lines.append(f"{self.stores[x]} = []")
                continue
            if x not in self.stores:
                self.stores[x] = self._declare(f"{name_of(x)}_steps", x.type, self.length)
            if has_rows(x.type) and x not in self.row_names and x not in histories:
                self.row_names[x] = self._row(x, self.stores[x])
        return histories

    def _declare(self, wish: str, of: Type, length: int) -> str:
        emitter = self.emitter
        name = emitter.fresh(wish)
        if of.kind not in (np.ndarray, np.generic, float, int, complex, bool):
            # A list of lists, each of a loop inside: a loop outside may keep all of it.
            emitter.lines.append(f"{name} = [None] * {length}")
            return name
        dtype = np.dtype(of.kind) if of.dtype is None else of.dtype
        text = f"{emitter.function(np.empty)}({(length, *of.shape)}, {emitter.literal(dtype)})"
        emitter.prelude.append(f"{name} = {text}")
        return name

    def _view(self, wish: str, text: str) -> str:
        name = self.emitter.fresh(wish)
        self.emitter.prelude.append(f"{name} = {text}")
        return name

    def _row(self, x: Operand, store: str) -> str:
        name = self.emitter.fresh(f"{name_of(x)}_row")
        self.items.append((name, f"{store}[::-1]" if self.is_reversed else store))
        return name

    def _rows_of(self, x: Operand, row: Type) -> str:
        """An expression for the rows of an array, in the order of the steps."""
        if isinstance(x, Constant) and isinstance(x.value, range):
            return repr(x.value[::-1] if self.is_reversed else x.value)
        text = self.emitter.operand(x)
        if self.is_reversed:
            text = f"{text}[::-1]"
        return f"{text}.tolist()" if x.type.is_array and row.dtype is None else text

    # The steps.

    def _begin(self, histories: dict[Input, str]) -> None:
        """What the carries are at first."""
        emitter = self.emitter
        for given, begin in zip(self.carries, self.begin, strict=True):
            name = self.names[given]
            if given in histories:
                emitter.lines += [
                    f"{name} = {histories[given]}",
                    f"{name}[...] = {emitter.operand(begin)}",
                ]
            elif given in self.schedule.donated and is_zero(begin):
                arguments = f"{given.type.shape}, {emitter.literal(given.type.dtype)}"
                emitter.lines.append(f"{name} = {emitter.function(np.zeros)}({arguments})")
            elif given in self.schedule.donated:
                text = f"{emitter.function(np.array)}({emitter.operand(begin)})"
                emitter.lines.append(f"{name} = {text}")
            else:
                dtype = given.type.dtype if isinstance(begin, Constant) else None
                text = emitter.operand(begin, dtype)
                if self.length is None and given in self.kept and given.type.is_array:
                    # It goes into a list as it is, and may lie in a buffer.
                    is_scalar = given.type.kind is np.generic
                    text = f"{emitter.function(np.array)}({text}){'[()]' * is_scalar}"
                emitter.lines.append(f"{name} = {text}")

    def _keep(self, inner: OperationWriter) -> None:
        """Copy into its store what has not been written there."""
        for x in dict.fromkeys(self.kept):
            is_history = x in self.carries and has_rows(x.type) and self.length is not None
            if x in inner.rows or is_history:
                continue
            text = self.emitter.operand(x)
            if self.length is None:
                text = text if x in self.carries else inner.owned(x, False)
                self.emitter.lines.append(f"{self.stores[x]}.append({text})")
            elif x in self.row_names:
                self.emitter.lines.append(f"{self.row_names[x]}[...] = {text}")
            else:
                if self.index is None:
                    self.index = self.emitter.fresh("step")
                self.emitter.lines.append(f"{self.stores[x]}[{self.index}] = {text}")

    def _hand_on(self, inner: OperationWriter) -> None:
        """Bind the names of carries to what comes next."""
        lines = self.emitter.lines
        names, texts = [], []
        returned: set[Operand] = set()
        for given, x in zip(self.carries, self.results, strict=True):
            if given in self.next_rows:
                text = self.next_rows[given]
                is_there = self.row_names.get(x) == text and (x in inner.rows or x in self.kept)
                if not is_there:
                    lines.append(f"{text}[...] = {self.emitter.operand(x)}")
            elif x in self.carries and x not in returned:
                text = self.names[x]
            else:
                text = inner.owned(x, x in returned)
            returned.add(x)
            if text != self.names[given]:
                names.append(self.names[given])
                texts.append(text)
        if names:
            lines.append(f"{', '.join(names)} = {', '.join(texts)}")

    def _opening(self) -> list[str]:
        """The line with ``for``, or several where one would be too long."""
        items = list(self.items)
        if self.length is None:
            assert items, "a loop of unknown length goes through what one of that length has kept"
        elif self.index is not None or not items:
            steps = range(self.length)
            items.insert(0, (self.index or "_", repr(steps[::-1] if self.is_reversed else steps)))
        names = ", ".join(name for name, _ in items)
        texts = ", ".join(text for _, text in items)
        if len(items) == 1:
            return [f"for {names} in {texts}:"]
        if self.length is None:
            texts += ", strict=True"
        line = f"for {names} in zip({texts}):"
        if len(line) <= LONGEST_LINE:
            return [line]
        return ["for (", *wrapped(names), ") in zip(", *wrapped(texts), "):"]


def wrapped(text: str) -> list[str]:
    """Names in several lines, as between brackets."""
    lines = wrap(f"{text},", LONGEST_LINE, break_long_words=False, break_on_hyphens=False)
    return [f"    {line}" for line in lines]


class WhileLoop(Loop):
    """A loop of so many steps as a condition wants."""

    def _test(self) -> None:
        (schedule,) = self.others
        inner = OperationWriter(self.emitter, schedule)
        self.emitter.homes.update(dict.fromkeys(schedule.program.operations, self.emitter.lines))
        self.write_operations(inner)
        (result,) = schedule.program.outputs
        self.emitter.lines += [f"if not {self.emitter.operand(result)}:", "    break"]

    def _opening(self) -> list[str]:
        return ["while True:"]


def has_rows(of: Type) -> bool:
    """Whether a row of an array for all steps is an array that can be written into."""
    return of.kind is np.ndarray and bool(of.shape)


def is_zero(x: Operand) -> bool:
    return isinstance(x, Constant) and isinstance(x.value, np.ndarray) and not np.any(x.value)


def name_of(x: Operand) -> Any:
    if isinstance(x, Operation):
        return x.name or x.primitive.name
    return x.name if isinstance(x, Input) else "constant"
