"""Weights to and from PyTorch, by its names and in its layouts.

PyTorch itself is not needed: its tensors on the CPU are read as arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.models.layers import Linear
from nn.models.module import Module
from nn.models.regularization import BatchNorm1d

__all__ = ["load_torch_state_dict", "torch_state_dict"]

COUNTER = "num_batches_tracked"


def torch_state_dict(model: Module) -> dict[str, np.ndarray[Any, Any]]:
    """The weights of a model as PyTorch's ``state_dict`` has them.

    The names are the same, if the PyTorch model is made of the same layers in
    the same order; weights of linear layers are transposed.

    Parameters
    ----------
    model : Module
        Any.

    Returns
    -------
    dict of array

    Examples
    --------
    With PyTorch installed,
    ``twin.load_state_dict({k: torch.tensor(v) for k, v in nn.torch_state_dict(model).items()})``.

    >>> import nn
    >>> {name: w.shape for name, w in nn.torch_state_dict(nn.MLP(2, [3, 1])).items()}
    {'0.weight': (3, 2), '0.bias': (3,), '2.weight': (1, 3), '2.bias': (1,)}
    """
    state = transposed(model, model.state_dict())
    for name, module in model.named_modules():
        if isinstance(module, BatchNorm1d):
            state[f"{name}.{COUNTER}" if name else COUNTER] = np.array(0)
    return state


def load_torch_state_dict(model: Module, state: Mapping[str, Any]) -> None:
    """Write the weights of a PyTorch model into a model of the same layers.

    Parameters
    ----------
    model : Module
        Is changed only if all fits.
    state : mapping of tensors or arrays
        What ``state_dict()`` of the PyTorch model returned.

    Raises
    ------
    ArgumentValueError
        If a name is missing or unknown, or a shape differs; the message names
        the parameter.

    Examples
    --------
    >>> import nn
    >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> nn.load_torch_state_dict(model, nn.torch_state_dict(other))
    >>> bool((model.weight.data == other.weight.data).all())
    True
    """
    arrays = {
        name: np.asarray(tensor)
        for name, tensor in state.items()
        if name.rpartition(".")[2] != COUNTER
    }
    model.load_state_dict(transposed(model, arrays))


def transposed(
    model: Module, arrays: dict[str, np.ndarray[Any, Any]]
) -> dict[str, np.ndarray[Any, Any]]:
    """The same arrays, those that are weights of linear layers transposed."""
    linear = {
        f"{name}.weight" if name else "weight"
        for name, module in model.named_modules()
        if isinstance(module, Linear)
    }
    return {
        name: np.ascontiguousarray(array.T) if name in linear else array
        for name, array in arrays.items()
    }
