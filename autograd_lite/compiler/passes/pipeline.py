"""The pipeline: all passes, in the order in which each leaves work for the next.

A pass is a file of its own and a line in this list, which has two parts: rewrites, from
program to program, and decisions on how the program runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autograd_lite.compiler.ir import Program
from autograd_lite.compiler.passes.capture_graphs import capture_graphs
from autograd_lite.compiler.passes.fold_constants import fold_constants
from autograd_lite.compiler.passes.fuse import fuse
from autograd_lite.compiler.passes.gather_kernels import gather_kernels
from autograd_lite.compiler.passes.inline import inline
from autograd_lite.compiler.passes.join_loops import join_loops
from autograd_lite.compiler.passes.lower import lower
from autograd_lite.compiler.passes.merge_repeats import merge_repeats
from autograd_lite.compiler.passes.plan_buffers import plan_buffers
from autograd_lite.compiler.passes.remove_broadcasts import remove_broadcasts
from autograd_lite.compiler.passes.remove_dead_code import remove_dead_code
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.compiler.passes.simplify import simplify
from autograd_lite.compiler.passes.tile import tile
from autograd_lite.compiler.passes.update_early import update_early

__all__ = ["DECISIONS", "REWRITES", "run_passes"]

Rewrite = Callable[[Program], Program]
"""A pass that needs to know the program alone.  It holds for every program, so that rewrites
may run in any order and any number of times."""

Decision = Callable[[Schedule], Schedule]
"""A pass that decides how a program runs, with the options and arrays that it is for."""

REWRITES: tuple[Rewrite, ...] = (
    inline,
    remove_dead_code,
    simplify,
    remove_broadcasts,
    fold_constants,
    simplify,
    merge_repeats,
    remove_dead_code,
    update_early,
)

DECISIONS: tuple[Decision, ...] = (
    fuse,
    lower,
    gather_kernels,
    tile,
    join_loops,
    plan_buffers,
    capture_graphs,
)


def run_passes(schedule: Schedule) -> Schedule:
    """The schedule after all passes: first the rewrites, then the decisions."""
    program = schedule.program
    for rewrite in REWRITES:
        program = rewrite(program)
    schedule = replace(schedule, program=program)
    for decide in DECISIONS:
        schedule = decide(schedule)
    return schedule
