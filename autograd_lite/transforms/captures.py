"""Guards: what a program has taken in as constants is compared with what is there, at every call.

All places that `reach` finds are compared by one generated function, object by object; objects
that are others may still be equal numbers or texts.  Arrays that somebody can write to are
compared by what they hold.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from operator import is_
from types import MethodType
from typing import Any

import numpy as np

from autograd_lite.core.memory import checksum
from autograd_lite.core.node import Handle, Node
from autograd_lite.transforms.reach import NAMES, Place, Reach, is_writable

__all__ = ["Captured", "Guards", "fingerprint"]

FEW_BYTES = 1 << 14
"""Of an array; beyond, a sum of its words is quicker than a checksum of its bytes."""


GRAPH_OF_A_HANDLE = "({0}.node if {0}.node.requires_grad and {0}.node.primitive else None)"
"""What a captured Value was computed from.  A variable that is updated is none the less the same,
and its numbers are read at every call."""


class Captured:
    """What functions read from outside, as it was when they were traced.

    Attributes
    ----------
    generators : list of numpy.random.Generator
        The random generators among it.
    values : list of (str, Handle)
        The Values among it, with their names.
    beyond : str or None
        The name of what leads to more objects than are watched.
    """

    def __init__(self, functions: Iterable[Any]) -> None:
        self.functions = list(functions)
        self.numbers: list[tuple[str, Handle, Any, Any]] = []
        self._look()

    def _look(self, captured: Iterable[Node] = ()) -> None:
        """Walk from the functions to all that they read, and take down what it is."""
        reach = Reach(*self.functions)
        self.beyond = reach.beyond
        self.generators = reach.generators
        self.arrays = [(name, array, fingerprint(array)) for name, array in reach.arrays]
        self.handles: dict[Node, list[Handle]] = {}
        self.values = reach.values
        names = {}
        for name, value in self.values:
            self.handles.setdefault(value.node, []).append(value)
            names[id(value)] = name
        places = list(reach.places)
        for node in captured:
            handles = self.handles.get(node, [])
            for handle in handles:
                name = names[id(handle)]
                text = "{0}.node" if len(handles) > 1 else GRAPH_OF_A_HANDLE
                places.append(Place(text, handle, name))
                places.append(Place("{0}.node.requires_grad", handle, f"{name}.requires_grad"))
        self.guards = Guards(places)

    def handle_of(self, node: Node) -> Handle:
        """Who looks at a captured node, and comes to look at another one when it is written to."""
        known = self.handles.get(node)
        if known:
            return known[0]
        handle = Handle()
        handle.node = node
        return handle

    def settle(
        self, functions: Iterable[Any], captured: Iterable[Node], read: Iterable[Node]
    ) -> None:
        """Look again after the trace: what it has filled, such as a cached property, stays so.

        Parameters
        ----------
        functions
            Others that the program is made of.
        captured, read
            Values from outside that the program reads at every call, and those whose numbers, as
            they were, are constants of it.
        """
        self.functions += functions
        self._look(captured)
        for node in read:
            data = node.data
            is_watched = isinstance(data, np.ndarray) and is_writable(data)
            before = fingerprint(data) if is_watched else None
            self.numbers.append((node.label or "a Value", self.handle_of(node), data, before))

    @property
    def holds_identities_only(self) -> bool:
        """Whether nothing is to be compared but identities."""
        return not (self.arrays or self.numbers)

    def changed(self) -> str | None:
        """The name of a variable that is not what it was, and how it differs."""
        if not self.guards.hold():
            change = self.guards.find_change()
            if change is not None:
                return change
        for name, array, before in self.arrays:
            if fingerprint(array) != before:
                return f"the array {name!r} holds other numbers"
        for name, handle, data, before in self.numbers:
            now = handle.node.data
            is_other = now is not data and not is_same(now, data)
            if is_other or (before is not None and fingerprint(now) != before):
                return f"{name!r}, whose number was read while it was traced, holds another one"
        return None


class Guards:
    """Places, and what was found there.

    ``hold()`` says whether the same objects are there: a function written as text, which takes
    some 30 ns a place.  To write it takes as long as to read the places a few times, so it is
    written when it is asked for again.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.names: dict[str, Any] = {**NAMES, "are_held": are_held}
        self.hold: Callable[[], bool] = self._hold_once
        self._take_down(self.read())

    def read(self) -> list[Any]:
        return [place.read() for place in self.places]

    def _hold_once(self) -> bool:
        self.hold = self._hold_again
        return self.find_change() is None

    def _hold_again(self) -> bool:
        self.hold = self._written()
        return self.hold()

    def _written(self) -> Callable[[], bool]:
        """The function that compares, one line for all places."""
        holders: dict[int, str] = {}
        for place in self.places:
            if id(place.holder) not in holders:
                holders[id(place.holder)] = f"x{len(holders)}"
                self.names[holders[id(place.holder)]] = place.holder
        tests = [test_of(i, x, holders[id(x.holder)]) for i, x in enumerate(self.places)]
        lines = [
            "def hold():",
            "    try:",
            f"        return {' and '.join(tests) or True}",
            "    except (AttributeError, KeyError, RuntimeError, ValueError):",
            "        return False  # something is gone, or another thread is changing it",
        ]
        exec("\n".join(lines), self.names)
        hold: Callable[[], bool] = self.names["hold"]
        return hold

    def _take_down(self, found: list[Any]) -> None:
        """Make what was found the objects to compare with."""
        self.found = found
        for index, x in enumerate(found):
            self.names[f"v{index}"] = x

    def find_change(self) -> str | None:
        """What has changed, if it is not only that there are other objects of the same value."""
        try:
            found = self.read()
        except (AttributeError, RuntimeError) as error:
            return f"something cannot be read any more ({error})"
        for place, now, before in zip(self.places, found, self.found, strict=True):
            if not place.is_container:
                if not is_same(now, before):
                    return f"{place.name!r} is another object"
            elif len(now) != len(before) or not all(map(is_same, now, before)):
                return f"{place.name!r} has other elements"
        self._take_down(found)
        return None


