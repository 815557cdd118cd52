"""Estimators beside scikit-learn's: the same arguments give the same numbers."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from scipy import sparse
from sklearn import linear_model, neural_network
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score, mean_poisson_deviance, r2_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.preprocessing import scale

import autograd_lite as ag
import nn
from nn import estimators

pytestmark = pytest.mark.filterwarnings("ignore")  # of convergence, and of batches clipped


PACKAGES = {"MLPClassifier": neural_network, "MLPRegressor": neural_network,
            "Perceptron": linear_model}  # fmt: skip


@pytest.mark.parametrize("name", PACKAGES)
def test_every_argument_of_scikit_learns_is_taken_with_its_default(name):
    theirs = inspect.signature(getattr(PACKAGES[name], name)).parameters
    ours = inspect.signature(getattr(estimators, name)).parameters
    assert {n: p.default for n, p in theirs.items()}.items() <= {
        n: p.default for n, p in ours.items()
    }.items()
    positional = [n for n, p in theirs.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert positional == [n for n, p in ours.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    for method in ("fit", "partial_fit", "predict"):
        taken = inspect.signature(getattr(getattr(estimators, name), method)).parameters
        wanted = list(inspect.signature(getattr(getattr(PACKAGES[name], name), method)).parameters)
        assert list(taken)[: len(wanted)] == wanted


def draw_options(rng):
    """Any of scikit-learn's arguments."""

    def choose(*values):
        return values[rng.integers(len(values))]

    return {
        "hidden_layer_sizes": tuple(rng.integers(1, 7, rng.integers(1, 3)).tolist()),
        "activation": choose("identity", "logistic", "tanh", "relu"),
        "solver": choose("sgd", "adam"),
        "alpha": choose(0, 1e-4, 0.1, 2.0),
        "batch_size": choose("auto", 7, 16),
        "learning_rate": choose("constant", "invscaling", "adaptive"),
        "learning_rate_init": choose(0.001, 0.01, 0.1),
        "power_t": choose(0.5, 0.25),
        "max_iter": int(rng.integers(1, 30)),
        "shuffle": choose(True, False),
        "random_state": int(rng.integers(1000)),
        "tol": choose(1e-4, 1e-2, 0.0, 0.1),
        "momentum": choose(0, 0.5, 0.9, 1),
        "nesterovs_momentum": choose(True, False),
        "early_stopping": choose(True, False),
        "validation_fraction": choose(0.1, 0.3),
        "beta_1": choose(0, 0.9),
        "beta_2": choose(0.9, 0.999),
        "epsilon": choose(1e-8, 1e-2),
        "n_iter_no_change": choose(1, 3, 10, np.inf),
    }


def draw_data(rng, kind):
    n = int(rng.integers(12, 60))
    x = rng.normal(size=(n, 4))
    targets = {
        "two classes": lambda: np.array(["no", "yes"])[rng.integers(0, 2, n)],
        "three classes": lambda: rng.integers(0, 3, n),
        "several labels": lambda: rng.integers(0, 2, (n, 3)),
        "sparse labels": lambda: sparse.csr_matrix(rng.integers(0, 2, (n, 3))),
        "numbers": lambda: rng.normal(size=n),
        "several numbers": lambda: rng.normal(size=(n, 3)),
        "counts": lambda: rng.poisson(2, n),
        "several counts": lambda: rng.poisson(2, (n, 3)),
    }
    weight = None if rng.integers(2) else rng.integers(0, 4, n) + 0.5
    return x, targets[kind](), weight


def train(model, x, y, weight):
    """By fit, by fit again, and batch by batch; or the kind of error."""
    try:
        model.fit(x, y, sample_weight=weight)
        if not model.early_stopping:
            model.partial_fit(x[:9], y[:9])
            model.set_params(warm_start=True, learning_rate_init=0.02).fit(x, y)
    except ValueError as error:
        return str(error)[:60]
    return "trained"


RECORD = ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "classes_",
          "loss_", "loss_curve_", "best_loss_", "validation_scores_",
          "best_validation_score_")  # fmt: skip


def assert_same_record(ours, theirs, n_summed=1):
    """The same numbers, but for losses that are a sum and not a mean over so many outputs."""
    for name in RECORD:
        wanted = getattr(theirs, name, None)
        if "loss" in name and wanted is not None:
            wanted = np.multiply(n_summed, wanted).tolist()
        if wanted is None or isinstance(wanted, str | np.ndarray):
            np.testing.assert_array_equal(getattr(ours, name, None), wanted, name)
        else:
            np.testing.assert_allclose(
                getattr(ours, name), wanted, rtol=1e-6, atol=1e-9, err_msg=name
            )


