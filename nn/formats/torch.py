"""Weights to and from PyTorch, by its names and in its layouts.

PyTorch itself is not needed: its tensors on the CPU are read as arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.models.module import Module, dotted

__all__ = ["load_torch_state_dict", "torch_state_dict"]

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
    counters = dict.fromkeys(torch_names(model, "counters_in_torch"), np.array(0))
    return transpose(model, model.state_dict()) | counters


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
    counters = torch_names(model, "counters_in_torch")
    arrays = {name: np.asarray(state[name]) for name in state if name not in counters}
    model.load_state_dict(transpose(model, arrays))


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
        for prefix, module in model.named_modules()
        for name in getattr(module, kind)
    }
