"""Random numbers that a program draws anew at every call, from generators that are passed in.

A draw from a `numpy.random.Generator` inside of a function that is compiled would
happen once, while the function is traced, and its numbers would be the same ever
after.  The functions here are called with the generator and otherwise like its
methods, and give the very numbers that these give.  In a compiled function they
are operations of the program: each is executed at every call, in order, also
where nothing uses its result, so that compiled and eager code read one stream.

Draws carry no gradient; `normal` and `uniform` pass it on to their parameters
(the pathwise derivative: D. Kingma, M. Welling, "Auto-encoding variational
Bayes", 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, BackwardError
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.recorder import current, using
from autograd_lite.deprecation import renamed_arguments

__all__ = [
    "draw_permutation",
    "integers",
    "normal",
    "permutation",
    "permutations",
    "random",
    "standard_exponential",
    "standard_normal",
    "uniform",
]

Size = int | tuple[int, ...] | None


class Draw(Primitive):
    """A draw from a generator.  It has an effect, the generator moves on: it is never left out."""

    __slots__ = ()

    def __call__(self, rng: Any, **parameters: Any) -> Any:
        """Draw, as the current recorder does it."""
        if not isinstance(rng, np.random.Generator):
            raise ArgumentTypeError(
                f"random.{self.name}: rng is {type(rng).__name__}; "
                "pass a generator, np.random.default_rng(seed)"
            )
        return current.get().draw(self, rng, parameters)


@contextmanager
def keeping_draws() -> Iterator[list[Any]]:
    """Keep what is drawn; yields the list."""
    kept: list[Any] = []
    recorder = current.get()

    def draw_and_keep(draw: Callable[[], Any]) -> Any:
        kept.append(recorder.source(draw))
        return kept[-1]

    with using(recorder.replace(source=draw_and_keep)):
        yield kept


@contextmanager
def repeating_draws(kept: list[Any]) -> Iterator[None]:
    """A function is called again: instead of drawing it gets, in order, what was kept."""
    left = iter(kept)

    def repeat(draw: Callable[[], Any]) -> Any:
        try:
            return next(left)
        except StopIteration:
            raise BackwardError(
                f"checkpoint: the function drew {len(kept)} times, and more when it was called "
                "again for its gradient; it must do the same for the same arguments"
            ) from None

    with using(current.get().replace(source=repeat, is_recomputing=True)):
        yield


def draw(name: str) -> Draw:
    """The draw by a method of generators; it is looked up late, as NumPy imports them late."""

    def method(rng: np.random.Generator, **parameters: Any) -> Any:
        try:
            return getattr(rng, name)(**parameters)
        except (TypeError, ValueError) as error:
            kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentValueError
            raise kind(
                f"random.{name}: {error}; pass what rng.{name} takes, and .astype(dtype) what it "
                "draws to have another dtype"
            ) from error

    return Draw(method, name=name, differentiable=False)


draw_random = draw("random")
draw_standard_normal = draw("standard_normal")
draw_standard_exponential = draw("standard_exponential")
draw_integers = draw("integers")
draw_permutation = draw("permutation")


def permuted_rows(rng: np.random.Generator, x: int, count: int) -> Any:
    return rng.permuted(np.tile(np.arange(x), (count, 1)), axis=1)


permutations = Draw(permuted_rows, name="permuted", differentiable=False)
"""Several permutations, one in each row."""


def random(rng: np.random.Generator, size: Size = None, dtype: DTypeLike = np.float64) -> Any:
    """Numbers spread evenly over [0, 1).

    Parameters
    ----------
    rng : numpy.random.Generator
        What to draw from.
    size : int or tuple of int, optional
        The shape of the result; a single number by default.
    dtype
        float64 or float32.

    Returns
    -------
    float or array
        What ``rng.random(size, dtype)`` gives; in a function that is being
        compiled, a Value that stands for it.

    Raises
    ------
    ArgumentTypeError
        If ``rng`` is not a generator; so do all functions of this module.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> rng = np.random.default_rng(0)
    >>> noisy = ag.compile(lambda x: x + ag.random.random(rng, x.shape))
    >>> first, second = noisy(np.zeros(2)), noisy(np.zeros(2))
    >>> bool((np.append(first, second) == np.random.default_rng(0).random(4)).all())
    True
    """
    return draw_random(rng, size=size, dtype=dtype)


def standard_normal(
    rng: np.random.Generator, size: Size = None, dtype: DTypeLike = np.float64
) -> Any:
    """Normally distributed numbers of mean 0 and standard deviation 1.

    Parameters and result are those of `random`.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.random.standard_normal(np.random.default_rng(0), (2, 3)).shape
    (2, 3)
    """
    return draw_standard_normal(rng, size=size, dtype=dtype)


def standard_exponential(
    rng: np.random.Generator, size: Size = None, dtype: DTypeLike = np.float64
) -> Any:
    """Exponentially distributed numbers of mean 1.

    Parameters and result are those of `random`.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> bool((ag.random.standard_exponential(np.random.default_rng(0), 3) > 0).all())
    True
    """
    return draw_standard_exponential(rng, size=size, dtype=dtype)


def integers(
    rng: np.random.Generator,
    low: int,
    high: int | None = None,
    size: Size = None,
    dtype: DTypeLike = np.int64,
) -> Any:
    """Whole numbers from ``low`` to ``high - 1``; from 0 to ``low - 1`` without ``high``.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.random.integers(np.random.default_rng(0), 10, size=3)
    array([8, 6, 5])
    """
    return draw_integers(rng, low=low, high=high, size=size, dtype=dtype)


def permutation(rng: np.random.Generator, n: int) -> Any:
    """The numbers from 0 to ``n - 1`` in random order.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.random.permutation(np.random.default_rng(0), 5)
    array([2, 4, 3, 0, 1])
    """
    return draw_permutation(rng, x=n)


@renamed_arguments(deviation="std")
def normal(
    rng: np.random.Generator,
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Size = None,
    dtype: DTypeLike | None = None,
) -> Any:
    """Normally distributed numbers, with derivatives with respect to both parameters.

    Parameters
    ----------
    rng : numpy.random.Generator
        What to draw from.
    mean, std : float, array or Value
        Mean and standard deviation; they broadcast with each other and with ``size``.
    size : int or tuple of int, optional
        How many are drawn; by default one for each pair of these.
    dtype : optional
        float64 or float32, in which the numbers are drawn; by default float32 if all
        arrays among the parameters are.

    Raises
    ------
    ArgumentValueError
        If a standard deviation is negative, or ``size`` is less than the parameters broadcast
        to, so that several would share a number; NumPy refuses both too.
    ArgumentTypeError
        If a parameter is not a real number, or numbers of ``dtype`` cannot be drawn.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> rng = np.random.default_rng(0)
    >>> ag.grad(lambda mean: np.sum(ag.random.normal(rng, mean, 0.1, size=4)))(1.0)
    4.0
    """
    mean, std = real_parameters("normal", mean=mean, std=std)
    size = size_of_draws("normal", (mean, std), size)
    std = nonnegative(std)
    return mean + std * drawn(standard_normal, rng, (mean, std), size, dtype)


def uniform(
    rng: np.random.Generator,
    low: Any = 0.0,
    high: Any = 1.0,
    size: Size = None,
    dtype: DTypeLike | None = None,
) -> Any:
    """Numbers spread evenly over [low, high), with derivatives with respect to both.

    Parameters are those of `normal`, and errors too.  It is also an error, as in NumPy, if
    ``low`` is above ``high``, or either is infinite or NaN.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.random.uniform(np.random.default_rng(0), 2.0, 3.0, size=2).round(3)
    array([2.637, 2.27 ])
    """
    low, high = real_parameters("uniform", low=low, high=high)
    size = size_of_draws("uniform", (low, high), size)
    width = range_width(high - low)
    return low + width * drawn(random, rng, (low, high), size, dtype)


def refuse_negative(std: Any) -> Any:
    if np.any(np.less(std, 0)):
        raise ArgumentValueError(
            "random.normal: std is negative somewhere, which NumPy refuses too; write "
            "np.abs(x), or np.exp(x) for what is to be learned"
        )
    return np.positive(std) if np.ndim(std) else std  # no view, which whoever maps looks into


nonnegative = Primitive(
    refuse_negative, lambda g, out, std: g, name="nonnegative", elementwise=True, builtin=True
)
"""A standard deviation; an operation, so that programs and samples of `vmap` look at theirs."""


def refuse_no_range(width: Any) -> Any:
    if not np.all(np.logical_and(np.greater_equal(width, 0), np.less(width, np.inf))):
        raise ArgumentValueError(
            "random.uniform: low is above high somewhere, or they are not finite, which NumPy "
            "refuses too; write np.minimum(a, b) and np.maximum(a, b) for ends in any order"
        )
    return np.positive(width) if np.ndim(width) else width


range_width = Primitive(
    refuse_no_range, lambda g, out, width: g, name="range_width", elementwise=True, builtin=True
)
"""What lies between two ends, looked at as `nonnegative` does."""


def real_parameters(name: str, **parameters: Any) -> list[Any]:
    """Parameters that are real numbers, lists of them as arrays, and none in small integers.

    The difference of int8's ends would overflow.
    """
    reals = []
    for parameter, given in parameters.items():
        x = given if hasattr(given, "dtype") or np.isscalar(given) else np.asarray(given)
        kind = (x if hasattr(x, "dtype") else np.asarray(x)).dtype.kind
        if kind not in "fiub":
            raise ArgumentTypeError(
                f"random.{name}: {parameter} is {type(given).__name__}, and holds no real numbers "
                "only; pass real numbers, such as x.real and x.imag of complex ones"
            )
        reals.append(x.astype(np.float64) if kind != "f" and hasattr(x, "dtype") else x)
    return reals


def size_of_draws(name: str, parameters: tuple[Any, Any], size: Size) -> Size:
    """One number for each pair of parameters, or as many as are asked for, if not fewer."""
    shapes = [np.shape(x) for x in parameters]
    try:
        needed = np.broadcast_shapes(*shapes)
        shape = needed if size is None else tuple(np.atleast_1d(size).tolist())
        is_enough = np.broadcast_shapes(needed, shape) == shape
    except ValueError:
        is_enough = False
    if not is_enough:
        raise ArgumentValueError(
            f"random.{name}: parameters of the shapes {shapes[0]} and {shapes[1]} make no draws of "
            f"size {size}; leave size out to draw one number for each pair of them"
        )
    return size if size is not None else needed or None


def drawn(
    draw: Callable[..., Any],
    rng: np.random.Generator,
    parameters: tuple[Any, Any],
    size: Size,
    dtype: DTypeLike | None,
) -> Any:
    """Numbers of the dtype of the parameters, unless one is given."""
    if dtype is None:
        dtypes = {x.dtype for x in parameters if hasattr(x, "dtype")}
        dtype = np.float32 if dtypes == {np.dtype(np.float32)} else np.float64
    return draw(rng, size, dtype)
