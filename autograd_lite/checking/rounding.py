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
from autograd_lite.checking.comparison import SAFETY, Agreement, Probe, norm
from autograd_lite.checking.directions import Cotangents, scaled_product
from autograd_lite.checking.subjects import RecordedSubject, Subject, pullback_of
from autograd_lite.core.backward import conjugate
from autograd_lite.core.node import Node, data_of
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import no_grad
from autograd_lite.transforms.trace import Trace

__all__ = ["is_lost_inside"]


def is_lost_inside(subject: Subject, cotangents: Cotangents, made: Probe) -> bool:
    """Whether a disagreement, or a jump, is no more than what rounding errors inside may make."""
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
    lost_in_value = subject.resolution * np.array(bounds)
    lost = np.ldexp(lost_in_value, made.coarsest)
    if made.agreement is Agreement.KINK:  # jumps are differences of differences
        if made.jumps:
            jumps = (made.ladder.value_jump(made.level), made.ladder.spike(made.level))
            size = np.maximum(*(np.abs(jump.value) for jump in jumps))
            return bool(np.all(size <= SAFETY * lost_in_value))
        size = np.abs(made.ladder.slope_jump(made.level).value)
        return bool(np.all(size <= SAFETY * lost))
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
        computed = [
            (node, g)
            for node, g in gradients.items()
            if node.primitive is not None and not isinstance(node.data, tuple)
        ]
        rounded = [(node.data, g) for node, g in computed]
        for node, g in computed:
            rounded += operands_of_solver(node, g)
    return float(
        sum(
            norm(scaled_product(np.abs(data), np.abs(g), exponent).reshape(1, -1))[0]
            for data, g in rounded
        )
    )


def operands_of_solver(node: Node, g: Any) -> list[tuple[Any, Any]]:
    """The operands of a matrix decomposition, each with its gradient; of others none.

    What it computes is right for operands that are off by rounding errors, constants too: of a
    matrix that is hardly regular, much comes of that.
    """
    primitive = node.primitive
    if "linalg" not in (getattr(primitive.forward, "__module__", None) or ""):
        return []
    operands = [data_of(x) for x in node.inputs]
    rules = primitive.rules_for(node.inputs)
    return [
        (operand, rule(g, node.data, *operands, **node.parameters))
        for operand, rule in zip(operands, rules, strict=False)
        if rule is not None
    ]
