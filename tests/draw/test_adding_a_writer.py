"""The reader's test: a writer of drawings is added by its file and a line in the package's list."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITERS = Path("autograd_lite/drawing/writers")
LIST = "writers import graphviz, html, mermaid, text\n"
GATES = "every_writer or in_every_format"
WRITER = '''"""The writer of JSON, for programs that draw by themselves."""

import json

from autograd_lite.drawing.formats import Design, writer

__all__ = ["as_json"]


@writer(".json", "JSON")
def as_json(design: Design) -> str:
    """What each box says, and which boxes are its operands."""
    vertices = {vertex.key: vertex.describe() for vertex in design.picture.vertices}
    edges = [(edge.tail, edge.head) for edge in design.picture.edges]
    return json.dumps({"vertices": vertices, "edges": edges})
'''
DRAW = """
import autograd_lite as ag
x = ag.Value(3.0, label="x")
ag.draw(x * x).save("square.json")
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the repository, as far as drawings are concerned."""
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
    return python(checkout, "-m", "pytest", "-n0", "-q", "tests/draw/test_writers.py", "-k", GATES)


def test_two_places_are_enough_and_one_is_not(checkout):
    (checkout / WRITERS / "as_json.py").write_text(WRITER, encoding="utf-8")
    refused = gates(checkout)
    assert refused.returncode == 1 and "as_json" in refused.stdout, refused.stdout
    unknown = python(checkout, "-c", DRAW)
    assert "cannot be saved as '.json'; use one of .dot (DOT), .svg (SVG)" in unknown.stderr

    listed = checkout / WRITERS / "__init__.py"
    text = listed.read_text(encoding="utf-8")
    assert text.count(LIST) == 1
    listed.write_text(text.replace(LIST, LIST.replace("import", "import as_json,")), "utf-8")
    accepted = gates(checkout)
    assert accepted.returncode == 0, accepted.stdout
    drawn = python(checkout, "-c", DRAW)
    assert drawn.returncode == 0, drawn.stderr
    assert json.loads((checkout / "square.json").read_text(encoding="utf-8")) == {
        "vertices": {"v0": "x; value 3.0", "v1": "multiply; value 9.0"},
        "edges": [["v0", "v1"], ["v0", "v1"]],
    }
