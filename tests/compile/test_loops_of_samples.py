"""Programs of functions that vmap maps: their loops stay loops, each for all samples.

Set AUTOGRAD_LITE_NIGHTLY to run 200 random programs instead of 4.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.compile.loop_checks import XS, A, W, assert_same
from tests.compile.loop_programs import random_program

PROGRAMS = 200 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 4
WS = np.stack([W, W * 2, -W, W[::-1]])


def recurrent(w: Any, xs: Any) -> Any:
    """What is captured, carried and gone through differs, or does not, as in_axes say."""

    def step(h: Any, x: Any) -> Any:
        h = np.tanh(x * w + h @ A)
        return h, np.sum(h)

    last, sums = ag.scan(step, np.zeros(3), xs)
    return np.sum(last * w) + np.sum(sums**2)


def grown(w: Any, xs: Any) -> Any:
    """The number of steps differs; there is a scan in each of them."""

    def grow(v: Any) -> Any:
        inner = ag.scan(lambda c, x: (np.sin(c * x) + w, c), v["x"], xs)[1]
        return {"x": v["x"] * 1.5 + 0.1 * np.sum(inner, axis=0), "n": v["n"] + 1}

    last = ag.while_loop(lambda v: np.sum(v["x"] ** 2) < 20, grow, {"x": w, "n": 0})
    return np.sum(last["x"] * w) + last["n"]


def chosen(w: Any, xs: Any) -> Any:
    """A branch by what differs, in a loop; and one by what does not."""

    def step(c: Any, pair: Any) -> Any:
        i, x = pair
        by_sample = ag.cond(c[0] > 0.1, lambda: np.sin(c * x), lambda: c * 0.5 + x)
        return ag.cond(i > 2, lambda: by_sample * w, lambda: by_sample - w), c

    last, rows = ag.scan(step, w, (np.arange(len(xs)), xs), reverse=True)
    return np.sum(last) + np.sum(rows**2)


def settled(w: Any, xs: Any) -> Any:
    """A loop of unknown length in a scan, whose gradient keeps steps of steps."""

    def step(c: Any, x: Any) -> Any:
        small = lambda v: np.sum(v * v) < 30  # noqa: E731
        return ag.while_loop(small, lambda v: np.sin(v) * x + 2 * v + w, c) / 10, c

    return np.sum(ag.scan(step, w, xs)[1])


def counted(w: Any, xs: Any) -> Any:
    """Numbers of Python, single ones of NumPy and integers are carried."""

    def step(i: Any, carry: Any) -> Any:
        total, n, v = carry
        return total + w[0] * n, n + i, np.sin(v) * w

    total, n, v = ag.fori(0, 4, step, (0.0, 1, xs[0]))
    return total * n + np.sum(v)


def detached(w: Any, xs: Any) -> Any:
    """What has no gradient, and several results of one function, meet what is captured."""

    def step(c: Any, x: Any) -> Any:
        with ag.no_grad():
            total = np.sum(c * x)
        lowest, _ = np.linalg.eigh(np.outer(c, c) + np.diag([1.0, 3.0, 6.0]))
        return np.sin(c * x) + np.cos(total) * 0.1 * w, lowest * w

    last, rows = ag.scan(step, w, xs)
    return np.sum(last) + np.sum(rows**2)


FUNCTIONS = {f.__name__: f for f in (recurrent, grown, chosen, settled, counted, detached)}
TRANSFORMS: dict[str, Callable[..., Any]] = {
    "value": lambda f: f,
    "grad": lambda f: ag.grad(f, (0, 1)),
    "hvp": lambda f: lambda w, xs: ag.hvp(f, (w, xs), (w * 2, xs)),
    "jvp": lambda f: lambda w, xs: ag.jvp(f, (w, xs), (xs[0], xs))[1],
}
AXES = {"both": (0, 0), "one": (0, None), "the other": (None, 0)}


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_sample_gets_what_the_function_gives_for_it(
    name: str, transform: str, axes: str
) -> None:
    function = TRANSFORMS[transform](FUNCTIONS[name])
    rows = np.stack([XS, XS * 0.5, -XS, XS[::-1]])
    args = [x[1] if axis is None else x for x, axis in zip((WS, rows), AXES[axes], strict=True)]
    wanted = [
        function(*(x if axis is None else x[i] for x, axis in zip(args, AXES[axes], strict=True)))
        for i in range(len(WS))
    ]
    columns = [np.stack(column) for column in zip(*map(flatten, wanted), strict=True)]
    program = ag.compile(ag.vmap(function, AXES[axes]))
    for _ in range(2):
        assert_same(flatten(program(*args)), columns, 1e-9)


def test_a_loop_is_as_long_for_any_number_of_steps_and_samples() -> None:
    slopes = ag.vmap(ag.grad(recurrent), (0, None))
    lines = []
    for steps, samples in ((5, 3), (500, 30)):
        program = ag.compile(slopes)
        program(np.ones((samples, 3)), np.ones((steps, 3)))
        lines.append(program.source.count("\n"))
        assert program.source.count("for ") == 2
    assert lines[0] == lines[1]
    program = ag.compile(ag.vmap(ag.grad(grown), (0, None)))
    program(WS, XS)
    assert program.source.count("while ") == 1


def test_batches_nest_and_other_transforms_are_outside() -> None:
    twice = ag.vmap(ag.vmap(recurrent, (0, None)), (None, 0))
    rows = np.stack([XS, -XS])
    wanted = np.array([[recurrent(w, xs) for w in WS] for xs in rows])
    assert_same(ag.compile(twice)(WS, rows), wanted, 1e-10)
    slopes = ag.vmap(ag.vmap(ag.grad(grown), (0, None)), (None, 0))
    wanted = np.array([[ag.grad(grown)(w, xs) for w in WS] for xs in rows])
    assert_same(ag.compile(slopes)(WS, rows), wanted, 1e-9)
    for function in (recurrent, grown, chosen):
        total = ag.grad(lambda ws, f=function: np.sum(ag.vmap(f, (0, None))(ws, XS) ** 2))
        assert_same(ag.compile(total)(WS), total(WS), 1e-9)
        matrices = ag.vmap(ag.hessian(function), (0, None))
        assert_same(ag.compile(matrices)(WS, XS), matrices(WS, XS), 1e-8)


def settling(w: Any) -> Any:
    """A loop of a number of steps that differs between the samples."""
    return ag.while_loop(lambda c: np.sum(c * c) > 0.1, lambda c: np.sin(c) * 0.8, w)


def captured(w: Any) -> Any:
    """The same, of steps that read what is outside of them."""
    shrink = lambda c: np.sin(c * np.cos(w)) * 0.6  # noqa: E731
    return ag.while_loop(lambda c: np.sum(c * c) > 0.1, shrink, w)


def begun_alike(w: Any) -> Any:
    """A scan that begins with the same for all samples, of which parts differ a step later."""
    step = lambda c, x: ((c[1] * x, c[2] * 1.5, np.sum(w) * c[2]), c[0])  # noqa: E731
    (last, *_), rows = ag.scan(step, (1.0, 0.5, 0.2), np.array([0.5, 0.7, 0.9]))
    return last + rows[2] * w


def branched(w: Any) -> Any:
    """A branch in a loop; one of the two gives the same for all samples."""
    step = lambda c, x: (ag.cond(np.sum(c) > x, np.sin, lambda c: c * 0 + x, c) * w, None)  # noqa: E731
    return ag.scan(step, w, np.array([0.9, 0.4]))[0]


def sines(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: np.sum(np.sin(function(x)))


def along(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: ag.jvp(function, x, np.cos(x))[1]


def table(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Samples of samples, which differ by both."""
    return ag.vmap(lambda x: ag.vmap(lambda k: function(x * k))(np.array([0.9, 0.7])))


