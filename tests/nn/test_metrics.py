"""Metrics against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

import autograd_lite as ag
from nn import metrics

RNG = np.random.default_rng(0)
LOGITS, LABELS = RNG.normal(size=(60, 4)), RNG.integers(0, 4, 60)
SCORES, YES_NO = RNG.normal(size=60).round(1), RNG.integers(0, 2, 60)
CLASSES = LOGITS.argmax(axis=1)


@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_precision_recall_f1(name):
    metric, peer = getattr(metrics, name), getattr(reference, f"{name}_score")
    assert metric(LOGITS, LABELS) == pytest.approx(peer(LABELS, CLASSES, average="macro"))
    binary = peer(YES_NO, SCORES > 0)
    assert metric(SCORES, YES_NO) == pytest.approx(binary)
    assert metric(SCORES[:, None], YES_NO[:, None]) == pytest.approx(binary)
    assert metric(np.c_[-SCORES, SCORES], YES_NO) == pytest.approx(binary)


def test_accuracy_and_top_k():
    assert metrics.accuracy(LOGITS, LABELS) == reference.accuracy_score(LABELS, CLASSES)
    assert metrics.accuracy(ag.Value(SCORES), YES_NO) == np.mean((SCORES > 0) == YES_NO)
    for k in (1, 2, 3):
        expected = reference.top_k_accuracy_score(LABELS, LOGITS, k=k)
        assert metrics.top_k_accuracy(LOGITS, LABELS, k=k) == expected


def test_confusion_matrix():
    np.testing.assert_array_equal(
        metrics.confusion_matrix(LOGITS, LABELS), reference.confusion_matrix(LABELS, CLASSES)
    )
    assert metrics.confusion_matrix(LOGITS, LABELS, n_classes=6).shape == (6, 6)


def test_roc_auc_with_ties():
    expected = reference.roc_auc_score(YES_NO, SCORES)
    assert metrics.roc_auc(SCORES, YES_NO) == pytest.approx(expected)
    assert metrics.roc_auc(np.c_[np.zeros(60), SCORES], YES_NO) == pytest.approx(expected)
    several = np.mean([reference.roc_auc_score(c == LABELS, LOGITS[:, c]) for c in range(4)])
    assert metrics.roc_auc(LOGITS, LABELS) == pytest.approx(several)


@pytest.mark.parametrize(
    ("metric", "peer"),
    [
        (metrics.rmse, reference.root_mean_squared_error),
        (metrics.mae, reference.mean_absolute_error),
        (metrics.r2, reference.r2_score),
    ],
)
def test_regression(metric, peer):
    targets = LOGITS + RNG.normal(size=LOGITS.shape)
    assert metric(LOGITS, targets) in (
        pytest.approx(peer(targets, LOGITS)),
        pytest.approx(np.sqrt(np.mean((targets - LOGITS) ** 2))),  # over all outputs at once
    )
    assert metric(LOGITS[:, 0], targets[:, 0]) == pytest.approx(peer(targets[:, 0], LOGITS[:, 0]))


def test_r2_of_a_constant_target():
    assert metrics.r2(np.ones(3), np.ones(3)) == 1.0
    assert metrics.r2(np.zeros(3), np.ones(3)) == 0.0


def test_absent_classes_count_zero():
    assert metrics.precision(np.full(3, -1.0), [0, 0, 1]) == 0.0
    assert metrics.recall(np.full(3, -1.0), [0, 0, 0]) == 0.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: metrics.accuracy(LOGITS, LABELS[:5]),
            "accuracy: the labels have shape (5,), but there are predictions of shape (60,); "
            "give one label for each sample",
        ),
        (
            lambda: metrics.accuracy(np.zeros((0, 2)), []),
            "accuracy: there are no samples; give at least one",
        ),
        (
            lambda: metrics.top_k_accuracy(LOGITS, LABELS, k=5),
            "top_k_accuracy: the outputs have shape (60, 4), the labels (60,), and k is 5; "
            "outputs of shape (samples, classes) are needed, and k up to classes",
        ),
        (
            lambda: metrics.roc_auc(SCORES, np.zeros(60, int)),
            "roc_auc: there are 0 samples of a class and 60 of the others; both are needed",
        ),
        (
            lambda: metrics.rmse(np.zeros(3), np.zeros((3, 1))),
            "rmse: the outputs have shape (3,), but the targets have shape (3, 1); "
            "both must be equal and not empty",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        call()
    assert str(error.value) == message
