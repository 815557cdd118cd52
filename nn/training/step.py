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
from nn.models.module import Module
from nn.optimizers.base import Optimizer, zeros_like
from nn.optimizers.clipping import clipped_by_norm, clipped_by_value
from nn.training.data import apply_model, length

__all__ = ["CompileWarning", "NonFiniteLossError", "Penalties", "Step"]

Loss = Callable[..., Any]
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
    """What is done to gradients before the optimizer gets them."""

    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None

    def applied(self, gradients: list[Any], parameters: list[Any]) -> list[Any]:
        """Pull the weights, those of two or more axes, to 0; then clip."""
        if self.l2:
            gradients = [
                g + self.l2 * p if p.ndim > 1 else g
                for g, p in zip(gradients, parameters, strict=True)
            ]
        if self.l1:
            gradients = [
                g + self.l1 * np.sign(p) if p.ndim > 1 else g
                for g, p in zip(gradients, parameters, strict=True)
            ]
        if self.clip_norm is not None:
            gradients, _ = clipped_by_norm(gradients, self.clip_norm)
        if self.clip_value is not None:
            gradients = clipped_by_value(gradients, self.clip_value)
        return gradients


NO_PENALTIES = Penalties()


class Step:
    """The steps of one training run.

    `take` takes a step for a batch; with several batches to a step, `gather` adds
    up their gradients and `conclude` takes the step.

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
        self.cannot_compile = False
        self.known: list[Any] = []
        self.refresh()

    @property
    def keeps_no_batch(self) -> bool:
        """Whether a batch may be overwritten after its step.

        Outputs that are kept may be views of it, and a model that is run as it is
        may keep what it likes.
        """
        return self.ran_compiled and not self.keep_outputs

    def does_the_same_as(self, other: Step) -> bool:
        """Whether another step is one of the same training, so that its programs serve here."""
        mine, others = (
            (x.model, x.loss, x.optimizer, x.penalties, x.keep_outputs, x.compile)
            for x in (self, other)
        )
        return all(x is y or x == y for x, y in zip(mine, others, strict=True))

    def refresh(self) -> None:
        """Begin anew with what was changed from outside: layers, and what is frozen."""
        self.sums: list[Any] = []
        self.n_samples = 0.0
        now = attributes_of(self.model)
        self.trained = self.optimizer.trained()
        self.buffers = list(self.model.named_buffers())
        now += [part for p in self.trained for part in (p, p.shape, p.dtype)]
        if same_attributes(now, self.known):
            return
        self.known = now
        self.generators = [x for x in now if isinstance(x, np.random.Generator)]
        plainly = self.cannot_compile or not self.compile
        self.compiled = None if plainly else self._compiled()
        self.ran_compiled = False

    def _compiled(self) -> dict[str, Any]:
        backend = "numba" if self.compile == "numba" else "numpy"
        both: tuple[Any, ...] = (0, *self.trained)
        functions: dict[str, Any] = {
            "take": ag.compile(self._taken, donate=both, backend=backend),
            "gather": ag.compile(self._gathered, donate=0, backend=backend),
            "conclude": ag.compile(self._concluded, donate=both, backend=backend),
        }
        return functions

    # Steps.

    def take(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Update the parameters for a batch; its loss, and its outputs if they are kept."""
        states, numbers = self.optimizer.states(), self.optimizer.numbers()
        changes, data, buffers, loss, outputs = self._run(
            "take", self._taken, states, numbers, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.optimizer.write(self.trained, data, changes)
        return loss, outputs

    def gather(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Add the gradients of a batch, times its number of samples, to those of others."""
        if not self.sums:
            self.sums = [zeros_like(p.data) for p in self.trained]
        count = float(length(x))
        sums, buffers, loss, outputs = self._run(
            "gather", self._gathered, self.sums, count, self._buffers(), x, y, weight
        )
        self._write_buffers(buffers)
        self.sums = sums
        self.n_samples += count
        return loss, outputs

    def conclude(self) -> None:
        """Take one step along the mean of the gradients that were gathered."""
        states, numbers = self.optimizer.states(), self.optimizer.numbers()
        changes, data = self._run(
            "conclude", self._concluded, states, numbers, self.sums, 1 / self.n_samples
        )
        self.optimizer.write(self.trained, data, changes)
        self.sums, self.n_samples = [], 0.0

    # The same as functions of arrays; parameters are captured, as Values of the outside.

    def _taken(
        self, states: Any, numbers: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        loss, outputs, after, gradients = self._differentiated(self.loss, buffers, x, y, weight)
        changes, data = self._updated(gradients, states, numbers)
        return changes, data, after, loss, outputs

    def _gathered(
        self, sums: Any, count: Any, buffers: Any, x: Any, y: Any, weight: Any, rngs: Any
    ) -> Any:
        loss, outputs, after, gradients = self._differentiated(self.loss, buffers, x, y, weight)
        added = [before + count * g for before, g in zip(sums, gradients, strict=True)]
        return added, after, loss, outputs

    def _concluded(self, states: Any, numbers: Any, sums: Any, share: Any, rngs: Any) -> Any:
        return self._updated([share * g for g in sums], states, numbers)

    def _differentiated(self, loss_of: Loss, buffers: Any, x: Any, y: Any, weight: Any) -> Any:
        options = {} if weight is None else {"sample_weight": weight}
        compiling = self.compiled is not None
        x, y, options = (constants(part) for part in (x, y, options))
        with isolated(self.model) if compiling else nullcontext():
            self._write_buffers(buffers)
            outputs = apply_model(self.model, x)
            loss = finite(loss_of(outputs, y, **options))
            after = self._buffers()
        gradients = ag.gradients(loss, self.trained, retain_graph=False)
        self.optimizer.require_gradients(self.trained, gradients)
        kept = outputs if self.keep_outputs else None
        return loss, kept, after, gradients

    def _updated(self, gradients: list[Any], states: Any, numbers: Any) -> Any:
        with ag.no_grad():
            penalized = self.penalties.applied(gradients, self.trained)
            data, changes = self.optimizer.updated(self.trained, penalized, states, numbers)
        return changes, data

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
            result = constants(
                function(*args, self.generators)
            )  # what is wrong either way is raised
            self.cannot_compile = True
            warnings.warn(
                f"fit: the training step runs uncompiled, which is slower: {explained(error)}; "
                "change that, or pass compile=False to run it so without this warning",
                CompileWarning,
                stacklevel=outside_of_packages(),
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


# What a program takes for given.


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


def explained(error: Exception) -> str:
    """The message of an error, and the user's line that it comes from unless it names one."""
    text = str(error) if isinstance(error, ag.AutogradError) else f"{type(error).__name__}: {error}"
    if isinstance(error, ag.CompileError):
        return text
    walked = traceback.walk_tb(error.__traceback__)
    lines = [(f.f_code.co_filename, line) for f, line in walked if not is_of_packages(f)]
    return f"{text} (at {lines[-1][0]}:{lines[-1][1]})" if lines else text


def outside_of_packages() -> int:
    """How many frames up from its caller the code is that called the package, for warnings."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and is_of_packages(frame):
        frame, level = frame.f_back, level + 1
    return level


def is_of_packages(frame: FrameType) -> bool:
    """Whether a frame runs code of this package or of the engine."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("nn", "autograd_lite")
