"""SciPy's namespaces as rules name them, and the rule for an argument that has none."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import scipy.special

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, NoRuleError, UnsupportedError
from autograd_lite.core.numpy_namespace import Missing, complete, np
from autograd_lite.core.primitive import Primitive, Rule, register
from autograd_lite.ops.define import RowByRow, as_operand

__all__ = [
    "as_array_operand",
    "by_scipy_alone",
    "computed_by_scipy",
    "in_precision_of",
    "no_rule_by",
    "of_scipy",
    "special",
    "ufunc_behind",
    "without_output",
]

if TYPE_CHECKING:
    from scipy import special
else:
    special = complete(scipy.special)  # with stand-ins for what this SciPy lacks


def ufunc_behind(name: str) -> Any:
    """The ufunc that a function of ``scipy.special`` hands its arguments to as they are."""
    return getattr(scipy.special._ufuncs, name, Missing(name))


def no_rule_by(argument: str, function: str) -> Rule:
    """The rule of an argument by which there is a derivative, of no form that is known here."""

    def rule(g: Any, out: Any, *inputs: Any, **parameters: Any) -> Any:
        raise NoRuleError(
            f"scipy.{function} has no derivative rule by its argument {argument!r} in "
            f"autograd_lite; pass the number as a constant ({argument}.data), or write the "
            "function with ag.primitive and defvjp"
        )

    return rule


def by_scipy_alone(function: Callable[..., Any], name: str = "") -> Callable[..., Any]:
    """A function that computes on NumPy's arrays alone: it would turn all others into these."""
    name = name or function.__name__

    @wraps(function)
    def forward(*inputs: Any, **parameters: Any) -> Any:
        if any(map(is_duck_array, inputs)):
            raise ArgumentTypeError(
                f"SciPy computes {name} on NumPy's arrays alone; turn the argument into one first"
            )
        return function(*inputs, **parameters)

    return forward


def as_array_operand(x: Any) -> Any:
    """A list as one array, or as one Value if there are Values in it."""
    x = as_operand(x)
    return np.asarray(x) if isinstance(x, (list, tuple)) else x


def computed_by_scipy(forward: Any, *rules: Rule | None, name: str, **options: Any) -> Primitive:
    """A primitive of whole arrays that SciPy computes, one sample after the other."""
    options.setdefault("builtin", True)
    return RowByRow(by_scipy_alone(forward, name), *rules, name=name, **options)


def of_scipy(function: Any, *rules: Rule | None, forward: Any = None, **options: Any) -> Primitive:
    """Register the rules of a function of SciPy's; arguments after the arrays are static."""
    options.setdefault("arrays", len(rules))
    primitive = computed_by_scipy(forward or function, *rules, name=function.__name__, **options)
    return register(function, primitive)


def in_precision_of(x: Any, y: Any) -> Any:
    """``y``, which SciPy computes in double precision alone, as the rules of ``x`` have it."""
    dtype = getattr(x, "dtype", None)
    is_wide = dtype is None or dtype in (np.float64, np.complex128)
    return y if is_wide else np.astype(y, dtype)


def without_output(function: Any) -> Any:
    """The function, which must not be asked to write into another array."""

    @wraps(function)
    def forward(*inputs: Any, **static: Any) -> Any:
        if static.get("output") is not None:
            raise UnsupportedError(
                f"{function.__name__} of a Value does not take output; leave it out"
            )
        return function(*inputs, **static)

    return forward
