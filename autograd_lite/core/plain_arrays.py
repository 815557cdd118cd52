"""Plain arrays that show the numbers of a Value, as `numpy.asarray` makes them.

Of plain arrays they would share the memory, and show what is written there later.  A Value's
writes go to other memory often enough, so that one which such an array would have to show
is refused; and nobody writes through the array.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from weakref import ref

import numpy as np

from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.memory import memory_of, read_only
from autograd_lite.core.views import root_of

__all__ = ["as_plain_array", "check_unshown"]

shown: dict[int, tuple[ref[Any], list[ref[Any]]]] = {}
"""The arrays that show the memory of a Value, by the identity of the handle that has it."""


def as_plain_array(handle: Any, dtype: Any, copy: bool | None) -> Any:
    """The numbers of a handle, as NumPy asks for them."""
    data = handle.node.data
    array = np.array(data, dtype, copy=copy)
    if not (isinstance(data, np.ndarray) and memory_of(array) is memory_of(data)):
        return array
    array = read_only(array)
    root = root_of(handle)
    key = id(root)
    if key not in shown:
        shown[key] = ref(root, partial(forget, key)), []
    arrays = shown[key][1]
    arrays[:] = [other for other in arrays if other() is not None]
    arrays.append(ref(array))
    return array


def forget(key: int, _: Any) -> None:
    shown.pop(key, None)


def check_unshown(root: Any, what: str) -> None:
    """Refuse a write that a plain array would have to show, but would not."""
    if id(root) in shown and any(array() is not None for array in shown[id(root)][1]):
        raise InPlaceError(
            f"{what}: np.asarray made a plain array of the same memory, which would not show this "
            "write; write np.array(x), which copies, in the place of np.asarray(x)"
        )
