"""backend="numba" fuses elementwise operations into loops that give what NumPy gives."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import autograd_lite as ag
from autograd_lite.compiler.runtime.numba_math import LARGEST_ANGLE, scalar_functions
from autograd_lite.core.tree import flatten
from tests.compile.elementwise_programs import assert_close, programs, with_gradients
from tests.compile.test_equivalence import assert_same, gradient_of, plain
from tests.ops.cases import CASES, elementwise, trigonometric
from tests.ops.cases.case import Case
from tests.ops.reading import is_refused_rightly

ELEMENTWISE = [*elementwise.ROWS, *trigonometric.ROWS]

numba = pytest.importorskip("numba")

X = np.linspace(-1.0, 2.0, 40).reshape(8, 5)


def by_numba(function: Any, **options: Any) -> ag.Compiled:
    return ag.compile(function, backend="numba", check=False, **options)


def test_a_chain_becomes_a_loop_for_each_elementary_function():
    def f(x):
        return np.tanh(np.sin(x) * 1.1 + 0.3) ** 2 - x

    compiled = by_numba(f)
    np.testing.assert_allclose(compiled(X), f(X), rtol=1e-14, atol=1e-15)
    assert compiled.stats.calls == 2
    assert (
        compiled.source.count(
            "@vectorize(['float64(float64)'])\ndef loop(x1):\n    v1 = float64(sin(x1))\n"
        )
        == 1
    )


def test_loops_that_do_the_same_are_compiled_once():
    def f(x):
        for _ in range(10):
            x = np.tanh(x * 1.5 - 0.25)
            x = x + np.sum(x)
        return x

    compiled = by_numba(f)
    np.testing.assert_allclose(compiled(X), f(X), rtol=1e-13)
    assert compiled.source.count("@vectorize") == 2  # the first has no sum to add


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.derivatives and case in ELEMENTWISE],
    ids=lambda case: case.name,
)
def test_every_elementwise_case_among_others(case: Case) -> None:
    """Each case with its gradient, and arithmetic around it to be fused with."""

    def values(*inputs: Any) -> Any:
        results = flatten(case.call(*(x * 1.0 for x in inputs)))
        gradient, _ = gradient_of(case)
        return [x * 2.0 - 1.0 for x in (*results, *flatten(gradient(*inputs)))]

    inputs = case.draw(0)
    expected = [np.asarray(x) for x in plain(values(*map(ag.Value, inputs)))]
    try:
        with np.errstate(invalid="ignore"):  # of a comparison with NaN, which NumPy keeps silent
            results = by_numba(values)(*inputs)
    except ag.CompileError as error:
        assert is_refused_rightly(case, error), error
        return
    assert_same([np.asarray(x) for x in results], expected)


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(drawn=programs())
def test_random_programs(drawn):
    steps, inputs = drawn
    tolerance = 1e-11 if inputs[0].dtype == np.float64 else 2e-4
    values = with_gradients(steps, inputs)
    expected = ag.compile(values, check=False)(*inputs)
    for block in (0, 2):
        assert_close(by_numba(values, block=block)(*inputs), expected, tolerance)


@pytest.mark.parametrize("name", ["sin", "cos", "exp", "expm1", "tanh", "log"])
def test_elementary_functions_are_exact_to_rounding(name):
    scope = dict(scalar_functions())
    exec(f"def f(x): return {name}(x)", scope)
    mine, theirs = numba.vectorize(["float64(float64)"])(scope["f"]), getattr(np, name)
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=20_000) * s for s in (0.1, 1, 10, 300)])
    x = np.concatenate([x, 10.0 ** rng.uniform(-300, 12, 20_000)])
    x = np.abs(x) if name == "log" else x
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324, -1.0])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.isfinite(mine(x)), np.isfinite(theirs(x)))
        np.testing.assert_array_equal(
            np.signbit(mine(special[:2])), np.signbit(theirs(special[:2]))
        )
        np.testing.assert_allclose(mine(special), theirs(special), rtol=1e-15)
        finite = np.isfinite(theirs(x)) & (np.abs(theirs(x)) > 1e-300)
        difference = np.abs(mine(x) - theirs(x))[finite]
    assert np.max(difference / np.spacing(np.abs(theirs(x[finite])))) <= 3


def test_angles_too_large_are_nan_with_a_warning():
    compiled = by_numba(lambda x: np.sin(x) + 1)
    np.testing.assert_allclose(compiled(X * LARGEST_ANGLE / 2), np.sin(X * LARGEST_ANGLE / 2) + 1)
    with pytest.warns(RuntimeWarning, match="invalid value encountered in loop"):
        assert np.all(np.isnan(compiled(np.full(3, 2 * LARGEST_ANGLE))))


def test_errstate_rules_in_loops():
    compiled = by_numba(lambda x: np.log(x) * 2)
    with np.errstate(divide="ignore"):
        assert compiled(np.zeros(3))[0] == -np.inf
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        compiled(np.zeros(3))
    with warnings.catch_warnings(), pytest.raises(RuntimeWarning):
        warnings.simplefilter("error")
        compiled(np.zeros(3))


def test_what_numba_has_no_form_for_stays_with_numpy():
    compiled = by_numba(lambda x: np.cumsum(np.sinc(x) * 2 + 1, axis=0) @ np.ones(5))
    np.testing.assert_allclose(compiled(X), np.cumsum(np.sinc(X) * 2 + 1, axis=0) @ np.ones(5))
    assert "sinc(" in compiled.source
    assert "@vectorize" in compiled.source


def test_without_numba_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ag.MissingOptionError) as error:
        ag.compile(np.sin, backend="numba")
    assert str(error.value) == (
        'compile: backend="numba" needs the package numba, which is not installed; '
        "run: pip install 'autograd-lite[numba]'"
    )


def test_an_unknown_backend_is_refused():
    with pytest.raises(ag.ArgumentValueError) as error:
        ag.compile(np.sin, backend="jit")
    assert str(error.value) == "compile: backend='jit' is unknown; pass 'numpy', 'numba' or 'auto'"


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_what_is_computed_in_single_precision_is_compared_so(backend):
    """Results in double precision, too: their last digits are not those of what they came of."""

    def loss(x):
        short = x.astype(np.float32)

        def step(carry, row):
            return (np.tanh(carry) * np.float32(0.9) + row * short).astype(np.float32), None

        last, _ = ag.scan(step, np.tanh(np.sin(short)), np.linspace(0.0, 1.0, 4))
        return np.sum(np.sin(last * 1.0)) + np.sum(x)

    compiled = ag.compile(ag.grad(loss), backend=backend)
    for scale in (1.0, 1.3, 0.7, 1.1):
        x = scale * np.linspace(0.1, 1.0, 3)
        np.testing.assert_allclose(compiled(x), ag.grad(loss)(x), rtol=1e-5)
