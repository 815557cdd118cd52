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
import math
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.data import dtype_of, joined, map_arrays, rows_of
from nn.module import Module
from nn.optimizers import SGD
from nn.step import Loss, Step

__all__ = [
    "ClusterError",
    "DistributedStep",
    "LazyBatches",
    "Shares",
    "in_rows",
    "is_lazy",
    "predicted",
]

TOGETHER = 8
"""From how many chunks a batch takes its shares, at least, if there are as many."""

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


def is_lazy(data: Any) -> bool:
    """Whether data are an array or dataframe of Dask, or a tuple of inputs one of which is."""
    if isinstance(data, tuple):
        return any(map(is_lazy, data))
    return hasattr(data, "__dask_graph__") and (
        hasattr(data, "chunks") or hasattr(data, "to_dask_array")
    )


def in_rows(data: Any, chunks: tuple[int, ...] | None, name: str) -> Any:
    """A Dask array in chunks of whole samples; from a dataframe, or from an array of NumPy."""
    import dask.array

    if hasattr(data, "to_dask_array"):
        data = data.to_dask_array(lengths=True)
    elif not hasattr(data, "chunks"):
        data = dask.array.from_array(np.asarray(data))
    if any(map(math.isnan, data.shape)):
        raise ag.ArgumentValueError(
            f"fit: {name} has the shape {data.shape}, whose unknown lengths depend on numbers not "
            "computed yet; call .compute_chunk_sizes() on it first"
        )
    if data.dtype.kind not in "fiub":
        raise ag.ArgumentTypeError(f"fit: {name} has dtype {data.dtype}; it must hold real numbers")
    rows = data.chunks[0] if chunks is None else chunks
    if sum(rows) != data.shape[0] or not sum(rows):
        raise ag.ArgumentValueError(
            f"fit: {name} has shape {data.shape}, but there are {sum(rows)} samples; "
            "both need the same number of samples, at least one, along their first axis"
        )
    return data.rechunk({0: rows, **dict.fromkeys(range(1, data.ndim), -1)})


def lazy_pair(x: Any, y: Any, x_name: str, y_name: str) -> tuple[Any, Any]:
    """Inputs and targets as Dask arrays with the same samples in each chunk."""
    first = x[0] if isinstance(x, tuple) else x
    rows = in_rows(first, None, x_name).chunks[0]
    return (
        map_arrays(lambda part: in_rows(part, rows, x_name), x),
        map_arrays(lambda part: in_rows(part, rows, y_name), y),
    )


def blocks_of(data: Any) -> list[Any]:
    """The chunks, one after the other; tuples of them where there are several inputs."""
    if isinstance(data, tuple):
        return list(zip(*map(blocks_of, data), strict=True))
    return list(data.to_delayed().ravel())


def sample_of(x: Any) -> Any:
    """One sample of zeros of the shapes and dtypes that there are."""
    return map_arrays(lambda part: np.zeros((1, *part.shape[1:]), part.dtype), x)


def check_lazy_options(
    y: Any, sample_weight: Any, class_weight: Any, validation_split: float
) -> None:
    """Refuse what would need to look at all samples before the first step."""
    if y is None:
        raise ag.ArgumentTypeError("fit: y is missing; pass targets beside inputs of Dask")
    if sample_weight is not None or class_weight is not None or validation_split:
        raise ag.ArgumentValueError(
            "fit: sample_weight, class_weight and validation_split need arrays of NumPy; "
            "slice arrays of Dask yourself, and pass validation_data"
        )


# Batches.


@dataclass(frozen=True)
class Share:
    """Some samples of one chunk: its ``part``-th of ``parts`` shares, in an order of its own."""

    x: Any
    y: Any
    chunk_length: int
    part: int
    parts: int
    seed: tuple[int, int]

    @property
    def bounds(self) -> tuple[int, int]:
        """From which place in the chunk's order to which."""
        length = self.chunk_length
        return length * self.part // self.parts, length * (self.part + 1) // self.parts


