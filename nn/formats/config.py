"""Architectures as JSON: what a model is made of, without its weights.

A module is written down as the object that is there: its class, and all of its
attributes.  What is met twice, a layer used in two places or a tied weight, is
written once and referred to afterwards.  Only classes that the reader knows are
ever built, so a configuration can do no harm.
"""

from __future__ import annotations

import base64
import inspect
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from functools import partial
from math import prod
from typing import Any

import numpy as np

import autograd_lite as ag
from nn import initializers
from nn.activations import activations, registered_name
from nn.checks import host_array, is_elsewhere
from nn.models.module import Module, Parameter, layers
from nn.training.data import check_model

__all__ = [
    "MALFORMED",
    "PLAIN",
    "Builder",
    "Writer",
    "checked_classes",
    "from_config",
    "own_classes",
    "refuse_hooks",
    "to_config",
]

PLAIN = (type(None), bool, int, float, str)
SEQUENCES: dict[str, type[tuple[Any, ...]] | type[deque[Any]]] = {"tuple": tuple, "deque": deque}
MAPPINGS: dict[str, type[dict[Any, Any]]] = {"dict": dict, "ordered_dict": OrderedDict}
HOOKS = ("_forward_hooks", "_gradient_hooks")
"""Attributes of modules that hold functions of one's own, which stay out of files."""
BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")
MALFORMED = (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, MemoryError,
             RecursionError)  # fmt: skip
"""What reading a description that nobody wrote may raise."""


def to_config(model: Module) -> dict[str, Any]:
    """What a model is made of, in plain types that JSON can hold.

    The attributes of modules may be numbers, texts, arrays, dtypes, activations and
    initializers of nn, ufuncs, random generators, modules and parameters, and nested lists, tuples
    and dicts of these.  Anything else, such as a function of one's own, raises an
    `ArgumentValueError`.

    Examples
    --------
    >>> import nn
    >>> nn.to_config(nn.PReLU(2))["attributes"]["weight"]
    {'parameter': {'shape': [2], 'dtype': '<f8', 'requires_grad': True, 'label': 'weight'}}
    """
    check_model("to_config", model)
    try:
        return Writer().module(model)
    except RecursionError:
        raise ag.ArgumentValueError(
            f"{type(model).__name__}: its attributes are nested too deeply, or hold themselves; "
            "save the weights alone with architecture=False"
        ) from None


def refuse_hooks(module: Module, instead: str) -> None:
    """Refuse a module with forward hooks, of which a file would know nothing."""
    if module._forward_hooks:
        raise ag.ArgumentValueError(
            f"{type(module).__name__} has a forward hook, which may change its outputs, and files "
            f"hold no functions of one's own; call .remove() on the hook{instead}"
        )


