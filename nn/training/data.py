"""Arrays on their way into a model: tuples of inputs, dtypes, checks, weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.models.module import Module

__all__ = [
    "apply_model",
    "as_batch_array",
    "check_labels",
    "checked_pair",
    "checked_weights",
    "class_weight_table",
    "concatenate",
    "count_aside",
    "dtype_of",
    "in_dtype",
    "length",
    "map_arrays",
    "rows_of",
    "weights_error",
]

Array = np.ndarray[Any, Any]


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


def concatenate(parts: list[Any]) -> Any:
    """Batches put together again, also those of several outputs."""
    if isinstance(parts[0], tuple):
        return tuple(concatenate(list(column)) for column in zip(*parts, strict=True))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


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
        if np.isfinite(finite_sum(array)):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise ag.ArgumentValueError(
            f"fit: {name} holds {len(bad)} NaN or infinite numbers, the first at "
            f"{first if len(first) > 1 else first[0]}; remove or replace them before training"
        )


def finite_sum(array: Array) -> Any:
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
            raise weights_error(weight, n_samples)
    if class_weight is None:
        return weight
    by_class = weights_by_class(class_weight, y)
    return by_class if weight is None else weight * by_class


def weights_error(weight: Any, n_samples: int) -> ag.ArgumentValueError:
    """The error for weights that are not one number for each sample."""
    return ag.ArgumentValueError(
        f"fit: sample_weight has shape {weight.shape}; it must hold one number for each "
        f"of {n_samples} samples, none negative or NaN, and not all zero"
    )


def weights_by_class(class_weight: Any, labels: Any) -> Array:
    """For each sample the weight of its class: from a dict, a list, or "balanced"."""
    check_labels(labels)
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_sample: Array = class_weight_table(class_weight, classes, counts)[inverse]
    return by_sample


def check_labels(labels: Any) -> None:
    """Refuse targets that are not class numbers."""
    if isinstance(labels, tuple) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ag.ArgumentValueError(
            "fit: class_weight needs class numbers as targets, integers of shape (samples,); "
            "give sample_weight instead"
        )


def class_weight_table(class_weight: Any, classes: Array, counts: Array) -> Array:
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
