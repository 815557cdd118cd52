"""Loops, branches and batches that stay what they are in compiled programs."""

from __future__ import annotations

import numpy as np

from tests.programs.expressions import expression, fitting, single
from tests.programs.statements import has_axes
from tests.programs.writing import Writer, indented, kind

Text = str | None

DONE_ONCE = {"containers", "objects", "state"}
"""Features by which a function does something besides, which `vmap` does once for all samples."""


def function_of(writer: Writer, parameters: dict[str, str]) -> Writer:
    """A function that is given these places, with a few statements; what it returns is missing."""
    values = {name: writer.evaluate(place) for name, place in parameters.items()}
    near = {name: eval(place, dict(writer.moved)) for name, place in parameters.items()}
    inner = Writer(writer.random, writer.features, values, near, writer)
    inner.write(writer.random.randint(0, 1))
    return inner


def definition(inner: Writer, name: str, result: str, order: list[str] | None = None) -> str:
    header = f"def {name}({', '.join(order or inner.arguments)}):"
    return indented(header, [*inner.body, f"return {result}"])


def next_carry(inner: Writer, carry: str) -> str:
    """An expression of a carry's shape."""
    shape = np.shape(inner.evaluate(carry))
    alike = inner.array(lambda x: isinstance(x, np.ndarray) and x.shape == shape) or carry
    return str(
        inner.choose([
            f"{carry} * 0.5 + np.mean({expression(inner, 1)})",
            f"np.tanh({carry}) * {single(inner)}",
            f"np.sin({carry} + {fitting(inner, shape)})",
            f"np.where({carry} > 0.03, {alike}, {carry} * 0.7)",
            f"0.9 * {carry} + 0.1 * {alike}", alike, carry,
        ])
    )  # fmt: skip


@kind("steps", 2)
def scan(writer: Writer) -> Text:
    carry, rows = writer.array(), writer.array(has_axes)
    if writer.depth > 1 or carry is None or rows is None:
        return None
    name, state, row = writer.fresh("f"), writer.fresh("b"), writer.fresh("r")
    inner = function_of(writer, {state: carry, row: f"{rows}[0]"})
    given = inner.choose([inner.result(), state, row, "None", f"({row}, {inner.result()})"])
    text = definition(inner, name, f"{next_carry(inner, state)}, {given}")
    last, steps = writer.fresh("a"), writer.fresh("p" if given[0] == "(" else "a")
    options = writer.choose(["", "", ", reverse=True", ", checkpoint=True"])
    return f"{text}\n{last}, {steps} = ag.scan({name}, {carry}, {rows}{options})"


@kind("steps", 1)
def fori(writer: Writer) -> Text:
    carry = writer.array()
    if writer.depth > 1 or carry is None:
        return None
    name, state, i = writer.fresh("f"), writer.fresh("b"), writer.fresh("i")
    inner = function_of(writer, {state: carry})
    following = writer.choose(["{}", "{} + 0.1 * {i}", "{} * np.cos({i})"])
    following = following.format(next_carry(inner, state), i=i)
    text = definition(inner, name, following, [i, state])
    bounds = writer.choose(["0, 1", "0, 3", "1, 3", "-1, 2", "2, 2"])
    return f"{text}\n{writer.fresh('a')} = ag.fori({bounds}, {name}, {carry})"


@kind("steps", 1)
def while_loop(writer: Writer) -> Text:
    carry = writer.array()
    if carry is None:
        return None
    state = writer.fresh("b")
    shrink = writer.choose([
        f"{state} * 0.5", f"0.6 * np.tanh({state}) + 0.01 * {single(writer)}", f"{state} / 1.5",
    ])  # fmt: skip
    return (
        f"{writer.fresh('a')} = ag.while_loop(lambda {state}: np.sum({state} * {state}) > "
        f"0.2371, lambda {state}: {shrink}, {carry})"
    )


@kind("steps", 2)
def branch(writer: Writer) -> Text:
    place, operand = writer.array(), writer.array()
    if writer.depth > 1 or place is None or operand is None:
        return None
    state, names, texts = writer.fresh("b"), [], []
    number = writer.choose([2, 2, 3])
    for _ in range(number):
        inner = function_of(writer, {state: operand})
        names.append(writer.fresh("f"))
        texts.append(definition(inner, names[-1], next_carry(inner, state)))
    functions = ", ".join(names)
    if number == 2:
        threshold = writer.threshold(f"np.sum({place})")
        chosen = f"ag.cond(np.sum({place}) > {threshold}, {functions}, {operand})"
    else:
        sign = f"np.sign(np.sum({place})).astype(int)"
        chosen = f"ag.switch(1 + {sign}, [{functions}], {operand})"
    return "\n".join([*texts, f"{writer.fresh('a')} = {chosen}"])


@kind("steps", 1)
def batch(writer: Writer) -> Text:
    rows = writer.array(has_axes)
    if writer.depth > 1 or rows is None:
        return None
    name, row = writer.fresh("f"), writer.fresh("r")
    inner = function_of(writer, {row: f"{rows}[0]"})
    text = definition(inner, name, inner.result())
    in_turn, together = f"map({name}, {rows})", f"vmap({name})({rows})"
    call = in_turn if DONE_ONCE & writer.features else writer.choose([in_turn, together, together])
    return f"{text}\n{writer.fresh('a')} = ag.{call}"


@kind("steps", 2)
def derivatives_of_samples(writer: Writer) -> Text:
    """Derivatives of a function with a loop or branch, mapped, or through what is mapped."""
    rows = writer.array(has_axes)
    if writer.depth > 0 or rows is None or DONE_ONCE & writer.features:
        return None
    name, row, b, c = (writer.fresh(letter) for letter in "frbb")
    inner = function_of(writer, {row: f"{rows}[0]"})
    step = inner.choose([scan, fori, while_loop, branch])(inner)
    if step is None or not inner.keep([step]):
        return None
    text = definition(inner, name, inner.result())
    slope = f"ag.grad(lambda {b}: np.sum({name}({b})))"
    tangent = f"lambda {b}: ag.jvp({name}, {b}, np.cos({b}))[1]"
    table = f"lambda {b}: ag.vmap({name})(np.stack([{b}, {b} * 0.5]))"
    found = writer.choose([
        f"ag.vmap({slope})({rows})", f"ag.vmap({tangent})({rows})", f"ag.vmap({table})({rows})",
        f"ag.grad(lambda {c}: np.sum(ag.vmap({name})({c})))({rows})",
        f"ag.grad(lambda {c}: np.sum(np.sin(ag.vmap({slope})({c}))))({rows})",
        f"ag.grad(lambda {c}: np.sum(ag.vmap({tangent})({c})))({rows})",
        f"ag.grad(lambda {c}: np.sum(ag.vmap({table})({c})))({rows})",
    ])  # fmt: skip
    return f"{text}\n{writer.fresh('a')} = {found}"
