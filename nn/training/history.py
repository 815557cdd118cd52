"""History: what training saw, epoch by epoch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import nan
from typing import Any, ClassVar

import autograd_lite as ag

__all__ = ["History", "Progress"]


@dataclass
class Progress:
    """Where a run stands beside its history, model and optimizer: enough to go on bit for bit.

    Attributes
    ----------
    split : dict, optional
        The state of the generator that drew the samples for validation.
    callbacks : list of (str, dict)
        The names of the callbacks' classes, and what each one remembers.
    batch, n_batches : int
        Finished batches of an epoch that is not finished, and all of them.
    epoch : dict, optional
        The state of the generator when that epoch began.
    metrics : list
        What was counted of that epoch.
    gradients : dict, tally : list
        What was accumulated for a step that is not taken, by the numbers of the parameters;
        and what its batches add up to.
    rng : dict, optional
        The state of the generator, where another one has taken its place.
    """

    split: Any = None
    callbacks: list[Any] = field(default_factory=list)
    batch: int = 0
    n_batches: int = 0
    epoch: Any = None
    metrics: list[Any] = field(default_factory=list)
    gradients: Any = field(default_factory=dict)
    tally: list[Any] = field(default_factory=list)
    rng: Any = None


class History:
    """One list of numbers for each thing watched during training, one number an epoch.

    ``history["accuracy"]`` is the list of a metric, ``history["validation_accuracy"]``
    the same on the validation data; a name that was not watched gives an empty list.

    Attributes
    ----------
    columns : dict of list of float
        All lists by name.
    stopped : str
        Why training ended: "finished", "interrupted", or what a callback said.

    Examples
    --------
    >>> import nn
    >>> history = nn.History()
    >>> history.append(loss=0.5)
    >>> history.append(loss=0.25)
    >>> history.loss
    [0.5, 0.25]
    """

    plotter: ClassVar[Callable[..., Any]]
    """Draws columns; `nn.plots` puts it here, since plots are made of what is trained."""

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {}
        self.stopped = ""
        self.progress = Progress()

    def append(self, /, **numbers: float) -> None:
        """Add the numbers of one epoch; NaN fills what a column lacks of earlier ones."""
        last = len(self)
        is_new = any(len(self[name]) == last for name in numbers)
        epoch = last if is_new else last - 1  # more numbers of the last one
        for name, number in numbers.items():
            column = self.columns.setdefault(name, [])
            column += [nan] * (epoch - len(column)) + [float(number)]

    @property
    def loss(self) -> list[float]:
        """The mean loss over the samples of each epoch, as they were trained on."""
        return self["loss"]

    @property
    def learning_rate(self) -> list[float]:
        """The learning rate of the last step of each epoch, that of the first group."""
        return self["learning_rate"]

    @property
    def validation_loss(self) -> list[float]:
        """The loss on the validation data after each epoch; empty without such data."""
        return self["validation_loss"]

    def __getitem__(self, name: str) -> list[float]:
        return self.columns.get(name, [])

    def __len__(self) -> int:
        return max(map(len, self.columns.values()), default=0)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.columns.items())
        return f"<History of {len(self)} epochs; last: {last}>" if last else "<History, empty>"

    def to_dict(self) -> dict[str, Any]:
        """Everything in plain Python types.

        Examples
        --------
        >>> import nn
        >>> history = nn.History()
        >>> history.append(loss=0.5)
        >>> history.to_dict()
        {'columns': {'loss': [0.5]}, 'stopped': ''}
        """
        columns = {name: list(values) for name, values in self.columns.items()}
        return {"columns": columns, "stopped": self.stopped}

    @classmethod
    def from_dict(cls, contents: dict[str, Any]) -> History:
        """The inverse of `to_dict`."""
        history = cls()
        try:
            columns, stopped = contents["columns"].items(), contents["stopped"]
            history.columns = {name: [float(x) for x in values] for name, values in columns}
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise not_written(f"{type(error).__name__}: {error}") from None
        history.stopped = str(stopped)
        return history

    def to_json(self) -> str:
        """`to_dict` as JSON.

        Examples
        --------
        >>> import nn
        >>> history = nn.History()
        >>> history.append(loss=0.5)
        >>> nn.History.from_json(history.to_json()).loss
        [0.5]
        """
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> History:
        """The inverse of `to_json`."""
        try:
            contents = json.loads(text)
        except (TypeError, ValueError) as error:
            raise not_written(str(error)) from None
        return cls.from_dict(contents)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with a row for each epoch."""
        try:
            import pandas
        except ImportError as error:
            raise ag.MissingOptionError(
                "History.to_pandas needs pandas; install it with: pip install pandas"
            ) from error
        return pandas.DataFrame({name: pandas.Series(c) for name, c in self.columns.items()})

    @ag.deprecation.renamed_arguments(axes="ax")
    def plot(self, ax: Any = None) -> Any:
        """Draw the learning curves, without learning rates; see `nn.plots.learning_curves`."""
        shown = {n: c for n, c in self.columns.items() if not n.startswith("learning_rate")}
        return History.plotter(shown, ax=ax)


def not_written(reason: str) -> ag.ArgumentValueError:
    """The error for what no history has given."""
    return ag.ArgumentValueError(
        f"History: this is not what a history was written as: {reason}; pass what to_dict() or "
        "to_json() returned"
    )
