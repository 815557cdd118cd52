"""Arrays of other libraries that speak NumPy's protocols: Dask's, CuPy's, and any like them.

A `Value` may hold any of them; rules are NumPy functions, and NumPy hands each
call over to the library.  What is kept here is the promise that goes with it:
a function that the library lacks is refused by name, before anything runs, and
nothing falls back to plain arrays behind the caller's back.

Plain NumPy never comes here: `duck_types` is empty until the first such array
becomes a Value.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import ModuleType
from typing import Any

from autograd_lite.core.errors import ArgumentValueError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.tree import tuple_like

__all__ = [
    "array_of",
    "as_array_of",
    "before_moving",
    "check_entries",
    "computed_by_library",
    "duck_types",
    "is_device_array",
    "is_duck_array",
    "library_of",
    "moved",
    "on_entry",
    "package_of",
    "raising",
    "settled",
    "stand_ins",
]

duck_types: set[type] = set()
"""Types of such arrays that Values have held; looked for in `primitive.apply`."""

NOT_THERE = (TypeError, NotImplementedError, AttributeError, AssertionError, IndexError)
"""What libraries raise for functions, keywords and kinds of arrays that they do not know."""


def is_duck_array(x: Any) -> bool:
    """Whether ``x`` is another library's array, of a kind that NumPy's functions work on."""
    kind = type(x)
    if kind is np.ndarray or kind is float:
        return False
    if kind in duck_types:
        return True
    if issubclass(kind, (np.ndarray, np.generic)) or not (
        hasattr(kind, "__array_ufunc__") and hasattr(kind, "__array_function__")
    ):
        return False
    if not hasattr(x, "chunks" if library_of(x) == "dask" else "strides"):
        return False  # a table, or a Value
    duck_types.add(kind)
    return True


def is_device_array(x: Any) -> bool:
    """Whether ``x`` is a duck array that is computed at once, such as CuPy's; Dask's are lazy."""
    return is_duck_array(x) and library_of(x) != "dask"


def library_of(x: Any) -> str:
    return type(x).__module__.partition(".")[0]


def package_of(x: Any) -> ModuleType:
    """The package whose functions work on the arrays of which ``x`` is one."""
    return sys.modules[library_of(x)]


def array_of(x: Any, dtype: Any = None) -> Any:
    """``np.asarray`` that leaves duck arrays where they are."""
    if not is_duck_array(x):
        return np.asarray(x, dtype)
    return x if dtype is None else x.astype(dtype)


def as_array_of(duck: Any, x: Any) -> Any:
    """Numbers as an array of the library and dtype of ``duck``."""
    return x.astype(duck.dtype) if is_duck_array(x) else np.asarray(x, duck.dtype, like=duck)


def settled(array: Any, what: str) -> Any:
    """An array in chunks none of which is empty, which functions of Dask stumble over; or in one.

    One that does not know its own shape is refused: a gradient could not have it either.
    """
    if any(map(math.isnan, array.shape)):
        raise ArgumentValueError(
            f"{what} has the shape {array.shape}, whose unknown lengths depend on numbers not "
            "computed yet; call .compute_chunk_sizes() on the array first, or write "
            "np.where(mask, x, 0) instead of x[mask]"
        )
    chunks = getattr(array, "chunks", ())
    if not any(0 in along for along in chunks) or all(len(along) == 1 for along in chunks):
        return array
    if not array.size:
        return array.rechunk(-1)
    return array.rechunk(tuple(tuple(filter(None, along)) for along in chunks))


def computed_by_library(
    function: Callable[..., Any], operands: list[Any], name: str | None = None
) -> Callable[..., Any]:
    """A function, watched over where one of its operands is a duck array."""
    for x in operands:
        if x.__class__ in duck_types:
            return partial(watched, function, name or function.__name__, x)
    return function


def watched(
    function: Callable[..., Any], name: str, duck: Any, /, *operands: Any, **parameters: Any
) -> Any:
    """Call a function; name it where the library of its operands cannot."""
    library = library_of(duck)
    check_entries(operands)
    forward = stand_ins.get((library, name), function)
    if library != "dask":
        if name in before_moving:
            before_moving[name](*operands)
        operands = tuple(moved(x, duck) for x in operands)
    elif missing_in_dask(name, forward):
        raise refusal(name, library, "it has no such function")
    try:
        with raising(library):
            try:
                result = forward(*operands, **parameters)
            except TypeError:
                # Perhaps for a NumPy array among its own, of which rules make small constants.
                result = forward(
                    *[moved(x, duck) for x in operands],
                    **{name: moved(x, duck) for name, x in parameters.items()},
                )
    except (UnsupportedError, np.linalg.LinAlgError):
        raise
    except NOT_THERE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise refusal(name, library, reason) from error
    except ValueError as error:
        raise ArgumentValueError(f"{name} of an array of {library}: {error}") from error
    what = f"the result of {name}"
    if not isinstance(result, tuple):
        return settled(result, what) if result.__class__ in duck_types else result
    parts = [settled(x, what) if x.__class__ in duck_types else x for x in result]
    return tuple_like(result, parts)


def raising(library: str) -> AbstractContextManager[Any]:
    """A block in which a matrix without an inverse is an error, as in NumPy.

    CuPy gives numbers for it all the same, unless ``cupyx.errstate`` says otherwise.
    """
    settings = sys.modules.get(f"{library}x")
    return nullcontext() if settings is None else settings.errstate(linalg="raise")


def check_entries(arrays: Iterable[Any]) -> None:
    """Look into duck arrays that come from functions of their library."""
    for x in arrays:
        if x.__class__ in duck_types and (check := on_entry.get(library_of(x))) is not None:
            check(x)


def moved(x: Any, duck: Any) -> Any:
    """A NumPy array or list as an array of the library of ``duck``; all else as it is."""
    return np.asarray(x, like=duck) if isinstance(x, (np.ndarray, np.generic, list)) else x


def refusal(name: str, library: str, reason: str) -> UnsupportedError:
    return UnsupportedError(
        f"{name}: {library} cannot compute this on its arrays ({reason}); write it with "
        f"functions that {library} has, or turn the argument into a NumPy array first"
    )


before_moving: dict[str, Callable[..., None]] = {}
"""By name of a primitive: what looks at its arguments while some are still on the host."""

on_entry: dict[str, Callable[[Any], None]] = {}
"""What looks into arrays of a library before they are computed with; ``ops/dask_tasks.py``."""

# What libraries say differently from NumPy.  By library and name of a primitive: a forward
# function that says the same on their arrays.

stand_ins: dict[tuple[str, str], Callable[..., Any]] = {}
"""Filled by ``ops/dask_arrays.py``."""

FUNCTIONS_BEHIND: dict[str, Any] = {"interp": np.interp, "multi_dot": np.linalg.multi_dot}
"""What NumPy function a primitive calls whose forward function is one of our own."""


def missing_in_dask(name: str, forward: Callable[..., Any]) -> bool:
    """Whether Dask lacks the function, in which case it would compute and call NumPy's."""
    import dask.array

    function = FUNCTIONS_BEHIND.get(name, forward)
    module = getattr(function, "__module__", None) or ""
    if module.partition(".")[0] != "numpy" or isinstance(function, np.ufunc):
        return False
    place: Any = dask.array
    for part in module.split(".")[1:]:
        place = getattr(place, part, None)
    own = getattr(place, function.__name__, None)
    return own is None or own is function
