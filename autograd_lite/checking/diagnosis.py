"""Hypotheses about a wrong derivative: each is a small function that looks at the numbers.

A hypothesis says what would turn the claimed gradients into the true ones, or
what true gradients the claimed ones would be for another cotangent, and is
kept if the numbers agree.  They stand in the order in which they are believed:
the most specific first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from autograd_lite.checking.comparison import SAFETY
from autograd_lite.checking.evidence import SLACK, Evidence, matches
from autograd_lite.checking.formulas import name_factor, name_function
from autograd_lite.checking.layout import Leaf, Vector
from autograd_lite.checking.rearrangements import (
    one_slice,
    rearranged_rows,
    rearrangements,
)
from autograd_lite.checking.regions import regions
from autograd_lite.checking.verdict import Hint

__all__ = ["HYPOTHESES", "diagnose"]

Hypothesis = Callable[[Evidence], Hint | None]


MOST_HINTS = 3


def diagnose(evidence: Evidence) -> tuple[Hint, ...]:
    """What would explain the numbers, the best explanation first."""
    evidence, result = _results_that_are_wrong(evidence)
    wrong = _leaves_that_are_wrong(evidence)
    focused = replace(evidence, leaves=wrong) if wrong else evidence
    hints = _explanations(focused)
    if not hints and len(focused.leaves) > 1:
        hints = [
            Hint(hint.kind, f"{leaf.name}: {hint.text}")
            for leaf in focused.leaves
            for hint in _explanations(replace(focused, leaves=(leaf,)))[:1]
        ]
    elif len(focused.leaves) < len(evidence.leaves):
        names = ", ".join(leaf.name for leaf in focused.leaves)
        hints = [Hint(hint.kind, f"only for {names}: {hint.text}") for hint in hints]
    hints = [Hint(hint.kind, result + hint.text) for hint in hints]
    return tuple(hints[:MOST_HINTS]) or (_unexplained(focused),)


def _explanations(evidence: Evidence) -> list[Hint]:
    if not evidence.measured.size:
        return []
    for row in HYPOTHESES:
        found = (hypothesis(evidence) for hypothesis in row)
        hints = [hint for hint in found if hint is not None]
        if hints:
            return hints
    return []


def _results_that_are_wrong(evidence: Evidence) -> tuple[Evidence, str]:
    """The evidence of those results only whose derivatives are wrong, and their names."""
    results = evidence.subject.outputs.leaves
    if len(results) == 1:
        return evidence, ""
    wrong = [leaf for leaf in results if np.any(evidence.of_results([leaf]).wrong())]
    if not 0 < len(wrong) < len(results):
        return evidence, ""
    names = ", ".join(leaf.name for leaf in wrong)
    return evidence.of_results(wrong), f"only of {names}: "


def _leaves_that_are_wrong(evidence: Evidence) -> tuple[Leaf, ...]:
    return tuple(
        leaf for leaf in evidence.leaves if np.any(replace(evidence, leaves=(leaf,)).wrong())
    )


def _in_focus(evidence: Evidence, change: Callable[[Vector, Leaf], Vector]) -> Vector:
    """The claimed gradients with those of the leaves in focus changed."""
    corrected = evidence.claimed.copy()
    for leaf in evidence.leaves:
        corrected[:, leaf.place] = change(evidence.claimed[:, leaf.place], leaf)
    return corrected


def zero_everywhere(evidence: Evidence) -> Hint | None:
    if np.any(evidence.claimed[:, evidence.focus]):
        return None
    return Hint(
        "zero",
        "the claimed derivative is zero everywhere: a gradient that is never filled in, or a "
        "result cut off from its inputs (.data, detach, no_grad)",
    )


def no_influence(evidence: Evidence) -> Hint | None:
    at = evidence.measured
    if np.any(np.abs(evidence.numerical[:, at]) > SAFETY * evidence.error[:, at]):
        return None
    names = ", ".join(leaf.name for leaf in evidence.leaves)
    return Hint("no influence", f"the result does not depend on {names}: the derivative is zero")


def sign(evidence: Evidence) -> Hint | None:
    if not evidence.explained_by(_in_focus(evidence, lambda g, leaf: -g)):
        return None
    return Hint("sign", "the sign is wrong: minus the claimed derivative agrees everywhere")


def upstream_ignored(evidence: Evidence) -> Hint | None:
    claimed = evidence.claimed[:, evidence.focus]
    if not np.any(claimed) or not matches(claimed, claimed[:1], np.zeros(1)).all():
        return None
    text = "the upstream gradient is ignored: the claimed derivative is the same whatever it is"
    if evidence.claims(np.ones_like(evidence.cotangents)):
        text += ", namely that for an upstream gradient of ones; multiply by it"
    return Hint("upstream", text)


def constant_factor(evidence: Evidence) -> Hint | None:
    at = evidence.measured
    claimed, numerical = evidence.claimed[:, at], evidence.numerical[:, at]
    weight = float(np.sum(claimed * claimed))
    if weight == 0:
        return None
    factor = float(np.sum(claimed * numerical)) / weight
    if factor in (0.0, -1.0) or np.isclose(factor, -1.0, rtol=SLACK):
        return None
    if not evidence.explained_by(_in_focus(evidence, lambda g, leaf: factor * g)):
        return None
    ratio = 1 / factor
    return Hint(
        "factor",
        f"a constant factor: the claimed derivative is {name_factor(ratio, evidence.subject)} "
        "times the true one, everywhere",
    )


def complex_conjugated(evidence: Evidence) -> Hint | None:
    if not any(leaf.is_complex for leaf in evidence.leaves):
        return None

    def conjugated(g: Vector, leaf: Leaf) -> Vector:
        halves = np.repeat([1.0, -1.0], leaf.size) if leaf.is_complex else 1.0
        return g * halves

    if not evidence.explained_by(_in_focus(evidence, conjugated)):
        return None
    return Hint(
        "conjugate",
        "the complex conjugate is missing or too many: with it the derivative agrees "
        "(the gradient is ∂/∂re + i·∂/∂im)",
    )


def inputs_swapped(evidence: Evidence) -> Hint | None:
    for first in evidence.leaves:
        for second in evidence.leaves:
            if first.start >= second.start or (first.shape, first.dtype.kind) != (
                second.shape,
                second.dtype.kind,
            ):
                continue
            corrected = evidence.claimed.copy()
            corrected[:, first.place] = evidence.claimed[:, second.place]
            corrected[:, second.place] = evidence.claimed[:, first.place]
            if evidence.explained_by(corrected):
                return Hint(
                    "swapped", f"the gradients of {first.name} and {second.name} are swapped"
                )
    return _taken_from_another(evidence)


def _taken_from_another(evidence: Evidence) -> Hint | None:
    for leaf in evidence.leaves:
        for other in evidence.subject.inputs.leaves:
            true, error = evidence.numerical[:, other.place], evidence.error[:, other.place]
            if other is leaf or other.shape != leaf.shape or np.any(np.isnan(true)):
                continue
            if (
                len(evidence.leaves) == 1
                and leaf.size > 1
                and matches(evidence.claimed[:, leaf.place], true, error).all()
            ):
                return Hint(
                    "swapped", f"the claimed gradient of {leaf.name} is that of {other.name}"
                )
    return None


def rearranged(evidence: Evidence) -> Hint | None:
    """Transposed, reversed or shifted: the gradient itself, or the upstream gradient."""
    if len(evidence.leaves) != 1:
        return None
    leaf = evidence.leaves[0]
    for kind, text, change in rearrangements(leaf):
        corrected = evidence.claimed.copy()
        corrected[:, leaf.place] = change(evidence.claimed[:, leaf.place])
        if evidence.explained_by(corrected):
            return Hint(kind, f"the gradient of {leaf.name} is {text}")
    for output in evidence.subject.outputs.leaves:
        for kind, text, change in rearrangements(output):
            if evidence.claims(rearranged_rows(evidence.cotangents, output, change)):
                return Hint(kind, f"the upstream gradient is used {text}")
    return None


def shifted(evidence: Evidence) -> Hint | None:
    """Each entry has the derivative of its neighbour; what falls off the end may be lost."""
    if not evidence.complete or len(evidence.leaves) != 1:
        return None
    leaf = evidence.leaves[0]
    if leaf.is_complex:
        return None
    shape = (len(evidence.claimed), *leaf.shape)
    claimed = np.reshape(evidence.claimed[:, leaf.place], shape)
    numerical = np.reshape(evidence.numerical[:, leaf.place], shape)
    error = np.reshape(evidence.error[:, leaf.place], shape)
    for axis in range(1, len(shape)):
        if shape[axis] < 3:
            continue
        ahead, behind = _neighbours(axis)
        for mine, its in ((ahead, behind), (behind, ahead)):
            if matches(claimed[mine], numerical[its], error[its]).all() and np.any(claimed[mine]):
                return Hint(
                    "off by one",
                    f"off by one: each entry of the gradient of {leaf.name} is that of its "
                    f"neighbour along axis {axis - 1}",
                )
    return None


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    before = (slice(None),) * axis
    return (*before, slice(1, None)), (*before, slice(None, -1))


def jacobian_transposed(evidence: Evidence) -> Hint | None:
    if not evidence.complete or len(evidence.leaves) != 1:
        return None
    leaf = evidence.leaves[0]
    columns = evidence.columns[:, np.isin(evidence.coordinates, evidence.focus)]
    if columns.shape[0] != columns.shape[1]:
        return None
    error = np.abs(evidence.cotangents) @ evidence.column_error.max(axis=1, keepdims=True)
    expected = evidence.cotangents @ columns.T
    if not matches(evidence.claimed[:, leaf.place], expected, error).all():
        return None
    return Hint(
        "transposed",
        f"transposed: the upstream gradient is multiplied by the Jacobian with respect to "
        f"{leaf.name} and not by its transpose; transpose the matrix that it is multiplied by",
    )


def broadcast_sum_missing(evidence: Evidence) -> Hint | None:
    for output in evidence.subject.outputs.leaves:
        for axis in range(len(output.shape)):
            for end in (0, -1):
                only = partial(one_slice, axis=axis, index=end)
                if output.shape[axis] > 1 and evidence.claims(
                    rearranged_rows(evidence.cotangents, output, only)
                ):
                    return Hint(
                        "broadcast",
                        f"a sum over the broadcast axis is missing: only index {end} of axis "
                        f"{axis} of {output.name} counts; sum the upstream gradient over it",
                    )
    return None


def only_in_a_region(evidence: Evidence) -> Hint | None:
    if len(evidence.leaves) != 1:
        return None
    for description, inside in regions(evidence.subject, evidence.leaves[0]):
        if not 0 < np.count_nonzero(inside) < inside.size:
            continue
        if evidence.complete:
            confined = np.array_equal(evidence.wrong(), inside)
        else:
            start = evidence.leaves[0].start
            confined = not evidence.located.complete and evidence.clean(
                start + np.flatnonzero(~inside)
            )
        if confined:
            return Hint("region", f"right except where {description}")
    return None


def few_entries(evidence: Evidence) -> Hint | None:
    if evidence.complete:
        wrong = evidence.measured[evidence.wrong()]
    elif evidence.located.complete:
        wrong = np.array(evidence.located.coordinates)
    else:
        return None
    total = evidence.focus.size
    if not 0 < wrong.size <= min(5, total // 3):
        return None
    names = ", ".join(evidence.subject.inputs.entry(int(i)) for i in wrong)
    of_all = f"{wrong.size} of {total} entries"
    return Hint("entries", f"right except in {of_all}: {names}")


def permuted(evidence: Evidence) -> Hint | None:
    if not evidence.complete or len(evidence.leaves) != 1 or evidence.measured.size < 3:
        return None
    leaf = evidence.leaves[0]
    claimed, numerical = evidence.claimed[:, leaf.place], evidence.numerical[:, leaf.place]
    order, true_order = np.argsort(claimed[0]), np.argsort(numerical[0])
    error = evidence.error[:, leaf.place][:, true_order]
    if not matches(claimed[:, order], numerical[:, true_order], error).all():
        return None
    return Hint(
        "permuted",
        f"permuted: the right numbers are at the wrong places in the gradient of {leaf.name}",
    )


def inner_factor(evidence: Evidence) -> Hint | None:
    """True over claimed is one simple function of the input."""
    ratio = _ratio(evidence)
    name = None if ratio is None else name_function(ratio, evidence, evidence.measured, pairs=False)
    if name is None:
        return None
    return Hint(
        "inner factor",
        f"the inner factor of the chain rule is missing: multiply by {name}",
    )


def varying_factor(evidence: Evidence) -> Hint | None:
    """True over claimed differs from entry to entry, but not with the upstream gradient."""
    ratio = _ratio(evidence)
    if ratio is None:
        return None
    name = name_function(ratio, evidence, evidence.measured)
    if name is None and (ratio.size < 3 or not evidence.complete):
        return None
    what = f"namely {name}" if name else f"at first {', '.join(f'{r:.4g}' for r in ratio[:3])}"
    return Hint(
        "inner factor",
        "an inner factor of the chain rule is missing or wrong: true over claimed differs from "
        f"entry to entry, {what}",
    )


def _ratio(evidence: Evidence) -> Vector | None:
    """True over claimed, if it is the same for all cotangents."""
    at = evidence.measured
    claimed, numerical = evidence.claimed[:, at], evidence.numerical[:, at]
    if len(evidence.leaves) != 1 or np.any(claimed == 0):
        return None
    ratio = numerical / claimed
    error = evidence.error[:, at] / np.abs(claimed)
    return ratio[0] if matches(ratio, ratio[:1], error).all() else None


def missing_term(evidence: Evidence) -> Hint | None:
    """True less claimed is a simple function of the input, times the upstream gradient."""
    at = evidence.measured
    difference = evidence.numerical[:, at] - evidence.claimed[:, at]
    upstream = _upstream_of(evidence)
    if upstream is None or not np.any(evidence.claimed[:, at]):
        return None
    term = difference / upstream[:, at]
    error = evidence.error[:, at] / np.abs(upstream[:, at])
    if not matches(term, term[:1], error).all():
        return None
    name = name_function(term[0], evidence, at)
    if name is None:
        return None
    return Hint("missing term", f"a term is missing: add {name} times the upstream gradient")


def _upstream_of(evidence: Evidence) -> Vector | None:
    """For each coordinate in focus the upstream gradient of its place, if there is such a place."""
    outputs = evidence.subject.outputs
    if len(evidence.leaves) != 1 or len(outputs.leaves) != 1:
        return None
    leaf, output = evidence.leaves[0], outputs.leaves[0]
    upstream = np.full(evidence.claimed.shape, np.nan)
    if outputs.size == 1 or (leaf.shape == output.shape and leaf.is_complex == output.is_complex):
        upstream[:, leaf.place] = evidence.cotangents
    else:
        return None
    return upstream


def coupling_term_missing(evidence: Evidence) -> Hint | None:
    """What is missing lies in few dimensions: a sum over the upstream gradient times a vector."""
    at = evidence.measured
    difference = evidence.numerical[:, at] - evidence.claimed[:, at]
    rank = _rank(difference, evidence.error[:, at])
    if not 0 < rank < min(len(difference), at.size, _rank(evidence.numerical[:, at], 0.0)) // 2 + 1:
        return None
    return Hint(
        "missing term",
        "a term that couples the entries is missing: true less claimed is "
        + ("one fixed vector" if rank == 1 else f"a combination of {rank} fixed vectors")
        + " times sums over the upstream gradient, as from a sum, a mean or a norm",
    )


def _rank(matrix: Vector, error: Vector | float) -> int:
    singular = np.linalg.svd(matrix, compute_uv=False)
    floor = 1e-6 * singular[0] + 10 * float(np.max(error))
    return int(np.count_nonzero(singular > floor))


def _unexplained(evidence: Evidence) -> Hint:
    at = evidence.measured
    with np.errstate(all="ignore"):
        ratio = evidence.claimed[0, at] / evidence.numerical[0, at]
    finite = ratio[np.isfinite(ratio)]
    spread = f" between {finite.min():.4g} and {finite.max():.4g}" if finite.size else ""
    return Hint(
        "unexplained",
        f"no simple mistake explains the numbers; claimed over true is{spread or ' undefined'}",
    )


HYPOTHESES: tuple[tuple[Hypothesis, ...], ...] = (
    (zero_everywhere, no_influence, upstream_ignored),
    (sign, inputs_swapped, constant_factor, complex_conjugated),
    (rearranged, jacobian_transposed, shifted, broadcast_sum_missing),
    (only_in_a_region, few_entries),
    (permuted,),
    (inner_factor, missing_term),
    (varying_factor, coupling_term_missing),
)
"""What explains the numbers in an earlier row makes the later rows superfluous."""
