"""The tour does what the README says of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tour")
    run = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "tour.py"), "--output", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return folder, run.stdout, run.stderr


def test_it_prints_every_value_and_gradient(tour):
    _, printed, _ = tour
    for line in (
        "x1          2.0000   -1.1817",
        "w2          1.5000    2.3635",
        "error       1.6675    1.0000",
    ):
        assert line in printed


def test_it_checks_a_custom_function(tour):
    _, printed, _ = tour
    assert "gradcheck swish: correct" in printed
    assert "the sign is wrong" in printed


def test_it_writes_the_files_that_it_names(tour):
    folder, printed, _ = tour
    named = {Path(path).name for path in re.findall(r"wrote (\S+)", printed)}
    assert named == {"neuron.dot", "neuron.svg", "neuron.html", "loss.png"}
    assert (folder / "neuron.dot").read_text(encoding="utf-8").startswith("digraph")
    assert ElementTree.parse(folder / "neuron.svg").getroot().tag.endswith("svg")
    assert 'id="slider"' in (folder / "neuron.html").read_text(encoding="utf-8")
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_it_learns_to_read_digits_with_a_progress_bar(tour):
    _, printed, progress = tour
    accuracy, seconds = re.search(r"quarter: ([\d.]+)% after ([\d.]+) s", printed).groups()
    assert float(accuracy) >= 97
    assert float(seconds) > 0
    assert "1290/1290" in progress
