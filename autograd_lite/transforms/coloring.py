"""Colours for rows or columns of a sparse matrix: those of one colour are computed together.

A. Gebremedhin, F. Manne and A. Pothen, "What color is your Jacobian? Graph coloring for
computing derivatives", SIAM Review 47, 2005.  The colours that a vertex may not have are the
bits of one integer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["color_rows", "count_of_colors", "most_in_a_column", "star_coloring"]


def color_rows(pattern: Any) -> Any:
    """A colour for each row of a pattern in CSR, so that rows of one colour share no column.

    Greedy, rows with many elements first.
    """
    if most_in_a_column(pattern) == pattern.shape[0]:
        return np.arange(pattern.shape[0])  # no two of them can have one colour
    starts, indices = pattern.indptr.tolist(), pattern.indices.tolist()
    taken = [0] * pattern.shape[1]
    colors = np.zeros(pattern.shape[0], int)
    for row in by_degree(pattern):
        its_columns = indices[starts[row] : starts[row + 1]]
        forbidden = 0
        for column in its_columns:
            forbidden |= taken[column]
        free = ~forbidden & (forbidden + 1)
        colors[row] = free.bit_length() - 1
        for column in its_columns:
            taken[column] |= free
    return colors


def star_coloring(pattern: Any) -> Any:
    """A colour for each row of a symmetric pattern, so that each element is alone in a product.

    Neighbours differ, and vertices with a common neighbour differ as well unless their colour
    comes after that neighbour's: no path of four vertices has two colours.  The element of two
    vertices then stands alone in the product for the earlier of their colours, in the row of the
    vertex with the later one.
    """
    starts, indices = pattern.indptr.tolist(), pattern.indices.tolist()
    n = pattern.shape[0]
    if pattern.nnz == n * n:
        return np.arange(n)
    colors = [-1] * n
    near = [0] * n
    for vertex in by_degree(pattern):
        neighbors = indices[starts[vertex] : starts[vertex + 1]]
        forbidden = 0
        for other in neighbors:
            color = colors[other]
            if color < 0:
                forbidden |= near[other]
            else:
                bit = 1 << color
                forbidden |= bit | (near[other] & (bit - 1))
        free = ~forbidden & (forbidden + 1)
        colors[vertex] = free.bit_length() - 1
        for other in neighbors:
            near[other] |= free
    return np.array(colors, int)


def most_in_a_column(pattern: Any) -> int:
    """The elements of the fullest column: rows need at least as many colours."""
    return int(np.bincount(pattern.indices, minlength=1).max(initial=0))


def count_of_colors(colors: Any) -> int:
    return int(colors.max(initial=-1)) + 1


def by_degree(pattern: Any) -> list[int]:
    """Rows with many elements first, in their order where there are as many."""
    found: list[int] = np.argsort(-np.diff(pattern.indptr), kind="stable").tolist()
    return found
