"""Loops and branches called as usual: what plain Python does, and its derivatives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag

XS = np.linspace(-1.0, 1.2, 12).reshape(4, 3)
W = np.array([0.3, -0.7, 1.1])


class Pair(NamedTuple):
    first: Any
    second: Any


def by_hand(f: Any, carry: Any, xs: Any, is_reversed: bool = False) -> tuple[Any, list[Any]]:
    """A scan as one writes it: the loop, and the list of its results."""
    ys = []
    for x in xs[::-1] if is_reversed else xs:
        carry, y = f(carry, x)
        ys.append(y)
    return carry, ys[::-1] if is_reversed else ys


def decay(carry: Any, x: Any) -> tuple[Any, Any]:
    return np.tanh(carry * W + x), np.sum(carry * x)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_scan_is_the_loop(is_reversed: bool) -> None:
    last, ys = ag.scan(decay, W, XS, reverse=is_reversed)
    expected, rows = by_hand(decay, W, XS, is_reversed)
    np.testing.assert_array_equal(last, expected)
    np.testing.assert_array_equal(ys, rows)


def test_the_gradient_of_a_scan_is_that_of_the_steps() -> None:
    def loss(w: Any, xs: Any) -> Any:
        last, ys = ag.scan(lambda c, x: (np.tanh(c * w + x), np.sum(c * x)), w, xs)
        return np.sum(last**2) + np.sum(ys)

    assert ag.gradcheck(loss, W, XS)


def test_nestings_come_back_as_they_came() -> None:
    def step(carry: Any, x: Any) -> Any:
        return Pair(carry.second, {"total": carry.first["total"] + x["a"]}), [x["b"], None]

    init = Pair({"total": 1.0}, {"total": 2.0})
    last, ys = ag.scan(step, init, {"a": np.arange(3.0), "b": XS[:3]})
    assert isinstance(last, Pair) and last.second["total"] == 1.0 + 0.0 + 2.0
    np.testing.assert_array_equal(ys[0], XS[:3])
    assert ys[1] is None


def test_a_scan_of_no_steps_tells_the_shapes_of_its_results() -> None:
    rng = np.random.default_rng(0)

    def step(carry: Any, x: Any) -> Any:
        return carry * x[0] / 0.0, {"y": x, "z": np.sum(x) > 0, "r": ag.random.random(rng, 2)}

    last, ys = ag.scan(step, W, XS[:0])
    np.testing.assert_array_equal(last, W)
    assert (ys["y"].shape, ys["z"].shape, ys["r"].shape) == ((0, 3), (0,), (0, 2))
    assert ys["z"].dtype == bool
    assert rng.random() == np.random.default_rng(0).random()


def test_a_scan_without_rows_has_a_length() -> None:
    last, ys = ag.scan(lambda c, x: (c * 2, x), 1.0, None, length=5)
    assert (last, ys) == (32.0, None)


def test_fori_while_loop_cond_and_switch_are_python() -> None:
    assert ag.fori(2, 6, lambda i, total: total + i, 0) == 2 + 3 + 4 + 5
    assert ag.fori(6, 2, lambda i, total: total + i, 0) == 0
    assert ag.while_loop(lambda v: v[0] < 100, lambda v: (v[0] * 2, v[1] + 1), (1, 0)) == (128, 7)
    assert ag.cond(0.0, lambda: "yes", lambda: "no") == "no"
    assert [ag.switch(np.int8(i), [np.sin, np.cos], 0.0) for i in range(2)] == [0.0, 1.0]


def test_each_step_is_a_part_of_the_graph() -> None:
    x = ag.Value(2.0, label="x")
    y = ag.fori(0, 3, lambda i, y: y * x, 1.0)
    y.backward()
    assert (y.data, x.grad) == (8.0, 12.0)
    assert ag.draw(y).source.count("multiply") + ag.draw(y).source.count("·") >= 3


def test_branches_get_the_gradients_of_what_they_read() -> None:
    scale = ag.Value(3.0)
    y = ag.cond(ag.Value(1.0) > 0, lambda x: x * scale, lambda x: x, 2.0)
    y.backward()
    assert scale.grad == 2.0


REFUSED = {
    "a carry of another shape": (
        lambda: ag.scan(lambda c, x: ({"w": np.append(c["w"], 1.0)}, x), {"w": W}, XS),
        "scan: carry['w'] was float64[3], and <lambda> returned float64[4] in its place; begin "
        "with a carry of that shape and dtype, or convert what is returned "
        "(np.broadcast_to(y, shape), y.astype(dtype))",
    ),
    "a carry of another dtype": (
        lambda: ag.while_loop(lambda v: v[0] < 3, lambda v: (v[0] + 1, v[1] * 1j), (0, W)),
        "while_loop: carry[1] was float64[3], and <lambda> returned complex128[3] in its place; "
        "begin with a carry of that shape and dtype, or convert what is returned "
        "(np.broadcast_to(y, shape), y.astype(dtype))",
    ),
    "a carry nested otherwise": (
        lambda: ag.scan(lambda c, x: ([c[0]], x), [1.0, 2.0], XS),
        "scan: <lambda> got a carry with the parts carry[0], carry[1], and returned one with "
        "carry[0]; return a carry nested as it came",
    ),
    "no pair": (
        lambda: ag.scan(lambda c, x: c, W, XS),
        "scan: <lambda> returned ndarray; it must return a pair of the next carry and a result "
        "(return carry, None if there is none)",
    ),
    "a text as a result": (
        lambda: ag.scan(lambda c, x: (c, "step"), W, XS),
        "scan: <lambda> returned a result of which: y is str; pass numbers, arrays, or nestings "
        "of them, and let the function capture all else",
    ),
    "neither rows nor a length": (
        lambda: ag.scan(decay, W),
        "scan: there is neither an array in xs nor a length; pass length=n for n steps",
    ),
    "rows of two lengths": (
        lambda: ag.scan(lambda c, x: (c, c), W, (XS, W)),
        "scan: xs[1] has 3 rows, but the loop has 4 steps; pass arrays of the same length, and "
        "that length or none",
    ),
    "a length that is none": (
        lambda: ag.scan(decay, W, XS, length=4.0),
        "scan: length is float; pass a whole number, int(length)",
    ),
    "a negative length": (
        lambda: ag.scan(decay, W, None, length=-1),
        "scan: length=-1; pass 0 or more",
    ),
    "a number as rows": (
        lambda: ag.scan(decay, W, 1.0),
        "scan: xs is a single number, and has no rows to go through; pass what is the same at "
        "every step as a part of init, or let f capture it",
    ),
    "a bound that is no whole number": (
        lambda: ag.fori(0, 2.5, lambda i, v: v, W),
        "fori: upper is float; pass a whole number, int(upper)",
    ),
    "a condition that is an array": (
        lambda: ag.while_loop(lambda v: v < 0, lambda v: v + 1, W),
        "while_loop: the condition returned an array of shape (3,), not a single number; reduce "
        "it (np.all, np.any)",
    ),
    "a predicate that is an array": (
        lambda: ag.cond(W > 0, np.sin, np.cos, W),
        "cond: predicate has shape (3,), which is not a single number; reduce it (np.all, np.any), "
        "or choose element by element with np.where",
    ),
    "a fraction as an index": (
        lambda: ag.switch(1.0, [np.sin, np.cos], W),
        "switch: index is float; pass a whole number, x.astype(int)",
    ),
    "an index that no branch has": (
        lambda: ag.switch(-1, [np.sin, np.cos], W),
        "switch: index is -1, and there are 2 branches; pass 0 to 1",
    ),
    "no branches": (
        lambda: ag.switch(0, [], W),
        "switch: there are no branches; pass a list of functions",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_by_name(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value) == message


@dataclass
class Named:
    """A number, and a name that is no number."""

    x: Any
    name: int = field(default=0, metadata={"static": True})


NAMES_DIFFER = {
    "a carry": lambda x: ag.scan(
        lambda c, k: (Named(c.x * k, c.name + 1), k), Named(x), np.ones(3)
    ),
    "a carry of while_loop": lambda x: ag.while_loop(
        lambda c: c.x < 9, lambda c: Named(c.x * 2, c.name + 1), Named(x)
    ),
    "branches": lambda x: [
        ag.cond(y > 1, lambda y=y: Named(y, 1), lambda y=y: Named(y, 2)) for y in (x, 2 * x)
    ],
    "keys of branches": lambda x: ag.switch(
        (x > 0).astype(int), [lambda: {"a": x}, lambda: {"b": x}]
    ),
}


@pytest.mark.parametrize("name", NAMES_DIFFER)
def test_what_is_no_number_is_the_same_wherever_one_stands_for_all(name: str) -> None:
    function = NAMES_DIFFER[name]
    mapped = ag.vmap(function)
    ways = [
        lambda: ag.compile(function)(np.float64(0.8)),
        lambda: mapped(np.array([0.8, -3.0, 2.0])),
    ]
    if "branches" not in name:  # of which one is called
        ways.append(lambda: function(np.float64(0.8)))
    for way in ways:
        with pytest.raises(ag.ArgumentTypeError, match=r"besides its numbers|the same nesting"):
            way()


def test_results_of_steps_and_samples_are_alike() -> None:
    def counting(result: Any) -> Any:
        count = itertools.count(1)
        return lambda *_: result(next(count))

    for result in (lambda n: Named(1.0, n), lambda n: {n: 1.0}, lambda n: [1.0] * n):
        step = counting(result)
        with pytest.raises(ag.ArgumentTypeError, match=r"return .*(alike|the same nesting)"):
            ag.scan(lambda c, x, step=step: (c, step()), 0.0, np.ones(3))
        with pytest.raises(ag.ArgumentTypeError, match=r"return .*(alike|the same nesting)"):
            ag.map(counting(result), np.ones(3))


def test_a_scan_of_no_steps_may_write_into_a_copy_of_its_carry() -> None:
    x = np.array([1.0, 2.0, 3.0])

    def loss(x: Any) -> Any:
        def step(carry: Any, row: Any) -> Any:
            carry = carry.copy()
            carry[1:] += np.sum(x) * row
            return carry, carry

        carry, rows = ag.scan(step, x * 2.0, np.ones(0))
        assert np.shape(rows) == (0, 3)
        return np.sum(carry) + np.sum(rows)

    np.testing.assert_array_equal(ag.grad(loss)(x), [2.0, 2.0, 2.0])
    np.testing.assert_array_equal(ag.compile(ag.grad(loss))(x), [2.0, 2.0, 2.0])
