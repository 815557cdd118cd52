"""Metrics against scikit-learn's."""

from __future__ import annotations

import math
import os
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import softmax
from sklearn import metrics as reference

import autograd_lite as ag
import nn
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
    probabilities = softmax(LOGITS, axis=1)
    several = reference.roc_auc_score(LABELS, probabilities, multi_class="ovr")
    assert metrics.roc_auc(LOGITS, LABELS) == pytest.approx(several)
    assert metrics.roc_auc(LOGITS + RNG.normal(size=(60, 1)), LABELS) == pytest.approx(several)
    assert metrics.roc_auc(probabilities, LABELS) == pytest.approx(several)


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
    assert metric(LOGITS, targets) == pytest.approx(peer(targets, LOGITS))
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
            "top_k_accuracy: the outputs have shape (60, 4), and k is 5; "
            "outputs of shape (samples, classes) are needed, and k up to classes",
        ),
        (
            lambda: metrics.roc_auc(SCORES, np.zeros(60, int)),
            "roc_auc: there are 0 samples of a class and 60 of the others; both are needed",
        ),
        (
            lambda: metrics.rmse(np.zeros(3), np.zeros((3, 2))),
            "rmse: the outputs have shape (3,), but the targets have shape (3, 2); "
            "both must be equal and not empty, samples first",
        ),
        (
            lambda: metrics.r2(1.0, 2.0),
            "r2: the outputs have shape (), but the targets have shape (); "
            "both must be equal and not empty, samples first",
        ),
        (
            lambda: metrics.mae(np.array([1 + 2j]), np.array([1.0])),
            "mae: the outputs have dtype complex128; pass real numbers",
        ),
        (
            lambda: metrics.rmse(np.ones(1), np.array(["a"])),
            "rmse: the targets have dtype <U1; pass real numbers",
        ),
        (
            lambda: metrics.accuracy(np.array([[1j, 1]]), [0]),
            "accuracy: the outputs have dtype complex128; pass real numbers",
        ),
        (
            lambda: metrics.f1(np.array(["a", "b"]), [0, 1]),
            "f1: the outputs have dtype <U1; pass real numbers",
        ),
        (
            lambda: metrics.accuracy(np.array([[0.0, np.nan], [1.0, 2.0]]), [0, 1]),
            "accuracy: 1 of the outputs are NaN, which decide for no class; "
            "look for what made them so",
        ),
        (
            lambda: metrics.accuracy(LOGITS, np.where(LABELS == 0, -1, LABELS)),
            "accuracy: the labels hold -1, 1, 2, 3; number the classes 0 to 3",
        ),
        (
            lambda: metrics.accuracy(SCORES, YES_NO * 0.5),
            "accuracy: the labels hold 0.0, 0.5; number the classes 0 and 1, or -1 and 1",
        ),
        (
            lambda: metrics.accuracy(LOGITS, np.ones((60, 4))),
            "accuracy: the labels have shape (60, 4), and their rows are not probabilities; "
            "give class numbers, or rows that add up to 1",
        ),
        (
            lambda: metrics.confusion_matrix(LOGITS, LABELS, n_classes=2),
            "confusion_matrix: n_classes is 2, but there are classes up to 3; pass 4 or more",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value) == message


# Random cases of each kind of labels.

BINARY = {
    "0 and 1": lambda y: y,
    "-1 and 1": lambda y: 2 * y - 1,
    "bool": lambda y: y == 1,
    "whole floats": lambda y: y.astype(np.float32),
    "unsigned": lambda y: y.astype(np.uint8),
    "a column": lambda y: y[:, np.newaxis],
    "a column of signs": lambda y: 2.0 * y[:, np.newaxis] - 1,
    "a list": lambda y: y.tolist(),
}
SEVERAL = {
    "numbers": lambda y, k: y,
    "whole floats": lambda y, k: y.astype(np.float64),
    "unsigned": lambda y, k: y.astype(np.uint8),
    "a column": lambda y, k: y[:, np.newaxis],
    "one-hot": lambda y, k: np.eye(k)[y],
    "one-hot of whole numbers": lambda y, k: np.eye(k, dtype=int)[y],
    "probabilities": lambda y, k: 0.9 * np.eye(k)[y] + 0.1 / k,
}
N_CASES = 600 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 150


def scores_of(true, predicted, average):
    """What scikit-learn says."""
    keywords = {"average": average, "zero_division": 0}
    size = range(int(max(predicted.max(), true.max())) + 1)
    return {
        "accuracy": reference.accuracy_score(true, predicted),
        "precision": reference.precision_score(true, predicted, **keywords),
        "recall": reference.recall_score(true, predicted, **keywords),
        "f1": reference.f1_score(true, predicted, **keywords),
        "confusion_matrix": reference.confusion_matrix(true, predicted, labels=size),
    }


def assert_equal(expected, outputs, labels, **options):
    for name, number in expected.items():
        found = getattr(metrics, name)(outputs, labels, **options)
        np.testing.assert_allclose(found, number, rtol=0, atol=1e-12, err_msg=name)


