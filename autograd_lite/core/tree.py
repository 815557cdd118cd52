"""Nested arguments: tuples, lists and dicts, taken apart into leaves and put together again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["flatten", "map", "unflatten"]


def flatten(tree: Any) -> list[Any]:
    """The leaves of a nesting, left to right; dicts in the order of their insertion.

    Examples
    --------
    >>> from autograd_lite.core.tree import flatten
    >>> flatten({"w": [1.0, 2.0], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in flatten(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in flatten(part)]
    return [] if tree is None else [tree]


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
    if isinstance(tree, dict):
        return type(tree)((key, unflatten_from(part, leaves)) for key, part in tree.items())
    if isinstance(tree, (list, tuple)):
        parts = [unflatten_from(part, leaves) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return None if tree is None else next(leaves)


def map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every leaf of a nesting.

    Examples
    --------
    >>> from autograd_lite.core.tree import map
    >>> map(lambda x: 2 * x, (1.0, [2.0]))
    (2.0, [4.0])
    """
    return unflatten(tree, [function(leaf) for leaf in flatten(tree)])
