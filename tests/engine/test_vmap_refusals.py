"""vmap: what it refuses, and with which words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.mapped_samples import INPUTS, TARGETS, WEIGHTS, XS, assert_equal, loss, swish

ONE_BY_ONE = ", or call ag.map, which takes the samples one by one"


@pytest.mark.parametrize(
    ("function", "how", "instead"),
    [
        (
            lambda x: x if x[0] > 0 else -x,
            "a Python branch (if, while, and, or, not, assert)",
            "write np.where(condition, x, y), ag.cond or ag.while_loop",
        ),
        (
            lambda x: float(x[0]),
            "float()",
            "compute with functions of NumPy, which take all samples together, and write into "
            "np.zeros(n, like=x)",
        ),
        (
            lambda x: [1, 2, 3][x[0].astype(int)],
            "a Python index or length",
            "write np.array(a, like=i)[i] for a[i]",
        ),
        (
            lambda x: np.asarray(x),
            "a conversion to a plain array",
            "write np.array(a, like=i)[i] for a[i], ag.array([x, y]) for np.array([x, y]), and "
            "np.zeros(n, like=x) for an array to write into",
        ),
    ],
)
def test_numbers_of_samples_are_not_read(function, how, instead):
    for mapped in (function, ag.vmap(function)):
        xs = XS if mapped is function else XS.reshape(2, 2, 6)
        with pytest.raises(ag.UnsupportedError) as refusal:
            ag.vmap(mapped)(xs)
        assert str(refusal.value) == (
            f"{how} needs one number, and under ag.vmap there is one for each of "
            f"{len(xs) if mapped is function else 2} samples; {instead}{ONE_BY_ONE}"
        )


READERS = {
    "if under grad": ag.grad(lambda x: np.sum(x) if x[0] > 0 else -np.sum(x)),
    "math": lambda x: math.sin(x[0]),
    "math under grad": ag.grad(lambda x: math.sin(x[0])),
    "int": lambda x: int(x[0]),
    "round": lambda x: round(x[0]),
    "item": lambda x: x[0].item(),
    "tolist": lambda x: x.tolist(),
    "format": lambda x: float(f"{x[0]:.2f}"),
    "in": lambda x: 1.0 in x,
    "max": max,
    "np.array": lambda x: np.array([x[0], x[1]]),
    "string": str,
    "another Value": ag.Value,
}


@pytest.mark.parametrize("name", READERS)
def test_other_ways_to_read_numbers_are_refused_too(name):
    with pytest.raises(ag.AutogradError):
        ag.vmap(READERS[name])(XS)


def test_what_does_not_differ_between_samples_may_be_read():
    def function(w: Any, x: Any) -> Any:
        slope = ag.grad(lambda w: np.sum(w**2))(w)
        return x * float(slope[0]) if slope[0] > 0 else x

    w = np.array([2.0, 1.0])
    assert_equal(ag.vmap(function, (None, 0))(w, XS), XS * 4)


def test_writes_that_reach_outside_are_refused():
    def into_argument(w: Any, x: Any) -> Any:
        w += 1
        return w * x

    def into_value(x: Any) -> Any:
        value[0] = x[0]
        return value * x

    value = ag.Value(np.ones(6)) * 1
    with pytest.raises(ag.InPlaceError, match="writes into an argument that is the same for all"):
        ag.vmap(into_argument, (None, 0))(np.ones(6), XS)
    with pytest.raises(ag.InPlaceError, match="writes into a Value from outside of the function"):
        ag.vmap(into_value)(XS)
    with pytest.raises(ag.InPlaceError, match="passed twice"):
        ag.vmap(lambda x, y: x.__iadd__(1) * y)(XS, XS)


def test_samples_do_not_outlive_the_call():
    kept: list[Any] = []
    ag.vmap(lambda x: kept.append(x) or x)(XS)  # type: ignore[func-returns-value]
    for use in (
        lambda x: x * 2,
        np.sum,
        lambda x: x[0],
        lambda x: ag.vmap(lambda y: x * y)(XS),
        ag.grad(lambda x: np.sum(x * kept[0])),
    ):
        with pytest.raises(
            ag.UnsupportedError, match="used after the mapped function had returned"
        ):
            use(kept[0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ag.vmap(loss, (None, 0))(WEIGHTS, INPUTS, TARGETS),
            "vmap: in_axes has 2 entries, but loss was called with 3 positional arguments; write "
            "one entry for each, None for an argument that is the same for all samples",
        ),
        (
            lambda: ag.vmap(loss, (None, 2, 0))(WEIGHTS, INPUTS, TARGETS),
            "vmap: x of loss has shape (5, 3), which has no axis 2; write None for it in in_axes "
            "if it is the same for all samples, or another axis",
        ),
        (
            lambda: ag.vmap(loss, (None, 0, 0))(WEIGHTS, INPUTS, TARGETS[:3]),
            "vmap: arguments differ in the number of samples: x has 5 along axis 0 (shape (5, 3)), "
            "y has 3 along axis 0 (shape (3,)); pass as many samples of each, or write None in "
            "in_axes for what is the same for all",
        ),
        (
            lambda: ag.vmap(loss, None)(WEIGHTS, INPUTS, TARGETS),
            "vmap: loss has no argument that differs between samples; write an axis in in_axes "
            "for one of them",
        ),
        (
            lambda: ag.vmap(loss, ("0", 0, 0))(WEIGHTS, INPUTS, TARGETS),
            "vmap: in_axes is '0' for w, which is an array of shape (3, 4); write an integer, "
            "None, or a nesting of these like that of the argument",
        ),
        (
            lambda: ag.vmap(loss, True)(WEIGHTS, INPUTS, TARGETS),
            "vmap: in_axes is True for w, which is an array of shape (3, 4); write an integer, "
            "None, or a nesting of these like that of the argument",
        ),
        (
            lambda: ag.vmap(lambda p: p["a"], ({"b": 0},))({"a": XS}),
            "vmap: in_axes for p has the entries ['b'], but p has the entries ['a']; write one "
            "entry for each, None where there are no samples",
        ),
        (
            lambda: ag.vmap(lambda p: p[0], ((0, 0),))((XS,)),
            "vmap: in_axes for p has 2 entries, but p has 1 entries; write one entry for each, "
            "None where there are no samples",
        ),
        (
            lambda: ag.vmap(lambda x, how: x)(XS, "sum"),
            "vmap: how of <lambda> is str, which has no axis; write None for it in in_axes, or "
            "pass it by functools.partial",
        ),
        (
            lambda: ag.vmap(lambda x, n: x)(XS, n=3.0),
            "vmap: n of <lambda> has shape (), which has no axis 0; write None for it in in_axes "
            "if it is the same for all samples, or another axis",
        ),
        (
            lambda: ag.vmap(lambda x: x)(np.array(["a"])),
            "vmap: x of <lambda> has dtype <U1; pass numbers, or write None for it in in_axes",
        ),
        (
            lambda: ag.vmap(lambda x: (x, x), out_axes=(0,))(XS),
            "vmap: out_axes for result has 1 entries, but result has 2 entries; write one entry "
            "for each, None where there are no samples",
        ),
        (
            lambda: ag.vmap(lambda x: x, out_axes=2)(XS),
            "vmap: result of <lambda> has shape (6,) for one sample, and out_axes is 2; write an "
            "axis from -2 to 1",
        ),
        (
            lambda: ag.vmap(lambda x: (x, x), out_axes=(0, None))(XS),
            "vmap: result[1] of <lambda> differs between samples, but out_axes is None for it; "
            "write the axis along which the samples are to lie",
        ),
        (
            lambda: ag.vmap(lambda x: "sum")(XS),
            "vmap: <lambda> returned str; return arrays or numbers, or a nesting of them",
        ),
        (
            lambda: ag.vmap(3),  # type: ignore[arg-type]
            "vmap: function is int; pass a function of one sample",
        ),
        (
            lambda: ag.vmap(swish)(XS[:0]),
            "ag.vmap: swish has no batching rule and is called for each sample, and there is "
            "none, so that the shape of its result is unknown; pass at least one sample",
        ),
        (
            lambda: ag.map(lambda x: x, XS[:0]),
            "map: there is no sample, so that the shape of what <lambda> returns is unknown; "
            "pass at least one sample",
        ),
        (
            lambda: ag.map(lambda x: x[x > 0], np.array([[1.0, 2.0], [-1.0, 2.0]])),
            "map: <lambda> returned shape (2,) for one sample and (1,) for another; return "
            "arrays of one shape, or write [f(x) for x in xs]",
        ),
        (
            lambda: ag.map(lambda x: x, 3.0),
            "map: xs is a single number, which has no axis of samples; pass an array with one",
        ),
        (
            lambda: ag.map(lambda x: x, "abc"),
            "map: xs is str; pass an array, or a nesting of arrays, with the samples along the "
            "first axis",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(ag.AutogradError) as refusal:
        call()
    assert str(refusal.value) == message
