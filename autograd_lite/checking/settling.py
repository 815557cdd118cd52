"""Which steps suit a function: finer or coarser ones, until an estimate is sharp."""

from __future__ import annotations

import math

import numpy as np

from autograd_lite.checking.comparison import DECISIVE, SAFETY, SHARP, Agreement, Probe
from autograd_lite.checking.noise import ALIKE, DEEPEST, NEAR, NEAREST
from autograd_lite.checking.samples import BLOCK, FIRST_LEVEL

__all__ = ["MOST_BLOCKS", "confirm", "settle"]

FINEST = FIRST_LEVEL + 42
MOST_BLOCKS = 14


def settle(probe: Probe, sharp: float = SHARP, most: int = MOST_BLOCKS) -> None:
    """Look for steps that suit the function, until the estimate is sharp."""
    coarsest = min(probe.ladder.farthest, FIRST_LEVEL)
    if probe.ladder.smooth_from not in (None, FIRST_LEVEL):
        coarsest = probe.ladder.smooth_from
    best = here = probe
    if here.rank() > (0, sharp):
        probe.ladder.is_brief = True
    stride, finer, turned = BLOCK, None, False
    for _ in range(most):
        if here.rank() <= (0, sharp) or (turned and best.rank() <= (0, DECISIVE / 3)):
            break
        truncated = np.any(~(here.limit.error <= 3 * here.limit.rounding))
        towards = bool(truncated) or here.kinked or here.is_rough
        if finer is not None and towards is not finer:
            turned = True
        finer = towards
        stride = stride // 2 if turned else stride_of(here, finer, sharp)
        if stride == 0:
            break
        level = here.level + stride if finer else here.level - stride
        level = min(max(level, coarsest), FINEST)
        if level == here.level:
            break
        there = here.at(level)
        if there.contradicts(here):
            if not finer:
                break
            best = there
        here = there
        best = min(best, here, key=Probe.rank)
    probe.level, probe.limit = best.level, best.limit
    if sees_jumps(probe):
        settle(probe, sharp, most)


def confirm(probe: Probe) -> None:
    """Doubt a disagreement as long as finer steps could show that these were too coarse.

    An estimate is overruled by one that contradicts it, and not by one that is blunt.
    """
    probe.is_confirmed = probe.is_doubted = False
    is_lost = probe.strict and probe.agreement is Agreement.UNDECIDED
    if is_lost and not probe.moves_crowd:
        look_close_enough(probe)
    if probe.level < probe.near and probe.agreement is Agreement.DIFFERENT:
        look_nearby(probe)
    level = probe.level
    while probe.agreement is Agreement.DIFFERENT and level + BLOCK + 2 <= FINEST:
        level += BLOCK + 2
        there = probe.at(level)
        if np.all(10 * SAFETY * there.limit.rounding > probe.difference):
            break
        if sees_jumps(probe):
            continue
        if there.contradicts(probe):
            probe.level, probe.limit = there.level, there.limit
            probe.is_doubted = False
        probe.is_doubted |= there.doubts(probe)
    probe.is_confirmed = True


def look_close_enough(probe: Probe) -> None:
    """Take the coarsest steps that may disagree however blunt they are, if they do.

    Farther out a difference of many errors decides nothing, unless they are a small part.
    """
    level = probe.near - BLOCK
    if probe.level < level:
        there = probe.at(level)
        if there.agreement is Agreement.DIFFERENT:
            probe.level, probe.limit = there.level, there.limit


def look_nearby(probe: Probe) -> None:
    """Take the steps that move no entry far, where they show it: a pole may lie between."""
    there = probe.at(probe.near)
    is_seen = np.any(10 * SAFETY * there.limit.rounding <= probe.difference)
    if is_seen and there.contradicts(probe):
        probe.level, probe.limit = there.level, there.limit


def sees_jumps(probe: Probe) -> bool:
    """Whether it is jumps between the values that spoil some differences; they are noise then.

    A function that rounds inside, to single precision say, is another one between its jumps.
    """
    ladder = probe.ladder
    if ladder.is_searched or ladder.remaining() < 4 * DEEPEST or np.all(ladder.flat):
        return False
    if is_met(probe) or not suspects_jumps(probe):
        return False
    ladder.is_searched = True
    # Beyond a border there are no values that could jump.
    inside = [level for level, (plus, _) in ladder.samples.items() if np.isfinite(plus).all()]
    if not inside:
        return False
    level = min(inside)
    with np.errstate(all="ignore"):
        off = np.abs(ladder.central(level) - probe.limit.value)
        row = int(np.argmax(off / probe.scale))
    jumps, place = ladder.jumps(level, row)
    is_at_x = place < 2.0**-NEAR or np.any(2 * np.abs(ladder.gap(NEAREST)) > jumps)
    if is_at_x or np.all(jumps <= ALIKE * ladder.noise) or np.any(ladder.is_local(jumps)):
        return False
    ladder.allow(jumps)
    probe.limit = ladder.derivative(probe.level)
    return True


def is_met(probe: Probe) -> bool:
    """Whether a claim that is not zero is met to many digits: no jump elsewhere makes it so."""
    error = SAFETY * probe.limit.error
    is_sharp = np.all(error <= DECISIVE * np.abs(probe.limit.value))
    return bool(is_sharp and np.all(np.abs(probe.limit.value - probe.analytic) <= error))


def suspects_jumps(probe: Probe) -> bool:
    """Whether coarser steps told something else, or nothing: there may be jumps between them
    that these do not see."""
    coarsest = min(level for _, level in probe.ladder.limits)
    if coarsest >= probe.level:
        return False
    there = probe.at(coarsest)
    size = np.fmax(probe.size, np.abs(probe.limit.value))
    is_blunt = bool(np.any(SAFETY * there.limit.error > DECISIVE * size))
    return (is_blunt and not probe.moves_crowd) or probe.contradicts(there)


def stride_of(probe: Probe, finer: bool, sharp: float) -> int:
    """How many levels finer or coarser rounding errors are as large as may be."""
    with np.errstate(all="ignore"):
        room = np.log2(sharp * probe.scale / (SAFETY * probe.limit.rounding))
    if not np.all(np.isfinite(room)):
        return BLOCK
    least = float(np.min(room)) if finer else -float(np.min(room))
    if finer:
        least -= 1  # What else adds to the error must not make it miss the mark.
        is_blunt = probe.moves_crowd or probe.rank() > (0, DECISIVE)
        if is_blunt and probe.level <= FIRST_LEVEL:
            least /= 2  # Kinks are mostly passed there, and differences are sharper.
    return max(math.floor(least) if finer else math.ceil(least), BLOCK)
