"""Numbers that leave the graph: refused where a gradient would be lost, let go elsewhere."""

from __future__ import annotations

import array
import base64
import cmath
import contextlib
import ctypes
import datetime
import decimal
import fractions
import hashlib
import io
import json
import marshal
import math
import operator
import pickle
import plistlib
import random
import re
import sqlite3
import statistics
import struct
import threading
import time
import zlib
from contextlib import suppress
from math import exp
from math import log as logarithm
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.leaving import ELSEWHERE

PLAIN = np.array([1.0, 4.0, 9.0, 16.0])
VECTOR = np.array([1.5, 0.5, 2.5])


def filled(x: Any) -> Any:
    a = np.zeros(3)
    a.fill(x)
    return np.sum(a)


def set_by_operator(x: Any) -> Any:
    a = np.zeros(3)
    operator.setitem(a, 0, x)
    return np.sum(a)


def set_item(x: Any) -> Any:
    a = np.zeros(3)
    a[0] = x
    return np.sum(a)


def set_slice(x: Any) -> Any:
    a = np.zeros(3)
    a[:2] = x
    return np.sum(a)


def set_flat(x: Any) -> Any:
    a = np.zeros(3)
    a.flat[0] = x
    return np.sum(a)


def put_into_list_array(x: Any) -> Any:
    return np.array([x, 1.0]).sum()


LEAVING = {
    "float": lambda x: float(x),
    "complex": lambda x: complex(x).real,
    "math.exp": lambda x: math.exp(x),
    "math.sqrt": lambda x: math.sqrt(x),
    "math.hypot": lambda x: math.hypot(x, 2.0),
    "math.log1p": lambda x: math.log1p(x),
    "math.pow": lambda x: math.pow(x, 2),
    "math.fsum": lambda x: math.fsum([x, x]),
    "math.dist": lambda x: math.dist([x], [0.0]),
    "math.lgamma": lambda x: math.lgamma(x),
    "exp imported": lambda x: exp(x),
    "log renamed": lambda x: logarithm(x),
    "cmath.exp": lambda x: cmath.exp(x).real,
    "cmath.phase": lambda x: cmath.phase(x),
    "statistics.mean": lambda x: statistics.mean([x, x]),
    "statistics.fmean": lambda x: statistics.fmean([x, x]),
    "statistics.stdev": lambda x: statistics.stdev([x, 2.0]),
    "statistics.NormalDist": lambda x: statistics.NormalDist().cdf(x),
    "as_integer_ratio": lambda x: fractions.Fraction(*x.as_integer_ratio()),
    "np.float64": lambda x: np.float64(x),
    "np.float32": lambda x: np.float32(x),
    "np.complex128": lambda x: np.complex128(x).real,
    "np.asarray": lambda x: np.asarray(x),
    "np.array": put_into_list_array,
    "fill": filled,
    "operator.setitem": set_by_operator,
    "a[0] = x": set_item,
    "a[:] = x": set_slice,
    "a.flat[0] = x": set_flat,
    "struct.pack": lambda x: struct.unpack("d", struct.pack("d", x))[0],
    "np.fromiter": lambda x: np.fromiter((x * i for i in range(3)), float).sum(),
    "np.sum(initial=)": lambda x: np.sum(np.ones(2), initial=x),
    "np.sum(x, initial=x)": lambda x: np.sum(x, initial=x),
    "np.interp(left=)": lambda x: np.interp(-1.0, [0.0, 1.0], [2.0, 3.0], left=x),
    "np.interp(x, left=x)": lambda x: np.interp(x - 5, [0.0, 1.0], [2.0, 3.0], left=x),
    "array.array": lambda x: array.array("d", [x])[0],
    "ctypes": lambda x: ctypes.c_double(x).value,
    "random numbers": lambda x: np.random.default_rng(0).normal(x, 1.0),
    "np.arange": lambda x: np.sum(np.arange(0, x)),
    "np.vectorize": lambda x: np.sum(np.vectorize(math.exp)(x)),
    "pickle": lambda x: pickle.loads(pickle.dumps(x * x)),
    "pickle of the argument": lambda x: pickle.loads(pickle.dumps(x)),
}


@pytest.mark.parametrize("name", LEAVING)
@pytest.mark.parametrize("of", ["the argument", "a result"])
def test_what_is_differentiated_does_not_leave(name: str, of: str):
    def function(x: Any) -> Any:
        return LEAVING[name](x if of == "the argument" else x * x) * x

    for transform in (ag.grad, ag.jacobian, ag.hessian):
        with pytest.raises(ag.AutogradError) as caught:
            transform(function)(1.5)
        assert "gradient would be lost" in str(caught.value) or "static" in str(caught.value)
    for call in (lambda: ag.vjp(function, 1.5), lambda: ag.jvp(function, 1.5, 1.0)):
        with pytest.raises(ag.AutogradError):
            call()


