"""docs/compile.md shows what the compiler does today: its listings are made anew and compared."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np

import autograd_lite as ag
from autograd_lite.compiler.frontend.recording import record_program
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.passes.pipeline import REWRITES

DOCUMENT = Path(__file__).parents[2] / "docs" / "compile.md"


def loss(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def energy(x, scale):
    y = np.tanh(x * scale) * x
    return y, np.sum(y * y)


def recurrent(weights, xs):
    def step(h, x):
        h = np.tanh(x + h @ weights)
        return h, h

    _, hs = ag.scan(step, np.zeros(3), xs)
    return np.sum(hs**2)


def sections() -> dict[str, str]:
    """The listings of the document, by the name in the comment before each."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", text, re.DOTALL)
    return {name: listing.strip() for name, listing in found}


def listings() -> dict[str, str]:
    w, x = np.ones((3, 2)), np.ones((4, 3))
    function = ag.value_and_grad(loss)
    program = record_program(function, Arguments(function, (w, x), {})).program
    made = {"recorded": repr(program)}
    for transform in REWRITES:
        program = transform(program)
        made.setdefault(transform.__name__, repr(program))
    made["rewritten"] = repr(program)
    made["source"] = source_of(ag.compile(ag.value_and_grad(loss)), w, x)
    large = np.ones((10_000, 64)), np.ones(64)
    made["blocks"] = source_of(ag.compile(energy), *large)
    made["scan"] = source_of(
        ag.compile(ag.value_and_grad(recurrent)), np.ones((3, 3)), np.ones((100, 3))
    )
    if find_spec("numba"):
        made["loops"] = source_of(ag.compile(energy, backend="numba"), *large)
    return made


def source_of(compiled, *arguments) -> str:
    """The source, but for the lines of the user's that it names."""
    compiled(*arguments)
    return re.sub(r"  \w+\.py:\d+", "", compiled.source).strip()


def test_the_document_shows_every_pass_and_what_it_really_does():
    shown, made = sections(), listings()
    if "loops" not in made:
        del shown["loops"]  # made by Numba, which is not installed
    assert {"recorded", "rewritten", "source"} < shown.keys() <= made.keys()
    assert shown == {name: made[name] for name in shown}
