"""Run a piece of a program block by block, on several threads: what generated source calls.

A block is a stretch of an array that stays in the cache while all operations of
the piece pass over it.  NumPy's loops release the interpreter's lock, so blocks
run at the same time on several cores.  This module needs nothing of the package.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

__all__ = ["available_threads", "run_blocks"]

Block = Callable[[int, int], None]


def available_threads() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_blocks(
    make_block: Callable[..., Block],
    length: int,
    size: int,
    *arrays: Any,
    threads: int | None = None,
) -> None:
    """Call ``block(start, stop)`` for all blocks of ``size`` up to ``length``.

    Parameters
    ----------
    make_block
        Called as ``make_block(size, *arrays)``, once in each thread, and once
        more for a last block that is shorter; makes the block's own buffers and
        returns the function to call.
    length, size : int
        The blocks are [0, size), [size, 2 size), ..., up to ``length``.
    threads : int, optional
        How many threads take blocks, this one included; by default one a core.

    Raises
    ------
    Exception
        What a block raised; the others have then ended, or never run.
    """
    starts = deque(range(0, length, size))

    def work() -> None:
        block = make_block(min(size, length), *arrays)
        try:
            for start in handed_out(starts):
                if start + size <= length:
                    block(start, start + size)
                else:
                    make_block(length - start, *arrays)(start, length)
        except BaseException:
            starts.clear()
            raise

    helpers = min(threads or available_threads(), len(starts)) - 1
    # The context holds np.errstate, which must rule in every thread.
    futures = list(started(helpers, work))
    try:
        work()
    finally:
        errors = [future.exception() for future in futures if not future.cancel()]
    for error in filter(None, errors):
        raise error


def started(helpers: int, work: Callable[[], None]) -> Iterator[Future[None]]:
    """What becomes of the work of each helper: of as many as there are threads to be had."""
    for _ in range(helpers):
        future: Future[None] = Future()
        yield future
        try:
            pool().submit(copy_context().run, fulfil, future, work)
        except RuntimeError:
            # The pool may keep what it could not start; the caller cancels what has not begun.
            return


def fulfil(future: Future[None], work: Callable[[], None]) -> None:
    """Do the work, unless nobody waits for it any more."""
    if future.set_running_or_notify_cancel():
        try:
            work()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(None)


def handed_out(starts: deque[int]) -> Iterator[int]:
    """What is left, one by one; several threads may take from the same."""
    while True:
        try:
            yield starts.popleft()
        except IndexError:
            return


pools: list[ThreadPoolExecutor] = []


def pool() -> ThreadPoolExecutor:
    """The threads that all programs share, made when first needed."""
    if not pools:
        pools.append(ThreadPoolExecutor(max(available_threads() - 1, 1), "autograd_lite"))
    return pools[0]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pools.clear)
