"""The judge of programs sees what is wrong, and shrinking keeps it wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.programs.judging import examine
from tests.programs.program import Program
from tests.programs.shrinking import shrink
from tests.programs.ways import Eager

SQUARES = "import numpy as np\ndef program(x):\n    return np.sum(x * x * x)\n"
POINT = {"x": np.array([0.4, -0.7])}


class Scaled(Eager):
    """Gradients that are a little too long."""

    def value_and_gradients(self, program: Any, weights: Any) -> Any:
        both = super().value_and_gradients(program, weights)

        def scaled(*arguments: Any) -> Any:
            result, gradients = both(*arguments)
            return result, tuple(1.00001 * g for g in gradients)

        return scaled


class Careless(Eager):
    """Writes to the arguments."""

    def value_and_gradients(self, program: Any, weights: Any) -> Any:
        both = super().value_and_gradients(program, weights)

        def careless(*arguments: Any) -> Any:
            found = both(*arguments)
            arguments[0][0] += 1
            return found

        return careless


class Forward(Eager):
    """Other derivatives in a direction, and other second ones."""

    def __init__(self, factor: float, second_factor: float) -> None:
        self.factor, self.second_factor = factor, second_factor

    def directional(self, program: Any, directions: Any) -> Any:
        tangent = super().directional(program, directions)
        return lambda *arguments: self.factor * tangent(*arguments)

    def second(self, program: Any, weights: Any, directions: Any) -> Any:
        product = super().second(program, weights, directions)
        return lambda *xs: tuple(self.second_factor * p for p in product(*xs))


@pytest.mark.parametrize(
    "way, kind",
    [
        (Eager(), "computed"),
        (Scaled(), "wrong gradient"),
        (Careless(), "argument written"),
        (Forward(-1.0, 1.0), "wrong jvp"),
        (Forward(1.0, 1.001), "wrong second derivative"),
    ],
)
def test_what_is_wrong_is_named(way: Any, kind: str) -> None:
    assert examine(Program(SQUARES, POINT), way).kind == kind


@pytest.mark.parametrize(
    "body, kind",
    [
        ("return np.sum(x) + np.nothing", "discarded"),
        ("return np.sum(np.log(x))", "discarded"),
        ("return np.sum(np.abs(x - 0.4))", "discarded"),
        ("return np.sum(x).data", "discarded"),
        ("return 2.0 * np.sum(np.nanmedian(x))", "computed"),
        ("return np.sum(x if type(x) is np.ndarray else x + 1)", "wrong value"),
        ("return np.sum(x if type(x) is np.ndarray else x * x / x.data)", "wrong gradient"),
        ("return np.sum(x if type(x) is np.ndarray else x.nothing)", "other exception"),
        ("return np.busday_count(x, x) if type(x) is not np.ndarray else np.sum(x)", "refused"),
        ("COUNT[0] += type(x) is np.ndarray\n    return np.sum(x)", "module left otherwise"),
        ("COUNT[0] += 1\n    return np.sum(x * COUNT[0])", "computed"),
    ],
)
def test_programs_are_judged_beside_numpy(body: str, kind: str) -> None:
    text = f"import numpy as np\nCOUNT = np.zeros(1)\ndef program(x):\n    {body}\n"
    assert examine(Program(text, POINT)).kind == kind


def test_what_fails_is_shrunk_to_what_fails() -> None:
    text = """
import numpy as np
def program(x, y):
    a = np.sin(x)
    for i in range(2):
        if i < 5:
            b = a + np.exp(y) * a
    c = b
    return np.sum(c * 2) + np.mean(b)
"""
    program = Program(text, {"x": np.ones(2), "y": np.array(0.5)})
    short = shrink(program, lambda p: "np.exp(" in p.text and "return" in p.text)
    assert list(short.arguments) == ["y"]
    assert len(short.text.splitlines()) == 3, short.text
