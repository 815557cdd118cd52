"""The reader's test: an operation is added as chapter 5 says, in the two places that it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = Path("autograd_lite/ops/elementwise.py")
ROWS = Path("tests/ops/cases/elementwise.py")
COVERAGE = Path("docs/numpy_coverage.md")
GATE = "every_registered"


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository, as far as operations are concerned, without the cube root."""
    for folder in ("autograd_lite", "tests", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "images", "generated")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for path, start in ((RULES, "cbrt = "), (ROWS, "    row(np.cbrt,")):
        lines = (tmp_path / path).read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) == len(lines) - 1
        (tmp_path / path).write_text("".join(kept), encoding="utf-8")
    return tmp_path


def code_of_chapter_5() -> tuple[str, str]:
    """The rule and the row, as they are printed there."""
    chapter = (ROOT / "docs" / "learn" / "05_backpropagation.md").read_text(encoding="utf-8")
    assert f"`{RULES.as_posix()}`" in chapter and f"`{ROWS.as_posix()}`" in chapter
    rule, row = re.findall(r"^```python\n((?!>>>).*\n)```$", chapter, re.MULTILINE)
    return rule, row


def python(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)


def laws(checkout: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    return python(checkout, "-m", "pytest", "-n0", "-q", "tests/ops/test_laws.py", "-k", chosen)


def test_two_places_are_enough_and_one_is_not(checkout):
    rule, row = code_of_chapter_5()
    with (checkout / RULES).open("a", encoding="utf-8") as file:
        file.write(rule)
    alone = laws(checkout, GATE)
    assert alone.returncode == 1 and "cbrt" in alone.stdout, alone.stdout

    table = (checkout / ROWS).read_text(encoding="utf-8")
    beginning = "ROWS: list[Case] = [\n"
    (checkout / ROWS).write_text(
        table.replace(beginning, f"{beginning}    {row.rstrip()},\n"), encoding="utf-8"
    )
    both = laws(checkout, f"cbrt or {GATE}")
    assert both.returncode == 0, both.stdout
    assert int(re.search(r"(\d+) passed", both.stdout)[1]) > 5

    # The list of what is covered comes out of these two.
    (checkout / COVERAGE).unlink()
    assert python(checkout, "-m", "tests.coverage_table").returncode == 0
    assert "| `cbrt` | differentiable |" in (checkout / COVERAGE).read_text(encoding="utf-8")
