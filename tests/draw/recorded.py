"""Trainings that were recorded, and what their models were."""

from __future__ import annotations

import numpy as np

import autograd_lite as ag
import nn

EPOCHS = 20


class States(nn.Callback):
    """Keeps copies of what the model was."""

    def begin(self, run):
        self.states = [run.model.state_dict()]

    def after_epoch(self, run):
        self.states.append(run.model.state_dict())


class Recorded:
    """A training and its page."""

    def __init__(self, path, model, x, y, options=None, **fit):
        self.path, self.model, self.x, self.y = path, model, x, y
        self.recorder, watcher = nn.Playback(path, **(options or {})), States()
        fit = {"epochs": EPOCHS, "rng": 0, "progress": False, "compile": False} | fit
        self.history = nn.fit(model, x, y, callbacks=[watcher, self.recorder], **fit)
        self.states = watcher.states

    def at(self, epoch):
        """The model as it was."""
        self.model.load_state_dict(self.states[epoch])
        return self.model

    def gradients(self, epoch):
        """Of the loss on the probe, by the names of the parameters."""
        model, probe = self.at(epoch), self.recorder.probe
        loss = nn.cross_entropy(model(probe.x), probe.y)
        names = [name for name, _ in model.named_parameters()]
        return dict(zip(names, ag.gradients(loss, list(model.parameters())), strict=True))


def two_classes(n=60):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, n)
    return rng.normal(size=(n, 2)) + 1.2 * y[:, None] - 0.6, y
