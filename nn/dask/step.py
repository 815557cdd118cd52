"""The training step on data that Dask holds in chunks: on many machines, or larger than memory.

Data-parallel: a batch is made of shares of several chunks.  The loss and gradient of
a share are computed where its chunk lies, by the same compiled step as elsewhere;
Dask adds the gradients up in a fixed order; the optimizer takes one step for the
batch, here.  How a batch is made does not depend on the number of workers, so that
the same seed gives the same training on one of them and on a hundred.

Where the tasks run is Dask's business: threads, processes, or a cluster as soon as
there is a `dask.distributed.Client`.
"""

from __future__ import annotations

import copy
import operator
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.dask import cluster
from nn.dask.cluster import ClusterError, cluster_errors, has_workers, scatter
from nn.dask.data import Share, Shares
from nn.dask.decomposition import (
    AT_MOST,
    Part,
    check_captures_nothing,
    check_loss_of_parts,
    depend_on_others,
)
from nn.losses.labels import LabelError
from nn.losses.reduction import Loss
from nn.models.module import Module
from nn.optimizers import SGD
from nn.training.data import apply_model, concatenate, dtype_of, length, map_outputs
from nn.training.step import Step, constants, level_of_user
from nn.training.terms import Tally

__all__ = ["DistributedStep"]

ATTEMPTS = 3
"""How many times a batch is computed whose model was lost with a worker."""


# The step on a worker.


@dataclass(frozen=True, eq=False)
class Blueprint:
    """What a worker needs of a model to compute its gradients, but for the numbers."""

    token: str
    model: Module
    loss: Loss
    trainable: list[int]
    keep_outputs: bool
    compile: bool | str


@dataclass(frozen=True)
class State:
    """The numbers of a model: its parameters and buffers."""

    parameters: list[Any]
    buffers: list[Any]

    @classmethod
    def of(cls, model: Module) -> State:
        """A copy of them."""
        buffers = [np.array(getattr(module, name)) for _, module, name in model.named_buffers()]
        return cls([np.array(p.data) for p in model.parameters()], buffers)

    def load_into(self, model: Module) -> None:
        """Give a replica the numbers of the model."""
        for parameter, data in zip(model.parameters(), self.parameters, strict=True):
            parameter.data = data
        for (_, module, name), data in zip(model.named_buffers(), self.buffers, strict=True):
            setattr(module, name, data)


@dataclass
class Total:
    """What shares of a batch add up to."""

    tally: Tally
    gradients: list[list[Any]]
    buffers: list[Any]
    outputs: list[Any]

    def __add__(self, other: Total) -> Total:
        return Total(
            self.tally + other.tally,
            list(map(add_each, self.gradients, other.gradients)),
            add_each(self.buffers, other.buffers),
            self.outputs + other.outputs,
        )


def add_each(left: list[Any], right: list[Any]) -> list[Any]:
    """The sums of arrays in the same places."""
    return [a + b for a, b in zip(left, right, strict=True)]


replicas: dict[tuple[str, int], Step] = {}
"""A step of its own for each thread of a process, with its compiled programs, by blueprint."""


def replica_of(blueprint: Blueprint) -> Step:
    """The step of this thread for a blueprint, made when it is first needed."""
    key = (blueprint.token, threading.get_ident())
    step = replicas.get(key)
    if step is None:
        for other in [k for k in list(replicas) if k[1] == key[1]]:
            replicas.pop(other, None)
        model = copy.deepcopy(blueprint.model)
        parameters = model.parameters()
        for parameter in parameters:
            parameter.data = np.array(parameter.data)
        step = replicas[key] = Step(
            model,
            blueprint.loss,
            SGD([parameters[i] for i in blueprint.trainable], learning_rate=1.0),
            keep_outputs=blueprint.keep_outputs,
            compile=blueprint.compile,
        )
    return step


def differentiate(blueprint: Blueprint, state: State, share: Share) -> Total:
    """The loss and gradients of one share; runs on a worker."""
    step = replica_of(blueprint)
    prepare(step, state, share)
    x, y, weights = share.rows(dtype_of(step.model))
    first = share.origin.start
    with (
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
        telling(
            f"of {length(x)} of the samples {first} to {first + share.origin.length - 1}",
            share.numbers,
        ),
    ):
        _, outputs = step.accumulate(x, y, weights)
    tally, gradients = step.tally, step.sums
    step.reset()
    named = step.model.named_buffers()
    buffers = [np.multiply(getattr(module, name), tally.n_samples) for _, module, name in named]
    return Total(tally, gradients, buffers, [outputs])


