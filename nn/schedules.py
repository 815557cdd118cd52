"""Schedules: how the learning rate changes while training goes on.

A schedule is a function of the time in epochs, a real number (3.5 is the
middle of the fourth epoch), that returns a factor for the learning rate; so it
means the same for any batch size.  `nn.fit` calls it before every step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, floor, inf, isfinite, pi
from numbers import Real

import autograd_lite as ag

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Schedule",
    "Step",
    "find_schedule",
    "schedules",
]

Schedule = Callable[[float], float]


def require_numbers(schedule: object) -> None:
    """Refuse a schedule of anything but finite numbers."""
    for name, given in vars(schedule).items():
        if isinstance(given, bool) or not isinstance(given, Real) or not isfinite(given):
            raise ag.ArgumentTypeError(
                f"{type(schedule).__name__}: {name} is {given!r}; it must be a finite number"
            )


def require(holds: bool, schedule: object, meaning: str) -> None:
    """Refuse a schedule whose numbers make no sense."""
    if not holds:
        raise ag.ArgumentValueError(f"{schedule!r}: {meaning}")


def require_time(schedule: object, epoch: float) -> None:
    """Refuse a time before the beginning, or what is none."""
    if not (isinstance(epoch, Real) and 0 <= epoch < inf):
        raise ag.ArgumentValueError(
            f"{schedule!r}: the time is {epoch!r}; it must be a number of epochs, not negative"
        )


@dataclass(frozen=True)
class Constant:
    """Always the same positive ``factor``.

    Examples
    --------
    >>> import nn
    >>> nn.schedules.Constant()(7.5)
    1.0
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        require_numbers(self)
        require(self.factor > 0, self, "factor must be positive")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        return self.factor


@dataclass(frozen=True)
class Step:
    """Multiply by ``factor`` after every ``every`` epochs; both are positive.

    Examples
    --------
    >>> import nn
    >>> schedule = nn.schedules.Step(every=10, factor=0.5)
    >>> schedule(9.9), schedule(10), schedule(25)
    (1.0, 0.5, 0.25)
    """

    every: float
    factor: float = 0.1

    def __post_init__(self) -> None:
        require_numbers(self)
        require(self.every > 0 and self.factor > 0, self, "every and factor must be positive")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        steps = epoch / self.every
        whole = round(steps)  # 0.3 / 0.1 is a little less than 3
        return float(self.factor ** (whole if abs(steps - whole) < 1e-9 * whole else floor(steps)))


@dataclass(frozen=True)
class Exponential:
    """Multiply by a positive ``factor`` in every epoch, smoothly.

    Examples
    --------
    >>> import nn
    >>> nn.schedules.Exponential(0.5)(2)
    0.25
    """

    factor: float

    def __post_init__(self) -> None:
        require_numbers(self)
        require(self.factor > 0, self, "factor must be positive")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        return float(self.factor**epoch)


@dataclass(frozen=True)
class InverseScaling:
    """Fall as 1 / (1 + epoch) to a ``power`` that is not negative.

    Examples
    --------
    >>> import nn
    >>> nn.schedules.InverseScaling()(3)
    0.5
    """

    power: float = 0.5

    def __post_init__(self) -> None:
        require_numbers(self)
        require(self.power >= 0, self, "power must not be negative")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        return float((1 + epoch) ** -self.power)


@dataclass(frozen=True)
class Cosine:
    """Rise linearly during ``warm_up`` epochs, then fall to ``final`` along half a cosine.

    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm
    restarts" (2017), without restarts.

    Parameters
    ----------
    epochs : float
        When the fall ends, counted from the start; constant afterwards.
    warm_up : float
        How many epochs the rise takes.
    final : float
        The last factor.

    Examples
    --------
    >>> import nn
    >>> schedule = nn.schedules.Cosine(epochs=12, warm_up=2)
    >>> [round(schedule(epoch), 6) for epoch in (0, 1, 2, 7, 12, 20)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.0]
    """

    epochs: float
    warm_up: float = 0.0
    final: float = 0.0

    def __post_init__(self) -> None:
        require_numbers(self)
        require(0 <= self.warm_up < self.epochs, self, "warm_up must be in [0, epochs)")
        require(0 <= self.final <= 1, self, "final must be in [0, 1]")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        if epoch < self.warm_up:
            return epoch / self.warm_up
        progress = min((epoch - self.warm_up) / (self.epochs - self.warm_up), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + cos(pi * progress))


@dataclass(frozen=True)
class OneCycle:
    """Rise from ``start`` to 1 along half a cosine, then fall to ``final`` along another.

    L. Smith, N. Topin, "Super-convergence: very fast training of neural
    networks using large learning rates" (2019).

    Parameters
    ----------
    epochs : float
        The length of the cycle; constant afterwards.
    peak : float
        In (0, 1): when the factor is 1, as a share of the cycle.
    start, final : float
        The first and the last factor.

    Examples
    --------
    >>> import nn
    >>> schedule = nn.schedules.OneCycle(epochs=10)
    >>> [round(schedule(epoch), 4) for epoch in (0, 3, 10)]
    [0.04, 1.0, 0.0001]
    """

    epochs: float
    peak: float = 0.3
    start: float = 0.04
    final: float = 0.0001

    def __post_init__(self) -> None:
        require_numbers(self)
        require(self.epochs > 0, self, "epochs must be positive")
        require(0 < self.peak < 1, self, "peak must be in (0, 1)")
        require(0 <= self.start <= 1 and 0 <= self.final <= 1, self, "factors are in [0, 1]")

    def __call__(self, epoch: float) -> float:
        require_time(self, epoch)
        progress = min(epoch / self.epochs, 1.0)
        if progress < self.peak:
            return between(self.start, 1.0, progress / self.peak)
        return between(1.0, self.final, (progress - self.peak) / (1 - self.peak))


schedules: dict[str, Callable[[int], Schedule]] = {
    "constant": lambda epochs: Constant(),
    "cosine": lambda epochs: Cosine(epochs),
    "inverse_scaling": lambda epochs: InverseScaling(),
    "one_cycle": lambda epochs: OneCycle(epochs),
}
"""Those that the number of epochs tells all about, by name, as `nn.fit` takes them."""


def find_schedule(given: Schedule | str | None, epochs: int) -> Schedule | None:
    """The schedule of that name for so many epochs; others are returned as they are.

    Examples
    --------
    >>> import nn
    >>> nn.schedules.find_schedule("cosine", 10)
    Cosine(epochs=10, warm_up=0.0, final=0.0)
    """
    if given is not None and not isinstance(given, str):
        if not callable(given) or isinstance(given, type):  # a class, of which none was made
            raise ag.ArgumentTypeError(
                f"schedule is {given!r}; pass a function of the time in epochs, such as "
                "nn.schedules.Cosine(epochs=10), or a name"
            )
        return given
    if given is None or epochs == 0:
        return None
    if given.lower() not in schedules:
        raise ag.ArgumentValueError(
            f"there is no schedule {given!r} that needs no numbers; use one of "
            f"{', '.join(schedules)}, or pass a function such as nn.schedules.Step(every=10)"
        )
    return schedules[given.lower()](epochs)


def between(first: float, last: float, progress: float) -> float:
    """From ``first`` to ``last`` along half a cosine."""
    return last + (first - last) * 0.5 * (1 + cos(pi * progress))
