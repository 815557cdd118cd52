"""Loops that stay loops in compiled programs: scan, fori, while_loop.

Called as usual they are Python's loops, and each step is a part of the graph.  While a
program is traced the function is traced once (`bodies`), and the loop is one node.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.node import Handle, get_node, serials, unwrap
from autograd_lite.core.recorder import Recorder, current, using
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.ops.shaping import as_new_node
from autograd_lite.transforms.checkpoint import checkpoint as checkpointed
from autograd_lite.transforms.leaves import (
    as_type,
    check_leaf,
    is_plain_number,
    named_leaves,
    takes_on,
)
from autograd_lite.transforms.recorded_loops import record_scan, record_while
from autograd_lite.transforms.samples import across, differs, go_on
from autograd_lite.transforms.side_effects import refuse_side_effects
from autograd_lite.transforms.stacking import data_in
from autograd_lite.transforms.steps import Condition, Step

__all__ = ["fori", "scan", "while_loop"]

Function = Callable[..., Any]
OfOne = Callable[[Any], Any]
OfTwo = Callable[[Any, Any], Any]  # so that checkers know the arguments of a lambda


def scan(
    f: OfTwo,
    init: Any,
    xs: Any = None,
    length: int | None = None,
    *,
    reverse: bool = False,
    checkpoint: bool = False,
) -> tuple[Any, Any]:
    """Apply a function step by step, handing on a carry and collecting its results.

    In a function under `compile` it is one loop of the program, whatever its length, and so
    is its gradient; elsewhere it is the Python loop

        for x in xs:
            carry, y = f(carry, x)
            ys.append(y)

    Parameters
    ----------
    f
        Takes ``(carry, x)`` and returns ``(carry, y)``, the carry nested, shaped and typed
        as it came.  It must do the same at every step.
    init
        The first carry: a number, an array, or any nesting of them.
    xs
        Arrays of shape ``(length, ...)``, nested in any way; ``x`` is a row of each.
        None: ``x`` is None.
    length : int
        The number of steps; needed without ``xs``.
    reverse : bool
        Begin with the last row.  Results stand at the places of their rows.
    checkpoint : bool
        For the gradient keep every √length-th carry only, and compute the steps in between
        once more: memory for 2·√length steps instead of for all.  See `checkpoint`.

    Returns
    -------
    carry, ys
        The last carry; and what ``y`` is nested like, an array of shape ``(length, ...)`` in
        the place of each number or array.

    Raises
    ------
    ArgumentTypeError
        If ``f`` does not return a pair, or another carry than it got, in nesting, shape or
        dtype.  (A Python number as the first carry takes on the dtype of the second.)
    ArgumentValueError
        If the lengths of ``xs`` differ, or there is none.
    CompileError
        Under `compile`, if ``f`` does not do the same at every step, or writes to what is not
        its own.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> def step(average, x):
    ...     average = 0.5 * average + 0.5 * x
    ...     return average, average
    >>> ag.scan(step, 0.0, np.array([2.0, 4.0, 8.0]))
    (np.float64(5.25), array([1.  , 2.5 , 5.25]))
    >>> averages = ag.compile(lambda xs: ag.scan(step, 0.0, xs)[1])
    >>> averages(np.full(1000, 7.0))[-1], "for " in averages.source
    (np.float64(7.0), True)
    """
    steps = number_of_steps(xs, length)
    for name, leaf in named_leaves(init, "init"):
        check_leaf("scan", name, leaf)
    if checkpoint and steps > 3:
        return scan_in_pieces(f, init, xs, steps, reverse)
    if current.get().takes_bodies:
        return record_scan(Step(f, init, xs, "scan"), steps, bool(reverse))
    if steps == 0:
        return rehearse(f, init, xs)
    step = Step(f, init, xs, "scan")
    carry = flatten(init)
    rows = []
    for index in reversed(range(steps)) if reverse else range(steps):
        found = step([*carry, *(leaf[index] for leaf in step.xs_leaves)])
        carry, y = found[: step.carries], found[step.carries :]
        rows.append(y)
    if reverse:
        rows.reverse()
    stacked = [stack_steps(column) for column in zip(*rows, strict=True)]
    return unflatten(init, carry), unflatten(step.result, stacked)


def stack_steps(column: Sequence[Any]) -> Any:
    """What the steps gave, as one array; Python numbers of the first ones take on its dtype."""
    last = unwrap(column[-1])
    if is_plain_number(column[0]) and not is_plain_number(last) and takes_on(column[0], last):
        column = [as_type(x, last) if is_plain_number(x) else x for x in column]
    return np.stack(column)


def scan_in_pieces(f: Function, init: Any, xs: Any, steps: int, reverse: bool) -> tuple[Any, Any]:
    """A scan over scans of √steps steps each, which forget what happens inside."""
    size = math.isqrt(steps)
    pieces, rest = divmod(steps, size)

    @checkpointed
    def piece(carry: Any, rows: Any) -> tuple[Any, Any]:
        return scan(f, carry, rows, size, reverse=reverse)

    def some(start: int, stop: int, shape: tuple[int, ...]) -> Any:
        leaves = [np.reshape(x[start:stop], (*shape, *np.shape(x)[1:])) for x in flatten(xs)]
        return unflatten(xs, leaves)

    def join(ys: Any) -> list[Any]:
        return [np.reshape(y, (pieces * size, *np.shape(y)[2:])) for y in flatten(ys)]

    whole = some(0, pieces * size, (pieces, size))
    if not rest:
        carry, ys = scan(piece, init, whole, pieces, reverse=reverse)
        return carry, unflatten(ys, join(ys))
    last = some(pieces * size, steps, (rest,))
    if reverse:
        carry, ends = scan(f, init, last, rest, reverse=True)
        carry, ys = scan(piece, carry, whole, pieces, reverse=True)
    else:
        carry, ys = scan(piece, init, whole, pieces)
        carry, ends = scan(f, carry, last, rest)
    pairs = zip(join(ys), flatten(ends), strict=True)
    return carry, unflatten(ends, [np.concatenate(pair) for pair in pairs])


def fori(lower: Any, upper: Any, f: OfTwo, init: Any) -> Any:
    """Apply a function for each whole number in a range, handing on a value.

    In a function under `compile` it is one loop of the program; elsewhere it is

        for i in range(lower, upper):
            value = f(i, value)

    Parameters
    ----------
    lower, upper : int
        The first number, and the one after the last.  Under `compile` they may be Values, and
        under `vmap` differ between samples, which makes it a `while_loop`.
    f
        Takes ``(i, value)`` and returns the next value, nested, shaped and typed as it came.
    init
        The first value: a number, an array, or any nesting of them.

    Returns
    -------
    value
        The last one; ``init`` if the range is empty.

    Raises
    ------
    ArgumentTypeError
        If a bound is not a whole number, or ``f`` returns another kind of value than it got.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.fori(1, 6, lambda i, product: product * i, 1.0)
    120.0
    >>> ag.grad(lambda x: ag.fori(0, 3, lambda i, y: y * x, 1.0))(2.0)
    12.0
    """
    for name, leaf in named_leaves(init, "init"):
        check_leaf("fori", name, leaf)
    is_traced = current.get().takes_bodies
    bounds = [x for x in (lower, upper) if isinstance(x, Handle) and is_whole(x)]
    if any(is_traced or differs(x) for x in bounds):
        return while_loop(
            lambda pair: pair[0] < upper,
            lambda pair: (pair[0] + 1, f(*pair)),
            (lower if isinstance(lower, Handle) else operator.index(lower), init),
        )[1]
    numbers = range(whole("fori", "lower", lower), whole("fori", "upper", upper))
    step = Step(lambda value, i: (f(i, value), None), init, numbers, "fori")
    if is_traced:
        return record_scan(step, len(numbers), False)[0]
    carry = flatten(init)
    for i in numbers:
        carry = step([*carry, i])
    return unflatten(init, carry)


def while_loop(condition: OfOne, f: OfOne, init: Any) -> Any:
    """Apply a function for as long as a condition holds, handing on a value.

    In a function under `compile` it is a ``while`` of the program; elsewhere it is

        while condition(value):
            value = f(value)

    Under `vmap` it goes on for as long as one sample wants it to; the others keep what they have.

    Parameters
    ----------
    condition
        Takes the value and returns a single number; 0 and False end the loop.
    f
        Takes the value and returns the next one, nested, shaped and typed as it came.
    init
        The first value: a number, an array, or any nesting of them.

    Returns
    -------
    value
        The first one for which the condition does not hold.

    Raises
    ------
    ArgumentTypeError
        If ``f`` returns another kind of value than it got, or the condition no single number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> def root(a):  # Newton's method
    ...     unsettled = lambda x: np.abs(x * x - a) > 1e-12
    ...     return ag.while_loop(unsettled, lambda x: (x + a / x) / 2, a)
    >>> round(ag.grad(root)(4.0), 6)
    0.25
    >>> slope = ag.compile(ag.grad(root))
    >>> round(slope(4.0), 6), round(slope(100.0), 6), "while " in slope.source
    (0.25, 0.05, True)
    """
    for name, leaf in named_leaves(init, "init"):
        check_leaf("while_loop", name, leaf)
    step = Step(lambda value, _: (f(value), None), init, None, "while_loop")
    test = Condition(condition, init)
    if current.get().takes_bodies:
        return record_while(step, test)
    value = flatten(init)
    while bool(across(np.any, holds := test(value)[0])):
        value = go_on(step, holds, value)
    return unflatten(init, value)


# Checks, in both modes.


def is_whole(x: Any) -> bool:
    """Whether it is a single integer."""
    data = data_in(x)
    return np.shape(data) == () and np.result_type(data).kind in "iu"


def whole(name: str, argument: str, x: Any) -> int:
    if current.get().trace is None:
        x = unwrap(x)
    try:
        return operator.index(x)
    except TypeError as error:
        raise ArgumentTypeError(
            f"{name}: {argument} is {type(x).__name__}; pass a whole number, int({argument})"
        ) from error


def number_of_steps(xs: Any, length: int | None) -> int:
    """How many steps a scan takes, by its arguments."""
    steps = None if length is None else whole("scan", "length", length)
    if steps is not None and steps < 0:
        raise ArgumentValueError(f"scan: length={steps}; pass 0 or more")
    for name, leaf in named_leaves(xs, "xs"):
        check_leaf("scan", name, leaf)
        shape = np.shape(unwrap(leaf))
        if not shape:
            raise ArgumentTypeError(
                f"scan: {name} is a single number, and has no rows to go through; pass what is "
                "the same at every step as a part of init, or let f capture it"
            )
        if steps is not None and shape[0] != steps:
            raise ArgumentValueError(
                f"scan: {name} has {shape[0]} rows, but the loop has {steps} steps; pass arrays "
                "of the same length, and that length or none"
            )
        steps = shape[0]
    if steps is None:
        raise ArgumentValueError(
            "scan: there is neither an array in xs nor a length; pass length=n for n steps"
        )
    return steps


# The eager loop.


class Rehearsal(Recorder):
    """Records nothing, and leaves generators and what is older as they are."""

    __slots__ = ("since",)

    def __init__(self) -> None:
        super().__init__(is_recording=False)
        self.since = next(serials)

    def before_write(self, root: Any, what: str) -> None:
        if get_node(root).serial < self.since:
            raise refused_write(
                f"{what} writes in a scan into what is outside of its function, which is called "
                "once to see what it returns, though there are no steps; write into a copy "
                "(x = x.copy()) and return that"
            )

    def draw(self, primitive: Any, rng: Any, parameters: dict[str, Any]) -> Any:
        return primitive.forward(deepcopy(rng), **parameters)


@contextmanager
def rehearsing(recorder: Recorder) -> Iterator[Recorder]:
    """A block in which a recorder rehearses, and those outside of it where it maps over samples."""
    if recorder.batch is None:
        yield Rehearsal()
        return
    with rehearsing(recorder.outer) as outer:
        mapping: Any = recorder.replace(is_recording=False, outer=outer)
        with mapping.in_body():
            yield mapping


def rehearse(f: Function, init: Any, xs: Any) -> tuple[Any, Any]:
    """A scan of no steps: one step is made on zeros, to see what results look like."""
    step = Step(f, init, xs, "scan")
    rows = [np.zeros(np.shape(x)[1:], unwrap(x).dtype)[()] for x in map(unwrap, step.xs_leaves)]
    with (
        refuse_side_effects("scan", [f]),
        rehearsing(current.get()) as recorder,
        using(recorder),
        np.errstate(all="ignore"),
    ):
        found = step([*map(as_new, flatten(init)), *rows])
    empty = [np.zeros((0, *np.shape(unwrap(y))), dtype_or_own(y)) for y in found[step.carries :]]
    return init, unflatten(step.result, empty)


def as_new(x: Any) -> Any:
    """A carry for a step that is only looked at: one of its own, which may be written into."""
    if isinstance(x, Handle):
        return as_new_node(x)
    return x.copy() if isinstance(x, np.ndarray) else x


def dtype_or_own(x: Any) -> Any:
    return np.result_type(unwrap(x))
