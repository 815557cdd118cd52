"""Whether shares of a batch, computed apart, make what the whole of it would.

A loss is to be a mean over samples, or one whose terms say what they are (`nn.training.terms`),
and the outputs of a model for a sample are to depend on that sample alone, which with batch
normalization they do not.  Both are found out with a few samples of some shares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from nn.losses import losses
from nn.losses.reduction import Loss
from nn.training.data import concatenate, leaves_of, length, map_arrays, map_outputs
from nn.training.outputs import LossOfOutputs, function_of, name_of
from nn.training.terms import Tally, kinds_of, terms_of

__all__ = ["AT_MOST", "Part", "check_captures_nothing", "check_loss_of_parts", "depend_on_others"]

AT_MOST = 8
"""Of how many shares so many samples each are looked at: what mixes them up does so with few."""


class Part(NamedTuple):
    """Inputs, targets and weights (or None) of some samples."""

    x: Any
    y: Any
    weight: Any

    def rows(self, rows: Any) -> Part:
        """Some of the samples."""
        return Part(*(None if data is None else take(data, rows) for data in self))

    def __add__(self, other: Part) -> Part:  # type: ignore[override]
        pairs = zip(self, other, strict=True)
        return Part(*(None if a is None else concatenate([a, b]) for a, b in pairs))


def take(data: Any, rows: Any) -> Any:
    """Rows of an array, or of each of several."""
    return map_arrays(lambda array: array[rows], data)


def depend_on_others(outputs_of: Callable[[Any], Any], x: Any, tolerance: float) -> bool:
    """Whether the outputs for the first half of some samples change with the other half.

    The batch keeps its length, so that what is drawn at random is the same.
    """
    n_samples = length(x)
    half = (n_samples + 1) // 2
    beside_itself = take(x, np.arange(n_samples) % half)
    found = [leaves_of(outputs_of(inputs)) for inputs in (x, beside_itself)]
    return not all(nearly_equal(a[:half], b[:half], tolerance) for a, b in zip(*found, strict=True))


def own_parts(loss: Loss) -> list[Loss]:
    """The losses that are not those of nn."""
    parts = loss.parts.values() if isinstance(loss, LossOfOutputs) else [loss]
    return [part for part in parts if function_of(part) not in losses.values()]


def check_captures_nothing(loss: Loss, outputs: Any, whole: Part) -> None:
    """Refuse a loss that is a Value although outputs and targets are plain arrays.

    It depends on parameters that it captured, and workers compute with copies of those.
    """
    own = own_parts(loss)
    if not own:
        return
    for term in terms_of_rows(loss, outputs, whole):
        if isinstance(term.value, ag.Value) and term.value.node.requires_grad:
            raise ag.ArgumentTypeError(
                f"fit: {name_of(own[0])} depends on Values beside outputs and targets, such as "
                "parameters of the model, whose gradient would be lost on Dask; write a penalty "
                "as l1= or l2=, x.data for what is constant, or load the arrays with .compute()"
            )


def check_loss_of_parts(loss: Loss, outputs: Any, whole: Part, tolerance: float) -> None:
    """Refuse a loss of one's own that of some samples is not what it is of parts of them."""
    own = own_parts(loss)
    if not own:
        return
    n_samples = length(whole.x)
    together = tally_of(loss, outputs, whole, slice(None)).loss_of_batch()
    for cut in sorted({1, n_samples // 3, n_samples // 2} - {0}):  # parts of several lengths
        first, second = (
            tally_of(loss, outputs, whole, rows) for rows in (slice(cut), slice(cut, None))
        )
        apart = (first + second).loss_of_batch()
        if np.isfinite([together, apart]).all() and not nearly_equal(together, apart, tolerance):
            raise ag.ArgumentValueError(
                f"fit: {name_of(own[0])} of {n_samples} samples is {together:.6g}, and "
                f"{apart:.6g} by two parts of them, as shares are computed on Dask; write it as a "
                "mean over samples, Σ w·loss / Σ w, or load the arrays with .compute()"
            )


def terms_of_rows(loss: Loss, outputs: Any, part: Part) -> Any:
    """The terms of a loss of some samples, with their weights."""
    options = {} if part.weight is None else {"sample_weight": part.weight}
    return terms_of(loss, outputs, part.y, options)


def tally_of(loss: Loss, outputs: Any, whole: Part, rows: slice) -> Tally:
    """What a loss of some of the samples comes to."""
    outputs, part = map_outputs(lambda array: array[rows], outputs), whole.rows(rows)
    terms = terms_of_rows(loss, outputs, part)
    values, shares = [float(term.value) for term in terms], [term.share for term in terms]
    return Tally.of_batch(kinds_of(loss), float(length(part.x)), part.weight, values, shares)


def nearly_equal(a: Any, b: Any, tolerance: float) -> bool:
    """Whether numbers are equal but for a share of the largest of them."""
    largest = np.max(np.abs(b), initial=0.0)
    return bool(np.allclose(a, b, rtol=tolerance, atol=tolerance * largest, equal_nan=True))
