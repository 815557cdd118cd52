"""The page for those who come from another library names every name that these have."""

from __future__ import annotations

import inspect
import re
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.core.primitive import registry

PAGE = (Path(__file__).parents[2] / "docs" / "coming_from.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return re.split(r"^## ", PAGE.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[
        0
    ]


def said(title: str) -> set[str]:
    """The words in the left-hand columns of a library's tables."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("|")]
    return set(re.findall(r"\w+", " ".join(rows)))


def own_names(module: Any, package: str) -> set[str]:
    """Public functions and classes of a module that are of its package."""
    return {
        name
        for name, x in vars(module).items()
        if not name.startswith("_")
        and (inspect.isroutine(x) or inspect.isclass(x))
        and str(getattr(x, "__module__", "")).startswith(package)
    }


def test_every_name_of_autograd() -> None:
    pytest.importorskip("autograd")
    names = set()
    for path in ("", ".extend", ".misc", ".misc.optimizers", ".misc.fixed_points"):
        module = import_module(f"autograd{path}")
        names |= own_names(module, module.__name__ if path.count(".") > 1 else "autograd")
    checks = own_names(import_module("autograd.test_util"), "autograd.test_util")
    names |= {name for name in checks if name.startswith("check_")}
    helpers = {"unflatten_optimizer", "fixed_point_vjp"}
    assert names - helpers <= said("HIPS autograd")


def test_every_name_of_mygrad() -> None:
    mygrad = pytest.importorskip("mygrad")
    words = said("MyGrad")
    for name in dir(mygrad):
        thing = getattr(mygrad, name)
        if name.startswith("_") or inspect.ismodule(thing) or not callable(thing):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            of_numpy = getattr(np, name, None)
        is_dtype = isinstance(of_numpy, type)
        assert is_dtype or of_numpy in registry or name in words or name == "isnat", name
    for part in ("losses", "activations", "layers", "initializers"):
        module = import_module(f"mygrad.nnet.{part}")
        assert own_names(module, "mygrad.nnet") <= words, part


def test_what_stands_here_is_there() -> None:
    for title in ("HIPS autograd", "MyGrad", "advect"):
        for package, path in re.findall(r"`@?(ag|nn|np)\.([\w.]+)", section(title)):
            thing: Any = {"ag": ag, "nn": nn, "np": np}[package]
            for name in path.rstrip(".").split("."):
                thing = getattr(thing, name)


def test_formulas_of_the_page() -> None:
    mygrad = pytest.importorskip("mygrad")
    x = np.array([1.5, 2.5])
    here = {
        "cot": lambda x: 1 / np.tan(x),
        "sec": lambda x: 1 / np.cos(x),
        "csc": lambda x: 1 / np.sin(x),
        "coth": lambda x: 1 / np.tanh(x),
        "sech": lambda x: 1 / np.cosh(x),
        "csch": lambda x: 1 / np.sinh(x),
        "arccot": lambda x: np.arctan(1 / x),
        "arcsec": lambda x: np.arccos(1 / x),
        "arccsc": lambda x: np.arcsin(1 / x),
        "arccoth": lambda x: np.arctanh(1 / x),
        "arccsch": lambda x: np.arcsinh(1 / x),
    }
    for name, function in here.items():
        theirs = mygrad.tensor(x)
        y = getattr(mygrad, name)(theirs).sum()
        y.backward()
        np.testing.assert_allclose(np.sum(function(x)), y.data, err_msg=name)
        np.testing.assert_allclose(
            ag.grad(lambda x, f=function: np.sum(f(x)))(x), theirs.grad, err_msg=name
        )


def test_products_of_autograd() -> None:
    autograd = pytest.importorskip("autograd")
    anp = import_module("autograd.numpy")
    x, v = np.array([0.3, 0.5]), np.array([1.0, -2.0])
    np.testing.assert_allclose(
        ag.hvp(lambda x: np.sum(np.sin(x) * x), x, v),
        autograd.make_hvp(lambda x: anp.sum(anp.sin(x) * x))(x)[0](v),
    )
    np.testing.assert_allclose(
        ag.vjp(np.sin, x)[1](v)[0], autograd.vector_jacobian_product(anp.sin)(x, v)
    )
    # autograd's multigrad_dict needs a package of the past.
    assert ag.grad(lambda a, b: a * b**2, ["a", "b"])(a=2.0, b=3.0) == (9.0, 12.0)
