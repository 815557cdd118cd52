"""BaseMLP: from scikit-learn's data and parameters to a trained network."""

from __future__ import annotations

import warnings
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

import autograd_lite as ag
from nn.activations import activations
from nn.dask.data import is_dask, to_row_chunks
from nn.losses import losses
from nn.models.containers import Sequential
from nn.models.layers import Activation, Linear
from nn.models.module import Module
from nn.models.regularization import Dropout
from nn.optimizers.base import Optimizer, optimizers
from nn.training.callbacks import EarlyStopping
from nn.training.fit import fit
from nn.training.history import History
from nn.training.lbfgs import fit_lbfgs
from nn.training.prediction import predict

__all__ = ["BaseMLP"]


INPUTS: dict[str, Any] = {"accept_sparse": "csr", "dtype": [np.float64, np.float32]}
"""What inputs may be."""


@dataclass(eq=False, repr=False)
class BaseMLP(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share: the network and its training."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(activations)), callable],
        "loss": [StrOptions(set(losses)), callable],
        "solver": [str],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "schedule": [callable, None],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "compile": ["boolean", StrOptions({"numba"})],
        "verbose": ["verbose"],
    }

    hidden_layer_sizes: Any = (100,)
    activation: Any = "relu"
    _: KW_ONLY
    loss: Any = "mse"
    solver: str = "adam"
    alpha: float = 0.0001
    batch_size: int | str = "auto"
    learning_rate_init: float = 0.001
    schedule: Any = None
    dropout: float = 0.0
    max_iter: int = 200
    tol: float = 1e-4
    n_iter_no_change: int = 10
    early_stopping: bool = False
    validation_fraction: float = 0.1
    warm_start: bool = False
    random_state: Any = None
    compile: bool | str = True
    verbose: bool = False

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    # What the classifier and the regressor do differently.

    def _targets(self, y: Any, classes: Any, reset: bool) -> Any:
        raise NotImplementedError

    def _score_of(self, outputs: Any, targets: Any) -> float:
        raise NotImplementedError

    def _weights(self, y: Any, sample_weight: Any) -> Any:
        return sample_weight

    def _loss(self) -> Any:
        return self.loss

    # Training.

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        validation_data: tuple[Any, Any] | None = None,
    ) -> Self:
        """Train on all samples until the loss, or the validation score, improves no more.

        ``X``, an array or sparse matrix, has shape (samples, features), ``y`` shape
        (samples,) or (samples, outputs); ``sample_weight`` has one number for each sample.
        With ``validation_data``, inputs and targets to score after each epoch, training
        stops when this score improves no more, and goes back to the best weights.
        """
        again = self.warm_start and hasattr(self, "model_")
        X, y, weight = self._checked(X, y, sample_weight, reset=not again)
        targets = self._targets(y, None, reset=not again)
        if not again:
            self._start(X, targets)
        if validation_data is not None:
            aside = self._validation(*validation_data)
        elif self.early_stopping:
            X, aside_x, targets, aside_y, weight = self._split(X, y, targets, weight)
            aside = aside_x, aside_y
        else:
            aside = None
        if self.solver == "lbfgs":
            self._train_lbfgs(X, targets, weight)
        else:
            self._train(X, targets, weight, self.max_iter, aside)
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Go through some samples once, and keep all that was learned before.

        The first call needs all ``classes`` that will ever come, unless its ``y`` holds
        them.  Other arguments are as for `fit`.
        """
        first = not hasattr(self, "model_")
        X, y, weight = self._checked(X, y, sample_weight, reset=first)
        targets = self._targets(y, classes, reset=first)
        if first:
            self._start(X, targets)
        self._train(X, targets, weight, 1, None, stop=False)
        return self

    def _checked(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> Any:
        """Inputs, targets and weights as arrays; samples of weight zero are left out."""
        if is_dask(X):
            X, y = self._checked_dask(X, y, reset)
        else:
            targets = {"multi_output": True, "y_numeric": isinstance(self, RegressorMixin)}
            X, y = validate_data(self, X, y, reset=reset, **targets, **INPUTS)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
            if not is_dask(X):
                kept = np.flatnonzero(sample_weight)
                X, y, sample_weight = X[kept], y[kept], sample_weight[kept]
        return X, y, self._weights(y, sample_weight)

    def _checked_dask(self, X: Any, y: Any, reset: bool) -> Any:
        """Inputs stay in chunks where they are; targets, far fewer numbers, are fetched."""
        if self.early_stopping or self.solver == "lbfgs":
            raise ag.ArgumentValueError(
                f"{type(self).__name__}.fit: inputs of Dask go with neither early_stopping=True "
                "nor solver='lbfgs'; omit these, or pass NumPy's arrays"
            )
        X = to_row_chunks(X, None, "X")
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        return validate_data(self, X, reset=reset, skip_check_array=True), np.asarray(y)

    def _start(self, X: Any, targets: Any) -> None:
        """Draw the network."""
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        self.generator_ = np.random.default_rng(seed)
        self.history_ = History()
        self.model_ = self._network(X.shape[1], self._n_outputs(targets), X.dtype)
        if self.solver != "lbfgs":
            self.optimizer_ = optimizer_by_name(self.solver)(self.model_, self.learning_rate_init)

    def _n_outputs(self, targets: Any) -> int:
        return 1 if targets.ndim == 1 else int(targets.shape[1])

    def _network(self, n_in: int, n_out: int, dtype: Any) -> Sequential:
        hidden = np.atleast_1d(self.hidden_layer_sizes).astype(int).tolist()
        layers: list[Module] = []
        for size in hidden:
            if size < 1:
                raise ag.ArgumentValueError(
                    f"hidden_layer_sizes must be > 0, got {self.hidden_layer_sizes}."
                )
            layers += [Linear(n_in, size, rng=self.generator_, dtype=dtype)]
            layers += [Activation(self.activation)]
            if self.dropout:
                layers += [Dropout(self.dropout, rng=self.generator_)]
            n_in = size
        return Sequential(*layers, Linear(n_in, n_out, rng=self.generator_, dtype=dtype))

    def _penalty(self, n_samples: int, weight: Any) -> float:
        """alpha counts against the sum of the losses of a batch, as in scikit-learn."""
        return float(self.alpha / (n_samples * (1.0 if weight is None else np.mean(weight))))

    def _train(
        self, X: Any, targets: Any, weight: Any, epochs: int, aside: Any, stop: bool = True
    ) -> None:
        size = int(min(200 if self.batch_size == "auto" else self.batch_size, X.shape[0]))
        early_stopping = EarlyStopping(
            "validation_score" if aside else "loss",
            mode="max" if aside else "min",
            patience=self.n_iter_no_change,
            min_delta=self.tol,
            restore_best=aside is not None,
        )
        earlier = len(self.history_)
        fit(
            self.model_,
            X,
            targets,
            loss=self._loss(),
            optimizer=self.optimizer_,
            epochs=epochs,
            batch_size=size,
            sample_weight=weight,
            validation_data=aside,
            metrics={"score": self._score_of} if aside else {},
            callbacks=[early_stopping] if stop else [],
            schedule=self.schedule,
            l2=self._penalty(size, weight),
            history=self.history_,
            rng=self.generator_,
            compile=self.compile,
            progress=bool(self.verbose),
        )
        self._note_results()
        if stop and self.history_.stopped == "finished" and len(self.history_) - earlier == epochs:
            warnings.warn(
                f"the network was still improving after max_iter={epochs} epochs; "
                "give it more, or a larger tol",
                ConvergenceWarning,
                stacklevel=2,
            )

    def _train_lbfgs(self, X: Any, targets: Any, weight: Any) -> None:
        self.history_ = fit_lbfgs(
            self.model_,
            X,
            targets,
            loss=self._loss(),
            iterations=self.max_iter,
            tolerance=self.tol,
            l2=self._penalty(X.shape[0], weight),
            sample_weight=weight,
            compile=self.compile,
        )
        self._note_results()

    def _note_results(self) -> None:
        self.n_iter_ = len(self.history_)
        self.loss_curve_ = self.history_.loss
        self.loss_ = self.loss_curve_[-1]
        self.validation_scores_ = self.history_["validation_score"] or None
        self.n_outputs_ = self.model_[-1].n_out  # type: ignore[attr-defined]
        self.n_layers_ = 1 + sum(isinstance(layer, Linear) for layer in self.model_)

    def _split(self, X: Any, y: Any, targets: Any, weight: Any) -> Any:
        """Set samples aside, as many of each class as there should be."""
        rows = np.arange(X.shape[0])
        stratify = y if isinstance(self, ClassifierMixin) and y.ndim == 1 else None
        kept, aside = train_test_split(
            rows,
            test_size=self.validation_fraction,
            random_state=int(self.generator_.integers(2**31 - 1)),
            stratify=stratify,
        )
        weight = None if weight is None else weight[kept]
        return X[kept], X[aside], targets[kept], targets[aside], weight

    def _validation(self, X: Any, y: Any) -> Any:
        X, y = validate_data(self, X, y, reset=False, multi_output=True, **INPUTS)
        return X, self._targets(y, None, reset=False)

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        if is_dask(X):
            X = validate_data(self, to_row_chunks(X, None, "X"), reset=False, skip_check_array=True)
            return np.asarray(predict(self.model_, X))
        return predict(self.model_, validate_data(self, X, reset=False, **INPUTS))


def optimizer_by_name(solver: str) -> type[Optimizer]:
    """The optimizer of that name in small letters."""
    by_name = {name.lower(): kind for name, kind in optimizers.items()}
    if solver not in by_name:
        raise ag.ArgumentValueError(
            f"there is no solver {solver!r}; use one of {', '.join(by_name)}, lbfgs"
        )
    return by_name[solver]
