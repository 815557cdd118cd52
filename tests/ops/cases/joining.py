"""Cases of functions that join arrays, and of those that part and repeat them."""

from __future__ import annotations

import autograd_lite as ag
from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, real, row

ROWS: list[Case] = [
    row(np.concatenate, real(2, 3), real(1, 3), call=lambda x, y: np.concatenate([x, y])),
    row(
        np.concatenate,
        real(2, 3),
        real(2, 1),
        call=lambda x, y: np.concatenate((x, np.ones((2, 2)), y), axis=-1),
        label="axis=-1",
    ),
    row(
        np.concatenate,
        real(2, 3),
        real(4),
        call=lambda x, y: np.concatenate((x, y), axis=None),
        label="axis=None",
    ),
    row(np.stack, real(3), real(3), call=lambda x, y: np.stack([x, y])),
    row(np.stack, real(3), real(3), call=lambda x, y: np.stack([x, y], axis=-1), label="-1"),
    row(np.vstack, real(3), real(2, 3), call=lambda x, y: np.vstack([x, y])),
    row(np.hstack, real(3), real(2), call=lambda x, y: np.hstack([x, y])),
    row(np.hstack, real(2, 3), real(2, 1), call=lambda x, y: np.hstack((x, y)), label="2d"),
    row(np.hstack, real(), real(2), call=lambda x, y: np.hstack((x, y)), label="0d"),
    row(np.split, real(6), call=lambda x: np.split(x, 3)),
    row(np.split, real(2, 5), call=lambda x: np.split(x, [1, 4], axis=1), label="places"),
    row(np.split, real(2, 5), call=lambda x: np.split(x, [3, 1, -1], 1), label="odd places"),
    row(np.repeat, real(2, 3), call=lambda x: np.repeat(x, 2)),
    row(np.repeat, real(2, 3), call=lambda x: np.repeat(x, 2, axis=1), label="axis"),
    row(np.repeat, real(2, 3), call=lambda x: np.repeat(x, [1, 0, 3], axis=-1), label="counts"),
    row(np.repeat, real(), call=lambda x: np.repeat(x, 3), label="0d"),
    row(np.tile, real(2, 3), call=lambda x: np.tile(x, 2)),
    row(np.tile, real(2, 3), call=lambda x: np.tile(x, (2, 1)), label="2,1"),
    row(np.tile, real(3), call=lambda x: np.tile(x, (2, 2, 1)), label="new axes"),
    row(np.tile, real(2, 1, 3), call=lambda x: np.tile(x, (2, 2)), label="fewer"),
    row(np.tile, real(), call=lambda x: np.tile(x, 3), label="0d"),
    row(
        np.concatenate,
        real(2),
        real(2),
        call=lambda x, y: np.concatenate([x, y], dtype=np.float64),
        label="dtype",
    ),
    row(np.dstack, real(2, 3), real(2, 3), call=lambda x, y: np.dstack([x, y])),
    row(np.dstack, real(3), real(3), call=lambda x, y: np.dstack([x, y]), label="1d"),
    row(np.column_stack, real(3), real(3, 2), call=lambda x, y: np.column_stack([x, y])),
    row(np.append, real(2, 3), real(2)),
    row(np.append, real(2, 3), real(1, 3), axis=0),
    row(np.block, real(2, 2), real(2, 3), call=lambda x, y: np.block([x, y])),
    row(
        np.block,
        real(2, 2),
        real(),
        call=lambda x, y: np.block([[x, np.ones((2, 1))], [np.ones((1, 2)), y]]),
        label="2 by 2",
    ),
    row(np.block, real(2, 3), call=lambda x: np.block([[[x], [x]], [[x], [x]]]), label="deep"),
    row(np.insert, real(4), real(2), call=lambda x, v: np.insert(x, [1, 3], v)),
    row(np.insert, real(2, 3), real(), call=lambda x, v: np.insert(x, 1, v, axis=1), label="axis"),
    row(np.insert, real(2, 3), real(3), call=lambda x, v: np.insert(x, -1, v, axis=0), label="row"),
    row(
        np.insert,
        real(4),
        real(3),
        call=lambda x, v: np.insert(x, slice(0, 3), v),
        label="slice",
    ),
    row(np.array_split, real(7), call=lambda x: np.array_split(x, 3)),
    row(np.array_split, real(2, 5), call=lambda x: np.array_split(x, [1, 1, 9], axis=1), label="x"),
    row(np.vsplit, real(4, 3), call=lambda x: np.vsplit(x, 2)),
    row(np.hsplit, real(3, 4), call=lambda x: np.hsplit(x, [1, 3])),
    row(np.hsplit, real(4), call=lambda x: np.hsplit(x, 2), label="1d"),
    row(np.dsplit, real(2, 3, 4), call=lambda x: np.dsplit(x, 2)),
    row(np.unstack, real(2, 3)),
    row(np.unstack, real(2, 3), axis=-1),
]

