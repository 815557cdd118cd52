"""The plugin for pytest: failed gradient checks as their report, and a file of all checks.

Installed with the package, by its entry point.  `assert_gradients` fails with its report and
without a traceback; ``pytest --gradients-report=FILE`` writes every check that ran as JSON.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from autograd_lite.checking.report import OBSERVERS, GradcheckReport
from autograd_lite.core.errors import GradcheckError

__all__ = ["pytest_addoption", "pytest_configure", "pytest_exception_interact"]


def pytest_addoption(parser: Any) -> None:
    """Add ``--gradients-report``."""
    parser.getgroup("autograd_lite").addoption(
        "--gradients-report",
        metavar="FILE",
        default=None,
        help="write all gradient checks to this file, as JSON",
    )


def pytest_configure(config: Any) -> None:
    """Write down every check, if a file was named."""
    path = config.getoption("--gradients-report")
    if path is None:
        return
    if not Path(path).absolute().parent.is_dir() or Path(path).is_dir():
        raise pytest.UsageError(
            f"--gradients-report={path}: no file can be written there; name a file in a folder "
            "that exists"
        )
    config.pluginmanager.register(Checks(Path(path).absolute(), config), "gradients_report")


class Checks:
    """All checks of a run; with pytest-xdist each worker sends its own when it is done."""

    def __init__(self, path: Path, config: Any) -> None:
        self.path, self.config = path, config
        self.found: list[dict[str, Any]] = []
        OBSERVERS.append(self._observe)
        config.add_cleanup(self._finish)

    def _observe(self, report: GradcheckReport) -> None:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
        self.found.append({"test": test, **report.to_dict()})

    @property
    def _is_worker(self) -> bool:
        return hasattr(self.config, "workerinput")

    def pytest_sessionfinish(self) -> None:
        """Hand the checks of a worker over."""
        if self._is_worker:
            self.config.workeroutput["gradients_report"] = json.dumps(self.found)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take them from a worker; one that crashed has none to give."""
        self.found += json.loads(getattr(node, "workeroutput", {}).get("gradients_report", "[]"))

    def _finish(self) -> None:
        OBSERVERS.remove(self._observe)
        if not self._is_worker:
            text = json.dumps(self.found, indent=2, ensure_ascii=False)
            self.path.write_text(text, encoding="utf-8")


def pytest_exception_interact(call: Any, report: Any) -> None:
    """Show what was found instead of where in the checker it was raised."""
    if call.excinfo is not None and isinstance(call.excinfo.value, GradcheckError):
        report.longrepr = str(call.excinfo.value)
