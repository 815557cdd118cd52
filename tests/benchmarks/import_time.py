"""Workload: how long a fresh interpreter takes to import a package."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from tqdm import tqdm

from tests.benchmarks.measure import OURS, Row, installed, is_wanted

PACKAGES = {
    OURS: "autograd_lite",
    "NumPy alone": "numpy",
    "HIPS autograd": "autograd",
    "MyGrad": "mygrad",
    "JAX": "jax",
    "PyTorch": "torch",
}


class ImportTime:
    name = "import"
    description = "import in a fresh interpreter, which takes its own time too"

    def measured(self, repetitions: int, wanted: Sequence[str], progress: bool) -> list[Row]:
        modules = {
            peer: module
            for peer, module in PACKAGES.items()
            if installed(module) and is_wanted(peer, wanted)
        }
        seconds: dict[str, list[float]] = {peer: [] for peer in modules}
        for _ in tqdm(range(repetitions), desc=self.name, disable=not progress, leave=False):
            for peer, module in modules.items():
                seconds[peer].append(time_of(f"import {module}"))
        return [
            Row(self.name, peer, "ms", [1e3 * x for x in times]) for peer, times in seconds.items()
        ]


def time_of(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


WORKLOADS = [ImportTime()]
