"""Module: a model or a part of one.

There is no registration: a module finds its parameters by looking at its own
attributes, so what is assigned is what is trained.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from reprlib import recursive_repr
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.checks import Range, as_array, beside, check_flags, check_range, host_array
from nn.models.buffers import as_buffer
from nn.models.fingerprint import Fingerprint, fingerprint
from nn.models.hooks import Hooked
from nn.models.parameter import Parameter, in_dtype
from nn.models.summary import Summary, summarize

__all__ = ["Module", "Parameter", "Unmatched"]

Array = np.ndarray[Any, Any]


def not_defined(self: Module, *inputs: Any, **named: Any) -> Any:
    """Compute the outputs; every subclass defines it."""
    raise NotImplementedError(f"{type(self).__name__} does not define forward")


class Module(Hooked):
    """Base class of layers and models.

    A subclass assigns parameters, other modules, or sequences and mappings of them to
    attributes in ``__init__`` and computes in ``forward``.  If an argument of
    ``__init__`` is kept in an attribute of its own name, ``repr`` shows it.

    Attributes
    ----------
    training : bool
        Whether layers such as `Dropout` behave as in training; see `train`.
    frozen : bool
        Whether it stays as in use when a model is trained; see `freeze`.
    buffers : tuple of str
        Class attribute: names of array attributes that are not parameters but
        part of the state, such as running averages; a number becomes an array.

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
    frozen: bool = False
    buffers: ClassVar[tuple[str, ...]] = ()
    unsaved_arguments: ClassVar[frozenset[str]] = frozenset({"rng", "initializer"})
    has_parameters: ClassVar[bool] = True  # of the sizes that it is made with, if any
    transposed_in_torch: ClassVar[tuple[str, ...]] = ()  # parameters
    counters_in_torch: ClassVar[tuple[str, ...]] = ()  # numbers that only PyTorch saves
    read_when_made: ClassVar[tuple[str, ...]] = ()  # arguments that parameters and parts came from
    setting_ranges: ClassVar[Mapping[str, Range]] = {}  # when it is made, and later

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if vars(cls).get("__slots__"):
            raise ag.ArgumentTypeError(
                f"{cls.__name__} has __slots__, in which parameters are neither found nor saved; "
                "leave __slots__ out"
            )

    # Declared so that a subclass may take whatever inputs it likes.
    forward: Callable[..., Any] = not_defined

    def __call__(self, /, *inputs: Any, **named: Any) -> Any:
        """Compute the outputs, as ``forward`` defines them; inputs may have its names."""
        try:
            output = self.forward(*inputs, **named)
        except TypeError:
            check_inputs(self, inputs, named)
            raise  # from within
        return self._call_hooks((*inputs, *named.values()), output) if self.has_hooks else output

    # What it is made of.

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would not be trained, saved or read, though it looks as if it were."""
        check_assignment(self, name, value)
        if name in self.buffers:
            value = as_buffer(self, name, value)
        object.__setattr__(self, name, value)

    def members(self) -> Iterator[tuple[str, Parameter | Module]]:
        """The parameters and modules held directly, by name."""
        for name, attribute in list(vars(self).items()):  # another thread may add one
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
        set_mode(self, mode)
        return self

    def eval(self) -> Self:
        """Set this module and all within to behave as in use; see `train`."""
        return self.train(False)

    def freeze(self) -> Self:
        """Train nothing in this module and all within; they stay as in use, also in `fit`.

        No parameter gets a gradient, running averages stay, and nothing is dropped.  Freeze
        the part that was trained before, and train what is on top of it.

        Examples
        --------
        >>> import nn
        >>> model = nn.MLP(2, [3, 1])
        >>> body = model[0].freeze()
        >>> model.train()[0].training, body.weight.requires_grad
        (False, False)
        """
        set_frozen(self, True)
        return self

    def unfreeze(self) -> Self:
        """Train all parameters of this module and all within again; see `freeze`."""
        set_frozen(self, False)
        return self

    def astype(self, dtype: DTypeLike) -> Self:
        """Convert parameters and buffers to a float dtype, in this module and all within.

        Examples
        --------
        >>> import numpy as np, nn
        >>> nn.Linear(2, 3).astype(np.float32).weight.dtype
        dtype('float32')
        """
        dtype = checked_dtype(self, dtype)
        for _, module in self.named_modules():
            if hasattr(module, "dtype"):
                object.__setattr__(module, "dtype", dtype)
        return self._replace_arrays(lambda array: array.astype(dtype, copy=False))

    def to(self, library: Any) -> Self:
        """Move parameters and buffers to the arrays of a library: ``cupy``, and back to ``numpy``.

        Any module will do that has a function ``asarray`` whose arrays speak NumPy's
        protocols.  Gradients are forgotten.  An optimizer takes its state along at its
        next step.

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

    def __fingerprint__(self) -> Fingerprint:
        """All that ``forward`` may read, but for numbers of parameters; see `fingerprint`."""
        return fingerprint(self)

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

    def load_state_dict(self, state: Mapping[str, Any], *, strict: bool = True) -> Unmatched | None:
        """Write arrays into the parameters and buffers of the same names.

        Values are converted to the dtype of what they replace.  If a shape differs, or, where
        this is ``strict``, a name is missing or unknown, an `ArgumentValueError` names it, and
        nothing is changed.  Otherwise the names that have no match are returned.

        Examples
        --------
        >>> import nn
        >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> model.load_state_dict(other.state_dict())
        >>> bool((model.weight.data == other.weight.data).all())
        True
        """
        return load_state(self, state, strict)

    # Description.

    def summary(self, x: Any = None) -> Summary:
        """Layers, shapes, parameters and memory, as a `Summary` that prints as a table.

        Shapes of outputs are found from an input ``x``, samples first; several in a tuple or dict.

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
        """The arguments of ``__init__`` that are kept in attributes of their names.

        Random generators and initializers are omitted: they act once only.

        Examples
        --------
        >>> import nn
        >>> nn.Linear(2, 3).configuration()
        {'in_features': 2, 'out_features': 3, 'use_bias': True, 'dtype': dtype('float64')}
        """
        return {
            name: getattr(self, name)
            for name in inspect.signature(type(self)).parameters
            if name not in self.unsaved_arguments and hasattr(self, name)
        }

    def _arguments(self) -> str:
        """The arguments that differ from their defaults, as one would write them."""
        parameters = inspect.signature(type(self)).parameters
        return ", ".join(
            f"{name}={source_of(value)}"
            for name, value in self.configuration().items()
            if not isinstance(value, Parameter | Module)
            and not equals(value, parameters[name].default)
        )

    @recursive_repr("...")
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


LEAVES = frozenset({bool, int, float, str, type(None), np.ndarray, np.random.Generator})
"""What most attributes are, seen at once to hold no modules."""

ATOMS = (str, bytes, bytearray, memoryview, range)
"""Sequences that hold no modules."""


def move(array: Any, library: Any) -> Any:
    on_host = host_array(array)
    return on_host if library is np else library.asarray(on_host)


def members_of(name: str, attribute: Any) -> Iterator[tuple[str, Parameter | Module]]:
    if attribute.__class__ in LEAVES:
        return
    if isinstance(attribute, Parameter | Module):
        yield name, attribute
        return
    # A stack of the containers that are being read: they may be deep, or hold themselves.
    reading: list[tuple[Any, Iterator[tuple[str, Any]]]] = [(attribute, parts_of(name, attribute))]
    while reading:
        for inner, part in reading[-1][1]:
            if part.__class__ in LEAVES:
                continue
            if isinstance(part, Parameter | Module):
                yield inner, part
            elif all(part is not container for container, _ in reading):
                reading.append((part, parts_of(inner, part)))
                break
        else:
            reading.pop()


def parts_of(name: str, container: Any) -> Iterator[tuple[str, Any]]:
    """What a container holds, by names; nothing of what is none."""
    if isinstance(container, Mapping):
        return ((f"{name}.{key}", part) for key, part in container.items())
    if isinstance(container, Sequence) and not isinstance(container, ATOMS):
        return ((f"{name}.{index}", part) for index, part in enumerate(container))
    return iter(())


def check_assignment(module: Module, name: str, value: Any) -> None:
    """Refuse what would be neither trained, saved nor read, and numbers out of their range."""
    if name in type(module).setting_ranges:
        check_range(type(module).__name__, type(module).setting_ranges[name], **{name: value})
    if name in type(module).read_when_made and hasattr(module, name) and module.shapes_known():
        check_setting(module, name, value)
    if isinstance(vars(module).get(name), Parameter) and not (
        value is None or isinstance(value, Parameter | Module)
    ):
        raise ag.ArgumentTypeError(
            f"{type(module).__name__}.{name} is a Parameter, and {type(value).__name__} is none, "
            f"so it would not be trained; write .{name} = nn.Parameter(...), or put the "
            f"numbers into .{name}.data[...]"
        )
    if hides_members(value):
        raise ag.ArgumentTypeError(
            f"{type(module).__name__}.{name} is {type(value).__name__} that holds modules or "
            "parameters, which are not found in there; use a list, a tuple or a dict"
        )


def check_setting(module: Module, name: str, value: Any) -> None:
    """Refuse another value of an argument that was read when the module was made."""
    before = getattr(module, name)
    if not equals(before, value):
        kind = type(module).__name__
        instead = "call astype(...)" if name == "dtype" else f"make another {kind}"
        raise ag.ArgumentTypeError(
            f"{kind}.{name} was {before!r} when the {kind} was made, and {value!r} would not be "
            f"read any more; {instead}"
        )


def check_inputs(module: Module, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
    """Refuse inputs that ``forward`` does not take so many of, or has no names for."""
    signature = inspect.signature(module.forward)
    try:
        signature.bind(*inputs, **named)
    except TypeError as error:
        given, advice = f"the inputs are named {', '.join(named)}", "name them alike"
        if not named:
            given = "there is one input" if len(inputs) == 1 else f"there are {len(inputs)} inputs"
            advice = "pass as many, several to fit and predict in a tuple, or by name in a dict"
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        raise ag.ArgumentTypeError(
            f"{type(module).__name__}: {error}; {given}, and forward takes "
            f"{inspect.Signature(bare)}: {advice}"
        ) from None


def set_mode(root: Module, mode: bool) -> None:
    """Set the modes of a module and of all within, by their own ``train`` where they have one."""
    rest: list[Module] = [root]
    seen: set[int] = set()
    while rest:
        module = rest.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        if module is not root and type(module).train is not Module.train:
            module.train(mode)  # what it overrides holds for all within
            seen |= {id(part) for _, part in module.named_modules()}
        else:
            module.training = mode and not module.frozen
            rest += [part for _, part in module.members() if isinstance(part, Module)]


def set_frozen(root: Module, frozen: bool) -> None:
    """Freeze or unfreeze a module, all within, and their parameters."""
    for _, module in root.named_modules():
        module.frozen = frozen
        module.training = module.training and not frozen
    for parameter in root.parameters():
        parameter.requires_grad = not frozen


def hides_members(value: Any) -> bool:
    """Whether something holds modules or parameters in which `members_of` does not look."""
    if isinstance(value, set | frozenset):
        parts = list(value)
    elif isinstance(value, np.ndarray):
        parts = value.ravel().tolist() if value.dtype == object else []
    elif isinstance(value, SimpleNamespace) or is_dataclass(value):
        parts = [] if isinstance(value, Module | type) else list(vars(value).values())
    else:
        return False
    return any(True for _ in members_of("", parts))


def arrays_of(module: Module) -> dict[str, Array]:
    """All parameters and buffers by their dotted names, not copied; fetched from a device."""
    arrays = {name: host_array(p.data) for name, p in module.named_parameters()}
    buffers = module.named_buffers()
    return arrays | {name: host_array(getattr(owner, at)) for name, owner, at in buffers}


def checked_dtype(module: Module, dtype: DTypeLike) -> np.dtype[Any]:
    """A float dtype, refused if a finite number of the module would be infinite in it."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise ag.ArgumentTypeError(
            f"astype: a model computes in a float dtype, not {dtype}; pass np.float32 or np.float64"
        )
    for name, array in arrays_of(module).items():
        in_dtype(array, dtype, f"astype: {name!r}")
    return dtype


