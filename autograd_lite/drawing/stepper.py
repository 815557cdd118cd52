"""Writes the stepper: one HTML file to walk through a computation and its gradient.

All that the page shows is computed here; its script only shows and hides it.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np

from autograd_lite.backward import add
from autograd_lite.drawing.backpropagation import Backpropagation, backpropagation_from
from autograd_lite.drawing.collect import index_text, rank
from autograd_lite.drawing.elements import element_text, largest, product_text, table
from autograd_lite.drawing.formatting import (
    array_facts,
    number,
    shape_text,
    shortened,
    whereabouts,
)
from autograd_lite.drawing.formulas import (
    Symbol,
    argument_names,
    filled,
    formula_of,
    local_derivative,
    product_factors,
)
from autograd_lite.drawing.geometry import Layout
from autograd_lite.drawing.layers import layered_layout
from autograd_lite.drawing.layout import laid_out
from autograd_lite.drawing.picture import Picture, Vertex
from autograd_lite.drawing.scene import Scene
from autograd_lite.duck_arrays import is_duck_array
from autograd_lite.errors import MissingOptionError
from autograd_lite.primitive import Node

__all__ = ["stepper_page"]

PAGE = (9.0, 6.5)
DIRECTIONS: dict[str | None, tuple[str, ...]] = {"LR": ("LR",), "TB": ("TB",), None: ("LR", "TB")}
SHORT_ARRAY = 4
NUMBERS = (float, int, complex, np.ndarray, np.generic)
TABLE_NUMBERS = 200_000
"""How many numbers of small arrays the page spells out in all, times the number of nodes."""
HEAT_MAP_SIDE = 16
HEAT_MAP_NUMBERS = 12_000
"""How many numbers of arrays the page holds in all, so that it stays small."""


def stepper_page(scene: Scene, picture: Picture, theme: str | None, direction: str | None) -> str:
    """The whole page; nothing is loaded from elsewhere.  Without a theme it follows the reader."""
    root = scene.graph.nodes[scene.graph.results[0]]
    sweep = backpropagation_from(root)
    if sweep is not None:
        scene = replace(scene, gradients=sweep.gradients)
        marks = {vertex.key: vertex.marks for vertex in picture.vertices}
        swept = scene.picture()
        vertices = (replace(v, marks=marks.get(v.key, frozenset())) for v in swept.vertices)
        picture = replace(swept, vertices=tuple(vertices), notes=picture.notes)
    layout = _filling(picture, direction)
    return _page(Story(scene, picture, layout, sweep).data(), picture, theme)


def _filling(picture: Picture, direction: str | None) -> Layout:
    """The layout; without a direction given, in the one that fills a page better."""
    layouts = [_with_or_without_graphviz(picture, way) for way in DIRECTIONS[direction]]
    return min(layouts, key=lambda layout: max(layout.width / PAGE[0], layout.height / PAGE[1]))


def _with_or_without_graphviz(picture: Picture, direction: str) -> Layout:
    try:
        return laid_out(picture, direction)
    except MissingOptionError:
        return layered_layout(picture, direction)


def _page(data: dict[str, Any], picture: Picture, theme: str | None) -> str:
    """Fill the template; only scripts with the hashes named in it can run."""
    folder = files("autograd_lite.drawing") / "template"
    script = "\n".join((folder / name).read_text("utf-8") for name in ("graph.js", "stepper.js"))
    # In a script element only "<" can end the text; escaped it cannot.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(shortened(picture.title, 80)),
        "description": html.escape(picture.describe()),
        "theme": theme or "reader",
        "style": (folder / "stepper.css").read_text("utf-8"),
        "data": text.replace("<", "\\u003c").replace("\u2028", "\\u2028"),
        "script": script,
        "hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    page = (folder / "stepper.html").read_text("utf-8")
    pieces = page.split("{{")
    filled_in = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        filled_in += [parts[name], rest]
    return "".join(filled_in)


class Story:
    """What happens in each step, as data for the page."""

    def __init__(
        self, scene: Scene, picture: Picture, layout: Layout, sweep: Backpropagation | None
    ) -> None:
        self.scene = scene
        self.picture = picture
        self.layout = layout
        self.sweep = sweep
        self.sums: dict[Node, Any] = {}
        self.table_room = TABLE_NUMBERS // max(len(scene.graph.nodes), 20)
        arrays = sum(rank(node.data) > 0 for node in scene.graph.nodes[:1000])
        self.heat_map_size = min(HEAT_MAP_SIDE**2, HEAT_MAP_NUMBERS // (2 * max(arrays, 1)))

    def data(self) -> dict[str, Any]:
        """Everything the page shows."""
        return {
            "size": [round(self.layout.width, 1), round(self.layout.height, 1)],
            "vertices": [self._vertex(vertex) for vertex in self.picture.vertices],
            "edges": self._edges(),
            "clusters": [
                {"path": c.path, "title": shortened(c.title, 60), "box": frame.rounded()}
                for c, frame in zip(self.picture.clusters, self.layout.frames, strict=True)
            ],
            "notes": self.picture.notes,
            "steps": list(self._steps()),
        }

    def _vertex(self, vertex: Vertex) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "key": vertex.key,
            "kind": vertex.kind,
            "title": vertex.title,
            "subtitle": vertex.subtitle,
            "facts": vertex.facts,
            "module": vertex.module,
            "box": self.layout.boxes[vertex.key].rounded(),
        }
        if vertex.marks:
            entry["marks"] = sorted(vertex.marks)
        if vertex.source:
            entry["source"] = shortened(vertex.source, 120)
        box, _, place = vertex.key[1:].partition("_")
        members = self.scene.groups.members[int(box)]
        node = self.scene.graph.nodes[members[-1]]
        if place:
            entry["value"] = self._full(node.inputs[int(place)])
        elif len(members) == 1:
            entry["value"] = self._full(node.data)
            if node in self.scene.gradients:
                entry["gradient"] = self._full(self.scene.gradients[node])
        return entry

    def _edges(self) -> list[dict[str, Any]]:
        edges = []
        for edge, path, place in zip(
            self.picture.edges, self.layout.paths, self.layout.labels, strict=True
        ):
            entry: dict[str, Any] = {"tail": edge.tail, "head": edge.head, "path": path}
            if place is not None:
                entry |= {"label": edge.label, "at": [round(place[0], 1), round(place[1], 1)]}
            if edge.marks:
                entry["marks"] = sorted(edge.marks)
            edges.append(entry)
        return edges

    def _full(self, data: Any) -> dict[str, Any] | None:
        """A number with all its digits; of an array the statistics and a heat map."""
        if isinstance(data, tuple):
            return {"text": f"tuple of {len(data)}"}
        if is_duck_array(data):
            return {"text": f"{shape_text(data.shape)} {data.dtype}: {whereabouts(data)}"}
        array = np.asarray(data)
        if array.ndim == 0:
            return {"text": repr(array.item())}
        text = f"{shape_text(array.shape)} {array.dtype}: {array_facts(array)}"
        return {"text": text, **self._heat_map(array)}

    def _heat_map(self, array: np.ndarray[Any, Any]) -> dict[str, Any]:
        """The first numbers of an array in rows, as many as the page has room for."""
        if not array.size or array.dtype.kind not in "fiub":
            return {}
        table = array.reshape(-1, array.shape[-1]).astype(float)
        columns = min(table.shape[1], HEAT_MAP_SIDE, self.heat_map_size)
        rows = max(min(self.heat_map_size // columns, HEAT_MAP_SIDE), 1)
        part = table[:rows, :columns]
        entry: dict[str, Any] = {
            "rows": [[float(f"{x:.4g}") if np.isfinite(x) else None for x in row] for row in part]
        }
        if part.size < array.size:
            shown = " × ".join(map(str, part.shape))
            entry["part"] = f"the first {shown} of {array.size:,} numbers"
        return entry

    # The steps.

    def _steps(self) -> Iterator[dict[str, Any]]:
        yield {"phase": "start"}
        boxes = range(len(self.scene.groups))
        computed = [box for box in boxes if self._is_computed(box)]
        for box in computed:
            yield {"phase": "forward", "key": f"v{box}", **self._forward(box)}
        if self.sweep is None:
            return
        root = self.scene.graph.nodes[self.scene.graph.results[0]]
        self.sums[root] = self.sweep.gradients[root]
        yield {
            "phase": "seed",
            "key": self.scene.key(self.scene.graph.results[0]),
            "text": _short(self.sums[root]),
        }
        for box in reversed(computed):
            shares = list(self._shares(box))
            if shares:
                yield {"phase": "backward", "key": f"v{box}", "shares": shares}

    def _is_computed(self, box: int) -> bool:
        nodes = self.scene.graph.nodes
        return any(nodes[index].primitive is not None for index in self.scene.groups.members[box])

    def _single(self, box: int) -> Node | None:
        """The one node in a box; None for a box of several."""
        members = self.scene.groups.members[box]
        whole = len(members) > 1 or self.scene.groups.calls[box]
        return None if whole else self.scene.graph.nodes[members[0]]

    def _forward(self, box: int) -> dict[str, Any]:
        """The formula of an operation: as it is, with names and with numbers put in."""
        node = self._single(box)
        if node is None or node.primitive is None:
            return {}
        names = argument_names(node.primitive, len(node.inputs))
        formula = formula_of(node)
        labels = dict(zip(names, (self._name(x) for x in node.inputs), strict=True))
        return {
            "formula": shortened(formula, 120),
            "named": shortened(filled(formula, labels), 160),
            "numbers": shortened(filled(formula, self._numbers(node)), 160),
            "result": _short(node.data),
            **self._forward_elements(node, names, formula),
        }

    def _forward_elements(self, node: Node, names: list[str], formula: str) -> dict[str, Any]:
        """Of an array: its numbers if they are few, and one element spelt out."""
        if not _has_elements(node.data):
            return {}
        assert node.primitive is not None
        index = largest(node.data)
        factors = product_factors(node)
        text = None
        if factors is not None:
            text = product_text(factors, node.data, index)
        elif node.primitive.broadcasts and not node.parameters:
            data = [x.data if isinstance(x, Node) else x for x in node.inputs]
            operands = dict(zip(names, data, strict=True))
            text = element_text(formula, operands, node.data, index)
        return {**self._tables(result=node.data), **({"element": text} if text else {})}

    def _tables(self, **arrays: Any) -> dict[str, Any]:
        """Small arrays as tables of numbers, as long as the page has room."""
        size = sum(map(np.size, arrays.values()))
        tables = {name: table(array) for name, array in arrays.items()}
        if None in tables.values() or size > self.table_room:
            return {}
        self.table_room -= size
        return {"tables": tables}

    def _name(self, x: Any) -> str:
        """What an operand is called in a formula."""
        if not isinstance(x, Node):
            return _short(x) if isinstance(x, NUMBERS) else index_text(x)
        named = self.scene.names.get(x.serial)
        if named:
            return shortened(named, 24)
        return "value" if x.primitive is None else f"{x.primitive.name}(…)"

    def _shares(self, box: int) -> Iterator[dict[str, Any]]:
        """What the operations in a box hand to each operand outside of it."""
        assert self.sweep is not None
        node = self._single(box)
        if node is not None:
            for place, x in enumerate(node.inputs):
                share = self.sweep.contribution(node, place)
                if share is not None:
                    yield {**self._share(node, x, share), **self._local(node, place, share)}
            return
        handed: dict[Node, Any] = {}
        members = [self.scene.graph.nodes[index] for index in self.scene.groups.members[box]]
        inside = set(members)
        for member in members:
            for place, x in enumerate(member.inputs):
                if isinstance(x, Node) and x not in inside:
                    share = self.sweep.contribution(member, place)
                    if share is not None:
                        handed[x] = share if x not in handed else add(handed[x], share)
        yield from self._bundled(members[-1], handed)

    def _bundled(self, last: Node, handed: dict[Node, Any]) -> Iterator[dict[str, Any]]:
        """What a box of several operations hands on, in one entry for each box that receives."""
        receivers: dict[str, list[Node]] = {}
        for x in handed:
            receivers.setdefault(self.scene.key_of(x), []).append(x)
        titles = {vertex.key: vertex.title for vertex in self.picture.vertices}
        for key, nodes in receivers.items():
            entries = [self._share(last, x, handed[x]) for x in nodes]
            if len(nodes) == 1:
                yield entries[0]
            else:
                shares = [np.ravel(handed[x]) for x in nodes]
                sums = [np.ravel(self.sums[x]) for x in nodes]
                yield {
                    "array": True,
                    "to": key,
                    "name": titles[key],
                    "share": _short(np.concatenate(shares)),
                    "sum": _short(np.concatenate(sums)),
                }

    def _share(self, node: Node, operand: Node, share: Any) -> dict[str, Any]:
        """One contribution, and what it adds up to with those before."""
        assert self.sweep is not None
        before = self.sums.get(operand)
        self.sums[operand] = share if before is None else add(before, share)
        upstream = self.sweep.gradients.get(node)
        return {
            "array": rank(share) > 0,
            "to": self.scene.key_of(operand),
            "name": self._name(operand),
            "upstream": "" if upstream is None else _short(upstream),
            "share": _short(share),
            "before": "" if before is None else _short(before),
            "sum": _short(self.sums[operand]),
        }

    def _local(self, node: Node, place: int, share: Any) -> dict[str, Any]:
        """The local derivative: its formula, with numbers put in, and its value."""
        assert node.primitive is not None and self.sweep is not None
        names = argument_names(node.primitive, len(node.inputs))
        known = [self._label(x) for x in node.inputs]
        # Either all have names of their own, or all go by those of the rule.
        chosen = names if None in known else map(str, known)
        labels = dict(zip(names, chosen, strict=True))
        result = self._label(node) or "out"
        entry: dict[str, Any] = {"derivative": f"∂{result}/∂{labels[names[place]]}"}
        found = local_derivative(node, place, self.sweep.gradients[node])
        if found is None:
            return entry
        is_local, symbol = found
        formula = filled(symbol.text, labels | {"out": result})
        if not is_local:
            return {**entry, "rule": formula, **self._rule_elements(symbol, share)}
        texts = self._numbers(node) | {"out": _short(node.data)}
        numbers = "" if rank(node.data) else filled(symbol.text, texts)
        local = _short(symbol.data)
        shown = [formula, numbers, "" if rank(symbol.data) else local]
        if not rank(symbol.data) and symbol.text.lstrip("-").isdigit():
            shown = [local]
        equal = " = ".join(shortened(text, 120) for text in dict.fromkeys(shown) if text)
        elements = self._local_elements(self.sweep.gradients[node], symbol.data, share)
        return {**entry, "formula": equal, "local": local, **elements}

    def _rule_elements(self, symbol: Symbol, share: Any) -> dict[str, Any]:
        """A contribution that is not elementwise: its numbers, and one sum of products."""
        if not _has_elements(share):
            return {}
        index = largest(share)
        text = product_text(symbol.factors, share, index) if symbol.factors is not None else None
        return {**self._tables(contribution=share), **({"element": text} if text else {})}

    def _local_elements(self, upstream: Any, local: Any, share: Any) -> dict[str, Any]:
        """Upstream × local = contribution for each element, or for the largest of many."""
        if not _has_elements(share) or np.shape(upstream) != share.shape:
            return {}
        local = np.broadcast_to(local, share.shape)
        tables = self._tables(upstream=upstream, local=local, contribution=share)
        operands = {"u": upstream, "d": local}
        text = element_text("u × d", operands, share, largest(share))
        return tables or {"element": text}

    def _label(self, x: Any) -> str | None:
        """The name of an operand, the number of a constant; None for a nameless Value."""
        if isinstance(x, Node) and x.serial not in self.scene.names:
            return None
        return self._name(x)

    def _numbers(self, node: Node) -> dict[str, str]:
        """What is put into a formula: numbers and short arrays, the names of long arrays."""
        assert node.primitive is not None
        names = argument_names(node.primitive, len(node.inputs))
        return {name: self._number(x) for name, x in zip(names, node.inputs, strict=True)}

    def _number(self, x: Any) -> str:
        data = x.data if isinstance(x, Node) else x
        if isinstance(data, tuple) or np.size(data) > SHORT_ARRAY:
            return self._name(x)
        return _short(data) if isinstance(data, NUMBERS) else index_text(data)


def _has_elements(data: Any) -> bool:
    """Whether there are numbers at hand: arrays elsewhere are not fetched to be looked at."""
    return isinstance(data, np.ndarray) and data.ndim > 0 and data.size > 0


def _short(data: Any) -> str:
    """A number, or an array in a few words."""
    if isinstance(data, tuple):
        return f"tuple of {len(data)}"
    if is_duck_array(data):
        return whereabouts(data)
    array = np.asarray(data)
    return array_facts(array) if array.ndim else number(array[()])
