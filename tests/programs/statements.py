"""Simple statements: assignments, views, writes in place, buffers, copies, numbers, constants."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.programs.expressions import (
    expression,
    fitting,
    index_into,
    mask_for,
    single,
    whole_numbers,
)
from tests.programs.writing import Writer, is_array, kind

Text = str | None


def has_axes(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.ndim > 0 and x.size > 0


# Expressions and names.


@kind("expressions", 8)
def assign(writer: Writer) -> Text:
    return f"{writer.fresh('a')} = {expression(writer, 3)}"


@kind("expressions", 2)
def alias(writer: Writer) -> Text:
    place = writer.array()
    return place and f"{writer.fresh('b')} = {place}"


@kind("expressions", 1)
def rebind(writer: Writer) -> Text:
    name = writer.choose(
        p for p in writer.places(is_array) if p.isidentifier() and not writer.is_plain(p)
    )
    return name and f"{name} = {expression(writer, 2)}"


@kind("expressions", 1)
def walrus(writer: Writer) -> Text:
    name = writer.fresh("a")
    return f"{writer.fresh('a')} = ({name} := {expression(writer, 1)}) * {name}"


@kind("views", 6)
def view(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    shape = np.shape(writer.evaluate(place))
    options = [
        f"{place}[{index_into(writer, shape, place)}]", f"{place}.T", f"{place}.reshape(-1)",
        f"{place}.ravel()", f"np.ravel({place})", f"{place}[::-1]", f"{place}[...]", f"{place}[:]",
        f"np.transpose({place})", f"np.reshape({place}, (1, -1))", f"{place}[None]",
        f"np.expand_dims({place}, -1)", f"np.atleast_2d({place})", f"np.squeeze({place})",
        f"{place}.squeeze()", f"np.swapaxes({place}, 0, -1)", f"{place}.swapaxes(0, -1)",
        f"np.moveaxis({place}, 0, -1)", f"{place}.flatten()", f"{place}.real", f"np.real({place})",
        f"np.asarray({place})", f"np.flip({place})", f"np.rot90(np.atleast_2d({place}))",
        f"np.split({place}, 1)[0]", f"np.array_split({place}, 2)[0]",
        f"np.diagonal(np.atleast_2d({place}))",
        f"np.broadcast_to({place}, (2, *{place}.shape))", f"{place}.transpose()",
        f"np.broadcast_to({place}.sum(), ())",
        f"np.fliplr(np.atleast_2d({place}))",
        f"{place}.reshape({place}.shape[::-1])", f"{place}.view()",
        f"{place}.astype(float, order='C', copy=False)",
        f"{place}.astype(float, order='{writer.choose('FA')}', copy=False)", f"{place}.copy('F')",
        f"{place}[::{writer.choose([2, -1])}].astype(float, order='C', copy=False)",
        f"np.ascontiguousarray({place})",
        f"np.broadcast_arrays({place}, 0.5)[0]", f"np.copy({place})", f"{place}[1:][:1]",
    ]  # fmt: skip
    return f"{writer.fresh('v')} = {writer.choose(options)}"


@kind("views", 2)
def unpack(writer: Writer) -> Text:
    place = writer.array(lambda x: has_axes(x) and 1 < len(x) <= 3)
    if place is None:
        return None
    names = [writer.fresh("u") for _ in range(len(writer.evaluate(place)))]
    return f"{', '.join(names)} = {place}"


# Writes in place.


@kind("item writes", 8)
def write_item(writer: Writer) -> Text:
    place = writer.target(has_axes)
    if place is None:
        return None
    index = index_into(writer, np.shape(writer.evaluate(place)), place)
    part = writer.evaluate(f"{place}[{index}]")
    if part is None:
        return None
    sign = writer.choose(["=", "=", "=", "+=", "+=", "-=", "*=", "/=", "**="])
    if sign == "/=":
        return f"{place}[{index}] /= 1.5"
    if sign == "**=":
        return f"{place}[{index}] **= 2"
    return f"{place}[{index}] {sign} {fitting(writer, np.shape(part))}"


@kind("item writes", 2)
def swap_items(writer: Writer) -> Text:
    place = writer.target(lambda x: has_axes(x) and len(x) > 1)
    if place is None:
        return None
    return writer.choose([
        f"{place}[0], {place}[1] = {place}[1], {place}[0]",
        f"{place}[[0, 1]] = {place}[[1, 0]]",
        f"{place}[1:] = {place}[:-1]",
        f"{place}[::-1] = {place}",
        f"{place}[:] = {place}[::-1]",
        f"{place}[1:] += {place}[:-1]",
    ])  # fmt: skip


@kind("augmented assignments", 4)
def augment(writer: Writer) -> Text:
    place = writer.target()
    if place is None:
        return None
    sign = writer.choose(["+=", "-=", "*=", "+=", "/=", "**="])
    if sign == "/=":
        return f"{place} /= 1.25"
    if sign == "**=":
        return f"{place} **= 2"
    return f"{place} {sign} {fitting(writer, np.shape(writer.evaluate(place)))}"


@kind("augmented assignments", 2)
def augment_number(writer: Writer) -> Text:
    """Numbers are rebound, arrays without axes are written."""
    name = writer.choose(
        p
        for p in writer.places(lambda x: is_array(x) and np.ndim(x) == 0)
        if p.isidentifier() and not writer.is_plain(p)
        and (p not in writer.root.arguments or "argument writes" in writer.features)
    )  # fmt: skip
    return name and f"{name} {writer.choose(['+=', '-=', '*='])} {single(writer)}"


@kind("out", 3)
def into_out(writer: Writer) -> Text:
    place = writer.target()
    if place is None:
        return None
    value = fitting(writer, np.shape(writer.evaluate(place)))
    mask = mask_for(writer, place)
    options = [
        f"np.add({place}, {value}, out={place})",
        f"np.multiply({value}, 0.5, {place})",
        f"np.sin({value}, out={place})",
        f"np.tanh({place}, {place})",
        f"{writer.fresh('a')} = np.subtract({place}, {value}, out={place})",
        f"np.cumsum({place}, axis=0, out={place})",
        f"np.clip({place}, -0.9, 0.9, out={place})",
        f"np.maximum({place}, 0.1, out={place})",
        f"np.negative({place}, out=({place},))",
        f"np.sum(np.stack([{place}, {place}]), axis=0, out={place})",
        f"np.matmul(np.eye({place}.shape[0]), {place} * 1.5, out={place})",
    ]
    if mask:
        options += [f"np.add({place}, {value}, out={place}, where={mask})"] * 4
        # What a mask leaves out may be where a function has no value.
        inside = f"({mask}) & ({place} > 0.0517)"
        options += [f"np.log({place}, out={place}, where={inside})"] * 2
        options += [f"np.divide({value}, {place}, out={place}, where={inside})"] * 2
    return str(writer.choose(options))


@kind("write functions", 4)
def write_by_function(writer: Writer) -> Text:
    place = writer.target(has_axes)
    if place is None:
        return None
    shape = np.shape(writer.evaluate(place))
    value, number = fitting(writer, shape), single(writer)
    last = shape[-1] - 1
    options = [
        f"np.copyto({place}, {value})", f"np.put({place}, [0], {number})",
        f"{place}.fill({number})",
        f"np.put({place}, [0, 0], np.array([0.5, 0.25]))", f"{place}.sort()",
        f"{place}.sort(axis=0)",
        f"np.add.at({place}, 0, {number})", f"np.add.at({place}, [0, 0], 0.3)",
        f"np.multiply.at({place}, [0, -1, 0], {number})", f"np.maximum.at({place}, [0, 0], 0.03)",
        f"np.put_along_axis({place}, np.argmax({place}, -1, keepdims=True), {number}, axis=-1)",
        f"np.multiply.at({place}, [{shape[0] - 1}], {number})", f"{place}.put([0], {number})",
        f"np.subtract.at({place}, ({shape[0] - 1}, ...), {number})", f"{place}.itemset(0, 0.5)",
        f"{place}.flat[0] = {number}", f"{place}.flat[{last}:] = 0.25",
        f"{place}.partition({last})",
        f"operator.setitem({place}, 0, {number})", f"operator.iadd({place}, {value})",
        f"{place}.__setitem__(0, {number})", f"{place}.resize({shape})", f"{place}.shape = (-1,)",
    ]  # fmt: skip
    if len(shape) == 2:
        options += [f"np.fill_diagonal({place}, {number})"] * 3
    mask = mask_for(writer, place)
    if mask:
        options += [
            f"np.putmask({place}, {mask}, {value})",
            f"np.place({place}, {mask}, np.ravel({number}))",
            f"np.copyto({place}, {value}, where={mask})",
        ] * 2  # fmt: skip
    return str(writer.choose(options))


@kind("item writes", 1)
def delete_name(writer: Writer) -> Text:
    """Nobody else can see the array any more, perhaps."""
    names = [p for p in writer.places(is_array) if p.isidentifier() and p[0] in "abv"]
    return f"del {writer.choose(names)}" if len(names) > 2 else None


# Buffers.


@kind("buffers", 6)
def allocate(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    shape = np.shape(writer.evaluate(place))
    n = writer.random.randint(1, 4)
    options = [
        f"np.zeros_like({place})", f"np.zeros_like({place})", f"np.ones_like({place})",
        f"np.full_like({place}, 0.5)", f"np.zeros({n}, like={place})",
        f"np.ones(({n}, 2), like={place})",
        f"np.zeros({place}.shape, like={place})", f"np.full({n}, 0.3, like={place})",
        f"{place}.copy()", f"np.array({place})", f"0 * {place}",
        f"np.zeros_like({place}, shape=({n},))",
        f"np.array([0.1, 0.2], like={place})", f"np.full_like({place}, {single(writer)})",
        f"np.full({n}, {single(writer)}, like={place})", f"np.eye({n}, like={place})",
        f"np.arange({n}.0, like={place})", f"np.zeros({shape}, dtype=float, like={place})",
    ]  # fmt: skip
    name = writer.fresh("z")
    if writer.chance(0.2):
        return f"{name} = np.empty_like({place})\n{name}[...] = {fitting(writer, shape)}"
    return f"{name} = {writer.choose(options)}"


# Copies.


@kind("copies", 3)
def copy_array(writer: Writer) -> Text:
    place = writer.array()
    if place is None:
        return None
    options = [
        f"copy.copy({place})", f"copy.deepcopy({place})", f"np.copy({place})",
        f"copy.deepcopy([{place}, {place}])", f"copy.copy([{place}])",
        f"pickle.loads(pickle.dumps({place}))",
        f"copy.deepcopy({{'p': {place}}})", f"np.array({place}, copy=True)",
        f"copy.deepcopy(({place}, 1))",
    ]  # fmt: skip
    return f"{writer.fresh('a')} = {writer.choose(options)}"


@kind("copies", 2)
def copy_container(writer: Writer) -> Text:
    def is_container(x: Any) -> bool:
        return isinstance(x, (list, dict, tuple)) or hasattr(x, "__dataclass_fields__")

    name = writer.choose(
        p
        for p in writer.places(is_container)
        if p.isidentifier() and p[0] != "_" and p[0].islower()
    )
    if name is None:
        return None
    how = ["copy.copy", "copy.deepcopy"]
    if hasattr(writer.evaluate(name), "__dataclass_fields__"):
        how += ["dataclasses.replace", "dataclasses.asdict", "dataclasses.astuple"]
    return f"{writer.fresh('q')} = {writer.choose(how)}({name})"


# Numbers that leave the graph.


@kind("numbers that leave", 3)
def leave(writer: Writer) -> Text:
    number = single(writer)
    options = [
        f"math.sin({number})", f"math.exp(math.sin({number}))", f"math.hypot({number}, 1.0)",
        f"math.sqrt(2 + math.cos({number}))", f"float({number})", f"np.float64({number})",
        f"math.fsum([{number}, 0.5])", f"round({number} * 1e3)", f"{number} * float({number})",
        f"math.tanh({number})", f"np.array(float({number}))",
        f"math.pow(2 + math.sin({number}), 1.5)", f"math.atan2({number}, 3)",
        f"abs(complex({number}))",
        f"np.sum([0.5], initial={number})", f"np.array([{number}, 1.0])",
        f"np.fromiter([{number}], float)",
        f"np.array([[{number}]], float)",
        f"np.sum(np.asarray([{number}, {number}]))", f"np.linspace(0, {number}, 3)",
        f"np.arange(3) * {number}", f"np.full(2, {number})", f"np.mean([{number}, 0.5])",
    ]  # fmt: skip
    return f"{writer.fresh('n')} = {writer.choose(options)}"


@kind("plain arrays", 1)
def into_plain_array(writer: Writer) -> Text:
    name = writer.fresh("z")
    lines = [f"{name} = np.zeros(2)", f"{name}[0] = {single(writer)}"]
    if writer.chance(0.5):
        lines[1] = f"{name}[:] = {fitting(writer, (2,))}"
    return "\n".join(lines)


# Integers and masks.


@kind("integers", 3)
def integers(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    n = np.shape(writer.evaluate(place))[0]
    options = [
        f"int(np.argmax({place}))", f"np.argmin({place})", f"np.argsort({place}, axis=0)",
        f"len({place}) - 1", f"{place}.shape[0] - 1", f"np.floor({place} * 3).astype(int) % {n}",
        f"np.flatnonzero({place} > {writer.threshold(place)})", f"np.arange(len({place}))",
        f"int(np.sum({place} > {writer.threshold(place)})) % {n}", f"{place}.argmax()",
        f"np.round({place} * 2).astype(int) % {n}", f"np.arange({n})[::-1].copy()",
        f"np.searchsorted(np.array([-0.8, 0.03, 0.8]), np.ravel({place})) % {n}",
        f"int({place}.flat[0] > 0.02)", f"np.sign({place}).astype(int) % {n}",
        "np.bincount(np.array([0, 0])).size - 1",
        f"np.count_nonzero({place} > {writer.threshold(place)}) % {n}",
    ]  # fmt: skip
    return f"{writer.fresh('i')} = {writer.choose(options)}"


@kind("integers", 2)
def mask(writer: Writer) -> Text:
    place = writer.array(has_axes)
    found = place and mask_for(writer, place)
    if not found:
        return None
    how = writer.choose(["{}", "{}", "~({})", "np.logical_not({})"])
    return f"{writer.fresh('m')} = {how.format(found)}"


@kind("integers", 3)
def use_integers(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    n = len(writer.evaluate(place))
    numbers = writer.choose(whole_numbers(writer, n))
    if numbers is None:
        return None
    table = writer.constant(writer.random_array((n,)))
    options = [
        f"{place}[{numbers}]", f"{table}[{numbers}]", f"np.take({place}, {numbers}, axis=0)",
        f"{table}[np.asarray({numbers})] * {place}[0]", f"{numbers} * {place}",
        f"np.eye({n})[{numbers}] * {single(writer)}",
        f"np.where(np.arange({n}) == {numbers}, {place}.T, 0.0)",
        f"np.roll({place}, np.max({numbers}), axis=0)", f"{place} * range({place}.shape[-1])",
        f"np.sum([0.5] * np.max({numbers}) + [0.1]) * {place}",
        f"np.partition({place}, np.max({numbers}), axis=0)",
    ]  # fmt: skip
    text = f"{writer.fresh('a')} = {writer.choose(options)}"
    if writer.chance(0.2):
        counts = writer.fresh("k")
        text = f"{counts} = {table} * 1\n{counts} += np.max({numbers})\n{text} * {counts}[0]"
    return text


# Plain arrays: made, used, and changed afterwards.


@kind("constants", 2)
def use_constant(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    shape = np.shape(writer.evaluate(place))
    how = writer.random.randint(0, 4)
    name = writer.fresh("a")
    if how == 0:
        rows = np.array([writer.random.randrange(shape[0]) for _ in range(3)])
        return f"{name} = {place}[{writer.constant(rows, 'I')}]"
    if how == 1:
        chosen = np.array([writer.chance(0.6) for _ in range(int(np.prod(shape)))]).reshape(shape)
        return f"{name} = np.where({writer.constant(chosen, 'M')}, {place}, 0.5)"
    if how == 2:
        matrix = writer.constant(writer.random_array((2, shape[0])))
        return f"{name} = {matrix} @ {place}" if len(shape) < 3 else None
    if how == 3:
        plain = writer.fresh("k")
        return f"{plain} = np.linspace(0.1, 1, {shape[-1]})\n{name} = {plain} * {place}"
    return f"{name} = {place} * {writer.constant(writer.random_array(shape))}"


@kind("constant changes", 5)
def change_constant(writer: Writer) -> Text:
    def changes(x: Any) -> bool:
        return isinstance(x, np.ndarray) and has_axes(x) and x.flags.writeable

    name = writer.choose(
        p for p in writer.places(changes) if writer.is_plain(p) and p.isidentifier()
    )
    if name is None:
        return None
    dtype = writer.evaluate(name).dtype
    if dtype.kind == "b":
        return str(
            writer.choose([f"{name}[:] = ~{name}", f"{name}[0] = False", f"{name}.fill(True)"])
        )
    if dtype.kind == "i":
        return str(
            writer.choose(
                [f"{name}[:] = {name}[::-1]", f"{name}[0] = 0", f"{name}.fill(0)", f"{name}.sort()"]
            )
        )
    return str(writer.choose([
        f"{name}[:] = {writer.number()}", f"{name} *= 0.5", f"{name}[0] += {writer.number()}",
        f"{name}.fill({writer.number()})", f"np.copyto({name}, 0.25)", f"{name}.sort()",
        f"np.add({name}, 0.5, out={name})", f"{name}[...] = {name}[::-1].copy()",
    ]))  # fmt: skip


@kind("constant changes", 3)
def refill_in_loop(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    shape = np.shape(writer.evaluate(place))
    total, plain, i = writer.fresh("t"), writer.fresh("k"), writer.fresh("i")
    how = writer.choose(["product", "index", "mask", "one-hot", "matrix"])
    if how == "index":
        setup, fill, use = "np.array([0])", f"{plain}[0] = {i} % {shape[0]}", f"{place}[{plain}]"
    elif how == "mask":
        setup, fill = f"np.zeros({shape}, bool)", f"{plain}.flat[{i} % {np.prod(shape)}] = True"
        use = f"np.where({plain}, {place}, 0.5)"
    elif how == "one-hot":
        setup, use = f"np.zeros({shape[-1]})", f"{place} * {plain}"
        fill = f"{plain}[:] = 0\n    {plain}[{i} % {shape[-1]}] = 1"
    elif how == "matrix" and len(shape) == 1:
        setup, fill, use = (
            f"np.zeros((2, {shape[0]}))",
            f"{plain}[{i} % 2] = 0.3 * {i}",
            f"{plain} @ {place}",
        )
    else:
        setup, fill, use = f"np.zeros({shape})", f"{plain}[:] = {i} * 0.4", f"{plain} * {place}"
    return (
        f"{plain} = {setup}\n{total} = 0.0\nfor {i} in range(1, {writer.random.randint(3, 4)}):\n"
        f"    {fill}\n    {total} = {total} + np.sum({use})"
    )


# Complex numbers on the way.


@kind("complex", 3)
def through_complex(writer: Writer) -> Text:
    place = writer.array()
    if place is None:
        return None
    name, result = writer.fresh("c"), writer.fresh("a")
    make = writer.choose([
        f"{place} + 0.5j * {place}", f"np.exp(1j * {place})", f"{place} * (1 + 2j)",
        f"np.fft.fft(np.ravel({place}))",
        f"{place}.astype(complex)" if "." in place else f"{place} + 0j",
    ])  # fmt: skip
    use = writer.choose([
        f"np.abs({name}) ** 2", f"{name}.real * {name}.imag", f"np.real({name} * np.conj({name}))",
        f"np.imag({name} ** 2)", f"np.real(np.fft.ifft(np.ravel({name})))", f"np.angle({name} + 3)",
    ])  # fmt: skip
    return f"{name} = {make}\n{result} = {use}"


@kind("complex writes", 2)
def write_complex(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    name, result = writer.fresh("c"), writer.fresh("a")
    write = writer.choose([
        f"{name}[0] = 1j * {single(writer)}", f"{name}.real[...] = {single(writer)}",
        f"{name}.imag[0] = {single(writer)}", f"{name}.imag = {place}",
        f"{name}[:] = np.conj({name})",
        f"np.multiply({name}, 1j, out={name})", f"{name}.real = 0.5", f"{name} *= 1j",
    ])  # fmt: skip
    use = f"np.real({name}) + 2 * np.imag({name})"
    return f"{name} = {place} * (1 + 0.5j)\n{write}\n{result} = {use}"


# Ways through the elements.


@kind("iterators", 3)
def iterate(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    total, i, b = writer.fresh("t"), writer.fresh("i"), writer.fresh("b")
    return writer.choose([
        f"{total} = 0.0\nfor {i}, {b} in np.ndenumerate({place}):\n"
        f"    {total} = {total} + np.sin({b})",
        f"{total} = 0.0\nfor {i} in np.ndindex({place}.shape):\n"
        f"    {total} = {total} + {place}[{i}] ** 2",
        f"{total} = sum(np.nditer({place}))",
        f"{total} = np.vectorize(lambda {b}: {b} ** 2)({place})",
        f"{total} = np.apply_along_axis(np.sum, 0, {place})",
        f"{total} = sum({place}.ravel().tolist())",
        f"{total} = np.fromiter({place}.flat, float)", f"{total} = np.array([*{place}])",
        f"{total} = sum(map(float, {place}.ravel()))", f"{total} = np.array(list({place}))",
        f"{total} = np.apply_over_axes(np.sum, {place}, [0])",
        f"{total} = np.frompyfunc(np.sin, 1, 1)({place}) * 1.0",
    ])  # fmt: skip


@kind("more views", 3)
def unusual_view(writer: Writer) -> Text:
    place = writer.array(has_axes)
    if place is None:
        return None
    square = f"np.outer({place}, {place})"
    options = [
        f"np.einsum('...->...', {place})", f"np.require({place})", f"np.asanyarray({place})",
        f"np.lib.stride_tricks.sliding_window_view({place}, 1, axis=0)",
        f"np.hsplit({place}, 1)[0]",
        f"np.atleast_1d({place})", f"np.atleast_3d({place})", f"{place}.diagonal()",
        f"np.array({place}, copy=None)",
        f"np.asarray({place}, order='F')", f"np.ravel({place}, order='F')",
        f"np.ravel({place}, order='K')",
        f"np.ravel({place}, order='A')", f"np.reshape({place}, -1, order='F')",
        f"{place}.ravel('K')",
        f"np.reshape({place}, (-1, 1), order='A')", f"np.astype({place}, float, copy=False)",
        f"{place}.astype(float, copy=False)", f"np.matrix_transpose(np.atleast_2d({place}))",
        f"np.nan_to_num({place}, copy=False)", f"np.median({place} * 1.0, overwrite_input=True)",
        f"np.quantile({place} * 1.0, 0.4, overwrite_input=True)", f"np.rollaxis({place}, 0)",
        f"{place}.T.ravel()",
        f"np.permute_dims({place})", f"{place}[()]", f"np.vsplit(np.atleast_2d({place}), 1)[0]",
        f"np.broadcast_arrays({place}, {place})[1]", f"np.asfortranarray({place})",
        f"{place}.T.reshape(-1)",
        f"np.einsum('ii->i', {square})" if has_one_axis(writer, place) else f"{place}.mT",
    ]  # fmt: skip
    return f"{writer.fresh('v')} = {writer.choose(options)}"


def has_one_axis(writer: Writer, place: str) -> bool:
    return bool(np.ndim(writer.evaluate(place)) == 1)


@kind("write functions", 1)
def write_by_other_code(writer: Writer) -> Text:
    """Functions that write into memory, of which few know NumPy's protocols."""
    place = writer.target(has_axes)
    if place is None:
        return None
    return writer.choose([
        f"np.random.default_rng(0).shuffle({place})", f"np.add.accumulate({place}, out={place})",
        f"np.add.reduce(np.stack([{place}, {place}]), out={place})",
        f"np.take({place}, [0], axis=0, out={place}[:1])",
        f"np.random.default_rng(0).permuted({place}, out={place})",
        f"np.modf({place}, {place}, {place} * 0)",
        f"np.divmod({place}, 0.7, out=({place} * 0, {place}))",
        f"np.mean({place}, axis=0, out={place}[0, ...])",
        f"np.dot(np.eye(len({place})), {place} * 1.0, out={place})",
        f"np.concatenate([{place} * 2], out={place})",
        f"np.stack([{place}[0] * 1.0] * len({place}), out={place})",
        f"np.einsum('...->...', {place}, out={place})",
        f"np.round({place} * 1e3, out={place})", f"np.where({place} > 9, 0.0, {place})[...]",
        f"np.sqrt({place} ** 2 + 1, out={place})",
    ])  # fmt: skip
