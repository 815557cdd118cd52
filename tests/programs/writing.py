"""Writes programs: draws statements, and keeps those that run smoothly on plain arrays."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from random import Random
from types import ModuleType
from typing import Any

import numpy as np

from tests.programs.program import IMPORTS, copy_of, literal, shifted

LARGEST_SIZE = 36
LARGEST_NUMBER = 12.0
SHAPES = [(), (1,), (2,), (3,), (3,), (4,), (2, 2), (2, 3), (3, 2), (1, 3), (3, 1), (2, 1, 2)]

PHRASES = {
    "missing methods": (
        r"(?<!copy)(?<!np)\.(?:copy|all|any|view|put|fill|partition|resize|sort|__setitem__)\("
        r"|\.shape = |\.flat\b|\bround\("
    ),
    "augmented assignments": (
        r"operator\.iadd|^\s*(?!i\d+ \+= 1$)(?:[\w.]+|[pq]\d+.*) (?:\+|-|\*\*?|/)= "
    ),
    "shuffles": r"\.shuffle\(|\.permuted\(",
    "lists of numbers": r"\.tolist\(",
    "like": r"\blike=",
    "interpolation": r"np\.interp\(",
    "numbers that leave": (
        r"\b(?:float|int|complex|set)\(|\bmath\.|\bpickle\.|\{\*|\}\.get\(|\}\["  # read by Python
        r"|(?<![.\w])(?:max|min|sorted)\(|\b(?:if|while|not)\b.*(?: [<>]=? | != 0|np\.\w+\()"
        r"|np\.(?:array|asarray|asanyarray|ascontiguousarray|fromiter)\("
        r"|np\.(?:flatnonzero|nonzero)\(|\[\w+ [<>]=? [^\]]*\](?! = )"  # shapes by them
    ),
}
"""What belongs to a feature wherever it is written."""

Statement = Callable[["Writer"], "str | None"]


class Kind:
    """One kind of statement: its feature, how often it is written, and the function that does."""

    def __init__(self, feature: str, weight: int, write: Statement) -> None:
        self.feature = feature
        self.weight = weight
        self.write = write


kinds: list[Kind] = []


def kind(feature: str, weight: int = 1) -> Callable[[Statement], Statement]:
    """Enter a function that writes a statement, or returns None where nothing fits."""

    def enter(write: Statement) -> Statement:
        kinds.append(Kind(feature, weight, write))
        return write

    return enter


class Writer:
    """A program that is being written, and the state that it has come to on plain arrays.

    Names that begin with a capital letter are the module's plain arrays, those that begin with
    ``k`` are plain arrays that the program makes, those with ``z`` are made like an argument. What
    depends on arguments is seen from a second state, for arguments nearby.
    """

    def __init__(
        self,
        random: Random,
        features: Iterable[str],
        arguments: dict[str, Any],
        moved_arguments: dict[str, Any] | None = None,
        outer: Writer | None = None,
    ) -> None:
        self.random = random
        self.features = frozenset(features)
        self.arguments = arguments
        self.moved_arguments = moved_arguments or {n: moved(x) for n, x in arguments.items()}
        self.outer = outer
        self.numbers: Iterator[int] = outer.numbers if outer else itertools.count(1)
        self.module: list[str] = outer.module if outer else []
        self.body: list[str] = []
        self.depth: int = outer.depth + 1 if outer else 0
        self.kinds = [k for k in kinds if k.feature in self.features]
        unwanted = [p for feature, p in PHRASES.items() if feature not in self.features]
        self.unwanted = re.compile("|".join(unwanted) or r"(?!)", re.MULTILINE)
        self.state: dict[str, Any] = {}
        self.moved: dict[str, Any] = {}
        self.keep([])

    # Running what has been written.

    def text(self, statements: list[str]) -> str:
        """The module with these statements as the body of its function."""
        body = "\n".join(statements)
        names = set(re.findall(r"\w+", "\n".join([*self.module, body])))
        definitions = [
            line for line in self.module if names_of(line) & set(re.findall(r"\w+", body))
        ]
        imports = [line for name, line in IMPORTS.items() if name in names]
        parameters = ", ".join(self.arguments)
        function = f"def program({parameters}):\n{textwrap.indent(body, '    ')}"
        return "\n\n".join(filter(None, ["\n".join(imports), "\n".join(definitions), function]))

    def run(
        self, statements: list[str], arguments: dict[str, Any], names: dict[str, Any]
    ) -> dict[str, Any] | None:
        """All variables after these statements; None if they fail or leave the tame domain."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                exec(compile(self.text(statements), "<program>", "exec"), names)
                local = names["program"](*map(copy_of, arguments.values()))
        except Exception:  # whatever NumPy refuses is no program
            return None
        state = {**names, **local}
        state.pop("__builtins__", None)
        return state if all(map(is_tame, state.values())) else None

    def try_out(self, statements: list[str]) -> bool:
        """Go on to the state after these statements as well, if they run."""
        statements = [*self.body, *statements, "return locals()"]
        around, moved_around = self.around()
        state = self.run(statements, self.arguments, around)
        moved_state = state and self.run(statements, self.moved_arguments, moved_around)
        if not state or not moved_state or state.keys() != moved_state.keys():
            return False
        self.state, self.moved = state, moved_state
        return True

    def around(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What a nested function sees of the function around it, to be written without harm."""
        if self.outer is None:
            return {}, {}
        state, moved_state = self.outer.state, self.outer.moved
        modules = {n: x for n, x in state.items() if isinstance(x, ModuleType)}

        def copied(names: dict[str, Any]) -> dict[str, Any]:
            rest = {n: x for n, x in names.items() if n not in modules}
            return modules | copy.deepcopy(
                {n: x for n, x in rest.items() if not isinstance(x, Iterator)}
            )

        return copied(state), copied(moved_state)

    def keep(self, statements: list[str]) -> bool:
        """Add statements to the program, if they run."""
        if not self.try_out(statements):
            return False
        self.body.extend(statements)
        return True

    def write(self, count: int) -> None:
        """Add about so many statements."""
        for _ in range(count):
            statement = self.statement()
            if statement is not None:
                self.keep([statement])

    def statement(self) -> str | None:
        """A statement that may run or not; None if it would need a feature that is not wanted."""
        weights = [k.weight for k in self.kinds]
        text = self.random.choices(self.kinds, weights)[0].write(self)
        return None if text is None or self.unwanted.search(text) else text

    def block(self, header: str, count: int) -> str | None:
        """A compound statement; each inner statement is tried out as it is added."""
        inner: list[str] = []
        self.depth += 1
        for _ in range(count):
            before = self.state, self.moved
            statement = self.statement()
            if statement is None:
                continue
            if self.try_out([indented(header, [*inner, statement])]):
                inner.append(statement)
            else:
                self.state, self.moved = before
        self.depth -= 1
        return indented(header, inner) if inner else None

    # What there is to write about.

    def evaluate(self, text: str) -> Any:
        """The value of an expression here; None if it has none."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return eval(text, dict(self.state))
        except Exception:
            return None

    def places(self, fits: Callable[[Any], bool]) -> list[str]:
        """Expressions for what lies in variables and in containers."""
        found = []
        for name, x in self.state.items():
            found += [path for path, part in paths(name, x) if fits(part)]
        return found

    def choose(self, options: Any) -> Any:
        options = list(options)
        return self.random.choice(options) if options else None

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def fresh(self, letter: str) -> str:
        return f"{letter}{next(self.numbers)}"

    def number(self) -> str:
        """A literal number of order 1."""
        return repr(self.random.choice([-1, 1]) * self.random.randint(2, 15) / 10)

    def constant(self, array: np.ndarray, letter: str = "C") -> str:
        """The name of a new plain array of the module."""
        name = self.fresh(letter)
        self.module.append(f"{name} = {literal(array)}")
        writer: Writer | None = self
        while writer is not None:
            writer.state = {**writer.state, name: array.copy()}
            writer.moved = {**writer.moved, name: array.copy()}
            writer = writer.outer
        return name

    def define(self, name: str, text: str) -> str:
        """A definition in the module, once."""
        if text not in self.module:
            self.module.append(text)
        return name

    def random_array(self, shape: tuple[int, ...]) -> np.ndarray:
        entries = [self.random.randint(-15, 15) / 10 for _ in range(int(np.prod(shape)))]
        return np.array(entries, float).reshape(shape)

    def array(self, fits: Callable[[Any], bool] = lambda x: True) -> str | None:
        """A place that holds an array of floats that depends on arguments, or is made like one."""
        return self.choose(
            p for p in self.places(lambda x: is_array(x) and fits(x)) if not self.is_plain(p)
        )

    def target(self, fits: Callable[[Any], bool] = lambda x: True) -> str | None:
        """An array that may be written."""
        arguments = () if "argument writes" in self.features else self.root.arguments
        found = self.places(lambda x: is_writable(x) and fits(x))
        return self.choose(
            p
            for p in found
            if not self.is_plain(p)
            and not any(np.shares_memory(self.evaluate(p), self.state[a]) for a in arguments)
        )

    def is_plain(self, place: str) -> bool:
        """Whether a place holds what neither depends on arguments nor was made like one."""
        if place[0].isupper() or place[0] == "k":
            return True
        x = self.evaluate(place)
        try:
            other = eval(place, dict(self.moved))
        except Exception:
            return False
        if not np.array_equal(x, other):
            return False
        made_alike = [z for name, z in self.state.items() if name[0] == "z" and is_writable(z)]
        return not any(np.shares_memory(x, z) for z in made_alike)

    @property
    def root(self) -> Writer:
        return self if self.outer is None else self.outer.root

    def threshold(self, text: str) -> float | None:
        """A number well between the elements of an array."""
        elements = np.unique(np.ravel(self.evaluate(text)))
        if not elements.size > 0 or elements.dtype.kind != "f":
            return None
        gaps = [(low + high) / 2 for low, high in itertools.pairwise(elements) if high - low > 0.06]
        ends = [elements[0] - 0.4, elements[-1] + 0.4]
        return round(float(self.random.choice(gaps * 3 + ends)), 2)

    def result(self) -> str:
        """What the program returns: mostly a number that all its arrays have a part in."""
        places = [p for p in self.places(is_array) if not self.is_plain(p)]
        self.random.shuffle(places)
        if self.chance(0.2) and places:
            return places[0]
        how = ["np.sum(np.sin({}))", "np.mean({0} * {0})", "np.sum({} * 0.7)", "np.tanh({}).sum()"]
        numbers = ["np.sin({})", "{0} * {0}", "{} * 0.7", "np.tanh({})"]
        terms = [
            self.random.choice(how if isinstance(self.evaluate(p), np.ndarray) else numbers).format(
                p
            )
            for p in places[: self.random.randint(2, 5)]
        ]
        return " + ".join(terms or ["0.0"])


def names_of(line: str) -> set[str]:
    """The name that a line of the module defines."""
    return set(re.findall(r"^(?:def |class )?(\w+)", line, re.MULTILINE)) - {"def", "class"}


def indented(header: str, inner: list[str]) -> str:
    return header + "\n" + textwrap.indent("\n".join(inner), "    ")


def paths(path: str, x: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Expressions for an object and for what it holds."""
    yield path, x
    if depth > 2:
        return
    if isinstance(x, (list, tuple)):
        parts = [(f"{path}[{i}]", part) for i, part in enumerate(x)]
    elif isinstance(x, dict) and not path.startswith("_"):
        parts = [(f"{path}[{key!r}]", part) for key, part in x.items()]
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        parts = [(f"{path}.{f.name}", getattr(x, f.name)) for f in dataclasses.fields(x)]
    else:
        return
    for name, part in parts:
        yield from paths(name, part, depth + 1)


def is_array(x: Any) -> bool:
    """Floats: an array, or a number that NumPy or Python holds."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind == "f" and type(x) is np.ndarray
    return isinstance(x, float)


def is_writable(x: Any) -> bool:
    """An array that NumPy lets one write."""
    return isinstance(x, np.ndarray) and is_array(x) and x.flags.writeable


def moved(x: Any) -> Any:
    """An argument nearby."""
    return shifted(x, 1e-3 * np.cos(1 + np.arange(np.size(x))).reshape(np.shape(x)))


def is_tame(x: Any) -> bool:
    """Small enough, and of finite numbers."""
    if isinstance(x, np.ndarray) and x.dtype.kind == "f":
        limited = x.size <= LARGEST_SIZE and bool(np.all(np.abs(x) < LARGEST_NUMBER))
        return limited and bool(np.all(np.isfinite(x)))
    if isinstance(x, float):
        return abs(x) < LARGEST_NUMBER
    if isinstance(x, (list, tuple)):
        return len(x) < 12 and all(map(is_tame, x))
    if isinstance(x, dict):
        return all(map(is_tame, x.values()))
    return True


def draw_arguments(random: Random, features: Iterable[str]) -> dict[str, Any]:
    """One to three arguments; a Python number among them now and then."""
    arguments: dict[str, Any] = {}
    for name in ["x", "y", "w"][: random.choice([1, 1, 2, 2, 3])]:
        shape = random.choice(SHAPES)
        size = int(np.prod(shape))
        # No zero: it makes ties of all that it is multiplied by, where gradients are a convention.
        entries = [x / 100 for x in random.sample([*range(-150, 0), *range(1, 150)], size)]
        array = np.array(entries).reshape(shape)
        is_number = shape == () and (random.random() < 0.6) and "numbers" in features
        if array.ndim > 1 and "layouts" in features and random.random() < 0.5:
            array = np.asfortranarray(array)
        arguments[name] = float(array) if is_number else array
    return arguments
