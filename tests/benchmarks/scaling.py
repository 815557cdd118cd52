"""Strong and weak scaling on one and two workers: ``python -m tests.benchmarks.scaling``.

Needs the extra ``dask``.  Prints what a step takes beside what the cost model of
docs/scaling.md says, from constants measured first, and up to how many workers
the model says that training pays.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

import nn
from nn.dask.cluster import scatter
from nn.dask.data import Share
from nn.dask.step import Blueprint, State, Total, differentiate

MODELS = {"small": (50, [1]), "medium": (784, [128, 10]), "large": (1024, [2048, 2048, 10])}
SHARES = 8
SAMPLES = {"small": 400_000, "medium": 16_000, "large": 1_600}
"""How many make a batch in the measurements."""
ROUNDS = 3


@dataclass(frozen=True)
class Costs:
    """What a machine and a network take, in seconds."""

    per_step: float
    per_task: float
    per_byte: float
    per_share: float
    per_sample: float
    per_added_byte: float
    per_update: float

    def step(self, samples: float, size: int, workers: int) -> float:
        """One step: tasks, the model sent, gradients computed and added up, the update."""
        count = max(SHARES, workers)
        tasks = self.per_step + self.per_task * tasks_of(count)
        share = self.per_share + self.per_sample * samples / count
        levels = range(1, math.ceil(math.log2(count)) + 1)
        additions = sum(-(-count // (workers << level)) for level in levels)
        moves = workers + (additions if workers > 1 else 0) + 1
        return (
            tasks
            + math.ceil(count / workers) * share
            + additions * size * self.per_added_byte
            + moves * size * self.per_byte
            + self.per_update
        )

    def pays_up_to(self, samples: float, size: int) -> int:
        """The most workers of which each is still used at least half of its time."""
        alone = self.step(samples, size, 1)
        counts = [2**k for k in range(13)]
        worth = [n for n in counts if alone / (n * self.step(samples, size, n)) >= 0.5]
        return max(worth)


def tasks_of(shares: int) -> int:
    """Two chunks to load for each share, the shares, and the additions."""
    return 4 * shares - 1


def network(name: str) -> Any:
    n_in, sizes = MODELS[name]
    return nn.MLP(n_in, sizes, rng=0, dtype=np.float32)


def bytes_of(model: Any) -> int:
    return int(sum(p.data.nbytes for p in model.parameters()))


@contextmanager
def cluster_of(workers: int) -> Any:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs="CRITICAL",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def duration(run: Any, repetitions: int = 5) -> float:
    """The median; what runs give is kept, as what shares give is until it is added up."""
    durations, kept = [], []
    for _ in range(repetitions):
        start = time.perf_counter()
        kept.append(run())
        durations.append(time.perf_counter() - start)
    return statistics.median(durations)


def nothing(*_: Any) -> None:
    return None


def seconds_of_tree(shares: int) -> float:
    """A step whose tasks do nothing: chunks loaded, the model sent, a tree of additions."""
    import dask

    task = dask.delayed(nothing, pure=False)
    chunks = dask.persist(*[task(i) for i in range(2 * shares)])

    def run() -> None:
        loaded = dask.persist(*chunks)
        state = scatter(None)
        totals = [task(state, *pair) for pair in zip(*[iter(loaded)] * 2, strict=True)]
        while len(totals) > 1:
            totals = [task(a, b) for a, b in zip(totals[0::2], totals[1::2], strict=True)]
        totals[0].compute()

    return duration(run, 10)


def data_of(name: str, samples: int) -> tuple[Any, Any]:
    """Persisted chunks, one for each share."""
    import dask
    import dask.array as da

    rng = da.random.default_rng(0)
    n_in, sizes = MODELS[name]
    rows = samples // SHARES
    x = rng.normal(size=(samples, n_in), chunks=(rows, n_in)).astype(np.float32)
    y = rng.normal(size=(samples, sizes[-1]), chunks=(rows, sizes[-1])).astype(np.float32)
    x, y = dask.persist(x, y)
    dask.compute(x.sum(), y.sum())
    return x, y


def seconds_per_step(name: str, samples: int, epochs: int = 5) -> float:
    """The median step: epochs are one step long, and the first two compile."""
    model, data, times = network(name), data_of(name, samples), []

    def noted(epoch: float) -> float:
        times.append(time.perf_counter())
        return 1.0

    nn.fit(
        model, *data, loss=nn.mse, optimizer=nn.SGD, schedule=noted, epochs=epochs + 3,
        batch_size=samples, rng=0, progress=False,
    )  # fmt: skip
    return float(np.median(np.diff(times[2:])))


def on_all_workers(client: Any, function: Any, *args: Any) -> float:
    """The longest of what a function says on all workers, which run it at the same time."""
    return float(max(client.run(function, *args).values()))


def seconds_of_share(name: str, samples: int) -> float:
    """A share's loss and gradient, as a worker computes them."""
    model = network(name)
    parameters = [p.data for p in model.parameters()]
    trainable = list(range(len(parameters)))
    blueprint = Blueprint(f"{name}-{samples}", model, nn.mse, trainable, False, True)
    state, (n_in, sizes) = State(parameters, []), MODELS[name]
    x, y = np.ones((samples, n_in), np.float32), np.ones((samples, sizes[-1]), np.float32)
    share = Share(x, y, None, samples, (0, samples), (0, 0))
    for _ in range(2):  # traced, and traced again for comparison
        differentiate(blueprint, state, share)
    return duration(lambda: differentiate(blueprint, state, share))


