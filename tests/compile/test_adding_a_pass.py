"""The reader's test: a pass is added in two places, its file and its line in the list."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PASSES = Path("autograd_lite/compiler/passes")
LIST = PASSES / "pipeline.py"

CANCEL = '''"""Logarithms of exponentials: log(exp(x)) is x, where x is not too large for exp."""

from __future__ import annotations

from autograd_lite.compiler.ir import Operand, Operation, Program, rewrite
from autograd_lite.ops import elementwise

__all__ = ["cancel_logarithms"]


def cancel_logarithms(program: Program) -> Program:
    """Replace log(exp(x)) by x."""

    def rule(operation: Operation) -> Operand:
        x = operation.operands[0]
        if operation.primitive is elementwise.log and isinstance(x, Operation):
            return x.operands[0] if x.primitive is elementwise.exp else operation
        return operation

    return rewrite(program, rule)
'''

LINES = (
    (
        "from autograd_lite.compiler.passes.capture_graphs",
        "from autograd_lite.compiler.passes.cancel_logarithms import cancel_logarithms\n",
    ),
    ("    simplify,\n", "    cancel_logarithms,\n"),
)

EFFECT = """
import numpy as np
import autograd_lite as ag

compiled = ag.compile(lambda x: np.tanh(np.log(np.exp(x)) + 1))
x = np.linspace(0, 1, 5)
np.testing.assert_allclose(compiled(x), np.tanh(x + 1), rtol=1e-15)
print(compiled.stats.operations, compiled.stats.calls)
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository, as far as the compiler is concerned."""
    for folder in ("autograd_lite", "nn", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def python(checkout: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, *arguments]
    finished = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_two_places_are_enough(checkout):
    assert python(checkout, "-c", EFFECT) == "4 4\n"
    (checkout / PASSES / "cancel_logarithms.py").write_text(CANCEL, encoding="utf-8")
    text = (checkout / LIST).read_text(encoding="utf-8")
    for before, line in LINES:
        text = text.replace(before, line + before, 1)
    (checkout / LIST).write_text(text, encoding="utf-8")
    assert python(checkout, "-c", EFFECT) == "4 2\n"

    # The gates: the shape of the house, and that passes keep the numbers in any order.
    gates = ("tests/test_architecture.py", "tests/compile/test_random_programs.py")
    options = ("-n0", "-q", "-k", "cycle or downwards or function or lines or any_order")
    assert " passed" in python(checkout, "-m", "pytest", *options, *gates)
