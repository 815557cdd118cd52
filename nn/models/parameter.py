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
    is given; anything else raises an `ArgumentTypeError`.  What is assigned to ``data`` or
    ``grad`` later must have the same shape, or an `ArgumentValueError` is raised; whole numbers
    become floats.  ``data`` is copied again, and refused where it is that of another parameter:
    layers are tied by one Parameter in both, ``decoder.weight = encoder.weight``.
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
        if data is self.data:  # that it was written into
            return
        if is_of_parameter(data):
            raise ag.ArgumentValueError(
                f"the parameter {self.label!r} was given the numbers of a parameter, which it "
                "would not share; write layer.weight = other.weight to tie two layers, or assign "
                "other.weight.data.copy()"
            )
        ag.Value.data.__set__(self, fitting(self, data, "data"))  # type: ignore[attr-defined]

    data = ag.Value.data.setter(_assign)  # type: ignore[attr-defined]

    def _assign_gradient(self, gradient: Any) -> None:
        if gradient is not None and not is_like(self, gradient):
            gradient = fitting(self, gradient, "a gradient")
        ag.Value.grad.__set__(self, gradient)  # type: ignore[attr-defined]

    grad = ag.Value.grad.setter(_assign_gradient)  # type: ignore[attr-defined]

    # Told apart as objects are, those of a single number too: it changes while it is a key.
    __hash__ = object.__hash__


CACHE_LINE = 64


class Memory(np.ndarray[Any, Any]):
    """Where the numbers of a parameter lie; its class tells, in every view of them."""


def is_of_parameter(array: Any) -> bool:
    """Whether an array is that of a parameter, or a view of it."""
    while isinstance(array, np.ndarray):
        if isinstance(array, Memory):
            return True
        array = array.base
    return False


def aligned(array: Any) -> Any:
    """A copy in this machine's byte order that starts on a cache line, as others do by chance.

    Where it does not, a product with small batches takes up to a third longer: what one
    core has written, another then fetches twice.
    """
    memory = Memory(array.nbytes + CACHE_LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % CACHE_LINE
    # One that is native stays the same object, by which the engine knows arrays that are alike.
    dtype = array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")
    own = memory[start : start + array.nbytes].view(dtype).reshape(array.shape)
    copy = own.view(np.ndarray)
    copy[...] = array
    return copy


def is_like(parameter: Parameter, array: Any) -> bool:
    """Whether an array has the shape and dtype of a parameter."""
    return (
        type(array) is np.ndarray
        and array.shape == parameter.shape
        and array.dtype == parameter.dtype
    )


def fitting(parameter: Parameter, given: Any, what: str) -> Any:
    """A copy of numbers that a parameter is given later, which must be such as it is made of."""
    if isinstance(given, float) and not parameter.shape:
        return given
    numbers = Parameter(unmasked(given)).data
    if np.shape(numbers) != parameter.shape:
        instead = "make another one, such as layer.weight = nn.Parameter(data)"
        raise ag.ArgumentValueError(
            f"the parameter {parameter.label!r} has shape {parameter.shape}, and was given {what} "
            f"of shape {np.shape(numbers)}; "
            f"{instead if what == 'data' else 'assign one of the same shape'}"
        )
    if np.iscomplexobj(numbers) and parameter.dtype.kind != "c":
        raise ag.ArgumentTypeError(
            f"the parameter {parameter.label!r} is real, and was given {what} of complex numbers; "
            "assign their .real, or keep real and imaginary part as two parameters"
        )
    if isinstance(parameter.data, float):
        return float(numbers)
    has_own_dtype = getattr(getattr(given, "dtype", None), "kind", "none") in "fc"
    # An update of whole numbers would be rounded off.
    return numbers if has_own_dtype else np.asarray(numbers).astype(parameter.dtype)


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
