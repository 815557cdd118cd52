"""What is missing where tests are skipped, and which extra of this package brings it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"

DISTRIBUTIONS = {"sklearn": "scikit-learn", "distributed": "dask", "PyTorch": "torch", "JAX": "jax"}
"""Packages that go by another name than the one they are installed by."""

LACK = re.compile(r"could not import '(\w+)|(\w+) is not installed|needs (\w+)")


def extras() -> dict[str, set[str]]:
    """The packages that each extra brings, those of the extras in it included."""
    text = PYPROJECT.read_text(encoding="utf-8")
    listed = tomllib.loads(text)["project"]["optional-dependencies"]

    def packages(extra: str) -> set[str]:
        found: set[str] = set()
        for requirement in listed[extra]:
            name, others = re.match(r"([\w-]+)(?:\[([\w,]+)\])?", requirement).groups()
            if name == "autograd-lite":
                found = found.union(*map(packages, others.split(",")))
            else:
                found.add(name)
        return found

    return {extra: packages(extra) for extra in listed}


def lacking(reasons: Iterable[str]) -> list[str]:
    """One line for each extra that would run some of what was skipped for these reasons."""
    found = [next(filter(None, lack.groups())) for lack in map(LACK.search, reasons) if lack]
    skips = [DISTRIBUTIONS.get(name, name) for name in found]
    lines = []
    while skips:
        extra, brought = max(extras().items(), key=lambda item: sum(x in item[1] for x in skips))
        here = [name for name in skips if name in brought]
        if not here:
            break
        names = ", ".join(sorted(set(here)))
        lines.append(
            f"{len(here)} skipped for lack of {names}: pip install -e '.[{extra}]' runs them"
        )
        skips = [name for name in skips if name not in brought]
    return lines
