"""Sparse Jacobians and Hessians: the dense ones, from fewer products.

Set AUTOGRAD_LITE_NIGHTLY to take the Hessian of every case instead of every fourth.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core.backward import is_complex
from autograd_lite.core.tree import flatten
from autograd_lite.transforms import sparse_matrices
from autograd_lite.transforms.coloring import color_rows, star_coloring
from tests.ops.cases import CASES
from tests.ops.cases.case import Case
from tests.ops.numerical import random_like

sparse = pytest.importorskip("scipy.sparse")


def is_real(case: Case) -> bool:
    inputs = case.draw()
    return not any(map(is_complex, (*inputs, *flatten(case.reference(*inputs)))))


STEP = 1 if os.environ.get("AUTOGRAD_LITE_NIGHTLY") else 4
REAL = [case for case in CASES if case.derivatives and is_real(case)]
by_case = pytest.mark.parametrize("case", REAL, ids=lambda case: case.name)
by_smooth_case = pytest.mark.parametrize(
    "case", [c for c in REAL if c.derivatives > 1][::STEP], ids=lambda case: case.name
)

POINT = np.array([0.3, -0.7, 1.1, 0.4])


def listed(case: Case) -> Any:
    return lambda *inputs: flatten(case.call(*inputs))


def assert_same(found: Any, dense: Any) -> None:
    """Of the same numbers, where sparse matrices have two axes and the dense ones any."""
    for x, y in zip(flatten(found), flatten(dense), strict=True):
        size = max(1.0, float(np.max(np.abs(y), initial=0.0)))
        np.testing.assert_allclose(
            x.toarray(), np.reshape(y, x.shape), rtol=1e-11, atol=1e-13 * size
        )


@by_case
def test_every_case_has_its_jacobian_in_sparse_form(case: Case) -> None:
    inputs = case.draw()
    argnum = range(len(inputs))
    dense = ag.jacobian(listed(case), argnum)(*inputs)
    assert_same(ag.jacobian(listed(case), argnum, sparse=True)(*inputs), dense)


@by_smooth_case
def test_every_case_has_its_hessian_in_sparse_form(case: Case) -> None:
    inputs = case.draw()
    weights = random_like(np.random.default_rng(7), flatten(case.reference(*inputs)))
    argnum = range(len(inputs))

    def number(*inputs: Any) -> Any:
        results = listed(case)(*inputs)
        return sum(np.sum(w * y) for w, y in zip(weights, results, strict=True))

    dense = ag.hessian(number, argnum)(*inputs)
    assert_same(ag.hessian(number, argnum, sparse=True)(*inputs), dense)


# Patterns.


def rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def laplace(x: Any) -> Any:
    padded = np.pad(x, 1)
    return padded[2:] - 2 * x + padded[:-2]


def buffer(x: Any) -> Any:
    z = np.zeros_like(x)
    z[1:] = np.sin(x[:-1])
    z[0] += x[2]
    return z


EXACT = {
    "elementwise": lambda x: np.tanh(x) * x + 1,
    "stencil": laplace,
    "differences": np.diff,
    "moved": lambda x: np.roll(np.stack([x, x**2]), 1, axis=1)[:, ::2].T.ravel(),
    "picked": lambda x: x[[0, 0, 3]] * np.sum(x[:2]),
    "built": lambda x: ag.array([x[0], x[1] * x[2], 5.0]),
    "buffer": buffer,
    "added up": lambda x: np.bincount([0, 1, 1, 0], weights=x),
    "rows": lambda x: np.sum(np.outer(x, x[:2]), axis=1),
    "columns": lambda x: np.mean(x.reshape(2, 2) ** 2, axis=0, keepdims=True),
    "running": lambda x: np.cumsum(x.reshape(2, 2), axis=1),
    "products": lambda x: np.vecdot(x.reshape(2, 2), x[:2]),
    "inner": lambda x: np.inner(x.reshape(2, 2), x[:2]),
    "largest": lambda x: np.logaddexp.reduce(x.reshape(2, 2), axis=0),
    "constant matrix": lambda x: np.array([[1.0, 0, 0, 2], [0, 0, 3, 0]]) @ x,
    "constant matrix, right": lambda x: x.reshape(2, 2) @ np.array([[1.0, 2], [0, 3]]),
    "product of two": lambda x: x.reshape(2, 2) @ x.reshape(2, 2),
    "dot": lambda x: np.dot(x.reshape(2, 2), x.reshape(2, 2)),
    "einsum": lambda x: np.einsum("i,ij->j", x[:2], np.outer(x[2:], x[:3])),
    "smoothed": lambda x: np.convolve(x, [0.25, 0.5, 0.25], "same"),
    "interpolated": lambda x: np.interp(x, [-1.0, 0.0, 2.0], [1.0, 0.5, 3.0]),
    "sorted rows": lambda x: np.sort(x.reshape(2, 2), axis=1),
    "where": lambda x: np.where(x > 0, x * x[::-1], x),
    "sparse matrix": lambda x: ag.scipy.sparse.csr_array(sparse.eye_array(4)) @ x,
}
"""Functions whose pattern has not one place too many, at a point where nothing vanishes."""

TOO_MANY = {"running": 8, "sorted rows": 8, "where": 8, "interpolated": 4, "sparse matrix": 16}
"""Those with some, and how many in all."""


@pytest.mark.parametrize("name", EXACT)
def test_patterns_are_no_larger_than_they_must_be(name: str) -> None:
    dense = ag.jacobian(EXACT[name])(POINT)
    pattern = ag.sparsity(EXACT[name], POINT)
    assert pattern.dtype == bool
    assert np.all(pattern.toarray() >= (np.reshape(dense, pattern.shape) != 0))
    assert pattern.nnz == TOO_MANY.get(name, np.count_nonzero(dense))


def test_the_pattern_of_a_hessian_is_that_of_the_gradient() -> None:
    pattern = ag.sparsity(ag.grad(rosenbrock), POINT).toarray()
    np.testing.assert_array_equal(pattern, np.abs(np.subtract.outer(range(4), range(4))) < 2)


def test_a_function_of_ones_own_depends_on_all_whatever_it_is_called() -> None:
    own = ag.Primitive(lambda x: x[::-1].copy(), lambda g, out, x: g[::-1], name="ravel")
    assert ag.sparsity(own, POINT).nnz == 16
    np.testing.assert_array_equal(ag.jacobian(own, sparse=True)(POINT).toarray(), np.eye(4)[::-1])


def test_the_pattern_of_several_arguments_and_results() -> None:
    pattern = ag.sparsity(lambda x, y: (x * y[0], np.sum(y)), POINT, np.ones(2), argnum=(0, 1))
    assert pattern.toarray().astype(int).tolist() == [
        [1, 0, 0, 0, 1, 0],
        [0, 1, 0, 0, 1, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 1, 1],
    ]


# Colours.

patterns = st.builds(
    lambda rows, columns, density, seed: sparse.csr_array(
        np.random.default_rng(seed).random((rows, columns)) < density
    ),
    st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 99),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(patterns)
def test_rows_of_one_colour_share_no_column(pattern: Any) -> None:
    colors = color_rows(pattern)
    dense = pattern.toarray()
    for color in range(max(colors) + 1):
        assert dense[colors == color].sum(axis=0).max() <= 1


@settings(max_examples=200, deadline=None)
@given(patterns)
def test_each_element_of_a_symmetric_matrix_is_alone_in_one_product(pattern: Any) -> None:
    n = min(pattern.shape)
    square = pattern[:n, :n]
    dense = (square + square.T).toarray()
    colors = star_coloring((square + square.T).tocsr())
    for i, j in zip(*np.nonzero(dense), strict=True):
        first, last = (i, j) if colors[i] < colors[j] else (j, i)
        assert np.count_nonzero(dense[last] & (colors == colors[first])) == 1


def sweeps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many products are asked for, each time."""
    counts: list[int] = []
    products = sparse_matrices.Trace.products

    def counting(self: Any, cotangents: Any, count: int) -> Any:
        counts.append(count)
        return products(self, cotangents, count)

    monkeypatch.setattr(sparse_matrices.Trace, "products", counting)
    return counts


