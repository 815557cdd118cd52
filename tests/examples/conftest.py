"""Run an example as its reader would, in a small setting."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run_example(monkeypatch, capsys, tmp_path):
    """Runs ``examples/NAME.py`` in an empty folder; returns what it printed, and its picture."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str, picture: str | None = None) -> tuple[str, bytes]:
        script = EXAMPLES / f"{name}.py"
        monkeypatch.setattr(sys, "argv", [str(script), *arguments])
        runpy.run_path(str(script), run_name="__main__")
        printed = capsys.readouterr().out
        path = tmp_path / (picture or f"{name}.png")
        assert f"wrote {path.name}\n" in printed
        return printed, path.read_bytes()

    return run