ROWS += [
    *[
        row(
            function,
            real(2),
            real(),
            call=lambda x, a, f=function: f([x, [a, 1.0]], like=x),
            reference=lambda x, a, f=function: f([x, [a, 1.0]]),
            label="like",
        )
        for function in (np.array, np.asarray, np.asanyarray)
    ],
    row(np.hstack, real(2), real(), call=lambda x, a: np.hstack([x, [a, a]]), label="lists"),
    row(np.vstack, real(2), real(), call=lambda x, a: np.vstack([(a, a), x]), label="lists"),
    row(np.stack, real(2), real(), call=lambda x, a: np.stack([x, [1.0, a]]), label="lists"),
    row(np.append, real(2), real(), call=lambda x, a: np.append(x, [1.0, a]), label="lists"),
    row(
        np.vstack,
        real(2),
        real(2),
        call=lambda x, y: np.vstack([x, y], casting="safe", dtype=np.float64),
        label="casting",
    ),
]

NESTED: list[Case] = [
    row(
        ag.array,
        real(),
        real(),
        call=lambda a, b: ag.array([[a, 1.0], [b, a]]),
        reference=lambda a, b: np.array([[a, 1.0], [b, a]]),
    ),
    row(
        ag.array,
        real(3),
        real(),
        call=lambda a, b: ag.array([a, (b, 2.0, b), np.ones(3)]),
        reference=lambda a, b: np.array([a, (b, 2.0, b), np.ones(3)]),
        label="rows",
    ),
    row(
        ag.array,
        real(2),
        real(),
        call=lambda a, b: ag.array([a, [b, b]], dtype=a.dtype),
        reference=lambda a, b: np.array([a, [b, b]], dtype=a.dtype),
        label="dtype",
    ),
    *[
        row(
            ours,
            real(3),
            real(3),
            real(),
            call=lambda x, y, a, joiner=ours, key=key: joiner[key(x, y, a)],
            reference=lambda x, y, a, joiner=numpys, key=key: joiner[key(x, y, a)],
            label=label,
        )
        for ours, numpys, keys in (
            (
                ag.r_,
                np.r_,
                {
                    "[x, a, y]": lambda x, y, a: (x, a, 0.5, y[:2], a),
                    "[x, 1:3, 0:1:4j]": lambda x, y, a: (x, slice(1, 3), slice(0, 1, 4j), a, y),
                    "[x, [a, 1]]": lambda x, y, a: (x, [a, 1.0], y),
                    "['0,2', x, y]": lambda x, y, a: ("0,2", x, y, [a, a, a]),
                    "['0,2,0', x, y]": lambda x, y, a: ("0,2,0", x, y, a),
                    "['-1', x, y]": lambda x, y, a: ("-1", x[None] * a, y[None]),
                },
            ),
            (
                ag.c_,
                np.c_,
                {
                    "[x, y]": lambda x, y, a: (x, y * a),
                    "[x, 1:4]": lambda x, y, a: (x, slice(1, 4), np.stack((x, y), -1) * a),
                },
            ),
        )
        for label, key in keys.items()
    ],
]
"""Of what is in this package, and needs no place in the registry."""
