"""Numbers, arrays and names as short text that can be read at a glance."""

from __future__ import annotations

import math
import unicodedata
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.drawing.languages import word

__all__ = [
    "ALL_DIGITS",
    "DIGITS",
    "Shown",
    "array_facts",
    "columns",
    "facts",
    "in_short",
    "number",
    "shape_text",
    "shorten",
    "show",
    "show_number",
    "whereabouts",
]

DIGITS = 4
IN_FULL = 6
ALL_DIGITS = 17


class Shown(NamedTuple):
    """A number or array as short text, and whether that text is all there is to it."""

    text: str
    exact: bool = True

    @property
    def marked(self) -> str:
        """The text by itself, with a sign before it if it was rounded."""
        return self.text if self.exact else f"≈ {self.text}"

    @property
    def equated(self) -> str:
        """The text as the right-hand side of an equation."""
        return f"{'=' if self.exact else '≈'} {self.text}"


def show_number(x: Any, digits: int = DIGITS) -> Shown:
    """A number to so many significant digits, or in full where a few more are all that it has.

    Examples
    --------
    >>> from autograd_lite.drawing.formatting import show_number
    >>> show_number(1234.5).marked, show_number(2 / 3).marked, show_number(2 / 3, 8).text
    ('1234.5', '≈ 0.6667', '0.66666667')
    """
    if isinstance(x, (bool, np.bool_)):
        return Shown(str(bool(x)))
    if isinstance(x, (int, np.integer)):
        text = str(x) if abs(int(x)) < 10**7 else exponent_of(f"{float(x):.{digits - 1}e}")
        return Shown(text, int(float(text)) == x)
    if isinstance(x, (complex, np.complexfloating)):
        real, imaginary = show_number(x.real, digits), show_number(abs(x.imag), digits)
        sign = "-" if np.signbit(x.imag) else "+"
        return Shown(f"{real.text} {sign} {imaginary.text}i", real.exact and imaginary.exact)
    written = [f"{float(x):.{count}g}" for count in (digits, max(digits, IN_FULL))]
    if digits >= ALL_DIGITS:
        written = [str(x)]
    text, exact = next(((w, True) for w in written if says_all(w, x)), (written[0], False))
    if "e" in text:
        return Shown(exponent_of(text), exact)
    # A tenth that was rounded away is not said to be 0.
    is_cut = not exact and abs(x) >= 10 ** (digits - 1)
    return Shown(text if is_cut or any(c in text for c in ".in") else text + ".0", exact)


def says_all(text: str, x: Any) -> bool:
    """Whether a text gives back the very number, in the number's own precision."""
    kind = x.dtype.type if isinstance(x, np.floating) else float
    return bool(kind(text) == x) or bool(np.isnan(x))


def number(x: Any, digits: int = DIGITS) -> str:
    """The text of `show_number`.

    Examples
    --------
    >>> from autograd_lite.drawing.formatting import number
    >>> number(-6.0), number(2 / 3), number(1.5e-9), number(True)
    ('-6.0', '0.6667', '1.5e-9', 'True')
    """
    return show_number(x, digits).text


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
    """A number, or of an array a few statistics; marked where digits are left out."""
    return show(data).marked


def show(data: Any, digits: int = DIGITS) -> Shown:
    """A number, or of an array a few statistics."""
    if isinstance(data, tuple):
        return Shown(word("tuple", count=len(data)))
    if is_duck_array(data):
        return Shown(whereabouts(data))
    array = np.asarray(data)
    return show_array(array, digits) if array.ndim else show_number(array[()], digits)


def whereabouts(data: Any) -> str:
    """Of another library's array where it is; its numbers are not fetched for a picture."""
    if not hasattr(data, "chunks"):
        return word("held_by", library=type(data).__module__.partition(".")[0])
    count = math.prod(data.numblocks)
    if count == 1:
        return word("one_chunk")
    return word("chunks", count=f"{count:,}", size=data.chunksize)


def array_facts(array: np.ndarray[Any, Any]) -> str:
    """The text of `show_array`."""
    return show_array(array).marked


def show_array(array: np.ndarray[Any, Any], digits: int = DIGITS) -> Shown:
    """The elements of a small array; the mean and range of a larger one."""
    if array.size <= 4 and array.ndim == 1:
        parts = [show_number(x, digits) for x in array]
        return Shown(f"[{', '.join(x.text for x in parts)}]", all(x.exact for x in parts))
    if array.size == 0:
        return Shown(word("empty"))
    if array.dtype == bool:
        return Shown(word("true", count=np.count_nonzero(array), size=array.size))
    if array.dtype.kind not in "fiu":
        mean = show_number(np.mean(np.abs(array)), digits)
        return Shown(f"|{word('mean')}| {mean.text}", mean.exact)
    finite = array[np.isfinite(array)]
    if not finite.size:
        return Shown(word("no_finite"))
    told = show_range(finite, digits)
    lost = array.size - finite.size
    return Shown(told.text + (f", {word('lost', count=lost)}" if lost else ""), told.exact)


def show_range(finite: np.ndarray[Any, Any], digits: int) -> Shown:
    """The least and the greatest number, with the digits that tell them apart, and the mean."""
    ends = finite.min(), finite.max()
    low, high = (show_number(end, digits) for end in ends)
    if ends[0] == ends[1]:
        return Shown(f"{word('all')} {low.text}", low.exact)
    while low.text == high.text and digits < ALL_DIGITS:
        digits += 1
        low, high = (show_number(end, digits) for end in ends)
    mean = show_number(np.mean(finite, dtype=np.float64), digits)
    text = f"{low.text} … {high.text}, {word('mean')} {mean.text}"
    return Shown(text, low.exact and high.exact and mean.exact)


def columns(text: str) -> int:
    """How wide a text is in letters: signs of East Asian scripts take two.

    >>> from autograd_lite.drawing.formatting import columns
    >>> columns("weight"), columns("重み")
    (6, 4)
    """
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


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
