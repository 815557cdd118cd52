"""The shell command ``python -m autograd_lite doctor``."""

from __future__ import annotations

import argparse
from typing import Any

from autograd_lite.doctor.advice import advice
from autograd_lite.doctor.facts import Facts, gather
from autograd_lite.doctor.options import Option

__all__ = ["add_doctor_command", "report"]


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
    print(report(gather()))
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
    lines += ["", "optional", *map(_line, facts.options), "", "advice"]
    lines += [f"- {sentence}" for sentence in advice(facts)] or ["nothing is off"]
    return "\n".join(lines)


def _line(option: Option) -> str:
    if option.version:
        return f"  {option.name:24}{option.version:12}{option.adds}"
    return f"  {option.name:24}{'missing':12}would add {option.adds}: {option.install}"
