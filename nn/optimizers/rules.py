"""The rules by which parameters follow their gradients.

Each class states its rule in its docstring; ``update`` computes it.  What can be
computed from numbers alone is computed before, in ``numbers_of``, once for all
parameters of a group.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.models.module import Parameter
from nn.optimizers.base import Optimizer, Parameters, State, zeros_like

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Lion", "Nadam", "RMSprop"]


def towards(mean: Any, new: Any, share: Any) -> Any:
    """A running mean that keeps 1 - share of itself: (1 - share) · mean + share · new."""
    return mean + share * (new - mean)


class SGD(Optimizer):
    """Stochastic gradient descent: step against the gradient, with momentum if wanted.

    velocity ← momentum · velocity + (1 - dampening) · g, but + g in the first step;
    data ← data - learning_rate · velocity.  With ``nesterov`` the step goes
    along g + momentum · velocity.  (B. Polyak 1964; Y. Nesterov 1983 in the form
    of I. Sutskever et al., "On the importance of initialization and momentum in
    deep learning", 2013.)

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
    momentum : float
        In [0, 1): the share of the last velocity that is kept.
    dampening : float
        In [0, 1): the share of the gradient that is left out of the velocity.
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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.01,
        *,
        momentum: float = 0.0,
        dampening: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            momentum=momentum,
            dampening=dampening,
            nesterov=nesterov,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def initial_state(self, data: Any, group: Any) -> State:
        """The velocity, if there is momentum."""
        return {"velocity": zeros_like(data)} if group.momentum else {}

    def _state_of(self, parameter: Parameter, group: Any) -> State:
        if bool(group.momentum) != bool(self._states.get(parameter)):  # it may be switched on late
            self._states[parameter] = self.initial_state(parameter.data, group)
        return super()._state_of(parameter, group)

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the share of the gradient in the velocity; the first step is not dampened."""
        is_dampened = group.dampening and step > 1
        push = 1 - group.dampening if is_dampened else None
        return super().numbers_of(group, step) | {"push": push}

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        if not state:
            return data - at.learning_rate * g, state
        push = g if at.push is None else at.push * g
        velocity = at.momentum * state["velocity"] + push
        direction = at.momentum * velocity + g if at.nesterov else velocity
        return data - at.learning_rate * direction, {"velocity": velocity}


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient (T. Hinton, 2012).

    square ← decay · square + (1 - decay) · g²;
    data ← data - learning_rate · g / (√square + epsilon).

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
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
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            decay=decay,
            epsilon=epsilon,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the share of the new in the running means."""
        return super().numbers_of(group, step) | {"share": 1 - group.decay}

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        square = towards(state["square"], g * g, at.share)
        step = at.learning_rate * (g / (np.sqrt(square) + at.epsilon))
        return data - step, {"square": square}


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients.

    square ← square + g²;  data ← data - learning_rate · g / (√square + epsilon).
    J. Duchi et al., "Adaptive subgradient methods" (2011).

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
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
    >>> optimizer = nn.Adagrad([w], learning_rate=0.1)
    >>> (w * w).backward()
    >>> optimizer.step()
    >>> round(w.data, 6)
    0.9
    """

    state_names = ("square",)

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.01,
        *,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            epsilon=epsilon,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        square = state["square"] + g * g
        step = at.learning_rate * (g / (np.sqrt(square) + at.epsilon))
        return data - step, {"square": square}


class Adadelta(Optimizer):
    """Steps in proportion to the size of the last steps, so that units agree.

    square ← decay · square + (1 - decay) · g²;
    step ← √(steps² + epsilon) / √(square + epsilon) · g, with steps² the running
    mean of step²;  data ← data - learning_rate · step.
    M. Zeiler, "Adadelta: an adaptive learning rate method" (2012).

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
    decay : float
        In [0, 1): how much of the running means is kept at each step.
    epsilon : float
        Starts the steps and keeps the division finite.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 1.0,
        *,
        decay: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            decay=decay,
            epsilon=epsilon,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the share of the new in the running means."""
        return super().numbers_of(group, step) | {"share": 1 - group.decay}

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        square = towards(state["square"], g * g, at.share)
        step = np.sqrt((state["step"] + at.epsilon) / (square + at.epsilon)) * g
        steps = towards(state["step"], step * step, at.share)
        return data - at.learning_rate * step, {"square": square, "step": steps}


def shares(group: Any) -> dict[str, float]:
    """What `moments` needs: the shares of the new in the two running means."""
    return {"mean_share": 1 - group.beta1, "square_share": 1 - group.beta2}


def moments(g: Any, state: State, at: Any) -> State:
    """The running means of the gradient and of its square, moved towards those of ``g``."""
    return {
        "mean": towards(state["mean"], g, at.mean_share),
        "square": towards(state["square"], g * g, at.square_share),
    }


class Adam(Optimizer):
    """Momentum and scaled steps, both corrected for their start at zero.

    mean ← beta1 · mean + (1 - beta1) · g;  square ← beta2 · square + (1 - beta2) · g²;
    data ← data - learning_rate · m / (√s + epsilon), where m = mean / (1 - beta1ᵗ)
    and s = square / (1 - beta2ᵗ) at step t.
    D. Kingma, J. Ba, "Adam: a method for stochastic optimization" (2015).

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
    beta1, beta2 : float
        In [0, 1): how much of the running means of the gradient and of its
        square is kept at each step.
    epsilon : float
        Keeps the division finite.
    amsgrad : bool
        Divide by the largest running mean so far (S. Reddi et al., "On the
        convergence of Adam and beyond", 2018).

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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        self.state_names = ("mean", "square", "largest") if amsgrad else ("mean", "square")
        self.amsgrad = amsgrad
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the corrections drawn together into the learning rate and epsilon (section 2)."""
        numbers = super().numbers_of(group, step)
        root = (1 - group.beta2**step) ** 0.5
        numbers["corrected_rate"] = numbers["learning_rate"] * root / (1 - group.beta1**step)
        numbers["corrected_epsilon"] = group.epsilon * root
        return numbers | shares(group)

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        changed = moments(g, state, at)
        square = changed["square"]
        if self.amsgrad:
            square = changed["largest"] = np.maximum(state["largest"], square)
        step = changed["mean"] / (np.sqrt(square) + at.corrected_epsilon)
        return data - at.corrected_rate * step, changed


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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.001,
        *,
        weight_decay: float = 0.01,
        decoupled: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            parameters, learning_rate, weight_decay=weight_decay, decoupled=decoupled, **options
        )


class Nadam(Optimizer):
    """`Adam` that looks ahead along its momentum.

    T. Dozat, "Incorporating Nesterov momentum into Adam" (2016), with his
    schedule of the momentum: beta1 · (1 - ½ · 0.96^(t · momentum_decay)) at step t.

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`.
    beta1, beta2, epsilon : float
        As for `Adam`.
    momentum_decay : float
        How fast the momentum grows to beta1.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.002,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        momentum_decay: float = 0.004,
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            momentum_decay=momentum_decay,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def initial_state(self, data: Any, group: Any) -> State:
        """Zeros, and the product of all momenta so far."""
        return {"mean": zeros_like(data), "square": zeros_like(data), "momenta": 1.0}

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the momenta of this step and of the next, and the correction of the squares."""
        now, following = (
            group.beta1 * (1 - 0.5 * 0.96 ** (t * group.momentum_decay)) for t in (step, step + 1)
        )
        root = (1 - group.beta2**step) ** 0.5
        momenta = {"now": now, "following": following, "root": root}
        return super().numbers_of(group, step) | shares(group) | momenta

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        changed = moments(g, state, at)
        changed["momenta"] = product = state["momenta"] * at.now
        for_mean = at.following / (1 - product * at.following)
        for_gradient = (1 - at.now) / (1 - product)
        ahead = for_mean * changed["mean"] + for_gradient * g
        scale = np.sqrt(changed["square"]) / at.root + at.epsilon
        return data - at.learning_rate * (ahead / scale), changed


class Lion(Optimizer):
    """Steps of one size, along the sign of a running mean.

    data ← data - learning_rate · sign(beta1 · mean + (1 - beta1) · g);
    mean ← beta2 · mean + (1 - beta2) · g.
    X. Chen et al., "Symbolic discovery of optimization algorithms" (2023).

    Parameters
    ----------
    parameters, learning_rate, weight_decay, decoupled
        As for `Optimizer`; the weight decay is decoupled by default.
    beta1, beta2 : float
        In [0, 1): the weights of the mean in the step, and in its own update.

    Raises
    ------
    ArgumentValueError
        If a hyperparameter is out of its range.

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

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 0.0001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
        decoupled: bool = True,
    ) -> None:
        super().__init__(
            parameters,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            weight_decay=weight_decay,
            decoupled=decoupled,
        )

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """With the shares of the gradient in the step and in the mean."""
        of_gradient = {"step_share": 1 - group.beta1, "mean_share": 1 - group.beta2}
        return super().numbers_of(group, step) | of_gradient

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """One step; see the class."""
        direction = np.sign(towards(state["mean"], g, at.step_share))
        mean = towards(state["mean"], g, at.mean_share)
        return data - at.learning_rate * direction, {"mean": mean}
