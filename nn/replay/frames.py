"""Frames: what is recorded of a training after an epoch, and which of them are kept."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from statistics import median
from typing import Any

__all__ = ["Film", "Frame"]

EARLY = 30
"""After about so many epochs the kept ones begin to lie further apart."""

SPIKE = 1.5
"""How many times the median of the losses before it makes a loss a spike."""

BEFORE = 10
"""Of how many losses."""


@dataclass
class Frame:
    """A moment of a training: parameters and what belongs to them, each in one row.

    Attributes
    ----------
    epoch : int
        How many were finished; 0 is the model before its first.
    watched : float
        The loss that tells which frame is the best; infinite before the first epoch.
    surprise : float
        How many times the median of those before it this loss is.
    weights, gradients, steps : array of float32
        All parameters; the gradients of the probe's loss; and what the optimizer would add to
        the parameters for these, None where that is only the rate times the gradient.
    outputs : array of float32
        The model's own, for the samples that are watched.
    loss : float
        That of the probe.
    rate : float
        The learning rate.
    updates : list of float
        For each layer the norm of what the epoch changed of it.
    """

    epoch: int
    watched: float
    surprise: float
    weights: Any
    gradients: Any
    steps: Any
    outputs: Any
    loss: float
    rate: float
    updates: list[float]

    @property
    def is_spike(self) -> bool:
        """Whether the loss jumped."""
        return self.surprise > SPIKE


class Film:
    """The frames that are kept: dense early, always the first, the best, the spikes, the last.

    Examples
    --------
    >>> from nn.replay.frames import Film, Frame
    >>> film = Film(6)
    >>> for epoch in range(1000):
    ...     film.add(Frame(epoch, 1 / (1 + epoch), 1.0, *[None] * 4, 0.0, 0.0, []))
    >>> len(film.frames), film.frames[0].epoch, film.frames[-1].epoch
    (6, 0, 999)
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.frames: list[Frame] = []
        self.losses: list[float] = []

    def surprise(self, loss: float) -> float:
        """How large a loss is beside those before it, which it then belongs to."""
        before = self.losses[-BEFORE:]
        if not isfinite(loss):
            return 1.0
        self.losses = [*before, loss]
        usual = median(before) if len(before) >= 3 else 0.0
        return loss / usual if usual > 0 else 1.0

    def add(self, frame: Frame) -> None:
        """Keep a frame, and let the one go that is missed least."""
        self.frames.append(frame)
        self.thin(self.capacity)

    def thin(self, count: int) -> None:
        """Keep so many, and never fewer than two."""
        while len(self.frames) > max(count, 2):
            del self.frames[self.least_missed()]

    def cut(self, epoch: int) -> None:
        """Forget what came after an epoch."""
        self.frames = [frame for frame in self.frames if frame.epoch <= epoch]
        recent = [frame.watched for frame in self.frames[-BEFORE - 1 :]]
        self.losses = [loss for loss in recent if isfinite(loss)]

    @property
    def best(self) -> Frame:
        """The frame with the smallest loss."""
        return min(self.frames, key=lambda frame: frame.watched)

    def spikes(self) -> list[Frame]:
        """The highest jumps of the loss, at most a tenth of all frames."""
        jumps = [frame for frame in self.frames if frame.is_spike]
        jumps.sort(key=lambda frame: -frame.surprise)
        return jumps[: self.capacity // 10]

    def least_missed(self) -> int:
        """The place of the frame whose neighbours are nearest, as time passes for who watches."""
        first = self.frames[0].epoch
        marked = [*self.spikes(), *([self.best] if len(self.frames) > 3 else [])]
        found, smallest = 1, inf
        for place in range(1, len(self.frames) - 1):
            frame = self.frames[place]
            gap = self.frames[place + 1].epoch - self.frames[place - 1].epoch
            missed = gap / (frame.epoch - first + EARLY)
            if missed < smallest and not any(frame is kept for kept in marked):
                found, smallest = place, missed
        return found
