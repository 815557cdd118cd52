"""Module: a model or a part of one; Parameter: an array of it that is trained.

There is no registration: a module finds its parameters by looking at its own
attributes, so what is assigned is what is trained.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.models.summary import Summary, summarize

__all__ = ["Module", "Parameter"]

Array = np.ndarray[Any, Any]


class Parameter(ag.Value):
    """A Value that belongs to a model and is changed by training.

    Optimizers write its ``data`` in place, so it holds a copy of the numbers that it
    is given; anything else raises an `ArgumentTypeError`.  Set ``requires_grad = False``
    to freeze it.  ``label`` names it in drawings and error messages.

    Examples
    --------
    >>> import nn
    >>> nn.Parameter([1.0, 2.0])
    Parameter([1., 2.])
    """

    __slots__ = ()

    def __init__(self, data: Any, *, requires_grad: bool = True, label: str | None = None) -> None:
        super().__init__(data, requires_grad=requires_grad, label=label)
        if isinstance(self.data, np.ndarray):
            self.data = aligned(self.data)


CACHE_LINE = 64


def aligned(array: Any) -> Any:
    """A copy that starts on a cache line, as other arrays do by chance only.

    Where it does not, a product with small batches takes up to a third longer: what one
    core has written, another then fetches twice.
    """
    memory = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % CACHE_LINE
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


class Module:
    """Base class of layers and models.

    A subclass assigns parameters, other modules, or lists and dicts of them to
    attributes in ``__init__`` and computes in ``forward``.  If each argument of
    ``__init__`` is kept in an attribute of its own name, ``repr`` shows it and
    the architecture can be saved.

    Attributes
    ----------
    training : bool
        Whether layers such as `Dropout` behave as in training; see `train`.
    buffers : tuple of str
        Class attribute: names of array attributes that are not parameters but
        part of the state, such as running averages.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class Scale(nn.Module):
    ...     def __init__(self, factor):
    ...         self.factor = nn.Parameter(factor)
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> model = Scale(3.0)
    >>> model(np.array([1.0, 2.0]))
    Value([3., 6.])
    >>> [name for name, _ in model.named_parameters()]
    ['factor']
    """

    training: bool = True
    buffers: ClassVar[tuple[str, ...]] = ()
    unsaved_arguments: ClassVar[frozenset[str]] = frozenset({"rng", "initializer"})
    has_parameters: ClassVar[bool] = True  # of the sizes n_in and n_out, if it has these
    transposed_in_torch: ClassVar[tuple[str, ...]] = ()  # parameters
    counters_in_torch: ClassVar[tuple[str, ...]] = ()  # numbers that only PyTorch saves

    def forward(self, *inputs: Any) -> Any:
        """Compute the outputs; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *inputs: Any) -> Any:
        """Compute the outputs, as ``forward`` defines them."""
        return self.forward(*inputs)

    # What it is made of.

    def members(self) -> Iterator[tuple[str, Parameter | Module]]:
        """The parameters and modules held directly, by name."""
        for name, attribute in vars(self).items():
            yield from members_of(name, attribute)

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module, named by ``prefix``, and all modules within, each once."""
        seen: set[int] = set()
        stack: list[tuple[str, Module]] = [(prefix, self)]
        while stack:
            name, module = stack.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield name, module
                members = reversed(list(module.members()))
                stack += [(dotted(name, part), m) for part, m in members if isinstance(m, Module)]

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """All parameters with dotted names such as ``"2.weight"``, each once, also if shared."""
        seen: set[int] = set()
        for name, module in self.named_modules():
            for part, member in module.members():
                if isinstance(member, Parameter) and id(member) not in seen:
                    seen.add(id(member))
                    yield dotted(name, part), member

    def parameters(self) -> list[Parameter]:
        """All parameters, in the order of their names in `named_parameters`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def shapes_known(self) -> bool:
        """Whether the parameters of this module exist already.

        False for a layer that takes its number of inputs from its first input.
        """
        return True

    # Training and inference.

    def train(self, mode: bool = True) -> Self:
        """Set this module and all within to behave as in training.

        Examples
        --------
        >>> import nn
        >>> model = nn.MLP(2, [3, 1]).eval()
        >>> model.training
        False
        """
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set this module and all within to behave as in use; see `train`."""
        return self.train(False)

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert parameters and buffers to a float dtype, in this module and all within.

        Examples
        --------
        >>> import numpy as np, nn
        >>> nn.Linear(2, 3).astype(np.float32).weight.dtype
        dtype('float32')
        """
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise ag.ArgumentTypeError(
                f"astype: a model computes in a float dtype, not {dtype}; "
                "pass np.float32 or np.float64"
            )
        for _, module in self.named_modules():
            if hasattr(module, "dtype"):
                module.dtype = dtype
        return self._replace_arrays(lambda array: array.astype(dtype, copy=False))

    def to(self, library: Any) -> Self:
        """Move parameters and buffers to the arrays of a library: ``cupy``, and back to ``numpy``.

        Any module will do that has a function ``asarray`` whose arrays speak NumPy's
        protocols.  Gradients are forgotten.  An optimizer made before keeps its state
        where it was, so make it after the move.

        Examples
        --------
        >>> import numpy as np, nn
        >>> type(nn.Linear(2, 3).to(np).weight.data)
        <class 'numpy.ndarray'>
        """
        if not hasattr(library, "asarray"):
            raise ag.ArgumentTypeError(
                f"to: {library!r} has no function asarray; pass a module of arrays such as cupy"
            )
        return self._replace_arrays(lambda array: move(array, library))

    def _replace_arrays(self, change: Callable[[Any], Any]) -> Self:
        """Put something else in the place of each array; gradients are forgotten."""
        for parameter in self.parameters():
            parameter.grad = None
            if not isinstance(parameter.data, float | int):
                parameter.data = change(parameter.data)
        for _, module, name in self.named_buffers():
            setattr(module, name, change(getattr(module, name)))
        return self

    # State.

    def named_buffers(self) -> Iterator[tuple[str, Module, str]]:
        """Dotted name, module and attribute of all buffers that hold an array."""
        for prefix, module in self.named_modules():
            for name in module.buffers:
                if getattr(module, name) is not None:
                    yield dotted(prefix, name), module, name

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers, by their dotted names.

        Examples
        --------
        >>> import nn
        >>> {name: array.shape for name, array in nn.Linear(2, 3).state_dict().items()}
        {'weight': (2, 3), 'bias': (3,)}
        """
        return {name: np.array(array) for name, array in arrays_of(self).items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Write arrays into the parameters and buffers of the same names.

        Values are converted to the dtype of what they replace.  If a name is missing or
        unknown, or a shape differs, an `ArgumentValueError` names the parameter, and
        nothing is changed.

        Examples
        --------
        >>> import nn
        >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> model.load_state_dict(other.state_dict())
        >>> bool((model.weight.data == other.weight.data).all())
        True
        """
        checked = checked_state(state, arrays_of(self))
        for name, parameter in self.named_parameters():
            if isinstance(parameter.data, np.ndarray):
                parameter.data[...] = checked[name]
            else:
                parameter.data = checked[name].item()
        for name, module, attribute in self.named_buffers():
            setattr(module, attribute, checked[name])

    # Description.

    def summary(self, x: Any = None) -> Summary:
        """Layers, shapes, parameters and memory, as a `Summary` that prints as a table.

        The shapes of outputs are found from an input ``x``, samples first; a tuple for
        several inputs.

        Examples
        --------
        >>> import numpy as np, nn
        >>> nn.MLP(4, [8, 3]).summary(np.zeros((1, 4)))
        name   layer         output shape  parameters  memory
        -----------------------------------------------------
        0      Linear(4, 8)  (n, 8)                40   384 B
        1      relu          (n, 8)                 0    64 B
        2      Linear(8, 3)  (n, 3)                27   240 B
        -----------------------------------------------------
        total                                      67   688 B
        """
        return summarize(self, x)

    def configuration(self) -> dict[str, Any]:
        """The arguments of ``__init__`` that make a module like this one.

        Random generators and initializers are omitted: they act once only.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 3).configuration()
        {'n_in': 2, 'n_out': 3, 'use_bias': True, 'dtype': dtype('float64')}
        """
        return {
            name: getattr(self, name)
            for name in inspect.signature(type(self)).parameters
            if name not in self.unsaved_arguments and hasattr(self, name)
        }

    def to_onnx(self, graph: Any, x: str) -> Any:
        """Add this layer to an ONNX graph; return the name of its result.

        A class that defines it can be exported: ``graph.add("Relu", x)`` adds an
        operator and returns its result, ``graph.constant(array)`` an array.
        """
        raise ag.ArgumentValueError(
            f"export_onnx: a layer of class {type(self).__name__} cannot be exported; "
            "use the layers of nn, or define its method to_onnx"
        )

    def _arguments(self) -> str:
        """The arguments that differ from their defaults, as one would write them."""
        parameters = inspect.signature(type(self)).parameters
        return ", ".join(
            f"{name}={source_of(value)}"
            for name, value in self.configuration().items()
            if not isinstance(value, Parameter | Module)
            and not equals(value, parameters[name].default)
        )

    def __repr__(self) -> str:
        lines = [
            f"  {name}: " + repr(member).replace("\n", "\n  ")
            for name, member in self.members()
            if isinstance(member, Module)
        ]
        name = type(self).__name__
        if not lines:
            return f"{name}({self._arguments()})"
        return "\n".join([f"{name}(", *lines, ")"])


