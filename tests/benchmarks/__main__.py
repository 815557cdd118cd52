"""``python -m tests.benchmarks``: every workload against every peer that is installed."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from tests.benchmarks.collect import FOLDER, workloads
from tests.benchmarks.measure import Row
from tests.benchmarks.report import Measured, machine, table, write
from tests.benchmarks.settings import SETTINGS, Setting

REPETITIONS, FEW = 30, 5


def in_process_of_its_own(
    name: str, setting: Setting, repetitions: int, peers: list[str]
) -> list[Row]:
    """Measure a workload in a fresh interpreter, so that no peer disturbs another workload."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        command = ["-m", "tests.benchmarks.one", name, str(repetitions), str(file), *peers]
        subprocess.run(
            [sys.executable, *command],
            check=True,
            cwd=FOLDER.parents[1],
            env=setting.environment(),
            preexec_fn=setting.pin if setting.cores else None,
        )
        return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))]


def parsed(known: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"Workloads: {', '.join(known)}.")
    parser.add_argument("--quick", action="store_true", help="few repetitions")
    parser.add_argument("--workload", action="append", help="only those that begin with this")
    parser.add_argument("--peer", action="append", help="only these peers, besides ours")
    parser.add_argument(
        "--setting", action="append", choices=list(SETTINGS), help="default: the first"
    )
    parser.add_argument("--folder", type=Path, help="for table, raw numbers and plots")
    parser.add_argument("--format", choices=("svg", "png"), default="svg", help="of the plots")
    return parser.parse_args()


def main() -> None:
    known = workloads()
    arguments = parsed(list(known))
    prefixes = tuple(arguments.workload or [""])
    settings = [SETTINGS[name] for name in arguments.setting or ["default"]]
    chosen = [(name, s) for name in known if name.startswith(prefixes) for s in settings]
    repetitions = FEW if arguments.quick else REPETITIONS
    measured: list[Measured] = []
    for name, setting in tqdm(chosen, desc="all workloads"):
        rows = in_process_of_its_own(name, setting, repetitions, arguments.peer or [])
        measured += [(setting.name, row) for row in rows]
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="benchmarks-"))
    write(measured, folder, arguments.format)
    print(f"{machine()}\n\n{table(measured)}\n\nTable, numbers and plots are in {folder}")


if __name__ == "__main__":
    main()
