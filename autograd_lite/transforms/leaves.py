"""Leaves of what loops and branches take and give: their names, their types, and checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.primitive import PYTHON_SCALARS
from autograd_lite.core.tree import parts_of
from autograd_lite.transforms.batching import Batched
from autograd_lite.transforms.trace import is_number

__all__ = [
    "agree",
    "as_type",
    "check_alike",
    "check_leaf",
    "check_results",
    "dtype_of",
    "first_different",
    "is_plain_number",
    "named_leaves",
    "names_of",
    "takes_on",
    "text_of_type",
]


def named_leaves(tree: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a nesting, with what people call them."""
    parts = None if isinstance(tree, range) else parts_of(tree)
    if parts is None:
        if tree is not None:
            yield name, tree
        return
    for key, child in zip(parts.keys, parts.children, strict=True):
        yield from named_leaves(child, name + (parts.step or "[{!r}]").format(key))


def check_leaf(what: str, name: str, leaf: Any) -> None:
    if not is_number(leaf) or getattr(unwrap(leaf), "dtype", np.dtype(float)).kind not in "fciub":
        raise ArgumentTypeError(
            f"{what}: {name} is {type(leaf).__name__}; pass numbers, arrays, or nestings of them, "
            "and let the function capture all else"
        )


def check_results(what: str, tree: Any) -> None:
    """Refuse a branch that returns anything but numbers and arrays."""
    for name, leaf in named_leaves(tree, "the result"):
        check_leaf(f"{what}: of a branch", name, leaf)


def check_alike(what: str, name: str, tree: Any, like: Any) -> None:
    """Refuse nestings that differ in their parts, or in what belongs to them besides numbers.

    One of them is to stand for both.
    """
    names, others = names_of(tree, name), names_of(like, name)
    if names != others:
        raise ArgumentTypeError(
            f"{what} {', '.join(others) or 'None'}, and another time {', '.join(names) or 'None'}; "
            "return results of the same nesting"
        )
    different = first_different(tree, like, name)
    if different is not None:
        raise ArgumentTypeError(
            f"{what} {different} with other things besides its numbers than another time "
            "(static fields, attributes); return them alike, or what differs as numbers"
        )


def first_different(tree: Any, like: Any, name: str) -> str | None:
    """The container that has another auxiliary, by its name."""
    parts, others = parts_of(tree), parts_of(like)
    if parts is None or others is None:
        return None
    if not is_same(parts.auxiliary, others.auxiliary):
        return name
    for key, child, other in zip(parts.keys, parts.children, others.children, strict=False):
        step = (parts.step or "[{!r}]").format(key)
        found = first_different(child, other, name + step)
        if found is not None:
            return found
    return None


def is_same(x: Any, y: Any) -> bool:
    if x is y:
        return True
    try:
        return bool(x == y)
    except Exception:  # of objects of the user's, which may compare as they like
        return False


def agree(what: str, first: Any, leaves: Sequence[Any], tree: Any, others: Sequence[Any]) -> None:
    """Refuse branches whose results differ in kind: their nestings, and their leaves."""
    names, other_names = names_of(first, "the result"), names_of(tree, "the result")
    if names != other_names:
        raise ArgumentTypeError(
            f"{what}: one branch returns {', '.join(names) or 'None'}, and another one "
            f"{', '.join(other_names) or 'None'}; return results of the same nesting"
        )
    check_alike(f"{what}: one branch returns", "the result", tree, first)
    for name, x, y in zip(names, leaves, others, strict=True):
        is_number = is_plain_number(x) or is_plain_number(y)
        same_dtype = is_number or dtype_of(x) == dtype_of(y)
        if np.shape(unwrap(x)) != np.shape(unwrap(y)) or not same_dtype:
            raise ArgumentTypeError(
                f"{what}: {name} is {text_of_type(x)} in one branch and {text_of_type(y)} in "
                "another; convert one of them (np.broadcast_to(y, shape), y.astype(dtype))"
            )


def names_of(tree: Any, name: str) -> list[str]:
    return [leaf_name for leaf_name, _ in named_leaves(tree, name)]


def dtype_of(x: Any) -> Any:
    data = unwrap(x)
    return getattr(data, "dtype", None)


def is_plain_number(x: Any) -> bool:
    """Whether it is a Python number, which takes on the dtype of what it meets."""
    return plain_data(x).__class__ in PYTHON_SCALARS


def plain_data(x: Any) -> Any:
    """The data of a Value, or of one sample, if it is the same for all samples."""
    data = x if x.__class__ is Batched else unwrap(x)
    while data.__class__ is Batched and not data.stacked:
        data = unwrap(data.array)
    return data


WIDER = {bool: "biufc", int: "iufc", float: "fc", complex: "c"}
"""The kinds of dtypes that hold a Python number of a class."""


def takes_on(x: Any, like: Any) -> bool:
    """Whether a Python number is the same, to rounding, with the type of another number.

    NumPy computes with it and arrays of that type in their type; else in a wider one.
    """
    number, data = plain_data(x), plain_data(like)
    dtype = np.dtype(getattr(data, "dtype", type(data)))
    if dtype.kind not in WIDER[type(number)]:
        return False
    if dtype.kind in "fc":
        with np.errstate(over="ignore"):
            return bool(np.isfinite(dtype.type(number)) or not np.isfinite(number))
    is_bounded = dtype.kind in "iu" and type(data) is not int
    return not is_bounded or bool(np.iinfo(dtype).min <= number <= np.iinfo(dtype).max)


def text_of_type(x: Any) -> str:
    data = unwrap(x)
    dtype = getattr(data, "dtype", None)
    return type(data).__name__ if dtype is None else f"{dtype}{list(np.shape(data))}"


def as_type(x: Any, like: Any) -> Any:
    """A carry of the type that it takes on."""
    value: Any = x
    data = unwrap(x)
    if data.__class__ is like.__class__:
        return x
    if like.__class__ is Batched:
        return as_sample(x, like)
    if like.__class__ in PYTHON_SCALARS:
        return x * type(like)(1)
    if isinstance(x, Handle):
        return value * like.dtype.type(1)
    return np.asarray(x).astype(like.dtype)[()]


def as_sample(x: Any, like: Any) -> Any:
    """A number of one sample: what it is for all of them is seen to outside."""
    return np.asarray(x).astype(like.dtype)[()] if x.__class__ in PYTHON_SCALARS else x
