"""What functions of loops and branches change outside of them, which no program would do again.

Such a function is called while it is traced, whether a step or branch of it is wanted or not; under
`vmap` for all samples at once.  So whatever it could reach is compared with what it was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd_lite.core.errors import AutogradError, UnsupportedError
from autograd_lite.core.node import get_node
from autograd_lite.core.recorder import current
from autograd_lite.core.views import Looking
from autograd_lite.transforms.captures import Captured

__all__ = ["refuse_side_effects"]


class Surroundings:
    """What functions may read from outside, as `Captured` knows it, and the numbers of Values."""

    def __init__(self, functions: Iterable[Any]) -> None:
        self.captured = Captured(functions)
        values = self.captured.values
        self.nodes = [(name, x, get_node(x)) for name, x in values if not isinstance(x, Looking)]

    def find_change(self) -> str | None:
        """The name of something that is not what it was, and how it differs."""
        for name, value, node in self.nodes:
            if get_node(value) is not node:
                return f"{name!r} holds another number"
        return self.captured.changed()


@contextmanager
def refuse_side_effects(what: str, functions: Iterable[Any]) -> Iterator[None]:
    """A block in which functions are called that may change nothing from outside of them.

    Values that are written in place are refused where they are written.
    """
    surroundings = Surroundings(functions)
    try:
        yield
    except AutogradError:
        raise
    except Exception as error:  # of the user's: a second call may fail of what the first has done
        change = surroundings.find_change()
        if change is None:
            raise
        raise refusal(what, change) from error
    change = surroundings.find_change()
    if change is not None:
        raise refusal(what, change)


def refusal(what: str, change: str) -> AutogradError:
    recorder = current.get()
    if recorder.trace is not None:
        refused: AutogradError = recorder.trace.refuse(
            f"a function of {what} changes what is outside of it, which a program would not do at "
            f"each step or in the one branch that is taken: {change}; let it be a part of what the "
            "function is given and returns"
        )
        return refused
    if recorder.batch is not None:
        return UnsupportedError(
            f"ag.vmap: a function of {what}, which not all samples call, changes what is outside "
            f"of it: {change}; let it return what it changes"
        )
    return UnsupportedError(
        f"{what}: its function changes what is outside of it, and is called once to see what it "
        f"returns, though there are no steps: {change}; let it return what it changes"
    )