def written_through(write: Any) -> Any:
    """A function that writes through NumPy's view of a buffer of Values."""

    def function(x: Any) -> Any:
        buffer = np.zeros(3, like=x)
        buffer[:] = 1.0
        write(np.asarray(buffer))
        return np.sum(buffer)

    return function


NOT_ASKING = {
    "fractions.Fraction": lambda x: fractions.Fraction(x[0]),
    "fractions.Fraction of two": lambda x: fractions.Fraction(x[0], 2),
    "decimal.Decimal": lambda x: decimal.Decimal(x[0]),
    "Decimal.from_float": lambda x: decimal.Decimal.from_float(x[0]),
    "memoryview": lambda x: memoryview(x),
    "bytes": lambda x: bytes(x),
    "bytearray": lambda x: bytearray(x),
    "json.dumps": lambda x: json.dumps({"x": x}),
    "plistlib.dumps": lambda x: plistlib.dumps({"x": x}),
    "marshal.dumps": lambda x: marshal.dumps(x),
    "array.frombytes": lambda x: array.array("d").frombytes(x),
    "struct.unpack": lambda x: struct.unpack("3d", x),
    "struct.pack_into": lambda x: struct.pack_into("d", x, 0, 1.0),
    "struct.pack of an integer": lambda x: struct.pack("i", x[0]),
    "ctypes.c_int": lambda x: ctypes.c_int(x[0]),
    "ctypes.from_buffer": lambda x: (ctypes.c_double * 3).from_buffer(x),
    "timedelta": lambda x: datetime.timedelta(seconds=x[0]),
    "time.gmtime": lambda x: time.gmtime(x[0]),
    "hashlib": lambda x: hashlib.sha256(x),
    "base64": lambda x: base64.b64encode(x),
    "zlib": lambda x: zlib.crc32(x),
    "BytesIO.write": lambda x: io.BytesIO().write(x),
    "join": lambda x: b"".join([x]),
    "int.from_bytes": lambda x: int.from_bytes(x, "little"),
    "float.hex": lambda x: float.hex(x[0]),
    "chr": lambda x: chr(x[0]),
    "range": lambda x: range(x[0]),
    "index of a list": lambda x: [1, 2, 3][x[0]],
    "math.gcd": lambda x: math.gcd(x[0]),
    "np.frombuffer": lambda x: np.frombuffer(x),
    "np.from_dlpack": lambda x: np.from_dlpack(x),
    "np.nditer": lambda x: np.nditer(x),
    "np.broadcast": lambda x: np.broadcast(x, x),
    "random.Random": lambda x: random.Random(x[0]),
    "random.seed": lambda x: random.seed(x[0]),
    "sqlite3": lambda x: in_a_database(x[0]),
    "a view written": written_through(lambda a: operator.setitem(a, 0, 5.0)),
    "a view sorted": written_through(lambda a: a.sort()),
    "a view as out": written_through(lambda a: np.add(a, 1, out=a)),
    "a view shuffled": written_through(lambda a: np.random.default_rng(0).shuffle(a)),
}
"""Functions that refuse a Value by themselves: of which type it is decides, or its memory."""


@pytest.mark.parametrize("name", NOT_ASKING)
def test_errors_of_functions_that_do_not_know_values_say_what_to_write(name: str):
    function = NOT_ASKING[name]
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda x: np.sum(x) + 0 * np.size(function(x * x)))(VECTOR)
    assert re.search(r"\b([Ww]rite|compute with) ", str(caught.value).splitlines()[-1])


def in_a_database(x: Any) -> Any:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return connection.execute("select ?", (x,)).fetchone()[0]


OTHERS = {
    "pandas: rolling": lambda pandas, x: pandas.Series(list(x)).rolling(2).mean()[1],
    "pandas: expanding": lambda pandas, x: pandas.Series(list(x)).expanding().sum()[1],
    "pandas: ewm": lambda pandas, x: pandas.Series(list(x)).ewm(alpha=0.5).mean()[1],
    "pandas: rolling of a table": lambda pandas, x: (
        pandas.DataFrame({"x": list(x)}).rolling(2).var()
    ),
    "torch: from_numpy": lambda torch, x: torch.from_numpy(x),
    "torch: full": lambda torch, x: torch.full((2,), x[0]),
    "torch: times": lambda torch, x: torch.ones(3) * x,
}
"""The same of libraries that may be there or not."""


