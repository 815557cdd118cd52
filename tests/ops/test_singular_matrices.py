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


# NumPy and SciPy read one triangle of a symmetric matrix, and the real part of the diagonal.

LOPSIDED = np.array([[24.0, 9.0, 7.0], [1.0, 23.0, 8.0], [0.5, -1.0, 26.0]])
TURNED = LOPSIDED + 1j * np.array([[0.3, 1.0, 2.0], [-0.5, 0.2, 3.0], [0.4, 0.6, -0.7]])
WEIGHTS = np.array([[0.3, -1.1, 0.7], [1.3, 0.2, -0.4], [0.9, 0.8, -0.6]])
IN_ORDER = np.array([1.0, 2.0, 4.0])


def weighed(x: Any) -> Any:
    return np.sum(np.real((WEIGHTS + 0.5j * WEIGHTS.T) * x))


OF_A_TRIANGLE = {
    "eigh values": (lambda a: np.sum(np.linalg.eigh(a)[0] * IN_ORDER), "L"),
    "eigh values of the upper": (lambda a: np.sum(np.linalg.eigh(a, "U")[0] * IN_ORDER), "U"),
    "eigh vectors": (lambda a: np.sum(np.abs(np.linalg.eigh(a, "l")[1]) ** 2 * WEIGHTS), "L"),
    "eigh vectors of the upper": (
        lambda a: np.sum(np.abs(np.linalg.eigh(a, "u").eigenvectors) ** 2 * WEIGHTS), "U",
    ),
    "eigvalsh": (lambda a: np.sum(np.linalg.eigvalsh(a) * IN_ORDER), "L"),
    "eigvalsh of the upper": (lambda a: np.sum(np.linalg.eigvalsh(a, UPLO="U") * IN_ORDER), "U"),
    "cholesky": (lambda a: weighed(np.linalg.cholesky(a)), "L"),
    "cholesky, upper": (lambda a: weighed(np.linalg.cholesky(a, upper=True)), "U"),
    "scipy's cholesky": (lambda a: weighed(ag.scipy.linalg.cholesky(a)), "U"),
    "scipy's cholesky, lower": (lambda a: weighed(ag.scipy.linalg.cholesky(a, lower=True)), "L"),
    "cho_solve": (
        lambda a: np.sum(
            np.real(ag.scipy.linalg.cho_solve(ag.scipy.linalg.cho_factor(a), IN_ORDER))
        ),
        "U",
    ),
}  # fmt: skip

OF_THE_LOWER = {
    "multivariate_normal": lambda a: ag.scipy.stats.multivariate_normal.logpdf(
        IN_ORDER, np.zeros(3), a
    ),
    "entropy": lambda a: ag.scipy.stats.multivariate_normal.entropy(np.zeros(3), a),
    "wishart's scale": lambda a: ag.scipy.stats.wishart.logpdf(LOPSIDED, 4.5, a),
}
EVERY = {name: function for name, (function, _) in OF_A_TRIANGLE.items()} | OF_THE_LOWER


def by_parts(function: Any, a: Any) -> Any:
    """The gradient ∂/∂re + i ∂/∂im by differences, one entry after the other."""
    parts = numerical(lambda v: function(v[0] + 1j * v[1]), np.array([a.real, a.imag]))
    return parts[0] + 1j * parts[1]


@pytest.mark.parametrize("name", EVERY)
def test_each_entry_of_the_triangle_that_is_read_has_the_derivative_of_changing_it(
    name: str,
) -> None:
    function = EVERY[name]
    found = ag.grad(function)(LOPSIDED)
    np.testing.assert_allclose(found, numerical(function, LOPSIDED), atol=1e-9)
    unread = np.tril if OF_A_TRIANGLE.get(name, "L")[-1] == "U" else np.triu
    np.testing.assert_array_equal(unread(found) - np.diag(np.diag(found)), 0)
    hessian = ag.hessian(function)(LOPSIDED)
    np.testing.assert_allclose(hessian, numerical(ag.grad(function), LOPSIDED), atol=1e-8)
    np.testing.assert_allclose(
        ag.jvp(function, LOPSIDED, WEIGHTS)[1], np.sum(found * WEIGHTS), atol=1e-12
    )


@pytest.mark.parametrize("name", OF_A_TRIANGLE)
def test_the_gradient_by_a_complex_matrix_is_that_of_the_parts_that_are_read(name: str) -> None:
    function, _ = OF_A_TRIANGLE[name]
    found = ag.grad(function)(TURNED)
    np.testing.assert_allclose(found, by_parts(function, TURNED), atol=1e-9)
    np.testing.assert_array_equal(np.diag(found).imag, 0)


@pytest.mark.parametrize("name", OF_A_TRIANGLE)
def test_triangles_are_read_alike_in_stacks_and_in_compiled_programs(name: str) -> None:
    function, _ = OF_A_TRIANGLE[name]
    matrices = np.stack([LOPSIDED, LOPSIDED + 0.1])
    singly = np.stack([ag.grad(function)(a) for a in matrices])
    np.testing.assert_allclose(ag.vmap(ag.grad(function))(matrices), singly, atol=1e-12)
    together = ag.grad(lambda stack: np.sum(ag.vmap(function)(stack)))(matrices)
    np.testing.assert_allclose(together, singly, atol=1e-12)
    np.testing.assert_allclose(ag.compile(ag.grad(function))(LOPSIDED), singly[0], atol=1e-12)


def test_wisharts_trace_is_taken_of_all_entries() -> None:
    def function(x: Any) -> Any:
        return ag.scipy.stats.wishart.logpdf(x, 4.5, np.eye(3) + 0.1)

    found = ag.grad(function)(LOPSIDED)
    np.testing.assert_allclose(found, numerical(function, LOPSIDED), atol=1e-9)
    assert ag.gradcheck(function, LOPSIDED)


@pytest.mark.parametrize("name", OF_A_TRIANGLE)
def test_gradcheck_changes_single_entries(name: str) -> None:
    assert ag.gradcheck(OF_A_TRIANGLE[name][0], LOPSIDED)
