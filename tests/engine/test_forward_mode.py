"""Forward mode: memory that does not grow with the depth, whatever happens in the function."""

from __future__ import annotations

import sys
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from autograd_lite.transforms import forward

X = np.array([0.3, -0.7, 1.1, 0.2])
V = np.array([1.0, 0.5, -0.3, 2.0])
MEGABYTE = 1 << 20


def peak_of(compute: Callable[[], Any]) -> int:
    compute()
    tracemalloc.start()
    try:
        compute()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def sines(count: int) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        for _ in range(count):
            x = np.sin(x)
        return x

    return function


def steps(count: int) -> Callable[[Any], Any]:
    """Linear functions, products, rules that are transposed, decisions."""

    def function(x: Any) -> Any:
        for _ in range(count):
            y = np.reshape(x, (100, -1))
            y = y - np.mean(y, axis=0) * np.max(y)
            x = np.where(x > 0, np.ravel(y)[::-1], np.concatenate([x[1:], x[:1]]) * 0.9)
        return x

    return function


@pytest.mark.parametrize("make", [sines, steps])
def test_memory_does_not_grow_with_the_depth(make: Callable[[int], Callable[[Any], Any]]) -> None:
    """The graph of 200 sines of 20,000 numbers and of its pullback is of 97 MB."""
    x = np.linspace(0.1, 1.0, 20_000)
    few, many = (peak_of(lambda n=n: ag.jvp(make(n), x, x)) for n in (100, 1000))
    assert few < 4 * MEGABYTE
    assert many < few + MEGABYTE / 4


def test_a_jvp_of_sines_takes_a_few_arrays() -> None:
    x = np.linspace(0.1, 1.0, 20_000)
    assert peak_of(lambda: ag.jvp(sines(200), x, x)) < 2 * MEGABYTE


def test_a_derivative_by_one_number_takes_a_few_arrays() -> None:
    x = np.linspace(0.1, 1.0, 20_000)
    slope = ag.derivative(lambda t: sines(200)(t * x))
    assert peak_of(lambda: slope(0.5)) < 2 * MEGABYTE
    np.testing.assert_allclose(slope(0.5), ag.jvp(sines(200), 0.5 * x, x)[1], rtol=1e-13)


def test_memory_of_single_numbers_does_not_grow_either() -> None:
    def function(x: Any, count: int) -> Any:
        for _ in range(count):
            x = x * 0.999 + 0.01
        return x

    few, many = (
        peak_of(lambda n=n: ag.jvp(lambda x: function(x, n), 0.5, 1.0)) for n in (2000, 20_000)
    )
    assert many < few + MEGABYTE / 4


def test_gradients_inside_are_forgotten_step_by_step() -> None:
    """Of each descent the graph is kept while it is swept, and no longer."""

    def descend(x: Any, count: int) -> Any:
        w = x
        for _ in range(count):
            w = w - 0.1 * ag.grad(lambda u: np.sum(np.sin(u) * x))(w)
        return w

    x = np.linspace(0.1, 1.0, 5000)
    few, many = (peak_of(lambda n=n: ag.jvp(lambda x: descend(x, n), x, x)) for n in (10, 60))
    assert many < few + MEGABYTE / 2


# Numbers: as with the whole graph, where that is cut off at every operation, and at some.

OUTSIDE = ag.Value(2.0)

polar = ag.primitive(lambda x, y: (np.hypot(x, y), np.arctan2(y, x))).defvjp(
    lambda g, out, x, y: (g[0] * x - g[1] * y / out[0]) / out[0],
    lambda g, out, x, y: (g[0] * y + g[1] * x / out[0]) / out[0],
)

without_rule = ag.primitive(lambda x: x * 2)


def written(x: Any) -> Any:
    y = np.zeros(6, like=x)
    part = y[1:4]
    part[:] = x[:3]
    y *= 2
    part += x[0]
    return y, part


def in_silence(x: Any) -> Any:
    y = x * 2
    with ag.no_grad():
        z = x * 3
        y[0] = 5 * y[1]
    return y * z


def in_a_thread(x: Any) -> Any:
    y, found = np.sin(x), []
    thread = threading.Thread(target=lambda: found.append(np.exp(y) * x))
    thread.start()
    thread.join()
    return found[0] * y


def looked_at(x: Any) -> Any:
    y = np.sin(x)
    with ag.detect_anomaly():
        z = np.exp(y) * x
    return z * y


