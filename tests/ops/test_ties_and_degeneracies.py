"""Ties, zeros and degenerate matrices in the families beyond elementwise functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.ops import decompositions


def gradient(function: Callable[..., Any], x: Any) -> Any:
    return ag.grad(function)(np.asarray(x, float))


# Ties in what sorts.


def test_tied_elements_share_the_gradients_of_their_sorted_places() -> None:
    weights = np.array([1.0, 2.0, 6.0, 10.0])
    assert gradient(lambda x: np.sort(x) @ weights, [5.0, 3.0, 3.0, 1.0]).tolist() == [10, 4, 4, 1]
    assert gradient(lambda x: np.sort(x)[0], [3.0, 3.0, 3.0, 4.0]).tolist() == [1 / 3] * 3 + [0]
    assert gradient(lambda x: np.partition(x, 1)[1], [2.0, 7.0, 2.0]).tolist() == [0.5, 0, 0.5]
    assert gradient(np.median, [2.0, 2.0, 1.0]).tolist() == [0.5, 0.5, 0]
    columns = gradient(lambda x: np.sum(np.sort(x, axis=0)[0]), [[1.0, 2.0], [1.0, 3.0]])
    assert columns.tolist() == [[0.5, 1.0], [0.5, 0.0]]


def test_a_running_maximum_is_shared_by_all_that_have_reached_it() -> None:
    shares = gradient(lambda x: np.sum(np.maximum.accumulate(x)), [2.0, 1.0, 2.0, 3.0])
    assert shares.tolist() == [2.5, 0.0, 0.5, 1.0]


def test_quantiles_of_one_element_and_at_the_ends() -> None:
    assert gradient(lambda x: np.quantile(x, 0.3), [4.0]).tolist() == [1.0]
    assert gradient(lambda x: np.quantile(x, 1.0), [4.0, 5.0]).tolist() == [0, 1]
    assert gradient(lambda x: np.nanmedian(x), [4.0, np.nan, 6.0]).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("function", [np.nanmax, np.nanmin])
def test_extrema_without_nan_share_ties(function: Any) -> None:
    assert gradient(function, [1.0, np.nan, 1.0]).tolist() == [0.5, 0.0, 0.5]


@pytest.mark.parametrize("function", [np.fmax, np.fmin])
def test_a_nan_leaves_the_whole_gradient_to_the_other(function: Any) -> None:
    x, y = ag.Value([1.0, np.nan, 2.0]), ag.Value([np.nan, 3.0, 2.0])
    np.sum(function(x, y)).backward()
    assert x.grad.tolist() == [1, 0, 0.5]
    assert y.grad.tolist() == [0, 1, 0.5]


# Zeros.


@pytest.mark.parametrize("zeros", [[], [1], [1, 3], [0, 1, 2, 3]])
def test_running_products_are_exact_with_zeros(zeros: list[int]) -> None:
    x = np.array([2.0, 3.0, 5.0, 7.0])
    x[zeros] = 0
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    expected = [
        sum(weights[j] * np.prod(np.delete(x[: j + 1], i)) for j in range(i, 4)) for i in range(4)
    ]
    assert gradient(lambda x: np.cumprod(x) @ weights, x).tolist() == expected


@pytest.mark.parametrize("order", [None, 1, 2, 3, np.inf])
def test_the_gradient_of_a_norm_at_zero_is_zero(order: Any) -> None:
    assert gradient(lambda x: np.linalg.norm(x, ord=order), [0.0, 0.0]).tolist() == [0, 0]
    shares = gradient(lambda x: np.sum(np.linalg.norm(x, ord=order, axis=1)), [[0, 0], [3, 4.0]])
    assert shares[0].tolist() == [0, 0]


def test_the_gradient_of_a_norm_at_an_element_zero_is_zero_there() -> None:
    assert gradient(lambda x: np.linalg.norm(x, ord=3), [0.0, 2.0]).tolist() == [0, 1]


def test_tied_absolute_values_share_the_maximum_norm() -> None:
    shares = gradient(lambda x: np.linalg.norm(x, ord=np.inf), [3.0, -3.0, 1.0])
    assert shares.tolist() == [0.5, -0.5, 0.0]


# Degenerate and singular matrices.


@pytest.mark.parametrize(
    ("matrix", "cofactors"),
    [
        ([[1.0, 2.0], [2.0, 4.0]], [[4, -2], [-2, 1]]),
        ([[0.0, 0.0], [0.0, 3.0]], [[3, 0], [0, 0]]),
        (np.zeros((3, 3)), np.zeros((3, 3))),
        (np.diag([2.0, 0.0, 5.0]), np.diag([0, 10, 0])),
    ],
)
def test_the_determinant_has_its_gradient_at_singular_matrices_too(
    matrix: Any, cofactors: Any
) -> None:
    np.testing.assert_allclose(gradient(np.linalg.det, matrix), cofactors, atol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        np.linalg.inv,
        lambda a: np.linalg.slogdet(a)[1],
        lambda a: np.linalg.solve(a, np.ones(2)),
        ag.grad(lambda a: np.sum(ag.grad(np.linalg.det)(a))),
    ],
)
def test_singular_matrices_raise_numpys_error(function: Any) -> None:
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"), np.errstate(all="ignore"):
        gradient(lambda a: np.sum(function(a)), [[1.0, 2.0], [2.0, 4.0]])


def test_equal_eigenvalues_leave_their_sum_differentiable_and_their_vectors_not() -> None:
    identity = np.eye(2)
    shares = gradient(lambda a: np.sum(np.linalg.eigh(a)[0]), identity)
    np.testing.assert_allclose(shares, identity, atol=1e-15)
    with pytest.warns(RuntimeWarning, match="divide by zero|invalid value"):
        shares = gradient(lambda a: np.sum(np.linalg.eigh(a)[1]), identity)
    assert np.isnan(shares).any()


@pytest.mark.filterwarnings("ignore")
def test_of_complex_numbers_in_a_real_dtype_the_real_parts_are_multiplied() -> None:
    z = np.array([1 + 2j, 3 - 1j, -2 + 0.5j])
    shares = ag.grad(lambda z: np.prod(z, dtype=float))(z)
    assert shares.tolist() == [-6, -2, 3]
    shares = ag.grad(lambda z: np.sum(np.cumprod(z, dtype=float)))(z)
    assert shares.tolist() == [1 + 3 - 6, 1 - 2, 3]
    shares = ag.grad(lambda z: np.sum(np.add.reduceat(z, [1, 0], dtype=float)))(z)
    assert shares.tolist() == [1, 2, 1]


@pytest.mark.filterwarnings("ignore")
def test_a_variance_in_a_real_dtype_is_about_the_mean_of_the_real_parts() -> None:
    z = np.array([1 + 2j, 3 - 1j, -2 + 0.5j])
    from_mean = z - np.mean(z.real)
    shares = ag.grad(lambda z: np.var(z, dtype=float))(z)
    np.testing.assert_allclose(shares, 2 * from_mean / 3, rtol=1e-14)
    of_root = ag.grad(lambda z: np.std(z, dtype=float))(z)
    np.testing.assert_allclose(of_root, shares / 2 / np.std(z, dtype=float), rtol=1e-14)
    of_real = ag.grad(lambda z: np.real(np.std(z, dtype=complex)))(z)
    np.testing.assert_allclose(of_real, ag.grad(np.std)(z), rtol=1e-14)
    assert not np.any(ag.grad(lambda z: np.imag(np.std(z, dtype=complex)))(z))


DEFECTIVE = {
    "two": np.array([[1.0, 1.0], [0.0, 1.0]]),
    "three": np.diag([1.0, 1.0], 1),
    "beside a sound one": np.stack([np.array([[1.0, 1.0], [0.0, 1.0]]), np.diag([1.0, 2.0])]),
}


@pytest.mark.parametrize("name", DEFECTIVE)
def test_eigenvalues_of_a_defective_matrix_have_no_gradient(name: str) -> None:
    matrix = DEFECTIVE[name]
    for function in (np.linalg.eigvals, lambda a: np.linalg.eig(a)[0]):
        with pytest.warns(RuntimeWarning, match="invalid value"):
            found = gradient(lambda a, f=function: np.sum(np.real(f(a) ** 2)), matrix)
        first = found.reshape(-1, *matrix.shape[-2:])[0]
        assert np.all(np.isnan(first))
        if name == "beside a sound one":
            np.testing.assert_allclose(found[1], 2 * matrix[1], atol=1e-14)


def test_equal_singular_values_leave_their_sum_differentiable_and_their_vectors_not() -> None:
    shares = gradient(lambda a: np.sum(np.linalg.svd(a)[1]), np.eye(2))
    np.testing.assert_allclose(shares, np.eye(2), atol=1e-15)
    with pytest.warns(RuntimeWarning, match="divide by zero|invalid value"):
        shares = gradient(lambda a: np.sum(np.linalg.svd(a)[0]), np.eye(2))
    assert np.isnan(shares).any()


# Odd shapes.


def test_a_reduction_over_no_axes_leaves_all_as_it_is() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    for function in (np.subtract, np.divide, np.maximum, np.fmax):
        shares = ag.grad(lambda x, f=function: np.sum(f.reduce(x, axis=()) ** 2))(x)
        assert shares.tolist() == (2 * x).tolist()


@pytest.mark.parametrize(
    "function",
    [
        np.sort, np.diff, np.cumprod, np.flip, np.ravel, np.fft.fftshift, np.tril, np.nansum,
        lambda x: np.pad(x, 1), lambda x: np.take(x, [0, 0], axis=1), lambda x: np.delete(x, []),
        lambda x: np.concatenate([x, x], axis=1), lambda x: np.kron(x, x), np.linalg.norm,
        lambda x: np.einsum("ij->j", x), lambda x: np.tensordot(x, x, 2), np.cumsum,
        lambda x: np.maximum.accumulate(x, axis=1), lambda x: np.array_split(x, 2)[1],
    ],
)  # fmt: skip
def test_empty_arrays_have_empty_gradients(function: Any) -> None:
    assert gradient(lambda x: np.sum(function(x)), np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize(
    "function",
    [
        np.ravel, np.atleast_2d, np.tile, np.repeat, np.cumprod, np.linalg.norm, np.median,
        np.ptp, np.nanmax, np.round, np.copy, np.diagflat, np.angle, np.i0, np.nan_to_num,
        np.average, np.nanmean, np.heaviside, np.trace,
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", [0.7, np.array(0.7), np.float32(0.7)], ids=["float", "0-d", "f4"])
def test_numbers_have_numbers_as_gradients(function: Any, data: Any) -> None:
    calls = {np.tile: (3,), np.repeat: (3,), np.heaviside: (0.5,)}

    def total(x: Any) -> Any:
        if function is np.trace:
            return np.trace(np.reshape(x, (1, 1)))
        return np.sum(function(x, *calls.get(function, ())))

    share = ag.grad(total)(data)
    assert np.shape(share) == ()
    assert np.asarray(share).dtype == np.asarray(data).dtype
    step = 1e-6
    numerical = (total(np.array(0.7 + step)) - total(np.array(0.7 - step))) / (2 * step)
    assert float(share) == pytest.approx(float(numerical), rel=1e-5, abs=1e-7)


# What is equal but for rounding.


def weighted(matrix: Any) -> Any:
    return np.sum(matrix * np.arange(1.0, 10.0).reshape(3, 3))


def root(a: Any) -> Any:
    values, vectors = np.linalg.eigh(a)
    return weighted((vectors * np.sqrt(values)) @ vectors.T)


def of_lower(slope: Any) -> Any:
    """What the lower triangle gets, whose entries stand for two beside the diagonal."""
    return np.tril(slope + slope.T) - np.diag(np.diag(slope))


def orthogonal_factor(a: Any) -> Any:
    u, _, vh = np.linalg.svd(a)
    return weighted(u @ vh)


@pytest.mark.parametrize("function", [root, orthogonal_factor])
def test_vectors_of_values_that_are_equal_but_for_rounding_have_no_gradient(
    function: Callable[[Any], Any],
) -> None:
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    matrix = turn @ np.diag([1.0, 1.0, 2.0]) @ turn.T
    assert np.ptp(np.linalg.svd(matrix)[1][1:]) > 0  # so that NumPy itself divides by no zero
    with pytest.warns(RuntimeWarning, match="invalid value"):
        found = ag.grad(function)(matrix)
    assert np.isnan(found[np.tril_indices(3)]).all()


def test_a_vector_of_its_own_has_a_gradient_beside_equal_values() -> None:
    """dv = Σ vⱼ (vⱼᵀ dA v) / (λ - λⱼ), over the others."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    matrix = turn @ np.diag([1.0, 1.0, 2.0]) @ turn.T
    found = ag.grad(lambda a: np.linalg.eigh(a)[1][0, 2] ** 2)(matrix)
    top, others = turn[:, 2], turn[:, :2] @ turn[:, :2].T
    slope = 2 * top[0] * np.outer(others[0], top)
    np.testing.assert_allclose(found, of_lower(slope), rtol=1e-12, atol=1e-14)


