"""Sparse Jacobians and Hessians: as many products as colours, put where the pattern says.

The pattern comes from the recorded graph (`sparsity`), the colours from the pattern (`coloring`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.tree import unflatten
from autograd_lite.ops.indexing import at_set
from autograd_lite.transforms.arguments import Argnum, is_several, places
from autograd_lite.transforms.coloring import (
    color_rows,
    count_of_colors,
    most_in_a_column,
    star_coloring,
)
from autograd_lite.transforms.sparsity import data_of, pattern_of, size_of, sparse
from autograd_lite.transforms.tangents import check_outputs, push_together
from autograd_lite.transforms.trace import Trace

__all__ = ["rows_by_color", "sparse_hessian", "sparse_jacobian", "sparsity"]

Function = Callable[..., Any]

FEWEST_ROWS, SPARSE = 16, 0.25
"""From how many rows on those of one colour are computed together, if no more than this part of
the matrix may be other than zero."""


def sparsity(function: Function, *args: Any, argnum: Argnum = 0) -> Any:
    """Where the Jacobian of a function may be other than zero.

    Found in the graph of one call, at these arguments: what an ``if`` leaves out is not in it.
    It may have too many places, and never has too few. Reductions, products, indexing and all
    that moves elements are followed one by one; of other functions that are not elementwise
    (`numpy.linalg.solve`, a loop, a function of your own) each result counts as dependent on
    all of what goes in.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them. ``ag.grad(f)`` gives the pattern of a
        Hessian.
    *args
        Its arguments.
    argnum
        By which of them, as for `jacobian`.

    Returns
    -------
    scipy.sparse.csr_array
        Of booleans: a row for each number of the result, a column for each of the argument; of
        several results or arguments one after the other. ``matplotlib.pyplot.spy`` draws it.

    Raises
    ------
    UnsupportedError
        If there is no SciPy, or the pattern has more than 268 million places.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.sparsity(np.diff, np.ones(4)).toarray().astype(int)
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    """
    trace = Trace(function, args, places(function, args, {}, argnum))
    check_outputs("sparsity", trace)
    return pattern_in(trace)


def pattern_in(trace: Trace) -> Any:
    pullback = trace.pullback
    found = pattern_of(pullback.order, pullback.inputs, pullback.outputs)
    found.sum_duplicates()
    return found


def check_real(transform: str, trace: Trace) -> None:
    if any(map(is_complex, map(data_of, (*trace.pullback.inputs, *trace.pullback.outputs)))):
        raise UnsupportedError(
            f"{transform}(sparse=True): {trace.name} has complex arguments or results; "
            "differentiate by real and imaginary parts, or leave sparse out"
        )


def sparse_jacobian(function: Function, argnum: Argnum, has_aux: bool) -> Function:
    """`jacobian` by as few products as the pattern allows, of rows or of columns."""

    @wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(function, args, places(function, args, kwargs, argnum), kwargs, has_aux)
        check_outputs("jacobian", trace)
        check_real("jacobian", trace)
        pattern = pattern_in(trace)
        by_row = color_rows(pattern)
        rows, columns = coordinates(pattern)
        turned = pattern.T.tocsr()
        if count_of_colors(by_row) <= 2 * most_in_a_column(turned):
            data = products(trace, by_row)[by_row[rows], columns]
        else:
            by_column = color_rows(turned)
            data = tangents(trace, by_column)[by_column[columns], rows]
        return in_blocks(trace, pattern, data, argnum, has_aux)

    return derivatives


def sparse_hessian(gradient: Function, argnum: Argnum, has_aux: bool) -> Function:
    """The Jacobian of a gradient, which is symmetric: fewer products, each element from one."""

    @wraps(gradient)
    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(gradient, args, places(gradient, args, kwargs, argnum), kwargs, has_aux)
        check_real("hessian", trace)
        pattern = pattern_in(trace)
        pattern = (pattern + pattern.T).tocsr()
        pattern.sort_indices()
        colors = star_coloring(pattern)
        rows, columns = coordinates(pattern)
        is_earlier = colors[rows] < colors[columns]
        alone = np.where(is_earlier, rows, columns), np.where(is_earlier, columns, rows)
        data = products(trace, colors)[colors[alone[0]], alone[1]]
        return in_blocks(trace, pattern, data, argnum, has_aux)

    return second_derivatives


def rows_by_color(trace: Trace, index: int) -> list[Any] | None:
    """What `Trace.rows` gives, from as many products as the rows have colours; None if not few.

    In programs, which are made once and run often.  A row has zeros where it cannot have
    anything else.
    """
    output = trace.pullback.outputs[index]
    inputs = trace.pullback.inputs
    height = size_of(output)
    is_whole = trace.is_traced and trace.batch is None and not trace.pullback.is_duck
    if (
        not is_whole
        or height < FEWEST_ROWS
        or any(map(is_complex, map(data_of, (output, *inputs))))
    ):
        return None
    try:
        pattern = pattern_of(trace.pullback.order, inputs, [output], fullest=SPARSE)
    except UnsupportedError:
        return None
    if pattern is None or most_in_a_column(pattern) > SPARSE * height:
        return None
    pattern.sum_duplicates()
    colors = color_rows(pattern)
    count = count_of_colors(colors)
    if not 0 < count <= SPARSE * height:
        return None
    cotangents: list[Any] = [None] * len(trace.outputs)
    cotangents[index] = one_hot(colors, colors, output)
    rows, columns = coordinates(pattern)
    found, left = [], 0
    for x, product in zip(inputs, trace.products(cotangents, count), strict=True):
        width = size_of(x)
        inside = (columns >= left) & (columns < left + width)
        row, column = rows[inside], columns[inside] - left
        numbers = np.ravel(product)[colors[row] * width + column]
        zeros = np.zeros((height, *x.shape), numbers.dtype)
        place = np.unravel_index(column, x.shape) if x.shape else ()
        found.append(at_set(zeros, numbers, row, *place))
        left += width
    return found


def coordinates(pattern: Any) -> tuple[Any, Any]:
    """The rows and the columns of the places, row by row."""
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), pattern.indices


def products(trace: Trace, colors: Any) -> Any:
    """For each colour the sum of the rows of the Jacobian that have it."""
    seeds = split(colors, trace.pullback.outputs)
    cotangents = [
        one_hot(part, colors, x) for part, x in zip(seeds, trace.pullback.outputs, strict=True)
    ]
    count = count_of_colors(colors)
    found = trace.products(cotangents, count) if count else []
    if not found:
        return np.zeros((0, 0))
    return np.concatenate([np.reshape(x, (len(x), -1)) for x in found], axis=1)


def tangents(trace: Trace, colors: Any) -> Any:
    """For each colour the sum of the columns of the Jacobian that have it."""
    count = count_of_colors(colors)
    if not count:
        return np.zeros((0, 0))
    parts = split(colors, trace.pullback.inputs)
    directions = [
        one_hot(part, colors, x) for part, x in zip(parts, trace.pullback.inputs, strict=True)
    ]
    found = push_together(trace, directions, count)
    return np.concatenate([np.reshape(x, (count, -1)) for x in found], axis=1)


def split(colors: Any, like: Sequence[Any]) -> list[Any]:
    """The part of the colours that belongs to each of several arrays."""
    ends = np.cumsum([size_of(x) for x in like])[:-1]
    return list(np.split(colors, ends))


def one_hot(part: Any, colors: Any, like: Any) -> Any:
    """For each colour an array with ones where it is."""
    data = data_of(like)
    rows = np.arange(count_of_colors(colors))[:, None] == part
    dtype = getattr(data, "dtype", np.dtype(float))
    return np.reshape(rows.astype(dtype), (len(rows), *np.shape(data)))


def in_blocks(trace: Trace, pattern: Any, data: Any, argnum: Argnum, has_aux: bool) -> Any:
    """A matrix for each result and argument, nested as `jacobian` nests them."""
    data = trace.unwrap(data)
    heights = list(map(size_of, trace.pullback.outputs))
    widths = list(map(size_of, trace.pullback.inputs))
    blocks = []
    top = 0
    for height in heights:
        strip = slice(pattern.indptr[top], pattern.indptr[top + height])
        starts = pattern.indptr[top : top + height + 1] - pattern.indptr[top]
        of_rows = matrix(data[strip], pattern.indices[strip], starts, (height, pattern.shape[1]))
        trees = unflatten(trace.trees, columns_apart(of_rows, widths))
        blocks.append(tuple(trees) if is_several(argnum) else trees[0])
        top += height
    found = unflatten(trace.result, blocks)
    return (found, trace.returned_aux()) if has_aux else found


def columns_apart(whole: Any, widths: Sequence[int]) -> list[Any]:
    """A matrix for each argument, of its columns."""
    if len(widths) == 1:
        return [whole]
    rows, columns = coordinates(whole)
    found = []
    left = 0
    for width in widths:
        (inside,) = np.nonzero((columns >= left) & (columns < left + width))
        counts = np.bincount(rows[inside], minlength=whole.shape[0])
        starts = np.concatenate([[0], np.cumsum(counts)])
        found.append(
            matrix(whole.data[inside], columns[inside] - left, starts, (whole.shape[0], width))
        )
        left += width
    return found


def matrix(data: Any, indices: Any, starts: Any, shape: tuple[int, int]) -> Any:
    """A matrix of SciPy's, whose numbers are a Value where they depend on one of the caller's."""
    found = sparse().csr_array((np.zeros(len(indices)), indices, starts), shape=shape)
    found.data = data
    return found
