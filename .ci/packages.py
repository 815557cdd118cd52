"""Build the wheel and the sdist, install each in a clean environment, and use it there.

Run with a Python that has the extra ``lint``: the types of a user's program are then checked by
mypy and pyright against what the wheel installed, as ``py.typed`` promises.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
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


def build(folder: Path, source: Path) -> list[Path]:
    """The sdist, and the wheel made from it."""
    run(sys.executable, "-m", "build", "--outdir", folder, source)
    return [*folder.glob("*.tar.gz"), *folder.glob("*.whl")]


def clean_environment(folder: Path) -> Path:
    """The Python of a new virtual environment."""
    venv.create(folder, clear=True, with_pip=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def check_types(python: Path, folder: Path) -> None:
    """Check the programs of a user, far from the checkout: the right one, and wrong ones."""
    for name in ("user_program.py", "wrong_programs.py"):
        shutil.copy(ROOT / "tests" / "typing" / name, folder)
    for checker in checkers(python, "user_program.py", folder):
        run(*checker, folder=folder)
    for checker in checkers(python, "wrong_programs.py", folder):
        check_refusals(checker, folder)


def checkers(python: Path, program: str, folder: Path) -> Iterator[list[str | Path]]:
    """The commands that check the types of a program: mypy, and pyright in two modes."""
    mypy = [sys.executable, "-m", "mypy", "--strict", "--config-file="]
    yield [*mypy, "--python-executable", python, program]
    for mode in ("standard", "strict"):
        project = folder / "pyrightconfig.json"
        options = {"include": [program], "typeCheckingMode": mode}
        project.write_text(json.dumps(options), encoding="utf-8")
        yield [sys.executable, "-m", "pyright", "--pythonpath", python, "--project", project]


def check_refusals(checker: list[str | Path], folder: Path) -> None:
    """Compare the lines that a checker refuses with those that are marked as wrong."""
    told = subprocess.run(checker, cwd=folder, capture_output=True, text=True, check=False).stdout
    lines = (folder / "wrong_programs.py").read_text(encoding="utf-8").splitlines()
    marked = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    refused = set(map(int, re.findall(r"wrong_programs\.py:(\d+):.*error", told)))
    if refused != marked:
        sys.exit(f"{told}\nlines refused though right, or not refused: {refused ^ marked}")
    print(f"{checker[2]} refuses all {len(marked)} wrong programs")


def check_reproducible(packages: list[Path], folder: Path) -> None:
    """Build once more, from the sdist: every byte must be the same."""
    (sdist,) = (package for package in packages if package.suffix == ".gz")
    shutil.unpack_archive(sdist, folder, filter="data")
    again = build(folder / "again", folder / sdist.name.removesuffix(".tar.gz"))
    for one, other in zip(packages, again, strict=True):
        if one.read_bytes() != other.read_bytes():
            sys.exit(f"{one.name} differs when it is built from the sdist")


def check_sdist(folder: Path) -> None:
    """Test from the sdist, as distributors do."""
    (source,) = folder.glob("autograd_lite-*/")
    tests = ("tests/test_repository.py", "tests/test_import.py", "tests/engine/test_value.py")
    run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, folder=source)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        packages = build(folder / "dist", ROOT)
        check_reproducible(packages, folder)
        check_sdist(folder)
        for package in packages:
            python = clean_environment(folder / "clean")
            run(python, "-m", "pip", "install", "--quiet", package, folder=folder)
            run(python, "-W", "error", "-c", USE, folder=folder)
        run(python, "-m", "pip", "install", "--quiet", "scikit-learn", folder=folder)
        check_types(python, folder)


if __name__ == "__main__":
    main()
