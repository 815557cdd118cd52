"""MLPClassifier and MLPRegressor."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call

import autograd_lite as ag
from nn.activations import log_softmax, sigmoid, softmax, softplus
from nn.estimators.checks import Scored, has_several_labels
from nn.estimators.decorators import only_if
from nn.estimators.network import BaseMLP, takes_batches
from nn.estimators.objective import LOGARITHMIC
from nn.losses import losses, regression
from nn.losses.labels import one_hot

__all__ = ["MLPClassifier", "MLPRegressor"]

QUESTIONS = {"multilabel", "binary_cross_entropy"}
"""Losses for which each output is the logit of a yes or no."""
PROBABILISTIC = LOGARITHMIC | QUESTIONS | {"kl_divergence"}
BY_CLASS = LOGARITHMIC | {"hinge", "squared_hinge", "perceptron"}
"""Losses of class numbers; the others compare with rows of zeros and ones."""
OF_ONE_LABEL = BY_CLASS - LOGARITHMIC | {"kl_divergence", "poisson", "cosine"}
"""Losses that say nothing of samples with several labels."""


def gives_probabilities(estimator: Any) -> bool:
    """Whether outputs are logits of probabilities, which depends on the loss."""
    if estimator.loss not in PROBABILISTIC:
        raise AttributeError(f"the loss {estimator.loss!r} has no probabilities")
    return True


@dataclass(eq=False, repr=False)
class MLPClassifier(Scored, ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that tells classes apart.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Numbers of hidden units, layer by layer.
    activation : str or callable
        One of `nn.activations` by name, or any function.
    out_activation : str or callable, optional
        A function for the outputs, for losses that have none of their own: "sigmoid"
        with "mse" is the network of the textbooks.
    loss : str or callable
        One of `nn.losses` by name, or any function of outputs and targets.  "log_loss",
        scikit-learn's, is "cross_entropy"; two classes share one logit then, and with
        several labels for a sample each has its own.
    solver : str
        "sgd", "adam" or "lbfgs" as scikit-learn has them; or another optimizer by name:
        "rmsprop", "adagrad", "adadelta", "adamw", "nadam", "lion".
    alpha : float
        The strength of the penalty ½Σw² beside the sum of all losses.
    batch_size : int or "auto"
        How many samples make a step; "auto" is 200.
    learning_rate : {"constant", "invscaling", "adaptive"}
        For "sgd": always ``learning_rate_init``; that divided by ``t_`` to the ``power_t``;
        or a fifth of it whenever nothing has improved for a while, down to 1e-6.
    learning_rate_init, power_t : float
        The size of a step, and how it shrinks.
    schedule : callable, optional
        From `nn.schedules`: scales the learning rate of any solver but "lbfgs".
    dropout : float
        The rate at which hidden units are dropped in training.
    class_weight : dict or "balanced", optional
        How much each class counts.
    max_iter : int
        How many epochs at most.
    shuffle : bool
        Whether samples come in a new order in each epoch.
    random_state : int, RandomState or None
        The source of randomness; the same one gives scikit-learn's network and batches.
    tol, n_iter_no_change : float, int
        Training stops when nothing has improved by ``tol`` for more epochs than that;
        "lbfgs" when no entry of the gradient is larger than ``tol``.
    verbose : bool
        Whether losses are printed.
    warm_start : bool
        Whether `fit` goes on from the last call.
    momentum, nesterovs_momentum : float, bool
        For "sgd".
    early_stopping, validation_fraction : bool, float
        Whether the score on a share of the samples, set aside, decides when
        to stop; not for "lbfgs".
    beta_1, beta_2, epsilon : float
        For "adam".
    max_fun : int
        How often "lbfgs" may compute the loss.
    compile : bool, "numba" or "auto"
        How the step of training is compiled; see `nn.fit`.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : Sequential
        The network, to be used as any other of nn; its outputs are logits.
    history_ : History
        What training saw.
    coefs_, intercepts_ : list of array
        The parameters of ``model_``; they may be written to, and assigned, one or all.
    loss_, loss_curve_, best_loss_ : float, list of float, float or None
        The loss of the last epoch, of each, and the smallest, with the penalty.
    validation_scores_, best_validation_score_ : list of float, float, or None
        The accuracy on the validation data after each epoch, and the best.
    n_iter_, t_ : int
        The number of epochs of the last `fit`, and of samples seen in all.
    n_layers_, n_outputs_, out_activation_ : int, int, str
        The size of the network, and the function that makes probabilities of outputs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from nn.estimators import MLPClassifier
    >>> x, y = load_iris(return_X_y=True)
    >>> model = MLPClassifier((16,), solver="lbfgs", max_iter=1000, random_state=0).fit(x, y)
    >>> bool(model.score(x, y) > 0.95)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseMLP._parameter_constraints | {
        "loss": [StrOptions({*losses, "log_loss", "squared_error"} - {"zero_one"}), callable],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    loss: Any = field(default="log_loss", kw_only=True)
    _: KW_ONLY
    class_weight: Any = None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.loss not in OF_ONE_LABEL
        return tags

    @only_if(takes_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Go through some samples once, and keep all that was learned before.

        The first call needs all ``classes`` that will ever come.  Other arguments are as
        for `fit`.
        """
        _check_partial_fit_first_call(self, classes)
        self._partial_fit(X, y, sample_weight, self.classes_)
        return self

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        if self.class_weight is None:
            return sample_weight
        by_class = compute_sample_weight(self.class_weight, y)
        return by_class if sample_weight is None else by_class * sample_weight

    # From labels to targets, and back.

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        if has_several_labels(self, y):
            return self._several_labels(y, reset)
        y = np.ravel(y)
        if reset:
            self.multilabel_ = False
            self.classes_ = np.unique(y if classes is None else classes)
        self._check_classes(y)
        numbers = np.searchsorted(self.classes_, y)
        if self._has_one_output():
            return (numbers[:, np.newaxis] == 1).astype(np.float64)
        if self.loss in BY_CLASS or callable(self.loss):
            return numbers
        return one_hot(numbers, len(self.classes_))

    def _several_labels(self, y: Any, reset: bool) -> Any:
        """Targets where each sample has any number of labels."""
        if self.loss in OF_ONE_LABEL:
            raise ag.ArgumentValueError(
                f"MLPClassifier: the loss {self.loss!r} is for one label for each sample, and y "
                "has several; use loss='log_loss'"
            )
        rows = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        if reset:
            self.multilabel_, self.sparse_labels_ = True, rows is not y
            self.classes_ = np.arange(rows.shape[1])
        return rows.astype(np.float64)

    def _check_classes(self, y: Any) -> None:
        """Refuse classes that the network has no outputs for."""
        given = np.unique(y)
        if hasattr(self, "model_") and self.warm_start and set(given) != set(self.classes_):
            raise ag.ArgumentValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {given}"
            )
        if not set(given) <= set(self.classes_):
            raise ag.ArgumentValueError(
                f"`y` has classes not in `self.classes_`: {given} are given, and "
                f"{self.classes_} are known; name all of them in the first call"
            )

    def _has_one_output(self) -> bool:
        """Whether one logit tells the second class from the first."""
        asks_once = self.loss in LOGARITHMIC | QUESTIONS
        return asks_once and not self.multilabel_ and len(self.classes_) <= 2

    def _linked_activation(self) -> str:
        if self.loss in LOGARITHMIC:
            return "logistic" if self.multilabel_ or self._has_one_output() else "softmax"
        if self.loss == "kl_divergence":
            return "softmax"
        return "logistic" if self.loss in QUESTIONS else "identity"

    def _n_outputs(self, targets: Any) -> int:
        return 1 if self._has_one_output() else len(self.classes_)

    def _strata(self, targets: Any) -> Any:
        return targets == 1 if self._has_one_output() else None

    def _decide(self, outputs: Any) -> Any:
        if self.multilabel_:
            is_logit = self.loss in PROBABILISTIC or callable(self.loss)
            return (outputs > (0.0 if is_logit else 0.5)).astype(int)
        if self._has_one_output():
            numbers = (sigmoid(outputs[:, 0]) > 0.5).astype(int)
            return self.classes_[np.minimum(numbers, len(self.classes_) - 1)]
        return self.classes_[np.argmax(outputs, axis=1)]

    def _score_of(self, y: Any, predicted: Any, weight: Any) -> float:
        return float(accuracy_score(y, predicted, sample_weight=weight))

    # Predictions.

    def predict(self, X: Any) -> Any:
        """The class of each sample; rows of zeros and ones where there are several labels.

        These are sparse where the labels were that the network has learned.
        """
        found = self._from_outputs(X, "_decide")
        return csr_matrix(found) if self.multilabel_ and self.sparse_labels_ else found

    def decision_function(self, X: Any) -> Any:
        """How strongly each class is favoured; for two classes how much the second is."""
        return self._from_outputs(X, "_favour")

    def _favour(self, outputs: Any) -> Any:
        if self._has_one_output():
            return outputs[:, 0]
        if not self.multilabel_ and len(self.classes_) == 2:
            return outputs[:, 1] - outputs[:, 0]
        return outputs

    @only_if(gives_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class."""
        return self._from_outputs(X, "_probabilities")

    def _probabilities(self, outputs: Any) -> Any:
        if self.out_activation_ == "softmax":
            return softmax(outputs)
        single = sigmoid(outputs)
        if self.multilabel_:
            return single
        if self._has_one_output():
            return np.column_stack([1 - single, single])
        return single / single.sum(axis=1, keepdims=True)

    @only_if(gives_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of `predict_proba`, finite also where a probability is rounded to 0."""
        return self._from_outputs(X, "_log_probabilities")

    def _log_probabilities(self, outputs: Any) -> Any:
        probability = self._probabilities(outputs)
        is_normal = probability >= np.finfo(probability.dtype).tiny
        usual = np.log(np.where(is_normal, probability, 1))
        return np.where(is_normal, usual, self._small_log_probabilities(outputs))

    def _small_log_probabilities(self, outputs: Any) -> Any:
        if self.out_activation_ == "softmax":
            return log_softmax(outputs)
        if self._has_one_output():
            return -softplus(np.column_stack([outputs, -outputs]))
        single = -softplus(-outputs)
        if self.multilabel_:
            return single
        return single - np.logaddexp.reduce(single, axis=1, keepdims=True)


@dataclass(eq=False, repr=False)
class MLPRegressor(Scored, RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers.

    Parameters
    ----------
    loss : str or callable
        One of `nn.losses` by name ("mse", "mae", "huber", "log_cosh", …), any function of
        outputs and targets, or one of scikit-learn's: "squared_error", half the squared
        error, and "poisson", half the deviance of counts whose logarithm the network
        predicts; with several outputs their sum.
    **options
        All others are those of `MLPClassifier`, but for ``class_weight``.

    Attributes
    ----------
    model_, history_, coefs_, intercepts_, n_iter_, t_, loss_, loss_curve_, best_loss_
        As for `MLPClassifier`.
    validation_scores_, best_validation_score_ : list of float, float, or None
        R² on the validation data after each epoch, and the best.
    out_activation_ : str or callable
        What makes predictions of outputs: "identity", or "exp" for "poisson".

    Examples
    --------
    >>> import numpy as np
    >>> from nn.estimators import MLPRegressor
    >>> x = np.linspace(-2, 2, 50).reshape(-1, 1)
    >>> model = MLPRegressor("squared_error", (16,), "tanh", solver="lbfgs", random_state=0)
    >>> bool(model.fit(x, np.sin(x).ravel()).score(x, np.sin(x).ravel()) > 0.99)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseMLP._parameter_constraints | {
        "loss": [StrOptions({*regression.__all__, "squared_error"}), callable]
    }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        tags.regressor_tags.poor_score = self.loss == "cosine"  # it says nothing of lengths
        return tags

    @only_if(takes_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Go through some samples once, and keep all that was learned before."""
        self._partial_fit(X, y, sample_weight, None)
        return self

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        numbers = np.asarray(y, np.float64)
        if reset:
            self.flat_ = numbers.ndim == 1
        return numbers[:, np.newaxis] if numbers.ndim == 1 else numbers

    def _linked_activation(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _decide(self, outputs: Any) -> Any:
        if self.out_activation_ == "exp":
            outputs = np.exp(outputs)
        return outputs[:, 0] if self.flat_ else outputs

    def _score_of(self, y: Any, predicted: Any, weight: Any) -> float:
        return float(r2_score(y, predicted, sample_weight=weight))

    def predict(self, X: Any) -> Any:
        """The numbers predicted for each sample."""
        return self._from_outputs(X, "_decide")
