"""Saving and loading: whole models, weights alone, and checkpoints to go on from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import check_size
from nn.formats.array_files import Contents, FileFormatError, read_file, write_file
from nn.formats.config import from_config, to_config
from nn.models.module import Module
from nn.optimizers import Optimizer
from nn.training.callbacks import Monitor, Run
from nn.training.history import History

__all__ = ["Checkpoint", "load", "load_checkpoint", "load_weights", "save", "save_checkpoint"]

FORMAT = "autograd_lite.nn"
VERSION = 1
LABEL = json.dumps({"name": FORMAT, "version": VERSION})


def save(model: Module, path: str | Path, *, architecture: bool = True) -> None:
    """Write a model to a file, its architecture beside its weights and buffers.

    The file appears whole or not at all; one that was there before stays as it
    is until then.

    Parameters
    ----------
    path : str or Path
        The suffix ``.npz`` or ``.safetensors`` chooses the format.
    architecture : bool
        False saves the weights alone, for `load_weights`.

    Raises
    ------
    ArgumentValueError
        If the suffix is another, or the architecture cannot be written down.

    Examples
    --------
    >>> import tempfile, nn
    >>> model = nn.MLP(2, [3, 1], rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(model, folder + "/model.npz")
    ...     twin = nn.load(folder + "/model.npz")
    >>> bool((twin[0].weight.data == model[0].weight.data).all())
    True
    """
    texts = {"format": LABEL}
    if architecture:
        texts["architecture"] = json.dumps(to_config(model))
    write_file(path, model.state_dict(), texts)


def load(path: str | Path, *, classes: Iterable[type[Module]] = ()) -> Module:
    """Read a model that `save` wrote, in ``eval`` mode.

    Parameters
    ----------
    classes : iterable of type
        Classes of one's own that the model contains, besides those of nn.

    Raises
    ------
    FileFormatError
        If the file is corrupt, truncated, of a later version, holds other
        weights than its architecture needs (the message names the parameter),
        or names an unknown class.

    Examples
    --------
    >>> import tempfile, nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(nn.Linear(2, 3), folder + "/model.safetensors")
    ...     nn.load(folder + "/model.safetensors")
    Linear(2, 3)
    """
    arrays, texts = read(path)
    if "architecture" not in texts:
        raise FileFormatError(
            f"{Path(path).name}: it holds weights without an architecture; "
            "build the model and use nn.load_weights"
        )
    try:
        config = json.loads(texts["architecture"])
    except (ValueError, RecursionError) as error:
        raise FileFormatError(f"{Path(path).name}: its architecture is not JSON") from error
    n_numbers = sum(array.size for array in arrays.values())
    try:
        model = from_config(config, classes, limit=n_numbers).eval()
    except ag.ArgumentValueError as error:
        raise FileFormatError(f"{Path(path).name}: {error}") from error
    load_arrays(model, arrays, path)
    return model


def load_weights(model: Module, path: str | Path) -> None:
    """Read the weights of a file that `save` wrote into a model of the same architecture.

    If the file is damaged, or holds the weights of another architecture, a
    `FileFormatError` names the parameter, and the model is not changed.

    Examples
    --------
    >>> import tempfile, nn
    >>> model, twin = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save(model, folder + "/weights.npz", architecture=False)
    ...     nn.load_weights(twin, folder + "/weights.npz")
    >>> bool((twin.weight.data == model.weight.data).all())
    True
    """
    arrays, _ = read(path)
    load_arrays(model, arrays, path)


def read(path: str | Path) -> Contents:
    """The contents of a file; those of something else, and of versions to come, are refused."""
    arrays, texts = read_file(path)
    try:
        found = json.loads(texts.get("format", "{}"))
        name, version = found["name"], int(found["version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        name, version = None, 0
    if name != FORMAT:
        raise FileFormatError(f"{Path(path).name}: it was not written by nn.save")
    if version > VERSION:
        raise FileFormatError(
            f"{Path(path).name}: it has the format version {version}, and this nn reads up to "
            f"{VERSION}; update autograd-lite"
        )
    return arrays, texts


def load_arrays(model: Module, arrays: dict[str, Any], path: str | Path) -> None:
    """Write arrays into a model, and name the file if they do not fit."""
    try:
        model.load_state_dict(arrays)
    except ag.ArgumentValueError as error:
        raise FileFormatError(f"{Path(path).name}: {error}") from error


# Checkpoints: all that training needs to go on.


def save_checkpoint(
    path: str | Path,
    model: Module,
    optimizer: Optimizer,
    history: History,
    rng: np.random.Generator | None = None,
) -> None:
    """Write everything that training needs to go on as if it had not been interrupted.

    Parameters
    ----------
    path : str or Path
        The suffix ``.npz`` or ``.safetensors`` chooses the format.
    rng : numpy.random.Generator, optional
        The one that was passed to `fit`.

    Examples
    --------
    >>> import tempfile, nn
    >>> model = nn.MLP(2, [3, 1], rng=0)
    >>> optimizer = nn.Adam(model)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     nn.save_checkpoint(folder + "/run.npz", model, optimizer, nn.History())
    ...     nn.load_checkpoint(folder + "/run.npz", model, optimizer)
    <History, empty>
    """
    arrays = {f"model.{name}": array for name, array in model.state_dict().items()}
    arrays |= {f"optimizer.{name}": array for name, array in optimizer.state_dict().items()}
    texts = {"format": LABEL, "history": history.to_json()}
    if rng is not None:
        texts["rng"] = json.dumps(rng.bit_generator.state)
    write_file(path, arrays, texts)


def load_checkpoint(
    path: str | Path, model: Module, optimizer: Optimizer, rng: np.random.Generator | None = None
) -> History:
    """Read a checkpoint into a model, its optimizer and the generator; return its history.

    With that as ``history`` `fit` goes on.

    Parameters
    ----------
    model, optimizer
        Made like those of the checkpoint; they are changed only if everything fits.
    rng : numpy.random.Generator, optional
        Gets the state of the one that was saved.

    Raises
    ------
    FileFormatError
        If the file is damaged or of another model or optimizer.

    Examples
    --------
    See `save_checkpoint`.

    >>> import nn
    >>> nn.load_checkpoint("no.npz", nn.Linear(1, 1), None)
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no.npz'
    """
    arrays, texts = read(path)
    parts: dict[str, dict[str, Any]] = {"model": {}, "optimizer": {}}
    for name, array in arrays.items():
        kind, _, rest = name.partition(".")
        parts.setdefault(kind, {})[rest] = array
    before = model.state_dict(), optimizer.state_dict()
    load_arrays(model, parts["model"], path)
    try:
        history = History.from_json(texts["history"])
        optimizer.load_state_dict(parts["optimizer"])
        if rng is not None:
            rng.bit_generator.state = json.loads(texts["rng"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        raise FileFormatError(
            f"{Path(path).name}: it is not a checkpoint of this training: {error}"
        ) from error
    return history


class Checkpoint(Monitor):
    """A callback that saves a checkpoint after epochs; see `save_checkpoint`.

    Parameters
    ----------
    path : str or Path
        The file; each checkpoint replaces the last, atomically.
    every : int
        How many epochs lie between checkpoints, at least 1.
    best_only : bool
        Save only when ``monitor`` has improved.
    monitor, mode
        As for `EarlyStopping`, whose errors are raised too.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, nn
    >>> x = np.ones((4, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = nn.fit(nn.Linear(1, 1), x, x, loss=nn.mse, epochs=2, progress=False,
    ...                callbacks=[nn.Checkpoint(folder + "/run.npz")])
    ...     print([file.name for file in pathlib.Path(folder).iterdir()])
    ['run.npz']
    """

    def __init__(
        self,
        path: str | Path,
        *,
        every: int = 1,
        best_only: bool = False,
        monitor: str = "validation_loss",
        mode: str = "min",
    ) -> None:
        super().__init__(monitor, mode=mode)
        self.path = path
        self.every = check_size("Checkpoint", "every", every)
        self.best_only = best_only

    def after_epoch(self, run: Run) -> None:
        """Save, if it is time."""
        due = len(run.history) % self.every == 0
        if self.best_only:
            due = self.improved(run)
        if due:
            save_checkpoint(self.path, run.model, run.optimizer, run.history, run.rng)
