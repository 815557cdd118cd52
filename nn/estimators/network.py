"""BaseMLP: from scikit-learn's data and parameters to a trained network.

The numbers are scikit-learn's, with three exceptions: the loss of several outputs of a
regressor is the sum over them, which its steps follow there too, and not their mean; a warm
start after early stopping keeps the best network that it saw, which scikit-learn overwrites;
and logarithms of probabilities that are rounded to zero stay finite.
"""

from __future__ import annotations

import warnings
from functools import partial
from numbers import Integral
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import column_or_1d

import autograd_lite as ag
from nn.checks import unmasked
from nn.dask.data import is_dask
from nn.estimators.checks import (
    check_sample_weight,
    compute,
    inputs_in_chunks,
    validate_data,
)
from nn.estimators.coefficients import Coefficients
from nn.estimators.decorators import checking_options
from nn.estimators.objective import Objective, linear_layers, loss_function
from nn.estimators.options import Options, activation_named
from nn.estimators.solvers import Convergence, OrderedBatches, PenalizedConvergence, make_optimizer
from nn.initializers import zeros
from nn.models.containers import Sequential
from nn.models.layers import Activation, Linear
from nn.models.module import Module
from nn.models.regularization import Dropout
from nn.training.batches import check_rows
from nn.training.data import check_numbers
from nn.training.fit import fit
from nn.training.history import History, Progress
from nn.training.lbfgs import fit_lbfgs
from nn.training.loop import DivergenceError
from nn.training.prediction import predict

__all__ = ["INPUTS", "BaseMLP", "takes_batches"]


INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
"""What inputs may be."""


def takes_batches(estimator: Any) -> bool:
    """Whether the solver can go on with other samples."""
    if estimator.solver == "lbfgs":
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers, and lbfgs is none"
        )
    return True


