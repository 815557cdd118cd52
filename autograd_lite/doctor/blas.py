"""The library that multiplies matrices: which it is, the kernel it chose, and its speed."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Blas", "Kernel", "better_kernel", "find_blas", "gigaflops", "rate_with"]


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


KERNELS = {
    "SSE": {"Prescott", "Katmai", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom", "Generic"}
    | {"Banias", "Coppermine", "Northwood", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat"},
    "AVX": {"Sandybridge", "Bulldozer", "Piledriver", "Steamroller"},
    "AVX2": {"Haswell", "Zen", "Excavator"},
    "AVX-512": {"SkylakeX", "Cooperlake", "Sapphirerapids"},
}
"""OpenBLAS's kernels for x86, by the instructions that they compute with, the newest last."""


class Kernel(NamedTuple):
    """A kernel of OpenBLAS, and the instructions that it computes with."""

    name: str
    instructions: str


def better_kernel(blas: Blas, simd: frozenset[str]) -> Kernel | None:
    """The kernel for newer instructions that the processor has; None if the best one runs."""
    if not blas.name.startswith("openblas"):
        return None
    order = list(KERNELS)
    level = next((order.index(k) for k, names in KERNELS.items() if blas.kernel in names), None)
    if not simd.isdisjoint({"AVX512_SKX", "X86_V4"}):  # NumPy 2.4 renamed them
        best = Kernel("SkylakeX", "AVX-512")
    elif not simd.isdisjoint({"AVX2", "X86_V3"}):
        best = Kernel("Haswell", "AVX2")
    else:
        return None
    return best if level is not None and level < order.index(best.instructions) else None


def rate_with(kernel: Kernel) -> float:
    """The rate of products in float64 in another process, which is told to use a kernel.

    0 where the process dies of it, as it does with some kernels of OpenBLAS 0.3.34.
    """
    program = f"from {__name__} import gigaflops; print(gigaflops('float64'))"
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"OPENBLAS_CORETYPE": kernel.name},
        capture_output=True,
        text=True,
        timeout=60,
    )
    if run.returncode < 0:  # by a signal
        return 0.0
    run.check_returncode()
    return float(run.stdout)
