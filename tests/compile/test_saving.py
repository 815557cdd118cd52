"""Saved programs run where there is NumPy and nothing else, and give the same numbers."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import duck_arrays
from autograd_lite.core.tree import flatten
from tests.ops.by_scipy import is_by_scipy_alone
from tests.ops.cases import CASES

BY_ITSELF = """
import sys
sys.path = [path for path in sys.path if "site-packages" in path or "python3" in path]
sys.meta_path.insert(0, type("Blocked", (), {"find_spec": staticmethod(
    lambda name, *_: exec("raise ImportError(name)") if name.startswith("autograd_lite") else None
)}))
import importlib.util, numpy as np
path, function, data = sys.argv[1:]
specification = importlib.util.spec_from_file_location("saved", path)
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)
with np.load(data, allow_pickle=False) as file:
    inputs = [file[name] for name in file.files]
results = getattr(module, function)(*inputs)
results = results if isinstance(results, (tuple, list)) else [results]
np.savez(data, *[np.asarray(x) for x in results])
"""


def run_by_itself(path: Any, function: str, *inputs: Any) -> list[Any]:
    """Call a function of a saved module in an interpreter that cannot import the package."""
    data = path.with_suffix(".npz")
    np.savez(data, *inputs)
    command = [sys.executable, "-I", "-c", BY_ITSELF, str(path), function, str(data)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    with np.load(data, allow_pickle=False) as file:
        return [file[name] for name in file.files]


def imported(path: Any) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    return names


WEIGHTS = np.random.default_rng(0).normal(size=(20, 20))
SHIFT = np.array([0.5, -1.0, 2.0, 0.25])
SHIFT.flags.writeable = WEIGHTS.flags.writeable = False


def loss(w, x):
    hidden = np.tanh(x @ w) @ WEIGHTS
    return np.sum(np.maximum(hidden, 0) ** 2) + np.sum(x[:, :4] * SHIFT)


def test_a_saved_step_runs_without_the_package(tmp_path):
    step = ag.compile(ag.value_and_grad(loss, (0, 1)))
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=(5, 20)), rng.normal(size=(3, 5))
    value, gradients = step(w, x)
    path = step.save(tmp_path / "step.py")
    by_itself = ag.compile(lambda w, x: flatten(ag.value_and_grad(loss, (0, 1))(w, x)))
    by_itself(w, x)
    alone = run_by_itself(by_itself.save(tmp_path / "flat.py"), "program", w, x)
    for mine, theirs in zip([value, *gradients], alone, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    again, _ = imported(path)["loss"](w, x)
    assert again == value
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".part"] == []


class Layer(NamedTuple):
    weights: Any
    bias: Any


def test_nested_arguments_static_arguments_and_captured_values(tmp_path):
    scale = ag.Value(np.array([2.0, 3.0]), label="scale")

    def forward(layers, x, power, rate=0.5):
        for layer in layers["all"]:
            x = np.tanh(x @ layer.weights + layer.bias) ** power
        return {"scaled": x * scale * rate, "count": power}

    compiled = ag.compile(forward)
    layers = {"all": [Layer(np.full((3, 2), 0.1), np.ones(2))]}
    expected = compiled(layers, np.ones((4, 3)), 2, rate=0.25)
    function = imported(compiled.save(tmp_path / "forward.py"))["forward"]
    saved = function(layers, np.ones((4, 3)), rate=0.25)
    assert saved["count"] == 2
    np.testing.assert_array_equal(saved["scaled"], expected["scaled"])


def test_arguments_that_the_program_is_not_for_are_refused(tmp_path):
    compiled = ag.compile(lambda x, t: np.sin(x) * t)
    compiled(np.ones(3), 2.0)
    function = imported(compiled.save(tmp_path / "sine.py"))["program"]
    np.testing.assert_array_equal(function(np.ones(3), 2), np.sin(np.ones(3)) * 2)
    for x, t, message in (
        (np.ones(4), 2.0, "argument x is float64[4], but this program was made for float64[3]; "),
        (np.ones(3, "f4"), 2.0, "argument x is float32[3], but this program was made for"),
        ([1.0, 2.0, 3.0], 2.0, "argument x is list, but"),
        (np.ones(3), "2", "argument t is str, but this program was made for float; "),
    ):
        with pytest.raises(TypeError) as error:
            function(x, t)
        assert message in str(error.value)


def test_results_are_the_callers_and_threads_do_not_meet(tmp_path):
    compiled = ag.compile(lambda x: np.cumsum(np.tanh(x) * 2) + 1)
    compiled(np.ones(1000))
    function = imported(compiled.save(tmp_path / "sums.py"))["program"]
    first, second = function(np.ones(1000)), function(np.zeros(1000))
    assert not np.may_share_memory(first, second)
    wrong = []

    def repeat(number: float) -> None:
        x = np.full(1000, number)
        expected = np.cumsum(np.tanh(x) * 2) + 1
        wrong.extend(number for _ in range(200) if not np.array_equal(function(x), expected))

    threads = [threading.Thread(target=repeat, args=(float(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_large_arrays_in_blocks(tmp_path):
    compiled = ag.compile(lambda x: np.sum(np.tanh(np.sin(x) * 1.1 + 0.3) ** 2))
    x = np.linspace(0, 9, 200_000)
    value = compiled(x)
    (alone,) = run_by_itself(compiled.save(tmp_path / "blocks.py"), "program", x)
    np.testing.assert_allclose(alone, value, rtol=1e-14)


def test_loops_of_numba_are_saved_as_calls_of_numpy(tmp_path):
    pytest.importorskip("numba")
    compiled = ag.compile(lambda x: np.sum(np.tanh(x * 2.0) * x), backend="numba")
    x = np.linspace(0, 1, 50)
    value = compiled(x)
    assert "vectorize" in compiled.source
    (alone,) = run_by_itself(compiled.save(tmp_path / "loops.py"), "program", x)
    np.testing.assert_allclose(alone, value, rtol=1e-14)


def test_what_needs_more_than_numpy_is_refused_by_name(tmp_path):
    @ag.primitive
    def halved(x):
        if not np.all(np.isfinite(x)):  # what a program would have to read out
            raise ValueError
        return x / 2

    halved.defvjp(lambda g, out, x: g / 2)
    compiled = ag.compile(lambda x: halved(x) + 1)
    with pytest.raises(ag.CompileError, match="has no program yet"):
        compiled.save(tmp_path / "halved.py")
    compiled(np.ones(3))
    with pytest.raises(ag.CompileError) as error:
        compiled.save(tmp_path / "halved.py")
    assert "cannot be saved as a module of its own: it uses test_what_needs" in str(error.value)
    assert "halved" in str(error.value)
    assert not list(tmp_path.iterdir())


def test_functions_of_pythons_own_numbers_are_saved(tmp_path):
    def size(x, y):
        return np.abs(x) * 2 - x**2 / y

    compiled = ag.compile(size)
    compiled(-1.5, 2.0)
    saved = imported(compiled.save(tmp_path / "size.py"))["size"]
    for x in (-1.5, 0.25):
        assert saved(x, 4.0) == size(x, 4.0) and type(saved(x, 4.0)) is float


def test_nearly_every_case_can_be_saved(tmp_path):
    """But for those of SciPy, as such a module has NumPy only."""
    saved, refused = 0, []
    of_numpys = [case for case in CASES if not is_by_scipy_alone(case)]
    for case in of_numpys[::4]:
        inputs = case.draw()
        compiled = ag.compile(lambda *xs, case=case: flatten(case.call(*xs)))
        try:
            expected = compiled(*inputs)
            path = compiled.save(tmp_path / "case.py")
        except ag.CompileError as error:
            if "cannot be saved" in str(error):
                refused.append((case.name, str(error)))
            continue
        function = imported(path)["program"]
        for mine, theirs in zip(function(*inputs), expected, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        saved += 1
    assert saved > 220
    assert len(refused) < 60, refused


class Strange:
    """The type of another library's arrays."""