@pytest.mark.parametrize("name", OTHERS)
def test_errors_of_other_libraries_say_what_to_write(name: str):
    library = pytest.importorskip(name.partition(":")[0])
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda x: np.sum(x) + 0 * np.size(OTHERS[name](library, x * x)))(VECTOR)
    assert re.search(r"\b([Ww]rite|compute with|pass) ", str(caught.value).splitlines()[-1])


def test_errors_of_other_libraries_about_something_else_stay_what_they_are():
    def function(x: Any) -> Any:
        return in_a_database(object()) * x

    with pytest.raises(sqlite3.ProgrammingError) as caught:
        ag.grad(function)(1.0)
    assert not isinstance(caught.value, ag.AutogradError)


def test_an_error_of_ones_own_about_values_stays_what_it_is():
    def function(x: Any) -> Any:
        raise ValueError("Value must be positive, and the file is read-only")

    with pytest.raises(ValueError, match=r"the file is read-only$") as caught:
        ag.grad(function)(1.0)
    assert not isinstance(caught.value, ag.AutogradError)


def test_a_value_of_floats_is_no_integer():
    with pytest.raises(ag.ArgumentTypeError) as caught:
        range(ag.Value(2.0))
    assert str(caught.value) == (
        "a Value of float64 where an integer is asked for; write int(x) or "
        "np.floor(x).astype(int), whose derivative is 0, or pass x.item() for the number"
    )
    with pytest.raises(ag.ArgumentTypeError, match=r"write x\.data\.tobytes\(\)"):
        bytes(ag.Value([1.0]))


def test_solvers_get_no_number_either():
    integrate = pytest.importorskip("scipy.integrate")
    optimize = pytest.importorskip("scipy.optimize")
    for function in (
        lambda x: integrate.quad(np.sin, 0, x)[0],
        lambda x: integrate.quad(np.sin, x, 1)[0],
        lambda x: integrate.quad(lambda t: np.sin(t * x), 0, 1)[0],
        lambda x: integrate.quad(lambda t, a: np.sin(t * a), 0, 1, args=(x,))[0],
        lambda x: integrate.solve_ivp(lambda t, y: y * x, (0, 1), [1.0]).y[0, -1],
        lambda x: optimize.bisect(lambda t: t * t - x, 0, 3),
        lambda x: optimize.brentq(lambda t: t * t - x, 0, 3),
        lambda x: optimize.fsolve(lambda t: t * t - x, 1.0)[0],
        lambda x: optimize.root(lambda t: t * t - x, 1.0).x[0],
        lambda x: optimize.minimize_scalar(lambda t: (t - x) ** 2).x,
        lambda x: optimize.minimize_scalar(lambda t: (t - x) ** 2, method="golden").x,
        lambda x: optimize.golden(lambda t: (t - x) ** 2),
        lambda x: optimize.golden(lambda t: (t - x) ** 2, brack=(0, 3)),
        lambda x: optimize.minimize(lambda t: (t[0] - x) ** 2, [0.0]).x[0],
        lambda x: optimize.minimize(lambda t, a: (t[0] - a) ** 2, [0.0], args=(x,)).x[0],
        lambda x: optimize.differential_evolution(lambda t: (t[0] - x) ** 2, [(0, 3)], maxiter=2).x[
            0
        ],
    ):
        with pytest.raises(ag.AutogradError, match=r"scipy\.(optimize|integrate)\."):
            ag.grad(lambda x, f=function: f(x) * x)(1.5)


def test_steps_of_solvers_that_are_made_of_operators_are_differentiated():
    optimize = pytest.importorskip("scipy.optimize")
    for function, expected in (
        (lambda x: optimize.newton(lambda t: np.exp(t) - x, 0.1), 1 / 1.5),
        (lambda x: optimize.root_scalar(lambda t: t * t - x, x0=1.0, x1=1.2).root, 1.5**-0.5 / 2),
        (lambda x: optimize.brent(lambda t: np.exp(t) - t * x), 1 / 1.5),
        (lambda x: optimize.fminbound(lambda t: np.exp(t) - t * x, 0, 3), 1 / 1.5),
    ):
        assert ag.grad(lambda x, f=function: f(x) * 1.0)(1.5) == pytest.approx(expected, rel=1e-5)


