"""What losses and metrics refuse of the labels is refused before anything has changed."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(600, 3))
CLASSES = np.arange(600) % 3
YES = (CLASSES > 0).astype(float)[:, np.newaxis]
LATE = np.where(np.arange(600) == 590, 7, CLASSES)
"""A label that is out of range lies where the first batches do not see it."""

CASES = {
    "a label out of range": (3, LATE, "cross_entropy", [], "the label at position 590 is 7"),
    "a label that is no number of a class": (
        3, np.where(LATE == 7, 0.5, CLASSES), "cross_entropy", [], "are not whole numbers"),
    "a label that is no yes or no": (
        1, np.where(YES * (np.arange(600) == 590)[:, np.newaxis], 2.0, YES),
        "binary_cross_entropy", [], "go from 0 to 2"),
    "rows that are not probabilities": (
        3, 2.0 * np.eye(3)[CLASSES], "mse", ["accuracy"], "rows are not probabilities"),
    "metrics of numbers for classes": (
        3, CLASSES, "cross_entropy", ["r2"], "r2: the outputs have shape"),
    "one class alone": (1, np.ones((600, 1)), "binary_cross_entropy", ["roc_auc"],
                        "there are 600 samples of a class and 0 of the others"),
    "k beyond the classes": (
        3, CLASSES, "cross_entropy", {"top": nn.metrics.top_k_accuracy}, "and k is 5"),
    "a metric of one's own that returns an array": (
        3, CLASSES, "cross_entropy", {"each": lambda z, y: np.argmax(z, 1) == y},
        "returned ndarray of shape"),
    "a metric of one's own that raises": (
        3, CLASSES, "cross_entropy", {"own": lambda z, y: np.mean(z == y)}, "broadcast"),
}  # fmt: skip


def start(out_features):
    model = nn.Linear(3, out_features, rng=0)
    return model, nn.Adam(model), np.random.default_rng(1)


def snapshot(model, optimizer, rng, history):
    return (
        {name: array.tolist() for name, array in model.state_dict().items()},
        str(optimizer.state_dict()),
        rng.bit_generator.state,
        history.to_dict(),
        str(vars(history.progress)),
    )


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("split", [0.0, 0.25])
def test_nothing_has_changed(name, split):
    out_features, labels, loss, metrics, message = CASES[name]
    model, optimizer, rng = start(out_features)
    history = nn.History()
    before = snapshot(model, optimizer, rng, history)
    with pytest.raises((ValueError, TypeError), match=message if not split else None):
        nn.fit(model, X, labels, loss=loss, metrics=metrics, optimizer=optimizer, rng=rng,
               epochs=1, history=history, validation_split=split, progress=False)  # fmt: skip
    assert snapshot(model, optimizer, rng, history) == before


@pytest.mark.parametrize(
    "name", ["a label out of range", "one class alone", "k beyond the classes"]
)
def test_labels_for_validation_are_looked_at_too(name):
    out_features, labels, loss, metrics, message = CASES[name]
    model, optimizer, rng = start(out_features)
    history = nn.History()
    before = snapshot(model, optimizer, rng, history)
    usual = CLASSES if out_features == 3 else YES
    with pytest.raises(ag.ArgumentValueError, match=message):
        nn.fit(model, X, usual, loss=loss, metrics=metrics, optimizer=optimizer, rng=rng,
               history=history, validation_data=(X, labels), progress=False)  # fmt: skip
    assert snapshot(model, optimizer, rng, history) == before


def test_batches_of_an_iterable_are_looked_at_as_far_as_the_first():
    model, optimizer, rng = start(1)
    batches = [(X[i : i + 50], YES[i : i + 50]) for i in range(0, 600, 50)]
    before = snapshot(model, optimizer, rng, nn.History())
    with pytest.raises(ag.ArgumentValueError, match=r"accuracy: the labels hold 0\.0, 2\.0"):
        nn.fit(model, [(x, 2 * y) for x, y in batches], loss="mse", metrics=["accuracy"],
               optimizer=optimizer, rng=rng, progress=False)  # fmt: skip
    assert snapshot(model, optimizer, rng, nn.History()) == before
    ordered = [(X[i : i + 50], YES[i : i + 50]) for i in (0,)]
    ordered[0] = (ordered[0][0], np.ones((50, 1)))  # one class alone in a batch, but not in all
    history = nn.fit(model, ordered + batches, loss="binary_cross_entropy", metrics=["roc_auc"],
                     optimizer=optimizer, epochs=1, rng=rng, progress=False)  # fmt: skip
    assert len(history["roc_auc"]) == 1


def test_what_depends_on_predictions_is_not_tried():
    def precision(z, y):  # divides by 0 until the model says yes
        said = int(np.sum(z > 1e9))
        return 1 / said if next(calls) < 2 else 0.0

    calls = itertools.count()  # which nobody can put back
    model, optimizer, rng = start(1)
    history = nn.fit(model, X, YES, loss="binary_cross_entropy", metrics={"own": precision},
                     optimizer=optimizer, epochs=0, rng=rng, progress=False)  # fmt: skip
    assert len(history) == 0 and next(calls) == 1


def test_losses_of_ones_own_are_called_for_batches_alone():
    sizes = []

    def own(z, y):
        sizes.append(len(y))
        return np.mean((z - y) ** 2)

    model, optimizer, rng = start(1)
    nn.fit(model, X, YES, loss=own, optimizer=optimizer, epochs=1, batch_size=60, rng=rng,
           compile=False, progress=False)  # fmt: skip
    assert set(sizes) == {60}


def test_each_of_several_outputs_is_tried_with_its_labels():
    class Two(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(3, 3, rng=0), nn.Linear(3, 1, rng=1)

        def forward(self, x):
            return {"a": self.a(x), "b": self.b(x)}

    loss = {"a": functools.partial(nn.cross_entropy, ignore_index=7), "b": "binary_cross_entropy"}
    for a, b in itertools.product((LATE, LATE + 1), (YES, YES + 1)):
        model, rng = Two(), np.random.default_rng(0)
        before = model.state_dict()
        fits = a is LATE and b is YES
        options = {"loss": loss, "epochs": 1, "rng": rng, "progress": False}
        if fits:
            nn.fit(model, X, {"a": a, "b": b}, **options)
            continue
        with pytest.raises(ag.ArgumentValueError):
            nn.fit(model, X, {"a": a, "b": b}, **options)
        for name, array in model.state_dict().items():
            np.testing.assert_array_equal(array, before[name])
