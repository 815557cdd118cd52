"""Saving and loading: whole models, weights alone, and checkpoints to go on from."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import autograd_lite as ag
from nn.checks import check_flags, check_folder, check_size
from nn.formats.array_files import (
    Contents,
    FileFormatError,
    equal_arrays,
    format_of,
    read_file,
    write_file,
)
from nn.formats.config import (
    MALFORMED,
    PLAIN,
    Builder,
    Writer,
    checked_classes,
    from_config,
    own_classes,
    to_config,
)
from nn.formats.torch import from_torch
from nn.models.module import Module, Unmatched
from nn.optimizers import Optimizer
from nn.training.callbacks import Monitor, Run
from nn.training.data import check_model
from nn.training.history import History, Progress

__all__ = ["Checkpoint", "load", "load_checkpoint", "load_weights", "save", "save_checkpoint"]

FORMAT = "autograd_lite.nn"
VERSION = 2
Function = TypeVar("Function", bound=Callable[..., Any])
LABEL = json.dumps({"name": FORMAT, "version": VERSION})


def save(model: Module, path: str | os.PathLike[str], *, architecture: bool = True) -> None:
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
    check_model("save", model)
    texts, state = {"format": LABEL}, model.state_dict()
    check_flags("save", architecture=architecture)
    if architecture:
        texts["architecture"] = verified_architecture(model, state)
    write_file(path, state, texts)


def verified_architecture(model: Module, state: dict[str, Any]) -> str:
    """The architecture as text, from which the same model can be built."""
    text = json.dumps(to_config(model))
    twin = from_config(json.loads(text), own_classes(model))
    twin.load_state_dict(state)
    if json.dumps(to_config(twin)) != text or not equal_arrays(twin.state_dict(), state):
        raise ag.ArgumentValueError(
            f"save: what is rebuilt from the description of this {type(model).__name__} is "
            "another model; save the weights alone with architecture=False"
        )
    return text


def load(path: str | os.PathLike[str], *, classes: Iterable[type[Module]] = ()) -> Module:
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
    own = checked_classes("load", classes)
    arrays, texts = read(path)
    if "architecture" not in texts:
        raise FileFormatError(
            f"{ag.files.as_path(path).name}: it holds weights without an architecture; "
            "build the model and use nn.load_weights"
        )
    name = ag.files.as_path(path).name
    try:
        config = json.loads(texts["architecture"])
    except (ValueError, RecursionError):
        raise FileFormatError(f"{name}: its architecture is not JSON") from None
    limit = 2 * sum(array.size for array in arrays.values())  # what is missing gets named below
    try:
        model = from_config(config, own, limit=limit).eval()
        load_arrays(model, arrays, path)
    except FileFormatError:
        raise
    except ag.ArgumentValueError as error:
        raise FileFormatError(f"{name}: {error}") from None
    except MALFORMED as error:
        raise FileFormatError(f"{name}: its architecture is damaged ({error})") from None
    return model


def load_weights(
    model: Module,
    path: str | os.PathLike[str],
    *,
    strict: bool = True,
    prefix: str = "",
    layout: str | None = None,
) -> Unmatched | None:
    """Read the weights of a file into a model of the same architecture, or a part of it.

    Parameters
    ----------
    strict : bool
        False leaves parameters alone that the file lacks, and ignores what the model lacks.
    prefix : str
        Take only what is named so at the beginning, and without that: the weights of the
        layer ``0`` of another model have the prefix ``"0."``.
    layout : {"nn", "torch"}, optional
        How weights lie in a file that `save` did not write: ``(in_features, out_features)`` as
        here, or ``(out_features, in_features)`` as in PyTorch, whose names are known too.  It need
        not be said of files whose metadata have the format ``pt``.

    Returns
    -------
    Unmatched, optional
        The names without a match, if this is not ``strict``.

    Raises
    ------
    FileFormatError
        If the file is damaged, or holds the weights of another architecture; the message
        names the parameter, and the model is not changed.

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
    check_model("load_weights", model)
    if layout not in (None, "nn", "torch"):
        raise ag.ArgumentValueError(
            f"load_weights: layout is {layout!r}; pass 'nn' for weights of shape "
            "(in_features, out_features), or 'torch' for (out_features, in_features)"
        )
    if not isinstance(prefix, str):
        raise ag.ArgumentTypeError(f"load_weights: prefix is {prefix!r}; pass a text, such as '0.'")
    arrays, texts = read_file(path)
    name = ag.files.as_path(path).name
    if is_ours(texts):
        check_version(texts, name)
        if layout == "torch":
            raise ag.ArgumentValueError(
                f"load_weights: {name} was written by nn.save, whose weights do not lie as those "
                "of PyTorch; leave out layout"
            )
        layout = "nn"
    elif layout is None and texts.get("format") == "pt":
        layout = "torch"
    elif layout is None:
        raise FileFormatError(
            f"{name}: it was not written by nn.save, so it is not known how its weights lie; pass "
            "layout='torch' for those of PyTorch, (out_features, in_features), or layout='nn' for "
            "(in_features, out_features)"
        )
    n_given = len(arrays)
    arrays = {k[len(prefix) :]: array for k, array in arrays.items() if k.startswith(prefix)}
    if not arrays:
        raise FileFormatError(
            f"{name}: none of the {n_given} names in it begins with {prefix!r}; look at the names, "
            "or leave out the prefix"
        )
    if layout == "torch":
        arrays = from_torch(model, arrays)
    return load_arrays(model, arrays, path, strict)