@contextmanager
def telling(which: str, numbers: Callable[[], Any]) -> Iterator[None]:
    """Errors say of which samples they speak: shapes and extremes are not those of the whole.

    Of a label they tell where it is in the whole, by the numbers that its samples have there.
    """
    try:
        yield
    except ag.NonFiniteError:
        raise  # speaks of the loss
    except (ag.ArgumentValueError, ag.ArgumentTypeError) as error:
        if isinstance(error, LabelError):
            error.count_by(numbers())
        if not str(error).startswith("fit: "):
            error.args = (f"{which}: {error}", *error.args[1:])
        raise


def prepare(step: Step, state: State, share: Share) -> None:
    """Give a replica the numbers of the model, and the generators of a share."""
    state.load_into(step.model)
    for place, generator in enumerate(step.generators):
        fresh: Any = type(generator.bit_generator)
        generator.bit_generator.state = fresh((*share.seed, share.bounds[0], place)).state


def part_of(share: Share, dtype: Any) -> Part:
    """The samples of a share; runs where its chunk lies."""
    return Part(*share.rows(dtype))


def try_apart(blueprint: Blueprint, state: State, shares: list[Share], parts: list[Part]) -> bool:
    """Refuse a loss that shares do not add up to; whether they differ in the model's outputs.

    Runs on a worker, before the first step; of one share only what the loss depends on is asked.
    The parts are the samples of the shares, which come without these.
    """
    step, whole = replica_of(blueprint), reduce(operator.add, parts)
    tolerance = float(np.sqrt(np.finfo(dtype_of(step.model) or np.float64).eps))

    def outputs_of(x: Any) -> Any:
        prepare(step, state, shares[0])
        with ag.no_grad():
            return map_outputs(np.asarray, constants(apply_model(step.model, x)))

    def numbers() -> Any:
        return np.concatenate([share.numbers() for share in shares])

    with (
        np.errstate(all="ignore"),
        telling(f"of {length(whole.x)} samples of some chunks", numbers),
    ):
        outputs = outputs_of(whole.x)
        check_captures_nothing(blueprint.loss, outputs, whole)
        if len(parts) == 1:
            return False
        check_loss_of_parts(blueprint.loss, outputs, whole, tolerance)
        return depend_on_others(outputs_of, whole.x, tolerance)


# The step here.

IN_THIS_PROCESS = (None, "threads", "threading", "sync", "synchronous", "single-threaded")
"""Schedulers of Dask's that send nothing; one that is given as a function, as Ray's is, may."""


def check_can_travel(client: Any, **things: Any) -> None:
    """Refuse what cannot be sent to the processes that tasks run in."""
    import cloudpickle
    import dask

    if client is None and dask.config.get("scheduler", None) in IN_THIS_PROCESS:
        return
    for name, thing in things.items():
        try:
            cloudpickle.dumps(thing)
        except Exception as error:
            raise ag.ArgumentTypeError(
                f"fit: the {name} cannot be sent to workers ({type(error).__name__}: {error}); "
                f"write the {name} without what belongs to one process, as locks, files and "
                "connections do"
            ) from error


