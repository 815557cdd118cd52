"""Nested arrays as one vector, and back: what solvers and optimizers of vectors want."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import prod
from typing import Any

import numpy as np

from autograd_lite.core import tree as trees
from autograd_lite.core.backward import as_dtype, is_complex
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.operands import as_data
from autograd_lite.core.primitive import PYTHON_SCALARS

__all__ = ["flatten", "unflatten"]


def flatten(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """All numbers of a nesting in one vector, and the function that nests a vector like it.

    Both ways are differentiable.

    Parameters
    ----------
    tree
        Any nesting of numbers and arrays: tuples, lists, dicts, dataclasses, what
        `register_tree` was told of; dicts in the order of their insertion.

    Returns
    -------
    vector : array
        Of shape (n,), an array of its own; a Value if there is one in ``tree``.  Its dtype is
        the one that NumPy gives arrays of these dtypes together.
    unflatten : callable
        Takes a vector of as many numbers; see `autograd_lite.unflatten`.

    Raises
    ------
    ArgumentTypeError
        If a leaf is neither number nor array, or if some are complex and others real.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> vector, unflatten = ag.flatten({"w": np.array([[1.0, 2.0]]), "b": 3.0})
    >>> vector
    array([1., 2., 3.])
    >>> unflatten(10 * vector)
    {'w': array([[10., 20.]]), 'b': 30.0}
    """
    leaves = numbers_of(tree)
    if not leaves:
        return np.zeros(0), partial(unflatten, tree)
    like = trees.unflatten(tree, map(template_of, leaves))
    return np.concatenate([np.reshape(x, (-1,)) for x in leaves]), partial(unflatten, like)


def template_of(leaf: Any) -> Any:
    """What stands for a leaf where only its shape and type matter."""
    kind = type(unwrap(leaf))
    if kind in PYTHON_SCALARS:
        return kind(0)
    zero = np.zeros((), leaf.dtype)
    return np.broadcast_to(zero, leaf.shape) if leaf.shape else zero[()]


def unflatten(tree: Any, vector: Any) -> Any:
    """A vector taken apart into a nesting like ``tree``; the inverse of `flatten`.

    Parameters
    ----------
    tree
        The nesting wanted, of numbers and arrays, whose own numbers do not matter.
    vector
        An array or Value of shape (n,), with as many numbers as ``tree`` has.

    Returns
    -------
    tree
        Nested and shaped as ``tree``, each part of the dtype that it has there.  As those
        of ``np.split`` the parts are views of the vector, unless dtypes differ.

    Raises
    ------
    ArgumentValueError
        If the vector has another shape.
    ArgumentTypeError
        If the vector is complex and ``tree`` is not, or ``tree`` holds what is not a number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.unflatten((np.zeros((2, 1)), 0.0), np.array([1.0, 2.0, 3.0]))
    (array([[1.],
           [2.]]), 3.0)
    """
    leaves = numbers_of(tree)
    shapes = [np.shape(x) for x in leaves]
    count = sum(map(prod, shapes))
    if not isinstance(vector, Handle):
        vector = np.asarray(as_data(vector, "vector"))
    if np.shape(vector) != (count,):
        raise ArgumentValueError(
            f"unflatten: the vector has shape {np.shape(vector)}, but the nesting has {count} "
            f"numbers; pass a vector of shape ({count},)"
        )
    if vector.dtype.kind == "c" and leaves and not is_complex(leaves[0]):
        raise ArgumentTypeError(
            "unflatten: the vector is complex, but the nesting is real; pass the real part, or a "
            "nesting of complex numbers"
        )
    parts = []
    start = 0
    for leaf, shape in zip(leaves, shapes, strict=True):
        stop = start + prod(shape)
        parts.append(part_like(leaf, vector[start:stop] if shape else vector[start], shape))
        start = stop
    return trees.unflatten(tree, parts)


def part_like(leaf: Any, part: Any, shape: tuple[int, ...]) -> Any:
    """A part of a vector with the shape and type of a leaf."""
    kind = type(unwrap(leaf))
    if kind in PYTHON_SCALARS:
        return part if isinstance(part, Handle) else kind(part)
    part = as_dtype(part, leaf.dtype)
    return np.reshape(part, shape) if shape else part


def numbers_of(tree: Any) -> list[Any]:
    """The leaves of a nesting, checked to be numbers and arrays, all real or all complex."""
    leaves = [
        leaf if isinstance(leaf, Handle) else as_data(leaf, "a leaf of the nesting")
        for leaf in trees.flatten(tree)
    ]
    kinds = set(map(is_complex, leaves))
    if len(kinds) == 2:
        raise ArgumentTypeError(
            "flatten: some numbers of the nesting are complex and others real, so that no vector "
            "holds them as they are; make all complex (x + 0j), or pass real and imaginary parts"
        )
    return leaves
