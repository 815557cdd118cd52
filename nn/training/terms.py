"""What a loss consists of, and how the batches of a step or of an epoch add up to it.

A loss is a sum of terms, and each is a mean over the samples that count in it.  Which
these are the loss says: with an ``ignore_index`` or a ``class_weight`` the outputs of a
model differ in it.  So of several batches each term is a mean over its own samples in
all of them, and the result does not depend on how these were divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import add
from typing import Any, Self

import numpy as np

from nn.losses.counting import counted_share, counts_samples
from nn.losses.reduction import Loss, as_operand, is_sum
from nn.training.outputs import LossOfOutputs, check_loss, check_takes, part_of

__all__ = ["Kind", "Tally", "Term", "kinds_of", "terms_of"]


class Kind(Enum):
    """Over what a term is taken."""

    MEAN = "mean over the samples"
    COUNTED = "mean over the samples that count"
    SUM = "sum"


@dataclass(frozen=True)
class Term:
    """A term of the loss of a batch.

    ``share`` is by how much the samples count in it, beside their weights; None if all do alike.
    """

    kind: Kind
    value: Any
    share: Any = None


Parts = list[tuple[Any, Loss, float]]
"""Outputs by name, or None for all there is; their losses, and how much these count."""


def kind_of(loss: Loss) -> Kind:
    """Over what a loss is taken."""
    if is_sum(loss):
        return Kind.SUM
    return Kind.COUNTED if counts_samples(loss) else Kind.MEAN


def groups_of(loss: Loss) -> list[tuple[Kind, Parts]]:
    """The parts of a loss that make a term each: alone, if they count their samples."""
    if not isinstance(loss, LossOfOutputs):
        return [(kind_of(loss), [(None, loss, 1.0)])]
    groups: dict[Any, tuple[Kind, Parts]] = {}
    for name, part in loss.parts.items():
        kind = kind_of(part)
        key = (kind, name) if kind is Kind.COUNTED else kind
        groups.setdefault(key, (kind, []))[1].append((name, part, loss.weights[name]))
    return list(groups.values())


def kinds_of(loss: Loss) -> tuple[Kind, ...]:
    """The kinds of the terms of a loss."""
    return tuple(kind for kind, _ in groups_of(loss))


def terms_of(loss: Loss, outputs: Any, targets: Any, options: Mapping[str, Any]) -> list[Term]:
    """The terms of the loss of a batch, given the weights of its samples or nothing.

    A batch of heavy samples counts for more than one of light ones.
    """
    terms = []
    if options:
        check_takes(loss, options)
    for kind, parts in groups_of(loss):
        values, share = [], None
        for name, part, factor in parts:
            own = (outputs, targets)
            if name is not None:
                own = (part_of(outputs, name, "the model returns"),
                       part_of(targets, name, "the targets are"))  # fmt: skip
            value = part(*own, **options)
            check_loss(part, value)
            values.append(value if factor == 1 else factor * value)
            if kind is Kind.COUNTED:
                share = counted_share(part, *own, **options)
        total = reduce(add, values)
        if options and kind is not Kind.SUM:
            total = total * np.mean(as_operand(options["sample_weight"], total))
        terms.append(Term(kind, total, share))
    return terms


@dataclass
class Tally:
    """What batches add up to, term by term.

    Attributes
    ----------
    n_samples, weight : float
        How many samples there were, and the sum of their weights.
    counts : list of float
        The weights of the samples that count in each term, added up.
    totals : list of float
        The losses of these, times their weights, added up.
    """

    kinds: tuple[Kind, ...]
    n_samples: float
    weight: float
    counts: list[float]
    totals: list[float]

    @classmethod
    def empty(cls, kinds: tuple[Kind, ...]) -> Tally:
        """Of no batches."""
        return cls(kinds, 0.0, 0.0, [0.0] * len(kinds), [0.0] * len(kinds))

    @classmethod
    def of_batch(
        cls, kinds: tuple[Kind, ...], n_samples: float, weight: Any,
        values: Sequence[float], shares: Sequence[Any],
    ) -> Tally:  # fmt: skip
        """Of a batch, from the values of its terms and by how much the samples counted in them."""
        whole = n_samples if weight is None else float(np.sum(weight))
        counts, totals = [], []
        for kind, value, share in zip(kinds, values, shares, strict=True):
            part = 1.0 if share is None else float(share)
            counts.append(whole * part)
            totals.append(float(value) * (1.0 if kind is Kind.SUM else n_samples * part))
        return cls(kinds, n_samples, whole, counts, totals)

    def __add__(self, other: Tally) -> Tally:
        total = Tally.empty(self.kinds)
        total += self
        total += other
        return total

    def __iadd__(self, other: Tally) -> Self:
        """Add in place, which every batch does."""
        self.n_samples += other.n_samples
        self.weight += other.weight
        for n, (count, total) in enumerate(zip(other.counts, other.totals, strict=True)):
            self.counts[n] += count
            self.totals[n] += total
        return self

    def scales(self) -> list[float]:
        """What sums over the samples that count are multiplied by, for the terms of one batch."""
        mean = self.weight / (self.n_samples or 1.0)
        return [
            1.0 if kind is Kind.SUM else mean / (count or 1.0)
            for kind, count in zip(self.kinds, self.counts, strict=True)
        ]

    def loss_of_batch(self) -> float:
        """The loss, as that of one batch of all these samples."""
        return sum(s * t for s, t in zip(self.scales(), self.totals, strict=True))

    def loss(self) -> float:
        """The loss of all these samples, whatever the mean of their weights is."""
        return sum(
            total if kind is Kind.SUM else total / (count or 1.0)
            for kind, count, total in zip(self.kinds, self.counts, self.totals, strict=True)
        )

    def state(self) -> list[Any]:
        """The numbers in it."""
        return [self.n_samples, self.weight, [*self.counts], [*self.totals]]

    def load(self, state: list[Any]) -> None:
        """Go on from numbers that were written down, of the same terms."""
        if state and len(state[2]) == len(self.kinds):
            self.n_samples, self.weight = state[:2]
            self.counts, self.totals = map(list, state[2:])
