"""The pipeline: all passes, in the order in which each leaves work for the next.

A pass is a file of its own and a line in this list, which has two parts: rewrites, from
program to program, and decisions on how the program runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autograd_lite.compiler.ir import Program, rewrite_bodies
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
from autograd_lite.compiler.passes.scale_rows import scale_rows
from autograd_lite.compiler.passes.schedule import Schedule
from autograd_lite.compiler.passes.schedule_bodies import compile_loops, schedules_of
from autograd_lite.compiler.passes.share_ties import share_ties
from autograd_lite.compiler.passes.simplify import simplify
from autograd_lite.compiler.passes.simplify_bodies import simplify_bodies
from autograd_lite.compiler.passes.split_loops import split_loops
from autograd_lite.compiler.passes.tile import tile
from autograd_lite.compiler.passes.update_early import update_early

__all__ = ["DECISIONS", "REWRITES", "Watch", "decide", "rewrite_all", "unwatched"]

Rewrite = Callable[[Program], Program]
"""A pass that needs to know the program alone.  It holds for every program, so that rewrites
may run in any order and any number of times."""

Decision = Callable[[Schedule], Schedule]
"""A pass that decides how a program runs, with the options and arrays that it is for."""

Watch = Callable[[Program], Callable[[Callable[..., Any], Program], None]]
"""Is shown a program, or a body in it, before all passes; what it returns, each rewrite and its
result."""

REWRITES: tuple[Rewrite, ...] = (
    inline,
    remove_dead_code,
    simplify,
    remove_broadcasts,
    fold_constants,
    simplify,
    merge_repeats,
    remove_dead_code,
    simplify_bodies,
    update_early,
)

FINALLY: tuple[Rewrite, ...] = (
    simplify_bodies,
    split_loops,
    simplify,
    merge_repeats,
    remove_dead_code,
    simplify_bodies,
)
"""What pays once more when the bodies of loops and branches have been rewritten."""

DECISIONS: tuple[Decision, ...] = (
    scale_rows,
    fuse,
    share_ties,
    lower,
    gather_kernels,
    tile,
    join_loops,
    plan_buffers,
    capture_graphs,
)


def unwatched(program: Program) -> Callable[[Callable[..., Any], Program], None]:
    return lambda rewrite, program: None


def rewrite_all(program: Program, watch: Watch = unwatched) -> Program:
    """All rewrites, of a program and of the bodies in it."""
    tell = watch(program)
    for rewrite in REWRITES:
        program = rewrite(program)
        tell(rewrite, program)
    if any(operation.bodies for operation in program.operations):
        program = rewrite_bodies(program, lambda body: rewrite_all(body, watch))
        tell(rewrite_bodies, program)
        for rewrite in FINALLY:
            program = rewrite(program)
            tell(rewrite, program)
    return program


def decide(schedule: Schedule, decisions: Sequence[Decision] = DECISIONS) -> Schedule:
    """All decisions, on a program and on the bodies in it."""
    for decision in decisions:
        schedule = decision(schedule)
    compiled = compile_loops(schedule)
    loops = [x for x in schedule.program.operations if x.bodies and x not in compiled]
    bodies = {x: tuple(decide(y, decisions) for y in schedules_of(x, schedule)) for x in loops}
    return replace(schedule, bodies=bodies, compiled=compiled)
