"""Where the slope or the value of a function jumps, and how far from the point that is."""

from __future__ import annotations

import numpy as np

from autograd_lite.checking.comparison import Probe
from autograd_lite.checking.locate import Locator

__all__ = ["describe_kink"]


def describe_kink(locator: Locator, whole: Probe) -> str:
    """A sentence: what happens, in which inputs, how far away."""
    subject = locator.analytic.subject
    places = []
    for coordinate in locator.kinks():
        single = locator.single(coordinate)
        distance = 0.0 if single.jumps else _distance(single)
        distance *= abs(float(locator.direction[coordinate]))
        places.append(f"{subject.inputs.entry(coordinate)} ({_in_words(distance)})")
    what = "the value jumps" if whole.jumps else "the slope jumps (a kink)"
    where = ", ".join(places) or "along a random direction"
    return f"{what}: {where}; move the point away from it to check the derivative"


def _in_words(distance: float) -> str:
    return "at this very point" if distance == 0 else f"{distance:.1g} away"


def _distance(single: Probe) -> float:
    """Where the straight lines through the values on either side meet, in units of the direction.

    Zero if that is the point itself, as far as the values can tell.
    """
    ladder, level = single.ladder, single.level
    far, near = (ladder.sample(level + i) for i in (0, 1))
    row = int(np.argmax(np.abs(ladder.bend(level + 1))))
    near_step, step = 2.0 ** -(level + 1), 2.0**-level - 2.0 ** -(level + 1)
    right = float(far[0][row] - near[0][row]) / step
    left = float(near[1][row] - far[1][row]) / step
    if right == left:
        return 0.0
    rise = float(near[0][row] - near[1][row])
    meeting = ((right + left) * near_step - rise) / (right - left)
    resolution = 100 * float(ladder.noise[row]) / abs(right - left)
    return abs(meeting) if abs(meeting) > max(resolution, 1e-6 * near_step) else 0.0