def test_what_does_not_depend_on_the_vectors_of_zeros_has_a_gradient() -> None:
    """Zeros that are nothing but rounding are not near each other as numbers go."""
    rng = np.random.default_rng(0)
    thin = rng.normal(size=(5, 2))
    matrix = thin @ thin.T
    weights = rng.normal(size=(5, 5))

    def rebuilt(a: Any) -> Any:
        values, vectors = np.linalg.eigh(a)
        return np.sum((vectors * values) @ vectors.T * weights)

    found = ag.grad(rebuilt)(matrix)
    np.testing.assert_allclose(found, of_lower(weights), rtol=1e-6, atol=1e-6)


# Singular matrices, whose last singular value is 0 or what rounding leaves of it.

SQUARES = np.array([[0.3, -1.1, 0.7], [1.3, 0.2, -0.4], [0.9, 0.8, -0.6]])
LACKING_ONE = SQUARES[:, :2] @ np.array([[1.0, 0.5, -0.3], [0.2, -0.7, 1.1]])
LACKING_TWO = np.outer([1.0, 0.3, -0.6], [0.7, 1.2, 0.4])


@pytest.mark.parametrize("matrix", [LACKING_ONE, np.diag([2.0, 1.0, 0.0])], ids=["rounded", "0"])
@pytest.mark.parametrize("place", [0, 2])
def test_vectors_of_a_single_zero_of_a_square_matrix_have_gradients(
    matrix: Any, place: int
) -> None:
    """Those of U are eigenvectors of A Aᵀ, which has one eigenvalue 0, and those of V of Aᵀ A."""
    for turned in (False, True):

        def function(a: Any, turned: bool = turned) -> Any:
            vectors = np.linalg.svd(a)[0] if not turned else np.linalg.svd(a)[2].T
            return np.sum(vectors[:, place] ** 2 * SQUARES[0])

        def by_definition(a: Any, turned: bool = turned) -> Any:
            return np.sum(
                np.linalg.eigh(a.T @ a if turned else a @ a.T)[1][:, 2 - place] ** 2 * SQUARES[0]
            )

        found = ag.grad(function)(matrix)
        np.testing.assert_allclose(found, ag.grad(by_definition)(matrix), rtol=1e-9, atol=1e-12)


