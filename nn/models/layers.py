"""Layers: what models are put together from.

The last axis of an input holds its features, all axes before it samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.activations import activations, prelu
from nn.initializers import Initializer, for_activation, glorot_uniform, normal
from nn.models.module import Module, Parameter

__all__ = [
    "MLP",
    "Activation",
    "Concatenate",
    "Embedding",
    "Flatten",
    "Linear",
    "PReLU",
    "RandomState",
    "Residual",
    "Sequential",
]

RandomState = np.random.Generator | int | None
"""A generator, a seed for one, or None for fresh randomness."""


class Linear(Module):
    """An affine map: ``x @ weight + bias``.

    Parameters
    ----------
    n_in : int, optional
        Number of features of the input; taken from the first input if left out.
    n_out : int
        Number of features of the output.
    use_bias : bool
        Whether a bias is added.
    initializer : callable
        Draws the weight; see `nn.initializers`.  The bias starts at zero.
    rng : numpy.random.Generator or int, optional
        The source of randomness, or a seed for one.
    dtype
        Float dtype of the parameters.  Plain arrays are converted to it.

    Attributes
    ----------
    weight : Parameter, shape (n_in, n_out)
    bias : Parameter, shape (n_out,)

    Raises
    ------
    ArgumentValueError
        If a size is not a positive integer, or an input has another number of
        features.

    Notes
    -----
    Input of shape (..., n_in) gives output of shape (..., n_out).

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Linear(3, 2, rng=0)
    >>> layer(np.zeros((5, 3))).shape
    (5, 2)
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        n_in: int | None = None,
        n_out: int | None = None,
        *,
        use_bias: bool = True,
        initializer: Initializer = glorot_uniform,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if n_out is None:
            raise ag.ArgumentValueError(
                "Linear: n_out is missing; write Linear(n_in, n_out), "
                "or Linear(n_out=...) to take n_in from the first input"
            )
        self.n_in = None if n_in is None else checked_size("Linear", "n_in", n_in)
        self.n_out = checked_size("Linear", "n_out", n_out)
        self.use_bias = use_bias
        self.initializer = initializer
        self.rng = np.random.default_rng(rng)
        self.dtype = np.dtype(dtype)
        self.weight = None
        self.bias = None
        if self.n_in is not None:
            self._draw(self.n_in)

    def shapes_known(self) -> bool:
        """Whether the number of inputs is known."""
        return self.weight is not None

    def _draw(self, n_in: int) -> Parameter:
        self.n_in = n_in
        shape = (n_in, self.n_out)
        self.weight = Parameter(self.initializer(self.rng, shape, self.dtype), label="weight")
        if self.use_bias:
            self.bias = Parameter(np.zeros(self.n_out, self.dtype), label="bias")
        return self.weight

    def forward(self, x: Any) -> Any:
        """Map input of shape (..., n_in) to output of shape (..., n_out)."""
        x = as_input(x, self.dtype)
        features = x.shape[-1] if x.ndim else 0
        weight = self._draw(features) if self.weight is None else self.weight
        if features != self.n_in:
            raise ag.ArgumentValueError(
                f"Linear: the input has shape {x.shape}, but the weight has shape "
                f"{weight.shape}; the last axis of the input must have length {self.n_in}"
            )
        out = x @ weight
        return out if self.bias is None else out + self.bias

    def _arguments(self) -> str:
        sizes = f"{self.n_in}, {self.n_out}"
        return sizes if self.use_bias else f"{sizes}, use_bias=False"


def as_input(x: Any, dtype: Any) -> Any:
    """What a layer computes with: plain arrays in its dtype, floats of Values as they are."""
    if not isinstance(x, ag.Value):
        return np.asarray(x, dtype, like=x if hasattr(x, "__array_function__") else None)
    return x if x.dtype.kind == "f" else x.astype(dtype)


def checked_size(layer: str, name: str, size: Any) -> int:
    """A number of features, checked to be a positive integer."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ag.ArgumentValueError(f"{layer}: {name} is {size!r}; it must be a positive integer")
    return int(size)


class Activation(Module):
    """An activation function as a layer.

    Parameters
    ----------
    function : str or callable
        A name from `nn.activations`, or any function of one Value.
    **options
        Keyword arguments that it is always called with, such as ``axis``.

    Raises
    ------
    ArgumentValueError
        If there is no activation of that name.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, function: str | Callable[..., Any], **options: Any) -> None:
        self.function = named_activation(function)
        self.options = options

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, **self.options)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        options = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"{name}({options})" if options else name


def named_activation(function: str | Callable[..., Any]) -> Callable[..., Any]:
    """The activation of that name; a function is returned as it is."""
    if not isinstance(function, str):
        return function
    if function not in activations:
        raise ag.ArgumentValueError(
            f"there is no activation {function!r}; "
            f"use one of {', '.join(activations)}, or pass a function"
        )
    return activations[function]


