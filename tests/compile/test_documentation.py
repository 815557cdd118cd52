"""docs/compile.md shows what the compiler does today: its listings are made anew and compared."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

import autograd_lite as ag
from autograd_lite.compiling import passes
from autograd_lite.compiling.recording import record_program

DOCUMENT = Path(__file__).parents[2] / "docs" / "compile.md"


def loss(w, x):
    return np.sum(np.tanh(x @ w) ** 2)


def sections() -> dict[str, str]:
    """The listings of the document, by the name in the comment before each."""
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", text, re.DOTALL)
    return {name: listing.strip() for name, listing in found}


def listings() -> dict[str, str]:
    w, x = np.ones((3, 2)), np.ones((4, 3))
    program = record_program(ag.value_and_grad(loss), (w, x), {}, ["w", "x"]).program
    made = {"recorded": repr(program)}
    for transform in passes.PASSES:
        program = transform(program)
        made.setdefault(transform.__name__, repr(program))
    made["simplified"] = repr(program)
    compiled = ag.compile(ag.value_and_grad(loss))
    compiled(w, x)
    made["source"] = re.sub(r"  \w+\.py:\d+", "", compiled.source).strip()
    return made


def test_the_document_shows_every_pass_and_what_it_really_does():
    shown, made = sections(), listings()
    assert {"recorded", "simplified", "source"} < shown.keys() <= made.keys()
    assert shown == {name: made[name] for name in shown}
