"""What happens in each step of a computation and of its gradient, told in formulas and numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.backward import add
from autograd_lite.core.node import Node, data_of
from autograd_lite.drawing.backpropagation import Backpropagation
from autograd_lite.drawing.collect import index_text, rank
from autograd_lite.drawing.entries import Entries
from autograd_lite.drawing.equations import (
    NUMBERS,
    SHORT_ARRAY,
    as_read,
    enough_digits,
    equation,
    outcome,
    put_in,
    sum_of_products,
)
from autograd_lite.drawing.formatting import Shown, in_short, number, shorten, show, show_number
from autograd_lite.drawing.formulas import (
    Symbol,
    apply_rule,
    argument_names,
    fill_in,
    formula_of,
    is_readable,
    local_derivative,
    product_factors,
)
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.operation_words import GENERAL, sentence_of
from autograd_lite.drawing.scene import Scene

__all__ = ["Step", "Story"]

Step = dict[str, Any]
Index = tuple[int, ...]

LARGEST_TABLE = 36
LONGEST_SUM = 6
FREE = ("u", "v", "s", "t", "p", "q", "r")
"""What operands without a name are called where the names of the rule are taken."""


class Story:
    """The steps of one run, forward and, if it has a sweep, backward.

    ``table_room`` is how many characters its tables may have in all.
    """

    def __init__(self, scene: Scene, sweep: Backpropagation | None, table_room: int) -> None:
        self.scene = scene
        self.sweep = sweep
        self.sums: dict[Node, Any] = {}
        self.table_room = table_room
        self.titles = {vertex.key: vertex.title for vertex in scene.picture().vertices}
        names = (scene.names.get(node.serial) for node in scene.graph.nodes)
        self.taken = {name for name in names if name}

    def steps(self) -> Iterator[Step]:
        """One for each box that is computed, then one for each that hands a gradient on."""
        boxes = range(len(self.scene.groups))
        computed = [b for b in boxes if any(node.primitive for node in self.scene.members(b))]
        for box in computed:
            yield {"phase": "forward", "key": self.scene.box_key(box), **self._forward(box)}
        if self.sweep is None:
            return
        root = self.scene.root
        self.sums[root] = self.sweep.gradients[root]
        text = in_short(self.sums[root])
        yield {"phase": "seed", "key": self.scene.key_of(root), "text": text}
        for box in reversed(computed):
            parts = list(self._contributions(box))
            if parts:
                key = self.scene.box_key(box)
                yield {"phase": "backward", "key": key, "contributions": parts}

    def _single(self, box: int) -> Node | None:
        """The one node in a box; None for a box of several."""
        members = self.scene.members(box)
        return None if len(members) > 1 or self.scene.groups.calls[box] else members[0]

    # Forward.

    def _forward(self, box: int) -> Step:
        """The formula of an operation: as it is, with names and with numbers put in."""
        node = self._single(box)
        if node is None or node.primitive is None:
            return {}
        names = self._operands(node)
        formula = fill_in(formula_of(node), dict(zip(argument_names(node), names, strict=True)))
        labels = dict(zip(names, (self._name(x) for x in node.inputs), strict=True))
        operands = list(map(data_of, node.inputs))
        digits = enough_digits(lambda *x: forward(node, x), operands, node.data)
        numbers = self._numbers(node, digits)
        lines = {formula: formula}
        lines.setdefault(fill_in(formula, labels), f"= {fill_in(formula, labels)}")
        filled = put_in(formula, numbers)
        lines.setdefault(filled.text, filled.equated)
        return {
            "formulas": [shorten(text, 160) for text in lines.values()],
            "result": outcome(filled, node.data).equated,
            **self._forward_elements(node, names, formula),
        }

    def _forward_elements(self, node: Node, names: list[str], formula: str) -> Step:
        """Of an array: its numbers, each of them spelt out where the operation can be."""
        if not has_elements(node.data):
            return {}
        assert node.primitive is not None
        factors = product_factors(node)
        if factors is not None:
            return self._elements(
                {"result": node.data}, lambda i: product_text(factors, node.data, i)
            )
        if not node.primitive.elementwise or node.parameters:
            return self._elements({"result": node.data})
        operands = dict(zip(names, map(data_of, node.inputs), strict=True))
        return self._elements(
            {"result": node.data},
            lambda i: element_text(formula, operands, node.data, i, lambda *x: forward(node, x)),
        )

    def _elements(
        self, arrays: Mapping[str, Any], spell: Callable[[Index], str | None] = lambda index: None
    ) -> Step:
        """Small arrays as tables, every element of the last spelt out; else the one that counts."""
        last = list(arrays.values())[-1]
        index = largest(last)
        text = spell(index)
        alone = {} if text is None else {"element": text}
        if last.size > LARGEST_TABLE:
            return alone
        told: Step = {"tables": {name: table(array) for name, array in arrays.items()}}
        if rounded := [name for name, array in arrays.items() if not is_exact(array)]:
            told["rounded"] = rounded
        told["picked"] = int(np.ravel_multi_index(index, last.shape))
        if text is not None:
            told["spelt"] = [spell(place) for place in np.ndindex(last.shape)]
        length = len(str(told))
        if length > self.table_room:
            return alone
        self.table_room -= length
        return told

    # Backward.

    def _contributions(self, box: int) -> Iterator[Step]:
        """What the operations in a box hand to each operand outside of it."""
        assert self.sweep is not None
        node = self._single(box)
        if node is not None:
            for place, x in enumerate(node.inputs):
                part = self.sweep.contribution(node, place)
                if part is not None:
                    yield {**self._contribution(node, x, part), **self._local(node, place, part)}
            return
        handed: dict[Node, Any] = {}
        members = self.scene.members(box)
        inside = set(members)
        for member in members:
            for place, x in enumerate(member.inputs):
                if isinstance(x, Node) and x not in inside:
                    part = self.sweep.contribution(member, place)
                    if part is not None:
                        handed[x] = part if x not in handed else add(handed[x], part)
        yield from self._bundled(members[-1], handed)

    def _bundled(self, last: Node, handed: dict[Node, Any]) -> Iterator[Step]:
        """What a box of several operations hands on, in one entry for each box that receives."""
        receivers: dict[str, list[Node]] = {}
        for x in handed:
            receivers.setdefault(self.scene.key_of(x), []).append(x)
        for key, nodes in receivers.items():
            entries = [self._contribution(last, x, handed[x]) for x in nodes]
            if len(nodes) == 1:
                yield entries[0]
            else:
                contributions = [np.ravel(handed[x]) for x in nodes]
                sums = [np.ravel(self.sums[x]) for x in nodes]
                yield {
                    "to": key,
                    "name": self.titles[key],
                    "contribution": in_short(np.concatenate(contributions)),
                    "sum": in_short(np.concatenate(sums)),
                }

    def _contribution(self, node: Node, operand: Node, contribution: Any) -> Step:
        """One contribution, and what it adds up to with those before."""
        assert self.sweep is not None
        before = self.sums.get(operand)
        self.sums[operand] = contribution if before is None else add(before, contribution)
        upstream = self.sweep.gradients.get(node)
        return {
            "to": self.scene.key_of(operand),
            "name": self._name(operand),
            "upstream": "" if upstream is None else in_short(upstream),
            "contribution": in_short(contribution),
            "sum": in_short(self.sums[operand]),
            **sum_text(before, contribution, self.sums[operand]),
        }

    def _local(self, node: Node, place: int, contribution: Any) -> Step:
        """The local derivative: its formula, with numbers put in, and its value; else in words."""
        assert self.sweep is not None
        names = argument_names(node)
        chosen = [
            self._label(x) or name
            for x, name in zip(node.inputs, self._operands(node), strict=True)
        ]
        result = self._label(node) or ("out" if "out" not in self.taken else "result")
        labels = dict(zip(names, chosen, strict=True)) | {"out": result}
        entry: Step = {"derivative": f"∂{result}/∂{labels[names[place]]}"}
        upstream = self.sweep.gradients[node]
        found = local_derivative(node, place, upstream, contribution)
        if found is None or not found[0]:
            entry["words"] = [self._sentence(node)]
            if found is not None and is_readable(found[1].text):
                entry["rule"] = fill_in(found[1].text, labels | {"g": word("upstream")})
            return {**entry, **self._entries(node, place, contribution)}
        symbol = found[1]
        entry["formula"] = self._equation(node, place, symbol, labels)
        if not rank(contribution) and not rank(upstream):
            numbers = {"u": upstream, "d": symbol.data}
            return entry | {"product": equation("u × d", numbers, contribution, operator.mul)}
        if np.shape(upstream) != np.shape(contribution):
            count = np.size(upstream) // max(np.size(contribution), 1)
            entry["words"] = ["by.broadcast", count]
            return {**entry, **self._entries(node, place, contribution)}
        return {**entry, **self._local_elements(upstream, symbol.data, contribution)}

    def _sentence(self, node: Node) -> str:
        """The key of what says how an operation hands its gradient back, where no formula does."""
        assert node.primitive is not None
        sentence = sentence_of(node.primitive.name)
        is_plain = sentence == GENERAL and node.primitive.elementwise
        return "by.element" if is_plain else sentence

    def _equation(self, node: Node, place: int, symbol: Symbol, labels: Mapping[str, str]) -> str:
        """A local derivative: its formula, the same with numbers put in, and what comes out."""
        local = show(symbol.data)
        if symbol.text.lstrip("-").isdigit() or not is_readable(symbol.text):
            return local.marked
        formula = fill_in(symbol.text, labels)
        if rank(symbol.data) or rank(node.data):
            return shorten(formula, 120)

        def derivative(out: Any, *operands: Any) -> Any:
            again = apply_rule(node, place, Symbol("1", 1.0), out, operands)
            return None if again is None else again.data

        data = [node.data, *map(data_of, node.inputs)]
        digits = enough_digits(derivative, data, symbol.data)
        names = argument_names(node)
        numbers = {
            name: self._number(x, digits) for name, x in zip(names, node.inputs, strict=True)
        }
        filled = put_in(symbol.text, numbers | {"out": show(as_read(node.data), digits)})
        sides = {formula: formula}
        for side in (filled, outcome(filled, symbol.data)):
            sides.setdefault(side.text, side.equated)
        return " ".join(shorten(text, 120) for text in sides.values())

    def _entries(self, node: Node, place: int, contribution: Any) -> Step:
        """The entries of a contribution, each the sum of upstream × local that it is."""
        assert self.sweep is not None
        if not isinstance(contribution, NUMBERS) or np.size(contribution) == 0:
            return {}
        entries = Entries(self.sweep, node, place, contribution)
        if np.ndim(contribution) == 0:
            text = entries.spell(())
            return {} if text is None else {"element": text}
        return self._elements({"contribution": contribution}, entries.spell)

    def _local_elements(self, upstream: Any, local: Any, contribution: Any) -> Step:
        """Upstream × local = contribution for each element, or for the largest of many."""
        if not has_elements(contribution):
            return {}
        local = np.broadcast_to(local, contribution.shape)
        return self._elements(
            {"upstream": upstream, "local": local, "contribution": contribution},
            lambda i: element_text(
                "u × d", {"u": upstream, "d": local}, contribution, i, operator.mul
            ),
        )

    # Names and numbers.

    def _name(self, x: Any) -> str:
        """What an operand is called in a formula."""
        if not isinstance(x, Node):
            return constant_name(x) if isinstance(x, NUMBERS) else index_text(x)
        named = self.scene.names.get(x.serial)
        if named:
            return shorten(named, 24)
        return "value" if x.primitive is None else f"{x.primitive.name}(…)"

    def _label(self, x: Any) -> str | None:
        """The name of an operand, the number of a constant; None for a nameless Value."""
        if isinstance(x, Node) and x.serial not in self.scene.names:
            return None
        return self._name(x)

    def _operands(self, node: Node) -> list[str]:
        """What the operands are called in a formula: as in the rule, but by nobody else's name."""
        free = (name for name in FREE if name not in self.taken)
        return [
            name if name not in self.taken or self._label(x) == name else next(free, name)
            for name, x in zip(argument_names(node), node.inputs, strict=True)
        ]

    def _numbers(self, node: Node, digits: int) -> dict[str, Shown]:
        """What is put into a formula: numbers and short arrays, the names of long arrays."""
        names = self._operands(node)
        return {name: self._number(x, digits) for name, x in zip(names, node.inputs, strict=True)}

    def _number(self, x: Any, digits: int) -> Shown:
        data = data_of(x)
        if isinstance(data, tuple) or np.ndim(data) > 1 or np.size(data) > SHORT_ARRAY:
            return Shown(self._name(x))
        return show(as_read(data), digits) if isinstance(data, NUMBERS) else Shown(index_text(data))


