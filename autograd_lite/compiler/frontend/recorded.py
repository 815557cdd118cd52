"""What a trace of a function comes to: its program, and what else a call must know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograd_lite.compiler.ir import Program
from autograd_lite.compiler.runtime.backend import NumpyBackend
from autograd_lite.core.node import Node

__all__ = ["Place", "Recorded"]


@dataclass(frozen=True)
class Recorded:
    """A program, the nesting of its results, and the captured Values that it also reads."""

    program: Program
    result: Any
    """The function's result with the number of an output, or a plain object, in each place."""
    captured: tuple[Node, ...]
    """Values of the outside; their data follow the arguments as inputs."""
    backend: NumpyBackend
    """Whose arrays all these are."""
    read: tuple[Node, ...] = ()
    """Values of the outside whose numbers, as they were, are constants of the program."""
    writes: bool = False
    """Whether something was written in place: what looks into it then, depends on strides."""
    reads_order: bool = False
    """Whether something was read in the order in which it lies in memory."""

    @property
    def by_layout(self) -> bool:
        """Whether arguments that lie in memory in another way need another program."""
        return self.writes or self.reads_order


@dataclass(frozen=True)
class Place:
    """Stands for an output of the program in the nesting of the results."""

    index: int
