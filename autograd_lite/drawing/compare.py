"""Two runs side by side, what differs marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from autograd_lite.drawing.picture import Cluster, Mark, Picture, Vertex
from autograd_lite.drawing.scene import Scene

__all__ = ["side_by_side"]


def side_by_side(first: Scene, second: Scene) -> Picture:
    """One picture of two scenes; vertices that do the same but hold something else are marked.

    Their prefixes tell them apart, and name their frames.
    """
    pictures = first.picture(), second.picture()
    paired = list(pairs(pictures[0], pictures[1]))
    same = {(a.key, b.key) for a, b in paired if contents(first, a) == contents(second, b)}
    names = first.title, second.title
    title, frames = " and ".join(names), names
    if names[0] == names[1]:
        title, frames = f"two runs of {names[0]}", (f"first {names[0]}", f"second {names[1]}")
    parts = [
        frame_of(picture, frame, scene.prefix, {pair[place] for pair in same})
        for place, (scene, picture, frame) in enumerate(
            zip((first, second), pictures, frames, strict=True)
        )
    ]
    count = sum(len(part.vertices) for part in parts)
    differing = sum(bool(vertex.marks) for part in parts for vertex in part.vertices)
    note = f"{differing} of {count} nodes differ." if differing else "The two runs are the same."
    return Picture(
        title,
        parts[0].vertices + parts[1].vertices,
        parts[0].edges + parts[1].edges,
        parts[0].clusters + parts[1].clusters,
        (note,),
        parts[0].results | parts[1].results,
    )


def pairs(first: Picture, second: Picture) -> Iterator[tuple[Vertex, Vertex]]:
    """Vertices that stand for the same step of the computation, in order."""
    steps = [[step(vertex) for vertex in picture.vertices] for picture in (first, second)]
    matcher = SequenceMatcher(None, steps[0], steps[1], autojunk=False)
    for a, b, length in matcher.get_matching_blocks():
        for offset in range(length):
            yield first.vertices[a + offset], second.vertices[b + offset]


def step(vertex: Vertex) -> tuple[str, ...]:
    """What a vertex does, whatever it holds and whichever variable holds it."""
    operation = vertex.subtitle or vertex.title
    return vertex.kind, "" if vertex.kind in ("leaf", "constant") else operation


def contents(scene: Scene, vertex: Vertex) -> Any:
    """What a vertex holds, to the last bit."""
    members, place = scene.contents(vertex.key)
    if place is not None:
        return bits(members[0].inputs[place])
    return [(bits(node.data), bits(scene.gradients.get(node))) for node in members]


def bits(data: Any) -> Any:
    if isinstance(data, tuple):
        return [bits(part) for part in data]
    if data is None:
        return None
    array = np.asarray(data)
    return array.shape, str(array.dtype), array.tobytes()


def frame_of(picture: Picture, title: str, name: str, alike: set[str]) -> Picture:
    """The picture in a frame of its own, all that is not alike marked."""
    differing: dict[str, Mark] = {v.key: "differs" for v in picture.vertices if v.key not in alike}
    marked = picture.with_marks(differing, {})
    inner = (replace(c, path=(name, *c.path)) for c in picture.clusters)
    return replace(
        marked,
        vertices=tuple(replace(v, module=(name, *v.module)) for v in marked.vertices),
        clusters=(Cluster((name,), title), *inner),
    )
