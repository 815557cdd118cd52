"""Optimizer: keeps parameters, their groups and state, and calls an update for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.models.module import Module, Parameter

__all__ = ["Optimizer", "Parameters", "State", "zeros_like"]

Array = np.ndarray[Any, Any]
State = dict[str, Any]
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

    ``update`` is a pure function of arrays, so one definition serves eager steps
    and compiled ones.

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
    Parameters are written in place.  Graphs recorded before a step therefore see
    the new numbers: sweep them first.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class SignDescent(nn.Optimizer):
    ...     def update(self, data, g, state, at):
    ...         return data - at.learning_rate * np.sign(g), {}
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
        self._states: dict[Parameter, State] = {}
        self.last_step: Any = None  # of the last `fit`, which the next may go on with

    def __getstate__(self) -> dict[str, Any]:
        """All but the compiled programs."""
        return vars(self) | {"last_step": None}

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
        self.require_gradients(self.parameters, [p.grad for p in self.parameters])
        trained = self.trained()
        gradients = [parameter.grad for parameter in trained]
        data = [parameter.data for parameter in trained]
        self.write(trained, *self.updated(data, gradients, self.states(), self.numbers()))

    def update(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        """The new numbers of one parameter, and its new state.

        Parameters
        ----------
        data, g : array
            The parameter and its gradient, neither to be written to.
        state : dict
            What `initial_state` made, or the last step returned.
        at : namespace
            What `numbers_of` returned for the group.

        Notes
        -----
        Where steps are compiled, all of these stand for arrays and numbers that are
        known later: compute with NumPy's functions and operators, and do not
        branch on them.
        """
        raise NotImplementedError(f"{self.name} does not define update")

    def initial_state(self, data: Any, group: Any) -> State:
        """The state of one parameter before its first step: zeros of its shape."""
        return {name: zeros_like(data) for name in self.state_names}

    def numbers_of(self, group: Any, step: int) -> dict[str, Any]:
        """What an update depends on besides arrays, at a step counted from 1.

        The hyperparameters of the group, with ``learning_rate`` times ``factor``,
        and ``weight_decay`` None if there is none; ``kept`` is the share of a
        parameter that a decoupled decay leaves.  Subclasses add more.
        """
        numbers: dict[str, Any] = {
            name: number if isinstance(number, bool) else float(number)
            for name, number in vars(group).items()
            if name != "parameters"
        }
        numbers["learning_rate"] *= self.factor
        numbers["kept"] = 1 - numbers["learning_rate"] * numbers["weight_decay"]
        numbers["weight_decay"] = numbers["weight_decay"] or None
        return numbers

    # A step in parts, as `step` and `fit` put it together.

    def trained(self) -> list[Parameter]:
        """The parameters that are not frozen."""
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    def states(self) -> list[State]:
        """The states of the trained parameters, which begin here where there is none."""
        return [
            self._state_of(parameter, group)
            for group in self.groups
            for parameter in group.parameters
            if parameter.requires_grad
        ]

    def _state_of(self, parameter: Parameter, group: Any) -> State:
        if parameter not in self._states:
            self._states[parameter] = self.initial_state(parameter.data, group)
        return self._states[parameter]

    def numbers(self) -> list[dict[str, Any]]:
        """`numbers_of` each group at the next step."""
        return [self.numbers_of(group, self.steps + 1) for group in self.groups]

    def updated(
        self,
        data: list[Any],
        gradients: list[Any],
        states: list[State],
        numbers: list[dict[str, Any]],
    ) -> tuple[list[Any], list[State]]:
        """New numbers and states of the trained parameters, in their order; nothing is written."""
        places = [
            SimpleNamespace(**of_group)
            for group, of_group in zip(self.groups, numbers, strict=True)
            for parameter in group.parameters
            if parameter.requires_grad
        ]
        results = [
            self._decayed_and_updated(*one)
            for one in zip(data, gradients, states, places, strict=True)
        ]
        return [new for new, _ in results], [state for _, state in results]

    def write(self, trained: list[Parameter], data: list[Any], states: list[State]) -> None:
        """Take over what `updated` returned, in place, and count the step."""
        self.steps += 1
        for parameter, new, entries in zip(trained, data, states, strict=True):
            parameter.data = overwritten(parameter.data, new)
            state = self._states[parameter]
            for name, entry in entries.items():
                state[name] = overwritten(state[name], entry)

    def _decayed_and_updated(self, data: Any, g: Any, state: State, at: Any) -> tuple[Any, State]:
        if at.weight_decay is not None and at.decoupled:
            data = at.kept * data
        elif at.weight_decay is not None:
            g = at.weight_decay * data + g
        new, new_state = self.update(data, g, state, at)
        if new_state.keys() != state.keys():
            raise ag.ArgumentValueError(
                f"{self.name}.update: the state had the entries {sorted(state)}, and the one "
                f"returned has {sorted(new_state)}; return all of them, changed or not"
            )
        return new, new_state

    def require_gradients(self, parameters: list[Parameter], gradients: list[Any]) -> None:
        """Refuse to take a step without the gradient of a parameter that is not frozen."""
        for index, (parameter, g) in enumerate(zip(parameters, gradients, strict=True)):
            if g is None and parameter.requires_grad:
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
        places = [(parameter, group) for group in self.groups for parameter in group.parameters]
        states = {
            parameter: self._loaded(index, parameter, group, state)
            for index, (parameter, group) in enumerate(places)
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
        self, index: int, parameter: Parameter, group: Any, state: Mapping[str, Any]
    ) -> State:
        """The state of one parameter; none if it has not been trained yet."""
        own = self.initial_state(parameter.data, group)
        if not any(f"{index}.{name}" in state for name in own):
            return {}
        for name, entry in own.items():
            given = np.asarray(state.get(f"{index}.{name}", np.nan))
            if given.shape != np.shape(entry):
                raise ag.ArgumentValueError(
                    f"{self.name}.load_state_dict: {f'{index}.{name}'!r} has shape {given.shape} "
                    f"in the state, but the parameter needs shape {np.shape(entry)}; "
                    "load the state of the same optimizer of the same model"
                )
            is_array = isinstance(entry, np.ndarray)
            own[name] = given.astype(entry.dtype) if is_array else float(given)
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


def zeros_like(data: Any) -> Any:
    """Zeros of the shape and dtype of an array; a Python number for one."""
    return np.zeros_like(data) if isinstance(data, np.ndarray) else 0.0


def overwritten(old: Any, new: Any) -> Any:
    """``new``, written into ``old`` where that is an array; a number is replaced."""
    if not isinstance(old, np.ndarray):
        return float(new)
    if new is not old:
        old[...] = new
    return old