def without_rule_unused(x: Any) -> Any:
    without_rule(np.sin(x))
    return x * x


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "the argument": lambda x: x,
    "views and constants": lambda x: (x[1:], x[:-1], x, 1, True, 2.0),
    "writes": written,
    "no_grad": in_silence,
    "a thread": in_a_thread,
    "detect_anomaly": looked_at,
    "an operation without a rule, not used": without_rule_unused,
    "several results": lambda x: polar(x, x * x + 1)[1] * polar(x, 2.0)[0],
    "eigenvectors": lambda x: np.abs(np.linalg.eigh(np.outer(x, x) + np.diag([1, 2, 3, 4]))[1]),
    "complex": lambda x: np.abs(np.fft.fft(np.exp(1j * x) * (x + 2j))),
    "an infinite slope": lambda x: np.where(x > 9, np.sqrt(x * 0), x) * 3,
    "a slope behind a mask": lambda x: np.sqrt(np.where(x > 0, x, 0.0)),
    "a slope before a mask": lambda x: np.maximum(np.sqrt(x * 0), 1.0),
    "lengths of zero": lambda x: ag.grad(np.linalg.norm)(x * 0),
    "sum from an initial number": lambda x: np.sum(x, initial=3.0) * x,
    "grad": lambda x: ag.grad(lambda u: np.sum(np.sin(u * x) * u))(x) * x,
    "grad at a constant": lambda x: ag.grad(lambda u: np.sum(np.sin(u * x)))(2.0) * x,
    "hessian": lambda x: ag.hessian(lambda u: np.sum(u**3 * x))(x),
    "jvp": lambda x: ag.jvp(lambda u: np.sin(u) * x, x * 2, x**2)[1] * x,
    "jvp at a constant": lambda x: ag.jvp(lambda u: np.sin(u) * x, X, V)[1] * x,
    "vjp, called later": lambda x: (lambda r: r[1](r[0] * x))(ag.vjp(lambda u: np.sin(u) * x, x)),
    "linearize": lambda x: (lambda r: r[1](x) * r[0])(ag.linearize(lambda u: np.sin(u) * x, x)),
    "vmap": lambda x: ag.vmap(ag.grad(lambda r: np.sum(np.sin(r) * x)))(np.outer(x, x)),
    "checkpoint": lambda x: ag.checkpoint(lambda u: np.sin(np.cos(u) * x) * u)(x * 2) * x,
    "compile": lambda x: ag.compile(lambda u: np.sin(u) * u)(x * 2) * x,
    "scan": lambda x: ag.scan(lambda c, r: (np.sin(c) * r + x, np.sum(c)), x, np.outer(x, x)),
    "while_loop": lambda x: ag.while_loop(lambda c: np.sum(c * c) > 0.1, lambda c: c / 2, x * x),
    "a leaf of its own": lambda x: np.sin(ag.Value(2.0) * np.sin(x)) * x,
    "a Value from outside": lambda x: (np.sin(np.cos(x)) * OUTSIDE, np.cos(x)),
}  # fmt: skip


def numbers(found: Any) -> list[Any]:
    return [x.data if isinstance(x, ag.Value) else x for x in flatten(found)]


