"""How a workload is timed: equal results first, then interleaved repetitions and their medians."""

from __future__ import annotations

import gc
import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

Runner = Callable[[], object]

OURS = "autograd_lite"
BY_HAND = "NumPy by hand"
SHORTEST = 1e-2
"""Seconds: quicker computations are timed several in a row."""


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


@dataclass
class Row:
    """What one peer took, repetition by repetition, or why it was not measured."""

    workload: str
    peer: str
    unit: str
    amounts: list[float]
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.amounts)

    @property
    def spread(self) -> float:
        """The distance of the quartiles, as a part of the median."""
        low, high = np.quantile(self.amounts, (0.25, 0.75))
        return float(high - low) / self.median

    def ratio(self, other: Row) -> float:
        """How many times as much as the other, in the repetitions that ran side by side."""
        if len(self.amounts) != len(other.amounts):
            return self.median / other.median
        return statistics.median(x / y for x, y in zip(self.amounts, other.amounts, strict=True))


class Measurable(Protocol):
    """What the command needs of a workload, whatever it measures."""

    name: str
    description: str

    def measured(self, repetitions: int, wanted: Sequence[str], progress: bool) -> list[Row]:
        """One row for each peer that is wanted (all, if none is named) and installed."""


def is_wanted(peer: str, wanted: Sequence[str]) -> bool:
    """Whether a peer is to be measured: ours always is, others if named by their beginning."""
    return not wanted or peer.startswith((OURS, *wanted))


@dataclass
class Workload:
    """One computation, timed as several peers do it; the first one is ours.

    ``make`` maps a peer's name to a function that does it once and returns its
    numbers, or to a text that says why it cannot be measured here.  It leaves
    out peers that are not installed.  Runners may keep state, as long as all do
    the same at their first, second, ... call.
    """

    name: str
    description: str
    make: Callable[[], dict[str, Any]]
    inner: int | None = None
    """How many in a row make one repetition; None: as many as take `SHORTEST`."""
    tolerance: float = 1e-9
    collector: bool = False
    """Whether garbage is collected while the peers run, as it would be in a user's program."""
    without_collector: tuple[str, ...] = field(default=())
    """With the collector on, peers that are measured once more without it."""

    def measured(self, repetitions: int, wanted: Sequence[str], progress: bool) -> list[Row]:
        """Time all peers, again and again, in orders drawn anew: none always follows the same."""
        made = {name: x for name, x in self.make().items() if is_wanted(name, wanted)}
        runners: dict[str, Runner] = {name: x for name, x in made.items() if callable(x)}
        check_equal(self, runners)
        for name in self.without_collector:
            if name in runners:
                runners[f"{name}{OFF}"] = runners[name]
        inner = {name: self.inner or times_in_a_row(run) for name, run in runners.items()}
        seconds: dict[str, list[float]] = {name: [] for name in runners}
        if not self.collector:
            gc.freeze()  # collecting between the repetitions then takes no time
        rng = np.random.default_rng(0)
        for _ in tqdm(range(repetitions), desc=self.name, disable=not progress, leave=False):
            for name in rng.permutation(list(runners)):
                collector = self.collector and not name.endswith(OFF)
                seconds[name].append(once(runners[name], inner[name], collector))
        rows = [
            Row(self.name, name, "ms", [1e3 * x for x in times]) for name, times in seconds.items()
        ]
        missing = {name: x for name, x in made.items() if not callable(x)}
        return rows + [Row(self.name, name, "ms", [], x) for name, x in missing.items()]


OFF = ", collector off"

CALLS_COMPARED = 3
"""A compiled function is traced at its first call, checked at its second, and runs alone after."""


def check_equal(workload: Workload, runners: dict[str, Runner]) -> None:
    """Refuse to time peers that compute something else."""
    results = {}
    for name, run in runners.items():
        for _ in range(CALLS_COMPARED):
            result = run()
        results[name] = list(numbers(result))
    ours, *_ = results.values()
    for name, arrays in results.items():
        for mine, theirs in zip(ours, arrays, strict=True):
            np.testing.assert_allclose(
                theirs,
                mine,
                rtol=workload.tolerance,
                atol=workload.tolerance * max(1.0, float(np.max(np.abs(mine)))),
                err_msg=f"{workload.name}: {name} and {next(iter(results))} differ",
            )


def numbers(result: Any) -> Iterator[np.ndarray]:
    """The arrays of a nested result, of whichever library."""
    if isinstance(result, (tuple, list)) and not all(isinstance(x, float) for x in result):
        for part in result:
            yield from numbers(part)
    else:
        yield np.asarray(result.detach() if hasattr(result, "detach") else result)


def times_in_a_row(run: Runner) -> int:
    started = time.perf_counter()
    run()
    return max(1, round(SHORTEST / (time.perf_counter() - started)))


def once(run: Runner, inner: int, collector: bool) -> float:
    """Seconds of one run, the mean of a few in a row; garbage of others is not charged to it."""
    gc.collect()
    if not collector:
        gc.disable()
    try:
        run()
        started = time.perf_counter()
        for _ in range(inner):
            run()
        return (time.perf_counter() - started) / inner
    finally:
        gc.enable()
