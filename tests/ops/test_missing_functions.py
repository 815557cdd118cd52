"""A function that this NumPy does not have is no reason not to import the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite.core.numpy_namespace import Missing, np

ROOT = Path(__file__).parents[2]


def test_the_package_is_imported_and_used_without_each_registered_function() -> None:
    # With its bytecode kept, an import takes a tenth of the time.
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.ops.imports_without"],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    functions, modules = (int(word) for word in run.stdout.split() if word.isdigit())
    assert functions > 300
    assert modules > 130


def test_what_numpy_lacks_has_a_stand_in_that_says_so_when_called() -> None:
    assert isinstance(np.a_function_of_tomorrow, Missing)
    assert np.a_function_of_tomorrow is np.a_function_of_tomorrow
    assert isinstance(np.linalg.a_function_of_tomorrow, Missing)
    message = (
        f"a_function_of_tomorrow: NumPy {np.__version__} does not have this function; "
        "install a version of NumPy that has it"
    )
    with pytest.raises(ag.UnsupportedError) as raised:
        np.a_function_of_tomorrow(1.0)
    assert str(raised.value) == message


def test_a_private_name_is_no_function() -> None:
    with pytest.raises(AttributeError, match="module 'numpy' has no attribute '_tomorrow'"):
        np._tomorrow  # noqa: B018
