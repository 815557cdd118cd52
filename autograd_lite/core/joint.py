"""Joint rules, which return the gradients of all inputs together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.core.errors import RuleError

__all__ = ["joint_gradients", "one_of_joint"]


def joint_gradients(primitive: Any, last: int, *args: Any, **parameters: Any) -> Sequence[Any]:
    """What a joint rule returns: one gradient for each input, up to the ``last`` at least."""
    gradients = primitive.joint(*args, **parameters)
    is_sequence = isinstance(gradients, (tuple, list))
    if not is_sequence or len(gradients) <= last:
        count = len(gradients) if is_sequence else gradients
        raise RuleError(
            f"{primitive.name}: the joint rule returned {count!r} for {len(args) - 2} inputs; "
            "return a tuple with one gradient for each, None where there is none"
        )
    found: Sequence[Any] = gradients
    return found


def one_of_joint(
    primitive: Any, found: list[Any], index: int, *args: Any, **parameters: Any
) -> Any:
    """One of the joint gradients, which are computed when the first is asked for."""
    if len(found) <= index:
        found[:] = joint_gradients(primitive, index, *args, **parameters)
    return found[index]
