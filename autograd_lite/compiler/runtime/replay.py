"""Lines of a program that a GPU repeats by itself: CUDA graphs, by way of CuPy.

What a captured line reads and writes must lie where it lay when it was captured.
So these lines work on buffers, and what CuPy allocates behind them comes from a
pool that nobody else takes from.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from autograd_lite.core.errors import CompileError

__all__ = ["Replayed"]


class Replayed:
    """A function without arguments, captured when it is called for the second time.

    The first call runs it on the stream that captures, so that its kernels are compiled
    and its pool is filled: neither is possible while a stream captures.

    Parameters
    ----------
    cuda
        CuPy's module ``cupy.cuda``.
    lines
        Calls kernels on fixed arrays, and returns nothing.
    """

    def __init__(self, cuda: Any, lines: Callable[[], None]) -> None:
        self.cuda = cuda
        self.lines = lines
        self.pool = cuda.MemoryPool()
        self.stream = cuda.Stream(non_blocking=True)
        self.called = False
        self.graph: Any = None

    def __call__(self) -> None:
        if self.graph is not None:
            self.graph.launch()
        elif self.called:
            self.graph = self._capture()
            self.graph.launch()
        else:
            self._run()
            self.called = True

    def _run(self) -> None:
        """Run the lines after all that the caller's stream has to do, and before what follows."""
        current = self.cuda.get_current_stream()
        self.stream.wait_event(current.record())
        with self.stream, self.cuda.using_allocator(self.pool.malloc):
            self.lines()
        current.wait_event(self.stream.record())

    def _capture(self) -> Any:
        with self.stream, self.cuda.using_allocator(self.pool.malloc):
            try:
                self.stream.begin_capture()
                self.lines()
                return self.stream.end_capture()
            except Exception as error:
                with suppress(Exception):  # the capture is invalid, if there is any
                    self.stream.end_capture()
                raise CompileError(
                    f"a part of the program cannot be captured as a CUDA graph ({error}); "
                    "omit cuda_graph=True"
                ) from error