def test_functions_of_scipy_are_named_with_what_to_write():
    linalg = pytest.importorskip("scipy.linalg")
    optimize = pytest.importorskip("scipy.optimize")
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda x: np.sum(linalg.eigvalsh(np.eye(2) * x)))(1.5)
    assert str(caught.value) == (
        "scipy.linalg.eigvalsh takes plain numbers, and the gradient would be lost: autograd_lite "
        "has no rule for it.\nWrite np.linalg.eigvalsh, which has one; or pass x.item() or "
        "x.data if it is meant as a constant"
    )
    with pytest.raises(ag.UnsupportedError) as caught:
        ag.grad(lambda x: optimize.golden(lambda t: (t - x) ** 2) * x)(1.5)
    assert str(caught.value) == (
        "scipy.optimize.golden takes plain numbers, and the gradient would be lost: autograd_lite "
        "has no rule for it.\nCall it in an ag.primitive of your own, whose rule differentiates "
        "the result; a solver or minimizer under @ag.implicit, by the equation that its result "
        "fulfils; or pass x.item() or x.data if it is meant as a constant"
    )
    with pytest.raises(ag.UnsupportedError) as caught:
        ag.grad(lambda x: optimize.brentq(lambda t: t * t - x, 0, 3))(1.5)
    assert str(caught.value) == (
        "scipy.optimize.brentq makes plain arrays of its arguments, and the gradient would be "
        "lost; write ag.scipy.optimize.brentq, which knows its derivative by args=, or pass x.data "
        "to use the numbers as a constant"
    )
    assert ag.Value(1.5) > 1 and optimize.golden(lambda t: (t - 1.5) ** 2) > 1


def test_a_solver_that_goes_on_after_a_refusal_is_still_refused():
    """As SciPy 1.14 does: its C code calls the function again while the error is pending."""
    solver = """def goes_on(function):
    numbers = map(float, map(function, (0.0, 3.0)))
    for _ in range(2):
        try:
            next(numbers)
        except TypeError:
            pass"""
    namespace = {"__name__": "scipy.optimize._zeros"}
    exec(solver, namespace)

    def function(t, x):
        return t * x if t == 0 else t.lost

    with pytest.raises(ag.AutogradError, match="takes a number out of the graph"):
        ag.grad(lambda x: namespace["goes_on"](lambda t: function(t, x)))(1.5)


def message_of(function: Any) -> str:
    with pytest.raises(ag.UnsupportedError) as caught:
        ag.grad(function)(1.5)
    return str(caught.value)


def test_the_message_names_the_call_and_what_to_write():
    assert message_of(lambda x: math.exp(x) * x) == (
        "math.exp() takes a number out of the graph while a function is differentiated, so that "
        "its gradient would be lost; write np.exp, which knows its derivative; or pass "
        "ag.stop_gradient(x) or x.item() if it is meant as a constant"
    )
    assert "math.lgamma() " in message_of(lambda x: math.lgamma(x) * x)
    assert "write ag.special.gammaln," in message_of(lambda x: math.lgamma(x) * x)
    assert "write np.sum," in message_of(lambda x: math.fsum([x, x]))
    assert "logarithm() " in message_of(lambda x: logarithm(x) * x)
    assert "write np.log," in message_of(lambda x: logarithm(x) * x)
    assert "write np.angle," in message_of(lambda x: cmath.phase(x) * x)
    assert "float() " in message_of(lambda x: float(x) * x)
    assert "; compute with functions of NumPy" in message_of(lambda x: float(x) * x)


def test_what_the_message_suggests_exists():
    for name, instead in ELSEWHERE.items():
        assert hasattr(math, name) or hasattr(cmath, name) or name == "sumprod"
        assert callable(eval(instead.partition("(")[0], {"np": np, "ag": ag}))


def test_the_refusal_is_what_the_caller_sees_in_the_place_of_numpys_error():
    with pytest.raises(ag.UnsupportedError, match=r"a\.fill\(\) takes a number") as caught:
        ag.grad(lambda x: filled(x) * x)(1.5)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.__cause__.__cause__ is None  # the cause is shown once


def test_errors_of_the_users_own_stay_what_they_are():
    def function(x: Any) -> Any:
        raise ValueError("no such luck")

    with pytest.raises(ValueError, match="no such luck"):
        ag.grad(function)(1.0)


def test_a_refusal_that_was_caught_is_not_the_reason_of_a_later_error():
    def function(x: Any) -> Any:
        try:
            math.exp(x)
        except TypeError:
            raise KeyError("no exponential") from None

    with pytest.raises(KeyError):
        ag.grad(function)(1.0)
    assert ag.grad(lambda x: tried(x) * x)(1.0) == 2 * math.e


