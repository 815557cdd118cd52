"""What cannot have a gradient is refused at the call, with what to write instead."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value


def refused(error: type[Exception], text: str, call: Callable[[], Any]) -> None:
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_a_value_in_a_plain_array_is_refused() -> None:
    text = (
        "NumPy asked for the plain numbers of a Value, and its gradient would be lost.\n"
        "Write np.zeros(n, like=x) for an array to put Values into, ag.array([x, y]) for "
        "np.array([x, y]), np.mean(ag.array([x, y])) for np.mean([x, y]), a @ x for a.dot(x), "
        "or pass x.data to use the numbers as a constant"
    )
    a, b = Value(2.0), Value([1.0, 2.0])
    refused(ag.ArgumentTypeError, text, lambda: np.array([[a, a], [a, 1.0]]))
    refused(ag.ArgumentTypeError, text, lambda: np.array([b, b]))
    plain = np.ones(2)
    for call in (
        lambda: np.mean([a, a]),
        lambda: plain.dot(b),
        lambda: np.asarray([b, plain]),
        lambda: np.linalg.norm([a, a]),
    ):
        refused(ag.ArgumentTypeError, text, call)
    buffer = np.zeros(3)
    for value in (a, b[0]):
        with pytest.raises((ValueError, TypeError)) as caught:
            buffer[0] = value
        assert text in (str(caught.value), str(caught.value.__cause__))
    assert buffer.tolist() == [0, 0, 0]


def test_ag_array_refuses_rows_of_different_shapes() -> None:
    a = Value(2.0)
    refused(
        ag.ArgumentValueError,
        "ag.array: rows of different shapes, (2,) and (1,); all rows of an array have one shape",
        lambda: ag.array([[a, a], [a]]),
    )
    assert ag.array([1.0, 2.0]).tolist() == [1, 2]


def test_keywords_without_rule_are_refused_by_name() -> None:
    x = Value([1.0, 2.0])
    refused(
        ag.UnsupportedError,
        "np.add of a Value does not take order; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.add(x, 1.0, order="F"),
    )
    refused(
        ag.UnsupportedError,
        "np.matmul of a Value does not take axes; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.matmul(x[None], x[:, None], axes=[(0, 1), (0, 1), (0, 1)]),
    )
    refused(
        ag.UnsupportedError,
        "np.nanquantile of a Value does not take weights; "
        "leave it out, or pass x.data to compute without gradient",
        lambda: np.nanquantile(x, 0.5, weights=[1, 2], method="inverted_cdf"),
    )


def test_methods_without_rule_are_refused_by_name() -> None:
    refused(
        ag.NoRuleError,
        "numpy.less.reduce has no derivative rule in autograd_lite; write one with "
        "ag.primitive and defvjp, or pass x.data to use the number as a constant",
        lambda: np.less.reduce(Value([1.0, 2.0])),
    )


def test_what_has_no_derivative_in_linear_algebra_is_refused() -> None:
    x = Value(np.ones((3, 2)) + np.eye(3, 2))
    refused(
        ag.UnsupportedError,
        "svd: the extra vectors that full_matrices=True adds have no derivative; "
        "pass full_matrices=False",
        lambda: np.sum(np.linalg.svd(x)[0]).backward(),
    )
    refused(
        ag.UnsupportedError,
        "qr: mode='complete' has no derivative rule here; pass mode='reduced'",
        lambda: np.sum(np.linalg.qr(x, mode="complete")[0]).backward(),
    )
    refused(
        ag.UnsupportedError,
        "norm: there is no norm of matrices of order 3; "
        "pass 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2",
        lambda: np.linalg.norm(x, ord=3),
    )
    refused(
        ag.UnsupportedError,
        "cross: vectors of length 2 and 2 along the axis; both must have length 3",
        lambda: np.cross(x[0], x[1]),
    )


def test_special_functions_say_that_they_need_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = builtins.__import__

    def without_scipy(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == "scipy":
            raise ImportError(name)
        return genuine(name, *args, **kwargs)

    for name in ("special", "scipy"):
        monkeypatch.delattr(ag, name, raising=False)
    for name in [name for name in sys.modules if name.startswith("autograd_lite.s")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without_scipy)
    refused(
        ag.MissingOptionError,
        "autograd_lite.scipy needs SciPy, which is not installed; "
        "install it with: pip install 'autograd-lite[scipy]'",
        lambda: ag.special.erf,
    )


def test_weights_that_do_not_fit_the_axis_are_refused() -> None:
    refused(
        ag.ArgumentValueError,
        "average: weights of shape (3,) for axis=0 of an array of shape (2, 3); "
        "pass weights of shape (2,)",
        lambda: np.average(Value(np.ones((2, 3))), axis=0, weights=np.ones(3)),
    )


@pytest.mark.parametrize("make", [
    lambda x: x.astype([("a", float)])["a"],
    lambda x: np.array(x, dtype=[("a", float)], like=x)["a"],
    lambda x: np.zeros(2, dtype=[("a", float)], like=x)["a"],
], ids=["astype", "array", "zeros"])  # fmt: skip
def test_records_are_refused(make):
    refused(
        ag.ArgumentTypeError,
        "an array of records, of dtype [('a', '<f8')], holds no Values; make an array for each "
        "field (a dict or dataclass of them is differentiated as it is)",
        lambda: ag.grad(lambda x: np.sum(make(x)))(np.ones(2)),
    )


@pytest.mark.parametrize("make", [
    lambda x: x.astype(object), lambda x: np.empty(2, object, like=x),
], ids=["astype", "empty"])  # fmt: skip
def test_arrays_of_objects_are_refused(make):
    refused(
        ag.ArgumentTypeError,
        "an array of objects holds no Values; write list(x) for a list of them, or compute with "
        "an array of numbers",
        lambda: ag.grad(lambda x: np.sum(make(x)))(np.ones(2)),
    )


@pytest.mark.parametrize(("kind", "make"), [
    ("str", lambda x: x.astype(str)),
    ("str", lambda x: np.round(x).astype(int).astype("U5")),
    ("str", lambda x: np.full(2, "a", like=x)),
    ("str", lambda x: np.array(["a", "b"], like=x)),
    ("bytes", lambda x: x.astype("S3")),
    ("timedelta64", lambda x: x.astype("m8[s]")),
    ("datetime64", lambda x: np.zeros(2, "M8[D]", like=x)),
], ids=["astype", "steps", "full", "array", "bytes", "times", "dates"])  # fmt: skip
def test_text_and_times_are_no_values_whose_comparisons_would_all_be_false(kind, make):
    refused(
        ag.ArgumentTypeError,
        f"an array of {kind} holds no numbers, and so no Values; leave like= out, or convert "
        f"the plain numbers, x.data.astype({kind})",
        lambda: ag.grad(lambda x: np.sum((make(x) == make(x)[0]) * x))(np.ones(2)),
    )
