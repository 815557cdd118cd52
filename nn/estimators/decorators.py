"""Decorators of scikit-learn, which know no types, as ones that keep those of a method."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.base import _fit_context
from sklearn.utils.metaestimators import available_if

__all__ = ["checking_options", "only_if"]

Method = TypeVar("Method", bound=Callable[..., Any])


def checking_options(method: Method) -> Method:
    """Before it is called, the estimator's options are checked."""
    decorated: Method = _fit_context(prefer_skip_nested_validation=True)(method)
    return decorated


def only_if(condition: Callable[[Any], bool]) -> Callable[[Method], Method]:
    """The estimator has the method only if this is true of it."""
    decorator: Callable[[Method], Method] = available_if(condition)
    return decorator
