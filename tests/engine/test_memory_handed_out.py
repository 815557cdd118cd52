"""Arrays that are handed out are nobody else's: copies, and what transforms return."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

import autograd_lite as ag
import nn

COPIES = {
    "x.copy()": lambda x: x.copy(),
    "np.copy": np.copy,
    "flatten": lambda x: x.flatten(),
    "array": lambda x: np.array(x, like=x),
    "tile": lambda x: np.tile(x, 1),
    "broadcast": lambda x: np.broadcast_to(x, x.shape).copy(),
    "meshgrid": lambda x: np.meshgrid(x)[0],
}


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("silent", [False, True])
def test_a_copy_is_a_copy_also_for_what_makes_no_node(copy, silent):
    x = ag.Value(np.array([1.0, 2.0, 3.0]))
    with ag.no_grad() if silent else nullcontext():
        y = copy(x)
    y.data[0] = 9.0
    x.data[1] = 7.0
    np.testing.assert_array_equal(x.data, [1.0, 7.0, 3.0])
    np.testing.assert_array_equal(y.data, [9.0, 2.0, 3.0])


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam, nn.AdamW, nn.Lion, nn.RMSprop])
def test_weights_that_were_put_aside_stay(make):
    weight = nn.Parameter(np.ones(2))
    best = weight.copy()
    optimizer = make([weight], learning_rate=0.1)
    np.sum(weight**2).backward()
    optimizer.step()
    np.testing.assert_array_equal(best.data, [1.0, 1.0])
    assert np.all(weight.data < 1)


def test_an_aux_is_not_the_array_that_is_updated():
    w, history = np.array([1.0]), []
    for _ in range(3):
        g, aux = ag.grad(lambda w: (np.sum(w**2), w.copy()), has_aux=True)(w)
        history.append(aux)
        w -= 0.1 * g
    np.testing.assert_allclose(np.concatenate(history), [1.0, 0.8, 0.64])


LINEAR = {
    "itself": lambda x: x,
    "sum": lambda x: x + 2.0,
    "copy": lambda x: x.copy(),
    "astype": lambda x: x.astype(float),
    "real": np.real,
    "reshape": lambda x: x.reshape(3, 1)[:, 0],
    "slice": lambda x: x[:],
    "flip": lambda x: np.flip(np.flip(x)),
    "positive": lambda x: +x,
    "tile": lambda x: np.tile(x, 1),
}


@pytest.mark.parametrize("f", LINEAR.values(), ids=LINEAR)
def test_a_tangent_or_cotangent_that_is_refilled_changes_no_result(f):
    x, direction = np.ones(3), np.zeros(3)
    tangents, gradients = [], []
    _, pullback = ag.vjp(f, x)
    for i in range(3):
        direction[:] = np.eye(3)[i]
        tangents.append(ag.jvp(f, x, direction)[1])
        gradients.append(pullback(direction)[0])
    np.testing.assert_array_equal(tangents, np.eye(3))
    np.testing.assert_array_equal(gradients, np.eye(3))
    for array in (*tangents, *gradients):
        array *= 2  # theirs to write
    np.testing.assert_array_equal(direction, [0.0, 0.0, 1.0])


def test_tangents_of_several_results_are_several_arrays():
    _, (u, v) = ag.jvp(lambda x: (x + 1, x + 2), np.ones(3), np.ones(3))
    u *= 5
    np.testing.assert_array_equal(v, np.ones(3))


# Writes under `no_grad`: what is written is a constant, and the rest keeps its history.


def part(u):
    u[0] = 0.0


def rows(u):
    view = u[:2]
    view[0] = 0.0


def whole_view(u):
    u[:1] *= 0.0


def copyto(u):
    np.copyto(u, 0.0, where=np.array([True, False, False]))


def put(u):
    np.put(u, 0, 0.0)


def at(u):
    np.multiply.at(u, 0, 0.0)


def out(u):
    np.multiply(u, 0.0, out=u, where=np.array([True, False, False]))


def flat(u):
    u.flat[0] = 0.0


@pytest.mark.parametrize("write", [part, rows, whole_view, copyto, put, at, out, flat])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_write_under_no_grad_cuts_off_what_it_writes_alone(write, compiled):
    def f(x):
        u = x * 2
        with ag.no_grad():
            write(u)
        return np.sum(u * u)

    transform = ag.value_and_grad(f)
    value, gradient = (ag.compile(transform) if compiled else transform)(np.array([1.0, 2.0, 3.0]))
    assert value == 52
    np.testing.assert_array_equal(gradient, [0.0, 16.0, 24.0])


def test_rows_that_were_not_written_keep_their_history():
    def f(x):
        table = np.outer(x, x)
        first, other = table[1], table[0]
        with ag.no_grad():
            first[0] = 0.0
        return np.sum(other)

    np.testing.assert_array_equal(ag.grad(f)(np.array([1.0, 2.0, 3.0])), [7.0, 1.0, 1.0])


def test_what_is_written_under_no_grad_is_a_constant_even_of_a_value():
    def f(x):
        u = x * 2
        with ag.no_grad():
            u[0] = x[1]
            x[2] = 5.0
        return np.sum(u * u) + np.sum(x)

    value, gradient = ag.value_and_grad(f)(np.array([1.0, 2.0, 3.0]))
    assert value == 4 + 16 + 36 + 8
    np.testing.assert_array_equal(gradient, [1.0, 17.0, 24.0])
