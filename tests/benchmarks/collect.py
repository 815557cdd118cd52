"""All workloads, by name: the lists ``WORKLOADS`` of the modules in this folder."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from pathlib import Path

from tests.benchmarks.measure import Measurable

FOLDER = Path(__file__).parent
COMMANDS = ("__main__", "accuracy", "gpu", "one", "scaling")
"""Modules to be run, not to be imported."""


def workloads() -> dict[str, Measurable]:
    found: dict[str, Measurable] = {}
    for module in pkgutil.iter_modules([str(FOLDER)]):
        if module.name in COMMANDS:
            continue
        for workload in getattr(import_module(f"{__package__}.{module.name}"), "WORKLOADS", ()):
            found[workload.name] = workload
    return found
