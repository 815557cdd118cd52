"""Checks of the numbers that people pass, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, time, timedelta
from math import inf
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite import ArgumentTypeError

__all__ = [
    "FINITE",
    "FRACTION",
    "NOT_NEGATIVE",
    "POSITIVE",
    "Range",
    "as_array",
    "as_floats",
    "as_reals",
    "beside",
    "check_counts",
    "check_dtype",
    "check_flags",
    "check_folder",
    "check_number",
    "check_range",
    "check_size",
    "generator_of",
    "host_array",
    "in_numpys_dtype",
    "is_elsewhere",
    "kinds_in",
    "refuse_times",
    "unmasked",
]

Range = tuple[str, Callable[[float], bool]]
"""What a number must be, in words and as a test."""

FINITE: Range = ("a finite number", lambda number: -inf < number < inf)
POSITIVE: Range = ("a positive number", lambda number: 0 < number < inf)
NOT_NEGATIVE: Range = ("a number that is not negative", lambda number: 0 <= number < inf)
FRACTION: Range = ("in [0, 1)", lambda number: 0 <= number < 1)

TIMES = (date, time, timedelta, np.datetime64, np.timedelta64)
NO_REALS = (str, bytes, complex, np.complexfloating, *TIMES)


def check_range(owner: str, allowed: Range, **numbers: float) -> None:
    """Refuse numbers that are out of their range."""
    meaning, holds = allowed
    for name, number in numbers.items():
        try:
            is_allowed = is_number(number) and bool(holds(number))
        except (TypeError, ValueError):  # it is no number at all, or several
            is_allowed = False
        if not is_allowed:
            raise ag.ArgumentValueError(f"{owner}: {name} is {number!r}; it must be {meaning}")


def is_number(x: Any) -> bool:
    """Whether something may be a number: truth values and arrays with axes are none."""
    return not isinstance(x, bool | np.bool_) and not (isinstance(x, np.ndarray) and x.ndim)


def check_number(owner: str, **numbers: Any) -> None:
    """Refuse what is neither a number nor a truth value."""
    for name, given in numbers.items():
        try:
            float(given)
            is_allowed = isinstance(given, bool | np.bool_) or is_number(given)
        except (TypeError, ValueError):
            is_allowed = False
        if not is_allowed or isinstance(given, str):
            raise ag.ArgumentTypeError(f"{owner}: {name} is {given!r}; it must be a number")


def check_flags(owner: str, **flags: Any) -> None:
    """Refuse what is neither True nor False, such as the text "no", which counts as true."""
    for name, given in flags.items():
        if not isinstance(given, bool | np.bool_):
            raise ag.ArgumentTypeError(f"{owner}: {name} is {given!r}; pass True or False")


def as_reals(owner: str, x: Any, dtype: Any) -> Any:
    """An array of a dtype, where it lies; refused if something in it is masked or no real.

    A conversion would take days for their number, texts for what they spell, and lose a part
    of complex numbers.
    """
    x = unmasked(in_numpys_dtype(x))
    refuse_sparse(owner, x)
    is_plain = getattr(getattr(x, "dtype", None), "kind", "O") in "fiub"
    try:
        array = np.asarray(
            x, dtype if is_plain else None, like=x if hasattr(x, "__array_function__") else None
        )
        for kind in () if is_plain else kinds_in(x, array):
            if issubclass(kind, NO_REALS):
                raise ag.ArgumentTypeError(
                    f"{owner} holds {kind.__name__}, which is not a real number; leave it out, or "
                    "make a number of it"
                )
        return array.astype(dtype, copy=False)
    except ag.AutogradError:
        raise
    except Exception as error:  # also of tensors elsewhere; frames have errors of their own
        raise ag.ArgumentTypeError(
            f"{owner} is {type(x).__name__}, which makes no array of {dtype} ({error}); pass "
            "numbers"
        ) from None


def as_floats(x: Any, *, also_complex: bool = False) -> Any:
    """Whole numbers, which wrap around in their own dtype, as float64; floats as they are.

    Complex ones are refused, unless they are told to pass: none is larger than another.
    """
    # In words that programs look through: activations are taken apart.
    try:
        kind = np.result_type(x).kind
    except TypeError:  # a list
        x = np.asarray(x)
        kind = x.dtype.kind
    if kind == "c" and not also_complex:
        raise ArgumentTypeError(
            "activations and layers are those of real numbers, and complex ones were given; apply "
            "them to x.real and x.imag, or to np.abs(x)"
        )
    return x * 1.0 if kind in "iub" else x


def check_dtype(owner: str, dtype: Any) -> np.dtype[Any]:
    """The dtype of parameters, refused if draws would be rounded in it."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind != "f":
        raise ag.ArgumentTypeError(
            f"{owner}: dtype is {dtype!r}, and parameters are floats; pass np.float64 or np.float32"
        )
    return found


