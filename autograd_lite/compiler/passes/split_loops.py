"""Loops split: what does not depend on the carry is computed for all steps at once.

What a step needs of its rows alone comes before the loop; what the carry does not need, as
the gradients of rows, after it; and so do sums over the steps, as the gradients of weights.
NumPy then works on one array for all steps instead of on one for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.compiler.ir import (
    Constant,
    Input,
    Operand,
    Operation,
    Program,
    Type,
    keep_in_order,
    substitute,
    with_operands,
)
from autograd_lite.compiler.passes.remove_dead_code import has_effect, remove_dead_code
from autograd_lite.compiler.passes.simplify_bodies import needed_by
from autograd_lite.compiler.passes.stack_steps import Stacked, at_once, summed
from autograd_lite.ops import elementwise
from autograd_lite.transforms.bodies import part

__all__ = ["split_loops"]

LARGEST_ROW = 1 << 12
"""Elements of a row from which on a step is not much quicker in company."""

MOST_BYTES = 1 << 26
"""Of an array for all steps: larger ones are worth a loop that stays in the cache."""


def split_loops(program: Program) -> Program:
    """Take out of loops what need not be done step by step."""
    if not any(operation.bodies for operation in program.operations):
        return program
    known: dict[Operand, Operand] = {}
    places: dict[Operand, dict[int, Any]] = {}
    kept: dict[Operation, None] = {}

    for operation in program.operations:
        new = with_operands(operation, substitute(operation.operands, known))
        if is_counted_loop(new):
            split = Split(new)
            new = split.loop
            places[operation] = split.results
            known[operation] = new
            keep_in_order(new, kept)
            continue
        if operation.primitive is part and operation.operands[0] in places:
            place = places[operation.operands[0]].get(operation.parameters["index"])
            if isinstance(place, int):
                new = replace(new, parameters={"index": place})
            elif place is not None:
                known[operation] = place
                if isinstance(place, Operation):
                    keep_in_order(place, kept)
                continue
        known[operation] = new
        keep_in_order(new, kept)
    return Program(program.inputs, tuple(kept), substitute(program.outputs, known))


def is_counted_loop(operation: Operation) -> bool:
    length = operation.parameters.get("length") if operation.bodies else None
    return length is not None and length > 1


class Split:
    """One loop, split.

    Attributes
    ----------
    loop : Operation
        What is left of it.
    results : dict
        For each result of the former loop its place among those of the new one, or an
        operation outside.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        (self.body,) = operation.bodies
        self.length: int = operation.parameters["length"]
        n, m = operation.parameters["carries"], operation.parameters["rows"]
        inputs, operands = self.body.inputs, operation.operands
        self.carries = list(zip(operands[:n], inputs[:n], self.body.outputs[:n], strict=True))
        self.rows = list(zip(operands[n : n + m], inputs[n : n + m], strict=True))
        self.captured = list(zip(operands[n + m :], inputs[n + m :], strict=True))
        self.outside: dict[Operand, Stacked] = {x: Stacked(y, False) for y, x in self.captured}
        for operand, x in self.rows:
            if operand.type.is_array and x.type.is_array:
                self.outside[x] = Stacked(operand, True)
        self._compute_before()
        self.sums = self._find_sums()
        self.carried = [x for i, x in enumerate(self.carries) if i not in self.sums]
        results = (result for _, _, result in self.carried)
        effects = filter(has_effect, self.body.operations)
        self.inside = needed_by(self._without(self.before), (*results, *effects))
        self.stored: dict[Operand, int] = {}
        """What the loop keeps of every step, and its place among the new results."""
        self.after: dict[Operand, Stacked | None] = {}
        self._find_results()
        self.loop = self._build()
        self._take_parts()

    # Before the loop.

    def find_before(self, x: Operand) -> Stacked | None:
        if isinstance(x, Constant):
            return Stacked(x, False)
        return self.outside.get(x)

    def _compute_before(self) -> None:
        self.before: set[Operand] = set()
        for operation in self.body.operations:
            found = [self.find_before(x) for x in operation.operands]
            operands = [x for x in found if x is not None]
            if len(operands) < len(found) or not self._pays(operation, operands):
                continue
            new = at_once(operation, operands, self.length)
            if new is not None:
                self.outside[operation] = Stacked(new, True)
                self.before.add(operation)

    def _pays(self, operation: Operation, operands: list[Stacked]) -> bool:
        """Whether all results together are not large, nor larger than what they come from."""
        size = operation.type.size
        largest = max((int(np.prod(x.row)) for x in operands if x.is_stacked), default=0)
        is_small = size <= LARGEST_ROW and self.length * operation.type.nbytes <= MOST_BYTES
        return is_small and (size <= largest or size <= 64)

    def _without(self, before: set[Operand]) -> Program:
        """The body without what is computed before."""
        operations = tuple(x for x in self.body.operations if x not in before)
        return replace(self.body, operations=operations)

    # After the loop.

    def _find_sums(self) -> dict[int, Operand]:
        """Carries to which each step adds something, and that nobody reads, with what is added."""
        uses: dict[Operand, int] = {}
        for operation in self.body.operations:
            for x in operation.operands:
                uses[x] = uses.get(x, 0) + 1
        for x in self.body.outputs:
            uses[x] = uses.get(x, 0) + 1
        found = {}
        for index, (_, given, result) in enumerate(self.carries):
            is_sum = (
                isinstance(result, Operation)
                and result.primitive is elementwise.add
                and given in result.operands
                and given.type.is_array
                and uses[given] == uses[result] == 1
            )
            if is_sum and isinstance(result, Operation):
                x, y = result.operands
                term = y if x is given else x
                if term.type.shape == result.type.shape and term.type.dtype == result.type.dtype:
                    found[index] = term
        return found

    def find_after(self, x: Operand) -> Stacked | None:
        """What an operand is for all steps at once: computed after the loop, or kept by it."""
        if x not in self.after:
            self.after[x] = self._found_after(x)
        return self.after[x]

    def _found_after(self, x: Operand) -> Stacked | None:
        known = self.find_before(x)
        if known is not None:
            return known
        if isinstance(x, Operation) and x not in self.inside:
            found = [self.find_after(y) for y in x.operands]
            operands = [y for y in found if y is not None]
            if len(operands) == len(found) and self._pays(x, operands):
                new = at_once(x, operands, self.length)
                if new is not None:
                    return Stacked(new, True)
        return self._keep(x)

    def _keep(self, x: Operand) -> Stacked | None:
        """Let the loop keep what it has at every step, if it is little."""
        is_little = x.type.size <= LARGEST_ROW and self.length * x.type.nbytes <= MOST_BYTES
        if not x.type.is_array or not is_little:
            return None
        of = Type(np.ndarray, (self.length, *x.type.shape), x.type.dtype)
        return Stacked(Operation(part, (), {"of": x}, of), True)

    def _find_results(self) -> None:
        """Where each result of the loop comes from."""
        self.results: dict[int, Any] = {}
        for index in list(self.sums):
            total = summed(self.sums[index], self.find_after, self.length)
            if total is None:
                del self.sums[index]
                self.carried = [x for i, x in enumerate(self.carries) if i not in self.sums]
            else:
                self.results[index] = self._added(index, total)
        results = [result for _, _, result in self.carried]
        effects = filter(has_effect, self.body.operations)
        self.inside = needed_by(self._without(self.before), (*results, *effects))
        for index in range(len(self.carries), len(self.body.outputs)):
            x = self.body.outputs[index]
            found = self.find_before(x)
            if found is None and isinstance(x, Operation) and x not in self.inside:
                found = self.find_after(x)
            if found is not None and found.is_stacked:
                self.results[index] = found.operand

    def _added(self, index: int, total: Operand) -> Operand:
        begin, given, result = self.carries[index]
        if isinstance(begin, Constant) and not np.any(begin.value):
            return total
        assert isinstance(result, Operation)
        return replace(result, operands=(begin, total), type=given.type)

    # What is left.

    def _build(self) -> Operation:
        self._collect(self.results.values())
        rest = range(len(self.carries), len(self.body.outputs))
        kept = [self.body.outputs[index] for index in rest if index not in self.results]
        order = list(dict.fromkeys([*kept, *self.stored]))
        first = len(self.carried)
        self.stored = {x: first + place for place, x in enumerate(order)}
        for place, (_, given, _) in enumerate(self.carried):
            index = next(i for i, x in enumerate(self.carries) if x[1] is given)
            self.results[index] = place
        for index in rest:
            if index not in self.results:
                self.results[index] = self.stored[self.body.outputs[index]]
        outputs = (*(result for _, _, result in self.carried), *order)
        needed = needed_by(self._without(self.before), outputs)
        effects = list(filter(has_effect, self.body.operations))
        needed |= needed_by(self._without(self.before), effects)
        rows = [(operand, x) for operand, x in self.rows if x in needed]
        known: dict[Operand, Operand] = {}
        for x in self.body.operations:
            if x in self.before and x in needed:
                given = Input(x.name or x.primitive.name, x.type)
                rows.append((self.outside[x].operand, given))
                known[x] = given
        operations = []
        for x in self.body.operations:
            if x not in self.before and x in needed:
                new = with_operands(x, substitute(x.operands, known))
                known[x] = new
                operations.append(new)
        captured = [(operand, x) for operand, x in self.captured if x in needed]
        pairs = [*((begin, given) for begin, given, _ in self.carried), *rows, *captured]
        body = Program(
            tuple(given for _, given in pairs), tuple(operations), substitute(outputs, known)
        )
        return replace(
            self.operation,
            operands=tuple(operand for operand, _ in pairs),
            parameters=self.operation.parameters | {"carries": first, "rows": len(rows)},
            bodies=(remove_dead_code(body),),
        )

    def _collect(self, values: Iterable[Any]) -> None:
        """Note what operations after the loop read of its steps."""
        stack = [x for x in values if isinstance(x, Operation)]
        seen = {*stack, *self.operation.operands}
        while stack:
            x = stack.pop()
            if x.primitive is part and "of" in x.parameters:
                self.stored.setdefault(x.parameters["of"], 0)
            new = [y for y in x.operands if isinstance(y, Operation) and y not in seen]
            seen.update(new)
            stack += new

    def _take_parts(self) -> None:
        """Put results of the new loop in the places of what was only named so far."""
        known: dict[Operand, Operand] = {x: x for x in self.operation.operands}

        def settled(x: Operand) -> Operand:
            if not isinstance(x, Operation):
                return x
            if x not in known:
                if x.primitive is part and "of" in x.parameters:
                    index = self.stored[x.parameters["of"]]
                    known[x] = replace(x, operands=(self.loop,), parameters={"index": index})
                elif any(isinstance(y, Operation) for y in x.operands):
                    known[x] = with_operands(x, tuple(map(settled, x.operands)))
                else:
                    known[x] = x
            return known[x]

        for index, value in self.results.items():
            if not isinstance(value, int):
                self.results[index] = settled(value)
