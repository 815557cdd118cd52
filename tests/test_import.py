"""Importing the package loads the engine alone; the rest comes when it is first used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import autograd_lite as ag

HEAVY = (
    "graphviz",
    "numpy.random",
    "scipy",
    "hypothesis",
    "sklearn",
    "matplotlib",
    "torch",
    "tqdm",
)
LATER = ("autograd_lite.drawing", "autograd_lite.checking", "autograd_lite.testing")


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    more_than_numpy = loaded_by("import autograd_lite") - loaded_by("import numpy")
    assert not more_than_numpy & {*HEAVY, *LATER}


def test_what_comes_later_comes_when_it_is_used():
    assert "autograd_lite.drawing" in loaded_by("import autograd_lite as ag; ag.draw")
    assert "autograd_lite.checking" in loaded_by("import autograd_lite as ag; ag.gradcheck")


def test_every_public_name_is_there_and_listed():
    for name in ag.__all__:
        assert getattr(ag, name) is not None
        assert name in dir(ag)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autograd_lite' has no attribute 'gradd'"):
        ag.gradd  # noqa: B018