def seconds_of_addition(name: str) -> float:
    gradients = [np.ones_like(p.data) for p in network(name).parameters()]
    total = Total(1.0, 1.0, 1.0, gradients, [], [])
    return duration(lambda: total + total)


def seconds_of_update(name: str) -> float:
    """A step of the optimizer, here, and the copy of the model that is sent."""
    model = network(name)
    gradients = [np.ones_like(p.data) for p in model.parameters()]
    optimizer = nn.SGD(model)

    def update() -> list[Any]:
        for p, g in zip(model.parameters(), gradients, strict=True):
            p.grad = g
        optimizer.step()
        return [np.array(p.data) for p in model.parameters()]

    return duration(update)


def costs_of(name: str, client: Any) -> Costs:
    """The constants, each measured alone, on as many workers as there are at the same time."""
    few, many = (seconds_of_tree(count) for count in (SHARES, 4 * SHARES))
    per_task = (many - few) / (tasks_of(4 * SHARES) - tasks_of(SHARES))
    per_step = max(0.0, few - per_task * tasks_of(SHARES))
    array = np.zeros(16_000_000, np.uint8)
    per_byte = duration(lambda: client.scatter(array, hash=False).result()) / (2 * array.nbytes)
    samples = SAMPLES[name] // SHARES
    whole, part = (
        on_all_workers(client, seconds_of_share, name, n) for n in (samples, samples // 4)
    )
    per_sample = (whole - part) / (samples - samples // 4)
    addition = on_all_workers(client, seconds_of_addition, name) / bytes_of(network(name))
    per_share = max(0.0, whole - samples * per_sample)
    update = seconds_of_update(name)
    return Costs(per_step, per_task, per_byte, per_share, per_sample, addition, update)


def measured(name: str, workers: int, batches: list[int]) -> tuple[Costs, list[float]]:
    """The constants, and steps with these numbers of samples: medians of interleaved rounds."""
    with cluster_of(workers) as client:
        rounds = [
            (costs_of(name, client), [seconds_per_step(name, count) for count in batches])
            for _ in range(ROUNDS)
        ]
    costs = zip(*[astuple(c) for c, _ in rounds], strict=True)
    steps = zip(*[seconds for _, seconds in rounds], strict=True)
    return Costs(*map(statistics.median, costs)), list(map(statistics.median, steps))


def report(name: str) -> None:
    samples, size = SAMPLES[name], bytes_of(network(name))
    print(f"\n{name}: {size / 1e6:.2f} MB, {samples} samples a batch")
    alone, (one,) = measured(name, 1, [samples])
    together, (strong, weak) = measured(name, 2, [samples, 2 * samples])
    for label, workers, c, count, seconds in (
        ("1 worker", 1, alone, samples, one),
        ("2 workers, strong", 2, together, samples, strong),
        ("2 workers, weak", 2, together, 2 * samples, weak),
    ):
        expected = c.step(count, size, workers)
        print(f"  {label}: {seconds * 1e3:.0f} ms measured, {expected * 1e3:.0f} ms by the model")
        print(
            f"    step {c.per_step * 1e3:.1f} ms, task {c.per_task * 1e3:.2f} ms, "
            f"byte {c.per_byte * 1e9:.2f} ns, share {c.per_share * 1e3:.1f} ms, "
            f"sample {c.per_sample * 1e6:.2f} µs, "
            f"added byte {c.per_added_byte * 1e9:.2f} ns, update {c.per_update * 1e3:.1f} ms"
        )
    print(f"  pays up to {alone.pays_up_to(samples, size)} workers")
    print(f"  with batches 16 times as large up to {alone.pays_up_to(16 * samples, size)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="*", choices=[*MODELS, []], help="all by default")
    for name in parser.parse_args().network or MODELS:
        report(name)


if __name__ == "__main__":
    main()
