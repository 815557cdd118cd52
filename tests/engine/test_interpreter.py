"""What only some Pythons can tell: without it, results are the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT_COUNTS = """
import sys
import numpy as np
del sys.getrefcount
import autograd_lite as ag

buffer = np.zeros(3)

@ag.primitive
def filled(x):
    buffer[:] = x * 2
    return buffer

filled.defvjp(lambda g, out, x: 2 * g)

def loss(w):
    first, second = filled(w), filled(w + 1)
    u = np.zeros_like(first)
    for k in range(3):
        u[k] = first[k] * w[k]
        u += second
    parts = [w[:2], w[1:], w]
    return np.sum(u * u) + sum(np.sum(part * part) for part in parts)

w = np.array([0.5, -1.0, 2.0])
exact = np.zeros(3)
step = 1e-5
for k in range(3):
    e = np.eye(3)[k] * step
    exact[k] = (float(loss(ag.Value(w + e)).data) - float(loss(ag.Value(w - e)).data)) / (2 * step)
gradient = ag.grad(loss)(w)
assert np.allclose(gradient, exact, rtol=1e-8), (gradient, exact)
constant = np.ones(3)
compiled = ag.compile(ag.grad(lambda w: np.sum((w * constant) ** 3)))
for _ in range(5):
    assert np.allclose(compiled(w), 3 * w**2)
"""

UNDER_A_PROFILER = """
import cProfile, pstats
import numpy as np
import autograd_lite as ag

def later():
    return 1

def run():
    assert ag.compile(lambda x: np.sum(x * 2))(np.ones(3)) == 6.0
    assert ag.draw(np.sin, 0.5).source
    return later()

profile = cProfile.Profile()
assert profile.runcall(run) == 1
called = {name for _, _, name in pstats.Stats(profile).stats}
assert "later" in called, sorted(called)[:20]
"""


@pytest.mark.parametrize("program", [WITHOUT_COUNTS, UNDER_A_PROFILER], ids=["counts", "profiler"])
def test_it_works_without_counts_of_references_and_under_a_profiler(program):
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 0, run.stderr