def read(path: str | os.PathLike[str]) -> Contents:
    """The contents of a file; those of something else, and of versions to come, are refused."""
    arrays, texts = read_file(path)
    if not is_ours(texts):
        raise FileFormatError(f"{ag.files.as_path(path).name}: it was not written by nn.save")
    check_version(texts, ag.files.as_path(path).name)
    return arrays, texts


def is_ours(texts: dict[str, str]) -> bool:
    """Whether a file was written here."""
    try:
        found = json.loads(texts.get("format", "{}"))
        name, version = found["name"], found["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return bool(name == FORMAT and type(version) is int and version >= 1)


def check_version(texts: dict[str, str], name: str) -> None:
    """Refuse what a later version has written."""
    version = json.loads(texts["format"])["version"]
    if version > VERSION:
        raise FileFormatError(
            f"{name}: it has the format version {version}, and this nn reads up to {VERSION}; "
            "update autograd-lite"
        )


def load_arrays(
    model: Module, arrays: dict[str, Any], path: str | os.PathLike[str], strict: bool = True
) -> Unmatched | None:
    """Write arrays into a model, and name the file if they do not fit."""
    try:
        return model.load_state_dict(arrays, strict=strict)
    except ag.ArgumentValueError as error:
        raise FileFormatError(f"{ag.files.as_path(path).name}: {error}") from None


# Checkpoints: all that training needs to go on.


def model_first(function: Function) -> Function:
    """Take the path before the model too, as version 0.1 did."""

    @wraps(function)
    def call(model: Any, path: Any = None, *args: Any, **kwargs: Any) -> Any:
        if isinstance(model, str | Path):
            message = f"{function.__name__}: the model comes before the path now; swap the two"
            warnings.warn(message, DeprecationWarning, stacklevel=2)
            model, path = path, model
        return function(model, path, *args, **kwargs)

    return call  # type: ignore[return-value]


@model_first
def save_checkpoint(
    model: Module,
    path: str | os.PathLike[str],
    optimizer: Optimizer,
    history: History,
    rng: np.random.Generator | None = None,
) -> None:
    """Write everything that training needs to go on as if it had not been interrupted.

    Parameters, buffers and what is frozen; the optimizer's state and hyperparameters; numbers,
    texts and random generators in attributes of modules; the history, what is set aside for
    validation, what callbacks remember (their ``state``), and the position within an epoch.

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
    ...     nn.save_checkpoint(model, folder + "/run.npz", optimizer, nn.History())
    ...     nn.load_checkpoint(model, folder + "/run.npz", optimizer)
    <History, empty>
    """
    arrays = {f"model.{name}": array for name, array in model.state_dict().items()}
    state = optimizer.state_dict()
    texts = {"format": LABEL, "history": history.to_json(), "optimizer": str(state.pop("class"))}
    arrays |= {f"optimizer.{name}": array for name, array in state.items()}
    texts["progress"] = json.dumps(Writer().value(vars(history.progress), "a callback's state"))
    texts["settings"] = json.dumps(settings_of(model))
    if rng is not None:
        texts["rng"] = json.dumps(Writer().value(rng, "rng"))
    write_file(path, arrays, texts)


def settings_of(model: Module) -> dict[str, Any]:
    """What callbacks may change besides arrays: numbers and texts of modules, what is frozen.

    Also the states of the generators that modules draw from.
    """
    kinds = (*PLAIN, np.random.Generator)
    return {
        "frozen": [name for name, p in model.named_parameters() if not p.requires_grad],
        "modules": {
            prefix: {
                name: Writer().value(value, name)
                for name, value in vars(module).items()
                if isinstance(value, kinds) and name != "training"
            }
            for prefix, module in model.named_modules()
        },
    }


def apply_settings(model: Module, settings: dict[str, Any]) -> None:
    """The inverse of `settings_of`; generators stay, and get the states of those written down."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name not in settings["frozen"]
    for prefix, module in model.named_modules():
        for name, value in settings["modules"].get(prefix, {}).items():
            own, value = vars(module).get(name), Builder([], None).decode(value)
            if isinstance(own, np.random.Generator):
                own.bit_generator.state = value.bit_generator.state
            else:
                setattr(module, name, value)


@model_first
def load_checkpoint(
    model: Module,
    path: str | os.PathLike[str],
    optimizer: Optimizer,
    rng: np.random.Generator | None = None,
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
    >>> nn.load_checkpoint(nn.Linear(1, 1), "no.npz", None)
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no.npz'
    """
    check_model("load_checkpoint", model)
    arrays, texts = read(path)
    if not isinstance(rng, np.random.Generator | None):
        raise ag.ArgumentTypeError(
            f"load_checkpoint: rng is {rng!r}; pass the generator that fit is given, such as "
            "np.random.default_rng()"
        )
    parts: dict[str, dict[str, Any]] = {"model": {}, "optimizer": {}}
    for name, array in arrays.items():
        kind, _, rest = name.partition(".")
        parts.setdefault(kind, {})[rest] = array
    before = model.state_dict(), optimizer.state_dict(), settings_of(model)
    load_arrays(model, parts["model"], path)
    try:
        history = History.from_json(texts["history"])
        if "progress" in texts:
            history.progress = Progress(**Builder([], None).decode(json.loads(texts["progress"])))
        if "optimizer" in texts:  # not so in older files
            parts["optimizer"]["class"] = texts["optimizer"]
        optimizer.load_state_dict(parts["optimizer"])
        if "settings" in texts:
            apply_settings(model, json.loads(texts["settings"]))
        if "rng" in texts:
            saved = json.loads(texts["rng"])
            generator = Builder([], None).decode(saved) if "generator" in saved else None
            history.progress.rng = generator.bit_generator.state if generator else saved
        if rng is not None:
            rng.bit_generator.state = history.progress.rng
    except MALFORMED as error:
        model.load_state_dict(before[0])
        optimizer.load_state_dict(before[1])
        apply_settings(model, before[2])
        raise FileFormatError(
            f"{ag.files.as_path(path).name}: it is not a checkpoint of this training: {error}"
        ) from None
    return history


class Checkpoint(Monitor):
    """A callback that saves a checkpoint after epochs; see `save_checkpoint`.

    Unless it saves the best only, it also does when a Ctrl-C ends the training, within an
    epoch too.

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

    comes_last = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        every: int = 1,
        best_only: bool = False,
        monitor: str = "validation_loss",
        mode: str = "auto",
    ) -> None:
        self.path, self.every, self.best_only = path, every, best_only
        super().__init__(monitor, mode=mode)

    def _check_settings(self) -> None:
        """Refuse settings that mean nothing, and a path of an unknown suffix."""
        super()._check_settings()
        format_of(self.path)
        check_size("Checkpoint", "every", self.every)
        check_flags("Checkpoint", best_only=self.best_only)
        if self.best_only and self.every > 1:
            raise ag.ArgumentValueError(
                f"Checkpoint: every is {self.every}, and with best_only=True the best epoch is "
                "saved whenever it comes; leave one of both out"
            )

    @property
    def watches(self) -> bool:
        """Whether the column is looked at."""
        return self.best_only

    def begin(self, run: Run) -> None:
        """Refuse now what would fail after an epoch."""
        super().begin(run)
        check_folder("Checkpoint", self.path)

    def after_epoch(self, run: Run) -> None:
        """Save, if it is time."""
        due = len(run.history) % self.every == 0
        if self.best_only:
            due = self.improved(run)
        if due:
            self._save(run)

    def end(self, run: Run) -> None:
        """Save what an interruption left unfinished."""
        if run.history.stopped == "interrupted" and not self.best_only:
            self._save(run)

    def _save(self, run: Run) -> None:
        run.note()
        save_checkpoint(run.model, self.path, run.optimizer, run.history, run.rng)
