"""Expressions that programs are made of; each is smooth where it is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.programs.writing import LARGEST_SIZE, Writer, is_array

__all__ = ["expression", "fitting", "index_into", "mask_for", "single", "whole_numbers"]

UNARY = [
    "np.sin({})", "np.cos({})", "np.tanh({})", "-{}", "{} ** 2", "np.exp(np.sin({}))",
    "np.log(2 + np.cos({}))", "np.sqrt(1 + {} ** 2)", "1 / (2 + np.sin({}))", "np.arctan({})",
    "0.5 * {}", "{} - 0.3", "np.abs({})", "np.square({})", "abs({})", "+{}",
    "np.negative({})", "np.positive({})", "np.maximum({}, 0.11)", "np.clip({}, -0.93, 0.87)",
    "np.logaddexp({}, 0.2)", "np.expm1(0.3 * {})", "np.nan_to_num({})",
]  # fmt: skip
OF_ARRAYS = [
    "{}.sum()", "{}.mean()", "np.cumsum({})", "np.sum({}, axis=0)", "np.mean({}, axis=-1)",
    "np.max({})", "{}.min()", "np.prod(np.tanh({}))", "np.sum({}, axis=-1, keepdims=True)",
    "np.sort({}, axis=-1)", "np.flip({})", "np.roll({}, 1)", "np.std({} + 0.01)",
    "np.diff({})", "np.concatenate([{0}, {0}])", "np.stack([{0}, {0} * 2])", "np.repeat({}, 2)",
    "np.linalg.norm({})", "np.where({0} > 0.07, {0}, 0.5 * {0})", "np.tile({}, 2)",
    "np.outer({0}, {0})", "np.vdot({0}, {0})", "np.median({})", "np.ptp({})", "np.var({})",
    "np.take({}, [0])", "np.broadcast_to({0}, (2,) + {0}.shape)", "np.pad({}, 1)",
]  # fmt: skip
OF_VECTORS = ["{0} @ {0}", "np.diag({})", "np.dot({0}, {0})", "np.convolve({0}, {0})",
              "np.interp(0.3, np.linspace(0, 1, {0}.size), {0})", "np.einsum('i,i->i', {0}, {0})",
              "sum({})", "max({})", "np.trapezoid({})", "np.polyval({}, 0.5)"]  # fmt: skip
OF_MATRICES = ["{0} @ {0}.T", "np.trace({})", "np.einsum('ij->j', {})",
               "np.linalg.norm({}, axis=0)",
               "np.tril({})", "np.matmul({0}.T, {0})", "np.tensordot({0}, {0})",
               "np.linalg.inv({0} @ {0}.T + np.eye({0}.shape[0]))",
               "np.cumsum({}, axis=1)"]  # fmt: skip
BINARY = [
    "{} + {}", "{} - {}", "{} * {}", "{} / (2 + np.cos({}))", "np.arctan2({}, 3 + np.sin({}))",
    "np.maximum({}, {})", "np.hypot({}, 1 + {} ** 2)", "np.add({}, {})", "np.multiply({}, {})",
    "np.where({0} > 0.03, {0}, {1})", "np.logaddexp({}, {})", "np.subtract({}, {})",
]  # fmt: skip


def leaf(writer: Writer) -> str:
    """A variable mostly; now and then a plain array or a literal."""
    if writer.chance(0.12):
        plain = writer.choose(p for p in writer.places(is_array) if writer.is_plain(p))
        return str(plain or writer.constant(writer.random_array(writer.choose([(), (2,), (3,)]))))
    return str(writer.array() or writer.number())


def expression(writer: Writer, depth: int = 2) -> str:
    """An expression of floats."""
    text = leaf(writer)
    for _ in range(writer.random.randint(0, depth)):
        wider = one_more(writer, text)
        value = writer.evaluate(wider)
        if is_array(value) and 0 < np.size(value) <= LARGEST_SIZE:
            text = wider
    return text


def one_more(writer: Writer, text: str) -> str:
    """An expression with one more operation."""
    inner = (
        text
        if text.isidentifier() or (text[-1] in ")]" and text[0] not in "-+0123456789")
        else f"({text})"
    )
    if " " in text and not text.endswith(")"):
        inner = f"({text})"
    value = writer.evaluate(text)
    if writer.chance(0.35):
        others = [p for p in writer.places(is_array) if broadcast(writer.evaluate(p), value)]
        if others:
            return str(writer.choose(BINARY)).format(inner, writer.choose(others))
    templates = UNARY
    if isinstance(value, np.ndarray) and value.ndim and writer.chance(0.6):
        templates = OF_ARRAYS
        if value.ndim < 3 and writer.chance(0.4):
            templates = OF_VECTORS if value.ndim == 1 else OF_MATRICES
    return str(writer.choose(templates)).format(inner)


def broadcast(x: Any, y: Any) -> bool:
    try:
        return int(np.prod(np.broadcast_shapes(np.shape(x), np.shape(y)))) <= LARGEST_SIZE
    except ValueError:
        return False


def single(writer: Writer) -> str:
    """An expression for one number."""
    scalars = [
        p
        for p in writer.places(lambda x: is_array(x) and np.ndim(x) == 0)
        if not writer.is_plain(p)
    ]
    vector = writer.array(lambda x: np.ndim(x) == 1)
    how = writer.random.randint(0, 3)
    if how == 0 and scalars:
        return str(writer.choose(scalars))
    if how == 1 and vector:
        return f"{vector}[{writer.random.randrange(len(writer.evaluate(vector)))}]"
    if how == 2 and vector:
        return f"{vector}[-1] * {writer.number()}"
    return f"np.{writer.choose(['sum', 'mean'])}({expression(writer, 1)})"


def fitting(writer: Writer, shape: tuple[int, ...], plain: bool = False) -> str:
    """An expression that can be written into an array of this shape."""
    if plain:
        return writer.number()

    def fits(x: Any) -> bool:
        try:
            return np.broadcast_shapes(np.shape(x), shape) == shape
        except ValueError:
            return False

    for _ in range(3):
        text = expression(writer, 2)
        if fits(writer.evaluate(text)) and writer.chance(0.8):
            return text
    array = writer.array(fits)
    if array and writer.chance(0.7):
        return str(writer.choose(["{}", "{} * 0.5", "np.sin({})", "{} + 0.4", "-{}"])).format(array)
    if writer.chance(0.5):
        return single(writer)
    return writer.number() if writer.chance(0.5) else writer.constant(writer.random_array(shape))


def index_into(writer: Writer, shape: tuple[int, ...], place: str) -> str:
    """An index into an array that has an axis: integers, slices, masks, index arrays, …"""
    n = shape[0]
    low = writer.random.randrange(n)
    options = [
        str(low), str(low - n), f"{low}:", f":{low + 1}", "::2", "::-1", ":", "...",
        f"[{low}, {writer.random.randrange(n)}]", f"[{low}, {low}, 0]", f"None, {low}",
        f"np.array([{low}])", f"slice({low}, None)",
    ]  # fmt: skip
    if n > 1:
        options += ["1:", ":-1", "-2:", "[0, -1]", "[1, 0]"]
    if len(shape) > 1:
        last = writer.random.randrange(shape[-1])
        options += [f":, {last}", f"..., {last}", f"{low}, {last}", f"{low}, :",
                    f":, [{last}, {last}]",
                    f":, {last}:", f"[{low}], [{last}]", f"({low}, ..., {last})",
                    "::-1, ::-1"]  # fmt: skip
    found = whole_numbers(writer, n)
    options += found * 3
    mask = mask_for(writer, place)
    if mask:
        options += [mask] * 3
    return str(writer.choose(options))


def whole_numbers(writer: Writer, n: int) -> list[str]:
    """Places that hold integers which are indices along an axis of this length."""

    def fits(x: Any) -> bool:
        if isinstance(x, (int, np.integer)) and not isinstance(x, bool):
            return -n <= x < n
        is_index = isinstance(x, np.ndarray) and x.dtype.kind == "i" and x.ndim <= 1 and x.size > 0
        return is_index and bool(np.all((-n <= x) & (x < n)))

    return writer.places(fits)


def mask_for(writer: Writer, place: str) -> str | None:
    """A boolean array of the shape of an array, which small changes do not change."""
    value = writer.evaluate(place)
    masks = writer.places(
        lambda x: isinstance(x, np.ndarray) and x.dtype == bool and x.shape == np.shape(value)
    )
    if masks and writer.chance(0.5):
        return str(writer.choose(masks))
    threshold = writer.threshold(place)
    if threshold is None:
        return None
    return f"{place} {writer.choose(['>', '<', '>='])} {threshold}"
