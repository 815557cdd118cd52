"""Drawings of compiled programs: operations, shapes, dtypes, sections; no numbers of a call."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd_lite as ag

SVG = "{http://www.w3.org/2000/svg}"


def loss(w, x):
    hidden = np.tanh(x @ w)
    return np.sum(hidden[1:, :] ** 2)


def step(w, x):
    value, gradient = ag.value_and_grad(loss)(w, x)
    return value, w - 0.1 * gradient


@pytest.fixture
def compiled():
    function = ag.compile(step)
    function(np.full((3, 2), 0.25), np.full((4, 3), 0.5))
    return function


def without_constants(picture):
    return [v for v in picture.vertices if v.kind != "constant"]


def test_a_box_for_each_input_and_operation_with_shape_and_dtype(compiled):
    program = compiled.program
    boxes = without_constants(ag.draw(program).picture)
    leaves = [v for v in boxes if v.kind == "leaf"]
    assert [(v.title, v.facts) for v in leaves] == [
        ("w", (("(3, 2)", "float64"),)),
        ("x", (("(4, 3)", "float64"),)),
    ]
    operations = [v for v in boxes if v.kind == "operation"]
    assert [v.title.partition(" ")[0].partition("[")[0] for v in operations] == [
        x.primitive.name for x in program.operations
    ]
    for vertex, operation in zip(operations, program.operations, strict=True):
        kind = operation.type
        shown = (str(kind.shape), str(kind.dtype)) if kind.shape else ("", str(kind.dtype))
        assert vertex.facts == (shown,)
    assert "getitem[1:, :]" in {v.title for v in operations}


def test_the_edges_are_the_operands_in_their_order(compiled):
    program = compiled.program
    picture = ag.draw(program).picture
    keys = dict(
        zip(
            (*program.inputs, *program.operations),
            (v.key for v in without_constants(picture)),
            strict=True,
        )
    )
    constants = {v.key for v in picture.vertices if v.kind == "constant"}
    for operation in program.operations:
        drawn = [e for e in picture.edges if e.head == keys[operation] and e.tail not in constants]
        given = [x for x in operation.operands if x in keys]
        assert [(e.tail, e.label) for e in drawn] == [
            (keys[x], str(x.type.shape) if x.type.shape else "") for x in given
        ]
    assert picture.results == {keys[x] for x in program.outputs}


def test_sections_are_frames(compiled):
    picture = ag.draw(compiled).picture
    assert [cluster.title for cluster in picture.clusters] == ["forward", "backward", "update"]
    sections = {
        v.title: v.module for v in picture.vertices if v.title in ("tanh", "0.1", "subtract", "w")
    }
    assert sections == {"w": (), "tanh": ("forward",), "0.1": ("update",), "subtract": ("update",)}


def test_one_section_alone_has_no_frame():
    function = ag.compile(loss)
    function(np.ones((3, 2)), np.ones((4, 3)))
    assert ag.draw(function).picture.clusters == ()


def test_numbers_of_calls_are_nowhere_but_known_constants_are(compiled):
    drawing = ag.draw(compiled)
    text = drawing._repr_mimebundle_()["text/plain"]
    assert "0.25" not in text and "0.5" not in text
    names = {name for vertex in drawing.picture.vertices for name, _ in vertex.facts}
    assert not names & {"value", "grad"}
    constants = [v.title for v in drawing.picture.vertices if v.kind == "constant"]
    assert {"2.0", "0.1"} <= set(constants)


def test_an_array_that_is_captured_is_a_constant_with_its_shape():
    table = np.arange(6.0).reshape(2, 3)
    table.flags.writeable = False
    function = ag.compile(lambda x: np.sum(x * table))
    function(np.ones((2, 3)))
    [constant] = [v for v in ag.draw(function).picture.vertices if v.kind == "constant"]
    assert (constant.title, constant.facts) == ("constant", (("(2, 3)", "float64"),))


def test_operations_name_their_line_and_their_label():
    def labelled(x):
        y = np.sin(x)
        y.label = "wave"
        return np.sum(y)

    function = ag.compile(labelled)
    function(np.ones(3))
    picture = ag.draw(function).picture
    assert picture.title == "labelled"
    [wave] = [v for v in picture.vertices if v.title == "wave"]
    assert wave.subtitle == "sin"
    assert wave.source.startswith("test_programs.py:") and wave.source.endswith("y = np.sin(x)")


@pytest.mark.parametrize("suffix", [".dot", ".txt", ".mmd", ".svg"])
def test_every_format_but_the_stepper(compiled, suffix, tmp_path):
    if suffix == ".svg" and shutil.which("dot") is None:
        pytest.skip("the program dot is not on the PATH: apt install graphviz")
    text = ag.draw(compiled).save(tmp_path / f"step{suffix}").read_text("utf-8")
    for name in ("tanh", "matmul", "update"):
        assert name in text


def test_source_lines_are_tooltips(compiled):
    root = ET.fromstring(ag.draw(compiled).svg)
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert any(re.search(r"^tanh; .*test_programs\.py:\d+  hidden = ", text) for text in titles)


def test_a_program_cannot_be_stepped_through(compiled, tmp_path):
    with pytest.raises(ag.ArgumentValueError) as error:
        ag.draw(compiled).save(tmp_path / "step.html")
    assert str(error.value) == (
        "a program cannot be stepped through, as it has no numbers; draw the function with "
        "arguments, ag.draw(function, x), and save that as .html, or the program as .svg"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "given"),
    [("highlight", "nan"), ("compare", (1.0,)), ("depth", 0), ("lines", ag.SourceLines())],
)
def test_what_needs_numbers_or_modules_is_refused(compiled, option, given):
    with pytest.raises(ag.ArgumentValueError) as error:
        ag.draw(compiled, **{option: given})
    assert str(error.value) == (
        f"draw: {option} cannot be shown of a program, which has neither numbers nor modules; "
        "draw the function with arguments, ag.draw(function, x)"
    )


def test_a_program_takes_no_arguments(compiled):
    with pytest.raises(ag.ArgumentTypeError, match="a program takes no example arguments"):
        ag.draw(compiled.program, 1.0)


def test_a_compiled_function_that_was_not_called_has_no_program():
    with pytest.raises(ag.CompileError, match="step has no program yet; call it once"):
        ag.draw(ag.compile(step))


def test_a_compiled_function_with_arguments_is_drawn_with_numbers(compiled):
    picture = ag.draw(compiled, np.full((3, 2), 0.25), np.full((4, 3), 0.5)).picture
    assert "value" in picture.vertices[0].describe()


def test_a_long_program_is_folded():
    def chain(x):
        for _ in range(60):
            x = np.sin(x) + np.cos(x)
        return np.sum(x)

    function = ag.compile(ag.value_and_grad(chain))
    function(np.ones(5))
    with pytest.warns(ag.DrawingWarning, match="folded into") as warned:
        picture = ag.draw(function).picture
    assert warned[0].filename == __file__
    assert len(picture.vertices) <= 200
    keys = [v.key for v in picture.vertices]
    for edge in picture.edges:
        assert keys.index(edge.tail) < keys.index(edge.head)
    assert len(picture.results) == 2
    count = int(re.search(r"max_nodes=(\d+) to see all", str(warned[0].message))[1])
    assert len(ag.draw(function, max_nodes=count).picture.vertices) == count


def test_drawing_values_does_not_load_the_compiler():
    code = "import sys, autograd_lite as ag; ag.draw(ag.Value(1.0) * 2.0); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "autograd_lite.compiler.api" not in run.stdout.split()
