"""The reader's test: an optimizer is added in two places, its class and its row in the table."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = Path("nn/optimizers/rules.py")
TABLE = Path("tests/nn/optimizer_cases.py")
GATE = "every_registered"

RULE = '''

@optimizer
class SignSGD(Optimizer):
    """Steps of one size, against the sign of the gradient."""

    learning_rate: float = 0.01

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        return data - hyperparameters.learning_rate * np.sign(g), state
'''

ROW = """    "sign_sgd": Case(
        nn.optimizers.SignSGD,
        definition=lambda data, gradients, rate: data - rate * np.cumsum(np.sign(gradients), 0),
    ),
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository, as far as optimizers are concerned."""
    for folder in ("autograd_lite", "nn", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def write_rule(checkout: Path) -> None:
    with (checkout / RULES).open("a", encoding="utf-8") as file:
        file.write(RULE)


def write_row(checkout: Path) -> None:
    table = (checkout / TABLE).read_text(encoding="utf-8")
    beginning = "CASES = {\n"
    assert table.count(beginning) == 1
    table = table.replace(beginning, beginning + ROW)
    (checkout / TABLE).write_text(table, encoding="utf-8")


def laws(checkout: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    files = ["tests/nn/test_optimizers.py", "tests/nn/test_step_optimizers.py"]
    command = [sys.executable, "-m", "pytest", "-n0", "-q", *files, "-k", chosen]
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def test_a_class_alone_is_refused_and_with_its_row_all_laws_are_checked(checkout):
    write_rule(checkout)
    alone = laws(checkout, GATE)
    assert alone.returncode == 1 and "SignSGD" in alone.stdout, alone.stdout

    write_row(checkout)
    both = laws(checkout, f"sign_sgd or SignSGD or {GATE}")
    assert both.returncode == 0, both.stdout
    assert int(re.search(r"(\d+) passed", both.stdout)[1]) > 10


def test_a_row_alone_is_refused(checkout):
    write_row(checkout)
    alone = laws(checkout, GATE)
    assert alone.returncode == 2, alone.stdout
    assert "module 'nn.optimizers' has no attribute 'SignSGD'" in alone.stdout
