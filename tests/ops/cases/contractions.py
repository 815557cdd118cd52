"""Cases of products of matrices and tensors."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, real, row

MATMUL_SHAPES = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 2)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
]
DOT_SHAPES = [
    ((), ()),
    ((), (2, 3)),
    ((2, 3), ()),
    *MATMUL_SHAPES[:5],
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (4, 3, 2)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
]
INNER_SHAPES = [((3,), (3,)), ((2, 3), (4, 3)), ((2, 3), (3,)), ((3,), (2, 4, 3)), ((), (2,))]
INNER_SHAPES += [((2, 3, 4), (5, 6, 4))]
EINSUMS: list[tuple[str, list[tuple[int, ...]]]] = [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ba", [(2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ii", [(3, 3)]),
    ("ii->i", [(3, 3)]),
    ("iij->ji", [(3, 3, 2)]),
    ("iii->i", [(3, 3, 3)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ij,k->j", [(2, 3), (4,)]),
    ("ii,ij->j", [(3, 3), (3, 2)]),
    ("ij,jk,kl->il", [(2, 3), (3, 2), (2, 4)]),
    ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 2)]),
    ("...ij,jk->...ik", [(5, 2, 3), (3, 2)]),
    ("...ij,...jk", [(5, 2, 3), (3, 2)]),
    ("...i->...", [(2, 3)]),
    ("i...->...", [(2, 3)]),
    ("...->...", [(2, 3)]),
    ("...,...->...", [(2, 1, 3), (4, 1)]),
    ("i,i->i", [(1,), (3,)]),
    (" ij , jk -> ki ", [(2, 3), (3, 4)]),
    (",ij->ij", [(), (2, 3)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 2), (2, 2, 4, 2)]),
]
TENSORDOTS: list[tuple[tuple[int, ...], tuple[int, ...], Any]] = [
    ((2, 3, 4), (3, 4, 2), 2),
    ((2, 3), (3, 4), 1),
    ((2, 3), (4,), 0),
    ((2, 3, 4), (4, 2, 3), ((0, 1), (1, 2))),
    ((2, 3, 4), (4, 3, 2), ((2, 0), (0, 2))),
    ((2, 3, 4), (4, 3), ((1, -1), (-1, 0))),
    ((2, 3), (2, 3), ((0, 1), (0, 1))),
    ((2, 3), (4, 3), (1, 1)),
]

ROWS: list[Case] = [
    *[row(np.matmul, real(*a), real(*b), label=f"{a}@{b}") for a, b in MATMUL_SHAPES],
    *[row(np.dot, real(*a), real(*b), label=f"{a}·{b}") for a, b in DOT_SHAPES],
    *[row(np.inner, real(*a), real(*b), label=f"{a}·{b}") for a, b in INNER_SHAPES],
    row(np.outer, real(2), real(3)),
    row(np.outer, real(2, 2), real(3), label="flattened"),
    *[
        row(
            np.tensordot,
            real(*a),
            real(*b),
            call=lambda x, y, n=axes: np.tensordot(x, y, n),
            label=f"{a},{b},{axes}",
        )
        for a, b, axes in TENSORDOTS
    ],
    row(np.tensordot, real(2, 3), real(3, 2), axes=1),
    *[
        row(
            np.einsum,
            *[real(*shape) for shape in shapes],
            call=lambda *xs, s=subscripts: np.einsum(s, *xs),
            label=f"{subscripts}",
        )
        for subscripts, shapes in EINSUMS
    ],
    row(
        np.einsum,
        real(2, 3),
        real(3, 4),
        call=lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [2, 0]),
        label="sublists",
    ),
    row(
        np.einsum,
        real(2, 3),
        real(3, 4),
        call=lambda x, y: np.einsum("ij,jk->ik", x, y, optimize=True),
        label="optimize",
    ),
    row(
        np.einsum,
        real(2, 3),
        call=lambda x: np.einsum("ij,jk->ik", x, np.arange(12).reshape(3, 4)),
        label="constant integers",
    ),
    *[
        row(function, complex_numbers(2, 3), complex_numbers(3, 2), label="complex")
        for function in (np.matmul, np.dot)
    ],
    row(np.inner, complex_numbers(3), complex_numbers(3), label="complex"),
    row(np.outer, complex_numbers(3), complex_numbers(2), label="complex"),
    row(np.matmul, real(2, 3), complex_numbers(3, 2), label="real,complex"),
    row(np.tensordot, complex_numbers(2, 3), complex_numbers(3), label="complex", axes=1),
    row(
        np.einsum,
        complex_numbers(2, 3),
        complex_numbers(3),
        call=lambda x, y: np.einsum("ij,j->i", x, y),
        label="complex",
    ),
    row(np.kron, real(2, 3), real(3, 2)),
    row(np.kron, real(2), real(2, 1, 3), label="dimensions"),
    row(np.kron, real(), real(2, 3), label="number"),
    row(np.cross, real(3), real(3)),
    row(np.cross, real(2, 3), real(4, 1, 3), label="broadcast"),
    row(np.cross, real(3, 2), real(2, 3), axisa=0, axisb=1, axisc=0),
    row(np.cross, real(3, 2), real(3, 2), axis=0),
    row(np.trace, real(3, 4)),
    row(np.trace, real(2, 3, 4), offset=-1, axis1=1, axis2=2),
    row(np.vdot, real(2, 3), real(6)),
    row(np.vdot, complex_numbers(3), complex_numbers(3), label="complex"),
    row(np.vecdot, real(2, 3), real(3)),
    row(np.vecdot, real(2, 4, 3), real(4, 3), label="stacked"),
    row(np.vecdot, complex_numbers(2, 3), complex_numbers(2, 3), label="complex"),
    row(np.vecdot, real(3, 2), real(3, 2), axis=0),
    row(np.matvec, real(2, 3), real(3)),
    row(np.matvec, real(5, 2, 3), real(3), label="stacked"),
    row(np.matvec, complex_numbers(2, 3), complex_numbers(3), label="complex"),
    row(np.matvec, complex_numbers(5, 2, 3), complex_numbers(5, 3), label="complex, stacked"),
    row(np.vecmat, real(2), real(2, 3)),
    row(np.vecmat, real(2), real(5, 2, 3), label="stacked"),
    row(np.vecmat, complex_numbers(2), complex_numbers(2, 3), label="complex"),
    row(np.vecmat, complex_numbers(5, 2), complex_numbers(5, 2, 3), label="complex, stacked"),
]
