"""Optimizers: how parameters follow their gradients.

An optimizer writes its parameters in place, allocating nothing in the steady
state.  Graphs that were recorded before a step therefore see the new numbers:
sweep them first.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.module import Module, Parameter

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop"]

Array = np.ndarray[Any, Any]
Parameters = Module | Iterable[Parameter]


class Optimizer:
    """Base class: it keeps the parameters and calls ``update`` for each of them.

    A subclass defines ``update``, and names its arrays of state in
    ``state_names``; they start at zero.

    Parameters
    ----------
    parameters : Module or iterable of Parameter
        What to train; frozen parameters are skipped.
    learning_rate : float
        The size of a step.

    Raises
    ------
    ArgumentValueError
        If there is nothing to train, or a hyperparameter is out of its range.

    Examples
    --------
    >>> import nn
    >>> class SignDescent(nn.Optimizer):
    ...     def update(self, data, g, state, scratch):
    ...         data -= self.learning_rate * np.sign(g)
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = SignDescent([w], learning_rate=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, parameters: Parameters, learning_rate: float) -> None:
        self.name = type(self).__name__
        self.parameters = collected(parameters, self.name)
        check_above_zero(self.name, "learning_rate", learning_rate)
        self.learning_rate = learning_rate
        self.steps = 0
        self._states: dict[Parameter, dict[str, Array]] = {}
        self._scratch: dict[Parameter, Array] = {}

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter according to its gradient.

        Raises
        ------
        BackwardError
            If a parameter received no gradient; nothing is changed then.
        """
        trained = [p for p in self.parameters if p.requires_grad]
        self._require_gradients(trained)
        self.steps += 1
        for parameter in trained:
            if parameter not in self._states:
                self._prepare(parameter)
            data = parameter.data
            if isinstance(data, np.ndarray):
                self._update(data, parameter)
            else:  # a Python number cannot be written in place
                array = np.array(data)
                self._update(array, parameter)
                parameter.data = array.item()

    def update(self, data: Array, g: Array, state: dict[str, Array], scratch: Array) -> None:
        """Change ``data`` in place, given its gradient ``g``; ``g`` must stay as it is.

        ``state`` holds the arrays named in ``state_names``; ``scratch`` is an
        array of the same shape to compute in.
        """
        raise NotImplementedError(f"{self.name} does not define update")

    def _update(self, data: Array, parameter: Parameter) -> None:
        g = np.asarray(parameter.grad)
        self.update(data, g, self._states[parameter], self._scratch[parameter])

    def _prepare(self, parameter: Parameter) -> None:
        self._states[parameter] = {name: np.zeros_like(parameter.data) for name in self.state_names}
        self._scratch[parameter] = np.empty_like(parameter.data)

    def _require_gradients(self, trained: list[Parameter]) -> None:
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None and parameter.requires_grad:
                name = f" ({parameter.label!r})" if parameter.label else ""
                raise ag.BackwardError(
                    f"{self.name}.step: parameter {index}{name} of shape {parameter.shape} "
                    "received no gradient; call backward() on a loss that depends on it, or set "
                    "its requires_grad to False"
                )


def collected(parameters: Parameters, name: str) -> list[Parameter]:
    """The parameters as a list, checked."""
    if isinstance(parameters, Module):
        for part, module in parameters.named_modules():
            if not module.shapes_known():
                raise ag.ArgumentValueError(
                    f"{name}: the layer {part!r} does not know its number of inputs yet; "
                    "call the model on a batch first"
                )
        parameters = parameters.parameters()
    found = list(parameters)
    for parameter in found:
        if not isinstance(parameter, Parameter):
            raise ag.ArgumentTypeError(
                f"{name}: {parameter!r} is no Parameter; "
                "pass a model, or a list of parameters such as model.parameters()"
            )
    if not found:
        raise ag.ArgumentValueError(
            f"{name}: there is no parameter to train; pass a model that has some"
        )
    return found


def check_above_zero(caller: str, name: str, number: float) -> None:
    """Refuse a hyperparameter that is not positive and finite."""
    if not 0 < number < float("inf"):
        raise ag.ArgumentValueError(
            f"{caller}: {name} is {number!r}; it must be a positive number"
        )


def check_fraction(caller: str, name: str, number: float) -> None:
    """Refuse a hyperparameter outside [0, 1)."""
    if not 0 <= number < 1:
        raise ag.ArgumentValueError(f"{caller}: {name} is {number!r}; it must be in [0, 1)")


class SGD(Optimizer):
    """Stochastic gradient descent: step against the gradient, with momentum if wanted.

    velocity ← momentum · velocity + g;  data ← data - learning_rate · velocity.
    With ``nesterov`` the step goes along g + momentum · velocity.
    (B. Polyak 1964; Y. Nesterov 1983 in the form of I. Sutskever et al., "On the
    importance of initialization and momentum in deep learning", 2013.)

    Parameters
    ----------
    parameters : Module or iterable of Parameter
        What to train.
    learning_rate : float
        The size of a step.
    momentum : float
        In [0, 1): the share of the last step that is kept.
    nesterov : bool
        Look ahead along the momentum.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.SGD([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.5
    """

    state_names = ("velocity",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, learning_rate)
        check_fraction(self.name, "momentum", momentum)
        self.momentum = momentum
        self.nesterov = nesterov

    def update(self, data: Array, g: Array, state: dict[str, Array], scratch: Array) -> None:
        """One step; see the class."""
        direction = g
        if self.momentum:
            velocity = state["velocity"]
            velocity *= self.momentum
            velocity += g
            direction = velocity
            if self.nesterov:
                np.multiply(velocity, self.momentum, out=scratch)
                direction = np.add(scratch, g, out=scratch)
        np.multiply(direction, self.learning_rate, out=scratch)
        data -= scratch


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (T. Hinton, 2012).

    square ← decay · square + (1 - decay) · g²;
    data ← data - learning_rate · g / (√square + epsilon).

    Parameters
    ----------
    parameters : Module or iterable of Parameter
        What to train.
    learning_rate : float
        The size of a step.
    decay : float
        In [0, 1): how much of the running mean is kept at each step.
    epsilon : float
        Keeps the division finite.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.RMSprop([w], learning_rate=0.1, decay=0.75)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.8
    """

    state_names = ("square",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.01,
        *,
        decay: float = 0.99,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate)
        check_fraction(self.name, "decay", decay)
        check_above_zero(self.name, "epsilon", epsilon)
        self.decay = decay
        self.epsilon = epsilon

    def update(self, data: Array, g: Array, state: dict[str, Array], scratch: Array) -> None:
        """One step; see the class."""
        square = state["square"]
        decay_towards_square(square, g, self.decay, scratch)
        np.sqrt(square, out=scratch)
        scratch += self.epsilon
        np.divide(g, scratch, out=scratch)
        scratch *= self.learning_rate
        data -= scratch


def decay_towards(mean: Array, g: Array, decay: float, scratch: Array) -> None:
    """mean ← decay · mean + (1 - decay) · g, in place."""
    mean *= decay
    np.multiply(g, 1 - decay, out=scratch)
    mean += scratch


def decay_towards_square(mean: Array, g: Array, decay: float, scratch: Array) -> None:
    """mean ← decay · mean + (1 - decay) · g², in place."""
    mean *= decay
    np.multiply(g, g, out=scratch)
    scratch *= 1 - decay
    mean += scratch


class Adam(Optimizer):
    """Momentum and scaled steps, both corrected for their start at zero.

    D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015).

    Parameters
    ----------
    parameters : Module or iterable of Parameter
        What to train.
    learning_rate : float
        The size of a step.
    beta1, beta2 : float
        In [0, 1): how much of the running means of the gradient and of its
        square is kept at each step.
    epsilon : float
        Keeps the division finite.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.Adam([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.9
    """

    state_names = ("mean", "square")

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(parameters, learning_rate)
        check_fraction(self.name, "beta1", beta1)
        check_fraction(self.name, "beta2", beta2)
        check_above_zero(self.name, "epsilon", epsilon)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def update(self, data: Array, g: Array, state: dict[str, Array], scratch: Array) -> None:
        """One step; see the class."""
        mean, square = state["mean"], state["square"]
        decay_towards(mean, g, self.beta1, scratch)
        decay_towards_square(square, g, self.beta2, scratch)
        np.sqrt(square, out=scratch)
        scratch /= sqrt(1 - self.beta2**self.steps)
        scratch += self.epsilon
        np.divide(mean, scratch, out=scratch)
        scratch *= self.learning_rate / (1 - self.beta1**self.steps)
        data -= scratch
