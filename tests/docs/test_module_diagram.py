"""The picture of the architecture shows the imports as they are."""

from __future__ import annotations

from xml.etree import ElementTree

from docs import module_diagram as diagram

SVG = "{http://www.w3.org/2000/svg}"


def test_the_diagram_is_in_step_with_the_imports():
    kept = (diagram.IMAGES / "modules.dot").read_text(encoding="utf-8")
    assert kept == diagram.dot_source(), "run: python -m docs.module_diagram"


def test_the_picture_was_made_from_the_diagram():
    tree = ElementTree.parse(diagram.IMAGES / "modules.svg")
    graph = diagram.without_implied(diagram.room_graph())
    arrows = {f"{source}->{target}" for source in graph for target in graph[source]}
    titles = {title.text for title in tree.iter(f"{SVG}title")}
    clusters = {"cluster_autograd_lite", "cluster_nn"}
    assert titles == {"modules"} | clusters | set(graph) | arrows


def test_arrows_that_follow_from_others_are_left_out():
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert diagram.without_implied(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_a_module_lies_in_the_room_of_its_folder():
    assert diagram.room_of("autograd_lite.ops.elementwise") == "ops"
    assert diagram.room_of("autograd_lite.compiler.passes.fuse") == "compiler"
    assert diagram.room_of("autograd_lite.special") == "scipy"
    assert diagram.room_of("nn.models.layers") == "nn.models"


def test_no_room_imports_from_a_room_above():
    graph = diagram.room_graph()
    assert not [room for room in graph if room in diagram.reachable(graph, room)]
