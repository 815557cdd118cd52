"""backend="auto": calls of NumPy until loops are ready, agree with them and are quicker."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.compiler import tiers
from autograd_lite.compiler.runtime import machine_code
from autograd_lite.compiler.runtime.background import do_later
from autograd_lite.compiler.runtime.disk_cache import VARIABLE
from autograd_lite.compiler.runtime.machine_code import ufunc_of
from autograd_lite.compiler.tiers import TRIALS, TieredProgram

pytest.importorskip("numba")

X = np.linspace(-2.0, 2.0, 6000).reshape(60, 100)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own, and loops that pay whatever the clock says."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    monkeypatch.setattr(tiers, "GAIN", float("inf"))
    yield tmp_path
    settle()


def settle() -> None:
    """Wait until what is done in the background is done."""
    done = threading.Event()
    do_later(done.set)
    assert done.wait(300)


def chain(x: Any) -> Any:
    return np.sum(np.tanh(x * 1.5 - 0.25) * x, axis=0) * 0.5


def auto(function: Callable[..., Any], **options: Any) -> Any:
    return ag.compile(function, backend="auto", **options)


def in_use(compiled: Any) -> TieredProgram:
    program = compiled._last
    assert isinstance(program, TieredProgram)
    return program


def in_loops(compiled: Any) -> bool:
    return "vectorize" in compiled.source


def called(compiled: Any, times: int, *args: Any) -> Any:
    for _ in range(times):
        result = compiled(*args)
    return result


# Taking over.


def test_loops_take_over_when_they_are_ready_and_not_before():
    compiled, plain = auto(chain), ag.compile(chain)
    expected = plain(X)
    assert np.array_equal(compiled(X), expected)
    settle()
    assert not in_loops(compiled)
    for _ in range(TRIALS):
        assert not in_loops(compiled)
        assert np.array_equal(compiled(X), expected)  # NumPy's to the last bit
    assert in_loops(compiled)
    result = compiled(X)
    np.testing.assert_allclose(result, expected, rtol=1e-13)
    assert np.array_equal(result, ag.compile(chain, backend="numba")(X))
    called(compiled, 40, X)  # it is still compared with the function itself


def test_what_was_found_once_holds_from_the_first_call():
    compiled = auto(chain)
    compiled(X)
    settle()
    called(compiled, TRIALS, X)
    expected = compiled(X)
    ufunc_of.cache_clear()
    again = auto(chain)
    assert np.array_equal(again(X), expected)
    assert in_loops(again)


@pytest.mark.parametrize("gain", [0.0, 1e-9])
def test_loops_that_do_not_pay_are_not_taken(gain, monkeypatch):
    monkeypatch.setattr(tiers, "GAIN", gain)
    compiled = auto(chain)
    compiled(X)
    settle()
    called(compiled, TRIALS + 1, X)
    assert not in_loops(compiled)
    again = auto(chain)
    again(X)
    settle()
    assert in_use(again).loops is None  # nor are they tried again
    assert np.array_equal(again(X), ag.compile(chain)(X))


def test_a_measured_gain_counts(monkeypatch):
    """One loop for twenty passes over memory."""
    monkeypatch.setattr(tiers, "GAIN", 0.95)

    def polynomial(x: Any) -> Any:
        y = x
        for n in range(10):
            y = y * x + (0.1 + n)
        return y

    compiled = auto(polynomial)
    compiled(X)
    settle()
    called(compiled, TRIALS, X)
    assert in_loops(compiled)


def test_loops_that_do_not_agree_are_not_taken(monkeypatch):
    def in_other_loops(self: TieredProgram) -> Any:
        other = ag.compile(lambda x: chain(x) * 1.001, backend="numba")
        other(X)
        return other._last

    monkeypatch.setattr(TieredProgram, "in_loops", in_other_loops)
    compiled = auto(chain)
    compiled(X)
    settle()
    for _ in range(TRIALS):
        assert np.array_equal(compiled(X), ag.compile(chain)(X))
    assert not in_loops(compiled)


def test_what_cannot_be_compiled_stays(monkeypatch):
    def refuse(self: TieredProgram) -> Any:
        raise RuntimeError("no loops today")

    monkeypatch.setattr(TieredProgram, "in_loops", refuse)
    compiled = auto(chain)
    compiled(X)
    settle()
    assert np.array_equal(called(compiled, 3, X), ag.compile(chain)(X))


def test_what_has_no_loops_is_not_tried():
    compiled = auto(lambda x: x @ x.T)
    compiled(X)
    settle()
    assert in_use(compiled).loops is None


def test_without_numba_nothing_takes_over(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    compiled = auto(chain)
    assert np.array_equal(called(compiled, 3, X), ag.compile(chain)(X))
    assert not isinstance(compiled._last, TieredProgram)


# What a trial may not leave behind.


def test_donated_arguments_are_written_to_once():
    def update(weight: Any, mean: Any, g: Any) -> Any:
        mean = mean + 0.1 * (g - mean)
        return weight - 0.5 * mean / (np.sqrt(mean * mean) + 1.0), mean

    def run(backend: str) -> list[Any]:
        weight, mean = np.ones((2, 96, 64))
        compiled = ag.compile(update, backend=backend, donate=(0, 1))
        found = []
        for call in range(12):
            weight, mean = compiled(weight, mean, np.full((96, 64), 1.0 + call))
            found.append(weight.copy())
            if call == 1 and backend == "auto":
                settle()
        assert backend == "numpy" or in_loops(compiled)
        return found

    for mine, wanted in zip(run("auto"), run("numpy"), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12)


def test_random_generators_go_on_where_they_were():
    def noisy(x: Any, rng: np.random.Generator) -> Any:
        return np.tanh(x * ag.random.normal(rng, size=x.shape) + 0.5) * 2.0

    rng, other = (np.random.default_rng(0) for _ in range(2))
    compiled, plain = auto(noisy), ag.compile(noisy)
    for call in range(12):
        np.testing.assert_allclose(compiled(X, rng), plain(X, other), rtol=1e-13)
        assert rng.bit_generator.state == other.bit_generator.state
        if call == 1:
            settle()
    assert in_loops(compiled)


def test_errors_and_warnings_of_a_trial_come_once():
    def f(x: Any) -> Any:
        return np.log(x) * 2.0 + x

    compiled = auto(f)
    compiled(X * X + 1.0)
    settle()
    with pytest.warns(RuntimeWarning, match="divide by zero") as warnings:
        compiled(np.zeros_like(X))
    assert len(warnings) == 1
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compiled(np.zeros_like(X))
    called(compiled, TRIALS, X * X + 1.0)
    assert in_loops(compiled)


def test_threads_that_call_during_a_trial():
    compiled = auto(chain)
    expected = compiled(X)
    settle()
    found: list[bool] = []

    def work() -> None:
        found.extend(np.allclose(compiled(X), expected, rtol=1e-12) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 80
    assert in_loops(compiled)


# The process around it.


def run(text: str) -> tuple[str, float]:
    start = time.monotonic()
    head = "import os, numpy as np, autograd_lite as ag\n"
    done = subprocess.run(
        [sys.executable, "-c", head + text],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip(), time.monotonic() - start


LONG = """
def f(x):
    for n in range(60):
        x = np.tanh(x * (1.0 + n) + 0.1) + np.sum(x)
    return x
