"""Linear systems with matrices that are triangular, banded or factorised, and the factors.

Of A x = b the gradient by b is that of the transposed system, and by A it is minus the outer
product of that with x; of A itself only the part counts that the function reads.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from scipy import linalg

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.contractions import matrix_transpose
from autograd_lite.ops.define import apart, parts
from autograd_lite.scipy.names import as_array_operand, computed_by_scipy, of_scipy

__all__ = [
    "cho_factor",
    "cho_solve",
    "lu",
    "lu_factor",
    "lu_solve",
    "solve",
    "solve_banded",
    "solve_triangular",
    "solveh_banded",
]


def columns(x: Any, b: Any) -> Any:
    """A solution, or its gradient, as a matrix: ``b`` may be one vector."""
    return x[..., None] if np.ndim(b) == 1 else x


def like(x: Any, b: Any) -> Any:
    return x[..., 0] if np.ndim(b) == 1 else x


def solve_vjp(g: Any, out: Any, a: Any, b: Any, check_finite: bool = True) -> Any:
    turned = solve(matrix_transpose(a), columns(g, b))
    return -turned @ matrix_transpose(columns(out, b)), like(turned, b)


solve = of_scipy(linalg.solve, arrays=2, joint=solve_vjp, broadcasts=True)

# Triangular systems.


def triangle(x: Any, lower: bool, unit_diagonal: bool = False) -> Any:
    """The part of a matrix that is read."""
    return np.tril(x, -int(unit_diagonal)) if lower else np.triu(x, int(unit_diagonal))


def triangular_vjp(
    g: Any, out: Any, a: Any, b: Any, trans: int = 0, lower: bool = False,
    unit_diagonal: bool = False, check_finite: bool = True,
) -> Any:  # fmt: skip
    matrix, other = (np.conjugate(a), 0) if trans == 2 else (a, 1 - trans)
    turned = triangular(
        matrix, columns(g, b), trans=other, lower=lower, unit_diagonal=unit_diagonal
    )
    solution = columns(out, b)
    left, right = (solution, turned) if trans else (turned, solution)
    by_a = triangle(-left @ matrix_transpose(right), lower, unit_diagonal)
    return np.conjugate(by_a) if trans == 2 else by_a, like(turned, b)


triangular = computed_by_scipy(
    linalg.solve_triangular,
    joint=triangular_vjp,
    name="solve_triangular",
    arrays=2,
    broadcasts=True,
)


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False,
    check_finite: bool = True,
) -> Any:  # fmt: skip
    """The solution of a system with a triangular matrix, its transposed or its adjoint."""
    a, b = as_array_operand(a), as_array_operand(b)
    trans = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    return triangular(
        a, b, trans=int(trans), lower=bool(lower), unit_diagonal=bool(unit_diagonal),
        check_finite=check_finite,
    )  # fmt: skip


registry[linalg.solve_triangular] = solve_triangular

# Factors of Cholesky's.  What lies in the other triangle is not read again.


@cache
def keeps_the_rest() -> bool:
    """Whether this SciPy leaves in the other triangle what it was; since 1.18 there are zeros."""
    factor, _ = linalg.cho_factor(np.array([[1.0, 0.0], [0.5, 1.0]]))
    return bool(factor[1, 0])


def cho_factor_forward(a: Any, lower: bool, check_finite: bool) -> Any:
    return linalg.cho_factor(a, lower, check_finite=check_finite)[0]


def cho_factor_vjp(g: Any, out: Any, a: Any, lower: bool, check_finite: bool) -> Any:
    """That of the factor, and of the other triangle where it is the matrix's own."""
    (rule,) = registry[np.linalg.cholesky].rules
    by_factor = rule(triangle(g, lower), triangle(out, lower), a, upper=not lower)
    is_kept = np.ndim(a) == 2 and keeps_the_rest()
    return by_factor + (g - triangle(g, lower)) if is_kept else by_factor


cholesky_factor = computed_by_scipy(
    cho_factor_forward,
    cho_factor_vjp,
    name="cho_factor",
)


def cho_factor(a: Any, lower: bool = False, check_finite: bool = True) -> Any:
    """A factor for `cho_solve`, and whether it is the lower one."""
    factor = cholesky_factor(as_array_operand(a), lower=bool(lower), check_finite=check_finite)
    return factor, bool(lower)


def cho_solve_forward(c: Any, b: Any, lower: bool, check_finite: bool) -> Any:
    return linalg.cho_solve((c, lower), b, check_finite=check_finite)