class PReLU(Module):
    """A `leaky_relu` that learns its slopes for negative input.

    K. He et al., "Delving deep into rectifiers" (2015).

    Parameters
    ----------
    n_in : int
        Number of slopes: one for each feature, or 1 for all.
    slope : float
        What they start at.
    dtype
        Float dtype of the slopes.

    Attributes
    ----------
    weight : Parameter, shape (n_in,)
        The slopes.

    Notes
    -----
    The output has the shape of the input.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.PReLU()(np.array([-4.0, 2.0]))
    Value([-1.,  2.])
    """

    def __init__(
        self, n_in: int = 1, *, slope: float = 0.25, dtype: DTypeLike = np.float64
    ) -> None:
        self.n_in = checked_size("PReLU", "n_in", n_in)
        self.slope = slope
        self.dtype = np.dtype(dtype)
        self.weight = Parameter(np.full(self.n_in, slope, self.dtype), label="weight")

    def forward(self, x: Any) -> Any:
        """Apply the slopes where the input is negative."""
        if self.n_in > 1 and np.shape(x)[-1:] != (self.n_in,):
            raise ag.ArgumentValueError(
                f"PReLU: the input has shape {np.shape(x)}, but the slopes have shape "
                f"({self.n_in},); the last axis of the input must have length {self.n_in}"
            )
        return prelu(x, self.weight)


class Flatten(Module):
    """Join all axes but the first: shape (samples, ...) becomes (samples, features).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Flatten()(np.zeros((5, 28, 28))).shape
    (5, 784)
    """

    def forward(self, x: Any) -> Any:
        """Join all axes but the first."""
        if np.ndim(x) == 0:
            raise ag.ArgumentValueError(
                "Flatten: the input is a single number; it must have an axis of samples"
            )
        return np.reshape(x, (np.shape(x)[0], -1))


