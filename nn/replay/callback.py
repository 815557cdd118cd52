"""Playback: the callback that records a training, and the function that trains with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import autograd_lite as ag
from nn.checks import check_counts
from nn.models.module import Module
from nn.replay.frames import Film
from nn.replay.page import Recording, Words, page_text
from nn.replay.probe import SAMPLES, probe_of
from nn.replay.recorder import Recorder
from nn.replay.stages import network_of
from nn.training.callbacks import Callback, Run
from nn.training.fit import fit
from nn.training.history import History

__all__ = ["Playback", "playback"]

SHARE = 0.75
"""What packing leaves of float32 numbers, as far as can be known beforehand."""

BASE64 = 4 / 3
"""How much longer bytes become as text."""


class Playback(Callback):
    """Record a training as a page in which it can be watched, rewound and questioned.

    One HTML file, which needs no network and no other file: the parameters after each epoch,
    their gradients on a probe of at most 256 samples, losses, metrics, learning rates and norms.
    The page computes all activations anew from the weights, and says whether that gives the
    outputs that the model itself gave.  The training is what it is without it, bit for bit.

    Of a long training the page holds at most ``max_frames`` epochs, close together early on, and
    always the best, those where the loss jumped, and the last.  The file is written when training
    begins, and when it ends, also by an interruption or a `DivergenceError`.

    Parameters
    ----------
    path : str or Path
        The file, which ends in ``.html``; one that is there is replaced.
    x, y : array_like, optional
        The samples to watch, of which at most 256 are taken; by default some of those that are
        trained on, evenly chosen.
    title : str, optional
        By default the model's structure, such as "2-8-8-2".
    feature_names, class_names : sequence of str, optional
        Of the inputs, and of the classes.
    image_shape : tuple of int, optional
        Rows and columns of inputs that are images; square ones of 16 pixels and more are known
        by themselves.
    max_frames : int
        For how many epochs the page holds the parameters.
    max_bytes : int
        How large the file may be; of larger models it holds fewer epochs.

    Raises
    ------
    ArgumentValueError
        If the model has a layer that the page cannot replay: it knows `Linear`, the activations
        of nn, `PReLU`, `Dropout` (as the identity), `Flatten` and `Sequential`.  Or if the
        samples do not fit, or not even two epochs of the model fit into the file.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, nn
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> model = nn.MLP(2, [4, 2], activation="tanh", rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "xor.html")
    ...     _ = nn.fit(model, x, [0, 1, 1, 0], loss="cross_entropy", epochs=20, rng=0,
    ...                callbacks=nn.Playback(path), progress=False)
    ...     "<title>2-4-2" in path.read_text(encoding="utf-8")
    True
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        x: Any = None,
        y: Any = None,
        *,
        title: str | None = None,
        feature_names: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        max_frames: int = 300,
        max_bytes: int = 3_000_000,
    ) -> None:
        if (x is None) != (y is None):
            raise ag.ArgumentValueError(
                "Playback: only one of x and y is given; pass both, the samples to watch and "
                "their targets, or neither"
            )
        check_counts("Playback", max_frames=max_frames, max_bytes=max_bytes)
        if max_frames < 2:
            raise ag.ArgumentValueError(
                f"Playback: max_frames is {max_frames!r}; at least 2 are needed, the first and the "
                "last epoch"
            )
        self.path = ag.files.as_path(path)
        if self.path.suffix.lower() not in (".html", ".htm"):
            raise ag.ArgumentValueError(
                f"Playback: the path {str(self.path)!r} does not end in .html; the file is a "
                "page for a browser, such as 'training.html'"
            )
        self.samples = x, y
        self.title = title
        self.feature_names, self.class_names = feature_names, class_names
        self.image_shape = image_shape
        self.max_frames, self.max_bytes = max_frames, max_bytes

    def begin(self, run: Run) -> None:
        """Look at the model and the samples, and write a page of the model as it is."""
        self.network = network_of(run.model)
        x, y = self.samples if self.samples[0] is not None else run.batches.samples(SAMPLES)
        self.probe = probe_of(run.model, self.network, run.loss, x, y, self.image_shape)
        self._check_names()
        self.film = Film(self.max_frames)
        self.recorder = Recorder(run, self.network, self.probe, self.film)
        self.film.capacity = max(self._capacity(), 2)  # by the optimizer's rule, known by now
        self.recorder.record()
        self._check_size(run)
        self._write(run)

    def after_epoch(self, run: Run) -> None:
        """Record the epoch."""
        self._check_network(run)
        self.recorder.record()

    def end(self, run: Run) -> None:
        """Write the page."""
        self._write(run)

    def _check_network(self, run: Run) -> None:
        """Refuse a model that has become another one, after writing down what was recorded."""
        try:
            now = network_of(run.model)
            is_same = now.describes_the_same_as(self.network)
        except ag.AutogradError:  # it has layers now that no page can replay
            is_same = False
        if not is_same:
            self._write(run)
            raise ag.ArgumentValueError(
                f"Playback: the layers of the model changed in epoch {len(run.history)}, and a "
                "page shows one network; train with fit before the change and after it, each with "
                "a Playback of its own"
            )

    def _check_names(self) -> None:
        """Refuse names that are not one for each input, or class."""
        first, last = self.network.layers[0], self.network.layers[-1]
        n_classes = 2 if self.probe.kind == "binary" else last.units
        for argument, names, count in (
            ("feature_names", self.feature_names, first.in_features),
            ("class_names", self.class_names, n_classes),
        ):
            if names is not None and (isinstance(names, str) or len(names) != count):
                raise ag.ArgumentValueError(
                    f"Playback: {argument} is {names!r}; give {count} names, or leave it out"
                )

    def _frame_size(self) -> float:
        """The most bytes that a frame takes in the file."""
        return 4 * BASE64 * self.network.size * (2 if self.recorder.rule["is_plain"] else 3)

    def _capacity(self) -> int:
        """How many frames are kept while the training goes on."""
        return min(self.max_frames, int((self.max_bytes - 100_000) / (self._frame_size() * SHARE)))

    def _check_size(self, run: Run) -> None:
        """Refuse a model of which two epochs would not fit into the file."""
        needed = len(self._page(run)) + int(1.01 * self._frame_size()) + 30_000
        if needed > self.max_bytes:
            raise ag.ArgumentValueError(
                f"Playback: the model has {self.network.size:,} parameters, of which a file of "
                f"{self.max_bytes:,} bytes does not hold two epochs; pass max_bytes={needed}, or "
                "more for more epochs"
            )

    def _page(self, run: Run, most_epochs: int = 1000) -> bytes:
        """The page of what was recorded so far."""
        layers = self.network.layers
        sizes = [layers[0].in_features, *(layer.units for layer in layers)]
        title = "-".join(map(str, sizes)) if self.title is None else str(self.title)
        words = Words(title, self.feature_names, self.class_names)
        recording = Recording(
            words, self.network, self.probe, self.film, run.history, self.recorder.rule, most_epochs
        )
        return page_text(recording).encode("utf-8", "replace")

    def _write(self, run: Run) -> None:
        """Write the page; of frames that take more room than was thought, fewer."""
        page = self._page(run)
        while len(page) > self.max_bytes and len(self.film.frames) > 2:
            share = self.max_bytes / len(page)
            self.film.thin(min(int(len(self.film.frames) * share), len(self.film.frames) - 1))
            page = self._page(run)
        if len(page) > self.max_bytes:  # by the numbers of the history, then
            page = self._page(run, most_epochs=0)
        with ag.files.atomic_write(self.path) as file:
            file.write(page)


