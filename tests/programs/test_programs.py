"""Random programs are computed as NumPy computes them, or refused by name.

Set AUTOGRAD_LITE_NIGHTLY to run 5,000 programs instead of 200, and 1,000 instead of 40 compiled,
mapped and by sparse matrices.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.programs.generation import FEATURES, switched_on, write_program
from tests.programs.judging import examine
from tests.programs.shrinking import shortest
from tests.programs.ways import COMPILED, EAGER, MAPPED, SPARSE, Way
from tests.programs.writing import PHRASES, kinds

PARTS = 4
PROGRAMS = 5000 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 200
LEAST_SHARE = 1 / 3
"""Of programs that must be computed."""


@pytest.mark.parametrize("part", range(PARTS))
def test_programs_are_computed_or_refused_by_name(part: int) -> None:
    check(range(part, PROGRAMS, PARTS), EAGER)


def test_compiled_programs_are_too() -> None:
    check(range(PROGRAMS, PROGRAMS + PROGRAMS // 5), COMPILED)


def test_mapped_programs_are_too() -> None:
    check(range(2 * PROGRAMS, 2 * PROGRAMS + PROGRAMS // 5), MAPPED)


def test_programs_by_sparse_matrices_are_too() -> None:
    check(range(3 * PROGRAMS, 3 * PROGRAMS + PROGRAMS // 5), SPARSE)


def check(seeds: range, way: Way) -> None:
    outcomes: Counter[str] = Counter()
    for seed in seeds:
        program = write_program(seed, switched_on(way))
        outcome = examine(program, way)
        outcomes[outcome.kind] += 1
        if outcome.is_failure:
            short = shortest(program, way)
            pytest.fail(f"seed {seed}: {examine(short, way)}\n\n{short.reproduction()}")
    # What only sees refusals tests nothing.
    assert outcomes["computed"] >= len(seeds) * LEAST_SHARE, outcomes


def test_every_kind_of_statement_belongs_to_a_feature() -> None:
    features = {k.feature for k in kinds} | set(PHRASES) | {"numbers", "layouts", "argument writes"}
    assert set(FEATURES) == features
