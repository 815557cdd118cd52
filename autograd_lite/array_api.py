"""The Python array API standard, version 2024.12, whose functions take and return Values.

It is what ``x.__array_namespace__()`` answers, so that libraries which compute by the standard
run on Values: array-api-compat, SciPy with ``SCIPY_ARRAY_API=1`` set before it is imported,
scikit-learn with ``array_api_dispatch=True``, xarray.

The functions are NumPy's own, which find the rule of a Value themselves; what makes an array out
of none makes a Value of no gradient.  Source: https://data-apis.org/array-api/2024.12/.

>>> import autograd_lite as ag
>>> def spread(x):
...     xp = x.__array_namespace__()
...     return xp.sum((x - xp.mean(x)) ** 2)
>>> ag.grad(spread)(ag.array([1.0, 2.0, 6.0]))
array([-4., -2.,  6.])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.in_place import buffer
from autograd_lite.core.memory import copied
from autograd_lite.core.node import Handle
from autograd_lite.core.primitive import registry

__array_api_version__ = "2024.12"

AS_IN_NUMPY = """
    e inf nan newaxis pi bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32
    float64 complex64 complex128 __array_namespace_info__ can_cast isdtype result_type abs
    acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift
    bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal
    exp expm1 floor floor_divide greater greater_equal hypot imag isfinite isinf isnan less
    less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor
    maximum minimum multiply negative nextafter not_equal positive pow real reciprocal
    remainder round sign signbit sin sinh sqrt square subtract tan tanh trunc empty_like
    full_like meshgrid ones_like tril triu zeros_like astype broadcast_arrays broadcast_shapes
    broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze
    stack tile unstack take take_along_axis argmax argmin count_nonzero nonzero searchsorted
    where unique_all unique_counts unique_inverse cumulative_prod cumulative_sum max mean min
    prod std sum var all any linalg matmul matrix_transpose tensordot vecdot
"""
"""What NumPy's namespace has as the standard wants it."""

BY_NUMPY = AS_IN_NUMPY.split()

OF_VALUES = {"zeros": np.zeros, "ones": np.ones, "empty": np.empty, "eye": np.eye,
             "arange": np.arange, "full": np.full}  # fmt: skip
"""What makes an array out of numbers: with a Value as ``like``, a Value."""

__all__ = [
    "argsort", "asarray", "diff", "fft", "finfo", "from_dlpack", "iinfo", "linspace", "sort",
    "unique_values",
]  # fmt: skip

globals().update({name: getattr(np, name) for name in BY_NUMPY if hasattr(np, name)})
globals().update({name: registry[function] for name, function in OF_VALUES.items()})


def as_value(x: Any) -> Any:
    """A Value, of no gradient if it was none."""
    return x if isinstance(x, Handle) else buffer(np.asarray(x))


def linspace(
    start: Any, stop: Any, /, num: int, *,
    dtype: Any = None, device: Any = None, endpoint: bool = True,
) -> Any:  # fmt: skip
    """Numbers at equal distances, as a Value; gradients by both ends.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.linspace(0.0, 1.0, 3)
    Value([0. , 0.5, 1. ])
    """
    return as_value(np.linspace(start, stop, num, endpoint, dtype=dtype, device=device))


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """A Value of numbers, arrays and nested lists of them; a Value stays what it is.

    Parameters
    ----------
    obj
        A number, an array, a Value, or nested lists of these.
    dtype
        That of the result, if it shall be another one.
    device
        "cpu" or None.
    copy
        True copies a Value too, False refuses to copy.

    Returns
    -------
    Value
        With the gradients of the Values in it.

    Raises
    ------
    ArgumentValueError
        With ``copy=False`` for what is not a Value, or is one of another dtype: Values hold copies.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.asarray([1, 2, 3])
    Value([1, 2, 3], dtype=int64)
    """
    np.asarray(0, device=device)  # NumPy knows which there are
    is_there = isinstance(obj, Handle) and (dtype is None or np.dtype(dtype) == obj.node.dtype)
    if copy is False and not is_there:
        raise ArgumentValueError(
            "asarray: copy=False for what is not a Value of that dtype; Values hold copies, so "
            "that nobody writes into what was computed with: leave copy out"
        )
    if is_there:
        return registry[np.array](obj) if copy else obj
    made = registry["array"](obj, dtype)
    return made if isinstance(made, Handle) else buffer(copied(np.asarray(made)))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """A Value of the numbers of an array of another library, as ``np.from_dlpack`` reads them.

    Raises
    ------
    ArgumentTypeError
        Of a Value that requires a gradient, which would be lost.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.array_api.from_dlpack(np.arange(3.0))
    Value([0., 1., 2.])
    """
    return buffer(copied(np.from_dlpack(x, device=device, copy=copy)))


