"""The training step: from a batch to its loss, with the parameters updated on the way.

Forward pass, loss, backward pass, penalties, clipping and the optimizer's update
are one function of arrays.  It runs as it is, or compiled by `ag.compile` into a
program that writes parameters and state in place: one definition serves both.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial, reduce
from math import isfinite
from operator import add
from types import FrameType
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses.reduction import Loss
from nn.models.buffers import carried_buffers
from nn.models.fingerprint import Fingerprint, fingerprint
from nn.models.module import Module
from nn.models.restoring import restorer
from nn.optimizers.base import ARGUMENTS_OF_UPDATES, Optimizer, zeros_like
from nn.optimizers.clipping import clip_by_norm, clip_by_value
from nn.training.data import apply_model, length, map_outputs
from nn.training.outputs import check_depends, explain_missing_gradient
from nn.training.terms import Kind, Tally, kinds_of, terms_of

__all__ = [
    "CompileWarning",
    "NonFiniteError",
    "Penalties",
    "Step",
    "added",
    "check_compile",
    "constants",
    "level_of_user",
]


MOST_CHANGES = 3
"""How often programs are made anew within an epoch."""


class CompileWarning(UserWarning):
    """The training step runs uncompiled, because something in it cannot be compiled.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.CompileWarning, UserWarning)
    True
    """


class NonFiniteError(ArithmeticError):
    """The loss of a batch, or a gradient of it, is infinite or NaN; nothing was updated."""

    def __init__(self, what: str, value: float) -> None:
        super().__init__(f"{what} became {value}")
        self.value = value


@partial(ag.Primitive, name="finite")
def finite(loss: Any) -> Any:
    """The loss itself, refused before anything follows from it if it is not finite."""
    is_finite = np.isfinite(loss)
    if not (is_finite.all() if is_finite.ndim else is_finite):
        raise NonFiniteError("the loss", float(loss))
    return loss


finite.defvjp(lambda g, out, loss: g)


@partial(ag.Primitive, differentiable=False, name="with_finite")
def with_finite(loss: Any, *gradients: Any, names: tuple[str, ...]) -> Any:
    """The loss itself, refused before an update if a number in a gradient is not finite."""
    if isfinite(sum(map(np.vdot, gradients, gradients))):
        return loss
    for g, name in zip(gradients, names, strict=True):
        if not isfinite(np.vdot(g, g)):  # it may be too large where the numbers are not
            bad = np.ravel(g)[~np.isfinite(np.ravel(g))]
            if bad.size:
                raise NonFiniteError(f"the gradient of {name!r}", float(bad[0]))
    return loss


@dataclass(frozen=True)
class Penalties:
    """Penalties on the weights and bounds on the gradients, for the optimizer to go by."""

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None

    def apply(self, gradients: list[Any], parameters: list[Any]) -> list[Any]:
        """Pull the weights, those of two or more axes, to 0; then clip."""
        for strength, direction in ((self.l2, lambda p: p), (self.l1, np.sign)):
            if strength:
                gradients = [
                    g + strength * direction(p) if p.ndim > 1 else g
                    for g, p in zip(gradients, parameters, strict=True)
                ]
        if self.clip_norm is not None:
            gradients, _ = clip_by_norm(gradients, self.clip_norm)
        if self.clip_value is not None:
            gradients = clip_by_value(gradients, self.clip_value)
        return gradients


NO_PENALTIES = Penalties()


class Step:
    """The steps of one training run.

    `step` takes a step for a batch; with several batches to a step, `accumulate` adds
    up their gradients and `apply` takes the step.

    Attributes
    ----------
    compiled : dict of Compiled, or None
        The compiled functions by name, whose ``source`` can be read; None where
        steps run uncompiled.
    latest : Tally
        What the last batch comes to.
    sums, tally
        Gradients that were accumulated: for each parameter one of each term of the loss; and
        what their batches add up to.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        penalties: Penalties = NO_PENALTIES,
        *,
        keep_outputs: bool = False,
        compile: bool | str = True,
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.penalties = penalties
        self.keep_outputs = keep_outputs
        self.compile = compile
        self.options = type(self), model, loss, optimizer, penalties, keep_outputs, compile
        self.cannot_compile = False
        self.kinds = kinds_of(loss)
        self.latest = Tally.empty(self.kinds)
        self.read: Any = None
        self.refresh()

    @property
    def can_overwrite_batch(self) -> bool:
        """Whether a batch may be overwritten after its step.

        Outputs that are kept may be views of it, and a model that is run as it is
        may keep what it likes.
        """
        return bool(self.ran) and not self.keep_outputs

    def resume(self) -> Step:
        """The step of the last training with this optimizer, with its programs, if it is the same.

        It lives as long as the optimizer does.
        """
        last: Step = self.optimizer.attachments.setdefault("step", self)
        if any(x is not y and x != y for x, y in zip(self.options, last.options, strict=True)):
            last = self.optimizer.attachments["step"] = self
        return last

    def reset(self) -> None:
        """Forget gradients that were accumulated."""
        self.sums: list[list[Any]] = []
        self.tally = Tally.empty(self.kinds)

    def accumulated(self) -> dict[int, list[Any]]:
        """The gradients that were accumulated, by the numbers of their parameters."""
        numbers = {id(p): n for n, p in enumerate(self.optimizer.parameters)}
        pairs = zip(self.trainable, self.sums, strict=True) if self.sums else ()
        return {numbers[id(p)]: g for p, g in pairs}

    def resume_accumulating(self, gradients: dict[int, list[Any]], tally: list[Any]) -> None:
        """Go on adding to gradients that were `accumulated` where others may have been frozen."""
        numbers = {id(p): n for n, p in enumerate(self.optimizer.parameters)}
        found = [gradients.get(numbers[id(p)], self._zeros(p)) for p in self.trainable]
        self.sums = found if gradients else []
        self.tally.load(tally)

    def _zeros(self, parameter: Any) -> list[Any]:
        """No gradient yet, of any term."""
        return [zeros_like(parameter.data) for _ in self.kinds]

    def refresh(self) -> None:
        """Begin anew with what was changed from outside, if anything was that a step reads."""
        self.reset()
        self._look_for_trainable()
        self.buffers = list(self.model.named_buffers())
        self.n_changes = 0
        self._recompile_if_changed()

    def _look_for_trainable(self) -> None:
        """Note which parameters are not frozen now; their names go with them."""
        self.trainable = self.optimizer.trainable()
        self._name_parameters()

    def _name_parameters(self) -> None:
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        self.names = tuple(names.get(id(p), p.label or "a parameter") for p in self.trainable)

    def look_again(self) -> None:
        """Within an epoch: take up what was changed by somebody's own code since the last batch."""
        self.buffers = list(self.model.named_buffers())
        before, now = self.trainable, self.optimizer.trainable()
        if [*map(id, before)] != [*map(id, now)]:
            self._look_for_trainable()
            if self.sums:  # of those that were frozen nothing is kept, of others nothing is there
                known = {id(p): g for p, g in zip(before, self.sums, strict=True)}
                self.sums = [known.get(id(p), self._zeros(p)) for p in self.trainable]
        if self.compiled is None or not self._recompile_if_changed():
            return
        self.n_changes += 1
        if self.n_changes > MOST_CHANGES:
            self._give_up("what the model or the loss reads changes from batch to batch")

    def _recompile_if_changed(self) -> bool:
        """Make new programs, if anything has changed that is read besides the arguments."""
        now = self._fingerprint()
        if now == self.read:
            return False
        self.read, found = now, now.found
        self._name_parameters()
        generators = (x for x in found if isinstance(x, np.random.Generator))
        self.generators = list(dict.fromkeys(generators))
        self.compiled = self._compile() if self.compile and not self.cannot_compile else None
        self.ran: set[str] = set()
        return True

    def _fingerprint(self) -> Fingerprint:
        """All that a step reads, but for its arguments: parameters, states, buffers."""
        optimizer = self.optimizer
        unread = names_of(self.buffers) | {(id(optimizer), name) for name in ARGUMENTS_OF_UPDATES}
        things = (self.model, self.loss, optimizer, *self.trainable)
        return fingerprint(*things, *map(str, optimizer.cohorts().values()), unread=unread)

    def _compile(self) -> dict[str, Any]:
        backend: Any = self.compile if isinstance(self.compile, str) else "numpy"
        overwritten: tuple[Any, ...] = (0, *self.trainable)
        return {
            "step": ag.compile(self._step, donate=overwritten, backend=backend),
            "accumulate": ag.compile(self._accumulate, donate=0, backend=backend),
            "apply": ag.compile(self._apply, donate=overwritten, backend=backend),
        }

    def step(self, x: Any, y: Any, weight: Any) -> tuple[float, Any]:
        """Update the parameters for a batch; its loss, and its outputs if they are kept."""
        states, scalars = self.optimizer.states(), self.optimizer.group_scalars()
        new_states, data, buffers, terms, outputs = self._run(
            "step", self._step, states, scalars, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.optimizer.write(self.trainable, data, new_states)
        self.latest = Tally.of_batch(self.kinds, float(length(x)), weight, *terms)
        return float(sum(terms[0])), outputs

    def accumulate(self, x: Any, y: Any, weight: Any) -> tuple[float, Any]:
        """Add the gradients of a batch, times how many samples count, to those of others."""
        sums = self.sums or [self._zeros(p) for p in self.trainable]
        count = float(length(x))
        self.sums, buffers, terms, outputs = self._run(
            "accumulate", self._accumulate, sums, count, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.latest = Tally.of_batch(self.kinds, count, weight, *terms)
        self.tally += self.latest
        return float(sum(terms[0])), outputs

    def apply(self) -> None:
        """Take one step along the mean of the gradients that were accumulated."""
        states, scalars = self.optimizer.states(), self.optimizer.group_scalars()
        new_states, data = self._run(
            "apply", self._apply, states, scalars, self.sums, self.tally.scales()
        )
        self.optimizer.write(self.trainable, data, new_states)
        self.reset()

    # The same as functions of arrays; parameters are captured as Values from outside.

    def _step(
        self, states: Any, scalars: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        terms, outputs, after, gradients = self._differentiate(
            self.loss, buffers, x, y, weight, each=False
        )
        new_states, data = self._update([g for (g,) in gradients], states, scalars)
        return new_states, data, after, terms, outputs

    def _accumulate(
        self, sums: Any, count: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        terms, outputs, after, gradients = self._differentiate(
            self.loss, buffers, x, y, weight, each=True
        )
        factors = [
            1.0 if kind is Kind.SUM else count if share is None else count * share
            for kind, share in zip(self.kinds, terms[1], strict=True)
        ]
        new_sums = [
            [before + f * g for before, f, g in zip(*several, strict=True)]
            for several in zip(sums, [factors] * len(sums), gradients, strict=True)
        ]
        return new_sums, after, terms, outputs

    def _apply(self, states: Any, scalars: Any, sums: Any, scales: Any, rngs: Any) -> Any:
        return self._update(added(sums, scales), states, scalars)

    # The loss is passed on: where `_step` itself reads it, what it captures is guarded.
    def _differentiate(
        self, loss_of: Loss, buffers: Any, x: Any, y: Any, weight: Any, each: bool
    ) -> Any:
        """Terms of the loss, and gradients for each parameter: of the loss, or of each term."""
        options = {} if weight is None else {"sample_weight": weight}
        compiling = self.compiled is not None
        x, y, options = (constants(part) for part in (x, y, options))
        with isolated(self.model, self.buffers) if compiling else nullcontext():
            self._write_buffers(buffers)
            outputs = apply_model(self.model, x)
            terms = terms_of(loss_of, outputs, y, options)
            values = [finite(term.value) for term in terms]
            after = self._buffers()
        swept = values if each else [reduce(add, values)]
        gradients = self._gradients(swept, loss_of, outputs)
        flat = [g for several in gradients for g in several]
        names = tuple(name for name in self.names for _ in swept)
        first, *others = map(ag.stop_gradient, values)
        values = [with_finite(first, *flat, names=names), *others]
        shares = [term.share for term in terms]
        return (values, shares), outputs if self.keep_outputs else None, after, gradients

    def _gradients(self, losses: list[Any], loss_of: Loss, outputs: Any) -> list[list[Any]]:
        """For each parameter the gradients of some losses; of those that it is not in 0."""
        check_depends(loss_of, losses)
        by_parameter = list(zip(*gradients_of(losses, self.trainable), strict=True))
        some = [next((g for g in several if g is not None), None) for several in by_parameter]
        self._require_gradients(some, loss_of, outputs)
        return [
            [zeros_like(p.data) if g is None else g for g in several]
            for p, several in zip(self.trainable, by_parameter, strict=True)
        ]

    def _require_gradients(self, gradients: list[Any], loss: Loss, outputs: Any) -> None:
        for parameter, g in zip(self.trainable, gradients, strict=True):
            if g is None:
                is_of_model = any(parameter is p for p in self.model.parameters())
                reason = explain_missing_gradient(loss, outputs, parameter, is_of_model)
                if reason is not None:
                    raise ag.BackwardError(reason)
        self.optimizer.require_gradients(self.trainable, gradients)

    def _update(self, gradients: list[Any], states: Any, scalars: Any) -> Any:
        with ag.no_grad():
            gradients = self.penalties.apply(gradients, self.trainable)
            data, new_states = self.optimizer.compute_updates(
                self.trainable, gradients, states, scalars
            )
        return new_states, data

    def __guarded__(self) -> tuple[Any, ...]:
        """What ``ag.compile`` is to watch for changes at every call; the rest `refresh` sees."""
        return (self.loss,)

    # Running them.

    def _run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function of this class compiled; or as it is, where it cannot be compiled."""
        if self.compiled is None:
            return constants(function(*args, self.generators))
        # What somebody's own code counts or keeps in a call that fails, it would count twice.
        restore = restorer(() if name in self.ran else self.read.found)
        try:
            result = self.compiled[name](*args, self.generators)
            self.ran.add(name)
            return result
        except (ArithmeticError, MemoryError):
            raise
        except Exception as error:
            reason = explain(error)
        restore()
        if self.ran and self._recompile_if_changed():
            return self._run(name, function, *args)
        self.compiled, self.ran = None, set()
        result = self._run(name, function, *args)  # what is wrong either way is raised, and once
        self._give_up(reason)
        return result

    def _give_up(self, reason: str) -> None:
        """Compile no more, and say why."""
        self.compiled, self.ran, self.cannot_compile = None, set(), True
        warnings.warn(
            f"fit: the training step runs uncompiled, which is slower: {reason}; "
            "change that, or pass compile=False to run it so without this warning",
            CompileWarning,
            stacklevel=level_of_user(),
        )

    def _buffers(self) -> dict[str, Any]:
        return {name: getattr(module, attribute) for name, module, attribute in self.buffers}

    def _write_buffers(self, arrays: dict[str, Any]) -> None:
        for name, module, attribute in self.buffers:
            setattr(module, attribute, arrays[name])


def gradients_of(losses: list[Any], parameters: list[Any]) -> list[list[Any]]:
    """The gradients of each loss; None for what it does not depend on."""
    moved = [loss for loss in losses if getattr(loss, "requires_grad", False)] or losses[:1]
    return [
        ag.gradients(loss, parameters, retain_graph=loss is not moved[-1])
        if any(loss is other for other in moved)
        else [None] * len(parameters)  # of an output that is frozen as a whole
        for loss in losses
    ]


def added(sums: list[list[Any]], scales: list[Any]) -> list[Any]:
    """The gradient of each parameter, from its sums over samples, one for each term."""
    return [
        reduce(add, [scale * g for scale, g in zip(scales, several, strict=True)])
        for several in sums
    ]


def names_of(buffers: list[tuple[str, Module, str]]) -> set[tuple[int, str]]:
    """Which attributes of which modules are buffers, which a step is given."""
    return {(id(module), attribute) for _, module, attribute in buffers}


def constants(tree: Any) -> Any:
    """Numbers and arrays in the place of Values, in nested tuples, lists and dicts."""
    return map_outputs(constant, tree)


def constant(x: Any) -> Any:
    """The number or array of a Value; arrays, which most are, without a look into them."""
    return x if isinstance(x, np.ndarray) else ag.stop_gradient(x)


def check_compile(caller: str, compile: Any) -> None:
    """Refuse what does not say how steps are compiled."""
    is_name = isinstance(compile, str) and compile in ("numba", "auto")
    if not is_name and not isinstance(compile, bool | np.bool_):
        raise ag.ArgumentValueError(
            f"{caller}: compile is {compile!r}; pass True, False, 'numba' for loops of Numba, or "
            "'auto' for loops as soon as they are ready"
        )


@contextmanager
def isolated(model: Module, buffers: list[tuple[str, Module, str]]) -> Iterator[None]:
    """A block that leaves no trace on the model.

    A forward pass that is compiled runs only while it is traced: an attribute
    that it sets, and that is no buffer, would never be set again.
    """
    modules = list(model.named_modules())
    for name, module in modules:
        if module.has_hooks:
            raise ag.CompileError(
                f"{type(module).__name__} {name!r} has hooks, which a compiled step would not "
                "call; remove them"
            )
    with carried_buffers([module for _, module in modules]), unchanged(model, buffers):
        yield


@contextmanager
def unchanged(model: Module, buffers: list[tuple[str, Module, str]]) -> Iterator[None]:
    """A block that refuses what a forward pass changes, but for buffers, and undoes it all."""
    modules = list(model.named_modules())
    before = [dict(vars(module)) for _, module in modules]
    print_before = fingerprint(model, unread=names_of(buffers))
    try:
        yield
        for (_, module), attributes in zip(modules, before, strict=True):
            for attribute, value in vars(module).items():
                if attribute not in module.buffers and value is not attributes.get(attribute):
                    raise ag.CompileError(
                        f"{type(module).__name__}.forward sets the attribute {attribute!r}, which "
                        "a compiled step does only once; name it in the class attribute `buffers` "
                        "if it is an array of the state"
                    )
        if fingerprint(model, unread=names_of(buffers)) != print_before:
            raise ag.CompileError(
                f"{type(model).__name__}.forward changes something that it reads: a dict, a list, "
                "an array or a global, which a compiled step does only once; keep what changes "
                "in an array attribute named in the class attribute `buffers`"
            )
    finally:
        for (_, module), attributes in zip(modules, before, strict=True):
            vars(module).clear()
            vars(module).update(attributes)


# Why it could not be compiled.


def explain(error: Exception) -> str:
    """The message of an error, and the user's line that it comes from unless it names one."""
    text = str(error) if isinstance(error, ag.AutogradError) else f"{type(error).__name__}: {error}"
    if isinstance(error, ag.CompileError):
        return text
    walked = traceback.walk_tb(error.__traceback__)
    lines = [(f.f_code.co_filename, line) for f, line in walked if not is_of_packages(f)]
    return f"{text} (at {lines[-1][0]}:{lines[-1][1]})" if lines else text


def level_of_user() -> int:
    """How many frames up from its caller the code is that called the package, for warnings."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and is_of_packages(frame):
        frame, level = frame.f_back, level + 1
    return level


def is_of_packages(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of the engine."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("nn", "autograd_lite")