compiled = ag.compile(f, backend="auto", check=False)
compiled(np.ones(5000))
"""


def test_a_process_ends_without_waiting_for_all_loops(folder):
    """Sixty loops, each of which takes at least a tenth of a second."""
    run(LONG + "import time; time.sleep(3.0)")
    assert len(list(folder.iterdir())) < 60


def test_numba_stays_out_of_the_process():
    out, _ = run(
        "import sys, time\n"
        "compiled = ag.compile(lambda x: np.tanh(x * 2.0) + x * x, backend='auto')\n"
        "x = np.ones(5000)\n"
        "compiled(x)\n"
        "while compiled._last.loops is None: time.sleep(0.1)\n"
        "compiled(x)\n"
        "print('numba' in sys.modules, len(compiled._last.times))"
    )
    assert out == "False 1"


@pytest.mark.parametrize("end", ["raise SystemExit", "input(); print()", "print('rubbish')"])
def test_an_interpreter_that_does_not_answer(end, monkeypatch):
    monkeypatch.setattr(machine_code, "SERVER", end)
    ufunc_of.cache_clear()  # other tests have made its loops
    compiled = auto(chain)
    compiled(X)
    settle()
    assert in_use(compiled).loops is None
    assert np.array_equal(compiled(X), ag.compile(chain)(X))
    monkeypatch.undo()
    another = auto(lambda x: np.tanh(x * 3.0) + x * x)  # the next one is asked again
    another(X)
    settle()
    assert in_use(another).loops is not None


def test_a_program_with_its_interpreter_inside_starts_no_other(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    ufunc_of.cache_clear()  # other tests have made its loops
    compiled = auto(chain)
    compiled(X)
    settle()
    assert in_use(compiled).loops is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_process_that_is_forked_meanwhile_compiles_by_itself():
    out, _ = run(
        LONG
        + """
import time, warnings
warnings.simplefilter("ignore")  # of threads that are not forked
time.sleep(1.0)
child = os.fork()
if not child:
    g = ag.compile(lambda x: np.tanh(x * 2.0) + 1.0, backend="numba")
    print(np.allclose(g(np.ones(5)), np.tanh(2.0) + 1.0), flush=True)
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""
    )
    assert out.split() == ["True", "0"]


# Training.


def test_training_gives_the_same_bits_again_once_it_is_known():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 64)), rng.integers(0, 3, 64)

    def trained(compile: bool | str) -> list[np.ndarray]:
        model = nn.MLP(64, [64, 3], rng=0)
        optimizer = nn.Adam(model.parameters())
        for _ in range(2):
            nn.fit(
                model, x, y, loss="cross_entropy", optimizer=optimizer, epochs=10, rng=0,
                batch_size=16, compile=compile, progress=False,
            )  # fmt: skip
            if compile == "auto":
                settle()
        return [p.data for p in model.parameters()]

    first = trained("auto")
    for mine, wanted in zip(first, trained(True), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-8, atol=1e-10)
    known = [trained("auto") for _ in range(2)]
    for mine, again, loops in zip(*known, trained("numba"), strict=True):
        assert mine.tobytes() == again.tobytes() == loops.tobytes()
