"""What arrays hold: all digits, heat maps, tables of numbers, and elements spelt out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.drawing.formatting import array_facts, number, shape_text, whereabouts
from autograd_lite.drawing.formulas import fill_in

__all__ = [
    "LARGEST_TABLE",
    "Index",
    "element_text",
    "full_value",
    "has_elements",
    "largest",
    "product_text",
    "table",
]

LARGEST_TABLE = 36
LONGEST_SUM = 6
HEAT_MAP_SIDE = 16

Index = tuple[int, ...]


def full_value(data: Any, heat_map_size: int) -> dict[str, Any]:
    """A number with all its digits; of an array the statistics and a heat map."""
    if isinstance(data, tuple):
        return {"text": f"tuple of {len(data)}"}
    if is_duck_array(data):
        return {"text": f"{shape_text(data.shape)} {data.dtype}: {whereabouts(data)}"}
    array = np.asarray(data)
    if array.ndim == 0:
        return {"text": repr(array.item())}
    text = f"{shape_text(array.shape)} {array.dtype}: {array_facts(array)}"
    return {"text": text, **_heat_map(array, heat_map_size)}


def _heat_map(array: np.ndarray[Any, Any], size: int) -> dict[str, Any]:
    """The first numbers of an array in rows, at most so many."""
    if not array.size or array.dtype.kind not in "fiub":
        return {}
    rows = array.reshape(-1, array.shape[-1]).astype(float)
    width = max(min(rows.shape[1], HEAT_MAP_SIDE, size), 1)
    height = max(min(size // width, HEAT_MAP_SIDE), 1)
    part = rows[:height, :width]
    entry: dict[str, Any] = {
        "rows": [[float(f"{x:.4g}") if np.isfinite(x) else None for x in row] for row in part]
    }
    if part.size < array.size:
        shown = " × ".join(map(str, part.shape))
        entry["part"] = f"the first {shown} of {array.size:,} numbers"
    return entry


def has_elements(data: Any) -> bool:
    """Whether there are numbers to show: those of other libraries' arrays are not fetched."""
    return isinstance(data, np.ndarray) and data.ndim > 0 and data.size > 0


def table(data: Any) -> list[list[str]]:
    """The numbers of an array in rows."""
    array = np.asarray(data)
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
    return f"{list(index)}: {fill_in(formula, texts)} = {number(np.asarray(result)[index])}"


def product_text(factors: tuple[Any, Any], result: Any, index: Index) -> str | None:
    """One entry of a matrix product as the sum of products that it is; None if it is long."""
    left, right = (np.asarray(factor) for factor in factors)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] > LONGEST_SUM:
        return None
    row, column = index
    pairs = zip(left[row], right[:, column], strict=True)
    terms = [fill_in("x · y", {"x": number(x), "y": number(y)}) for x, y in pairs]
    return f"{list(index)}: {' + '.join(terms)} = {number(np.asarray(result)[index])}"
