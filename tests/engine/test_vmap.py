"""vmap: what a function is for each sample, computed for all of them together."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.mapped_samples import (
    INPUTS,
    TARGETS,
    WEIGHTS,
    XS,
    assert_equal,
    loop,
    loss,
    swish,
)

AXES = (None, 0, 0)


def per_sample(function: Any) -> Any:
    return loop(lambda x, y: function(WEIGHTS, x, y), INPUTS, TARGETS)


# Composition with every other transform.


COMPOSED = {
    "value": lambda f: f,
    "grad": ag.grad,
    "hessian": ag.hessian,
    "jacobian of grad": lambda f: ag.jacobian(ag.grad(f)),
    "vjp": lambda f: lambda w, x, y: ag.vjp(f, w, x, y)[1](2.0)[0],
    "jvp": lambda f: lambda w, x, y: ag.jvp(lambda w: f(w, x, y), w, w)[1],
    "hvp": lambda f: lambda w, x, y: ag.hvp(lambda w: f(w, x, y), w, w),
    "checkpoint": lambda f: ag.grad(ag.checkpoint(f)),
    "compile": ag.compile,
    "compile inside": lambda f: ag.grad(ag.compile(f)),
    "grad by position": lambda f: ag.grad(f, argnum=1),
    "third": lambda f: ag.grad(lambda w, x, y: np.sum(ag.hessian(f)(w, x, y) ** 2)),
}


@pytest.mark.parametrize("name", COMPOSED)
def test_a_transform_inside_is_the_transform_for_each_sample(name):
    function = COMPOSED[name](loss)
    wanted = per_sample(function)
    assert_equal(ag.vmap(function, AXES)(WEIGHTS, INPUTS, TARGETS), wanted)
    if "third" not in name:
        program = ag.compile(ag.vmap(function, AXES))
        for _ in range(2):
            assert_equal(program(WEIGHTS, INPUTS, TARGETS), wanted)


def losses(w: Any) -> Any:
    return ag.vmap(loss, AXES)(w, INPUTS, TARGETS)


def gradients(w: Any) -> Any:
    return ag.vmap(ag.grad(loss), AXES)(w, INPUTS, TARGETS)


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (lambda: ag.jacobian(losses)(WEIGHTS), ag.grad(loss)),
        (lambda: ag.jacobian(gradients)(WEIGHTS), ag.hessian(loss)),
        (
            lambda: ag.jvp(losses, WEIGHTS, WEIGHTS)[1],
            lambda *args: np.sum(ag.grad(loss)(*args) * WEIGHTS),
        ),
    ],
)
def test_a_transform_outside_goes_through(outside, inside):
    assert_equal(outside(), per_sample(inside))


def test_sums_over_samples_and_captured_values_have_their_gradients():
    wanted = per_sample(ag.grad(loss)).sum(axis=0)
    assert_equal(ag.grad(lambda w: np.sum(losses(w)))(WEIGHTS), wanted)
    assert_equal(ag.grad(lambda w: np.sum(ag.checkpoint(losses)(w)))(WEIGHTS), wanted)
    w = ag.Value(WEIGHTS)
    np.sum(ag.vmap(lambda x, y: loss(w, x, y))(INPUTS, TARGETS)).backward()
    assert_equal(w.grad, wanted)
    squares = ag.grad(lambda w: np.sum(gradients(w) ** 2))
    hessians = per_sample(ag.hessian(loss))
    both = np.einsum("nab,nabcd->cd", per_sample(ag.grad(loss)), hessians) * 2
    assert_equal(squares(WEIGHTS), both)


def test_batches_nest_each_with_an_axis_of_its_own():
    every = ag.vmap(ag.vmap(ag.grad(loss), (None, None, 0)), (None, 0, None))
    wanted = [[ag.grad(loss)(WEIGHTS, x, y) for y in TARGETS] for x in INPUTS]
    assert_equal(every(WEIGHTS, INPUTS, TARGETS), np.array(wanted))

    def summed(w: Any, x: Any) -> Any:
        return np.sum(ag.vmap(lambda w, y: loss(w, x, y), (None, 0))(w, TARGETS))

    wanted = loop(lambda x: ag.grad(lambda w: sum(loss(w, x, y) for y in TARGETS))(WEIGHTS), INPUTS)
    assert_equal(ag.vmap(lambda x: ag.grad(summed)(WEIGHTS, x))(INPUTS), wanted)
    assert_equal(ag.vmap(ag.grad(summed), (None, 0))(WEIGHTS, INPUTS), wanted)


def test_a_pullback_from_outside_is_applied_to_each_cotangent():
    _, pullback = ag.vjp(lambda x: np.sin(x) * x, XS[0])
    found = ag.vmap(lambda g: pullback(g)[0])(XS)
    assert type(found) is np.ndarray
    assert_equal(found, loop(lambda g: pullback(g)[0], XS))


def test_a_program_has_no_loop_over_samples():
    program = ag.compile(ag.vmap(ag.grad(loss), AXES))
    program(WEIGHTS, INPUTS, TARGETS)
    assert program.source.count("tanh(") == 1
    assert "for " not in program.source


def test_results_are_plain_unless_they_depend_on_a_value():
    assert type(ag.vmap(np.sin)(XS)) is np.ndarray
    assert isinstance(ag.vmap(np.sin)(ag.Value(XS)), ag.Value)
    with ag.no_grad():
        assert not ag.vmap(np.sin)(ag.Value(XS)).requires_grad
    found = ag.vmap(lambda x: x)(XS)
    found[:] = 0
    assert np.any(XS)


# Axes, nestings, dtypes.


def test_axes_of_arguments_and_results():
    assert_equal(ag.vmap(lambda c: c * 2, 1, 1)(WEIGHTS), WEIGHTS * 2)
    assert_equal(ag.vmap(lambda c: c * 2, -1)(WEIGHTS), WEIGHTS.T * 2)
    outer = np.stack([np.outer(c, c) for c in WEIGHTS.T], axis=-1)
    assert_equal(ag.vmap(lambda c: np.outer(c, c), 1, -1)(WEIGHTS), outer)
    assert_equal(ag.vmap(lambda x: (x, np.ones(2)), out_axes=(1, None))(XS)[0], XS.T)
    assert_equal(ag.vmap(lambda x: (x, np.ones(2)), out_axes=(1, None))(XS)[1], np.ones(2))
    assert_equal(ag.vmap(lambda x: np.arange(2.0))(XS), np.tile(np.arange(2.0), (4, 1)))


def test_axes_are_nested_as_arguments_are():
    def affine(p: Any, x: Any, *, scale: Any) -> Any:
        return {"y": (p["w"] @ x + p["b"][0]) * scale, "none": None}

    axes = ({"w": None, "b": [0]}, 0)
    parameters = {"w": WEIGHTS.T, "b": [TARGETS]}
    found = ag.vmap(affine, axes, {"y": 1, "none": None})(parameters, INPUTS, scale=TARGETS)
    wanted = ((INPUTS @ WEIGHTS + TARGETS[:, None]) * TARGETS[:, None]).T
    assert_equal(found["y"], wanted)
    assert found["none"] is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.int64, np.uint8, bool])
def test_dtypes_are_those_of_the_loop(dtype):
    xs = np.arange(6).reshape(3, 2).astype(dtype)
    for function in (lambda x: x, lambda x: x + x, lambda x: x * 2, lambda x: np.sum(x), np.sqrt):
        found, wanted = ag.vmap(function)(xs), loop(function, xs)
        assert found.dtype == wanted.dtype
        assert_equal(found, wanted)


def test_integers_are_indices_and_bools_are_masks():
    table = np.arange(12.0).reshape(4, 3)
    rows = np.array([3, 0, 3])
    assert_equal(ag.vmap(lambda t, i: t[i], (None, 0))(ag.Value(table), rows).data, table[rows])
    assert_equal(ag.vmap(lambda i: np.array(table, like=i)[i])(rows), table[rows])
    gradient = ag.grad(lambda t: np.sum(ag.vmap(lambda i: t[i] ** 2)(rows)))(table)
    assert_equal(gradient, 2 * table * np.array([1, 0, 0, 2])[:, None])
    keep = np.array([True, False, True])
    assert_equal(ag.vmap(lambda b, i: np.where(b, i, -i))(keep, rows), [3, 0, 3])


def test_shapes_are_those_of_a_sample():
    def shapes(x: Any) -> Any:
        assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
        assert len(list(x)) == 2
        return np.ones(x.shape[::-1]) * x.size

    assert ag.vmap(shapes)(XS.reshape(4, 2, 3)).shape == (4, 3, 2)


def test_no_samples_and_one():
    assert_equal(ag.vmap(ag.grad(loss), AXES)(WEIGHTS, INPUTS[:0], TARGETS[:0]), np.ones((0, 3, 4)))
    one = ag.vmap(ag.grad(loss), AXES)(WEIGHTS, INPUTS[:1], TARGETS[:1])
    assert_equal(one, per_sample(ag.grad(loss))[:1])


def test_random_draws_are_one_draw_of_the_shape_of_all():
    def noisy(x: Any) -> Any:
        return x + ag.random.normal(rng, size=6) + ag.random.integers(rng, 10)

    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    wanted = XS + same.normal(size=(4, 6)) + same.integers(10, size=4)[:, None]
    assert_equal(ag.vmap(noisy)(XS), wanted)
    orders = ag.vmap(lambda x: x[ag.random.permutation(rng, 6)])(XS)
    assert_equal(np.sort(orders), np.sort(XS))
    assert not np.array_equal(np.argsort(np.argsort(orders[0])), np.argsort(np.argsort(orders[1])))
    tables = XS.reshape(4, 2, 3)
    twice = ag.vmap(ag.vmap(lambda x: x[ag.random.permutation(rng, 3)]))(tables)
    assert_equal(np.sort(twice), np.sort(tables))
    rng, same = np.random.default_rng(6), np.random.default_rng(6)
    pairs = ag.vmap(ag.vmap(lambda x: ag.random.random(rng, 3) + 0 * x))(tables)
    assert_equal(pairs, same.random((4, 2, 3)))
    program = ag.compile(ag.vmap(noisy))
    rng, same = np.random.default_rng(4), np.random.default_rng(4)
    program(XS)
    same.normal(size=(4, 6)), same.integers(10, size=4)
    wanted = XS + same.normal(size=(4, 6)) + same.integers(10, size=4)[:, None]
    assert_equal(program(XS), wanted)


LEGACY = np.random.default_rng(5)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: rng.normal(),
        lambda rng: LEGACY.normal(),
        lambda rng: np.random.rand(),
    ],
)
def test_draws_that_would_be_one_for_all_samples_are_refused(draw):
    rng = np.random.default_rng(0)
    message = "draws random numbers from NumPy itself, once where it should for each sample"
    with pytest.raises(ag.UnsupportedError, match=message):
        ag.vmap(lambda x, rng: x * draw(rng), (0, None))(XS, rng)
    captured = ag.grad(lambda x: np.sum(x * (rng.normal() + ag.random.normal(rng))))
    with pytest.raises(ag.UnsupportedError, match=message):
        ag.vmap(captured)(XS)


# What has no rule.


def test_a_primitive_without_a_rule_is_called_for_each_sample_and_named_once():
    def function(x: Any) -> Any:
        return np.sum(swish(x) * x) + np.sum(swish(2 * x))

    with pytest.warns(ag.AutogradWarning) as caught:
        found = ag.vmap(function)(XS)
    assert [str(w.message) for w in caught] == [
        "ag.vmap: swish has no batching rule and is called for each of 4 samples, which is slow; "
        "write it with other functions of NumPy to have all samples computed together"
    ]
    assert caught[0].filename == __file__
    assert_equal(found, loop(function, XS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ag.AutogradWarning)
        assert_equal(ag.vmap(ag.grad(function))(XS), loop(ag.grad(function), XS))
        assert_equal(ag.vmap(ag.hessian(function))(XS), loop(ag.hessian(function), XS))
        outside = ag.grad(lambda xs: np.sum(ag.vmap(function)(xs)))(XS)
        assert_equal(outside, loop(ag.grad(function), XS))


def test_rules_that_look_at_numbers_are_applied_sample_by_sample():
    @ag.primitive
    def odd(x: Any) -> Any:
        return np.sin(x) if np.sum(x) > 0 else 2 * x

    odd.defvjp(lambda g, out, x: g * np.cos(x) if np.sum(x) > 0 else 2 * g)
    gradient = ag.grad(lambda x: np.sum(odd(x) * x))
    with pytest.warns(ag.AutogradWarning) as caught:
        assert_equal(ag.vmap(gradient)(XS), loop(gradient, XS))
    named = [str(w.message).split(" has ")[0] for w in caught]
    assert named == ["ag.vmap: odd", "ag.vmap: the derivative of odd"]


def test_samples_of_different_shapes_are_refused():
    with (
        pytest.warns(ag.AutogradWarning, match="getitem has no batching rule"),
        pytest.raises(ag.UnsupportedError) as refusal,
    ):
        ag.vmap(lambda x: x[x > 0])(np.array([[1.0, 2.0], [-1.0, 2.0]]))
    assert str(refusal.value) == (
        "ag.vmap: the results of getitem differ in shape from sample to sample, (2,) and (1,) "
        "among them; write np.where(mask, x, 0) for x[mask], or call ag.map up to there"
    )


# One by one.


def test_map_calls_the_function_for_each_sample():
    def halves(x: Any) -> Any:
        n = 0
        while abs(x) > 1:
            x, n = x / 2, n + 1
        return {"n": n, "x": x**2}

    xs = np.array([0.5, 5.0, -9.0])
    found = ag.map(halves, xs)
    assert_equal(found["n"], [0, 3, 4])
    assert_equal(found["x"], (xs / 2.0 ** found["n"]) ** 2)
    slopes = ag.grad(lambda xs: np.sum(ag.map(halves, xs)["x"]))(xs)
    assert_equal(slopes, 2 * xs / 4.0 ** found["n"])
    assert_equal(ag.map(lambda row: row[0] * row[1], (XS, XS)), XS**2)


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.copy(x[0]),
        lambda x: np.array(x[0], like=x),
        lambda x: np.block(x[0]),
        lambda x: np.zeros((), like=x),
        lambda x: np.where(x[0] > 2, x[0], 0.5),
        lambda x: np.where(x[0] > 2, 0.25, x[2]),
        lambda x: np.tensordot(x, x, 1),
        lambda x: np.quantile(x, 0.3),
        lambda x: np.quantile(x, 0.3, weights=[1, 2, 2], method="inverted_cdf"),
        lambda x: np.select([x[0] > 2], [x[0]], x[1]),
        lambda x: np.dot(x, x),
        lambda x: ag.cond(x[0] > 2, lambda x: x[0] * 2, lambda x: x[1], x),
        lambda x: x[0, ...].copy(),
        lambda x: x[0].copy(),
        lambda x: x[0],
    ],
)
def test_arrays_without_axes_are_written_and_numbers_rebound(make: Any) -> None:
    def function(x: Any) -> Any:
        y = other = make(x)
        y += x[1]
        y *= 2.0
        return other * x[1] + y

    points = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    expected = [ag.value_and_grad(function)(x) for x in points]
    values, slopes = ag.vmap(ag.value_and_grad(function))(points)
    np.testing.assert_array_equal(values, [value for value, _ in expected])
    np.testing.assert_array_equal(slopes, [slope for _, slope in expected])
    np.testing.assert_array_equal(ag.vmap(function)(points), values)


def test_samples_are_copied_by_pythons_copy() -> None:
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    for copied in (copy.copy, copy.deepcopy):
        found = ag.vmap(ag.grad(lambda x, c=copied: c(x[0]) * x[1]))(points)
        np.testing.assert_array_equal(found, points[:, ::-1])
        np.testing.assert_array_equal(ag.vmap(lambda x, c=copied: c(x[0]) * 2)(points), [2, 6])


STEPS = {
    "rint": lambda x: np.rint(1 / x),
    "the quotient of fmod": lambda x: np.fmod(1.0, x),
    "floor": lambda x: x * np.floor(1 / x),
    "sign": lambda x: np.sign(x * x[::-1]) / x,
}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("count", [2, 3])
def test_matrices_of_samples_whose_rows_do_not_depend_on_the_row(name: str, count: int) -> None:
    points = np.linspace(0.3, 0.9, 2 * count).reshape(count, 2)
    for matrix in (
        ag.jacobian(STEPS[name]),
        ag.hessian(lambda x: np.sum(STEPS[name](x))),
        ag.jacobian(ag.vmap(lambda x: STEPS[name](x * np.ones(2)))),
    ):
        assert_equal(ag.vmap(matrix)(points), loop(matrix, points))
