"""Options: how functions are compiled."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from autograd_lite.compiler.ir import Operand, Operation
from autograd_lite.compiler.runtime.numba_math import check_numba, has_numba
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.value import Value

__all__ = [
    "BACKENDS",
    "BYTES",
    "Backend",
    "Blocking",
    "Options",
    "blocking_of",
    "check_backend",
    "check_cache_size",
    "check_donate",
    "check_flags",
]

Backend = Literal["numpy", "numba", "auto"]
BACKENDS = get_args(Backend)

BYTES = 1 << 17
"""Of an array in a block, at most: few enough for the cache, many enough to be worth a call."""

CACHE = 1 << 25
"""Bytes of arrays that may still be in the cache when an operation comes to them."""


@dataclass(frozen=True)
class Blocking:
    """How large arrays are cut into blocks, and by how many threads those are taken."""

    block: int | None = None
    """Elements in a block; None: as many as `BYTES` allow, and all blocks alike."""
    least: int = 1 << 15
    """Elements of an array from which on it is cut."""
    threads: int | None = None
    """At most so many; None: one for each core where there is enough to do."""

    def threads_for(
        self, operations: Sequence[Operation], outer: Collection[Operand]
    ) -> int | None:
        """The threads for operations on arrays from outside, their results among them.

        Threads take turns at calling, so calls must be long: functions that are not
        cheap count four times, and arrays from beyond the cache as much as an operation.
        """
        if self.threads is not None:
            return self.threads
        slow = sum(not x.primitive.cheap for x in operations)
        moved = len(outer) if sum(x.type.nbytes for x in outer) > CACHE else 0
        pays = len(operations) + 3 * slow + moved >= 1.5 * len(operations)
        return None if pays and not self.is_little(operations) else 1

    def is_little(self, operations: Sequence[Operation]) -> bool:
        """Whether operations cost less than blocks and threads do."""
        elements = max(x.type.size for x in operations)
        return elements * len(operations) < 128 * (self.block or BYTES // 16)


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
    validate: bool

    @property
    def numba(self) -> bool:
        """Whether elementwise operations are to run in loops of Numba."""
        return self.backend == "numba"

    @property
    def tiered(self) -> bool:
        """Whether they are to do so as soon as it pays: never, where there is no Numba."""
        return self.backend == "auto" and has_numba()


def blocking_of(block: int | None, threads: int | None) -> Blocking:
    if threads is not None and not is_whole(threads, 1):
        raise ArgumentValueError(f"compile: threads={threads!r}; pass 1 or more, or omit it")
    if block is None:
        return Blocking(threads=threads)
    if not is_whole(block, 0):
        raise ArgumentValueError(f"compile: block={block!r}; pass 1 or more, or 0 for no blocks")
    return Blocking(block, block + 1 if block else sys.maxsize, threads)


def is_whole(x: object, least: int) -> bool:
    return isinstance(x, int | np.integer) and not isinstance(x, bool) and bool(x >= least)


def check_flags(**flags: bool) -> None:
    for name, flag in flags.items():
        if not isinstance(flag, bool | np.bool_):
            raise ArgumentTypeError(f"compile: {name}={flag!r}; pass True or False")


def check_cache_size(cache_size: int) -> None:
    if not is_whole(cache_size, 1):
        raise ArgumentValueError(
            f"compile: cache_size={cache_size!r}; pass how many programs are kept, 1 or more"
        )


def check_donate(donate: tuple[int | Value, ...]) -> None:
    for x in donate:
        if not isinstance(x, int | Value) or isinstance(x, bool):
            raise ArgumentValueError(
                f"compile: donate={x!r}; pass positions of arguments, or Values that the function "
                "captures"
            )


def check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise ArgumentValueError(
            f"compile: backend={backend!r} is unknown; pass 'numpy', 'numba' or 'auto'"
        )
    if backend == "numba":
        check_numba()
