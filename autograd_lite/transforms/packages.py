"""Whose code a module is: the user's, this package's, Python's, or that of a package installed."""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from typing import Any

__all__ = [
    "CACHES",
    "FILLED_IN",
    "FILLING",
    "is_engine",
    "is_index",
    "is_installed",
    "is_opaque",
    "is_ours",
    "is_users",
    "package_of",
    "parts_by_name",
]

OPAQUE = {
    *("autograd_lite", "builtins", "dask", "jax", "jaxlib", "matplotlib", "numba", "numpy"),
    *("pandas", "pyarrow", "scipy", "sklearn", "torch", "xarray"),
}
"""Packages whose code stays as it is, and reads nothing that changes but its arguments."""

FILLING = {"numpy", "scipy", "sklearn", "torch", "xarray"}
"""Packages whose objects hold what their own code alone reads; and it calls methods of others."""

FILLED_IN = {"_attrs", "_close", "_encoding"}
"""What objects of xarray hold of files; and their attributes, None in the place of none."""

CACHES = {"cache_token", "dispatch_cache"}
"""Variables of functions of Python's own (`singledispatch`) that hold what has been looked up."""

PARTS = {
    "ContextDecorator": ("func", "args", "kwds"),
    "Future": ("_result", "_state"),
    "NormalDist": ("_mu", "_sigma"),
    "Template": ("template",),
    "closing": ("thing",),
    "nullcontext": ("enter_result",),
    "partialmethod": ("func", "args", "keywords"),
    "singledispatchmethod": ("func", "dispatcher"),
    "Element": ("tag", "text", "tail", "attrib"),
    "Event": ("_flag",),
    "Queue": ("queue",),
    "WeakSet": ("data",),
    "NDFrame": ("_mgr", "_attrs", "_name"),
    "BaseBlockManager": ("axes", "blocks"),
    "Block": ("values",),
    "ExtensionArray": ("_ndarray", "_data", "_mask", "_pa_array", "_dtype", "_sparse_values"),
    "IntervalArray": ("_left", "_right"),
    "GroupBy": ("obj", "_selection"),
    "BaseWindow": ("obj", "_selection"),
    "NDFrameIndexerBase": ("obj",),
    "Properties": ("_parent",),
    "StringMethods": ("_orig",),
}
"""What objects of Python's own classes and of pandas hold, beside what they keep for a while."""


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


@lru_cache(maxsize=4096)
def parts_by_name(kind: type) -> tuple[str, ...]:
    """Attributes of an object that are watched because its class is known, and not its code."""
    known = [x for x in kind.__mro__ if is_opaque(x.__module__)]
    return tuple(part for base in known for part in PARTS.get(base.__name__, ()))
