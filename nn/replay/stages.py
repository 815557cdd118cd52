"""What a page can replay of a model: its layers, one after the other, as plain descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import registered_name
from nn.models.containers import Sequential
from nn.models.layers import Activation, Flatten, Linear, PReLU
from nn.models.module import Module
from nn.models.regularization import Dropout

__all__ = ["REPLAYED", "Layer", "Network", "network_of"]

REPLAYED = {
    "identity": set(), "heaviside": set(), "sign": set(), "sigmoid": set(), "tanh": set(),
    "relu": set(), "softplus": set(), "hard_sigmoid": set(), "hard_tanh": set(), "relu6": set(),
    "leaky_relu": {"slope"}, "elu": {"alpha"}, "selu": set(), "gelu": {"approximate"},
    "silu": set(), "mish": set(), "softsign": set(), "glu": {"axis"}, "softmax": {"axis"},
    "log_softmax": {"axis"},
}  # fmt: skip
"""The activations that template/replay.js knows, with the options that it takes."""


@dataclass
class Layer:
    """A Linear layer and the activations that follow it; parameters by their places in a frame."""

    name: str
    in_features: int
    out_features: int
    weight: int
    bias: int | None
    is_frozen: bool
    activations: list[dict[str, Any]] = field(default_factory=list)
    units: int = 0

    def __post_init__(self) -> None:
        self.units = self.out_features


@dataclass
class Network:
    """The layers of a model, and where each of its parameters lies in a frame."""

    layers: list[Layer]
    parameters: list[Any]
    is_flattened: bool

    @property
    def size(self) -> int:
        """How many numbers the parameters are in all."""
        return int(sum(np.size(p.data) for p in self.parameters))

    def describes_the_same_as(self, other: Network) -> bool:
        """Whether these are the same parameters in the same layers, frozen or not."""
        layers = [replace(layer, is_frozen=False) for layer in (*self.layers, *other.layers)]
        half = len(self.layers)
        return (
            self.is_flattened == other.is_flattened
            and layers[:half] == layers[half:]
            and [*map(id, self.parameters)] == [*map(id, other.parameters)]
        )

    def flat(self, arrays: list[Any]) -> Any:
        """Arrays, one for each parameter, as one row of float32."""
        row = np.concatenate([np.ravel(array) for array in arrays])
        with np.errstate(over="ignore"):  # what float32 has no number for is no replay, either
            return row.astype(np.float32)


def network_of(model: Module) -> Network:
    """What a page replays of a model; all else is refused by its name."""
    parameters = [parameter for _, parameter in model.named_parameters()]
    ends = np.cumsum([0, *(np.size(p.data) for p in parameters)]).tolist()
    places = {id(p): end for p, end in zip(parameters, ends, strict=False)}
    network = Network([], parameters, False)
    for name, part in parts_of("", model):
        add(network, places, name, part)
    if not network.layers:
        raise ag.ArgumentValueError(
            "Playback: the model has no Linear layer, so that there is nothing to watch; record "
            "the training of a model such as nn.MLP(2, [8, 2])"
        )
    return network


def parts_of(name: str, module: Module) -> Iterator[tuple[str, Module]]:
    """The modules that are applied one after the other, with their names."""
    if module.has_hooks:
        raise refusal(name, module, "has hooks, which the page could not call; remove them")
    if type(module).forward is not Sequential.forward:
        yield name, module
        return
    assert isinstance(module, Sequential)
    for index, part in enumerate(module.layers):
        yield from parts_of(f"{name}.{index}" if name else str(index), part)


def add(network: Network, places: dict[int, int], name: str, part: Module) -> None:
    """Take up the next part of a model."""
    kind = type(part)
    if kind.forward is Dropout.forward:
        return
    if kind.forward is Flatten.forward:
        network.is_flattened = True
    elif kind.forward is Linear.forward:
        network.layers.append(linear(places, name, part))
    elif kind.forward in (Activation.forward, PReLU.forward):
        if not network.layers:
            raise refusal(name, part, "stands before the first Linear layer; put it behind one")
        layer = network.layers[-1]
        described = activation(places, name, part)
        layer.units = layer.units // 2 if described["name"] == "glu" else layer.units
        layer.activations.append(described)
    else:
        raise refusal(
            name, part,
            "is none of Linear, the activations of nn, PReLU, Dropout, Flatten and Sequential, "
            "which the page can replay; leave Playback out, or use these",
        )  # fmt: skip


def linear(places: dict[int, int], name: str, part: Any) -> Layer:
    """The description of a Linear layer."""
    bias = None if part.bias is None else places[id(part.bias)]
    sizes = int(part.in_features), int(part.out_features)
    is_frozen = not part.weight.requires_grad
    return Layer(name or "0", *sizes, places[id(part.weight)], bias, is_frozen)


def activation(places: dict[int, int], name: str, part: Any) -> dict[str, Any]:
    """The description of an activation: its name, options, and where its slopes lie."""
    if isinstance(part, PReLU):
        return {"name": "prelu", "slopes": places[id(part.weight)], "count": int(part.in_features)}
    known = "tanh" if part.function is np.tanh else registered_name(part.function)
    if known not in REPLAYED or part.options.keys() - REPLAYED[known]:
        raise refusal(
            name, part,
            "is an activation of your own, which the page does not know; use one of "
            f"{', '.join(REPLAYED)}",
        )  # fmt: skip
    if part.options.get("axis", -1) not in (-1, 1):
        raise refusal(name, part, "runs along the samples; pass axis=-1")
    return {"name": known, **{k: v for k, v in part.options.items() if k != "axis"}}


def refusal(name: str, part: Any, why: str) -> ag.ArgumentValueError:
    """The error for what cannot be replayed."""
    where = f"layer {name!r}, {type(part).__name__}," if name else f"the model, {part!r},"
    return ag.ArgumentValueError(f"Playback: {where} {why}")
