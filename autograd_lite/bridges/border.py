"""What both bridges do: import the other library, and make a rule of a pullback of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from autograd_lite.core.backward import conjugate, is_complex
from autograd_lite.core.errors import MissingOptionError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive

__all__ = ["imported", "is_varied", "of_some", "primitive_of"]


def imported(name: str, transform: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingOptionError(
            f"{transform} needs {name}, which cannot be imported ({error}); install it first"
        ) from error


def is_varied(x: Any) -> bool:
    """Whether an array is differentiated by: one of floats or complex numbers."""
    return getattr(x, "dtype", np.dtype(type(x))).kind in "fc"


def of_some(
    function: Callable[..., Any], arguments: Sequence[Any], places: Sequence[int]
) -> Callable[..., Any]:
    """A function of some of its arguments; the others are as they are."""

    def of_varied(*values: Any) -> Any:
        everything = list(arguments)
        for place, value in zip(places, values, strict=True):
            everything[place] = value
        return function(*everything)

    return of_varied


def primitive_of(
    name: str, forward: Callable[..., Any], pull: Callable[[], Callable[..., Any]]
) -> Primitive:
    """A primitive whose rule is another one: the pullback, as one vector for all inputs.

    ``pull`` makes it when it is needed, since it has a pullback of its own. It takes the gradient
    of the result and the inputs, and returns the gradients of all that `is_varied`.
    """
    made: list[Callable[..., Any]] = []

    def rule(g: Any, out: Any, *inputs: Any) -> list[Any]:
        if not made:
            made.append(pull())
        # Rules hand on transposes, and ``pull`` gradients: they are conjugates of each other.
        vector = conjugate(made[0](conjugate(g), *inputs))
        gradients: list[Any] = []
        start = 0
        for x in inputs:
            if not is_varied(x):
                gradients.append(None)
                continue
            end = start + int(np.size(x))
            part = np.reshape(vector[start:end], np.shape(x))
            gradients.append(part if is_complex(x) else np.real(part))
            start = end
        return gradients

    return Primitive(forward, joint=rule, name=name)
