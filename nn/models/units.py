"""The beginnings: units of McCulloch and Pitts, Hebb's rule, Rosenblatt's perceptron.

And a single neuron on scalar Values, to be drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

import autograd_lite as ag
from nn.activations import activations, heaviside, tanh
from nn.checks import (
    FINITE,
    POSITIVE,
    Range,
    as_reals,
    check_counts,
    check_range,
    check_size,
    generator_of,
    is_elsewhere,
    unmasked,
)
from nn.models.layers import Activation, RandomState, check_features
from nn.models.module import Module, Parameter, layer

__all__ = ["McCullochPitts", "Neuron", "Perceptron", "hebb_update"]

Array = np.ndarray[Any, Any]
COUNT: Range = ("a whole number", lambda count: isinstance(count, int | np.integer))


@layer
@ag.deprecation.renamed_fields(n_in="in_features")
class McCullochPitts(Module):
    """A unit of 1943: it fires if enough excitatory inputs do, and no inhibitory one.

    W. McCulloch, W. Pitts, "A logical calculus of the ideas immanent in nervous
    activity" (1943).  It does not learn: the threshold is its only number.  Input of
    shape (..., in_features), zeros and ones alone, gives zeros and ones of shape (...).

    Parameters
    ----------
    in_features : int
        The number of inputs; the first ones are excitatory.
    threshold : int
        How many excitatory inputs must fire.
    n_inhibitory : int
        How many of the inputs, the last ones, are inhibitory: a single one
        that fires keeps the unit silent.

    Examples
    --------
    >>> import nn
    >>> pairs = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> nn.McCullochPitts(2, threshold=2)(pairs)  # AND
    array([0, 0, 0, 1])
    >>> nn.McCullochPitts(2, threshold=1)(pairs)  # OR
    array([0, 1, 1, 1])
    >>> nn.McCullochPitts(2, threshold=1, n_inhibitory=1)(pairs)  # AND NOT
    array([0, 0, 1, 0])
    >>> nn.McCullochPitts(1, threshold=0, n_inhibitory=1)([[0], [1]])  # NOT
    array([1, 0])
    >>> nn.McCullochPitts(1, threshold=1)([[0], [1]])  # identity
    array([0, 1])
    """

    has_parameters = False
    setting_ranges: ClassVar[Mapping[str, Range]] = {"threshold": FINITE, "n_inhibitory": COUNT}

    def __init__(self, in_features: int, threshold: int, n_inhibitory: int = 0) -> None:
        self.in_features = check_size("McCullochPitts", "in_features", in_features)
        self.threshold = threshold
        self.n_inhibitory = n_inhibitory
        if not 0 <= n_inhibitory <= in_features:
            raise ag.ArgumentValueError(
                f"McCullochPitts: n_inhibitory is {n_inhibitory!r} of {in_features} inputs; "
                f"it must be from 0 to {in_features}"
            )

    def forward(self, x: Any) -> Array:
        """Whether the unit fires: 0 or 1."""
        signals = np.asarray(unmasked(x))
        if signals.shape[-1:] != (self.in_features,) or not np.isin(signals, (0, 1)).all():
            raise ag.ArgumentValueError(
                f"McCullochPitts: the input has shape {signals.shape}; it must hold zeros and "
                f"ones, {self.in_features} along its last axis"
            )
        excitatory = signals[..., : self.in_features - self.n_inhibitory].sum(axis=-1)
        inhibited = signals[..., self.in_features - self.n_inhibitory :].any(axis=-1)
        return np.asarray((excitatory >= self.threshold) & ~inhibited, np.int64)


def hebb_update(weight: Any, x: Any, y: Any, *, learning_rate: float = 1.0) -> Array:
    """Hebb's rule: units that fire together get connected, w + learning_rate · x yᵀ.

    D. Hebb, "The organization of behavior" (1949).  The rule needs no error, and
    nothing bounds the weights: the correlations are summed up, which recalls
    patterns exactly only if they are orthogonal.

    Parameters
    ----------
    weight : array_like, shape (in_features, out_features)
        The connections before.
    x : array_like, shape (..., in_features)
        What the input units do.
    y : array_like, shape (..., out_features)
        What the output units do at the same time.
    learning_rate : float
        The strength of the change.

    Raises
    ------
    ArgumentValueError
        If shapes do not fit, or the learning rate is no finite number.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]])
    >>> y = np.array([[1.0], [-1.0]])
    >>> w = nn.hebb_update(np.zeros((4, 1)), x, y)
    >>> np.sign(x @ w).ravel()
    array([ 1., -1.])
    """
    check_range("hebb_update", FINITE, learning_rate=learning_rate)
    before = unmasked(weight if hasattr(weight, "dtype") else np.asarray(weight))
    inputs = as_reals("hebb_update: x", x, np.float64)
    outputs = as_reals("hebb_update: y", y, np.float64)
    if outputs.shape == inputs.shape[:-1] and before.shape[1:] == (1,):
        outputs = outputs[..., np.newaxis]  # a single output needs no axis
    ends = (*inputs.shape[-1:], *outputs.shape[-1:])
    if before.shape != ends or len(ends) != 2 or inputs.shape[:-1] != outputs.shape[:-1]:
        raise ag.ArgumentValueError(
            f"hebb_update: the weight has shape {before.shape}, x {inputs.shape} and y "
            f"{outputs.shape}; they must be (in_features, out_features), (..., in_features) and "
            "(..., out_features), with the same samples in x and y"
        )
    inputs, outputs = (a.reshape(-1, n) for a, n in zip((inputs, outputs), ends, strict=True))
    return np.asarray(np.asarray(before) + learning_rate * (inputs.T @ outputs))


@layer
@ag.deprecation.renamed_fields(n_in="in_features")
class Neuron(Module):
    """One unit on scalar Values, small enough to be drawn: activation(w·x + b).

    Its ``in_features`` weights, one for each input, are drawn uniformly from [-1, 1) by
    ``rng``, a generator or a seed for one.

    Attributes
    ----------
    weights : list of Parameter
        One Python number each, labelled ``w0``, ``w1``, …
    bias : Parameter
        Labelled ``b``; starts at 0.

    Examples
    --------
    >>> import nn
    >>> neuron = nn.Neuron(2, activation="identity", rng=0)
    >>> neuron.weights[0].data, neuron.weights[1].data, neuron.bias.data = 2.0, -1.0, 0.5
    >>> neuron([3.0, 4.0])
    Value(2.5)
    """

    def __init__(
        self,
        in_features: int,
        *,
        activation: str | Callable[..., Any] = tanh,
        rng: RandomState = None,
    ) -> None:
        self.in_features = check_size("Neuron", "in_features", in_features)
        self.activation = activations.find(activation)
        draws = generator_of("Neuron", rng).uniform(-1, 1, in_features).tolist()
        self.weights = [Parameter(w, label=f"w{index}") for index, w in enumerate(draws)]
        self.bias = Parameter(0.0, label="b")

    def forward(self, x: Sequence[Any]) -> Any:
        """The output for one sample of ``in_features`` numbers or Values."""
        if len(x) != self.in_features:
            raise ag.ArgumentValueError(
                f"Neuron: the input has {len(x)} numbers, but there are {self.in_features} "
                "weights; pass one number for each weight"
            )
        total: Any = self.bias
        for w, x_i in zip(self.weights, x, strict=True):
            total = total + w * x_i
        return self.activation(total)


@layer
@ag.deprecation.renamed_fields(n_in="in_features", n_out="out_features")
class Perceptron(Module):
    """Threshold units that learn by Rosenblatt's rule.

    A unit fires where ``x @ weight + bias >= 0``; input of shape (..., in_features) gives
    output of shape (..., out_features).  For each sample, in order, whose output is wrong::

        weight ← weight + learning_rate · (target - output) · x
        bias   ← bias   + learning_rate · (target - output)

    This ends after finitely many mistakes if a hyperplane separates the classes
    (F. Rosenblatt, "The perceptron", 1958; A. Novikoff, "On convergence proofs
    for perceptrons", 1962), and never if none does.

    Parameters
    ----------
    in_features : int
        Number of inputs.
    out_features : int
        Number of units; each learns a question of its own.
    activation : str or callable
        ``heaviside`` for outputs 0 and 1, ``sign`` for -1 and 1.
    learning_rate : float
        Scales the weights; as they start at zero it does not change the outputs.

    Attributes
    ----------
    weight : Parameter, shape (in_features, out_features)
    bias : Parameter, shape (out_features,)
        Both start at zero.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> unit = nn.Perceptron(2)
    >>> unit.fit(x, [0, 0, 0, 1])
    [2, 3, 3, 2, 1, 0]
    >>> unit.predict(x).ravel()
    array([0., 0., 0., 1.])
    """

    setting_ranges: ClassVar[Mapping[str, Range]] = {"learning_rate": POSITIVE}

    def __init__(
        self,
        in_features: int,
        out_features: int = 1,
        *,
        activation: str | Callable[..., Any] = heaviside,
        learning_rate: float = 1.0,
    ) -> None:
        self.in_features = check_size("Perceptron", "in_features", in_features)
        self.out_features = check_size("Perceptron", "out_features", out_features)
        self.activation = activations.find(activation)
        self.learning_rate = learning_rate
        self.weight = Parameter(np.zeros((in_features, out_features)), label="weight")
        self.bias = Parameter(np.zeros(out_features), label="bias")

    def forward(self, x: Any) -> Any:
        """The outputs of the units, for input of shape (..., in_features)."""
        if not isinstance(x, ag.Value):
            x = as_reals("Perceptron: the input", x, np.float64)
        check_features(self, x.shape)
        return self.activation(x @ self.weight + self.bias)

    def to_onnx(self, graph: Any, x: str) -> Any:
        x = graph.add("MatMul", x, graph.constant(self.weight))
        x = graph.add("Add", x, graph.constant(self.bias))
        return Activation(self.activation).to_onnx(graph, x)

    def predict(self, x: Any) -> Any:
        """The outputs as a plain array; of an array of Dask or CuPy as one of these."""
        with ag.no_grad():
            outputs = self(x).data
        return outputs if is_elsewhere(outputs) else np.asarray(outputs)

    def learn(self, x: Any, target: Any) -> bool:
        """Apply Rosenblatt's rule to one sample; return whether its output was wrong."""
        x = as_reals("Perceptron: x", x, np.float64)
        target = as_reals("Perceptron: the target", target, np.float64)
        if x.shape != (self.in_features,) or target.shape not in ((), (1,), (self.out_features,)):
            raise ag.ArgumentValueError(
                f"Perceptron: one sample is learned at a time; x has shape {x.shape} and must have "
                f"({self.in_features},), the target has {target.shape} and must have "
                f"({self.out_features},)"
            )
        if not (np.isfinite(x).all() and np.isfinite(target).all()):
            raise not_finite("x or the target")
        if not self.weight.requires_grad:
            raise ag.ArgumentValueError(
                "Perceptron: it is frozen, and would be changed; call unfreeze() first"
            )
        error = target - self.predict(x)
        if not error.any():
            return False
        self.weight.data += self.learning_rate * np.outer(x, error)
        self.bias.data += self.learning_rate * error
        return True

    def fit(self, x: Any, y: Any, *, epochs: int = 100, rng: RandomState = None) -> list[int]:
        """Learn sample by sample until an epoch passes without a mistake.

        Parameters
        ----------
        x : array_like, shape (samples, in_features)
            The inputs.
        y : array_like, shape (samples,) or (samples, out_features)
            The targets, in the values of the activation.
        epochs : int
            After how many passes over the data to give up.
        rng : numpy.random.Generator or int, optional
            Shuffles the samples anew for each epoch; without it they come in order.

        Returns
        -------
        list of int
            The number of wrong samples in each epoch; the last is 0 if the
            rule converged.

        Raises
        ------
        ArgumentValueError
            If the data hold NaN or infinity, the shapes do not fit, or a
            target is not one of the two outputs.
        """
        if not (isinstance(epochs, int) and epochs == 0):
            check_counts("Perceptron", epochs=epochs)
        for name, given in (("x", x), ("y", y), ("the weight", self.weight.data)):
            if is_elsewhere(given) or hasattr(given, "__dask_graph__"):
                raise ag.ArgumentTypeError(
                    f"Perceptron: {name} is {type(given).__name__}, and the rule learns sample by "
                    "sample from arrays in memory; call x.compute() of Dask, x.get() of CuPy, and "
                    "to(numpy) of a perceptron that lies on a device"
                )
        x = as_reals("Perceptron: x", x, np.float64)
        y = self._checked_targets(x, as_reals("Perceptron: y", y, np.float64))
        generator = None if rng is None else generator_of("Perceptron", rng)
        mistakes = []
        for _ in range(epochs):
            order = range(len(x)) if generator is None else generator.permutation(len(x))
            mistakes.append(sum(self.learn(x[i], y[i]) for i in order))
            if mistakes[-1] == 0:
                break
        return mistakes

    def _checked_targets(self, x: Array, y: Array) -> Array:
        if y.ndim == 1:
            y = y[:, np.newaxis]
        if x.ndim != 2 or y.shape != (len(x), self.out_features):
            raise ag.ArgumentValueError(
                f"Perceptron: x has shape {x.shape} and y has shape {y.shape}; they must be "
                f"(samples, {self.in_features}) and (samples, {self.out_features})"
            )
        if not np.isfinite(x).all():
            raise not_finite("x")
        low, high = (float(self.activation(np.float64(s))) for s in (-1.0, 1.0))
        if not np.isin(y, (low, high)).all():
            raise ag.ArgumentValueError(
                f"Perceptron: the targets must be {low:g} or {high:g}, the outputs of "
                f"{self.activation.__name__}, but y holds {np.unique(y)}"
            )
        return y


def not_finite(name: str) -> ag.ArgumentValueError:
    """The error for numbers that no rule can learn from."""
    return ag.ArgumentValueError(
        f"Perceptron: {name} holds NaN or infinite numbers; remove or replace them"
    )
