"""What functions of SciPy's are refused for, by name."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag

scipys = pytest.importorskip("scipy")
ours = ag.scipy
X = np.arange(1.0, 9.0)


def sparse_of(x):
    return ours.sparse.csr_array((x, (np.arange(8), np.arange(8))), shape=(8, 8))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda x: ours.signal.savgol_filter(x, 5, 2, mode="nearest"),
            "savgol_filter: mode='nearest' has no derivative rule here; pass mode='interp'",
        ),
        (
            lambda x: ours.signal.savgol_filter(x, 4, 2),
            "savgol_filter: window_length=4 has no derivative rule here, for a window without a "
            "middle; pass an odd number",
        ),
        (
            lambda x: ours.signal.lfilter([1.0], [1.0, 0.5], x, zi=np.zeros(1)),
            "lfilter: the argument 'zi' has no derivative rule here; leave it out, or pass x.data "
            "to compute without gradient",
        ),
        (
            lambda x: ours.ndimage.gaussian_filter(x, 1.0, mode=["wrap"]),
            "gaussian_filter: mode=['wrap'] has no derivative rule here; pass one of 'reflect', "
            "'grid-mirror', 'mirror', 'nearest', 'wrap', 'grid-wrap', 'constant', 'grid-constant' "
            "for all axes",
        ),
        (
            lambda x: ours.ndimage.laplace(x, output=np.zeros(8)),
            "laplace of a Value does not take output; leave it out",
        ),
        (
            lambda x: ours.linalg.lu(np.reshape(x, (2, 4)))[2],
            "lu: a matrix of shape (2, 4) has no derivative rule here; pass one square matrix, or "
            "use np.linalg.qr",
        ),
        (
            lambda x: ours.linalg.toeplitz(np.reshape(x, (2, 4))),
            "toeplitz: several vectors in one array, here of shape (2, 4), have no rule; pass one "
            "vector, and use ag.vmap for several",
        ),
        (
            lambda x: ours.linalg.block_diag(np.reshape(x, (2, 2, 2)), np.ones((2, 1, 1))),
            "block_diag: a block of shape (2, 2, 2) has no rule; pass matrices, and use ag.vmap "
            "for several of each",
        ),
        (
            lambda x: ours.special.logsumexp(x, return_sign=True)[0],
            "logsumexp: return_sign=True has no derivative rule here; leave it out, and take the "
            "sign of np.sum(b * np.exp(a - np.max(a)))",
        ),
        (
            lambda x: ours.linalg.lu_factor(np.reshape(x, (2, 2, 2)) + np.eye(2))[0],
            "lu_factor: a matrix of shape (2, 2, 2) has no derivative rule here; pass one square "
            "matrix, or use np.linalg.qr",
        ),
        (
            lambda x: sparse_of(x) + sparse_of(x),
            "+ of a sparse array of Values has no derivative rule here; compute with its products, "
            "A @ x, with its numbers, A.data, or with A.toarray()",
        ),
        (
            lambda x: ours.linalg.solveh_banded(np.stack([0.1j * x[:4], x[4:] + 5]), np.ones(4)),
            "solveh_banded: complex matrices have no derivative rule here; use solve_banded",
        ),
    ],
)
def test_arguments_without_rule_are_refused_by_name(call, message) -> None:
    with pytest.raises(ag.UnsupportedError) as raised:
        ag.grad(lambda x: np.sum(np.abs(call(x))))(X)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("linalg.expm", lambda s, x: s.linalg.expm(np.reshape(x[:4], (2, 2)))),
        ("linalg.solve", lambda s, x: s.linalg.solve(np.eye(8), x)),
        ("linalg.solve_triangular", lambda s, x: s.linalg.solve_triangular(np.eye(8), x)),
        ("linalg.toeplitz", lambda s, x: s.linalg.toeplitz(x)),
        ("signal.fftconvolve", lambda s, x: s.signal.fftconvolve(x, x)),
        ("ndimage.sobel", lambda s, x: s.ndimage.sobel(x)),
    ],
)
def test_scipys_own_functions_name_ours(name, call) -> None:
    np.testing.assert_array_equal(call(ours, X), call(scipys, X))
    with pytest.raises(ag.ArgumentTypeError, match=rf"^scipy\.{name} makes plain arrays of"):
        call(scipys, ag.Value(X))


def test_lists_hold_values() -> None:
    a = ag.Value(2.0)
    determinant = np.linalg.det(ours.linalg.block_diag([[a]], [[a * a]]))
    determinant.backward()
    assert a.grad == pytest.approx(12.0)


def test_logm_leaves_numpys_random_numbers_alone() -> None:
    np.random.seed(3)
    expected = np.random.get_state()[1].copy()
    ours.linalg.logm(np.array([[2.0, 1.0], [0.5, 3.0]]))
    np.testing.assert_array_equal(np.random.get_state()[1], expected)


def test_arguments_of_distributions_of_vectors_are_named() -> None:
    density = ours.stats.multivariate_normal.pdf
    with pytest.raises(ag.ArgumentTypeError) as raised:
        ag.grad(lambda x: density(x, mean=X, cov=np.eye(8), allow_singular=True))(X)
    assert str(raised.value) == (
        "multivariate_normal.pdf: got an unexpected keyword argument 'allow_singular'; it takes x, "
        "mean, cov: pass these, and nothing else"
    )
    with pytest.raises(ag.ArgumentTypeError) as raised:
        ag.grad(density)(X)
    assert str(raised.value) == (
        "multivariate_normal.pdf: missing a required argument: 'mean'; it takes x, mean, cov: pass "
        "these, and nothing else"
    )
