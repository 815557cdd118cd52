"""Strong and weak scaling on one and two workers: ``python -m tests.benchmarks.scaling``.

Needs the extra ``dask``.  Prints what a step takes beside what the cost model of
docs/scaling.md says, from four constants measured first, and up to how many workers
the model says that training pays.
"""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import nn

MODELS = {"small": (50, [1]), "medium": (784, [128, 10]), "large": (1024, [2048, 2048, 10])}
SHARES = 8
SAMPLES = {"small": 400_000, "medium": 16_000, "large": 1_600}
"""How many make a batch in the measurements."""


@dataclass(frozen=True)
class Costs:
    """What a machine and a network take, in seconds."""

    per_task: float
    per_byte: float
    per_sample: float
    per_update: float

    def step(self, samples: float, size: int, workers: int) -> float:
        """One step: tasks, the model sent, gradients computed and added up, the update."""
        shares = math.ceil(SHARES / workers) if workers < SHARES else 1
        count = max(SHARES, workers)
        tasks = self.per_task * (2 * count - 1)
        compute = self.per_sample * samples / count * shares
        moved = self.per_byte * size * (workers + math.ceil(math.log2(count)) + 1)
        return tasks + compute + moved + self.per_update

    def pays_up_to(self, samples: float, size: int) -> int:
        """The most workers of which each is still used at least half of its time."""
        alone = self.step(samples, size, 1)
        counts = [2**k for k in range(13)]
        worth = [n for n in counts if alone / (n * self.step(samples, size, n)) >= 0.5]
        return max(worth)


def network(name: str) -> Any:
    n_in, sizes = MODELS[name]
    return nn.MLP(n_in, sizes, rng=0, dtype=np.float32)


def bytes_of(model: Any) -> int:
    return sum(p.data.nbytes for p in model.parameters())


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


def fastest(run: Any, repetitions: int = 3) -> float:
    durations = []
    for _ in range(repetitions):
        start = time.perf_counter()
        run()
        durations.append(time.perf_counter() - start)
    return min(durations)


def nothing(x: Any) -> None:
    return None


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


def seconds_per_step(name: str, samples: int, epochs: int = 4) -> float:
    """The shortest step: epochs are one step long, and the first one compiles."""
    model, data, times = network(name), data_of(name, samples), []

    def noted(epoch: float) -> float:
        times.append(time.perf_counter())
        return 1.0

    nn.fit(
        model, *data, loss=nn.mse, optimizer=nn.SGD, schedule=noted, epochs=epochs + 2,
        batch_size=samples, rng=0, progress=False,
    )  # fmt: skip
    return float(np.min(np.diff(times[1:])))


def costs_of(name: str, client: Any) -> Costs:
    """The four constants, each measured alone."""
    per_task = fastest(lambda: client.gather(client.map(nothing, range(64), pure=False))) / 64
    array = np.zeros(4_000_000, np.uint8)
    per_byte = fastest(lambda: client.scatter(array, hash=False).result()) / (2 * array.nbytes)
    samples = SAMPLES[name] // SHARES
    n_in, sizes = MODELS[name]
    model = network(name)
    x, y = np.zeros((samples, n_in), np.float32), np.zeros((samples, sizes[-1]), np.float32)

    def epochs(n: int) -> float:
        return fastest(
            lambda: nn.fit(
                model, x, y, loss=nn.mse, optimizer=nn.SGD, epochs=n, batch_size=samples,
                rng=0, progress=False,
            )
        )  # fmt: skip

    per_sample = (epochs(6) - epochs(2)) / 4 / samples
    parameters = [np.array(p.data) for p in model.parameters()]
    per_update = fastest(lambda: [p - 0.1 * p for p in parameters])
    return Costs(per_task, per_byte, per_sample, per_update)


def main() -> None:
    with cluster_of(1) as client:
        costs = {name: costs_of(name, client) for name in MODELS}
        alone = {name: seconds_per_step(name, SAMPLES[name]) for name in MODELS}
    with cluster_of(2):
        strong = {name: seconds_per_step(name, SAMPLES[name]) for name in MODELS}
        weak = {name: seconds_per_step(name, 2 * SAMPLES[name]) for name in MODELS}
    for name in MODELS:
        c, size, samples = costs[name], bytes_of(network(name)), SAMPLES[name]
        print(f"\n{name}: {size / 1e6:.2f} MB, {samples} samples a batch")
        print(
            f"  task {c.per_task * 1e3:.2f} ms, byte {c.per_byte * 1e9:.2f} ns, "
            f"sample {c.per_sample * 1e6:.2f} µs, update {c.per_update * 1e3:.2f} ms"
        )
        for label, found, expected in (
            ("1 worker", alone[name], c.step(samples, size, 1)),
            ("2 workers, strong", strong[name], c.step(samples, size, 2)),
            ("2 workers, weak", weak[name], c.step(2 * samples, size, 2)),
        ):
            print(f"  {label}: {found * 1e3:.0f} ms measured, {expected * 1e3:.0f} ms by the model")
        print(f"  pays up to {c.pays_up_to(samples, size)} workers")
        print(f"  with batches 16 times as large up to {c.pays_up_to(16 * samples, size)}")


if __name__ == "__main__":
    main()
