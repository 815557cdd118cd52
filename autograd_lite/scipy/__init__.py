"""SciPy's functions with gradients, under SciPy's own names: ``ag.scipy.special.gamma``.

SciPy computes; the derivatives are here.  A module is imported when it is first used, and
SciPy with it.

>>> import numpy as np, autograd_lite as ag
>>> round(ag.grad(ag.scipy.special.gammaln)(3.0), 6)
0.922784
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from autograd_lite.core.errors import MissingOptionError

if TYPE_CHECKING:
    from autograd_lite.scipy import (
        integrate,
        interpolate,
        linalg,
        ndimage,
        optimize,
        signal,
        sparse,
        special,
        stats,
    )

try:
    import scipy  # noqa: F401
except ImportError as error:
    raise MissingOptionError(
        "autograd_lite.scipy needs SciPy, which is not installed; "
        "install it with: pip install 'autograd-lite[scipy]'"
    ) from error

__all__ = [
    "integrate",
    "interpolate",
    "linalg",
    "ndimage",
    "optimize",
    "signal",
    "sparse",
    "special",
    "stats",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'autograd_lite.scipy' has no attribute {name!r}")
    return import_module(f"autograd_lite.scipy.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
