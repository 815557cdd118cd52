"""Estimators: scikit-learn's own checks, and what its users will do with them."""

from __future__ import annotations

import os

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import neural_network
from sklearn.datasets import load_digits, load_iris, make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import nn
from nn.estimators import MLPClassifier, MLPRegressor, Perceptron, PerceptronClassifier
from nn.losses import losses, regression

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"  # the networks here are small and quick
)

SAMPLE_BY_SAMPLE = {
    f"check_sample_weight_equivalence_on_{kind}_data": "one step for a sample of weight 2 is not "
    "two steps; scikit-learn's own Perceptron fails it with the same numbers"
    for kind in ("dense", "sparse")
}
NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))
"""Whether the checks run for each loss in turn, which takes minutes."""

QUICK = {"hidden_layer_sizes": (8,), "learning_rate_init": 0.05, "max_iter": 40}


@pytest.mark.filterwarnings("ignore")  # the checks warn on purpose
@pytest.mark.parametrize(
    "estimator",
    [
        MLPClassifier(**QUICK),
        MLPRegressor(**QUICK),
        Perceptron(max_iter=20),
        PerceptronClassifier(max_iter=20),
        *(
            # "poisson": rates of classes that hardly count grow exponentially along a relu
            MLPClassifier(
                loss=loss,
                compile=False,
                activation="tanh" if loss == "poisson" else "relu",
                **QUICK,
            )
            for loss in sorted({*losses, "squared_error"} - {"zero_one"})
            if NIGHTLY or loss in ("hinge", "poisson")
        ),
        *(
            MLPRegressor(loss, compile=False, **QUICK)
            for loss in regression.__all__
            if loss != "squared_error" and (NIGHTLY or loss == "huber")
        ),
    ],
    ids=lambda estimator: f"{type(estimator).__name__}-{getattr(estimator, 'loss', '')}",
)
def test_scikit_learns_own_checks_pass(estimator):
    expected = SAMPLE_BY_SAMPLE if isinstance(estimator, Perceptron) else {}
    results = check_estimator(
        estimator, on_skip=None, on_fail=None, expected_failed_checks=expected
    )
    passed = ("passed", "skipped", "xfail")
    failed = [r["check_name"] for r in results if r["status"] not in passed]
    assert not failed
    assert sum(r["status"] == "passed" for r in results) > 50


def classes(n=200, n_classes=3):
    return make_classification(
        n, 6, n_informative=4, n_classes=n_classes, class_sep=2.0, random_state=0
    )


def make(**options):
    return MLPClassifier(**(QUICK | {"random_state": 0, "max_iter": 100} | options))


def test_pipelines_grid_searches_and_scores():
    x, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), make(solver="lbfgs", alpha=1.0, max_iter=30))
    assert cross_val_score(pipeline, x, y, cv=3).mean() >= 0.93
    search = GridSearchCV(pipeline, {"mlpclassifier__hidden_layer_sizes": [(3,), (9,)]}, cv=3)
    assert search.fit(x, y).best_score_ >= 0.93


@pytest.mark.parametrize("solver", ["sgd", "rmsprop", "adam", "adamw", "nadam", "lbfgs"])
def test_solvers(solver):
    x, y = classes()
    assert make(solver=solver).fit(x, y).score(x, y) > 0.9


def test_an_unknown_solver_is_refused_with_the_names_there_are():
    x, y = classes()
    with pytest.raises(ValueError, match="there is no solver 'newton'; use one of sgd, rmsprop, "):
        make(solver="newton").fit(x, y)


@pytest.mark.parametrize(
    "loss", ["cross_entropy", "hinge", "squared_hinge", "perceptron", "binary_cross_entropy",
             "kl_divergence", "mse", "huber", "multilabel"],
)  # fmt: skip
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_loss_tells_classes_apart(loss, n_classes):
    x, y = classes(n_classes=n_classes)
    model = make(loss=loss).fit(x, y)
    assert model.score(x, y) > 0.85
    if loss in ("cross_entropy", "binary_cross_entropy", "kl_divergence", "multilabel"):
        np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1.0)
    else:
        assert not hasattr(model, "predict_proba")


def test_string_labels_and_sparse_input():
    x, y = classes()
    names = np.array(["no", "maybe", "yes"])[y]
    dense = make().fit(x, names)
    compressed = make().fit(sparse.csr_matrix(x), names)
    assert list(dense.classes_) == ["maybe", "no", "yes"]
    np.testing.assert_array_equal(dense.predict(x), compressed.predict(sparse.csr_matrix(x)))
    assert dense.score(x, names) > 0.9


def test_several_labels_for_each_sample():
    x, _ = classes()
    y = (x[:, :3] > 0).astype(int)
    model = make().fit(x, y)
    assert model.predict(x).shape == y.shape
    assert np.mean(model.predict(x) == y) > 0.95
    assert model.predict_proba(x).shape == y.shape


def test_partial_fit_learns_batch_by_batch():
    x, y = classes()
    model = make()
    for epoch in range(60):
        for part in range(0, 200, 50):
            rows = slice(part, part + 50)
            model.partial_fit(x[rows], y[rows], classes=[0, 1, 2] if epoch == part == 0 else None)
    assert model.score(x, y) > 0.9
    assert model.n_iter_ == 1 and model.t_ == 60 * 200


