"""Nested arguments: containers of all kinds, taken apart into leaves and put together again.

Tuples, lists, deques, dicts and their kin, namespaces, dataclasses and attrs classes are
containers, and what `register_tree` is told of.  None has no leaves; all else is a leaf.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, ItemsView, Iterable, Iterator, Sequence, ValuesView
from copy import copy
from functools import partial
from types import CellType, FunctionType, MappingProxyType, MethodType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, AutogradError
from autograd_lite.core.node import Handle

__all__ = [
    "Parts",
    "contents",
    "flatten",
    "flatten_like",
    "map",
    "parts_of",
    "refuse_hidden",
    "register_tree",
    "tuple_like",
    "unflatten",
]

Flatten = Callable[[Any], tuple[Iterable[Any], Any]]
Unflatten = Callable[[Any, Sequence[Any]], Any]

trees: dict[type, tuple[Flatten, Unflatten]] = {}
"""How to take apart, and put together again, objects of the types that were registered."""


def register_tree(type: type, flatten: Flatten, unflatten: Unflatten) -> None:
    """Let objects of a type be arguments and results: say how they are taken apart.

    Needed for classes of your own only: dataclasses and attrs classes are known, as all
    containers of Python's are but sets.  A field of a dataclass that is not to be
    differentiated may be marked ``field(metadata={"static": True})`` instead.

    Parameters
    ----------
    type
        The class; subclasses are registered for themselves.
    flatten
        Takes an object, and returns its parts (numbers, arrays or other containers) as a
        tuple, and whatever else belongs to it, which is never differentiated.
    unflatten
        Takes that other thing and a list of as many parts, and returns a new object.

    Raises
    ------
    ArgumentTypeError
        If ``type`` is not a class, if it is one of numbers or arrays, which are not taken apart,
        or if one of the others is not a function.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> class Line:
    ...     def __init__(self, slope, offset, name):
    ...         self.slope, self.offset, self.name = slope, offset, name
    >>> ag.register_tree(
    ...     Line,
    ...     lambda line: ((line.slope, line.offset), line.name),
    ...     lambda name, parts: Line(*parts, name),
    ... )
    >>> gradient = ag.grad(lambda line: line.slope**2 * line.offset)(Line(3.0, 5.0, "first"))
    >>> gradient.slope, gradient.offset, gradient.name
    (30.0, 9.0, 'first')
    """
    if not isinstance(type, CLASS):
        raise ArgumentTypeError(
            f"register_tree: {type!r} is not a class; pass the class of the objects, then flatten, "
            "then unflatten"
        )
    if issubclass(type, OF_NUMBERS):
        raise ArgumentTypeError(
            f"register_tree: {type.__name__} is a class of numbers or arrays, which are leaves and "
            "not taken apart; pass the class of what holds them"
        )
    for name, function in (("flatten", flatten), ("unflatten", unflatten)):
        if not callable(function):
            raise ArgumentTypeError(
                f"register_tree: {name} is {function!r}; pass a function that takes an object "
                "apart as flatten, and one that rebuilds it as unflatten"
            )
    trees[type] = flatten, unflatten


OF_NUMBERS = (np.ndarray, np.generic, Handle, float, int, complex)

CLASS = type


class Parts(NamedTuple):
    """A container taken apart."""

    keys: Sequence[Any]
    """What tells the parts from each other: keys, positions or names of attributes."""
    children: list[Any]
    make: Callable[[Sequence[Any]], Any]
    """Makes a container of the same kind from other parts; `rebuild` calls it."""
    auxiliary: Any = None
    """What else belongs to the container."""
    step: str | None = "[{!r}]"
    """How a part is written after the container, by its key; None if Python has no way."""


def parts_of(tree: Any) -> Parts | None:
    """Take a container apart; None for a leaf."""
    kind = type(tree)
    if kind in LEAVES or isinstance(tree, Handle):
        return None
    if kind in trees:
        return registered_parts(tree, *trees[kind])
    if kind is list:
        return Parts(range(len(tree)), tree, list)
    if isinstance(tree, dict):
        make = partial(dict_like, tree, list(tree))
        if kind is dict:
            return Parts(list(tree), list(tree.values()), make)
        auxiliary = getattr(tree, "default_factory", None), attributes_of(tree)
        return Parts(list(tree), list(tree.values()), make, auxiliary)
    if isinstance(tree, tuple):
        fields, make = getattr(tree, "_fields", None), partial(tuple_like, tree)
        if fields is not None:
            return Parts(fields, list(tree), make, attributes_of(tree) or None, step=".{}")
        return Parts(range(len(tree)), list(tree), make, attributes_of(tree) or None)
    if isinstance(tree, (list, deque)):
        auxiliary = getattr(tree, "maxlen", None), attributes_of(tree)
        return Parts(range(len(tree)), list(tree), partial(list_like, tree), auxiliary)
    if isinstance(tree, SimpleNamespace):
        names = list(vars(tree))
        make = partial(namespace_like, tree, names)
        return Parts(names, list(vars(tree).values()), make, step=".{}")
    if hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__attrs_attrs__"):
        is_array = hasattr(kind, "__array__")  # as those of Zarr, which are dataclasses
        return None if is_array or isinstance(tree, type) else fields_of(tree)
    return None


LEAVES = frozenset({float, int, complex, bool, str, type(None), np.ndarray, np.float64})
"""Most leaves are of these types; to find out of others takes longer."""

ARRAYS = frozenset({float, np.ndarray})
"""And most of these, of which there may be many, are of these types."""

SEQUENCES = frozenset({list, tuple})
"""Most containers are of these types, whose parts need not be named to be gone through."""


def registered_parts(tree: Any, flatten: Flatten, unflatten: Unflatten) -> Parts:
    try:
        children, auxiliary = flatten(tree)
        children = list(children)
    except (TypeError, ValueError) as error:
        name = type(tree).__name__
        raise ArgumentTypeError(
            f"the flatten that was registered for {name} failed ({error}); it must return a pair: "
            "a tuple of parts, and what else belongs to the object"
        ) from error
    return Parts(
        range(len(children)), children, lambda parts: unflatten(auxiliary, parts), auxiliary, None
    )


def fields_of(tree: Any) -> Parts:
    """The fields of a dataclass or attrs class that its constructor takes.

    The constructor makes the others anew; so they too follow from the parts.
    """
    kind = type(tree)
    if hasattr(kind, "__attrs_attrs__"):
        fields = [(x.name, x.alias, x.metadata) for x in kind.__attrs_attrs__ if x.init]
    else:
        fields = [(x.name, x.name, x.metadata) for x in dataclasses.fields(tree) if x.init]
    static = {
        argument: getattr(tree, name)
        for name, argument, metadata in fields
        if metadata.get("static")
    }
    varied = {name: argument for name, argument, _ in fields if argument not in static}

    def make(parts: Sequence[Any]) -> Any:
        return kind(**static, **dict(zip(varied.values(), parts, strict=True)))

    children = [getattr(tree, name) for name in varied]
    return Parts(list(varied), children, make, tuple(static.items()), ".{}")


def attributes_of(tree: Any) -> tuple[tuple[str, Any], ...]:
    """What an object of a subclass has besides its elements."""
    return tuple(getattr(tree, "__dict__", {}).items())


def dict_like(tree: dict[Any, Any], keys: Sequence[Any], parts: Sequence[Any]) -> Any:
    made = {} if type(tree) is dict else copy(tree)
    for key, part in zip(keys, parts, strict=True):
        made[key] = part
    return made


def tuple_like(tree: tuple[Any, ...], parts: Iterable[Any]) -> Any:
    """Others in a tuple like this one: a named one if it is, with its attributes if it has some."""
    kind: Any = type(tree)
    made = kind(*parts) if hasattr(kind, "_fields") else kind(parts)
    if hasattr(tree, "__dict__"):
        vars(made).update(vars(tree))
    return made


def list_like(tree: list[Any] | deque[Any], parts: Sequence[Any]) -> Any:
    made = copy(tree)
    made.clear()
    made.extend(parts)
    return made


def namespace_like(tree: SimpleNamespace, names: Sequence[str], parts: Sequence[Any]) -> Any:
    made = copy(tree)
    vars(made).update(zip(names, parts, strict=True))
    return made


def rebuild(tree: Any, parts: Parts, children: Sequence[Any]) -> Any:
    """A container like this one, of other parts."""
    try:
        return parts.make(children)
    except AutogradError:
        raise
    except Exception as error:
        name = type(tree).__name__
        raise ArgumentTypeError(
            f"{name} cannot be rebuilt with other numbers ({error}); say how it is made with "
            f"ag.register_tree({name}, flatten, unflatten)"
        ) from error


def flatten(tree: Any) -> list[Any]:
    """The leaves of a nesting, left to right; dicts in the order of their insertion.

    Examples
    --------
    >>> from autograd_lite.core.tree import flatten
    >>> flatten({"w": [1.0, 2.0], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    leaves: list[Any] = []
    try:
        collect(tree, leaves)
    except RecursionError:
        raise ArgumentTypeError(
            f"a container of type {type(tree).__name__} holds itself, or others nested too deep to "
            "be taken apart; pass the arrays that are in it"
        ) from None
    return leaves


def collect(tree: Any, leaves: list[Any]) -> None:
    kind = tree.__class__
    if kind in LEAVES or isinstance(tree, Handle):
        if tree is not None:
            leaves.append(tree)
        return
    if kind in SEQUENCES and kind not in trees:
        children = tree
    else:
        parts = parts_of(tree)
        if parts is None:
            leaves.append(tree)
            return
        children = parts.children
    for child in children:
        if child.__class__ in ARRAYS:
            leaves.append(child)
        else:
            collect(child, leaves)


def flatten_like(tree: Any, like: Any) -> list[Any]:
    """The leaves of a nesting in the order of another one, which it must be nested like.

    Where that has a leaf, anything may be.

    Examples
    --------
    >>> from autograd_lite.core.tree import flatten_like
    >>> flatten_like({"b": 1.0, "w": 2.0}, {"w": 0.0, "b": 0.0})
    [2.0, 1.0]
    """
    wanted = parts_of(like)
    if wanted is None:
        return [] if like is None else [tree]
    given = parts_of(tree)
    if given is None or len(given.keys) != len(wanted.keys):
        raise ArgumentValueError(
            f"expected {len(flatten(like))} arrays, given {len(flatten(tree))}; "
            "nest tangents like the arguments, and cotangents like the result"
        )
    # Sequences correspond by position, so that a tuple may stand for a named one.
    in_order = isinstance(tree, (tuple, list)) and isinstance(like, (tuple, list))
    keys = wanted.keys if in_order else given.keys
    keyed = dict(zip(keys, given.children, strict=True))
    if set(keyed) != set(wanted.keys):
        raise ArgumentValueError(
            f"expected the parts {list(wanted.keys)}, given {list(given.keys)}; "
            "nest tangents like the arguments, and cotangents like the result"
        )
    return [
        leaf
        for key, child in zip(wanted.keys, wanted.children, strict=True)
        for leaf in flatten_like(keyed[key], child)
    ]


def unflatten(tree: Any, leaves: Iterable[Any]) -> Any:
    """A nesting of the shape of ``tree`` with other leaves; the inverse of `flatten`.

    Examples
    --------
    >>> from autograd_lite.core.tree import unflatten
    >>> unflatten({"w": [0, 0], "b": (0,)}, [1.0, 2.0, 3.0])
    {'w': [1.0, 2.0], 'b': (3.0,)}
    """
    return unflatten_from(tree, iter(leaves))


def unflatten_from(tree: Any, leaves: Iterator[Any]) -> Any:
    kind = tree.__class__
    if kind in LEAVES:
        return None if tree is None else next(leaves)
    if kind in SEQUENCES and kind not in trees:
        return kind(
            [
                next(leaves) if child.__class__ in ARRAYS else unflatten_from(child, leaves)
                for child in tree
            ]
        )
    parts = parts_of(tree)
    if parts is None:
        return next(leaves)
    return rebuild(tree, parts, [unflatten_from(child, leaves) for child in parts.children])


def map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every leaf of a nesting.

    Examples
    --------
    >>> from autograd_lite.core.tree import map
    >>> map(lambda x: 2 * x, (1.0, [2.0]))
    (2.0, [4.0])
    """
    return unflatten(tree, [function(leaf) for leaf in flatten(tree)])


def refuse_hidden(name: str, result: Any, since: int) -> None:
    """Refuse a result of which Values as young as this would be taken for constants.

    They are in an object that is not taken apart, or in what else belongs to a container.
    """
    if isinstance(result, Handle):
        return
    for holder in holders(result):
        young = (x.node.serial >= since for x in values_in(holder))
        if isinstance(holder, Iterator) or any(young):
            kind = type(holder).__name__
            raise ArgumentTypeError(
                f"{name} returned an object of type {kind} with Values inside, which cannot be "
                "taken out; return a tuple or dict, or say how it is taken apart with "
                f"ag.register_tree({kind}, flatten, unflatten)"
            )


def holders(tree: Any) -> Iterator[Any]:
    """Whatever of a nesting might hide a Value: leaves that are none, and what is not a part."""
    parts = parts_of(tree)
    if parts is None:
        if not (tree is None or isinstance(tree, (Handle, float, int, str))):
            yield tree
        return
    if parts.auxiliary is not None:
        yield parts.auxiliary
    for child in parts.children:
        yield from holders(child)


def values_in(x: Any) -> Iterator[Handle]:
    """The Values in an object, at any depth."""
    stack = [x]
    seen: set[int] = set()
    while stack:
        x = stack.pop()
        if isinstance(x, Handle):
            yield x
        elif id(x) not in seen:
            seen.add(id(x))
            stack.extend(contents(x))


def held(cell: CellType) -> Any:
    """What a variable of a closure holds; None before it is filled."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def contents(x: Any) -> Iterable[Any]:
    """What is in an object, as far as that can be seen without calling anything of the user's."""
    if isinstance(x, (type, ModuleType)):
        return ()
    if isinstance(x, FunctionType):
        return [*map(held, x.__closure__ or ()), *(x.__defaults__ or ())]
    if isinstance(x, MethodType):
        return [x.__self__]
    if isinstance(x, partial):
        return [x.func, *x.args, *x.keywords.values()]
    if isinstance(x, (set, frozenset, ValuesView, ItemsView)):
        return list(x)
    if isinstance(x, (dict, MappingProxyType)):
        return list(x.values())
    if isinstance(x, (list, tuple, deque)):
        return list(x)
    if isinstance(x, np.ndarray):
        return list(x.flat) if x.dtype.kind == "O" else ()
    slots = [getattr(kind, "__slots__", ()) for kind in type(x).__mro__]
    names = [name for some in slots for name in ((some,) if isinstance(some, str) else some)]
    return [*getattr(x, "__dict__", {}).values(), *(getattr(x, name, None) for name in names)]
