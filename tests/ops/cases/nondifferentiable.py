"""Cases of functions that answer as on the data, or refuse to write in place."""

from __future__ import annotations

import io
from typing import Any

from autograd_lite import InPlaceError
from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, passes, real


def saved(write: Any, *arrays: Any) -> int:
    """How many bytes were written."""
    buffer = io.BytesIO()
    write(buffer, *arrays)
    return len(buffer.getvalue())


def refusal(call: Any) -> Any:
    """Whether it was refused, for a Value; True for NumPy, which is not asked to refuse."""

    def attempt(x: Any) -> bool:
        if isinstance(x, np.ndarray):
            return True
        try:
            call(x)
        except InPlaceError:
            return True
        return False

    return attempt


ROWS: list[Case] = [
    passes(np.shape, real(2, 3)),
    passes(np.ndim, real(2, 3)),
    passes(np.size, real(2, 3)),
    passes(np.size, real(2, 3), axis=1),
    passes(np.iscomplexobj, real(3)),
    passes(np.iscomplexobj, complex_numbers(3), label="complex"),
    passes(np.isrealobj, real(3)),
    passes(np.result_type, real(2), call=lambda x: str(np.result_type(x, np.float32(1)))),
    passes(np.can_cast, real(2), call=lambda x: np.can_cast(x, np.complex128)),
    passes(np.common_type, real(2), call=lambda x: np.common_type(x, x).__name__),
    passes(np.min_scalar_type, real(2), call=lambda x: str(np.min_scalar_type(x))),
    passes(np.may_share_memory, real(2), call=lambda x: np.may_share_memory(x, x)),
    passes(np.shares_memory, real(2), call=lambda x: np.shares_memory(x, np.ones(2))),
    *[passes(function, real(2)) for function in (np.array_repr, np.array_str, np.array2string)],
    passes(np.save, real(2), call=lambda x: saved(np.save, x)),
    passes(np.savetxt, real(2), call=lambda x: saved(np.savetxt, x)),
    passes(np.savez, real(2), call=lambda x: saved(np.savez, x, x)),
    passes(np.savez_compressed, real(2), call=lambda x: saved(np.savez_compressed, x)),
    passes(np.einsum_path, real(2, 2), call=lambda x: np.einsum_path("ij,jk", x, x)[1]),
    passes(np.linalg.matrix_rank, real(3, 2)),
    *[
        passes(function, real(3, 3))
        for function in (np.diag_indices_from, np.tril_indices_from, np.triu_indices_from)
    ],
    passes(np.histogram_bin_edges, distinct(9), call=lambda x: len(np.histogram_bin_edges(x))),
    passes(
        np.unravel_index,
        distinct(2, 3),
        call=lambda x: np.unravel_index(np.argmax(x), (2, 3)),
    ),
    passes(
        np.ravel_multi_index,
        distinct(2, 3),
        call=lambda x: np.ravel_multi_index((np.argmax(x, axis=0), np.argmin(x, axis=0)), (2, 3)),
    ),
    passes(np.lexsort, distinct(2, 3)),
    passes(
        np.lexsort, distinct(3), distinct(3), label="keys", call=lambda x, y: np.lexsort((x, y))
    ),
    passes(np.flatnonzero, distinct(3), call=lambda x: np.flatnonzero(x > 0)),
    passes(np.argwhere, distinct(2, 3), call=lambda x: np.argwhere(x > 0)),
    passes(np.bincount, distinct(5), call=lambda x: np.bincount(np.argsort(x))),
    passes(np.histogram, distinct(9), call=lambda x: np.histogram(x, bins=3)[0]),
    passes(
        np.histogram2d,
        distinct(9),
        distinct(9),
        call=lambda x, y: np.histogram2d(x, y, bins=3)[0] > 0,
    ),
    passes(np.isin, distinct(3), call=lambda x: np.isin(x, x[:1])),
]
