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
    RowsOf,
    as_weights,
    checked_pair,
    checked_weights,
    count_aside,
    in_dtype,
    length,
    map_arrays,
    relative_to_mean,
    rows_of,
    weights_error,
)
from nn.training.step import Step

__all__ = [
    "EXAMPLES",
    "ArrayBatches",
    "Batch",
    "Batches",
    "IterableBatches",
    "Sampling",
    "Source",
    "check_rows",
    "checked_batches",
    "checked_validation",
    "is_iterable_of_batches",
    "source_of",
    "sources",
]

Array = np.ndarray[Any, Any]
EXAMPLES = 256
"""How many samples are looked at before training."""

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
    validation_data: Any = None
    needs_targets: bool = False
    shuffle: bool = True
    drop_last: bool = False


class Batches(ABC):
    """Data in mini-batches, in an order that is drawn anew for each epoch."""

    step_type: ClassVar[type[Step]] = Step
    """The kind of step that learns from them."""

    unit = "batch"
    """What a progress bar counts."""

    runs_own_code = False
    """Whether somebody's own code runs between the batches, which may change a model."""

    validation_data: Any = None

    @staticmethod
    def of(x: Any, y: Any, sampling: Sampling) -> Batches:
        """The batches of arrays, of an iterable (without ``y``), or of data that lie elsewhere."""
        if isinstance(x, Batches):
            return x
        check_rows(x=x, y=y, sample_weight=sampling.sample_weight)
        source = source_of(x)
        if source is not None:
            return source.batches(x, y, sampling)
        if y is None:
            return IterableBatches(x, sampling)
        return ArrayBatches.from_arrays(x, y, sampling)

    @abstractmethod
    def __len__(self) -> int:
        """The number of batches in an epoch; 0 if it is not known."""

    def part_before(self, batch: int) -> float | None:
        """Which part of the epoch that has begun lies before a batch; None if it is not known."""
        return batch / len(self) if len(self) else None

    @abstractmethod
    def example(self) -> Any:
        """The inputs of some samples, for layers that learn their own shape from them."""

    def targets(self) -> tuple[Any, bool]:
        """Targets that are known beforehand, or None, and whether these are all."""
        return None, False

    def samples(self, count: int) -> tuple[Any, Any]:
        """Inputs and targets of at most so many samples, evenly chosen where all are known."""
        raise ag.ArgumentValueError(
            "the data lie elsewhere than in memory; pass some of them as arrays, such as "
            "nn.Playback(path, x, y)"
        )

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
    example: Callable[[Any], Any]
    check_rows: Callable[..., None]
    """Refuses data, given by name, whose rows do not belong together."""
    validation: Callable[..., tuple[Any, Any, Any]]
    """Inputs, targets and weights to validate with, checked where that needs no computation."""


sources: list[Source] = []
"""What registered itself: the package `nn.dask`, when it is imported."""


def source_of(data: Any) -> Source | None:
    """Where data lie; None for NumPy's arrays and what becomes one."""
    if isinstance(data, dict) and any(source.holds(x) for source in sources for x in data.values()):
        raise ag.ArgumentTypeError(
            "arrays that lie elsewhere, such as Dask's, cannot be given by name; pass a tuple of "
            "them, in the order in which the model takes its inputs"
        )
    return next((source for source in sources if source.holds(data)), None)


def check_rows(**data: Any) -> None:
    """Refuse data, given by name, some of which lie elsewhere and whose rows differ."""
    for source in sources:
        if any(map(source.holds, data.values())):
            source.check_rows(**data)


def checked_validation(validation_data: Any) -> Any:
    """Validation data of the user's own, checked where that needs no computation elsewhere."""
    if validation_data is None:
        return None
    if is_iterable_of_batches(validation_data):
        return validation_data
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        raise ag.ArgumentTypeError(
            f"fit: validation_data is {type(validation_data).__name__}; pass a tuple (x, y) or "
            "(x, y, sample_weight), or an iterable of batches that can be iterated over again"
        )
    source = source_of(validation_data[0])
    if source is not None:
        return source.validation(*validation_data)
    x, y, weight = (*validation_data, None)[:3]
    x, y = checked_pair(x, y, "validation_data[0]", "validation_data[1]")
    return (x, y, checked_weights(weight, None, y, length(x)))


def rows_aside(sampling: Sampling, n_aside: int, n_samples: int) -> tuple[Array, Array]:
    """Which samples are set aside, and which are trained on: the first ones without a shuffle."""
    if not sampling.shuffle:
        rows = np.arange(n_samples)
        return rows[n_samples - n_aside :], rows[: n_samples - n_aside]
    order = sampling.rng.permutation(n_samples)
    return order[:n_aside], order[n_aside:]


def some_of(data: tuple[Any, ...], places: Array) -> tuple[Any, ...]:
    """The samples in some places of inputs and of targets, which stay where they are."""
    return tuple(map_arrays(lambda array: RowsOf(array, places), part) for part in data)