class Writer:
    """Writes modules down; modules, parameters and generators are numbered as they are met."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}

    def module(self, module: Module) -> dict[str, Any]:
        """One module and all within."""
        self.numbers[id(module)] = len(self.numbers)
        cls = type(module)
        refuse_hooks(module, ", or save the weights alone with architecture=False")
        attributes = {
            name: self.attribute(module, name, value)
            for name, value in vars(module).items()
            if name not in HOOKS
        }
        kind = "class" if layers.get(cls.__name__) is cls else "own"
        return {kind: cls.__name__, "attributes": attributes}

    def attribute(self, module: Module, name: str, value: Any) -> Any:
        """An attribute of a module; arrays of its state are described, not written."""
        value = host_array(value) if is_elsewhere(value) else value
        if name in module.buffers and isinstance(value, np.ndarray):
            return {"buffer": {"shape": list(value.shape), "dtype": value.dtype.str}}
        if name == "initializer" and module.shapes_known() and initializer_name(value) is None:
            return None  # it has done what it was there for
        return self.value(value, f"{type(module).__name__}.{name}")

    def value(self, value: Any, where: str) -> Any:
        """A value in plain types; those that JSON lacks become dicts of one entry."""
        if id(value) in self.numbers:
            return {"same": self.numbers[id(value)]}
        if isinstance(value, Module):
            return {"module": self.module(value)}
        if isinstance(value, Parameter | np.random.Generator):
            self.numbers[id(value)] = len(self.numbers)
        if type(value) in PLAIN:
            return value
        if type(value) is list:
            return [self.value(part, where) for part in value]
        for kind, mapping in MAPPINGS.items():
            if type(value) is mapping:
                pairs = value.items()
                return {kind: [[self.value(k, where), self.value(v, where)] for k, v in pairs]}
        for kind, sequence in SEQUENCES.items():
            if type(value) is sequence:
                return {kind: [self.value(part, where) for part in value]}
        return described(value, where)


def described(value: Any, where: str) -> dict[str, Any]:
    """What is neither plain nor a container, as a dict of one entry."""
    if type(value) is Parameter:
        array = host_array(value.data)
        if array.dtype.kind == "f":
            dtype = None if isinstance(value.data, float | int) else array.dtype.str
            entry = {"shape": list(array.shape), "dtype": dtype}
            return {
                "parameter": entry | {"requires_grad": value.requires_grad, "label": value.label}
            }
    elif isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        return {"generator": {k: plain_state(v) for k, v in state.items()}}
    elif isinstance(value, np.dtype) and value.kind in "biufc":
        return {"dtype": value.str}
    elif isinstance(value, type) and issubclass(value, np.number | np.bool_):
        return {"type": value.__name__}
    elif type(value) is np.ndarray or isinstance(value, np.generic):
        if value.dtype.kind in "biufcSU":
            numbers = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            kind = "array" if type(value) is np.ndarray else "scalar"
            return {kind: {"shape": list(value.shape), "dtype": value.dtype.str, "base64": numbers}}
    elif (name := registered_name(value)) is not None:
        return {"activation": name}
    elif (name := ufunc_name(value)) is not None:
        return {"ufunc": name}
    elif (name := initializer_name(value)) is not None:
        options = dict(getattr(value, "keywords", {}))
        return {"initializer": {"name": name, "options": options}}
    instead = "an activation of nn by name" if callable(value) else "numbers, texts or arrays"
    raise ag.ArgumentValueError(
        f"{where} is {value!r}, which cannot be written down; use {instead}, "
        "or save the weights alone with architecture=False"
    )


def initializer_name(value: Any) -> str | None:
    """The name of an initializer of nn, also of one with options of its own."""
    if isinstance(value, partial):
        is_plain = not value.args and all(type(v) in PLAIN for v in value.keywords.values())
        value = value.func if is_plain else None
    name = getattr(value, "__name__", None)
    return name if name in initializers.__all__ and getattr(initializers, name) is value else None


def ufunc_name(value: Any) -> str | None:
    """The name of one of NumPy's elementwise functions."""
    name = getattr(value, "__name__", "")
    return name if isinstance(value, np.ufunc) and getattr(np, name, None) is value else None