def cho_solve_vjp(g: Any, out: Any, c: Any, b: Any, lower: bool, check_finite: bool) -> Any:
    turned = np.conjugate(
        cholesky_solution(c, np.conjugate(columns(g, b)), lower=lower, check_finite=check_finite)
    )
    by_a = -turned @ matrix_transpose(columns(out, b))
    factor = triangle(c, lower)
    if lower:  # A = L Lᴴ
        by_c = by_a @ np.conjugate(factor) + np.conjugate(matrix_transpose(by_a) @ factor)
    else:  # A = Uᴴ U
        by_c = np.conjugate(factor) @ by_a + np.conjugate(factor @ matrix_transpose(by_a))
    return triangle(by_c, lower), like(turned, b)


cholesky_solution = computed_by_scipy(
    cho_solve_forward,
    joint=cho_solve_vjp,
    name="cho_solve",
    broadcasts=True,
)


def cho_solve(c_and_lower: Any, b: Any, check_finite: bool = True) -> Any:
    """The solution of a system, given what `cho_factor` gives of its matrix."""
    c, lower = c_and_lower
    operands = as_array_operand(c), as_array_operand(b)
    return cholesky_solution(*operands, lower=bool(lower), check_finite=check_finite)


registry[linalg.cho_factor] = cho_factor
registry[linalg.cho_solve] = cho_solve

# Factors with pivots: P A = L U, or A = P L U.


def permutation_forward(pivots: Any) -> Any:
    """The rows of A in the order that P brings them to."""
    order = np.arange(len(pivots))
    for row, other in enumerate(pivots):
        order[[row, other]] = order[[other, row]]
    return order


permutation = Primitive(permutation_forward, name="permutation", differentiable=False, builtin=True)


def product_slope(g_l: Any, g_u: Any, packed: Any) -> Any:
    """The gradient by L U, of which both factors are packed in one matrix."""
    low = np.tril(packed, -1) + np.eye(np.shape(packed)[-1], dtype=packed.dtype)
    high = np.triu(packed)
    inner = np.tril(matrix_transpose(low) @ g_l, -1) + np.triu(g_u @ matrix_transpose(high))
    left = triangular(packed, inner, trans=1, lower=True, unit_diagonal=True)
    return matrix_transpose(triangular(packed, matrix_transpose(left)))


def check_square(a: Any, name: str) -> None:
    if np.ndim(a) != 2 or np.shape(a)[0] != np.shape(a)[1]:
        raise UnsupportedError(
            f"{name}: a matrix of shape {np.shape(a)} has no derivative rule here; "
            "pass one square matrix, or use np.linalg.qr"
        )


def lu_factor_vjp(g: Any, out: Any, a: Any, check_finite: bool = True) -> Any:
    check_square(a, "lu_factor")
    packed, pivots = parts(out, 2)
    by_rows = product_slope(np.tril(g[0], -1), np.triu(g[0]), packed)
    return np.take(by_rows, np.argsort(permutation(pivots)), axis=0)


def lu_vjp(g: Any, out: Any, a: Any, check_finite: bool = True) -> Any:
    check_square(a, "lu")
    _, g_l, g_u = g
    order, low, high = parts(out, 3)
    g_l = np.zeros_like(low) if g_l is None else np.tril(g_l, -1)
    g_u = np.zeros_like(high) if g_u is None else np.triu(g_u)
    return order @ product_slope(g_l, g_u, np.tril(low, -1) + high)


def lu_factor_forward(a: Any, check_finite: bool) -> Any:
    """SciPy's factors of several matrices are a list."""
    return tuple(linalg.lu_factor(a, check_finite=check_finite))


factors = computed_by_scipy(linalg.lu, lu_vjp, name="lu", arrays=1)
packed_factors = computed_by_scipy(lu_factor_forward, lu_factor_vjp, name="lu_factor", arrays=1)


