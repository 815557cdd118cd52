"""Hypotheses about entries at wrong places: transposed, reversed, shifted, or not summed up.

See `diagnosis`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from autograd_lite.checking.evidence import Evidence, matches
from autograd_lite.checking.hypotheses import hypothesis
from autograd_lite.checking.layout import Vector, conjugate, conjugate_all
from autograd_lite.checking.patterns import one_slice, rearranged_rows, rearrangements
from autograd_lite.checking.verdict import Hint

__all__: list[str] = []


@hypothesis(rank=3, one_leaf=True)
def rearranged(evidence: Evidence) -> Hint | None:
    """Transposed, reversed or shifted: the gradient itself, or the upstream gradient."""
    for kind, text, change in rearrangements(evidence.leaf):
        if evidence.explained_by(lambda g, leaf: change(g)):  # noqa: B023 - called at once
            return Hint(kind, f"the gradient of {evidence.leaf.name} is {text}")
    for output in evidence.subject.outputs.leaves:
        for kind, text, change in rearrangements(output):
            if evidence.fits(rearranged_rows(evidence.cotangents, output, change)):
                over = ", as where it is summed over the wrong axis" * (kind == "transposed")
                return Hint(kind, f"the upstream gradient is used {text}{over}")
    return None


@hypothesis(rank=3, one_leaf=True, complete=True)
def symmetric_part(evidence: Evidence) -> Hint | None:
    """Of the analytic gradient and the true one, the one is the symmetric part of the other."""
    leaf = evidence.leaf
    if leaf.is_complex or len(leaf.shape) < 2 or leaf.shape[-1] != leaf.shape[-2]:
        return None
    analytic, numerical, error = evidence.numbers

    def turned(rows: Vector) -> Vector:
        square = np.reshape(rows, (len(rows), *leaf.shape))
        return np.reshape(np.swapaxes(square, -1, -2), rows.shape)

    allowed = error + turned(error)

    def is_symmetric_part(part: Vector, whole: Vector) -> bool:
        fits = matches(part, (whole + turned(whole)) / 2, allowed).all()
        return bool(fits and matches(part, turned(part), allowed).all())

    if np.array_equal(leaf.cut(evidence.subject.x), np.transpose(leaf.cut(evidence.subject.x))):
        square = np.reshape(numerical, (len(numerical), *leaf.shape))
        by_triangle = numerical + turned(numerical)
        by_triangle -= np.reshape(square * np.eye(leaf.shape[-1]), numerical.shape)
        if matches(analytic, by_triangle, allowed).all():
            return Hint(
                "symmetric",
                f"off the diagonal both entries of a pair of {leaf.name} are counted, as if one "
                "were bound to be the other; the function may be given any matrix, so each entry "
                "has a derivative of its own",
            )
    if is_symmetric_part(numerical, analytic):
        return Hint(
            "symmetric",
            f"the gradient of {leaf.name} is not symmetric, and should be: its symmetric part, "
            "(g + g.T)/2, agrees",
        )
    if is_symmetric_part(analytic, numerical):
        return Hint(
            "symmetric",
            f"right for symmetric changes of {leaf.name} only, as the function reads one triangle "
            f"of it, or is not symmetric; to check just those, write ({leaf.name} + "
            f"{leaf.name}.T)/2 for it in the function",
        )
    return None


@hypothesis(rank=3, one_leaf=True, complete=True)
def jacobian_transposed(evidence: Evidence) -> Hint | None:
    leaf = evidence.leaf
    columns = evidence.columns[:, np.isin(evidence.coordinates, evidence.focus)]
    if columns.shape[0] != columns.shape[1]:
        return None
    if matches(columns, columns.T, np.zeros(1)).all():
        return None  # as a diagonal matrix is: there is nothing to transpose
    error = np.abs(evidence.cotangents) @ evidence.column_error.max(axis=1, keepdims=True)
    upstream = conjugate_all(evidence.cotangents, evidence.subject.outputs.leaves)
    expected = [evidence.cotangents @ columns.T, conjugate(upstream @ columns.T, leaf)]
    analytic = evidence.analytic[:, leaf.place]
    fitting = [bool(matches(analytic, rows, error).all()) for rows in expected]
    if not any(fitting):
        return None
    conjugated = "conjugate " if leaf.is_complex and fitting[0] else ""
    return Hint(
        "transposed",
        f"transposed: the upstream gradient is multiplied by the Jacobian with respect to "
        f"{leaf.name} and not by its {conjugated}transpose; transpose the matrix that it is "
        "multiplied by",
    )


@hypothesis(rank=3, one_leaf=True)
def flipped_kernel(evidence: Evidence) -> Hint | None:
    """Right in the mirror: with gradient and upstream gradient both reversed."""
    leaf = evidence.leaf
    for kind, text, change in rearrangements(leaf):
        for output in evidence.subject.outputs.leaves:
            for _, same, change_upstream in rearrangements(output):
                if kind != "permuted" or same != text:
                    continue
                rows = rearranged_rows(evidence.analytic, leaf, change)
                upstream = rearranged_rows(evidence.cotangents, output, change_upstream)
                if replace(evidence, analytic=rows).fits(upstream):
                    how = text.partition(",")[0]
                    return Hint(
                        "flipped",
                        f"right in the mirror, with the gradient of {leaf.name} and the upstream "
                        f"gradient both {how}: what slides over them, as a kernel, is to be "
                        "flipped, or not",
                    )
    return None


@hypothesis(rank=3, one_leaf=True, complete=True)
def shifted(evidence: Evidence) -> Hint | None:
    """Each entry has the derivative of its neighbour; what falls off the end may be lost."""
    leaf = evidence.leaf
    if leaf.is_complex:
        return None
    rows = (evidence.analytic, evidence.numerical, evidence.error)
    analytic, numerical, error = (np.reshape(x[:, leaf.place], (len(x), *leaf.shape)) for x in rows)
    for axis in range(1, analytic.ndim):
        if analytic.shape[axis] < 3:
            continue
        before = (slice(None),) * axis
        ahead, behind = (*before, slice(1, None)), (*before, slice(None, -1))
        for mine, its in ((ahead, behind), (behind, ahead)):
            is_right = matches(analytic[mine], numerical[mine], error[mine]).all()
            is_its = matches(analytic[mine], numerical[its], error[its]).all()
            if is_its and not is_right and np.any(analytic[mine]):
                return Hint(
                    "off by one",
                    f"off by one: each entry of the gradient of {leaf.name} is that of its "
                    f"neighbour along axis {axis - 1}",
                )
    return None


@hypothesis(rank=3)
def broadcast_sum_missing(evidence: Evidence) -> Hint | None:
    columns = evidence.columns[:, np.isin(evidence.coordinates, evidence.measured)]
    wrong = evidence.wrong()
    for output in evidence.subject.outputs.leaves:
        for axis in range(len(output.shape)):
            for end in (0, -1):
                only = partial(one_slice, axis=axis, index=end)
                kept = rearranged_rows(evidence.cotangents, output, only)
                # What is wrong comes from there as well, or it would be no sum that is cut off.
                reached = np.any(kept @ columns, axis=0)
                if output.shape[axis] > 1 and reached[wrong].all() and evidence.fits(kept):
                    return Hint(
                        "broadcast",
                        f"a sum over the broadcast axis is missing: only index {end} of axis "
                        f"{axis} of {output.name} counts; sum the upstream gradient over it",
                    )
    return None
