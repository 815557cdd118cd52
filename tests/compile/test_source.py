"""The source of a program is for reading: the user's names, sections, shapes and lines."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import autograd_lite as ag


def loss(parameters: Any, x: Any) -> Any:
    hidden = np.tanh(x @ parameters["weights"] + parameters["bias"])
    return np.mean(hidden * hidden)


def step(parameters: Any, x: Any) -> Any:
    value, gradients = ag.value_and_grad(loss)(parameters, x)
    return value, {name: parameters[name] - 0.1 * gradients[name] for name in parameters}


PARAMETERS = {"weights": np.ones((3, 2)), "bias": np.zeros(2)}
X = np.ones((4, 3))


def source_of_step() -> str:
    compiled = ag.compile(step)
    compiled(PARAMETERS, X)
    return compiled.source


def test_arguments_have_their_names_and_the_function_its_own() -> None:
    assert "def step(parameters_weights, parameters_bias, x):" in source_of_step()


def test_sections_come_in_their_order() -> None:
    sections = re.findall(r"# (forward|backward|update)\n", source_of_step())
    assert list(dict.fromkeys(sections)) == ["forward", "backward", "update"]


def test_every_operation_has_its_type_and_the_line_that_it_comes_from() -> None:
    body = source_of_step().split("# forward\n")[1].split("return")[0]
    lines = [line for line in body.splitlines() if not line.strip().startswith(("#", "divide"))]
    first = loss.__code__.co_firstlineno
    known = {first + 1, first + 2, step.__code__.co_firstlineno + 2}
    for line in filter(str.strip, lines):
        found = re.search(r"  # float64(\[[\d, ]+\])?  test_source\.py:(\d+)$", line)
        assert found is not None, line
        assert int(found[2]) in known
    product = next(line for line in lines if "dot(x, parameters_weights" in line)
    assert product.endswith(f"# float64[4, 2]  test_source.py:{first + 1}")


def test_a_label_is_the_name_of_a_result() -> None:
    def labelled(x: Any) -> Any:
        y = np.sin(x)
        if isinstance(y, ag.Value):
            y.label = "wave"
        return y * 2 + y

    compiled = ag.compile(labelled)
    compiled(X)
    assert re.search(r"sin\(x, wave\)", compiled.source)