OF_THE_ENGINE = {
    "index": lambda x: np.sum(x[0] ** 2),
    "slice": lambda x: np.sum(x[1:] ** 2),
    "places": lambda x: np.sum(x[[0, 0]] ** 2),
    "set": lambda x: np.sum(x.at[0].set(x[1] * 2) ** 2),
    "sort": lambda x: np.sum(np.sort(x, axis=0)[0] ** 2),
    "take": lambda x: np.sum(np.take(x, [0, 1]) ** 2),
    "triangle": lambda x: np.sum(np.tril(x) ** 2),
    "cholesky": lambda x: np.sum(np.linalg.cholesky(x @ x.T + 5 * np.eye(3))),
}


@pytest.fixture
def strange_arrays():
    """Arrays of another library were computed with before."""
    duck_arrays.duck_types.add(Strange)
    yield
    duck_arrays.duck_types.discard(Strange)


@pytest.mark.parametrize("name", OF_THE_ENGINE)
def test_functions_of_the_engine_that_a_gradient_calls_are_copied(name, tmp_path, strange_arrays):
    def loss(x):
        return OF_THE_ENGINE[name](x)

    gradient = ag.compile(ag.grad(loss))
    x = np.random.default_rng(0).normal(size=(3, 3))
    expected = gradient(x)
    found = imported(gradient.save(tmp_path / "gradient.py"))["loss"](x)
    np.testing.assert_array_equal(found, expected)


