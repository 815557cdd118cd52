"""Forward mode against reverse mode: two ways to the same number.

Forward mode here is reverse mode twice, so it leans on how rules depend on
their upstream gradient.  For any u and v the two must agree on ⟨v, J·u⟩ = ⟨Jᵀ·v, u⟩,
in exact arithmetic even if the rule is wrong about J; reverse mode is compared
with differences, and forward mode with reverse mode.
"""

from __future__ import annotations

import numpy as np

from autograd_lite.checking.comparison import AnalyticGradients
from autograd_lite.checking.directions import own_scale, signs
from autograd_lite.checking.subjects import EngineFunction, only_varied
from autograd_lite.checking.verdict import Finding, Hint, Verdict
from autograd_lite.core.tree import flatten
from autograd_lite.transforms.functions import jvp

__all__ = ["inspect_forward"]


def inspect_forward(
    subject: EngineFunction, analytic: AnalyticGradients, rng: np.random.Generator
) -> None:
    """Refuse a forward derivative that is not the transpose of the reverse one."""
    direction = own_scale(subject.inputs, subject.x) * signs(subject.x.size, rng)
    called = subject.called_with(subject.inputs.arrays(subject.x))
    primals = tuple(called[index] for index in subject.varied)
    tangents = tuple(subject.inputs.nest(subject.inputs.arrays(direction)))
    _, tangent = jvp(only_varied(subject.function, called, subject.varied), primals, tangents)
    forward = analytic.cotangents @ subject.outputs.vector(flatten(tangent))
    reverse = analytic.rows @ direction
    size = np.linalg.norm(analytic.rows * direction, axis=1)
    allowed = analytic.tolerance.rtol * size + analytic.tolerance.atol
    for row in np.flatnonzero(~(np.abs(forward - reverse) <= allowed)):
        raise Finding(
            Verdict.WRONG,
            f"forward mode gives {forward[row]:.9g} along a random direction, and reverse mode, "
            f"which agrees with differences, {reverse[row]:.9g}",
            [
                Hint(
                    "upstream",
                    "a rule treats its upstream gradient as a constant (.data, detach) or is not "
                    "linear in it; write it with NumPy functions of g",
                )
            ],
        )
