"""Memory that the process keeps: graphs of large arrays then cause no page faults."""

import ctypes
import subprocess
import sys

import pytest

import autograd_lite as ag

PROGRAM = """
import resource, sys
import numpy as np, autograd_lite as ag

x = np.linspace(0.1, 2.0, 100_000)

def total(x):
    for _ in range(20):
        x = np.tanh(x * 0.8 - 0.75)
    return np.sum(x)

if sys.argv[1] == "kept" and not ag.keep_memory():
    print(-1)
    sys.exit()
gradient = ag.grad(total)
first = gradient(x)
gradient(x)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
again = gradient(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
assert first.tobytes() == again.tobytes()
"""


def faults(how: str) -> int:
    command = [sys.executable, "-c", PROGRAM, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="page faults are counted as Linux does")
def test_kept_memory_is_used_again():
    kept = faults("kept")
    if kept < 0:
        pytest.skip("the C library is not GNU's")
    assert kept < 200 < 2_000 < faults("given back")


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_where_there_is_no_such_library_nothing_happens(monkeypatch, error):
    def refuse(name):
        raise error(name)

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert ag.keep_memory() is False


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert ag.keep_memory() is False
