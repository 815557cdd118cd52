"""Groups of parameters and their hyperparameters, collected and checked."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import autograd_lite as ag
from nn.checks import FRACTION, NOT_NEGATIVE, POSITIVE, check_flags, check_number, check_range
from nn.models.module import Module, Parameter

__all__ = ["Group", "Parameters", "check_given_once", "make_groups"]

Parameters = Module | Iterable[Parameter] | Iterable[dict[str, Any]]

RANGES = {
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
FLAGS = ("amsgrad", "decoupled", "nesterov")


class Group(SimpleNamespace):
    """Parameters and their hyperparameters, which may be changed while training goes on.

    An attribute that nothing would read, and a number that is out of its range, is refused
    with an `ArgumentValueError`; a learning rate may become 0.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in vars(self):
            known = ", ".join(sorted(vars(self)))
            raise ag.ArgumentValueError(
                f"a group of an optimizer has no hyperparameter {name!r}; use one of {known}"
            )
        if name == "parameters":
            value = check_parameters("a group of an optimizer", value)
        check_hyperparameter("a group of an optimizer", name, value, is_late=True)
        super().__setattr__(name, value)


def check_hyperparameter(owner: str, name: str, value: Any, *, is_late: bool = False) -> None:
    """Refuse what is out of its range, no truth value where one is meant, or no number."""
    if name in FLAGS:
        check_flags(owner, **{name: value})
    elif name in RANGES:
        allowed = NOT_NEGATIVE if is_late and name == "learning_rate" else RANGES[name]
        check_range(owner, allowed, **{name: value})
    elif name != "parameters":
        check_number(owner, **{name: value})


def make_groups(
    optimizer: str, parameters: Parameters, hyperparameters: dict[str, Any]
) -> list[Group]:
    """A group for each dict, or one for everything."""
    if not isinstance(parameters, Module | Iterable):
        raise ag.ArgumentTypeError(
            f"{optimizer}: the parameters are {parameters!r}; pass a model, its parameters, or a "
            "list of dicts"
        )
    given = parameters if isinstance(parameters, Module) else list(parameters)
    are_groups = isinstance(given, list) and given and all(isinstance(g, dict) for g in given)
    groups: Any = given if are_groups else [{"parameters": given}]
    made = []
    for group in groups:
        for key in group:
            if key not in hyperparameters and key != "parameters":
                raise ag.ArgumentValueError(
                    f"{optimizer}: a group has the unknown hyperparameter {key!r}; "
                    f"use {', '.join(sorted(hyperparameters))}"
                )
        numbers = hyperparameters | group
        own = check_parameters(optimizer, numbers.pop("parameters", []))
        for name, number in numbers.items():
            check_hyperparameter(optimizer, name, number)
        made.append(Group(**numbers, parameters=own))
    check_given_once(optimizer, made)
    return made


def check_given_once(optimizer: str, groups: Iterable[Group]) -> None:
    """Refuse a parameter that would be trained twice in each step."""
    found: set[int] = set()
    for parameter in (p for group in groups for p in group.parameters):
        if id(parameter) in found:
            raise ag.ArgumentValueError(
                f"{optimizer}: the parameter {parameter.label!r} of shape {parameter.shape} is "
                "given twice; let each be in one group, once"
            )
        found.add(id(parameter))


def check_parameters(optimizer: str, parameters: Any) -> list[Parameter]:
    """A list of the parameters of a group."""
    if isinstance(parameters, Module):
        for part, module in parameters.named_modules():
            if not module.shapes_known():
                raise ag.ArgumentValueError(
                    f"{optimizer}: the layer {part!r} does not know its number of inputs yet; "
                    "call the model on a batch first"
                )
        parameters = parameters.parameters()
    found = list(parameters)
    for parameter in found:
        if not isinstance(parameter, Parameter):
            raise ag.ArgumentTypeError(
                f"{optimizer}: {parameter!r} is not a Parameter; "
                "pass a model, or a list of parameters such as model.parameters()"
            )
        if parameter.dtype.kind == "c":  # squares and signs are meant of each of the two parts
            raise ag.ArgumentTypeError(
                f"{optimizer}: the parameter {parameter.label!r} has dtype {parameter.dtype}, and "
                "updates are those of real numbers; keep its real and imaginary part as two "
                "parameters, and write a + 1j * b"
            )
    if not found:
        raise ag.ArgumentValueError(
            f"{optimizer}: there is no parameter to train; pass a model that has some"
        )
    return found