def playback(
    model: Module, x: Any, y: Any = None, *, path: str | os.PathLike[str], **options: Any
) -> History:
    """Train a model with `fit`, and record the training as a page, as `Playback` does.

    Parameters
    ----------
    model, x, y
        As for `fit`.
    path : str or Path
        The page, which ends in ``.html``.
    **options
        Those of `fit`, such as ``loss``, which must be given; and those of `Playback` by name,
        such as ``class_names``.

    Returns
    -------
    History
        That of `fit`, whose errors are raised too, as are those of `Playback`.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, nn
    >>> x = np.linspace(-1.0, 1.0, 20).reshape(-1, 1)
    >>> model = nn.MLP(1, [4, 1], activation="tanh", rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     history = nn.playback(model, x, x**2, path=pathlib.Path(folder, "square.html"),
    ...                           loss="mse", epochs=5, rng=0, progress=False)
    ...     len(history), [file.name for file in pathlib.Path(folder).iterdir()]
    (5, ['square.html'])
    """
    own = ("title", "feature_names", "class_names", "image_shape", "max_frames", "max_bytes")
    recorder = Playback(path, **{name: options.pop(name) for name in own if name in options})
    given = options.pop("callbacks", ())
    callbacks = [given] if isinstance(given, Callback) else list(given)
    return fit(model, x, y, callbacks=[*callbacks, recorder], **options)
