"""Functions of a Value that answer as they do for its data: no gradient flows back.

Questions about shapes and types get plain answers; results computed from the
numbers are recorded like all others.  Functions that write into their argument
are refused, with the way to write it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.core.duck_arrays import computed_by_library
from autograd_lite.core.errors import InPlaceError
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.define import composite, nondifferentiable

__all__: list[str] = []

function: Any
"""Each of several functions that share a treatment, in the loops below."""


def of_data(function: Any) -> Callable[..., Any]:
    """The function of the data of its arguments, unrecorded."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        plain = {name: data(x) for name, x in kwargs.items()}
        operands = [data(x) for x in args]
        return computed_by_library(function, operands)(*operands, **plain)

    return answer


def data(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(data(part) for part in x)
    return unwrap(x)


for function in (
    np.shape, np.ndim, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast,
    np.common_type, np.min_scalar_type, np.may_share_memory, np.shares_memory,
    np.array_repr, np.array_str, np.array2string, np.save, np.savez, np.savez_compressed,
    np.savetxt, np.einsum_path, np.linalg.matrix_rank, np.diag_indices_from,
    np.tril_indices_from, np.triu_indices_from, np.histogram_bin_edges,
):  # fmt: skip
    registry[function] = of_data(function)


@composite(np.size)
def size(a: Any, axis: int | None = None) -> int:
    return int(a.size) if axis is None else int(a.shape[axis])


nondifferentiable(
    np.unravel_index, np.ravel_multi_index, np.lexsort, np.bincount,
    np.histogram, np.histogram2d, np.isin, np.unique_all, np.unique_counts,
    np.unique_inverse, np.unique_values, np.intersect1d, np.union1d, np.setdiff1d, np.setxor1d,
)  # fmt: skip
nondifferentiable(np.flatnonzero, np.argwhere, np.unique, selecting=True)


def in_place(function: Any, instead: str) -> Callable[..., Any]:
    """An error for a function that would write into an array."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise InPlaceError(
            f"np.{function.__name__} writes in place, which would lose the gradient; "
            f"write {instead}"
        )

    return refuse


for function, instead in (
    (np.copyto, "x = np.where(mask, v, x)"),
    (np.putmask, "x = np.where(mask, v, x)"),
    (np.place, "x = x.at[mask].set(v)"),
    (np.put, "x = x.at[np.unravel_index(i, x.shape)].set(v)"),
    (np.put_along_axis, "x = x.at[np.arange(len(x))[:, None], i].set(v) for the last of two axes"),
    (np.fill_diagonal, "x = x.at[np.diag_indices(len(x))].set(v)"),
):
    registry[function] = in_place(function, instead)
