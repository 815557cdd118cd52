"""Whose code a module is: the user's, this package's, Python's, or that of a package installed."""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from typing import Any

__all__ = [
    "is_engine",
    "is_index",
    "is_installed",
    "is_opaque",
    "is_ours",
    "is_users",
    "package_of",
]

OPAQUE = {"autograd_lite", "builtins", "dask", "numpy", "scipy", "xarray"}
"""Packages whose code stays as it is, and reads nothing that changes but its arguments."""


def package_of(module: Any) -> str:
    """The package of a module by its name, which classes may have a descriptor in the place of."""
    return module.partition(".")[0] if isinstance(module, str) else ""


def is_engine(module: str | None) -> bool:
    return package_of(module) == "autograd_lite"


@lru_cache(maxsize=4096)
def is_opaque(module: str | None) -> bool:
    """Whether what a module defines stays as it is: Python's own, NumPy, Dask, this package."""
    package = package_of(module or "builtins")
    return package in OPAQUE or (package in sys.stdlib_module_names and package != "__main__")


def is_ours(module: Any) -> bool:
    """Whether a module is of this distribution: what it defines stays as it is, too.

    Of `nn` the code is looked through none the less, for what it reads of its objects.
    """
    return package_of(module) in ("autograd_lite", "nn")


def is_users(module: str | None) -> bool:
    """Whether a module is the user's own, and of no package."""
    return not (is_ours(module) or is_opaque(module) or is_installed(module))


PACKAGES = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


@lru_cache(maxsize=4096)
def is_installed(module: str | None) -> bool:
    """Whether a module is of a package that was installed, and not of the user's own code.

    A script may be run by a program that was installed, as profilers are.
    """
    package = package_of(module)
    if package == "__main__":
        return False
    file = getattr(sys.modules.get(package), "__file__", None) or ""
    return file.startswith(PACKAGES)


def is_index(kind: type) -> bool:
    """Whether a class is one of labels of pandas, into which nobody writes."""
    return package_of(kind.__module__) == "pandas" and kind.__name__.endswith("Index")
