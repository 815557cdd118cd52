"""Arrays that nobody else has seen are written where they lie."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.node import get_node
from tests.engine.numpys_derivative import POINT, check_at_point, same_as_numpy
from tests.ops.numerical import directional_derivative


def fill_by_recurrence(x):
    z = np.zeros(400, like=x)
    z[0] = x[0]
    for i in range(1, 400):
        z[i] = 0.9 * z[i - 1] + np.sin(z[i - 1]) * x[i % 4]
    return np.sum(z**2)


def trajectory(x):
    states = np.empty((50, 4), like=x)
    states[0] = x
    for t in range(49):
        states[t + 1] = states[t] + 0.1 * np.roll(states[t], 1) * x
    return np.sum(states[-1] * states[25])


def parts_read_before_they_are_overwritten(x):
    z = np.copy(x)
    z[0] = x[1] * 2
    early, number, view = z[1:3] * 1, z[2], z[2:]
    z[1:] = x[:3] ** 2
    z[2] *= number
    view[0] += early[1]
    whole = z * 3
    z[0] = early[0] * view[1]
    return np.sum(z * np.array([1.0, 2.0, 3.0, 4.0])) + np.sum(whole**2) * number


@pytest.mark.parametrize(
    "program",
    [fill_by_recurrence, trajectory, parts_read_before_they_are_overwritten],
    ids=lambda program: program.__name__,
)
def test_writes_where_the_array_lies_have_numpys_value_and_its_derivative(program):
    check_at_point(program)
    hessian = ag.hessian(program)(POINT)
    for direction in np.eye(4):
        numerical = directional_derivative(
            lambda x, d=direction: ag.grad(program)(x) @ np.ones(4), [POINT], [direction], 1e-3
        )
        assert abs(numerical - np.sum(hessian @ direction)) < 1e-6 * np.max(np.abs(hessian))


def test_an_array_that_is_filled_element_by_element_is_not_copied_each_time():
    count = 2000
    x = ag.Value(np.ones(count))
    z = np.zeros(count, like=x)
    tracemalloc.start()
    for i in range(count):
        z[i] = x[i] * 2.0
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 2500 * count  # a copy for each write would be 16,000 bytes each
    np.sum(z).backward()
    assert x.grad.tolist() == [2.0] * count


def test_overwritten_nodes_tell_their_numbers_still():
    x = ag.Value([1.0, 2.0, 3.0])
    z = x * 2
    nodes = []
    for i in range(3):
        z[i] = 10.0 * x[i]
        nodes.append(get_node(z))
    z[[0, 0, 2]] = np.array([5.0, 6.0, 7.0])
    expected = [[10.0, 4.0, 6.0], [10.0, 20.0, 6.0], [10.0, 20.0, 30.0]]
    assert [np.asarray(node.data).tolist() for node in nodes] == expected
    assert nodes[0].shape == (3,)
    assert nodes[0].dtype == np.float64
    assert z.data.tolist() == [6.0, 20.0, 7.0]
    assert repr(z) == "Value([ 6., 20.,  7.])"
    assert type(z) is ag.Value  # its node has been read: the next write copies
    before = z.data
    z[0] = 0.0
    assert before.tolist() == [6.0, 20.0, 7.0]


def test_it_does_not_change_its_shape_any_more_than_other_values_do() -> None:
    for change in ("shape", "dtype"):
        x = ag.Value(POINT) * 1.0
        x[0] = 2.0
        with pytest.raises(ag.InPlaceError, match=f"does not change its {change} in place"):
            setattr(x, change, float if change == "dtype" else (2, 2))


@pytest.mark.parametrize(
    "index", [np.s_[:, [1, 0]], np.s_[:, [True, False]], np.s_[..., [0]], np.s_[None, :, [0, 1]]]
)
def test_what_lists_and_masks_choose_is_a_copy_on_any_axis(index):
    def function(x):
        y = x * 1.0
        y[0] = 10.0
        z = y[index]
        y[1] = 5.0
        w = y[index]
        w[...] = 0.0
        return np.concatenate([z.ravel(), y.ravel()])

    same_as_numpy(function, np.array([[1.0, 2.0], [3.0, 4.0]]))


THE_WHOLE = {
    "np.real": np.real,
    "x.real": lambda x: x.real,
    "np.real_if_close": np.real_if_close,
    "np.squeeze": np.squeeze,
    "x.astype": lambda x: x.astype(float, copy=False),
    "np.atleast_1d": np.atleast_1d,
    "np.asarray": lambda x: np.asarray(x, like=x),
    "np.ascontiguousarray": lambda x: np.ascontiguousarray(x, like=x),
    "np.nan_to_num": lambda x: np.nan_to_num(x, copy=False),
    "np.ravel": np.ravel,
    "x[...]": lambda x: x[...],
    "np.real(x.T)": lambda x: np.real(x.T),
    "np.real(x).T": lambda x: np.real(x).T,
}


@pytest.mark.parametrize("name", THE_WHOLE)
@pytest.mark.parametrize("is_first_written", [True, False])
def test_what_is_read_through_a_view_of_the_whole_stays(name: str, is_first_written: bool) -> None:
    def function(x: Any) -> Any:
        x = x * 1.0
        if is_first_written:
            x[0] = x[1] * x[2]
        view = THE_WHOLE[name](x)
        x[1] *= x[0]
        square = view**2
        x[:] = square
        product = view * square
        x[2:] += x[0]
        return np.stack([x, square, product, view])

    same_as_numpy(function, POINT)
