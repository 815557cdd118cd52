"""Whether outputs are probabilities or logits, by the operations that they were computed with.

A single output decides by the side of 0 where it is a logit, and by that of one half where
it is a probability.  It is taken as the latter if what computes it can give nothing but
numbers from 0 to 1: whatever the parameters and the input are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from math import inf, isnan, nan, pi
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from nn.losses import losses
from nn.losses.labels import plain
from nn.losses.reduction import with_options
from nn.metrics import metrics as known_metrics
from nn.training.outputs import LossOfOutputs, OfOutput, name_of, part_of

__all__ = ["tell_probabilities"]

Bounds = tuple[float, float]
"""The smallest and the largest number that there may be; NaN if nothing is known of them."""

ANY, UNKNOWN = (-inf, inf), (nan, nan)

RANGES: dict[str, Bounds] = {
    **dict.fromkeys(("expit", "heaviside", "normal_probability", "sigmoid", "softmax"), (0, 1)),
    **dict.fromkeys(("cos", "erf", "sign", "sin", "tanh"), (-1, 1)),
    **dict.fromkeys(("cosh", "norm", "sqrt"), (0, inf)),
    **dict.fromkeys(("log_expit", "log_softmax"), (-inf, 0)),
    "arctan": (-pi / 2, pi / 2),
    "erfc": (0, 2),
}
"""Of operations whose operands may be any numbers."""

PRODUCTS = {"dot", "einsum", "inner", "matmul", "sum", "tensordot"}
"""Sums of many numbers, which have no bounds."""

RISING: dict[str, Callable[[float], Any]] = {
    name: getattr(np, name)
    for name in (
        "arcsinh", "arctan", "cbrt", "exp", "exp2", "expm1", "log", "log10", "log1p", "log2",
        "sign", "sinh", "sqrt", "tanh",
    )
    if hasattr(np, name)
} | {"relu": lambda x: max(x, 0.0)}  # fmt: skip
"""Of larger operands they are larger."""

KEEPING = {
    "astype", "broadcast_to", "concatenate", "expand_dims", "flip", "getitem", "identity",
    "max", "mean", "min", "moveaxis", "positive", "ravel", "repeat", "reshape", "round", "squeeze",
    "swapaxes", "take", "tile", "transpose", "where",
}  # fmt: skip
"""Their results lie between their operands."""


def tell_probabilities(
    caller: str,
    metrics: Mapping[str, Callable[..., Any]],
    loss: Any,
    record: Callable[[], Any],
) -> dict[str, Callable[..., Any]]:
    """Metrics that know of probabilities, told of outputs that are some.

    ``record`` gives outputs of a model with what they were computed by.  A loss that was told
    by ``from_logits`` knows best.
    """
    known = [*known_metrics.values(), *losses.values()]
    outputs: Any = None
    found = dict(metrics)
    for name, metric in metrics.items():
        given = metric.func if isinstance(metric, OfOutput) else metric
        function, options = with_options(given)
        if function not in known or "from_logits" not in signature(function).parameters:
            continue
        if "from_logits" in options:
            continue  # it was told itself
        own_loss = loss
        if isinstance(metric, OfOutput) and isinstance(loss, LossOfOutputs):
            own_loss = loss.parts.get(metric.name)
        told = own_loss.keywords.get("from_logits") if isinstance(own_loss, partial) else None
        if told is None:
            outputs = record() if outputs is None else outputs
            output = outputs
            if isinstance(metric, OfOutput):
                output = part_of(outputs, metric.name, "the model returns")
            told = not are_probabilities(caller, name, function, output)
        if not told:
            decided = partial(given, from_logits=False)
            found[name] = (
                OfOutput(metric.name, decided, metric.is_loss)
                if isinstance(metric, OfOutput)
                else decided
            )
    return found


def are_probabilities(caller: str, metric: str, function: Any, output: Any) -> bool:
    """Whether an output lies from 0 to 1 by its operations; refused if it only seems to."""
    extent = extent_of(output.node) if isinstance(output, ag.Value) else Extent(UNKNOWN)
    low, high = extent.bounds
    if low >= 0 and high <= 1:
        return True
    numbers = plain(output)
    if extent.is_reached or not numbers.size or np.min(numbers) < 0 or np.max(numbers) > 1:
        return False
    told = f"{{{metric!r}: partial({name_of(function)}, from_logits=False)}}"
    raise ag.ArgumentValueError(
        f"{caller}: it cannot be told whether the outputs, all from 0 to 1 as far as they were "
        f"looked at, are probabilities or logits for the metric {metric!r}; pass metrics={told}, "
        "or from_logits=True"
    )


class Extent(NamedTuple):
    """Where the result of an operation lies.

    Interval arithmetic takes operands as if one did not depend on the other, so that its
    bounds are never too narrow, but those of ``exp(z) / (1 + exp(z))`` are too wide.
    """

    bounds: Bounds
    is_reached: bool = False
    """Whether parameters can bring it near both bounds."""
    parameters: frozenset[int] = frozenset()
    """The ids of those that it is known to depend on."""


def extent_of(output: Any) -> Extent:
    """Between which numbers the result of a recorded operation lies, by interval arithmetic."""
    found: dict[int, Extent] = {}
    stack = [output]
    while stack:
        node = stack[-1]
        needed = [part for part in operands_of(node) if is_node(part) and id(part) not in found]
        if needed:
            stack += needed
            continue
        stack.pop()
        operands = [found[id(x)] if is_node(x) else constant(x) for x in operands_of(node)]
        found[id(node)] = extent_of_operation(node, operands)
    return found[id(output)]


def extent_of_operation(node: Any, operands: list[Extent]) -> Extent:
    """Where a result lies for operands within these."""
    name = name_of_operation(node)
    if not name:  # a parameter, or an input
        return Extent(ANY, True, frozenset([id(node)]))
    bounds = bounds_of_operation(node, [operand.bounds for operand in operands])
    parameters = frozenset().union(*(operand.parameters for operand in operands))
    if name in PRODUCTS or name == "add":
        # One with a parameter of its own, which the others know nothing of, is enough.
        is_reached = bounds == ANY and any(
            operand.bounds == ANY and operand.is_reached and has_own(operand, operands)
            for operand in operands
        )
    elif name in RANGES and name not in RISING:
        is_reached = any(x.is_reached and x.bounds == ANY for x in operands)
    else:
        is_reached = not isnan(bounds[0]) and are_apart(operands)
        is_reached &= all(x.is_reached for x in operands)
    return Extent(bounds, is_reached, parameters)


def has_own(one: Extent, operands: list[Extent]) -> bool:
    """Whether an operand depends on a parameter that the others do not depend on."""
    others = (operand.parameters for operand in operands if operand is not one)
    return bool(one.parameters - frozenset().union(*others))


def are_apart(operands: list[Extent]) -> bool:
    """Whether no two operands depend on the same parameter."""
    n_parameters = [len(operand.parameters) for operand in operands]
    return len(frozenset().union(*(x.parameters for x in operands))) == sum(n_parameters)


def is_node(operand: Any) -> bool:
    """Whether an operand was recorded, and is no constant."""
    return hasattr(operand, "primitive")


def operands_of(node: Any) -> list[Any]:
    """The operands that say between which numbers a result lies."""
    name = name_of_operation(node)
    if name in ARITHMETIC or name in RISING or name in PRODUCTS or name == "clip":
        return [part for part in node.inputs if not isinstance(part, str)]
    if name == "where":
        return list(node.inputs[1:])
    if name == "concatenate":
        return [part for part in node.inputs if part is not None]
    return list(node.inputs[:1]) if name in KEEPING or name in RANGES else []


def name_of_operation(node: Any) -> str:
    """The name of an operation of NumPy's, the engine's or nn's; another's may be called alike."""
    if node.primitive is None:
        return ""
    forward = node.primitive.forward
    package = str(getattr(forward, "__module__", None) or "").partition(".")[0]
    is_known = isinstance(forward, np.ufunc) or package in PACKAGES
    return str(node.primitive.name) if is_known else "?"


def constant(number: Any) -> Extent:
    """A number itself; of an array, which may be the input, nothing is said."""
    if number is None or np.ndim(number) or np.iscomplexobj(number):
        return Extent(UNKNOWN)
    return Extent((float(number), float(number)), True)


def bounds_of_operation(node: Any, operands: list[Bounds]) -> Bounds:
    """Between which numbers a result lies for operands within these."""
    name = name_of_operation(node)
    if node.dtype.kind == "b":
        return (0, 1)
    if name in PRODUCTS or (name == "add" and ANY in operands):
        return ANY
    if name == "clip":  # which bounds what nothing is known of, and on one side too
        operands = [ANY if isnan(bounds[0]) else bounds for bounds in (*operands, ANY, ANY)[:3]]
    if any(isnan(low) for low, _ in operands):
        return RANGES.get(name, UNKNOWN)
    with np.errstate(all="ignore"):
        if name in RISING:
            low, high = (float(RISING[name](x)) for x in operands[0])
            least, most = RANGES.get(name, ANY)
            return (least if isnan(low) else low, most if isnan(high) else high)
        if name == "clip":
            (low, high), (least, _), (_, most) = operands
            return (min(max(low, least), most), min(max(high, least), most))
        if name in KEEPING:
            return (min(low for low, _ in operands), max(high for _, high in operands))
        if name in ARITHMETIC:
            return ARITHMETIC[name](*operands)
    return RANGES.get(name, UNKNOWN)


def added(x: Bounds, y: Bounds) -> Bounds:
    return (x[0] + y[0], x[1] + y[1])


def negative(x: Bounds) -> Bounds:
    return (-x[1], -x[0])


def multiplied(x: Bounds, y: Bounds) -> Bounds:
    products = [0.0 if 0 in (a, b) else a * b for a in x for b in y]  # 0 · inf is 0 of a limit
    return (min(products), max(products))


def reciprocal(x: Bounds) -> Bounds:
    if x[0] < 0 < x[1]:
        return ANY
    return (1 / x[1] if x[1] else -inf, 1 / x[0] if x[0] else inf)


def absolute(x: Bounds) -> Bounds:
    return (max(0.0, x[0], -x[1]), max(-x[0], x[1]))


ARITHMETIC: dict[str, Callable[..., Bounds]] = {
    "absolute": absolute,
    "add": added,
    "divide": lambda x, y: multiplied(x, reciprocal(y)),
    "maximum": lambda x, y: (max(x[0], y[0]), max(x[1], y[1])),
    "minimum": lambda x, y: (min(x[0], y[0]), min(x[1], y[1])),
    "multiply": multiplied,
    "negative": negative,
    "reciprocal": reciprocal,
    "square": lambda x: multiplied(absolute(x), absolute(x)),
    "subtract": lambda x, y: added(x, negative(y)),
}

PACKAGES = {"_operator", "autograd_lite", "nn", "numpy"}
