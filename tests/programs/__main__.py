"""``python -m tests.programs 5000``: what becomes of programs, and the shortest that fail."""

from __future__ import annotations

import argparse
import ast
from collections import Counter

from tests.programs.generation import switched_on, write_program
from tests.programs.judging import examine
from tests.programs.program import Program
from tests.programs.shrinking import shortest
from tests.programs.ways import EAGER, MAPPED, SPARSE, Compiled, Way


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.programs", description=__doc__)
    parser.add_argument("count", type=int, help="how many programs")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--compiled", action="store_true", help="by ag.compile")
    parser.add_argument("--mapped", action="store_true", help="by ag.vmap")
    parser.add_argument("--sparse", action="store_true", help="by sparse Jacobians")
    parser.add_argument("--backend", default="numpy", help="of ag.compile")
    parser.add_argument("--features", default="", help='by commas; "all"; those switched on')
    parser.add_argument(
        "--show", type=int, default=10, help="failing programs to shrink of each kind"
    )
    options = parser.parse_args()
    asked = {
        options.compiled: Compiled(options.backend), options.mapped: MAPPED, options.sparse: SPARSE
    }  # fmt: skip
    way: Way = asked.get(True, EAGER)
    features = switched_on(way, options.features == "all")
    if options.features not in ("", "all"):
        features = options.features.split(",")
    outcomes: Counter[str] = Counter()
    families: Counter[str] = Counter()
    shown: set[frozenset[str]] = set()
    for seed in range(options.start, options.start + options.count):
        program = write_program(seed, features)
        outcome = examine(program, way)
        outcomes["failed" if outcome.is_failure else outcome.kind] += 1
        if outcome.kind != "computed":
            families[outcome.family] += 1
        if outcome.is_failure and families[outcome.family] <= options.show:
            short = shortest(program, way)
            if operations(short) not in shown:
                shown.add(operations(short))
                print(f"# seed {seed}: {outcome.kind}\n# {examine(short, way).detail}")
                print(short.reproduction(), flush=True)
    for kind, count in outcomes.most_common():
        print(f"{count:6} {kind}")
    print("of these")
    for family, count in families.most_common():
        print(f"{count:6} {family}")


def operations(program: Program) -> frozenset[str]:
    """What a program does, whatever its variables are called."""
    nodes = list(ast.walk(ast.parse(program.text)))
    names = {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    return frozenset(names | {type(n).__name__ for n in nodes if isinstance(n, ast.stmt)})


if __name__ == "__main__":
    main()
