"""Training on data that Dask holds in chunks: on many machines, or larger than memory.

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
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.dask.data import (
    Shares,
    blocks_of,
    current_client,
    lazy_pair,
    rows_of_share,
    sample_of,
)
from nn.models.module import Module
from nn.optimizers import SGD
from nn.training.data import dtype_of, joined
from nn.training.step import Loss, Step

__all__ = ["ClusterError", "DistributedStep", "predicted"]

ATTEMPTS = 3
"""How often a batch is computed anew whose model was lost with a worker."""


class ClusterError(ag.AutogradError, ConnectionError):
    """The scheduler of a cluster, or all its workers, were lost during training.

    The model is as it was after the last step.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.ClusterError, ConnectionError)
    True
    """


# The step on a worker.


@dataclass(frozen=True, eq=False)
class Blueprint:
    """What a worker needs of a model to compute its gradients, but for the numbers."""

    token: str
    model: Module
    loss: Loss
    trained: list[int]
    keep_outputs: bool
    compile: bool | str


@dataclass(frozen=True)
class State:
    """The numbers of a model: its parameters and buffers."""

    parameters: list[Any]
    buffers: list[Any]


@dataclass
class Total:
    """What shares of a batch add up to: gradients and loss, both times the samples' weight."""

    count: float
    weight: float
    loss: Any
    gradients: list[Any]
    buffers: list[Any]
    outputs: list[Any]

    def plus(self, other: Total) -> Total:
        return Total(
            self.count + other.count,
            self.weight + other.weight,
            self.loss + other.loss,
            [a + b for a, b in zip(self.gradients, other.gradients, strict=True)],
            [a + b for a, b in zip(self.buffers, other.buffers, strict=True)],
            self.outputs + other.outputs,
        )


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
        optimizer = SGD([parameters[i] for i in blueprint.trained], learning_rate=1.0)
        step = Step(
            model,
            blueprint.loss,
            optimizer,
            keep_outputs=blueprint.keep_outputs,
            compile=blueprint.compile,
        )
        replicas[key] = step
    return step


def load(model: Module, state: State) -> None:
    """Give a replica the numbers of the model."""
    for parameter, data in zip(model.parameters(), state.parameters, strict=True):
        parameter.data = data
    for (_, module, name), data in zip(model.named_buffers(), state.buffers, strict=True):
        setattr(module, name, data)


def differentiated(
    blueprint: Blueprint, state: State, x: Any, y: Any, weight: Any, chunk_length: int,
    bounds: tuple[int, int], seed: tuple[int, ...],
) -> Total:  # fmt: skip
    """The loss and gradients of one share; runs on a worker."""
    step = replica_of(blueprint)
    load(step.model, state)
    for place, generator in enumerate(step.generators):
        fresh: Any = type(generator.bit_generator)
        generator.bit_generator.state = fresh((*seed, bounds[0], place)).state
    dtype = dtype_of(step.model)
    inputs = rows_of_share(x, chunk_length, bounds, seed, dtype)
    targets = rows_of_share(y, chunk_length, bounds, seed, dtype)
    weights = None if weight is None else rows_of_share(weight, chunk_length, bounds, seed, dtype)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss, outputs = step.gather(inputs, targets, weights)
    count, gradients = step.n_samples, step.sums
    step.sums, step.n_samples = [], 0.0
    total = count if weights is None else float(np.sum(weights))
    if weights is not None:
        gradients = [g * np.asarray(total / count, g.dtype) for g in gradients]
    buffers = [np.multiply(getattr(m, name), count) for _, m, name in step.model.named_buffers()]
    return Total(count, total, np.multiply(loss, total), gradients, buffers, [outputs])


def added(left: Total, right: Total) -> Total:
    """The sum of two totals; runs on a worker."""
    return left.plus(right)


# The step here.