def test_binary_metrics_are_those_of_scikit_learn():
    draws = np.random.default_rng(1)
    for case in range(N_CASES):
        n = int(draws.integers(4, 30))
        true = draws.integers(0, 2, n)
        true[:2] = 0, 1
        scores = draws.normal(size=n).round(case % 3)
        expected = scores_of(true, (scores > 0).astype(int), "binary")
        area = {"roc_auc": reference.roc_auc_score(true, scores)}
        p = 1 / (1 + np.exp(-scores))
        for index, kind in enumerate(BINARY.values()):
            labels = kind(true)
            if (case + index) % 3 == 0:
                assert_equal(expected | area, scores, labels)
            elif (case + index) % 3 == 1 or np.min(labels) < 0:
                assert_equal(expected | area, scores[:, np.newaxis], labels)
            else:  # several columns have numbered classes
                assert_equal(expected | area, np.c_[-scores, scores], labels)
            assert_equal(expected, p, labels, from_logits=False)


def test_metrics_of_several_classes_are_those_of_scikit_learn():
    draws = np.random.default_rng(2)
    for _ in range(N_CASES):
        k = int(draws.integers(3, 6))
        n = int(draws.integers(k + 1, 40))
        true = draws.permutation(np.r_[np.arange(k), draws.integers(0, k, n - k)])
        logits = draws.normal(size=(n, k)) + draws.normal(scale=5, size=(n, 1))
        p = softmax(logits, axis=1)
        expected = scores_of(true, logits.argmax(axis=1), "macro")
        expected["roc_auc"] = reference.roc_auc_score(true, p, multi_class="ovr")
        top = reference.top_k_accuracy_score(true, logits, k=2, labels=range(k))
        for kind in SEVERAL.values():
            labels = kind(true, k)
            assert_equal(expected, draws.choice([logits, p]), labels)
            assert metrics.top_k_accuracy(logits, labels, k=2) == pytest.approx(top)


def test_axes_before_the_last_are_samples():
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 4):
        logits = rng.normal(size=(6, n_classes, n_classes))
        labels = rng.permuted(np.arange(6 * n_classes) % n_classes).reshape(6, n_classes)
        flat = logits.reshape(-1, n_classes), labels.ravel()
        for name in ("accuracy", "precision", "recall", "f1", "roc_auc"):
            metric = metrics.metrics[name]
            assert metric(logits, labels) == metric(*flat)


def test_metrics_of_numbers_are_those_of_scikit_learn():
    draws = np.random.default_rng(3)
    for _ in range(N_CASES):
        shape = (int(draws.integers(2, 30)), int(draws.integers(1, 4)))
        outputs, targets = draws.normal(size=shape), draws.normal(size=shape)
        for metric, peer in (
            (metrics.rmse, reference.root_mean_squared_error),
            (metrics.mae, reference.mean_absolute_error),
            (metrics.r2, reference.r2_score),
        ):
            expected = pytest.approx(peer(targets, outputs), abs=1e-12)
            assert metric(outputs, targets) == expected
            if shape[1] == 1:
                assert metric(outputs, targets[:, 0]) == expected
                assert metric(outputs[:, 0], targets) == expected


@pytest.mark.parametrize("compile", [True, False])
def test_fit_knows_that_outputs_are_probabilities(compile):
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, :1] > 0).astype(float)
    told = partial(nn.binary_cross_entropy, from_logits=False)
    for loss in (told, lambda p, y: nn.binary_cross_entropy(p, y, from_logits=False)):
        model = nn.Sequential(nn.Linear(2, 1, rng=0), "sigmoid")
        history = nn.fit(
            model, x, y, loss=loss, metrics=["accuracy", "f1"], epochs=1, compile=compile,
            optimizer=nn.SGD(model, 1e-300), validation_data=(x, y), progress=False,
        )  # fmt: skip
        predicted = nn.predict(model, x) > 0.5
        for name in ("accuracy", "validation_accuracy"):
            assert history[name] == [reference.accuracy_score(y, predicted)]
        assert history["f1"] == [pytest.approx(reference.f1_score(y, predicted))]


@pytest.mark.parametrize("metric", ["accuracy", "top_k_accuracy", "f1", "roc_auc"])
def test_one_hot_targets_are_taken_by_fit(metric):
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.eye(5)[np.arange(40) % 5]
    history = nn.fit(
        nn.Linear(2, 5, rng=0), x, y, loss="cross_entropy", metrics=[metric], epochs=1, rng=0,
        progress=False,
    )  # fmt: skip
    assert 0 <= history[metric][0] <= 1


def test_hinge_and_accuracy_take_the_same_labels():
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = np.where(x[:, 0] > 0, 1, -1)[:, np.newaxis]
    model = nn.Linear(2, 1, rng=0)
    history = nn.fit(
        model, x, y, loss="hinge", metrics=["accuracy"], epochs=60,
        optimizer=nn.SGD(model, 0.1), rng=0, progress=False,
    )  # fmt: skip
    assert history["accuracy"][-1] > 0.9


