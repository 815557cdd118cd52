"""Options: how functions are compiled."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from autograd_lite.compiler.passes.tiling import Blocking
from autograd_lite.compiler.runtime.numba_math import numba_module
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.value import Value

__all__ = ["BACKENDS", "Options", "blocking_of", "check_backend"]

BACKENDS = ("numpy", "numba")


@dataclass(frozen=True)
class Options:
    """What `compile` was told, with its defaults filled in."""

    check: bool
    check_finite: bool
    donate: tuple[int | Value, ...]
    cache_size: int
    blocking: Blocking
    backend: str
    cuda_graph: bool


def blocking_of(block: int | None, threads: int | None) -> Blocking:
    if threads is not None and threads < 1:
        raise ArgumentValueError(f"compile: threads={threads}; pass 1 or more, or leave it out")
    if block is None:
        return Blocking(threads=threads)
    if block < 0:
        raise ArgumentValueError(f"compile: block={block}; pass 1 or more, or 0 for no blocks")
    return Blocking(block, block + 1 if block else sys.maxsize, threads)


def check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise ArgumentValueError(
            f"compile: backend={backend!r} is unknown; pass {' or '.join(map(repr, BACKENDS))}"
        )
    if backend == "numba":
        numba_module()
