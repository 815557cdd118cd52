"""PerceptronClassifier: Rosenblatt's rule for any number of classes."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets

import autograd_lite as ag
from nn.estimators.checks import Scored, compute, validate_data
from nn.estimators.decorators import checking_options
from nn.losses.labels import one_hot
from nn.models.units import Perceptron

__all__ = ["PerceptronClassifier"]

INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": np.float64}


@dataclass(eq=False, repr=False)
class PerceptronClassifier(Scored, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Rosenblatt's perceptron; several classes by one unit against the others for each.

    Parameters
    ----------
    learning_rate : float
        Scales the weights.
    max_iter : int
        How many epochs at most; learning ends with the first one without a mistake.
    shuffle : bool
        Whether samples come in a new order in each epoch.
    random_state : int, RandomState or None
        The source of randomness.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : Perceptron
        The units.
    mistakes_ : list of int
        The number of wrong samples in each epoch.
    n_iter_ : int
        The number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nn.estimators import PerceptronClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> setosa = PerceptronClassifier(random_state=0).fit(x[:, 2:], y == 0)
    >>> setosa.score(x[:, 2:], y == 0)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    _: KW_ONLY
    learning_rate: float = 1.0
    max_iter: int = 100
    shuffle: bool = True
    random_state: Any = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @checking_options
    def fit(self, X: Any, y: Any) -> Self:
        """Learn sample by sample until an epoch passes without a mistake."""
        X, y = validate_data(self, X, y, **INPUTS)
        check_classification_targets(y)
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ag.ArgumentValueError(
                f"PerceptronClassifier needs samples of two classes, but there is only one class: "
                f"{self.classes_[0]!r}"
            )
        x = X.toarray() if hasattr(X, "toarray") else X
        targets = one_hot(numbers, len(self.classes_)) if len(self.classes_) > 2 else numbers
        n_units = 1 if len(self.classes_) == 2 else len(self.classes_)
        self.model_ = Perceptron(x.shape[1], n_units, learning_rate=self.learning_rate)
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        rng = np.random.default_rng(seed) if self.shuffle else None
        self.mistakes_ = self.model_.fit(x, targets, epochs=self.max_iter, rng=rng)
        self.n_iter_ = len(self.mistakes_)
        return self

    def decision_function(self, X: Any) -> Any:
        """The weighted sums of the units."""
        return compute(self, PerceptronClassifier._sums, X, **INPUTS)

    def _sums(self, X: Any) -> Any:
        sums = np.asarray(X @ self.model_.weight.data) + self.model_.bias.data
        return sums[:, 0] if len(self.classes_) == 2 else sums

    def predict(self, X: Any) -> Any:
        """The class of each sample: that of the unit with the largest sum."""
        return compute(self, PerceptronClassifier._decide, X, **INPUTS)

    def _decide(self, X: Any) -> Any:
        sums = self._sums(X)
        numbers = (sums >= 0).astype(int) if sums.ndim == 1 else np.argmax(sums, axis=1)
        return self.classes_[numbers]
