"""The page on NumPy's functions says what the code does."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from autograd_lite.core.primitive import registry
from tests.coverage_table import NAMESPACES, PAGE, page, rows
from tests.ops.cases import CASES

WRITTEN_WITH = "2.4"
"""The page lists the functions of this version of NumPy; others have more or fewer."""


@pytest.mark.skipif(not np.__version__.startswith(WRITTEN_WITH), reason="another NumPy's list")
def test_the_page_is_in_step_with_the_code() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.coverage_table"


def test_at_least_260_functions_are_differentiable_or_pass_through() -> None:
    functions = {
        getattr(namespace, name)
        for namespace in NAMESPACES.values()
        for name, state in rows(namespace)
        if state != "refused"
    }
    assert len(functions) >= 260


def test_the_page_on_scipys_functions_is_in_step_with_the_code() -> None:
    pytest.importorskip("scipy", minversion="1.15", reason="sph_harm_y came with SciPy 1.15")
    table = importlib.import_module("tests.scipy_coverage_table")
    assert table.PAGE.read_text(encoding="utf-8") == table.page(), (
        "run python -m tests.scipy_coverage_table"
    )


def test_every_function_that_the_page_lists_has_a_case_and_every_case_is_listed() -> None:
    ours = pytest.importorskip("autograd_lite.scipy")
    special = importlib.import_module("scipy.special")
    in_table = {case.function for case in CASES if case.derivatives}
    listed = {getattr(special, name) for name in ours.special.__all__ if hasattr(special, name)}
    for module in ("linalg", "ndimage", "signal"):
        theirs = importlib.import_module(f"scipy.{module}")
        listed |= {getattr(theirs, name) for name in getattr(ours, module).__all__}
    assert listed - in_table == {special.lambertw, special.zeta} - in_table
    methods = {
        key
        for key in registry
        if isinstance(key, tuple) and type(key[0]).__module__.startswith("scipy.stats")
    }
    assert methods - in_table == set()
