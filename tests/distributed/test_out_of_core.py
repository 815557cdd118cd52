"""Data larger than the memory that a process may have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.distributed.out_of_core import OF_ARRAYS, OPTIONS

NEEDED = {"memmap": "numpy", "zarr": "zarr"}


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")


def figures_of(kind: str, *arguments: str) -> list[dict[str, Any]]:
    """What the program printed, a line for each fit."""
    if not find_spec(NEEDED[kind]):
        pytest.skip(f"needs {NEEDED[kind]}")
    run = subprocess.run(
        [sys.executable, "-m", "tests.distributed.out_of_core", kind, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("kind", NEEDED)
def test_four_gigabytes_train_in_two(kind: str) -> None:
    (figures,) = figures_of(kind, "4", "2")
    assert figures["loss"] == pytest.approx(0.6931, abs=1e-3)
    assert figures["peak_gigabytes"] < 1.5


@pytest.mark.parametrize("kind", NEEDED)
def test_no_option_of_fit_reads_a_file_into_memory(kind: str) -> None:
    """A copy of it would take 0.8 GB beside what Python, libraries, chunks and a batch take.

    What a batch leaves is given back sooner or later: each option has two tries.
    """
    asked = set(OPTIONS) - set(OF_ARRAYS if kind == "zarr" else ())
    peaks: dict[str, float] = {}
    for _ in range(2):
        for figures in figures_of(kind, "0.8", "2", "each"):
            option, peak = figures["option"], figures["peak_gigabytes"]
            peaks[option] = min(peak, peaks.get(option, peak))
    assert set(peaks) == asked
    least = min(peaks.values())
    assert least < 0.8
    assert all(peak < least + 0.6 for peak in peaks.values()), peaks
