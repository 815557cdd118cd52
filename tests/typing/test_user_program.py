"""The typed sample program runs; `.ci/run` has its types checked against the installed wheel."""

from __future__ import annotations

import runpy
from pathlib import Path


def test_the_program_of_a_user_runs(capsys):
    runpy.run_path(str(Path(__file__).parent / "user_program.py"), run_name="__main__")
    assert "gradcheck" in capsys.readouterr().out
