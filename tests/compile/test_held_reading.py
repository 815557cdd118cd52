"""What a traced Value could let through, and engine functions that read numbers."""

from __future__ import annotations

import contextlib
import contextvars
import copy
import dataclasses
import fractions
import math
import operator
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.compile.held import X, check_held

# What a traced value could let through.


def swallowed(attempt, otherwise=lambda x: x):
    """A function that goes on, whatever an attempt raises."""

    def f(x):
        try:
            return attempt(x)
        except Exception:
            return otherwise(x)

    return f


@dataclasses.dataclass
class Pair:
    a: object
    b: object = 1.0


def in_thread(function):
    def call():
        with contextlib.suppress(Exception):
            found.append(function())

    found = []
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return found[0] if found else 1.0


def augmented(x):
    y = x
    y += 1
    return x * y


def raising_warnings(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.log(x)
        except RuntimeWarning:
            return x * 0.0


def raising_errstate(x):
    with np.errstate(all="raise"):
        try:
            return 1 / (x - 1)
        except FloatingPointError:
            return x * 0.0


def solving(x):
    try:
        return np.linalg.inv(np.outer(x, x))
    except np.linalg.LinAlgError:
        return np.zeros((3, 3))


def dividing(s):
    try:
        return 1 / s
    except ZeroDivisionError:
        return 7.0


def overflowing(s):
    try:
        return math.exp(s)
    except OverflowError:
        return 7.0


READING = {
    "table": lambda x: {0.0: 2.0}.get(x[0], 1.0) * x,
    "member of a set": lambda x: x * (2.0 if x[0] in {1.0, 5.0} else 1.0),
    "member of a list": lambda x: x * (2.0 if x[0] in [1.0, 5.0] else 1.0),
    "hash": lambda x: x * (hash(x[0]) % 7),
    "str": lambda x: x * len(str(x[0])),
    "repr": lambda x: x * len(repr(x)),
    "format": lambda x: x * len(f"{x[0]}"),
    "percent": lambda x: x * len(f"{x[0]}"),
    "array2string": lambda x: x * len(np.array2string(x)),
    "array_str": lambda x: x * len(np.array_str(x)),
    "copy": lambda x: copy.copy(x) * 2,
    "deepcopy": lambda x: copy.deepcopy(x) * 2,
    "deepcopy of a list": lambda x: copy.deepcopy([x])[0] * 2,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)) * 2,
    "asdict": lambda x: dataclasses.asdict(Pair(x))["a"] * 2,
    "astuple": lambda x: dataclasses.astuple(Pair(x))[0] * 2,
    "replace": lambda x: dataclasses.replace(Pair(x), b=2.0).a * 2,
    "isinstance": lambda x: x * 2 if isinstance(x, np.ndarray) else x,
    "isinstance of an element": lambda x: x * 2 if isinstance(x[0], float) else x,
    "isscalar": lambda x: x * 2 if np.isscalar(x[0]) else x,
    "type": lambda x: x * 2 if type(x) is np.ndarray else x,
    "is": lambda x: x * 2 if np.asarray(x) is x else x,
    "is of a view": lambda x: x * 2 if x[:] is x else x,
    "augmented": augmented,
    "thread": lambda x: in_thread(lambda: x * 2),
    "thread captures": lambda x: x * float(in_thread(lambda: float(np.sum(x)))),
    "executor": lambda x: next(ThreadPoolExecutor(1).map(lambda y: y * 2, [x])),
    "context": lambda x: contextvars.Context().run(lambda: x * 2),
    "context branch": lambda x: contextvars.Context().run(lambda: x if x[0] > 1 else -x),
    "copied context": lambda x: contextvars.copy_context().run(lambda: x * 2),
    "math": lambda x: x * math.exp(x[0]),
    "max": lambda x: x * max(x[0], x[1]),
    "sorted": lambda x: np.stack(sorted([x[0], x[1], x[2]])),
    "round": lambda x: x * round(x[0]),
    "divmod": lambda x: divmod(x, 2)[1] * x,
    "range": lambda x: x * len(range(int(x[0]))),
    "fraction": lambda x: x * float(fractions.Fraction(x[0])),
    "any": lambda x: x if any(x > 2) else -x,
    "array_equal": lambda x: x if np.array_equal(x, X) else -x,
    "allclose": lambda x: x if np.allclose(x, X) else -x,
    "assert": swallowed(lambda x: x if np.all(x > 1) else -x),
    "linalg error": solving,
    "warning": raising_warnings,
    "errstate": raising_errstate,
    "matrix_rank": lambda x: np.linalg.matrix_rank(np.outer(x, x)) * x,
    "matrix_rank swallowed": swallowed(lambda x: x * np.linalg.matrix_rank(np.outer(x, x))),
    "histogram_bin_edges": lambda x: np.histogram_bin_edges(x, 3),
    "histogram": lambda x: np.histogram(x, 3)[0] * 1.0,
    "trim_zeros": lambda x: np.trim_zeros(x - 1),
    "unique": lambda x: np.unique(x),
    "nonzero": lambda x: np.nonzero(x - 1)[0] * 1.0,
    "flatnonzero": lambda x: np.flatnonzero(x - 1) * 1.0,
    "bincount": lambda x: np.bincount(x.astype(int)) * 1.0,
    "digitize": lambda x: np.digitize(x, [1.5, 2.5]) * x,
    "searchsorted": lambda x: np.searchsorted([1.5, 2.5], x) * x,
    "interp": lambda x: np.interp(x, [0.0, 5.0], [1.0, 2.0]),
    "argmax": lambda x: x[np.argmax(x)] * x,
    "index": lambda x: x[operator.index(np.argmax(x))] * x,
    "tobytes": lambda x: x * len(x.tobytes()),
    "memoryview": lambda x: x * memoryview(x)[0],
    "iter": lambda x: sum(y * y for y in x) * x,
    "len": lambda x: x * len(x),
    "shape": lambda x: x * x.shape[0] * x.ndim * x.size,
    "empty compare": lambda x: x * 2 if x is not None else x,
    "eq None": lambda x: x * (1.0 if (x == None) is False else 2.0),  # noqa: E711
    "bool of comparison": swallowed(lambda x: x if bool(x[0] == 1) else -x),
    "round trip": lambda x: np.array(x.tolist()) * x,
    "fromiter": lambda x: np.fromiter((y for y in x), float) * x,
    "frombuffer": lambda x: np.frombuffer(x) * x,
    "getstate": lambda x: (
        x * (len(x.__getstate__()) if hasattr(x, "__getstate__") and x.__getstate__() else 1)
    ),
    "sizeof": lambda x: x * (x.__sizeof__() > 0),
    "np.char": swallowed(lambda x: x * len(np.char.mod("%f", x)[0])),
    "can_cast": lambda x: x * np.can_cast(x.dtype, np.float32),
    "result_type": lambda x: x.astype(np.result_type(x, np.float32)),
    "id": lambda x: x * (id(x) == id(x)),
    "isclose": lambda x: np.isclose(x, 1.0) * x,
    "shares memory": lambda x: x * np.shares_memory(x, x[:1]),
    "errors in where": lambda x: np.where(x > 1, np.sqrt(x - 1), 0.0),
    "cond": lambda x: x * np.linalg.cond(np.outer(x, x) + np.eye(3)),
    "lstsq": lambda x: np.linalg.lstsq(np.outer(x, x) + np.eye(3), x, rcond=None)[0],
    "norm 2": lambda x: x * np.linalg.norm(np.outer(x, x), 2),
    "pinv": lambda x: np.linalg.pinv(np.outer(x, x)),
}


