"""Architectures as JSON: what a model is made of, without its weights.

The configuration of a module is the name of its class and the arguments that
make it (see ``Module.configuration``).  Only classes that the reader knows are
ever built, so a configuration can do no harm.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import activations, registered_name
from nn.models.module import Module, layers

__all__ = ["from_config", "to_config"]


def to_config(model: Module) -> dict[str, Any]:
    """What a model is made of, in plain types that JSON can hold.

    Classes of one's own must keep each argument of ``__init__`` in an attribute of the
    same name.  An argument that cannot be written down, such as a function that is not
    an activation of nn, raises an `ArgumentValueError`.

    Examples
    --------
    >>> import nn
    >>> nn.to_config(nn.Linear(2, 3))["arguments"]
    {'n_in': 2, 'n_out': 3, 'use_bias': True, 'dtype': {'dtype': 'float64'}}
    """
    name = type(model).__name__
    arguments = model.configuration().items()
    return {
        "class": name,
        "arguments": {key: encode(value, f"{name}.{key}") for key, value in arguments},
    }


def encode(value: Any, where: str) -> Any:
    """A value in plain types; those that JSON lacks become dicts of one entry."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Module):
        return {"module": to_config(value)}
    if isinstance(value, np.dtype):
        return {"dtype": value.name}
    if isinstance(value, list | tuple):
        return [encode(part, where) for part in value]
    if isinstance(value, dict):
        return {"dict": {str(key): encode(part, where) for key, part in value.items()}}
    name = registered_name(value)
    if name is not None:
        return {"activation": name}
    raise ag.ArgumentValueError(
        f"{where} is {value!r}, which cannot be written down; use an activation of nn by name, "
        "or save the weights alone with architecture=False"
    )


def from_config(
    config: Any, classes: Iterable[type[Module]] = (), *, limit: int | None = None
) -> Module:
    """A model of this architecture, with weights of zero.

    Parameters
    ----------
    config : dict
        As `to_config` returns it.
    classes : iterable of type
        Classes of one's own that it may contain, besides those of nn.
    limit : int, optional
        Refuse to make a model with more numbers than this.

    Raises
    ------
    ArgumentValueError
        If it is not a configuration, names an unknown class, or exceeds the limit.

    Examples
    --------
    >>> import nn
    >>> nn.from_config(nn.to_config(nn.MLP(2, [3, 1])))
    MLP(
      0: Linear(2, 3)
      1: relu
      2: Linear(3, 1)
    )
    """
    builder = Builder(layers | {cls.__name__: cls for cls in classes}, limit)
    try:
        return builder.module(config)
    except ag.AutogradError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError,
            RecursionError) as error:  # fmt: skip
        raise ag.ArgumentValueError(
            f"the architecture was not written by nn: {type(error).__name__} {error}"
        ) from error


class Builder:
    """Makes modules of known classes, and keeps count of how many numbers they hold."""

    def __init__(self, known: dict[str, type[Module]], limit: int | None) -> None:
        self.known = known
        self.left = float("inf") if limit is None else limit

    def module(self, config: Any) -> Module:
        """One module and all within."""
        name = config["class"]
        if name not in self.known:
            raise ag.ArgumentValueError(
                f"the architecture has a module of the unknown class {name!r}; "
                "pass the class in classes=[...] if it is your own"
            )
        cls = self.known[name]
        arguments = {key: self.decode(value) for key, value in config["arguments"].items()}
        sizes = [arguments.get(key) for key in ("n_in", "n_out")]
        known = [size for size in sizes if isinstance(size, int)]
        if cls.has_parameters and known:
            self.check(prod(known))
        positional: list[Any] = []
        for key, parameter in inspect.signature(cls).parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional = arguments.pop(key)
            elif parameter.kind is parameter.VAR_KEYWORD:
                arguments |= arguments.pop(key)
            elif key == "initializer":  # drawing numbers that are overwritten only costs time
                arguments[key] = self.zeros
        return cls(*positional, **arguments)

    def zeros(self, rng: Any, shape: Any, dtype: Any) -> Any:
        """The initializer of what is built."""
        self.check(prod(shape))
        self.left -= prod(shape)
        return np.zeros(shape, dtype)

    def check(self, count: int) -> None:
        """Refuse sizes that cannot be meant."""
        if count > self.left:
            raise ag.ArgumentValueError(
                f"the architecture needs {count} numbers for one layer, more than there are"
            )

    def decode(self, value: Any) -> Any:
        """The inverse of `encode`."""
        if isinstance(value, list):
            return [self.decode(part) for part in value]
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind == "module":
            return self.module(content)
        if kind == "dtype":
            return np.dtype(content)
        if kind == "activation":
            return activations[content]
        return {key: self.decode(part) for key, part in content.items()}
