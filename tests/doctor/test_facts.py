"""The facts are those of this process; asked in different ways they agree."""

from __future__ import annotations

import os
import platform
import re
import stat
import subprocess
import sys
from importlib.metadata import version
from types import ModuleType

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.doctor import blas, command, facts
from autograd_lite.doctor.facts import cores_of_quota


def test_the_command_prints_the_whole_report():
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-m", "autograd_lite", "doctor"],
        capture_output=True, encoding="utf-8", env=environment, check=True, timeout=300,
    )  # fmt: skip
    first = f"autograd_lite {ag.__version__}, Python {platform.python_version()}, NumPy "
    assert run.stdout.startswith(first + np.__version__)
    assert "environment  OPENBLAS_NUM_THREADS=1" in run.stdout
    single, double = re.search(r"float32 (\d+) GFLOP/s, float64 (\d+) GFLOP/s", run.stdout).groups()
    assert int(single) > 0
    assert int(double) > 0
    assert re.search(r"^  Matplotlib +3\.", run.stdout, re.MULTILINE)
    assert "\nadvice\n" in run.stdout


def test_openblas_and_threadpoolctl_tell_the_same():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    told = [b for b in threadpoolctl.threadpool_info() if "numpy.libs" in b["filepath"]]
    if not told:
        pytest.skip("NumPy brings no OpenBLAS of its own here")
    asked = blas.facts_from_openblas(blas.libraries_of_numpy())
    assert asked == blas.Blas(
        f"openblas {told[0]['version']}", told[0]["architecture"], told[0]["num_threads"]
    )


def test_a_file_that_is_no_openblas_is_passed_over(tmp_path):
    path = tmp_path / "libopenblas.so"
    path.write_bytes(b"no library")
    assert blas.facts_from_openblas([path]) is None


def test_numpys_build_names_its_blas():
    name = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    assert blas.facts_from_build().name.startswith(name)


def test_the_rate_of_a_small_product_is_positive_and_finite():
    assert 0 < blas.gigaflops(np.float32, size=16, seconds=0.0) < 1e5


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", None), ("50000 100000", 1), ("200000 100000\n", 2), ("250000 100000", 3)],
)
def test_a_control_group_grants_whole_cores(quota, cores):
    assert cores_of_quota(quota) == cores


def test_packages_are_found_by_module_and_named_by_distribution():
    found = {option.name: option.version for option in facts.find_options()}
    assert found["Matplotlib"] == version("matplotlib")
    assert facts.version_of(["numpy"], {}) == "of unknown version"
    assert facts.version_of(["no_such_module"], {"no_such_module": ["numpy"]}) is None


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a shell script")
@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'dot - graphviz version 12.1.0 (2024)' >&2", "12.1.0"),
        ("exit 127", "does not run (exit status 127)"),
    ],
)
def test_dot_is_asked_for_its_version(tmp_path, monkeypatch, script, told):
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts.version_of_dot() == told


def test_a_path_without_dot(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert facts.version_of_dot() is None


BROKEN = ("find_blas", "find_networks", "find_options", "instruction_sets", "measured_rates")


@pytest.mark.parametrize("name", [*BROKEN, "processor", "usable_cores"])
def test_a_fact_that_cannot_be_found_costs_that_one_alone(name, monkeypatch):
    def fail():
        raise OSError("broken on purpose")

    monkeypatch.setattr(facts, "measured_rates", lambda: {"float32": 20.0, "float64": 10.0})
    monkeypatch.setattr(facts, name, fail)
    text = command.report(facts.gather())
    assert "could not be found out: OSError: broken on purpose" in text


def test_a_broken_package_is_told_as_broken():
    sys.modules["broken_on_purpose"] = ModuleType("broken_on_purpose")  # without a spec
    try:
        assert facts.version_of(["broken_on_purpose"], {}) == "broken (ValueError)"
    finally:
        del sys.modules["broken_on_purpose"]


def test_reports_are_printed_on_a_console_of_ascii():
    program = (
        "import sys, numpy as np, autograd_lite as ag\n"
        "from autograd_lite.__main__ import main\n"
        "print(ag.gradcheck(np.cos, 0.5, gradient=np.sin, raise_error=False))\n"
        "assert main(['check', 'numpy:tanh', '--args', '0.5', '--table']) == 0\n"
        "main(['doctor'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="ascii", check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "is 0.102119664 ? " in run.stdout
    assert "1024?1024 @" in run.stdout