@dataclass(frozen=True)
class Shares:
    """A batch in shares, which stay where they are."""

    shares: list[Share]
    shape: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        total = sum(stop - start for start, stop in (share.bounds for share in self.shares))
        object.__setattr__(self, "shape", (total,))


class LazyBatches:
    """Batches of Dask arrays: chunks come in an order drawn anew for each epoch, by groups.

    The chunks of a group are loaded together and gone through in batches, each of
    which takes a share of every chunk.  So no more than a group is in memory.
    """

    def __init__(self, x: Any, y: Any, batch_size: int, dtype: Any, keep_targets: bool) -> None:
        self.x, self.y = lazy_pair(x, y, "x", "y")
        self.dtype = dtype
        self.batch_size = batch_size
        self.keep_targets = keep_targets
        self.lengths = (self.x[0] if isinstance(self.x, tuple) else self.x).chunks[0]
        needed = -(-batch_size // max(self.lengths))
        self.together = min(len(self.lengths), max(TOGETHER, needed))

    @property
    def unit(self) -> str:
        """What a progress bar counts, and how many workers there are for it."""
        client = current_client()
        if client is None:
            return "batch"
        count = len(client.scheduler_info(n_workers=-1)["workers"])
        return f"batch ({count} worker{'s'[: count - 1]})"

    def example(self) -> Any:
        """A sample of the shape of the others, for layers that learn their own from it."""
        return sample_of(self.x)

    def __len__(self) -> int:
        """The number of batches, whichever chunks come together; 0 if it depends on them."""
        if len(set(self.lengths[:-1])) > 1:
            return 0
        sizes = [self.lengths[i : i + self.together] for i in self._starts()]
        if len(sizes) > 1 and self.lengths[-1] != self.lengths[0]:
            return 0
        return sum(-(-sum(group) // self.batch_size) for group in sizes)

    def _starts(self) -> range:
        return range(0, len(self.lengths), self.together)

    def epoch(
        self, rng: np.random.Generator, overwrite: bool = False
    ) -> Iterator[tuple[Any, Any, None]]:
        """All batches once."""
        import dask

        order = rng.permutation(len(self.lengths))
        seed = int(rng.integers(2**63))
        x, y = blocks_of(self.x), blocks_of(self.y)
        for start in self._starts():
            group = [int(i) for i in order[start : start + self.together]]
            loaded = dask.persist(*[(x[i], y[i]) for i in group])
            parts = -(-sum(self.lengths[i] for i in group) // self.batch_size)
            for part in range(parts):
                shares = [
                    Share(x_block, y_block, self.lengths[i], part, parts, (seed, i))
                    for i, (x_block, y_block) in zip(group, loaded, strict=True)
                ]
                batch = Shares([share for share in shares if share.bounds[0] < share.bounds[1]])
                del shares
                if part + 1 == parts:
                    del loaded
                yield batch, self._targets(batch), None

    def _targets(self, batch: Shares) -> Any:
        """The targets of a batch, fetched only if metrics are computed from them."""
        import dask

        if not self.keep_targets:
            return None
        rows = dask.delayed(rows_of_share, pure=False)
        parts = [rows(s.y, s.chunk_length, s.bounds, s.seed, self.dtype) for s in batch.shares]
        return joined(list(dask.compute(*parts)))


def rows_of_share(
    data: Any, chunk_length: int, bounds: tuple[int, int], seed: tuple[int, ...], dtype: Any
) -> Any:
    """The samples of a share: a run of the chunk's, in an order that the seed tells."""
    order = np.random.default_rng(seed).permutation(chunk_length)
    return rows_of(data, order[slice(*bounds)], dtype)


# The step on a worker.


@dataclass(frozen=True, eq=False)
class Blueprint:
    """What a worker needs of a model to compute its gradients, but for the numbers."""

    token: str
    model: Module
    loss: Loss
    trained: list[int]
    keep_outputs: bool
    compile: bool


@dataclass(frozen=True)
class State:
    """The numbers of a model: its parameters and buffers."""

    parameters: list[Any]
    buffers: list[Any]


@dataclass
class Total:
    """What shares of a batch add up to: gradients and loss, both times the samples."""

    count: float
    loss: Any
    gradients: list[Any]
    buffers: list[Any]
    outputs: list[Any]

    def plus(self, other: Total) -> Total:
        return Total(
            self.count + other.count,
            self.loss + other.loss,
            [a + b for a, b in zip(self.gradients, other.gradients, strict=True)],
            [a + b for a, b in zip(self.buffers, other.buffers, strict=True)],
            self.outputs + other.outputs,
        )


replicas: dict[tuple[str, int], Step] = {}
"""A step of its own for each thread of a process, with its compiled programs, by blueprint."""


uncompilable: set[tuple[str, int]] = set()
"""Which of them run uncompiled, as is known after several attempts."""


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
    blueprint: Blueprint, state: State, x: Any, y: Any, chunk_length: int,
    bounds: tuple[int, int], seed: tuple[int, ...],
) -> Total:  # fmt: skip
    """The loss and gradients of one share; runs on a worker.

    A step that could not be compiled is made anew a few times: threads of the worker's own
    may have disturbed the trace.
    """
    key = (blueprint.token, threading.get_ident())
    for attempt in range(ATTEMPTS):
        step = replica_of(blueprint)
        total = total_of(step, state, x, y, chunk_length, bounds, seed)
        if step.compiled is not None or not blueprint.compile or key in uncompilable:
            return total
        if attempt + 1 < ATTEMPTS:
            replicas.pop(key, None)
    uncompilable.add(key)
    return total


def total_of(
    step: Step, state: State, x: Any, y: Any, chunk_length: int,
    bounds: tuple[int, int], seed: tuple[int, ...],
) -> Total:  # fmt: skip
    """The same with the step of this thread."""
    load(step.model, state)
    for place, generator in enumerate(step.generators):
        fresh: Any = type(generator.bit_generator)
        generator.bit_generator.state = fresh((*seed, bounds[0], place)).state
    dtype = dtype_of(step.model)
    inputs = rows_of_share(x, chunk_length, bounds, seed, dtype)
    targets = rows_of_share(y, chunk_length, bounds, seed, dtype)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        loss, outputs = step.gather(inputs, targets, None)
    count, gradients = step.n_samples, step.sums
    step.sums, step.n_samples = [], 0.0
    buffers = [np.multiply(getattr(m, name), count) for _, m, name in step.model.named_buffers()]
    return Total(count, np.multiply(loss, count), gradients, buffers, [outputs])


def added(left: Total, right: Total) -> Total:
    """The sum of two totals; runs on a worker."""
    return left.plus(right)


# The step here.


class DistributedStep(Step):
    """A `Step` whose gradients come from workers."""

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

    def take(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        loss, outputs = self.gather(x, y, weight)
        self.conclude()
        return loss, outputs

    def gather(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        total = self._computed(x)
        x.shares.clear()  # lets go of the chunks before the next ones are loaded
        sums = total.gradients
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
        return total.loss / total.count, outputs

    def _computed(self, batch: Shares) -> Total:
        """The total over a batch; tried again if what the workers held of the model was lost."""
        for attempt in range(ATTEMPTS):
            try:
                total: Total = self._total(batch)
                return total
            except lost_on_the_way() as error:
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

        blueprint, state = sent(self.blueprint), sent(self._state())
        compute = dask.delayed(differentiated, pure=False)
        add = dask.delayed(added, pure=False)
        totals = [
            compute(blueprint, state, s.x, s.y, s.chunk_length, s.bounds, s.seed)
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
    """Something put where tasks find it: on all workers of a cluster, or into this process."""
    import dask

    client = current_client()
    if client is None:
        return dask.delayed(thing, name=f"sent-{uuid.uuid4().hex}", traverse=False)
    return client.scatter(thing, broadcast=True, hash=False)


def current_client() -> Any:
    """The client of a cluster that tasks run on by default; None without one."""
    try:
        from dask.distributed import default_client
    except ImportError:
        return None
    try:
        return default_client()
    except ValueError:
        return None


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