@pytest.fixture(params=[-1, 300])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Both ways to compute something: with the graph cut off, and with the whole of it."""

    def in_both_ways(compute: Callable[[], Any]) -> tuple[Any, Any]:
        monkeypatch.setattr(forward, "MOST_HELD", request.param)
        found = compute()
        monkeypatch.setattr(forward, "MOST_HELD", sys.maxsize)
        return found, compute()

    return in_both_ways


def scaled(results: Any, w: Any) -> Any:
    return [np.sin(x) * w for x in flatten(results) if np.result_type(numbers(x)[0]).kind in "fc"]


TRANSFORMS: dict[str, Callable[[Any], Any]] = {
    "jvp": lambda f: ag.jvp(f, X, V),
    "jvp of jvp": lambda f: ag.jvp(lambda x: ag.jvp(f, x, V)[1], X, V),
    "grad of jvp": lambda f: ag.grad(
        lambda x: sum(np.sum(np.abs(y)) for y in scaled(ag.jvp(f, x, V), 1.0))
    )(X),
    "grad by a captured Value": lambda f: ag.grad(
        lambda w: sum(
            np.sum(np.abs(y)) for y in flatten(ag.jvp(lambda x: scaled(f(x), w), X, V)[1])
        )
    )(1.3),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of infinite slopes
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_numbers_are_those_of_the_whole_graph(
    name: str, transform: Callable[[Any], Any], cut: Callable[[Any], Any]
) -> None:
    found, expected = cut(lambda: transform(PROGRAMS[name]))
    pairs = zip(flatten(found), flatten(expected), strict=True)
    assert all(isinstance(x, ag.Value) is isinstance(y, ag.Value) for x, y in pairs)
    for x, y in zip(numbers(found), numbers(expected), strict=True):
        assert type(x) is type(y)
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-12)


# What is refused, as it was.


def hooked(x: Any) -> Any:
    y = np.sin(x)
    y.register_hook(lambda g: g * 2)
    return y * x


def hooked_when_cut_off(x: Any) -> Any:
    y = np.sin(x)
    z = np.cos(np.cos(y) * y)
    y.register_hook(lambda g: g * 2)
    return z * 2, y


@pytest.mark.parametrize("function", [hooked, hooked_when_cut_off])
def test_hooks_are_refused(function: Any, cut: Callable[[Any], Any]) -> None:
    def refusal() -> str:
        with pytest.raises(ag.UnsupportedError, match="has no meaning in forward mode") as error:
            ag.jvp(function, X, V)
        return str(error.value)

    found, expected = cut(refusal)
    assert found == expected


def test_backward_is_refused_where_operands_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def function(x: Any) -> Any:
        y = np.sum(np.sin(x) ** 2)
        with ag.no_grad():  # without it, a sweep in a differentiated function is refused anyway
            y.backward()
        return y

    assert ag.jvp(function, X, V)[1] == ag.jvp(lambda x: np.sum(np.sin(x) ** 2), X, V)[1]
    monkeypatch.setattr(forward, "MOST_HELD", -1)
    with pytest.raises(ag.BackwardError) as error:
        ag.jvp(function, X, V)
    assert str(error.value) == (
        "backward() in a function under ag.jvp reaches a result whose operands were forgotten, as "
        "forward mode no longer needs them; call ag.grad of a function there"
    )


def test_a_backward_of_ones_own_leaves_is_not(cut: Callable[[Any], Any]) -> None:
    def function(x: Any) -> Any:
        w = ag.Value(2.0)
        np.sum(np.sin(w * X)).backward()
        return w.grad * np.sin(x)

    found, expected = cut(lambda: ag.jvp(function, X, V)[1])
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_rule_that_raises_is_heard_of_where_it_is_asked_for(cut: Callable[[Any], Any]) -> None:
    def refusal() -> str:
        with pytest.raises(ag.NoRuleError) as error:
            ag.jvp(lambda x: without_rule(np.sin(x)) * x, X, V)
        return str(error.value)

    found, expected = cut(refusal)
    assert found == expected


def test_a_constant_that_is_written_in_between_is_an_error(cut: Callable[[Any], Any]) -> None:
    def function(x: Any) -> Any:
        constant = np.ones(40_000)
        y = np.sin(x) * constant
        constant[:] = 7
        return np.sin(y)

    def refusal() -> str:
        with pytest.raises(ag.InPlaceError) as error:
            ag.jvp(function, 0.5, 1.0)
        return str(error.value)

    found, expected = cut(refusal)
    assert found == expected


def test_the_direction_may_be_written_while_the_function_runs() -> None:
    direction = V.copy()

    def function(x: Any) -> Any:
        direction[:] = 0
        return np.sin(x)

    np.testing.assert_allclose(ag.jvp(function, X, direction)[1], np.cos(X) * V, rtol=1e-14)


def test_directions_may_be_numbers_of_pythons_where_elements_are_taken() -> None:
    def to_cartesian(radius: Any, angle: Any) -> Any:
        rows = [x[..., np.newaxis] for x in ag.array([radius, angle])]
        radius, angle = ag.array(list(np.concatenate(rows)))
        return ag.array([radius * np.cos(angle), radius * np.sin(angle)])

    value, tangent = ag.jvp(to_cartesian, (0.7, 0.8), (1.0, 1.0))
    cosine, sine = np.cos(0.8), np.sin(0.8)
    np.testing.assert_allclose(value, [0.7 * cosine, 0.7 * sine], rtol=1e-15)
    np.testing.assert_allclose(tangent, [cosine - 0.7 * sine, sine + 0.7 * cosine], rtol=1e-15)
