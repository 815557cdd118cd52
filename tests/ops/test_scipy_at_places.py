"""Interpolation, images and sparse matrices: what is refused, and what SciPy's own names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

scipy = pytest.importorskip("scipy")
import scipy.interpolate as curves  # noqa: E402
import scipy.ndimage as images  # noqa: E402
import scipy.sparse as sparse  # noqa: E402
import scipy.sparse.linalg as systems  # noqa: E402

ours = ag.scipy
X = np.arange(5.0)
EYE = sparse.csr_array(np.eye(5))
PLACES = (np.arange(5), np.arange(5))

THEIRS = {
    "interpolate.CubicSpline": lambda a: curves.CubicSpline(X, X * a)(1.5),
    "interpolate.PchipInterpolator": lambda a: curves.PchipInterpolator(X, X)(a),
    "interpolate.CubicHermiteSpline": lambda a: curves.CubicHermiteSpline(X, X, X * a)(1.0),
    "interpolate.BSpline": lambda a: curves.BSpline(np.arange(9.0), X * a, 3)(4.0),
    "interpolate.make_interp_spline": lambda a: curves.make_interp_spline(X, a * X)(1.5),
    "interpolate.RegularGridInterpolator": lambda a: curves.RegularGridInterpolator((X,), X)(
        a * X[:2]
    ),
    "ndimage.map_coordinates": lambda a: images.map_coordinates(X * a, [[0.5]]),
    "ndimage.shift": lambda a: images.shift(X, a),
    "ndimage.zoom": lambda a: images.zoom(X * a, 2),
    "ndimage.rotate": lambda a: images.rotate(a * np.eye(3), 30.0),
    "ndimage.affine_transform": lambda a: images.affine_transform(X * a, [0.5]),
    "sparse.csr_array": lambda a: EYE @ (X * a),
    "sparse.coo_array": lambda a: sparse.coo_array((X * a, PLACES)).toarray(),
    "sparse.linalg.spsolve": lambda a: systems.spsolve(EYE, X * a),
    "sparse.linalg.cg": lambda a: systems.cg(EYE, X * a)[0],
    "sparse.linalg.gmres": lambda a: systems.gmres(EYE, X * a)[0],
}


@pytest.mark.parametrize("name", THEIRS)
def test_scipys_own_name_ours(name: str) -> None:
    with pytest.raises(ag.AutogradError) as caught:
        ag.grad(lambda a: np.sum(THEIRS[name](a)))(1.0)
    assert f"write ag.scipy.{name}, which knows its derivative, or" in str(caught.value)


REFUSED = [
    (
        lambda a: ours.interpolate.CubicSpline(X, X, bc_type=((1, a), (2, 0.0)))(1.5),
        "CubicSpline: bc_type is a Value, by which there is no derivative; pass bc_type.data",
    ),
    (
        lambda a: ours.interpolate.RegularGridInterpolator((X,), X, fill_value=a)([1.5]),
        "RegularGridInterpolator: fill_value is a Value, by which there is no derivative; pass "
        "fill_value.data",
    ),
    (
        lambda a: ours.interpolate.make_interp_spline(X, a * X, bc_type="natural")(1.5),
        "make_interp_spline: bc_type has no derivative rule here; leave it out, or call "
        "ag.scipy.interpolate.CubicSpline, which has one",
    ),
    (
        lambda a: ours.interpolate.RegularGridInterpolator((X,), a * X, "cubic")([1.5]),
        "RegularGridInterpolator: method='cubic' has no derivative rule here; pass "
        "method='linear', or call ag.scipy.interpolate.CubicSpline along each axis",
    ),
    (
        lambda a: ours.interpolate.CubicSpline(X, a * X).integrate(0.0, 1.0),
        "CubicSpline has no 'integrate' here; call the curve, with nu= for its derivatives, or "
        "scipy.interpolate.CubicSpline with plain numbers",
    ),
    (
        lambda a: ours.ndimage.shift(a * X, 0.5, mode="odd"),
        "mode",
    ),
    (
        lambda a: ours.ndimage.shift(a * X, 0.5, output=np.zeros(5)),
        "shift of a Value does not take output; leave it out",
    ),
    (
        lambda a: ours.ndimage.zoom(X, a),
        "zoom: the argument 'zoom' is static and cannot be a Value",
    ),
    (
        lambda a: (ours.sparse.csr_array(EYE) @ ours.sparse.csr_array(EYE)) * a,
        "the product of two sparse arrays has no derivative rule here; write A @ (B @ x), or "
        "A @ B.toarray()",
    ),
    (
        lambda a: ours.sparse.csr_array(a * np.eye(3)) @ X[:3],
        "csr_array: of which numbers of a Value are zero depends where a gradient goes; pass them "
        "and their places: (data, (rows, columns))",
    ),
    (
        lambda a: ours.sparse.csr_array(EYE) @ (a * X[:3]),
        "a sparse array of shape (5, 5) times an array of shape (3,); pass a vector or a matrix "
        "with 5 rows",
    ),
    (
        lambda a: ours.sparse.csr_array((a * X, PLACES)).sum(),
        "a sparse array of Values has no 'sum' here; it has @, *, T, data, shape and toarray(), "
        "and is solved by ag.scipy.sparse.linalg",
    ),
    (
        lambda a: ours.sparse.linalg.cg(EYE, a * X, x0=a * X)[0],
        "cg: x0 is a Value, by which there is no derivative; pass x0.data",
    ),
    (
        lambda a: ours.sparse.linalg.gmres(systems.aslinearoperator(EYE), a * X)[0],
        "gmres: of an operator there is no derivative here; pass a matrix, or decorate the solver "
        "with ag.implicit",
    ),
    (
        lambda a: ours.sparse.linalg.cg(sparse.diags_array(X + 1).tocsr(), a * X, maxiter=1)[0],
        "cg did not converge (info=1), and what is not a solution has no derivative as one; pass "
        "a larger maxiter or rtol, or call spsolve",
    ),
]


@pytest.mark.parametrize(("function", "message"), REFUSED, ids=[m[:40] for _, m in REFUSED])
def test_refused_by_name(function: Any, message: str) -> None:
    with pytest.raises(Exception) as caught:
        ag.grad(lambda a: np.sum(function(a)) * a)(2.0)
    assert message in str(caught.value)


def test_beyond_its_last_derivative_a_spline_is_zero_at_a_number_too() -> None:
    for spline in (
        ours.interpolate.BSpline(np.arange(9.0), X, 3),
        ours.interpolate.CubicSpline(X, X),
    ):
        assert ag.grad(lambda q: spline(q, nu=4))(4.5) == 0.0  # noqa: B023


def test_a_grid_of_one_place_is_flat_along_its_axis() -> None:
    grid, values = (np.array([0.5]), X[:3]), np.array([[1.0, 2.0, 4.0]])

    def read(values: Any, place: Any) -> Any:
        return ours.interpolate.RegularGridInterpolator(grid, values)(place)[0]

    by_values, by_place = ag.grad(read, (0, 1))(values, np.array([0.5, 1.25]))
    np.testing.assert_array_equal(by_values, [[0.0, 0.75, 0.25]])
    np.testing.assert_array_equal(by_place, [0.0, 2.0])


def test_plain_calls_are_scipys() -> None:
    x = ours.sparse.linalg.cg(EYE, X, X)
    assert x[1] == 0 and np.allclose(x[0], X)
    a = ours.sparse.csr_array(EYE)
    assert np.array_equal(ours.sparse.linalg.spsolve(a, X), X)
    assert np.array_equal(X @ a, X) and np.array_equal(a.T.toarray(), np.eye(5))
    natural = ours.interpolate.make_interp_spline(X, X**2, bc_type="natural")
    assert natural(1.5) == curves.make_interp_spline(X, X**2, bc_type="natural")(1.5)
    cubic = ours.interpolate.RegularGridInterpolator((X,), X**2, "cubic")
    assert cubic([1.5]) == pytest.approx([2.25])
    with pytest.raises(ValueError, match="strictly increasing"):
        ours.interpolate.CubicSpline(X[::-1], X)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("prefilter", [True, False])
def test_what_images_are_differentiated_as_is_what_scipy_computes(
    order: int, prefilter: bool
) -> None:
    from autograd_lite.scipy.ndimage import interpolation

    rng = np.random.default_rng(order)
    image, places = rng.normal(size=(6, 5)), rng.uniform(-9, 14, (2, 60))
    whole = rng.integers(-9, 14, (2, 60)).astype(float)
    matrix = rng.normal(size=(2, 2))
    for mode in interpolation.BEYOND:
        options = {"order": order, "mode": mode, "prefilter": prefilter, "cval": 1.7}
        found = [
            interpolation.interpolated(image, places, **options),
            interpolation.interpolated(image, whole, **options),
            interpolation.shifted((6, 5), image, (1.3, -2.0), **options),
            interpolation.zoomed((10, 8), image, zoom=1.7, **options),
            interpolation.transformed((4, 7), image, matrix, 0.4, **options),
            interpolation.rotated((6, 5), image, 90.0, reshape=False, **options),
        ]
        expected = [
            images.map_coordinates(image, places, **options),
            images.map_coordinates(image, whole, **options),
            images.shift(image, (1.3, -2.0), **options),
            images.zoom(image, 1.7, **options),
            images.affine_transform(image, matrix, 0.4, (4, 7), **options),
            images.rotate(image, 90.0, reshape=False, **options),
        ]
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-11)
