"""Importing the package loads the engine alone; the rest comes when it is first used."""

from __future__ import annotations

import builtins
import re
import subprocess
import sys

import pytest

import autograd_lite as ag
import nn
from tests.house import MODULES

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


def test_what_is_listed_is_public():
    not_by_star = {name for name in dir(ag) if hasattr(builtins, name)}
    assert not_by_star == {"compile", "map"}
    not_by_star |= {"random", "scipy", "special"}
    assert dir(ag) == sorted([*ag.__all__, *not_by_star, "__version__"])
    assert dir(nn) == sorted([*nn.__all__, "__version__"])


@pytest.mark.parametrize("package", [ag, nn, nn.metrics, nn.losses, nn.activations])
def test_a_star_import_shadows_no_builtin(package):
    assert not {name for name in package.__all__ if hasattr(builtins, name)}


def test_a_star_import_shadows_no_module_that_programs_import_beside_it():
    assert not {"math", "np", "numpy", "random", "scipy", "special"} & {*ag.__all__, *nn.__all__}


def test_former_names_of_nn_work_with_a_warning():
    places = {"cosine": nn.losses, "perceptron": nn.losses, "sign": nn.activations}
    for name, module in places.items():
        place = module.__name__
        with pytest.warns(DeprecationWarning, match=rf"^nn\.{name} is deprecated; write {place}\."):
            assert getattr(nn, name) is getattr(module, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'autograd_lite' has no attribute 'gradd'"):
        ag.gradd  # noqa: B018


def registered_after(names: list[str]) -> str:
    """What the registry holds once these modules are imported, in this order."""
    lines = [f"import {name}" for name in names]
    lines += ["from autograd_lite.core.primitive import registry"]
    lines += ["print(sorted((str(function), str(p)) for function, p in registry.items()))"]
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return re.sub(r" at 0x[0-9a-f]+", "", run.stdout)


def test_modules_can_be_imported_in_either_order():
    for extra in ("dask", "hypothesis", "scipy", "sklearn"):
        pytest.importorskip(extra)
    names = sorted(name for name in MODULES if not name.endswith("__main__"))
    assert registered_after(names) == registered_after(names[::-1])
