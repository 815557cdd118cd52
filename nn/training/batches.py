"""Mini-batches: what `fit` trains on, whatever the data are and wherever they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, ClassVar

import numpy as np

import autograd_lite as ag
from nn.models.module import Module
from nn.training.data import (
    checked_pair,
    checked_weights,
    count_aside,
    in_dtype,
    length,
    map_arrays,
    rows_of,
)
from nn.training.step import Step

__all__ = [
    "ArrayBatches",
    "Batches",
    "IterableBatches",
    "Sampling",
    "Source",
    "checked_validation",
    "source_of",
    "sources",
]

Array = np.ndarray[Any, Any]
Pair = tuple[Any, Any]
Batch = tuple[Any, Any, Any]
"""Inputs, targets, and sample weights or None."""


@dataclass(frozen=True)
class Sampling:
    """How batches are drawn from data; the names mean what they do in `fit`."""

    batch_size: int
    rng: np.random.Generator
    sample_weight: Any = None
    class_weight: Any = None
    validation_split: float = 0.0
    validation_data: Pair | None = None
    needs_targets: bool = False


class Batches(ABC):
    """Data in mini-batches, in an order that is drawn anew for each epoch."""

    step_type: ClassVar[type[Step]] = Step
    """The kind of step that learns from them."""

    unit = "batch"
    """What a progress bar counts."""

    validation_data: Pair | None = None

    @staticmethod
    def of(x: Any, y: Any, sampling: Sampling) -> Batches:
        """The batches of arrays, of an iterable (without ``y``), or of data that lie elsewhere."""
        source = source_of(x)
        if source is not None:
            return source.batches(x, y, sampling)
        if y is None:
            return IterableBatches(x, sampling)
        return ArrayBatches.from_arrays(x, y, sampling)

    @abstractmethod
    def __len__(self) -> int:
        """The number of batches in an epoch; 0 if it is not known."""

    @abstractmethod
    def example(self) -> Any:
        """The inputs of one sample, for layers that learn their own shape from it."""

    @abstractmethod
    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[Batch]:
        """All batches once, floats in the dtype of the model.

        With ``overwrite`` inputs may lie where those of the last batch lay.
        """


@dataclass(frozen=True)
class Source:
    """A place where data may lie besides NumPy's arrays, and what takes them from there."""

    holds: Callable[[Any], bool]
    batches: Callable[[Any, Any, Sampling], Batches]
    predict: Callable[[Module, Any], Any]


sources: list[Source] = []
"""What registered itself: the package `nn.dask`, when it is imported."""


def source_of(data: Any) -> Source | None:
    """Where data lie; None for NumPy's arrays and what becomes one."""
    return next((source for source in sources if source.holds(data)), None)


def checked_validation(validation_data: Pair | None) -> Pair | None:
    """Validation data of the user's own, checked where that needs no computation elsewhere."""
    if validation_data is None or source_of(validation_data[0]) is not None:
        return validation_data
    return checked_pair(*validation_data, "validation_data[0]", "validation_data[1]")


class ArrayBatches(Batches):
    """Batches of the rows of arrays."""

    def __init__(self, x: Any, y: Any, weight: Array | None, batch_size: int) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.batch_size = batch_size

    @classmethod
    def from_arrays(cls, x: Any, y: Any, sampling: Sampling) -> ArrayBatches:
        """From arrays of the user, of which a random share may be set aside for validation."""
        x, y = checked_pair(x, y, "x", "y")
        weight = checked_weights(sampling.sample_weight, sampling.class_weight, y, length(x))
        validation_data = sampling.validation_data
        if sampling.validation_split:
            n_aside = count_aside(sampling.validation_split, length(x), validation_data)
            order = sampling.rng.permutation(length(x))
            aside, kept = order[:n_aside], order[n_aside:]
            validation_data = rows_of(x, aside, None), rows_of(y, aside, None)
            x, y = rows_of(x, kept, None), rows_of(y, kept, None)
            weight = None if weight is None else weight[kept]
        batches = cls(x, y, weight, sampling.batch_size)
        batches.validation_data = checked_validation(validation_data)
        return batches

    def __len__(self) -> int:
        return -(-length(self.x) // self.batch_size)

    def example(self) -> Any:
        return rows_of(self.x, slice(1), None)

    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[Batch]:
        order = rng.permutation(length(self.x))
        room = self.batch_size if overwrite else 0
        inputs = map_arrays(lambda array: Gather(array, dtype, room), self.x)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            weight = None if self.weight is None else self.weight[rows]
            x = map_arrays(methodcaller("rows", rows), inputs)
            yield x, rows_of(self.y, rows, dtype), weight


class Gather:
    """Batches of the rows of an array; with ``room`` for so many, all lie in the same memory.

    Memory that was in use a moment ago is in the cache; that of a new array is not.
    """

    def __init__(self, array: Any, dtype: Any, room: int) -> None:
        self.array, self.dtype = array, dtype
        stays = isinstance(array, np.ndarray) and in_dtype(array[:0], dtype).dtype == array.dtype
        shape = (room, *array.shape[1:])
        self.memory = np.empty(shape, array.dtype) if room and stays else None

    def rows(self, rows: Array) -> Array:
        """The rows of these numbers, floats in the dtype that the model computes in."""
        if self.memory is None:
            batch: Array = in_dtype(self.array[rows], self.dtype)
        else:  # with the default mode, which may fail half-way, NumPy would copy twice
            batch = np.take(self.array, rows, 0, self.memory[: len(rows)], "clip")
        return batch


class IterableBatches(Batches):
    """Batches ``(x, y)`` or ``(x, y, sample_weight)`` that someone else makes, every epoch anew."""

    def __init__(self, batches: Any, sampling: Sampling) -> None:
        is_weighted = sampling.sample_weight is not None or sampling.class_weight is not None
        if is_weighted or sampling.validation_split:
            raise ag.ArgumentValueError(
                "fit: sample_weight, class_weight and validation_split need arrays x and y; "
                "an iterable gives weights as (x, y, sample_weight), and validation_data is "
                "separate"
            )
        if not isinstance(batches, Iterable) or isinstance(batches, np.ndarray):
            raise ag.ArgumentTypeError(
                f"fit: y is missing, and x is {type(batches).__name__}; pass targets, "
                "or an iterable of batches (x, y)"
            )
        if iter(batches) is batches:
            raise ag.ArgumentTypeError(
                "fit: x is an iterator, which can be iterated over only once; "
                "pass a list, or an object whose __iter__ starts anew for every epoch"
            )
        self.batches: Iterable[Any] = batches
        self.validation_data = checked_validation(sampling.validation_data)

    def __len__(self) -> int:
        return len(self.batches) if isinstance(self.batches, Sized) else 0

    def example(self) -> Any:
        x, _, _ = next(self.epoch(np.random.default_rng(0), None))
        return rows_of(x, slice(1), None)

    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[Batch]:
        is_empty = True
        for batch in self.batches:
            if not isinstance(batch, tuple) or len(batch) not in (2, 3):
                raise ag.ArgumentTypeError(
                    f"fit: a batch is {type(batch).__name__}; the iterable must give tuples "
                    "(x, y) or (x, y, sample_weight)"
                )
            is_empty = False
            x, y, weight = (*batch, None)[:3]
            x, y = checked_pair(x, y, "a batch of x", "a batch of y")
            yield rows_of(x, slice(None), dtype), rows_of(y, slice(None), dtype), weight
        if is_empty:
            raise ag.ArgumentValueError(
                "fit: the iterable gave no batch; a generator can be iterated over only once, "
                "so pass a list, or an object whose __iter__ starts anew for every epoch"
            )
