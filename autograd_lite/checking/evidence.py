"""What is known once a derivative has been found wrong: the numbers that explanations must fit.

Numerical derivatives of the whole result are measured by each input
coordinate, of all if there are few, else of a sample.  Contracted with any
cotangents, for which sweeps are asked for the analytic gradients, they make two
matrices, one row for each cotangent, one column for each coordinate.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from autograd_lite.checking.analytic import AnalyticGradients
from autograd_lite.checking.comparison import SAFETY, Probe, Tolerance, norm
from autograd_lite.checking.directions import exponent_of, own_scale, signs
from autograd_lite.checking.layout import Leaf, Vector
from autograd_lite.checking.locate import Indices, Located
from autograd_lite.checking.numerical import Ladder
from autograd_lite.checking.subjects import Subject

__all__ = [
    "FEWEST",
    "MOST_NUMBERS",
    "SLACK",
    "Entry",
    "Evidence",
    "collect",
    "matches",
    "worst_entries",
]

Mask = npt.NDArray[np.bool_]

MOST_NUMBERS = 10_000_000
"""No Jacobian with more entries is measured as a whole."""

SAMPLE = 8
"""How many inputs are measured of a function of more than can be."""

MOST_ARRAYS = 12
"""Of so many arguments it is asked which are wrong, before any is measured."""

COTANGENTS = 8

FEWEST = 3
"""So many entries that are explained by one number show that it is no accident."""

SLACK = 1e-6
"""Explanations must fit to this relative precision, beyond the errors of the numbers."""

LEFT = 1e-2
"""An explanation leaves no more than this part of what is wrong."""

KNOWN_TO = 0.1
"""Numerical derivatives with errors above this part of the gradient explain nothing."""


@dataclass(frozen=True)
class Entry:
    """One derivative, as it is and as the code under test has it."""

    output: str
    input: str
    numerical: float
    error: float
    analytic: float

    @property
    def claimed(self) -> float:
        """The former name of ``analytic``."""
        warnings.warn(
            "Entry.claimed is now called Entry.analytic; write that instead",
            DeprecationWarning,
            stacklevel=2,
        )
        return self.analytic

    def __str__(self) -> str:
        return (
            f"d {self.output} / d {self.input}: numerical {self.numerical:.9g} "
            f"± {self.error:.1g}, analytic {self.analytic:.9g}"
        )


@dataclass(frozen=True)
class Evidence:
    """The measured and the analytic derivatives of some leaves of the input.

    Attributes
    ----------
    gradients : AnalyticGradients
        What is checked.
    cotangents : (k, m)
    analytic, numerical, error : (k, n)
        Gradients of ⟨v, F⟩; NaN in ``numerical`` where it was not measured.
    columns : (m, number of measured coordinates)
        Numerical derivatives of the result by each measured coordinate.
    coordinates
        Which ones these are.
    leaves
        The leaves in focus: those in which something is wrong.
    probe
        The direction in which the mistake showed.
    located
        Coordinates known to be wrong; all of them, if it is complete.
    exponent
        Derivatives are in units of 2^exponent: 1 but for numbers near overflow or underflow.
    known_wrong
        Leaves that are wrong as a whole, whichever of their coordinates were measured.
    """

    gradients: AnalyticGradients
    cotangents: Vector
    analytic: Vector
    numerical: Vector
    error: Vector
    columns: Vector
    column_error: Vector
    coordinates: Indices
    leaves: tuple[Leaf, ...]
    probe: Probe
    located: Located
    clean: Callable[[Indices], bool] = field(repr=False)
    tolerance: Tolerance
    exponent: int = 0
    known_wrong: tuple[Leaf, ...] = ()

    @property
    def subject(self) -> Subject:
        return self.gradients.subject

    @property
    def complete(self) -> bool:
        """Whether every coordinate in focus was measured."""
        return not np.any(np.isnan(self.numerical[0, self.focus]))

    @property
    def focus(self) -> Indices:
        """The coordinates of the leaves in focus."""
        return np.concatenate([np.arange(leaf.start, leaf.stop) for leaf in self.leaves])

    @property
    def measured(self) -> Indices:
        """The coordinates in focus whose numerical derivative is known."""
        focus = self.focus
        known: Indices = focus[~np.isnan(self.numerical[0, focus])]
        return known

    @property
    def leaf(self) -> Leaf:
        """The leaf in focus, where it is only one."""
        (leaf,) = self.leaves
        return leaf

    @property
    def numbers(self) -> tuple[Vector, Vector, Vector]:
        """The analytic gradients, the numerical ones and their errors, where they were measured."""
        at = self.measured
        return self.analytic[:, at], self.numerical[:, at], self.error[:, at]

    def of_results(self, results: Sequence[Leaf]) -> Evidence:
        """The same, had the function returned only some of its results."""
        cotangents = np.zeros_like(self.cotangents)
        for leaf in results:
            cotangents[:, leaf.place] = self.cotangents[:, leaf.place]
        numerical, error = self.numerical.copy(), self.error.copy()
        numerical[:, self.coordinates] = cotangents @ self.columns
        error[:, self.coordinates] = np.abs(cotangents) @ self.column_error
        analytic = self.pull_each(cotangents)
        return replace(
            self, cotangents=cotangents, analytic=analytic, numerical=numerical, error=error
        )

    def pull_each(self, cotangents: Vector) -> Vector:
        """Analytic gradients for these cotangents."""
        return np.ldexp(self.subject.pull_each(cotangents), -self.exponent)

    @property
    def off(self) -> float:
        """By how much, at most, analytic derivatives differ from numerical ones, to their size."""
        analytic, numerical, error = self.numbers
        difference = np.abs(analytic - numerical)
        size = np.maximum(np.abs(analytic), np.abs(numerical))
        seen = difference > SAFETY * error
        return float(np.max(difference[seen] / size[seen], initial=0.0))

    @property
    def slack(self) -> float:
        """What an explanation may leave: next to nothing of what is to be explained."""
        return min(SLACK, LEFT * self.off)

    def wrong(self) -> Mask:
        """Of the measured coordinates, which are wrong."""
        analytic, numerical, error = self.numbers
        allowed = self.tolerance.rtol * np.abs(numerical)
        weights = np.sum(np.abs(self.cotangents), axis=1, keepdims=True)
        allowed += np.ldexp(self.tolerance.atol * weights, -self.exponent)
        close = matches(analytic, numerical, error, self.slack) | (
            np.abs(analytic - numerical) <= allowed
        )
        wrong: Mask = np.logical_not(np.all(close, axis=0))
        return wrong

    def explained_by(self, correct: Callable[[Vector, Leaf], Vector]) -> bool:
        """Whether gradients agree with all that was measured once those in focus are corrected."""
        corrected = self.analytic.copy()
        for leaf in self.leaves:
            corrected[:, leaf.place] = correct(self.analytic[:, leaf.place], leaf)
        at = self.measured
        numerical, error = self.numerical[:, at], self.error[:, at]
        if not matches(corrected[:, at], numerical, error, self.slack).all():
            return False
        return self.complete or self._agrees_along_direction(corrected)

    def fits(self, supposed: Vector) -> bool:
        """Whether the analytic gradients are what the numerical ones would be for other
        cotangents, ``supposed``: a mistake on the side of the result."""
        at = self.measured
        if not self.complete and at.size < FEWEST:
            return False  # much would fit so little of what is wrong
        columns = np.isin(self.coordinates, at)
        expected = supposed @ self.columns[:, columns]
        error = np.abs(supposed) @ self.column_error[:, columns]
        return bool(at.size and matches(self.analytic[:, at], expected, error, self.slack).all())

    def _agrees_along_direction(self, corrected: Vector) -> bool:
        """One number stands for all that was not measured: the derivative along the probe."""
        ladder = self.probe.ladder
        derivative = ladder.derivative(self.probe.level)
        # The first rows of the cotangents are those of the probe.
        rows = len(derivative.value)
        contributions = self.gradients.contributions(
            ladder.direction, np.ldexp(corrected[:rows], self.exponent)
        )
        gap = np.abs(np.sum(contributions, axis=1) - derivative.value)
        return bool(np.all(gap <= SAFETY * derivative.error + SLACK * norm(contributions)))


def matches(a: Vector, b: Vector, error: Vector, slack: float = SLACK) -> Mask:
    """Whether entries agree, within errors and a little of the size of their neighbours; what is
    not finite agrees with nothing."""
    size = np.maximum(np.abs(a), np.abs(b))
    finite = np.isfinite(size)
    neighbours = np.max(size, initial=0.0, where=finite)
    with np.errstate(invalid="ignore"):
        close: Mask = np.abs(a - b) <= SAFETY * error + slack * size + 1e-14 * neighbours
    return close & finite


def collect(
    gradients: AnalyticGradients,
    probe: Probe,
    locate: Callable[[], Located],
    clean: Callable[[Indices], bool],
    rng: np.random.Generator,
    *,
    full: bool = False,
) -> Evidence:
    """Measure what explanations will be tested on; ``full`` measures the whole Jacobian.

    Single coordinates are located only where there are too many to measure all that may be wrong.
    """
    subject = gradients.subject
    known = gradients.cotangents.rows
    m, extra = subject.outputs.size, COTANGENTS - len(known)
    fresh = np.eye(m) if full else np.stack([signs(m, rng) for _ in range(extra)])
    cotangents = np.concatenate([known, fresh])
    analytic = np.concatenate([gradients.rows, subject.pull_each(fresh)])
    located = Located(complete=False)
    known_wrong = () if full else found_wrong(subject, clean)
    suspects = known_wrong or tuple(subject.inputs.leaves)
    coordinates = np.concatenate([np.arange(leaf.start, leaf.stop) for leaf in suspects])
    if not (full or can_measure(subject, coordinates)):
        located = locate()
        coordinates = sampled(subject, located, coordinates, rng)
    exponent = unit_of(analytic, probe, gradients)
    analytic = np.ldexp(analytic, -exponent)
    columns, column_error = measure(subject, coordinates, probe, exponent)
    if not full:
        is_known = known_columns(analytic, cotangents, columns, column_error)
        coordinates, columns = coordinates[is_known], columns[:, is_known]
        column_error = column_error[:, is_known]
    numerical = np.full(analytic.shape, np.nan)
    numerical[:, coordinates] = cotangents @ columns
    error = np.zeros(analytic.shape)
    error[:, coordinates] = np.abs(cotangents) @ column_error
    return Evidence(
        gradients,
        cotangents,
        analytic,
        numerical,
        error,
        columns,
        column_error,
        coordinates,
        tuple(subject.inputs.leaves),
        probe,
        located,
        clean,
        gradients.tolerance,
        exponent,
        known_wrong=known_wrong,
    )


MODERATE = 200
"""Numbers of up to this many binary digits before or after the point are taken as they are."""


def unit_of(analytic: Vector, probe: Probe, gradients: AnalyticGradients) -> int:
    """A power of two in which products of derivatives neither overflow nor vanish."""
    direction = exponent_of(probe.ladder.direction)
    measured = exponent_of(probe.limit.value) + int(gradients.cotangents.exponents[0]) - direction
    exponent = max(exponent_of(analytic), measured) if np.any(analytic) else measured
    return exponent if abs(exponent) > MODERATE else 0


def known_columns(
    analytic: Vector, cotangents: Vector, columns: Vector, column_error: Vector
) -> Mask:
    """Which derivatives are known to a part of the gradient, for most cotangents."""
    size = np.max(np.abs(analytic), axis=1, keepdims=True, initial=0.0)
    size = np.maximum(size, np.max(np.abs(cotangents @ columns), axis=1, keepdims=True))
    error = SAFETY * (np.abs(cotangents) @ column_error)
    with np.errstate(divide="ignore", invalid="ignore"):
        known: Mask = np.median(error / size, axis=0) <= KNOWN_TO
    exact: Mask = ~np.any(error, axis=0)
    return known | exact


def found_wrong(subject: Subject, clean: Callable[[Indices], bool]) -> tuple[Leaf, ...]:
    """The arrays that are wrong, asked of each where not all entries can be measured."""
    leaves = tuple(subject.inputs.leaves)
    if subject.can_measure_all or not 1 < len(leaves) <= MOST_ARRAYS:
        return ()
    filled = (leaf for leaf in leaves if leaf.size)
    return tuple(leaf for leaf in filled if not clean(np.arange(leaf.start, leaf.stop)))


def can_measure(subject: Subject, coordinates: Indices) -> bool:
    """Whether the derivatives by all of these can be measured."""
    count = coordinates.size
    can_measure_all = subject.can_measure_all and count == subject.x.size
    is_affordable = can_measure_all or count <= subject.affordable
    return is_affordable and count * subject.outputs.size <= MOST_NUMBERS


def sampled(
    subject: Subject, located: Located, wrong: Indices, rng: np.random.Generator
) -> Indices:
    """What was located, and some of all that may be wrong, if more may be than was located."""
    sample: Indices = np.array(located.coordinates, np.intp)
    if located.complete:
        return sample
    count = min(SAMPLE, wrong.size, max(subject.affordable, 1))
    return np.union1d(sample, rng.choice(wrong, count, replace=False))


def measure(
    subject: Subject, coordinates: Indices, probe: Probe, exponent: int
) -> tuple[Vector, Vector]:
    """Columns of the numerical Jacobian, and their errors, with the steps of a probe."""
    own = own_scale(subject.inputs, subject.x)
    scale = np.abs(probe.ladder.direction)
    scale = np.where(scale > 0, scale, own)
    columns = np.empty((subject.outputs.size, len(coordinates)))
    errors = np.empty_like(columns)
    size = np.abs(np.ldexp(subject.value, -exponent))
    share = np.max(probe.ladder.noise) / max(float(np.max(np.abs(probe.ladder.base))), 1e-300)
    noise = np.maximum(min(share, 1.0), subject.resolution) * size
    for place, coordinate in enumerate(coordinates):
        direction = np.zeros_like(subject.x)
        direction[coordinate] = scale[coordinate]
        ladder = Ladder(
            lambda x: np.ldexp(subject.evaluate(x), -exponent),
            subject.x,
            direction,
            np.ldexp(subject.value, -exponent),
            noise + np.ldexp(subject.smallest, -exponent),
            subject.resolution,
        )
        limit = ladder.brief(probe.level)
        columns[:, place] = limit.value / scale[coordinate]
        errors[:, place] = limit.error / scale[coordinate]
    return columns, errors


def worst_entries(evidence: Evidence, wanted: int = 5) -> tuple[Entry, ...]:
    """The measured derivatives that are most wrong, with the output in which it shows most.

    What depends on the size of the upstream gradient may be right for one of 1, and is no example.
    """
    at = evidence.measured
    excess = np.abs(evidence.analytic[:, at] - evidence.numerical[:, at])
    order = np.argsort(-np.max(excess - SAFETY * evidence.error[:, at], axis=0))
    wrong = evidence.wrong()
    entries = (entry(evidence, int(at[place])) for place in order[:wanted] if wrong[place])
    return tuple(
        each for each in entries if abs(each.analytic - each.numerical) > SAFETY * each.error
    )


def entry(evidence: Evidence, coordinate: int) -> Entry:
    subject = evidence.subject
    place = int(np.flatnonzero(evidence.coordinates == coordinate)[0])
    column = evidence.columns[:, place]
    row = worst_row(evidence, column, coordinate)
    unit = np.zeros(subject.outputs.size)
    unit[row] = 1.0
    return Entry(
        subject.outputs.entry(row),
        subject.inputs.entry(coordinate),
        float(np.ldexp(column[row], evidence.exponent)),
        float(np.ldexp(evidence.column_error[row, place], evidence.exponent)),
        float(subject.pull(unit)[coordinate]),
    )


def worst_row(evidence: Evidence, column: Vector, coordinate: int) -> int:
    """Bisect over the outputs; this takes sweeps, and no evaluation of the function."""
    subject = evidence.subject
    rows = np.arange(subject.outputs.size)
    weights = np.random.default_rng(0).uniform(0.5, 1.0, rows.size)

    def disagreement(part: Indices) -> float:
        v = np.zeros(subject.outputs.size)
        v[part] = weights[part]
        return abs(float(v @ column - evidence.pull_each(v[np.newaxis])[0, coordinate]))

    while rows.size > 1:
        rows = max(np.array_split(rows, 2), key=disagreement)
    return int(rows[0])