def test_as_many_products_as_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sweeps(monkeypatch)
    x = np.linspace(-1, 1, 50)
    found = ag.hessian(rosenbrock, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), ag.hessian(rosenbrock)(x), rtol=1e-13, atol=1e-13)

    def arrow(x: Any) -> Any:  # one number stands in all terms
        return np.sum(np.sin(x[0] * x[1:]))

    found = ag.hessian(arrow, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), ag.hessian(arrow)(x), rtol=1e-13, atol=1e-13)
    ag.jacobian(laplace, sparse=True)(x)
    assert counts == [3, 2, 3]


def test_columns_are_taken_where_rows_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = sweeps(monkeypatch)

    def tall(x: Any) -> Any:  # each number of two in a hundred results
        return np.concatenate([np.sin(x[0] * np.arange(100.0)), np.cos(x[1] * np.arange(100.0))])

    x = np.array([0.3, 0.7])
    found = ag.jacobian(tall, sparse=True)(x)
    assert counts == [1]  # no row has both
    assert found.nnz == 200
    np.testing.assert_allclose(found.toarray(), ag.jacobian(tall)(x), rtol=1e-13)


def test_a_hundred_thousand_variables() -> None:
    """The closed form of the Hessian, from Rosenbrock's function by hand."""
    x = np.random.default_rng(0).normal(size=100_000)
    found = ag.hessian(rosenbrock, sparse=True)(x)
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    beside = -400 * x[:-1]
    expected = sparse.diags_array([beside, diagonal, beside], offsets=[-1, 0, 1])
    assert abs(found - expected).max() < 1e-9
    assert found.nnz == 299_998


