"""A DataArray of a Value: what xarray computes with it, and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

xr = pytest.importorskip("xarray")

NUMBERS = np.array([[1.5, 0.25, -2.0, 3.0], [0.75, -1.0, 4.0, 2.5], [3.5, 2.0, 0.5, -0.25]])
COORDS = {"a": [10, 20, 30], "b": [1.0, 2.0, 4.0, 5.0], "season": ("b", list("ddww"))}
WEIGHTS = xr.DataArray([0.2, 0.3, 0.1, 0.4], dims="b", coords={"b": COORDS["b"]})
POINTS = xr.DataArray([0, 1, 2], dims="p"), xr.DataArray([3, 0, 1], dims="p")


def labelled(x: Any) -> Any:
    return xr.DataArray(x, dims=("a", "b"), coords=COORDS)


def written(a: Any, index: Any, content: Any) -> Any:
    a = 1.0 * a
    a[index] = content
    return a


CALLS: dict[str, Callable[[Any], Any]] = {
    "arithmetic": lambda a: 2 * a**2 - a / 3 + abs(a),
    "by names": lambda a: WEIGHTS * a,
    "aligned": lambda a: a + xr.DataArray([1.0, 2.0], dims="b", coords={"b": [2.0, 5.0]}),
    "broadcast": lambda a: a * xr.DataArray([1.0, -2.0], dims="c"),
    "ufunc": np.tanh,
    "apply_ufunc": lambda a: xr.apply_ufunc(np.exp, a),
    "apply_ufunc of cores": lambda a: xr.apply_ufunc(
        lambda x: x @ np.swapaxes(x, -1, -2), a,
        input_core_dims=[["a", "b"]], output_core_dims=[["a", "c"]],
    ),
    **{
        f"{name} along {dim}": lambda a, name=name, dim=dim: getattr(a, name)(dim)
        for name in ("sum", "mean", "var", "std", "max", "min", "prod", "median", "cumsum",
                     "cumprod")
        for dim in ("a", "b")
    },
    **{
        f"{name} of all": lambda a, name=name: getattr(a, name)()
        for name in ("sum", "mean", "var", "std", "max", "min", "prod")
    },
    **{
        f"{name} with NaN": lambda a, name=name: getattr(a, name)("b", skipna=False)
        for name in ("sum", "mean", "std", "max", "median")
    },
    "mean without NaN": lambda a: a.where(a > 0).mean("b"),
    "quantile": lambda a: a.quantile([0.3, 0.8], "b"),
    "sel": lambda a: a.sel(a=20),
    "sel of several": lambda a: a.sel(b=[4.0, 1.0]),
    "sel of a slice": lambda a: a.sel(a=slice(10, 20)),
    "sel of the nearest": lambda a: a.sel(a=13, method="nearest"),
    "isel": lambda a: a.isel(a=0, b=slice(None, None, 2)),
    "isel of several": lambda a: a.isel(a=[0, 2], b=[1, 1, 3]),
    "isel of points": lambda a: a.isel(a=POINTS[0], b=POINTS[1]),
    "index": lambda a: a[1, 2],
    "boolean index": lambda a: a[:, np.array([True, False, True, False])],
    "written": lambda a: written(a, {"a": [0, 2], "b": [1, 2]}, 7.0),
    "written points": lambda a: written(a, {"a": POINTS[0], "b": POINTS[1]}, 7.0),
    "written by a mask": lambda a: written(a, {"b": np.array([True, False, True, False])}, 7.0),
    "written from itself": lambda a: written(a, {"a": 0}, a.isel(a=1) ** 2),
    "dot": lambda a: xr.dot(a, WEIGHTS, dim="b"),
    "dot of all": lambda a: xr.dot(a, a),
    "matmul": lambda a: a @ WEIGHTS,
    "concat": lambda a: xr.concat([a, 2 * a, labelled(NUMBERS)], dim="c"),
    "concat along": lambda a: xr.concat([a, a**2], dim="a"),
    "merge": lambda a: xr.merge([a.rename("p"), WEIGHTS.rename("q")]).p ** 2,
    "dataset": lambda a: (a.to_dataset(name="q") ** 2).map(np.sin).q,
    "combine_first": lambda a: a.where(a > 0).combine_first(a**2),
    "transpose": lambda a: a.transpose("b", "a") + a.T,
    "stack": lambda a: a.stack(z=("a", "b")),
    "unstack": lambda a: a.stack(z=("a", "b")).unstack("z") ** 2,
    "expand_dims": lambda a: a.expand_dims("c").squeeze("c"),
    "where": lambda a: a.where(a > 0, a**2),
    "xr.where": lambda a: xr.where(a > 0, a**2, 0.0),
    "clip": lambda a: a.clip(-0.5, 2.2),
    "shift": lambda a: a.shift(b=1),
    "roll": lambda a: a.roll(b=1),
    "diff": lambda a: a.diff("b"),
    "pad": lambda a: a.pad(b=1, constant_values=0.5),
    "reindex": lambda a: a.reindex(b=[4.0, 7.0]),
    "fillna": lambda a: a.where(a > 0).fillna(0.5),
    "dropna": lambda a: a.where(a > -1.5).dropna("b"),
    "sortby": lambda a: a.sortby("b", ascending=False),
    "groupby": lambda a: a.groupby("season").mean(),
    "groupby, sum": lambda a: a.groupby("season").sum() ** 2,
    "groupby, map": lambda a: a.groupby("season").map(lambda s: s - s.mean("b")),
    "groupby, arithmetic": lambda a: a.groupby("season") - a.groupby("season").mean(),
    "weighted mean": lambda a: a.weighted(WEIGHTS).mean("b"),
    "weighted sum": lambda a: a.weighted(WEIGHTS).sum("b"),
    "rolling": lambda a: a.rolling(b=2).mean(),
    "coarsen": lambda a: a.drop_vars("season").coarsen(b=2).mean(),
    "cumulative": lambda a: a.cumulative("b").sum(),
    "differentiate": lambda a: a.differentiate("b"),
    "integrate": lambda a: a.integrate("b"),
    "cumulative_integrate": lambda a: a.cumulative_integrate("b"),
    "polyfit": lambda a: a.polyfit("b", 1).polyfit_coefficients,
    "corr": lambda a: xr.corr(a, a**2, dim="b"),
    "cov": lambda a: xr.cov(a, a**2, dim="b"),
    "astype": lambda a: a.astype("complex128").real,
    "copy": lambda a: a.copy() ** 2,
    "full_like": lambda a: xr.full_like(a, 3.0) * a,
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients_are_those_of_plain_arrays(name: str) -> None:
    call = CALLS[name]
    expected = call(labelled(NUMBERS))
    got = call(labelled(ag.Value(NUMBERS)))
    assert isinstance(got.data, ag.Value), "no gradient goes through"
    assert got.dims == expected.dims and sorted(got.coords) == sorted(expected.coords)
    assert got.data.shape == expected.shape and got.dtype == expected.dtype
    np.testing.assert_allclose(got.data.data, expected.data, rtol=1e-13)
    for coord in expected.coords:
        assert got.coords[coord].equals(expected.coords[coord]), coord

    weights = np.random.default_rng(0).normal(size=expected.shape)

    def loss(x: Any) -> Any:
        y = call(labelled(x)).data
        return np.sum(np.where(np.isnan(expected.data), 0.0, weights * y))

    direction, h = np.random.default_rng(1).normal(size=NUMBERS.shape), 1e-6
    slope = np.sum(ag.grad(loss)(NUMBERS) * direction)
    measured = (loss(NUMBERS + h * direction) - loss(NUMBERS - h * direction)) / (2 * h)
    np.testing.assert_allclose(slope, measured, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "take",
    [
        lambda a: a.values,
        lambda a: a.to_numpy(),
        lambda a: a.to_dataframe(name="q"),
        lambda a: np.asarray(a),
        lambda a: a.interp(a=15.0),
        lambda a: a.to_series(),
    ],
)
def test_numbers_do_not_leave(take: Callable[[Any], Any]) -> None:
    with pytest.raises(ag.ArgumentTypeError, match=r"gradient would be lost"):
        take(labelled(ag.Value(NUMBERS)))


def test_the_numbers_of_constants_may_leave() -> None:
    a = labelled(ag.Value(NUMBERS, requires_grad=False))
    np.testing.assert_array_equal(a.values, NUMBERS)


def test_transforms_go_through() -> None:
    def loss(x: Any) -> Any:
        return (labelled(x).groupby("season").mean() ** 2).sum().data

    halves = NUMBERS.reshape(3, 2, 2).mean(-1)
    expected = np.repeat(halves, 2, axis=1)
    np.testing.assert_allclose(ag.grad(loss)(NUMBERS), expected)
    np.testing.assert_allclose(ag.compile(ag.grad(loss))(NUMBERS), expected)
    np.testing.assert_allclose(ag.jvp(loss, NUMBERS, NUMBERS)[1], np.sum(expected * NUMBERS))
    np.testing.assert_allclose(ag.hvp(loss, NUMBERS, NUMBERS), expected)


def test_the_page_runs() -> None:
    page = Path(__file__).parents[2] / "docs" / "other_arrays.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    here = [b for b in blocks if ">>>" not in b and "SCIPY_ARRAY_API" not in b]
    assert len(here) == 2
    names: dict[str, Any] = {"np": np, "ag": ag}
    trees = dict(ag.core.tree.trees)
    try:
        for block in here:
            exec(block, names)
    finally:
        ag.core.tree.trees.clear()
        ag.core.tree.trees.update(trees)
    assert names["temperature"].grad.shape == (2, 3)
    np.testing.assert_array_equal(names["gradient"], [0.0, 12.0])
    assert names["gradient"].x.values.tolist() == [10, 20]


@pytest.mark.parametrize(
    "change",
    [
        lambda w, ds: w.__setitem__(0, 5.0),
        lambda w, ds: w.values.__setitem__(1, 5.0),
        lambda w, ds: setattr(w, "data", np.full(4, 3.0)),
        lambda w, ds: w.coords.__setitem__("b", [5.0, 4.0, 2.0, 1.0]),
        lambda w, ds: ds.v.__setitem__(0, 3.0),
        lambda w, ds: ds.update({"v": 3 * w}),
    ],
)
def test_compiled_programs_see_what_changes_in_captured_arrays(change: Any) -> None:
    w = WEIGHTS.copy(deep=True)
    ds = xr.Dataset({"v": WEIGHTS.copy(deep=True)})

    def function(x: Any) -> Any:
        return (labelled(x) * w + ds.v).sum().data

    compiled = ag.compile(function)
    for x in (NUMBERS, 2 * NUMBERS):
        assert compiled(x) == function(x)
    change(w, ds)
    try:
        assert compiled(NUMBERS) == function(NUMBERS)
    except ag.CompileError as error:
        assert "something that it captures has changed" in str(error)