@pytest.mark.parametrize(
    "kind",
    ["two classes", "three classes", "several labels", "sparse labels", "numbers",
     "several numbers", "counts", "several counts"],
)  # fmt: skip
@pytest.mark.parametrize("seed", range(8))
def test_the_same_arguments_give_scikit_learns_numbers(seed, kind):
    rng = np.random.default_rng([seed, len(kind)])
    options = draw_options(rng)
    x, y, weight = draw_data(rng, kind)
    is_of_numbers = kind.endswith(("numbers", "counts"))
    name = "MLPRegressor" if is_of_numbers else "MLPClassifier"
    if kind.endswith("counts"):
        options["loss"] = "poisson"
    if kind == "several counts":  # else some diverge, and scikit-learn goes on with NaN
        options["momentum"] = 0.5
    if kind == "several numbers":  # a penalty beside the sum is not one beside the mean
        options["alpha"] = 0.0
    theirs = getattr(neural_network, name)(**options)
    ours = getattr(estimators, name)(**options)
    assert train(ours, x, y, weight) == train(theirs, x, y, weight)
    if not hasattr(theirs, "coefs_"):
        return
    for mine, other in zip(
        [*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-8, atol=1e-8)
    assert_same_record(ours, theirs, 3 if kind == "several numbers" else 1)
    if name == "MLPClassifier":
        assert type(ours.predict(x)) is type(theirs.predict(x))
        difference = ours.predict(x) != theirs.predict(x)
        assert not difference.sum()
        np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), rtol=1e-7)
    else:
        np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "numbers", "counts"])
def test_lbfgs_is_scikit_learns_also_with_early_stopping(kind, early_stopping):
    x, y, _ = draw_data(np.random.default_rng(3), kind)
    options = {"loss": "poisson"} if kind == "counts" else {}
    name = "MLPRegressor" if kind in ("numbers", "counts") else "MLPClassifier"
    both = [
        getattr(package, name)(
            (3,) if name == "MLPClassifier" else "squared_error",
            **({"hidden_layer_sizes": (3,)} if name == "MLPRegressor" else {}),
        ).set_params(
            solver="lbfgs", activation="tanh", alpha=0.1, max_iter=8, random_state=0,
            early_stopping=early_stopping, **options,
        ).fit(x, y)
        for package in (estimators, neural_network)
    ]  # fmt: skip
    ours, theirs = both
    for mine, other in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-7)


def test_validation_data_are_refused_where_nobody_looks_at_them():
    x, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="solver='lbfgs' does not look at validation_data"):
        estimators.MLPClassifier(solver="lbfgs").fit(x, y, validation_data=(x, y))


