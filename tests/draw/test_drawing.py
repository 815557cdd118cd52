"""Drawings of recorded Values: what is in the boxes, and what the files hold."""

from __future__ import annotations

import os
import shutil
import time
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.drawing import layout
from autograd_lite.drawing.layout import GraphvizError

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
    assert vertices["a"].facts == (("value", "2.0"), ("grad", f"≈ {a.grad:.4g}"))
    assert vertices["b"].facts == (("value", "-3.0"), ("grad", f"≈ {b.grad:.4g}"))
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
    edges = [group for group in root.iter(f"{SVG}g") if group.get("class") == "edge"]
    assert len(edges) == len(drawing.picture.edges)
    assert "2.0" in "".join(root.itertext())


def test_saving_leaves_no_other_file(tmp_path):
    *_, loss = expression()
    drawing = ag.draw(loss)
    assert drawing.save(tmp_path / "loss.dot").read_text(encoding="utf-8") == drawing.source
    assert [path.name for path in tmp_path.iterdir()] == ["loss.dot"]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    *_, loss = expression()
    (tmp_path / "loss.dot").mkdir()
    with pytest.raises(OSError, match=r"loss\.dot"):
        ag.draw(loss).save(tmp_path / "loss.dot")
    assert [path.name for path in tmp_path.iterdir()] == ["loss.dot"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_files_have_the_rights_that_the_process_gives_to_new_ones(tmp_path):
    *_, loss = expression()
    before = os.umask(0o027)
    try:
        path = ag.draw(loss).save(tmp_path / "loss.txt")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_png_without_dot_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    *_, loss = expression()
    with pytest.raises(ag.MissingOptionError) as error:
        ag.draw(loss).save(tmp_path / "loss.png")
    assert str(error.value) == (
        "a drawing as .png needs the program dot, which is not on the PATH; "
        f"{layout.INSTALL_DOT}, or save as .svg or .html instead"
    )
    assert list(tmp_path.iterdir()) == []


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


def unfolded(steps):
    """A chain whose first value is used all along, so that Graphviz has long edges to route."""
    x = y = ag.Value(1.0, label="x")
    for i in range(steps):
        y = y * 1.01 + x if i % 2 else y + 1.0
    return y


@pytest.mark.parametrize("steps", [60, 100, 300])
def test_deep_graphs_are_drawn_without_the_program(steps, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    drawing = ag.draw(unfolded(steps), max_nodes=1_000)
    root = ET.fromstring(drawing.svg)
    ids = {group.get("id") for group in root.iter(f"{SVG}g")}
    assert {v.key for v in drawing.picture.vertices} <= ids


def test_what_uses_up_the_stack_of_webassembly_is_laid_out_in_layers(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(layout, "LARGEST", 10**9)
    drawing = ag.draw(unfolded(400), max_nodes=1_000)
    with pytest.raises(GraphvizError, match="used up the stack"):
        layout.render(drawing.source, "svg")
    assert len(ET.fromstring(drawing.svg)) > len(drawing.picture.vertices)
    assert ag.draw(ag.Value(2.0) * 2.0).svg  # the next one is not harmed


def test_graphviz_does_not_improve_large_pictures_for_minutes():
    small, large = ag.draw(unfolded(10)), ag.draw(unfolded(100), max_nodes=1_000)
    assert "nslimit" not in small.source
    assert "nslimit=1" in large.source


def test_wide_graphs_are_drawn_in_linear_time(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    wide = np.sum(np.stack([np.sin(ag.Value(float(i))) for i in range(3_000)]))
    start = time.process_time()
    assert ag.draw(wide, max_nodes=10_000).svg
    assert time.process_time() - start < 10
