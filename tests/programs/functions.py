"""Functions in programs: nested ones, closures, generators, classes, primitives, derivatives."""

from __future__ import annotations

import numpy as np

from tests.programs.expressions import expression, fitting, single
from tests.programs.statements import has_axes
from tests.programs.writing import Writer, indented, kind

Text = str | None


@kind("nested functions", 4)
def nested_function(writer: Writer) -> Text:
    if writer.depth > 1:
        return None
    places = [p for p in (writer.target(), writer.array()) if p]
    if not places:
        return None
    function = writer.fresh("f")
    parameters = [writer.fresh("b") for _ in places]
    values = {n: writer.evaluate(p) for n, p in zip(parameters, places, strict=True)}
    near = {n: eval(p, dict(writer.moved)) for n, p in zip(parameters, places, strict=True)}
    inner = Writer(writer.random, writer.features, values, near, writer)
    inner.write(writer.random.randint(1, 3))
    inner.body.append(f"return {inner.result()}")
    signature, call = list(parameters), list(places)
    if len(places) > 1 and writer.chance(0.5):
        signature[-1] += f"={call.pop()}"
    result = writer.fresh("a")
    definition = indented(f"def {function}({', '.join(signature)}):", inner.body)
    lines = [definition, f"{result} = {function}({', '.join(call)})"]
    if writer.chance(0.4):
        between = writer.statement()
        if between is not None and writer.try_out(["\n".join(lines)]):
            if writer.try_out(["\n".join(lines), between]):
                lines.append(between)
            lines.append(f"{writer.fresh('a')} = {function}({', '.join(call)})")
    return "\n".join(lines)


@kind("nested functions", 2)
def closure(writer: Writer) -> Text:
    place = writer.array()
    if place is None:
        return None
    name, result = writer.fresh("f"), writer.fresh("a")
    lines = writer.choose([
        [f"{name} = lambda s, b={place}: s * b", f"{result} = {name}({single(writer)})"],
        [f"{name} = lambda s: s * {place}", f"{result} = {name}(0.5)"],
        [f"{name} = functools.partial(np.multiply, {place})", f"{result} = {name}(0.5)"],
        [f"{name} = [lambda s, j=j: s * {place} + j for j in range(2)]",
         f"{result} = {name}[0](0.5) + {name}[1]({single(writer)})"],
        [f"{name} = lambda n: {place} if n == 0 else np.sin({name}(n - 1))",
        f"{result} = {name}(2)"],
    ])  # fmt: skip
    return "\n".join(lines)


@kind("item writes", 2)
def writing_function(writer: Writer) -> Text:
    """A function that writes what it was given, or what it sees around it."""
    place = writer.target(has_axes)
    if place is None:
        return None
    name = writer.fresh("f")
    shape = np.shape(writer.evaluate(place))
    value = fitting(writer, shape)
    return writer.choose([
        f"def {name}(b):\n    b[:] = {value}\n{name}({place})",
        f"def {name}(b, s):\n    b[0] += s\n    return b\n"
        f"{writer.fresh('b')} = {name}({place}, {single(writer)})",
        f"def {name}(b=None):\n    b = {place} if b is None else b\n    b[...] *= 0.5\n"
        f"{name}()\n{name}({place}[::-1])",
        f"def {name}(i):\n    {place}[i] = {place}[-1] * 0.5\n"
        f"for i{name} in range({shape[0]}):\n    {name}(i{name})",
    ])  # fmt: skip


# Primitives with rules of their own.