def test_without_hidden_curvature_the_penalty_is_that_of_ridge():
    """Where the product of two weights is all, alpha pulls it as Ridge of its kin is pulled."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 1))
    y = 0.8 * x[:, 0]
    options = {"hidden_layer_sizes": (1,), "activation": "identity", "solver": "lbfgs",
               "alpha": 6.0, "random_state": 0, "tol": 1e-9}  # fmt: skip
    ours = estimators.MLPRegressor(**options).fit(x, y)
    theirs = neural_network.MLPRegressor(**options).fit(x, y)
    slope = float(ours.predict([[1.0]])[0] - ours.predict([[0.0]])[0])
    # ½ Σ (y - w₁w₂x)² + ½ · alpha · (w₁² + w₂²) is least where |w₁| = |w₂|: a lasso of w₁w₂.
    centred = x[:, 0] - x.mean()
    assert slope == pytest.approx(0.8 - 6.0 / np.sum(centred**2), abs=1e-5)
    assert slope == pytest.approx(
        float(theirs.predict([[1.0]])[0] - theirs.predict([[0.0]])[0]), abs=1e-4
    )
    assert Ridge(alpha=6.0).fit(x, y).coef_[0] > slope  # it pulls one weight, not two


@pytest.mark.parametrize("loss", ["nll", "log_loss", "cross_entropy"])
def test_three_names_of_one_loss_give_one_network(loss):
    x, y = load_iris(return_X_y=True)
    options = {"hidden_layer_sizes": (4,), "max_iter": 5, "random_state": 0}
    ours = estimators.MLPClassifier(loss=loss, **options).fit(x, y)
    theirs = neural_network.MLPClassifier(**options).fit(x, y)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x), rtol=1e-9)


def test_validation_scores_are_those_of_predictions_with_their_weights():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    counts, weight = rng.poisson(np.exp(x[:, 0])), rng.uniform(0.1, 5, 80)
    options = {"early_stopping": True, "max_iter": 3, "random_state": 0, "validation_fraction": 0.3}
    model = estimators.MLPRegressor("poisson", **options).fit(x, counts, weight)
    random_state = np.random.RandomState(0)
    for fan_in, fan_out in ((3, 100), (100, 1)):  # the draws of the network come first
        random_state.uniform(size=(fan_in, fan_out)), random_state.uniform(size=fan_out)
    _, aside = train_test_split(np.arange(80), test_size=0.3, random_state=random_state)
    score = r2_score(counts[aside], model.predict(x[aside]), sample_weight=weight[aside])
    assert max(model.validation_scores_) == pytest.approx(score)
    assert mean_poisson_deviance(counts, model.predict(x)) > 0
    own = estimators.MLPClassifier(max_iter=3, random_state=0)
    own.fit(x, counts > 1, validation_data=(x[:20], counts[:20] > 1, weight[:20]))
    predicted = own.predict(x[:20])
    best = accuracy_score(counts[:20] > 1, predicted, sample_weight=weight[:20])
    assert own.best_validation_score_ == pytest.approx(best)


@pytest.mark.parametrize("labels", ["two", "three", "several"])
def test_logarithms_of_probabilities_are_finite(labels):
    x = np.array([[-1.0], [1.0]] * 10)
    rows = (x[:, 0] > 0).astype(int)
    y = {"two": rows, "three": np.r_[rows[:-1], 2], "several": np.c_[rows, 1 - rows]}[labels]
    model = estimators.MLPClassifier((4,), "tanh", max_iter=2, random_state=0).fit(x, y)
    model.coefs_ = [array * 1e4 for array in model.coefs_]
    logarithms = model.predict_log_proba(x * 100)
    assert np.isfinite(logarithms).all() and logarithms.min() < -1000
    np.testing.assert_allclose(np.exp(logarithms), model.predict_proba(x * 100), atol=1e-12)


@pytest.mark.parametrize("kind", ["two classes", "three classes", "several labels"])
@pytest.mark.parametrize(
    ("solver", "dtype"), [("adam", np.float64), ("adam", np.float32), ("lbfgs", np.float64)]
)
def test_a_loss_is_bounded_where_scikit_learn_bounds_it(kind, solver, dtype):
    """It takes no probability for less than the rounding of 1, and its searches go by that.

    Of yes and no it rounds 1 - p besides, in the last digits of what is close to 1.
    """
    x, y, _ = draw_data(np.random.default_rng(0), kind)
    options = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0, "solver": solver}
    ours, theirs = (
        package.MLPClassifier(**options).fit((300 * x).astype(dtype), y)
        for package in (estimators, neural_network)
    )
    rtol = 1e-8 if dtype == np.float64 else 1e-3
    rounded = 1e-8 if kind == "three classes" else 1e-5
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=max(rtol, rounded))
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0], rtol=rtol, atol=rounded)
    exact = nn.evaluate(ours.model_, (300 * x).astype(dtype), *(
        [np.unique(y, return_inverse=True)[1]] if kind != "several labels" else [y]
    ), loss="cross_entropy" if kind == "three classes" else "multilabel")  # fmt: skip
    assert solver == "lbfgs" or exact["loss"] > 1.5 * ours.loss_


def test_a_changed_learning_rate_and_solver_are_taken_up_by_a_warm_start():
    x, y = load_iris(return_X_y=True)
    both = [
        package.MLPClassifier((4,), max_iter=3, random_state=0, warm_start=True)
        for package in (estimators, neural_network)
    ]
    changes = [{}, {"learning_rate_init": 0.1}, {"solver": "sgd"}, {"solver": "lbfgs"},
               {"solver": "adam"}]  # fmt: skip
    for change in changes:
        for model in both:
            model.set_params(**change).fit(x, y)
        for mine, other in zip(*(model.coefs_ for model in both), strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


def test_parameters_can_be_written_and_assigned():
    x, y = load_iris(return_X_y=True)
    model = estimators.MLPClassifier((4,), max_iter=2, random_state=0).fit(x, y)
    model.coefs_[0][...] = 0.0
    np.testing.assert_allclose(model.predict_proba(x), model.predict_proba(x)[:1].repeat(150, 0))
    model.intercepts_ = [np.zeros(4), [0.0, 0.0, 50.0]]
    model.coefs_ = [np.zeros((4, 4)), np.zeros((4, 3))]
    assert (model.predict(x) == 2).all()
    with pytest.raises(ValueError, match="assign arrays of the same shapes"):
        model.coefs_ = [np.zeros((4, 4))]
    theirs = neural_network.MLPClassifier((4,), max_iter=2, random_state=0).fit(x, y)
    for each in (model, theirs):
        assert type(each.coefs_) is list or isinstance(each.coefs_, list)
        each.coefs_[0] = np.full((4, 4), 0.5)
        each.coefs_[1:] = [np.eye(4, 3)]
        each.intercepts_[0], each.intercepts_[-1] = np.arange(4.0), [0.0, 1.0, 2.0]
    np.testing.assert_allclose(model.predict_proba(x), theirs.predict_proba(x), rtol=1e-12)
    copies = copy.deepcopy(model.coefs_), pickle.loads(pickle.dumps(model.coefs_)), model.coefs_[:]
    for copied in copies:
        assert type(copied) is list
        np.testing.assert_array_equal(copied[0], model.coefs_[0])
    assert json.dumps([a.tolist() for a in model.coefs_ + model.intercepts_])
    for change in ("append", "insert", "pop", "__delitem__", "__iadd__"):
        with pytest.raises(TypeError, match=rf"coefs_\.{change} would change the layers"):
            getattr(model.coefs_, change)(0)
    with pytest.raises(AttributeError, match="has no coefs_ before it is fitted"):
        estimators.MLPClassifier().coefs_  # noqa: B018


def test_an_output_activation_makes_the_network_of_the_textbooks():
    x, y = load_iris(return_X_y=True)
    model = estimators.MLPClassifier(
        (8,), "sigmoid", loss="mse", out_activation="sigmoid", solver="lbfgs", random_state=0
    ).fit(x, y)
    outputs = nn.predict(model.model_, x)
    assert ((outputs > 0) & (outputs < 1)).all()
    assert model.score(x, y) > 0.95 and model.out_activation_ == "sigmoid"
    bounded = estimators.MLPRegressor(
        hidden_layer_sizes=(8,), out_activation="tanh", solver="lbfgs", random_state=0
    ).fit(x, y - 1)
    assert np.abs(bounded.predict(10 * x)).max() <= 1
    with pytest.raises(ValueError, match="applies softmax to the outputs itself"):
        estimators.MLPClassifier(out_activation="softmax").fit(x, y)


def test_the_losses_of_several_labels_decide_where_their_halves_lie():
    x = np.random.default_rng(0).normal(size=(100, 3))
    y = (x > 0).astype(int)
    for loss in ("log_loss", "binary_cross_entropy", "multilabel", "mse", "huber", "mae"):
        model = estimators.MLPClassifier((16,), loss=loss, learning_rate_init=0.02, random_state=0)
        assert np.mean(model.fit(x, y).predict(x) == y) > 0.97, loss
    with pytest.raises(ValueError, match="is for one label for each sample"):
        estimators.MLPClassifier(loss="kl_divergence").fit(x, y)


def test_what_is_not_finite_is_said_and_the_best_network_kept():
    x, y = load_iris(return_X_y=True)
    options = {"activation": "identity", "solver": "sgd", "learning_rate_init": 1,
               "random_state": 0, "max_iter": 20}  # fmt: skip
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        estimators.MLPRegressor(**options).fit(x, y)
    model = estimators.MLPRegressor(early_stopping=True, **options).fit(x, y)
    assert np.isnan(model.validation_scores_[-1])
    assert np.isfinite(model.predict(x)).all()


# The perceptron.


GRIDS = {
    "MLPClassifier": {
        "solver": ["adam", "sgd", "lbfgs"],
        "alpha": [1e-4, 0.3],
        "activation": ["relu", "logistic"],
        "early_stopping": [False, True],
    },
    "Perceptron": {
        "penalty": [None, "l1", "elasticnet"],
        "alpha": [1e-4, 0.01],
        "shuffle": [True, False],
        "class_weight": [None, "balanced"],
    },
}
GRIDS["MLPRegressor"] = GRIDS["MLPClassifier"]


@pytest.mark.parametrize("name", GRIDS)
def test_a_search_over_a_grid_finds_scikit_learns_scores(name):
    """All scores of all candidates in all folds, and the ranks; times are one's own."""
    data = load_diabetes if name == "MLPRegressor" else load_iris
    x, y = data(return_X_y=True)
    x, y = scale(x[::3]), y[::3] if name != "MLPRegressor" else scale(y[::3])
    options = {"max_iter": 12, "random_state": 0}
    options |= {"hidden_layer_sizes": (5,)} if name != "Perceptron" else {}
    ours, theirs = (
        GridSearchCV(getattr(package, name)(**options), GRIDS[name], cv=3, return_train_score=True)
        .fit(x, y)
        .cv_results_
        for package in (estimators, PACKAGES[name])
    )
    assert ours.keys() == theirs.keys()
    assert ours["params"] == theirs["params"]
    scores = [column for column in theirs if "score" in column and "time" not in column]
    assert len(scores) == 11
    for column in scores:
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-7, atol=1e-9)


