"""``python -m tests.benchmarks.one NAME REPETITIONS FILE [PEER ...]``: one workload, one process.

The command starts it in a fresh interpreter, with the variables of a setting,
and reads the rows from the file.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.benchmarks.collect import workloads


def main() -> None:
    name, repetitions, file, *wanted = sys.argv[1:]
    rows = workloads()[name].measured(int(repetitions), wanted, progress=True)
    Path(file).write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main()
