"""Rules of matrix decompositions: eigenvalues, singular values, QR, Cholesky.

All work on stacks of matrices.  With G the gradient as a transpose, Ḡ = conj(G)
is the gradient that textbooks of complex matrix calculus write, for which
dL = Re tr(Ḡᴴ dA); rules switch to it where formulas are known in that form.
Sources: M. Giles, "Collected matrix derivative results for forward and reverse
mode algorithmic differentiation" (2008); J. Townsend, "Differentiating the
singular value decomposition" (2016).

Eigenvectors of equal eigenvalues, and singular vectors of equal or zero
singular values, have no derivative: the rules divide by zero, NumPy warns, and
the gradient is NaN.  So it is of all eigenvalues and eigenvectors of a defective matrix,
which has fewer vectors than rows: its eigenvalues move as roots do at 0.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.ops.contractions import matrix_transpose
from autograd_lite.ops.define import array_function, composite, multi_output, parts

__all__ = ["adjoint", "by_triangle", "hermitian_of_lower", "lower_part"]


def adjoint(x: Any) -> Any:
    """The conjugate transposes of a stack of matrices."""
    return np.conjugate(matrix_transpose(x))


def lower_part(x: Any, k: int = 0) -> Any:
    """`np.tril`, which Dask's cannot be of complex numbers without a warning."""
    if x.dtype.kind != "c":
        return np.tril(x, k)
    rows, columns = np.shape(x)[-2:]
    return np.where(np.tri(rows, columns, k, dtype=bool), x, 0)


def diagonal_part(x: Any) -> Any:
    """Zeros but for the diagonal."""
    return lower_part(matrix_transpose(lower_part(matrix_transpose(x))))


# Of a Hermitian matrix LAPACK reads one triangle, and of its diagonal the real part.


def hermitian_of_lower(x: Any) -> Any:
    """The Hermitian matrix that has this lower triangle."""
    below = lower_part(x, -1)
    return below + adjoint(below) + np.real(diagonal_part(x))


def by_triangle(g: Any, lower: bool) -> Any:
    """The gradient by the triangle that is read, of that by all entries of the matrix.

    An entry beside the diagonal stands for two, and the others are not looked at.
    """
    both = g + adjoint(g)
    counted = both - diagonal_part(both) / 2
    if lower:
        return lower_part(counted)
    return matrix_transpose(lower_part(matrix_transpose(counted)))


def eye_like(x: Any) -> Any:
    """The identity matrix of the size and dtype of the last axis."""
    return np.eye(np.shape(x)[-1], dtype=x.dtype)


def diagonal_matrix(x: Any) -> Any:
    """Matrices with the elements of the last axis on the diagonal."""
    return x[..., None] * eye_like(x)


def reciprocal_gaps(x: Any) -> Any:
    """F[i, j] = 1 / (x[j] - x[i]), and 0 on the diagonal."""
    identity = eye_like(x)
    return (1 - identity) / (x[..., None, :] - x[..., :, None] + identity)


ROUNDINGS = 10
"""Values that differ by no more roundings of them are equal, as far as they can tell."""


def over_gaps(x: Any, values: Any, levels: Any = None) -> Any:
    """F ∘ x, with the gaps of the values, or of levels that grow with them.

    Of equal values that were computed the gap is nothing but rounding, and the quotient would be
    any number: it is NaN, as it is where the gap is 0.  An x of 0 stays 0, as nobody asked
    for the vectors of these values.
    """
    sizes = np.abs(values)
    distances = np.abs(values[..., None, :] - values[..., :, None])
    rounding = ROUNDINGS * np.finfo(distances.dtype).eps * sizes[..., None, :]
    is_asked = np.logical_and(distances <= rounding, x != 0)
    is_rounding = np.logical_or(is_asked, is_lost(distances, sizes, x))
    is_rounding = np.logical_and(distances > 0, is_rounding)
    return (
        reciprocal_gaps(values if levels is None else levels) * x * where_known(is_rounding, sizes)
    )


def is_lost(distances: Any, sizes: Any, x: Any) -> Any:
    """Where a distance is less than the rounding of the largest value, and x is no rounding.

    Of a matrix that lacks rank the values that should be 0 differ by many times themselves.
    """
    eps = np.finfo(sizes.dtype).eps
    largest = np.max(sizes, axis=-1, keepdims=True, initial=0)[..., None]
    asked = np.abs(x)
    most = np.max(asked, axis=(-2, -1), keepdims=True, initial=0)
    return np.logical_and(distances <= ROUNDINGS * eps * largest, asked > np.sqrt(eps) * most)


def where_known(is_rounding: Any, like: Any) -> Any:
    """1, and NaN with NumPy's warning where a quotient is one of roundings."""
    found = np.where(is_rounding, 0.0, 1.0).astype(like.dtype)
    return found / found


