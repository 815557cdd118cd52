"""Cases of SciPy's integrals of samples, by straight lines and parabolas."""

from __future__ import annotations

from typing import Any

from scipy import integrate

import autograd_lite as ag
from tests.ops.cases.case import Case, Domain, complex_numbers, increasing, positive, real, row

WHOLE = ("trapezoid", "simpson")
CUMULATIVE = ("cumulative_trapezoid", "cumulative_simpson")


def case(name: str, *domains: Domain, label: str = "", **keywords: Any) -> Case:
    """A function of samples: of the places too, if there is a second domain."""

    def by(module: Any) -> Any:
        function = getattr(module, name)
        if len(domains) == 1:
            return lambda y: function(y, **keywords)
        return lambda y, x: function(y, x=x, **keywords)

    listed = label or ", ".join(f"{k}={v}" for k, v in keywords.items())
    return row(
        getattr(integrate, name), *domains, call=by(ag.scipy.integrate), reference=by(integrate),
        label=f"integrate: {listed}",
    )  # fmt: skip


def by_steps(name: str) -> Case:
    def by(module: Any) -> Any:
        return lambda y, dx: getattr(module, name)(y, dx=dx)

    return row(
        getattr(integrate, name), real(5), positive(), call=by(ag.scipy.integrate),
        reference=by(integrate), label="integrate: by dx",
    )  # fmt: skip


ROWS: list[Case] = [
    *[case(name, real(count), label=str(count)) for name in WHOLE for count in (2, 5, 6)],
    *[case(name, real(count), label=str(count)) for name in CUMULATIVE for count in (2, 3, 6)],
    *[case(name, real(2, 5), increasing(5), label="places") for name in WHOLE + CUMULATIVE],
    *[case(name, real(2, 6), increasing(2, 6), label="all") for name in WHOLE + CUMULATIVE],
    *[case(name, real(4, 2), axis=0, dx=0.5) for name in WHOLE + CUMULATIVE],
    *[case(name, real(4, 2), axis=0, initial=0) for name in CUMULATIVE],
    *[by_steps(name) for name in WHOLE + CUMULATIVE],
    case("simpson", complex_numbers(5), label="complex"),
]
