"""Dask's own functions given Values: NumPy's gradient, or a refusal that names NumPy's function.

Dask takes what it does not know for a chunk, and gives an array that leads to no gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

MATRIX = np.array([[0.9, 0.31, 0.4], [0.15, 0.77, 0.22], [0.63, 0.38, 0.95]])
DATA = np.arange(9.0).reshape(3, 3) / 4 + 0.07

FORMS: tuple[Callable[[Any], tuple[Any, ...]], ...] = (
    lambda w: (w,),
    lambda w: (w, 0.7 * w),
    lambda w: (w, 0),
    lambda w: (w, (9,)),
    lambda w: (w, 0.53),
    lambda w: (da.from_array(DATA, chunks=2), w),
    lambda w: ([w, w],),
    lambda w: (w > 0.35, w, 2 * w),
    lambda w: ("ij,ij", w, w),
    lambda w: (np.add, w),
    lambda w: (np.exp, w),
    lambda w: (np.exp, "ij", w, "ij"),
    lambda w: (np.exp, "()->()", w),
    lambda w: ((3, 3), w[0, 0]),
    lambda w: (w[0, 0], w[0, 1]),
)
"""How functions that take arrays may be called, with a matrix in the places of arrays."""

NO_ARRAYS = {
    "to_hdf5",
    "to_npy_stack",
    "from_npy_stack",
    "to_zarr",
    "from_zarr",
    "store",
    "register_chunk_type",
}
"""They write files, or read them, or change what Dask takes for a chunk."""

MODULES = {"da": da, "da.linalg": da.linalg, "da.fft": da.fft}

FUNCTIONS = {
    f"{prefix}.{name}": function
    for prefix, module in MODULES.items()
    for name, function in vars(module).items()
    if callable(function) and not inspect.isclass(function) and not name.startswith("_")
    and name not in NO_ARRAYS
}  # fmt: skip


def total(result: Any) -> Any:
    """All that came out, as a number that no dimension of it can hide in."""
    parts = result if isinstance(result, (tuple, list)) else [result]
    return sum(np.sum(np.sin(np.real(part))) for part in parts)


def difference(function: Callable[[Any], Any]) -> float:
    """The derivative along the matrix of ones, of what the function is on plain arrays.

    NaN where it jumps.
    """
    with dask.config.set(scheduler="synchronous"):
        far, near = (
            (float(function(MATRIX + step)) - float(function(MATRIX - step))) / (2 * step)
            for step in (2e-6, 1e-6)
        )
    return near if abs(far - near) < 1e-3 * (1 + abs(near)) else np.nan


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_gets_its_gradient_or_is_refused(name: str) -> None:
    function = FUNCTIONS[name]
    for form in FORMS:

        def loss(w: Any, form: Any = form) -> Any:
            return total(function(*form(w)))

        try:
            plain = difference(loss)
        except Exception:
            continue  # the function is not called so
        if np.isnan(plain):
            continue
        try:
            gradient = ag.grad(lambda w, loss=loss: 0.5 * np.sum(w) + loss(w))(MATRIX)
        except ag.AutogradError:
            continue
        except ValueError as error:
            assert "structured arrays" in str(error)  # Dask's own words for what holds no records
            continue
        assert float(np.sum(np.asarray(gradient))) == pytest.approx(4.5 + plain, rel=1e-6), name


REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "np.mean": lambda x, w: da.mean(da.log1p(da.exp(-(x @ w)))),
    "np.sum": lambda x, w: da.sum(w * w),
    "np.dot": lambda x, w: x.dot(w),
    "np.concatenate": lambda x, w: da.concatenate([w, w]),
    "np.where": lambda x, w: da.where(w > 0, w, 0),
    "it with functions of NumPy": lambda x, w: da.map_blocks(np.exp, w, dtype=float),
    "it with functions of NumPy,": lambda x, w: da.asarray(w),
    "np.cumsum for": lambda x, w: da.cumsum(w, 0),
}


@pytest.mark.parametrize("instead", REFUSALS)
def test_the_refusal_says_what_to_write_eagerly_and_in_transforms(instead: str) -> None:
    call = REFUSALS[instead]
    x, w = da.from_array(DATA, chunks=2), np.array([0.3, -0.2, 0.5])
    for attempt in (
        lambda: call(x, ag.Value(w)),
        lambda: ag.grad(lambda w: call(x, w))(w),
        lambda: ag.compile(lambda w: call(x, w))(w),
    ):
        with pytest.raises(ag.AutogradError, match=instead) as refusal:
            attempt()
        assert "x.data" in str(refusal.value).splitlines()[-1]


class Scale:
    """An object that holds a factor, as a model does."""

    def __init__(self, factor: Any) -> None:
        self.factor = factor

    def scaled(self, chunk: Any) -> Any:
        return chunk * self.factor

    __call__ = scaled


HOLDERS: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "a closure": lambda w: lambda c: c * w,
    "a list in a closure": lambda w: (lambda held: lambda c: c * held[0])([w]),
    "a default": lambda w: lambda c, w=w: c * w,
    "a default by name": lambda w: lambda c, *, w=w: c * w,
    "a partial function": lambda w: partial(np.multiply, w),
    "a method": lambda w: Scale(w).scaled,
    "an object": lambda w: Scale(w),
    "a result": lambda w: (lambda twice: lambda c: c * twice)(w + w),
}

WAYS: dict[str, Callable[[Any, Any], Any]] = {
    "map_blocks": lambda x, f: da.map_blocks(f, x, dtype=float),
    "map_blocks, named": lambda x, f: da.map_blocks(f, x, dtype=float, name="scaled"),
    "map_blocks, tried": lambda x, f: x.map_blocks(f),
    "blockwise": lambda x, f: da.blockwise(f, "ij", x, "ij", dtype=float),
    "apply_gufunc": lambda x, f: da.apply_gufunc(f, "(k)->(k)", x, vectorize=False),
    "map_overlap": lambda x, f: da.map_overlap(f, x, depth=0, dtype=float),
    "apply_along_axis": lambda x, f: da.apply_along_axis(f, 1, x, dtype=float, shape=(3,)),
    "delayed": lambda x, f: da.from_delayed(dask.delayed(f)(DATA), DATA.shape, float),
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("way", WAYS)
def test_a_value_that_a_function_of_tasks_holds_is_refused(way: str) -> None:
    x, w = da.from_array(DATA, chunks=(2, 3)), np.array([0.3, -0.2, 0.5])

    def total_of(holder: Any) -> Callable[[Any], Any]:
        return lambda w: np.sum(WAYS[way](x, holder(w)))

    for holder in HOLDERS.values():
        function = total_of(holder)
        assert np.isfinite(function(w).compute())
        for attempt in (
            lambda f=function: ag.grad(f)(w),
            lambda f=function: ag.grad(lambda w: np.sum(w * w) + f(w))(w),
            lambda f=function: ag.compile(ag.grad(lambda w: np.sum(w * w) + f(w)))(w),
        ):
            with pytest.raises(ag.AutogradError, match=r"Value.*gradient would be lost") as refusal:
                attempt()
            assert "x.data" in str(refusal.value).splitlines()[-1]


def test_eagerly_too_but_a_model_may_predict_within_tasks() -> None:
    x, w = da.from_array(DATA, chunks=(2, 3)), ag.Value(np.array([0.3, -0.2, 0.5]))
    by = WAYS["map_blocks"]
    with pytest.raises(ag.ArgumentTypeError, match=r"^a task of Dask \(lambda\) holds a Value of"):
        np.sum(w * w) + np.sum(by(x, lambda c: c * w))
    constant = w.data
    targets = by(x, lambda c: c * constant)
    teacher = Scale(w)
    predicted = by(x, lambda c: teacher(c).data)
    for others in (targets, predicted):
        gradient = ag.grad(lambda v, others=others: np.sum((x * v - others) ** 2))(np.ones(3))
        expected = np.sum(2 * DATA**2 * (1 - w.data), axis=0)
        np.testing.assert_allclose(gradient, expected, rtol=1e-12)
        loss = np.sum(ag.Value(np.ones(3)) * others)
        np.testing.assert_allclose(loss.data.compute(), np.sum(DATA * w.data), rtol=1e-12)


def test_tasks_of_one_value_are_one_task() -> None:
    """Dask tells arguments of tasks apart by their numbers."""
    tokenize = pytest.importorskip("dask.base").tokenize
    assert tokenize(ag.Value(DATA)) == tokenize(ag.Value(DATA))
    assert tokenize(ag.Value(DATA)) != tokenize(ag.Value(DATA + 1))
    square = dask.delayed(lambda v: np.sum(v * v))
    np.testing.assert_allclose(ag.grad(lambda w: square(w).compute())(DATA), 2 * DATA)


@pytest.mark.parametrize(
    ("call", "said", "write"),
    [
        (lambda w: da.maximum(da.ones(3), w), "maximum", "np.maximum"),
        (lambda w: da.add(da.ones(3), w), "add", "np.add"),
        (lambda w: da.clip(da.ones(3), -w, w), "function", "it with functions of NumPy, as np.sum"),
        (lambda w: da.fft.fft(w), "function", "it with functions of NumPy, as np.sum"),
        (lambda w: da.ones(3).dot(w), "dot", "np.dot"),
        (lambda w: da.sum(w), "sum", "np.sum"),
    ],
)
def test_the_refusal_names_what_was_called(call: Any, said: str, write: str) -> None:
    with pytest.raises(ag.ArgumentTypeError) as error:
        call(ag.Value(np.ones(3)))
    assert str(error.value) == (
        f"Dask's {said} takes a Value for plain numbers, and its gradient would be lost.\n"
        f"Write {write} (Dask's arrays and Values mix there); or pass x.data if it is meant "
        "as a constant"
    )
