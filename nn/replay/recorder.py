"""The recorder: takes frames of a training, without changing anything by it."""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.replay.frames import Film, Frame
from nn.replay.probe import Probe
from nn.replay.stages import Network
from nn.replay.updates import is_plain, next_steps, rate_of, rule_of
from nn.training.callbacks import Run
from nn.training.prediction import in_use

__all__ = ["Recorder"]


class Recorder:
    """Adds to a film what a run is now: its parameters, and what the probe says of them."""

    def __init__(self, run: Run, network: Network, probe: Probe, film: Film) -> None:
        self.run, self.network, self.probe, self.film = run, network, probe, film
        self.rule = rule_of(run.optimizer)
        self.before = self._copies()

    def record(self) -> Frame:
        """Add a frame of how things are."""
        run, parameters = self.run, self.network.parameters
        loss, gradients, outputs = self._look()
        if self.rule["is_plain"] and not is_plain(run.optimizer):  # momentum was switched on
            self.rule = rule_of(run.optimizer)
            for frame in self.film.frames:
                frame.steps = -np.float32(frame.rate) * frame.gradients
        steps = None
        if not self.rule["is_plain"]:
            steps = self.network.flat(next_steps(run.optimizer, parameters, gradients))
        watched = (run.history["validation_loss"] or run.history.loss or [inf])[-1]
        before, self.before = self.before, self._copies()
        frame = Frame(
            len(run.history),
            watched if isfinite(watched) else inf,
            self.film.surprise(watched),
            self.network.flat([p.data for p in parameters]),
            self.network.flat(gradients),
            steps,
            self.network.flat([np.asarray(outputs)[self.probe.watched]]),
            loss,
            rate_of(run.optimizer),
            self._updates(before),
        )
        self.film.add(frame)
        return frame

    def _copies(self) -> list[Any]:
        """The parameters as they are now."""
        return [np.array(p.data, np.float64) for p in self.network.parameters]

    def _look(self) -> tuple[float, list[Any], Any]:
        """Loss, gradients and outputs for the probe, of the model in use; it is left as it was."""
        parameters = self.network.parameters
        trained = [p for p in parameters if p.requires_grad]
        with in_use(self.run.model), np.errstate(all="ignore"):
            outputs = self.run.model(self.probe.x)
            loss = self.run.loss(outputs, self.probe.y)
            found = ag.gradients(loss, trained) if getattr(loss, "requires_grad", False) else []
        known = {id(p): g for p, g in zip(trained, found, strict=False) if g is not None}
        gradients = [known.get(id(p), np.zeros_like(p.data)) for p in parameters]
        numbers = outputs.data if isinstance(outputs, ag.Value) else outputs
        return float(loss), gradients, numbers

    def _updates(self, before: list[Any]) -> list[float]:
        """For each layer the norm of what has changed."""
        with np.errstate(over="ignore", invalid="ignore"):  # of a run that is about to diverge
            changes = {
                id(p): np.sum(np.square(now - old))
                for p, now, old in zip(self.network.parameters, self.before, before, strict=True)
            }
        places = np.cumsum([0, *(np.size(p.data) for p in self.network.parameters)]).tolist()
        at = dict(zip(places, self.network.parameters, strict=False))
        return [
            float(np.sqrt(sum(changes[id(at[n])] for n in (layer.weight, layer.bias)
                              if n is not None)))
            for layer in self.network.layers
        ]  # fmt: skip
