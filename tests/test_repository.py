"""What the repository promises about itself: links resolve, commands and versions agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

import autograd_lite
import nn
from tests.skips import lacking

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_files_resolve(page):
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    prose = re.sub(r"`[^`\n]*`", "", prose)  # code within a line: f(x)[1](v) is no link
    for target in re.findall(r"\]\(([^)#\s]+)", prose):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_versions_agree():
    version = PROJECT["version"]
    assert autograd_lite.__version__ == nn.__version__ == version
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


def test_the_workflow_may_only_read_and_runs_actions_as_they_were_when_they_were_chosen():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "permissions:\n  contents: read\n" in workflow
    assert "write" not in workflow
    actions = re.findall(r"uses: (.*)", workflow)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action) for action in actions)


def test_one_job_takes_the_oldest_of_everything():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert "python .ci/oldest.py > oldest.txt" in workflow
    run = subprocess.run(
        [sys.executable, ROOT / ".ci" / "oldest.py"], capture_output=True, text=True, check=True
    )
    told = run.stdout.split()
    for requirement in PROJECT["dependencies"]:
        assert requirement.replace(">=", "==") in told
    assert len(told) == len({line.partition("==")[0] for line in told})  # one bound for each


def test_the_pythons_of_the_workflow_are_those_of_the_metadata():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    tested = re.search(r'python: \["3.11"(.*)\]', workflow)[0]
    named = [name.rpartition(" :: ")[2] for name in PROJECT["classifiers"] if ":: 3." in name]
    assert named == re.findall(r'"([\d.]+)"', tested)


def test_every_job_that_tests_has_what_the_configuration_of_pytest_asks_for():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    for job in re.split(r"\n  (?=\w+:\n)", workflow):
        if "python -m pytest" in job:
            installs = " ".join(re.findall(r"pip install (.*)", job))
            # for `timeout = 600`, without which an unknown option is an error, and for `-n 2`
            plugins = {"pytest-timeout", "pytest-xdist"} & set(installs.split())
            assert ".[test" in installs or len(plugins) == 2, job


def is_without_encoding(call):
    """Whether a call reads or writes text in an encoding that differs from machine to machine."""
    name = getattr(call.func, "attr", getattr(call.func, "id", None))
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if name == "open" and isinstance(call.func, ast.Name):
        given = [*call.args[1:2], *([named["mode"]] if "mode" in named else [])]
        is_binary = any("b" in str(getattr(mode, "value", "")) for mode in given)
        return not is_binary and "encoding" not in named
    if name == "read_text":
        return not (call.args or "encoding" in named)
    return name == "write_text" and len(call.args) < 2 and "encoding" not in named


def test_text_is_read_and_written_in_an_encoding_that_is_said():
    folders = (".ci", "autograd_lite", "docs", "examples", "nn", "tests")
    for path in chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                assert not is_without_encoding(node), f"{path}:{node.lineno}"
