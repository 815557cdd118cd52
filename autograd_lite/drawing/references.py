"""Shared weights in pictures: drawn once, and by name wherever else they are used."""

from __future__ import annotations

from dataclasses import replace

from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import Picture, Vertex

__all__ = ["with_references"]

FEWEST_CALLS = 3
"""Two calls can share a line; of more, lines from everywhere to everywhere hide the order."""


def with_references(picture: Picture) -> Picture:
    """The picture with a small box at every further call of a module that shares a parameter.

    The calls then follow each other as they were made, as the steps of a recurrent network do.
    """
    module = {vertex.key: vertex.module for vertex in picture.vertices}
    shared = {vertex.key: vertex for vertex in picture.vertices if vertex.kind == "parameter"}
    calls: dict[str, dict[tuple[str, ...], str]] = {key: {} for key in shared}
    for edge in picture.edges:
        if edge.tail in shared and module[edge.head] != module[edge.tail]:
            calls[edge.tail].setdefault(module[edge.head], edge.head)
    shared = {key: vertex for key, vertex in shared.items() if len(calls[key]) >= FEWEST_CALLS}
    if not shared:
        return picture
    names: dict[tuple[str, tuple[str, ...]], str] = {}
    before: dict[str, list[Vertex]] = {}
    home = {}
    for key, users in calls.items():
        if key not in shared:
            continue
        first, *further = users
        home[key] = first
        for number, call in enumerate(further):
            names[key, call] = name = f"{key}_again{number}"
            title, subtitle = shared[key].title, word("shared")
            reference = Vertex(name, "parameter", title, subtitle, module=call)
            before.setdefault(users[call], []).append(reference)
    edges = tuple(
        replace(e, tail=names.get((e.tail, module[e.head]), e.tail)) for e in picture.edges
    )
    vertices: list[Vertex] = []
    for vertex in picture.vertices:
        vertices += before.get(vertex.key, [])
        # The box itself lies where it is used first.
        inside = home.get(vertex.key)
        vertices.append(vertex if inside is None else replace(vertex, module=inside))
    return replace(picture, vertices=tuple(vertices), edges=edges)
