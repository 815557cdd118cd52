"""Statements about memory and identity: who shares, who is read while written, who is looked up."""

from __future__ import annotations

import numpy as np

from tests.programs.expressions import single
from tests.programs.statements import has_axes
from tests.programs.writing import Writer, kind

Text = str | None


@kind("overlapping writes", 5)
def write_what_is_read(writer: Writer) -> Text:
    """NumPy copies what it reads first, or does not."""
    place = writer.target(lambda x: has_axes(x) and len(x) > 1)
    if place is None:
        return None
    row = f"{place}.reshape(-1)"
    options = [
        f"{place}.flat[1:] = {row}[:-1]", f"{place}.flat[:] = {row}[::-1]",
        f"{place}.flat = {place}[::-1]", f"{place}.flat[:2] = {row}[-2:]",
        f"np.place({place}, {place} > -99, {row}[1:])", f"np.place({place}, {place} > -99, {row})",
        f"{place}[{place} > -99] = {row}[::-1]", f"{place}[{place} > 0] = {row}[:1]",
        f"np.concatenate([{place}[1:], {place}[:1]], out={place})",
        f"np.concatenate([{place}[:1], {place}[1:]], out={place})",
        f"np.stack([*{place}[::-1]], out={place})",
        f"np.putmask({place}, {place} > -99, {place}[::-1])",
        f"np.put({place}, [0, 1], {row}[::-1])", f"np.copyto({place}[1:], {place}[:-1])",
        f"np.ptp({place}, axis=0, out={place}[0, ...])",
        f"np.ptp({place}, axis=0, out={place}[-1, ...])",
        f"np.median({place}, axis=0, out={place}[0, ...])",
        f"np.median({place}, axis=0, out={place}[1, ...], overwrite_input=True)",
        f"np.quantile({place}, 0.3, axis=0, out={place}[0, ...], overwrite_input=True)",
        f"np.max({place}, axis=0, out={place}[1, ...])",
        f"np.take({place}, [1, 0], axis=0, out={place}[:2])",
        f"np.clip({place}[::-1], -0.9, 0.9, out={place})",
        f"np.add({place}[1:], {place}[:-1], out={place}[1:])",
        f"np.cumsum({place}[::-1], axis=0, out={place})",
        f"{place}[1:] *= {place}[:-1]", f"{place}[[1, 0]] = {place}[:2]",
        f"{row}[::2] = {row}[: len({row}[::2])]", f"{row}[: len({row}[1::2])] = {row}[1::2]",
        f"{place}[::2] = {place}[: len({place}[::2])]",
        f"{place}[0] = {place}.T.reshape(-1)[: np.size({place}[0])].reshape({place}[0].shape)",
    ]  # fmt: skip
    return str(writer.choose(options))


@kind("overlapping writes", 3)
def view_of_what_may_be_a_view(writer: Writer) -> Text:
    """What is read through it, when the array was written, depends on how that lies in memory."""
    place = writer.target(has_axes)
    if place is None:
        return None
    taken = writer.choose([
        f"{place}.T.ravel()", f"{place}.T.reshape(-1)", f"{place}.reshape(-1)",
        f"np.asfortranarray({place}, like={place})", f"np.squeeze({place})",
        f"{place}.astype({place}.dtype, order='F', copy=False)",
    ])  # fmt: skip
    view = writer.choose([
        "{}[...]", "{}[::-1]", "{}[1:]", "{}.real", "np.squeeze({})", "np.split({}, [1])[-1]",
        "{0}.astype({0}.dtype, copy=False)", "np.atleast_1d({})", "{}.T",
    ])  # fmt: skip
    name = writer.fresh("v")
    write = writer.choose([f"{place} *= 0.5", f"{place}[0] = {single(writer)}"])
    return f"{name} = {view.format(taken)}\n{write}\n{writer.fresh('a')} = {name} * 1.0"


