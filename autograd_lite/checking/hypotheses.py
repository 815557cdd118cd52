"""Where hypotheses about wrong derivatives are declared; see `diagnosis`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from autograd_lite.checking.evidence import Evidence
from autograd_lite.checking.verdict import Exhausted, Hint

__all__ = ["HYPOTHESES", "Explain", "hypothesis"]

Explain = Callable[[Evidence], Hint | None]


@dataclass(frozen=True)
class Hypothesis:
    """A function that explains the numbers or not, and what it needs to be asked."""

    explain: Explain
    one_leaf: bool
    complete: bool

    def hint(self, evidence: Evidence) -> Hint | None:
        """Its explanation of the numbers, if there is one."""
        missing = (self.one_leaf and len(evidence.leaves) != 1) or (
            self.complete and not evidence.complete
        )
        try:
            return None if missing else self.explain(evidence)
        except Exhausted:  # what it wanted to know can no longer be measured
            return None


HYPOTHESES: dict[int, list[Hypothesis]] = defaultdict(list)
"""By rank: what is explained by one rank is not asked of the next."""


def hypothesis(
    rank: int, *, one_leaf: bool = False, complete: bool = False
) -> Callable[[Explain], Explain]:
    """Declare a function to be a hypothesis.

    With ``one_leaf`` it is asked about one array at a time, with ``complete`` only
    where every entry was measured.
    """

    def register(explain: Explain) -> Explain:
        HYPOTHESES[rank].append(Hypothesis(explain, one_leaf, complete))
        return explain

    return register
