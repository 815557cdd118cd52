"""Matrices at the borders: singular ones, cut pseudo-inverses, one triangle of a symmetric one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from tests.ops.numerical import directional_derivative

RNG = np.random.default_rng(0)


def numerical(function: Any, x: Any, step: float = 1e-3) -> Any:
    """The gradient, or the Jacobian, by differences."""
    shape = np.shape(function(x))
    found = np.zeros((*shape, *np.shape(x)))
    for place in np.ndindex(shape):
        for index in np.ndindex(np.shape(x)):
            unit = np.zeros_like(x)
            unit[index] = 1
            found[place + index] = directional_derivative(
                lambda y, p=place: function(y)[p], [x], [unit], step
            )
    return found


# The determinant.


def second_minors(a: Any) -> Any:
    """The Hessian of the determinant by its definition: signed minors of n - 2 rows."""
    n = len(a)
    hessian = np.zeros((n, n, n, n))
    for i, j, k, m in itertools.product(range(n), repeat=4):
        if i != k and j != m:
            rest = np.delete(np.delete(a, [i, k], 0), [j, m], 1)
            sign = (-1) ** (i + j + k + m) * (1 if (i < k) == (j < m) else -1)
            hessian[i, j, k, m] = sign * (np.linalg.det(rest) if rest.size else 1)
    return hessian


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros((2, 2)), np.zeros((3, 3)), np.array([[0.0]]),
        np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 1.0]), np.diag([1.0, 2.0, 0.0, 0.0]), np.eye(3),
        np.diag([1.0, 0.0, 0.0, 0.0]), RNG.normal(size=(4, 4)),
    ],
)  # fmt: skip
def test_the_hessian_of_the_determinant_is_exact_at_singular_matrices_too(matrix: Any) -> None:
    hessian = ag.hessian(np.linalg.det)(matrix)
    np.testing.assert_allclose(hessian, second_minors(matrix), atol=1e-13)


def test_hessians_of_determinants_of_a_stack_and_of_complex_matrices() -> None:
    stack = np.stack([np.diag([1.0, 0.0, 2.0]), RNG.normal(size=(3, 3))])
    hessian = ag.hessian(lambda a: np.sum(np.linalg.det(a)))(stack)
    for i in range(2):
        block = hessian[i, :, :, i]
        np.testing.assert_allclose(block, second_minors(stack[i]), atol=1e-13)
        assert not np.any(hessian[i, :, :, 1 - i])

    def of_parts(v: Any) -> Any:
        return np.real(np.linalg.det(v[0] + 1j * v[1]) * (1 - 0.5j))

    parts = RNG.normal(size=(2, 3, 3))
    parts[:, 2] = parts[:, 1]  # two equal rows
    np.testing.assert_allclose(
        ag.hessian(of_parts)(parts), numerical(ag.grad(of_parts), parts), atol=1e-9
    )


@pytest.mark.parametrize("matrix", [RNG.normal(size=(3, 3)), np.eye(3)])
def test_the_third_derivative_of_the_determinant(matrix: Any) -> None:
    """That of three rows is ±1 for each permutation: the Levi-Civita symbol, twice."""
    epsilon = np.zeros((3, 3, 3))
    for p in itertools.permutations(range(3)):
        epsilon[p] = np.linalg.det(np.eye(3)[list(p)])
    expected = np.einsum("ikm,jln->ijklmn", epsilon, epsilon)
    third = ag.jacobian(ag.hessian(np.linalg.det))(matrix)
    np.testing.assert_allclose(third, expected, atol=1e-12)

    def cubed(a: Any) -> Any:
        return np.linalg.det(a) ** 3

    third = ag.jacobian(ag.hessian(cubed))(matrix)
    np.testing.assert_allclose(third, numerical(ag.hessian(cubed), matrix, 1e-2), atol=1e-7)
    stack = np.stack([matrix, matrix + 1])
    third = ag.jacobian(ag.hessian(lambda a: np.sum(np.linalg.det(a))))(stack)
    np.testing.assert_allclose(third[0, :, :, 0, :, :, 0], expected, atol=1e-12)


# Pseudo-inverses with a limit below which singular values count as zero.

LOW = RNG.normal(size=(4, 2)) @ np.diag([3.0, 0.01]) @ RNG.normal(size=(2, 2))
CUT = {
    "diagonal": np.diag([1.0, 1e-3]),
    "tall": LOW,
    "wide": LOW.T.copy(),
    "two of each": np.diag([2.0, 1.9, 1e-2, 2e-2]) + 1e-4,
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("keyword", ["rcond", "rtol"])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_pinv_differentiates_what_its_limit_leaves(name: str, keyword: str, compiled: bool) -> None:
    matrix, run = CUT[name], ag.compile if compiled else lambda function: function
    weights = np.random.default_rng(1).normal(size=matrix.T.shape)

    def function(a: Any) -> Any:
        return np.sum(weights * np.linalg.pinv(a, **{keyword: 0.1}))

    gradient = ag.grad(function)
    np.testing.assert_allclose(run(gradient)(matrix), numerical(function, matrix, 1e-4), atol=1e-8)
    hessian = run(ag.hessian(function))(matrix)
    np.testing.assert_allclose(hessian, numerical(gradient, matrix, 1e-4), atol=1e-7)


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_lstsq_differentiates_with_its_rcond(name: str, compiled: bool) -> None:
    matrix, run = CUT[name], ag.compile if compiled else lambda function: function
    target = np.arange(1.0, 1 + len(matrix))

    def function(a: Any) -> Any:
        return np.sum(np.cos(np.linalg.lstsq(a, target, rcond=0.1)[0]))

    gradient = run(ag.grad(function))(matrix)
    np.testing.assert_allclose(gradient, numerical(function, matrix, 1e-4), atol=1e-8)


def test_a_limit_that_cuts_nothing_leaves_equal_singular_values_smooth() -> None:
    """The second derivative of 1/x is 2/x³."""
    hessian = ag.hessian(lambda x: np.trace(np.linalg.pinv(x * np.eye(2), rcond=1e-3)))
    assert hessian(2.0) == pytest.approx(0.5, rel=1e-14)


# NumPy reads one triangle of a symmetric matrix.

LOPSIDED = np.array([[4.0, 9.0, 7.0], [1.0, 3.0, 8.0], [0.5, -1.0, 6.0]])


@pytest.mark.parametrize(
    "function",
    [
        lambda a: np.sum(np.linalg.eigh(a)[0] * [1.0, 2.0, 4.0]),
        lambda a: np.sum(np.linalg.eigh(a)[1] ** 2 * np.arange(9.0).reshape(3, 3)),
        lambda a: np.sum(np.linalg.eigvalsh(a) * [1.0, 2.0, 4.0]),
        lambda a: np.sum(np.linalg.cholesky(a) * np.arange(9.0).reshape(3, 3)),
    ],
    ids=["eigh values", "eigh vectors", "eigvalsh", "cholesky"],
)
def test_the_gradient_at_a_matrix_that_is_not_symmetric_is_that_of_its_lower_triangle(
    function: Any,
) -> None:
    """It is symmetric: each half of a pair gets half of what both together have."""
    lower = np.tril(LOPSIDED) + np.tril(LOPSIDED, -1).T
    share = ag.grad(function)(LOPSIDED)
    np.testing.assert_allclose(share, ag.grad(function)(lower), rtol=1e-13)
    np.testing.assert_allclose(share, share.T, rtol=1e-13, atol=1e-13)
    of_triangle = numerical(function, LOPSIDED)
    assert not np.any(np.triu(of_triangle, 1))
    np.testing.assert_allclose(np.tril(share + share.T, -1), np.tril(of_triangle, -1), atol=1e-9)
    np.testing.assert_allclose(np.diag(share), np.diag(of_triangle), atol=1e-9)


@pytest.mark.parametrize("function", [np.linalg.eigh, np.linalg.eigvalsh])
def test_the_upper_triangle_is_read_where_it_is_named(function: Any) -> None:
    def total(a: Any, triangle: str) -> Any:
        values = function(a, triangle)
        return (values[0] if isinstance(values, tuple) else values)[0]

    upper = ag.grad(lambda a: total(a, "U"))(LOPSIDED)
    np.testing.assert_allclose(upper, ag.grad(lambda a: total(a, "L"))(LOPSIDED.T), rtol=1e-13)