def constant_name(x: Any) -> str:
    """What a constant is called: the number that it is, if that is all there is to it."""
    shown = show(x)
    return shown.text if shown.exact and "…" not in shown.text else word("kind.constant")


def forward(node: Node, operands: Sequence[Any]) -> Any:
    """What a node's operation makes of other numbers."""
    assert node.primitive is not None
    return node.primitive.forward(*operands, **node.parameters)


def sum_text(before: Any, contribution: Any, total: Any) -> dict[str, str]:
    """What a contribution is added to and what comes out, of single numbers."""
    if before is None or any(rank(x) or isinstance(x, tuple) for x in (before, contribution)):
        return {}
    return {"addition": equation("a + b", {"a": before, "b": contribution}, total, operator.add)}


def has_elements(data: Any) -> bool:
    """Whether there are numbers to show: those of other libraries' arrays are not fetched."""
    return isinstance(data, np.ndarray) and data.ndim > 0 and data.size > 0


def is_exact(data: Any) -> bool:
    """Whether the numbers of an array are all there is to them, as a table shows them."""
    return all(show_number(x).exact for x in np.ravel(data))


def table(data: Any) -> list[list[str]]:
    """The numbers of an array in rows."""
    array = np.asarray(data)
    return [[number(x) for x in row] for row in array.reshape(-1, array.shape[-1])]


def largest(data: Any) -> Index:
    """Where the element lies that counts most: the one worth spelling out."""
    array = np.nan_to_num(np.abs(np.asarray(data)))
    return tuple(int(i) for i in np.unravel_index(np.argmax(array), array.shape))


def element_text(
    formula: str,
    operands: Mapping[str, Any],
    result: Any,
    index: Index,
    evaluate: Callable[..., Any],
) -> str | None:
    """One element of an elementwise operation: its formula with that element's numbers put in."""
    shape = np.shape(result)
    try:
        numbers = {name: np.broadcast_to(x, shape)[index] for name, x in operands.items()}
    except ValueError:
        return None
    return f"{list(index)}: {equation(formula, numbers, np.asarray(result)[index], evaluate)}"


def product_text(factors: tuple[Any, Any], result: Any, index: Index) -> str | None:
    """One entry of a matrix product as the sum of products that it is; None if it is long."""
    left, right = (np.asarray(factor) for factor in factors)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] > LONGEST_SUM:
        return None
    row, column = index
    pairs = list(zip(left[row], right[:, column], strict=True))
    return f"{list(index)}: {sum_of_products(pairs, '·', np.asarray(result)[index])}"
