"""Advect as a peer: what it differentiates, and a program that it stages of that beforehand."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.benchmarks.measure import installed

__all__ = ["runs_of_advect"]


def runs_of_advect(transform: str, function: Any, *arguments: Any) -> dict[str, Any]:
    """Runs of a transform of a function, by the name of the peer; or why it cannot be measured."""
    if not installed("advect"):  # it needs Python 3.12
        return {}
    import advect

    eager = getattr(advect, transform)(function)
    runs: dict[str, Any] = {"advect": partial(eager, *arguments)}
    try:
        runs["advect, staged"] = partial(advect.stage(eager, *arguments), *arguments)
    except advect.AdvectError as error:
        runs["advect, staged"] = f"not measured: {str(error).splitlines()[0]}"
    return runs
