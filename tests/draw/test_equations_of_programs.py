"""Random programs: whatever the stepper sets equal is so, as Python computes what is written."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.core.primitive import registry
from autograd_lite.drawing.formulas import LETTER, argument_names
from tests.draw.test_numbers import equations_of, steps_of

OF_ONE = (
    np.sin, np.cos, np.exp, np.log, np.sqrt, np.tanh, np.square, np.abs, np.arctan, np.log1p,
    np.expm1, np.sinh, np.reciprocal, np.exp2, np.cbrt, np.negative, np.sign, nn.sigmoid, nn.relu,
    lambda x: x**2, lambda x: x**-1.5, lambda x: 2.0**x, lambda x: 1 / x,
)  # fmt: skip
OF_TWO = (
    np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.minimum, np.hypot,
    np.arctan2, np.remainder, np.fmod, np.floor_divide, np.copysign,
)  # fmt: skip
WORDS = {name: getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
WORDS |= {"max": np.maximum, "min": np.minimum, "σ": nn.sigmoid, "nan": math.nan, "inf": math.inf}
SIGNS = (
    ("·", "*"), ("×", "*"), ("²", "**2"), (r"√\(", "sqrt("), (r"√(\S+)", r"sqrt(\1)"),
    (r"∛(\S+)", r"cbrt(\1)"), (r"\|([^|]+)\|", r"abs(\1)"), (r"⌊([^⌋]+)⌋", r"floor(\1)"),
    (r"(\(\S+\)|\S+) mod (\(\S+\)|\S+)", r"remainder(\1, \2)"),
    (r"(?<![\w.])(\d[\d.]*(?:e-?\d+)?)", r"number(\1)"),
)  # fmt: skip


def computed(text):
    """What a formula of numbers comes to, in NumPy's arithmetic."""
    for sign, word in SIGNS:
        text = re.sub(sign, word, text)
    return float(eval(text, {"__builtins__": {}, "number": np.float64, "abs": abs, **WORDS}))


def bears_out(equation):
    """Whether the last two sides are equal: to the last digit that is written, if rounded."""
    sides = re.split(r" ([=≈]) ", equation)
    if len(sides) == 1:
        return True  # a number that is its own formula
    left, relation, right = sides[-3:]
    names = set(re.findall(r"[a-z]\w*", left)) - set(WORDS) - {"mod", "e"}
    if names or not re.fullmatch(r"-?[\d.]+(e-?\d+)?", right):
        return True  # a formula of names, or nothing that has digits
    found, wanted = computed(left), float(right)
    digits, _, exponent = right.partition("e")
    last = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    return abs(found - wanted) <= max(last * 0.5001 * (relation == "≈"), 1e-12 * abs(wanted))


def drawn(rng):
    """A number as people put them in: round, large, small, close to another."""
    return float(
        rng.choice([rng.normal(), 1e3 * rng.normal(), rng.integers(-9, 10), 1 + 1e-7 * rng.normal(),
                    round(100 * rng.normal(), 1), 1e-3 * rng.random(), 1e8 * rng.normal()])
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_equations_of_a_program_are_true(seed):
    rng = np.random.default_rng(seed)
    values = [ag.Value(drawn(rng), label=name) for name in "abc"]
    with np.errstate(all="ignore"):
        for _ in range(rng.integers(2, 6)):
            one, other = (values[rng.integers(len(values))] for _ in range(2))
            if rng.random() < 0.5:
                values.append(OF_ONE[rng.integers(len(OF_ONE))](one))
            else:
                values.append(OF_TWO[rng.integers(len(OF_TWO))](one, other))
        told = [text for text in equations_of(values[-1]) if "rounding" not in text]
        wrong = [text for text in told if not bears_out(text)]
    assert told and wrong == []
    assert not any(re.search(r"\di\b", text) for text in told), "real numbers stay real"


@pytest.mark.parametrize("seed", range(60))
def test_equations_of_single_precision_are_true(seed):
    rng = np.random.default_rng(seed)
    values = [ag.Value(np.array([drawn(rng) for _ in range(3)], np.float32)) for _ in range(2)]
    with np.errstate(all="ignore"):
        for _ in range(4):
            one, other = (values[rng.integers(len(values))] for _ in range(2))
            if rng.random() < 0.5:
                values.append(OF_ONE[rng.integers(len(OF_ONE))](one))
            else:
                values.append(OF_TWO[rng.integers(len(OF_TWO))](one, other))
        told = [
            text.partition(": ")[2]
            for phase in ("forward", "backward")
            for step in steps_of(np.sum(values[-1]), phase)
            for part in step.get("contributions", [step])
            for text in part.get("spelt") or ()
            if text and "rounding" not in text and "inf" not in text
        ]
        wrong = [text for text in told if not bears_out(text)]
    assert told and wrong == []


def test_formulas_name_what_is_put_into_them():
    numbers = (ag.Value(3.0), ag.Value(2.0))
    for function, primitive in registry.items():
        is_of_numbers = isinstance(function, np.ufunc) and function.signature is None
        if is_of_numbers and getattr(primitive, "formula", None):
            operands = numbers[: function.nin]
            node = primitive(*operands).node if function is not np.ldexp else None
            if node is not None:
                names = set(argument_names(node))
                assert names == set(re.findall(LETTER, primitive.formula)), function
