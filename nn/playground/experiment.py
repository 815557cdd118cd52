"""An experiment: what settings make, from the samples to a run of `fit` that waits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.activations import activations
from nn.initializers import for_activation
from nn.models.containers import Sequential
from nn.models.layers import Activation, Linear
from nn.models.regularization import Dropout
from nn.optimizers import SGD, Optimizer
from nn.optimizers.base import optimizers
from nn.playground.features import Feature, inputs_of, offered
from nn.playground.samples import GIVEN, Samples, drawn
from nn.playground.settings import MOMENTUM, SettingError, Settings
from nn.replay.stages import network_of
from nn.training.callbacks import Callback, Run
from nn.training.fit import fit
from nn.training.history import History
from nn.training.loop import Training

__all__ = ["Edit", "Experiment", "Stretch"]


@dataclass(frozen=True)
class Edit:
    """A parameter that was set by hand: its place in a frame, and the number."""

    place: int
    value: float


@dataclass
class Stretch:
    """A part of a run: what was set by hand before it, how it is trained, for how many epochs."""

    settings: Settings
    edits: list[Edit] = field(default_factory=list)
    epochs: int = 0


class Waiting(Callback):
    """Keeps the run that it is told of."""

    def begin(self, run: Run) -> None:
        self.run = run


class Experiment:
    """Samples, a model and its optimizer, all drawn with one seed; and the run that trains them."""

    def __init__(self, settings: Settings, given: Samples | None) -> None:
        self.rng = np.random.default_rng(settings.seed)
        self.samples = given if given and settings.data == GIVEN else drawn(settings, self.rng)
        check_validation(settings.validation, len(self.samples.x))
        known = offered(self.samples.names)
        self.features: list[Feature] = [known[key] for key in settings.features]
        self.x = inputs_of(self.samples.x, self.features)
        self.model = model_of(settings, len(self.features), self.samples.out_features, self.rng)
        self.network = network_of(self.model)
        self.optimizer = optimizer_of(settings, self.model)
        self.history = History()

    def begin(self, stretch: Stretch) -> None:
        """Make all ready for a part of the run, as a program does before its call of `fit`."""
        settings = stretch.settings
        self.optimizer.groups[0].learning_rate = settings.learning_rate
        for edit in stretch.edits:
            parameter, index = self.place_of(edit.place)
            parameter.data[index] = edit.value
        waiting = Waiting()
        with np.errstate(over="ignore", invalid="ignore"):  # weights set by hand may be large
            fit(
                self.model, self.x, self.samples.y, loss=self.samples.loss,
                optimizer=self.optimizer, epochs=0, batch_size=settings.batch_size,
                validation_split=settings.validation, l1=settings.l1, l2=settings.l2,
                metrics="accuracy" if self.samples.classes else (), callbacks=waiting,
                history=self.history, rng=self.rng, progress=False,
            )  # fmt: skip
        # No epochs, so that nothing is trained yet; the run of this call goes on when it is told.
        assert isinstance(waiting.run, Training)
        self.run = waiting.run

    def train(self, epochs: int) -> None:
        """Go on for some epochs."""
        self.run.run(epochs, progress=False)

    def place_of(self, place: int) -> tuple[Any, tuple[int, ...]]:
        """The parameter that a place in a frame belongs to, and the index in it."""
        for parameter in self.network.parameters:
            if place < parameter.data.size:
                return parameter, tuple(map(int, np.unravel_index(place, parameter.data.shape)))
            place -= parameter.data.size
        raise IndexError(place)

    def digest(self) -> str:
        """All bits of the parameters, in short."""
        data = b"".join(parameter.data.tobytes() for parameter in self.network.parameters)
        return hashlib.sha256(data).hexdigest()


def check_validation(share: float, n_samples: int) -> None:
    """Refuse to set aside none of the samples, or all of them."""
    if share and not 0 < round(share * n_samples) < n_samples:
        raise SettingError("validation", share, f"0, or a share that sets aside some of the "
                           f"{n_samples} samples and leaves some")  # fmt: skip


def model_of(
    settings: Settings, in_features: int, out_features: int, rng: np.random.Generator
) -> Sequential:
    """The network, as `nn.playground.program` writes it."""
    layers: list[Any] = []
    for n, (units, name) in enumerate(settings.hidden):
        draw = for_activation(name)
        layers += [
            Linear(in_features, units, initializer=draw, rng=rng),
            Activation(activations.find(name)),
        ]
        if settings.dropout:
            layers.append(Dropout(settings.dropout, rng=settings.seed + n + 1))
        in_features = units
    return Sequential(*layers, Linear(in_features, out_features, rng=rng))


def optimizer_of(settings: Settings, model: Any) -> Optimizer:
    """The optimizer of that name."""
    if settings.optimizer == MOMENTUM:
        return SGD(model, settings.learning_rate, momentum=0.9)
    return optimizers[settings.optimizer](model, settings.learning_rate)