class Unmatched(NamedTuple):
    """Names of a model that a state lacks, and names in it that the model does not have.

    Examples
    --------
    >>> import nn
    >>> nn.Linear(2, 3).load_state_dict({"scale": [1.0]}, strict=False)
    Unmatched(missing=['weight', 'bias'], unexpected=['scale'])
    """

    missing: list[str]
    unexpected: list[str]


def load_state(module: Module, state: Mapping[str, Any], strict: bool) -> Unmatched | None:
    """Write the arrays of a state into a module, once all are known to fit."""
    check_flags("load_state_dict", strict=strict)
    if not isinstance(state, Mapping):
        raise ag.ArgumentTypeError(
            f"load_state_dict: the state is {type(state).__name__}; pass a dict of arrays by name"
        )
    own = arrays_of(module)
    if strict:
        for name in state:
            if name not in own:
                raise ag.ArgumentValueError(
                    f"load_state_dict: {name!r} is in the state but not in the model, which has "
                    f"{', '.join(own) or 'no parameters'}; build the model that was saved"
                )
    names = [name for name in own if strict or name in state]
    checked = {name: checked_entry(name, state, own[name]) for name in names}
    for name, parameter in module.named_parameters():
        if name not in checked:
            continue
        if isinstance(parameter.data, float | int):
            parameter.data = checked[name].item()
        else:
            parameter.data[...] = beside(parameter.data, checked[name])
    for name, owner, attribute in module.named_buffers():
        if name in checked:
            setattr(owner, attribute, beside(getattr(owner, attribute), checked[name]))
    if strict:
        return None
    unexpected = [name for name in state if name not in own]
    return Unmatched([name for name in own if name not in state], unexpected)


