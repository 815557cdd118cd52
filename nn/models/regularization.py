"""Layers that steady training: dropout and normalization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.checks import FRACTION, POSITIVE, Range, as_floats, beside, generator_of
from nn.models.layers import FeatureLayer, RandomState
from nn.models.module import Module, Parameter, layer

__all__ = ["BatchNorm1d", "Dropout", "LayerNorm"]


@layer
class Dropout(Module):
    """In training, set features to zero at random and scale up the rest; in use, do nothing.

    N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting" (2014); scaled by 1/(1 - rate) in training, so that the
    expected output is the input.

    Parameters
    ----------
    rate : float
        In [0, 1): the probability that a feature is dropped.
    rng : numpy.random.Generator or int, optional
        The source of randomness, or a seed for one.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(6))
    array([2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    setting_ranges: ClassVar[Mapping[str, Range]] = {"rate": FRACTION}

    def __init__(self, rate: float = 0.5, *, rng: RandomState = None) -> None:
        self.rate = rate
        self.rng = generator_of("Dropout", rng)

    def forward(self, x: Any) -> Any:
        """Drop features, in training."""
        if not self.training or self.rate == 0:
            return x
        x = as_floats(x, also_complex=True)
        dtype = x.dtype if getattr(x, "dtype", None) == np.float32 else np.float64
        kept = ag.random.random(self.rng, np.shape(x), dtype) >= self.rate
        return x * beside(x, kept / np.asarray(1 - self.rate, x.dtype))

    def to_onnx(self, graph: Any, x: str) -> Any:
        return x  # exported as it is used, after the training


class Normalization(FeatureLayer):
    """What the two normalization layers share: a scale and a shift for each feature."""

    setting_ranges: ClassVar[Mapping[str, Range]] = {"epsilon": POSITIVE}

    def __init__(
        self,
        in_features: int | None = None,
        *,
        epsilon: float = 1e-5,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.epsilon = epsilon
        super().__init__(in_features, dtype)

    def _draw(self, in_features: int) -> None:
        self.weight = Parameter(np.ones(in_features, self.dtype), label="weight")
        self.bias = Parameter(np.zeros(in_features, self.dtype), label="bias")

    def _normalized(self, x: Any, mean: Any, variance: Any) -> Any:
        out = (x - mean) / np.sqrt(variance + self.epsilon) * self.weight + self.bias
        return out.astype(np.float16) if self.dtype == np.float16 else out

    def _wide(self, x: Any) -> Any:
        """The input in a dtype with room for squares, which float16 has not: it ends at 65504."""
        return x.astype(np.float32) if x.dtype == np.float16 else x


@layer
@ag.deprecation.renamed_fields(n_in="in_features")
class BatchNorm1d(Normalization):
    """Give each feature mean 0 and variance 1 over the batch, then scale and shift it.

    All axes but the last make up the batch; the shape stays.  In use, running averages
    from the training take the place of the batch's mean and variance.  A batch of a
    single sample is normalized to zeros and leaves the running variance as it was.
    S. Ioffe, C. Szegedy, "Batch normalization" (2015).

    Parameters
    ----------
    in_features, dtype
        As for `Linear`.
    momentum : float
        In (0, 1]: the share of a new batch in the running averages.
    epsilon : float
        Added to the variance.

    Attributes
    ----------
    weight, bias : Parameter, shape (in_features,)
        Scale and shift.
    running_mean, running_var : array, shape (in_features,)
        The variance is the unbiased one; both are float32 where ``dtype`` is float16.

    Examples
    --------
    >>> import numpy as np, nn
    >>> layer = nn.BatchNorm1d(1, epsilon=1e-12)
    >>> layer(np.array([[1.0], [3.0]])).data.round(6).ravel()
    array([-1.,  1.])
    >>> layer.running_mean, layer.running_var
    (array([0.2]), array([1.1]))
    """

    buffers = ("running_mean", "running_var")
    counters_in_torch = ("num_batches_tracked",)
    setting_ranges: ClassVar[Mapping[str, Range]] = {
        **Normalization.setting_ranges,
        "momentum": ("in (0, 1]", lambda x: 0 < x <= 1),
    }
    running_mean: Any
    running_var: Any

    def __init__(
        self,
        in_features: int | None = None,
        *,
        momentum: float = 0.1,
        epsilon: float = 1e-5,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.momentum = momentum
        self.running_mean = self.running_var = None
        super().__init__(in_features, epsilon=epsilon, dtype=dtype)

    def _draw(self, in_features: int) -> None:
        super()._draw(in_features)
        wide = np.float32 if self.dtype == np.float16 else self.dtype
        self.running_mean = np.zeros(in_features, wide)
        self.running_var = np.ones(in_features, wide)

    def forward(self, x: Any) -> Any:
        """Normalize each feature over the batch, or by the running averages."""
        x = self._wide(self._checked(x))
        if not self.training:
            return self._normalized(x, self.running_mean, self.running_var)
        if not x.size:
            raise ag.ArgumentValueError(
                f"BatchNorm1d: the input has shape {x.shape}, and of no samples there is neither "
                "mean nor variance; leave out batches that are empty, or call eval() first"
            )
        axes = tuple(range(x.ndim - 1))
        mean, variance = np.mean(x, axis=axes), np.var(x, axis=axes)
        if not ag.is_recomputing():
            self._remember(mean, variance, x.size // x.shape[-1])
        return self._normalized(x, mean, variance)

    def to_onnx(self, graph: Any, x: str) -> Any:
        assert self.weight is not None
        scale = self.weight.data / np.sqrt(self.running_var + self.epsilon)
        (x,) = graph.as_floats(x)
        x = graph.add("Sub", x, graph.constant(self.running_mean))
        x = graph.add("Mul", x, graph.constant(scale))
        return graph.add("Add", x, graph.constant(self.bias))

    def _remember(self, mean: Any, variance: Any, count: int) -> None:
        """Move the running averages towards those of the batch."""
        mean, variance = ag.stop_gradient(mean), ag.stop_gradient(variance)
        kept = 1 - self.momentum
        self.running_mean = kept * self.running_mean + self.momentum * mean
        if count > 1:
            unbiased = variance * (count / (count - 1))
            self.running_var = kept * self.running_var + self.momentum * unbiased


@layer
@ag.deprecation.renamed_fields(n_in="in_features")
class LayerNorm(Normalization):
    """Give the features of each sample mean 0 and variance 1, then scale and shift them.

    J. Ba et al., "Layer normalization" (2016).  Parameters, attributes and errors are
    those of `BatchNorm1d`, without the running averages.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.LayerNorm(2, epsilon=1e-12)(np.array([[1.0, 3.0]])).data.round(6)
    array([[-1.,  1.]])
    """

    def forward(self, x: Any) -> Any:
        """Normalize the last axis."""
        x = self._wide(self._checked(x))
        mean = np.mean(x, axis=-1, keepdims=True)
        return self._normalized(x, mean, np.var(x, axis=-1, keepdims=True))
