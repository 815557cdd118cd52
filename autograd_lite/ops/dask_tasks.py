"""Values that tasks of Dask hold: in closures, defaults, arguments and objects of functions.

Dask runs its tasks later, wherever it likes, and no gradient comes back from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any
from weakref import WeakValueDictionary

from autograd_lite.core.duck_arrays import on_entry
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.leaving import is_differentiated
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np

__all__: list[str] = []

PLAIN = (np.ndarray, np.generic, str, bytes, int, float, complex, type, ModuleType, type(None))

without_values: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""Layers of graphs that were looked through, by their ids, and hold no Value with a gradient."""


def check_tasks(array: Any) -> None:
    """Refuse an array whose tasks compute with a Value that a gradient should reach.

    What an object holds is its own affair, as the weights of a model that predicts are,
    unless a function is differentiated by it.
    """
    for name, layer in getattr(array.dask, "layers", {}).items():
        if without_values.get(id(layer)) is layer:
            continue
        held = [found for found in values_in(layer) if found[0].node.requires_grad]
        if not held:
            without_values[id(layer)] = layer
        for value, is_own in held:
            if not is_own or is_differentiated(value.node):
                task = name.partition("-")[0]
                raise ArgumentTypeError(
                    f"a task of Dask{f' ({task})' * task.isidentifier()} holds a Value of shape "
                    f"{value.node.shape}, whose gradient would be lost.\nCompute with functions of "
                    "NumPy (Dask's arrays and Values mix there); or let the function hold x.data "
                    "if it is meant as a constant"
                )


on_entry["dask"] = check_tasks


def values_in(layer: Any) -> Iterator[tuple[Handle, bool]]:
    """The Values that a layer's tasks hold, and whether an object holds them."""
    tasks = layer.mapping.values() if hasattr(layer, "mapping") else ()
    # A stack, since graphs of tasks are as deep as they like.
    left: list[tuple[Any, bool]] = [(list(tasks), False)]
    left += [(getattr(layer, part, None), False) for part in ("task", "indices")]
    seen = set()
    while left:
        thing, is_own = left.pop()
        if isinstance(thing, PLAIN) or hasattr(thing, "__dask_graph__") or id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, Handle):
            yield thing, is_own
            continue
        parts = parts_of.get(type(thing))
        if parts is not None:
            left += [(part, is_own) for part in parts(thing)]
        elif hasattr(thing, "dependencies") and hasattr(thing, "key"):  # a task
            names = ("func", "args", "kwargs", "value")
            left += [(getattr(thing, name, None), is_own) for name in names]
        else:
            left += [(part, True) for part in getattr(thing, "__dict__", {}).values()]


def held_by_function(function: FunctionType) -> list[Any]:
    """What a function holds beside its code: cells, defaults, and the globals that it names."""
    cells = [cell for cell in function.__closure__ or () if holds_something(cell)]
    names = [name for name in function.__code__.co_names if name in function.__globals__]
    return [
        *(cell.cell_contents for cell in cells),
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
        *(function.__globals__[name] for name in names),
    ]


def holds_something(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:  # a variable that is set later
        return False


parts_of: dict[type, Callable[[Any], Any]] = {
    **dict.fromkeys((list, tuple, set, frozenset), list),
    dict: lambda things: things.values(),
    partial: lambda function: (function.func, function.args, function.keywords),
    MethodType: lambda method: (method.__func__, method.__self__),
    FunctionType: held_by_function,
}
"""What things of a type consist of, where it is not an object's own affair."""
