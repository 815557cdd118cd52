"""Containers: modules made of others, side by side and one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.activations import activations
from nn.checks import check_dtype, generator_of
from nn.initializers import Initializer, find_initializer, for_activation, glorot_uniform
from nn.models.layers import Activation, Linear, RandomState
from nn.models.module import Module, Parameter, layer, members_of

__all__ = ["MLP", "Concatenate", "Residual", "Sequential"]


def as_module(part: Module | Callable[..., Any] | str) -> Module:
    """A part of a container, a function or the name of one as an `Activation`."""
    if isinstance(part, list | tuple):
        raise ag.ArgumentTypeError(
            f"a {type(part).__name__} of layers is no layer; pass them one by one, as in "
            "nn.Sequential(*layers)"
        )
    return part if isinstance(part, Module) else Activation(part)


@layer
class Residual(Module):
    """Add the input to what a module makes of it, in the same shape: x + module(x).

    K. He et al., "Deep residual learning for image recognition" (2016).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Residual(nn.Activation("relu"))(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    def __init__(self, module: Module | Callable[..., Any] | str) -> None:
        self.module = as_module(module)

    def forward(self, x: Any) -> Any:
        """Add the input to the output."""
        out = self.module(x)
        if np.shape(out) != np.shape(x):
            raise ag.ArgumentValueError(
                f"Residual: the input has shape {np.shape(x)}, but the output of the module has "
                f"shape {np.shape(out)}; both must be equal to be added"
            )
        return x + out

    def to_onnx(self, graph: Any, x: str) -> Any:
        return graph.add("Add", *graph.as_floats(x), graph.apply(self.module, x))


@layer
class Concatenate(Module):
    """Branches side by side, whose outputs are joined along the last axis.

    Outputs of shapes (..., n_1), (..., n_2), … give shape (..., n_1 + n_2 + …).
    Called with one input, all branches get it; with as many as there are branches,
    each gets its own.  ``Concatenate(wide, deep)`` under a `Linear` is the wide-and-deep
    network (H. Cheng et al., "Wide & deep learning for recommender systems", 2016).

    Parameters
    ----------
    *branches : Module, callable or str
        Functions and names of activations become `Activation` layers.
    **named : Module, callable or str
        Branches whose inputs are given by name, as `fit` does with those of a dict.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Sequential(nn.Concatenate("identity", nn.MLP(4, [8, 3])), nn.Linear(7, 1))
    >>> model(np.zeros((5, 4))).shape
    (5, 1)
    >>> joined = nn.Concatenate(wide="identity", deep=nn.MLP(4, [8, 3]))
    >>> joined(wide=np.zeros((5, 2)), deep=np.zeros((5, 4))).shape
    (5, 5)
    """

    names: Sequence[str] = ()  # in files that are older

    def __init__(
        self,
        /,
        *branches: Module | Callable[..., Any] | str,
        **named: Module | Callable[..., Any] | str,
    ) -> None:
        if not branches and not named:
            raise ag.ArgumentTypeError("Concatenate: there is no branch; pass at least one")
        if branches and named:
            raise ag.ArgumentTypeError(
                "Concatenate: some branches have names and others have none; name all or none"
            )
        self.branches = [as_module(branch) for branch in (*branches, *named.values())]
        self.names = list(named)

    def forward(self, /, *inputs: Any, **named: Any) -> Any:
        """Join the outputs of the branches."""
        if named and not inputs and named.keys() == set(self.names):
            inputs = tuple(named[name] for name in self.names)
        elif named:
            raise ag.ArgumentTypeError(
                f"Concatenate: the inputs are named {', '.join(named)}, but the branches "
                f"{', '.join(self.names) or 'have no names'}; name them alike"
            )
        if len(inputs) not in (1, len(self.branches)):
            raise ag.ArgumentValueError(
                f"Concatenate: there are {len(inputs)} inputs for {len(self.branches)} branches; "
                "pass one for all, or one for each"
            )
        if len(inputs) == 1:
            inputs *= len(self.branches)
        outputs = [branch(x) for branch, x in zip(self.branches, inputs, strict=True)]
        return np.concatenate(outputs, axis=-1)

    def to_onnx(self, graph: Any, *inputs: str) -> Any:
        if len(inputs) == 1:
            inputs *= len(self.branches)
        outputs = [graph.apply(*pair) for pair in zip(self.branches, inputs, strict=True)]
        return graph.add("Concat", *outputs, axis=-1)


@layer
class Sequential(Module):
    """Layers one after the other; functions and names of activations become `Activation`.

    Takes what its first layer takes and returns what its last layer returns;
    ``model[i]`` is the layer ``i``, a slice is a Sequential of the same layers;
    ``model[i] = layer`` exchanges it, ``append`` and ``insert`` add others, ``del`` removes.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Sequential(nn.Linear(3, 4), np.tanh, nn.Linear(4, 2))
    >>> model(np.zeros((5, 3))).shape
    (5, 2)
    >>> model
    Sequential(
      0: Linear(3, 4)
      1: tanh
      2: Linear(4, 2)
    )
    """

    def __init__(self, *layers: Module | Callable[..., Any] | str) -> None:
        self.layers = [as_module(part) for part in layers]

    def forward(self, /, *inputs: Any, **named: Any) -> Any:
        """Apply the layers in order; only the first may take several inputs, or named ones."""
        x: Any = inputs[0] if inputs else None
        for index, part in enumerate(self.layers):
            x = part(x) if index else part(*inputs, **named)
        return x

    def to_onnx(self, graph: Any, *inputs: str) -> Any:
        x: Any = inputs[0]
        for index, part in enumerate(self.layers):
            x = graph.apply(part, x) if index else graph.apply(part, *inputs)
        return x

    def members(self) -> Iterator[tuple[str, Parameter | Module]]:
        """The layers, by their positions, and what a subclass holds besides."""
        for index, part in enumerate(self.layers):
            yield str(index), part
        for name, attribute in vars(self).items():
            if name != "layers":
                yield from members_of(name, attribute)

    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        return self.layers[index]

    def __setitem__(self, index: int, part: Module | Callable[..., Any] | str) -> None:
        if isinstance(index, slice):
            raise ag.ArgumentTypeError(
                f"{type(self).__name__}: {index!r} names several layers; exchange them one by one, "
                "model[0] = layer, or use append, insert and del"
            )
        self.layers[index] = as_module(part)

    def __delitem__(self, index: int | slice) -> None:
        del self.layers[index]

    def append(self, part: Module | Callable[..., Any] | str) -> Self:
        """Add a layer after the last one."""
        return self.insert(len(self.layers), part)

    def insert(self, index: int, part: Module | Callable[..., Any] | str) -> Self:
        """Add a layer before the one at a position."""
        self.layers.insert(index, as_module(part))
        return self

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)


