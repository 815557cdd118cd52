"""Former names, which work for one version and say what to write instead."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["renamed_arguments", "renamed_fields"]

Function = TypeVar("Function", bound=Callable[..., Any])
Class = TypeVar("Class", bound=type)


def renamed_arguments(**names: str) -> Callable[[Function], Function]:
    """A decorator of functions and classes: take arguments by their former names too.

    Parameters
    ----------
    **names
        The present name of an argument, by its former one.

    Examples
    --------
    >>> import warnings
    >>> from autograd_lite.deprecation import renamed_arguments
    >>> @renamed_arguments(sd="std")
    ... def noise(std):
    ...     return std
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     print(noise(sd=2.0), caught[0].message)
    2.0 noise: sd is called std now; write std=...
    """

    def decorate(function: Function) -> Function:
        if isinstance(function, type):
            function.__init__ = decorate(function.__init__)  # type: ignore[misc]
            return function

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            for old in [name for name in names if name in kwargs]:
                name = function.__qualname__.removesuffix(".__init__").rpartition("<locals>.")[2]
                message = f"{name}: {old} is called {names[old]} now; write {names[old]}=..."
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                kwargs[names[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate


def renamed_fields(**names: str) -> Callable[[Class], Class]:
    """A decorator of classes: arguments that are kept in attributes, both by former names too.

    Parameters
    ----------
    **names
        The present name of an argument and its attribute, by the former one.

    Examples
    --------
    >>> import warnings
    >>> from autograd_lite.deprecation import renamed_fields
    >>> @renamed_fields(n_in="in_features")
    ... class Layer:
    ...     def __init__(self, in_features):
    ...         self.in_features = in_features
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     print(Layer(3).n_in, caught[0].message)
    3 Layer.n_in is called in_features now
    """

    def decorate(kind: Class) -> Class:
        for old, new in names.items():
            former = functools.partial(read, old=old, new=new)
            setattr(kind, old, property(former, doc=f"The former name of `{new}`."))
        return renamed_arguments(**names)(kind)

    return decorate


def read(instance: Any, old: str, new: str) -> Any:
    """An attribute that is asked for by its former name."""
    message = f"{type(instance).__name__}.{old} is called {new} now"
    warnings.warn(message, DeprecationWarning, stacklevel=2)
    return getattr(instance, new)