def lu(
    a: Any, permute_l: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:  # fmt: skip
    """A permutation, a lower and an upper triangular matrix, whose product is the matrix."""
    order, low, high = apart(factors(as_array_operand(a), check_finite=check_finite))
    if permute_l:
        return order @ low, high
    if p_indices:
        return np.astype(np.argmax(order, axis=-1), np.int32), low, high
    return order, low, high


def lu_factor(a: Any, check_finite: bool = True) -> Any:
    """Both triangular factors in one matrix, and the rows that changed places."""
    return apart(packed_factors(as_array_operand(a), check_finite=check_finite))


registry[linalg.lu] = lu
registry[linalg.lu_factor] = lu_factor


def lu_solve_forward(packed: Any, pivots: Any, b: Any, trans: int, check_finite: bool) -> Any:
    return linalg.lu_solve((packed, pivots), b, trans=trans, check_finite=check_finite)


def lu_solve_vjp(
    g: Any, out: Any, packed: Any, pivots: Any, b: Any, trans: int, check_finite: bool
) -> Any:
    matrix, other = (np.conjugate(packed), 0) if trans == 2 else (packed, 1 - trans)
    turned = factored_solution(
        matrix, pivots, columns(g, b), trans=other, check_finite=check_finite
    )
    solution = columns(out, b)
    left, right = (solution, turned) if trans else (turned, solution)
    by_a = -left @ matrix_transpose(right)
    by_a = np.conjugate(by_a) if trans == 2 else by_a
    by_product = np.take(by_a, permutation(pivots), axis=0)
    low = np.tril(packed, -1) + np.eye(np.shape(packed)[-1], dtype=packed.dtype)
    by_low = np.tril(by_product @ matrix_transpose(np.triu(packed)), -1)
    by_high = np.triu(matrix_transpose(low) @ by_product)
    return by_low + by_high, None, like(turned, b)


factored_solution = computed_by_scipy(
    lu_solve_forward,
    joint=lu_solve_vjp,
    name="lu_solve",
)


def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, check_finite: bool = True) -> Any:
    """The solution of a system, given what `lu_factor` gives of its matrix."""
    packed, pivots = lu_and_piv
    packed, b = as_array_operand(packed), as_array_operand(b)
    return factored_solution(packed, pivots, b, trans=int(trans), check_finite=check_finite)


registry[linalg.lu_solve] = lu_solve

# Banded systems: row u + i - j of what is stored has A[i, j] in column j.


def band_of(row: int, upper: int, left: Any, right: Any) -> Any:
    """One row of the gradient by what is stored: the products along one diagonal."""
    shift = row - upper
    size = np.shape(left)[0]
    places = np.arange(size) + shift
    inside = np.logical_and(places >= 0, places < size)
    products = np.sum(np.roll(left, -shift, axis=0) * right, axis=1)
    return np.where(inside, products, 0)


def solve_banded_forward(ab: Any, b: Any, l_and_u: tuple[int, int], check_finite: bool) -> Any:
    return linalg.solve_banded(l_and_u, ab, b, check_finite=check_finite)


def solve_banded_vjp(
    g: Any, out: Any, ab: Any, b: Any, l_and_u: tuple[int, int], check_finite: bool
) -> Any:
    lower, upper = l_and_u
    rows = range(lower + upper + 1)
    transposed = np.stack([np.roll(ab[lower + upper - row], lower - row) for row in rows])
    turned = banded_solution(
        transposed, columns(g, b), l_and_u=(upper, lower), check_finite=check_finite
    )
    solution = columns(out, b)
    return np.stack([band_of(r, upper, -turned, solution) for r in rows]), like(turned, b)


banded_solution = computed_by_scipy(
    solve_banded_forward,
    joint=solve_banded_vjp,
    name="solve_banded",
)


def solve_banded(l_and_u: Any, ab: Any, b: Any, check_finite: bool = True) -> Any:
    """The solution of a system whose matrix is stored by its diagonals."""
    lower, upper = map(int, l_and_u)
    operands = as_array_operand(ab), as_array_operand(b)
    return banded_solution(*operands, l_and_u=(lower, upper), check_finite=check_finite)


def solveh_banded_forward(ab: Any, b: Any, lower: bool, check_finite: bool) -> Any:
    return linalg.solveh_banded(ab, b, lower=lower, check_finite=check_finite)


def solveh_banded_vjp(g: Any, out: Any, ab: Any, b: Any, lower: bool, check_finite: bool) -> Any:
    """Of real matrices; entries beside the diagonal stand for two."""
    if is_complex(ab):
        raise UnsupportedError(
            "solveh_banded: complex matrices have no derivative rule here; use solve_banded"
        )
    turned = symmetric_banded_solution(ab, columns(g, b), lower=lower, check_finite=check_finite)
    solution, count = columns(out, b), np.shape(ab)[0]
    upper = 0 if lower else count - 1
    bands = []
    for row in range(count):
        band = band_of(row, upper, -turned, solution)
        is_diagonal = row == upper
        bands.append(band if is_diagonal else band + band_of(row, upper, -solution, turned))
    return np.stack(bands), like(turned, b)


symmetric_banded_solution = computed_by_scipy(
    solveh_banded_forward,
    joint=solveh_banded_vjp,
    name="solveh_banded",
)


def solveh_banded(ab: Any, b: Any, lower: bool = False, check_finite: bool = True) -> Any:
    """The solution of a system with a positive definite matrix, stored by its diagonals."""
    operands = as_array_operand(ab), as_array_operand(b)
    return symmetric_banded_solution(*operands, lower=bool(lower), check_finite=check_finite)


registry[linalg.solve_banded] = solve_banded
registry[linalg.solveh_banded] = solveh_banded
