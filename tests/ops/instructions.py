"""Instructions of random programs: calls of registered functions that keep numbers moderate.

Each takes operands of the shapes it can handle and returns one array.  What
could grow is tamed by a bounded function around it, and what has kinks or poles
is kept away from them, so that any program of them is smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Instruction:
    """One step: how many operands, of which shapes, and what is done to them."""

    name: str
    operands: int
    applies: Callable[..., bool]
    call: Callable[..., Any]


def anything(*shapes: Shape) -> bool:
    return True


def vector_at_least(length: int) -> Callable[[Shape], bool]:
    return lambda shape: len(shape) >= 1 and shape[-1] >= length


def matrix(shape: Shape) -> bool:
    return len(shape) >= 2


def broadcast(a: Shape, b: Shape) -> bool:
    try:
        return len(np.broadcast_shapes(a, b)) <= 3
    except ValueError:
        return False


def multiply(a: Shape, b: Shape) -> bool:
    return len(a) == len(b) == 2 and a[1] == b[0]


def same(a: Shape, b: Shape) -> bool:
    return a == b and len(a) >= 1


def small(a: Shape, b: Shape) -> bool:
    return int(np.prod(a)) * int(np.prod(b)) <= 36 and len(a) + len(b) <= 3


def tamed(x: Any) -> Any:
    """A smooth function into (-2, 2) with slopes of at most 1."""
    return 2 * np.tanh(x / 2)


def gram(x: Any) -> Any:
    """A well-conditioned positive definite matrix of the columns' size."""
    columns = np.shape(x)[-1]
    bounded = np.tanh(x)
    return np.eye(columns) * 2 + np.swapaxes(bounded, -1, -2) @ bounded / 4


def spread(x: Any) -> Any:
    """Elements in ascending order along the last axis, at least 1 apart."""
    return np.tanh(x) / 4 + 1.5 * np.arange(np.shape(x)[-1])


def separate(x: Any) -> Any:
    """A symmetric matrix whose eigenvalues are far apart."""
    columns = np.shape(x)[-1]
    bounded = np.tanh(x)
    return np.diag(3.0 * np.arange(columns)) + np.swapaxes(bounded, -1, -2) @ bounded / 9


def with_first_replaced(x: Any) -> Any:
    if hasattr(x, "at"):
        return x.at[..., 0].set(0.5)
    replaced = np.array(x)
    replaced[..., 0] = 0.5
    return replaced


def one(name: str, call: Callable[[Any], Any], applies: Callable[..., bool] = anything) -> Any:
    return Instruction(name, 1, applies, call)


def two(name: str, call: Callable[[Any, Any], Any], applies: Callable[..., bool]) -> Any:
    return Instruction(name, 2, applies, call)


