"""Loops and branches made smaller: results that nobody wants, what is carried but never changes.

What comes in twice comes in once, a number that is known is known inside as well, and what
a loop would collect that is there already is not collected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from autograd_lite.compiler.ir import (
    Constant,
    Input,
    Operand,
    Operation,
    Program,
    substitute,
    with_operands,
)
from autograd_lite.compiler.passes.remove_dead_code import remove_dead_code
from autograd_lite.transforms.bodies import part

__all__ = ["needed_by", "simplify_bodies"]

Results = dict[int, Operand | int]
"""Where results of a loop are to be found: elsewhere, or at another place among them."""


def simplify_bodies(program: Program) -> Program:
    """Leave out of loops and branches what nobody wants, and what need not be inside."""
    if not any(operation.bodies for operation in program.operations):
        return program
    used: dict[Operand, set[int]] = {}
    for operation in program.operations:
        if operation.primitive is part:
            used.setdefault(operation.operands[0], set()).add(operation.parameters["index"])
    known: dict[Operand, Operand] = {}
    places: dict[Operand, Results] = {}
    kept = []
    for operation in program.operations:
        new = with_operands(operation, substitute(operation.operands, known))
        if operation.bodies:
            of = Loop if "length" in operation.parameters else Branches
            new, places[operation] = of(new).simplify(used.get(operation, set()))
        elif operation.primitive is part:
            place = places[operation.operands[0]][operation.parameters["index"]]
            if not isinstance(place, int):
                known[operation] = place
                continue
            new = replace(new, parameters={"index": place})
        known[operation] = new
        kept.append(new)
    return Program(program.inputs, tuple(kept), substitute(program.outputs, known))


def needed_by(body: Program, outputs: Iterable[Operand]) -> set[Operand]:
    """What these outputs of a body are computed from."""
    found = set(outputs)
    for operation in reversed(body.operations):
        if operation in found:
            found.update(operation.operands)
    return found


def with_inputs(body: Program, known: dict[Operand, Operand]) -> Program:
    """A body that reads other operands in the places of these."""
    known = dict(known)
    operations = []
    for operation in body.operations:
        new = with_operands(operation, substitute(operation.operands, known))
        known[operation] = new
        operations.append(new)
    return Program(body.inputs, tuple(operations), substitute(body.outputs, known))


def given_once(
    pairs: Iterable[tuple[Operand, Input]],
) -> tuple[list[tuple[Operand, Input]], dict[Operand, Operand]]:
    """What comes in, each once; and what stands for the others."""
    first: dict[Operand, Input] = {}
    known: dict[Operand, Operand] = {}
    for operand, given in pairs:
        if isinstance(operand, Constant) and operand.is_number:
            known[given] = operand
        elif operand in first:
            known[given] = first[operand]
        else:
            first[operand] = given
    return list(first.items()), known


class Loop:
    """A loop, taken apart."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.body, *self.others = operation.bodies
        self.carries: int = operation.parameters["carries"]
        self.rows: int = operation.parameters["rows"]

    def simplify(self, used: set[int]) -> tuple[Operation, Results]:
        body, n, m = self.body, self.carries, self.carries + self.rows
        pairs = list(zip(self.operation.operands, body.inputs, strict=True))
        carries = [(index, *pair) for index, pair in enumerate(pairs[:n])]
        rows, captured = pairs[n:m], pairs[m:]
        places: Results = {}
        # What is carried and never changes is what it was at first.
        for index, begin, given in carries:
            if body.outputs[index] is given and begin.type == given.type and not self.others:
                captured.append((begin, given))
                places[index] = begin
        carries = [x for x in carries if x[0] not in places]
        row_of = {given: operand for operand, given in rows if operand.type.is_array}
        first: dict[Operand, int] = {}
        for index in sorted(used):
            x = body.outputs[index]
            if index < n:
                continue
            if x in row_of and self.operation.parameters["length"] is not None:
                places[index] = row_of[x]
            else:
                first.setdefault(x, index)
        stored = [index for x, index in first.items()]
        # Backwards from what is wanted: a carry that only itself needs is not.
        alive = {index for index in used if index < n and index not in places}
        conditions = [x for other in self.others for x in needed_by(other, other.outputs)]
        while True:
            outputs = [body.outputs[index] for index in (*alive, *stored)]
            needed = needed_by(body, (*outputs, *self.effects()))
            needed.update(conditions)
            more = {index for index, _, given in carries if given in needed}
            if more <= alive:
                break
            alive |= more
        carries = [x for x in carries if x[0] in alive]
        order = [*(index for index, _, _ in carries), *stored]
        new_place = {index: place for place, index in enumerate(order)}
        for index in used:
            if index not in places:
                same = index if index < n else first[body.outputs[index]]
                places[index] = new_place[same]
        return self.rebuilt(carries, rows, captured, order), places

    def effects(self) -> list[Operation]:
        kept = remove_dead_code(replace(self.body, outputs=())).operations
        return list(kept)

    def rebuilt(
        self, carries: list[Any], rows: list[Any], captured: list[Any], order: list[int]
    ) -> Operation:
        body = self.body
        body = replace(body, outputs=tuple(body.outputs[index] for index in order))
        rows, known = given_once(rows)
        captured, more = given_once(captured)
        body = remove_dead_code(with_inputs(body, known | more))
        others = [with_inputs(other, known | more) for other in self.others]
        needed = needed_by(body, (*body.outputs, *body.operations))
        for other in others:
            needed |= needed_by(other, other.outputs)
        if self.operation.parameters["length"] is None:
            needed.update(given for _, given in rows[:1])  # it tells the number of steps
        rows = [x for x in rows if x[1] in needed]
        captured = [x for x in captured if x[1] in needed]
        pairs = [*((begin, given) for _, begin, given in carries), *rows, *captured]
        inputs = tuple(given for _, given in pairs)
        parameters = self.operation.parameters | {"carries": len(carries), "rows": len(rows)}
        bodies = [replace(body, inputs=inputs)]
        bodies += [replace(x, inputs=inputs) for x in others]
        return replace(
            self.operation,
            operands=tuple(operand for operand, _ in pairs),
            parameters=parameters,
            bodies=tuple(bodies),
        )


class Branches:
    """Branches, taken apart."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation

    def simplify(self, used: set[int]) -> tuple[Operation, Results]:
        bodies = self.operation.bodies
        first: dict[tuple[Operand, ...], int] = {}
        places: Results = {}
        for index in sorted(used):
            results = tuple(body.outputs[index] for body in bodies)
            place = first.setdefault(results, len(first))
            places[index] = place
        predicate, *read = self.operation.operands
        outputs = list(zip(*first, strict=True)) or [()] * len(bodies)
        pairs = [given_once(zip(read, body.inputs, strict=True)) for body in bodies]
        changed = []
        for body, results, (_, known) in zip(bodies, outputs, pairs, strict=True):
            changed.append(
                remove_dead_code(with_inputs(replace(body, outputs=tuple(results)), known))
            )
        needed = [needed_by(body, (*body.outputs, *body.operations)) for body in changed]
        places_kept = [
            index
            for index in range(len(read))
            if any(body.inputs[index] in of for body, of in zip(changed, needed, strict=True))
        ]
        inputs = [tuple(body.inputs[index] for index in places_kept) for body in changed]
        return (
            replace(
                self.operation,
                operands=(predicate, *(read[index] for index in places_kept)),
                bodies=tuple(
                    replace(body, inputs=given) for body, given in zip(changed, inputs, strict=True)
                ),
            ),
            places,
        )