ModuleClass = TypeVar("ModuleClass", bound=type[Module])

layers: dict[str, type[Module]] = {}
"""The classes of nn by name, which files may name."""


def layer(cls: ModuleClass) -> ModuleClass:
    """Make a class known by its name, so that `from_config` and `load` build it."""
    layers[cls.__name__] = cls
    return cls


def dotted(prefix: str, name: str) -> str:
    """The name of a part within a module that is called ``prefix``, or nothing."""
    return f"{prefix}.{name}" if prefix else name


def move(array: Any, library: Any) -> Any:
    on_host = array.get() if hasattr(array, "get") else np.asarray(array)
    return on_host if library is np else library.asarray(on_host)


def members_of(name: str, attribute: Any) -> Iterator[tuple[str, Parameter | Module]]:
    if isinstance(attribute, Parameter | Module):
        yield name, attribute
    elif isinstance(attribute, list | tuple):
        for index, part in enumerate(attribute):
            yield from members_of(f"{name}.{index}", part)
    elif isinstance(attribute, dict):
        for key, part in attribute.items():
            yield from members_of(f"{name}.{key}", part)


def arrays_of(module: Module) -> dict[str, Array]:
    """All parameters and buffers by their dotted names, not copied."""
    arrays = {name: np.asarray(p.data) for name, p in module.named_parameters()}
    buffers = module.named_buffers()
    return arrays | {name: getattr(owner, attribute) for name, owner, attribute in buffers}