def over_lengths(x: Any, lengths: Any) -> Any:
    """Columns divided by the singular values; NaN for those that are 0 but for rounding."""
    divisors = lengths[..., None, :]
    quotient = x / np.where(np.logical_and(x == 0, divisors == 0), 1, divisors)
    return quotient * where_known(is_lost(divisors, lengths, x), lengths)


# Eigenvalues.


def eigh_vjp(g: Any, out: Any, a: Any, UPLO: Any = "L") -> Any:
    """dw = diag(Vᴴ dA V) and dV = V (F ∘ Vᴴ dA V)."""
    g_values, g_vectors = g
    values, vectors = parts(out, 2)
    inner = 0 if g_values is None else diagonal_matrix(g_values)
    if g_vectors is not None:
        inner = inner + over_gaps(matrix_transpose(vectors) @ g_vectors, values)
    by_all = np.conjugate(vectors) @ inner @ matrix_transpose(vectors)
    return by_triangle(by_all, UPLO in "Ll")


def eigvalsh_vjp(g: Any, out: Any, a: Any, UPLO: Any = "L") -> Any:
    vectors = np.linalg.eigh(a, UPLO)[1]
    by_all = (np.conjugate(vectors) * g[..., None, :]) @ matrix_transpose(vectors)
    return by_triangle(by_all, UPLO in "Ll")


def eig_vjp(g: Any, out: Any, a: Any) -> Any:
    """dw = diag(V⁻¹ dA V) and dV = V (F ∘ V⁻¹ dA V), then brought back to LAPACK's scale.

    LAPACK gives each vector length 1 and makes its largest element real.
    """
    g_values, g_vectors = g
    values, vectors = parts(out, 2)
    inner = 0 if g_values is None else diagonal_matrix(g_values)
    if g_vectors is not None:
        along = np.sum(g_vectors * vectors, axis=-2, keepdims=True)
        g_vectors = g_vectors - np.conjugate(vectors) * np.real(along)
        if is_complex(vectors):
            rows = np.arange(np.shape(vectors)[-1])[:, None]
            largest = rows == np.argmax(np.abs(vectors), axis=-2)[..., None, :]
            turn = np.imag(along) / np.where(largest, np.real(vectors), 1)
            g_vectors = g_vectors - 1j * np.where(largest, turn, 0)
        inner = inner + over_gaps(matrix_transpose(vectors) @ g_vectors, values)
    return divided_by_vectors(inner @ matrix_transpose(vectors), vectors)


def divided_by_vectors(x: Any, vectors: Any) -> Any:
    """V⁻ᵀ x; NaN where the vectors are dependent."""
    lengths = np.linalg.svdvals(vectors)[..., None]
    smallest = np.min(lengths, axis=-2, keepdims=True, initial=np.inf)
    least = ALIKE * np.finfo(lengths.dtype).eps * np.max(lengths, axis=-2, keepdims=True, initial=0)
    is_defective = smallest <= least
    independent = np.where(is_defective, eye_like(vectors), matrix_transpose(vectors))
    found = np.where(is_defective, 0.0, 1.0).astype(lengths.dtype)
    return np.linalg.solve(independent, x) * (found / found)


ALIKE = 1000
"""What differs by fewer roundings of the largest counts as equal."""


def eigvals_vjp(g: Any, out: Any, a: Any) -> Any:
    """The same; LAPACK may order the values differently when it computes vectors too.

    Each value's gradient goes to its like, and to equal ones in equal parts.
    """
    values, vectors = np.linalg.eig(a)
    distances = np.abs(out[..., :, None] - values[..., None, :])
    size = np.max(np.abs(values), axis=-1, keepdims=True, initial=0)[..., None]
    nearest = np.min(distances, axis=-1, keepdims=True, initial=np.inf)
    near = distances <= nearest + ALIKE * np.finfo(distances.dtype).eps * size
    shares = np.where(near, np.ones_like(distances), 0)
    shares = shares / np.sum(shares, axis=-1, keepdims=True)
    g_values = np.sum(g[..., :, None] * shares, axis=-2)
    scaled = g_values[..., :, None] * matrix_transpose(vectors)
    return divided_by_vectors(scaled, vectors)


eigh = multi_output(np.linalg.eigh, eigh_vjp, masks=True)
eigvalsh = array_function(np.linalg.eigvalsh, eigvalsh_vjp, masks=True)
eig = multi_output(np.linalg.eig, eig_vjp)
eigvals = array_function(np.linalg.eigvals, eigvals_vjp)


# Singular values.


