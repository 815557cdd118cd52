"""Write docs/numpy_coverage.md: what happens to each function of NumPy's public namespace.

``python -m tests.coverage_table`` writes the page; a test keeps it in step with the code.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.core.primitive import registry
from tests.ops.cases import CASES

PAGE = Path(__file__).parent.parent / "docs" / "numpy_coverage.md"
NAMESPACES = {
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.fft": np.fft,
    "numpy.emath": np.emath,
    "numpy.lib.stride_tricks": np.lib.stride_tricks,
}

DIFFERENTIABLE = {case.function for case in CASES if case.derivatives}
IN_PLACE = {np.copyto, np.putmask, np.place, np.put, np.put_along_axis, np.fill_diagonal}

INTRODUCTION = """\
# Coverage of NumPy

Every public function of `numpy`, `numpy.linalg`, `numpy.fft` and `numpy.emath` that can take an
array, and what it does with a Value.  This page is written by `python -m tests.coverage_table`
from the registry of rules and the table of cases in `tests/ops/cases`, where each of the functions
below that is not refused is checked: its value bit for bit, its first and second derivatives.

- **differentiable**: first and higher derivatives; real and complex numbers where NumPy takes them.
- **passes through**: answers as on the data; the result carries no gradient.
- **refused**: an error that names the function and says how to go on (write a rule with
  `ag.primitive`, or pass `x.data` to use the number as a constant).

"""

NOT_ASKED = """
## Where NumPy asks nobody

`np.vectorize` and the functions of `numpy.polynomial` make plain arrays of their arguments before
anything else, so a Value is refused there.  What to write:

| instead of | write |
|---|---|
| `np.polynomial.polynomial.polyval(t, c)` with a Value `c` | `np.polyval(c[::-1], t)` |
| `polyadd(a, b)`, `polysub` and `polyder` of `np.polynomial.polynomial` | \
`np.polyadd(a[::-1], b[::-1])[::-1]`, and so on |
| `np.polynomial.polynomial.polymul(a, b)` | `np.convolve(a, b)` |
| `np.polynomial.chebyshev.chebval(t, c)` with a Value `c` | \
`np.polynomial.chebyshev.chebvander(t, len(c) - 1) @ c`; for other families likewise |
| `np.vectorize(f)(x)` | `ag.array([f(v) for v in x])` |

A Value `t` with the plain coefficients of one polynomial works in `polyval`, `chebval` and their
kin. Of several polynomials at once (coefficients in a table), and in `polyvalfromroots`, they ask
whether `t` is a plain array, which nobody can answer for it: write
`np.stack([polyval(t, column) for column in c.T])`, and `np.prod(t[..., None] - roots, axis=-1)`.
"""


def takes_arrays(function: Any) -> bool:
    """Whether NumPy asks its arguments what to do: ufuncs, and what dispatches."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def status(function: Any) -> str:
    if function in IN_PLACE or function not in registry:
        return "refused"
    return "differentiable" if function in DIFFERENTIABLE else "passes through"


def rows(namespace: Any) -> list[tuple[str, str]]:
    names = [name for name in dir(namespace) if not name.startswith("_")]
    functions = {name: getattr(namespace, name) for name in names}
    return [
        (name, status(function))
        for name, function in functions.items()
        if callable(function) and not inspect.isclass(function) and takes_arrays(function)
    ]


def methods() -> list[str]:
    """Methods of ufuncs that have a rule."""
    return sorted(
        f"{key[0].__name__}.{key[1]}"
        for key in registry
        if isinstance(key, tuple) and isinstance(key[0], np.ufunc) and key[1] != "__call__"
    )


def page() -> str:
    parts = [INTRODUCTION]
    counts = dict.fromkeys(("differentiable", "passes through", "refused"), 0)
    tables = []
    for title, namespace in NAMESPACES.items():
        entries = rows(namespace)
        for _, state in entries:
            counts[state] += 1
        lines = [f"| `{name}` | {state} |" for name, state in entries]
        tables.append("\n".join([f"## {title}", "", "| function | |", "|---|---|", *lines, ""]))
    parts.append("| | functions |\n|---|---|\n")
    parts.extend(f"| {state} | {count} |\n" for state, count in counts.items())
    parts.append("\n" + "\n".join(tables))
    listed = ", ".join(f"`{name}`" for name in methods())
    parts.append(f"\n## Methods of ufuncs\n\nDifferentiable, or passing through: {listed}.\n")
    parts.append(
        "\nUfuncs also take `where=` (elements where it is false are 0), `dtype=` and `casting=`; "
        "reductions take `where=`, `initial=` and `dtype=`.  Every argument may be passed by "
        "name, by position and at its default, as in NumPy; one that has no meaning for a Value "
        "is refused by name.\n"
    )
    parts.append(NOT_ASKED)
    return "".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
