"""What is predicted of arrays of Dask when it is computed: what the model predicted when asked."""

from __future__ import annotations

import re
import threading
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
Y = X[:, :1] - X[:, 1:2]
LAZY_X, LAZY_Y = da.from_array(X, chunks=(20, 4)), da.from_array(Y, chunks=(20, 1))


@pytest.fixture(autouse=True, scope="module")
def here() -> Any:
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture(scope="module")
def estimators() -> Any:
    return pytest.importorskip("nn.estimators")


def never(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("something was computed")


def trained_further(model: Any) -> None:
    nn.fit(model, X, Y, loss="mse", epochs=3, progress=False, rng=0)


def test_predictions_are_those_of_the_model_as_it_was() -> None:
    model = nn.MLP(4, [3, 1], rng=0)
    expected, later = nn.predict(model, X), nn.predict(model, LAZY_X)
    trained_further(model)
    np.testing.assert_array_equal(later.compute(), expected)
    assert not np.allclose(nn.predict(model, X), expected)


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_predictions_of_an_estimator_are_those_of_before(estimators: Any, method: str) -> None:
    classes = (Y[:, 0] > 0).astype(int)
    estimator = estimators.MLPClassifier(random_state=0).partial_fit(X, classes, classes=[0, 1])
    expected, later = getattr(estimator, method)(X), getattr(estimator, method)(LAZY_X)
    for _ in range(20):
        estimator.partial_fit(X, 1 - classes)
    np.testing.assert_allclose(later.compute(), expected, rtol=1e-12)
    assert not np.allclose(getattr(estimator, method)(X), expected)


def test_threads_do_not_switch_each_others_modes() -> None:
    wait = threading.Barrier(2, timeout=20)

    class Waiting(nn.Module):
        def __deepcopy__(self, memo: Any) -> Any:  # the barrier is one for all threads
            return Waiting()

        def forward(self, x: Any) -> Any:
            if len(x) > 1:
                wait.wait()
            return x * (2.0 if self.training else 1.0)

    model = nn.Sequential(Waiting()).train()
    with dask.config.set(scheduler="threads", num_workers=2):
        found = nn.predict(model, da.ones((80, 4), chunks=(20, 4))).compute()
    np.testing.assert_array_equal(found, np.ones((80, 4)))
    assert model.training


def test_a_model_that_cannot_be_copied_is_refused_by_name() -> None:
    model = nn.Sequential(nn.Linear(4, 1, rng=0))
    model.lock = threading.Lock()
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        nn.predict(model, LAZY_X)
    assert re.fullmatch(
        r"Sequential cannot be copied \(TypeError: cannot pickle '_thread.lock' object\), and what "
        r"is predicted later must be what it predicts now; leave out what belongs to one process, "
        r"as locks, files and connections do, or predict chunks with \.compute\(\)",
        str(refusal.value),
    )


@pytest.mark.parametrize("method", ["predict", "decision_function"])
@pytest.mark.parametrize("name", ["Perceptron", "PerceptronClassifier"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_perceptrons_predict_lazily(
    estimators: Any, name: str, method: str, n_classes: int
) -> None:
    classes = np.arange(60) % n_classes
    estimator = getattr(estimators, name)(random_state=0).fit(X, classes)
    lazy = getattr(estimator, method)(LAZY_X)
    assert isinstance(lazy, da.Array)
    np.testing.assert_array_equal(lazy.compute(), getattr(estimator, method)(X))
    never_computed = LAZY_X.map_blocks(never, dtype=float, meta=np.empty((0, 0)))
    assert getattr(estimator, method)(never_computed).shape == lazy.shape


def test_a_perceptron_predicts_lazily_and_learns_in_memory() -> None:
    unit = nn.Perceptron(4)
    unit.weight.data[:, 0] = 1.0, -1.0, 0.5, 0.0
    lazy = unit.predict(LAZY_X)
    assert isinstance(lazy, da.Array)
    expected = (X @ [[1.0], [-1.0], [0.5], [0.0]] >= 0).astype(float)
    unit.weight.data[...] = 7.0
    np.testing.assert_array_equal(lazy.compute(), expected)
    with pytest.raises(ag.ArgumentTypeError) as refusal:
        unit.fit(LAZY_X, LAZY_Y > 0)
    assert str(refusal.value) == (
        "Perceptron: x is Array, and the rule learns sample by sample from arrays in memory; call "
        "x.compute() of Dask, x.get() of CuPy, and to(numpy) of a perceptron that lies on a device"
    )
