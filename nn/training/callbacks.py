"""Callbacks: what happens between the epochs of `nn.fit`."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

import numpy as np

import autograd_lite as ag
from nn.checks import check_range
from nn.models.module import Module
from nn.optimizers import Optimizer
from nn.renaming import renamed_argument
from nn.training.history import History

__all__ = ["Callback", "EarlyStopping", "ReduceOnPlateau", "Run"]


class Run(Protocol):
    """A training run, as callbacks see it; a type for annotations.

    Examples
    --------
    >>> import nn
    >>> class Patient(nn.Callback):
    ...     def after_epoch(self, run: nn.Run) -> None:
    ...         if run.history.loss[-1] < 0.01:
    ...             run.stop("good enough")
    """

    model: Module
    optimizer: Optimizer
    history: History
    rng: np.random.Generator

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""


class Callback:
    """Base class; each method does nothing, a subclass defines those that it needs.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class Print(nn.Callback):
    ...     def after_epoch(self, run):
    ...         print(len(run.history), round(run.history.loss[-1], 3))
    >>> x = np.ones((4, 1))
    >>> model = nn.Linear(1, 1, initializer=nn.initializers.zeros)
    >>> optimizer = nn.SGD(model, learning_rate=0.25)
    >>> _ = nn.fit(model, x, x, loss=nn.mse, optimizer=optimizer, epochs=2,
    ...            callbacks=[Print()], progress=False)
    1 1.0
    2 0.0
    """

    def begin(self, run: Run) -> None:
        """Before the first epoch."""

    def after_epoch(self, run: Run) -> None:
        """After each epoch, when the history has its numbers."""

    def end(self, run: Run) -> None:
        """After the last epoch, also if training was interrupted."""


@dataclass(eq=False, repr=False)
class Monitor(Callback):
    """What the callbacks share that watch one column of the history."""

    monitor: str = "validation_loss"
    _: KW_ONLY
    patience: int = 10
    min_delta: float = 0.0
    mode: str = "min"

    def __post_init__(self) -> None:
        name = type(self).__name__
        if self.mode not in ("min", "max"):
            raise ag.ArgumentValueError(f"{name}: mode is {self.mode!r}; use 'min' or 'max'")
        if self.patience < 0 or self.min_delta < 0:
            raise ag.ArgumentValueError(
                f"{name}: patience is {self.patience!r} and min_delta is {self.min_delta!r}; "
                "neither may be negative"
            )
        self.best = np.inf
        self.waited = 0

    def begin(self, run: Run) -> None:
        """Forget an earlier run."""
        self.best, self.waited = np.inf, 0

    def improved(self, run: Run) -> bool:
        """Whether the last epoch was the best; counts the epochs since."""
        column = run.history[self.monitor]
        if not column:
            raise ag.ArgumentValueError(
                f"{type(self).__name__}: there is no {self.monitor!r} to watch; "
                f"the history has {', '.join(run.history.columns)}"
            )
        value = column[-1] if self.mode == "min" else -column[-1]
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False


@renamed_argument("minimal_change", "min_delta")
@dataclass(eq=False, repr=False)
class EarlyStopping(Monitor):
    """Stop when nothing has improved for a while, and go back to the best weights.

    L. Prechelt, "Early stopping — but when?" (1998).

    Parameters
    ----------
    monitor : str
        The column of the history to watch.
    patience : int
        For how many epochs to go on without improvement.
    min_delta : float
        How much better counts as improvement.
    mode : {"min", "max"}
        Whether smaller or larger is better.
    restore_best : bool
        Whether to go back to the weights of the best epoch at the end.

    Attributes
    ----------
    best_epoch : int
        The number of the best epoch, counted from 0.

    Raises
    ------
    ArgumentValueError
        If there is no such column, or a number is negative.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = nn.Linear(1, 1, rng=0)
    >>> history = nn.fit(model, x, 2 * x, loss=nn.mse, optimizer=nn.SGD(model, learning_rate=0.5),
    ...                  epochs=1000, validation_split=0.25, rng=0, progress=False,
    ...                  callbacks=[nn.EarlyStopping(patience=5, min_delta=1e-6)])
    >>> history.stopped
    'no better validation_loss for 5 epochs'
    """

    _: KW_ONLY
    restore_best: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.best_epoch = 0
        self.best_state: dict[str, Any] | None = None

    def begin(self, run: Run) -> None:
        """Forget an earlier run."""
        super().begin(run)
        self.best_state = None

    def after_epoch(self, run: Run) -> None:
        """Remember the best weights; stop when patience runs out."""
        if self.improved(run):
            self.best_epoch = len(run.history) - 1
            self.best_state = run.model.state_dict() if self.restore_best else None
        elif self.waited >= self.patience:
            run.stop(f"no better {self.monitor} for {self.waited} epochs")

    def end(self, run: Run) -> None:
        """Go back to the best weights."""
        if self.best_state is not None:
            run.model.load_state_dict(self.best_state)


@renamed_argument("minimal_change", "min_delta")
@dataclass(eq=False, repr=False)
class ReduceOnPlateau(Monitor):
    """Multiply the learning rate by a factor whenever nothing has improved for a while.

    Parameters
    ----------
    monitor, patience, min_delta, mode
        As for `EarlyStopping`, whose errors are raised too.
    factor : float
        In (0, 1).
    smallest : float
        ``optimizer.lr_scale`` does not fall below this.

    Examples
    --------
    >>> import nn
    >>> callback = nn.ReduceOnPlateau(patience=3, factor=0.5)
    >>> callback.patience
    3
    """

    _: KW_ONLY
    factor: float = 0.1
    patience: int = 5
    smallest: float = 1e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("ReduceOnPlateau", ("in (0, 1)", lambda x: 0 < x < 1), factor=self.factor)

    def after_epoch(self, run: Run) -> None:
        """Reduce the learning rate when patience runs out."""
        if not self.improved(run) and self.waited >= self.patience:
            run.optimizer.lr_scale = max(run.optimizer.lr_scale * self.factor, self.smallest)
            self.waited = 0