INSTRUCTIONS: list[Instruction] = [
    *[one(f.__name__, f) for f in (np.sin, np.cos, np.tanh, np.arctan, np.arcsinh, np.sinc)],
    one("exp", lambda x: np.exp(-x * x)),
    one("expm1", lambda x: np.expm1(-np.square(x))),
    one("log1p", lambda x: np.log1p(x * x)),
    one("sqrt", lambda x: np.sqrt(1 + x * x) - 1),
    one("cbrt", lambda x: np.cbrt(1 + x * x)),
    one("reciprocal", lambda x: np.reciprocal(1 + x * x)),
    one("logaddexp", lambda x: np.logaddexp(0.0, x) - 0.7),
    one("power", lambda x: tamed(x**3)),
    one("power of exponent", lambda x: 1.5 ** np.sin(x)),
    one("arctan2", lambda x: np.arctan2(x, 1 + x * x)),
    one("arcsin", lambda x: np.arcsin(np.tanh(x) / 2)),
    one("arctanh", lambda x: np.arctanh(np.sin(x) / 2)),
    one("arccosh", lambda x: np.arccosh(2 + np.cos(x))),
    one("i0", lambda x: tamed(np.i0(x))),
    one("negative", lambda x: -x),
    one("divide", lambda x: x / (2 + np.cos(x))),
    one("where", lambda x: np.where(np.arange(np.size(x)).reshape(np.shape(x)) % 2, x, np.sin(x))),
    one("clip", lambda x: np.clip(np.tanh(x), -2, 2)),
    one("masked log", lambda x: np.where(x > -9, np.log(2 + np.tanh(x)), 0)),
    one("sum", lambda x: tamed(np.sum(x))),
    one("mean", lambda x: np.mean(x, axis=-1, keepdims=True), vector_at_least(1)),
    one("prod", lambda x: tamed(np.prod(np.tanh(x), axis=0)), vector_at_least(1)),
    one("var", lambda x: tamed(np.var(x, axis=0)), vector_at_least(2)),
    one("std", lambda x: tamed(np.std(spread(x), axis=-1)), vector_at_least(3)),
    one("max", lambda x: np.max(spread(x), axis=-1) - 3, vector_at_least(2)),
    one("sort", lambda x: np.sort(-spread(x), axis=-1) / 4, vector_at_least(2)),
    one("median", lambda x: np.median(spread(x), axis=-1) - 2, vector_at_least(3)),
    one("quantile", lambda x: np.quantile(spread(x), 0.3, axis=-1) - 1, vector_at_least(3)),
    one("partition", lambda x: np.partition(spread(x), 1)[..., :2] / 3, vector_at_least(3)),
    one("norm", lambda x: tamed(np.linalg.norm(spread(x), axis=-1) / 2), vector_at_least(3)),
    one("ptp", lambda x: np.ptp(spread(x), axis=-1) - 2, vector_at_least(3)),
    one("cumsum", lambda x: tamed(np.cumsum(x, axis=0)), vector_at_least(1)),
    one("cumprod", lambda x: np.cumprod(np.sin(x), axis=-1), vector_at_least(1)),
    one("running maximum", lambda x: np.maximum.accumulate(spread(x), -1) / 4, vector_at_least(2)),
    one("diff", lambda x: np.diff(x, axis=-1) / 2, vector_at_least(2)),
    one("gradient", lambda x: np.gradient(x, axis=-1) / 2, vector_at_least(3)),
    one("trapezoid", lambda x: tamed(np.trapezoid(x, axis=-1)), vector_at_least(2)),
    one("ravel", np.ravel),
    one("transpose", np.transpose),
    one("reshape", lambda x: np.reshape(x, (-1, 1)), vector_at_least(1)),
    one("squeeze", np.squeeze),
    one("expand_dims", lambda x: np.expand_dims(x, 0), lambda shape: len(shape) < 3),
    one("flip", np.flip),
    one("roll", lambda x: np.roll(x, 2)),
    one("rot90", np.rot90, matrix),
    one("tril", np.tril, matrix),
    one("diagonal", lambda x: np.diagonal(x, axis1=-2, axis2=-1), matrix),
    one("diagflat", np.diagflat, lambda shape: int(np.prod(shape)) <= 4),
    one("pad", lambda x: np.pad(x, 1, "reflect"), lambda s: s and min(s) > 1 and np.prod(s) < 10),
    one("repeat", lambda x: np.repeat(x, 2, axis=-1), lambda s: len(s) > 0 and np.prod(s) <= 12),
    one("tile", lambda x: np.tile(x, 2), lambda shape: int(np.prod(shape)) <= 12),
    one("take", lambda x: np.take(x, [0, -1, 0])),
    one("getitem", lambda x: x[..., ::-2], vector_at_least(1)),
    one("boolean index", lambda x: x[np.arange(np.shape(x)[0]) % 2 == 0], vector_at_least(1)),
    one("at.set", lambda x: with_first_replaced(x), vector_at_least(1)),
    one("split", lambda x: np.split(x, [1], axis=-1)[1], vector_at_least(2)),
    one("einsum", lambda x: tamed(np.einsum("...i,...i->...", x, x)), vector_at_least(1)),
    one("fft", lambda x: np.abs(3 + np.fft.fft(np.tanh(x)) / 9) - 3, vector_at_least(1)),
    one("rfft", lambda x: tamed(np.real(np.fft.irfft(np.fft.rfft(x) * 1j))), vector_at_least(2)),
    one("inv", lambda x: np.linalg.inv(gram(x)), matrix),
    one("det", lambda x: tamed(np.linalg.det(gram(x)) / 9), matrix),
    one("slogdet", lambda x: np.linalg.slogdet(gram(x))[1] / 2, matrix),
    one("cholesky", lambda x: np.linalg.cholesky(gram(x)), matrix),
    one("eigh", lambda x: np.linalg.eigvalsh(separate(x)) / 4, matrix),
    one("svd", lambda x: np.sum(np.linalg.svd(gram(x))[1], axis=-1) / 6, matrix),
    one("qr", lambda x: np.linalg.qr(gram(x)).R / 3, matrix),
    one("pinv", lambda x: np.linalg.pinv(gram(x)), matrix),
    one("convolve", lambda x: np.convolve(np.ravel(x), [0.5, -0.3]), vector_at_least(1)),
    two("add", lambda x, y: (x + y) / 2, broadcast),
    two("subtract", lambda x, y: (x - y) / 2, broadcast),
    two("multiply", lambda x, y: tamed(x * y), broadcast),
    two("quotient", lambda x, y: x / (1 + y * y), broadcast),
    two("hypot", lambda x, y: np.hypot(1 + x * x, y) / 2, broadcast),
    two("logaddexp of two", lambda x, y: np.logaddexp(x, y) / 2, broadcast),
    two("matmul", lambda x, y: tamed(x @ y), multiply),
    two("dot", lambda x, y: tamed(np.dot(x, y)), multiply),
    two("outer", lambda x, y: tamed(np.outer(x, y)), small),
    two("kron", lambda x, y: tamed(np.kron(x, y)), small),
    two("tensordot", lambda x, y: tamed(np.tensordot(x, y, axes=0)), small),
    two("concatenate", lambda x, y: np.concatenate([x, y], axis=-1), same),
    two("stack", lambda x, y: np.stack([x, y]), lambda a, b: a == b and len(a) < 3),
    two("vecdot", lambda x, y: tamed(np.vecdot(x, y)), same),
    two("average", lambda x, y: np.average(x, weights=1 + y * y), same),
    two(
        "solve",
        lambda x, y: np.linalg.solve(gram(x), np.swapaxes(y, -1, -2)),
        lambda a, b: len(a) == 2 and a == b,
    ),
    one("interp", lambda x: np.interp(np.tanh(x) / 3, [-1.0, 1.0], [-1.0, 2.0])),
]