HIGHER: dict[str, Callable[[Any], Any]] = {
    "slopes of tangents": lambda f: ag.vmap(ag.grad(sines(along(f)))),
    "slope of slopes": lambda f: ag.grad(sines(ag.vmap(ag.grad(sines(f))))),
    "slope of tangents": lambda f: ag.grad(sines(ag.vmap(along(f)))),
    "slope of slopes of tangents": lambda f: ag.grad(sines(ag.vmap(ag.grad(sines(along(f)))))),
    "slope of tangents of slopes": lambda f: ag.grad(sines(ag.vmap(along(ag.grad(sines(f)))))),
    "slope of matrices": lambda f: ag.grad(sines(ag.vmap(ag.hessian(sines(f))))),
    "tangent of slopes": lambda f: along(ag.vmap(ag.grad(sines(f)))),
    "slope of a table": lambda f: ag.grad(sines(table(f))),
    "slope of a table of slopes": lambda f: ag.grad(sines(table(ag.grad(sines(f))))),
    "slope of a table of tangents": lambda f: ag.grad(sines(table(along(f)))),
    "slopes of rows of slopes": lambda f: ag.vmap(ag.grad(sines(ag.vmap(ag.grad(sines(f)))))),
}


@pytest.mark.parametrize("shape", [(4,), (4, 2)], ids=["numbers", "vectors"])
@pytest.mark.parametrize("transform", HIGHER)
@pytest.mark.parametrize("loop", [settling, captured, begun_alike, branched])
def test_batches_between_derivatives(
    loop: Callable[[Any], Any], transform: str, shape: tuple[int, ...]
) -> None:
    """Loops in batches whose derivatives are mapped, or differentiated outside of the batch."""
    function = HIGHER[transform](loop)
    xs = np.linspace(0.55, 1.45, int(np.prod(shape))).reshape(shape)
    if transform == "slopes of rows of slopes":
        xs = np.stack([xs, xs[::-1] * 0.8])
    program = ag.compile(function)
    for x in (xs, xs * 0.9):
        assert_same(program(x), function(x), 1e-9)


