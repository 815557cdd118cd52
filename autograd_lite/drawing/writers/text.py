"""The writer of plain text: one line for each node."""

from __future__ import annotations

from collections import defaultdict

from autograd_lite.drawing.formats import Design, writer
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import fact_name

__all__ = ["plain_text"]


@writer(".txt", "text")
def plain_text(design: Design) -> str:
    """One line for each node, in the order of computation, with its operands.

    >>> import autograd_lite as ag
    >>> x, y = ag.Value(3.0, label="x"), ag.Value(4.0, label="y")
    >>> print(ag.draw(x * y)._repr_mimebundle_()["text/plain"])
    Computation graph of 3 nodes and 2 edges.
    <BLANKLINE>
      1  x         value 3.0
      2  y         value 4.0
      3  multiply  (1, 2)  value 12.0
    <BLANKLINE>
    """
    picture = design.picture
    numbers = {vertex.key: index for index, vertex in enumerate(picture.vertices, 1)}
    operands: dict[str, list[int]] = defaultdict(list)
    for edge in picture.edges:
        operands[edge.head].append(numbers[edge.tail])
    titles = {v.key: " = ".join(filter(None, (v.title, v.subtitle))) for v in picture.vertices}
    width = min(max(map(len, titles.values()), default=0), 40)
    rows = [picture.describe(), ""]
    module: tuple[str, ...] = ()
    for vertex in picture.vertices:
        if vertex.module != module:
            module = vertex.module
            rows.append(f"{' / '.join(module) or word('outside')}:")
        parts = [f"{numbers[vertex.key]:3}", titles[vertex.key].ljust(width)]
        if vertex.key in operands:
            parts.append(f"({', '.join(map(str, operands[vertex.key]))})")
        parts += [f"{fact_name(name)} {text}".strip() for name, text in vertex.facts]
        parts += [f"[{word(f'mark.{mark}')}]" for mark in sorted(vertex.marks)]
        parts += [vertex.source] if vertex.source else []
        rows.append("  ".join(parts).rstrip())
    return "\n".join(rows) + "\n"