def test_vectors_beside_those_of_a_zero_have_gradients() -> None:
    tall = np.zeros((4, 3))
    tall[:3] = np.diag([20.0, 10.0, 0.0])
    for matrix in (tall, tall.T):
        side = 0 if matrix is tall else 2
        found = ag.grad(
            lambda a, side=side: (
                np.linalg.svd(a, False)[0][3, 0] if side == 0 else np.linalg.svd(a, False)[2][0, 3]
            )
        )(matrix)
        first = np.linalg.svd(matrix, False)[2 - side]
        sign = np.sign(first[0, 0])
        expected = np.zeros_like(tall)
        expected[3, 0] = sign / 20  # u₁ = A v₁ / σ₁
        np.testing.assert_allclose(found, expected if side == 0 else expected.T, atol=1e-15)


OF_NO_ONE = {
    "u of two zeros": (lambda a: np.sum(np.linalg.svd(a)[0][:, 2] ** 2 * SQUARES[0]), LACKING_TWO),
    "v of two zeros": (lambda a: np.sum(np.linalg.svd(a)[2][1] ** 2 * SQUARES[0]), LACKING_TWO),
    "u of a tall one": (
        lambda a: np.sum(np.linalg.svd(a, False)[0][:, 2] ** 2 * np.arange(4)),
        np.concatenate([LACKING_ONE, LACKING_ONE[:1]]),
    ),
    "v of a wide one": (
        lambda a: np.sum(np.linalg.svd(a, False)[2][2] ** 2 * np.arange(4)),
        np.concatenate([LACKING_ONE, LACKING_ONE[:1]]).T,
    ),
    "eigenvectors": (
        lambda a: np.sum(np.linalg.eigh(a)[1][:, 0] ** 2 * SQUARES[0]),
        np.outer(SQUARES[0], SQUARES[0]),
    ),
}


