"""Modules in drawings: which nodes belong to which call, and boxes for whole layers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise, takewhile
from typing import Any

import numpy as np

from autograd_lite.drawing.collect import Graph
from autograd_lite.drawing.grouping import Groups, Path
from autograd_lite.drawing.provenance import ModuleCall, SourceLines

__all__ = ["call_title", "clip", "kind_of", "module_paths", "parameter_count", "roll_up", "take_in"]


LONGEST_KIND = 30


def module_paths(graph: Graph, lines: SourceLines) -> list[Path]:
    """The module call that each node lies in; a parameter lies where all its users lie."""
    if not lines.calls:
        return [()] * len(graph.nodes)
    paths: list[Path] = []
    for node in graph.nodes:
        origin = lines.origins.get(node.serial)
        paths.append(origin.module if origin is not None else ())
    parameters = lines.parameters()
    users: dict[int, list[Path]] = {}
    for index, operands in enumerate(graph.operands):
        for operand in operands:
            users.setdefault(operand, []).append(paths[index])
    for index, node in enumerate(graph.nodes):
        if node.serial in parameters and index in users:
            paths[index] = common_start(users[index])
    return paths


def common_start(paths: list[Path]) -> Path:
    """The innermost call that all these lie in."""
    same = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    return tuple(names[0] for names in same)


def clip(groups: Groups, paths: Sequence[Path], depth: int) -> Groups:
    """All nodes of a module call at ``depth`` in one box; 0 is the outermost module.

    A call is computed at a stretch, so that nothing outside lies between its nodes.
    """
    classes = list(range(len(groups)))
    first: dict[Path, int] = {}
    calls = list(groups.calls)
    for box, members in enumerate(groups.members):
        path = paths[members[0]][: depth + 1]
        if len(path) > depth:
            classes[box] = first.setdefault(path, box)
            calls[box] = (path,) if classes[box] == box else ()
    return replace(groups, calls=calls).merge(classes)


def roll_up(graph: Graph, groups: Groups, lines: SourceLines) -> Groups:
    """Runs of equal layers, or of equal sequences of layers, in one box each.

    Only boxes that each feed only the next are joined, so that no path leaves
    a run and comes back.
    """
    classes = list(range(len(groups)))
    modules = [box for box, calls in enumerate(groups.calls) if calls]
    signatures = [signature(graph, groups, box, lines) for box in modules]
    start = 0
    while start < len(modules):
        length = 1
        for period in range(1, 5):
            count = repeats(signatures[start:], period)
            run = modules[start : start + count * period]
            if count > 1 and is_chain(groups, run):
                length = len(run)
                for box in run:
                    classes[box] = modules[start]
                break
        start += length
    return groups.merge(classes)


def take_in(graph: Graph, groups: Groups, lines: SourceLines) -> Groups:
    """Into the box of a run go the parameters that only its modules use, and its inputs together.

    A parameter depends on nothing, and inputs that are made alike from the same operands feed
    the run alone, so that no path comes back.
    """
    classes = list(range(len(groups)))
    users: list[set[int]] = [set() for _ in classes]
    for box, operands in enumerate(groups.operands):
        for o in operands:
            users[o].add(box)
    alike: dict[Hashable, int] = {}
    for box, members in enumerate(groups.members):
        node = graph.nodes[members[0]]
        run = next(iter(users[box]), -1)
        if len(members) > 1 or len(users[box]) != 1 or not groups.calls[run]:
            continue
        if node.serial in lines.parameters():
            owned = (lines.calls[path].module.parameters() for path in groups.calls[run])
            if any(x.node is node for parameters in owned for x in parameters):
                classes[box] = run
        elif node.primitive is not None and len(groups.calls[run]) > 1:
            key = run, node.primitive, *groups.operands[box]
            classes[box] = alike.setdefault(key, box)
    return groups.merge(classes)


def signature(graph: Graph, groups: Groups, box: int, lines: SourceLines) -> tuple[Any, ...]:
    """What two layers must have in common to be drawn as one."""
    module = lines.calls[groups.calls[box][0]].module
    parameters = tuple((name, np.shape(x.data)) for name, x in module.named_parameters())
    return type(module).__name__, parameters, np.shape(graph.nodes[groups.members[box][-1]].data)


def repeats(signatures: Sequence[Any], period: int) -> int:
    """How often the first ``period`` signatures are repeated by those that follow them."""
    count = 1
    while signatures[count * period : (count + 1) * period] == signatures[:period]:
        count += 1
    return count


def is_chain(groups: Groups, run: Sequence[int]) -> bool:
    """Whether each box of a run is used by the next one and by nothing else."""
    following = dict(pairwise(run))
    used = set()
    for box, operands in enumerate(groups.operands):
        for o in operands:
            if o in following:
                if following[o] != box:
                    return False
                used.add(o)
    return len(used) == len(following)


def parameter_count(calls: Sequence[ModuleCall]) -> int:
    """How many numbers the parameters of the called modules hold, shared ones once."""
    parameters = {id(x): x for call in calls for _, x in call.module.named_parameters()}
    return sum(int(np.size(x.data)) for x in parameters.values())


def kind_of(call: ModuleCall) -> str:
    """The class of a called module; what has no parameters says more of itself, such as "relu"."""
    if parameter_count([call]) == 0:
        with suppress(Exception):  # anybody's representation may fail
            text = repr(call.module)
            if len(text) <= LONGEST_KIND and "\n" not in text and not text.startswith("<"):
                return text
    return type(call.module).__name__


def call_title(call: ModuleCall) -> str:
    """The name of a called module in its model, and its class."""
    name, kind = call.path[-1], kind_of(call)
    return kind if name == kind else f"{name}  {kind}"
