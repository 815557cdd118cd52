"""How class labels and a model's outputs correspond."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.checks import as_array, check_counts, check_flags, host_array, unmasked

__all__ = [
    "LabelError",
    "as_labels",
    "check_real",
    "class_numbers",
    "decide",
    "has_columns",
    "is_distribution",
    "labels_to_rows",
    "labels_to_signs",
    "one_hot",
    "plain",
    "predicted_labels",
    "without_nan",
]

Array = np.ndarray[Any, Any]


def plain(x: Any) -> Array:
    """The numbers of a Value, array or list, as an array."""
    if isinstance(x, dict):
        raise ag.ArgumentTypeError(
            "a metric is of one output, and a dict of several was given; pass a loss for each, "
            "loss={'name': ...}, with metrics={'name': [...]}, or take one of them out"
        )
    given = as_labels(x.data if isinstance(x, ag.Value) else x)
    return host_array(as_array("what holds labels or outputs", given))


def as_labels(labels: Any) -> Any:
    """Labels that have a shape: an array, or the Value that was given."""
    if hasattr(labels, "shape"):
        return unmasked(labels)
    try:
        return np.asarray(labels)
    except ValueError as error:
        raise ag.ArgumentTypeError(
            f"labels or outputs, in {type(labels).__name__}, make no array ({error}); give one "
            "array, and several outputs to fit with a loss for each"
        ) from None


def whole_labels(given: Any, shape: tuple[int, ...], caller: str) -> Array:
    """Class labels as integers, one for each row of logits of ``shape`` (..., classes)."""
    labels = host_array(unmasked(given))
    if labels.shape != shape[:-1]:
        raise ag.ArgumentValueError(
            f"{caller}: the labels have shape {labels.shape}, but the logits have shape {shape}; "
            f"give one label for each row, shape {shape[:-1]}"
        )
    if labels.dtype.kind not in "iu":
        with np.errstate(invalid="ignore"):  # NaN is found by the comparison
            whole = labels.astype(np.int64) if labels.dtype.kind in "fb" else None
        if whole is None or not np.array_equal(whole, labels):
            raise ag.ArgumentValueError(
                f"{caller}: the labels have dtype {labels.dtype} and are not whole numbers; "
                f"number the classes from 0 to {shape[-1] - 1}"
            )
        labels = whole
    return labels


class LabelError(ag.ArgumentValueError):
    """A label that is none of the classes, told by its position."""

    position: tuple[int, ...]
    n_samples: int
    tell: Callable[[tuple[int, ...]], str]

    def count_by(self, numbers: Any) -> None:
        """Tell the position in the whole, given which samples of it those of the loss are."""
        if len(numbers) == self.n_samples:
            first, *others = self.position
            self.args = (self.tell((int(numbers[first]), *others)),)


def refuse_outside(labels: Array, n_classes: int, caller: str) -> NoReturn:
    """Name the first label that is not from 0 to ``n_classes - 1``."""
    outside = (labels < 0) | (labels >= n_classes)
    position = tuple(int(i) for i in np.argwhere(outside)[0])
    tell = partial(outside_in_words, caller, int(labels[position]), n_classes)
    error = LabelError(tell(position))
    error.position, error.n_samples, error.tell = position, len(labels), tell
    raise error


def outside_in_words(caller: str, label: int, n_classes: int, position: tuple[int, ...]) -> str:
    where = position[0] if len(position) == 1 else position
    return (
        f"{caller}: the label at position {where} is {label}, but the logits have "
        f"{n_classes} classes; labels go from 0 to {n_classes - 1}"
    )


@partial(ag.Primitive, differentiable=False, name="one_hot")
def labels_to_rows(labels: Any, *, shape: tuple[int, ...], dtype: DTypeLike, caller: str) -> Array:
    """Class labels as rows of zeros with a single one, of this shape; recorded for a Value."""
    labels = whole_labels(labels, shape, caller)
    rows: Array = np.equal(labels[..., np.newaxis], np.arange(shape[-1]))
    if np.count_nonzero(rows) < labels.size:
        refuse_outside(labels, shape[-1], caller)
    return rows.astype(dtype, copy=False)


def one_hot(labels: Any, n_classes: int, dtype: DTypeLike = np.float64) -> Any:
    """A row for each label: 1 in the column of its class, 0 elsewhere.

    Labels of any shape (...), whole numbers from 0 to ``n_classes - 1``, give an
    array of shape (..., n_classes); others raise an `ArgumentValueError`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.one_hot([2, 0], 3)
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    check_counts("one_hot", n_classes=n_classes)
    if np.dtype(dtype).kind not in "biufc":
        raise ag.ArgumentTypeError(
            f"one_hot: dtype is {dtype!r}, which is none of numbers; pass one such as np.float64"
        )
    shape = (*np.shape(as_labels(labels)), n_classes)
    return labels_to_rows(labels, shape=shape, dtype=dtype, caller="one_hot")


@partial(ag.Primitive, differentiable=False, name="signs")
def labels_to_signs(labels: Any, *, dtype: DTypeLike, caller: str) -> Array:
    """Labels 0 and 1 as -1 and 1; those already -1 and 1 as they are; recorded for a Value."""
    labels = host_array(unmasked(labels))
    if not np.isin(labels, (-1, 0, 1)).all() or (np.isin(-1, labels) and np.isin(0, labels)):
        raise ag.ArgumentValueError(
            f"{caller}: the labels hold {np.unique(labels)}; use 0 and 1, or -1 and 1"
        )
    return np.where(labels == 1, 1, -1).astype(dtype)


