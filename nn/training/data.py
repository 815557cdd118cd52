"""Arrays on their way into a model: tuples of inputs, dtypes, checks, weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import (
    as_reals,
    in_numpys_dtype,
    is_elsewhere,
    kinds_in,
    refuse_times,
    unmasked,
)
from nn.models.module import Module

__all__ = [
    "RowsOf",
    "apply_model",
    "arrays_of",
    "as_batch_array",
    "as_inputs",
    "as_weights",
    "bad_numbers_error",
    "check_labels",
    "check_model",
    "check_numbers",
    "check_on_host",
    "check_samples",
    "checked_pair",
    "checked_weights",
    "class_weight_table",
    "concatenate",
    "concatenate_weights",
    "count_aside",
    "dtype_error",
    "dtype_of",
    "finite_sum",
    "in_dtype",
    "leaves_of",
    "length",
    "map_arrays",
    "map_outputs",
    "of_moderate_size",
    "relative_to_mean",
    "rows_of",
    "weights_error",
]

Array = np.ndarray[Any, Any]


class RowsOf:
    """Some rows of an array, which stays where it is: copied when they are asked for.

    A share of an array that is larger than memory is larger than memory too.
    """

    def __init__(self, array: Any, places: Array) -> None:
        self.array = array
        self.places = places
        self.shape = (len(places), *array.shape[1:])
        self.dtype = array.dtype
        self.ndim = array.ndim

    def __getitem__(self, rows: Any) -> Any:
        return self.array[self.places[rows]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(in_dtype(self[:], None), dtype)


def map_arrays(function: Callable[[Any], Any], data: Any) -> Any:
    """Apply to an array, or to each array of several inputs or outputs: of a tuple or dict."""
    if isinstance(data, dict) and not hasattr(data, "toarray"):  # as one kind of sparse arrays is
        return {name: function(part) for name, part in data.items()}
    return tuple(map(function, data)) if isinstance(data, tuple) else function(data)


def arrays_of(data: Any, name: str) -> list[tuple[str, Any]]:
    """Each array by a name to call it by."""
    if isinstance(data, dict):
        return [(f"{name}[{key!r}]", part) for key, part in data.items()]
    return [(name, part) for part in (data if isinstance(data, tuple) else (data,))]


def map_outputs(function: Callable[[Any], Any], outputs: Any) -> Any:
    """Apply to what a model returns: an array, or tuples, lists and dicts of them."""
    if isinstance(outputs, np.ndarray):  # most are; and a union of types takes time to make
        return function(outputs)
    if isinstance(outputs, dict):
        return {name: map_outputs(function, part) for name, part in outputs.items()}
    if isinstance(outputs, (tuple, list)):
        parts = [map_outputs(function, part) for part in outputs]
        return type(outputs)(*parts) if hasattr(outputs, "_fields") else type(outputs)(parts)
    return function(outputs)


def leaves_of(outputs: Any) -> list[Any]:
    """The arrays that a model returned, in the order in which `map_outputs` goes through them."""
    found: list[Any] = []
    map_outputs(found.append, outputs)
    return found


def length(data: Any) -> int:
    """The number of samples."""
    if isinstance(data, dict):
        data = tuple(data.values())
    if isinstance(data, tuple) and not data:
        raise ag.ArgumentValueError("the data are empty; give at least one array of samples")
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


def check_model(caller: str, model: Any) -> None:
    """Refuse what is not a model."""
    if not isinstance(model, Module):
        raise ag.ArgumentTypeError(
            f"{caller}: the model is {model!r}, which is not a Module; put a function into one, "
            "such as nn.Sequential(nn.Activation(function)), or derive a class from nn.Module"
        )


def check_on_host(caller: str, model: Any) -> None:
    """Refuse what is no model, or one whose parameters lie on a device."""
    check_model(caller, model)
    for parameter in model.parameters():
        if is_elsewhere(parameter.data):
            library = type(parameter.data).__module__.partition(".")[0]
            raise ag.ArgumentTypeError(
                f"{caller}: the parameters are arrays of {library}, and NumPy's are needed here; "
                "call model.to(numpy) first, or train by a loop of your own"
            )


def apply_model(model: Module, x: Any) -> Any:
    """The outputs for a batch; the arrays of a tuple or dict are arguments of their own."""
    if isinstance(x, dict):
        for name in x:
            if not isinstance(name, str):
                raise ag.ArgumentTypeError(
                    f"an input is named {name!r}; in a dict the names of inputs are those of the "
                    "arguments of forward"
                )
        return model(**x)
    return model(*x) if isinstance(x, tuple) else model(x)


def concatenate(parts: list[Any]) -> Any:
    """Batches put together again, also those of several outputs."""
    first = parts[0]
    if isinstance(first, dict):
        return {name: concatenate([part[name] for part in parts]) for name in first}
    if isinstance(first, tuple | list):
        columns = [concatenate(list(column)) for column in zip(*parts, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else type(first)(columns)
    return first if len(parts) == 1 else np.concatenate(parts)


def concatenate_weights(weights: Iterable[Any], targets: Iterable[Any]) -> Array | None:
    """The weights of several batches; samples of a batch without any count as 1, if others have."""
    given = list(weights)
    if all(weight is None for weight in given):
        return None
    pairs = zip(given, targets, strict=True)
    return np.concatenate([np.ones(length(y)) if w is None else w for w, y in pairs])


# Checks.


def checked_pair(x: Any, y: Any, x_name: str, y_name: str) -> tuple[Any, Any]:
    """Inputs and targets as arrays, checked to be finite and of equal, positive length."""
    given = x, y
    x, y = (map_arrays(as_batch_array, data) for data in given)
    parts = [*arrays_of(x, x_name), *arrays_of(y, y_name)]
    check_samples("fit", (x_name, given[0], x), (y_name, given[1], y))
    sizes = {part.shape[0] for _, part in parts}
    if len(sizes) != 1 or 0 in sizes:
        shapes = " and ".join(f"{name} has shape {part.shape}" for name, part in parts)
        raise ag.ArgumentValueError(
            f"fit: {shapes}; "
            "both need the same number of samples, at least one, along their first axis"
        )
    for name, part in parts:
        check_numbers(name, part)
    return x, y


def check_samples(caller: str, *data: tuple[str, Any, Any]) -> None:
    """Refuse what became a single object; of each: its name, what was given, and arrays of it."""
    for name, given, made in data:
        if any(not part.ndim for _, part in arrays_of(made, name)):
            raise ag.ArgumentTypeError(
                f"{caller}: {name} is {type(given).__name__}, which makes no array of samples; "
                "pass an array, samples first, or a tuple or dict of them, and batches one by one"
            )


def as_inputs(caller: str, x: Any) -> Any:
    """Inputs as arrays, each of as many samples as the others."""
    arrays = map_arrays(as_batch_array, x)
    parts = arrays_of(arrays, "x")
    check_samples(caller, ("x", x, arrays))
    if len({part.shape[0] for _, part in parts}) > 1:
        shapes = ", ".join(str(part.shape) for _, part in parts)
        raise ag.ArgumentValueError(
            f"{caller}: the inputs have the shapes {shapes}; all need the same number of samples "
            "along their first axis"
        )
    return arrays


def as_batch_array(data: Any) -> Any:
    """An array; one that is mapped from a file stays there, one that is sparse stays sparse."""
    data = unmasked(in_numpys_dtype(data))
    if isinstance(data, np.ndarray | RowsOf):
        return data
    if hasattr(data, "toarray"):  # of the sparse ones, these can be indexed by rows
        return data if getattr(data, "format", "csr") == "csr" else data.tocsr()
    try:
        array = np.asarray(data)
    except ag.AutogradError:
        raise
    except ValueError as error:
        raise ag.ArgumentValueError(
            f"the data, in {type(data).__name__}, make no array ({error}); give samples of the "
            "same shape, and several arrays in a tuple or dict"
        ) from None
    except Exception as error:  # tensors elsewhere, or with gradients; frames have errors of theirs
        raise ag.ArgumentTypeError(
            f"the data, in {type(data).__name__}, make no array; {error}"
        ) from None
    kinds = [*kinds_in(data, array)] if hasattr(data, "to_numpy") else []
    refuse_times(kinds)
    if array.dtype == object and kinds:  # a frame of numbers and bools
        try:
            return array if str in kinds else data.to_numpy(np.float64)
        except Exception:
            pass  # the dtype is refused with its name
    return array


def check_numbers(name: str, array: Array) -> None:
    """Refuse what is not real numbers, NaN and infinity, and say where they are."""
    if array.dtype.kind not in "fiub":
        raise dtype_error(name, array.dtype)
    if array.dtype.kind != "f":
        return
    if hasattr(array, "toarray"):  # a sparse array: look at what it stores
        array = np.asarray(array.data)
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(finite_sum(array)):
            return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        raise bad_numbers_error(f"fit: {name}", len(bad), bad[0])


def dtype_error(name: str, dtype: Any, caller: str = "fit") -> ag.ArgumentTypeError:
    """The error for texts, categories and what else is no real numbers."""
    return ag.ArgumentTypeError(
        f"{caller}: {name} has dtype {dtype}; it must hold real numbers: of categories make "
        "columns of 0 and 1, as pandas.get_dummies does, of class names numbers, as "
        "np.unique(y, return_inverse=True)[1] are"
    )


def bad_numbers_error(
    name: str, count: int, place: Any, where: str = "", purpose: str = "training"
) -> ag.ArgumentValueError:
    """The error for numbers that are not finite, with the place of the first."""
    first = tuple(int(i) for i in place)
    return ag.ArgumentValueError(
        f"{name} holds {count} NaN or infinite numbers{where}, the first at "
        f"{first if len(first) > 1 else first[0]}; remove or replace them before {purpose}"
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
        weight = as_weights(sample_weight, n_samples)
        if weight.shape != (n_samples,) or not are_weights(weight):
            raise weights_error(weight, n_samples)
    if class_weight is None:
        return weight
    by_class = weights_by_class(class_weight, y)
    return by_class if weight is None else weight * by_class


def as_weights(sample_weight: Any, n_samples: int) -> Array:
    """An array of weights, also from a column of them."""
    if isinstance(sample_weight, str | dict):
        raise ag.ArgumentTypeError(
            f"fit: sample_weight is {sample_weight!r}; it must hold one number for each of "
            f"{n_samples} samples; weights of classes, or 'balanced', are for class_weight"
        )
    weight: Array = np.asarray(as_reals("fit: sample_weight", sample_weight, np.float64))
    return weight[:, 0] if weight.shape == (n_samples, 1) else weight


def are_weights(numbers: Array) -> bool:
    """Whether numbers are finite, none negative and not all 0."""
    return bool(np.isfinite(numbers).all() and (numbers >= 0).all() and numbers.any())


def relative_to_mean(weight: Array) -> Array:
    """Weights whose mean is 1, also where the sum of those given overflows."""
    weight = of_moderate_size(weight)
    return weight / (weight.mean() or 1.0)


def of_moderate_size(weight: Array) -> Array:
    """Weights of the same proportions, with which neither sums nor products overflow or vanish."""
    largest = np.max(weight, initial=0.0)
    is_moderate = 1e-100 < largest < 1e100 or largest in (0, np.inf) or np.isnan(largest)
    return weight if is_moderate else weight / largest


def weights_error(weight: Any, n_samples: int) -> ag.ArgumentValueError:
    """The error for weights that are not one number for each sample."""
    return ag.ArgumentValueError(
        f"fit: sample_weight has shape {weight.shape}; it must hold one number for each "
        f"of {n_samples} samples, none negative, infinite or NaN, and not all zero"
    )


def weights_by_class(class_weight: Any, labels: Any) -> Array:
    """For each sample the weight of its class: from a dict, a list, or "balanced"."""
    labels = as_class_numbers(labels)
    check_labels(labels)
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    by_sample: Array = class_weight_table(class_weight, classes, counts)[inverse]
    return by_sample


def as_class_numbers(labels: Any) -> Any:
    """Class numbers from columns, bools, whole floats and one-hot rows; others as they are."""
    if isinstance(labels, tuple | dict) or labels.dtype.kind not in "fiub":
        return labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        labels = np.argmax(labels, axis=1)
    return labels.astype(np.int64) if np.array_equal(labels, labels.astype(np.int64)) else labels


def check_labels(labels: Any) -> None:
    """Refuse targets that are not class numbers."""
    if isinstance(labels, tuple | dict) or labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ag.ArgumentValueError(
            "fit: class_weight needs class numbers as targets, one for each sample or one-hot "
            "rows; give sample_weight instead"
        )


def class_weight_table(class_weight: Any, classes: Array, counts: Array) -> Array:
    """The weights of classes that have been counted."""
    if (isinstance(class_weight, str) and class_weight != "balanced") or (
        not isinstance(class_weight, str | Iterable)
    ):
        raise ag.ArgumentTypeError(
            f"fit: class_weight is {class_weight!r}; pass a dict or a list of one number for each "
            "class, or 'balanced'"
        )
    if isinstance(class_weight, str):
        balanced: Array = counts.sum() / (len(classes) * counts)
        return balanced
    table = class_weight if isinstance(class_weight, dict) else dict(enumerate(class_weight))
    missing = [int(c) for c in classes if c not in table]
    if missing:
        raise ag.ArgumentValueError(
            f"fit: class_weight has no weight for the classes {missing}; "
            "give one for each class, or 'balanced'"
        )
    weights: Array = as_reals("fit: class_weight", [table[c] for c in classes], np.float64)
    if not are_weights(weights):
        raise ag.ArgumentValueError(
            f"fit: class_weight is {class_weight!r}; none may be negative, infinite or NaN, and "
            "not all of the classes that there are may have 0"
        )
    return weights


def count_aside(share: float, n_samples: int, validation_data: Any) -> int:
    """How many samples a share of them is that is set aside for validation."""
    is_number = isinstance(share, int | float | np.number) and bool(np.isfinite(share))
    n_aside = round(share * n_samples) if is_number else 0
    if (
        not is_number
        or not 0 < share < 1
        or validation_data is not None
        or not 0 < n_aside < n_samples
    ):
        raise ag.ArgumentValueError(
            f"fit: validation_split is {share!r} for {n_samples} samples; it must be in (0, 1), "
            "leave samples on both sides, and come without validation_data"
        )
    return n_aside
