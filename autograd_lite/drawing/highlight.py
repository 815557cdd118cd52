"""What to look at first: where NaN began, where the gradient died, which way it was largest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_lite.core.node import Node
from autograd_lite.drawing.backpropagation import Backpropagation, backpropagation_from
from autograd_lite.drawing.languages import word
from autograd_lite.drawing.picture import Mark, Picture
from autograd_lite.drawing.scene import Scene

__all__ = ["HIGHLIGHTS"]


def highlight_nan(scene: Scene, picture: Picture) -> Picture:
    """Mark the first operation that made a NaN or infinity, and all that it spread to."""
    nodes = scene.graph.nodes
    spoilt = [index for index, node in enumerate(nodes) if not is_finite(node.data)]
    if not spoilt:
        return highlight_nan_gradient(scene, picture)
    vertices: dict[str, Mark] = {scene.key(index): "tainted" for index in spoilt}
    vertices[scene.key(spoilt[0])] = "first"
    first = nodes[spoilt[0]]
    return picture.with_marks(vertices, {}, *blame(scene, first, kind_of_loss(first.data)))


def highlight_nan_gradient(scene: Scene, picture: Picture) -> Picture:
    """The same for gradients: the operation whose rule made one from finite numbers."""
    sweep = backpropagation_from(scene.root)
    if sweep is None:
        return picture.with_marks({}, {}, word("nan.no_gradient"))
    for node in sweep.order:
        for place, _ in operands(node):
            part = sweep.contribution(node, place)
            if part is not None and not is_finite(part) and is_finite(sweep.gradients[node]):
                tail, head = scene.key_of(node.inputs[place]), scene.key_of(node)
                notes = blame(scene, node, kind_of_loss(part), "nan.gradient")
                return picture.with_marks({head: "first"}, {(tail, head): "first"}, *notes)
    return picture.with_marks({}, {}, word("nan.none"))


def blame(scene: Scene, node: Node, what: str, said: str = "nan.result") -> list[str]:
    """What made a NaN or infinity, and on which line of source."""
    origin = scene.lines.origins.get(node.serial)
    if node.primitive is None:
        name = scene.names.get(node.serial) or word("nan.a_value")
        return [word("nan.given", what=what, name=name)]
    notes = [word(said, what=what, name=node.primitive.name)]
    return [*notes, word("nan.line", line=origin)] if origin is not None else notes


def highlight_zero_gradient(scene: Scene, picture: Picture) -> Picture:
    """Mark the leaves that no gradient reaches, and the operations where it was lost."""
    sweep = backpropagation_from(scene.root)
    nodes = scene.graph.nodes
    vertices: dict[str, Mark] = {}
    edges: dict[tuple[str, str], Mark] = {}
    starved = {node for node in nodes if not has_gradient(sweep, node)}
    starved_leaves = [node for node in nodes if node in starved and node.primitive is None]
    for index, node in enumerate(nodes):
        if node in starved and any(x in starved for _, x in operands(node)):
            vertices[scene.key(index)] = "tainted"
        if node not in starved or not node.requires_grad:
            for place, x in operands(node):
                contribution = sweep.contribution(node, place) if sweep is not None else None
                if x in starved and (contribution is None or not np.any(contribution)):
                    edges[scene.key_of(x), scene.key(index)] = "blocked"
    for leaf in starved_leaves:
        vertices[scene.key_of(leaf)] = "blocked"
    notes = []
    if starved_leaves:
        names = [name_of(scene, leaf) for leaf in starved_leaves]
        notes.append(word("zero.reaches_not", names=enumerate_some(names)))
    leaves = [node for node in nodes if node.primitive is None and node not in starved]
    if parts := {leaf: text for leaf in leaves if (text := dead_units(scene, sweep, leaf))}:
        vertices |= {scene.key_of(node): "tainted" for node in parts}
        notes.append(word("zero.reaches_not", names=enumerate_some(list(parts.values()))))
    return picture.with_marks(vertices, edges, *(notes or [word("zero.none")]))


def enumerate_some(names: list[str]) -> str:
    shown = ", ".join(names[:8])
    return word("zero.more", names=shown, count=len(names) - 8) if len(names) > 8 else shown


def name_of(scene: Scene, leaf: Node) -> str:
    return scene.names.get(leaf.serial) or word("given")


def dead_units(scene: Scene, sweep: Backpropagation | None, leaf: Node) -> str:
    """How many units, which are entries along the last axis, a gradient passes by."""
    gradient = np.asarray(0.0 if sweep is None else numbers(sweep.gradients.get(leaf, 0.0)))
    if gradient.ndim == 0 or gradient.shape[-1] < 2:
        return ""
    dead = ~np.any(gradient.reshape(-1, gradient.shape[-1]), axis=0)
    if not dead.any():
        return ""
    name = name_of(scene, leaf)
    return word("zero.units", count=np.count_nonzero(dead), size=dead.size, name=name)


def has_gradient(sweep: Backpropagation | None, node: Node) -> bool:
    return sweep is not None and bool(np.any(numbers(sweep.gradients.get(node, 0.0))))


def highlight_path(scene: Scene, picture: Picture) -> Picture:
    """Mark the way from the result on which each operation hands on its largest contribution."""
    sweep = backpropagation_from(scene.root)
    if sweep is None:
        return picture.with_marks({}, {}, word("path.none"))
    node = scene.root
    vertices: dict[str, Mark] = {scene.key_of(node): "path"}
    edges: dict[tuple[str, str], Mark] = {}
    names = []
    while True:
        contributions = {x: size(sweep.contribution(node, place)) for place, x in operands(node)}
        largest = max(contributions, key=lambda x: contributions[x], default=None)
        if largest is None or not contributions[largest] > 0:
            break
        edges[scene.key_of(largest), scene.key_of(node)] = "path"
        vertices[scene.key_of(largest)] = "path"
        names.append(scene.names.get(node.serial) or (node.primitive and node.primitive.name))
        node = largest
    names.append(name_of(scene, node))
    shown = [str(name) for name in (names if len(names) < 12 else [*names[:6], "…", *names[-5:]])]
    return picture.with_marks(vertices, edges, word("path.flows", way=" ← ".join(shown)))


HIGHLIGHTS: dict[str, Callable[[Scene, Picture], Picture]] = {
    "nan": highlight_nan,
    "zero_grad": highlight_zero_gradient,
    "path": highlight_path,
}


def operands(node: Node) -> Iterator[tuple[int, Node]]:
    return ((place, x) for place, x in enumerate(node.inputs) if isinstance(x, Node))


def numbers(data: Any) -> Any:
    """The parts of the result of an operation with several outputs as one array."""
    if isinstance(data, tuple):
        return np.concatenate([np.ravel(part) for part in data if part is not None])
    return data


def is_finite(data: Any) -> bool:
    return bool(np.all(np.isfinite(numbers(data))))


def kind_of_loss(data: Any) -> str:
    return "NaN" if np.any(np.isnan(numbers(data))) else "inf"


def size(data: Any) -> float:
    return 0.0 if data is None else float(np.sqrt(np.sum(np.abs(numbers(data)) ** 2)))