@kind("overlapping writes", 3)
def view_at_a_place_that_is_found(writer: Writer) -> Text:
    """The index differs from sample to sample; the part is a view all the same."""
    place = writer.target(lambda x: np.ndim(x) > 1 and len(x) > 1)
    if place is None:
        return None
    column = f"{place}.reshape(len({place}), -1)[:, 0]"
    taken = writer.choose([
        "{0}[{1}]", "{0}[{1}]", "{0}[{1}, 1:]", "{0}[{1}, ...]", "{0}[None, {1}]", "{0}[{1}].T",
        "{0}[{1}, ::2]", "{0}[{1}, 0, ...]", "{0}[{1}][None]", "{0}[{1}, [0]]",
    ])  # fmt: skip
    first, second = (writer.fresh("v") for _ in range(2))
    write = writer.choose([
        f"{first} *= 0.5", f"{place} *= 0.5", f"{first} += {second}", f"{place}[0] = 0.5",
        f"{first}[...] = {second}", f"{second} -= {single(writer)}",
    ])  # fmt: skip
    return (
        f"{first} = {taken.format(place, f'np.argmax({column})')}\n"
        f"{second} = {taken.format(place, f'np.argmin({column})')}\n{write}\n"
        f"{writer.fresh('a')} = {first} * {second}"
    )


@kind("numbers and arrays", 5)
def number_or_array(writer: Writer) -> Text:
    """A number is rebound, an array without axes is written, under all of its names."""
    place = writer.array(has_axes)
    if place is None:
        return None
    item = f"{place}[{', '.join('0' for _ in np.shape(writer.evaluate(place)))}]"
    part = f"{item[:-1]}, ...]"
    made = writer.choose([
        item, part, f"{item}.copy()", f"{part}.copy()", f"np.copy({item})", f"np.copy({part})",
        f"np.array({item}, like={place})", f"np.asarray({item}, like={place})",
        f"np.block({item})", f"np.pad({item}, 1)", f"{item}.astype(float)",
        f"{part}.astype(float)", f"np.where({item} > 9, 0.5, {item})", f"np.sum({place})",
        f"copy.copy({item})", f"copy.deepcopy({part})", f"np.add({part}, 0.5)",
        f"np.multiply({item}, 0.5, where=True)", f"np.squeeze({place}[:1])",
        f"np.reshape({item}, ())", f"np.full((), {item}, like={place})", f"+{part}",
        f"np.nan_to_num({item})", f"np.round({part} * 1e3)", f"np.real({item})",
        f"np.atleast_1d({item})", f"np.broadcast_to({item}, ())", f"np.ravel({item})",
        f"np.real_if_close({item})", f"np.real_if_close({part})", f"np.resize({place}, ())",
        f"np.piecewise({item}, [{item} > 0.02], [0.5, 0.25])", f"np.ravel({place})[np.array(0)]",
        f"np.ravel({place})[np.array(0), ...]", f"np.ravel({place})[np.argmax({place}), ...]",
        f"np.ascontiguousarray({item}, like={place})",
    ])  # fmt: skip
    name, other = writer.fresh("a"), writer.fresh("a")
    write = writer.choose(["+= 0.5", "*= 0.5", f"-= {single(writer)}"])
    return f"{name} = {made}\n{other} = {name}\n{name} {write}"


@kind("constant changes", 2)
def look_at_constant(writer: Writer) -> Text:
    """A plain array by another name that NumPy makes for it, or what its elements make."""
    place = writer.array(has_axes)
    if place is None:
        return None
    n = np.shape(writer.evaluate(place))[-1]
    plain, name, total = writer.fresh("k"), writer.fresh("k"), writer.fresh("t")
    made = writer.choose([
        f"np.asarray({plain}, like={place})", f"np.asarray({plain}, float, like={place})",
        f"np.ascontiguousarray({plain}, like={place})", f"np.frombuffer({plain}, like={place})",
        f"np.array({plain}, copy=None, like={place})", f"np.array({plain}, like={place})",
        f"np.fromfunction(lambda i: {place}[..., i] * {plain}, ({n},), dtype=int, like={place})",
    ])  # fmt: skip
    return (
        f"{plain} = np.linspace(0.1, 1, {n})\n{name} = {made}\n"
        f"{total} = np.sum({name} * {place})\n{writer.choose([plain, name])}[...] = 0.4\n"
        f"{total} = {total} + np.sum(({plain} + {name}) * {place})"
    )


