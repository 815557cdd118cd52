"""The reader's test: a hypothesis is added by one function beside the others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACE = Path("autograd_lite/checking/diagnosis.py")
CLIPPED = '''

@hypothesis(rank=3, one_leaf=True)
def clipped(evidence: Evidence) -> Hint | None:
    """Where the true gradient is large, the analytic one is cut off."""
    analytic, numerical, error = evidence.numbers
    most = np.max(np.abs(analytic), axis=1, keepdims=True)
    if not matches(analytic, np.clip(numerical, -most, most), error).all():
        return None
    if not matches(analytic, numerical, error).any():
        return None  # of numbers that are all cut off, nothing shows where
    return Hint("clipped", "the gradient is clipped")
'''
ANYTHING = """

@hypothesis(rank=7)
def anything(evidence: Evidence) -> Hint | None:
    return Hint("anything", "something is wrong")
"""
CHECK = """
import numpy as np, autograd_lite as ag
clip = lambda x: np.clip(2 * x, -1.0, 1.0)
x = np.array([0.2, -0.4, 0.7, -0.1, 0.9, 0.3])
print(ag.gradcheck(lambda x: np.sum(x**2), x, gradient=clip, raise_error=False).hints[0])
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository, as far as gradient checks are concerned."""
    for folder in ("autograd_lite", "tests"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def python(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def gates(checkout: Path) -> subprocess.CompletedProcess[str]:
    files = [f"tests/gradcheck/{name}.py" for name in ("test_hypotheses", "test_corpus")]
    chosen = "not_explained or tanh or matmul"
    return python(checkout, "-m", "pytest", "-n0", "-q", *files, "-k", chosen)


def add(checkout: Path, function: str) -> None:
    with (checkout / PLACE).open("a", encoding="utf-8") as file:
        file.write(function)


def test_one_place_is_enough(checkout):
    before = python(checkout, "-c", CHECK)
    assert before.returncode == 0 and "clipped" not in before.stdout, before.stderr
    add(checkout, CLIPPED)
    assert python(checkout, "-c", CHECK).stdout == "the gradient is clipped\n"
    accepted = gates(checkout)
    assert accepted.returncode == 0, accepted.stdout


def test_a_hypothesis_that_always_fits_is_refused(checkout):
    add(checkout, ANYTHING)
    refused = gates(checkout)
    assert refused.returncode == 1 and "test_junk_is_not_explained" in refused.stdout
