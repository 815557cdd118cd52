"""What fit and its callbacks refuse, by name, before anything changes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn


def line(n=40):
    x = np.linspace(-1, 1, n).reshape(-1, 1)
    return x, 3 * x - 2


def small():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 2))
    return x, (x[:, 0] > 0.2).astype(int)


def quiet_fit(model, x, y=None, **options):
    defaults = {"loss": nn.mse, "epochs": 2, "rng": 0, "progress": False}
    return nn.fit(model, x, y, **(defaults | options))


def refused(model, x, y, **options):
    before = model.state_dict()
    with pytest.raises(ag.AutogradError) as error:
        nn.fit(model, x, y, **({"loss": nn.mse, "progress": False} | options))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    return str(error.value)


def test_bad_data_are_refused_before_anything_changes():
    x, y = line()
    model = nn.Linear(1, 1, rng=0)
    broken = x.copy()
    broken[3], broken[7] = np.nan, np.inf
    assert refused(model, broken, y) == (
        "fit: x holds 2 NaN or infinite numbers, the first at (3, 0); "
        "remove or replace them before training"
    )
    assert refused(model, x, broken[:, 0]) == (
        "fit: y holds 2 NaN or infinite numbers, the first at 3; "
        "remove or replace them before training"
    )
    assert refused(model, x, y, validation_data=(broken, y)) == (
        "fit: validation_data[0] holds 2 NaN or infinite numbers, the first at (3, 0); "
        "remove or replace them before training"
    )
    assert refused(model, x, y[:5]) == (
        "fit: x has shape (40, 1) and y has shape (5, 1); "
        "both need the same number of samples, at least one, along their first axis"
    )
    assert refused(model, np.array([["a"]] * 40), y) == (
        "fit: x has dtype <U1; it must hold real numbers: of categories make columns of 0 and 1, "
        "as pandas.get_dummies does, of class names numbers, as "
        "np.unique(y, return_inverse=True)[1] are"
    )
    assert refused(model, x, y, epochs=-1) == "fit: epochs is -1; it must be a positive integer"
    assert refused(model, x, y, batch_size=2.5) == (
        "fit: batch_size is 2.5; it must be a positive integer"
    )
    assert refused(nn.MLP(1, [3], rng=0), x, np.full(40, 3), loss=nn.cross_entropy) == (
        "cross_entropy: the label at position 0 is 3, but the logits have 3 classes; "
        "labels go from 0 to 2"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"sample_weight": [1.0]},
            "fit: sample_weight has shape (1,); it must hold one number for each of 30 samples, "
            "none negative, infinite or NaN, and not all zero",
        ),
        (
            {"class_weight": {0: 1.0}},
            "fit: class_weight has no weight for the classes [1]; "
            "give one for each class, or 'balanced'",
        ),
        (
            {"validation_split": 1.5},
            "fit: validation_split is 1.5 for 30 samples; it must be in (0, 1), "
            "leave samples on both sides, and come without validation_data",
        ),
        (
            {"loss": "mean"},
            "there is no loss 'mean'; use one of " + ", ".join(nn.losses.losses)
            + ", or pass a function",
        ),
        (
            {"metrics": ["score"]},
            "there is no metric 'score'; use one of " + ", ".join(nn.metrics.metrics)
            + ", or pass a function",
        ),
        ({"l2": -1}, "fit: l2 is -1; it must be a number that is not negative"),
        ({"accumulate": 0}, "fit: accumulate is 0; it must be a positive integer"),
        ({"y": None}, "fit: y is missing, and x is ndarray; pass targets, "
         "or an iterable of batches (x, y)"),
        ({"y": None, "x": iter([])}, "fit: x is an iterator, which can be iterated over only once; "
         "pass a list, or an object whose __iter__ starts anew for every epoch"),
        ({"y": None, "x": []}, "the iterable gave no batch; a generator can be iterated over "
         "only once, so pass a list, or an object whose __iter__ starts anew for every epoch"),
        ({"y": None, "x": [1]}, "a batch is int; the iterable must give tuples (x, y) or "
         "(x, y, sample_weight)"),
        ({"y": None, "x": [], "sample_weight": [1]}, "fit: sample_weight, class_weight and "
         "validation_split need arrays x and y; an iterable gives weights as "
         "(x, y, sample_weight), and validation_data is separate"),
    ],
)  # fmt: skip
def test_bad_options_are_refused(options, message):
    x, y = small()
    model = nn.Linear(2, 2, rng=0)
    options = {"x": x, "y": y, "loss": "cross_entropy"} | options
    assert refused(model, options.pop("x"), options.pop("y"), **options) == message


@pytest.mark.parametrize("callback", [nn.EarlyStopping, nn.ReduceOnPlateau])
def test_minimal_change_is_called_min_delta(callback):
    with pytest.warns(DeprecationWarning) as warned:
        made = callback("loss", minimal_change=0.25)
    assert str(warned[0].message) == (
        f"{callback.__name__}: minimal_change is called min_delta now; write min_delta=..."
    )
    assert warned[0].filename == __file__
    assert made.min_delta == 0.25


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: nn.EarlyStopping(mode="less"),
            "EarlyStopping: mode is 'less'; use 'auto', 'min' or 'max'",
        ),
        (
            lambda: nn.EarlyStopping(patience=-1),
            "EarlyStopping: patience is -1; it must be a number that is not negative",
        ),
        (
            lambda: nn.ReduceOnPlateau(factor=1),
            "ReduceOnPlateau: factor is 1; it must be in (0, 1)",
        ),
        (
            lambda: quiet_fit(nn.Linear(1, 1), *line(), callbacks=[nn.EarlyStopping()]),
            "EarlyStopping: there is no 'validation_loss' to watch without validation data; pass "
            "fit validation_data or validation_split, or watch 'loss'",
        ),
        (
            lambda: quiet_fit(nn.Linear(1, 1), *line(), callbacks=[nn.EarlyStopping("accuracy")]),
            "EarlyStopping: there is no 'accuracy' to watch; the history has loss, learning_rate",
        ),
        (
            lambda: nn.ReduceOnPlateau(factor=np.array([0.1, 0.2])),
            "ReduceOnPlateau: factor is array([0.1, 0.2]); it must be in (0, 1)",
        ),
        (
            lambda: nn.find_learning_rate(nn.Linear(1, 1), *line(), loss="mse", lowest=20),
            "find_learning_rate: lowest is 20 and highest is 10.0; both must be positive, "
            "and lowest the smaller",
        ),
    ],
)
def test_bad_callbacks_are_refused(make, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        make()
    assert str(error.value) == message
