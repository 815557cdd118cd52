"""Data larger than the memory that a process may have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDED = {"memmap": "numpy", "zarr": "zarr"}


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on memory is Linux's")
@pytest.mark.parametrize("kind", NEEDED)
def test_four_gigabytes_train_in_two(kind: str) -> None:
    if not find_spec(NEEDED[kind]):
        pytest.skip(f"needs {NEEDED[kind]}")
    run = subprocess.run(
        [sys.executable, "-m", "tests.distributed.out_of_core", kind, "4", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert figures["loss"] == pytest.approx(0.6931, abs=1e-3)
    assert figures["peak_gigabytes"] < 1.5
