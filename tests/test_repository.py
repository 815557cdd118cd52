"""What the repository promises about itself: links resolve, commands and versions agree."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import autograd_lite
from tests.skips import lacking

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_resolve(page):
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_versions_agree():
    version = PROJECT["version"]
    assert autograd_lite.__version__ == version
    assert f"version: {version}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_every_dependency_has_a_lower_bound():
    optional = PROJECT["optional-dependencies"]
    for requirement in chain(PROJECT["dependencies"], *optional.values()):
        assert ">=" in requirement or requirement.startswith("autograd-lite["), requirement


def test_ci_runs_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line for line in readme.splitlines() if "'.[test]'" in line]
    assert len(commands) == 1
    assert commands[0].endswith("-m pytest -n 2")
    assert "'.[test]'" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_what_was_skipped_is_told_with_the_extra_that_runs_it():
    reasons = [
        "could not import 'torch': No module named 'torch'",
        "could not import 'dask.array': No module named 'dask'",
        "PyTorch is not installed",
        "needs zarr",
        "could not import 'threadpoolctl': No module named 'threadpoolctl'",
        "the program dot is not on the PATH: apt install graphviz",
    ]
    assert lacking(reasons) == [
        "4 skipped for lack of dask, torch, zarr: pip install -e '.[references]' runs them",
        "1 skipped for lack of threadpoolctl: pip install -e '.[doctor]' runs them",
    ]
    assert lacking([]) == []


def test_every_system_takes_the_same_steps_as_ci():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    local = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "bash .ci/run" in workflow
    assert "run: python -m pytest -n 2\n" in workflow
    for script in re.findall(r"(\.ci/\w+\.py|docs/\w+\.py)", workflow + local):
        assert (ROOT / script).exists(), script
    assert ".ci/packages.py" in workflow
    assert ".ci/packages.py" in local


def test_the_oldest_numpy_of_the_workflow_is_the_one_that_is_required():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    (required,) = (text for text in PROJECT["dependencies"] if text.startswith("numpy"))
    oldest = re.search(r"numpy==([\d.]+)\.\*", workflow)[1]
    assert required == f"numpy>={oldest}"
