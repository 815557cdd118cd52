"""The attributes and methods that `Value` shares with arrays, each the NumPy function it names."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.core.node import Handle
from autograd_lite.core.primitive import registry

__all__ = ["ArrayMethods"]


def call(function: Any, value: Handle, *args: Any, **kwargs: Any) -> Any:
    """What the registry has for a function; NumPy would come back with the same question."""
    return registry[function](value, *args, **kwargs)


class ArrayMethods(Handle):
    """What a `Value` has in common with an array, besides operators and indexing."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the data; ``()`` for a Python number."""
        return getattr(self.node.data, "shape", ())

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.node.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the data; that of the type for a Python number."""
        return self.node.dtype

    @property
    def T(self) -> Any:
        """The transpose: all axes reversed."""
        return call(np.transpose, self)

    @property
    def mT(self) -> Any:
        """The matrix transpose: the last two axes swapped."""
        return call(np.swapaxes, self, -1, -2)

    @property
    def real(self) -> Any:
        """The real part."""
        return call(np.real, self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return call(np.imag, self)

    def item(self) -> Any:
        """The single number held, as a plain Python number.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> Value([4.0]).item()
        4.0
        """
        data = self.node.data
        if data.__class__ in (float, complex):
            return data
        return data.item() if hasattr(data, "item") else np.asarray(data).item()

    def tolist(self) -> Any:
        """The data as nested lists of plain Python numbers."""
        return np.asarray(self.node.data).tolist() if self.ndim else self.item()

    # Methods that NumPy's arrays have; each is the NumPy function of its name.

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.sum`` of this Value."""
        return call(np.sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.mean`` of this Value."""
        return call(np.mean, self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.prod`` of this Value."""
        return call(np.prod, self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.max`` of this Value; ties share the gradient equally."""
        return call(np.max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """``np.min`` of this Value; ties share the gradient equally."""
        return call(np.min, self, axis=axis, keepdims=keepdims)

    def var(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """``np.var`` of this Value."""
        return call(np.var, self, axis=axis, ddof=ddof, keepdims=keepdims)

    def std(self, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """``np.std`` of this Value."""
        return call(np.std, self, axis=axis, ddof=ddof, keepdims=keepdims)

    def cumsum(self, axis: Any = None) -> Any:
        """``np.cumsum`` of this Value."""
        return call(np.cumsum, self, axis=axis)

    def argmax(self, axis: Any = None) -> Any:
        """``np.argmax`` of this Value; carries no gradient."""
        return call(np.argmax, self, axis=axis)

    def argmin(self, axis: Any = None) -> Any:
        """``np.argmin`` of this Value; carries no gradient."""
        return call(np.argmin, self, axis=axis)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        """``np.clip`` of this Value."""
        return call(np.clip, self, min, max)

    def dot(self, other: Any) -> Any:
        """``np.dot`` of this Value and another."""
        return call(np.dot, self, other)

    def reshape(self, *shape: Any) -> Any:
        """``np.reshape`` of this Value; the shape as one tuple or as several integers."""
        return call(np.reshape, self, shape[0] if len(shape) == 1 else shape)

    def ravel(self) -> Any:
        """``np.ravel`` of this Value."""
        return call(np.ravel, self)

    flatten = ravel

    def squeeze(self, axis: Any = None) -> Any:
        """``np.squeeze`` of this Value."""
        return call(np.squeeze, self, axis=axis)

    def transpose(self, *axes: Any) -> Any:
        """``np.transpose`` of this Value; the axes as one tuple or as several integers."""
        return call(np.transpose, self, (axes[0] if len(axes) == 1 else axes) or None)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """``np.swapaxes`` of this Value."""
        return call(np.swapaxes, self, axis1, axis2)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        """``np.repeat`` of this Value."""
        return call(np.repeat, self, repeats, axis=axis)

    def astype(self, dtype: Any) -> Any:
        """``np.astype`` of this Value; the gradient goes back in the dtype it came from."""
        return call(np.astype, self, dtype)

    def conj(self) -> Any:
        """``np.conjugate`` of this Value."""
        return call(np.conjugate, self)

    def relu(self) -> Any:
        """The positive part; its derivative at 0 is 0.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> Value([-1.0, 2.0]).relu()
        Value([0., 2.])
        """
        return call("relu", self)

    def tanh(self) -> Any:
        """``np.tanh`` of this Value."""
        return call(np.tanh, self)

    def exp(self) -> Any:
        """``np.exp`` of this Value."""
        return call(np.exp, self)

    def log(self) -> Any:
        """``np.log`` of this Value."""
        return call(np.log, self)
