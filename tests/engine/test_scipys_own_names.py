"""SciPy's functions under SciPy's names: those that ask Values, and those that are refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autograd_lite as ag

special = pytest.importorskip("scipy.special")


@pytest.mark.parametrize(
    "order", ["autograd_lite as ag, scipy.special", "scipy.special, autograd_lite as ag"]
)
def test_a_ufunc_of_scipys_finds_its_rule_whatever_was_imported(order: str) -> None:
    code = f"import sys, {order}; before = 'autograd_lite.scipy' in sys.modules; "
    code += "print(before, ag.grad(scipy.special.expit)(0.0))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "0.25"]


def test_other_forms_of_a_call_find_it_too() -> None:
    code = "import numpy as np, autograd_lite as ag, scipy.special as s; x = ag.Value([0.0, 1.0]); "
    code += "print(s.expit(x, where=np.array([True, False])).data.tolist())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[0.5, 0.0]\n"


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("logsumexp", special.logsumexp),
        ("softmax", special.softmax),
        ("log_softmax", special.log_softmax),
        ("polygamma", lambda x: special.polygamma(1, x)),
        ("multigammaln", lambda x: special.multigammaln(x, 2)),
        ("comb", lambda x: special.comb(x, 2)),
        ("factorial", special.factorial),
    ],
)
def test_functions_that_ask_nobody_are_refused_with_the_name_of_ours(name, call) -> None:
    x = ag.Value([3.5, 4.5])
    with pytest.raises(ag.ArgumentTypeError) as raised:
        call(x)
    assert str(raised.value) == (
        f"scipy.special.{name} makes plain arrays of its arguments, and the gradient would be "
        f"lost; write ag.scipy.special.{name}, which knows its derivative, or pass x.data to use "
        "the numbers as a constant"
    )
    with pytest.raises(ag.ArgumentTypeError, match=rf"write ag\.scipy\.special\.{name}, which"):
        ag.grad(lambda x: np.sum(call(x)))(np.array([3.5, 4.5]))


def test_a_ufunc_without_rule_is_called_by_scipys_name() -> None:
    with pytest.raises(ag.NoRuleError, match=r"^scipy\.special\.airy has no derivative rule"):
        special.airy(ag.Value(2.0))


@pytest.mark.parametrize(
    ("call", "argument", "name"),
    [
        (lambda v: special.jv(v, 1.0), "v", "jv"),
        (lambda a: special.hyp1f1(a, 2.0, 1.0), "a", "hyp1f1"),
        (lambda n: special.eval_legendre(n, 0.5), "n", "eval_legendre"),
        (lambda x: special.zeta(x, 2.0), "x", "zeta"),
    ],
)
def test_an_argument_without_a_known_derivative_is_refused_by_name(call, argument, name) -> None:
    with pytest.raises(ag.NoRuleError) as raised:
        ag.grad(call)(2.0)
    assert str(raised.value) == (
        f"scipy.special.{name} has no derivative rule by its argument {argument!r} in "
        f"autograd_lite; pass the number as a constant ({argument}.data), or write the function "
        "with ag.primitive and defvjp"
    )


def test_digamma_of_complex_numbers_is_refused_where_scipy_has_no_derivative() -> None:
    with pytest.raises(ag.UnsupportedError, match="which SciPy computes of real numbers only"):
        ag.grad(lambda z: np.abs(special.digamma(z)))(1 + 1j)


def test_integers_and_whole_degrees_have_derivatives_at_the_lowest_one() -> None:
    for name in ("legendre", "chebyt", "chebyu", "laguerre", "hermite", "hermitenorm"):
        function = getattr(special, f"eval_{name}")
        assert ag.grad(lambda x, f=function: f(0, x))(0.3) == 0.0
        assert ag.grad(ag.grad(lambda x, f=function: f(1, x)))(0.3) == 0.0
