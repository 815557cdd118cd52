"""scikit-learn's own tests of its networks, with the estimators of nn in the place of theirs."""

from __future__ import annotations

import importlib.util
import sys
from unittest import mock

import pytest

pytest.importorskip("sklearn")

import sklearn.linear_model
import sklearn.neural_network

from nn.estimators import MLPClassifier, MLPRegressor, Perceptron

pytestmark = pytest.mark.filterwarnings("default")

EXCEPTIONS = {
    "test_fit": "sets _coef_grads, _coef_velocity and their kin before there is a network",
    "test_gradient": "calls _loss_grad_lbfgs; central differences are taken of nn's losses",
    "test_learning_rate_warmstart": "reads _optimizer.learning_rate",
    "test_adaptive_learning_rate": "reads _optimizer.learning_rate",
}
"""Tests that look into private attributes of scikit-learn's classes."""

MODULES = [
    (
        sklearn.neural_network,
        "test_mlp",
        {"MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor},
    ),
    (sklearn.linear_model, "test_perceptron", {"Perceptron": Perceptron}),
]


@pytest.fixture
def global_random_seed():
    return 42


def load(package, name, replaced):
    """The module of that name in the tests of a package, imported anew with other classes."""
    found = importlib.util.find_spec(f"{package.__name__}.tests.{name}")
    if found is None:
        pytest.skip("scikit-learn is installed without its tests", allow_module_level=True)
    spec = importlib.util.spec_from_file_location(f"of_scikit_learn_{name}", found.origin)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(package, **replaced), mock.patch.dict(sys.modules):
        spec.loader.exec_module(module)
    return module


for package, name, replaced in MODULES:
    for title, test in vars(load(package, name, replaced)).items():
        if title.startswith("test_"):
            if title in EXCEPTIONS:
                test = pytest.mark.xfail(reason=EXCEPTIONS[title], strict=True)(test)
            globals()[title] = test


def test_each_exception_is_a_test_of_theirs():
    assert set(EXCEPTIONS) <= {title for title in globals() if title.startswith("test_")}