PRIMITIVES = {
    "cubed": (
        "@ag.primitive\ndef cubed(a):\n    return a**3 / 3\n\n"
        "cubed.defvjp(lambda g, out, a: g * a**2)"
    ),
    "blended": (
        "@ag.primitive(broadcasts=True)\ndef blended(a, b):\n    return a * np.sin(b)\n\n"
        "blended.defvjp(lambda g, out, a, b: g * np.sin(b), lambda g, out, a, b: g * a * np.cos(b))"
    ),
    "kept": (
        "@ag.primitive(residuals=True)\ndef kept(a):\n    return np.sin(a), np.cos(a)\n\n"
        "kept.defvjp(lambda g, out, c, a: g * c)\nkept.defjvp(lambda t, out, c, a: t * c)"
    ),
    "itself": "@ag.primitive\ndef itself(a):\n    return a\n\nitself.defvjp(lambda g, out, a: g)",
    "scaled": (
        "@ag.primitive\ndef scaled(a, *, by=2.0):\n    return a * by\n\n"
        "scaled.defvjp(lambda g, out, a, *, by=2.0: g * by)"
    ),
    "first": (
        "@ag.primitive\ndef first(a):\n    return a[:1]\n\n"
        "first.defvjp(lambda g, out, a: np.concatenate([g, 0 * a[1:]]))"
    ),
}


@kind("primitives", 3)
def call_primitive(writer: Writer) -> Text:
    name = writer.choose(["cubed", "blended", "scaled", "kept"])
    writer.define(name, PRIMITIVES[name])
    place, result = writer.array(), writer.fresh("a")
    if place is None:
        return None
    if name in ("cubed", "kept"):
        return f"{result} = {name}(0.5 * {place})"
    if name == "scaled":
        return f"{result} = scaled({place}, by={writer.number()})"
    return f"{result} = blended({place}, {single(writer)})"


@kind("primitive views", 2)
def call_view(writer: Writer) -> Text:
    name = writer.choose(["itself", "first"])
    place = writer.array(has_axes)
    writer.define(name, PRIMITIVES[name])
    return place and f"{writer.fresh('v')} = {name}({place})"


# Functions that stop and go on, objects that hold arrays.