# Together with the rest.


def test_nestings_are_those_of_the_dense_ones() -> None:
    def f(parameters: Any, scale: Any) -> Any:
        return {"a": parameters["w"] * scale, "b": np.sum(parameters["c"])}

    arguments = {"w": POINT, "c": np.ones((2, 3))}, 2.0
    for argnum in (0, 1, (0, 1)):
        dense = ag.jacobian(f, argnum)(*arguments)
        found = ag.jacobian(f, argnum, sparse=True)(*arguments)
        assert_same(found, dense)
        assert all(isinstance(x, sparse.csr_array) for x in flatten(found))


def test_aux_and_keywords_go_along() -> None:
    def f(x: Any, *, scale: Any) -> Any:
        return np.diff(x) * scale, "aux"

    found, aux = ag.jacobian(f, "scale", has_aux=True, sparse=True)(POINT, scale=2.0)
    assert aux == "aux"
    np.testing.assert_allclose(found.toarray()[:, 0], np.diff(POINT))


def test_float32_stays_float32() -> None:
    assert ag.jacobian(np.diff, sparse=True)(POINT.astype(np.float32)).dtype == np.float32


def test_a_number_has_no_axes_to_go_along() -> None:
    for function in (np.sum, np.cumsum, lambda x: np.sort(x, axis=None), np.max):
        assert ag.sparsity(function, 2.0).toarray().tolist() == [[True]]


def test_nothing_depends_on_anything() -> None:
    found = ag.jacobian(lambda x: np.ones(2), sparse=True)(POINT)
    assert found.shape == (2, 4)
    assert found.nnz == 0
    assert ag.jacobian(lambda x: x[:0], sparse=True)(POINT).shape == (0, 4)
    assert ag.hessian(np.sum, sparse=True)(POINT).nnz == 0


def test_the_numbers_are_a_value_inside_of_another_derivative() -> None:
    def total(a: Any) -> Any:
        return np.sum(ag.jacobian(lambda x: np.sin(a * np.diff(x)), sparse=True)(POINT).data ** 2)

    def by_hand(a: Any) -> Any:
        return np.sum(2 * (a * np.cos(a * np.diff(POINT))) ** 2)

    assert ag.grad(total)(0.7) == pytest.approx(ag.grad(by_hand)(0.7), rel=1e-12)


def test_the_numbers_are_computed_in_a_program() -> None:
    numbers = ag.compile(lambda x: ag.hessian(rosenbrock, sparse=True)(x).data)
    pattern = ag.hessian(rosenbrock, sparse=True)(POINT)
    for x in (POINT, POINT[::-1].copy(), POINT * 2):
        again = sparse.csr_array((numbers(x), pattern.indices, pattern.indptr), pattern.shape)
        np.testing.assert_allclose(again.toarray(), ag.hessian(rosenbrock)(x), rtol=1e-13)
    assert numbers.stats.programs == 1


def test_a_program_whose_places_change_from_call_to_call_is_refused() -> None:
    def masked(x: Any, index: Any) -> Any:
        y = x * 2
        y[x > 0.35] = x[0]
        return y

    def added(x: Any, index: Any) -> Any:
        y = np.zeros_like(x)
        np.add.at(y, index, x[:2])
        return y

    for f in (lambda x, index: x[index], lambda x, i: np.take(x, i), masked, added):
        numbers = ag.compile(lambda x, i, f=f: ag.jacobian(f, sparse=True)(x, i).data)
        with pytest.raises(ag.UnsupportedError, match="let the function capture that array"):
            numbers(POINT, np.array([2, 3]))


def test_a_constant_matrix_has_the_places_of_its_numbers_also_in_a_program() -> None:
    weights = np.eye(4)
    numbers = ag.compile(lambda x: ag.jacobian(lambda x: weights @ x, sparse=True)(x).data)
    np.testing.assert_allclose(numbers(POINT), np.ones(4))
    weights[:] = 2.0
    with pytest.raises(ag.CompileError, match="the array 'weights' holds other numbers"):
        numbers(POINT)


def test_complex_arguments_are_refused_by_name() -> None:
    with pytest.raises(ag.UnsupportedError, match=r"jacobian\(sparse=True\): .* complex arguments"):
        ag.jacobian(lambda z: z * z, sparse=True)(POINT + 1j)


def test_a_pattern_beyond_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd_lite.transforms.sparsity.MOST_PLACES", 10)
    with pytest.raises(ag.UnsupportedError, match=r"16 places that may not be zero; use ag\.hvp"):
        ag.jacobian(lambda x: x * np.linalg.norm(x), sparse=True)(POINT)
