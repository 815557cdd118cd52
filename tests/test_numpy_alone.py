"""With NumPy and nothing else: what needs no more works, the rest says what it needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_lite as ag
from autograd_lite.core.numpy_namespace import OLDEST

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        known = first in {*sys.stdlib_module_names, "numpy", "autograd_lite", "nn"}
        if not known and not first.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
import numpy as np
"""


def run(program: str) -> str:
    """What a program prints that finds no package but NumPy."""
    command = [sys.executable, "-W", "error", "-c", BLOCKED + program]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_gradients_checks_and_networks_need_numpy_alone():
    printed = run("""
import autograd_lite as ag, autograd_lite.testing, nn
assert ag.gradcheck(np.tanh, np.array([0.5]))
ag.testing.assert_gradients(np.sin, np.array([0.5]))
fast = ag.compile(ag.grad(lambda x: np.sum(np.sin(x))))
print(fast(np.zeros(2)))
model = nn.MLP(2, [3, 1], rng=0)
nn.fit(model, np.zeros((4, 2)), np.zeros((4, 1)), loss="mse", epochs=1, progress=False)
print(nn.predict(model, np.zeros((4, 2))).shape, len(nn.__all__) > 100)
""")
    assert printed == "[1. 1.]\n(4, 1) True\n"


def test_a_star_import_needs_numpy_alone():
    printed = run("""
from autograd_lite import *
from nn import *
print(grad(np.sin)(0.0), MLP.__name__)
""")
    assert printed == "1.0 MLP\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"__init__.py": "__version__ = '1.26.4'"}, "NumPy 1.26.4 in "),
        ({"__init__.py": "__version__ = '2.0.2'"}, "NumPy 2.0.2 in "),
        ({"core.txt": ""}, "NumPy of unknown version in "),  # half removed
    ],
)
@pytest.mark.parametrize(
    "program", [["-c", "import autograd_lite"], ["-c", "import nn"], ["-m", "autograd_lite"]]
)
def test_a_numpy_that_is_too_old_or_half_removed_is_refused_by_name(
    tmp_path, files, found, program
):
    (tmp_path / "numpy").mkdir()
    for name, text in files.items():
        (tmp_path / "numpy" / name).write_text(text, encoding="utf-8")
    paths = os.pathsep.join((str(tmp_path), str(Path(ag.__file__).parents[1])))
    command = [sys.executable, "-S", *program]  # without the folder that holds the real one
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert f"autograd_lite needs NumPy 2.1 or newer, and import numpy finds {found}" in last
    assert "pip install --upgrade numpy" in last


def test_the_oldest_numpy_is_that_of_the_metadata():
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    (bound,) = re.findall(r'"numpy>=(\d+)\.(\d+)"', text)
    assert tuple(map(int, bound)) == OLDEST


def test_a_reader_who_stops_reading_is_no_error():
    command = [sys.executable, "-u", "-m", "autograd_lite", "check", "numpy:tanh", "--args", "0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_the_commands_need_numpy_alone():
    printed = run("""
from autograd_lite.__main__ import main
assert main(["doctor"]) == 0
assert main(["check", "numpy:tanh", "--args", "0.5"]) == 0
""")
    assert "pip install tqdm" in printed
    assert "pip install graphviz" in printed


def test_pictures_that_need_a_package_say_which_and_the_others_are_drawn():
    printed = run("""
import tempfile, pathlib
import autograd_lite as ag
drawing = ag.draw(ag.Value(2.0) * 3.0)
folder = pathlib.Path(tempfile.mkdtemp())
for suffix in ("svg", "txt", "mmd", "html"):
    assert drawing.save(folder / f"a.{suffix}").stat().st_size
for suffix in ("dot", "png"):
    try:
        drawing.save(folder / f"a.{suffix}")
    except ag.MissingOptionError as error:
        print(error)
assert drawing._repr_mimebundle_()["text/plain"]
""")
    assert printed.count("needs the package graphviz; install it with: pip install graphviz") == 2


def test_a_bar_that_cannot_be_shown_is_told_in_one_line():
    printed = run("""
import warnings, nn
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    nn.fit(nn.MLP(2, [1], rng=0), np.zeros((4, 2)), np.zeros((4, 1)), loss="mse", epochs=1)
print(*[w.message for w in told])
""")
    assert printed.strip().endswith(
        "fit: there is no progress bar, because tqdm is not installed; install it with: "
        "pip install tqdm, or pass progress=False"
    )


def test_the_package_can_be_looked_through():
    """As ``help`` and completion do."""
    printed = run("""
import inspect, pydoc, autograd_lite as ag, nn
for module in (ag, nn):
    print(len(inspect.getmembers(module)) > 50, "NAME" in pydoc.plain(pydoc.render_doc(module)))
print({"scipy", "special"} & set(dir(ag)))
""")
    assert printed.split("\n") == ["True True", "True True", "set()", ""]
    assert {"scipy", "special"} <= set(dir(ag))
