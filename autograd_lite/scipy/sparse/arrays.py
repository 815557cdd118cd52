"""Sparse arrays whose numbers may be a Value, and their products."""

from __future__ import annotations

from typing import Any, NoReturn

from scipy import sparse

from autograd_lite.core.errors import ArgumentTypeError, MissingAttributeError, UnsupportedError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.scipy.names import as_array_operand, computed_by_scipy

__all__ = [
    "KINDS",
    "TURNED",
    "SparseArray",
    "coo_array",
    "csc_array",
    "csr_array",
    "gradient_of_numbers",
]


KINDS = {"coo": sparse.coo_array, "csc": sparse.csc_array, "csr": sparse.csr_array}
TURNED = {"coo": "coo", "csc": "csr", "csr": "csc"}
"""The format of the transposed."""


def product_forward(data: Any, x: Any, rows: Any, columns: Any, *, shape: Any, kind: str) -> Any:
    return KINDS[kind]((data, (rows, columns)), shape=tuple(shape)) @ x


def gradient_of_numbers(g: Any, x: Any, rows: Any, columns: Any) -> Any:
    """That of the numbers of a matrix, for the gradient ``g`` of its product with ``x``."""
    found = g[rows] * x[columns]
    return np.sum(found, axis=1) if np.ndim(found) > 1 else found


def product_by_data(
    g: Any, out: Any, data: Any, x: Any, rows: Any, columns: Any, *, shape: Any,
    kind: str,
) -> Any:  # fmt: skip
    return gradient_of_numbers(g, x, rows, columns)


def product_by_x(
    g: Any, out: Any, data: Any, x: Any, rows: Any, columns: Any, *, shape: Any,
    kind: str,
) -> Any:  # fmt: skip
    return product(data, g, columns, rows, shape=tuple(shape)[::-1], kind=TURNED[kind])


product = computed_by_scipy(
    product_forward, product_by_data, product_by_x, None, None, name="sparse_product", arrays=4
)


class SparseArray:
    """Numbers, and the rows and columns that they stand in; what stands twice is added.

    ``A @ x`` and ``x @ A`` have derivatives by the numbers and by the vector or matrix ``x``.
    """

    __array_ufunc__ = None  # so that an array leaves ``x @ A`` to it

    def __init__(
        self, data: Any, rows: Any, columns: Any, shape: tuple[int, int], format: str = "csr"
    ) -> None:
        self.data, self.rows, self.columns, self.format = data, rows, columns, format
        self.shape = int(shape[0]), int(shape[1])

    def __repr__(self) -> str:
        return f"<sparse array of shape {self.shape} with {np.size(self.rows)} stored numbers>"

    @property
    def T(self) -> SparseArray:  # noqa: N802, NumPy's name
        """The transposed."""
        return SparseArray(
            self.data, self.columns, self.rows, self.shape[::-1], TURNED[self.format]
        )

    def __matmul__(self, x: Any) -> Any:
        if sparse.issparse(x) or isinstance(x, SparseArray):
            raise UnsupportedError(
                "the product of two sparse arrays has no derivative rule here; write A @ (B @ x), "
                "or A @ B.toarray()"
            )
        x = as_array_operand(x)
        if np.ndim(x) not in (1, 2) or np.shape(x)[0] != self.shape[1]:
            raise ArgumentTypeError(
                f"a sparse array of shape {self.shape} times an array of shape {np.shape(x)}; pass "
                f"a vector or a matrix with {self.shape[1]} rows"
            )
        return product(self.data, x, self.rows, self.columns, shape=self.shape, kind=self.format)

    def __rmatmul__(self, x: Any) -> Any:
        x = as_array_operand(x)
        return self.T @ x if np.ndim(x) == 1 else (self.T @ x.T).T

    def __mul__(self, number: Any) -> SparseArray:
        if np.ndim(number):
            raise UnsupportedError(
                "a sparse array times an array has no derivative rule here; multiply its numbers, "
                "A.data, and make an array of these"
            )
        return self._of(self.data * number)

    __rmul__ = __mul__

    def __truediv__(self, number: Any) -> SparseArray:
        return self * (1 / number) if np.ndim(number) else self._of(self.data / number)

    def __neg__(self) -> SparseArray:
        return self._of(-self.data)

    def __add__(self, other: Any) -> Any:
        self._refuse("+")

    def __sub__(self, other: Any) -> Any:
        self._refuse("-")

    def __getitem__(self, index: Any) -> Any:
        self._refuse("[]")

    def __abs__(self) -> Any:
        self._refuse("abs")

    __radd__, __rsub__ = __add__, __sub__

    def _of(self, data: Any) -> SparseArray:
        return SparseArray(data, self.rows, self.columns, self.shape, self.format)

    def _refuse(self, operation: str) -> NoReturn:
        raise UnsupportedError(
            f"{operation} of a sparse array of Values has no derivative rule here; compute with "
            "its products, A @ x, with its numbers, A.data, or with A.toarray()"
        )

    def toarray(self) -> Any:
        """The matrix with its zeros."""
        return self @ np.eye(self.shape[1], dtype=self.data.dtype)

    def __getattr__(self, name: str) -> Any:
        raise MissingAttributeError(
            f"a sparse array of Values has no {name!r} here; it has @, *, T, data, shape and "
            "toarray(), and is solved by ag.scipy.sparse.linalg"
        )


