"""Weights to and from PyTorch, by its names and in its layouts.

PyTorch itself is not needed: its tensors on the CPU are read as arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import as_array
from nn.models.module import Module, Parameter, dotted, without_graph
from nn.training.data import check_model

__all__ = ["from_torch", "load_torch_state_dict", "torch_state_dict"]

Array = np.ndarray[Any, Any]


def torch_state_dict(model: Module) -> dict[str, Array]:
    """The weights of a model as PyTorch's ``state_dict`` has them.

    The names are the same, if the PyTorch model is made of the same layers in
    the same order; weights of linear layers are transposed.

    Examples
    --------
    With PyTorch installed,
    ``twin.load_state_dict({k: torch.tensor(v) for k, v in nn.torch_state_dict(model).items()})``.

    >>> import nn
    >>> {name: w.shape for name, w in nn.torch_state_dict(nn.MLP(2, [3, 1])).items()}
    {'0.weight': (3, 2), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}
    """
    check_model("torch_state_dict", model)
    counters = dict.fromkeys(torch_names(model, "counters_in_torch"), np.array(0))
    state: dict[str, Array] = model.state_dict()
    state |= {name: state[own] for name, own in other_names(model).items()}
    return transpose(model, state) | counters


def load_torch_state_dict(model: Module, state: Mapping[str, Any]) -> None:
    """Write the weights of a PyTorch model into a model of the same layers.

    ``state`` is what ``state_dict()`` of the PyTorch model returned, in tensors or
    arrays.  If a name is missing or unknown, or a shape differs, an
    `ArgumentValueError` names the parameter, and the model is not changed.

    Examples
    --------
    >>> import nn
    >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> nn.load_torch_state_dict(model, nn.torch_state_dict(other))
    >>> bool((model.weight.data == other.weight.data).all())
    True
    """
    check_model("load_torch_state_dict", model)
    if not isinstance(state, Mapping):
        raise ag.ArgumentTypeError(
            f"load_torch_state_dict: the weights are {type(state).__name__}; pass a dict of "
            "arrays, what .state_dict() of a model of PyTorch returns"
        )
    arrays = {
        name: as_array(f"load_torch_state_dict: {name!r}", without_graph(weights))
        for name, weights in state.items()
    }
    model.load_state_dict(from_torch(model, arrays))


def from_torch(model: Module, arrays: dict[str, Array]) -> dict[str, Array]:
    """Arrays of PyTorch's as this model has them, without what only PyTorch counts."""
    counters = torch_names(model, "counters_in_torch")
    found = transpose(model, {k: array for k, array in arrays.items() if k not in counters})
    for name, own in other_names(model).items():
        if name not in found:
            continue
        array = found.pop(name)
        if not np.array_equal(found.setdefault(own, array), array, equal_nan=True):
            raise ag.ArgumentValueError(
                f"{name!r} and {own!r} are one parameter in the model, and two with different "
                "numbers in the state; load it into a model that does not share it"
            )
    return found


def other_names(model: Module) -> dict[str, str]:
    """Further names of what is shared, each of which PyTorch writes down, and ours for it."""
    own: dict[Any, str] = {id(p): name for name, p in model.named_parameters()}
    own |= {(id(module), part): name for name, module, part in model.named_buffers()}
    found = {}
    for prefix, module in all_modules(model):
        parts = [(part, id(p)) for part, p in module.members() if isinstance(p, Parameter)]
        for part, key in [*parts, *((part, (id(module), part)) for part in module.buffers)]:
            name = dotted(prefix, part)
            if own.get(key, name) != name:
                found[name] = own[key]
    return found


def all_modules(model: Module) -> Iterator[tuple[str, Module]]:
    """Modules by all their names, also those that are met a second time."""
    stack: list[tuple[str, Module, tuple[Module, ...]]] = [("", model, ())]
    while stack:
        prefix, module, above = stack.pop()
        yield prefix, module
        around = (*above, module)
        stack += [
            (dotted(prefix, part), member, around)
            for part, member in module.members()
            if isinstance(member, Module) and not any(member is one for one in around)
        ]


def transpose(model: Module, arrays: dict[str, Array]) -> dict[str, Array]:
    """The same arrays, those that PyTorch holds transposed as it does, or back again."""
    names = torch_names(model, "transposed_in_torch")
    return {
        name: np.ascontiguousarray(array.T) if name in names else array
        for name, array in arrays.items()
    }


def torch_names(model: Module, kind: str) -> set[str]:
    """Dotted names of what the modules of a model list under an attribute of this name."""
    return {
        dotted(prefix, name)
        for prefix, module in all_modules(model)
        for name in getattr(module, kind)
    }
