"""In-place writes and views mean what NumPy means by them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.numpys_derivative import POINT, check_at_point, same_as_numpy
from tests.ops.numerical import directional_derivative


def write_through_a_slice(x):
    z = x * 2
    y = z[:2]
    y *= -1
    return np.sum(z * x)


def write_through_an_alias(x):
    y = x
    y += 1
    return np.sum(2 * x * x)


def write_through_a_part_of_the_argument(x):
    r = x[:1]
    r += 10
    return np.sum(x**2)


def write_through_views_of_views(x):
    z = (x * 1).reshape(2, 2).T
    row = z[1]
    row[::-1][0] = x[0] * x[3]
    z.ravel()[0] = 100.0  # a copy, since z is transposed: z stays
    return np.sum(z**2 * np.array([[1.0, 2.0], [3.0, 4.0]]))


def views_see_each_others_writes(x):
    z = np.copy(x)
    front, back, whole = z[:3], z[1:], z.reshape(2, 2)
    front *= x[0]
    back += whole[0, 0]
    whole[1] = front[:2] * back[-1]
    return np.sum(front * 2) + np.sum(back**2) + np.sum(np.sin(z))


def numbers_are_rebound(x):
    total = x[0]
    same = total
    total += x[1]
    total *= total
    return total + 3 * same


def a_write_of_overlapping_parts(x):
    z = np.copy(x)
    z[1:] = z[:-1]
    z[1:] += z[:-1] * x[3]
    return np.sum(z**2)


def by_index_and_mask(x):
    z = x**2
    z[[0, 2, 0]] = x[:3]
    z[z > 1] *= 3
    z[np.array([True, False, False, True])] = x[1]
    z[1:3][None] += x[:2]
    return np.sum(z * np.arange(1.0, 5.0))


def increments_at_repeated_places(x):
    z = x * 1
    z[[0, 0, 1]] += x[:3]
    np.add.at(z, [0, 0, 1], x[:3] ** 2)
    np.subtract.at(z, [3, 3], x[:2])
    return np.sum(z**3)


def results_into_out(x):
    z = np.empty_like(x)
    np.multiply(x, x, out=z)
    np.exp(x[:2], out=z[:2], where=np.array([True, False]))
    total = np.zeros(2, like=x)
    np.sum(z.reshape(2, 2), axis=0, out=total)
    return np.sum(total * z[:2])


def methods_that_write(x):
    z = x**2
    z.sort()
    z.put([0], x[1])
    z.flat[2] += x[0]
    t = z.reshape(2, 2).T
    t.flat[1] = x[3] * x[1]
    t.flat = t.flat[::-1] * 2
    y = np.empty_like(x)
    y.fill(x[1])
    z.partition(2)
    return np.sum(z * y)


def functions_that_write(x):
    z = np.copy(x).reshape(2, 2)
    np.fill_diagonal(z, x[:2])
    np.copyto(z, x[3], where=np.array([[False, True], [False, False]]))
    np.put(z, [2], x[2] ** 2)
    np.putmask(z, np.array([[True, False], [False, False]]), x[1] * x[2])
    np.place(z, np.array([[False, False], [False, True]]), z[0])
    np.put_along_axis(z, np.array([[0], [1]]), z[:, :1] * x[0], 1)
    return np.sum(z**2 * np.array([[1.0, 2.0], [3.0, 4.0]]))


def buffers_like_the_argument(x):
    z = np.zeros(4, like=x)
    for i in range(4):
        z[i] = x[i] * (z[i - 1] + 1)
    y = np.full_like(x, 2.0)
    y[1:3] = z[:2]
    return np.sum(np.full(4, x[0], like=x) * y * np.array([x[1], 1.0, z[2], 3.0], like=x))


def steps_in_time(u):
    u = np.tanh(u)
    for _ in range(20):
        u[1:-1] += 0.1 * np.sin(u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def a_write_after_use(x):
    z = x * x
    y = np.exp(z)
    z += 1
    return np.sum(y * z)


def a_buffer_filled_again(x):
    buffer, total = np.zeros(4), 0.0
    for k in (1, 2, 3):
        buffer[:] = k
        total = total + np.sum(buffer * x**k)
    return total


def an_index_and_a_mask_changed(x):
    index, mask = np.array([0, 1]), np.array([True, False, True, False])
    a, b = x[index], np.where(mask, x**2, x)
    index[:] = 3
    mask[:] = True
    places = [0, 2]
    c = x[places]
    places[0] = 1
    return np.sum(a * c) + np.sum(b)


PROGRAMS = [
    write_through_a_slice,
    write_through_an_alias,
    write_through_a_part_of_the_argument,
    write_through_views_of_views,
    views_see_each_others_writes,
    numbers_are_rebound,
    a_write_of_overlapping_parts,
    by_index_and_mask,
    increments_at_repeated_places,
    results_into_out,
    methods_that_write,
    functions_that_write,
    buffers_like_the_argument,
    steps_in_time,
    a_write_after_use,
    a_buffer_filled_again,
    an_index_and_a_mask_changed,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_program_has_numpys_value_and_its_derivative(program):
    check_at_point(program)


def test_values_and_gradients_of_the_first_examples():
    value, gradient = ag.value_and_grad(write_through_a_slice)(np.array([1.0, 2.0, 3.0]))
    assert value == 8.0
    assert gradient.tolist() == [-4.0, -8.0, 12.0]
    total = ag.grad(a_buffer_filled_again)
    assert total(np.ones(4)).tolist() == [14.0, 14.0, 14.0, 14.0]


def test_second_derivatives_go_through_writes():
    def cubes(x):
        z = np.zeros(2, like=x)
        z[0] = x[0] ** 3
        z[1] = x[0] * x[1] ** 2
        z *= x
        return np.sum(z)

    a, b = 1.5, -0.5
    expected = [[12 * a**2, 3 * b**2], [3 * b**2, 6 * a * b]]
    np.testing.assert_allclose(ag.hessian(cubes)(np.array([a, b])), expected, rtol=1e-13)


def test_what_was_recorded_before_a_write_keeps_its_number():
    x = ag.Value([1.0, 2.0])
    z = x * 3
    before = z.node
    z[0] = 7.0
    assert before.data.tolist() == [3.0, 6.0]
    assert z.data.tolist() == [7.0, 6.0]
    np.sum(z).backward()
    assert x.grad.tolist() == [0.0, 3.0]


def test_a_leaf_is_not_written_while_a_graph_is_recorded():
    w = ag.Value([1.0, 2.0], label="w")
    with pytest.raises(ag.InPlaceError) as caught:
        w[0] = 3.0
    assert str(caught.value) == (
        "x[i] = v would overwrite the leaf 'w', a variable or argument whose gradient may be asked "
        "for; write into a copy (y = x.copy()), or update the leaf under ag.no_grad()"
    )
    assert w.data.tolist() == [1.0, 2.0]


def test_a_leaf_that_is_updated_without_recording_stays_a_leaf():
    w = ag.Value([1.0, 2.0], label="w")
    loss = np.sum(w * w)
    with ag.no_grad():
        w -= 0.5
    assert w.data.tolist() == [0.5, 1.5]
    assert w.requires_grad
    loss.backward()  # of the numbers that it was computed from
    assert w.grad.tolist() == [2.0, 4.0]
    np.sum(w * w).backward()
    assert w.grad.tolist() == [3.0, 7.0]


def test_a_view_seen_without_recording_keeps_its_gradient():
    def f(x):
        z = x * 2
        y = z[1:]
        z *= x
        with ag.no_grad():
            assert y.shape == (3,)
            assert np.sum(y).item() == np.sum(2 * POINT[1:] ** 2)
        return np.sum(y)

    assert ag.grad(f)(POINT).tolist() == [0.0, *(4 * POINT[1:])]


def test_writes_that_numpy_refuses_are_refused():
    x = ag.Value(np.ones((2, 3))) * 1

    def refused(error, text, write):
        with pytest.raises(error) as caught:
            write()
        assert str(caught.value).endswith(text)

    def assign(array, value):
        array[...] = value

    refused(
        ag.InPlaceError,
        "write into a copy (x.copy())",
        lambda: assign(np.broadcast_to(x, (4, 2, 3)), 1),
    )
    refused(
        ag.ArgumentTypeError, "write v.real, or make the array of complex128 in the first place",
        lambda: assign(x, 1j),
    )  # fmt: skip
    with pytest.raises(ag.ArgumentValueError, match="does not fit into the array of shape"):
        x += np.ones((2, 2, 3))
    with pytest.raises(ValueError, match="could not broadcast"):
        x[0] = np.ones(2)
    with pytest.raises(ag.InPlaceError, match="a single number has no parts"):
        (ag.Value(2.0) * 1)[0] = 1.0
    plain = np.zeros(3)
    with pytest.raises(ag.InPlaceError, match=r"make the array with np.zeros\(shape, like=x\)"):
        plain += x[0]
    with pytest.raises(ag.InPlaceError, match="like=x"):
        np.copyto(plain, x[0])
    assert x.data.tolist() == np.ones((2, 3)).tolist()


def test_dtype_and_layout_of_what_is_written_stay():
    x = ag.Value(np.ones((2, 3), np.float32, order="F")) * 1
    strides = x.data.strides
    x += np.arange(6.0).reshape(2, 3)
    assert (x.dtype, x.data.strides) == (np.float32, strides)
    x[0] = np.pi
    assert x.data[0, 0] == np.float32(np.pi)


def test_parts_of_complex_arrays_are_written():
    def f(x):
        z = x * (1 + 2j)
        z.real[1:] = x[0] ** 2
        z.imag *= x[1]
        return np.sum(np.abs(z) ** 2)

    value, gradient = ag.value_and_grad(f)(POINT)
    z = POINT * (1 + 2j)
    z.real[1:] = POINT[0] ** 2
    z.imag *= POINT[1]
    assert value == np.sum(np.abs(z) ** 2)
    for direction in np.eye(4):

        def along(x):
            z = x * (1 + 2j)
            z.real[1:] = x[0] ** 2
            z.imag *= x[1]
            return np.sum(np.abs(z) ** 2)

        numerical = directional_derivative(along, [POINT], [direction], 1e-3)
        assert abs(numerical - direction @ gradient) < 1e-8 * max(1, abs(numerical))


def test_a_failed_write_changes_nothing():
    z = ag.Value([1.0, 2.0, 3.0]) * 1
    z[0] = 4.0
    for write in (
        lambda: z.__setitem__(slice(0, 2), np.ones(3)),
        lambda: z.__setitem__(7, 1.0),
        lambda: z.__setitem__(0, 1j),
        lambda: z.__iadd__(np.ones((2, 3))),
    ):
        with pytest.raises((ValueError, IndexError, TypeError)):
            write()
    assert z.data.tolist() == [4.0, 2.0, 3.0]


ALSO_WRITTEN = {
    "/=": lambda z: z.__itruediv__(np.array([1.0, 0.0, 2.0])),
    "out=": lambda z: np.log(z - 0.5, out=z),
    "part": lambda z: np.log(z[:2] - 0.5, out=z[:2]),
    "where=": lambda z: np.divide(z, z - 0.5, out=z, where=[True, False, True]),
    "two": lambda z: np.divmod(z, np.array([0.0, 1.0, 2.0]), out=(z, None)),
}


@pytest.mark.parametrize("how", ALSO_WRITTEN)
@pytest.mark.parametrize("is_warning", [False, True])
def test_an_error_of_arithmetic_comes_when_numpy_has_written(how: str, is_warning: bool) -> None:
    point = np.array([0.5, 0.5, 2.0])

    def function(x: Any) -> Any:
        z = x * 1.0
        with warnings.catch_warnings(), np.errstate(all="warn" if is_warning else "raise"):
            warnings.simplefilter("error")
            with pytest.raises((FloatingPointError, RuntimeWarning)):
                ALSO_WRITTEN[how](z)
        return z

    value, pullback = ag.vjp(function, point)
    np.testing.assert_array_equal(value, function(point))
    with np.errstate(all="ignore"):
        assert np.isfinite(pullback(np.array([0.0, 0.0, 1.0]))[0][2])


def test_a_drawing_shows_each_write_with_the_numbers_of_then(tmp_path):
    x = ag.Value([1.0, 2.0], label="x")
    z = np.zeros(2, like=x)
    for i in range(2):
        z[i] = x[i] * 5.0
    total = np.sum(z)
    total.backward()
    file = tmp_path / "writes.txt"
    ag.draw(total).save(file)
    lines = file.read_text(encoding="utf-8").splitlines()
    writes = [line.split("value")[1] for line in lines if ".set[" in line]
    assert writes == [" [5.0, 0.0]  grad [1.0, 0.0]", " [5.0, 10.0]  grad [1.0, 1.0]"]


def test_two_results_in_one_memory_are_refused():
    x = ag.Value([1.5, 2.5]) * 1
    with pytest.raises(ag.InPlaceError, match="pass an array for each"):
        np.modf(x, x, x)


def test_an_argument_that_is_passed_twice_is_not_written():
    def f(a, b):
        a += 1
        return np.sum(a * b)

    a = np.ones(2)
    for call in (
        lambda: ag.grad(f)(a, a),
        lambda: ag.grad(f, (0, 1))(a, a[:]),
        lambda: ag.grad(lambda pair: f(pair["a"], pair["b"]))({"a": a, "b": a}),
    ):
        with pytest.raises(ag.InPlaceError, match="an array that is passed twice"):
            call()
    assert ag.grad(lambda a, b: np.sum(a * b), (0, 1))(a, a)[1].tolist() == [1.0, 1.0]
    assert ag.grad(f)(a, a.copy()).tolist() == [1.0, 1.0]


def write_twice_without_axes(x: Any) -> Any:
    x = x.copy()
    part = x[1, ...]
    part += 5
    same = part
    part *= x[0]
    return x * same


def accumulate_without_axes(x: Any) -> Any:
    total = np.zeros_like(x, shape=())
    same = total
    for part in x:
        total += part
        total *= 2
    np.add(total, x[0], out=total)
    total[...] = total * x[1]
    return same


@pytest.mark.parametrize("function", [write_twice_without_axes, accumulate_without_axes])
def test_an_array_without_axes_stays_one_when_it_is_written(function: Any) -> None:
    same_as_numpy(function, np.array([0.5, -0.3, 1.2]))


def reduce_some(x: Any) -> Any:
    out = np.full_like(x[0], 2.0)
    np.add.reduce(x, axis=0, out=out, where=np.array([True, False, True]))
    return out


def reduce_some_rows(x: Any) -> Any:
    out = np.full_like(x[0], 2.0)
    np.maximum.reduce(x, axis=0, out=out, initial=0.1, where=np.array([[True], [False]]))
    return out


@pytest.mark.parametrize("function", [reduce_some, reduce_some_rows])
def test_where_of_a_reduction_says_what_is_reduced_and_not_what_is_written(function: Any) -> None:
    same_as_numpy(function, np.array([[0.5, -0.3, 1.2], [0.2, 0.7, -1.0]]))


COPIES_OR_VIEWS = {
    "x.flatten()": lambda x: x.flatten(),
    "x.flatten('F')": lambda x: x.flatten("F"),
    "x.flat[1:4]": lambda x: x.flat[1:4],
    "x.copy().reshape(-1)": lambda x: x.copy().reshape(-1),
    "np.copy(x).reshape(-1)": lambda x: np.copy(x).reshape(-1),
    "x.conj()": lambda x: x.conj(),
    "x.conjugate()": lambda x: x.conjugate(),
    "np.conj(x)": np.conj,
    "np.block(x)": np.block,
    "np.diff(x, n=0)": lambda x: np.diff(x, n=0),
    "np.full_like(x, 2.0).reshape(-1)": lambda x: np.full_like(x, 2.0).reshape(-1),
    "np.full_like(x, x[0, 0]).reshape(-1)": lambda x: np.full_like(x, x[0, 0]).reshape(-1),
    "np.ascontiguousarray(x)": lambda x: np.ascontiguousarray(x, like=x),
    "np.asfortranarray(x)": lambda x: np.asfortranarray(x, like=x),
    "np.asarray(x, order='F')": lambda x: np.asarray(x, order="F", like=x),
    "np.array(x, ndmin=3)": lambda x: np.array(x, ndmin=3, like=x),
    "np.array(x, ndmin=3, copy=None)": lambda x: np.array(x, ndmin=3, copy=None, like=x),
    "np.array([x, x], ndmin=4)": lambda x: np.array([x, x], ndmin=4, like=x)[0],
    "np.array(x, copy=None, order='C')": lambda x: np.array(x, copy=None, order="C", like=x),
    "np.require(x, None, 'C')": lambda x: np.require(x, None, "C", like=x),
    "np.require(x, None, ['FORTRAN'])": lambda x: np.require(x, None, ["FORTRAN"], like=x),
    "np.require(x[:], None, 'AO')": lambda x: np.require(x[:], None, "AO", like=x),
    "np.require(x, None, 'O')": lambda x: np.require(x, None, "O", like=x),
}


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("look", COPIES_OR_VIEWS)
def test_what_is_a_copy_of_numpy_is_one_here_and_what_is_a_view_too(look: str, order: Any) -> None:
    def function(x: Any) -> Any:
        x = x.copy(order)
        whole = COPIES_OR_VIEWS[look](x)
        part = whole.reshape(-1)
        x[0] *= 3
        part[:2] = part[1:3] * 2
        x[1, 1] = x[0, 0] * x[1, 2]
        return np.concatenate([x.reshape(-1), whole.reshape(-1), part])

    point = np.array([[0.5, -0.3, 1.2], [0.2, 0.7, -1.0]], order=order)
    same_as_numpy(function, point)
    try:
        mapped = ag.vmap(function)(np.stack([point, -point]))
    except ag.InPlaceError as error:
        assert "under ag.vmap it is not known" in str(error)
    else:
        np.testing.assert_array_equal(mapped, [function(point), function(-point)])


def fill_flat(x: Any) -> Any:
    y = x.copy()
    y.T.flat = x[0]
    y.flat[2:5] += x[1]
    y.flat[:5] = x[1, :2]
    return y


def test_what_is_written_into_flat_repeats() -> None:
    same_as_numpy(fill_flat, np.array([[0.5, -0.3, 1.2], [0.2, 0.7, -1.0]]))


def test_windows_that_overlap_are_not_written() -> None:
    def function(x: Any) -> Any:
        x = x.copy()
        windows = np.lib.stride_tricks.sliding_window_view(x, 2, writeable=True)
        windows[0] = 5.0
        return np.sum(windows)

    with pytest.raises(ag.InPlaceError, match=r"several elements are one in memory.*x.copy\(\)"):
        ag.grad(function)(np.arange(4.0))


def test_the_imaginary_part_of_real_numbers_is_not_written() -> None:
    def function(x: Any) -> Any:
        part = (x * 1.0).imag
        part[0] = 2.0
        return np.sum(part)

    with pytest.raises(ValueError, match="read-only"):
        function(POINT)
    with pytest.raises(ag.InPlaceError, match="make the array complex first, with x = x \\+ 0j"):
        ag.grad(function)(POINT)


def test_the_elements_of_flat_come_in_order() -> None:
    x = ag.Value([[1.0, 2.0], [3.0, 4.0]]).T
    assert [a.item() for a in x.flat] == [1.0, 3.0, 2.0, 4.0]
    with pytest.raises(ag.ArgumentTypeError, match=r"write next\(iter\(x.flat\)\)"):
        next(x.flat)


def test_rows_are_not_shuffled_by_views_of_them() -> None:
    def shuffled(x: Any) -> Any:
        y = x * 1.0
        np.random.default_rng(0).shuffle(y)
        return y

    def in_order(x: Any) -> Any:
        return x[np.random.default_rng(0).permutation(len(x))]

    with (
        pytest.warns(UserWarning, match="not a subclass of"),
        pytest.raises(ag.InPlaceError, match=r"write x = x\[rng.permutation\(len\(x\)\)\]"),
    ):
        shuffled(ag.Value(np.arange(6.0).reshape(3, 2)))
    same_as_numpy(in_order, np.arange(6.0).reshape(3, 2))


def swapped(x: Any) -> Any:
    y = x * 1.0
    y[0], y[1] = y[1], y[0]
    y[1:] = y[:-1]
    return y


def test_an_assignment_of_parts_is_what_numpy_makes_of_it() -> None:
    same_as_numpy(swapped, np.arange(6.0).reshape(3, 2))
    same_as_numpy(swapped, np.arange(3.0))


def test_a_number_of_numpys_is_rebound_and_not_written() -> None:
    def function(t: Any) -> Any:
        q = t
        q += 1
        return t * q

    for kind in (float, np.float64, np.float32):
        value, gradient = ag.value_and_grad(function)(kind(2))
        assert (value, gradient) == (6, 5)
        assert ag.jvp(function, kind(2), kind(1)) == (6, 5)
