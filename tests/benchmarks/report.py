"""What the command leaves behind: a table, the raw numbers, and a plot for each workload."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib import metadata
from itertools import groupby
from pathlib import Path

from tests.benchmarks.measure import OURS, Row, installed

HEADER = (
    "| workload | setting | peer | median | spread | × autograd_lite | × by hand |\n"
    "|---|---|---|---|---|---|---|"
)
PACKAGES = (
    "numpy", "torch", "jax", "autograd", "mygrad", "micrograd", "advect", "scikit-learn", "numba",
)  # fmt: skip

Measured = tuple[str, Row]
"""The name of a setting, and what was measured in it."""


def groups(measured: Iterable[Measured]) -> Iterable[tuple[str, str, list[Row]]]:
    """Rows that are compared with each other: of one workload in one setting."""
    for (workload, setting), rows in groupby(measured, lambda x: (x[1].workload, x[0])):
        yield workload, setting, [row for _, row in rows]


BY_HAND = "by hand"


def named(rows: list[Row], ending: str) -> Row | None:
    return next((row for row in rows if row.peer.endswith(ending) and row.amounts), None)


def table(measured: Iterable[Measured]) -> str:
    lines = [HEADER]
    for workload, setting, rows in groups(measured):
        references = [named(rows, OURS), named(rows, BY_HAND)]
        for row in rows:
            cells = [workload, setting, row.peer]
            if row.amounts:
                cells += [f"{row.median:.3g} {row.unit}", f"±{row.spread / 2:.0%}"]
                cells += [
                    "" if other is None else f"{row.ratio(other):.2f}" for other in references
                ]
            else:
                cells += [row.note, "", "", ""]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    """The kind of processor and the versions, for people to judge the numbers by."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    present = [x for x in PACKAGES if installed(x.replace("scikit-learn", "sklearn"))]
    versions = [f"Python {platform.python_version()}"]
    versions += [f"{package} {metadata.version(package)}" for package in present]
    return f"{cores} cores of a {processor()}; {', '.join(versions)}"


def processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def write(measured: list[Measured], folder: Path, suffix: str) -> None:
    """Write the table, the raw numbers and the plots into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{machine()}\n\n{table(measured)}\n"
    (folder / "table.md").write_text(text, encoding="utf-8")
    raw = [{"setting": setting, **asdict(row)} for setting, row in measured]
    (folder / "rows.json").write_text(json.dumps(raw), encoding="utf-8")
    if installed("matplotlib"):
        for workload, setting, rows in groups(measured):
            plot(workload, setting, rows, folder / f"{file_name(workload, setting)}.{suffix}")


def file_name(*parts: str) -> str:
    return "_".join("".join(c if c.isalnum() else "_" for c in part) for part in parts)


def plot(workload: str, setting: str, rows: list[Row], file: Path) -> None:
    """One bar for each peer, from the first to the third quartile around the median."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in rows if row.amounts]
    figure, axes = pyplot.subplots(figsize=(7, 0.8 + 0.4 * len(rows)), layout="constrained")
    medians = [row.median for row in rows]
    colours = ["C1" if row.peer.startswith(OURS) else "C0" for row in rows]
    errors = [row.spread * row.median / 2 for row in rows]
    axes.barh([row.peer for row in rows], medians, xerr=errors, color=colours)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel(rows[0].unit)
    axes.set_title(f"{workload} ({setting})")
    figure.savefig(file)
    pyplot.close(figure)
