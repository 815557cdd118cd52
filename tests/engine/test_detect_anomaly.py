"""The first NaN or infinity is an error that names the operation and the line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES


def test_the_first_nan_forward_is_named_with_its_line() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        z = np.sqrt(y - 3)  # this line
        return np.sum(z * 0)

    with pytest.raises(ag.NonFiniteError) as found, ag.detect_anomaly():
        ag.grad(f)(np.array([2.0, 1.0, 3.0]))
    text = str(found.value)
    assert text.startswith(
        "the result of sqrt is the first NaN: nan at [1], of the operands [ 1., -1.,  3.]; look at "
    )
    assert text.endswith("z = np.sqrt(y - 3)  # this line")
    assert "test_detect_anomaly.py:" in text


def test_the_first_infinity_backward_is_named_with_its_line() -> None:
    with pytest.raises(ag.NonFiniteError) as found, ag.detect_anomaly():
        ag.grad(lambda x: np.sum(np.sqrt(x)))(np.array([4.0, 0.0]))
    text = str(found.value)
    assert text.startswith(
        "the gradient of the operand of sqrt is the first infinity: inf at [1], where the operand "
        "is [4., 0.] and the gradient of the result [1., 1.]; look at "
    )
    assert "ag.grad(lambda x: np.sum(np.sqrt(x)))" in text


def test_backward_and_sweeps_that_are_recorded_are_looked_at_too() -> None:
    x = ag.Value(0.0)
    error = pytest.raises(ag.NonFiniteError, match="operand of sqrt is the first infinity")
    with error, ag.detect_anomaly():
        np.sqrt(x).backward()
    with pytest.raises(ag.NonFiniteError, match="first infinity"), ag.detect_anomaly():
        ag.grad(ag.grad(lambda x: x**1.5))(0.0)
    y = np.sqrt(ag.Value(0.0))
    with pytest.raises(ag.NonFiniteError, match="the line is not known"), ag.detect_anomaly():
        y.backward()


def test_what_is_given_is_no_anomaly_and_what_a_mask_keeps_out_neither() -> None:
    mask = np.array([0.0, -np.inf])
    with ag.detect_anomaly():
        attention = ag.grad(lambda x: np.sum(np.exp(x + mask) ** 2))(np.ones(2))
        assert attention[1] == 0.0
        ag.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(np.where(x > 0, x, 1)), 0)))(
            np.array([4.0, 0.0])
        )
        guarded = ag.grad(lambda x: np.where(x > 0, np.sqrt(x), 0))(0.0)
        assert guarded == 0.0
        assert np.isnan(ag.grad(np.sum)(np.array([np.nan, 1.0]))).sum() == 0
        assert ag.hessian(lambda x: np.where(x > 0, x**1.5, 0))(0.0) == 0.0


def test_inside_of_a_definition_anything_may_be() -> None:
    with ag.detect_anomaly():
        assert ag.grad(np.sinc)(0.0) == 0.0
        assert ag.grad(lambda x: np.linalg.norm(x))(np.zeros(2)).tolist() == [0.0, 0.0]


def test_the_block_ends_with_an_error_too() -> None:
    with pytest.raises(ag.NonFiniteError), ag.detect_anomaly():
        np.log(ag.Value(0.0))
    with pytest.warns(RuntimeWarning):
        assert np.isinf(np.log(ag.Value(0.0)).data)


def test_under_no_grad_and_nested() -> None:
    error = pytest.raises(ag.NonFiniteError, match="of log is the first infinity: -inf")
    with ag.detect_anomaly(), ag.detect_anomaly(), ag.no_grad(), error:
        np.log(ag.Value(0.0))


def test_gradients_are_the_same_bit_for_bit() -> None:
    def f(x: Any, w: Any) -> Any:
        h = np.tanh(x @ w)
        h[0] = x[0, :2]
        return np.sum(np.maximum(h, 0.1) ** 2) + np.max(w)

    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    for transform in (ag.grad, ag.jacobian, ag.hessian):
        plain = transform(f, (0, 1))(x, w)
        with ag.detect_anomaly():
            looked_at = transform(f, (0, 1))(x, w)
        for a, b in zip(flatten(plain), flatten(looked_at), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", [c for c in CASES if c.derivatives][::5], ids=lambda c: c.name)
def test_no_case_of_the_table_raises_an_alarm(case: Any) -> None:
    """Their points are smooth: values and gradients are finite."""
    inputs = case.draw()

    def number(*inputs: Any) -> Any:
        return sum(np.sum(np.real(y)) for y in flatten(case.call(*inputs)))

    def call() -> Any:
        return ag.grad(number, tuple(range(len(inputs))))(*inputs)

    expected = call()
    if all(np.all(np.isfinite(g)) for g in expected):
        with ag.detect_anomaly():
            found = call()
        for a, b in zip(found, expected, strict=True):
            # No gradient is added to where it lies then, and sums are rounded in another order.
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-16)


def test_hooks_are_called_and_looked_at() -> None:
    x = ag.Value(2.0)
    seen = []
    with ag.detect_anomaly():
        y = x * 3
        with y.register_hook(lambda g: seen.append(g)):
            (y * y).backward()
    assert seen == [12.0]
    assert x.grad == 36.0


def test_a_block_inside_of_a_program_is_refused() -> None:
    def f(x: Any) -> Any:
        with ag.detect_anomaly():
            return x * 2

    with pytest.raises(ag.AutogradError, match="write it around the call"):
        ag.compile(f)(np.ones(2))
    with pytest.raises(ag.UnsupportedError, match="write it around the call"):
        ag.vmap(f)(np.ones((2, 2)))


def test_what_is_mapped_over_plain_arrays_is_looked_at_when_it_has_returned() -> None:
    def root(x: Any) -> Any:
        return np.sum(np.sqrt(x))

    points = np.array([[4.0, 1.0], [1.0, 0.0]])
    text = r"the result of ag.vmap of root is the first infinity: inf at \[1, 1\]"
    for f in (ag.vmap(ag.grad(root)), ag.vmap(ag.vmap(ag.grad(np.sqrt)))):
        with ag.detect_anomaly():
            f(points[:1])
            with pytest.raises(ag.NonFiniteError, match=text.replace("root", f.__name__)):
                f(points)
    with ag.detect_anomaly():  # a branch that a sample does not take
        ag.vmap(lambda x: ag.cond(x > 0, np.log, np.zeros_like, x))(points[1])
