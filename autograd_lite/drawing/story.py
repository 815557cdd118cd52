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
from autograd_lite.drawing.formatting import (
    ALL_DIGITS,
    DIGITS,
    Shown,
    in_short,
    number,
    shorten,
    show,
)
from autograd_lite.drawing.formulas import (
    Symbol,
    apply_rule,
    argument_names,
    fill_in,
    formula_of,
    local_derivative,
    product_factors,
)
from autograd_lite.drawing.scene import Scene

__all__ = ["Step", "Story"]

Step = dict[str, Any]
Index = tuple[int, ...]

LARGEST_TABLE = 36
LONGEST_SUM = 6
SHORT_ARRAY = 4
NUMBERS = (float, int, complex, np.ndarray, np.generic)


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
        names = argument_names(node)
        formula = formula_of(node)
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
            "result": show(node.data).equated,
            **self._forward_elements(node, names, formula),
        }

    def _forward_elements(self, node: Node, names: list[str], formula: str) -> Step:
        """Of an array: its numbers, each of them spelt out where the operation can be."""
        if not has_elements(node.data):
            return {}
        assert node.primitive is not None
        factors = product_factors(node)
        if factors is not None or not node.primitive.broadcasts or node.parameters:
            return self._product("result", node.data, factors)
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
                    "array": True,
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
            "array": rank(contribution) > 0,
            "to": self.scene.key_of(operand),
            "name": self._name(operand),
            "upstream": "" if upstream is None else in_short(upstream),
            "contribution": in_short(contribution),
            "sum": in_short(self.sums[operand]),
            **sum_text(before, contribution, self.sums[operand]),
        }

    def _local(self, node: Node, place: int, contribution: Any) -> Step:
        """The local derivative: its formula, with numbers put in, and its value."""
        assert self.sweep is not None
        names = argument_names(node)
        known = [self._label(x) for x in node.inputs]
        # Either all have names of their own, or all go by those of the rule.
        chosen = names if None in known else map(str, known)
        labels = dict(zip(names, chosen, strict=True))
        result = self._label(node) or "out"
        entry: Step = {"derivative": f"∂{result}/∂{labels[names[place]]}"}
        found = local_derivative(node, place, self.sweep.gradients[node])
        if found is None:
            return entry
        is_local, symbol = found
        formula = fill_in(symbol.text, labels | {"out": result})
        if not is_local:
            elements = self._product("contribution", contribution, symbol.factors)
            return {**entry, "rule": formula, **elements}
        upstream = self.sweep.gradients[node]
        elements = self._local_elements(upstream, symbol.data, contribution)
        entry |= elements | {"formula": self._equation(node, place, symbol, formula)}
        if not rank(contribution):
            entry["product"] = product_of_two(upstream, symbol.data, contribution)
        return entry

    def _equation(self, node: Node, place: int, symbol: Symbol, formula: str) -> str:
        """A local derivative: its formula, the same with numbers put in, and what comes out."""
        if rank(symbol.data) or rank(node.data):
            return shorten(formula, 120)
        local = show(symbol.data)
        if symbol.text.lstrip("-").isdigit():
            return local.text

        def derivative(out: Any, *operands: Any) -> Any:
            again = apply_rule(node, place, Symbol("1", 1.0), out, operands)
            return None if again is None else again.data

        data = [node.data, *map(data_of, node.inputs)]
        digits = enough_digits(derivative, data, symbol.data)
        numbers = self._numbers(node, digits) | {"out": show(node.data, digits)}
        filled = put_in(symbol.text, numbers)
        sides = {formula: formula}
        for side in (filled, local):
            sides.setdefault(side.text, side.equated)
        return " ".join(shorten(text, 120) for text in sides.values())

    def _product(self, name: str, data: Any, factors: tuple[Any, Any] | None) -> Step:
        """What is not elementwise: its numbers, those of a product of matrices as sums."""
        if not has_elements(data):
            return {}
        if factors is None:
            return self._elements({name: data})
        return self._elements({name: data}, lambda index: product_text(factors, data, index))

    def _local_elements(self, upstream: Any, local: Any, contribution: Any) -> Step:
        """Upstream × local = contribution for each element, or for the largest of many."""
        if not has_elements(contribution) or np.shape(upstream) != contribution.shape:
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
            return in_short(x) if isinstance(x, NUMBERS) else index_text(x)
        named = self.scene.names.get(x.serial)
        if named:
            return shorten(named, 24)
        return "value" if x.primitive is None else f"{x.primitive.name}(…)"

    def _label(self, x: Any) -> str | None:
        """The name of an operand, the number of a constant; None for a nameless Value."""
        if isinstance(x, Node) and x.serial not in self.scene.names:
            return None
        return self._name(x)

    def _numbers(self, node: Node, digits: int) -> dict[str, Shown]:
        """What is put into a formula: numbers and short arrays, the names of long arrays."""
        names = argument_names(node)
        return {name: self._number(x, digits) for name, x in zip(names, node.inputs, strict=True)}

    def _number(self, x: Any, digits: int) -> Shown:
        data = data_of(x)
        if isinstance(data, tuple) or np.ndim(data) > 1 or np.size(data) > SHORT_ARRAY:
            return Shown(self._name(x))
        return show(data, digits) if isinstance(data, NUMBERS) else Shown(index_text(data))


