"""Equations of numbers: as many digits of each as the result, as it is shown, follows from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.drawing.formatting import ALL_DIGITS, DIGITS, Shown, number, show
from autograd_lite.drawing.formulas import fill_in
from autograd_lite.drawing.languages import word

__all__ = [
    "NUMBERS",
    "SHORT_ARRAY",
    "as_read",
    "enough_digits",
    "equation",
    "outcome",
    "put_in",
    "sum_of_products",
]

NUMBERS = (float, int, complex, np.ndarray, np.generic)
SHORT_ARRAY = 4


def put_in(formula: str, numbers: Mapping[str, Shown]) -> Shown:
    """A formula with numbers in it; exact if all of those are that it names."""
    filled = fill_in(formula, {name: shown.text for name, shown in numbers.items()})
    rounded = {name: "\N{REPLACEMENT CHARACTER}" for name, x in numbers.items() if not x.exact}
    return Shown(filled, fill_in(formula, rounded) == formula)


def outcome(filled: Shown, result: Any) -> Shown:
    """A result behind the formula that it comes out of; exact if both are."""
    told = show(as_read(result))
    return Shown(told.text, filled.exact and told.exact)


def as_read(x: Any) -> Any:
    """A number of half or single precision as the double that it is.

    Whoever checks an equation computes with all digits, and finds 0.1 / 1.01 = 0.099009900…,
    of which single precision says 0.0990099.
    """
    array = np.asarray(x) if isinstance(x, NUMBERS) else None
    if array is None or array.dtype.kind not in "fc":
        return x
    wide = np.result_type(array, np.float64)
    return x if wide == array.dtype else array.astype(wide)[()]


def enough_digits(evaluate: Callable[..., Any], operands: Sequence[Any], result: Any) -> int:
    """How many digits operands must show for the result, as it is shown, to follow from them."""
    wanted = show(as_read(result)).text
    operands = list(map(as_read, operands))
    for digits in range(DIGITS, ALL_DIGITS, 2):
        try:
            with np.errstate(all="ignore"):
                found = evaluate(*(as_shown(x, digits) for x in operands))
        except Exception:
            return DIGITS  # an operation of anybody's may refuse what is not the number itself
        if found is not None and show(found).text == wanted:
            return digits
    return ALL_DIGITS


def follows(evaluate: Callable[..., Any], operands: Sequence[Any], result: Any) -> bool:
    """Whether a result comes out of its operands, as they are, to the digits that are shown of it.

    The engine may have added up in another order, and what is left of numbers that cancel is
    rounding then.  Of complex numbers only a part may be handed back.
    """
    if any(np.iscomplexobj(x) for x in (*operands, result)):
        return True
    with np.errstate(all="ignore"):
        found = evaluate(*operands)
    return bool(found == result) or show(found).text == show(result).text


def as_shown(x: Any, digits: int) -> Any:
    """The number that a reader sees of a number; of a short array its numbers."""
    array = np.asarray(x) if isinstance(x, NUMBERS) else None
    if array is None or array.dtype.kind not in "fc" or array.size > SHORT_ARRAY:
        return x
    rounded = np.empty_like(array)
    parts = (rounded.real, rounded.imag) if array.dtype.kind == "c" else (rounded,)
    for part, given in zip(parts, (array.real, array.imag), strict=False):
        part[...] = np.reshape([float(number(y, digits)) for y in given.flat], array.shape)
    return rounded[()]


def equation(
    formula: str, operands: Mapping[str, Any], result: Any, evaluate: Callable[..., Any]
) -> str:
    """A formula of single numbers with enough of their digits put in, and its result."""
    operands = {name: as_read(x) for name, x in operands.items()}
    numbers, result = list(operands.values()), as_read(result)
    digits, beside = enough_digits(evaluate, numbers, result), ""
    if digits == ALL_DIGITS and not follows(evaluate, numbers, result):
        digits, beside = DIGITS, f" ({word('rounding')})"
    shown = {name: show(x, digits) for name, x in operands.items()}
    filled = put_in(formula, shown)
    return f"{filled.text} {outcome(filled, result).equated}{beside}"


def sum_of_products(
    pairs: Sequence[tuple[Any, Any]], sign: str, result: Any, rest: Sequence[Any] = ()
) -> str:
    """Numbers times numbers, added up: ``0.5 · 2.0 + 1.0 · 3.0 = 4.0``.

    ``rest`` are numbers that are added as they are, behind the products.
    """
    count = len(pairs)
    numbers = {f"x{k}": x for k, (x, _) in enumerate(pairs)}
    numbers |= {f"y{k}": y for k, (_, y) in enumerate(pairs)}
    numbers |= {f"r{k}": r for k, r in enumerate(rest)}
    terms = [f"x{k} {sign} y{k}" for k in range(count)] + [f"r{k}" for k in range(len(rest))]

    def evaluate(*x: Any) -> Any:
        products = (a * b for a, b in zip(x[:count], x[count : 2 * count], strict=True))
        return sum(products) + sum(x[2 * count :])

    return equation(" + ".join(terms), numbers, result, evaluate)