def checked_state(state: Mapping[str, Any], own: dict[str, Array]) -> dict[str, Array]:
    """The arrays of a state in the dtypes of a model's own, each of which it must hold."""
    checked = {name: checked_entry(name, state, own[name]) for name in own}
    for name in state:
        if name not in own:
            raise ag.ArgumentValueError(
                f"load_state_dict: {name!r} is in the state but not in the model, which has "
                f"{', '.join(own) or 'no parameters'}; build the model that was saved"
            )
    return checked


def checked_entry(name: str, state: Mapping[str, Any], own: Array) -> Array:
    if name not in state:
        raise ag.ArgumentValueError(
            f"load_state_dict: the state lacks {name!r} of shape {own.shape}; "
            "build the model that was saved"
        )
    array = np.asarray(state[name])
    if array.dtype.kind not in "fiu":
        raise ag.ArgumentValueError(
            f"load_state_dict: {name!r} has dtype {array.dtype} in the state; "
            f"it must hold real numbers, as {own.dtype} does"
        )
    if array.shape != own.shape:
        raise ag.ArgumentValueError(
            f"load_state_dict: {name!r} has shape {array.shape} in the state, but {own.shape} "
            "in the model; build the model that was saved"
        )
    return array.astype(own.dtype)


def equals(value: Any, default: Any) -> bool:
    if isinstance(value, np.dtype):
        return bool(value == np.dtype(default))
    return bool(value is default if callable(value) else value == default)


def source_of(value: Any) -> str:
    if callable(value):
        return str(getattr(value, "__name__", repr(value)))
    return str(value) if isinstance(value, np.dtype) else repr(value)
