"""Names of the user's in generated code, and functions that wrap functions."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.transforms.codes import reads_of
from tests.compile.held import X, check_held, is_same, load

BIG = np.linspace(0.5, 2.0, 5_000)
OF_BLOCKS = ("start", "stop", "length", "block", "segment1", "run_blocks", "x_block", "sum_parts")


# Names.

NAMES = [
    "start",
    "stop",
    "length",
    "block",
    "prepare",
    "program",
    "idle",
    "checked",
    "float",
    "decoded",
    "numpy",
    "np",
    "captured_0",
    "segment1",
    "run_blocks",
    "loop",
    "i",
    "x1",
    "v1",
    "number_1",
    "memory",
    "add",
    "sin",
    "args",
    "kwargs",
    "lambda_",
    "entry",
    "self",
    "x",
    "int",
    "len",
    "range",
    "_",
    "__x",
    "é",
    "isinstance",
    "hasattr",
    "given",
    "name",
    "shape",
    "dtype",
    "TypeError",
    "list",
    "tuple",
    "dict",
    "type",
    "base64",
    "io",
    "graph1",
    "constant",
    "parameter",
    "array",
    "complex",
    "annotations",
    "value",
    "guvectorize",
    "errstate",
    "x_block",
    "sum_parts",
    "sum_part",
    "result",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_arguments(name, tmp_path):
    scope = {"numpy_": np}
    exec(
        f"def f({name}, other):\n"
        f"    y = numpy_.sin({name}) * other * 2.0\n"
        f"    return y, numpy_.sum(y * y), numpy_.maximum({name}, 0.5)",
        scope,
    )
    f = scope["f"]
    for x in (X, BIG)[: 1 + (name in OF_BLOCKS)]:
        compiled = ag.compile(f, block=100)
        for _ in range(2):
            assert is_same(compiled(x, 0.5), f(x, 0.5))
        assert ("def block(" in compiled.source) is (x is BIG)
        path = compiled.save(tmp_path / "saved.py")
        saved = load(path)
        assert is_same(saved(x, 0.5), f(x, 0.5))
        assert is_same(saved(**{name: x, "other": 0.5}), f(x, 0.5))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_functions_and_labels(name, tmp_path):
    w = ag.Value(0.5, label=name)

    def f(x):
        y = np.sin(x) * w
        y.label = name
        return y * 2, np.sum(y * y)

    f.__name__ = name
    for x in (X, BIG)[: 1 + (name in OF_BLOCKS)]:
        compiled = ag.compile(f, block=100)
        expected = tuple(np.asarray(r.data)[()] for r in f(ag.Value(x)))
        for _ in range(2):
            assert is_same(compiled(x), expected)
        assert ("def block(" in compiled.source) is (x is BIG)
        assert is_same(load(compiled.save(tmp_path / "saved.py"))(x), expected)


# The wrapper.


class Squaring:
    function = "mine"
    options = "also mine"
    source = "text"

    def __init__(self):
        self.function = lambda x: x * 3
        self.options = {"power": 2}
        self._programs = 5
        self.stats = "mine"

    def __call__(self, x):
        return self.function(x) ** self.options["power"]


class WithMethods:
    def __init__(self, rate=2.0):
        self.rate = rate

    @ag.compile
    def scale(self, x):
        return x * self.rate

    @ag.compile(cache_size=3)
    def other(self, x, y=1.0):
        return x * self.rate + y

    @staticmethod
    @ag.compile
    def alone(x):
        return x * 2

    @classmethod
    @ag.compile
    def of_class(cls, x):
        return x * len(cls.__name__)


def test_wrappers_of_wrappers():
    def f(x):
        return np.sum(np.sin(x) ** 2)

    inner = ag.compile(f)
    both = ag.compile(ag.grad(inner))
    for _ in range(4):
        np.testing.assert_allclose(both(X), ag.grad(f)(X))
        np.testing.assert_allclose(inner(X), f(X))
    check_held(lambda: nn.Activation("tanh"), (X,))
    check_held(Squaring, (X,))
    check_held(lambda: ag.compile(f), (X,))
    assert ag.compile(f).__name__ == "f"
    assert ag.compile(f).__wrapped__ is f


def test_compiled_inside_compiled_called_alone():
    inner = ag.compile(lambda x: np.sin(x) * 2)
    outer = ag.compile(lambda x: inner(x) + inner(2 * x))
    for _ in range(4):
        np.testing.assert_allclose(outer(X), np.sin(X) * 2 + np.sin(2 * X) * 2)
    for _ in range(4):
        np.testing.assert_allclose(inner(X), np.sin(X) * 2)
    captures = ag.compile(lambda x: x + inner(X))
    for _ in range(4):
        np.testing.assert_allclose(captures(X), X + np.sin(X) * 2)


def test_methods():
    thing, other = WithMethods(), WithMethods(5.0)
    for _ in range(5):
        np.testing.assert_array_equal(thing.scale(X), 2 * X)
        np.testing.assert_array_equal(other.scale(X), 5 * X)
        np.testing.assert_array_equal(thing.other(X, y=2.0), 2 * X + 2)
        np.testing.assert_array_equal(WithMethods.alone(X), 2 * X)
        np.testing.assert_array_equal(WithMethods.of_class(X), 11 * X)
        np.testing.assert_array_equal(WithMethods.scale(thing, X), 2 * X)
    thing.rate = 3.0
    with pytest.raises(ag.CompileError, match="rate"):
        thing.scale(X)
    np.testing.assert_array_equal(other.scale(X), 5 * X)


def doubled(x):
    return x * 2


doubled_compiled = ag.compile(doubled, cache_size=5)


def test_pickling_a_compiled_function():
    doubled_compiled(X)
    again = pickle.loads(pickle.dumps(doubled_compiled))
    np.testing.assert_array_equal(again(X), 2 * X)
    copied = copy.deepcopy(ag.compile(doubled))
    np.testing.assert_array_equal(copied(X), 2 * X)


def test_every_name_that_is_read_is_a_name():
    """Also where a function is made with a closure, which is an instruction's flag."""

    def outer(scale):
        def inner(x, *, power: int = 2):
            return np.sin(x.real) ** power * scale

        return inner

    read = reads_of(outer.__code__)
    assert all(isinstance(name, str) for names in read for name in names)
    assert {"sin", "real"} <= read.attributes