def test_of(index: int, place: Place, holder: str) -> str:
    """The text that tells whether what is at a place is the object that was there."""
    text = place.text.format(holder)
    if place.is_container:
        return f"are_held({text}, v{index})"
    if text == f"contents({holder})":
        text = f"{holder}.cell_contents"
    elif place.key is not None and place.key in place.holder:
        text = f"{holder}[{place.key!r}]"
    return f"{text} is v{index}"


def are_held(now: Any, before: list[Any]) -> bool:
    """Whether a container holds the objects that it held, in the same order."""
    return len(now) == len(before) and all(map(is_, now, before))


def is_same(x: Any, y: Any) -> bool:
    """The same object, or an equal number or text, to the last bit."""
    if x is y:
        return True
    if type(x) is not type(y):
        return False
    if isinstance(x, (bool, int, str, bytes)):
        return bool(x == y)
    if isinstance(x, (float, complex)):
        return repr(x) == repr(y)
    if isinstance(x, np.generic):
        return bool(x.dtype == y.dtype) and x.tobytes() == y.tobytes()
    if isinstance(x, MethodType):  # made anew each time, as by WeakMethod
        return x.__self__ is y.__self__ and x.__func__ is y.__func__
    if type(x) is tuple:
        return len(x) == len(y) and all(map(is_same, x, y))
    return False


def fingerprint(array: Any) -> Any:
    """What tells whether the numbers of an array, its shape or dtype have changed."""
    layout = array.shape, array.strides, array.dtype
    if array.nbytes <= FEW_BYTES:
        content = array.tobytes() if array.nbytes <= 256 else zlib.crc32(array.tobytes())
        return layout, content
    return layout, checksum(array)
