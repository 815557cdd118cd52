"""Optimizer: keeps parameters, their groups and state, and calls an update for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.module import Module, Parameter

__all__ = ["Array", "Optimizer", "Parameters"]

Array = np.ndarray[Any, Any]
Parameters = Module | Iterable[Parameter] | Iterable[dict[str, Any]]

POSITIVE = ("a positive number", lambda number: 0 < number < float("inf"))
FRACTION = ("in [0, 1)", lambda number: 0 <= number < 1)
NOT_NEGATIVE = ("a number that is not negative", lambda number: 0 <= number < float("inf"))

RANGES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "learning_rate": POSITIVE,
    "epsilon": POSITIVE,
    "momentum": FRACTION,
    "dampening": FRACTION,
    "decay": FRACTION,
    "beta1": FRACTION,
    "beta2": FRACTION,
    "weight_decay": NOT_NEGATIVE,
    "momentum_decay": NOT_NEGATIVE,
}
"""What each hyperparameter must be; the names mean the same in all optimizers."""


class Optimizer:
    """Base class: a subclass defines ``update``, and names its arrays of state.

    Parameters
    ----------
    parameters : Module, iterable of Parameter, or list of dict
        What to train; frozen parameters are skipped.  Dicts make groups with
        hyperparameters of their own:
        ``[{"parameters": model[0], "learning_rate": 0.01}, {"parameters": model[2]}]``.
    **hyperparameters
        Numbers that every group has, if it does not say otherwise.  All
        optimizers know these three:

        learning_rate : float
            The size of a step.
        weight_decay : float
            Pulls the parameters towards 0.
        decoupled : bool
            Whether the pull is a step of its own, ``weight_decay`` times the
            learning rate (I. Loshchilov, F. Hutter, "Decoupled weight decay
            regularization", 2019), or is added to the gradient.

    Attributes
    ----------
    groups : list of SimpleNamespace
        ``parameters`` and hyperparameters of each group; may be changed.
    factor : float
        Multiplies the learning rates; schedules set it.
    steps : int
        How many steps were taken.

    Raises
    ------
    ArgumentValueError
        If there is nothing to train, or a hyperparameter is out of its range.

    Notes
    -----
    Parameters are written in place, and nothing is allocated in the steady
    state.  Graphs recorded before a step therefore see the new numbers: sweep
    them first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class SignDescent(nn.Optimizer):
    ...     def update(self, data, g, state, scratch, group):
    ...         data -= group.learning_rate * self.factor * np.sign(g)
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = SignDescent([w], learning_rate=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, parameters: Parameters, **hyperparameters: Any) -> None:
        self.name = type(self).__name__
        hyperparameters = {"weight_decay": 0.0, "decoupled": False} | hyperparameters
        self.groups = [
            SimpleNamespace(**(hyperparameters | group))
            for group in self._collected(parameters, set(hyperparameters))
        ]
        for group in self.groups:
            self._check_ranges(vars(group))
        self.steps = 0
        self.factor = 1.0
        self._states: dict[Parameter, dict[str, Array]] = {}
        self._scratch: dict[Parameter, tuple[Array, Array]] = {}

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters of all groups."""
        return [parameter for group in self.groups for parameter in group.parameters]

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
        self._require_gradients()
        self.steps += 1
        for group in self.groups:
            for parameter in group.parameters:
                if not parameter.requires_grad:
                    continue
                data = parameter.data
                if isinstance(data, np.ndarray):
                    self._update(data, parameter, group)
                else:  # a Python number cannot be written in place
                    array = np.array(data)
                    self._update(array, parameter, group)
                    parameter.data = array.item()

    def update(
        self, data: Array, g: Array, state: dict[str, Array], scratch: Array, group: Any
    ) -> None:
        """Change ``data`` in place, given its gradient ``g``; ``g`` must stay as it is.

        ``state`` holds what ``initial_state`` made, ``scratch`` is an array of
        the same shape to compute in, ``group`` has the hyperparameters.
        """
        raise NotImplementedError(f"{self.name} does not define update")

    def initial_state(self, data: Array) -> dict[str, Array]:
        """The state of one parameter before its first step: zeros of its shape."""
        return {name: np.zeros_like(data) for name in self.state_names}

    def _update(self, data: Array, parameter: Parameter, group: Any) -> None:
        if parameter not in self._states:
            self._states[parameter] = self.initial_state(data)
        if parameter not in self._scratch:
            self._scratch[parameter] = np.empty_like(data), np.empty_like(data)
        scratch, pulled = self._scratch[parameter]
        g = np.asarray(parameter.grad)
        if group.weight_decay and group.decoupled:
            data *= 1 - self.factor * group.learning_rate * group.weight_decay
        elif group.weight_decay:
            np.multiply(data, group.weight_decay, out=pulled)
            g = np.add(pulled, g, out=pulled)
        self.update(data, g, self._states[parameter], scratch, group)

    def _require_gradients(self) -> None:
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None and parameter.requires_grad:
                name = f" ({parameter.label!r})" if parameter.label else ""
                raise ag.BackwardError(
                    f"{self.name}.step: parameter {index}{name} of shape {parameter.shape} "
                    "received no gradient; call backward() on a loss that depends on it, or set "
                    "its requires_grad to False"
                )

    # State, to go on from later.

    def state_dict(self) -> dict[str, Array]:
        """Copies of the state, by names such as ``"3.mean"`` for the parameter 3.

        Examples
        --------
        >>> import nn
        >>> sorted(nn.Adam(nn.Linear(2, 1)).state_dict())
        ['factor', 'steps']
        """
        state = {"steps": np.array(self.steps), "factor": np.array(self.factor)}
        for index, parameter in enumerate(self.parameters):
            for name, array in self._states.get(parameter, {}).items():
                state[f"{index}.{name}"] = np.array(array)
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned.

        Raises
        ------
        ArgumentValueError
            If the state is of another optimizer or other parameters; nothing
            is changed then.
        """
        states = {
            parameter: self._loaded(index, parameter, state)
            for index, parameter in enumerate(self.parameters)
        }
        expected = {"steps", "factor"} | {
            f"{index}.{name}" for index, p in enumerate(self.parameters) for name in states[p]
        }
        if set(state) != expected:
            odd = sorted(set(state) ^ expected)[0]
            raise ag.ArgumentValueError(
                f"{self.name}.load_state_dict: {odd!r} is "
                f"{'unknown' if odd in state else 'missing'}; "
                "load the state of the same optimizer of the same model"
            )
        self.steps, self.factor = int(state["steps"]), float(state["factor"])
        self._states = {parameter: own for parameter, own in states.items() if own}

    def _loaded(
        self, index: int, parameter: Parameter, state: Mapping[str, Any]
    ) -> dict[str, Array]:
        """The arrays of one parameter; none if it has not been trained yet."""
        own = self.initial_state(np.asarray(parameter.data))
        if not any(f"{index}.{name}" in state for name in own):
            return {}
        for name, array in own.items():
            given = np.asarray(state.get(f"{index}.{name}", np.nan))
            if given.shape != array.shape:
                raise ag.ArgumentValueError(
                    f"{self.name}.load_state_dict: {f'{index}.{name}'!r} has shape {given.shape} "
                    f"in the state, but the parameter needs shape {array.shape}; "
                    "load the state of the same optimizer of the same model"
                )
            own[name] = given.astype(array.dtype)
        return own

    # Checks.

    def _collected(self, parameters: Parameters, known: set[str]) -> list[dict[str, Any]]:
        """The groups as dicts that hold a list of parameters, checked."""
        given = parameters if isinstance(parameters, Module) else list(parameters)
        groups: list[Any] = [{"parameters": given}]
        if isinstance(given, list) and given and all(isinstance(part, dict) for part in given):
            groups = given
        checked = []
        for group in groups:
            for key in group:
                if key not in known | {"parameters"}:
                    raise ag.ArgumentValueError(
                        f"{self.name}: a group has the unknown hyperparameter {key!r}; "
                        f"use {', '.join(sorted(known))}"
                    )
            checked.append(group | {"parameters": self._checked(group.get("parameters", []))})
        return checked

    def _checked(self, parameters: Any) -> list[Parameter]:
        if isinstance(parameters, Module):
            for part, module in parameters.named_modules():
                if not module.shapes_known():
                    raise ag.ArgumentValueError(
                        f"{self.name}: the layer {part!r} does not know its number of inputs yet; "
                        "call the model on a batch first"
                    )
            parameters = parameters.parameters()
        found = list(parameters)
        for parameter in found:
            if not isinstance(parameter, Parameter):
                raise ag.ArgumentTypeError(
                    f"{self.name}: {parameter!r} is no Parameter; "
                    "pass a model, or a list of parameters such as model.parameters()"
                )
        if not found:
            raise ag.ArgumentValueError(
                f"{self.name}: there is no parameter to train; pass a model that has some"
            )
        return found

    def _check_ranges(self, hyperparameters: dict[str, Any]) -> None:
        for name, number in hyperparameters.items():
            meaning, holds = RANGES.get(name, ("", lambda number: True))
            if not holds(number):
                raise ag.ArgumentValueError(
                    f"{self.name}: {name} is {number!r}; it must be {meaning}"
                )