@kind("memory orders", 4)
def read_memory(writer: Writer) -> Text:
    """The elements of a result as they lie in memory."""
    place = writer.array(lambda x: np.ndim(x) > 1)
    if place is None:
        return None
    made = writer.choose([
        place, f"{place}.T", f"np.repeat({place}, 2, axis=0)", f"np.tile({place}, 2)",
        f"np.pad({place}, 1)", f"np.pad({place}, 1, 'mean')", f"{place}.T.astype(float)",
        f"{place}.astype(np.float64, order='F')", f"np.angle({place} + 3)", f"{place}.T * 0.5",
        f"np.sin({place}.T)", f"np.concatenate([{place}.T, {place}.T])",
        f"np.stack([{place}.T, {place}.T])", f"np.where({place}.T > 9, 0.5, {place}.T)",
        f"np.sum({place}.T, axis=0, keepdims=True)", f"np.copy({place}.T)", f"{place}.T.copy()",
        f"np.cumsum({place}.T, axis=0)", f"np.sort({place}.T, axis=0)", f"np.roll({place}.T, 1)",
        f"np.flip({place}.T, 0)", f"np.zeros_like({place}.T) + {place}.T",
        f"np.full_like({place}.T, {single(writer)})", f"np.meshgrid({place}, {place}.T)[0]",
        f"np.gradient({place}.T, axis=-1, edge_order=1)", f"np.matmul({place}.T, {place})",
        f"np.broadcast_to({place}, (2, *{place}.shape))", f"np.take({place}.T, [0, 0], axis=1)",
        f"np.diff({place}.T, axis=0)", f"np.array({place}.T, like={place})",
    ])  # fmt: skip
    read = writer.choose([
        "np.ravel({}, 'K')", "{}.ravel('K')", "{}.ravel('A')", "np.reshape({}, -1, order='A')",
        "{}.flatten('K')",
    ])  # fmt: skip
    name = writer.fresh("a")
    return f"{name} = {read.format(f'({made})')}\n{name} = {name} * np.arange({name}.size) * 0.1"


READERS = {
    "by_list": ("x * held[0]", "g * held[0]"),
    "by_dict": ("x * held['a']", "g * held['a']"),
    "by_nesting": ("x * held['a'][0]", "g * held['a'][0]"),
    "by_object": ("x * held.factor", "g * held.factor"),
}
HELD = {
    "by_list": "[{}]", "by_dict": "{{'a': {}}}", "by_nesting": "{{'a': ({}, 1)}}",
    "by_object": "Holder({})",
}  # fmt: skip


@kind("held arrays", 5)
def refill_what_a_primitive_holds(writer: Writer) -> Text:
    """An array in a container or object that a primitive is called with, and written later."""
    place = writer.array(has_axes)
    if place is None:
        return None
    name = writer.choose(READERS)
    value, slope = READERS[name]
    star = writer.choose(["", "*, "])
    function = f"{name}{'_keyword' if star else ''}"
    no_rule = "" if star else ", None"
    writer.define(
        "Holder", "class Holder:\n    def __init__(self, factor):\n        self.factor = factor"
    )
    writer.define(
        function,
        f"@ag.primitive\ndef {function}(x, {star}held):\n    return {value}\n\n"
        f"{function}.defvjp(lambda g, out, x, held: {slope}{no_rule})",
    )
    array, held, result = writer.fresh("k"), writer.fresh("h"), writer.fresh("a")
    change = writer.choose([f"{array}[...] = 0.3", f"{array} *= 2", "pass", f"{array}[:1] = 0.1"])
    call = f"{function}({place}, {'held=' if star else ''}{held})"
    return (
        f"{array} = np.full(np.shape({place}), 0.7)\n{held} = {HELD[name].format(array)}\n"
        f"{result} = {call}\n{change}\n{result} = {result} + {call}"
    )


@kind("lookups", 3)
def look_up(writer: Writer) -> Text:
    place, result = writer.array(has_axes), writer.fresh("a")
    if place is None:
        return None
    number = f"{place}.flat[0]"
    looked = writer.choose([
        f"{{{writer.number()}: 0.5}}.get({number}, 0.25)", f"float({number} in {{0.5, 0.25}})",
        f"len(set({place}.ravel())) * 0.1", f"{{0: 0.5, 1: 0.7}}.get(np.argmax({place}), 0.1)",
        f"{{True: 0.5, False: 0.7}}[{number} > 0.02]", f"len({{*{place}.ravel(), 0.5}}) * 0.1",
        f"{{0: 0.5, 1: 0.7}}.get(np.floor({number}).astype(int), 0.2)",
    ])  # fmt: skip
    return f"{result} = {number} * {looked}"