class BaseMLP(Options):
    """What classifier and regressor share: the network and its training."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # What the classifier and the regressor do differently.

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        raise NotImplementedError

    def _linked_activation(self) -> str:
        """The function from outputs to predictions that belongs to the loss."""
        raise NotImplementedError

    def _decide(self, outputs: Any) -> Any:
        """Predictions from outputs."""
        raise NotImplementedError

    def _score_of(self, y: Any, predicted: Any, weight: Any) -> float:
        raise NotImplementedError

    def _strata(self, targets: Any) -> Any:
        return None

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        return sample_weight

    def _n_outputs(self, targets: Any) -> int:
        return int(targets.shape[1])

    # The parameters under scikit-learn's names.

    @property
    def coefs_(self) -> list[Any]:
        """The weight matrices, layer by layer: the arrays of ``model_`` themselves."""
        layers = self._layers("coefs_")
        return Coefficients("coefs_", [layer.weight.data for layer in layers])

    @coefs_.setter
    def coefs_(self, arrays: Any) -> None:
        self.coefs_.write(arrays)  # type: ignore[attr-defined]

    @property
    def intercepts_(self) -> list[Any]:
        """The biases, layer by layer: the arrays of ``model_`` themselves."""
        layers = self._layers("intercepts_")
        return Coefficients("intercepts_", [layer.bias.data for layer in layers])

    @intercepts_.setter
    def intercepts_(self, arrays: Any) -> None:
        self.intercepts_.write(arrays)  # type: ignore[attr-defined]

    def _layers(self, asked: str) -> list[Any]:
        if not hasattr(self, "model_"):
            raise AttributeError(f"{type(self).__name__} has no {asked} before it is fitted")
        return linear_layers(self.model_)

    # Training.

    @checking_options
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation_data: tuple[Any, ...] | None = None,
    ) -> Self:
        """Train on all samples until the loss, or the validation score, improves no more.

        ``X``, an array or sparse matrix, has shape (samples, features), ``y`` shape
        (samples,) or (samples, outputs); ``sample_weight`` has one number for each sample.
        With ``validation_data``, inputs and targets (and weights) to score after each epoch,
        training stops when this score improves no more, and goes back to the best weights.
        """
        again = self.warm_start and hasattr(self, "model_")
        X, y, targets, weight = self._checked(X, y, sample_weight, None, reset=not again)
        random_state = check_random_state(self.random_state)
        if not again:
            self._start(X, targets, random_state)
        if self.solver == "lbfgs":
            if validation_data is not None:
                raise ag.ArgumentValueError(
                    f"{type(self).__name__}.fit: solver='lbfgs' does not look at validation_data; "
                    "omit these, or use solver='adam'"
                )
            self._train_lbfgs(X, targets, weight)
            return self
        aside = None
        if validation_data is not None:
            aside = self._validation(*validation_data)
        elif self.early_stopping:
            X, targets, weight, aside = self._split(X, y, targets, weight, random_state)
        self.optimizer_ = make_optimizer(self, self.model_)
        self._train(X, targets, weight, self.max_iter, aside, random_state)
        if self.history_.stopped == "finished" and self.n_iter_ == self.max_iter:
            warnings.warn(
                f"the network was still improving after max_iter={self.max_iter} epochs; "
                "give it more, or a larger tol",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    @checking_options
    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, classes: Any) -> Self:
        if self.early_stopping:
            raise ag.ArgumentValueError(
                "partial_fit does not support early_stopping=True; set it to False"
            )
        first = not hasattr(self, "model_")
        X, _, targets, weight = self._checked(X, y, sample_weight, classes, reset=first)
        random_state = check_random_state(self.random_state)
        if first:
            self._start(X, targets, random_state)
        if not hasattr(self, "optimizer_"):
            self.optimizer_ = make_optimizer(self, self.model_)
        self._train(X, targets, weight, 1, None, random_state)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any, classes: Any, reset: bool) -> Any:
        """Inputs, what was to be predicted, the same as targets of the loss, and weights."""
        check_rows(X=X, y=y, sample_weight=sample_weight)
        if is_dask(X):
            X, y = self._checked_dask(X, y, reset)
        else:
            targets = {"multi_output": True, "y_numeric": isinstance(self, RegressorMixin)}
            X, y = validate_data(self, X, y, reset=reset, **targets, **INPUTS)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        return X, y, self._targets(y, classes, reset), self._weights(y, sample_weight)

    def _checked_dask(self, X: Any, y: Any, reset: bool) -> Any:
        """Inputs stay in chunks where they are; targets, far fewer numbers, are fetched."""
        if self.solver == "lbfgs" or not self.shuffle:
            raise ag.ArgumentValueError(
                f"{type(self).__name__}.fit: inputs of Dask go neither with solver='lbfgs' nor "
                "with shuffle=False; omit these, or pass NumPy's arrays"
            )
        y = np.asarray(unmasked(y))
        if y.dtype.kind in "fc":
            check_numbers("y", y)
        return inputs_in_chunks(self, X, reset), y

    # The network.

    def _start(self, X: Any, targets: Any, random_state: Any) -> None:
        """Draw the network, and begin a record."""
        self.out_activation_ = checked_out_activation(self)
        sizes = X.shape[1], self._n_outputs(targets)
        self.model_ = draw_network(self, *sizes, X.dtype, random_state)
        self.history_ = History()
        self.n_layers_ = 1 + len(linear_layers(self.model_))
        self.n_outputs_ = linear_layers(self.model_)[-1].out_features
        self.n_iter_ = self.t_ = self._no_improvement_count = 0
        self.loss_curve_: list[float] = []
        self.validation_scores_: list[float] | None = None
        self.best_validation_score_: float | None = None
        self.best_loss_: float | None = np.inf
        if hasattr(self, "optimizer_"):
            del self.optimizer_

    # Running nn.fit.

    def _train(
        self, X: Any, targets: Any, weight: Any, epochs: int, aside: Any, random_state: Any
    ) -> None:
        size = size_of_batches(self, X.shape[0])
        self.n_iter_ = 0
        self.history_.progress = Progress()
        if aside is not None and self.validation_scores_ is None:
            self.validation_scores_, self.best_validation_score_ = [], -np.inf
            self.best_loss_, self._best_state = None, self.model_.state_dict()
        elif aside is None and self.best_loss_ is None:
            self.best_loss_, self.validation_scores_ = np.inf, None
            self.best_validation_score_ = None
        score = None if aside is None else lambda: self._validation_score(*aside)
        convergence = Convergence(self, X.shape[0], score)
        if is_dask(X):  # whose loss is computed elsewhere, without the penalty
            l2 = self.alpha / (size * (1.0 if weight is None else np.mean(weight)))
            convergence = PenalizedConvergence(self, X.shape[0], score, l2)
        loss = loss_function(self.loss, self.out_activation_)
        common: dict[str, Any] = {
            "optimizer": self.optimizer_,
            "epochs": epochs,
            "callbacks": convergence,
            "schedule": self.schedule,
            "history": self.history_,
            "compile": self.compile,
            "progress": False,
        }
        try:
            if is_dask(X):
                fit(
                    self.model_, X, targets, loss=loss, batch_size=size,
                    sample_weight=weight, rng=random_state.randint(2**31 - 1), l2=l2, **common,
                )  # fmt: skip
            else:
                pair = targets if weight is None else (targets, weight)
                shuffled = random_state if self.shuffle else None
                batches = OrderedBatches(X, pair, size, shuffled)
                fit(
                    self.model_,
                    batches,
                    loss=Objective(loss, self.alpha, self.model_),
                    **common,
                )
        except DivergenceError as error:
            if aside is None:
                raise non_finite() from error
            convergence.note(np.nan)
            self.validation_scores_.append(float("nan"))  # type: ignore[union-attr]
        if self.history_.stopped == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=3)
        if aside is not None:
            self.model_.load_state_dict(self._best_state)

    def _train_lbfgs(self, X: Any, targets: Any, weight: Any) -> None:
        loss = loss_function(self.loss, self.out_activation_)
        history = fit_lbfgs(
            self.model_,
            X,
            targets if weight is None else (targets, weight),
            loss=Objective(loss, self.alpha, self.model_),
            iterations=self.max_iter,
            tolerance=self.tol,
            evaluations=self.max_fun,
            compile=self.compile,
        )
        self.history_ = history
        self.n_iter_ = len(history) - 1
        self.loss_curve_, self.loss_ = list(history.loss), history.loss[-1]
        self.best_loss_ = min(history.loss)
        if self.verbose:
            for number, value in enumerate(history.loss[1:], 1):
                print(f"Iteration {number}, loss = {value:.8f}")
        if not all(np.isfinite(p.data).all() for p in self.model_.parameters()):
            raise non_finite()
        if not history.stopped.startswith("CONVERGENCE"):
            warnings.warn(
                f"lbfgs failed to converge after {self.n_iter_} iterations: {history.stopped}; "
                "increase max_iter or max_fun, or scale the data",
                ConvergenceWarning,
                stacklevel=3,
            )

    # Validation.

    def _split(self, X: Any, y: Any, targets: Any, weight: Any, random_state: Any) -> Any:
        """Set samples aside; where there are two classes, of each as many as there should be."""
        kept, aside = train_test_split(
            np.arange(X.shape[0]),
            test_size=self.validation_fraction,
            random_state=random_state,
            stratify=self._strata(targets),
        )
        if len(aside) < 2:
            raise ag.ArgumentValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        if is_dask(X):  # which takes samples out of chunks in their order
            kept, aside = np.sort(kept), np.sort(aside)
        light = None if weight is None else weight[aside]
        weight = None if weight is None else weight[kept]
        return X[kept], targets[kept], weight, (X[aside], y[aside], light)

    def _validation(self, X: Any, y: Any, weight: Any = None) -> Any:
        X, y = validate_data(self, X, y, reset=False, multi_output=True, **INPUTS)
        self._targets(y, None, reset=False)  # refuses other classes
        return X, y, weight

    def _validation_score(self, X: Any, y: Any, weight: Any) -> float:
        predicted = self._decide(np.asarray(predict(self.model_, X)))
        if predicted.dtype.kind == "f" and not np.isfinite(predicted).all():
            return float("nan")
        return self._score_of(y, predicted, weight)

    def _from_outputs(self, X: Any, method: str) -> Any:
        """What a method makes of the outputs for some samples."""
        return compute(self, partial(outputs_to, method), X, **INPUTS)


def outputs_to(method: str, estimator: BaseMLP, X: Any) -> Any:
    """What a method of the estimator makes of the outputs for some samples."""
    return getattr(estimator, method)(predict(estimator.model_, X))


def draw_network(
    estimator: Options, in_features: int, out_features: int, dtype: Any, random_state: Any
) -> Sequential:
    """Layers whose weights and biases scikit-learn would draw so, too."""
    hidden = checked_sizes(estimator.hidden_layer_sizes)
    factor = 2.0 if activation_named(estimator.activation) == "sigmoid" else 6.0
    layers: list[Module] = []
    for size in [*hidden, out_features]:
        linear: Any = Linear(in_features, size, initializer=zeros, dtype=dtype)
        bound = np.sqrt(factor / (in_features + size))
        for parameter in (linear.weight, linear.bias):
            parameter.data[...] = random_state.uniform(-bound, bound, parameter.shape)
        layers += [linear, Activation(activation_named(estimator.activation))]
        in_features = size
    layers.pop()
    if estimator.out_activation is not None:
        layers += [Activation(activation_named(estimator.out_activation))]
    if estimator.dropout:
        rng = np.random.default_rng(random_state.randint(np.iinfo(np.int32).max))
        for position in range(2 * len(hidden), 0, -2):
            layers.insert(position, Dropout(estimator.dropout, rng=rng))
    return Sequential(*layers)


def checked_sizes(given: Any) -> list[int]:
    """The sizes of the hidden layers, which nothing is rounded to."""
    sizes = list(given) if np.iterable(given) else [given]
    if not all(isinstance(size, Integral) and not isinstance(size, bool) for size in sizes):
        raise ag.ArgumentTypeError(
            f"hidden_layer_sizes is {given!r}; it must hold whole numbers, one for each hidden "
            "layer, such as (100,)"
        )
    if any(size < 1 for size in sizes):
        raise ag.ArgumentValueError(f"hidden_layer_sizes must be > 0, got {given}.")
    return [int(size) for size in sizes]


def checked_out_activation(estimator: Any) -> Any:
    """The output activation that was asked for, or that belongs to the loss."""
    linked, asked = estimator._linked_activation(), estimator.out_activation
    if asked is None:
        return linked
    if linked != "identity":
        raise ag.ArgumentValueError(
            f"{type(estimator).__name__}: the loss {estimator.loss!r} applies {linked} to the "
            f"outputs itself, so that out_activation={asked!r} would come on top; omit it, or use "
            "a loss such as 'mse'"
        )
    return asked


def size_of_batches(estimator: Options, n_samples: int) -> int:
    """How many samples make a step."""
    if estimator.batch_size == "auto":
        return min(200, n_samples)
    if int(estimator.batch_size) > n_samples:
        warnings.warn(
            f"batch_size={estimator.batch_size} is larger than the number of samples; it is "
            f"clipped to {n_samples}",
            stacklevel=4,
        )
    return min(int(estimator.batch_size), n_samples)


def non_finite() -> ag.ArgumentValueError:
    """The error of a training that went astray."""
    return ag.ArgumentValueError(
        "Solver produced non-finite parameter weights. The input data may contain large values "
        "and need to be preprocessed."
    )
