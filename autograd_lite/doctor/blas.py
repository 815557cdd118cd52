"""The library that multiplies matrices: which it is, the kernel it chose, and its speed."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Blas", "find_blas", "gigaflops"]


@dataclass(frozen=True)
class Blas:
    """A library of matrix products; None where it does not tell."""

    name: str
    kernel: str | None = None
    threads: int | None = None


def find_blas() -> Blas:
    """Ask threadpoolctl if it is installed, else OpenBLAS itself, else NumPy's build."""
    return from_threadpoolctl() or facts_from_openblas(libraries_of_numpy()) or facts_from_build()


def from_threadpoolctl() -> Blas | None:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None
    for library in threadpool_info():
        if library["user_api"] == "blas":
            return Blas(
                f"{library['internal_api']} {library['version'] or ''}".strip(),
                library.get("architecture"),
                library["num_threads"],
            )
    return None


def libraries_of_numpy() -> list[Path]:
    """Libraries that lie in NumPy's wheel, which has loaded them already."""
    package = Path(np.__file__).parent
    folders = (package.parent / "numpy.libs", package / ".dylibs")
    return [path for folder in folders for path in sorted(folder.glob("*openblas*"))]


def facts_from_openblas(libraries: Iterable[Path]) -> Blas | None:
    for path in libraries:
        try:
            library = ctypes.CDLL(str(path))
        except OSError:
            continue
        kernel = openblas_function(library, "get_corename")
        threads = openblas_function(library, "get_num_threads")
        configuration = openblas_function(library, "get_config")
        if kernel is None or threads is None or configuration is None:
            continue
        for function in (kernel, configuration):
            function.restype = ctypes.c_char_p
        version = configuration().decode().split()[1]
        return Blas(f"openblas {version}", kernel().decode(), threads())
    return None


def openblas_function(library: ctypes.CDLL, name: str) -> Any:
    """A function of OpenBLAS, whose builds give their names various prefixes and suffixes."""
    for prefix in ("scipy_", ""):
        for suffix in ("64_", ""):
            function = getattr(library, f"{prefix}openblas_{name}{suffix}", None)
            if function is not None:
                return function
    return None


def facts_from_build() -> Blas:
    configuration: Any = np.show_config(mode="dicts")
    build = configuration["Build Dependencies"]["blas"]
    return Blas(f"{build.get('name', 'unknown')} {build.get('version', '')}".strip())


def gigaflops(dtype: Any, size: int = 1024, seconds: float = 0.3) -> float:
    """The best rate of square matrix products, in 1e9 floating-point operations a second."""
    matrix = np.random.default_rng(0).random((size, size), np.float64).astype(dtype)
    product = np.empty_like(matrix)
    best = np.inf
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline or not np.isfinite(best):
        started = time.perf_counter()
        np.dot(matrix, matrix, out=product)
        best = min(best, time.perf_counter() - started)
    return float(2 * size**3 / best / 1e9)
