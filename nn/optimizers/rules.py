"""The rules by which parameters follow their gradients.

Each class states its rule in its docstring and declares its hyperparameters, of
which those of every `Optimizer` are documented there, as are the errors; ``update``
computes the rule.  What can be computed from numbers alone is computed before, in
``scalars``, once for all parameters of a group.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.models.module import Parameter
from nn.optimizers.base import Optimizer, State, optimizer, zeros_like

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Lion", "Nadam", "RMSprop"]


def moving_average(mean: Any, new: Any, kept: Any, share: Any) -> Any:
    """A running mean that keeps ``kept`` of itself and takes ``share``, the rest, of the new.

    A sum of products: mean + share · (new - mean) would lose what is small beside the mean.
    """
    return kept * mean + share * new


@optimizer
class SGD(Optimizer):
    """Stochastic gradient descent: step against the gradient, with momentum if wanted.

    velocity ← momentum · velocity + (1 - dampening) · g, but + g in the first step;
    data ← data - learning_rate · velocity.  With ``nesterov`` the step goes
    along g + momentum · velocity.  (B. Polyak 1964; Y. Nesterov 1983 in the form
    of I. Sutskever et al., "On the importance of initialization and momentum in
    deep learning", 2013.)

    Parameters
    ----------
    momentum : float
        In [0, 1): the share of the last velocity that is kept.
    dampening : float
        In [0, 1): the share of the gradient that is left out of the velocity, where there is one.
    nesterov : bool
        Look ahead along the momentum, where there is some.

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

    learning_rate: float = 0.01
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False

    def initial_state(self, data: Any, group: Any) -> State:
        """The velocity, if there is momentum."""
        return {"velocity": zeros_like(data)} if group.momentum else {}

    def _state_of(self, parameter: Parameter, group: Any) -> State:
        if bool(group.momentum) != bool(self._states.get(parameter)):  # it may be switched on late
            self._states[parameter] = self.initial_state(parameter.data, group)
            if group.momentum:
                self._counts.pop(parameter, None)  # the first velocity is not dampened
        return super()._state_of(parameter, group)

    def scalars(self, group: Any, step: int) -> dict[str, Any]:
        """With the share of the gradient in the velocity; the first step is not dampened."""
        is_dampened = group.dampening and step > 1
        push = 1 - group.dampening if is_dampened else None
        return super().scalars(group, step) | {"push": push}

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        if not state:
            return data - hyperparameters.learning_rate * g, state
        momentum, push = hyperparameters.momentum, hyperparameters.push
        velocity = momentum * state["velocity"] + (g if push is None else push * g)
        direction = momentum * velocity + g if hyperparameters.nesterov else velocity
        return data - hyperparameters.learning_rate * direction, {"velocity": velocity}


@optimizer
class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (T. Hinton, 2012).

    square ← decay · square + (1 - decay) · g²;
    data ← data - learning_rate · g / (√square + epsilon).

    Parameters
    ----------
    decay : float
        In [0, 1): how much of the running mean is kept at each step.
    epsilon : float
        Keeps the division finite.

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
    learning_rate: float = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        square = moving_average(
            state["square"], g * g, hyperparameters.decay, hyperparameters.one_minus_decay
        )
        step = hyperparameters.learning_rate * (g / (np.sqrt(square) + hyperparameters.epsilon))
        return data - step, {"square": square}


@optimizer
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    square ← square + g²;  data ← data - learning_rate · g / (√square + epsilon).
    J. Duchi et al., "Adaptive subgradient methods" (2011).

    Parameters
    ----------
    epsilon : float
        Keeps the division finite.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.Adagrad([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.9
    """

    state_names = ("square",)
    learning_rate: float = 0.01
    epsilon: float = 1e-10

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        square = state["square"] + g * g
        step = hyperparameters.learning_rate * (g / (np.sqrt(square) + hyperparameters.epsilon))
        return data - step, {"square": square}


@optimizer
class Adadelta(Optimizer):
    """Steps in proportion to the size of the last steps, so that units agree.

    square ← decay · square + (1 - decay) · g²;
    step ← √(steps² + epsilon) / √(square + epsilon) · g, with steps² the running
    mean of step²;  data ← data - learning_rate · step.
    M. Zeiler, "Adadelta: an adaptive learning rate method" (2012).

    Parameters
    ----------
    decay : float
        In [0, 1): how much of the running means is kept at each step.
    epsilon : float
        Starts the steps and keeps the division finite.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.Adadelta([w])
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.996838
    """

    state_names = ("square", "step")
    learning_rate: float = 1.0
    decay: float = 0.9
    epsilon: float = 1e-6

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        decay, share = hyperparameters.decay, hyperparameters.one_minus_decay
        epsilon = hyperparameters.epsilon
        square = moving_average(state["square"], g * g, decay, share)
        step = np.sqrt((state["step"] + epsilon) / (square + epsilon)) * g
        steps = moving_average(state["step"], step * step, decay, share)
        return data - hyperparameters.learning_rate * step, {"square": square, "step": steps}


def moments(g: Any, state: State, hyperparameters: Any) -> State:
    """The running means of the gradient and of its square, moved towards those of ``g``."""
    h = hyperparameters
    return {
        "mean": moving_average(state["mean"], g, h.beta1, h.one_minus_beta1),
        "square": moving_average(state["square"], g * g, h.beta2, h.one_minus_beta2),
    }


@optimizer
class Adam(Optimizer):
    """Momentum and scaled steps, both corrected for their start at zero.

    mean ← beta1 · mean + (1 - beta1) · g;  square ← beta2 · square + (1 - beta2) · g²;
    data ← data - learning_rate · m / (√s + epsilon), where m = mean / (1 - beta1ᵗ)
    and s = square / (1 - beta2ᵗ) at step t.
    D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015).

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1): how much of the running means of the gradient and of its
        square is kept at each step.
    epsilon : float
        Keeps the division finite.
    amsgrad : bool
        Divide by the largest running mean so far (S. Reddi et al., "On the
        convergence of Adam and beyond", 2018).

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
    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    amsgrad: bool = False

    def initial_state(self, data: Any, group: Any) -> State:
        """Zeros; the largest mean of squares for amsgrad alone."""
        names = ("mean", "square", "largest") if group.amsgrad else self.state_names
        return {name: zeros_like(data) for name in names}

    def _state_of(self, parameter: Parameter, group: Any) -> State:
        state = super()._state_of(parameter, group)
        if group.amsgrad != ("largest" in state):  # it may be switched on late, and off
            if group.amsgrad:
                state["largest"] = zeros_like(parameter.data)
            else:
                del state["largest"]
        return state

    def scalars(self, group: Any, step: int) -> dict[str, Any]:
        """With the corrections drawn together into the learning rate and epsilon (section 2)."""
        numbers = super().scalars(group, step)
        root = (1 - group.beta2**step) ** 0.5
        numbers["corrected_rate"] = numbers["learning_rate"] * root / (1 - group.beta1**step)
        numbers["corrected_epsilon"] = group.epsilon * root
        return numbers

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        changed = moments(g, state, hyperparameters)
        square = changed["square"]
        if hyperparameters.amsgrad:
            square = changed["largest"] = np.maximum(state.get("largest", 0.0), square)
        step = changed["mean"] / (np.sqrt(square) + hyperparameters.corrected_epsilon)
        return data - hyperparameters.corrected_rate * step, changed


@optimizer
class AdamW(Adam):
    """`Adam` with decoupled weight decay.

    I. Loshchilov, F. Hutter, "Decoupled weight decay regularization" (2019).
    Parameters and errors are those of `Adam`, with other defaults.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.AdamW([w], learning_rate=0.1, weight_decay=0.5)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.85
    """

    weight_decay: float = 0.01
    decoupled: bool = True


@optimizer
class Nadam(Optimizer):
    """`Adam` that looks ahead along its momentum.

    T. Dozat, "Incorporating Nesterov momentum into Adam" (2016), with his
    schedule of the momentum: beta1 · (1 - ½ · 0.96^(t · momentum_decay)) at step t.

    Parameters
    ----------
    beta1, beta2, epsilon : float
        As for `Adam`.
    momentum_decay : float
        How fast the momentum grows to beta1.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.Nadam([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.894355
    """

    learning_rate: float = 0.002
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 0.004

    def initial_state(self, data: Any, group: Any) -> State:
        """Zeros, and the product of all momenta so far."""
        return {"mean": zeros_like(data), "square": zeros_like(data), "momenta": 1.0}

    def scalars(self, group: Any, step: int) -> dict[str, Any]:
        """With the momenta of this step and of the next, and the correction of the squares."""
        now, following = (
            group.beta1 * (1 - 0.5 * 0.96 ** (t * group.momentum_decay)) for t in (step, step + 1)
        )
        root = (1 - group.beta2**step) ** 0.5
        momenta = {"now": now, "following": following, "root": root}
        return super().scalars(group, step) | momenta

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        changed = moments(g, state, hyperparameters)
        product = changed["momenta"] = state["momenta"] * hyperparameters.now
        for_mean = hyperparameters.following / (1 - product * hyperparameters.following)
        for_gradient = (1 - hyperparameters.now) / (1 - product)
        ahead = for_mean * changed["mean"] + for_gradient * g
        scale = np.sqrt(changed["square"]) / hyperparameters.root + hyperparameters.epsilon
        return data - hyperparameters.learning_rate * (ahead / scale), changed


@optimizer
class Lion(Optimizer):
    """Steps of one size, along the sign of a running mean.

    data ← data - learning_rate · sign(beta1 · mean + (1 - beta1) · g);
    mean ← beta2 · mean + (1 - beta2) · g.
    X. Chen et al., "Symbolic discovery of optimization algorithms" (2023).

    The weight decay is decoupled by default.

    Parameters
    ----------
    beta1, beta2 : float
        In [0, 1): the weights of the mean in the step, and in its own update.

    Examples
    --------
    >>> import nn
    >>> w = nn.Parameter(1.0)
    >>> optimizer = nn.Lion([w], learning_rate=0.25)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> w.data
    0.75
    """

    state_names = ("mean",)
    learning_rate: float = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    decoupled: bool = True

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        h = hyperparameters
        direction = np.sign(moving_average(state["mean"], g, h.beta1, h.one_minus_beta1))
        mean = moving_average(state["mean"], g, h.beta2, h.one_minus_beta2)
        return data - h.learning_rate * direction, {"mean": mean}
