"""Whole numbers and lists in the place of floats: in their own dtype they would wrap around."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import autograd_lite as ag
import nn

WHOLE = {
    "uint8": np.array([[1, 0, 255, 100]], np.uint8),
    "int8": np.array([[1, -128, 127, 100]], np.int8),
    "int64": np.array([[3, -(2**63), 2, 0]]),
    "bool": np.array([[True, False]]),
    "list": [[1, -2, 300, 4]],
}


@pytest.mark.parametrize("numbers", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("name", nn.activations.activations)
def test_activations_of_whole_numbers_are_those_of_floats(name, numbers):
    function = nn.activations.activations[name]
    expected = function(np.array(numbers, np.float64))
    np.testing.assert_array_equal(function(numbers), expected)
    np.testing.assert_array_equal(nn.Activation(name)(numbers), expected)


def test_compiled_activations_of_whole_numbers_are_those_of_floats():
    compiled = ag.compile(nn.sigmoid)
    for _ in range(3):
        np.testing.assert_allclose(compiled(np.array([1], np.uint8)), [0.7310585786300049])


@pytest.mark.parametrize("first", ["sigmoid", nn.Dropout(0.25, rng=0)], ids=["sigmoid", "dropout"])
def test_training_on_bytes_is_that_on_floats(first):
    x = np.random.default_rng(0).integers(0, 2, (30, 3))
    losses = [
        nn.fit(
            nn.Sequential(first if isinstance(first, str) else nn.Dropout(0.25, rng=0),
                          nn.Linear(3, 2, rng=1)),
            x.astype(dtype), x[:, 0], loss="cross_entropy", epochs=2, rng=0, progress=False,
        ).loss
        for dtype in (np.uint8, np.float64)
    ]  # fmt: skip
    assert losses[0] == losses[1]


@pytest.mark.parametrize("numbers", [[1, 2], np.array([1, 2], np.uint8), np.array([1, 2])])
def test_dropout_scales_whole_numbers_up(numbers):
    kept = nn.Dropout(0.5, rng=0)(numbers)
    np.testing.assert_array_equal(kept, nn.Dropout(0.5, rng=0)(np.array([1.0, 2.0])))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.float16, np.float32])
def test_the_area_under_the_curve_of_differences_that_would_wrap_around(dtype):
    scores = np.array([[0, 120], [100, 5], [110, 90], [3, 100], [90, 115]]).astype(dtype)
    labels = [1, 0, 0, 1, 0]
    expected = roc_auc_score(labels, scores[:, 1].astype(float) - scores[:, 0])
    assert nn.metrics.roc_auc(scores, labels) == expected


@pytest.mark.parametrize("make", [
    lambda dtype: nn.Linear(2, 2, dtype=dtype), lambda dtype: nn.MLP(2, [2], dtype=dtype),
    lambda dtype: nn.Embedding(2, 2, dtype=dtype), lambda dtype: nn.BatchNorm1d(2, dtype=dtype),
    lambda dtype: nn.LayerNorm(2, dtype=dtype), lambda dtype: nn.PReLU(dtype=dtype),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [int, bool, "f5", complex, object])
def test_parameters_that_would_be_rounded_are_refused(make, dtype):
    with pytest.raises(ag.ArgumentTypeError, match=r"parameters are floats; pass np\.float64"):
        make(dtype)


def test_an_empty_batch_leaves_running_averages_alone():
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ag.ArgumentValueError, match=r"of no samples there is neither mean"):
        layer(np.zeros((0, 2)))
    np.testing.assert_array_equal(layer.running_mean, np.zeros(2))
    assert layer.eval()(np.zeros((0, 2))).shape == (0, 2)
