"""Parameter: an array that belongs to a model and is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd_lite as ag
from nn.checks import unmasked

__all__ = ["Parameter", "in_dtype"]


class Parameter(ag.Value):
    """A Value that belongs to a model and is changed by training.

    Optimizers write its ``data`` in place, so it holds a copy of the numbers that it
    is given; anything else raises an `ArgumentTypeError`.  What is assigned to ``data`` later
    must have the same shape, or an `ArgumentValueError` is raised; whole numbers become floats.
    Set ``requires_grad = False`` to freeze it.  ``label`` names it in drawings and error
    messages.

    Examples
    --------
    >>> import nn
    >>> nn.Parameter([1.0, 2.0])
    Parameter([1., 2.])
    """

    __slots__ = ()

    def __init__(self, data: Any, *, requires_grad: bool = True, label: str | None = None) -> None:
        super().__init__(data, requires_grad=requires_grad, label=label)
        if isinstance(self.data, np.ndarray):
            ag.Value.data.__set__(self, aligned(self.data))  # type: ignore[attr-defined]

    def _assign(self, data: Any) -> None:
        ag.Value.data.__set__(self, fitting(self, data))  # type: ignore[attr-defined]

    data = ag.Value.data.setter(_assign)  # type: ignore[attr-defined]

    # Told apart as objects are, those of a single number too: it changes while it is a key.
    __hash__ = object.__hash__


CACHE_LINE = 64


def aligned(array: Any) -> Any:
    """A copy that starts on a cache line, as other arrays do by chance only.

    Where it does not, a product with small batches takes up to a third longer: what one
    core has written, another then fetches twice.
    """
    memory = np.empty(array.nbytes + CACHE_LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % CACHE_LINE
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def fitting(parameter: Parameter, data: Any) -> Any:
    """Numbers that take the place of a parameter's: floats of the same shape, where they lie."""
    if isinstance(data, float) and not parameter.shape:
        return data
    array = unmasked(data) if hasattr(data, "dtype") else np.asarray(data)
    if array.dtype.kind not in "iufc":
        raise ag.ArgumentTypeError(
            f"the parameter {parameter.label!r} was given {type(data).__name__} of dtype "
            f"{array.dtype}; assign numbers"
        )
    if array.shape != parameter.shape:
        raise ag.ArgumentValueError(
            f"the parameter {parameter.label!r} has shape {parameter.shape}, and was given data of "
            f"shape {array.shape}; make another one, such as layer.weight = nn.Parameter(data)"
        )
    # An update of whole numbers would be rounded off.
    return array.astype(parameter.dtype) if array.dtype.kind in "iu" else array


def in_dtype(array: Any, dtype: DTypeLike, what: str) -> Any:
    """An array in a float dtype, where it lies; refused if a finite number would be infinite."""
    with np.errstate(over="ignore"):
        converted = array.astype(dtype, copy=False)
    if converted is not array and array.dtype.kind in "iuf":
        lost = np.logical_and(np.isinf(converted), np.isfinite(array))
        if np.any(lost):
            raise ag.ArgumentValueError(
                f"{what} holds {np.asarray(array)[np.asarray(lost)][0]:g}, which is infinite in "
                f"{np.dtype(dtype)}; take a wider dtype, or bound the numbers with np.clip"
            )
    return converted
