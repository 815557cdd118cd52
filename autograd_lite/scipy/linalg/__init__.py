"""Linear algebra, as in ``scipy.linalg``: systems of several kinds, matrix functions, equations.

SciPy's own make plain arrays of what they get, so they are to be called from here.

>>> import numpy as np, autograd_lite as ag
>>> from autograd_lite.scipy import linalg
>>> a = np.array([[2.0, 1.0], [1.0, 3.0]])
>>> ag.grad(lambda a: np.trace(linalg.logm(a)))(a).round(6)  # the inverse, transposed
array([[ 0.6, -0.2],
       [-0.2,  0.4]])
"""

from autograd_lite.scipy.linalg.functions import (
    block_diag,
    cholesky,
    circulant,
    coshm,
    cosm,
    det,
    expm,
    hankel,
    inv,
    logm,
    sinhm,
    sinm,
    solve_continuous_lyapunov,
    solve_discrete_lyapunov,
    solve_sylvester,
    sqrtm,
    toeplitz,
)
from autograd_lite.scipy.linalg.systems import (
    cho_factor,
    cho_solve,
    lu,
    lu_factor,
    lu_solve,
    solve,
    solve_banded,
    solve_triangular,
    solveh_banded,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "coshm",
    "cosm",
    "det",
    "expm",
    "hankel",
    "inv",
    "logm",
    "lu",
    "lu_factor",
    "lu_solve",
    "sinhm",
    "sinm",
    "solve",
    "solve_banded",
    "solve_continuous_lyapunov",
    "solve_discrete_lyapunov",
    "solve_sylvester",
    "solve_triangular",
    "solveh_banded",
    "sqrtm",
    "toeplitz",
]
