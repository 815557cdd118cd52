"""Tiers: a program runs as calls of NumPy until its loops are ready, and have shown their worth.

Loops by Numba give NumPy's numbers to rounding, and seconds later.  So with ``backend="auto"``
they are compiled in the background, are then run beside the program for a few calls, on copies
of what these write into, and take its place if they agree with it and are quicker.  What was found
is kept on disk next to the loops: where it is known, a program runs in one way from its first
call, so that it gives the same bits again.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from time import perf_counter
from typing import Any

import numpy as np

from autograd_lite.compiler.executable import CompiledProgram, Specialization
from autograd_lite.compiler.frontend.verification import (
    Contents,
    Outcome,
    coarsest_epsilon,
    first_difference,
)
from autograd_lite.compiler.runtime import disk_cache
from autograd_lite.compiler.runtime.background import do_later
from autograd_lite.compiler.runtime.machine_code import environment

__all__ = ["TieredProgram"]

TRIALS = 5
"""Calls at which both run; the first one, which makes buffers, does not count."""

GAIN = 0.95
"""The part of NumPy's time that loops may take at most."""

NUMPY, LOOPS = b"numpy", b"loops "
"""What was found: that calls of NumPy stay, or that loops of this text take their place."""


class TieredProgram(CompiledProgram):
    """A program of NumPy's calls, which loops may replace while it is in use."""

    def __init__(self, specialization: Specialization) -> None:
        super().__init__(specialization.with_options(backend="numpy"))
        self.loops: CompiledProgram | None = None
        """Compiled, and on trial."""
        self.times: list[tuple[float, float]] = []
        self.trying = threading.Lock()
        if self.moves_arguments:
            return
        text = re.sub(r"  \S+:\d+$", "", self.source.text, flags=re.MULTILINE)  # without its places
        self.key = repr(("tier", text, self.options.blocking, environment()))
        found = disk_cache.look_up(self.key)
        if found is None:
            do_later(task_of(weakref.ref(self)))
        elif found != NUMPY:
            with suppress(Exception):  # calls of NumPy stay
                self._take(found)

    def _take(self, found: bytes) -> None:
        """Become the loops that were found to pay; if these are others, put them on trial."""
        loops = self.in_loops()
        if found == found_for(loops):
            self.become(loops)
        else:
            self.loops = loops

    def in_loops(self) -> CompiledProgram:
        """The same with loops by Numba."""
        return self.remade(backend="numba")

    def prepare_loops(self) -> None:
        """Compile the loops, and put them on trial if there are any."""
        loops = self.in_loops()
        if loops.source.text == self.source.text:
            disk_cache.keep(self.key, NUMPY)
        else:
            self.loops = loops

    def run(self, leaves: list[Any]) -> Any:
        loops = self.loops
        if loops is None or not self.trying.acquire(blocking=False):
            return super().run(leaves)
        try:
            return self._compared(loops, leaves)
        finally:
            self.trying.release()

    def _compared(self, loops: CompiledProgram, leaves: list[Any]) -> Any:
        """A call at which both run; the result is NumPy's."""
        tried = self._tried(loops, list(leaves))
        start = perf_counter()
        result = super().run(leaves)
        elapsed = perf_counter() - start
        agrees = False
        if tried is not None:
            outcome, seconds = tried
            epsilon = coarsest_epsilon(self.recorded.program)
            agrees = first_difference(result, outcome.leaves, no_outcome, epsilon) is None
            self.times.append((elapsed, seconds))
        if not agrees:
            self._decide(loops, pays=False)
        elif len(self.times) >= TRIALS:
            by_numpy, by_loops = map(min, zip(*self.times[1:], strict=True))
            self._decide(loops, pays=by_loops < GAIN * by_numpy)
        return result

    def _tried(self, loops: CompiledProgram, leaves: list[Any]) -> tuple[Outcome, float] | None:
        """What the loops give and how long they take, without a trace; None if they fail."""
        states, donated = self.random_states(), Contents(self.donated_arrays(leaves))
        try:
            with np.errstate(all="ignore"):
                start = perf_counter()
                result = loops.run(leaves)
                elapsed = perf_counter() - start
            return Outcome(result), elapsed
        except Exception:
            return None
        finally:
            donated.restore()
            states.restore()

    def _decide(self, loops: CompiledProgram, pays: bool) -> None:
        self.loops = None
        if pays:
            self.become(loops)
        disk_cache.keep(self.key, found_for(loops) if pays else NUMPY)


def found_for(loops: CompiledProgram) -> bytes:
    return LOOPS + sha256(loops.source.text.encode()).hexdigest().encode()


def no_outcome(change: Callable[[Any], Any]) -> Outcome:
    """Nothing is run again to see how far rounding may take numbers apart."""
    return Outcome(error=ArithmeticError())


def task_of(program: weakref.ref[TieredProgram]) -> Callable[[], None]:
    """Prepare the loops of a program that is still there by then."""

    def prepare() -> None:
        found = program()
        if found is not None:
            with suppress(Exception):  # calls of NumPy stay
                found.prepare_loops()

    return prepare
