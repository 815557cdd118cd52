"""Optimizer: keeps parameters, their groups and state, and calls an update for each."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, TypeVar

import numpy as np

import autograd_lite as ag
from nn.checks import NOT_NEGATIVE, beside, check_range, host_array, is_elsewhere
from nn.models.module import Parameter
from nn.optimizers.groups import Group, Parameters, check_given_once, make_groups

__all__ = [
    "ARGUMENTS_OF_UPDATES",
    "Optimizer",
    "State",
    "check_trainable",
    "optimizer",
    "optimizer_of",
    "optimizers",
    "zeros_like",
]

Array = np.ndarray[Any, Any]
State = dict[str, Any]
Updates = tuple[list[Any], list[State]]
"""New numbers of parameters, and their new states."""

ARGUMENTS_OF_UPDATES = (
    "groups", "steps", "lr_scale", "schedule_scale", "attachments", "_states", "_counts"
)  # fmt: skip
"""Attributes of an optimizer that a compiled step does not read: it is given them anew."""


OWN_NUMBERS = ("steps", "lr_scale", "schedule_scale")
"""Attributes of an optimizer that are numbers, none negative."""


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
    learning_rate : float
        The size of a step.
    **hyperparameters
        Numbers that every group has, if it does not say otherwise.  All
        optimizers know these two:

        weight_decay : float
            Pulls the parameters towards 0.
        decoupled : bool
            Whether the pull is a step of its own, ``weight_decay`` times the
            learning rate (I. Loshchilov, F. Hutter, "Decoupled weight decay
            regularization", 2019), or is added to the gradient.

    Attributes
    ----------
    groups : list of Group
        ``parameters`` and hyperparameters of each group, which may be changed:
        ``optimizer.groups[0].learning_rate = 0.01``.
    lr_scale : float
        Multiplies the learning rates; callbacks may set it.
    schedule_scale : float
        Multiplies them too; a schedule sets it while `fit` runs, and it is 1 otherwise.
    steps : int
        How many steps were taken.
    attachments : dict
        What others keep for as long as the optimizer lives; it is neither copied
        nor pickled with it.

    Raises
    ------
    ArgumentValueError
        If there is nothing to train, or a hyperparameter is out of its range.

    Notes
    -----
    Parameters are written in place.  Graphs recorded before a step therefore see
    the new numbers: sweep them first.  The updates of float16 are computed, and their
    state is kept, in float32.

    Examples
    --------
    >>> import numpy as np, nn
    >>> class SignDescent(nn.Optimizer):
    ...     def update(self, data, g, state, hyperparameters):
    ...         return data - hyperparameters.learning_rate * np.sign(g), {}
    >>> w = nn.Parameter([1.0, -2.0])
    >>> optimizer = SignDescent([w], learning_rate=0.5)
    >>> np.sum(w * w).backward()
    >>> optimizer.step()
    >>> w.data
    array([ 0.5, -1.5])
    """

    state_names: tuple[str, ...] = ()
    defaults: ClassVar[dict[str, Any]] = {
        "learning_rate": 0.01,
        "weight_decay": 0.0,
        "decoupled": False,
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "numbers_of" in vars(cls):
            warnings.warn(
                f"{cls.__name__}.numbers_of is called scalars now; rename the method",
                DeprecationWarning,
                stacklevel=2,
            )
            cls.scalars = cls.numbers_of  # type: ignore[method-assign, attr-defined]
        cls.numbers_of = cls.scalars  # type: ignore[attr-defined]

    def __init__(
        self, parameters: Parameters, learning_rate: float = 0.01, **hyperparameters: Any
    ) -> None:
        self.name = type(self).__name__
        given = {"learning_rate": learning_rate} | hyperparameters
        self.groups = make_groups(self.name, parameters, self.defaults | given)
        self.steps = 0
        self.lr_scale = 1.0
        self.schedule_scale = 1.0
        self.attachments: dict[str, Any] = {}
        self._states: dict[Parameter, State] = {}
        self._counts: dict[Parameter, int] = {}

    def __repr__(self) -> str:
        return f"{self.name}({'; '.join(map(words, self.groups))})"

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse what would not be read, and numbers out of their range."""
        check_attribute(self, name, value)
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"attachments": {}}

    @property
    def parameters(self) -> list[Parameter]:
        """The parameters of all groups."""
        return [parameter for group in self.groups for parameter in group.parameters]

    @property
    def factor(self) -> float:
        """The old name of ``lr_scale``."""
        warn_of_factor()
        return self.lr_scale

    @factor.setter
    def factor(self, scale: float) -> None:
        warn_of_factor(calls_up=3)
        self.lr_scale = scale

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Change every parameter according to its gradient.

        If one received none, a `BackwardError` is raised, and nothing is changed.
        """
        trainable = self.trainable()
        gradients = [parameter.grad for parameter in trainable]
        self.require_gradients(trainable, gradients)
        data = [parameter.data for parameter in trainable]
        self.write(
            trainable, *self.compute_updates(data, gradients, self.states(), self.group_scalars())
        )

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        """The new numbers of one parameter, and its new state.

        Parameters
        ----------
        data, g : array
            The parameter and its gradient, neither to be written to.
        state : dict
            What `initial_state` made, or the last step returned.
        hyperparameters : namespace
            What `scalars` returned for the group.

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

    def scalars(self, group: Any, step: int) -> dict[str, Any]:
        """What an update depends on besides arrays, at a step of the parameter's, from 1.

        The hyperparameters of the group, with ``learning_rate`` times both scales,
        and ``weight_decay`` None if there is none; ``kept`` is the share of a
        parameter that a decoupled decay leaves, and ``one_minus_beta1`` (``beta2``,
        ``decay``) that of the new in a running mean.  Subclasses add what can be
        computed from numbers alone, once for all parameters of the group.
        """
        scalars: dict[str, Any] = {
            name: number if isinstance(number, bool) else float(number)
            for name, number in vars(group).items()
            if name != "parameters"
        }
        scalars["learning_rate"] *= self.lr_scale * self.schedule_scale
        scalars["kept"] = 1 - scalars["learning_rate"] * scalars["weight_decay"]
        scalars["weight_decay"] = scalars["weight_decay"] or None
        means = [name for name in ("decay", "beta1", "beta2") if name in scalars]
        return scalars | {f"one_minus_{name}": 1 - scalars[name] for name in means}

    # A step in parts, as `step` and `fit` put it together.

    def trainable(self) -> list[Parameter]:
        """The parameters that are not frozen."""
        check_given_once(self.name, self.groups)
        return [parameter for parameter in self.parameters if parameter.requires_grad]

    def states(self) -> list[State]:
        """The states of the trainable parameters, which begin here where there is none."""
        return [
            self._state_of(parameter, group)
            for group in self.groups
            for parameter in group.parameters
            if parameter.requires_grad
        ]

    def _state_of(self, parameter: Parameter, group: Any) -> State:
        if parameter not in self._states:
            self._states[parameter] = self.initial_state(parameter.data, group)
        state, data = self._states[parameter], parameter.data
        for name, entry in state.items():
            if entry.__class__ is data.__class__:
                continue
            if is_elsewhere(entry) != is_elsewhere(data):  # the model was moved
                state[name] = beside(data, host_array(entry))
        return state

    def cohorts(self) -> dict[tuple[int, int], list[int]]:
        """Where trainable parameters stand, by their groups and the steps that they have taken."""
        found: dict[tuple[int, int], list[int]] = {}
        position = 0
        for number, group in enumerate(self.groups):
            for parameter in group.parameters:
                if parameter.requires_grad:
                    key = number, self._counts.get(parameter, 0)
                    found.setdefault(key, []).append(position)
                    position += 1
        return found

    def group_scalars(self) -> list[dict[str, Any]]:
        """The `scalars` of each cohort at the next step."""
        return [self.scalars(self.groups[n], count + 1) for n, count in self.cohorts()]

    def compute_updates(
        self, data: list[Any], gradients: list[Any], states: list[State], scalars: list[Any]
    ) -> Updates:
        """New numbers and states of the trainable parameters, in order; nothing is written."""
        hyperparameters: list[Any] = [None] * len(data)
        for numbers, positions in zip(scalars, self.cohorts().values(), strict=True):
            for position in positions:
                hyperparameters[position] = SimpleNamespace(**numbers)
        updates = [
            decay_and_update(self, *one)
            for one in zip(data, gradients, states, hyperparameters, strict=True)
        ]
        return [new for new, _ in updates], [state for _, state in updates]

    def write(self, trainable: list[Parameter], data: list[Any], states: list[State]) -> None:
        """Take over what `compute_updates` returned, in place, and count the step."""
        self.steps += 1
        for parameter, new, entries in zip(trainable, data, states, strict=True):
            self._counts[parameter] = self._counts.get(parameter, 0) + 1
            before = parameter.data
            if new is not before:  # a compiled step has written it there already
                parameter.data = overwrite(before, new)
            state = self._states[parameter]
            for name, entry in entries.items():
                state[name] = overwrite(state[name], entry)

    def require_gradients(self, trainable: list[Parameter], gradients: list[Any]) -> None:
        """Refuse to take a step without the gradient of a parameter that is not frozen."""
        for parameter, g in zip(trainable, gradients, strict=True):
            if g is None:
                index = next(i for i, p in enumerate(self.parameters) if p is parameter)
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
        >>> sorted(nn.Lion(nn.Linear(2, 1)).state_dict())[-3:]
        ['group0.weight_decay', 'lr_scale', 'steps']
        """
        first = {"steps": self.steps, "lr_scale": self.lr_scale, "class": type(self).__name__}
        state = {name: np.array(x) for name, x in first.items()}
        for number, group in enumerate(self.groups):
            numbers = numbers_of(group).items()
            state |= {f"group{number}.{name}": np.array(value) for name, value in numbers}
        for index, parameter in enumerate(self.parameters):
            if parameter in self._counts:
                state[f"{index}.steps"] = np.array(self._counts[parameter])
            for name, array in self._states.get(parameter, {}).items():
                state[f"{index}.{name}"] = np.array(host_array(array))
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state that `state_dict` returned.

        If it is of another optimizer or of other parameters, an `ArgumentValueError` is
        raised, and nothing is changed.
        """
        state = {"lr_scale" if name == "factor" else name: x for name, x in state.items()}
        self._states, self._counts, settings = read_state(self, state)
        self.steps, self.lr_scale = int(state["steps"]), float(state["lr_scale"])
        for group, name, value in settings:
            setattr(group, name, value)


def check_attribute(optimizer: Optimizer, name: str, value: Any) -> None:
    """Refuse what looks like a hyperparameter, which groups have; and no number where one is."""
    groups = vars(optimizer).get("groups")
    if groups and (name == "lr" or name in vars(groups[0])):
        known = "learning_rate" if name == "lr" else name
        raise ag.ArgumentTypeError(
            f"{optimizer.name}: {name} belongs to each group of parameters, and would not be read "
            f"here; write optimizer.groups[0].{known} = {value!r}"
        )
    if name in OWN_NUMBERS:
        check_range(type(optimizer).__name__, NOT_NEGATIVE, **{name: value})


def decay_and_update(
    optimizer: Optimizer, data: Any, g: Any, state: State, hyperparameters: Any
) -> tuple[Any, State]:
    """The update of a parameter whose weights decay; in half precision it is computed in single."""
    is_half = getattr(data, "dtype", None) == np.float16
    if is_half:  # which has no room for the square of 1e-4, nor for an epsilon of 1e-8
        data, g = data.astype(np.float32), g.astype(np.float32)
    decay = hyperparameters.weight_decay
    if decay is not None and hyperparameters.decoupled:
        data = hyperparameters.kept * data
    elif decay is not None:
        g = decay * data + g
    new, new_state = optimizer.update(data, g, state, hyperparameters)
    if new_state.keys() != state.keys():
        raise ag.ArgumentValueError(
            f"{optimizer.name}.update: the state had the entries {sorted(state)}, and the one "
            f"returned has {sorted(new_state)}; return all of them, changed or not"
        )
    return (new.astype(np.float16) if is_half else new), new_state


def numbers_of(group: Any) -> dict[str, Any]:
    """The hyperparameters of a group that are numbers."""
    kinds = (bool, int, float, np.number)
    return {name: value for name, value in vars(group).items() if isinstance(value, kinds)}


def words(group: Any) -> str:
    """The hyperparameters of a group, as one would write them."""
    given = vars(group).items()
    return ", ".join(f"{name}={value!r}" for name, value in given if name != "parameters")


def read_state(
    optimizer: Optimizer, state: Mapping[str, Any]
) -> tuple[dict[Parameter, State], dict[Parameter, int], list[tuple[Any, str, Any]]]:
    """States and numbers of steps by parameter, and hyperparameters with their groups."""
    kind = str(state.get("class", optimizer.name))  # older files do not say
    if kind != type(optimizer).__name__:
        raise ag.ArgumentValueError(
            f"{optimizer.name}.load_state_dict: the state is that of {kind}; load it into an "
            f"optimizer of the class {kind}"
        )
    states, counts, expected = {}, {}, {"steps", "lr_scale", *({"class"} & state.keys())}
    settings, twins = read_settings(optimizer, state)
    for number, group in enumerate(optimizer.groups):
        expected |= {f"group{number}.{name}" for name in vars(group)} & state.keys()
    places = [(parameter, twin) for twin in twins for parameter in twin.parameters]
    for index, (parameter, group) in enumerate(places):
        fresh = optimizer.initial_state(parameter.data, group)
        names = {name: f"{index}.{name}" for name in fresh}
        if not state.keys().isdisjoint(names.values()):  # it has been trained
            states[parameter] = {
                name: load_entry(optimizer.name, full, fresh[name], state)
                for name, full in names.items()
            }
            expected |= set(names.values())
        if parameter in states or f"{index}.steps" in state:
            counts[parameter] = int(state.get(f"{index}.steps", state["steps"]))
            expected |= {f"{index}.steps"} & set(state)
    if set(state) != expected:
        odd = sorted(set(state) ^ expected)[0]
        raise ag.ArgumentValueError(
            f"{optimizer.name}.load_state_dict: {odd!r} is "
            f"{'unknown' if odd in state else 'missing'}; "
            "load the state of the same optimizer of the same model"
        )
    return states, counts, settings


def read_settings(optimizer: Optimizer, state: Mapping[str, Any]) -> tuple[list[Any], list[Group]]:
    """The hyperparameters in a state, each with its group; and groups that have taken them."""
    settings, twins = [], []
    for number, group in enumerate(optimizer.groups):
        twin = Group(**vars(group))
        for name in vars(group):
            if f"group{number}.{name}" in state:  # not so before version 2 of files
                value = np.asarray(state[f"group{number}.{name}"]).item()
                setattr(twin, name, value)
                settings.append((group, name, value))
        twins.append(twin)
    return settings, twins


optimizers: dict[str, type[Optimizer]] = {}
"""All optimizers by name."""


def optimizer_of(caller: str, model: Any, given: Any, **options: Any) -> Optimizer:
    """An optimizer of a model: made by a class or function, or the class of that name."""
    if isinstance(given, str):
        by_name = {name.lower(): kind for name, kind in optimizers.items()}
        if given.lower() not in by_name:
            raise ag.ArgumentValueError(
                f"{caller}: there is no optimizer {given!r}; use one of {', '.join(by_name)}, or "
                "pass an optimizer such as nn.Adam(model)"
            )
        given = by_name[given.lower()]
    is_foreign = isinstance(given, type) and not issubclass(given, Optimizer)
    made = given(model, **options) if callable(given) and not is_foreign else given
    if not isinstance(made, Optimizer):
        raise ag.ArgumentTypeError(
            f"{caller}: optimizer is {given!r}, which is neither an optimizer nor makes one; pass "
            "'adam', nn.Adam, or nn.Adam(model)"
        )
    return made


def check_trainable(caller: str, optimizer: Optimizer) -> None:
    """Refuse to train nothing."""
    if not optimizer.trainable():
        raise ag.ArgumentValueError(
            f"{caller}: all parameters of the optimizer are frozen; call unfreeze() on the part of "
            "the model that is to be trained"
        )


Kind = TypeVar("Kind", bound=type[Optimizer])


def optimizer(kind: Kind) -> Kind:
    """A decorator: register an optimizer, whose annotated attributes are its hyperparameters.

    They become the arguments of the class and leave it, for an attribute would tell
    the default where a group has another number.
    """
    declared = {name: vars(kind)[name] for name in inspect.get_annotations(kind)}
    for name in declared:
        delattr(kind, name)
    kind.defaults = defaults = kind.defaults | declared

    def init(self: Optimizer, parameters: Parameters, *rate: float, **options: Any) -> None:
        try:
            bound = signature.bind(self, parameters, *rate, **options).arguments
        except TypeError as error:
            raise ag.ArgumentTypeError(
                f"{kind.__name__}: {error}; the hyperparameters are {', '.join(defaults)}"
            ) from None
        Optimizer.__init__(**(defaults | bound))

    signature = signature_of(defaults)
    init.__signature__ = signature  # type: ignore[attr-defined]
    kind.__init__ = init  # type: ignore[method-assign]
    optimizers[kind.__name__] = kind
    return kind


def signature_of(defaults: dict[str, Any]) -> inspect.Signature:
    """The arguments of an optimizer: parameters and learning rate, the others by name."""
    positional, keyword = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    arguments = [
        inspect.Parameter(
            name,
            positional if name == "learning_rate" else keyword,
            default=default,
            annotation=type(default),
        )
        for name, default in defaults.items()
    ]
    given = inspect.Parameter("parameters", positional, annotation="Parameters")
    return inspect.Signature([inspect.Parameter("self", positional), given, *arguments])


def zeros_like(data: Any) -> Any:
    """Zeros of the shape and dtype of an array, float32 for float16; a Python number for one."""
    if isinstance(data, float | int):
        return 0.0
    return np.zeros_like(data, np.float32 if data.dtype == np.float16 else None)


def load_entry(optimizer: str, name: str, fresh: Any, state: Mapping[str, Any]) -> Any:
    """An entry of a state, of the shape and dtype of the one to begin with."""
    given = np.asarray(state.get(name, np.nan))
    if given.shape != np.shape(fresh):
        raise ag.ArgumentValueError(
            f"{optimizer}.load_state_dict: {name!r} has shape {given.shape} "
            f"in the state, but the parameter needs shape {np.shape(fresh)}; "
            "load the state of the same optimizer of the same model"
        )
    if isinstance(fresh, float | int):
        return float(given)
    return beside(fresh, given.astype(fresh.dtype))


def overwrite(old: Any, new: Any) -> Any:
    """``new``, written into ``old`` where that is an array; a number is replaced."""
    if new is old:  # a compiled step has written it there already
        return old
    if isinstance(old, float | int):
        return float(new)
    old[...] = new
    return old


def warn_of_factor(calls_up: int = 2) -> None:
    """Tell whoever reads or writes ``factor`` its new name; writing is a call more."""
    warnings.warn(
        "Optimizer.factor is called lr_scale now; write optimizer.lr_scale",
        DeprecationWarning,
        stacklevel=calls_up + 1,
    )
