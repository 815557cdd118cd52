"""The benchmark command: what it collects, compares and writes down; no test depends on a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks import gpu, report
from tests.benchmarks.collect import workloads
from tests.benchmarks.measure import BY_HAND, OURS, Row, Workload, is_wanted
from tests.benchmarks.settings import SETTINGS
from tests.ops.device_library import library as stand_in


def test_every_module_with_workloads_is_collected():
    folder = Path(report.__file__).parent
    holding = [x for x in folder.glob("*.py") if "\nWORKLOADS = [" in x.read_text(encoding="utf-8")]
    assert len(holding) >= 6
    assert len(workloads()) >= len(holding)


def test_peers_that_compute_something_else_are_not_timed():
    workload = Workload(
        "sum",
        "1 + 1",
        lambda: {OURS: lambda: [2.0, np.ones(3)], BY_HAND: lambda: [2.1, np.ones(3)]},
    )
    with pytest.raises(AssertionError, match="NumPy by hand and autograd_lite differ"):
        workload.measured(1, [], progress=False)


def test_a_peer_is_chosen_by_the_beginning_of_its_name():
    assert is_wanted(OURS, ["JAX"])
    assert is_wanted("JAX jit", ["JAX"])
    assert not is_wanted("PyTorch", ["JAX"])
    assert is_wanted("PyTorch", [])


def test_rows_peer_by_peer_and_what_could_not_be_measured():
    workload = Workload(
        "sum", "1 + 1", lambda: {OURS: lambda: 2.0, BY_HAND: lambda: 2.0, "other": "no compiler"}
    )
    ours, by_hand, other = workload.measured(3, [], progress=False)
    assert (ours.peer, len(ours.amounts), by_hand.peer) == (OURS, 3, BY_HAND)
    assert (other.amounts, other.note) == ([], "no compiler")


def test_table_raw_numbers_and_plots(tmp_path):
    rows = [
        Row("sum", OURS, "ms", [2.0, 2.0, 4.0]),
        Row("sum", BY_HAND, "ms", [1.0, 1.0, 1.0]),
        Row("sum", "torch.compile", "ms", [], "no compiler"),
    ]
    report.write([("default", row) for row in rows], tmp_path, "svg")
    lines = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    assert "| sum | default | autograd_lite | 2 ms | ±25% | 1.00 | 2.00 |" in lines
    assert "| sum | default | NumPy by hand | 1 ms | ±0% | 0.50 | 1.00 |" in lines
    assert "| sum | default | torch.compile | no compiler |  |  |  |" in lines
    raw = json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))
    assert [x["amounts"] for x in raw] == [[2.0, 2.0, 4.0], [1.0, 1.0, 1.0], []]
    assert "<svg" in (tmp_path / "sum_default.svg").read_text(encoding="utf-8")


def test_a_setting_of_one_core_sets_every_library_to_one_thread():
    environment = SETTINGS["one core, SkylakeX kernels"].environment()
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OPENBLAS_CORETYPE"] == "SkylakeX"


def test_a_step_on_a_gpu_is_numpys_step_and_without_a_gpu_the_command_says_why():
    data = gpu.drawn((5, 4, 3), 7)
    here, there = gpu.by_us(np, data), gpu.by_us(stand_in, data, cuda_graph=True)
    losses = [(here(), there()) for _ in range(4)]
    np.testing.assert_allclose(*np.transpose(losses), rtol=1e-6)
    assert losses[3] < losses[0]
    if isinstance(gpu.gpu_library(), str):
        command = [sys.executable, "-m", "tests.benchmarks.gpu"]
        folder = Path(__file__).parents[1]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert ran.returncode == 1
        assert ran.stderr.startswith("Nothing was measured. CuPy ")


def test_the_command_runs_a_workload_in_a_process_of_its_own(tmp_path):
    options = ["--quick", "--workload", "deep", "--peer", BY_HAND, "--folder", str(tmp_path)]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *options],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "| deep network | default | NumPy by hand |" in ran.stdout
    assert (tmp_path / "deep_network_default.svg").exists()
