"""Checks of data, scikit-learn's and of masks and rows, and what is computed of checked data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import validation
from sklearn.utils.multiclass import check_classification_targets, type_of_target

import autograd_lite as ag
from nn.checks import unmasked
from nn.dask.data import by_chunks, finite, is_dask, to_row_chunks
from nn.training.batches import check_rows

__all__ = [
    "Scored",
    "check_sample_weight",
    "compute",
    "has_several_labels",
    "inputs_in_chunks",
    "validate_data",
]


def validate_data(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """Scikit-learn's check, which would take masked numbers for others, of data without any."""
    return validation.validate_data(estimator, unmasked(X), unmasked(y), **options)


def compute(estimator: Any, function: Callable[[Any, Any], Any], X: Any, **options: Any) -> Any:
    """A function of a fitted estimator and of samples; of Dask's chunks when it is computed."""
    validation.check_is_fitted(estimator)
    if is_dask(X):
        return by_chunks(function, estimator, inputs_in_chunks(estimator, X, reset=False))
    return function(estimator, validate_data(estimator, X, reset=False, **options))


def inputs_in_chunks(estimator: Any, X: Any, reset: bool) -> Any:
    """Inputs of Dask, with their names and number of features checked, or kept."""
    owner = type(estimator).__name__
    validation._check_feature_names(estimator, getattr(X, "_meta", X), reset=reset)
    X = to_row_chunks(X, None, "X", owner)
    if X.ndim != 2:
        raise ag.ArgumentValueError(
            f"{owner}: X has shape {X.shape}; it must have two axes, samples and features: of one "
            "feature make a column, X[:, None]"
        )
    X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
    validation._check_n_features(estimator, X, reset=reset)
    return finite(X, f"{owner}: X", "training" if reset else "predicting")


def check_sample_weight(weight: Any, X: Any, **options: Any) -> Any:
    """Scikit-learn's check, of weights none of which is masked."""
    return validation._check_sample_weight(unmasked(weight), X, **options)


def has_several_labels(estimator: Any, y: Any) -> bool:
    """Whether each sample has any number of labels, told by zeros and ones, and not one class."""
    is_sparse = hasattr(y, "toarray")
    if not is_sparse:
        check_classification_targets(y)
        if not type_of_target(y).startswith(("multilabel", "multiclass-multioutput")):
            return False
    if not np.isin(y.data if is_sparse else y, (0, 1)).all():
        raise ag.ArgumentValueError(
            f"{type(estimator).__name__}: y has several columns, and they hold other than 0 and 1; "
            "say by these which labels a sample has, or use MultiOutputClassifier of "
            "sklearn.multioutput for a class in each column"
        )
    return True


class Scored:
    """An estimator whose `score` compares samples with targets of their own."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Scikit-learn's score of its predictions: the accuracy, or the coefficient R²."""
        check_rows(X=X, y=y, sample_weight=sample_weight)
        weight = unmasked(sample_weight)
        return float(super().score(X, unmasked(y), sample_weight=weight))  # type: ignore[misc]