class DistributedStep(Step):
    """A `Step` whose gradients come from workers.

    Its blueprint stays with them from one step to the next, unless they lose it.
    """

    scattered: dict[Any, Any]
    """What tasks find the blueprint by, for the client that it was sent through."""

    shares_tried = 0
    """Of how many shares, one or several, it is known what becomes of loss and model."""

    def refresh(self) -> None:
        """Take up what was changed from outside, and tell the workers of it."""
        before = self.read
        super().refresh()
        if self.read is not before:
            self._draw_blueprint()

    def look_again(self) -> None:
        """Within an epoch too: workers compute with what they were sent."""
        before, trainable = self.read, self.trainable
        super().look_again()
        self._recompile_if_changed()
        if self.read is not before or [*map(id, trainable)] != [*map(id, self.trainable)]:
            self._draw_blueprint()

    def _draw_blueprint(self) -> None:
        trained = set(map(id, self.trainable))
        places = [i for i, p in enumerate(self.model.parameters()) if id(p) in trained]
        if len(places) < len(trained):
            raise ag.ArgumentValueError(
                f"fit: the optimizer has {len(trained) - len(places)} parameters that are not the "
                "model's, whose gradients would be lost on Dask; make them attributes of the "
                "model, or load the arrays with .compute()"
            )
        self.blueprint = Blueprint(
            uuid.uuid4().hex, self.model, self.loss, places, self.keep_outputs, self.compile
        )
        self.scattered = {}

    def step(self, x: Any, y: Any, weight: Any) -> tuple[float, Any]:
        """Update the parameters for a batch; its loss, and its outputs if they are kept."""
        loss, outputs = self.accumulate(x, y, weight)
        self.apply()
        return loss, outputs

    def accumulate(self, x: Any, y: Any, weight: Any) -> tuple[float, Any]:
        """Add the gradients of a batch, times its number of samples, to those of others."""
        total = self._compute(x)
        x.shares.clear()  # lets go of the chunks before the next ones are loaded
        sums = total.gradients
        self.sums = list(map(add_each, self.sums, sums)) if self.sums else sums
        self.latest = total.tally
        self.tally += self.latest
        buffers = self.model.named_buffers()
        for (_, module, name), buffer in zip(buffers, total.buffers, strict=True):
            mean = np.asarray(
                buffer / total.tally.n_samples, np.asarray(getattr(module, name)).dtype
            )
            setattr(module, name, mean)
        loss = self.latest.loss_of_batch()
        return loss, concatenate(total.outputs) if self.keep_outputs else None

    def _compute(self, batch: Shares) -> Total:
        """The total over a batch; tried again if what the workers held of the model was lost."""
        for attempt in range(ATTEMPTS):
            try:
                sent = self._send()
                self._try_apart(batch.shares, *sent)
                total: Total = self._sum(batch.shares, *sent).compute()
                return total
            except cluster_errors() as error:
                self.scattered = {}
                if attempt + 1 == ATTEMPTS or not has_workers():
                    raise ClusterError(
                        f"fit: the cluster was lost ({type(error).__name__}: {error}), also for "
                        f"{cluster.PATIENCE:g} s after {attempt + 1} of {ATTEMPTS} attempts; the "
                        "model is as it was after the last step, so start a scheduler, make the "
                        "data anew, and go on with history=, or from a file of nn.Checkpoint"
                    ) from error
                time.sleep(0.1 * 4**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _try_apart(self, shares: list[Share], blueprint: Any, state: Any) -> None:
        """Once, and once before two shares are computed apart: tell what differs from the whole."""
        if self.shares_tried >= min(len(shares), 2):
            return
        import dask

        dtype, few = dtype_of(self.model), [share.first(AT_MOST) for share in shares[:AT_MOST]]
        parts = [dask.delayed(part_of, pure=False)(share, dtype) for share in few]
        task = dask.delayed(try_apart, pure=False)
        bare = [replace(share, x=None, y=None, weight=None) for share in few]
        depends = task(blueprint, state, bare, parts).compute()
        self.shares_tried = min(len(shares), 2)
        if depends:
            warnings.warn(
                "fit: the outputs of the model for a sample depend on the others of its batch, as "
                "with BatchNorm1d, and on Dask those of a share are a batch of their own: the "
                "numbers depend on the chunks; write nn.LayerNorm, or load the arrays with "
                ".compute()",
                stacklevel=level_of_user(),
            )

    def _sum(self, shares: list[Share], blueprint: Any, state: Any) -> Any:
        """The tasks whose result is the total over a batch."""
        import dask

        compute = dask.delayed(differentiate, pure=False)
        add = dask.delayed(operator.add, pure=False)
        totals = [compute(blueprint, state, share) for share in shares]
        while len(totals) > 1:  # by pairs, always the same ones
            pairs = zip(totals[0::2], totals[1::2], strict=False)
            left_over = totals[len(totals) // 2 * 2 :]
            totals = [*(add(a, b) for a, b in pairs), *left_over]
        return totals[0]

    def _send(self) -> tuple[Any, Any]:
        """What tasks find the model by: what stays the same, and its numbers now."""
        client = cluster.current_client()
        if client not in self.scattered:
            check_can_travel(client, loss=self.loss, model=self.model)
            self.scattered = {client: scatter(self.blueprint)}
        return self.scattered[client], scatter(State.of(self.model))
