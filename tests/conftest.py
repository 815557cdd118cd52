"""What was skipped: how to run it; and under `.ci/run`, in its first environment, a failure.

Loops that Numba compiles are kept for the time of a run, and for all its processes.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from autograd_lite.compiler.runtime.disk_cache import VARIABLE
from tests.skips import lacking


def pytest_configure(config: pytest.Config) -> None:
    """The user's own cache neither helps nor is filled."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = os.environ[VARIABLE] = tempfile.mkdtemp()
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    """At the very end, after the list of what was skipped."""
    yield
    for line in lacking(str(report.longrepr) for report in skipped(terminalreporter)):
        terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """What a missing tool would hide is a failure where everything is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("NOTHING_SKIPPED"):
        return
    for report in skipped(reporter):
        reporter.write_line(f"skipped, which .ci/run does not allow: {report.longrepr}")
    if skipped(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Pyplot keeps the figures that it is not told to close, and warns of many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def skipped(reporter: Any) -> list[Any]:
    reports: list[Any] = reporter.stats.get("skipped", [])
    return reports
