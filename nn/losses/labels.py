"""How class labels and a model's outputs correspond."""

from __future__ import annotations

from functools import partial
from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag

__all__ = ["decide", "labels_to_rows", "labels_to_signs", "one_hot", "plain", "predicted_labels"]

Array = np.ndarray[Any, Any]


def plain(x: Any) -> Array:
    """The numbers of a Value, array or list, as an array."""
    return np.asarray(x.data if isinstance(x, ag.Value) else x)


def whole_labels(given: Any, shape: tuple[int, ...], caller: str) -> Array:
    """Class labels as integers, one for each row of logits of ``shape`` (..., classes)."""
    labels = np.asarray(given)
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


def refuse_outside(labels: Array, n_classes: int, caller: str) -> NoReturn:
    """Name the first label that is not from 0 to ``n_classes - 1``."""
    outside = (labels < 0) | (labels >= n_classes)
    position = tuple(int(i) for i in np.argwhere(outside)[0])
    where = position[0] if len(position) == 1 else position
    raise ag.ArgumentValueError(
        f"{caller}: the label at position {where} is {labels[position]}, but the logits have "
        f"{n_classes} classes; labels go from 0 to {n_classes - 1}"
    )


@partial(ag.Primitive, differentiable=False, name="one_hot")
def labels_to_rows(labels: Any, *, shape: tuple[int, ...], dtype: DTypeLike, caller: str) -> Array:
    """Class labels as rows of zeros with a single one, of this shape; recorded for a Value."""
    labels = whole_labels(labels, shape, caller)
    rows: Array = np.equal(labels[..., np.newaxis], np.arange(shape[-1]))
    if np.count_nonzero(rows) < labels.size:
        refuse_outside(labels, shape[-1], caller)
    return rows.astype(dtype)


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
    shape = (*np.shape(labels), n_classes)
    return labels_to_rows(labels, shape=shape, dtype=dtype, caller="one_hot")


@partial(ag.Primitive, differentiable=False, name="signs")
def labels_to_signs(labels: Any, *, dtype: DTypeLike, caller: str) -> Array:
    """Labels 0 and 1 as -1 and 1; those already -1 and 1 as they are; recorded for a Value."""
    labels = np.asarray(labels)
    if not np.isin(labels, (-1, 0, 1)).all() or (np.isin(-1, labels) and np.isin(0, labels)):
        raise ag.ArgumentValueError(
            f"{caller}: the labels hold {np.unique(labels)}; use 0 and 1, or -1 and 1"
        )
    return np.where(labels == 1, 1, -1).astype(dtype)


def predicted_labels(outputs: Any) -> Array:
    """The classes that outputs decide for.

    The largest of several columns; of a single output, or none but samples,
    the side of zero: 1 for a positive logit.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.predicted_labels(np.array([[0.1, 0.7, 0.2], [2.0, 0.0, 1.0]]))
    array([1, 0])
    >>> nn.predicted_labels(np.array([[-3.0], [0.5]]))
    array([0, 1])
    """
    numbers = plain(outputs)
    if numbers.ndim >= 2 and numbers.shape[-1] > 1:
        return np.asarray(np.argmax(numbers, axis=-1))
    side = numbers if numbers.ndim < 2 else numbers[..., 0]
    return np.asarray(side > 0, np.int64)


def decide(outputs: Any, labels: Any, caller: str) -> tuple[Array, Array]:
    """Predicted and true classes, one of each for each sample."""
    predicted, true = predicted_labels(outputs), plain(labels)
    if true.ndim > predicted.ndim and true.shape[-1] == 1:
        true = true[..., 0]
    if true.shape != predicted.shape:
        raise ag.ArgumentValueError(
            f"{caller}: the labels have shape {true.shape}, but there are predictions of shape "
            f"{predicted.shape}; give one label for each sample"
        )
    return predicted, true