def plain_state(state: Any) -> Any:
    """The state of a bit generator without arrays."""
    if isinstance(state, dict):
        return {name: plain_state(part) for name, part in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def own_classes(model: Module) -> list[type[Module]]:
    """The classes of a model that are not of nn."""
    classes = dict.fromkeys(type(module) for _, module in model.named_modules())
    return [cls for cls in classes if layers.get(cls.__name__) is not cls]


def from_config(
    config: Any, classes: Iterable[type[Module]] = (), *, limit: int | None = None
) -> Module:
    """A model of this architecture, with weights of zero.

    Parameters
    ----------
    config : dict
        As `to_config` returns it.
    classes : iterable of type
        Classes of one's own that it may contain, besides those of nn.  Their ``__init__``
        is not called.
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
    builder = Builder(checked_classes("from_config", classes), limit)
    try:
        return builder.module(config)
    except ag.AutogradError:
        raise
    except MALFORMED as error:
        raise ag.ArgumentValueError(
            f"the architecture was not written by nn: {type(error).__name__} {error}"
        ) from error


def checked_classes(caller: str, classes: Any) -> list[type[Module]]:
    """The classes of one's own that were given, which must be classes of modules."""
    if isinstance(classes, dict | str) or not isinstance(classes, Iterable):
        raise ag.ArgumentTypeError(
            f"{caller}: classes is {classes!r}; pass a list of your own classes, such as [Net]"
        )
    several = list(classes)
    for given in several:
        if not (isinstance(given, type) and issubclass(given, Module)):
            raise ag.ArgumentTypeError(
                f"{caller}: classes has {given!r}, which is not a subclass of nn.Module; pass the "
                "class itself, such as classes=[Net]"
            )
    return several


class Builder:
    """Makes modules of known classes, and keeps count of how many numbers they hold."""

    def __init__(self, classes: list[type[Module]], limit: int | None) -> None:
        self.own = {cls.__name__: cls for cls in classes}
        self.left = float("inf") if limit is None else limit
        self.met: list[Any] = []
        if len(self.own) < len(set(classes)):
            raise ag.ArgumentValueError(
                f"two of the classes {', '.join(sorted(cls.__name__ for cls in classes))} have "
                "the same name; rename one"
            )

    def module(self, config: Any) -> Module:
        """One module and all within."""
        if "arguments" in config:
            return self.from_arguments(config)
        kind, name = ("own", config["own"]) if "own" in config else ("class", config["class"])
        cls = self.known(name, self.own if kind == "own" else layers)
        module = object.__new__(cls)
        self.met.append(module)
        for key, value in config["attributes"].items():
            if callable(getattr(Module, key, None)):
                raise ag.ArgumentValueError(
                    f"the attribute {key!r} of {name} has the name of a method; rename it"
                )
            vars(module)[key] = self.decode(value)
        return module

    def known(self, name: Any, classes: dict[str, type[Module]]) -> type[Module]:
        """The class of this name."""
        if name not in classes:
            raise ag.ArgumentValueError(
                f"the architecture has a module of the unknown class {name!r}; "
                "pass the class in classes=[...] if it is your own"
            )
        return classes[name]

    def from_arguments(self, config: Any) -> Module:
        """A module as version 1 wrote it: the arguments that made it."""
        cls = self.known(config["class"], layers | self.own)
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
                arguments[key] = self.draw_zeros
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # arguments by their names of then
            return cls(*positional, **arguments)

    def draw_zeros(self, rng: Any, shape: Any, dtype: Any) -> Any:
        """The initializer of what is built from arguments."""
        return self.zeros(list(map(int, shape)), np.dtype(dtype).str)

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """An array to be filled from the state."""
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
        """The inverse of `Writer.value`."""
        if isinstance(value, list):
            return [self.decode(part) for part in value]
        if not isinstance(value, dict):
            return value
        ((kind, content),) = value.items()
        if kind == "same":
            return self.met[content]
        if kind == "module":
            return self.module(content)
        if kind in SEQUENCES:
            return SEQUENCES[kind](self.decode(content))
        if kind in MAPPINGS:  # version 1 had texts alone for keys
            pairs = content.items() if isinstance(content, dict) else content
            return MAPPINGS[kind]((self.decode(key), self.decode(part)) for key, part in pairs)
        if kind == "parameter":
            self.met.append(self.parameter(**content))
            return self.met[-1]
        if kind == "generator":
            self.met.append(generator_of(content))
            return self.met[-1]
        if kind == "buffer":
            return self.zeros(**content)
        if kind == "initializer":
            function = getattr(initializers, as_one_of(content["name"], initializers.__all__))
            return partial(function, **content["options"]) if content["options"] else function
        return SIMPLE[kind](content)

    def parameter(self, shape: Any, dtype: Any, requires_grad: Any, label: Any) -> Parameter:
        """A parameter of zeros."""
        zeros = self.zeros(shape, "<f8" if dtype is None else dtype)
        data = zeros.item() if dtype is None else zeros
        return Parameter(data, requires_grad=bool(requires_grad), label=label)


def as_one_of(name: str, names: Iterable[str]) -> str:
    """A name that is in a list of those that may be looked up."""
    if name not in names:
        raise ag.ArgumentValueError(f"the architecture names the unknown {name!r}")
    return name


def array_of(content: dict[str, Any]) -> Any:
    """An array of a module's own from its bytes."""
    dtype = np.dtype(content["dtype"])
    if dtype.kind not in "biufcSU":
        raise ag.ArgumentValueError(f"the architecture has an array of dtype {dtype}")
    numbers = np.frombuffer(base64.b64decode(content["base64"]), dtype)
    return numbers.reshape(content["shape"]).copy()


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """A random generator that goes on where the one that was written down was."""
    name = as_one_of(state["bit_generator"], BIT_GENERATORS)
    generator = np.random.Generator(getattr(np.random, name)(0))
    generator.bit_generator.state = state
    return generator


def ufunc_of(name: str) -> np.ufunc:
    """One of NumPy's elementwise functions."""
    found = getattr(np, name)
    if not isinstance(found, np.ufunc):
        raise ag.ArgumentValueError(
            f"the architecture names {name!r}, which is not a ufunc of NumPy"
        )
    return found


SIMPLE: dict[str, Callable[[Any], Any]] = {
    "activation": activations.__getitem__,
    "array": array_of,
    "scalar": lambda content: array_of(content)[()],
    "dtype": np.dtype,
    "type": lambda name: np.dtype(name).type,
    "ufunc": ufunc_of,
}
"""How things of one entry are read that hold nothing else."""
