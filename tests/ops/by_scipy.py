"""Which cases need what SciPy computes on NumPy's arrays alone; on others they are refused."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tests.ops.cases import CASES
from tests.ops.cases.case import Case

__all__ = ["BY_SCIPY_ALONE", "is_by_scipy_alone"]

MODULES = (
    "scipy.stats", "scipy.linalg", "scipy.ndimage", "scipy.signal", "scipy.integrate",
    "scipy.interpolate", "scipy.sparse",
)  # fmt: skip
COMPOSED_OF_NUMPYS = {"toeplitz", "hankel", "circulant", "block_diag"}
OF_SPECIAL = {"gammainc", "gammaincc", "betainc", "betaincc"}
OF_SPECIAL |= {"polygamma", "sph_harm_y", "multigammaln", "comb", "factorial"}


def is_by_scipy_alone(case: Case) -> bool:
    function: Any = case.function
    if isinstance(function, tuple):  # a method of a distribution, or of a ufunc
        return type(function[0]).__module__.startswith(MODULES)
    name = getattr(function, "__name__", "")
    if find_spec("scipy") and name in OF_SPECIAL:
        from scipy import special

        return getattr(special, name, None) is function
    module = getattr(function, "__module__", None) or ""
    return module.startswith(MODULES) and name not in COMPOSED_OF_NUMPYS


BY_SCIPY_ALONE = tuple(case.name for case in CASES if is_by_scipy_alone(case))
