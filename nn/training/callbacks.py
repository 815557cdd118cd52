"""Callbacks: what happens between the epochs and batches of `nn.fit`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

import autograd_lite as ag
from nn.checks import NOT_NEGATIVE, Range, check_flags, check_range
from nn.losses import losses
from nn.losses.reduction import Loss
from nn.models.module import Module
from nn.optimizers import Optimizer
from nn.training.batches import Batches
from nn.training.history import History
from nn.training.outputs import function_of

__all__ = ["Callback", "EarlyStopping", "ReduceOnPlateau", "Run"]

EPOCHS: Range = ("a whole number of epochs", lambda n: n % 1 == 0)


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
    loss: Loss
    optimizer: Optimizer
    batches: Batches
    history: History
    callbacks: list[Any]
    metrics: dict[str, Any]
    validation_data: Any
    rng: np.random.Generator
    epoch: int
    batch: int
    batch_loss: float

    @property
    def columns(self) -> list[str]:
        """The columns that the history will grow by, but for those that callbacks add."""

    def stop(self, reason: str) -> None:
        """End the training after this epoch."""

    def note(self) -> None:
        """Take down in the history where the run stands, for another one to go on from."""


class Callback:
    """Base class; each method does nothing, a subclass defines those that it needs.

    Attributes
    ----------
    state : tuple of str
        Class attribute: names of attributes that are what it remembers of a run; they are
        kept in checkpoints, and by a history that another `fit` goes on from.
    comes_last : bool
        Class attribute: whether it is called after the others, and ends before them.

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

    state: ClassVar[tuple[str, ...]] = ()
    comes_last: ClassVar[bool] = False

    def state_dict(self) -> dict[str, Any]:
        """What it remembers."""
        return {name: getattr(self, name) for name in self.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember what one like it saw, after ``begin``."""
        for name in self.state:
            setattr(self, name, state[name])

    def begin(self, run: Run) -> None:
        """Before the first epoch."""

    def before_epoch(self, run: Run) -> None:
        """Before each epoch; ``run.epoch`` counts those that are finished.

        Not again where an epoch that was interrupted goes on: what is set here for later
        belongs in ``state``.
        """

    def before_batch(self, run: Run) -> None:
        """Before each batch; ``run.batch`` counts those of the epoch that are finished."""

    def after_batch(self, run: Run) -> None:
        """After each batch, whose loss is ``run.batch_loss``."""

    def after_epoch(self, run: Run) -> None:
        """After each epoch, when the history has its numbers."""

    def end(self, run: Run) -> None:
        """After the last epoch, also if training was interrupted."""


@dataclass(eq=False, repr=False)
class Monitor(Callback):
    """What the callbacks share that watch one column of the history."""

    state: ClassVar[tuple[str, ...]] = ("best", "waited")
    monitor: str = "validation_loss"
    _: KW_ONLY
    patience: int = 10
    min_delta: float = 0.0
    mode: str = "auto"

    def __post_init__(self) -> None:
        self._check_settings()
        self.best = np.inf
        self.waited = 0

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse later too what is no setting."""
        is_late = "waited" in vars(self) and name not in self.state
        before = vars(self).get(name)
        object.__setattr__(self, name, value)
        if is_late:
            try:
                self._check_settings()
            except ag.AutogradError:
                object.__setattr__(self, name, before)
                raise

    def _check_settings(self) -> None:
        """Refuse settings that mean nothing."""
        name = type(self).__name__
        if not isinstance(self.monitor, str):
            raise ag.ArgumentTypeError(
                f"{name}: monitor is {self.monitor!r}; give the name of a column of the history, "
                "such as 'validation_loss'"
            )
        if self.mode not in ("auto", "min", "max"):
            raise ag.ArgumentValueError(
                f"{name}: mode is {self.mode!r}; use 'auto', 'min' or 'max'"
            )
        check_range(name, NOT_NEGATIVE, patience=self.patience, min_delta=self.min_delta)
        check_range(name, EPOCHS, patience=self.patience)

    @property
    def watches(self) -> bool:
        """Whether the column is looked at."""
        return True

    def begin(self, run: Run) -> None:
        """Forget an earlier run; refuse a column that there will not be, or of unknown direction.

        Callbacks of one's own may add columns, so that these are missed after an epoch only.
        """
        no_data = self.monitor.startswith("validation_") and run.validation_data is None
        if self.watches and no_data:
            raise ag.ArgumentValueError(
                f"{type(self).__name__}: there is no {self.monitor!r} to watch without validation "
                "data; pass fit validation_data or validation_split, or watch "
                f"{self.monitor.removeprefix('validation_')!r}"
            )
        if self.watches:
            if self.monitor not in run.columns and all(map(is_of_nn, run.callbacks)):
                raise self._missing(run.columns)
            self._larger_is_better(run)
        self.best, self.waited = np.inf, 0

    def _missing(self, columns: Iterable[str]) -> ag.ArgumentValueError:
        """The error for a column that is missing."""
        return ag.ArgumentValueError(
            f"{type(self).__name__}: there is no {self.monitor!r} to watch; "
            f"the history has {', '.join(columns)}"
        )

    def improved(self, run: Run) -> bool:
        """Whether the last epoch was the best; counts the epochs since."""
        column = run.history[self.monitor]
        if len(column) < len(run.history):  # of an earlier run at best
            columns = run.history.columns.items()
            raise self._missing(name for name, c in columns if len(c) == len(run.history))
        value = -column[-1] if self._larger_is_better(run) else column[-1]
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            return True
        self.waited += 1
        return False

    def _larger_is_better(self, run: Run) -> bool:
        """The direction, which the metric knows unless it was given."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.removeprefix("validation_")
        given: Any = run.metrics.get(name)
        metric: Any = function_of(given)
        if name == "loss" or metric in losses.values() or getattr(given, "is_loss", False):
            return False
        if not hasattr(metric, "larger_is_better"):
            raise ag.ArgumentValueError(
                f"{type(self).__name__}: it is not known whether a larger {self.monitor!r} is "
                "better; pass mode='max' or mode='min'"
            )
        return bool(metric.larger_is_better)


def is_of_nn(callback: Callback) -> bool:
    """Whether a callback is one of this package, none of which adds a column to be watched."""
    return type(callback).__module__.partition(".")[0] == "nn"


@ag.deprecation.renamed_arguments(minimal_change="min_delta")
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
    mode : {"auto", "min", "max"}
        Whether smaller or larger is better; by default as the loss or the metric has it, of
        one's own if it has an attribute ``larger_is_better``.
    restore_best : bool
        Whether to go back to the weights of the best epoch at the end; not where Ctrl-C has
        interrupted the training, which another `fit` may go on with.

    Attributes
    ----------
    best_epoch : int
        The number of the best epoch, counted from 0.
    best_state : dict
        Its weights, for ``model.load_state_dict``; None if ``restore_best`` is False.

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

    state = (*Monitor.state, "best_epoch", "best_state")

    _: KW_ONLY
    restore_best: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.best_epoch = 0
        self.best_state: dict[str, Any] | None = None

    def _check_settings(self) -> None:
        """Refuse settings that mean nothing."""
        super()._check_settings()
        check_flags("EarlyStopping", restore_best=self.restore_best)

    def begin(self, run: Run) -> None:
        """Forget an earlier run."""
        super().begin(run)
        self.best_epoch, self.best_state = 0, None

    def after_epoch(self, run: Run) -> None:
        """Remember the best weights; stop when patience runs out."""
        if self.improved(run):
            self.best_epoch = len(run.history) - 1
            self.best_state = run.model.state_dict() if self.restore_best else None
        elif self.waited >= self.patience:
            run.stop(f"no better {self.monitor} for {self.waited} epochs")

    def end(self, run: Run) -> None:
        """Go back to the best weights, unless the training is to go on from where it was."""
        if self.best_state is not None and run.history.stopped != "interrupted":
            run.model.load_state_dict(self.best_state)


@ag.deprecation.renamed_arguments(minimal_change="min_delta")
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
        ``optimizer.lr_scale`` is not made smaller than this.

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

    def _check_settings(self) -> None:
        """Refuse settings that mean nothing."""
        super()._check_settings()
        check_range("ReduceOnPlateau", ("in (0, 1)", lambda x: 0 < x < 1), factor=self.factor)
        check_range("ReduceOnPlateau", NOT_NEGATIVE, smallest=self.smallest)

    def after_epoch(self, run: Run) -> None:
        """Reduce the learning rate when patience runs out."""
        if not self.improved(run) and self.waited >= self.patience:
            scale = run.optimizer.lr_scale
            run.optimizer.lr_scale = min(scale, max(scale * self.factor, self.smallest))
            self.waited = 0
