"""Data that Dask holds in chunks, on their way into a model: checks, weights, batches.

A batch is made of shares of several chunks, which stay where they are.  How it is made
does not depend on the number of workers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.training.data import (
    check_labels,
    count_aside,
    joined,
    map_arrays,
    rows_of,
    table_of_classes,
    unfit_weights,
)

__all__ = [
    "LazyBatches",
    "Shares",
    "blocks_of",
    "current_client",
    "in_rows",
    "is_lazy",
    "lazy_pair",
    "lazy_samples",
    "lazy_split",
    "rows_of_share",
    "sample_of",
]

TOGETHER = 8
"""From how many chunks a batch takes its shares, at least, if there are as many."""


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


def lazy_samples(x: Any, y: Any, sample_weight: Any, class_weight: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights with the same samples in each chunk."""
    if y is None:
        raise ag.ArgumentTypeError("fit: y is missing; pass targets beside inputs of Dask")
    x, y = lazy_pair(x, y, "x", "y")
    chunks = (x[0] if isinstance(x, tuple) else x).chunks[0]
    return x, y, lazy_weights(sample_weight, class_weight, y, chunks)


def blocks_of(data: Any) -> list[Any]:
    """The chunks, one after the other; tuples of them where there are several inputs."""
    if isinstance(data, tuple):
        return list(zip(*map(blocks_of, data), strict=True))
    return list(data.to_delayed().ravel())


def sample_of(x: Any) -> Any:
    """One sample of zeros of the shapes and dtypes that there are."""
    return map_arrays(lambda part: np.zeros((1, *part.shape[1:]), part.dtype), x)


# Weights and validation data.


def lazy_weights(sample_weight: Any, class_weight: Any, y: Any, chunks: tuple[int, ...]) -> Any:
    """One weight for each sample, in the chunks of the inputs; None without weights."""
    import dask

    weight = None
    if sample_weight is not None:
        weight = in_rows(sample_weight, chunks, "sample_weight").astype(np.float64)
        not_negative, some = dask.compute((weight >= 0).all(), weight.any())
        if weight.ndim != 1 or not not_negative or not some:
            raise unfit_weights(weight, sum(chunks))
    if class_weight is None:
        return weight
    by_class = lazy_weights_of_classes(class_weight, y)
    return by_class if weight is None else weight * by_class


def lazy_weights_of_classes(class_weight: Any, labels: Any) -> Any:
    """For each sample the weight of its class, after the labels were counted once."""
    import dask
    import dask.array

    check_labels(labels)
    classes, counts = dask.compute(*dask.array.unique(labels, return_counts=True))
    weights = table_of_classes(class_weight, classes, counts)
    return labels.map_blocks(weights_looked_up, classes, weights, dtype=np.float64)


def weights_looked_up(labels: Any, classes: Any, weights: Any) -> Any:
    """The weights for one chunk."""
    return weights[np.searchsorted(classes, labels)]


def lazy_split(
    x: Any, y: Any, weight: Any, share: float, validation_data: Any, rng: np.random.Generator
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any]]:
    """Set a random share of each chunk aside; `nn.fit` loads chunks and splits them anew."""
    lengths = (x[0] if isinstance(x, tuple) else x).chunks[0]
    n_aside = count_aside(share, sum(lengths), validation_data)
    ends = np.rint(np.cumsum(lengths) * (n_aside / sum(lengths))).astype(int)
    aside = [int(count) for count in np.diff(ends, prepend=0)]
    seed = int(rng.integers(2**63))

    def part(array: Any, bounds: list[tuple[int, int]]) -> Any:
        return rows_within(array, bounds, seed)

    kept = [(count, length) for count, length in zip(aside, lengths, strict=True)]
    first = [(0, count) for count in aside]
    remaining = tuple(
        None if data is None else map_arrays(lambda array: part(array, kept), data)
        for data in (x, y, weight)
    )
    validation = tuple(map_arrays(lambda array: part(array, first), data) for data in (x, y))
    return remaining, validation  # type: ignore[return-value]


def rows_within(array: Any, bounds: list[tuple[int, int]], seed: int) -> Any:
    """Of each chunk the samples between two places in an order that the seed tells."""
    import dask
    import dask.array

    rows = dask.delayed(rows_of_share, pure=False)
    chunks = zip(blocks_of(array), array.chunks[0], bounds, strict=True)
    parts = [
        dask.array.from_delayed(
            rows(block, length, (start, stop), (seed, index), None),
            (stop - start, *array.shape[1:]),
            dtype=array.dtype,
        )
        for index, (block, length, (start, stop)) in enumerate(chunks)
        if start < stop
    ]
    return dask.array.concatenate(parts)


# Batches.


@dataclass(frozen=True)
class Share:
    """Some samples of one chunk: its ``part``-th of ``parts`` shares, in an order of its own."""

    x: Any
    y: Any
    weight: Any
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

    def __init__(
        self, x: Any, y: Any, weight: Any, batch_size: int, dtype: Any, keep_targets: bool
    ) -> None:
        self.x, self.y, self.weight = x, y, weight
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
        weights = [None] * len(x) if self.weight is None else blocks_of(self.weight)
        for start in self._starts():
            group = [int(i) for i in order[start : start + self.together]]
            loaded = dask.persist(*[(x[i], y[i], weights[i]) for i in group])
            parts = -(-sum(self.lengths[i] for i in group) // self.batch_size)
            for part in range(parts):
                shares = [
                    Share(x_block, y_block, weight, self.lengths[i], part, parts, (seed, i))
                    for i, (x_block, y_block, weight) in zip(group, loaded, strict=True)
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


# The cluster.


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