@layer
@ag.deprecation.renamed_fields(n_in="in_features", n_outs="layer_sizes")
class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation between them.

    The last layer has no activation: it gives numbers to regress with, or logits for
    the losses.  Input of shape (..., in_features) gives output of shape (..., layer_sizes[-1]).

    Parameters
    ----------
    in_features : int or None
        Number of features of the input; None takes it from the first input.
    layer_sizes : sequence of int
        Numbers of units, one for each layer; the last is the output's.
    activation : str or callable
        Between the layers.
    initializer : callable or str, optional
        Draws the weights; by default what suits the activation.
    rng, dtype
        As for `Linear`, whose errors are raised too.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.MLP(2, [16, 16, 1], activation="tanh", rng=0)
    >>> model(np.zeros((20, 2))).shape
    (20, 1)
    """

    read_when_made = ("in_features", "layer_sizes", "activation", "initializer", "dtype")

    def __init__(
        self,
        in_features: int | None,
        layer_sizes: Sequence[int],
        *,
        activation: str | Callable[..., Any] = "relu",
        initializer: Initializer | str | None = None,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if isinstance(layer_sizes, str) or np.ndim(layer_sizes) != 1 or not len(layer_sizes):
            raise ag.ArgumentValueError(
                f"MLP: layer_sizes is {layer_sizes!r}; it must list the sizes of the layers, "
                "for instance [16, 1]"
            )
        self.layer_sizes = [int(n) for n in layer_sizes]
        self.activation = activations.find(activation)
        self.initializer = None if initializer is None else find_initializer("MLP", initializer)
        self.dtype = check_dtype("MLP", dtype)
        rng = generator_of("MLP", rng)
        hidden = for_activation(getattr(self.activation, "__name__", None))
        layers: list[Module] = []
        for index, (fan_in, fan_out) in enumerate(pairwise([in_features, *layer_sizes])):
            last = index == len(layer_sizes) - 1
            draw = self.initializer or (glorot_uniform if last else hidden)
            layers.append(Linear(fan_in, fan_out, initializer=draw, rng=rng, dtype=dtype))
            if not last:
                layers.append(Activation(self.activation))
        super().__init__(*layers)

    to_onnx = Sequential.to_onnx

    @property
    def in_features(self) -> int | None:
        """The number of features of the input; None before the first, if it was omitted."""
        first: Any = next(iter(self.layers), None)
        if not hasattr(first, "in_features"):
            raise ag.MissingAttributeError(
                f"MLP.in_features: the first layer is {first!r} now, which does not know it; ask "
                "the layer that does, as in model[1].in_features"
            )
        found: int | None = first.in_features
        return found
