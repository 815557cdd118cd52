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
from types import FrameType
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.losses.reduction import Loss
from nn.models.module import Module
from nn.optimizers.base import Optimizer, zeros_like
from nn.optimizers.clipping import clip_by_norm, clip_by_value
from nn.training.data import apply_model, length

__all__ = ["CompileWarning", "NonFiniteLossError", "Penalties", "Step", "check_compile"]

PLAIN = (bool, int, float, str, tuple, np.dtype, type(None))


class CompileWarning(UserWarning):
    """The training step runs uncompiled, because something in it cannot be compiled.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.CompileWarning, UserWarning)
    True
    """


class NonFiniteLossError(ArithmeticError):
    """The loss of a batch is infinite or NaN; nothing was updated."""

    def __init__(self, loss: Any) -> None:
        super().__init__(loss)
        self.loss = loss


@ag.primitive
def finite(loss: Any) -> Any:
    """The loss itself, refused before anything follows from it if it is not finite."""
    is_finite = np.isfinite(loss)
    if not (is_finite.all() if is_finite.ndim else is_finite):
        raise NonFiniteLossError(loss)
    return loss


finite.defvjp(lambda g, out, loss: g)


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
        self.options = model, loss, optimizer, penalties, keep_outputs, compile
        self.cannot_compile = False
        self.attributes: list[Any] = []
        self.refresh()

    @property
    def can_overwrite_batch(self) -> bool:
        """Whether a batch may be overwritten after its step.

        Outputs that are kept may be views of it, and a model that is run as it is
        may keep what it likes.
        """
        return self.ran_compiled and not self.keep_outputs

    def resume(self) -> Step:
        """The step of the last training with this optimizer, with its programs, if it is the same.

        It lives as long as the optimizer does.
        """
        last: Step = self.optimizer.attachments.setdefault("step", self)
        if any(x is not y and x != y for x, y in zip(self.options, last.options, strict=True)):
            last = self.optimizer.attachments["step"] = self
        return last

    def refresh(self) -> None:
        """Begin anew with what was changed from outside: layers, and what is frozen."""
        self.sums: list[Any] = []
        self.n_samples = 0.0
        now = attributes_of(self.model)
        self.trainable = self.optimizer.trainable()
        self.buffers = list(self.model.named_buffers())
        now += [part for p in self.trainable for part in (p, p.shape, p.dtype)]
        if same_attributes(now, self.attributes):
            return
        self.attributes = now
        self.generators = [x for x in now if isinstance(x, np.random.Generator)]
        self.compiled = self._compile() if self.compile and not self.cannot_compile else None
        self.ran_compiled = False

    def _compile(self) -> dict[str, Any]:
        backend = "numba" if self.compile == "numba" else "numpy"
        overwritten: tuple[Any, ...] = (0, *self.trainable)
        return {
            "step": ag.compile(self._step, donate=overwritten, backend=backend),
            "accumulate": ag.compile(self._accumulate, donate=0, backend=backend),
            "apply": ag.compile(self._apply, donate=overwritten, backend=backend),
        }

    # Steps.

    def step(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Update the parameters for a batch; its loss, and its outputs if they are kept."""
        states, scalars = self.optimizer.states(), self.optimizer.group_scalars()
        new_states, data, buffers, loss, outputs = self._run(
            "step", self._step, states, scalars, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.optimizer.write(self.trainable, data, new_states)
        return loss, outputs

    def accumulate(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Add the gradients of a batch, times its number of samples, to those of others."""
        if not self.sums:
            self.sums = [zeros_like(p.data) for p in self.trainable]
        count = float(length(x))
        sums, buffers, loss, outputs = self._run(
            "accumulate", self._accumulate, self.sums, count, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.sums = sums
        self.n_samples += count
        return loss, outputs

    def apply(self) -> None:
        """Take one step along the mean of the gradients that were accumulated."""
        states, scalars = self.optimizer.states(), self.optimizer.group_scalars()
        new_states, data = self._run(
            "apply", self._apply, states, scalars, self.sums, 1 / self.n_samples
        )
        self.optimizer.write(self.trainable, data, new_states)
        self.sums, self.n_samples = [], 0.0

    # The same as functions of arrays; parameters are captured as Values from outside.

    def _step(
        self, states: Any, scalars: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        loss, outputs, after, gradients = self._differentiate(self.loss, buffers, x, y, weight)
        new_states, data = self._update(gradients, states, scalars)
        return new_states, data, after, loss, outputs

    def _accumulate(
        self, sums: Any, count: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        loss, outputs, after, gradients = self._differentiate(self.loss, buffers, x, y, weight)
        new_sums = [before + count * g for before, g in zip(sums, gradients, strict=True)]
        return new_sums, after, loss, outputs

    def _apply(self, states: Any, scalars: Any, sums: Any, scale: Any, rngs: Any) -> Any:
        return self._update([scale * g for g in sums], states, scalars)

    # The loss is passed on: where `_step` itself reads it, what it captures is guarded.
    def _differentiate(self, loss_of: Loss, buffers: Any, x: Any, y: Any, weight: Any) -> Any:
        options = {} if weight is None else {"sample_weight": weight}
        compiling = self.compiled is not None
        x, y, options = (constants(part) for part in (x, y, options))
        with isolated(self.model) if compiling else nullcontext():
            self._write_buffers(buffers)
            outputs = apply_model(self.model, x)
            loss = finite(loss_of(outputs, y, **options))
            after = self._buffers()
        gradients = ag.gradients(loss, self.trainable, retain_graph=False)
        self.optimizer.require_gradients(self.trainable, gradients)
        return loss, outputs if self.keep_outputs else None, after, gradients

    def _update(self, gradients: list[Any], states: Any, scalars: Any) -> Any:
        with ag.no_grad():
            gradients = self.penalties.apply(gradients, self.trainable)
            data, new_states = self.optimizer.compute_updates(
                self.trainable, gradients, states, scalars
            )
        return new_states, data

    # Running them.

    def _run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Run a function of this class compiled; or as it is, where it cannot be compiled."""
        if self.compiled is None:
            return constants(function(*args, self.generators))
        try:
            result = self.compiled[name](*args, self.generators)
            self.ran_compiled = True
            return result
        except (ArithmeticError, MemoryError):
            raise
        except Exception as error:
            self.compiled, self.ran_compiled = None, False
            result = self._run(name, function, *args)  # what is wrong either way is raised
            self.cannot_compile = True
            warnings.warn(
                f"fit: the training step runs uncompiled, which is slower: {explain(error)}; "
                "change that, or pass compile=False to run it so without this warning",
                CompileWarning,
                stacklevel=level_of_user(),
            )
            return result

    def _buffers(self) -> dict[str, Any]:
        return {name: getattr(module, attribute) for name, module, attribute in self.buffers}

    def _write_buffers(self, arrays: dict[str, Any]) -> None:
        for name, module, attribute in self.buffers:
            setattr(module, attribute, arrays[name])


def constants(tree: Any) -> Any:
    """Numbers and arrays in the place of Values, in nested tuples, lists and dicts."""
    if isinstance(tree, dict):
        return {name: constants(part) for name, part in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(map(constants, tree))
    return ag.stop_gradient(tree)


def check_compile(caller: str, compile: Any) -> None:
    """Refuse what does not say how steps are compiled."""
    if not isinstance(compile, bool | np.bool_) and compile != "numba":
        raise ag.ArgumentValueError(
            f"{caller}: compile is {compile!r}; pass True, False, or 'numba' for loops of Numba"
        )


# What a program relies on.


def attributes_of(model: Module) -> list[Any]:
    """All that a forward pass may read from the modules, but for the state that is passed in."""
    found: list[Any] = []
    for _, module in model.named_modules():
        found.append(module)
        for name, value in vars(module).items():
            if name not in module.buffers:
                found += [name, value]
    return found


def same_attributes(now: list[Any], before: list[Any]) -> bool:
    """Whether nothing was changed: the same objects, or equal numbers and texts."""
    return len(now) == len(before) and all(
        x is y or (isinstance(x, PLAIN) and type(x) is type(y) and x == y)
        for x, y in zip(now, before, strict=True)
    )


@contextmanager
def isolated(model: Module) -> Iterator[None]:
    """A block that leaves no trace on the model.

    A forward pass that is compiled runs only while it is traced: an attribute
    that it sets, and that is no buffer, would never be set again.
    """
    modules = list(model.named_modules())
    before = [dict(vars(module)) for _, module in modules]
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
