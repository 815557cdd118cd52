"""Operations on arrays element by element: tables of numbers, and one element spelt out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.drawing.formatting import number
from autograd_lite.drawing.formulas import filled

__all__ = ["element_text", "largest", "product_text", "table"]

LARGEST_TABLE = 36
LONGEST_SUM = 6

Index = tuple[int, ...]


def table(data: Any) -> list[list[str]] | None:
    """The numbers of a small array in rows; None if there are too many to read."""
    array = np.asarray(data)
    if not array.ndim or not 0 < array.size <= LARGEST_TABLE:
        return None
    return [[number(x) for x in row] for row in array.reshape(-1, array.shape[-1])]


def largest(data: Any) -> Index:
    """Where the element lies that counts most: the one worth spelling out."""
    array = np.nan_to_num(np.abs(np.asarray(data)))
    return tuple(int(i) for i in np.unravel_index(np.argmax(array), array.shape))


def element_text(
    formula: str, operands: Mapping[str, Any], result: Any, index: Index
) -> str | None:
    """One element of an elementwise operation: its formula with that element's numbers put in."""
    shape = np.shape(result)
    texts = {}
    for name, data in operands.items():
        try:
            texts[name] = number(np.broadcast_to(data, shape)[index])
        except ValueError:
            return None
    return f"{list(index)}: {filled(formula, texts)} = {number(np.asarray(result)[index])}"


def product_text(factors: tuple[Any, Any], result: Any, index: Index) -> str | None:
    """One entry of a matrix product as the sum of products that it is; None if it is long."""
    left, right = (np.asarray(factor) for factor in factors)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] > LONGEST_SUM:
        return None
    row, column = index
    pairs = zip(left[row], right[:, column], strict=True)
    terms = [filled("x · y", {"x": number(x), "y": number(y)}) for x, y in pairs]
    return f"{list(index)}: {' + '.join(terms)} = {number(np.asarray(result)[index])}"
