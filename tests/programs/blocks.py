"""Statements that hold others: loops, branches, containers."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from tests.programs.expressions import expression, single
from tests.programs.statements import has_axes
from tests.programs.writing import Writer, indented, is_array, kind

Text = str | None
DEEPEST = 2


# Loops.


@kind("loops", 4)
def loop(writer: Writer) -> Text:
    if writer.depth > DEEPEST:
        return None
    i, place = writer.fresh("i"), writer.array(has_axes)
    headers = [f"for {i} in range({writer.random.randint(1, 3)}):"]
    if place:
        row = writer.fresh("b")
        headers += [
            f"for {i} in range(len({place})):", f"for {i} in range({place}.shape[-1]):",
            f"for {row} in {place}:", f"for {i}, {row} in enumerate({place}):",
            f"for {row}, {i} in zip({place}, range(2)):", f"for {row} in reversed({place}):",
            f"for {row} in list({place}):", f"for {row} in ({place}, {single(writer)}):",
        ]  # fmt: skip
    return writer.block(str(writer.choose(headers)), writer.random.randint(1, 3))


@kind("loops", 2)
def counted_while(writer: Writer) -> Text:
    if writer.depth > DEEPEST:
        return None
    i = writer.fresh("i")
    if not writer.try_out([f"{i} = 0"]):
        return None
    inner = writer.block("for _ in range(2):", 2)
    if inner is None:
        return None
    lines = textwrap.dedent(inner.partition("\n")[2]).splitlines()
    return f"{i} = 0\n" + indented(f"while {i} < 2:", [*lines, f"{i} += 1"])


@kind("loops", 3)
def accumulate(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    total, i = writer.fresh("t"), writer.fresh("i")
    step = writer.choose([
        f"{total} = {total} + np.sin({place}[{i}])",
        f"{total} = np.tanh({total} * {place}[{i}] + 0.3)",
        f"{total} += {place}[{i}]", f"{total} -= np.sum({place}) * 0.1",
        f"{total} *= np.cos({place}[{i}])",
    ])  # fmt: skip
    start = writer.choose(["0.0", "1.0", f"1.0 * {single(writer)}"])
    return f"{total} = {start}\nfor {i} in range(len({place})):\n    {step}"


@kind("item writes", 3)
def time_steps(writer: Writer) -> Text:
    """Stepping in time: each element from the one before."""
    place = writer.target(lambda x: has_axes(x) and len(x) > 1)
    if place is None:
        return None
    i = writer.fresh("i")
    step = writer.choose([
        f"{place}[{i}] = np.sin({place}[{i} - 1]) + 0.1 * {place}[{i}]",
        f"{place}[{i}] += 0.5 * {place}[{i} - 1]",
        f"{place}[{i}:] *= 0.9",
        f"{place}[{i} - 1], {place}[{i}] = {place}[{i}], {place}[{i} - 1]",
        f"{place}[1:-1] += 0.1 * ({place}[2:] - {place}[:-2])",
        f"{place}[:{i}] = {place}[1:{i} + 1] * 0.5",
    ])  # fmt: skip
    return f"for {i} in range(1, len({place})):\n    {step}"


@kind("loops", 2)
def comprehension(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    row, name = writer.fresh("r"), writer.fresh("a")
    parts = f"[np.sin({row}) for {row} in {place}]"
    return writer.choose([
        f"{name} = sum({parts})", f"{name} = np.stack({parts})", f"{name} = {parts}",
        f"{name} = np.array({parts}, like={place})",
        f"{name} = sum({row} * {row} for {row} in {place})",
        f"{name} = {{{row}: {place}[{row}] for {row} in range(len({place}))}}",
        f"{name} = list(map(np.tanh, {place}))",
        f"{name} = functools.reduce(operator.mul, {place})",
        f"{name} = ag.array({parts})",
        f"{name} = np.concatenate([np.atleast_1d({row}) for {row} in {place}])",
        f"{name} = max({place}.ravel(), key=lambda {row}: -{row})",
        f"{name} = sorted({place}.ravel())",
        f"{name} = [{row} for {row} in {place}.flat]", f"{name}, *q{name} = {place}",
    ])  # fmt: skip


# Branches.


@kind("branches", 4)
def branch(writer: Writer) -> Text:
    place = writer.array()
    if writer.depth > DEEPEST or place is None:
        return None
    value = writer.evaluate(place)
    tests = []
    if isinstance(value, np.ndarray) and value.size:
        threshold = writer.threshold(f"np.sum({place})")
        tests = [
            f"{place}.ndim == {writer.random.randint(0, 2)}", f"{place}.shape[-1:] > (2,)",
            f"np.any({place} > {writer.threshold(place)})", f"{place}.sum() > {threshold}",
            f"np.all({place} < {writer.threshold(place)})", f"isinstance({place}, float)",
            f"np.isfinite({place}).all()", f"np.shape({place}) == ()", f"{place}.size > 2",
            f"(np.ravel({place})[0] > 0) == True", f"{place}.dtype == float",
            f"np.allclose({place}, {place})", f"{place} is {place}",
            f"bool(np.max({place}) > 0.04)",
        ]  # fmt: skip
    else:
        threshold = writer.threshold(place)
        tests = [f"{place} > {threshold}", f"not {place} > {threshold}", f"{place} != 0",
                 f"{threshold} < {place} < {threshold} + 1", f"np.ndim({place})"]  # fmt: skip
    header = f"if {writer.choose(tests)}:"
    before = writer.state, writer.moved
    taken = writer.block(header, 2)
    writer.state, writer.moved = before
    otherwise = writer.block("if True:", 2)
    writer.state, writer.moved = before
    if otherwise is None:
        return taken
    other_lines = otherwise.partition("\n")[2]
    return f"{taken or header + chr(10) + '    pass'}\nelse:\n{other_lines}"


@kind("branches", 1)
def conditional(writer: Writer) -> Text:
    place = writer.array(lambda x: np.size(x) > 0)
    if place is None:
        return None
    flat = f"np.ravel({place})[0]"
    test = f"{flat} > {writer.threshold(flat)}"
    return f"{writer.fresh('a')} = {expression(writer, 1)} if {test} else {expression(writer, 1)}"


@kind("caught errors", 1)
def caught(writer: Writer) -> Text:
    place = writer.target(has_axes)
    if place is None:
        return None
    attempt, error = writer.choose([
        (f"{place}[10] = 1.0", "IndexError"),
        (f"{place}[:] = {place}[10]", "IndexError"),
        (f"{place}[:] = np.ones(7)", "ValueError"),
        (f"{place}.nothing", "AttributeError"),
        (f"len({single(writer)})", "TypeError"),
        (f"{place} += np.ones((5, 7))", "ValueError"),
        (f"{place}.reshape(7, 11)", "ValueError"),
        (f"{place} @ np.ones(9)", "ValueError"),
    ])  # fmt: skip
    name = writer.fresh("a")
    return f"try:\n    {attempt}\nexcept {error}:\n    {name} = {expression(writer, 1)}"


# Containers.

POINT = "@dataclasses.dataclass\nclass Point:\n    place: object\n    speed: object = 0.5"


@kind("containers", 4)
def container(writer: Writer) -> Text:
    first, second = writer.array(), expression(writer, 1)
    if first is None:
        return None
    name = writer.fresh("p")
    options = [
        f"[{first}, {second}]", f"({first}, {second})", f"{{'p': {first}, 'q': {second}}}",
        f"dict(p={first}, q=[{second}])", f"[{first}] * 2", f"[{first}, [{second}, {first}]]",
        "point", "point",
    ]  # fmt: skip
    chosen = writer.choose(options)
    if chosen == "point":
        writer.define("Point", POINT)
        chosen = f"Point({first}, {second})"
    return f"{name} = {chosen}"


@kind("containers", 3)
def change_container(writer: Writer) -> Text:
    changeable = [
        p
        for p in writer.places(is_array)
        if not p.isidentifier() and p[0].islower() and p[0] != "k"
        and not isinstance(writer.evaluate(p.rpartition("[")[0] or "0"), (tuple, np.ndarray))
    ]  # fmt: skip
    place = writer.choose(changeable)
    if place is None:
        return None
    return writer.choose([
        f"{place} = {expression(writer, 2)}", f"{place} = {place} * 0.5 + {single(writer)}",
        f"{writer.fresh('b')} = {place}", f"{place} = np.sin({place})",
    ])  # fmt: skip


@kind("containers", 2)
def use_container(writer: Writer) -> Text:
    def holds_arrays(x: Any) -> bool:
        parts = list(x.values()) if isinstance(x, dict) else x
        return isinstance(x, (list, tuple, dict)) and len(x) > 0 and all(map(is_array, parts))

    name = writer.choose(
        p for p in writer.places(holds_arrays) if p.isidentifier() and p[0].islower()
    )
    if name is None:
        return None
    new = writer.fresh("a")
    if isinstance(writer.evaluate(name), dict):
        options = [f"{new} = list({name}.values())", f"{name}['r'] = {expression(writer, 1)}",
                   f"{new} = {{**{name}, 's': {single(writer)}}}", f"{new} = {name}.pop('p')",
                   f"{new} = {name}.setdefault('p', 0.5)",
                   f"{new} = sum(np.sum(v) for v in {name}.values())"]  # fmt: skip
    else:
        options = [f"{new} = sum(np.sum(v) for v in {name})", f"{new} = np.stack({name})",
                   f"{new} = np.concatenate({name})", f"{new} = {name}[::-1]",
                   f"{new} = sum({name})",
                   f"{new} = np.sum({name}[0]) + np.mean({name}[-1])", f"{new} = np.array({name})",
                   f"{new} = np.mean({name})",
                   f"{new} = list({name}) + [{single(writer)}]"]  # fmt: skip
        if isinstance(writer.evaluate(name), list):
            options += [f"{name}.append({expression(writer, 1)})", f"{new} = {name}.pop()"]
    return str(writer.choose(options))
