"""Training: mini-batches, a progress bar, and a record of how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from tqdm import tqdm

import autograd_lite as ag
from nn.layers import RandomState
from nn.module import Module
from nn.optimizers import Adam, Optimizer

__all__ = ["History", "fit", "predict"]

Array = np.ndarray[Any, Any]
Loss = Callable[[Any, Any], Any]
OptimizerFactory = Callable[[Module], Optimizer]


class History:
    """What `fit` saw: one list of numbers for each thing watched, one number an epoch.

    Attributes
    ----------
    loss : list of float
        The mean loss over the batches of each epoch, as they were trained on.
    validation_loss : list of float
        The loss on the validation data after each epoch; empty without such data.

    Examples
    --------
    >>> import nn
    >>> history = nn.History()
    >>> history.append(loss=0.5)
    >>> history.append(loss=0.25)
    >>> history.loss
    [0.5, 0.25]
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[float]] = {}

    def append(self, **numbers: float) -> None:
        """Add the numbers of one epoch."""
        for name, number in numbers.items():
            self.columns.setdefault(name, []).append(number)

    @property
    def loss(self) -> list[float]:
        return self["loss"]

    @property
    def validation_loss(self) -> list[float]:
        return self["validation_loss"]

    def __getitem__(self, name: str) -> list[float]:
        return self.columns.get(name, [])

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        last = ", ".join(f"{name}={values[-1]:.4g}" for name, values in self.columns.items())
        return f"<History of {len(self)} epochs; last: {last}>" if last else "<History, empty>"


def fit(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss,
    optimizer: Optimizer | OptimizerFactory = Adam,
    epochs: int = 10,
    batch_size: int = 32,
    validation_data: tuple[Any, Any] | None = None,
    rng: RandomState = None,
    progress: bool = True,
) -> History:
    """Train a model on shuffled mini-batches.

    Parameters
    ----------
    model : Module
        Is trained in place.
    x, y : array_like
        Inputs and targets, samples first.  Floats are converted to the dtype
        of the model's parameters.
    loss : callable
        ``loss(outputs, targets)``, from `nn.losses` or of one's own.
    optimizer : Optimizer or callable
        An optimizer of the model's parameters; or what makes one from the
        model, such as the class `Adam` itself.
    epochs : int
        How often the data are gone through.
    batch_size : int
        How many samples make a step; the last batch of an epoch may be smaller.
    validation_data : tuple of array_like, optional
        Inputs and targets to compute ``validation_loss`` on after each epoch.
    rng : numpy.random.Generator or int, optional
        Shuffles the samples; the same seed gives the same training.
    progress : bool
        Whether a progress bar is shown.

    Returns
    -------
    History
        The losses, epoch by epoch.

    Raises
    ------
    ArgumentValueError
        If the data hold NaN or infinity, are empty or differ in length, or
        ``epochs`` or ``batch_size`` is not a positive integer.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = nn.Linear(1, 1, rng=0)
    >>> optimizer = nn.SGD(model, learning_rate=0.3)
    >>> history = nn.fit(model, x, 2 * x + 1, loss=nn.mse, optimizer=optimizer,
    ...                  epochs=50, batch_size=10, rng=0, progress=False)
    >>> model.weight.data.round(3), model.bias.data.round(3)
    (array([[2.]]), array([1.]))
    """
    check_count("epochs", epochs)
    check_count("batch_size", batch_size)
    x, y = checked_data(x, y, model, "x", "y")
    if validation_data is not None:
        validation_data = checked_data(
            *validation_data, model, "validation_data[0]", "validation_data[1]"
        )
    rng = np.random.default_rng(rng)
    infer_shapes(model, x)
    if not isinstance(optimizer, Optimizer):
        optimizer = optimizer(model)
    history = History()
    model.train()
    try:
        with tqdm(total=epochs, unit="epoch", disable=not progress) as bar:
            for _ in range(epochs):
                numbers = {"loss": train_epoch(model, x, y, loss, optimizer, batch_size, rng)}
                if validation_data is not None:
                    outputs = predict(model, validation_data[0])
                    numbers["validation_loss"] = float(loss(outputs, validation_data[1]))
                history.append(**numbers)
                bar.set_postfix({name: f"{number:.4g}" for name, number in numbers.items()})
                bar.update()
    finally:
        model.eval()
    return history


def train_epoch(
    model: Module,
    x: Array,
    y: Array,
    loss: Loss,
    optimizer: Optimizer,
    batch_size: int,
    rng: np.random.Generator,
) -> float:
    """Go through the data once, in random order; return the mean loss of the samples."""
    total = 0.0
    for rows in batches(rng.permutation(len(x)), batch_size):
        value = loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        value.backward(retain_graph=False)
        optimizer.step()
        total += len(rows) * float(value)
    return total / len(x)


def batches(rows: Array, batch_size: int) -> Iterator[Array]:
    """Pieces of ``rows``, in order."""
    for start in range(0, len(rows), batch_size):
        yield rows[start : start + batch_size]


def predict(model: Module, x: Any, *, batch_size: int = 1024) -> Array:
    """The outputs of a model in use, computed batch by batch and without a graph.

    Parameters
    ----------
    model : Module
        Is set to ``eval`` for the time of the call.
    x : array_like
        Inputs, samples first.
    batch_size : int
        How many samples are computed at once.

    Returns
    -------
    array
        The outputs, samples first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.predict(nn.MLP(2, [3, 1]), np.zeros((5, 2))).shape
    (5, 1)
    """
    check_count("batch_size", batch_size)
    x = in_dtype_of(model, np.asarray(x))
    training = model.training
    model.eval()
    try:
        with ag.no_grad():
            parts = [
                np.asarray(model(x[start : start + batch_size]))
                for start in range(0, max(len(x), 1), batch_size)
            ]
    finally:
        model.train(training)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def infer_shapes(model: Module, x: Array) -> None:
    """Run the model once, so that layers without ``n_in`` learn it from their input."""
    predict(model, x[:1])


# Checks.


def check_count(name: str, count: Any) -> None:
    """Refuse a number of epochs or samples that is not a positive integer."""
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ag.ArgumentValueError(f"fit: {name} is {count!r}; it must be a positive integer")


def checked_data(x: Any, y: Any, model: Module, x_name: str, y_name: str) -> tuple[Array, Array]:
    """Inputs and targets as arrays, checked to be finite and of equal, positive length."""
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise ag.ArgumentValueError(
            f"fit: {x_name} has shape {x.shape} and {y_name} has shape {y.shape}; "
            "both need the same number of samples, at least one, along their first axis"
        )
    for name, array in ((x_name, x), (y_name, y)):
        if array.dtype.kind not in "fiub":
            raise ag.ArgumentTypeError(
                f"fit: {name} has dtype {array.dtype}; it must hold real numbers"
            )
        check_finite(name, array)
    return in_dtype_of(model, x), in_dtype_of(model, y)


def check_finite(name: str, array: Array) -> None:
    """Refuse NaN and infinity, and say where they are."""
    if array.dtype.kind != "f" or np.isfinite(np.sum(array)):
        return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise ag.ArgumentValueError(
            f"fit: {name} holds {len(bad)} NaN or infinite numbers, the first at "
            f"{first if len(first) > 1 else first[0]}; remove or replace them before training"
        )


def in_dtype_of(model: Module, array: Array) -> Array:
    """Floats in the dtype that the model computes in; other dtypes as they are."""
    if array.dtype.kind != "f":
        return array
    for parameter in model.parameters():
        return array.astype(parameter.dtype, copy=False)
    return array
