"""Cases of SciPy's integrals of samples, by straight lines and parabolas."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate

import autograd_lite as ag
from tests.ops.cases.case import (
    Case,
    Domain,
    Rng,
    complex_numbers,
    domain,
    increasing,
    positive,
    real,
    row,
)

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


def by_steps(name: str, samples: Domain, dx: Domain, label: str = "by dx", axis: int = -1) -> Case:
    def by(module: Any) -> Any:
        return lambda y, dx: getattr(module, name)(y, dx=dx, axis=axis)

    return row(
        getattr(integrate, name), samples, dx, call=by(ag.scipy.integrate),
        reference=by(integrate), label=f"integrate: {label}",
    )  # fmt: skip


@domain
def growing(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Increasing along the axis before the last."""
    return np.cumsum(rng.uniform(0.5, 1.5, shape), axis=-2)


ROWS: list[Case] = [
    *[case(name, real(count), label=str(count)) for name in WHOLE for count in (2, 5, 6)],
    *[case(name, real(count), label=str(count)) for name in CUMULATIVE for count in (2, 3, 6)],
    *[case(name, real(2, 5), increasing(5), label="places") for name in WHOLE + CUMULATIVE],
    *[case(name, real(2, 6), increasing(2, 6), label="all") for name in WHOLE + CUMULATIVE],
    *[case(name, real(4, 2), axis=0, dx=0.5) for name in WHOLE + CUMULATIVE],
    *[case(name, real(4, 2), axis=0, initial=0) for name in CUMULATIVE],
    *[case(name, real(5, 2), increasing(5), label="places, axis=0", axis=0)
      for name in WHOLE + CUMULATIVE],
    *[case(name, real(2, 5, 2), growing(2, 5, 2), label="all, axis=1", axis=1)
      for name in WHOLE + CUMULATIVE],
    *[case(name, real(2, 4, 2), axis=1, initial=0) for name in CUMULATIVE],
    *[case(name, real(5, 2), growing(5, 2), label="all, axis=0", axis=0)
      for name in WHOLE + CUMULATIVE],
    case("simpson", real(2), increasing(2), label="places of two"),
    *[by_steps(name, real(5), positive()) for name in WHOLE + CUMULATIVE],
    *[by_steps(name, real(5, 3), positive(3), "dx of columns", axis=0)
      for name in (*WHOLE, "cumulative_trapezoid")],
    *[by_steps(name, real(2, 4, 3), positive(2, 1, 3), "dx of rows", axis=1)
      for name in CUMULATIVE],
    by_steps("simpson", real(2, 4, 3), positive(2, 3), "dx of rows", axis=1),
    by_steps("cumulative_trapezoid", real(2, 4, 3), positive(2, 3, 3), "dx of each", axis=1),
    case("simpson", complex_numbers(5), label="complex"),
]  # fmt: skip
