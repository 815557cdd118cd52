"""Data on their way into a model: checks, mini-batches, tuples of inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sized
from operator import methodcaller
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.models.module import Module

__all__ = [
    "ArrayBatches",
    "IterableBatches",
    "apply_model",
    "as_batch_array",
    "checked_pair",
    "joined",
    "map_arrays",
]

Array = np.ndarray[Any, Any]
Batch = tuple[Any, Any, Any]
"""Inputs, targets, and sample weights or None."""


def map_arrays(function: Callable[[Any], Any], data: Any) -> Any:
    """Apply to an array, or to each array of a tuple: several inputs or outputs are tuples."""
    return tuple(map(function, data)) if isinstance(data, tuple) else function(data)


def length(data: Any) -> int:
    """The number of samples."""
    return int((data[0] if isinstance(data, tuple) else data).shape[0])


def rows_of(data: Any, rows: Any, dtype: Any) -> Any:
    """Some samples, floats among them in the dtype that the model computes in."""
    return map_arrays(lambda array: in_dtype(array[rows], dtype), data)


def in_dtype(array: Any, dtype: Any) -> Any:
    """A dense array; floats in another dtype, integers, which may be labels, as they are."""
    array = array.toarray() if hasattr(array, "toarray") else np.asarray(array)
    return array.astype(dtype, copy=False) if dtype and array.dtype.kind == "f" else array


def dtype_of(model: Module) -> Any:
    """The dtype that a model computes in; None if it has no parameters."""
    return next((p.dtype for p in model.parameters()), None)


def apply_model(model: Module, x: Any) -> Any:
    """The outputs for a batch; the arrays of a tuple are arguments of their own."""
    return model(*x) if isinstance(x, tuple) else model(x)


def joined(parts: list[Any]) -> Any:
    """Batches put together again, also those of several outputs."""
    if isinstance(parts[0], tuple):
        return tuple(joined(list(column)) for column in zip(*parts, strict=True))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


class ArrayBatches:
    """Mini-batches of arrays, in an order that is drawn anew for each epoch."""

    unit = "batch"

    def __init__(self, x: Any, y: Any, weight: Array | None, batch_size: int, dtype: Any) -> None:
        self.x, self.y, self.weight = x, y, weight
        self.batch_size = batch_size
        self.dtype = dtype

    def __len__(self) -> int:
        return -(-length(self.x) // self.batch_size)

    def epoch(self, rng: np.random.Generator, overwrite: bool = False) -> Iterator[Batch]:
        """All batches once, shuffled; with ``overwrite`` inputs may lie where the last ones lay."""
        order = rng.permutation(length(self.x))
        room = self.batch_size if overwrite else 0
        inputs = map_arrays(lambda array: Gathered(array, self.dtype, room), self.x)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            weight = None if self.weight is None else self.weight[rows]
            x = map_arrays(methodcaller("rows", rows), inputs)
            yield x, rows_of(self.y, rows, self.dtype), weight


class Gathered:
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


class IterableBatches:
    """Batches ``(x, y)`` or ``(x, y, sample_weight)`` that someone else makes, every epoch anew."""

    unit = "batch"

    def __init__(self, batches: Iterable[Any], dtype: Any) -> None:
        self.batches = batches
        self.dtype = dtype

    def __len__(self) -> int:
        """The number of batches; 0 if it is not known."""
        return len(self.batches) if isinstance(self.batches, Sized) else 0

    def epoch(self, rng: np.random.Generator, overwrite: bool = False) -> Iterator[Batch]:
        """All batches once, as they come."""
        found = False
        for batch in self.batches:
            if not isinstance(batch, tuple) or len(batch) not in (2, 3):
                raise ag.ArgumentTypeError(
                    f"fit: a batch is {type(batch).__name__}; the iterable must give tuples "
                    "(x, y) or (x, y, sample_weight)"
                )
            found = True
            x, y, weight = (*batch, None)[:3]
            x, y = checked_pair(x, y, "a batch of x", "a batch of y")
            everything = slice(None)
            yield rows_of(x, everything, self.dtype), rows_of(y, everything, self.dtype), weight
        if not found:
            raise ag.ArgumentValueError(
                "fit: the iterable gave no batch; a generator can be gone through only once, "
                "so pass a list, or an object whose __iter__ starts anew for every epoch"
            )


# Checks.


def checked_pair(x: Any, y: Any, x_name: str, y_name: str) -> tuple[Any, Any]:
    """Inputs and targets as arrays, checked to be finite and of equal, positive length."""
    x, y = (map_arrays(as_batch_array, data) for data in (x, y))
    parts = [
        *((x_name, part) for part in (x if isinstance(x, tuple) else (x,))),
        *((y_name, part) for part in (y if isinstance(y, tuple) else (y,))),
    ]
    sizes = {part.shape[0] if part.ndim else 0 for _, part in parts}
    if len(sizes) != 1 or 0 in sizes:
        shapes = " and ".join(f"{name} has shape {part.shape}" for name, part in parts)
        raise ag.ArgumentValueError(
            f"fit: {shapes}; "
            "both need the same number of samples, at least one, along their first axis"
        )
    for name, part in parts:
        check_numbers(name, part)
    return x, y


def as_batch_array(data: Any) -> Array:
    """An array; one that is mapped from a file stays there, one that is sparse stays sparse."""
    return data if isinstance(data, np.ndarray) or hasattr(data, "toarray") else np.asarray(data)


def check_numbers(name: str, array: Array) -> None:
    """Refuse what is not real numbers, NaN and infinity, and say where they are."""
    if array.dtype.kind not in "fiub":
        raise ag.ArgumentTypeError(
            f"fit: {name} has dtype {array.dtype}; it must hold real numbers"
        )
    if array.dtype.kind != "f":
        return
    if hasattr(array, "toarray"):  # a sparse array: look at what it stores
        array = np.asarray(array.data)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(sum_of(array)):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise ag.ArgumentValueError(
            f"fit: {name} holds {len(bad)} NaN or infinite numbers, the first at "
            f"{first if len(first) > 1 else first[0]}; remove or replace them before training"
        )


def sum_of(array: Array) -> Any:
    """A number that is not finite if one in the array is not, without a copy.

    A product of a matrix and a vector reads memory on all cores.
    """
    if not array.flags.forc:
        return np.sum(array)
    flat = array.ravel(order="K")
    n_rows = flat.size // 4096
    rows = flat[: n_rows * 4096].reshape(n_rows, 4096)
    return np.sum(rows @ np.ones(4096, array.dtype)) + np.sum(flat[n_rows * 4096 :])


def checked_weights(sample_weight: Any, class_weight: Any, y: Any, n_samples: int) -> Array | None:
    """One weight for each sample, from weights of samples and of their classes."""
    weight = None
    if sample_weight is not None:
        weight = np.asarray(sample_weight, np.float64)
        if weight.shape != (n_samples,) or not (weight >= 0).all() or not weight.any():
            raise unfit_weights(weight, n_samples)
    if class_weight is None:
        return weight
    by_class = weights_of_classes(class_weight, y)
    return by_class if weight is None else weight * by_class


def unfit_weights(weight: Any, n_samples: int) -> ag.ArgumentValueError:
    """The error for weights that are not one number for each sample."""
    return ag.ArgumentValueError(
        f"fit: sample_weight has shape {weight.shape}; it must hold one number for each "
        f"of {n_samples} samples, none negative or NaN, and not all zero"
    )


def weights_of_classes(class_weight: Any, labels: Any) -> Array:
    """For each sample the weight of its class: from a dict, a list, or "balanced"."""
    check_labels(labels)
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_sample: Array = table_of_classes(class_weight, classes, counts)[inverse]
    return by_sample


def check_labels(labels: Any) -> None:
    if isinstance(labels, tuple) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ag.ArgumentValueError(
            "fit: class_weight needs class numbers as targets, integers of shape (samples,); "
            "give sample_weight instead"
        )


def table_of_classes(class_weight: Any, classes: Array, counts: Array) -> Array:
    """The weights of classes that have been counted."""
    if isinstance(class_weight, str) and class_weight == "balanced":
        balanced: Array = counts.sum() / (len(classes) * counts)
        return balanced
    table = class_weight if isinstance(class_weight, dict) else dict(enumerate(class_weight))
    missing = [int(c) for c in classes if c not in table]
    if missing:
        raise ag.ArgumentValueError(
            f"fit: class_weight has no weight for the classes {missing}; "
            "give one for each class, or 'balanced'"
        )
    return np.array([table[c] for c in classes], np.float64)


def count_aside(share: float, n_samples: int, validation_data: Any) -> int:
    """How many samples a share of them is that is set aside for validation."""
    n_aside = round(share * n_samples)
    if not 0 < share < 1 or validation_data is not None or not 0 < n_aside < n_samples:
        raise ag.ArgumentValueError(
            f"fit: validation_split is {share!r} for {n_samples} samples; it must be in (0, 1), "
            "leave samples on both sides, and come without validation_data"
        )
    return n_aside