class Embedding(Module):
    """A table of vectors, one for each of a number of things, that are learned.

    Parameters
    ----------
    n_in : int
        How many things there are; they are numbered from 0.
    n_out : int
        The length of a vector.
    initializer : callable, optional
        Draws the table; standard normal by default.
    rng : numpy.random.Generator or int, optional
        The source of randomness, or a seed for one.
    dtype
        Float dtype of the table.

    Attributes
    ----------
    weight : Parameter, shape (n_in, n_out)

    Raises
    ------
    ArgumentValueError
        If an index is not a whole number from 0 to ``n_in - 1``.

    Notes
    -----
    Integers of shape (...) give output of shape (..., n_out).

    Examples
    --------
    >>> import nn
    >>> layer = nn.Embedding(10, 3, rng=0)
    >>> layer([[1, 2], [2, 2]]).shape
    (2, 2, 3)
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        initializer: Initializer | None = None,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.n_in = checked_size("Embedding", "n_in", n_in)
        self.n_out = checked_size("Embedding", "n_out", n_out)
        self.dtype = np.dtype(dtype)
        shape = (self.n_in, self.n_out)
        draw = initializer or partial(normal, deviation=1.0)
        table = draw(np.random.default_rng(rng), shape, self.dtype)
        self.weight = Parameter(table, label="weight")

    def forward(self, indices: Any) -> Any:
        """The vectors of these numbers."""
        return self.weight[checked_indices(indices, count=self.n_in)]


def indices_below(indices: Any, *, count: int) -> Any:
    """What `checked_indices` computes."""
    indices = np.asarray(indices)
    if indices.dtype.kind not in "iu":
        raise ag.ArgumentTypeError(
            f"Embedding: the input has dtype {indices.dtype}; pass integers, "
            f"which number the vectors from 0 to {count - 1}"
        )
    if indices.size and not 0 <= indices.min() <= indices.max() < count:
        raise ag.ArgumentValueError(
            f"Embedding: the input goes from {indices.min()} to {indices.max()}, but there are "
            f"{count} vectors, numbered from 0 to {count - 1}"
        )
    return indices


checked_indices = ag.Primitive(indices_below, differentiable=False, name="indices")
"""The indices themselves, refused if one is out of range; recorded for a Value."""


class Residual(Module):
    """Add the input to what a module makes of it: x + module(x).

    K. He et al., "Deep residual learning for image recognition" (2016).

    Parameters
    ----------
    module : Module
        Its output must have the shape of its input.

    Raises
    ------
    ArgumentValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Residual(nn.Activation("relu"))(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    """

    def __init__(self, module: Module) -> None:
        self.module = module

    def forward(self, x: Any) -> Any:
        """Add the input to the output."""
        out = self.module(x)
        if np.shape(out) != np.shape(x):
            raise ag.ArgumentValueError(
                f"Residual: the input has shape {np.shape(x)}, but the output of the module has "
                f"shape {np.shape(out)}; both must be equal to be added"
            )
        return x + out


class Concatenate(Module):
    """Branches side by side, whose outputs are joined along the last axis.

    Called with one input, all branches get it; with several, each branch gets
    its own.  ``Concatenate(wide, deep)`` under a `Linear` is the wide-and-deep
    network (H. Cheng et al., "Wide & deep learning for recommender systems", 2016).

    Parameters
    ----------
    *branches : Module, callable or str
        Functions and names of activations become `Activation` layers.

    Raises
    ------
    ArgumentValueError
        If the number of inputs is neither 1 nor that of the branches.

    Notes
    -----
    Outputs of shapes (..., n_1), (..., n_2), … give shape (..., n_1 + n_2 + …).

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.Sequential(nn.Concatenate("identity", nn.MLP(4, [8, 3])), nn.Linear(7, 1))
    >>> model(np.zeros((5, 4))).shape
    (5, 1)
    """

    def __init__(self, *branches: Module | Callable[..., Any] | str) -> None:
        self.branches = [
            branch if isinstance(branch, Module) else Activation(branch) for branch in branches
        ]

    def forward(self, *inputs: Any) -> Any:
        """Join the outputs of the branches."""
        if len(inputs) not in (1, len(self.branches)):
            raise ag.ArgumentValueError(
                f"Concatenate: there are {len(inputs)} inputs for {len(self.branches)} branches; "
                "pass one for all, or one for each"
            )
        given = inputs * len(self.branches) if len(inputs) == 1 else inputs
        outputs = [branch(x) for branch, x in zip(self.branches, given, strict=True)]
        return np.concatenate(outputs, axis=-1)


class Sequential(Module):
    """Layers one after the other.

    Parameters
    ----------
    *layers : Module, callable or str
        Functions and names of activations become `Activation` layers.

    Notes
    -----
    Takes what its first layer takes and returns what its last layer returns;
    ``model[i]`` is the layer ``i``, a slice is a Sequential of the same layers.

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
        self.layers = [
            layer if isinstance(layer, Module) else Activation(layer) for layer in layers
        ]

    def forward(self, *inputs: Any) -> Any:
        """Apply the layers in order; only the first may take several inputs."""
        x: Any = inputs[0]
        for index, layer in enumerate(self.layers):
            x = layer(x) if index else layer(*inputs)
        return x

    def members(self) -> Iterator[tuple[str, Parameter | Module]]:
        """The layers, by their positions."""
        for index, layer in enumerate(self.layers):
            yield str(index), layer

    def __getitem__(self, index: int | slice) -> Module:
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        return self.layers[index]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.layers)


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation between them.

    The last layer has no activation: it gives numbers to regress with, or
    logits for the losses.

    Parameters
    ----------
    n_in : int or None
        Number of features of the input; None takes it from the first input.
    n_outs : sequence of int
        Numbers of units, one for each layer; the last is the output's.
    activation : str or callable
        Between the layers.
    initializer : callable, optional
        Draws the weights; by default what suits the activation.
    rng : numpy.random.Generator or int, optional
        The source of randomness, or a seed for one.
    dtype
        Float dtype of the parameters.

    Raises
    ------
    ArgumentValueError
        If a size is not a positive integer.

    Notes
    -----
    Input of shape (..., n_in) gives output of shape (..., n_outs[-1]).

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.MLP(2, [16, 16, 1], activation="tanh", rng=0)
    >>> model(np.zeros((20, 2))).shape
    (20, 1)
    """

    def __init__(
        self,
        n_in: int | None,
        n_outs: Sequence[int],
        *,
        activation: str | Callable[..., Any] = "relu",
        initializer: Initializer | None = None,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if isinstance(n_outs, int | np.integer) or not len(n_outs):
            raise ag.ArgumentValueError(
                f"MLP: n_outs is {n_outs!r}; it must list the sizes of the layers, "
                "for instance [16, 1]"
            )
        self.n_outs = [int(n) for n in n_outs]
        self.activation = named_activation(activation)
        self.initializer = initializer
        self.dtype = np.dtype(dtype)
        rng = np.random.default_rng(rng)
        hidden = for_activation(getattr(self.activation, "__name__", None))
        layers: list[Module] = []
        for index, (fan_in, fan_out) in enumerate(pairwise([n_in, *n_outs])):
            last = index == len(n_outs) - 1
            draw = initializer or (glorot_uniform if last else hidden)
            layers.append(Linear(fan_in, fan_out, initializer=draw, rng=rng, dtype=dtype))
            if not last:
                layers.append(Activation(self.activation))
        super().__init__(*layers)

    @property
    def n_in(self) -> int | None:
        """The number of features of the input; None before the first, if it was left out."""
        first = self.layers[0]
        assert isinstance(first, Linear)
        return first.n_in
