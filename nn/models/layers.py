"""Layers: what models are put together from.

The last axis of an input holds its features, all axes before it samples.  A number
that is out of its range, and an input of another shape or dtype than a layer says it
takes, raise an `ArgumentValueError` or `ArgumentTypeError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.activations import activations, onnx_converters, prelu, registered_name
from nn.checks import (
    FINITE,
    Range,
    as_reals,
    check_dtype,
    check_flags,
    check_size,
    generator_of,
    host_array,
)
from nn.initializers import Initializer, find_initializer, glorot_uniform, normal
from nn.models.module import Module, Parameter, layer

__all__ = ["Activation", "Embedding", "Flatten", "Linear", "PReLU"]

RandomState = np.random.Generator | int | None
"""A generator, a seed for one, or None for fresh randomness."""


class FeatureLayer(Module):
    """A layer with parameters for each feature; the first input tells how many, if nobody else."""

    in_features: int | None
    dtype: np.dtype[Any]
    weight: Parameter | None
    bias: Parameter | None
    read_when_made: ClassVar[tuple[str, ...]] = ("in_features", "dtype")

    def __init__(self, in_features: int | None, dtype: DTypeLike) -> None:
        name = type(self).__name__
        self.in_features = (
            None if in_features is None else check_size(name, "in_features", in_features)
        )
        self.dtype = check_dtype(name, dtype)
        self.weight = self.bias = None
        if self.in_features is not None:
            self._draw(self.in_features)

    def _draw(self, in_features: int) -> None:
        """Make the parameters."""
        raise NotImplementedError

    def shapes_known(self) -> bool:
        """Whether the number of features is known."""
        return self.weight is not None

    def _checked(self, x: Any) -> Any:
        """The input in the dtype of the layer, of as many features as it has."""
        x = as_input(x, self.dtype)
        if self.weight is None:
            features = x.shape[-1] if x.ndim else 0
            self.in_features = check_size(type(self).__name__, "in_features", features)
            self._draw(self.in_features)
        check_features(self, x.shape)
        return x


def as_input(x: Any, dtype: Any) -> Any:
    """What a layer computes with: plain arrays in its dtype, floats of Values as they are."""
    if not isinstance(x, ag.Value):
        return as_reals("the input of a layer", x, dtype)
    if x.dtype.kind == "c":
        raise ag.ArgumentTypeError(
            f"the input of a layer has dtype {x.dtype}, of which a part would be lost; pass real "
            "numbers"
        )
    return x if x.dtype.kind == "f" else x.astype(dtype)


def check_features(module: Any, shape: tuple[int, ...], weight: str = "the weight has") -> None:
    """Refuse an input of this shape if its last axis is not as long as the weight's first."""
    if shape[-1:] != (module.in_features,):
        raise ag.ArgumentValueError(
            f"{type(module).__name__}: the input has shape {shape}, but {weight} shape "
            f"{module.weight.shape}; the last axis of the input must have length "
            f"{module.in_features}"
        )


