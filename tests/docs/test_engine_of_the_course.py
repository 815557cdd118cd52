"""The engine that readers of the course build: short, and equal to the real one."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import autograd_lite as ag
from docs.learn import engine

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "learn" / "engine.py").read_text(encoding="utf-8")


def test_it_has_at_most_a_hundred_lines():
    assert len(TEXT.splitlines()) <= 100


def test_it_imports_nothing_but_python():
    assert re.findall(r"^(?:import|from) (\w+)", TEXT, re.MULTILINE) == [
        "math", "random", "itertools",
    ]  # fmt: skip


@pytest.mark.parametrize("page", ["learn/09_build_the_engine.md", "es/09_construye_el_motor.md"])
def test_the_chapter_prints_the_file(page):
    assert f"```python\n{TEXT}```\n" in (DOCS / page).read_text(encoding="utf-8")


def trained(number, sizes, seed):
    """Losses, and what the parameters and their gradients are after the last step."""
    rng = random.Random(seed)
    points, layers = list(engine.moons(20, rng)), engine.network(sizes, rng, number)
    losses = list(engine.train(layers, points, 15))
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]
    return losses, [(p.data, p.grad) for p in parameters]


@pytest.mark.parametrize("sizes", [[2, 1], [2, 8, 1], [2, 5, 4, 3, 1]], ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_training_is_that_of_the_real_engine_to_the_last_bit(sizes, seed):
    losses, parameters = trained(engine.Value, sizes, seed)
    assert (losses, parameters) == trained(ag.Value, sizes, seed)
    assert losses[-1] < losses[0]


def test_sweeps_add_up_and_leave_nothing_behind():
    a, b = engine.Value(2.0), engine.Value(-3.0)
    product = a * b
    square = product * product
    square.backward()
    square.backward()
    assert (a.grad, b.grad, product.grad) == (72.0, -48.0, None)


def test_a_chain_may_be_as_long_as_memory_allows():
    start = end = engine.Value(1.0)
    for _ in range(50_000):
        end = end + 1.0
    end.backward()
    assert start.grad == 1.0
