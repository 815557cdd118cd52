"""Which features programs have, and the program of a seed."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from tests.programs import aliasing, blocks, functions, state, statements, steps
from tests.programs.program import Program
from tests.programs.ways import EAGER, Way
from tests.programs.writing import Writer, draw_arguments

__all__ = [
    "FEATURES", "aliasing", "blocks", "functions", "state", "statements", "steps",
    "switched_on", "write_program",
]  # fmt: skip

FEATURES = {
    "argument writes": True,
    "augmented assignments": True,
    "branches": True,
    "buffers": True,
    "caught errors": True,
    "changed state": True,
    "checkpoints": True,
    "complex": True,
    "complex writes": True,
    "constant changes": True,
    "constants": True,
    "containers": True,
    "copies": True,
    "draws": True,
    "expressions": True,
    "generators": True,
    "held arrays": True,
    "inner derivatives": True,
    "integers": True,
    "interpolation": True,
    "item writes": True,
    "iterators": True,
    "layouts": True,
    "like": True,
    "lists of numbers": True,
    "lookups": True,
    "loops": True,
    "memory orders": True,
    "missing methods": True,
    "more views": True,
    "nested functions": True,
    "numbers": True,
    "numbers and arrays": True,
    "numbers that leave": True,
    "objects": True,
    "out": True,
    "overlapping writes": True,
    "plain arrays": True,
    "primitive views": True,
    "primitives": True,
    "shuffles": False,
    "state": True,
    "steps": True,
    "swallowed refusals": False,
    "views": True,
    "write functions": True,
}
"""What programs may have, and whether that is expected to go well."""


def switched_on(way: Way = EAGER, everything: bool = False) -> list[str]:
    """The features whose programs are all computed in a way, or refused by name; or every one.

    What is called for several samples or directions draws more often than the program does, and
    each sample its own numbers: there is nothing to compare these with.
    """
    draws_as_often = way.name in ("eager", "compiled")
    return [
        name
        for name, is_on in FEATURES.items()
        if (is_on or everything) and (draws_as_often or name != "draws")
    ]


def write_program(seed: int, features: Iterable[str]) -> Program:
    """The program of a seed, with some of the features.

    Each program draws its own ones (swarm testing; A. Groce et al., ISSTA 2012): a program with
    all features at once would be refused for one of them before the others meet.
    """
    random = Random(seed)
    chance = random.choice([0.2, 0.4, 0.7])
    features = {"expressions", *(f for f in sorted(features) if random.random() < chance)}
    writer = Writer(random, features, draw_arguments(random, features))
    writer.write(random.randint(3, 14))
    text = writer.text([*writer.body, f"return {writer.result()}"])
    return Program(text + "\n", writer.arguments)
