"""Build the wheel and the sdist, install each in a clean environment, and use it there.

Run with a Python that has the extra ``lint``: the types of a user's program are then checked by
mypy and pyright against what the wheel installed, as ``py.typed`` promises.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USE = """
import autograd_lite as ag, nn, numpy as np
assert ag.grad(np.sin)(0.0) == 1.0
assert "digraph" in ag.draw(ag.Value(2.0) * 3.0).source
assert ag.gradcheck(np.tanh, np.array([0.5]))
assert nn.predict(nn.MLP(2, [3, 1]), np.zeros((5, 2))).shape == (5, 1)
"""


def run(*command: str | Path, folder: Path = ROOT) -> None:
    print("+", *command, flush=True)
    # What lies in the checkout must not stand in for what was installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([str(part) for part in command], cwd=folder, env=environment, check=True)


def build(folder: Path) -> list[Path]:
    """The sdist, and the wheel made from it."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    return [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]


def clean_environment(folder: Path) -> Path:
    """The Python of a new virtual environment."""
    venv.create(folder, clear=True, with_pip=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_types(python: Path, folder: Path) -> None:
    """Check the program of a user, far from the checkout."""
    for name in ("user_program.py", "pyrightconfig.json"):
        shutil.copy(ROOT / "tests" / "typing" / name, folder)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    run(*mypy, "--python-executable", python, "user_program.py", folder=folder)
    pyright = [sys.executable, "-m", "pyright"]
    run(*pyright, "--pythonpath", python, "--project", folder, folder=folder)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for package in build(folder / "dist"):
            python = clean_environment(folder / "clean")
            run(python, "-m", "pip", "install", "--quiet", package, folder=folder)
            run(python, "-W", "error", "-c", USE, folder=folder)
        check_types(python, folder)


if __name__ == "__main__":
    main()
