"""Sparse matrices of Values, as in ``scipy.sparse``: where their numbers stand is constant.

Of a constant matrix of SciPy's, ``ag.scipy.sparse.csr_array(A) @ x`` is the product with a Value;
SciPy's own would make plain numbers of it.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import sparse
>>> rows, columns = np.array([0, 1, 1]), np.array([0, 0, 2])
>>> def squares(data, x):
...     return np.sum((sparse.coo_array((data, (rows, columns)), shape=(2, 3)) @ x) ** 2)
>>> by_data, by_x = ag.grad(squares, (0, 1))(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 2.0]))
>>> by_data, by_x
(array([ 2., 16., 32.]), array([34.,  0., 48.]))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd_lite.scipy.sparse.arrays import coo_array, csc_array, csr_array

if TYPE_CHECKING:
    from autograd_lite.scipy.sparse import linalg

__all__ = ["coo_array", "csc_array", "csr_array", "linalg"]


def __getattr__(name: str) -> Any:
    if name != "linalg":
        raise AttributeError(f"module 'autograd_lite.scipy.sparse' has no attribute {name!r}")
    return import_module("autograd_lite.scipy.sparse.linalg")