@kind("generators", 2)
def generator(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    name, row, result = writer.fresh("g"), writer.fresh("b"), writer.fresh("a")
    return writer.choose([
        f"def {name}():\n    for {row} in {place}:\n        yield {row} * 0.5\n"
        f"{result} = sum({name}())",
        f"{name} = (np.sin({row}) for {row} in {place})\n{result} = next({name})",
        f"def {name}(b):\n    yield b\n    yield from (b * 2, {single(writer)})\n"
        f"{result}, *_ = {name}({place})",
    ])  # fmt: skip


@kind("item writes", 2)
def writing_generator(writer: Writer) -> Text:
    """Writes between the steps of a generator."""
    place = writer.target(has_axes)
    if place is None:
        return None
    name, result = writer.fresh("g"), writer.fresh("a")
    return (
        f"def {name}():\n    yield {place}[0] * 1.0\n    {place}[...] = {place} * 0.5\n"
        f"    yield {place}[-1]\n{name}s = {name}()\n{result} = next({name}s)\n"
        f"{place}[-1] = {single(writer)}\n{result} = {result} + next({name}s)"
    )


BOX = """
class Box:
    scale = 0.5

    def __init__(self, held):
        self.held = held

    def __getitem__(self, index):
        return self.held[index]

    def __setitem__(self, index, value):
        self.held[index] = value

    def __call__(self, other):
        return self.held * self.scale + other

    @property
    def doubled(self):
        return self.held * 2
""".strip()


@kind("objects", 3)
def box(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    writer.define("Box", BOX)
    name, result = writer.fresh("o"), writer.fresh("a")
    use = writer.choose([
        f"{name}({single(writer)})", f"{name}.doubled", f"{name}[-1]", f"{name}[0] * {name}.scale",
        f"{name}.held", f"getattr({name}, 'held')", f"vars({name})['held']",
    ])  # fmt: skip
    return f"{name} = Box({place})\n{result} = {use}"


@kind("item writes", 2)
def write_in_box(writer: Writer) -> Text:
    place = writer.target(has_axes)
    if place is None:
        return None
    writer.define("Box", BOX)
    name = writer.fresh("o")
    write = writer.choose([
        f"{name}[0] = {single(writer)}", f"{name}.held[-1:] *= 0.5", f"{name}[:] = {name}.doubled",
        f"{name}[0] += {single(writer)}",
    ])  # fmt: skip
    return f"{name} = Box({place})\n{write}\n{writer.fresh('a')} = {name}.held * 1.0"


# State that outlives a call.


@kind("state", 3)
def count_calls(writer: Writer) -> Text:
    """A number, default or attribute that is another one in the next call."""
    place = writer.array()
    if place is None:
        return None
    result, name = writer.fresh("a"), writer.fresh("f")
    how = writer.random.randint(0, 3)
    if how == 0:
        writer.define("CALLS", "CALLS = [0.5]")
        return f"CALLS[0] += 0.25\n{result} = {place} * CALLS[0]"
    if how == 1:
        writer.define(
            "remember", "def remember(n, kept=np.zeros(1)):\n    kept += n\n    return kept"
        )
        return f"{result} = {place} * remember({writer.number()})"
    if how == 2:
        writer.define("Box", BOX)
        return f"{result} = Box({place})(0.5)\nBox.scale += 0.25"
    writer.define("STEP", "STEP = 0.5")
    return (
        f"def {name}(b):\n    global STEP\n    STEP += 0.25\n    return b * STEP\n"
        f"{result} = {name}({place})"
    )


@kind("state", 1)
def count_inside(writer: Writer) -> Text:
    """A number of the function around, changed from inside."""
    place = writer.array()
    name, result = writer.fresh("f"), writer.fresh("a")
    return place and (
        f"n{name} = [0.0]\ndef {name}(b):\n    n{name}[0] += 0.5\n    return b * n{name}[0]\n"
        f"{result} = {name}({place}) + {name}({single(writer)})"
    )


# Derivatives in programs: NumPy's program has them too, so that they are differentiated once more.


@kind("inner derivatives", 3)
def inner_derivative(writer: Writer) -> Text:
    place, result = writer.array(has_axes), writer.fresh("a")
    if place is None:
        return None
    name, factor = writer.fresh("f"), single(writer)
    function = writer.choose([
        f"def {name}(b):\n    return np.sum(np.sin(b) * {factor})",
        f"def {name}(b):\n    return np.mean(b**3) + np.sum(np.tanh({place}) * b)",
        f"def {name}(b):\n    c = b.ravel()\n    return np.sum(np.cos(c) * c)",
    ])  # fmt: skip
    if {"item writes", "buffers"} <= writer.features and writer.chance(0.5):
        function = writer.choose([
            f"def {name}(b):\n    b = b * 1.0\n    b[0] = np.sin(b[-1]) * {factor}\n"
            f"    return np.sum(b * b)",
            f"def {name}(b):\n    c = np.zeros_like(b)\n    c[...] = np.sin(b)\n"
            f"    c[-1] *= {factor}\n    return np.sum(c * b)",
        ])  # fmt: skip
    use = writer.choose([
        f"ag.grad({name})({place})", f"ag.value_and_grad({name})({place})[1]",
        f"ag.jvp({name}, ({place},), (np.cos({place}),))[1]", f"ag.vjp({name}, {place})[1](1.0)[0]",
        f"ag.hvp({name}, {place}, {place} * 0.5)", f"ag.jacobian({name})({place})",
        f"np.sum(ag.hessian({name})({place}), axis=0)",
    ])  # fmt: skip
    return f"{function}\n{result} = {use}"


@kind("inner derivatives", 4)
def derivative_of_statements(writer: Writer) -> Text:
    """The derivative of a function with statements of its own, which sees what lies around it."""
    place = writer.array(has_axes)
    if place is None or writer.depth > 1:
        return None
    name, argument, result = writer.fresh("f"), writer.fresh("b"), writer.fresh("a")
    near = {argument: eval(place, dict(writer.moved))}
    inner = Writer(writer.random, writer.features, {argument: writer.evaluate(place)}, near, writer)
    inner.write(writer.random.randint(1, 4))
    inner.body.append(f"return np.sum({inner.result()})")
    definition = indented(f"def {name}({argument}):", inner.body)
    between = writer.statement() or "pass"
    weight = single(writer)
    how = writer.choose([
        f"{result} = ag.grad({name})({place})",
        f"{result}s, {result} = ag.value_and_grad({name})({place})",
        f"{result}s, {result} = ag.jvp({name}, {place}, np.cos({place}))",
        f"{result} = ag.hvp({name}, {place}, np.cos({place}))",
        f"{result} = ag.jacobian({name})({place})",
        f"{result} = np.sum(ag.hessian({name})({place}), axis=0)",
        f"{result} = ag.grad(lambda b: {weight} * {name}(b) ** 2)({place})",
        f"{result}s, pull{result} = ag.vjp({name}, {place})\n{between}\n"
        f"({result},) = pull{result}({weight})",
        f"{result}s, push{result} = ag.linearize({name}, {place})\n{between}\n"
        f"{result} = push{result}(np.cos({place}))",
        f"{result} = ag.checkpoint({name})({place})",
    ])  # fmt: skip
    return f"{definition}\n{how}"


@kind("inner derivatives", 2)
def handed_out(writer: Writer) -> Text:
    """What transforms return shares no memory: neither it nor what it came from sees writes."""
    place, name = writer.array(has_axes), writer.fresh("a")
    if place is None:
        return None
    view = writer.choose(["b", "b[...]", "b[::-1]", "b.T", "np.ravel(b)"])
    made = writer.choose([
        f"ag.vmap(lambda b: b)({place})", f"ag.vmap(lambda _: {place})(np.ones(2))",
        f"ag.vjp(lambda b: {view}, {place})[0]", f"ag.vjp(lambda _: {place}, {place} * 0.5)[0]",
        f"ag.vjp(lambda b: b[::-1], {place} * 0.5)[1]({place})[0]",
        f"ag.jvp(lambda b: {view}, {place} * 0.5, {place})[1]",
        f"ag.grad(lambda b: (np.sum(b), {view}), has_aux=True)({place})[1]",
        f"ag.grad(lambda b, c: np.sum((b + c) * {place}), [0, 1])({place} * 0.5, {place} * 1.0)[0]",
    ])  # fmt: skip
    if "item writes" not in writer.features:
        return f"{name} = {made}"
    written = writer.choose([name, writer.target(has_axes) or name])
    return f"{name} = {made}\n{written}[0] = {single(writer)}\n{name}s = {name} * 0.5"


@kind("checkpoints", 3)
def checkpoint(writer: Writer) -> Text:
    place, result = writer.array(), writer.fresh("a")
    if place is None:
        return None
    return writer.choose([
        f"{result} = ag.checkpoint(np.sin)({place})",
        f"{result} = ag.checkpoint(lambda b: np.tanh(b) * {single(writer)})({place})",
        f"{result} = ag.checkpoint(lambda b: {expression(writer, 1)})({place})",
        f"{result} = ag.checkpoint(lambda b, c: b * np.cos(c))({place}, {single(writer)})",
    ])  # fmt: skip


# Errors that programs catch, and go on.


@kind("swallowed refusals", 2)
def swallow(writer: Writer) -> Text:
    """What NumPy does not refuse, inside of a program that would go on without it."""
    place = writer.target(has_axes)
    if place is None:
        return None
    number = single(writer)
    attempt = writer.choose([
        f"{place}[0] = {number}", f"np.add({place}, 0.5, out={place})", f"np.copyto({place}, 0.5)",
        f"k{place.split('[')[0].split('.')[0]} = np.zeros(2)\n"
        f"    k{place.split('[')[0].split('.')[0]}[0] = {number}", f"{place}.sort()",
        f"np.put({place}, [0], 0.5)",
    ])  # fmt: skip
    error = writer.choose(["Exception", "TypeError", "(TypeError, ValueError)"])
    return f"try:\n    {attempt}\nexcept {error}:\n    pass"
