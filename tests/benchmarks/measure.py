"""How a workload is timed: equal results first, then interleaved repetitions and their medians."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

Runner = Callable[[], object]


@dataclass
class Workload:
    """One computation, done by several peers; the first one is ours.

    ``runners`` maps a peer's name to a function that does it once and returns
    its numbers; ``make`` returns them, and leaves out peers that are missing.
    """

    name: str
    description: str
    make: Callable[[], dict[str, Runner]]
    inner: int = 1
    tolerance: float = 1e-9
    without_collector: tuple[str, ...] = field(default=())


@dataclass
class Row:
    """The median time of one peer, its spread, and how it compares to ours."""

    workload: str
    peer: str
    milliseconds: float
    spread: float
    ratio: float


def check_equal(workload: Workload, runners: dict[str, Runner]) -> None:
    """Refuse to time peers that compute something else."""
    (first, ours), *others = ((name, np.asarray(run())) for name, run in runners.items())
    for name, numbers in others:
        np.testing.assert_allclose(
            numbers,
            ours,
            rtol=workload.tolerance,
            atol=workload.tolerance,
            err_msg=f"{workload.name}: {name} and {first} differ",
        )


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


def measure(workload: Workload, repetitions: int, progress: bool = True) -> list[Row]:
    """Time all peers in turn, again and again, and compare medians with the first peer's."""
    runners = workload.make()
    check_equal(workload, runners)
    for name in workload.without_collector:
        if name in runners:
            runners[f"{name}, collector off"] = runners[name]
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for _ in tqdm(range(repetitions), desc=workload.name, disable=not progress):
        for name, run in runners.items():
            collector = not name.endswith(", collector off")
            seconds[name].append(once(run, workload.inner, collector))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ours = next(iter(medians.values()))
    return [
        Row(
            workload.name,
            name,
            1e3 * median,
            (np.quantile(seconds[name], 0.75) - np.quantile(seconds[name], 0.25)) / median,
            median / ours,
        )
        for name, median in medians.items()
    ]
