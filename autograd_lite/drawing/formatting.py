"""Numbers, arrays and names as short text that can be read at a glance."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array

__all__ = ["array_facts", "facts", "in_short", "number", "shape_text", "shorten", "whereabouts"]


def number(x: Any) -> str:
    """A number with four significant digits.

    Examples
    --------
    >>> from autograd_lite.drawing.formatting import number
    >>> number(-6.0), number(2 / 3), number(1.5e-9), number(True)
    ('-6.0', '0.6667', '1.5e-9', 'True')
    """
    if isinstance(x, (bool, np.bool_)):
        return str(bool(x))
    if isinstance(x, (int, np.integer)):
        return str(x) if abs(int(x)) < 10**7 else exponent_of(f"{float(x):.3e}")
    if isinstance(x, (complex, np.complexfloating)):
        sign = "-" if np.signbit(x.imag) else "+"
        return f"{number(float(x.real))} {sign} {number(abs(float(x.imag)))}i"
    text = f"{float(x):.4g}"
    if "e" in text:
        return exponent_of(text)
    return text if any(c in text for c in ".in") else text + ".0"


def exponent_of(text: str) -> str:
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as NumPy writes it; nothing for a single number."""
    return str(shape) if shape else ""


def facts(name: str, data: Any) -> tuple[tuple[str, str], ...]:
    """The row of a value or gradient; none where there is nothing."""
    return () if data is None else ((name, in_short(data)),)


def in_short(data: Any) -> str:
    """A number, or of an array a few statistics."""
    if isinstance(data, tuple):
        return f"tuple of {len(data)}"
    if is_duck_array(data):
        return whereabouts(data)
    array = np.asarray(data)
    return array_facts(array) if array.ndim else number(array[()])


def whereabouts(data: Any) -> str:
    """Of another library's array where it is; its numbers are not fetched for a picture."""
    if not hasattr(data, "chunks"):
        return f"held by {type(data).__module__.partition('.')[0]}"
    count = math.prod(data.numblocks)
    return "1 chunk" if count == 1 else f"{count:,} chunks of {data.chunksize}"


def array_facts(array: np.ndarray[Any, Any]) -> str:
    """The elements of a small array; the mean and range of a larger one."""
    if array.size <= 4 and array.ndim == 1:
        return "[" + ", ".join(number(x) for x in array) + "]"
    if array.size == 0:
        return "empty"
    if array.dtype.kind not in "fiub":
        return f"|mean| {number(np.mean(np.abs(array)))}"
    finite = array[np.isfinite(array)]
    if not finite.size:
        return "no finite element"
    low, high = number(finite.min()), number(finite.max())
    if low == high:
        text = f"all {low}"
    else:
        text = f"{low} … {high}, mean {number(np.mean(finite, dtype=np.float64))}"
    lost = array.size - finite.size
    return text + (f", {lost} not finite" if lost else "")


def shorten(text: str, length: int = 40) -> str:
    """One line of printable text, without its middle if it is long.

    Examples
    --------
    >>> from autograd_lite.drawing.formatting import shorten
    >>> shorten("two\\nlines")
    'two⏎lines'
    >>> shorten("x" * 10_000, length=9)
    'xxxx…xxxx'
    """
    if len(text) > length:
        kept = length - 1
        text = text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]
    return "".join(map(printable, text))


def printable(character: str) -> str:
    if character == "\n":
        return "⏎"
    if character == "\t":
        return " "
    # Cc: control, Cf: text direction and joiners, Cs: half of a surrogate pair, Cn: unassigned.
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in HIDDEN else character


HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn"})
