"""MLPClassifier and MLPRegressor."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

import autograd_lite as ag
from nn.activations import sigmoid, softmax
from nn.estimators.network import BaseMLP
from nn.losses.labels import one_hot

__all__ = ["MLPClassifier", "MLPRegressor"]

PROBABILISTIC = {"cross_entropy", "nll", "kl_divergence"}
BY_CLASS = {"cross_entropy", "nll", "hinge", "squared_hinge", "perceptron"}
"""Losses of class numbers; the others compare with rows of zeros and ones."""


def gives_probabilities(estimator: Any) -> bool:
    """Whether outputs are logits of probabilities, which depends on the loss."""
    if estimator.loss not in PROBABILISTIC | {"multilabel", "binary_cross_entropy"}:
        raise AttributeError(f"the loss {estimator.loss!r} has no probabilities")
    return True


@dataclass(eq=False, repr=False)
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that tells classes apart.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Numbers of hidden units, layer by layer.
    activation : str or callable
        One of `nn.activations` by name, or any function.
    loss : str or callable
        One of `nn.losses` by name, or any function of outputs and targets.
        With several labels for a sample "cross_entropy" stands for "multilabel".
    solver : str
        An optimizer by name: "sgd", "rmsprop", "adagrad", "adadelta", "adam",
        "adamw", "nadam", "lion", or "lbfgs".
    alpha : float
        The strength of the penalty ½Σw² beside the sum of all losses.
    batch_size : int or "auto"
        How many samples make a step; "auto" is 200.
    learning_rate_init : float
        The size of a step.
    schedule : callable, optional
        From `nn.schedules`.
    dropout : float
        The rate at which hidden units are dropped in training.
    class_weight : dict or "balanced", optional
        How much each class counts.
    max_iter : int
        How many epochs at most.
    tol, n_iter_no_change : float, int
        Training stops when nothing has improved by ``tol`` for so many epochs.
    early_stopping, validation_fraction : bool, float
        Whether the score on a share of the samples, set aside, decides when
        to stop.
    warm_start : bool
        Whether `fit` goes on from the last call.
    random_state : int, RandomState or None
        The source of randomness.
    compile : bool or "numba"
        How the step of training is compiled; see `nn.fit`.
    verbose : bool
        Whether a progress bar is shown.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : Sequential
        The network, to be used as any other of nn.
    history_ : History
        What training saw.
    loss_curve_ : list of float
        The loss of each epoch.
    validation_scores_ : list of float or None
        The accuracy on the validation data after each epoch.
    n_iter_ : int
        The number of epochs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nn.estimators import MLPClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), solver="lbfgs", random_state=0).fit(x, y)
    >>> bool(model.score(x, y) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseMLP._parameter_constraints | {
        "class_weight": [dict, StrOptions({"balanced"}), None]
    }

    _: KW_ONLY
    loss: Any = "cross_entropy"
    class_weight: Any = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        check_classification_targets(y)
        if type_of_target(y).startswith("multilabel"):
            return self._several_labels(y, reset)
        y = np.ravel(y)
        if reset:
            self.multilabel_ = False
            self.classes_ = np.unique(y if classes is None else classes)
        numbers = np.searchsorted(self.classes_, y)
        numbers = np.minimum(numbers, len(self.classes_) - 1)
        if not np.array_equal(self.classes_[numbers], y):
            raise ag.ArgumentValueError(
                f"`y` has classes not in `self.classes_`: {np.unique(y)} are given, and "
                f"{self.classes_} are known; name all of them in the first call"
            )
        if self.loss in BY_CLASS or callable(self.loss):
            return numbers
        return one_hot(numbers, len(self.classes_))

    def _several_labels(self, y: Any, reset: bool) -> Any:
        """Targets where each sample has any number of labels."""
        rows = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        if reset:
            self.multilabel_ = True
            self.classes_ = np.arange(rows.shape[1])
        return rows.astype(np.float64)

    def _loss(self) -> Any:
        several = self.multilabel_ and self.loss == "cross_entropy"
        return "multilabel" if several else self.loss

    def _n_outputs(self, targets: Any) -> int:
        return len(self.classes_)

    def _score_of(self, outputs: Any, targets: Any) -> float:
        if self.multilabel_:
            return float(accuracy_score(targets, outputs > 0))
        numbers = targets if targets.ndim == 1 else np.argmax(targets, axis=1)
        return float(np.mean(np.argmax(outputs, axis=1) == numbers))

    def predict(self, X: Any) -> Any:
        """The class of each sample; rows of zeros and ones where there are several labels."""
        outputs = self._outputs(X)
        if self.multilabel_:
            return (outputs > 0).astype(int)
        return self.classes_[np.argmax(outputs, axis=1)]

    def decision_function(self, X: Any) -> Any:
        """How strongly each class is favoured; for two classes how much the second is."""
        outputs = self._outputs(X)
        if not self.multilabel_ and len(self.classes_) == 2:
            return outputs[:, 1] - outputs[:, 0]
        return outputs

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class."""
        outputs = self._outputs(X)
        if self.multilabel_:
            return sigmoid(outputs)
        if self.loss in PROBABILISTIC:
            return softmax(outputs)
        single = sigmoid(outputs)
        return single / single.sum(axis=1, keepdims=True)

    @available_if(gives_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`."""
        return np.log(self.predict_proba(X))


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers.

    Parameters
    ----------
    loss : str or callable
        One of `nn.losses` by name ("mse", "mae", "huber", "log_cosh", "quadratic",
        "poisson", …), or any function of outputs and targets.
    **options
        All others are those of `MLPClassifier`, but for ``class_weight``.

    Attributes
    ----------
    model_, history_, loss_curve_, n_iter_
        As for `MLPClassifier`.
    validation_scores_ : list of float or None
        R² on the validation data after each epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from nn.estimators import MLPRegressor
    >>> x = np.linspace(-2, 2, 50).reshape(-1, 1)
    >>> model = MLPRegressor((16,), "tanh", solver="lbfgs", random_state=0)
    >>> bool(model.fit(x, np.sin(x).ravel()).score(x, np.sin(x).ravel()) > 0.99)
    True
    """

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through some samples once, and keep all that was learned before."""
        return super().partial_fit(X, y, sample_weight=sample_weight)  # type: ignore[no-any-return]

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        numbers = np.asarray(y, np.float64)
        if reset:
            self.flat_ = numbers.ndim == 1
        return numbers[:, np.newaxis] if numbers.ndim == 1 else numbers

    def _score_of(self, outputs: Any, targets: Any) -> float:
        return float(r2_score(targets, outputs))

    def predict(self, X: Any) -> Any:
        """The numbers predicted for each sample."""
        outputs = self._outputs(X)
        if self.loss == "poisson":
            outputs = np.exp(outputs)
        return outputs[:, 0] if self.flat_ else outputs