@pytest.mark.parametrize("name", OF_NO_ONE)
def test_vectors_that_can_be_turned_into_others_have_none(name: str) -> None:
    function, matrix = OF_NO_ONE[name]
    with pytest.warns(RuntimeWarning, match="invalid value|divide by zero"):
        assert np.isnan(ag.grad(function)(matrix)).any()


@pytest.mark.parametrize("matrix", [LACKING_ONE, LACKING_TWO, LACKING_TWO[:, :2]])
def test_what_is_put_together_again_has_its_gradient_at_singular_matrices(matrix: Any) -> None:
    def function(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return np.sum((u * s) @ vh * SQUARES[:, : a.shape[1]])

    found = ag.grad(function)(matrix)
    np.testing.assert_allclose(found, SQUARES[:, : matrix.shape[1]], rtol=1e-7, atol=1e-7)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("places", "edge_order", "row", "expected"),
    [
        ([0, 1, 1, 2, 3], 1, 0, [-1, 1, 0, 0, 0]),
        ([0, 1, 1, 2, 3], 1, 3, [0, 0, -0.5, 0, 0.5]),
        ([0, 1, 2, 3, 3], 2, 0, [-1.5, 2, -0.5, 0, 0]),
        ([0, 1, 2, 3, 3], 1, 4, [0, 0, 0, -np.inf, np.inf]),
    ],
)
def test_differences_between_equal_places_leave_those_of_others(
    places: Any, edge_order: int, row: int, expected: Any
) -> None:
    values, x = np.array([1.0, 2.0, 4.0, 3.0, 7.0]), np.array(places, float)

    def function(f: Any) -> Any:
        return np.gradient(f, x, edge_order=edge_order)

    np.testing.assert_allclose(ag.jacobian(function)(values)[row], expected, rtol=1e-14)
    if np.isfinite(expected).all():
        np.testing.assert_allclose(ag.grad(lambda f: function(f)[row])(values), expected)


