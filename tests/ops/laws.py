"""What rules are held against: laws and conventions, each with the functions it runs through."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.core.tree import flatten
from tests.ops.cases.case import Case
from tests.ops.numerical import directional_derivative, inner, random_like

__all__ = ["Law", "laws_of_case", "laws_of_tests", "watched"]


@dataclass
class Law:
    """A check that raises where it does not hold."""

    name: str
    check: Callable[[], None]
    codes: set[CodeType] = field(default_factory=set)
    """What was called when it held."""

    def holds(self) -> bool:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.check()
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            return False
        return True


def watched(laws: Sequence[Law], prefixes: tuple[str, ...]) -> None:
    """Run each law once, and note which functions of some files it runs through."""
    for law in laws:
        seen = law.codes

        def note(frame: Any, event: str, _: Any, seen: set[CodeType] = seen) -> None:
            if event == "call" and frame.f_code.co_filename in prefixes:
                seen.add(frame.f_code)

        sys.setprofile(note)
        try:
            held = law.holds()
        finally:
            sys.setprofile(None)
        assert held, law.name


def assert_near(exact: float, numerical: float, scale: float) -> None:
    assert abs(exact - numerical) <= 1e-8 * max(scale, 1.0), (exact, numerical)


def laws_of_case(case: Case, seed: int = 1) -> Iterator[Law]:
    """First and second derivatives of a case; the numerical ones are computed beforehand."""
    inputs = case.draw(seed)
    results = flatten(case.reference(*inputs))
    rng = np.random.default_rng(seed)
    weights, direction, probe = (random_like(rng, x) for x in (results, inputs, inputs))

    def gradient(*xs: Any) -> Any:
        return ag.vjp(lambda *ys: flatten(case.call(*ys)), *xs)[1](weights)

    def value(*xs: Any) -> float:
        return inner(weights, flatten(case.reference(*xs)))

    def first() -> None:
        assert_near(inner(gradient(*inputs), direction), slope, scale)

    shares = gradient(*inputs)
    scale = sum(float(np.sum(np.abs(share))) for share in shares)
    slope = directional_derivative(value, inputs, direction, 8e-3)
    yield Law(f"{case.name}: first", first)
    if case.derivatives < 2:
        return

    def second() -> None:
        found = ag.vjp(gradient, *inputs)[1](tuple(probe))
        assert_near(inner(found, direction), curve, bend)

    bends = ag.vjp(gradient, *inputs)[1](tuple(probe))
    bend = sum(float(np.sum(np.abs(share))) for share in bends)
    curve = directional_derivative(lambda *xs: inner(probe, gradient(*xs)), inputs, direction, 8e-3)
    yield Law(f"{case.name}: second", second)


def laws_of_tests(module: Any, prefix: str = "test_") -> Iterator[Law]:
    """The tests of a module, each with all of its parameters, but for what is compiled."""
    for name, test in vars(module).items():
        if not name.startswith(prefix):
            continue
        marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
        choices = [list(assignments(*mark.args[:2])) for mark in marks]
        for chosen in itertools.product(*choices):
            arguments = {key: value for part in chosen for key, value in part.items()}
            if arguments.get("compiled"):
                continue
            yield Law(f"{name}({arguments})", lambda t=test, a=arguments: t(**a))


def assignments(names: Any, values: Any) -> Iterator[dict[str, Any]]:
    listed = [x.strip() for x in names.split(",")] if isinstance(names, str) else list(names)
    for value in values:
        yield dict(zip(listed, value if len(listed) > 1 else [value], strict=True))