def checked_entry(name: str, state: Mapping[str, Any], own: Array) -> Array:
    if name not in state:
        raise ag.ArgumentValueError(
            f"load_state_dict: the state lacks {name!r} of shape {own.shape}; "
            "build the model that was saved"
        )
    array = as_array(f"load_state_dict: {name!r}", without_graph(state[name]))
    if not np.can_cast(array.dtype, own.dtype, "same_kind"):
        raise ag.ArgumentValueError(
            f"load_state_dict: {name!r} has dtype {array.dtype} in the state; "
            f"it must hold numbers that fit into {own.dtype}, as in the model"
        )
    if array.shape != own.shape:
        raise ag.ArgumentValueError(
            f"load_state_dict: {name!r} has shape {array.shape} in the state, but {own.shape} "
            "in the model; build the model that was saved"
        )
    fitting: Array = in_dtype(array, own.dtype, f"load_state_dict: {name!r}")
    return fitting.copy()


def without_graph(weights: Any) -> Any:
    """Weights of a module of PyTorch that are still parameters there, as numbers."""
    return weights.detach() if hasattr(weights, "detach") else weights


def equals(value: Any, default: Any) -> bool:
    if isinstance(value, np.dtype):
        return bool(value == np.dtype(default))
    if hasattr(value, "__array__") or hasattr(default, "__array__"):
        return bool(np.array_equal(value, default))
    return bool(value is default if callable(value) else value == default)


def source_of(value: Any) -> str:
    if callable(value):
        return str(getattr(value, "__name__", repr(value)))
    return str(value) if isinstance(value, np.dtype) else repr(value)
