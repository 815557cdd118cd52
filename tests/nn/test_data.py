"""Mini-batches: what is in them, where they lie, and which data are refused."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import autograd_lite as ag
import nn
from nn.training.batches import ArrayBatches
from nn.training.data import checked_pair

N, BATCH = 22, 8


def images(dtype=np.float32):
    return np.random.default_rng(0).normal(size=(N, 3)).astype(dtype)


def mapped(tmp_path):
    np.save(tmp_path / "x.npy", images())
    return np.load(tmp_path / "x.npy", mmap_mode="r")


INPUTS = {
    "float32": lambda _: images(),
    "float64, to be converted": lambda _: images(np.float64),
    "integers": lambda _: (10 * images()).astype(np.int64),
    "columns first": lambda _: np.asfortranarray(images()),
    "every second row": lambda _: np.repeat(images(), 2, axis=0)[::2],
    "mapped from a file": mapped,
    "sparse": lambda _: scipy.sparse.csr_array(images()),
    "two inputs": lambda _: (images(), images(np.float64)[:, :1]),
}


@pytest.mark.parametrize("name", INPUTS)
def test_batches_hold_the_same_rows_wherever_they_lie(name, tmp_path):
    x, y = INPUTS[name](tmp_path), np.arange(N)
    batches = ArrayBatches(x, y, np.arange(N) / N, BATCH)
    order = np.random.default_rng(3).permutation(N)
    first = x[0] if isinstance(x, tuple) else x
    dense = first.toarray() if hasattr(first, "toarray") else np.asarray(first)
    dtype = dense.dtype if dense.dtype.kind == "i" else np.float32
    for overwrite in (False, True):
        kept = []
        for index, batch in enumerate(
            batches.epoch(np.random.default_rng(3), np.dtype(np.float32), overwrite)
        ):
            inputs, labels, weight = batch
            inputs = inputs[0] if isinstance(inputs, tuple) else inputs
            rows = order[index * BATCH : (index + 1) * BATCH]
            assert inputs.dtype == dtype
            np.testing.assert_array_equal(inputs, dense[rows].astype(dtype))
            np.testing.assert_array_equal(labels, rows)
            np.testing.assert_array_equal(weight, rows / N)
            kept.append(inputs)
        assert len(kept) == len(batches) == 3
        reuses = overwrite and name not in ("float64, to be converted", "sparse")
        assert np.shares_memory(kept[0], kept[1]) == np.shares_memory(kept[0], kept[2]) == reuses


class Remembering(nn.Module):
    """Keeps every input, which no program can do: it runs as it is."""

    def __init__(self):
        self.linear, self.inputs = nn.Linear(3, 1, rng=0), []

    def forward(self, x):
        self.inputs.append(np.asarray(x))
        return self.linear(x)


class PassingOn(nn.Module):
    """Its second output is its input."""

    def __init__(self):
        self.linear = nn.Linear(3, 1, rng=0)

    def forward(self, x):
        return self.linear(x), x


def loss_of_first(outputs, targets):
    return nn.mse(outputs[0], targets)


OPTIONS = {"batch_size": BATCH, "rng": 0, "epochs": 3, "progress": False}


def epochs_of(x):
    rng = np.random.default_rng(0)
    return [x[rng.permutation(N)] for _ in range(OPTIONS["epochs"])]


def test_inputs_that_metrics_see_are_not_overwritten():
    x, seen = images(), []

    def keep(outputs, targets):
        seen.append(outputs[1])
        return 0.0

    nn.fit(PassingOn(), x, x[:, :1], loss=loss_of_first, metrics={"kept": keep}, **OPTIONS)
    np.testing.assert_array_equal(seen[-OPTIONS["epochs"] :], epochs_of(x))  # after the trial


def test_inputs_that_an_uncompiled_model_keeps_are_not_overwritten():
    x, model = images(), Remembering()
    nn.fit(model, x, x[:, :1], loss="mse", compile=False, **OPTIONS)
    kept = np.concatenate(model.inputs[1:])  # the first is a sample that is only looked at
    np.testing.assert_array_equal(kept, np.concatenate(epochs_of(x)))


# Numbers that are refused.


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numbers_that_are_not_finite_are_found_wherever_they_are(bad, order, dtype):
    x = np.asarray(images(dtype), order=order)
    x[7, 1] = bad
    for array in (x, x[::-1][::-1], np.repeat(x, 2, axis=0)[::2], np.stack([x, x], axis=2)[..., 0]):
        with pytest.raises(ag.ArgumentValueError) as error:
            checked_pair(array, np.zeros(N), "x", "y")
        assert str(error.value) == (
            "fit: x holds 1 NaN or infinite numbers, the first at (7, 1); "
            "remove or replace them before training"
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_whose_sum_overflows_are_taken(dtype):
    x = np.full((N, 3), np.finfo(dtype).max)
    checked, _ = checked_pair(x, x[:, 0], "x", "y")
    assert checked is x
