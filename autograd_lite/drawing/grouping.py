"""Big graphs made small: nodes are put into groups, and each group is drawn as one box.

Every step here is a pure function that gives each box of the graph so far the
number of the box it goes into.  No step can make a cycle; the docstring of
each says why.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import groupby

from autograd_lite.drawing.collect import Graph
from autograd_lite.drawing.languages import word

__all__ = ["Groups", "Path", "fold", "folded_text", "kinds_of", "one_box_each", "run_text"]

Path = tuple[str, ...]

SHORTEST_CHAIN = 4


@dataclass(frozen=True)
class Groups:
    """Boxes in the order of computation: the nodes in each, and the boxes it depends on.

    ``calls`` are the module calls that a box stands for, as a whole.
    """

    members: list[list[int]]
    operands: list[list[int]]
    calls: list[tuple[Path, ...]]

    def __len__(self) -> int:
        return len(self.members)

    @cached_property
    def owners(self) -> list[int]:
        """For each node the box that it is in."""
        owners = [0] * sum(map(len, self.members))
        for box, members in enumerate(self.members):
            for index in members:
                owners[index] = box
        return owners

    def merge(self, classes: Sequence[int]) -> Groups:
        """The boxes of each class put into one; ``classes`` has a number for each box."""
        boxes: dict[int, list[int]] = defaultdict(list)
        for box, number in enumerate(classes):
            boxes[number].append(box)
        if len(boxes) == len(self):
            return self
        inputs: dict[int, dict[int, None]] = {number: {} for number in boxes}
        for number, operands in zip(classes, self.operands, strict=True):
            for o in operands:
                if classes[o] != number:
                    inputs[number][classes[o]] = None
        order = topological(inputs, {number: parts[0] for number, parts in boxes.items()})
        place = {number: index for index, number in enumerate(order)}
        return Groups(
            [
                sorted(node for box in boxes[number] for node in self.members[box])
                for number in order
            ],
            [[place[o] for o in inputs[number]] for number in order],
            [tuple(call for box in boxes[number] for call in self.calls[box]) for number in order],
        )


def topological(inputs: Mapping[int, Iterable[int]], age: Mapping[int, int]) -> list[int]:
    """Operands before what uses them, and else the oldest first (A. Kahn, CACM 5, 1962)."""
    users: dict[int, list[int]] = defaultdict(list)
    waiting = {}
    for number, operands in inputs.items():
        waiting[number] = 0
        for operand in operands:
            users[operand].append(number)
            waiting[number] += 1
    ready = [(age[number], number) for number, count in waiting.items() if not count]
    heapify(ready)
    order = []
    while ready:
        _, number = heappop(ready)
        order.append(number)
        for user in users[number]:
            waiting[user] -= 1
            if not waiting[user]:
                heappush(ready, (age[user], user))
    return order


def one_box_each(operands: list[list[int]]) -> Groups:
    """Each node in a box of its own."""
    count = len(operands)
    return Groups([[index] for index in range(count)], operands, [()] * count)


def fold(groups: Groups, kinds: Sequence[Hashable], limit: int) -> Groups:
    """Put boxes together until there are at most ``limit``, what repeats itself first.

    Nodes can be drawn as one if their ``kinds`` are equal, and their operands too.
    """
    single = groups
    if len(groups) > limit:
        groups = single.merge(chains(single))
    if len(groups) > limit:
        # Of what lies side by side no chain was made yet, so that none differs from its like.
        groups = single.merge(find_repeated(single, kinds))
        # What was repeated is one chain now, too long to read even if it fits.
        groups = groups.merge(chains(groups))
    if len(groups) > limit:
        groups = groups.merge(intervals(groups, limit))
    return groups


def kinds_of(graph: Graph, names: dict[int, str]) -> list[Hashable]:
    """The kinds of recorded nodes: the operation; of a leaf the name without numbers, and shape."""
    kinds: list[Hashable] = []
    results = set(graph.results)
    for index, node in enumerate(graph.nodes):
        if index in results:
            kinds.append(("result", index))
        elif node.primitive is None:
            stem = re.sub(r"\d+", "#", names.get(node.serial, ""))
            kinds.append((stem, getattr(node.data, "shape", ()), node.requires_grad))
        else:
            kinds.append(node.primitive.name)
    return kinds


def find_repeated(groups: Groups, kinds: Sequence[Hashable]) -> list[int]:
    """Equal operations on equal operands become one, and so do whole equal subgraphs.

    A class knows the classes of its operands, all of them smaller expressions
    than itself, so that no path leads from a class back into it.
    """
    numbers: dict[Hashable, int] = {}
    classes: list[int] = []
    for members, operands in zip(groups.members, groups.operands, strict=True):
        parts = tuple(kinds[node] for node in members)
        key = (parts, *(classes[operand] for operand in operands))
        classes.append(numbers.setdefault(key, len(numbers)))
    return classes


def chains(groups: Groups) -> list[int]:
    """Runs of boxes that each feed only the next become one, with the leaves that only they use.

    Only the last box of a run is used outside, and what else a box of the run
    needs is older than the whole run, so that no path leaves it and comes back.
    """
    count = len(groups)
    user = only_users(groups, range(count))
    heads = list(range(count))
    lengths = [1] * count
    for box, operands in enumerate(groups.operands):
        inner = [o for o in operands if groups.operands[o]]
        link = max(inner, default=-1)
        if link < 0 or user[link] != box or user[box] == UNUSED:
            continue
        if all(o < heads[link] for o in inner if o != link):
            heads[box] = heads[link]
            lengths[heads[box]] += 1
    classes = [head if lengths[head] >= SHORTEST_CHAIN else box for box, head in enumerate(heads)]
    for leaf, number in enumerate(only_users(groups, classes)):
        if not groups.operands[leaf] and number >= 0 and lengths[number] >= SHORTEST_CHAIN:
            classes[leaf] = number
    return classes


UNUSED, SEVERAL = -1, -2


def only_users(groups: Groups, classes: Sequence[int]) -> list[int]:
    """For each box the one class that uses it, or that there is none or more than one."""
    only = [UNUSED] * len(groups)
    for number, operands in zip(classes, groups.operands, strict=True):
        for o in operands:
            if only[o] != number:
                only[o] = number if only[o] == UNUSED else SEVERAL
    return only


def intervals(groups: Groups, limit: int) -> list[int]:
    """Stretches of the order of computation: what is always possible, and says least.

    Edges lead only from a stretch to the same or a later one.  Leaves depend on
    nothing; each goes with the first stretch that uses it, if only that one does.
    """
    inner = [box for box, operands in enumerate(groups.operands) if operands]
    size = -(-len(inner) // max(limit // 2 - 1, 1))
    classes = [-1] * len(groups)
    for place, box in enumerate(inner):
        classes[box] = place // size
    last = inner[-1] if inner else -1
    classes[last] = len(groups)
    users = only_users(groups, classes)
    first = [len(groups)] * len(groups)
    for box in reversed(inner):
        for o in groups.operands[box]:
            first[o] = classes[box]
    for box, operands in enumerate(groups.operands):
        if not operands:
            classes[box] = users[box] if users[box] >= 0 else len(groups) + 1 + first[box]
    return classes


def run_text(names: Sequence[str]) -> str:
    """A run of operations in words.

    Examples
    --------
    >>> from autograd_lite.drawing.grouping import run_text
    >>> run_text(["matmul", "tanh"] * 8 + ["sum"])
    '8 × (matmul → tanh) → sum'
    """
    for period in range(1, min(len(names) // 2, 12) + 1):
        count = 1
        while names[count * period : (count + 1) * period] == names[:period]:
            count += 1
        rest = names[count * period :]
        if count > 1 and len(rest) <= period:
            body = " → ".join(names[:period])
            repeated = f"{count:,} × " + (f"({body})" if period > 1 else body)
            return " → ".join((repeated, *rest))
    runs = [(name, len(list(run))) for name, run in groupby(names)]
    return " → ".join(name if count == 1 else f"{count:,} × {name}" for name, count in runs)


def folded_text(operations: Sequence[str], leaves: int) -> tuple[str, list[tuple[str, str]]]:
    """The title of a box of several operations, and the rows that say which they are."""
    rows = []
    if len(set(operations)) == 1:
        title = f"{len(operations)} × {operations[0]}"
    else:
        title = word("operations", count=f"{len(operations):,}")
        run = run_text(operations)
        rows.append(("", run if len(run) < 60 else counts_of(operations)))
    if leaves:
        said = "with_leaf" if leaves == 1 else "with_leaves"
        rows.append(("", word(said, count=f"{leaves:,}")))
    return title, rows


def counts_of(operations: Sequence[str]) -> str:
    """How often each operation occurs: ``32 × (2 multiply, 2 add, tanh)``."""
    counted = Counter(operations)
    times = math.gcd(*counted.values())
    shown = counted.most_common(4)
    rest = (len(operations) - sum(count for _, count in shown)) // times
    parts = [name if count == times > 1 else f"{count // times:,} {name}" for name, count in shown]
    text = ", ".join(parts + ([word("others", count=f"{rest:,}")] if rest else []))
    return f"{times:,} × ({text})" if times > 1 else text
