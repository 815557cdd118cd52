"""Ufuncs with ``where=`` know nothing of the elements that their mask leaves out.

These are not computed, so that nobody warns of them, and have no part in a derivative of any order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.primitive import registry
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like

SHAPE = (5, 7)
POISONS = (0.0, -1.0, 1.0, 2.0, np.inf, -np.inf, np.nan, 1e200, 1e-300)


def takes_mask(case: Case) -> bool:
    """Whether a case is a plain call of a ufunc that computes numbers element by element."""
    function: Any = case.function
    return (
        isinstance(function, np.ufunc)
        and function.signature is None
        and function.nout == 1
        and any("d" in loop for loop in function.types)
        and (function, "__call__") in registry
        and not case.keywords
        and case.label != "where"
        and len(case.domains) == function.nin
    )


MASKED = [case for case in CASES if takes_mask(case)]
SMOOTH = [case for case in MASKED if case.derivatives]

every_case = pytest.mark.parametrize("case", MASKED, ids=lambda case: case.name)
every_smooth_case = pytest.mark.parametrize("case", SMOOTH, ids=lambda case: case.name)


def draw(case: Case) -> tuple[list[Any], list[Any], Any]:
    """Inputs as a case draws them, the same with poison where a mask is false, and the mask."""
    rng = np.random.default_rng(0)
    clean = [domain.draw(rng, SHAPE) for domain in case.domains]
    mask = rng.random(SHAPE) < 0.6
    poisoned = [np.array(x) for x in clean]
    for x in poisoned:
        poisons = [p for p in POISONS if x.dtype.kind in "fc" or abs(p) < 3]
        x[~mask] = rng.choice(poisons, np.sum(~mask))
    return clean, poisoned, mask


def constant(x: Any) -> Value:
    return Value(x, requires_grad=False)


def of_floats(inputs: list[Any]) -> list[int]:
    return [i for i, x in enumerate(inputs) if x.dtype.kind in "fc"]


def of_some(f: Callable[..., Any], inputs: list[Any], places: list[int]) -> Callable[..., Any]:
    """A function of those inputs that have derivatives."""

    def call(*xs: Any) -> Any:
        operands = list(inputs)
        for place, x in zip(places, xs, strict=True):
            operands[place] = x
        return f(*operands)

    return call


@every_case
def test_what_the_mask_leaves_out_is_not_computed(case: Case) -> None:
    clean, inputs, mask = draw(case)
    function: Any = case.function
    with np.errstate(all="ignore"):
        plainly = function(*clean)
    out = np.ones(SHAPE, plainly.dtype)
    ours = constant(np.ones(SHAPE)).astype(out.dtype)
    with np.errstate(all="raise", under="ignore"):
        returned = function(*map(constant, inputs), where=mask, out=ours)
        alone = function(*map(constant, inputs), where=mask, out=None)
        if getattr(np, function.__name__, None) is function:
            function(*inputs, where=mask, out=out)
        else:
            np.copyto(out, plainly, where=mask)  # SciPy's write anywhere, if they have a mask
    assert returned is ours
    np.testing.assert_array_equal(ours.data, out)
    assert alone.dtype == out.dtype
    np.testing.assert_array_equal(alone.data, np.where(mask, out, 0))


def first(f: Callable[..., Any], weights: Any) -> Callable[..., Any]:
    return lambda *xs: ag.vjp(f, *xs)[1](weights)


def second(f: Callable[..., Any], weights: Any, probe: Any) -> Callable[..., Any]:
    """Derivatives of a gradient along a probe."""
    return lambda *xs: ag.vjp(first(f, weights), *xs)[1](probe)


def mapped(f: Callable[..., Any]) -> Callable[..., Any]:
    """Under ``ag.vmap``, as two samples."""
    return lambda *xs: [x[1] for x in ag.vmap(f)(*[np.stack([x, x]) for x in xs])]


WAYS: dict[str, Callable[..., Any]] = {
    "eager": lambda f: f,
    "compiled": ag.compile,
    "mapped": mapped,
}


@every_smooth_case
@pytest.mark.parametrize("way", WAYS)
def test_what_the_mask_leaves_out_has_no_derivative(case: Case, way: str) -> None:
    clean, poisoned, mask = draw(case)
    places = of_floats(clean)
    xs, ys = ([of[i] for i in places] for of in (clean, poisoned))
    f = of_some(case.function, clean, places)

    def written(old: Any, *xs: Any) -> Any:
        out = old * 1
        of_some(partial(case.function, where=mask, out=out), poisoned, places)(*xs)
        return out

    rng = np.random.default_rng(1)
    old, weights = (random_like(rng, [f(*xs)])[0] for _ in range(2))
    probe = tuple(random_like(rng, [old, *xs]))
    with np.errstate(all="raise", under="ignore"):
        value = WAYS[way](lambda *args: ag.vjp(written, *args)[:1])(old, *ys)
        shares = WAYS[way](first(written, weights))(old, *ys)
        if case.derivatives > 1:
            bends = WAYS[way](second(written, weights, probe))(old, *ys)
    kept = np.where(mask, 0, weights)
    expected = [np.where(mask, x, 0) for x in first(f, weights)(*xs)]
    assert_near(value, [np.where(mask, f(*xs), old)])
    assert_near(shares, [kept, *expected])
    if case.derivatives > 1:
        expected = [np.where(mask, x, 0) for x in second(f, weights, probe[1:])(*xs)]
        assert_near(bends, [np.zeros_like(old), *expected])


def assert_near(found: Any, expected: list[Any]) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)


@every_smooth_case
def test_what_the_mask_leaves_out_has_no_tangent(case: Case) -> None:
    clean, poisoned, mask = draw(case)
    places = of_floats(clean)
    xs, ys = ([of[i] for i in places] for of in (clean, poisoned))
    f = of_some(case.function, clean, places)

    def written(old: Any, *xs: Any) -> Any:
        out = old * 1
        of_some(partial(case.function, where=mask, out=out), poisoned, places)(*xs)
        return out

    rng = np.random.default_rng(1)
    old, *directions = random_like(rng, [f(*xs), f(*xs), *xs])
    with np.errstate(all="raise", under="ignore"):
        _, tangent = ag.jvp(written, (old, *ys), tuple(directions))
    _, expected = ag.jvp(f, tuple(xs), tuple(directions[1:]))
    assert_near([tangent], [np.where(mask, expected, directions[0])])


@pytest.mark.parametrize("dtype", ["?", "u1", "i4", "f4", "c8"])
@pytest.mark.parametrize("other", [None, True, 2, 0.5, np.float32(0.5), np.array([[1], [2]])])
def test_the_dtype_is_that_of_the_loop(dtype: str, other: Any) -> None:
    x = np.array([1, 0, 3]).astype(dtype)
    mask = np.array([[True, False, True], [False, False, True]])
    value = constant(np.array([1.0, 0.0, 3.0], "c8" if dtype == "c8" else float)).astype(dtype)
    for function in (np.multiply, np.add, np.divide, np.equal, np.logical_or):
        operand = x if other is None else other
        beside = value if other is None else other
        with np.errstate(all="ignore"):
            plainly = function(x, operand)
        expected = np.zeros(np.broadcast_shapes(plainly.shape, mask.shape), plainly.dtype)
        function(x, operand, where=mask, out=expected)
        result = function(value, beside, where=mask, out=None)
        assert result.dtype == expected.dtype
        np.testing.assert_array_equal(result.data, expected)


def test_functions_with_several_results_take_a_mask() -> None:
    x = np.array([2.5, np.nan, 7.75])
    mask = np.array([True, False, True])
    with np.errstate(all="raise"):
        whole, rest = np.divmod(constant(x), 2, where=mask, out=(None, None))
        fraction, _ = np.modf(constant(x), where=mask, out=(None, None))
        mantissa, exponent = np.frexp(constant(x), where=mask, out=(None, None))
    assert [whole.data.tolist(), rest.data.tolist()] == [[1.0, 0.0, 3.0], [0.5, 0.0, 1.75]]
    assert fraction.data.tolist() == [0.5, 0.0, 0.75]
    assert [mantissa.data.tolist(), exponent.data.tolist()] == [[0.625, 0, 0.96875], [2, 0, 3]]

    def parts(x: Any) -> Any:
        out = (np.ones_like(x), np.ones_like(x))
        np.modf(x, where=mask, out=out)
        return np.sum(out[0] ** 2) + np.sum(out[1])

    assert ag.grad(parts)(x).tolist() == [1.0, 0.0, 1.5]


def test_outer_products_take_a_mask() -> None:
    x, mask = np.array([2.0, 0.0]), np.array([[True, False], [True, False]])
    with np.errstate(all="raise"):
        quotients = ag.jacobian(lambda x: np.divide.outer(x, x, where=mask, out=None))(x)
    assert quotients.tolist() == [[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.5], [0.0, 0.0]]]


def test_a_mask_is_one() -> None:
    x = constant(np.ones(2))
    for call in (
        lambda: np.exp(x, where=np.array([1, 0]), out=None),
        lambda: np.exp(x, where=np.array([1, 0]), out=x.copy()),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=r"where= is an array of int.*mask != 0"):
            call()