def draw_perceptron_options(rng):
    """Any of scikit-learn's arguments; but its validation score forgets to scale "l2" weights."""

    def choose(*values):
        return values[rng.integers(len(values))]

    penalty = choose(None, "l1", "l2", "elasticnet")
    return {
        "penalty": penalty,
        "alpha": choose(1e-4, 0.01, 0.1),
        "l1_ratio": choose(0.15, 0.7),
        "fit_intercept": choose(True, False),
        "max_iter": choose(1, 5, 30),
        "tol": choose(1e-3, None, 0.1),
        "shuffle": choose(True, False),
        "eta0": choose(1.0, 0.1),
        "random_state": int(rng.integers(99)),
        "early_stopping": penalty in (None, "l1") and choose(True, False),
        "validation_fraction": choose(0.1, 0.3),
        "n_iter_no_change": choose(1, 5),
        "class_weight": choose(None, "balanced"),
        "warm_start": choose(True, False),
    }


@pytest.mark.parametrize("seed", range(40))
def test_a_perceptron_learns_as_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    options = draw_perceptron_options(rng)
    x = rng.normal(size=(int(rng.integers(30, 80)), 4))
    x[rng.random(x.shape) < 0.2] = 0
    y = np.array(["a", "b", "c"])[rng.integers(0, rng.integers(2, 4), len(x))]
    weight = None if rng.integers(2) else rng.integers(1, 4, len(x)) + 0.5
    both = [package.Perceptron(**options) for package in (estimators, linear_model)]
    for model in both:
        model.fit(x, y, sample_weight=weight).fit(x, y)
        if not options["early_stopping"]:
            model.partial_fit(x[:25], y[:25])
    ours, theirs = both
    for name in ("coef_", "intercept_", "n_iter_", "t_"):
        wanted = getattr(theirs, name)
        np.testing.assert_allclose(getattr(ours, name), wanted, rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))
    np.testing.assert_allclose(
        ours.decision_function(x), theirs.decision_function(x), rtol=1e-8, atol=1e-8
    )