def tried(x: Any) -> Any:
    try:
        return math.exp(x)
    except TypeError:
        return np.exp(x)


@pytest.mark.parametrize("part", [0, slice(0, 1)], ids=["element", "slice"])
def test_a_refused_write_that_was_caught_is_refused_all_the_same(part):
    def function(x: Any) -> Any:
        found = np.zeros(2)
        try:
            found[part] = x[part]
        except (TypeError, ValueError):
            found[0] = 7.0
        return np.sum(found * x)

    for transform in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        with pytest.raises(ag.AutogradError, match=r"Write np\.zeros\(n, like=x\)"):
            transform(function)(np.array([1.0, 2.0]))

    def outer(x: Any) -> Any:
        try:
            return ag.grad(function)(x) + x
        except ag.AutogradError:
            return x * 3

    gradient = ag.grad(lambda x: np.sum(outer(x)))
    np.testing.assert_array_equal(gradient(np.array([1.0, 2.0])), [3.0, 3.0])


@ag.primitive
def itself(x: Any) -> Any:
    return x


itself.defvjp(lambda g, out, x: g)


def write_through(x: Any) -> None:
    itself(x)[0] = 1.0


def fill(x: Any) -> None:
    np.add(x, 1.0, out=np.zeros(3))


def turn(x: Any) -> None:
    x.shape = (3, 1)


def write_what_overlaps(x: Any) -> None:
    np.lib.stride_tricks.sliding_window_view(x, 2, writeable=True)[0] = 1.0


REFUSED_WRITES = [write_through, fill, turn, write_what_overlaps]


@pytest.mark.parametrize("write", REFUSED_WRITES)
def test_no_refused_write_is_hidden_by_the_one_who_catches_it(write):
    def function(x: Any) -> Any:
        with suppress(Exception):
            write(x)
        return np.sum(x * x)

    calls = [
        lambda: ag.grad(function)(np.ones(3)),
        lambda: ag.hessian(function)(np.ones(3)),
        lambda: ag.grad(ag.checkpoint(function))(np.ones(3)),
        lambda: ag.jvp(function, np.ones(3), np.ones(3)),
        lambda: ag.vmap(function)(np.ones((2, 3))),
    ]
    # A primitive without a rule for samples warns, which is an error here, and caught as well.
    for call in calls[:-1] if write is write_through else calls:
        with pytest.raises(ag.InPlaceError):
            call()
    assert ag.grad(np.sin)(0.0) == 1.0


def test_writes_that_numpy_refuses_too_may_be_caught():
    def function(x: Any) -> Any:
        with suppress(Exception):
            np.broadcast_to(x, (2, 3))[0] = 1.0
        with suppress(ValueError):
            x[...] = np.ones(7)
        return np.sum(x * x)

    np.testing.assert_array_equal(ag.grad(function)(np.ones(3)), 2.0)


def test_a_rule_that_writes_and_then_goes_by_single_rows_has_lost_nothing():
    @ag.primitive
    def cubed(x: Any) -> Any:
        return x**3

    def vjp(g: Any, out: Any, x: Any) -> Any:
        found = np.zeros(np.shape(x))
        np.multiply(3 * g, x**2, out=found)
        return found

    cubed.defvjp(vjp)

    slopes = ag.grad(lambda x: np.sum(x * ag.jacobian(cubed)(np.array([1.0, 2.0]))))
    np.testing.assert_array_equal(slopes(np.ones(2)), [3.0, 12.0])


def test_nested_transforms_refuse_what_depends_on_any_of_their_arguments():
    with pytest.raises(ag.UnsupportedError):
        ag.grad(lambda x: ag.grad(lambda y: y * math.exp(x))(2.0))(1.0)
    with pytest.raises(ag.UnsupportedError):
        ag.grad(ag.grad(lambda x: float(x) * x))(1.0)


def test_rules_of_ones_own_may_compute_with_plain_numbers_until_they_are_differentiated():
    cube = ag.Primitive(lambda x: x**3, lambda g, out, x: g * 3 * math.pow(x, 2), name="cube")
    assert ag.grad(cube)(2.0) == 12.0
    assert ag.jvp(cube, 2.0, 1.0)[1] == 12.0
    with pytest.raises(ag.UnsupportedError):
        ag.grad(ag.grad(cube))(2.0)


def test_other_threads_refuse_as_well():
    seen: list[BaseException] = []

    def function(x: Any) -> Any:
        def run() -> None:
            try:
                float(x * x)
            except ag.AutogradError as error:
                seen.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return x

    ag.grad(function)(1.0)
    assert len(seen) == 1
