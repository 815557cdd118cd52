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
NAMESPACES = {"numpy": np, "numpy.linalg": np.linalg, "numpy.fft": np.fft}

DIFFERENTIABLE = {case.function for case in CASES if case.derivatives}
IN_PLACE = {np.copyto, np.putmask, np.place, np.put, np.put_along_axis, np.fill_diagonal}

INTRODUCTION = """\
# Coverage of NumPy

Every public function of `numpy`, `numpy.linalg` and `numpy.fft` that can take an array, and
what it does with a Value.  This page is written by `python -m tests.coverage_table` from the
registry of rules and the table of cases in `tests/ops/cases`, where each of the functions below
that is not refused is checked: its value bit for bit, its first and second derivatives.

- **differentiable**: first and higher derivatives; real and complex numbers where NumPy takes them.
- **passes through**: answers as on the data; the result carries no gradient.
- **refused**: an error that names the function and says how to go on (write a rule with
  `ag.primitive`, or pass `x.data` to use the number as a constant).

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
        if isinstance(key, tuple) and key[1] != "__call__"
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
        "\nUfuncs also take `where=` (elements where it is false are 0) and `dtype=`; "
        "reductions take `where=`, `initial=` and `dtype=`.\n"
    )
    return "".join(parts)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE)
