"""Nested arguments as one real vector, and names for its coordinates.

A checker wants to think of a map from ℝⁿ to ℝᵐ.  A `Layout` says how nested
arrays, of any float dtype and possibly complex, lie in such a vector: leaf
after leaf, of a complex leaf first all real, then all imaginary parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.core.tree import parts_of, unflatten
from autograd_lite.core.value import Value

__all__ = ["Layout", "Leaf", "Vector", "conjugate", "conjugate_all", "paths", "unwrap"]

Vector = npt.NDArray[np.float64]


def unwrap(leaf: Any) -> Any:
    """The number or array of a leaf, be it a Value or not."""
    return leaf.data if isinstance(leaf, Value) else leaf


def paths(tree: Any, name: str) -> Iterator[str]:
    """A name for every leaf, in the order of `flatten`: ``w['bias'][0]``."""
    parts = parts_of(tree)
    if parts is None:
        if tree is not None:
            yield name
        return
    for key, part in zip(parts.keys, parts.children, strict=True):
        yield from paths(part, name + (parts.step or "[{!r}]").format(key))


@dataclass(frozen=True)
class Leaf:
    """One array of a nesting: its name, and its place in the vector."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    start: int
    python_number: bool

    @property
    def is_complex(self) -> bool:
        return self.dtype.kind == "c"

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        return self.start + self.size * (2 if self.is_complex else 1)

    @property
    def place(self) -> slice:
        return slice(self.start, self.stop)

    def cut(self, vector: Any) -> Any:
        """This leaf's array out of a vector, in the vector's precision."""
        part = vector[self.place]
        if self.is_complex:
            part = part[: self.size] + 1j * part[self.size :]
        return np.reshape(part, self.shape)

    def entry(self, coordinate: int) -> str:
        """What a coordinate of the vector is called: ``x[2, 1].imag``."""
        position = coordinate - self.start
        part = "" if not self.is_complex else ".real" if position < self.size else ".imag"
        if not self.shape:
            return self.name + part
        index = np.unravel_index(position % self.size, self.shape)
        return f"{self.name}[{', '.join(str(i) for i in index)}]{part}"


class Layout:
    """How the leaves of a nesting lie in one real vector."""

    def __init__(self, tree: Any, leaves: Sequence[Any], names: Sequence[str]) -> None:
        self.tree = tree
        self.leaves: list[Leaf] = []
        start = 0
        for leaf, name in zip(leaves, names, strict=True):
            data = unwrap(leaf)
            python_number = type(data) in (float, int, complex)
            dtype = np.asarray(data).dtype
            self.leaves.append(Leaf(name, np.shape(data), dtype, start, python_number))
            start = self.leaves[-1].stop
        self.size = start

    def vector(self, leaves: Sequence[Any]) -> Vector:
        """Leaves, real or complex, put into one real vector of double precision."""
        parts: list[Any] = []
        for leaf, value in zip(self.leaves, leaves, strict=True):
            flat = np.ravel(np.asarray(unwrap(value)))
            if leaf.is_complex:
                parts += [np.real(flat), np.imag(flat)]
            else:
                parts.append(flat)
        return np.concatenate(parts, dtype=np.float64) if parts else np.zeros(0)

    def arrays(self, vector: Any, *, own_dtype: bool = False) -> list[Any]:
        """Fresh arrays for a vector, in its own precision or in that of each leaf."""
        leaves = []
        for leaf in self.leaves:
            array = np.array(leaf.cut(vector), leaf.dtype if own_dtype else None)
            leaves.append(array.item() if leaf.python_number else array)
        return leaves

    def nest(self, leaves: Sequence[Any]) -> Any:
        """Leaves in the nesting of the tree."""
        return unflatten(self.tree, leaves)

    def leaf_of(self, coordinate: int) -> Leaf:
        """The leaf that a coordinate belongs to."""
        return next(leaf for leaf in self.leaves if leaf.start <= coordinate < leaf.stop)

    def entry(self, coordinate: int) -> str:
        """What a coordinate is called."""
        return self.leaf_of(coordinate).entry(coordinate)


def conjugate(rows: Vector, leaf: Leaf) -> Vector:
    """Rows for one leaf, with the other sign for imaginary parts."""
    return rows * np.repeat([1.0, -1.0], leaf.size) if leaf.is_complex else rows


def conjugate_all(rows: Vector, leaves: Sequence[Leaf]) -> Vector:
    conjugated = rows.copy()
    for leaf in leaves:
        conjugated[:, leaf.place] = conjugate(rows[:, leaf.place], leaf)
    return conjugated
