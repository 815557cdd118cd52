"""A copy of the repository, to which the reader's tests add something and run the gates."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Checkout:
    """The packages and the tests, copied to a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("autograd_lite", "nn", "tests"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def append(self, path: str, text: str) -> None:
        """Add text at the end of a file."""
        with (self.folder / path).open("a", encoding="utf-8") as file:
            file.write(text)

    def insert(self, path: str, anchor: str, text: str) -> None:
        """Add text behind the one place that reads like this."""
        before = (self.folder / path).read_text(encoding="utf-8")
        assert before.count(anchor) == 1, f"{anchor!r} in {path}"
        after = before.replace(anchor, anchor + text)
        (self.folder / path).write_text(after, encoding="utf-8")

    def run_tests(self, paths: Iterable[str], chosen: str) -> tuple[int, str]:
        """How many tests passed, or -1 if one did not; and what was printed."""
        command = [sys.executable, "-m", "pytest", "-n0", "-q", *paths, "-k", chosen]
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True
        )
        passed = re.search(r"(\d+) passed", done.stdout)
        return (int(passed[1]) if passed and done.returncode == 0 else -1), done.stdout
