"""Checks of data: scikit-learn's, and that no mask is dropped and no rows are mixed up."""

from __future__ import annotations

from typing import Any

from sklearn.utils import validation

from nn.checks import unmasked
from nn.training.batches import check_rows

__all__ = ["Scored", "check_sample_weight", "validate_data"]


def validate_data(estimator: Any, X: Any, y: Any = "no_validation", **options: Any) -> Any:
    """Scikit-learn's check, which would take masked numbers for others, of data without any."""
    return validation.validate_data(estimator, unmasked(X), unmasked(y), **options)


def check_sample_weight(weight: Any, X: Any, **options: Any) -> Any:
    """Scikit-learn's check, of weights none of which is masked."""
    return validation._check_sample_weight(unmasked(weight), X, **options)


class Scored:
    """An estimator whose `score` compares samples with targets of their own."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Scikit-learn's score of its predictions: the accuracy, or the coefficient R²."""
        check_rows(X=X, y=y, sample_weight=sample_weight)
        weight = unmasked(sample_weight)
        return float(super().score(X, unmasked(y), sample_weight=weight))  # type: ignore[misc]