def test_rows_of_the_same_logits_tie():
    """Sums in another order differ in their last digit, and so decide ties by chance."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        n_classes = int(rng.integers(3, 6))
        logits = rng.integers(-2, 3, (20, n_classes)).astype(float)
        labels = np.append(np.arange(n_classes), rng.integers(0, n_classes, 20 - n_classes))
        terms = np.exp(logits)
        exact = np.array([[term / math.fsum(row) for term in row] for row in terms]).round(13)
        right = np.mean(
            [reference.roc_auc_score(labels == c, exact[:, c]) for c in range(n_classes)]
        )
        assert metrics.roc_auc(logits, labels) == pytest.approx(right, abs=1e-12)
        shifted = logits + rng.integers(-5, 6, (20, 1))
        assert metrics.roc_auc(shifted, labels) == pytest.approx(right, abs=1e-12)


def test_the_area_under_the_curve_of_small_probabilities():
    probabilities = np.array([[1.0, 1e-20], [1.0, 0.0], [1.0, 3e-20], [0.5, 0.5]])
    labels = [1, 0, 1, 0]
    expected = reference.roc_auc_score(labels, probabilities[:, 1])
    assert metrics.roc_auc(probabilities, labels) == expected


@pytest.mark.parametrize("logits", [
    [[-np.inf, -np.inf], [0.0, 1.0]], [[np.inf, np.inf], [0.0, 1.0]],
    [[-np.inf] * 3, [0.0, 1.0, 2.0]], [[0.0, 1.0, np.inf], [0.0, 1.0, 2.0]],
])  # fmt: skip
def test_infinite_logits_that_give_no_probabilities_have_no_area(logits):
    with pytest.raises(ag.ArgumentValueError, match=r"row 0 of the outputs holds infinities"):
        metrics.roc_auc(np.array(logits), [0, 1])


def test_masked_logits_have_an_area():
    logits = np.array([[0.0, 1.0, -np.inf], [2.0, -np.inf, 1.0], [-np.inf, 0.0, 1.0]])
    exact = np.exp(nn.log_softmax(logits))
    expected = reference.roc_auc_score([1, 0, 2], exact, multi_class="ovr")
    assert metrics.roc_auc(logits, [1, 0, 2]) == pytest.approx(expected)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e155, 1e300])
def test_metrics_of_numbers_have_no_scale(scale):
    targets, outputs = np.array([1.0, 2.0, 4.0, -1.0]), np.array([1.5, 2.0, 3.0, 0.0])
    assert metrics.r2(scale * outputs, scale * targets) == pytest.approx(
        reference.r2_score(targets, outputs), rel=1e-12
    )
    assert metrics.rmse(scale * outputs, scale * targets) == pytest.approx(
        scale * reference.root_mean_squared_error(targets, outputs), rel=1e-12
    )


def test_r2_of_a_constant_target_whose_mean_is_rounded():
    assert metrics.r2([0.2, 0.1, 0.1], [0.1, 0.1, 0.1]) == 0.0
    assert metrics.r2([0.1, 0.1, 0.1], [0.1, 0.1, 0.1]) == 1.0


def test_outputs_without_columns_decide_for_nothing():
    with pytest.raises(ag.ArgumentValueError, match=r"without a column"):
        nn.predicted_labels(np.zeros((2, 0)))


@pytest.mark.parametrize("n_classes", [3, 5, 10])
def test_probabilities_of_half_precision_are_probabilities(n_classes):
    rng = np.random.default_rng(n_classes)
    labels = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 50)]
    scores = softmax(rng.normal(size=(len(labels), n_classes)), axis=1).astype(np.float16)
    expected = [reference.roc_auc_score(labels == c, scores[:, c]) for c in range(n_classes)]
    assert metrics.roc_auc(scores, labels) == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            ["0", "1", "1"],
            "accuracy: the labels hold 0, 1 in the dtype <U1; number the classes 0 to 1, as "
            "np.unique(labels, return_inverse=True)[1] does",
        ),
        (
            np.array(["no", None, "no"], object),
            "accuracy: the labels hold no, None in the dtype object; number the classes 0 to 1, "
            "as np.unique(labels, return_inverse=True)[1] does",
        ),
        (
            csr_matrix(np.eye(3)),
            "what holds labels or outputs is csr_matrix, which is sparse; pass its .toarray()",
        ),
        (
            {"a": [0, 1, 1]},
            "a metric is of one output, and a dict of several was given; pass a loss for each, "
            "loss={'name': ...}, with metrics={'name': [...]}, or take one of them out",
        ),
    ],
)
def test_labels_that_are_no_numbers_are_named(labels, message):
    with pytest.raises(ag.AutogradError) as error:
        metrics.accuracy(np.eye(3)[:, :2], labels)
    assert str(error.value) == message
