"""Mutation testing of the rules: whatever is changed in one, some law or convention notices.

Each run takes a sample of the mutants; with AUTOGRAD_LITE_NIGHTLY=1 it takes them all.
"""

from __future__ import annotations

import importlib
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from autograd_lite import ops
from tests.ops import (
    mutation,
    test_edges,
    test_extreme_numbers,
    test_kinks,
    test_nan_extrema,
    test_order_of_memory,
    test_overwriting,
    test_rare_arguments,
    test_singular_matrices,
    test_ties_and_degeneracies,
)
from tests.ops.cases import CASES, accumulations, fft
from tests.ops.laws import Law, laws_of_case, laws_of_tests, watched
from tests.ops.mutation import Mutant, Place
from tests.ops.survivors import SURVIVORS, WITHOUT_EFFECT

IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))

MODULES = [f"ops.{name}" for name in ops.__all__ if name != "dask_arrays"]
MODULES += ["ops.lengths"]
MODULES += [f"scipy.special.{name}" for name in ("along_axes", "bessel", "entropies")]
MODULES += [f"scipy.special.{name}" for name in ("error_functions", "gamma_functions")]
MODULES += [f"scipy.special.{name}" for name in ("hypergeometric", "incomplete", "orthogonal")]
MODULES += [f"scipy.{name}" for name in ("linalg.functions", "ndimage", "signal")]
MODULES += [f"scipy.stats.{name}" for name in ("continuous", "discrete", "families")]
MODULES += ["scipy.stats.multivariate"]
"""Where rules are; what is in a module but no rule is left as it is.

``scipy.linalg.systems`` is not there: a mutant of it hands SciPy what crashes Python.
"""

SAMPLE = {"ops.accumulations": accumulations.ROWS, "ops.fft": fft.ROWS}
"""Modules of which a usual run changes the rules, with the cases of these."""

STEP = 3
"""Of how many mutants a usual run takes one."""

CONVENTIONS = [
    test_edges,
    test_extreme_numbers,
    test_kinks,
    test_nan_extrema,
    test_order_of_memory,
    test_overwriting,
    test_rare_arguments,
    test_singular_matrices,
    test_ties_and_degeneracies,
]

MOST = 0.01
"""Which share of the mutants that change a number may go unnoticed."""

LONGEST = 10.0
"""Seconds of computing after which a mutant that goes round in circles has been noticed."""


def interrupt(*_: Any) -> None:
    raise TimeoutError


@pytest.fixture
def alarm() -> Iterator[None]:
    previous = signal.signal(signal.SIGVTALRM, interrupt)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, previous)


def is_noticed(mutant: Mutant, laws: dict[Place, list[Law]], live: Any) -> bool:
    code = mutant.code()
    if code is None:
        return True
    with mutation.in_place(code, live[mutant.rule.place]):
        for law in laws[mutant.rule.place]:
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
            holds = law.holds()
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            if not holds:
                return True
    return False


def survivors_of(modules: list[ModuleType], laws: list[Law], step: int) -> tuple[set[str], int]:
    """The names of mutants that no law notices, and of how many."""
    watched(laws, tuple(str(module.__file__) for module in modules))
    of_place: dict[Place, list[Law]] = defaultdict(list)
    for law in laws:
        for code in law.codes:
            of_place[mutation.place_of(code)].append(law)
    mutants = [x for module in modules for x in mutation.mutants_of(module)][::step]
    live = mutation.functions_at({mutant.rule.place for mutant in mutants})
    assert all(live.values())
    return {m.name for m in mutants if not is_noticed(m, of_place, live)}, len(mutants)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("alarm")
@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="needs alarms, which Windows lacks")
def test_mutants_of_the_rules_are_noticed() -> None:
    names = MODULES if IS_NIGHTLY else list(SAMPLE)
    modules = [importlib.import_module(f"autograd_lite.{name}") for name in names]
    cases = CASES if IS_NIGHTLY else [case for rows in SAMPLE.values() for case in rows]
    laws = [law for case in cases if case.derivatives for law in laws_of_case(case)]
    conventions = CONVENTIONS if IS_NIGHTLY else [test_nan_extrema, test_ties_and_degeneracies]
    laws += [law for module in conventions for law in laws_of_tests(module)]
    survivors, count = survivors_of(modules, laws, 1 if IS_NIGHTLY else STEP)
    unexplained = sorted(survivors - SURVIVORS)
    assert not unexplained, "\n".join(unexplained)
    if IS_NIGHTLY:
        noticed = sorted(SURVIVORS - survivors)
        assert not noticed, "\n".join(noticed)
        assert len(survivors - WITHOUT_EFFECT) <= MOST * (count - len(WITHOUT_EFFECT))
