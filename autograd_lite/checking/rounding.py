"""What rounding on the way to a result may have lost, whether its values show it or not.

What is added to 1 and lost there is missing in a smooth way: the values have no noise that tells of
it. So each number that is computed is supposed to be off by a rounding error, and the reverse sweep
says what becomes of that in the result (J. H. Wilkinson, *Rounding Errors in Algebraic Processes*,
1963).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.checking.by_hand import HandWritten
from autograd_lite.checking.comparison import Probe, norm
from autograd_lite.checking.directions import Cotangents, scaled_product
from autograd_lite.checking.subjects import RecordedSubject, Subject, pullback_of
from autograd_lite.core.backward import conjugate
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import no_grad
from autograd_lite.transforms.trace import Trace

__all__ = ["is_lost_inside"]


def is_lost_inside(subject: Subject, cotangents: Cotangents, made: Probe) -> bool:
    """Whether a disagreement is no more than what rounding errors inside may have made of it."""
    try:
        call = recorded_call(subject)
        if call is None:
            return False
        pairs = zip(cotangents.rows, cotangents.exponents, strict=True)
        bounds = [
            rounding_in(call, subject.outputs.arrays(v, own_dtype=True), int(exponent))
            for v, exponent in pairs
        ]
    except Exception:  # what is written for plain arrays may raise anything on Values
        return False
    lost = np.ldexp(subject.resolution * np.array(bounds), made.coarsest)
    wrong = made.difference > made.allowed
    return bool(np.all(made.difference[wrong] <= lost[wrong]))


def recorded_call(subject: Subject) -> Pullback | None:
    """The function as it is computed on Values, where that can be asked."""
    if isinstance(subject, RecordedSubject):
        return subject.pullback
    if not isinstance(subject, HandWritten) or not subject.remaining:
        return None
    subject.evaluations += 1
    args = subject.called_with(subject.inputs.arrays(subject.x))
    with np.errstate(all="ignore"):
        trace = Trace(subject.function, args, subject.varied)
    outputs = [np.sum(y) for y in trace.outputs] if subject.summed else trace.outputs
    return pullback_of(trace.fresh, outputs, trace.since)


def rounding_in(call: Pullback, cotangents: Sequence[Any], exponent: int) -> float:
    """How much ⟨v, F⟩·2^-exponent changes if each number on the way is off by a part of itself,
    in units of that part."""
    with no_grad(), np.errstate(all="ignore"):
        gradients = call.sweep([conjugate(v) for v in cotangents])
    changes = [
        norm(scaled_product(np.abs(node.data), np.abs(g), exponent).reshape(1, -1))[0]
        for node, g in gradients.items()
        if node.primitive is not None and not isinstance(node.data, tuple)
    ]
    return float(np.sum(changes))
