"""Former names, which work for one version and say what to write instead."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["renamed_argument"]

Function = TypeVar("Function", bound=Callable[..., Any])


def renamed_argument(old: str, new: str) -> Callable[[Function], Function]:
    """A decorator of functions and classes: take an argument by its former name too.

    Examples
    --------
    >>> import warnings
    >>> from autograd_lite.deprecation import renamed_argument
    >>> @renamed_argument("sd", "std")
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
            if old in kwargs:
                name = function.__qualname__.removesuffix(".__init__").rpartition("<locals>.")[2]
                message = f"{name}: {old} is called {new} now; write {new}=..."
                warnings.warn(message, DeprecationWarning, stacklevel=2)
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    return decorate
