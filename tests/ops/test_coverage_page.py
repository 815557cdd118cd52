"""The page on NumPy's functions says what the code does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.coverage_table import NAMESPACES, PAGE, page, rows

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
