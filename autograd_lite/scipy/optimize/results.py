"""What solvers are called with, and what they return, where there are Values among it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from scipy import optimize

from autograd_lite.core.errors import (
    ArgumentTypeError,
    MissingAttributeError,
    UnsupportedError,
)
from autograd_lite.core.node import holds_value
from autograd_lite.core.recorder import current
from autograd_lite.core.tree import flatten

__all__ = ["Call", "Result", "as_arguments", "projected"]

Function = Callable[..., Any]


class Result(optimize.OptimizeResult):  # type: ignore[misc]
    """A result of SciPy's whose solution is a Value; what has no derivative is not in it."""

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        raise MissingAttributeError(
            f"a result of scipy.optimize has no {name!r} where it is differentiated; call SciPy's "
            f"function with plain numbers for it, or compute it from {next(iter(self))!r}"
        )


class Call:
    """One call of a function of SciPy's: its name, and what it returned last."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
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
                    f"would be lost; pass it by args=, ag.scipy.optimize.{self.name}(f, …, "
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
        recorder = current.get()
        told = {}
        if recorder.trace is None and recorder.batch is None:  # there it is not that of each call
            told = {
                name: x for name, x in self.found.items()
                if isinstance(x, (str, bool, int, np.bool_)) and name not in values
            }  # fmt: skip
        return Result({**values, **told})


def as_arguments(args: Any) -> tuple[Any, ...]:
    """``args`` as SciPy takes them: a tuple, or the only one."""
    return args if isinstance(args, tuple) else (args,)


def projected(x: Any, gradient: Any, low: Any, high: Any) -> Any:
    """Zero where a step against the gradient, within the bounds, leads nowhere.

    The equation of a minimum between bounds: the gradient is zero, or a bound is reached.
    """
    return x - np.clip(x - gradient, low, high)