@layer
@ag.deprecation.renamed_fields(n_in="in_features", n_out="out_features")
class Linear(FeatureLayer):
    """An affine map ``x @ weight + bias``, from (..., in_features) to (..., out_features).

    Parameters
    ----------
    in_features : int, optional
        Number of features of the input; taken from the first input if omitted.
    out_features : int
        Number of features of the output.
    use_bias : bool
        Whether a bias is added.
    initializer : callable or str
        Draws the weight; one of `nn.initializers`, or its name.  The bias starts at zero.
    rng : numpy.random.Generator or int, optional
        The source of randomness, or a seed for one.
    dtype
        Float dtype of the parameters.  Plain arrays are converted to it.

    Attributes
    ----------
    weight : Parameter, shape (in_features, out_features)
    bias : Parameter, shape (out_features,)

    Raises
    ------
    ArgumentValueError
        If a size is not a positive integer, or an input has another number of
        features.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Linear(3, 2, rng=0)
    >>> layer(np.zeros((5, 3))).shape
    (5, 2)
    """

    transposed_in_torch = ("weight",)
    read_when_made = (*FeatureLayer.read_when_made, "out_features", "use_bias", "initializer")

    def __init__(
        self,
        in_features: int | None = None,
        out_features: int | None = None,
        *,
        use_bias: bool = True,
        initializer: Initializer | str = glorot_uniform,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        if out_features is None:
            raise ag.ArgumentValueError(
                "Linear: out_features is missing; write Linear(in_features, out_features), "
                "or Linear(out_features=...) to take in_features from the first input"
            )
        self.out_features = check_size("Linear", "out_features", out_features)
        check_flags("Linear", use_bias=use_bias)
        self.use_bias = use_bias
        self.initializer = find_initializer("Linear", initializer)
        self.rng = generator_of(type(self).__name__, rng)
        super().__init__(in_features, dtype)

    def _draw(self, in_features: int) -> None:
        draws = self.initializer(self.rng, (in_features, self.out_features), self.dtype)
        self.weight = Parameter(draws, label="weight")
        if self.use_bias:
            self.bias = Parameter(np.zeros(self.out_features, self.dtype), label="bias")

    def forward(self, x: Any) -> Any:
        """Map input of shape (..., in_features) to output of shape (..., out_features)."""
        out = self._checked(x) @ self.weight
        return out if self.bias is None else out + self.bias

    def to_onnx(self, graph: Any, x: str) -> Any:
        (x,) = graph.as_floats(x)
        x = graph.add("MatMul", x, graph.constant(self.weight))
        return x if self.bias is None else graph.add("Add", x, graph.constant(self.bias))

    def _arguments(self) -> str:
        sizes = f"{self.in_features}, {self.out_features}"
        return sizes if self.use_bias else f"{sizes}, use_bias=False"


@layer
class Activation(Module):
    """An activation function as a layer.

    Parameters
    ----------
    function : str or callable
        A name from `nn.activations`, or any function of one Value.
    **options
        Keyword arguments that it is always called with, such as ``axis``.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Activation("relu")(np.array([-1.0, 2.0]))
    array([0., 2.])
    """

    def __init__(self, function: str | Callable[..., Any], **options: Any) -> None:
        self.function = activations.find(function)
        if options:
            check_options(self.function, options)
        self.options = options

    def forward(self, x: Any) -> Any:
        """Apply the function."""
        return self.function(x, **self.options)

    def to_onnx(self, graph: Any, x: str) -> Any:
        name = registered_name(self.function)
        if name is None:
            return graph.record(self, x)
        (x,) = graph.as_floats(x)
        return onnx_converters[name](graph, x, **self.options)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", repr(self.function))
        options = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"{name}({options})" if options else name


def check_options(function: Callable[..., Any], options: dict[str, Any]) -> None:
    """Refuse options that an activation does not know, as far as its signature tells."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # not every function in C has one
        return
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return
    known = [one.name for one in parameters[1:] if one.kind is not one.VAR_POSITIONAL]
    for name in options.keys() - set(known):
        takes = f"takes {', '.join(known)}" if known else "has no options"
        raise ag.ArgumentTypeError(
            f"Activation: {getattr(function, '__name__', function)} was given {name!r}, and it "
            f"{takes}; leave {name!r} out"
        )


@layer
@ag.deprecation.renamed_fields(n_in="in_features")
class PReLU(Module):
    """A `leaky_relu` that learns its slopes for negative input; the shape stays.

    K. He et al., "Delving deep into rectifiers" (2015).

    Parameters
    ----------
    in_features : int
        Number of slopes: one for each feature, or 1 for all.
    slope : float
        What they start at.
    dtype
        Float dtype of the slopes.

    Attributes
    ----------
    weight : Parameter, shape (in_features,)
        The slopes.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.PReLU()(np.array([-4.0, 2.0]))
    Value([-1.,  2.])
    """

    read_when_made = ("in_features", "slope", "dtype")
    setting_ranges: ClassVar[Mapping[str, Range]] = {"slope": FINITE}

    def __init__(
        self, in_features: int = 1, *, slope: float = 0.25, dtype: DTypeLike = np.float64
    ) -> None:
        self.in_features = check_size("PReLU", "in_features", in_features)
        self.slope = slope
        self.dtype = check_dtype("PReLU", dtype)
        self.weight = Parameter(np.full(self.in_features, slope, self.dtype), label="weight")

    def forward(self, x: Any) -> Any:
        """Apply the slopes where the input is negative."""
        if self.in_features > 1:
            check_features(self, np.shape(x), "the slopes have")
        return prelu(x, self.weight)

    def to_onnx(self, graph: Any, x: str) -> Any:
        return graph.add("PRelu", *graph.as_floats(x), graph.constant(self.weight))


@layer
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
        shape = np.shape(x)
        return np.reshape(x, (shape[0], prod(shape[1:])))  # -1 is unknown where there is no sample

    def to_onnx(self, graph: Any, x: str) -> Any:
        return graph.add("Flatten", x)


@layer
@ag.deprecation.renamed_fields(n_in="num_embeddings", n_out="embedding_dim")
class Embedding(Module):
    """A table of learned vectors, one for each of ``num_embeddings`` things.

    Integers of shape (...) give output of shape (..., embedding_dim).

    Parameters
    ----------
    num_embeddings : int
        How many things there are; they are numbered from 0, and other numbers refused.
    embedding_dim : int
        The length of a vector.
    padding_idx : int, optional
        The number of a vector that begins at zero and is not trained: that of padding.
    initializer : callable or str, optional
        Draws the table; standard normal by default.
    rng, dtype
        As for `Linear`.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import nn
    >>> layer = nn.Embedding(10, 3, rng=0)
    >>> layer([[1, 2], [2, 2]]).shape
    (2, 2, 3)
    """

    padding_idx: int | None = None  # in files that are older
    read_when_made = ("num_embeddings", "embedding_dim", "dtype")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        padding_idx: int | None = None,
        initializer: Initializer | str | None = None,
        rng: RandomState = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.num_embeddings = check_size("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = check_size("Embedding", "embedding_dim", embedding_dim)
        self.dtype = check_dtype("Embedding", dtype)
        shape = (self.num_embeddings, self.embedding_dim)
        draw = find_initializer("Embedding", initializer or partial(normal, std=1.0))
        table = draw(generator_of("Embedding", rng), shape, self.dtype)
        self.weight = Parameter(table, label="weight")
        self.padding_idx = None
        if padding_idx is not None:
            self.padding_idx = checked_index(padding_idx, self.num_embeddings)
            self.weight.data[self.padding_idx] = 0

    def forward(self, indices: Any) -> Any:
        """The vectors of these numbers."""
        indices = check_indices(indices, count=self.num_embeddings)
        vectors = self.weight[indices]
        if self.padding_idx is None:
            return vectors
        trained = np.not_equal(indices, self.padding_idx)[..., np.newaxis]
        return np.where(trained, vectors, ag.stop_gradient(vectors))

    def to_onnx(self, graph: Any, x: str) -> Any:
        return graph.add("Gather", graph.constant(self.weight), graph.as_index(x))


def checked_index(index: Any, count: int) -> int:
    """The number of a vector, which may be counted from the end."""
    if isinstance(index, bool) or not isinstance(index, int | np.integer):
        raise ag.ArgumentTypeError(
            f"Embedding: padding_idx is {index!r}; it must be an integer, the number of a vector"
        )
    if not -count <= index < count:
        raise ag.ArgumentValueError(
            f"Embedding: padding_idx is {index!r}, but there are {count} vectors, numbered from 0 "
            f"to {count - 1}"
        )
    return int(index) % count


@partial(ag.Primitive, differentiable=False, name="indices")
def check_indices(indices: Any, *, count: int) -> Any:
    """The indices themselves, refused if one is out of range; recorded for a Value."""
    indices = host_array(indices)
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
