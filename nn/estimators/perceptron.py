"""Perceptron: scikit-learn's, with its penalties, its end of training and its order of samples."""

from __future__ import annotations

import warnings
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model._base import SparseCoefMixin
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import column_or_1d

import autograd_lite as ag
from nn.dask.data import is_dask
from nn.estimators.checks import (
    Scored,
    check_sample_weight,
    compute,
    has_several_labels,
    validate_data,
)
from nn.estimators.decorators import checking_options
from nn.estimators.units import Unit

__all__ = ["Perceptron"]

INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32], "order": "C"}
LARGEST_SEED = np.iinfo(np.int32).max


@dataclass(eq=False, repr=False)
class Perceptron(Scored, ClassifierMixin, SparseCoefMixin, BaseEstimator):  # type: ignore[misc]
    """Rosenblatt's perceptron; several classes, or labels, by one unit for each.

    A unit learns from a sample whose sum w·x + b is zero or on the wrong side.  The numbers
    are scikit-learn's, but for "l2" and "elasticnet" with ``early_stopping``, where its
    validation score is that of weights before their decay.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet"}, optional
        What pulls the weights to 0, with the strength ``alpha``; ``l1_ratio`` is the
        share of "l1" in "elasticnet".
    fit_intercept : bool
        Whether units have a bias.
    max_iter : int
        How many epochs at most.
    tol, n_iter_no_change : float or None, int
        Learning ends when the mean loss, or the validation score, has not improved by
        ``tol`` for so many epochs; None for never.
    shuffle : bool
        Whether samples come in a new order in each epoch.
    verbose : int
        Whether losses are printed.
    eta0 : float
        The learning rate.
    n_jobs : int, optional
        Is taken and not used: units learn one after the other.
    random_state : int, RandomState or None
        The source of randomness; the same one gives scikit-learn's order.
    early_stopping, validation_fraction : bool, float
        Whether the score on a share of the samples, set aside, decides when to stop.
    class_weight : dict or "balanced", optional
        How much each class counts.
    warm_start : bool
        Whether `fit` goes on from the last call.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    coef_, intercept_ : array
        The weights, a row for each unit, and the biases; two classes share one unit.
    n_iter_, t_ : int, float
        The number of epochs, and of samples seen in the last `fit`, plus 1.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nn.estimators import Perceptron
    >>> x, y = load_iris(return_X_y=True)
    >>> Perceptron().fit(x[:, 2:], y == 0).score(x[:, 2:], y == 0)
    1.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "warm_start": ["boolean"],
    }

    _: KW_ONLY
    penalty: str | None = None
    alpha: float = 0.0001
    l1_ratio: float = 0.15
    fit_intercept: bool = True
    max_iter: int = 1000
    tol: float | None = 1e-3
    shuffle: bool = True
    verbose: int = 0
    eta0: float = 1.0
    n_jobs: int | None = None
    random_state: Any = 0
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    class_weight: Any = None
    warm_start: bool = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_label = True
        return tags

    @checking_options
    def fit(
        self,
        X: Any,
        y: Any,
        coef_init: Any = None,
        intercept_init: Any = None,
        sample_weight: Any = None,
    ) -> Self:
        """Learn until nothing improves any more.

        ``X``, an array or sparse matrix, has shape (samples, features), ``y`` shape
        (samples,), or (samples, labels) with zeros and ones.  Weights begin at 0, at
        ``coef_init`` and ``intercept_init``, or where a warm start left them.
        """
        X, y = self._checked(X, y, reset=True)
        self._note_labels(y)
        self.classes_ = np.arange(y.shape[1]) if self.multilabel_ else np.unique(y)
        if self.warm_start and hasattr(self, "coef_"):
            coef_init = self.densify().coef_ if coef_init is None else coef_init
            intercept_init = self.intercept_ if intercept_init is None else intercept_init
        self.t_ = 1.0
        self._start(X, coef_init, intercept_init)
        self._learn(X, y, sample_weight, self.max_iter)
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(
                f"mistakes were still becoming fewer after max_iter={self.max_iter} epochs; "
                "give it more, or a larger tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    @checking_options
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through some samples once; the first call needs all ``classes`` that will come.

        After `fit` the class weight "balanced" is that of these samples, as in scikit-learn.
        """
        first = not hasattr(self, "coef_")
        is_balanced = first and self.class_weight == "balanced"
        if self.early_stopping or is_balanced:
            name = "class_weight='balanced'" if is_balanced else "early_stopping=True"
            raise ag.ArgumentValueError(
                f"Perceptron.partial_fit: {name} needs all samples at once; omit it, or call fit"
            )
        X, y = self._checked(X, y, reset=first)
        _check_partial_fit_first_call(self, classes)
        if first:
            self._note_labels(y)
            self.t_ = 1.0
            self._start(X, None, None)
        if not self.multilabel_ and not set(np.unique(y)) <= set(self.classes_):
            raise ag.ArgumentValueError(
                f"`y` has classes not in `self.classes_`: {np.unique(y)} are given, and "
                f"{self.classes_} are known; name all of them in the first call"
            )
        self._learn(X, y, sample_weight, 1)
        return self

    def _checked(self, X: Any, y: Any, reset: bool) -> Any:
        """Inputs and labels as arrays."""
        X, y = validate_data(self, X, y, reset=reset, multi_output=True, **INPUTS)
        has_several_labels(self, y)  # or refuses what they are
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _note_labels(self, y: Any) -> None:
        """Note whether a sample has several labels, and how these came."""
        self.multilabel_ = y.ndim == 2
        self.sparse_labels_ = hasattr(y, "toarray")

    def _start(self, X: Any, coef: Any, intercept: Any) -> None:
        """Put the weights where they begin."""
        if len(self.classes_) < 2 and not self.multilabel_:
            raise ag.ArgumentValueError(
                "The number of classes has to be greater than one; got 1 class"
            )
        single = len(self.classes_) == 2 and not self.multilabel_
        n_units = 1 if single else len(self.classes_)
        for name, given, shape in (
            ("coef_", coef, (n_units, X.shape[1])),
            ("intercept_", intercept, (n_units,)),
        ):
            numbers = np.zeros(shape) if given is None else np.array(given)
            if numbers.size != np.prod(shape):
                raise ag.ArgumentValueError(
                    f"Provided {name.rstrip('_')}_init does not match dataset: it has shape "
                    f"{numbers.shape}; pass one of shape {shape}"
                )
            setattr(self, name, numbers.reshape(shape).astype(X.dtype))

    def _learn(self, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        """Let each unit learn its question."""
        if issparse(self.coef_):
            self.densify()
        weight = check_sample_weight(sample_weight, X, dtype=X.dtype)
        random_state = check_random_state(self.random_state)
        x = X.toarray() if hasattr(X, "toarray") else X
        if self.multilabel_:
            y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
            answers, by_class = [column != 0 for column in y.T], np.ones((len(y.T), 2))
        else:
            table = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            if len(self.classes_) == 2:
                answers, by_class = [y == self.classes_[1]], np.array([[table[1], table[0]]])
            else:
                answers = [y == kind for kind in self.classes_]
                by_class = np.column_stack([table, np.ones(len(table))])
        if len(answers) == 1:
            aside = [self._aside(answers[0])]
            seeds = [seed_of_order(random_state)]
        else:
            shared = None if self.multilabel_ else self._aside(y)
            aside = [self._aside(answer) if shared is None else shared for answer in answers]
            drawn = random_state.randint(LARGEST_SEED, size=len(answers))
            seeds = [seed_of_order(check_random_state(seed)) for seed in drawn]
        epochs_of = []
        for number, answer in enumerate(answers):
            unit = Unit(self, self.coef_[number], self.intercept_[number], x is X)
            signs = np.where(answer, 1.0, -1.0)
            weights = weight * np.where(answer, *by_class[number])
            samples = x, signs, weights, weight, aside[number]
            epochs_of.append(unit.learn(*samples, seeds[number], epochs))
            self.coef_[number], self.intercept_[number] = unit.coef, unit.intercept
        self.n_iter_ = max(epochs_of)
        self.t_ += self.n_iter_ * X.shape[0]

    def _aside(self, y: Any) -> Any:
        """Which samples are set aside, as many of each class as there should be."""
        mask = np.zeros(len(y), bool)
        if self.early_stopping:
            splitter = StratifiedShuffleSplit(
                test_size=self.validation_fraction, random_state=self.random_state
            )
            mask[next(splitter.split(np.zeros((len(y), 1)), y))[1]] = True
        return mask

    def decision_function(self, X: Any) -> Any:
        """The sums of the units."""
        return compute(self, Perceptron._sums, X, accept_sparse="csr")

    def _sums(self, X: Any) -> Any:
        sums = safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_
        return sums[:, 0] if len(self.classes_) == 2 and not self.multilabel_ else sums

    def predict(self, X: Any) -> Any:
        """The class of each sample; rows of zeros and ones where there are several labels.

        These are sparse where the labels were that it has learned, but for arrays of Dask.
        """
        found = compute(self, Perceptron._decide, X, accept_sparse="csr")
        return csr_matrix(found) if self.sparse_labels_ and not is_dask(X) else found

    def _decide(self, X: Any) -> Any:
        sums = self._sums(X)
        if self.multilabel_:
            return (sums > 0).astype(int)
        return self.classes_[(sums > 0).astype(int) if sums.ndim == 1 else sums.argmax(axis=1)]


def seed_of_order(random_state: Any) -> int:
    """The second number drawn: the first one is for what scikit-learn does not use here."""
    random_state.randint(1, LARGEST_SEED)
    return int(random_state.randint(LARGEST_SEED))