class DistributedStep(Step):
    """A `Step` whose gradients come from workers.

    Its blueprint stays with them from one step to the next, unless they lose it.
    """

    blueprints_sent: dict[Any, Any]
    """What tasks find the blueprint by, for the client that it was sent through."""

    def refresh(self) -> None:
        """Take up what was changed from outside, and tell the workers of it."""
        before = self.known
        super().refresh()
        if self.known is not before:
            parameters = self.model.parameters()
            self.blueprint = Blueprint(
                uuid.uuid4().hex,
                self.model,
                self.loss,
                [i for i, p in enumerate(parameters) if any(p is q for q in self.trained)],
                self.keep_outputs,
                self.compile,
            )
            self.blueprints_sent = {}

    def take(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        loss, outputs = self.gather(x, y, weight)
        self.conclude()
        return loss, outputs

    def gather(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        total = self._computed(x)
        x.shares.clear()  # lets go of the chunks before the next ones are loaded
        scale = total.count / (total.weight or 1.0)
        sums = [g if scale == 1 else g * np.asarray(scale, g.dtype) for g in total.gradients]
        if self.sums:
            sums = [a + b for a, b in zip(self.sums, sums, strict=True)]
        self.sums = sums
        self.n_samples += total.count
        for (_, module, name), buffer in zip(
            self.model.named_buffers(), total.buffers, strict=True
        ):
            mean = np.asarray(buffer / total.count, np.asarray(getattr(module, name)).dtype)
            setattr(module, name, mean)
        outputs = joined(total.outputs) if self.keep_outputs else None
        return total.loss / (total.weight or 1.0), outputs

    def _computed(self, batch: Shares) -> Total:
        """The total over a batch; tried again if what the workers held of the model was lost."""
        for attempt in range(ATTEMPTS):
            try:
                total: Total = self._total(batch)
                return total
            except lost_on_the_way() as error:
                self.blueprints_sent = {}
                if attempt + 1 == ATTEMPTS or not is_alive():
                    raise ClusterError(
                        f"fit: the cluster was lost ({type(error).__name__}: {error}); the model "
                        "is as it was after the last step, so start a scheduler, make the data "
                        "anew, and go on with history=, or from a checkpoint of nn.ModelCheckpoint"
                    ) from error
                time.sleep(0.1 * 4**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _total(self, batch: Shares) -> Any:
        import dask

        client = current_client()
        if client not in self.blueprints_sent:
            self.blueprints_sent = {client: sent(self.blueprint)}
        blueprint, state = self.blueprints_sent[client], sent(self._state())
        compute = dask.delayed(differentiated, pure=False)
        add = dask.delayed(added, pure=False)
        totals = [
            compute(blueprint, state, s.x, s.y, s.weight, s.chunk_length, s.bounds, s.seed)
            for s in batch.shares
        ]
        while len(totals) > 1:  # by pairs, always the same ones
            pairs = zip(totals[0::2], totals[1::2], strict=False)
            left_over = totals[len(totals) // 2 * 2 :]
            totals = [*(add(a, b) for a, b in pairs), *left_over]
        return totals[0].compute()

    def _state(self) -> State:
        return State(
            [np.array(p.data) for p in self.model.parameters()],
            [np.array(getattr(m, name)) for _, m, name in self.model.named_buffers()],
        )


def sent(thing: Any) -> Any:
    """Something put where tasks find it: on a worker, from which others take it, or here.

    It is not broadcast: that waits for ever if a worker dies meanwhile (dask/distributed#5704).
    """
    import dask

    client = current_client()
    if client is None:
        return dask.delayed(thing, name=f"sent-{uuid.uuid4().hex}", traverse=False)
    return client.scatter(thing, hash=False)


def is_alive() -> bool:
    """Whether the cluster still answers, so that it is worth trying again."""
    client = current_client()
    if client is None or client.status != "running":
        return False
    try:
        return bool(client.scheduler_info(n_workers=-1)["workers"])
    except Exception:
        return False


def lost_on_the_way() -> tuple[type[BaseException], ...]:
    """What Dask raises when it loses workers, data or the scheduler."""
    try:
        from distributed import CancelledError, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
    except ImportError:
        return ()
    return (
        CancelledError,
        FutureCancelledError,
        KilledWorker,
        CommClosedError,
        TimeoutError,
        OSError,
    )


# Prediction.


def predicted(model: Module, x: Any, predict: Callable[..., Any]) -> Any:
    """The outputs for Dask arrays: a Dask array, computed chunk by chunk where they lie."""
    import dask
    import dask.array

    x, _ = lazy_pair(x, x[0] if isinstance(x, tuple) else x, "x", "x")
    like = predict(model, sample_of(x))
    lengths = (x[0] if isinstance(x, tuple) else x).chunks[0]
    run = dask.delayed(predict, pure=False)
    whole = sent(model)
    parts = [run(whole, block) for block in blocks_of(x)]

    def column(outputs: list[Any], like: Any) -> Any:
        blocks = [
            dask.array.from_delayed(part, (count, *like.shape[1:]), dtype=like.dtype)
            for part, count in zip(outputs, lengths, strict=True)
        ]
        return dask.array.concatenate(blocks)

    if isinstance(like, tuple):
        return tuple(column([part[i] for part in parts], one) for i, one in enumerate(like))
    return column(parts, like)