def svd_vjp(g: Any, out: Any, a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    g_u, g_s, g_vh = g
    u, s, vh = parts(out, 3)
    if g_u is None and g_vh is None:
        return svdvals_vjp(g_s, s, a)
    if full_matrices and np.shape(a)[-1] != np.shape(a)[-2]:
        raise UnsupportedError(
            "svd: the extra vectors that full_matrices=True adds have no derivative; "
            "pass full_matrices=False"
        )
    inner = 0 if g_s is None else diagonal_matrix(g_s)
    outside = 0
    if g_u is not None:
        inside = adjoint(u) @ np.conjugate(g_u)
        inner = inner + over_gaps(inside - adjoint(inside), s, s * s) * s[..., None, :]
        if np.shape(u)[-2] > np.shape(u)[-1]:  # else nothing is outside of the vectors
            outside = outside + over_lengths(np.conjugate(g_u) - u @ inside, s) @ vh
        if is_complex(u):
            turn = np.imag(np.diagonal(inside, axis1=-2, axis2=-1))
            inner = inner + 1j * diagonal_matrix(turn / s)
    if g_vh is not None:
        inside = vh @ matrix_transpose(g_vh)
        inner = inner + s[..., :, None] * over_gaps(inside - adjoint(inside), s, s * s)
        if np.shape(vh)[-1] > np.shape(vh)[-2]:
            beside = matrix_transpose(np.conjugate(g_vh) - adjoint(inside) @ vh)
            outside = outside + u @ matrix_transpose(over_lengths(beside, s))
    return np.conjugate(u @ inner @ vh + outside)


def svdvals_vjp(g: Any, out: Any, a: Any) -> Any:
    """dsᵢ = Re(uᵢᴴ dA vᵢ); a singular value of 0 has a kink there, as an absolute value has."""
    u, _, vh = np.linalg.svd(a, full_matrices=False)
    g = np.where(out == 0, 0, g)
    return np.conjugate((u * g[..., None, :]) @ vh)


svd_with_vectors = multi_output(np.linalg.svd, svd_vjp)
svdvals = array_function(np.linalg.svdvals, svdvals_vjp)


@composite(np.linalg.svd)
def svd(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if hermitian:
        raise UnsupportedError(
            "svd: hermitian=True has no derivative rule here; leave it out, or use np.linalg.eigh"
        )
    return svd_with_vectors(a, full_matrices=full_matrices) if compute_uv else svdvals(a)


# QR and Cholesky.


def qr_vjp(g: Any, out: Any, a: Any, mode: str = "reduced") -> Any:
    """S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).

    A wide matrix is [X Y] = Q [U V] with X square: U and Q come from X, and V = Qᴴ Y.
    """
    q, r = parts(out, 2)
    rows, columns = np.shape(a)[-2:]
    if mode != "reduced" and not (mode == "complete" and rows <= columns):
        raise UnsupportedError(
            f"qr: mode={mode!r} has no derivative rule here; pass mode='reduced'"
        )
    g_q = np.zeros_like(q) if g[0] is None else np.conjugate(g[0])
    g_r = np.zeros_like(r) if g[1] is None else np.conjugate(g[1])
    if rows >= columns:
        return np.conjugate(tall_qr_gradient(g_q, g_r, q, r))
    g_q = g_q + a[..., :, rows:] @ adjoint(g_r[..., :, rows:])
    square = tall_qr_gradient(g_q, g_r[..., :, :rows], q, r[..., :, :rows])
    return np.conjugate(np.concatenate((square, q @ g_r[..., :, rows:]), axis=-1))


def tall_qr_gradient(g_q: Any, g_r: Any, q: Any, r: Any) -> Any:
    """[Q̄ + Q hermitian(R R̄ᴴ - Q̄ᴴ Q)] R⁻ᴴ."""
    inner = g_q + q @ hermitian_of_lower(r @ adjoint(g_r) - adjoint(g_q) @ q)
    return adjoint(np.linalg.solve(r, adjoint(inner)))


qr_of_both = multi_output(np.linalg.qr, qr_vjp)


@composite(np.linalg.qr)
def qr(a: Any, mode: str = "reduced") -> Any:
    return qr_of_both(a, mode=mode) if mode != "r" else qr_of_both(a, mode="reduced")[1]


def cholesky_vjp(g: Any, out: Any, a: Any, upper: bool = False) -> Any:
    """Ā = L⁻ᴴ Φ(Lᴴ L̄) L⁻¹, by one triangle; Φ halves the diagonal and drops what is above.

    I. Murray, "Differentiation of the Cholesky decomposition" (2016).
    """
    low = adjoint(out) if upper else out
    g_low = matrix_transpose(g) if upper else np.conjugate(g)
    product = lower_part(adjoint(low) @ g_low)
    halved = product - diagonal_part(product) / 2
    left = np.linalg.solve(adjoint(low), halved)
    by_all = np.linalg.solve(adjoint(low), adjoint(left))
    return by_triangle(np.conjugate(by_all), not upper)


cholesky = array_function(np.linalg.cholesky, cholesky_vjp, masks=True)
