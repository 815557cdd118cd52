"""``python -m tests.benchmarks [--quick] [--workload NAME] [--peer NAME]``: a table of ratios."""

from __future__ import annotations

import argparse

from tests.benchmarks.eager import WORKLOADS, import_milliseconds
from tests.benchmarks.measure import Row, measure


def table(rows: list[Row]) -> str:
    lines = [
        "| workload | peer | median | spread | time, as a multiple of ours |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.workload} | {row.peer} | {row.milliseconds:.2f} ms "
        f"| ±{row.spread / 2:.0%} | {row.ratio:.2f} |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--workload", action="append", help="only these (may be repeated)")
    parser.add_argument("--peer", action="append", help="only these peers, besides ours")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for workload in WORKLOADS:
        if arguments.workload and workload.name not in arguments.workload:
            continue
        rows += measure(workload, 5 if arguments.quick else 30)
    if arguments.peer:
        wanted = ("autograd_lite", *arguments.peer)
        rows = [row for row in rows if row.peer.startswith(wanted)]
    print(table(rows))
    if not arguments.workload or "import" in arguments.workload:
        numpy_alone = import_milliseconds("import numpy")
        both = import_milliseconds("import autograd_lite")
        print(f"\nimport: NumPy {numpy_alone:.0f} ms, with autograd_lite {both:.0f} ms")


if __name__ == "__main__":
    main()