@dataclass
class Line:
    slope: Any
    offset: Any


class Opened:
    def __init__(self, slope: Any) -> None:
        self.slope = slope


ag.register_tree(Opened, lambda x: ((x.slope,), None), lambda _, parts: Opened(*parts))


def test_a_saved_program_takes_dataclasses_and_refuses_what_it_cannot_open(tmp_path: Path) -> None:
    line = Line(np.ones(3), 2.0)
    compiled = ag.compile(lambda line: line.slope * line.offset)
    compiled(line)
    text = compiled.save(tmp_path / "line.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(text, names)
    np.testing.assert_array_equal(names["program"](Line(np.full(3, 5.0), 3.0)), np.full(3, 15.0))

    compiled = ag.compile(lambda x: x.slope * 2.0)
    compiled(Opened(np.ones(3)))
    with pytest.raises(ag.CompileError, match="of a class that was registered; save a function of"):
        compiled.save(tmp_path / "opened.py")


def test_a_module_names_its_program_alone_with_threads_too(tmp_path):
    def wave(x, *, scale=2.0, shift=0.5):
        return np.sum(np.tanh(np.exp(-x * x) * scale + np.sin(x)) * x) + shift

    x = np.random.default_rng(0).normal(size=(600, 600))
    compiled = ag.compile(wave, threads=2)
    compiled(x, scale=3.0, shift=1.0)
    compiled.save(tmp_path / "wave.py")
    names: dict[str, Any] = {}
    sys.path.insert(0, str(tmp_path))
    try:
        exec("from wave import *", names)
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("wave", None)
    assert names.keys() - {"__builtins__"} == {"wave"}
    assert "run_blocks" in (tmp_path / "wave.py").read_text(encoding="utf-8")
    for keywords in ({}, {"scale": 3.0}, {"shift": -1.0}):
        np.testing.assert_allclose(names["wave"](x, **keywords), wave(x, **keywords), rtol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.einsum("ij,jk,kl->il", x, x, x) ** 2),
        lambda x: np.einsum("ii", x) ** 2,
        *[lambda x, m=m: np.sum(np.pad(x, 1, m) ** 3) for m in ("mean", "edge", "linear_ramp")],
    ],
)
def test_gradients_of_einsum_and_pad_are_saved(function, tmp_path):
    x = np.random.default_rng(0).normal(size=(3, 3))
    slope = ag.compile(ag.grad(lambda x: function(x)))
    expected = slope(x)
    saved = imported(slope.save(tmp_path / "slope.py"))["program"]
    np.testing.assert_allclose(saved(x), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: ag.special.erf(x), "it uses erf of scipy.special, and such a module has NumPy"),
        (lambda x: ag.special.logsumexp(x), "it uses scipy.special of scipy, and such a module"),
        (
            lambda x: x * ag.random.normal(np.random.default_rng(0), size=3),
            "it draws random numbers, and a file holds no generator",
        ),
    ],
)
def test_the_reason_why_a_program_is_not_saved_is_true(function, reason, tmp_path):
    pytest.importorskip("scipy")
    compiled = ag.compile(function)
    compiled(np.ones(3))
    with pytest.raises(ag.CompileError) as refusal:
        compiled.save(tmp_path / "no.py")
    assert reason in str(refusal.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["eigh", "qr", "slogdet", "svd"])
def test_results_of_linalg_that_numpy_has_classes_for_are_saved(name: str, tmp_path: Path) -> None:
    function = getattr(np.linalg, name)
    matrix = np.array([[2.0, 1.0], [1.0, 3.0]])

    def decompose(x: Any) -> Any:
        return {"found": function(x)}

    compiled = ag.compile(decompose)
    expected = compiled(matrix)["found"]
    found = imported(compiled.save(tmp_path / "decompose.py"))["decompose"](matrix)["found"]
    assert type(found) is type(expected) is type(function(matrix))
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_array_equal(x, y)