def finfo(type: Any, /) -> Any:
    """The limits of a float type, or of that of an array.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> float(ag.array_api.finfo(ag.Value([1.0])).eps)
    2.220446049250313e-16
    """
    return np.finfo(np.result_type(type))


def iinfo(type: Any, /) -> Any:
    """The limits of an integer type, or of that of an array.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.iinfo(ag.array_api.int8).max
    127
    """
    return np.iinfo(np.result_type(type))


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Where the elements of a sorted array lie.

    Parameters
    ----------
    x
        A real array.
    axis
        The one to sort along.
    descending
        Whether the largest comes first; equal ones stay in their order.
    stable
        Whether equal ones stay in their order.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.argsort(ag.Value([1.0, 3.0, 1.0]), descending=True)
    Value([1, 0, 2], dtype=int64)
    """
    if not descending:
        return np.argsort(x, axis=axis, stable=stable)
    backwards = np.flip(np.argsort(np.flip(x, axis=axis), axis=axis, stable=True), axis=axis)
    return np.shape(x)[axis] - 1 - backwards


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The elements of an array in order, with gradients; arguments as for `argsort`.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.sort(ag.Value([1.0, 3.0, 2.0]), descending=True)
    Value([3., 2., 1.])
    """
    ascending = np.sort(x, axis=axis, stable=stable)
    return np.flip(ascending, axis=axis) if descending else ascending


def unique_values(x: Any, /) -> Any:
    """The different elements of an array, in order; NaNs are different from each other.

    In order, as those who compute by the standard take for granted: NumPy's function of that
    name gives them as they come.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.unique_values(ag.Value([3.0, 1.0, 3.0]))
    Value([1., 3.])
    """
    return np.unique(x, equal_nan=False)


def diff(x: Any, /, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours along an axis, ``n`` times, after joining what is given.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.array_api.diff(ag.Value([1.0, 4.0, 9.0]))
    Value([3., 5.])
    """
    joined = {"prepend": prepend, "append": append}
    return np.diff(x, n=n, axis=axis, **{k: y for k, y in joined.items() if y is not None})


def frequencies(function: Callable[..., Any]) -> Callable[..., Any]:
    """``fftfreq`` or ``rfftfreq``, as a Value, in the dtype that is asked for."""

    @wraps(function)
    def call(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
        return as_value(np.asarray(function(n, d=d, device=device), dtype=dtype))

    return call


fft = SimpleNamespace(
    **{
        name: getattr(np.fft, name)
        for name in (
            *("fft", "ifft", "fftn", "ifftn", "rfft", "irfft", "rfftn", "irfftn"),
            *("hfft", "ihfft", "fftshift", "ifftshift"),
        )
        if hasattr(np.fft, name)
    },
    fftfreq=frequencies(np.fft.fftfreq),
    rfftfreq=frequencies(np.fft.rfftfreq),
)
"""The extension of the standard for Fourier transforms; that of linear algebra is ``np.linalg``."""


def __dir__() -> list[str]:
    return sorted([*__all__, *BY_NUMPY, *OF_VALUES, "__array_api_version__"])


def __getattr__(name: str) -> Any:
    """``special``, by which SciPy's special functions know their own rules, if SciPy is there."""
    if name == "special" and find_spec("scipy"):
        return import_module("autograd_lite.scipy.special")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
