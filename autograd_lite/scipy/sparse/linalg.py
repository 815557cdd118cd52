"""Linear systems with sparse matrices, as in ``scipy.sparse.linalg``.

The gradient by the right-hand side solves the transposed system, by the same method; that by the
numbers of the matrix is needed only where they stand.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import sparse
>>> rows, columns = np.array([0, 1, 1]), np.array([0, 0, 1])
>>> def last(data):
...     a = sparse.csr_array((data, (rows, columns)), shape=(2, 2))
...     return sparse.linalg.spsolve(a, np.ones(2))[1]
>>> ag.grad(last)(np.array([2.0, 1.0, 4.0])).round(5)
array([ 0.0625 , -0.125  , -0.03125])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import sparse
from scipy.sparse import linalg

from autograd_lite.core.errors import ArgumentTypeError, UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.core.tree import flatten
from autograd_lite.scipy.names import as_array_operand, computed_by_scipy
from autograd_lite.scipy.sparse.arrays import (
    KINDS,
    TURNED,
    SparseArray,
    coo_array,
    csc_array,
    csr_array,
    gradient_of_numbers,
)

__all__ = ["bicgstab", "cg", "gmres", "spsolve"]


def as_sparse(a: Any, name: str) -> SparseArray:
    """A matrix as its numbers and their places: of a dense one all of them."""
    if isinstance(a, SparseArray):
        return a
    if sparse.issparse(a):
        made = {"coo": coo_array, "csc": csc_array}.get(a.format, csr_array)
        return made(a)
    if isinstance(a, linalg.LinearOperator) or callable(a):
        raise UnsupportedError(
            f"{name}: of an operator there is no derivative here; pass a matrix, or decorate the "
            "solver with ag.implicit"
        )
    a = as_array_operand(a)
    rows, columns = np.indices(np.shape(a))
    return SparseArray(np.ravel(a), np.ravel(rows), np.ravel(columns), np.shape(a))


def is_of_values(a: Any, b: Any) -> bool:
    numbers = a.data if isinstance(a, SparseArray) else a
    return holds_value(flatten([None if sparse.issparse(numbers) else numbers, b]))


def plain(a: Any) -> Any:
    """A matrix of plain numbers as SciPy's."""
    if not isinstance(a, SparseArray):
        return a
    return KINDS[a.format]((a.data, (a.rows, a.columns)), shape=a.shape)


def system(name: str, solve: Callable[..., Any]) -> Any:
    """A solver of linear systems: ``solve(matrix, b, **options)``."""

    def forward(
        data: Any, b: Any, rows: Any, columns: Any, *, shape: Any, kind: str, options: Any
    ) -> Any:
        made = KINDS[kind]((data, (rows, columns)), shape=tuple(shape))
        return solve(made, b, **dict(options))

    def rule(
        g: Any,
        out: Any,
        data: Any,
        b: Any,
        rows: Any,
        columns: Any,
        *,
        shape: Any,
        kind: str,
        options: Any,
    ) -> Any:
        turned = primitive(
            data, g, columns, rows, shape=tuple(shape)[::-1], kind=TURNED[kind],
            options=transposed(options),
        )  # fmt: skip
        by_data = -gradient_of_numbers(turned, out, rows, columns)
        return by_data, np.reshape(turned, np.shape(b)), None, None

    primitive = computed_by_scipy(forward, joint=rule, name=name, arrays=4)
    return primitive


def transposed(options: Any) -> Any:
    """The preconditioner of the transposed system is the transposed one."""
    return tuple((key, x.T if key == "M" and x is not None else x) for key, x in options)


def spsolve_forward(a: Any, b: Any, **options: Any) -> Any:
    return linalg.spsolve(a.tocsc() if a.format == "coo" else a, b, **options)


direct = system("spsolve", spsolve_forward)


def spsolve(A: Any, b: Any, permc_spec: Any = None, use_umfpack: bool = True) -> Any:  # noqa: N803
    """``scipy.sparse.linalg.spsolve``: by the numbers of the matrix and the right-hand side."""
    options = {"permc_spec": permc_spec, "use_umfpack": use_umfpack}
    if not is_of_values(A, b):
        return linalg.spsolve(plain(A), b, **options)
    if sparse.issparse(b):
        raise UnsupportedError(
            "spsolve: a sparse right-hand side has no derivative rule here; pass b.toarray()"
        )
    a, b = as_sparse(A, "spsolve"), as_array_operand(b)
    return direct(
        a.data, b, a.rows, a.columns, shape=a.shape, kind=a.format, options=tuple(options.items())
    )


def iterative(function: Any) -> Callable[..., Any]:
    """A solver that takes steps until little is left."""
    name = function.__name__

    def solve(a: Any, b: Any, **options: Any) -> Any:
        x, info = function(a, b, **options)
        if info:
            raise UnsupportedError(
                f"{name} did not converge (info={info}), and what is not a solution has no "
                "derivative as one; pass a larger maxiter or rtol, or call spsolve"
            )
        return x

    primitive = system(name, solve)

    def solver(A: Any, b: Any, x0: Any = None, **options: Any) -> Any:  # noqa: N803
        if not is_of_values(A, b):
            return function(plain(A), b, x0, **options)
        for key, x in {"x0": x0, **options}.items():
            if holds_value(flatten([x])):
                raise ArgumentTypeError(
                    f"{name}: {key} is a Value, by which there is no derivative; pass {key}.data"
                )
        a, b = as_sparse(A, name), as_array_operand(b)
        settings = tuple(options.items())
        return primitive(
            a.data, b, a.rows, a.columns, shape=a.shape, kind=a.format, options=settings
        ), 0

    solver.__name__ = solver.__qualname__ = name
    solver.__doc__ = f"""``scipy.sparse.linalg.{name}``: by the numbers of the matrix and by ``b``.

    The gradient is solved by it too, to the same tolerances.  ``x0`` is for plain numbers: of
    Values the search starts at zero.  What does not converge is refused, so that ``info`` is 0.
    """
    registry[function] = solver
    return solver


cg = iterative(linalg.cg)
gmres = iterative(linalg.gmres)
bicgstab = iterative(linalg.bicgstab)
registry[linalg.spsolve] = spsolve
