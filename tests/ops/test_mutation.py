"""Mutation testing of the rules: whatever is changed in one, some law or convention notices.

Each run takes a sample of the mutants; with AUTOGRAD_LITE_NIGHTLY=1 it takes them all.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import signal
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

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
    test_undefined_results,
)
from tests.ops.cases import CASES, accumulations, fft
from tests.ops.laws import Law, laws_of_case, laws_of_tests, watched
from tests.ops.mutation import Mutant, Place
from tests.ops.survivors import SURVIVORS, WITHOUT_EFFECT

IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))

EXCEPTIONS = {
    "ops.dask_arrays": "its arrays are in no row; tests/ops/test_dask_arrays.py is about them",
    "scipy.linalg.systems": "a mutant of it hands SciPy what crashes Python",
}
"""Modules with rules that are left as they are, and why."""

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
    test_undefined_results,
]

CLOSED_FORMS = {
    "test_scipy_integrate": "test_values_and_derivatives",
    "test_scipy_optimize": "test_values_and_derivatives",
    "test_scipy_edges": "test_",
}
"""Modules of what has no rows, functions of functions and ends: which tests know derivatives."""

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
    place = mutant.rule.place
    with mutation.in_place(code, place, live[place]):
        for law in laws[place]:
            signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
            holds = law.holds()
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            if not holds:
                return True
    return False


def modules_with_rules() -> list[str]:
    """Those in which something can be changed; what is in one but no rule is left as it is."""
    names = [
        listed.name.removeprefix("autograd_lite.")
        for package in map(named, ("ops", "scipy"))
        for listed in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in names if any(mutation.mutants_of(named(name)))]


def named(module: str) -> ModuleType:
    return importlib.import_module(f"autograd_lite.{module}")


def laws_of_closed_forms() -> Iterator[Law]:
    for name, tests in CLOSED_FORMS.items():
        module = importlib.import_module(f"tests.ops.{name}")
        yield from laws_of_tests(module, tests)


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


@pytest.mark.timeout(3600 if IS_NIGHTLY else 600)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("alarm")
@pytest.mark.skipif(not hasattr(signal, "SIGVTALRM"), reason="needs alarms, which Windows lacks")
def test_mutants_of_the_rules_are_noticed() -> None:
    names = modules_with_rules() if IS_NIGHTLY else SAMPLE
    modules = [named(name) for name in names if name not in EXCEPTIONS]
    cases = CASES if IS_NIGHTLY else [case for rows in SAMPLE.values() for case in rows]
    laws = [law for case in cases if case.derivatives for law in laws_of_case(case)]
    conventions = CONVENTIONS if IS_NIGHTLY else [test_nan_extrema, test_ties_and_degeneracies]
    laws += [law for module in conventions for law in laws_of_tests(module)]
    laws += laws_of_closed_forms() if IS_NIGHTLY else []
    survivors, count = survivors_of(modules, laws, 1 if IS_NIGHTLY else STEP)
    unexplained = sorted(survivors - SURVIVORS)
    assert not unexplained, "\n".join(unexplained)
    if IS_NIGHTLY:
        noticed = sorted(SURVIVORS - survivors)
        assert not noticed, "\n".join(noticed)
        assert len(survivors - WITHOUT_EFFECT) <= MOST * (count - len(WITHOUT_EFFECT))


def test_what_is_named_is_there() -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("dask")
    names = modules_with_rules()
    assert EXCEPTIONS.keys() | SAMPLE.keys() <= set(names)
    modules = [named(name) for name in names if name not in EXCEPTIONS]
    mutants = {mutant.name for module in modules for mutant in mutation.mutants_of(module)}
    assert sorted(SURVIVORS - mutants) == []
