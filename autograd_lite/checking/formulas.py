"""Names for numbers and for functions of the input, as a person would write them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from autograd_lite.checking.evidence import Evidence
from autograd_lite.checking.layout import Layout, Vector
from autograd_lite.checking.locate import Indices
from autograd_lite.checking.subjects import Subject
from autograd_lite.core.numpy_namespace import np

__all__ = ["FUNCTIONS", "Formula", "beside_one", "name_factor", "name_function", "variables_of"]

CLOSE = 1e-6

CONSTANTS = {
    "π": math.pi, "2π": 2 * math.pi, "e": math.e, "ln 2": math.log(2), "ln 10": math.log(10),
    "√2": math.sqrt(2), "√π": math.sqrt(math.pi), "√2π": math.sqrt(2 * math.pi),
    "π/2": math.pi / 2, "√π/2": math.sqrt(math.pi) / 2, "π/180": math.pi / 180,
    "180/π": 180 / math.pi,
}  # fmt: skip


def name_factor(factor: float, subject: Subject) -> tuple[str, bool]:
    """A number as people write it, and whether it is one that they know.

    That is the length of some axis, a simple fraction, a constant or an argument; else
    it is a decimal.
    """
    minus = "-" if factor < 0 else ""
    known = next(names_of(abs(factor), subject), None)
    if known is not None:
        return minus + known, True
    for leaf in subject.inputs.leaves:
        number = subject.x[leaf.start] if leaf.size == 1 else 0.0
        if number and np.isclose(factor, number, rtol=CLOSE):
            return leaf.name, True
        if number and np.isclose(factor, 1 / number, rtol=CLOSE):
            return f"1/{leaf.name}", True
    if abs(factor - 1) < 1e-4:
        return f"1 {'+' if factor > 1 else '-'} {abs(factor - 1):.3g}", False
    return f"{factor:.7g}", False


def beside_one(ratio: float) -> str:
    """A ratio to four digits, or as many more as tell it from 1.

    >>> from autograd_lite.checking.formulas import beside_one
    >>> beside_one(0.25), beside_one(1.00039651)
    ('0.25', '1.0004')
    """
    return next(text for n in range(4, 18) if float(text := f"{ratio:.{n}g}") != 1 or ratio == 1)


def names_of(size: float, subject: Subject) -> Iterator[str]:
    """Names of a positive number other than 1."""
    if abs(size - 1) < 1e-3:
        return
    for length, what in dict(lengths_of(subject)).items():
        if length > 2 and np.isclose(size, length, rtol=CLOSE):
            yield f"{length} ({what})"
        if length > 2 and np.isclose(size, 1 / length, rtol=CLOSE):
            yield f"1/{length} ({length} is {what})"
    fraction = Fraction(size).limit_denominator(16)
    if fraction.numerator <= 64 and fraction and np.isclose(size, float(fraction), rtol=CLOSE):
        yield f"{fraction}"
    for name, constant in CONSTANTS.items():
        if np.isclose(size, constant, rtol=CLOSE):
            yield name
    for name, constant in CONSTANTS.items():
        if np.isclose(size, 1 / constant, rtol=CLOSE):
            yield f"1/({name})"
    square = Fraction(size**2).limit_denominator(64)
    is_simple = 0 < square.numerator * square.denominator <= 256
    if is_simple and np.isclose(size**2, float(square), rtol=CLOSE):
        yield f"√{square}" if square.denominator == 1 else f"√({square})"
    exponent = np.log2(size)
    if np.isclose(exponent, round(exponent), atol=CLOSE):
        yield f"2^{round(exponent)}"


def lengths_of(subject: Subject) -> Iterator[tuple[int, str]]:
    """Lengths of axes and sizes of arrays, the former preferred."""
    layouts: tuple[Layout, ...] = (subject.inputs, subject.outputs)
    leaves = [leaf for layout in layouts for leaf in layout.leaves]
    for leaf in leaves:
        if len(leaf.shape) > 1:
            yield leaf.size, f"the size of {leaf.name}"
    for leaf in leaves:
        for axis, length in enumerate(leaf.shape):
            yield length, f"the length of axis {axis} of {leaf.name}"


def sigmoid(u: Any) -> Any:
    return 1 / (1 + np.exp(-u))


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "1": np.ones_like,
    "{}": lambda u: u,
    "{}²": lambda u: u**2,
    "{}³": lambda u: u**3,
    "1/{}": lambda u: 1 / u,
    "1/{}²": lambda u: 1 / u**2,
    "√{}": np.sqrt,
    "1/√{}": lambda u: 1 / np.sqrt(u),
    "exp({})": np.exp,
    "exp(-{})": lambda u: np.exp(-u),
    "exp({}²)": lambda u: np.exp(u**2),
    "exp(-{}²)": lambda u: np.exp(-(u**2)),
    "exp(-{}²/2)": lambda u: np.exp(-(u**2) / 2),
    "log({})": np.log,
    "log|{}|": lambda u: np.log(np.abs(u)),
    "(1 + log({}))": lambda u: 1 + np.log(u),
    "sin({})": np.sin,
    "cos({})": np.cos,
    "tan({})": np.tan,
    "1/cos²({})": lambda u: 1 / np.cos(u) ** 2,
    "sinh({})": np.sinh,
    "cosh({})": np.cosh,
    "tanh({})": np.tanh,
    "(1 - tanh²({}))": lambda u: 1 - np.tanh(u) ** 2,
    "σ({})": sigmoid,
    "(1 - σ({}))": lambda u: 1 - sigmoid(u),
    "σ({0})(1 - σ({0}))": lambda u: sigmoid(u) * (1 - sigmoid(u)),
    "(1 + {})": lambda u: 1 + u,
    "(1 - {})": lambda u: 1 - u,
    "{0}(1 - {0})": lambda u: u * (1 - u),
    "(1 + {}²)": lambda u: 1 + u**2,
    "1/(1 + {}²)": lambda u: 1 / (1 + u**2),
    "(1 - {}²)": lambda u: 1 - u**2,
    "1/√(1 - {}²)": lambda u: 1 / np.sqrt(1 - u**2),
    "sign({})": np.sign,
}
"""What inner derivatives and forgotten terms are made of."""

FEW = 2
"""Some function times some number makes so many values of round inputs by chance."""

COEFFICIENTS = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.0, 4.0, 1 / 3, 0.25, 0.1)


Factor = tuple[int, Callable[[Any], Any]]
"""A function, and of which of the variables."""


@dataclass(frozen=True)
class Formula:
    """A number times functions of the input or the result."""

    text: str
    coefficient: float
    factors: tuple[Factor, ...]

    def values(self, evidence: Evidence, at: Indices) -> Vector:
        """What it comes to at some input coordinates."""
        variables = [u for _, u in variables_of(evidence, at)]
        return self.coefficient * product_of(self.factors, variables)


def product_of(factors: Sequence[Factor], variables: Sequence[Vector]) -> Vector:
    with np.errstate(all="ignore"):
        each = [function(variables[place]) for place, function in factors]
        made: Vector = np.prod(each, axis=0)
    return made


def name_function(
    values: Vector, evidence: Evidence, at: Indices, *, pairs: bool = True
) -> Formula | None:
    """A formula for values at some input coordinates, in terms of inputs and the result."""
    variables = list(variables_of(evidence, at))
    singles: list[tuple[str, tuple[Factor, ...]]] = [
        (form.format(name), ((place, function),))
        for place, (name, u) in enumerate(variables)
        for form, function in FUNCTIONS.items()
        if form != "1" or (pairs and place == 0)
        if form != "sign({})" or np.ptp(np.sign(u)) > 0  # else it is a constant
    ]
    known = [u for _, u in variables]
    single = fit(values, singles, known)
    if single is not None or values.size < 2 or not pairs:
        return single
    products = (
        (f"{name}·{other}", (*f, *g))
        for (name, f), (other, g) in product(singles[1:9], singles[8:])
    )
    return fit(values, products, known)


def fit(
    values: Vector,
    candidates: Iterable[tuple[str, tuple[Factor, ...]]],
    variables: Sequence[Vector],
) -> Formula | None:
    if not np.any(values) or not np.all(np.isfinite(values)):
        return None
    best = None
    for name, factors in candidates:
        candidate = product_of(factors, variables)
        if not np.all(np.isfinite(candidate)) or not np.any(candidate):
            continue
        unit = float(np.max(np.abs(candidate)))  # squares of tiny numbers would vanish
        scaled = candidate / unit
        coefficient = float(scaled @ values) / float(scaled @ scaled) / unit
        if np.allclose(
            values, coefficient * candidate, rtol=CLOSE, atol=CLOSE * np.max(np.abs(values))
        ):
            is_simple = np.any(np.isclose(coefficient, COEFFICIENTS, rtol=CLOSE))
            fewest = 1 if name == "1" else FEW
            if is_simple or (best is None and values.size > fewest):
                best = Formula(times(coefficient, name), coefficient, factors)
            if is_simple:
                break
    return best


def times(coefficient: float, name: str) -> str:
    if np.isclose(coefficient, 1, rtol=CLOSE):
        return name
    if np.isclose(coefficient, -1, rtol=CLOSE):
        return f"-{name}"
    return f"{coefficient:.6g}·{name}" if name != "1" else f"{coefficient:.6g}"


def can_broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of one shape is one of the other, repeated."""
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def variables_of(evidence: Evidence, at: Indices) -> Iterator[tuple[str, Vector]]:
    """The input itself, others that broadcast to its shape, and the result, if of that shape."""
    subject, leaf = evidence.subject, evidence.leaves[0]
    yield leaf.name, subject.x[at]
    for other in subject.inputs.leaves:
        if other is leaf or other.is_complex:
            continue
        if other.size == 1:
            yield other.name, np.full(at.size, subject.x[other.start])
        elif not leaf.is_complex and can_broadcast(other.shape, leaf.shape):
            everywhere = np.broadcast_to(other.cut(subject.x), leaf.shape)
            yield other.name, np.ravel(everywhere)[at - leaf.start]
    output = subject.outputs.leaves[0]
    if output.shape == leaf.shape and not output.is_complex and not leaf.is_complex:
        yield "out", subject.value[at - leaf.start + output.start]