def test_weights_of_classes_and_samples():
    x, y = classes(n_classes=2)
    rare = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:10]]
    x, y = x[rare] * 0.2, y[rare]
    plain, balanced = make(max_iter=30), make(max_iter=30, class_weight="balanced")
    with pytest.warns(ConvergenceWarning, match="was still improving after max_iter=30 epochs"):
        plain.fit(x, y)
    with pytest.warns(ConvergenceWarning):
        balanced.fit(x, y)
    assert balanced.predict(x).sum() > plain.predict(x).sum()


def test_a_validation_set_of_ones_own():
    x, y = classes(400)
    model = make(dropout=0.2).fit(x[:300], y[:300], validation_data=(x[300:], y[300:]))
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)
    assert model.score(x[300:], y[300:]) == pytest.approx(max(model.validation_scores_), abs=1e-3)
    early = make(early_stopping=True).fit(x, y)
    assert early.n_iter_ < 100
    assert max(early.validation_scores_) > 0.85


def test_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    y = np.c_[x[:, 0] * x[:, 1], np.abs(x[:, 0])]
    model = MLPRegressor(
        "squared_error", (32,), "tanh", solver="lbfgs", max_iter=500, random_state=0
    )
    assert model.fit(x, y).score(x, y) > 0.98
    assert model.predict(x).shape == (300, 2)
    assert model.fit(x, y[:, 0]).predict(x).shape == (300,)
    counts = rng.poisson(np.exp(x[:, 0]))
    poisson = MLPRegressor(**QUICK, loss="poisson", random_state=0, n_iter_no_change=40)
    with pytest.warns(ConvergenceWarning):
        poisson.fit(x, counts)
    assert np.corrcoef(poisson.predict(x), np.exp(x[:, 0]))[0, 1] > 0.95


def test_a_schedule_and_a_loss_of_ones_own():
    x, y = classes()
    model = make(
        loss=lambda outputs, labels, **options: nn.cross_entropy(
            outputs, labels, label_smoothing=0.1, **options
        ),
        schedule=nn.schedules.Cosine(100),
    )
    assert model.fit(x, y).score(x, y) > 0.9


def test_the_same_random_state_gives_the_same_network():
    x, y = classes()
    first, second = (make(batch_size=16, dropout=0.1).fit(x, y) for _ in range(2))
    np.testing.assert_array_equal(first.decision_function(x), second.decision_function(x))


def test_rosenblatt_separates_setosa():
    x, y = load_iris(return_X_y=True)
    model = PerceptronClassifier(random_state=0).fit(x[:, 2:], y == 0)
    assert model.score(x[:, 2:], y == 0) == 1.0
    assert model.mistakes_[-1] == 0
    x, y = load_digits(return_X_y=True)
    assert PerceptronClassifier(max_iter=5, random_state=0).fit(x, y).score(x, y) > 0.9


def test_from_the_same_start_and_batches_training_is_scikit_learns():
    model = nn.MLP(5, [8, 6, 1], rng=0)
    starts = [layer.weight.data.copy() for layer in model if isinstance(layer, nn.Linear)]

    class SameStart(neural_network.MLPRegressor):
        def _init_coef(self, fan_in, fan_out, dtype):
            return starts.pop(0), np.zeros(fan_out)

    x, y = make_regression(60, 5, random_state=0)
    y = y[:, np.newaxis] / 100
    theirs = SameStart(
        hidden_layer_sizes=(8, 6), batch_size=20, alpha=0.5, max_iter=30, shuffle=False
    )
    theirs.fit(x, y[:, 0])
    rows = [slice(0, 20), slice(20, 40), slice(40, 60)]
    nn.fit(
        model, [(x[r], y[r]) for r in rows], loss="quadratic", epochs=30, l2=0.5 / 20,
        progress=False,
    )  # fmt: skip
    for layer, weight in zip([model[0], model[2], model[4]], theirs.coefs_, strict=True):
        np.testing.assert_allclose(layer.weight.data, weight, rtol=0, atol=1e-6)


def test_the_step_may_be_compiled_by_numba_and_is_checked():
    pytest.importorskip("numba")
    x, y = load_iris(return_X_y=True)
    models = [
        MLPClassifier((64,), random_state=0, max_iter=3, tol=0, compile=how)
        for how in (True, "numba", False)
    ]
    outputs = [model.fit(x, y).predict_proba(x) for model in models]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-9)
    np.testing.assert_allclose(outputs[2], outputs[0], rtol=1e-9)
    with pytest.raises(ValueError, match="The 'compile' parameter of MLPClassifier must be"):
        MLPClassifier(compile="c").fit(x, y)


@pytest.mark.parametrize("sizes", [(2.5,), (3.0,), ("3",), (True,), (None,), [[3]]])
def test_sizes_of_layers_are_whole_numbers(sizes):
    """They are not rounded to what is near, nor by scikit-learn."""
    x, y = load_iris(return_X_y=True)
    with pytest.raises(TypeError) as error:
        MLPClassifier(sizes, max_iter=1).fit(x, y)
    assert str(error.value) == (
        f"hidden_layer_sizes is {sizes!r}; it must hold whole numbers, one for each hidden layer, "
        "such as (100,)"
    )