def test_sparse_samples_teach_a_perceptron_what_scikit_learn_says():
    x, y = load_iris(return_X_y=True)
    x[::3, 1] = 0
    ours, theirs = (
        package.Perceptron(max_iter=20, tol=None).fit(sparse.csr_matrix(x), y)
        for package in (estimators, linear_model)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9)


def test_a_perceptron_has_a_unit_for_each_of_several_labels():
    x = np.random.default_rng(0).normal(size=(100, 3))
    y = (x @ np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, -1]]) > 0).astype(int)
    several = estimators.Perceptron(shuffle=False).fit(x, y)
    for label in range(3):
        single = linear_model.Perceptron(shuffle=False).fit(x, y[:, label])
        np.testing.assert_allclose(several.coef_[label], single.coef_[0])
        np.testing.assert_array_equal(several.predict(x)[:, label], single.predict(x))


ODD_LABELS = {
    "classes": [[0, 2], [1, 0], [0, 1], [1, 2]],
    "signs": [[-1, 1], [1, -1], [1, 1], [-1, -1]],
    "names": [["a", "b"], ["b", "a"], ["a", "a"], ["b", "b"]],
    "sparse": sparse.csr_matrix([[0, 2], [1, 0], [0, 1], [1, 2]]),
}


@pytest.mark.parametrize("labels", ODD_LABELS)
@pytest.mark.parametrize("name", ["MLPClassifier", "Perceptron"])
def test_columns_of_anything_but_zeros_and_ones_are_refused(name, labels):
    y = ODD_LABELS[labels]
    with pytest.raises(ag.ArgumentValueError) as error:
        getattr(estimators, name)().fit(np.eye(4), y if labels == "sparse" else np.array(y))
    assert str(error.value) == (
        f"{name}: y has several columns, and they hold other than 0 and 1; say by these which "
        "labels a sample has, or use MultiOutputClassifier of sklearn.multioutput for a class in "
        "each column"
    )


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array])
def test_sparse_labels_are_predicted_as_sparse_rows(form):
    x = np.random.default_rng(0).normal(size=(60, 3))
    y = (x @ np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, -1]]) > 0).astype(int)
    options = {"hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 0}
    ours, theirs = (
        package.MLPClassifier(**options).fit(x, form(y)) for package in (estimators, neural_network)
    )
    assert type(ours.predict(x)) is type(theirs.predict(x)) is sparse.csr_matrix
    np.testing.assert_array_equal(ours.predict(x).toarray(), theirs.predict(x).toarray())
    assert ours.score(x, form(y)) == theirs.score(x, form(y))
    unit = estimators.Perceptron().fit(x, form(y))
    rows = estimators.Perceptron().fit(x, y).predict(x)
    np.testing.assert_array_equal(unit.predict(x).toarray(), rows)


def test_sparsified_weights_decide_and_go_on_learning_as_scikit_learns():
    x, y = load_iris(return_X_y=True)
    options = {"penalty": "l1", "warm_start": True}
    both = [package.Perceptron(**options).fit(x, y) for package in (estimators, linear_model)]
    sums = []
    for model in both:
        assert sparse.issparse(model.sparsify().coef_)
        sums.append(model.decision_function(sparse.csr_matrix(x)))
        sums.append(model.decision_function(x))
        sums.append(model.densify().partial_fit(x, y).decision_function(x))
    for ours, theirs in zip(sums[:3], sums[3:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    weights = both[0].coef_.copy()
    both[0].sparsify().partial_fit(x, y)
    again = estimators.Perceptron(**options).fit(x, y).partial_fit(x, y)
    np.testing.assert_array_equal(both[0].coef_, again.partial_fit(x, y).coef_)
    assert (both[0].coef_ != weights).any()


def test_the_smallest_loss_of_lbfgs_is_known():
    x, y = load_iris(return_X_y=True)
    options = {"hidden_layer_sizes": (4,), "solver": "lbfgs", "random_state": 0}
    model = estimators.MLPClassifier(**options, max_iter=500).fit(x, y)
    assert model.best_loss_ == min(model.loss_curve_) == model.loss_


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_regressors_of_several_outputs_stop_where_scikit_learns_do(solver):
    x = np.random.default_rng(0).normal(size=(50, 3))
    y = np.abs(np.c_[x @ [1.0, 2.0, 3.0], x[:, 0] ** 2, x[:, 1]])
    options = {"hidden_layer_sizes": (4,), "solver": solver, "random_state": 3, "tol": 1e-2,
               "n_iter_no_change": 2, "learning_rate_init": 0.01}  # fmt: skip
    ours, theirs = (
        package.MLPRegressor(**options).fit(x, y) for package in (estimators, neural_network)
    )
    assert 3 < ours.n_iter_ == theirs.n_iter_ < 200
    for found, wanted in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-10)


def test_lbfgs_minimizes_the_loss_of_several_outputs():
    """Scikit-learn's gradient is that of the sum over outputs, its loss the mean over them."""
    x = np.random.default_rng(0).normal(size=(40, 3))
    y = np.c_[x @ [1.0, 2.0, 3.0], x[:, 0] - x[:, 1]]
    model = estimators.MLPRegressor(
        hidden_layer_sizes=(), solver="lbfgs", alpha=0.5, random_state=0, tol=1e-8
    ).fit(x, y)
    middle, means = x - x.mean(axis=0), y - y.mean(axis=0)
    ridge = np.linalg.solve(middle.T @ middle + 0.5 * np.eye(3), middle.T @ means)
    np.testing.assert_allclose(model.coefs_[0], ridge, rtol=1e-5)
