"""The typed sample program runs; `.ci/run` has its types checked against the installed wheel."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag


def test_the_program_of_a_user_runs(capsys):
    runpy.run_path(str(Path(__file__).parent / "user_program.py"), run_name="__main__")
    assert "gradcheck" in capsys.readouterr().out


def test_as_value_gives_back_what_it_got_and_refuses_what_is_no_value():
    v = np.sin(ag.Value(0.5))
    assert ag.as_value(v) is v
    with pytest.raises(ag.ArgumentTypeError) as caught:
        ag.as_value(np.sin(0.5))
    assert str(caught.value) == (
        "as_value: x is float64 and was computed from no Value, so it has no gradient; "
        "compute it from Values, or make a new one of its numbers with ag.Value(x)"
    )


def test_as_value_is_nothing_to_transforms():
    def f(x):
        return ag.as_value(np.sin(x)) ** 2

    assert ag.grad(f)(0.5) == ag.compile(ag.grad(f))(0.5)
    np.testing.assert_array_equal(ag.vmap(f)(np.ones(2)), np.sin(np.ones(2)) ** 2)
