"""The site's reference covers all that is public."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import autograd_lite
import nn
from docs.reference import is_function, names_by_kind

DOCS = Path(__file__).parents[2] / "docs"
LISTED = re.findall(r"^   ([a-z_.]+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("package", [autograd_lite, nn], ids=lambda package: package.__name__)
def test_every_public_module_has_its_page(package):
    assert package.__name__ in LISTED
    for name in package.__all__:
        # The rules of ops are listed by what they differentiate, in the coverage of NumPy.
        if isinstance(getattr(package, name), ModuleType) and name != "ops":
            assert f"{package.__name__}.{name}" in LISTED


@pytest.mark.parametrize("module", LISTED)
def test_a_module_page_lists_all_that_the_module_names(module):
    public = import_module(module)
    listed = [name for _, names in names_by_kind(module) for name in names]
    assert len(listed) == len(set(listed))
    for name in getattr(public, "__all__", ()):
        assert name in listed or isinstance(getattr(public, name), ModuleType), name


def test_functions_with_rules_of_their_own_are_listed_as_functions():
    functions = dict(names_by_kind("nn"))["Functions"]
    for name in ("heaviside", "log_softmax", "relu", "sigmoid", "softmax"):
        assert name in functions
        assert is_function(f"nn.{name}")
    assert "sign" in dict(names_by_kind("nn.activations"))["Functions"]


def test_the_pages_are_made_from_these_lists():
    configuration = (DOCS / "conf.py").read_text(encoding="utf-8")
    assert "autosummary_context" in configuration
    templates = DOCS / "_templates" / "autosummary"
    assert "names_by_kind(fullname)" in (templates / "module.rst").read_text(encoding="utf-8")
    assert "is_function(fullname)" in (templates / "data.rst").read_text(encoding="utf-8")


def test_every_page_is_reached_from_the_front_page():
    front = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^[a-z_]+$", front, re.MULTILINE)
    pages = {page.stem for page in DOCS.glob("*.md")} - {"index"}
    assert sorted(listed) == sorted(pages), "each page of docs/ once, in docs/index.md"
    for folder in ("learn", "es"):
        for page in (DOCS / folder).glob("*.md"):
            assert f"{folder}/{page.stem}" in front


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_no_two_digits_follow_frac(page):
    r"""What turns formulas into MathML reads ``\frac12 x`` as 12 divided by x."""
    assert re.findall(r"\\frac\d\d.*", page.read_text(encoding="utf-8")) == []
