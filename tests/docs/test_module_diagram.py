"""The picture of the architecture shows the imports as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def diagram():
    path = DOCS / "module_diagram.py"
    specification = importlib.util.spec_from_file_location("module_diagram", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_diagram_is_in_step_with_the_imports(diagram):
    kept = (DOCS / "images" / "modules.dot").read_text(encoding="utf-8")
    assert kept == diagram.dot_source(), "run: python docs/module_diagram.py"


def test_the_picture_was_made_from_the_diagram(diagram):
    tree = ElementTree.parse(DOCS / "images" / "modules.svg")
    titles = {title.text for title in tree.iter("{http://www.w3.org/2000/svg}title")}
    graph = diagram.without_implied(diagram.import_graph())
    arrows = {f"{source}->{target}" for source in graph for target in graph[source]}
    assert titles == {"modules"} | set(graph) | arrows


def test_arrows_that_follow_from_others_are_left_out(diagram):
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert diagram.without_implied(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_a_module_lies_in_the_box_of_its_folder(diagram):
    assert diagram.part_of("autograd_lite.ops.elementwise.tanh") == "ops"
    assert diagram.part_of("autograd_lite.Value") == "autograd_lite"
    assert diagram.part_of("nn.models.layers") == "nn"
    assert diagram.part_of("numpy.linalg") is None
