"""Results of loops and branches that for some data are one array with something older.

A branch may hand on what it reads, a loop of no steps its first carry, and a step what it was
given.  In a function on plain arrays whoever writes to one of these then writes to the other.
Recorded for all data they are apart, so that none of them is written from there on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.memory import memory_of
from autograd_lite.core.node import Handle, Node, get_node
from autograd_lite.core.recorder import current
from autograd_lite.core.views import is_number, root_of
from autograd_lite.transforms.batching import Batched

__all__ = ["Owners", "note_results", "owners_of", "without_new_arrays"]

Owners = list[Any]
"""For each leaf the node that holds the memory it looks into, or an array; None of numbers."""


def owners_of(leaves: Iterable[Any]) -> Owners:
    return [owner_of(leaf) for leaf in leaves]


def owner_of(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return memory_of(leaf)
    if leaf.__class__ is Batched or not isinstance(leaf, Handle) or is_number(leaf):
        return None
    return get_node(root_of(leaf))


def without_new_arrays(owners: Owners, before: Owners) -> Owners:
    """Leave out plain arrays that a function did not return the time before: it makes them."""
    known = set(map(id, before))
    return [x if is_node(x) or id(x) in known else None for x in owners]


def note_results(
    what: str, results: Sequence[Any], returned: Sequence[Owners], since: int,
    given: Sequence[Any] = (), passed: Sequence[Any] = (), may_be_passed: bool = False,
) -> None:  # fmt: skip
    """Have the recorder refuse writes to results that may lie in the memory of something else.

    Parameters
    ----------
    results
        The Values that the loop or branch hands out.
    returned
        Of each function that they may come from, whose memory its results lie in.
    since
        Nodes with a smaller serial number are older than the loop or branch.
    given, passed
        Of a loop: the memory of what its function is given, and of what that is at first.
    may_be_passed
        Whether the results may be what was passed.
    """
    shared: dict[Node, None] = {}
    inside = {id(x) for x in given if x is not None}

    def is_shared(owner: Any, times: int) -> bool:
        is_older = not isinstance(owner, Node) or owner.serial < since
        return is_older or times > 1 or id(owner) in inside

    for owners in returned:
        times = Counter(map(id, owners))
        for result, owner in zip(results, owners, strict=True):
            if owner is None or not is_shared(owner, times[id(owner)]):
                continue
            shared.update(dict.fromkeys(x for x in (owner, owner_of(result)) if is_node(x)))
            may_be_passed = may_be_passed or id(owner) in inside
    if may_be_passed:
        shared.update(dict.fromkeys(filter(is_node, (*passed, *owners_of(results)))))
    current.get().note_shared(shared, what)


def is_node(x: Any) -> bool:
    return isinstance(x, Node)
