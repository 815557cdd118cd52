"""Workload: how long the first training of a process waits for its program."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from tqdm import tqdm

from tests.benchmarks.measure import OURS, Row, installed, is_wanted

FIT = """
import sys, time
import numpy as np
import nn

how = {"True": True}.get(sys.argv[1], sys.argv[1])
rng = np.random.default_rng(0)
x, y = rng.normal(size=(256, 784)).astype(np.float32), rng.integers(0, 10, 256)
model = nn.MLP(784, [128, 10], rng=0)
optimizer = nn.Adam(model.parameters())
start = time.process_time()
nn.fit(model, x, y, loss="cross_entropy", optimizer=optimizer, epochs=1, batch_size=32, rng=0,
       compile=how, progress=False)
print(time.process_time() - start)
"""

NUMBA = {
    f"{OURS}, Numba, nothing on disk": ("numba", False),
    f"{OURS}, Numba, loops on disk": ("numba", True),
    f"{OURS}, auto, loops on disk": ("auto", True),
}


class FirstFit:
    name = "first fit"
    description = "first epoch of a process, 784-128-10 and Adam, eight batches; processor time"

    def measured(self, repetitions: int, wanted: Sequence[str], progress: bool) -> list[Row]:
        ways = {OURS: ("True", True), **(NUMBA if installed("numba") else {})}
        ways = {peer: way for peer, way in ways.items() if is_wanted(peer, wanted)}
        seconds: dict[str, list[float]] = {peer: [] for peer in ways}
        with tempfile.TemporaryDirectory() as folder:
            for how in ("numba", "auto") if installed("numba") else ():
                seconds_of(how, folder)
            for _ in tqdm(range(repetitions), desc=self.name, disable=not progress, leave=False):
                for peer, (how, is_kept) in ways.items():
                    seconds[peer].append(seconds_of(how, folder if is_kept else "off"))
        return [
            Row(self.name, peer, "ms", [1e3 * x for x in times]) for peer, times in seconds.items()
        ]


def seconds_of(how: str, folder: str) -> float:
    run = subprocess.run(
        [sys.executable, "-c", FIT, how],
        env={**os.environ, "AUTOGRAD_LITE_CACHE": folder},
        capture_output=True,
        check=True,
        text=True,
    )
    return float(run.stdout)


WORKLOADS = [FirstFit()]
