"""The shell command ``python -m autograd_lite doctor``: the facts, and advice where one is off."""

from __future__ import annotations

import argparse
from typing import Any

from autograd_lite.compiler.runtime.disk_cache import VARIABLE
from autograd_lite.core.console import printable
from autograd_lite.doctor.blas import better_kernel
from autograd_lite.doctor.facts import Facts, Option, gather

__all__ = ["add_doctor_command", "advice", "report"]

WITHOUT_KERNELS = {"blas", "cblas", "netlib", "reference", "lapack_lite"}

SLOW = 4.0
"""GFLOP/s in float64 that one core of the last ten years exceeds with any optimized BLAS."""


def add_doctor_command(commands: Any) -> None:
    """Add ``doctor`` to the subcommands of a parser."""
    parser = commands.add_parser(
        "doctor",
        help="tell what a bug report and a slow run need to know",
        description="Print versions, the BLAS and its measured speed, what is installed of the "
        "optional packages, and advice where something is off.",
    )
    parser.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """Print the report; the exit status is 0."""
    print(printable(report(gather())))
    return 0


def report(facts: Facts) -> str:
    """The facts and the advice, for people."""
    versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    rates = ", ".join(f"{name} {rate:.0f} GFLOP/s" for name, rate in facts.gigaflops.items())
    lines = [
        versions,
        facts.system,
        f"processor    {facts.processor}, usable cores: {facts.cores}"
        f"{', AVX-512' if facts.avx512 else ''}",
        f"BLAS         {facts.blas.name}, kernel {facts.blas.kernel or 'unknown'}, "
        f"threads {facts.blas.threads or 'unknown'}",
        f"1024×1024 @  {rates}",
    ]
    if facts.variables:
        settings = " ".join(f"{name}={value}" for name, value in facts.variables.items())
        lines.append(f"environment  {settings}")
    if facts.has("Numba"):
        folder, reason = facts.kept_loops or ("no folder", None)
        lines.append(f"loops        {'kept' if reason is None else 'not kept'} in {folder}")
    lines += ["", "optional", *map(line, facts.options), "", "advice"]
    lines += [f"- {sentence}" for sentence in advice(facts)] or ["nothing is off"]
    return "\n".join(lines)


def line(option: Option) -> str:
    if option.version:
        return f"  {option.name:24}{option.version:11} {option.adds}"
    return f"  {option.name:24}{'missing':12}would add {option.adds}: {option.install}"


def advice(facts: Facts) -> list[str]:
    """What is off, and what to do about it; an empty list if nothing is.

    >>> from dataclasses import replace
    >>> from autograd_lite.doctor import Facts, advice
    >>> from autograd_lite.doctor.blas import Blas
    >>> facts = Facts({}, "", "", 2, frozenset(), Blas("openblas 0.3", "Zen", 8), {}, {}, [])
    >>> advice(facts)[0]
    '8 BLAS threads share 2 cores and wait for each other; set OPENBLAS_NUM_THREADS=2'
    """
    found = (
        facts.networks and facts.networks.advice(),
        kernel_advice(facts),
        threads_advice(facts),
        speed_advice(facts),
        drawing(facts),
        loops_advice(facts),
    )
    failed = [f"{what} could not be found out: {why}" for what, why in facts.failures.items()]
    return [sentence for sentence in found if sentence] + failed


def kernel_advice(facts: Facts) -> str | None:
    """Measured, since what a newer kernel brings differs from processor to processor."""
    better, found = better_kernel(facts.blas, facts.simd), facts.with_better_kernel
    if better is None:
        return None
    chosen = (
        f"OpenBLAS computes with the kernel {facts.blas.kernel}, and this processor has "
        f"{better.instructions}; set OPENBLAS_CORETYPE={better.name}"
    )
    if found is None:
        return f"{chosen} and measure again"
    before = facts.gigaflops.get("float64", 0.0)
    return f"{chosen}: {found:.0f} GFLOP/s, not {before:.0f}" if found > 1.1 * before else None


def threads_advice(facts: Facts) -> str | None:
    threads = facts.blas.threads
    if threads is None or threads == facts.cores:
        return None
    variable = thread_variable(facts)
    if threads > facts.cores:
        return (
            f"{threads} BLAS threads share {facts.cores} cores and wait for each other; "
            f"set {variable}={facts.cores}"
        )
    return (
        f"matrix products use {threads} of {facts.cores} cores; that is right where several "
        f"processes share the machine, else set {variable}={facts.cores}"
    )


def thread_variable(facts: Facts) -> str:
    for library in ("openblas", "mkl", "blis"):
        if facts.blas.name.startswith(library):
            return f"{library.upper()}_NUM_THREADS"
    return "OMP_NUM_THREADS"


def speed_advice(facts: Facts) -> str | None:
    rate = facts.gigaflops.get("float64", SLOW)
    library = facts.blas.name.partition(" ")[0].lower()
    if library in WITHOUT_KERNELS:
        return (
            f"NumPy was built with {facts.blas.name}, which has no kernels for this processor; "
            "NumPy from PyPI (pip install --force-reinstall numpy) brings OpenBLAS"
        )
    if rate < SLOW:
        return (
            f"a matrix product reached {rate:.1f} GFLOP/s, less than one core should; "
            "see what else is computing on this machine, and measure again"
        )
    single = facts.gigaflops.get("float32", rate)
    if single < rate:
        return (
            f"float32 reached {single:.0f} GFLOP/s and float64 {rate:.0f}, where float32 should be "
            "about twice as fast: the measurement was disturbed, so measure again"
        )
    return None


def drawing(facts: Facts) -> str | None:
    if facts.has("dot") or facts.has("Graphviz as WebAssembly"):
        return None
    return (
        "drawings cannot be saved as .svg or shown in notebooks, as there is no Graphviz; "
        "pip install 'autograd-lite[draw]'"
    )


def loops_advice(facts: Facts) -> str | None:
    if not facts.has("Numba") or facts.kept_loops is None or facts.kept_loops[1] is None:
        return None
    folder, reason = facts.kept_loops
    return (
        f"loops by Numba are not kept in {folder} for other processes: {reason}; mend that, or "
        f"let {VARIABLE} name another folder"
    )
