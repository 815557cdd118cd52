"""What asks for an axis that a sample lacks does not get that of the samples.

NumPy refuses it, or takes a number for an array of length one: so it is of each sample.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.engine.mapped_samples import assert_equal, loop

DRAWN = np.random.default_rng(0).uniform(0.2, 0.9, (3, 2, 2))

SAMPLES = {0: DRAWN[:, 0, 0], 1: DRAWN[:, 0], 2: DRAWN}
"""By the number of axes of one of them."""

AXES = (-3, -2, -1, 0, 1, 2)

ALONG: list[Callable[..., Any]] = [
    np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.median, np.ptp, np.any, np.all,
    np.count_nonzero, np.nansum, np.nanmean, np.nanmax, np.nanmedian, np.cumsum, np.cumprod,
    np.sort, np.argsort, np.argmax, np.argmin, np.flip, np.average, np.trapezoid, np.diff,
    np.squeeze, np.expand_dims, np.unwrap, np.fft.fft, np.fft.irfft, np.linalg.norm, np.gradient,
    np.add.reduce, np.cumulative_sum, np.unstack,
]  # fmt: skip

CALLS: dict[str, Callable[..., Any]] = {
    **{f.__name__: lambda x, axis, f=f: f(x, axis=axis) for f in ALONG},
    "quantile": lambda x, axis: np.quantile(x, 0.3, axis=axis),
    "partition": lambda x, axis: np.partition(x, 0, axis),
    "argpartition": lambda x, axis: np.argpartition(x, 0, axis),
    "roll": lambda x, axis: np.roll(x, 1, axis),
    "repeat": lambda x, axis: np.repeat(x, 2, axis),
    "take": lambda x, axis: np.take(x, [0], axis),
    "take own": lambda x, axis: np.take(x, np.argmin(np.ravel(x)) * 0, axis),
    "compress": lambda x, axis: np.compress([True], x, axis),
    "delete": lambda x, axis: np.delete(x, 0, axis),
    "insert": lambda x, axis: np.insert(x, 0, 1.0, axis),
    "append": lambda x, axis: np.append(x, x, axis),
    "stack": lambda x, axis: np.stack([x, x], axis),
    "concatenate": lambda x, axis: np.concatenate([x, x], axis),
    "swapaxes": lambda x, axis: np.swapaxes(x, 0, axis),
    "moveaxis": lambda x, axis: np.moveaxis(x, axis, 0),
    "transpose": lambda x, axis: np.transpose(x, (axis, 0)),
    "diagonal": lambda x, axis: np.diagonal(x, 0, axis, 0),
    "tensordot": lambda x, axis: np.tensordot(x, x, (int(axis), int(axis))),
    "tensordot of last": lambda x, axis: np.tensordot(x, np.ones((2, 2, 2)), abs(axis)),
    "along": lambda x, axis: np.take_along_axis(x, np.zeros_like(x).astype(int), axis),
    "method sort": lambda x, axis: np.copy(x).sort(axis),
    "tril": np.tril,
    "triu": np.triu,
    "diag": np.diag,
    "diag of none": lambda x, k: np.diag(np.ravel(x)[:0], k),
    "svd": lambda x, _: np.linalg.svd(x)[1],
    "qr": lambda x, _: np.linalg.qr(x)[1],
    "pinv": lambda x, _: np.linalg.pinv(x),
    "det": lambda x, _: np.linalg.det(x),
    "correlate none": lambda x, _: np.correlate(x, np.ravel(x)[:0]),
}


@pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("number", [int, np.array])
def test_each_sample_has_its_own_axes_only(name: str, number: Callable[[int], Any]) -> None:
    call = CALLS[name]
    for ndim, axis in itertools.product(SAMPLES, AXES):
        samples = SAMPLES[ndim]

        def function(x: Any, axis: int = axis) -> Any:
            return call(x, number(axis))

        try:
            wanted = loop(function, samples)
        except Exception:
            with pytest.raises(Exception, match=r"."):
                ag.vmap(function)(samples)
            continue
        if wanted.dtype != object:
            found = ag.vmap(function)(samples)
            assert_equal(np.stack(found, axis=1) if isinstance(found, tuple) else found, wanted)


def test_shapes_of_samples_are_arrays_too() -> None:
    calls: list[Callable[..., Any]] = [np.reshape, np.broadcast_to]
    for call, shape in zip(calls, ([2, -1, 1], [3, 2, 2]), strict=True):
        found = ag.vmap(lambda x, call=call, shape=shape: call(x, np.array(shape)))(DRAWN)
        assert_equal(found, np.stack([call(x, shape) for x in DRAWN]))


def test_a_refusal_of_numpys_is_not_announced_as_slow() -> None:
    with pytest.raises(np.exceptions.AxisError, match="axis -2 is out of bounds for array of dim"):
        ag.vmap(lambda x: np.sum(x, axis=-2))(SAMPLES[1])
    with pytest.raises(np.exceptions.AxisError, match="axis 2 is out of bounds for array of dim"):
        ag.vmap(lambda x: np.multiply.accumulate(x, axis=2))(SAMPLES[1])