def predicted_labels(outputs: Any, *, from_logits: bool = True) -> Array:
    """The classes that outputs decide for.

    The largest of several columns; of a single output, or none but samples,
    the side of zero: 1 for a positive logit.  With ``from_logits=False`` a single
    output is a probability, and 1 stands for more than one half.  NaN raises an
    `ArgumentValueError`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.predicted_labels(np.array([[0.1, 0.7, 0.2], [2.0, 0.0, 1.0]]))
    array([1, 0])
    >>> nn.predicted_labels(np.array([[-3.0], [0.5]]))
    array([0, 1])
    """
    check_flags("predicted_labels", from_logits=from_logits)
    numbers = without_nan(outputs, "predicted_labels")
    if numbers.ndim > 1 and not numbers.shape[-1]:
        raise ag.ArgumentValueError(
            f"predicted_labels: the outputs have shape {numbers.shape}, without a column; pass one "
            "for each class, or a single one"
        )
    if has_columns(numbers.shape):
        return np.asarray(np.argmax(numbers, axis=-1))
    side = numbers if numbers.ndim < 2 else numbers[..., 0]
    return np.asarray(side > (0 if from_logits else 0.5), np.int64)


def has_columns(shape: tuple[int, ...]) -> bool:
    """Whether outputs of this shape have a column for each class."""
    return len(shape) >= 2 and shape[-1] > 1


def without_nan(outputs: Any, caller: str) -> Array:
    """Outputs as plain numbers; NaN is neither more nor less than others, so it is refused."""
    numbers = plain(outputs)
    check_real(numbers, caller, "outputs")
    if numbers.dtype.kind == "f" and np.isnan(numbers).any():
        raise ag.ArgumentValueError(
            f"{caller}: {np.count_nonzero(np.isnan(numbers))} of the outputs are NaN, which decide "
            "for no class; look for what made them so"
        )
    return numbers


def check_real(numbers: Array, caller: str, what: str) -> None:
    """Refuse what is no real numbers, of which none is the largest."""
    if numbers.dtype.kind not in "fiub":
        raise ag.ArgumentTypeError(
            f"{caller}: the {what} have dtype {numbers.dtype}; pass real numbers"
        )


def decide(outputs: Any, labels: Any, caller: str, from_logits: bool = True) -> tuple[Array, Array]:
    """Predicted and true classes, one of each for each sample."""
    outputs = without_nan(outputs, caller)
    predicted = predicted_labels(outputs, from_logits=from_logits)
    return predicted, class_numbers(labels, outputs.shape, caller)


def class_numbers(labels: Any, shape: tuple[int, ...], caller: str) -> Array:
    """Class numbers for outputs of a shape, from any kind of labels that losses take.

    Numbers of shape (samples,) or (samples, 1); -1 and 1 for single outputs; rows of
    probabilities, such as one-hot ones, whose largest is meant.
    """
    given = plain(labels)
    columns, samples = has_columns(shape), shape if len(shape) < 2 else shape[:-1]
    if columns and given.shape == shape:
        if given.dtype.kind not in "fiub" or not is_distribution(given):
            raise ag.ArgumentValueError(
                f"{caller}: the labels have shape {given.shape}, and their rows are not "
                "probabilities; give class numbers, or rows that add up to 1"
            )
        return np.asarray(np.argmax(given, axis=-1))
    if given.ndim > len(samples) and given.shape[-1] == 1:
        given = given[..., 0]
    if given.shape != samples:
        raise ag.ArgumentValueError(
            f"{caller}: the labels have shape {given.shape}, but there are predictions of shape "
            f"{samples}; give one label for each sample"
        )
    low = 0 if columns or not np.any(given == -1) else -1
    allowed = np.arange(shape[-1]) if columns else np.array([low, 1])
    if given.dtype.kind not in "fiub" or not np.isin(given, allowed).all():
        meant = f"0 to {shape[-1] - 1}" if columns else "0 and 1, or -1 and 1"
        how = ""
        if given.dtype.kind not in "fiub":
            how = f" in the dtype {given.dtype}"
            meant += ", as np.unique(labels, return_inverse=True)[1] does"
        raise ag.ArgumentValueError(
            f"{caller}: the labels hold {words(given)}{how}; number the classes {meant}"
        )
    return given.astype(np.int64) if columns else np.asarray(given == 1, np.int64)


def words(labels: Array) -> str:
    """Which labels there are, but for those of many."""
    if labels.dtype == object:  # whose elements may have no order
        found = [*dict.fromkeys(labels.ravel().tolist())]
    else:
        found = np.unique(labels).tolist()
    few = ", ".join(map(str, found[:5]))
    return few if len(found) <= 5 else f"{few} and {len(found) - 5} others"


def is_distribution(rows: Array) -> bool:
    """Whether the rows are probabilities, as far as their dtype can hold some."""
    digits = 4 * float(np.finfo(rows.dtype).eps) if rows.dtype.kind == "f" else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        sums = np.sum(rows, axis=-1, dtype=np.float64)
        return bool(np.all(rows >= 0) and np.allclose(sums, 1, rtol=0, atol=max(1e-5, digits)))
