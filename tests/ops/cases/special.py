"""Cases of special functions."""

from __future__ import annotations

from typing import Any

from scipy import special

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, distinct, inside_unit, nonzero, positive, real, row


def case(name: str, *domains: Domain, label: str = "", **keywords: Any) -> Case:
    """Our function of this name, with SciPy's as the reference."""
    ours, theirs = getattr(ag.special, name), getattr(special, name)
    return row(
        theirs,
        *domains,
        call=lambda *xs: ours(*xs, **keywords),
        reference=lambda *xs: theirs(*xs, **keywords),
        label=label or f"{keywords or ''}",
    )


ROWS: list[Case] = [
    *[case(name, real(2, 3)) for name in ("erf", "erfc", "ndtr", "log_ndtr", "expit")],
    *[case(name, nonzero(4)) for name in ("i0e", "i1e")],
    *[case(name, positive(4)) for name in ("gammaln", "digamma", "entr")],
    case("erfinv", inside_unit(4)),
    row(special.logit, inside_unit(4), call=lambda x: special.logit((x + 1) / 2)),
    case("xlogy", positive(3), positive(3)),
    case("xlog1py", positive(3), positive(3)),
    case("betaln", positive(2, 3), positive(3)),
    *[
        case(name, distinct(2, 3), **keywords)
        for name in ("logsumexp", "softmax", "log_softmax")
        for keywords in ({}, {"axis": 0}, {"axis": (0, 1)})
    ],
    case("logsumexp", real(2, 3), label="keepdims", axis=1, keepdims=True),
    row(special.erf, real(3), call=special.erf, label="SciPy's own name"),
]