def check_folder(owner: str, path: Any) -> None:
    """Refuse a path in a folder that there is not, before what is to be written is computed."""
    folder = ag.files.as_path(path).absolute().parent
    if not folder.is_dir():
        raise ag.ArgumentValueError(
            f"{owner}: there is no folder {str(folder)!r}; make it before, with "
            "pathlib.Path(folder).mkdir(parents=True)"
        )


def kinds_in(data: Any, array: Any) -> Iterator[type]:
    """The types of what is in data that became an array: of frames those of each column."""
    names = () if array.dtype == object else getattr(data, "columns", ())
    columns = (np.asarray(data[name]) for name in names if isinstance(name, str))
    for part in (array, *columns):
        yield part.dtype.type
        if part.dtype == object and isinstance(part, np.ndarray):
            yield from dict.fromkeys(map(type, part.ravel().tolist()))


def refuse_times(kinds: Iterable[type]) -> None:
    """Refuse what frames would make days or nanoseconds of."""
    for kind in kinds:
        if issubclass(kind, TIMES):
            raise ag.ArgumentTypeError(
                f"the data hold {kind.__name__}, which is not a number; leave that column out, or "
                "make numbers of it, such as (t - t.min()).dt.total_seconds()"
            )


def unmasked(x: Any) -> Any:
    """The same without a mask, refused if it is a masked array of which something is masked."""
    if isinstance(getattr(x, "_meta", None), np.ma.MaskedArray):  # Dask's: np.asarray drops masks
        x = x.compute()
    if not isinstance(x, np.ma.MaskedArray):
        return x
    n_masked = int(np.sum(np.ma.getmaskarray(x)))
    if n_masked:
        raise ag.ArgumentTypeError(
            f"{n_masked} numbers of a masked array of shape {x.shape} are masked, and what is "
            "masked would be used; give x.filled(number), or leave these samples out"
        )
    return x.data


def as_array(what: str, given: Any) -> Any:
    """An array of what was given, refused by name if it makes none: a tensor elsewhere, say."""
    given = unmasked(in_numpys_dtype(given))
    refuse_sparse(what, given)
    try:
        return host_array(given)
    except ag.AutogradError:
        raise
    except Exception as error:  # libraries have errors of their own
        raise ag.ArgumentTypeError(
            f"{what} is {type(given).__name__}, which makes no array ({error}); pass an array of "
            "numbers"
        ) from None


def refuse_sparse(what: str, given: Any) -> None:
    """Refuse sparse arrays, of which NumPy makes one of a single object."""
    if hasattr(given, "toarray"):
        raise ag.ArgumentTypeError(
            f"{what} is {type(given).__name__}, which is sparse; pass its .toarray()"
        )


def in_numpys_dtype(given: Any) -> Any:
    """A tensor of PyTorch whose dtype NumPy lacks, such as bfloat16, in float32; others as are."""
    if isinstance(given, np.ndarray) or not hasattr(given, "float"):
        return given
    is_lacking = str(given.dtype).startswith(("torch.bfloat", "torch.float8"))
    return given.float() if is_lacking else given


def host_array(x: Any) -> np.ndarray[Any, Any]:
    """The numbers of an array as one of NumPy's: fetched, if it lies on a device."""
    return np.asarray(x.get() if is_elsewhere(x) and hasattr(x, "get") else x)


def beside(x: Any, array: Any) -> Any:
    """An array of NumPy's where another lies, which may be on a device."""
    return np.asarray(array, like=x) if is_elsewhere(x) else array


def is_elsewhere(x: Any) -> bool:
    """Whether something is an array of another library, which speaks NumPy's protocols."""
    is_ours = isinstance(x, np.ndarray | np.generic | ag.Value)
    return not is_ours and hasattr(x, "__array_function__")


def generator_of(caller: str, rng: Any) -> np.random.Generator:
    """The generator itself, or one of that seed."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ag.ArgumentTypeError(
            f"{caller}: rng is {rng!r}; pass a generator, np.random.default_rng(0), or a whole "
            "number as its seed"
        ) from None


def check_size(owner: str, name: str, size: Any) -> int:
    """A number of features, checked to be a positive integer."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ag.ArgumentValueError(f"{owner}: {name} is {size!r}; it must be a positive integer")
    return int(size)


def check_counts(owner: str, **counts: Any) -> None:
    """Refuse numbers of epochs or samples that are not positive integers."""
    for name, count in counts.items():
        check_size(owner, name, count)