class ArrayBatches(Batches):
    """Batches of the rows of arrays."""

    shuffle = True
    drop_last = False

    def __init__(self, x: Any, y: Any, weight: Array | None, batch_size: int) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.batch_size = batch_size

    @classmethod
    def from_arrays(cls, x: Any, y: Any, sampling: Sampling) -> ArrayBatches:
        """From arrays of the user, of which a random share may be set aside for validation."""
        x, y = checked_pair(x, y, "x", "y")
        weight = checked_weights(sampling.sample_weight, sampling.class_weight, y, length(x))
        validation_data = sampling.validation_data
        split = sampling.validation_split
        if not isinstance(split, int | float | np.number) or split:
            n_aside = count_aside(split, length(x), validation_data)
            aside, kept = rows_aside(sampling, n_aside, length(x))
            light = None if weight is None or not weight[aside].any() else weight[aside]
            validation_data = (*some_of((x, y), aside), light)
            x, y = some_of((x, y), kept)
            weight = None if weight is None else weight[kept]
        else:
            validation_data = checked_validation(validation_data)
        if weight is not None:
            weight = relative_to_mean(weight)
        batches = cls(x, y, weight, sampling.batch_size)
        batches.shuffle, batches.drop_last = sampling.shuffle, sampling.drop_last
        if not len(batches):
            raise ag.ArgumentValueError(
                f"fit: drop_last leaves no batch of {sampling.batch_size} in {length(x)} samples; "
                "pass a smaller batch_size"
            )
        batches.validation_data = validation_data
        return batches

    def __len__(self) -> int:
        whole, rest = divmod(length(self.x), self.batch_size)
        return whole if self.drop_last or not rest else whole + 1

    def example(self) -> Any:
        return rows_of(self.x, slice(EXAMPLES), None)

    def targets(self) -> tuple[Any, bool]:
        return self.y, True

    def samples(self, count: int) -> tuple[Any, Any]:
        rows = np.unique(np.linspace(0, length(self.x) - 1, count).astype(int))
        return rows_of(self.x, rows, None), rows_of(self.y, rows, None)

    def order(self, rng: np.random.Generator) -> Array:
        """The numbers of the rows, as they come in the next epoch."""
        n_samples = length(self.x)
        order = rng.permutation(n_samples) if self.shuffle else np.arange(n_samples)
        return order[: n_samples // self.batch_size * self.batch_size] if self.drop_last else order

    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[Batch]:
        order = self.order(rng)
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
        self.dtype = dtype
        self.places = array.places if isinstance(array, RowsOf) else None
        self.array = array = array if self.places is None else array.array
        stays = isinstance(array, np.ndarray) and in_dtype(array[:0], dtype).dtype == array.dtype
        shape = (room, *array.shape[1:])
        self.memory = np.empty(shape, array.dtype) if room and stays else None

    def rows(self, rows: Array) -> Array:
        """The rows of these numbers, floats in the dtype that the model computes in."""
        rows = rows if self.places is None else self.places[rows]
        if self.memory is None:
            batch: Array = in_dtype(self.array[rows], self.dtype)
        else:  # with the default mode, which may fail half-way, NumPy would copy twice
            batch = np.take(self.array, rows, 0, self.memory[: len(rows)], "clip")
        return batch


def is_batch(part: Any) -> bool:
    """Whether a part of a list is a batch, and not a list of numbers."""
    return isinstance(part, tuple) or (
        isinstance(part, list) and all(hasattr(x, "shape") or isinstance(x, dict) for x in part)
    )


def is_iterable_of_batches(data: Any) -> bool:
    """Whether these are no arrays, but something that gives batches of them, time and again."""
    if isinstance(data, list):
        return bool(data) and all(map(is_batch, data))
    is_data = isinstance(data, tuple | dict | str | np.ndarray) or hasattr(data, "shape")
    return isinstance(data, Iterable) and not is_data and iter(data) is not data


class IterableBatches(Batches):
    """Batches ``(x, y)`` or ``(x, y, sample_weight)`` that someone else makes, every epoch anew."""

    runs_own_code = True

    def __init__(self, batches: Any, sampling: Sampling) -> None:
        is_weighted = sampling.sample_weight is not None or sampling.class_weight is not None
        if is_weighted or sampling.validation_split:
            raise ag.ArgumentValueError(
                "fit: sample_weight, class_weight and validation_split need arrays x and y; "
                "an iterable gives weights as (x, y, sample_weight), and validation_data is "
                "separate"
            )
        if sampling.drop_last:
            raise ag.ArgumentValueError(
                "fit: drop_last needs arrays x and y; let the iterable leave out its last batch"
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
        self.x, self.y, _ = next(checked_batches(self.batches, None))

    def __len__(self) -> int:
        return len(self.batches) if isinstance(self.batches, Sized) else 0

    def example(self) -> Any:
        return rows_of(self.x, slice(EXAMPLES), None)

    def targets(self) -> tuple[Any, bool]:
        return self.y, False

    def samples(self, count: int) -> tuple[Any, Any]:
        return rows_of(self.x, slice(count), None), rows_of(self.y, slice(count), None)

    def epoch(
        self, rng: np.random.Generator, dtype: Any, overwrite: bool = False
    ) -> Iterator[Batch]:
        yield from checked_batches(self.batches, dtype)


def checked_batches(batches: Iterable[Any], dtype: Any) -> Iterator[Batch]:
    """Inputs, targets and weights, or None, of the batches that an iterable gives."""
    if not isinstance(batches, Iterable):
        raise ag.ArgumentTypeError(
            f"y is missing, and x is {type(batches).__name__}; pass targets, or an iterable of "
            "batches (x, y)"
        )
    is_empty = True
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) not in (2, 3):
            raise ag.ArgumentTypeError(
                f"a batch is {type(batch).__name__}; the iterable must give tuples "
                "(x, y) or (x, y, sample_weight)"
            )
        is_empty = False
        x, y, weight = (*batch, None)[:3]
        x, y = checked_pair(x, y, "a batch of x", "a batch of y")
        if weight is not None:
            weight = as_weights(weight, length(x))
            if weight.shape != (length(x),):
                raise weights_error(weight, length(x))
        yield rows_of(x, slice(None), dtype), rows_of(y, slice(None), dtype), weight
    if is_empty:
        raise ag.ArgumentValueError(
            "the iterable gave no batch; a generator can be iterated over only once, "
            "so pass a list, or an object whose __iter__ starts anew for every epoch"
        )
