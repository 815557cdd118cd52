"""The numbers that a reader sees: none that was rounded looks exact, and formulas bear them out."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from autograd_lite.drawing.backpropagation import backpropagation_from
from autograd_lite.drawing.formatting import in_short, show_number
from autograd_lite.drawing.story import Story


def steps_of(result, phase):
    """The steps of one phase that the stepper tells of a recorded result."""
    (run,) = ag.draw(result)._design.runs
    told = Story(run, backpropagation_from(run.root), 10_000).steps()
    return [step for step in told if step["phase"] == phase]


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1234.5, "1234.5"),
        (1234.75, "1234.75"),
        (123456.7, "≈ 1.235e5"),
        (4919.508, "≈ 4920"),
        (999.9999, "≈ 1000.0"),
        (0.99999999, "≈ 1.0"),
        (2 / 3, "≈ 0.6667"),
        (np.float32(0.1), "0.1"),
        (np.float32(1) / 3, "≈ 0.3333"),
        (12_345_678, "≈ 1.235e7"),
        (10**9, "1.000e9"),
        (1 / 3 + 2j, "≈ 0.3333 + 2.0i"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (np.array([1 / 3, 2.0]), "≈ [0.3333, 2.0]"),
        (np.array([1.0, 1 - 1e-9] * 4), "≈ 0.999999999 … 1.0, mean 0.999999999"),
        (np.full(8, 1 / 3), "≈ all 0.3333"),
        (np.full(8, 0.25), "all 0.25"),
        (np.arange(9) > 6, "2 of 9 True"),
    ],
)
def test_what_was_rounded_is_marked(x, text):
    assert in_short(x) == text


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(4, 17))
def test_a_number_without_the_mark_is_all_there(x, digits):
    shown = show_number(x, digits)
    assert shown.exact == (float(shown.text) == x)
    assert digits < 17 or shown.exact


def test_a_sum_shows_the_digits_that_it_follows_from():
    (step,) = steps_of(ag.Value(1234.5, label="x") + 0.25, "forward")
    assert step["formulas"] == ["x + y", "= x + 0.25", "= 1234.5 + 0.25"]
    assert step["result"] == "= 1234.75"


def test_a_difference_of_nearly_equal_numbers_shows_where_it_comes_from():
    x = ag.Value(8.0, label="x")
    (back,) = steps_of(np.tanh(x), "backward")
    (part,) = back["contributions"]
    operand, shown = re.fullmatch(r"1 - result² ≈ 1 - (\S+)² ≈ (\S+)", part["formula"]).groups()
    assert (
        f"{1 - float(operand) ** 2:.3e}" == f"{float(shown):.3e}" == f"{1 / math.cosh(8) ** 2:.3e}"
    )


def test_constants_of_a_rule_are_not_cut():
    x = ag.Value(3.0, label="x")
    (back,) = steps_of(np.log2(x), "backward")
    assert str(math.log(2))[:12] in back["contributions"][0]["formula"]


finite = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-9)


@given(finite, finite, st.sampled_from("+-*"))
def test_equations_are_true_of_the_numbers_in_them(a, b, sign):
    x, y = ag.Value(a, label="x"), ag.Value(b, label="y")
    result = {"+": x + y, "-": x - y, "*": x * y}[sign]
    (step,) = steps_of(result, "forward")
    relation, left, operator, right = re.fullmatch(
        r"([=≈]) \(?(\S+?)\)? ([+·-]) \(?(\S+?)\)?", step["formulas"][-1]
    ).groups()
    assert (relation == "=") == (float(left) == a and float(right) == b)
    u, v = float(left), float(right)
    computed = {"+": u + v, "-": u - v, "·": u * v}[operator]
    assert step["result"].endswith(f" {show_number(computed).text}")


def test_contributions_multiply_and_add_up_as_they_are_shown():
    x = ag.Value(1 / 3, label="x")
    checked = 0
    for step in steps_of(np.tanh(x) * 1000.4567 - np.exp(x) * 717.7, "backward"):
        for part in step["contributions"]:
            for text in (part.get("product"), part.get("addition")):
                if text:
                    left, sign, right, shown = re.fullmatch(
                        r"\(?(\S+?)\)? ([×+]) \(?(\S+?)\)? [=≈] (\S+)", text
                    ).groups()
                    u, v = float(left), float(right)
                    assert show_number(u * v if sign == "×" else u + v).text == shown
                    checked += 1
    assert checked >= 5


def equations_of(result):
    """All that the stepper sets equal or nearly so, of a recorded result."""
    for step in steps_of(result, "forward"):
        if "formulas" in step:
            yield " ".join((*step["formulas"], step["result"]))
    for step in steps_of(result, "backward"):
        for part in step["contributions"]:
            yield from (part[row] for row in ("formula", "product", "addition") if row in part)


def test_an_exact_result_of_rounded_numbers_is_nearly_equal_to_them():
    x = ag.Value(math.log(3.5), label="x")
    assert list(equations_of(np.exp(x))) == [
        "exp(x) ≈ exp(1.25276) ≈ 3.5",
        "result = 3.5",
        "1.0 × 3.5 = 3.5",
    ]


def test_an_infinite_number_among_others_leaves_them_their_digits():
    x = ag.Value(-1.86563217e303, label="x")
    with np.errstate(over="ignore"):
        told = list(equations_of(np.square(x)))
    assert "2 · x ≈ 2 · (-1.8656322e303) ≈ -3.731e303" in told


def test_a_power_that_is_not_real_is_no_complex_number():
    x, y = ag.Value(-378.5, label="x"), ag.Value(-1.5, label="y")
    with np.errstate(invalid="ignore"):
        told = " ".join(equations_of(x**y))
    assert "x ** y = (-378.5) ** (-1.5) = nan" in told
    assert not re.search(r"\di\b", told)


@pytest.mark.parametrize(
    ("function", "formula", "derivatives"),
    [
        (
            np.fmod,
            "fmod(x, y) = fmod(-6.0, 2.5) = -1.0",
            ["1.0", "-rint((x - result) / y) = -rint(((-6.0) - (-1.0)) / 2.5) = 2.0"],
        ),
        (
            np.remainder,
            "x mod y = (-6.0) mod 2.5 = 1.5",
            ["1.0", "-⌊x / y⌋ = -⌊(-6.0) / 2.5⌋ = 3.0"],
        ),
        (np.floor_divide, "⌊x / y⌋ = ⌊(-6.0) / 2.5⌋ = -3.0", ["0.0", "0.0"]),
    ],
)
def test_remainders_are_told_apart(function, formula, derivatives):
    x, y = ag.Value(-6.0, label="x"), ag.Value(2.5, label="y")
    first, *others = equations_of(function(x, y))
    assert (first, others[::2]) == (formula, derivatives)


def test_real_numbers_have_no_conjugates():
    x = ag.Value(-3.0, label="x")
    assert "sign(x) = sign(-3.0) = -1.0" in list(equations_of(np.abs(x)))


def test_what_rounding_left_of_a_sum_is_said_to_be_that():
    x = ag.Value(np.full(3, 0.1), label="x")
    result = np.sum(nn.log_softmax(x) * nn.softmax(x))
    entries = [
        text
        for step in steps_of(result, "backward")
        for part in step["contributions"]
        for text in part.get("spelt", ())
        if "e-1" in text
    ]
    assert entries
    for text in entries:
        assert re.fullmatch(r"\[\d\]: .+ ≈ -?\d\.\d+e-1[67] \(up to rounding\)", text), text


def spelt_of(result):
    """The elements that the steps forward spell out."""
    return [text for step in steps_of(result, "forward") for text in step.get("spelt", ())]


def test_single_precision_is_told_to_those_who_compute_with_all_digits():
    x = ag.Value(np.array([0.1, -np.pi], np.float32), label="x")
    assert spelt_of(x / np.float32(1.01))[0] == "[0]: 0.1 / 1.01 ≈ 0.09901"
    assert spelt_of(np.sin(x))[1] == "[1]: sin(-3.14159274101) ≈ 8.742e-8"
    assert spelt_of(x * np.float32(0.5))[0] == "[0]: 0.1 · 0.5 ≈ 0.05"
    half = ag.Value(np.array([0.5, 0.25], np.float32), label="half")
    assert spelt_of(half + half)[0] == "[0]: 0.5 + 0.5 = 1.0"


def test_an_element_is_spelt_out_only_where_it_comes_of_one_element():
    a, b = ag.Value(np.array([[2.0, 1.0], [1.0, 3.0]])), ag.Value(np.eye(2))
    assert spelt_of(np.linalg.solve(a, b)) == []


def test_complex_operands_have_their_parentheses():
    z = ag.Value(1.0 + 2.0j, label="z")
    (product,) = steps_of(z * z, "forward")
    assert product["formulas"][-1] == "= (1.0 + 2.0i) · (1.0 + 2.0i)"
    assert product["result"] == "= -3.0 + 4.0i"


def test_a_name_with_an_operation_in_it_stands_in_parentheses():
    power, quotient = ag.Value(8.0, label="a ** b"), ag.Value(2.0, label="x / y")
    first, slope, _ = equations_of(power**2)
    assert first == "x ** n = (a ** b) ** 2 = 8.0 ** 2 = 64.0"
    assert slope == "2 · (a ** b) = 2 · 8.0 = 16.0"
    first, *_ = equations_of(3.0 / quotient)
    assert first == "x / y = 3.0 / (x / y) = 3.0 / 2.0 = 1.5"


def test_a_constant_that_is_rounded_is_put_in_as_a_number_only():
    x = ag.Value(2.0, label="x")
    first, *_ = equations_of(x * (1 / 3))
    assert first == "x · y = x · constant ≈ 2.0 · 0.33333333 ≈ 0.6667"


def test_the_remainder_by_infinity_is_no_infinity_times_nothing():
    first, *others = equations_of(np.fmod(ag.Value(3.5, label="a"), ag.Value(np.inf, label="b")))
    assert first == "fmod(x, y) = fmod(a, b) = fmod(3.5, inf) = 3.5"
    assert others[2] == "-rint((a - result) / b) = -rint((3.5 - 3.5) / inf) = -0.0"


def test_arguments_are_called_as_python_calls_them():
    drawing = ag.draw(lambda d, p: d["b"][1] * p[0], {"a": 1.0, "b": (2.0, 3.0)}, [4.0])
    assert [vertex.title for vertex in drawing.picture.vertices] == [
        "d['b'][1]",
        "p[0]",
        "multiply",
    ]


def test_two_runs_that_differ_in_dtype_alone_say_so():
    drawing = ag.draw(lambda a: a * 2.0, np.float32(1.0), compare=(1.0,))
    assert "The first difference is a: 1.0 float32 → 1.0 float64." in drawing.picture.notes[1]
