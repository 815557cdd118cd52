"""Functions of a Value that answer as they do for its data: no gradient flows back.

Questions about shapes and types get plain answers; results computed from the
numbers are recorded like all others.  Functions that write into their argument
are refused, with the way to write it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.core.duck_arrays import computed_by_library
from autograd_lite.core.node import unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.ops.define import composite, nondifferentiable, numbers_of, without_rule

__all__: list[str] = []

function: Any
"""Each of several functions that share a treatment, in the loops below."""


def of_data(function: Any, data_of: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function of the data of its arguments, unrecorded."""

    def data(x: Any) -> Any:
        return type(x)(map(data, x)) if isinstance(x, (list, tuple)) else data_of(x)

    def answer(*args: Any, **kwargs: Any) -> Any:
        plain = {name: data(x) for name, x in kwargs.items()}
        operands = [data(x) for x in args]
        return computed_by_library(function, operands)(*operands, **plain)

    return answer


for function in (
    np.shape, np.ndim, np.iscomplexobj, np.isrealobj, np.result_type, np.can_cast,
    np.common_type, np.einsum_path, np.diag_indices_from,
    np.tril_indices_from, np.triu_indices_from,
):  # fmt: skip
    registry[function] = of_data(function, unwrap)
for function in (
    np.may_share_memory, np.shares_memory, np.array_repr, np.array_str, np.array2string,
    np.save, np.savez, np.savez_compressed, np.savetxt, np.linalg.matrix_rank,
    np.min_scalar_type,
):  # fmt: skip
    registry[function] = of_data(function, numbers_of)


@composite(np.size, asks_numpy="on failure")
def size(a: Any, axis: int | None = None) -> int:
    return int(a.size) if axis is None else int(a.shape[axis])


nondifferentiable(np.unravel_index, np.ravel_multi_index, np.lexsort, np.isin)
nondifferentiable(np.flatnonzero, np.argwhere, selecting=True)
without_rule(np.histogram2d, np.histogram_bin_edges)
