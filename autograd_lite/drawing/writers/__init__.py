"""The writers of drawings, a file for each family of formats; a new one is imported here."""

from autograd_lite.drawing.formats import FORMATS, Design, encode
from autograd_lite.drawing.writers import graphviz, html, mermaid, text

__all__ = ["FORMATS", "Design", "encode", "graphviz", "html", "mermaid", "text"]
