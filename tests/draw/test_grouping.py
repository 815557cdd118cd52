"""Folding of big graphs: small enough, without cycles, and it says what it stands for."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.drawing.collect import recorded_graph
from autograd_lite.drawing.grouping import fold, kinds_of, one_box_each, run_text


def folded_drawing(value, **options):
    with pytest.warns(ag.DrawingWarning, match="is drawn folded into"):
        return ag.draw(value, **options)


def test_a_long_chain_becomes_one_box_that_says_what_it_stands_for():
    x = ag.Value(1.0, label="x")
    for _ in range(150):
        x = np.sin(x) * 0.9
    chain, *rest = folded_drawing(x + 1.0).picture.vertices
    assert [v.subtitle or v.title for v in rest] == ["1.0", "add"]
    assert (chain.kind, chain.title) == ("fold", "300 operations")
    assert chain.facts[:2] == (("", "150 × (sin → multiply)"), ("", "with 1 leaf"))


def test_repeated_subgraphs_become_one():
    weights = [ag.Value(float(i), label=f"w{i}") for i in range(100)]
    total = np.tanh(weights[0] * 2.0)
    for w in weights[1:]:
        total = total + np.tanh(w * 2.0)
    drawing = folded_drawing(total)
    titles = [v.title for v in drawing.picture.vertices]
    assert "100 × w" in titles
    assert "100 × multiply" in titles or "99 operations" in " ".join(titles)
    assert len(drawing.picture.vertices) < 10


def test_the_warning_says_how_to_see_all():
    x = ag.Value(1.0)
    for _ in range(299):
        x = np.sin(x)
    with pytest.warns(ag.DrawingWarning) as warned:
        ag.draw(x)
    assert str(warned[0].message) == (
        "the graph has 300 nodes, more than max_nodes=200, and is drawn folded into 2; "
        "pass max_nodes=300 to see all"
    )
    assert warned[0].filename == __file__
    assert len(ag.draw(x, max_nodes=300).picture.vertices) == 300


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=120))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_any_graph_folds_to_the_limit_without_cycles(choices):
    nodes = [ag.Value(1.0), ag.Value(2.0)]
    for i, j in choices:
        nodes.append(nodes[i % len(nodes)] + nodes[j % len(nodes)])
    graph = recorded_graph([nodes[-1].node])
    groups = fold(one_box_each(graph.operands), kinds_of(graph, {}), 12)
    assert len(groups) <= 12
    assert sorted(index for box in groups.members for index in box) == list(range(len(graph.nodes)))
    for box, operands in enumerate(groups.operands):
        assert all(operand < box for operand in operands)
    owner = {index: box for box, members in enumerate(groups.members) for index in members}
    for index, operands in enumerate(graph.operands):
        for operand in operands:
            if owner[operand] != owner[index]:
                assert owner[operand] in groups.operands[owner[index]]


def test_runs_are_put_into_words():
    assert run_text(["tanh"] * 3) == "3 × tanh"
    assert run_text(["add", "sin"] * 4) == "4 × (add → sin)"
    assert run_text(["add", "add", "sin"]) == "2 × add → sin"
    assert run_text(["log", "exp"]) == "log → exp"


def test_a_chain_of_two_hundred_thousand_is_drawn_without_recursion():
    x = ag.Value(1.0)
    for _ in range(200_000):
        x = x + 1.0
    drawing = folded_drawing(x)
    assert drawing.picture.vertices[0].facts[-2:] == (("", "with 1 leaf"), ("value", "2e5"))
    assert drawing.picture.vertices[0].title == "199999 × add"


def scalar_network(widths):
    """A multi-layer perceptron of single numbers."""
    layer = [ag.Value(0.1 * i) for i in range(widths[0])]
    for width in widths[1:]:
        layer = [
            np.tanh(sum((ag.Value(0.01 * (i + j)) * x for j, x in enumerate(layer)), ag.Value(0.5)))
            for i in range(width)
        ]
    return sum(layer[1:], layer[0])


def test_a_hundred_thousand_nodes_are_folded_and_drawn_in_five_seconds():
    result = scalar_network([128, 128, 104, 40, 1])
    assert len(recorded_graph([result.node]).nodes) > 100_000
    # Processor time: the clock on the wall also counts what else the machine does.
    start = time.process_time()
    drawing = folded_drawing(result)
    assert drawing.svg
    assert time.process_time() - start < 5
    assert len(drawing.picture.vertices) <= 200


def test_two_hundred_nodes_are_svg_within_a_second_and_html_within_300_kilobytes(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    result = scalar_network([3, 5, 5, 3, 1])
    result.backward()
    assert len(recorded_graph([result.node]).nodes) > 170
    assert ag.draw(ag.Value(1.0) * 2.0).svg  # compiles Graphviz's WebAssembly, once in a process
    start = time.process_time()
    drawing = ag.draw(result, max_nodes=300)
    assert drawing.svg
    assert time.process_time() - start < 1
    assert drawing.save(tmp_path / "graph.html").stat().st_size < 300_000


@pytest.mark.parametrize("size", [4, 64])
def test_the_page_of_200_arrays_is_small_too(size, tmp_path):
    rng = np.random.default_rng(0)
    x = ag.Value(rng.normal(size=(size, size)))
    for _ in range(39):
        x = np.tanh(x @ ag.Value(rng.normal(size=(size, size))) + ag.Value(rng.normal(size=size)))
    path = ag.draw(np.sum(x)).save(tmp_path / "graph.html")
    assert path.stat().st_size < 330_000
