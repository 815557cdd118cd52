"""What a check found, as an object, as text, as a dictionary and in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_lite.checking.comparison import Probe
from autograd_lite.checking.directions import Cotangents
from autograd_lite.checking.evidence import Entry
from autograd_lite.checking.verdict import Hint, Verdict
from autograd_lite.core.console import printable

__all__ = ["OBSERVERS", "GradcheckReport", "TaylorRow", "TaylorTable", "taylor_table"]


OBSERVERS: list[Callable[[GradcheckReport], None]] = []
"""Called with every report, as by the plugin for pytest."""


@dataclass(frozen=True)
class TaylorRow:
    """One step: the remainder, and the order as compared with the row above."""

    step: float
    remainder: float
    order: float | None


@dataclass(frozen=True)
class TaylorTable:
    """A second opinion without any tolerance: how fast the Taylor remainder vanishes.

    The remainder |φ(h) - φ(0) - h·⟨g, u⟩| of a first-order expansion falls like h²
    if g is the gradient, and like h if it is not.  Doubling the step shows which.
    Print the table to see it.

    Attributes
    ----------
    rows : tuple of TaylorRow
        From the coarsest step to the finest.
    rounding : float
        Remainders below this are rounding errors and say nothing.
    """

    rows: tuple[TaylorRow, ...]
    rounding: float

    @property
    def order(self) -> float | None:
        """The fitted order: 2 for a right gradient, 1 for a wrong one.

        None where the remainder is nothing but rounding, as for a linear function.
        """
        seen = [row for row in self.rows if row.remainder > 10 * self.rounding]
        if len(seen) < 2:
            return None
        steps = np.log2([row.step for row in seen])
        return float(np.polyfit(steps, np.log2([row.remainder for row in seen]), 1)[0])

    def __str__(self) -> str:
        lines = ["        step    remainder    order"]
        for row in self.rows:
            order = "" if row.order is None else f"{row.order:9.2f}"
            lines.append(f"{row.step:12.3e} {row.remainder:12.3e}{order}".rstrip())
        return "\n".join(lines)


@dataclass(frozen=True, repr=False)
class GradcheckReport:
    """The outcome of a gradient check; true if all is well.

    Attributes
    ----------
    name : str
        The function that was checked.
    verdict : Verdict
        One of: correct; wrong derivative; not differentiable here; cannot decide; at a border;
        NaN or infinity; random function; mutated argument; wrong shape or dtype; another
        function on Values.
    reason : str
        One sentence on what led to the verdict.
    worst : Entry or None
        The derivative that is most wrong: which output by which input, its
        numerical value with error, and the analytic one of the code under test.
    entries : tuple of Entry
        Up to five of those that are wrong, the worst first.
    hints : tuple of Hint
        What would explain the numbers, the best explanation first.
    table : TaylorTable or None
        Steps h along a random direction, with the remainder
        ``|f(x + hv) - f(x) - h·g·v|`` and the order with which it vanishes.
    evaluations : int
        How often the function was computed.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> report = ag.gradcheck(np.sin, 0.5, gradient=lambda x: -np.cos(x), raise_error=False)
    >>> bool(report), str(report.verdict)
    (False, 'wrong derivative')
    """

    name: str
    verdict: Verdict
    reason: str
    entries: tuple[Entry, ...] = ()
    hints: tuple[Hint, ...] = ()
    table: TaylorTable | None = None
    evaluations: int = 0

    @property
    def worst(self) -> Entry | None:
        return self.entries[0] if self.entries else None

    def __bool__(self) -> bool:
        return self.verdict is Verdict.CORRECT

    def __str__(self) -> str:
        lines = [f"gradcheck {self.name}: {self.verdict}", f"  {self.reason}"]
        lines += [f"  {entry}" for entry in self.entries]
        lines += [f"  hint: {hint}" for hint in self.hints]
        return printable("\n".join(lines))

    def __repr__(self) -> str:
        """The text, so that a plain prompt shows what `print` would."""
        return str(self)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain numbers, strings, lists and dictionaries, ready for JSON."""
        plain = {**asdict(self), "verdict": str(self.verdict), "correct": bool(self)}
        for name in ("entries", "hints"):
            plain[name] = list(plain[name])
        if self.table is not None:
            plain["table"] = {**plain["table"], "order": self.table.order}
            plain["table"]["rows"] = list(plain["table"]["rows"])
        return plain

    def _repr_html_(self) -> str:
        colour = "#1a7f37" if self else "#cf222e"
        parts = [
            f"<div><b>gradcheck <code>{escape(self.name)}</code>: "
            f'<span style="color:{colour}">{escape(str(self.verdict))}</span></b></div>',
            f"<div>{escape(self.reason)}</div>",
        ]
        if self.hints:
            items = "".join(f"<li>{escape(hint.text)}</li>" for hint in self.hints)
            parts.append(f"<ul>{items}</ul>")
        if self.entries:
            parts.append(html_table(self.entries))
        return "".join(parts)


def html_table(entries: tuple[Entry, ...]) -> str:
    heads = ("derivative of", "by", "numerical", "error", "analytic")
    rows = [
        (e.output, e.input, f"{e.numerical:.9g}", f"{e.error:.1g}", f"{e.analytic:.9g}")
        for e in entries
    ]
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def taylor_table(probe: Probe, cotangents: Cotangents) -> TaylorTable:
    """The table of a probe's values, for its first cotangent."""
    exponent = int(cotangents.exponents[0])
    analytic, base = float(probe.analytic[0]), float(probe.ladder.base[0])
    measured = []
    for level in sorted(probe.ladder.samples):
        step = float(np.ldexp(1.0, -level))
        value = float(probe.ladder.samples[level][0][0])
        measured.append((step, float(np.ldexp(abs(value - base - step * analytic), exponent))))
    orders = [None] + [order_text(coarse, fine) for coarse, fine in pairwise(measured)]
    rows = tuple(
        TaylorRow(step, remainder, order)
        for (step, remainder), order in zip(measured, orders, strict=True)
        if np.isfinite(remainder)
    )
    return TaylorTable(rows, float(np.ldexp(probe.ladder.noise[0], exponent)))


def order_text(coarse: tuple[float, float], fine: tuple[float, float]) -> float | None:
    if not coarse[1] > 0 or not fine[1] > 0:
        return None
    return float(np.log(coarse[1] / fine[1]) / np.log(coarse[0] / fine[0]))