@pytest.mark.parametrize("size", [-300.0, 2.0, 0.01])
def test_a_gap_of_ten_roundings_is_none(size: float) -> None:
    """Whatever is asked, however little beside what is asked of values far apart."""
    asked = np.array([[0.0, 1e-9, 0.0], [1e-9, 0.0, 1.0], [0.0, 1.0, 0.0]])
    unit = abs(size) * np.finfo(float).eps
    for roundings, is_known in ((8, False), (13, True), (18, True)):
        values = np.array([size, size + roundings * unit, 1e6])
        with np.errstate(invalid="ignore"):
            found = decompositions.over_gaps(asked, values)
        assert np.isfinite(found[0, 1]) == np.isfinite(found[1, 0]) == is_known
        assert np.isfinite(found[1:, 1:]).all()
        assert found[0, 2] == 0.0


def test_what_is_zero_beside_the_largest_is_known_only_where_little_is_asked() -> None:
    eps = np.finfo(float).eps
    for largest in (1.0, 50.0):
        lengths = np.array([largest, 8 * eps * largest, 13 * eps * largest])
        with np.errstate(invalid="ignore"):
            found = decompositions.over_lengths(
                np.array([[1.0, 1.0, 1.0], [0.0, 1e-9, 0.0]]), lengths
            )
        np.testing.assert_array_equal(np.isfinite(found), [[True, False, True], [True, True, True]])
        np.testing.assert_allclose(found[0, ::2] * lengths[::2], 1.0)
        little = decompositions.over_lengths(np.array([[1.0, 0.9 * np.sqrt(eps), 0.0]]), lengths)
        assert np.isfinite(little).all()
    with np.errstate(divide="ignore"):
        found = decompositions.over_lengths(np.array([[1.0, 1e-9, 0.0]]), np.array([1.0, 0.0, 0.0]))
    np.testing.assert_array_equal(found, [[1.0, np.inf, 0.0]])