def test_each_sample_draws_its_own_numbers_in_each_step() -> None:
    def dropped(w: Any, rng: Any) -> Any:
        def step(h: Any, x: Any) -> Any:
            scale = ag.random.random(rng, 3)
            return np.where(scale > 0.5, np.tanh(h * (w * scale) + x), 0.0), h

        return np.sum(ag.scan(step, w, XS)[1] ** 2)

    mapped = ag.vmap(ag.grad(dropped), (0, None))
    mine, yours = np.random.default_rng(3), np.random.default_rng(3)
    program = ag.compile(mapped)
    for _ in range(3):
        assert_same(program(WS, mine), mapped(WS, yours))
    assert "for " in program.source


def test_writes_that_reach_out_of_a_step_are_refused() -> None:
    def into_what_is_outside(w: Any) -> Any:
        kept = w * 1.0

        def step(c: Any, x: Any) -> Any:
            kept[0] = x[0]
            return c * kept, None

        return ag.scan(step, w, XS)[0]

    def into_the_carry(w: Any) -> Any:
        def step(c: Any, x: Any) -> Any:
            c[0] = x[0]
            return c, None

        return ag.scan(step, w, XS)[0]

    for function in (into_what_is_outside, into_the_carry):
        with pytest.raises(ag.AutogradError, match="write into a copy"):
            ag.compile(ag.vmap(function))(WS)


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_random_programs(seed: int) -> None:
    function, point = random_program(seed)
    axes = [(0, 0, 0), (None, 0, 0), (0, None, 0), (0, 0, None)][seed % 4]
    scales = np.random.default_rng(seed).uniform(0.5, 1.5, 3)
    args = [
        x if axis is None else np.stack([x * k for k in scales])
        for x, axis in zip(point, axes, strict=True)
    ]
    gradient = ag.grad(function, (0, 1, 2))
    for of in (gradient, lambda *args: ag.jvp(gradient, args, args)[1]):
        samples = [
            of(*(x if axis is None else x[i] for x, axis in zip(args, axes, strict=True)))
            for i in range(len(scales))
        ]
        wanted = [np.stack(column) for column in zip(*samples, strict=True)]
        assert_same(list(ag.compile(ag.vmap(of, axes))(*args)), wanted, 1e-7)


def of_length(length: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: ag.cond(x[0] > 0, length, lambda x: np.sum(x * x), x)


LENGTHS = {
    "norm": of_length(lambda x: np.linalg.norm(x) * 1.0),
    "abs": of_length(lambda x: np.sum(np.abs(x) * x)),
    "std": of_length(np.std),
    "hypot": of_length(lambda x: np.sum(np.hypot(x, x[::-1]))),
    "in a loop": lambda x: ag.fori(0, 2, lambda i, c: c * of_length(np.linalg.norm)(c), x)[1],
}


@pytest.mark.parametrize("f", LENGTHS.values(), ids=LENGTHS.keys())
def test_second_derivatives_of_lengths_in_branches_of_samples(f: Callable[[Any], Any]) -> None:
    """Of each sample they are differences of its gradient."""
    second = ag.grad(lambda x: np.sum(np.sin(ag.grad(f)(x))))
    xs = np.array([[0.3, 0.8, 0.4], [-1.3, 0.9, 0.5], [0.7, -0.2, 1.1]])
    step = 1e-6

    def total(x: Any) -> float:
        return float(np.sum(np.sin(ag.grad(f)(x))))

    expected = [[(total(x + e) - total(x - e)) / (2 * step) for e in step * np.eye(3)] for x in xs]
    for mapped in (ag.vmap(second), ag.compile(ag.vmap(second))):
        np.testing.assert_allclose(mapped(xs), expected, rtol=1e-6, atol=1e-8)
