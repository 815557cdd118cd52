"""Programs on arrays of a device: CuPy's where there is a GPU, else those of its stand-in."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.core import tree
from autograd_lite.core.tree import flatten
from tests.ops.by_scipy import is_by_scipy_alone
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.cupy_library import cupy_with_gpu
from tests.ops.device_array import assert_lacking
from tests.ops.device_library import library as stand_in
from tests.ops.numerical import random_like
from tests.ops.reading import is_refused_rightly


@pytest.fixture(params=["stand-in", pytest.param("cupy", marks=pytest.mark.cupy)])
def library(request: Any) -> Any:
    if request.param == "cupy":
        return cupy_with_gpu()
    for log in (stand_in.transfers, stand_in.launched):
        log.clear()
    stand_in.Graph.launches = 0
    return stand_in


def on_host(library: Any, nested: Any) -> Any:
    return tree.map(lambda x: library.asnumpy(x) if isinstance(x, library.ndarray) else x, nested)


def assert_close(library: Any, found: Any, expected: Any) -> None:
    for mine, numpys in zip(flatten(on_host(library, found)), flatten(expected), strict=True):
        assert np.shape(mine) == np.shape(numpys)
        assert np.result_type(mine) == np.result_type(numpys)
        size = max(1.0, float(np.max(np.abs(numpys), initial=0.0)))
        np.testing.assert_allclose(mine, numpys, rtol=1e-11, atol=1e-12 * size)


def assert_nothing_fetched(library: Any) -> None:
    assert getattr(library, "transfers", []) == []


# Every operation.


def gradient_of(case: Case) -> Any:
    weights = random_like(np.random.default_rng(7), flatten(case.reference(*case.draw(0))))

    def gradient(*inputs: Any) -> Any:
        return ag.vjp(lambda *xs: flatten(case.call(*xs)), *inputs)[1](weights)

    return gradient


DIFFERENTIABLE = [case for case in CASES if case.derivatives and not is_by_scipy_alone(case)]


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)
def test_gradients_by_graphs_are_those_of_the_program_on_numpy(case: Case, library: Any) -> None:
    check_gradients(case, library, cuda_graph=True)


@pytest.mark.parametrize("case", DIFFERENTIABLE[::4], ids=lambda case: case.name)
def test_gradients_without_graphs_are_too(case: Case, library: Any) -> None:
    check_gradients(case, library, cuda_graph=False)


def check_gradients(case: Case, library: Any, cuda_graph: bool) -> None:
    """At the calls that compile, capture and replay."""
    gradient = gradient_of(case)
    here, there = ag.compile(gradient), ag.compile(gradient, cuda_graph=cuda_graph)
    for seed in (0, 1, 2):
        inputs = case.draw(seed)
        try:
            expected = here(*inputs)
        except ag.CompileError as error:
            assert is_refused_rightly(case, error), error
            return
        try:
            found = there(*map(library.asarray, inputs))
        except ag.UnsupportedError as error:
            assert library.__name__ in str(error)
            if library is stand_in:
                assert_lacking(case.function, error)
            return
        assert_nothing_fetched(library)
        assert_close(library, found, expected)


# One program.


def loss(w: Any, b: Any, x: Any, y: Any) -> Any:
    hidden = np.tanh(x @ w + b)
    return np.mean((hidden - np.maximum(y, 0.1)) ** 2) + 0.01 * np.max(np.abs(w))


def drawn(seed: int = 0, dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(seed)
    shapes = ((5, 4), (4,), (7, 5), (7, 4))
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def plain_source(compiled: Any) -> str:
    """The lines that compute, with reductions by methods as functions."""
    text = compiled.source.split("def prepare():")[1]
    text = re.sub(r"\b(sum|max)_2\(", r"\1(", text)
    text = text.replace("add.reduce(", "sum(").replace("maximum.reduce(", "max(")
    text = text.replace(", out=", ", None, ").replace(", keepdims=True", ", True")
    return text.replace("maximum1, None, ", "maximum1, ")


def test_the_program_is_the_one_that_numpy_runs(library: Any) -> None:
    derivative = ag.value_and_grad(loss, (0, 1))
    here, there = ag.compile(derivative), ag.compile(derivative)
    here(*drawn())
    there(*map(library.asarray, drawn()))
    assert plain_source(there) == plain_source(here)
    assert f"from {library.__name__} import " in there.source
    assert "from numpy import bool as bool_2, errstate, float64" in there.source


def test_ties_of_maxima_are_no_branch_there(library: Any) -> None:
    """It would wait for the numbers of the device."""
    derivative = ag.grad(lambda w: np.sum(np.maximum(np.tanh(w), 0) ** 2))
    here, there = ag.compile(derivative), ag.compile(derivative)
    w = np.array([-1.0, 0.0, 2.0])
    assert_close(library, there(library.asarray(w)), here(w))
    assert "count_nonzero" in here.source and "count_nonzero" not in there.source


def test_float32_stays_float32(library: Any) -> None:
    compiled = ag.compile(ag.value_and_grad(loss, (0, 1)))
    found = compiled(*(library.asarray(x) for x in drawn(dtype=np.float32)))
    assert {x.dtype for x in flatten(found)} == {np.dtype(np.float32)}


def test_arguments_of_numpy_move_and_each_library_has_a_program_of_its_own(library: Any) -> None:
    compiled = ag.compile(loss)
    w, *others = drawn()
    mixed = compiled(library.asarray(w), *others)
    assert isinstance(mixed, library.ndarray)
    assert isinstance(compiled(w, *others), np.float64)
    assert_close(library, mixed, loss(w, *others))


def test_random_draws_are_those_of_the_generator(library: Any) -> None:
    def noisy(x: Any, rng: Any) -> Any:
        return x + ag.random.standard_normal(rng, x.shape)

    compiled = ag.compile(noisy)
    x, rng, same = np.zeros(3), np.random.default_rng(0), np.random.default_rng(0)
    for _ in range(3):
        assert_close(library, compiled(library.asarray(x), rng), noisy(x, same))


def test_a_model_that_was_moved_trains_in_place_and_comes_back(library: Any) -> None:
    x, y = drawn()[2:]
    here, there = (nn.MLP(5, [6, 4], rng=0) for _ in range(2))
    there.to(library)
    assert_nothing_fetched(library)

    def step_of(model: Any) -> Any:
        parameters = model.parameters()

        def step(x: Any, y: Any) -> Any:
            value = np.mean((model(x) - y) ** 2)
            gradients = ag.gradients(value, parameters)
            return value, [p - 0.1 * g for p, g in zip(parameters, gradients, strict=True)]

        return ag.compile(step, donate=tuple(parameters))

    for model, move in ((here, np.asarray), (there, library.asarray)):
        step, before = step_of(model), [p.data for p in model.parameters()]
        for _ in range(4):
            _, after = step(move(x), move(y))
            for p, data in zip(model.parameters(), after, strict=True):
                p.data = data
        assert all(p.data is b for p, b in zip(model.parameters(), before, strict=True))
    assert_nothing_fetched(library)
    there.to(np)
    for mine, numpys in zip(there.parameters(), here.parameters(), strict=True):
        np.testing.assert_allclose(mine.data, numpys.data, rtol=1e-11)


# CUDA graphs.


def deep(weights: Any, x: Any, rate: float) -> Any:
    """Layers of products between elementwise functions; a number that changes from call to call."""
    for w in weights:
        x = np.tanh(x @ w * rate) + 0.1 * x
    return np.sum(x * x)


def stack(seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(8, 8)) for _ in range(6)], rng.normal(size=(16, 8))


def captured(library: Any) -> Any:
    """A program of deep layers that has been captured."""
    compiled = ag.compile(ag.value_and_grad(deep), cuda_graph=True)
    for seed in range(3):
        weights, x = stack(seed)
        compiled([library.asarray(w) for w in weights], library.asarray(x), 0.5)
    return compiled


def test_graphs_give_the_same_for_other_arguments(library: Any) -> None:
    replayed, derivative = captured(library), ag.value_and_grad(deep)
    for seed, rate in ((3, 0.5), (4, 0.25), (5, -1.0)):
        weights, x = stack(seed)
        found = replayed([library.asarray(w) for w in weights], library.asarray(x), rate)
        assert_close(library, found, derivative(weights, x, rate))
    assert_nothing_fetched(library)


def test_results_belong_to_the_caller(library: Any) -> None:
    replayed = captured(library)
    (weights, x), (others, _) = stack(0), stack(1)
    first = replayed([library.asarray(w) for w in weights], library.asarray(x), 0.5)
    kept = on_host(library, tree.map(lambda x: x.copy(), first))
    replayed([library.asarray(w) for w in others], library.asarray(x), 0.5)
    assert_close(library, first, kept)


def test_between_products_python_launches_graphs_only() -> None:
    replayed = captured(stand_in)
    stand_in.launched.clear()
    before = stand_in.Graph.launches
    weights, x = stack(0)
    replayed([stand_in.asarray(w) for w in weights], stand_in.asarray(x), 0.5)
    left = set(stand_in.launched)
    assert left == {"dot", "copyto", "array"}
    assert stand_in.launched.count("dot") == 6 + 6 + 5
    assert stand_in.launched.count("copyto") == 1, "x alone is read by a graph"
    assert stand_in.Graph.launches - before == replayed.source.count("@replayed") == 11
    assert replayed.source.count("dot(") == 17


def test_what_cannot_be_captured_is_a_clear_error(monkeypatch: Any) -> None:
    weights, x = stack(0)
    given = [stand_in.asarray(w) for w in weights], stand_in.asarray(x), 0.5
    compiled = ag.compile(deep, cuda_graph=True)
    compiled(*given)

    def refuse(self: Any) -> None:
        raise NotImplementedError("calling cuRAND API during stream capture is unsupported")

    monkeypatch.setattr(stand_in.cuda.Stream, "begin_capture", refuse)
    with pytest.raises(ag.CompileError) as refused:
        compiled(*given)
    assert str(refused.value) == (
        "a part of the program cannot be captured as a CUDA graph (calling cuRAND API during "
        "stream capture is unsupported); omit cuda_graph=True"
    )


# Refusals.


def test_options_for_other_arrays_are_refused(library: Any) -> None:
    given = [library.asarray(x) for x in drawn()]
    with pytest.raises(ag.CompileError) as refused:
        ag.compile(loss, cuda_graph=True)(*drawn())
    assert str(refused.value) == (
        "loss is to run as CUDA graphs, but its arrays are NumPy's; pass arrays of CuPy, or omit "
        "cuda_graph=True"
    )
    with pytest.raises(ag.ArgumentValueError, match=r"^compile: check_finite=True looks at every"):
        ag.compile(loss, cuda_graph=True, check_finite=True)
    compiled = ag.compile(loss)
    compiled(*given)
    used_last = rf"^loss was used last on arrays of {library.__name__}"
    with pytest.raises(ag.CompileError, match=used_last):
        compiled.save("loss.py")


def test_a_captured_value_that_moved_is_an_error(library: Any) -> None:
    w = ag.Value(np.ones(3))

    def total(x: Any) -> Any:
        return np.sum(w * x)

    compiled = ag.compile(total)
    for _ in range(2):
        compiled(np.ones(3))
    w.data = library.asarray(np.ones(3))
    with pytest.raises(ag.CompileError, match="has moved to another library; call"):
        compiled(np.ones(3))
    compiled.clear()
    assert_close(library, compiled(library.asarray(np.ones(3))), np.float64(3.0))


def test_of_repeated_writes_the_last_counts(library: Any) -> None:
    def written(x: Any, v: Any, places: Any) -> Any:
        z = x * 1.0
        z[places] = v
        return np.sum(np.sin(z) * x)

    gradient = ag.grad(written, (0, 1))
    arguments = np.linspace(0.0, 1.0, 5), np.array([1.0, 2.0, 3.0]), np.array([1, 1, 4])
    compiled = ag.compile(gradient)
    for _ in range(3):
        assert_close(library, compiled(*map(library.asarray, arguments)), gradient(*arguments))


def test_matrices_without_an_inverse_are_errors(library: Any) -> None:
    compiled = ag.compile(ag.grad(lambda x: np.sum(np.linalg.inv(x))))
    compiled(library.asarray(np.eye(2)))
    with pytest.raises(np.linalg.LinAlgError):
        compiled(library.asarray(np.ones((2, 2))))