def forward(node: Node, operands: Sequence[Any]) -> Any:
    """What a node's operation makes of other numbers."""
    assert node.primitive is not None
    return node.primitive.forward(*operands, **node.parameters)


def put_in(formula: str, numbers: Mapping[str, Shown]) -> Shown:
    """A formula with numbers in it; exact if all of those are that it names."""
    filled = fill_in(formula, {name: shown.text for name, shown in numbers.items()})
    rounded = {name: "\N{REPLACEMENT CHARACTER}" for name, x in numbers.items() if not x.exact}
    return Shown(filled, fill_in(formula, rounded) == formula)


def enough_digits(evaluate: Callable[..., Any], operands: Sequence[Any], result: Any) -> int:
    """How many digits operands must show for the result, as it is shown, to follow from them."""
    wanted = show(result).text
    for digits in range(DIGITS, ALL_DIGITS, 2):
        try:
            with np.errstate(all="ignore"):
                found = evaluate(*(as_shown(x, digits) for x in operands))
        except Exception:
            return DIGITS  # an operation of anybody's may refuse what is not the number itself
        if found is not None and show(found).text == wanted:
            return digits
    return ALL_DIGITS


def as_shown(x: Any, digits: int) -> Any:
    """The number that a reader sees of a number; of a short array its numbers."""
    array = np.asarray(x) if isinstance(x, NUMBERS) else None
    if array is None or array.dtype.kind not in "fc" or array.size > SHORT_ARRAY:
        return x
    rounded = [complex(number(y, digits).replace("i", "j").replace(" ", "")) for y in array.flat]
    result = np.array(rounded if array.dtype.kind == "c" else np.real(rounded), array.dtype)
    return result.reshape(array.shape)[()]


def product_of_two(upstream: Any, local: Any, contribution: Any) -> str:
    """Upstream × local = contribution, of single numbers."""
    numbers = {"u": upstream, "d": local}
    return equation("u × d", numbers, contribution, operator.mul)


def sum_text(before: Any, contribution: Any, total: Any) -> dict[str, str]:
    """What a contribution is added to and what comes out, of single numbers."""
    if before is None or rank(contribution) or rank(before):
        return {}
    return {"addition": equation("a + b", {"a": before, "b": contribution}, total, operator.add)}


def equation(
    formula: str, operands: Mapping[str, Any], result: Any, evaluate: Callable[..., Any]
) -> str:
    """A formula of single numbers with enough of their digits put in, and its result."""
    digits = enough_digits(evaluate, list(operands.values()), result)
    shown = {name: show(x, digits) for name, x in operands.items()}
    filled = put_in(formula, shown)
    told = show(result)
    return f"{filled.text} {Shown(told.text, filled.exact and told.exact).equated}"


def has_elements(data: Any) -> bool:
    """Whether there are numbers to show: those of other libraries' arrays are not fetched."""
    return isinstance(data, np.ndarray) and data.ndim > 0 and data.size > 0


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
    numbers = {
        f"{side}{k}": x
        for side, line in (("x", left[row]), ("y", right[:, column]))
        for k, x in enumerate(line)
    }
    formula = " + ".join(f"x{k} · y{k}" for k in range(left.shape[1]))
    count = left.shape[1]

    def dot(*operands: Any) -> Any:
        return sum(map(operator.mul, operands[:count], operands[count:]))

    return f"{list(index)}: {equation(formula, numbers, np.asarray(result)[index], dot)}"
