"""Hypotheses about a wrong derivative: each is a small function that looks at the numbers.

A hypothesis says what would turn the analytic gradients into the true ones, or
what true gradients the analytic ones would be for another cotangent, and is
kept if the numbers agree.  They stand in the order in which they are believed:
the most specific first.  A new one is a function with `hypothesis` above it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from autograd_lite.checking import layers, misplaced  # noqa: F401, their hypotheses, in this order
from autograd_lite.checking.comparison import SAFETY
from autograd_lite.checking.evidence import FEWEST, SLACK, Evidence, matches
from autograd_lite.checking.formulas import beside_one, name_factor, name_function
from autograd_lite.checking.hypotheses import HYPOTHESES, hypothesis
from autograd_lite.checking.layout import Vector, conjugate, conjugate_all
from autograd_lite.checking.patterns import regions
from autograd_lite.checking.verdict import Hint

__all__ = ["diagnose"]

MOST_HINTS = 3

SPECIFIC = 6
"""Hypotheses of a higher rank say little: what explains one array better goes before them."""

NEARLY, NEAR_ZERO = 1e-4, 1e-2
"""A gradient off by less than this part of each entry is an approximation of the true one; entries
below that part of the largest count as so large."""

COINCIDENCE = 2
"""So many sets of entries there are for each region that was tried, or one of them fits by accident
what went wrong elsewhere."""

VISIBLE = 1e-3
"""Only a derivative known to this part of what is claimed is said to be zero."""


def diagnose(evidence: Evidence) -> tuple[Hint, ...]:
    """What would explain the numbers, the best explanation first."""
    evidence, result = results_that_are_wrong(evidence)
    wrong = tuple(
        leaf
        for leaf in evidence.leaves
        if leaf in evidence.known_wrong or np.any(replace(evidence, leaves=(leaf,)).wrong())
    )
    focused = replace(evidence, leaves=wrong) if wrong else evidence
    rank, hints = explanations(focused)
    by_leaf = one_by_one(focused, rank) if len(focused.leaves) > 1 else []
    if len(focused.leaves) < len(evidence.leaves):
        names = ", ".join(leaf.name for leaf in focused.leaves)
        hints = [Hint(hint.kind, f"only for {names}: {hint.text}") for hint in hints]
    if by_leaf:
        hints = by_leaf[: MOST_HINTS - len(hints[:1])] + hints
    hints = [Hint(hint.kind, result + hint.text) for hint in hints]
    return tuple(hints[:MOST_HINTS]) or (unexplained_hint(focused, evidence),)


def explanations(evidence: Evidence) -> tuple[float, list[Hint]]:
    """What explains the numbers, and of which rank that is; of none, if nothing does."""
    if evidence.measured.size and evidence.off <= 10 * SLACK:
        # So little is wrong that whatever leaves the gradients as they are would explain it.
        little = (explain(evidence) for explain in (few_entries, constant_factor, approximate))
        hints = [hint for hint in little if hint is not None][:1]
        return (SPECIFIC, hints) if hints else (math.inf, [])
    if evidence.measured.size:
        for rank in sorted(HYPOTHESES):
            found = [hypothesis.hint(evidence) for hypothesis in HYPOTHESES[rank]]
            hints = [hint for hint in found if hint is not None]
            if hints:
                return rank, hints
    return math.inf, []


def one_by_one(evidence: Evidence, rank: float) -> list[Hint]:
    """What explains single arrays, more specifically than what explains them all together."""
    if rank <= SPECIFIC:
        return []
    hints = []
    for leaf in evidence.leaves:
        of_leaf = replace(evidence, leaves=(leaf,))
        if not np.any(of_leaf.wrong()):
            continue  # what was measured of it is right, and what is wrong is not known
        its_rank, found = explanations(of_leaf)
        if its_rank < rank:
            hints.append(Hint(found[0].kind, f"{leaf.name}: {found[0].text}"))
    return hints


def results_that_are_wrong(evidence: Evidence) -> tuple[Evidence, str]:
    """The evidence of those results only whose derivatives are wrong, and their names."""
    results = evidence.subject.outputs.leaves
    if len(results) == 1:
        return evidence, ""
    wrong = [leaf for leaf in results if np.any(evidence.of_results([leaf]).wrong())]
    if not 0 < len(wrong) < len(results):
        return evidence, ""
    names = ", ".join(leaf.name for leaf in wrong)
    return evidence.of_results(wrong), f"only of {names}: "


def unexplained_hint(evidence: Evidence, everything: Evidence) -> Hint:
    """What is known all the same: which arguments and entries are wrong, and by how much."""
    analytic, numerical, _ = evidence.numbers
    with np.errstate(all="ignore"):
        ratio = analytic[0] / numerical[0]
    finite = ratio[np.isfinite(ratio)]
    if finite.size:
        low, high = finite.min() + 0.0, finite.max() + 0.0  # no -0
        text = "no simple mistake explains the numbers; analytic over true is "
        is_range = f"{low:.4g}" != f"{high:.4g}"
        text += f"between {low:.4g} and {high:.4g}" if is_range else beside_one(low)
        if np.any(np.isinf(ratio)):
            text += " where the true one is not zero"
    elif evidence.measured.size:
        text = "no simple mistake explains the numbers; the true derivative is zero"
    else:
        text = "the derivative by each entry is not known well enough to say what is wrong with it"
    if evidence.measured.size and not evidence.complete:
        text += f" (of {evidence.measured.size} entries, which were measured)"
    wrong = int(np.count_nonzero(evidence.wrong()))
    if evidence.complete and wrong < evidence.focus.size:
        text += f"; {wrong} of {evidence.focus.size} entries are wrong"
    right = [leaf.name for leaf in everything.leaves if leaf not in evidence.leaves]
    if right:
        names = ", ".join(leaf.name for leaf in evidence.leaves)
        text += f"; wrong is the gradient of {names}, right that of {', '.join(right)}"
    return Hint("unexplained", text)


@hypothesis(rank=1)
def zero_everywhere(evidence: Evidence) -> Hint | None:
    if np.any(evidence.analytic[:, evidence.focus]):
        return None
    return Hint(
        "zero",
        "the analytic derivative is zero everywhere: a gradient that is never filled in, or a "
        f"result cut off from its inputs ({evidence.subject.what_cuts})",
    )


@hypothesis(rank=1)
def no_influence(evidence: Evidence) -> Hint | None:
    analytic, numerical, error = evidence.numbers
    claimed = np.max(np.abs(analytic), axis=1, keepdims=True, initial=0.0)
    if np.any(np.abs(numerical) > SAFETY * error) or np.any(SAFETY * error > VISIBLE * claimed):
        return None
    # What was measured may be what is wrong, and that alone.
    if not evidence.explained_by(lambda g, leaf: np.zeros_like(g)):
        return None
    names = ", ".join(leaf.name for leaf in evidence.leaves)
    return Hint(
        "no influence",
        f"the result does not change with {names} around this point: the derivative is zero, as "
        "it is almost everywhere of what goes by steps (floor, round, sign, comparisons), and of "
        "what is saturated (tanh or a sigmoid far out)",
    )


@hypothesis(rank=1)
def upstream_ignored(evidence: Evidence) -> Hint | None:
    analytic = evidence.analytic[:, evidence.focus]
    if not np.any(analytic) or not matches(analytic, analytic[:1], np.zeros(1)).all():
        return None
    text = "the upstream gradient is ignored: the analytic derivative is the same whatever it is"
    if evidence.fits(np.ones_like(evidence.cotangents)):
        text += ", namely that for an upstream gradient of ones; multiply by it"
    return Hint("upstream", text)


@hypothesis(rank=2)
def sign(evidence: Evidence) -> Hint | None:
    if not evidence.explained_by(lambda g, leaf: -g):
        return None
    return Hint("sign", "the sign is wrong: minus the analytic derivative agrees everywhere")


@hypothesis(rank=2)
def inputs_swapped(evidence: Evidence) -> Hint | None:
    for place, first in enumerate(evidence.leaves):
        for second in evidence.leaves[place + 1 :]:
            if (first.shape, first.dtype.kind) != (second.shape, second.dtype.kind):
                continue
            other = {first: second, second: first}
            if evidence.explained_by(
                lambda g, leaf: evidence.analytic[:, other.get(leaf, leaf).place]  # noqa: B023
            ):
                text = f"the gradients of {first.name} and {second.name} are swapped"
                return Hint("swapped", text)
    return None


@hypothesis(rank=2)
def results_swapped(evidence: Evidence) -> Hint | None:
    results = evidence.subject.outputs.leaves
    for place, first in enumerate(results):
        for second in results[place + 1 :]:
            if (first.shape, first.dtype.kind) != (second.shape, second.dtype.kind):
                continue
            swapped = evidence.cotangents.copy()
            swapped[:, first.place] = evidence.cotangents[:, second.place]
            swapped[:, second.place] = evidence.cotangents[:, first.place]
            if evidence.fits(swapped):
                text = f"the upstream gradients of {first.name} and {second.name} are swapped"
                return Hint("swapped", text)
    return None


@hypothesis(rank=2, one_leaf=True)
def taken_from_another_input(evidence: Evidence) -> Hint | None:
    leaf = evidence.leaf
    for other in evidence.subject.inputs.leaves:
        true, error = evidence.numerical[:, other.place], evidence.error[:, other.place]
        if other is leaf or other.shape != leaf.shape or leaf.size == 1 or np.any(np.isnan(true)):
            continue
        if matches(evidence.analytic[:, leaf.place], true, error).all():
            text = f"the analytic gradient of {leaf.name} is that of {other.name}"
            return Hint("swapped", text)
    return None


@hypothesis(rank=2)
def constant_factor(evidence: Evidence) -> Hint | None:
    analytic, numerical, _ = evidence.numbers
    weight = float(np.sum(analytic * analytic))
    factor = float(np.sum(analytic * numerical)) / weight if weight else 0.0
    if factor == 0 or np.isclose(factor, -1.0, rtol=SLACK, atol=0):
        return None
    if not evidence.explained_by(lambda g, leaf: factor * g):
        return None
    name, known = name_factor(1 / factor, evidence.subject)
    if evidence.focus.size == 1 and evidence.subject.outputs.size == 1 and not known:
        return None  # some factor always fits a single number
    return Hint(
        "factor",
        f"a constant factor: the analytic derivative is {name} times the true one, everywhere",
    )


@hypothesis(rank=2)
def complex_conjugated(evidence: Evidence) -> Hint | None:
    """The gradient, the upstream gradient, or what the latter is multiplied by."""
    outputs = evidence.subject.outputs.leaves
    of_complex = any(leaf.is_complex for leaf in evidence.leaves)
    if of_complex and evidence.explained_by(conjugate):
        return Hint(
            "conjugate",
            "the complex conjugate is missing or too many: with it the derivative agrees "
            "(the gradient is ∂/∂re + i·∂/∂im)",
        )
    if of_complex and evidence.explained_by(lambda g, leaf: 2 * conjugate(g, leaf)):
        return Hint(
            "conjugate",
            "half the complex conjugate of the gradient, as is the derivative ∂/∂z of Wirtinger "
            "calculus: multiply its conjugate by 2 (the gradient is ∂/∂re + i·∂/∂im)",
        )
    if not any(output.is_complex for output in outputs):
        return None
    upstream = conjugate_all(evidence.cotangents, outputs)
    if evidence.fits(upstream):
        what = " is" if of_complex else ", or of what it is multiplied by, is"
        return Hint(
            "conjugate",
            f"the complex conjugate of the upstream gradient{what} missing or too "
            "many: with it the derivative agrees",
        )
    analytic = conjugate_all(evidence.analytic, evidence.leaves)
    if not (of_complex and replace(evidence, analytic=analytic).fits(upstream)):
        return None
    return Hint(
        "conjugate",
        "the complex conjugate of what the upstream gradient is multiplied by is missing or too "
        f"many: with it the derivative agrees; {evidence.subject.on_conjugates}",
    )


@hypothesis(rank=4, one_leaf=True)
def only_in_a_region(evidence: Evidence) -> Hint | None:
    if evidence.leaf.size <= FEWEST:
        return None  # any of so few is where something is positive, first or odd
    wrong, measured = evidence.wrong(), evidence.measured - evidence.leaf.start
    for tried, (description, inside) in enumerate(regions(evidence.subject, evidence.leaf), 1):
        count = int(np.count_nonzero(inside))
        if not 0 < count < inside.size - 1:
            continue  # a single one that is right is the exception, whatever it has of its own
        fewest = min(count, inside.size - count, 10)  # more entries make more sets still
        if not COINCIDENCE * tried < math.comb(inside.size, fewest):
            continue
        if evidence.complete:
            confined = np.array_equal(wrong, inside)
        else:
            outside = evidence.leaf.start + np.flatnonzero(~inside)
            confined = (
                np.array_equal(wrong, inside[measured])
                and not evidence.located.complete
                and evidence.clean(outside)
            )
        if confined:
            return Hint("region", f"right except {description}")
    return None


@hypothesis(rank=4)
def few_entries(evidence: Evidence) -> Hint | None:
    if evidence.complete:
        wrong = evidence.measured[evidence.wrong()]
    elif evidence.located.complete:
        wrong = np.array(evidence.located.coordinates)
    else:
        return None
    total = evidence.focus.size
    if not 0 < wrong.size <= min(5, total // 2):
        return None
    names = ", ".join(evidence.subject.inputs.entry(int(i)) for i in wrong)
    return Hint("entries", f"right except in {wrong.size} of {total} entries: {names}")


@hypothesis(rank=5, one_leaf=True, complete=True)
def permuted(evidence: Evidence) -> Hint | None:
    analytic, numerical, error = evidence.numbers
    order, true_order = np.argsort(analytic[0]), np.argsort(numerical[0])
    if order.size < 3 or not np.all(
        matches(analytic[:, order], numerical[:, true_order], error[:, true_order])
    ):
        return None
    name = evidence.leaf.name
    text = f"permuted: the right numbers are at the wrong places in the gradient of {name}"
    return Hint("permuted", text)


@hypothesis(rank=6, one_leaf=True)
def inner_factor(evidence: Evidence) -> Hint | None:
    """True over analytic is one simple function of the input."""
    ratio = ratio_of(evidence)
    if ratio is None:
        return None
    factor = factor_of(ratio, evidence, pairs=False)
    with np.errstate(divide="ignore"):
        divisor = factor_of(1 / ratio, evidence, pairs=False, is_divisor=True)
    if divisor is not None and (factor is None or "1/" in factor):
        return Hint("inner factor", f"a factor too many: divide by {divisor}")
    if factor is None:
        return None
    text = f"a factor is missing, as the inner one of the chain rule: multiply by {factor}"
    return Hint("inner factor", text)


def factor_of(
    ratio: Vector, evidence: Evidence, *, pairs: bool, is_divisor: bool = False
) -> str | None:
    """The formula of a factor that was measured, if it makes all others right, too."""
    formula = name_function(ratio, evidence, evidence.measured, pairs=pairs)
    if formula is None:
        return None
    if evidence.complete:
        return formula.text
    factor = formula.values(evidence, evidence.focus)
    with np.errstate(all="ignore"):
        factor = 1 / factor if is_divisor else factor
        is_right = evidence.explained_by(lambda g, leaf: g * factor)
    return formula.text if is_right else None


@hypothesis(rank=6, one_leaf=True)
def missing_term(evidence: Evidence) -> Hint | None:
    """True less analytic is a simple function of the input, times the upstream gradient."""
    analytic, numerical, error = evidence.numbers
    leaf, output = evidence.leaf, evidence.subject.outputs.leaves[0]
    alike = (leaf.shape, leaf.is_complex) == (output.shape, output.is_complex)
    size = evidence.subject.outputs.size
    if len(evidence.subject.outputs.leaves) > 1 or not (size == 1 or alike) or not np.any(analytic):
        return None
    # Each coordinate has an upstream gradient of its own place, or all have the same.
    places = evidence.measured - leaf.start if size > 1 else np.zeros_like(evidence.measured)
    upstream = evidence.cotangents[:, places]
    rows = np.all(upstream, axis=1)  # those in which no result was left out
    if not np.any(rows):
        return None
    upstream = upstream[rows]
    term = (numerical - analytic)[rows] / upstream
    if not matches(term, term[:1], error[rows] / np.abs(upstream)).all():
        return None
    formula = name_function(np.ldexp(term[0], evidence.exponent), evidence, evidence.measured)
    if formula is None:
        return None
    if not evidence.complete:
        everywhere = np.ldexp(formula.values(evidence, evidence.focus), -evidence.exponent)
        g = evidence.cotangents if size > 1 else evidence.cotangents[:, :1]
        if not evidence.explained_by(lambda rows, leaf: rows + g * everywhere):
            return None
    name = formula.text
    change = f"take away {name[1:]}" if name.startswith("-") else f"add {name}"
    return Hint(
        "missing term",
        f"a term is missing or wrong: {change} times the upstream gradient",
    )


@hypothesis(rank=7)
def approximate(evidence: Evidence) -> Hint | None:
    """Nearly right in every entry."""
    analytic, numerical, _ = evidence.numbers
    size = np.abs(numerical) + NEAR_ZERO * float(np.max(np.abs(numerical), initial=0.0))
    if not np.all(size):
        return None
    off = float(np.max(np.abs(analytic - numerical) / size, initial=0.0))
    if not (0 < off <= NEARLY and np.any(evidence.wrong())):
        return None
    return Hint(
        "approximate",
        f"right but for at most {off:.0e} of each entry: an approximation (single precision, "
        "differences, a tolerance, an iteration or a series that is cut off, the derivative of "
        "the continuous problem), or a small term that is missing",
    )


@hypothesis(rank=7, one_leaf=True)
def varying_factor(evidence: Evidence) -> Hint | None:
    """True over analytic differs from entry to entry, but not with the upstream gradient."""
    ratio = ratio_of(evidence)
    if ratio is None:
        return None
    name = factor_of(ratio, evidence, pairs=True)
    if name is None and (
        ratio.size < 3 or not evidence.complete or evidence.subject.outputs.size == 1
    ):
        return None  # of a single result some factor fits in every entry
    different = list(dict.fromkeys(f"{each + 0.0:.4g}" for each in ratio))
    what = name or f"{', '.join(different[:3])}, … from entry to entry"
    return Hint(
        "inner factor",
        "each entry is off by a factor, whatever the upstream gradient: a factor or a "
        f"term of the derivative is missing or wrong; true over analytic is {what}",
    )


def ratio_of(evidence: Evidence) -> Vector | None:
    """True over analytic, if it is the same for all cotangents."""
    analytic, numerical, error = evidence.numbers
    if np.any(analytic == 0):
        return None
    ratio = numerical / analytic
    return ratio[0] if matches(ratio, ratio[:1], error / np.abs(analytic)).all() else None


@hypothesis(rank=7)
def coupling_term_missing(evidence: Evidence) -> Hint | None:
    """What is missing lies in few dimensions: a sum over the upstream gradient times a vector."""
    analytic, numerical, error = evidence.numbers
    difference = numerical - analytic
    rank = rank_of(difference, error)
    if not 0 < rank < min(*difference.shape, rank_of(numerical, 0.0)) // 2 + 1:
        return None
    columns = evidence.columns[:, np.isin(evidence.coordinates, evidence.measured)]
    reached = np.any(columns[:, evidence.wrong()], axis=1)
    if 1 < np.count_nonzero(reached) <= rank:
        return None  # each result has a part of its own, so that nothing need couple them
    if rank == 1:
        text = (
            "a term that couples the entries is missing or wrong, as from a sum, a mean or a norm"
        )
        text += ": what is lacking is one fixed vector times sums over the upstream gradient"
    else:
        text = f"what is lacking is a combination of {rank} fixed vectors times sums over the "
        text += f"upstream gradient: what goes through {rank} numbers in between is missing or "
        text += "wrong, as through the sum, mean or norm of each row, or through a hidden state"
    return Hint("missing term", text)


def rank_of(matrix: Vector, error: Vector | float) -> int:
    """The rank of rows that may differ in size, as the cotangents do that they belong to."""
    size = np.max(np.abs(matrix), axis=1, keepdims=True)
    size = np.where(size > 0, size, 1.0)
    singular = np.linalg.svd(matrix / size, compute_uv=False)
    floor = 1e-6 * singular[0] + 10 * float(np.max(error / size))
    return int(np.count_nonzero(singular > floor))