@pytest.mark.parametrize("name", READING)
def test_what_is_read(name):
    check_held(lambda: READING[name], (X,), (X[::-1] * 2,), (np.array([5.0, 1.0, 0.0]),), (X - 4,))


@pytest.mark.parametrize("name", READING)
def test_what_is_read_swallowed(name):
    check_held(
        lambda: swallowed(READING[name]), (X,), (X,), (X,), (np.array([5.0, 1.0, 0.0]),), times=8
    )


@pytest.mark.parametrize("function", [dividing, overflowing])
@pytest.mark.parametrize("numbers", [(2.0, 2.0, 0.0, 1000.0), (0.0, 2.0, 2.0), (1000.0, 1.0)])
def test_branches_by_exceptions(function, numbers):
    check_held(lambda: function, *((x,) for x in numbers))


def save(x):
    np.save("/dev/null", x)
    return x * 2


LARGE = np.random.default_rng(0).normal(size=(500, 500))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.linalg.matrix_rank(x * 1.0),
        lambda x: np.histogram_bin_edges(x * 1.0, 3),
        lambda x: np.trim_zeros((x * 1.0).ravel()),
        lambda x: np.unique(x * 1.0),
        lambda x: len(np.array2string(x * 1.0)),
        lambda x: np.histogram(x * 1.0)[0],
        lambda x: np.unique((x * 1.0).round()).size,
        lambda x: np.linalg.cond(x * 1.0),
        lambda x: np.count_nonzero(x * 1.0 > 0),
        lambda x: np.median(x * 1.0),
        lambda x: np.quantile(x * 1.0, 0.3),
        lambda x: np.ptp(x * 1.0),
        lambda x: np.argsort((x * 1.0).ravel())[:5],
        lambda x: np.isin(x * 1.0, [0.0]).sum(),
        lambda x: np.percentile(x * 1.0, [5, 50]),
        lambda x: np.linalg.slogdet(x * 1.0)[1],
        lambda x: np.trapezoid(x * 1.0).sum(),
        lambda x: np.apply_along_axis(np.sum, 0, x * 1.0)[:3],
        lambda x: np.block([[x * 1.0, x]]).sum(),
    ],
)
def test_reading_large_results(function):
    check_held(lambda: function, (LARGE,), times=2)


def test_saving_while_tracing():
    check_held(lambda: save, (X,))
    check_held(lambda: save, (LARGE,), times=2)
