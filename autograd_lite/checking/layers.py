"""Hypotheses about derivatives of layers: terms, samples, steps and masks that went missing.

They look at the Jacobian as a whole: what it couples, along which axes, and for which
results; see `diagnosis`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from autograd_lite.checking.comparison import SAFETY
from autograd_lite.checking.evidence import FEWEST, SLACK, Evidence, matches
from autograd_lite.checking.formulas import FUNCTIONS, variables_of
from autograd_lite.checking.hypotheses import hypothesis
from autograd_lite.checking.layout import Leaf, Vector
from autograd_lite.checking.verdict import Hint

__all__: list[str] = []

MOST_RESULTS = 64
"""Of so many numbers in a result it is asked which were left out, one by one."""


def alike(evidence: Evidence) -> bool:
    """Whether the result has the shape of the input in focus, both real."""
    outputs = evidence.subject.outputs.leaves
    leaf = evidence.leaf
    return (
        len(outputs) == 1
        and outputs[0].shape == leaf.shape
        and not (leaf.is_complex or outputs[0].is_complex)
    )


def columns_in_focus(evidence: Evidence) -> tuple[Vector, Vector]:
    chosen = np.isin(evidence.coordinates, evidence.focus)
    return evidence.columns[:, chosen], evidence.column_error[:, chosen]


@hypothesis(rank=1, one_leaf=True)
def masked_by_the_upstream_gradient(evidence: Evidence) -> Hint | None:
    if not alike(evidence):
        return None
    v = evidence.cotangents[:, evidence.measured - evidence.leaf.start]
    analytic = evidence.numbers[0]
    if np.all(v > 0) or not matches(analytic, np.where(v > 0, v, 0.0), np.zeros(1)).all():
        return None
    return Hint(
        "upstream",
        "the upstream gradient is masked by its own sign; a relu lets it pass where its input "
        "is positive",
    )


@hypothesis(rank=3, one_leaf=True, complete=True)
def diagonal_only(evidence: Evidence) -> Hint | None:
    """Each entry of the result is treated as if it depended on its own input alone."""
    if not alike(evidence):
        return None
    columns, errors = columns_in_focus(evidence)
    off = columns - np.diag(np.diag(columns))
    if len(columns) < FEWEST or not np.any(np.abs(off) > SAFETY * errors + SLACK * np.abs(columns)):
        return None
    expected = evidence.cotangents * np.diag(columns)
    allowed = np.abs(evidence.cotangents) * np.diag(errors)
    if not matches(evidence.analytic[:, evidence.leaf.place], expected, allowed).all():
        return None
    return Hint(
        "coupling",
        "taken elementwise: only the diagonal of the Jacobian is there, as s·(1 - s) of a "
        "softmax; the coupling between the entries of the result is missing",
    )


@hypothesis(rank=3, one_leaf=True, complete=True)
def left_out(evidence: Evidence) -> Hint | None:
    """Some results, or samples, contribute nothing to the gradient; the others are right."""
    subject = evidence.subject
    m = subject.outputs.size
    if not FEWEST <= m <= MOST_RESULTS:
        return None
    columns, errors = columns_in_focus(evidence)
    analytic = evidence.pull_each(np.eye(m))[:, evidence.leaf.place]
    right = np.array([matches(*row).all() for row in zip(analytic, columns, errors, strict=True)])
    wrong = np.flatnonzero(~right)
    if not 0 < wrong.size <= m // 2 or np.any(analytic[wrong]):
        return None
    names = [subject.outputs.entry(int(row)) for row in wrong]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    copies = all(np.any(np.all(columns[right] == columns[row], axis=1)) for row in wrong)
    why = ", as where an index is repeated (np.add.at counts each)" if copies else ""
    return Hint(
        "left out",
        f"nothing comes from {', '.join(names[:4])}{more}: left out of the sum{why}; what comes "
        "from the others is right",
    )


@hypothesis(rank=4, one_leaf=True, complete=True)
def selected_elsewhere(evidence: Evidence) -> Hint | None:
    """Numbers of the result are entries of the input, as of a pool, and others get the gradient."""
    subject, leaf = evidence.subject, evidence.leaf
    m = subject.outputs.size
    if leaf.is_complex or m > MOST_RESULTS or evidence.exponent:
        return None
    columns, errors = columns_in_focus(evidence)
    selected = np.abs(columns) > 0.5
    analytic = evidence.pull_each(np.eye(m))[:, leaf.place]
    if not (
        matches(columns, selected.astype(np.float64), errors).all()
        and np.all(selected.sum(axis=1) == 1)
    ):
        return None
    wrong = np.flatnonzero(np.any((analytic != 0) != selected, axis=1))
    counts = np.count_nonzero(analytic, axis=1)[wrong]
    if not wrong.size or not np.all(counts):
        return None
    shares = np.max(analytic[wrong], axis=1)
    if not np.all((analytic[wrong] == 0) | (analytic[wrong] == shares[:, np.newaxis])):
        return None
    first = int(wrong[0])
    taken = subject.inputs.entry(leaf.start + int(np.argmax(selected[first])))
    given = subject.inputs.entry(leaf.start + int(np.argmax(analytic[first])))
    if np.all(counts == 1) and np.all(shares == 1):
        what = f"goes to {given}: another index than that of the forward pass"
    elif np.all(counts > 1) and np.all(shares == 1):
        what = f"goes to {counts[0]} entries: to all that it is chosen from, as it seems"
    elif np.all(counts > 1) and matches(shares * counts, np.ones(len(shares)), np.zeros(1)).all():
        what = f"is shared by {counts[0]} entries, as that of a mean"
    else:
        return None
    return Hint(
        "selection",
        f"each number of the result is one entry of {leaf.name}, as of a maximum or a pool: "
        f"{subject.outputs.entry(first)} is {taken}, and its upstream gradient {what}",
    )


@hypothesis(rank=4, one_leaf=True, complete=True)
def some_indices(evidence: Evidence) -> Hint | None:
    """Whole slices of the input are wrong: samples left out, or steps of a recurrence."""
    leaf = evidence.leaf
    if leaf.is_complex or not leaf.shape or leaf.size < 4:
        return None
    wrong = np.reshape(evidence.wrong(), leaf.shape)
    zero = not np.any(evidence.analytic[:, leaf.start + np.flatnonzero(wrong)])
    for axis, length in enumerate(leaf.shape):
        others = tuple(i for i in range(wrong.ndim) if i != axis)
        indices = np.flatnonzero(np.any(wrong, axis=others))
        whole = np.all(wrong, axis=others)[indices].all()
        if (
            not whole
            or not 0 < indices.size < length
            or length < FEWEST
            or (leaf.size == length and not zero)
        ):
            continue
        listed = ", ".join(map(str, indices[:5])) + (", …" if indices.size > 5 else "")
        where = f"index {listed} of axis {axis} of {leaf.name}"
        if zero and indices.size > 1 and np.array_equal(indices, np.arange(indices.size)):
            return Hint(
                "truncated",
                f"zero at {where}: right for the last {length - indices.size} steps only, as of a "
                "recurrence that is cut off",
            )
        if zero:
            return Hint("left out", f"zero at {where}: left out; right everywhere else")
        return Hint("region", f"right except at {where}")
    return None


@hypothesis(rank=4, one_leaf=True)
def mask_drawn_anew(evidence: Evidence) -> Hint | None:
    """Zeros are at other places, as of another mask than that of the forward pass."""
    analytic, numerical, error = evidence.numbers
    there = np.abs(numerical) > SAFETY * error
    dropped, passed = (analytic == 0) & there, (analytic != 0) & ~there
    both = (analytic != 0) & there
    if not (np.any(dropped) and np.any(passed)):
        return None
    if np.all(there == (analytic == 0)):
        return Hint(
            "mask",
            "zero where the true derivative is not, and the other way about: a mask that is "
            "inverted, or put to the wrong branch",
        )
    if np.count_nonzero(both[0]) < 2 or not matches(analytic, numerical, error)[both].all():
        return None
    return Hint(
        "mask",
        "zeros are at other places than in the true derivative, and what is not zero in either "
        "is right: another mask than that of the forward pass, as one that is drawn anew",
    )


NORMALIZED = (("mean",), ("variance",), ("mean square",), ("mean", "variance"))


@hypothesis(rank=7, one_leaf=True, complete=True)
def term_of_a_normalization(evidence: Evidence) -> Hint | None:
    """What is missing is constant along axes (through a mean), or goes as x, less its mean or
    as it is."""
    leaf = evidence.leaf
    if leaf.is_complex:
        return None
    analytic, numerical, error = evidence.numbers
    shape = (len(analytic), *leaf.shape)
    difference, allowed = np.reshape(numerical - analytic, shape), np.reshape(error, shape)
    size = SLACK * float(np.max(np.abs(numerical), initial=0.0))
    x = leaf.cut(evidence.subject.x)
    for axes in axes_of(leaf):
        for terms in NORMALIZED:
            rest = difference - along(difference, x, axes, terms)
            if np.all(np.abs(rest) <= SAFETY * allowed + size):
                over = f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
                return Hint(
                    "normalization",
                    "a term of a normalization is missing or wrong: what goes through the "
                    f"{' and the '.join(terms)} of {leaf.name} over {over}, as where that was "
                    "taken for a constant",
                )
    return None


def axes_of(leaf: Leaf) -> Iterator[tuple[int, ...]]:
    """Sets of axes over which there is enough to tell a pattern from an accident."""
    for count in range(1, len(leaf.shape) + 1):
        for axes in combinations(range(len(leaf.shape)), count):
            if np.prod([leaf.shape[axis] for axis in axes]) > FEWEST:
                yield axes


def along(difference: Any, x: Any, axes: tuple[int, ...], terms: tuple[str, ...]) -> Any:
    """The part of differences that is constant along axes, or proportional to x, less its mean
    or as it is."""
    rows = tuple(axis + 1 for axis in axes)
    part = np.zeros_like(difference)
    if "mean" in terms:
        part += np.mean(difference, axis=rows, keepdims=True)
    if terms[-1] in ("variance", "mean square"):
        centred = x - np.mean(x, axis=axes, keepdims=True) if terms[-1] == "variance" else x
        weight = np.sum(centred**2, axis=axes, keepdims=True)
        share = np.sum(difference * centred, axis=rows, keepdims=True)
        part += centred * share / np.where(weight > 0, weight, 1.0)
    return part


@hypothesis(rank=5, one_leaf=True)
def taken_at_another_place(evidence: Evidence) -> Hint | None:
    """The right formula, of the input where it should be of the result, or the other way."""
    if not alike(evidence) or evidence.measured.size < 2:
        return None
    v = evidence.cotangents[:, evidence.measured - evidence.leaf.start]
    rows = np.all(v, axis=1)  # those in which no result was left out
    if not np.any(rows):
        return None
    v = v[rows]
    analytic, numerical, error = (numbers[rows] for numbers in evidence.numbers)
    claims, truths = analytic / v, numerical / v
    variables = list(variables_of(evidence, evidence.measured))
    with np.errstate(all="ignore"):
        for form, function in FUNCTIONS.items():
            values = [(name, np.broadcast_to(function(u), v.shape)) for name, u in variables]
            for place, claimed in values:
                if form == "1" or not matches(claims, claimed, error / np.abs(v)).all():
                    continue
                for other, true in values:
                    if other != place and matches(truths, true, error / np.abs(v)).all():
                        return Hint(
                            "wrong place",
                            f"the derivative is {form.format(place)} and should be "
                            f"{form.format(other)}: taken at {place} and not at {other}",
                        )
    return None
