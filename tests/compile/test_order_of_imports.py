"""What an operation is stands on its primitive: programs do not depend on the order of imports."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.primitive import registry
from autograd_lite.ops.define import ufunc

COMPILED = """
import numpy as np
import autograd_lite as ag

{first}
{second}

def function(x):
    return ag.special.erf(np.sin(x) + 1) * 2

compiled = ag.compile(ag.value_and_grad(lambda x: np.sum(function(x))))
compiled(np.linspace(0, 1, 100_000))
print(compiled.stats)
print(compiled.source)
rows = ag.jacobian(lambda x: ag.special.gammaln(x) * x)
print(ag.compile(rows)(np.linspace(1, 2, 4)))
"""


def test_both_orders_of_import_give_the_same_program():
    pytest.importorskip("scipy")
    touches = ("ag.special", "ag.compile")
    printed = []
    for first, second in (touches, touches[::-1]):
        command = [sys.executable, "-c", COMPILED.format(first=first, second=second)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        assert finished.returncode == 0, finished.stderr
        printed.append(finished.stdout)
    assert printed[0] == printed[1]
    assert "erf(" in printed[0] and " = erf(" not in printed[0]


@pytest.fixture
def late():
    """A ufunc that is registered when the compiler has long been imported."""
    assert ag.compile
    function = np.spacing
    assert function not in registry
    yield ufunc(function, lambda g, out, x: 0 * g)
    del registry[function], registry[function, "__call__"]


def test_a_ufunc_registered_late_is_compiled_as_any_other(late):
    x = np.linspace(1, 2, 100_000)
    sources = {}
    for function in (np.spacing, np.tan):
        compiled = ag.compile(lambda x, f=function: f(np.sin(x) + 1) * 2)
        np.testing.assert_array_equal(compiled(x), function(np.sin(x) + 1) * 2)
        sources[function] = compiled.source.replace(function.__name__, "function")
    assert "function(sin1, sin1)" in sources[np.spacing]
    assert sources[np.spacing] == sources[np.tan]


def test_a_ufunc_registered_late_is_batched_as_any_other(late):
    calls = []
    for size in (20, 80):
        compiled = ag.compile(ag.jacobian(lambda x: np.spacing(x) * x))
        compiled(np.linspace(1, 2, size))
        calls.append(compiled.stats.operations)
    assert calls[0] == calls[1]
