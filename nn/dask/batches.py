"""Batches of data that Dask holds in chunks.

A batch is made of shares of several chunks, which stay where they are.  How it is made
does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.dask import cluster
from nn.dask.data import (
    Share,
    Shares,
    chunk_lengths,
    chunks_of,
    even_batches,
    origins_of,
    sample_of,
    samples_in_chunks,
    split_chunks,
)
from nn.dask.step import DistributedStep
from nn.training.batches import Batches, Sampling, checked_validation
from nn.training.data import concatenate

__all__ = ["DaskBatches"]

GROUP = 8
"""From how many chunks a batch takes its shares, at least, if there are as many."""


class DaskBatches(Batches):
    """Batches of Dask arrays: chunks come in an order drawn anew for each epoch, by groups.

    The chunks of a group are loaded together and used up in batches, each of
    which takes a share of every chunk.  So no more than a group is in memory.
    """

    step_type = DistributedStep

    def __init__(self, x: Any, y: Any, sampling: Sampling) -> None:
        if sampling.drop_last or not sampling.shuffle:
            raise ag.ArgumentValueError(
                "fit: the chunks of Dask are trained on in an order that is drawn, all of each; "
                "leave out shuffle=False and drop_last=True, or load the arrays with .compute()"
            )
        x, y, weight = samples_in_chunks(x, y, sampling)
        if sampling.validation_split:
            (x, y, weight), self.validation_data, origins = split_chunks(x, y, weight, sampling)
        else:
            self.validation_data = checked_validation(sampling.validation_data)
            origins = origins_of(chunk_lengths(x))
        if weight is not None:
            weight = weight / float(weight.mean().compute())
        self.x, self.y, self.weight = x, y, weight
        self.batch_size = sampling.batch_size
        self.needs_targets = sampling.needs_targets
        self.lengths, self.origins = chunk_lengths(x), origins
        needed = -(-self.batch_size // max(self.lengths))
        self.group_size = min(len(self.lengths), max(GROUP, needed))
        self.order = list(range(len(self.lengths)))

    @property
    def unit(self) -> str:  # type: ignore[override]
        """What a progress bar counts, and how many workers there are for it."""
        client = cluster.current_client()
        if client is None:
            return "batch"
        count = len(client.scheduler_info(n_workers=-1)["workers"])
        return f"batch ({count} worker{'s'[: count - 1]})"

    def example(self) -> Any:
        return sample_of(self.x)

    def __len__(self) -> int:
        """The number of batches, whichever chunks come together; 0 if it depends on them."""
        if len(set(self.lengths[:-1])) > 1:
            return 0
        if len(self.lengths) > self.group_size and self.lengths[-1] != self.lengths[0]:
            return 0
        return sum(map(self._batches_of, self._groups()))

    def part_before(self, batch: int) -> float:
        """Which part of the epoch that has begun lies before a batch."""
        return batch / sum(map(self._batches_of, self._groups()))

    def _groups(self) -> list[list[int]]:
        """The numbers of the chunks that are loaded together, in the order that was drawn."""
        starts = range(0, len(self.order), self.group_size)
        return [self.order[start : start + self.group_size] for start in starts]

    def _batches_of(self, group: list[int]) -> int:
        return -(-sum(self.lengths[i] for i in group) // self.batch_size)

    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[tuple[Any, Any, Any]]:
        import dask

        self.order = rng.permutation(len(self.lengths)).tolist()
        seed = int(rng.integers(2**63))
        x, y = chunks_of(self.x), chunks_of(self.y)
        weights = [None] * len(x) if self.weight is None else chunks_of(self.weight)
        starts = np.random.default_rng(seed)
        for group in self._groups():
            loaded: Any = dask.persist(*[(x[i], y[i], weights[i]) for i in group])
            parts = self._batches_of(group)
            lengths = [self.lengths[i] for i in group]
            for part, bounds in enumerate(even_batches(lengths, parts, starts)):
                shares = [
                    Share(*chunks, self.lengths[i], rows, (seed, i), self.origins[i])  # type: ignore[call-arg]
                    for i, chunks, rows in zip(group, loaded, bounds, strict=True)
                    if rows[0] < rows[1]
                ]
                batch = Shares(shares)
                del shares
                if part + 1 == parts:
                    del loaded
                yield batch, *self._targets(batch, dtype)

    def _targets(self, batch: Shares, dtype: Any) -> tuple[Any, Any]:
        """Targets and weights of a batch, fetched only if metrics are computed from them."""
        import dask

        if not self.needs_targets:
            return None, None
        targets = dask.delayed(Share.targets_and_weights, pure=False)
        parts = dask.compute(*[targets(share, dtype) for share in batch.shares])
        weights = None if self.weight is None else concatenate([weight for _, weight in parts])
        return concatenate([y for y, _ in parts]), weights
