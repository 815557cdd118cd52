"""Calls of SciPy's functions that no rule of one line differentiates: solvers, and what is defined.

A solver is called with functions and nested arguments, and its result is one array: `in_one_call`
records it as a single operation of the numbers in its arguments.  What SciPy computes by a formula
has the derivative of the formula, written with NumPy: `by_definition`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from scipy.optimize import OptimizeResult

from autograd_lite.core.errors import (
    ArgumentTypeError,
    MissingAttributeError,
    UnsupportedError,
)
from autograd_lite.core.node import Handle, holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.recorder import EAGER, current, using
from autograd_lite.core.tree import flatten
from autograd_lite.ops.define import RowByRow
from autograd_lite.scipy.names import computed_by_scipy
from autograd_lite.transforms.implicit import pulled_back

__all__ = [
    "Call",
    "Result",
    "as_arguments",
    "by_definition",
    "in_one_call",
    "is_counted_elsewhere",
    "is_smooth",
    "packed",
    "projected",
    "unpacked",
    "unrolled",
    "with_numbers",
]

Function = Callable[..., Any]


class Result(OptimizeResult):  # type: ignore[misc]
    """A result of SciPy's whose solution is a Value; what has no derivative is not in it."""

    module = "optimize"

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise MissingAttributeError(
            f"a result of scipy.{self.module} has no {name!r} where it is differentiated; call "
            f"SciPy's function with plain numbers for it, or compute it from {next(iter(self))!r}"
        )


class Call:
    """One call of a function of SciPy's: its name, and what it returned last."""

    def __init__(self, name: str, options: dict[str, Any], module: str = "optimize") -> None:
        self.name = name
        self.module = module
        self.found: Any = None
        for option, x in options.items():
            if holds_value(flatten([x])):
                raise ArgumentTypeError(
                    f"{name}: {option} is a Value, by which there is no derivative; pass "
                    f"{option}.data"
                )

    def plain(self, function: Function) -> Function:
        """A function as SciPy's solvers call it: of plain numbers, and without Values inside."""

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if holds_value(flatten([result])):
                raise UnsupportedError(
                    f"{self.name}: the function reads a Value from outside, and its gradient "
                    f"would be lost; pass it by args=, ag.scipy.{self.module}.{self.name}(f, …, "
                    "args=(value,))"
                )
            return result

        return called

    def keep(self, found: Any) -> Any:
        self.found = found
        return found

    def result(self, **values: Any) -> Any:
        """SciPy's result; of Values these, and what says how the solver went."""
        if not holds_value(flatten([values])):
            return self.found
        told = {}
        if not is_counted_elsewhere():  # there it is not that of each call
            told = {
                name: x for name, x in self.found.items()
                if isinstance(x, (str, bool, int, np.bool_)) and name not in values
            }  # fmt: skip
        return Result({**values, **told})


def is_counted_elsewhere() -> bool:
    """Whether numbers are those of a program that is traced, or of one sample of many."""
    recorder = current.get()
    return recorder.trace is not None or recorder.batch is not None


def as_arguments(args: Any) -> tuple[Any, ...]:
    """``args`` as SciPy takes them: a tuple, or the only one."""
    return args if isinstance(args, tuple) else (args,)


def projected(x: Any, gradient: Any, low: Any, high: Any) -> Any:
    """Zero where a step against the gradient, within the bounds, leads nowhere.

    The equation of a minimum between bounds: the gradient is zero, or a bound is reached.
    """
    return x - np.clip(x - gradient, low, high)


# One operation of the numbers in nested arguments.


def in_one_call(name: str, forward: Function, rule: Function, leaves: Sequence[Any]) -> Any:
    """What ``forward(*leaves)`` computes of plain numbers, recorded as one operation.

    ``rule(g, out, places, *leaves)`` returns a gradient for each of the places: those of the
    leaves by which there are derivatives.
    """

    def call(*leaves: Any) -> Any:
        with using(EAGER):
            return forward(*leaves)

    places = [
        place for place, leaf in enumerate(leaves) if isinstance(leaf, Handle) and is_smooth(leaf)
    ]

    def joint(g: Any, out: Any, *leaves: Any) -> list[Any]:
        gradients: list[Any] = [None] * len(leaves)
        for place, found in zip(places, rule(g, out, places, *leaves), strict=True):
            gradients[place] = found
        return gradients

    if not any(isinstance(leaf, Handle) for leaf in leaves):
        return call(*leaves)
    call.__name__ = name  # as a program calls it
    return RowByRow(call, joint=joint)(*leaves)


def is_smooth(x: Any) -> bool:
    """Whether it is made of floating-point numbers, by which there may be a derivative."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, (float, complex)) if dtype is None else dtype.kind in "fc"


def with_numbers(leaves: Sequence[Any], places: Sequence[int], numbers: Sequence[Any]) -> list[Any]:
    """The leaves, with others in some places."""
    everything = list(leaves)
    for place, x in zip(places, numbers, strict=True):
        everything[place] = x
    return everything


def unrolled(name: str, prepare: Function, function: Function, leaves: Sequence[Any]) -> Any:
    """``function(prepare(*leaves), *leaves)`` in one call, and so are its derivatives.

    The function goes a way that depends on plain numbers, which ``prepare`` finds out.
    """

    def forward(*leaves: Any) -> Any:
        return function(prepare(*leaves), *leaves)

    def rule(g: Any, out: Any, places: list[int], *leaves: Any) -> list[Any]:
        def gradients(way: Any, g: Any, *leaves: Any) -> Any:
            return packed(pulled_back(partial(function, way), leaves, places, g))

        found = unrolled(
            f"gradient of {name}", lambda g, *leaves: prepare(*leaves), gradients, [g, *leaves]
        )
        return unpacked(found, [leaves[place] for place in places])

    return in_one_call(name, forward, rule, leaves)


def packed(arrays: Sequence[Any]) -> Any:
    """Arrays as one vector."""
    return np.concatenate([np.reshape(x, (-1,)) for x in arrays])


def unpacked(vector: Any, like: Sequence[Any]) -> list[Any]:
    """A vector as arrays of the shapes of others."""
    parts, end = [], 0
    for x in like:
        size = int(np.size(x))
        parts.append(np.reshape(vector[end : end + size], np.shape(x)))
        end += size
    return parts


def by_definition(
    forward: Function, definition: Function, *, name: str, arrays: int, **options: Any
) -> Primitive:
    """What SciPy computes, with the derivatives of what it means in terms of NumPy's functions."""

    def rule(index: int, g: Any, out: Any, *inputs: Any, **static: Any) -> Any:
        if not is_smooth(inputs[index]):
            return None
        return pulled_back(partial(definition, **static), inputs, [index], g)[0]

    return computed_by_scipy(forward, each=rule, name=name, arrays=arrays, **options)