def numbers(data: Any) -> Any:
    data = as_array_operand(data)
    return data if data.dtype.kind in "fc" else np.astype(data, float)


def sorted_by(format: str, data: Any, rows: Any, columns: Any) -> tuple[Any, Any, Any]:
    """As SciPy stores them: by rows or by columns, what stands twice added up."""
    if format == "coo":
        return data, rows, columns
    outer, inner = (rows, columns) if format == "csr" else (columns, rows)
    order = np.lexsort((inner, outer))
    rows, columns = rows[order], columns[order]
    starts = np.flatnonzero(
        np.concatenate([[True], (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])])
    )
    data = data[order]
    if np.size(starts) < np.size(rows):
        data = np.add.reduceat(data, starts)
    return data, rows[starts], columns[starts]


def made(kind: Any, arg1: Any, shape: Any) -> SparseArray:
    """A sparse array from what SciPy makes one of."""
    name = kind.__name__.removesuffix("_array")
    if isinstance(arg1, SparseArray):
        return arg1
    if isinstance(arg1, tuple) and len(arg1) == 2 and not np.isscalar(arg1[0]):
        data, places = arg1
        rows, columns = (np.asarray(x, int) for x in places)
        if shape is None:
            shape = int(np.max(rows)) + 1, int(np.max(columns)) + 1
        return SparseArray(*sorted_by(name, numbers(data), rows, columns), shape, name)
    if isinstance(arg1, tuple) and len(arg1) == 3:
        data, indices, starts = arg1
        # SciPy says where they stand: of their positions, counted from one.
        counted = np.arange(1, np.size(indices) + 1)
        placed = kind((counted, indices, starts), shape=shape).tocoo()
        order = np.argsort(placed.data)
        rows, columns = (x[order].astype(int) for x in placed.coords)
        return SparseArray(numbers(data), rows, columns, placed.shape, name)
    if isinstance(arg1, Handle):
        raise UnsupportedError(
            f"{kind.__name__}: of which numbers of a Value are zero depends where a gradient goes; "
            "pass them and their places: (data, (rows, columns))"
        )
    found = sparse.coo_array(kind(arg1, shape=shape))
    rows, columns = (x.astype(int) for x in found.coords)
    return SparseArray(numbers(found.data), rows, columns, found.shape, name)


def csr_array(arg1: Any, shape: Any = None) -> SparseArray:
    """``scipy.sparse.csr_array``, whose numbers may be a Value.

    Of a matrix of SciPy's or NumPy's, of ``(data, (rows, columns))`` or of ``(data, indices,
    indptr)``.

    Examples
    --------
    >>> import numpy as np, scipy.sparse, autograd_lite as ag
    >>> a = scipy.sparse.csr_array(np.array([[1.0, 0.0], [2.0, 3.0]]))
    >>> ag.grad(lambda x: np.sum(ag.scipy.sparse.csr_array(a) @ x))(np.ones(2))
    array([3., 3.])
    """
    return made(sparse.csr_array, arg1, shape)


def csc_array(arg1: Any, shape: Any = None) -> SparseArray:
    """``scipy.sparse.csc_array``, whose numbers may be a Value; as for `csr_array`."""
    return made(sparse.csc_array, arg1, shape)


def coo_array(arg1: Any, shape: Any = None) -> SparseArray:
    """``scipy.sparse.coo_array``, whose numbers may be a Value; as for `csr_array`."""
    return made(sparse.coo_array, arg1, shape)


for function in (csr_array, csc_array, coo_array):
    registry[getattr(sparse, function.__name__)] = function
