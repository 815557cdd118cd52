"""The plugin for pytest, as other people's test suites see it."""

import json
import os
import subprocess
import sys

import pytest

SUITE = """
import numpy as np, autograd_lite as ag

def test_right():
    ag.testing.assert_gradients(np.sin, np.array([0.5, 1.0]))

def test_wrong():
    ag.testing.assert_gradients(np.sin, np.array([0.5, 1.0]), gradient=lambda x: -np.cos(x))
"""


def run_suite(folder, *options):
    (folder / "test_suite.py").write_text(SUITE, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "autograd_lite.checking.pytest_plugin", *options]
    # where the package is installed, pytest would load it by its entry point, and then again
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        command, cwd=folder, env=alone, capture_output=True, text=True, check=False
    )


def test_a_failure_shows_the_report_and_a_file_holds_all_checks(tmp_path):
    result = run_suite(tmp_path, "--gradients-report=checks.json")
    assert "1 failed, 1 passed" in result.stdout, result.stdout + result.stderr
    assert "hint: the sign is wrong" in result.stdout
    assert "Traceback" not in result.stdout and "raise GradcheckError" not in result.stdout
    checks = json.loads((tmp_path / "checks.json").read_text(encoding="utf-8"))
    assert [check["correct"] for check in checks] == [True, False]
    assert checks[1]["test"] == "test_suite.py::test_wrong"
    assert checks[1]["hints"][0]["kind"] == "sign"


def test_the_workers_of_xdist_hand_their_checks_over(tmp_path):
    pytest.importorskip("xdist")
    result = run_suite(tmp_path, "-p", "xdist", "-n", "2", "--gradients-report=checks.json")
    assert "1 failed, 1 passed" in result.stdout, result.stdout + result.stderr
    checks = json.loads((tmp_path / "checks.json").read_text(encoding="utf-8"))
    assert {check["test"]: check["correct"] for check in checks} == {
        "test_suite.py::test_right": True,
        "test_suite.py::test_wrong": False,
    }


def test_a_report_in_no_folder_is_refused_at_the_start(tmp_path):
    result = run_suite(tmp_path, "--gradients-report=nowhere/checks.json")
    assert result.returncode == 4
    assert "name a file in a folder that exists" in result.stderr
