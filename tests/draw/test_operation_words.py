"""The gate of the stepper's words: every registered operation tells how it hands its gradient back.

Of each operation that the table of cases records, the step back is told in a learner's words: no
function that moves arrays about is named, and one entry is spelt out as upstream × local =
contribution, which is computed again from the digits that are shown.
"""

from __future__ import annotations

import re
import sys
import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.node import Node
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.tree import flatten
from autograd_lite.drawing.backpropagation import Backpropagation
from autograd_lite.drawing.entries import Entries
from autograd_lite.drawing.formatting import number
from autograd_lite.drawing.languages import LANGUAGES, WORDS
from autograd_lite.drawing.operation_words import GENERAL, OPERATIONS, SENTENCES
from autograd_lite.drawing.scene import compose
from autograd_lite.drawing.story import Story
from autograd_lite.drawing.subject import find_subject
from tests.ops.cases import CASES
from tests.ops.cases.case import Case

ONES = {"by.move", "by.choice", "by.writing", "by.copies", "by.sum", "by.running"}
"""Sentences that say "local derivative 1"."""

ARRANGING = re.compile(r"array\(|axis=|broadcast_to|reshape|swapaxes|zeros_like|\[…|\bg\b")


def result_of(case: Case, inputs: list[ag.Value]) -> ag.Value | None:
    """A number that depends on all that a case returns; its own numbers are not for drawing."""
    total: Any = 0.0
    for out in flatten(case.call(*inputs)):
        if isinstance(out, ag.Value) and out.node.requires_grad:
            weight = np.random.default_rng(1).uniform(0.5, 1.5, np.shape(out.data))
            total = total + np.sum(np.real(out * weight))
    return total if isinstance(total, ag.Value) else None


@cache
def told() -> dict[str, list[tuple[Node, int, dict[str, Any], Entries]]]:
    """By name of an operation: its contributions in the first case that records it."""
    found: dict[str, list[tuple[Node, int, dict[str, Any], Entries]]] = {}
    for case in CASES:
        if not case.derivatives:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = result_of(case, [ag.Value(x) for x in case.draw() if x is not None])
        if result is None:
            continue
        scene = compose(find_subject(result, (), None, sys._getframe()), None, 10**6)
        new = {n.primitive.name for n in scene.graph.nodes if n.primitive is not None} - set(found)
        if not new:
            continue
        sweep = Backpropagation(scene.root)
        story = Story(scene, sweep, 10**6)
        for node in reversed(scene.graph.nodes):
            if node.primitive is None or node.primitive.name not in new:
                continue
            for place, _ in enumerate(node.inputs):
                part = sweep.contribution(node, place)
                if part is not None and not isinstance(part, tuple):
                    step = story._local(node, place, part)
                    entries = Entries(sweep, node, place, part)
                    found.setdefault(node.primitive.name, []).append((node, place, step, entries))
    return found


def evaluated(text: str) -> tuple[float, str]:
    """The left side of an equation, computed; and the right side, as it is written."""
    left, _, right = re.sub(r"^\[[\d, ]*\]: |   \(.*\)$", "", text).rpartition(
        " = " if " = " in text else " ≈ "
    )
    total = 0.0
    for term in left.split(" + "):
        factors = [float(x.strip("()")) for x in term.split(" × ")]
        total += float(np.prod(factors))
    return total, right


def is_real(node: Node, entries: Entries) -> bool:
    data = node.data if isinstance(node.data, tuple) else (node.data,)
    kinds = {np.asarray(x).dtype.kind for x in (*data, entries.contribution)}
    return "c" not in kinds


def test_no_step_speaks_of_moving_arrays_about() -> None:
    assert len(told()) > 300
    for name, steps in told().items():
        for _, _, step, _ in steps:
            assert "formula" in step or "words" in step, name
            for row in ("formula", "rule", "words"):
                assert not ARRANGING.search(str(step.get(row, ""))), (name, step[row])
            assert step.get("words", [GENERAL])[0] in SENTENCES


def test_one_entry_of_every_contribution_is_upstream_times_local() -> None:
    missing, wrong = set(), []
    for name, steps in told().items():
        for node, _, step, entries in steps:
            texts = [step[key] for key in ("product", "element") if key in step]
            texts += step.get("spelt", [])
            if not texts and is_real(node, entries) and entries.contribution.size:
                missing.add(name)
            for text in texts:
                if re.search(r"\di\b", text):
                    continue  # complex, which `gives` has compared
                if "×" not in text:
                    assert text.endswith(WORDS["unreached"][0]), (name, text)
                    continue
                total, right = evaluated(text)
                if "nan" not in text and float(number(total)) != float(right):
                    wrong.append((name, text, total))
    assert wrong == []
    assert missing <= NOT_SPELT, missing


NOT_SPELT: set[str] = set()


def test_what_is_said_to_have_the_local_derivative_1_has_it() -> None:
    for name, steps in told().items():
        if OPERATIONS.get(name) not in ONES:
            continue
        for node, place, _, entries in steps:
            if entries.matrix is not None and place == 0 and is_real(node, entries):
                assert set(np.unique(entries.matrix)) <= {0.0, 1.0}, name


def test_every_operation_of_numpy_has_a_sentence_of_its_own() -> None:
    arrays = {
        primitive.name
        for primitive in registry.values()
        if isinstance(primitive, Primitive)
        and not primitive.elementwise
        and (getattr(primitive.function, "__module__", None) or "").startswith("numpy")
        and primitive.name in told()
    }
    assert arrays - set(OPERATIONS) == set()
    assert set(OPERATIONS.values()) | {GENERAL, "by.element", "by.broadcast", "by.nothing"} == set(
        SENTENCES
    )


@pytest.mark.parametrize("key", WORDS)
def test_every_word_has_its_like_in_every_language(key: str) -> None:
    assert len(WORDS[key]) == len(LANGUAGES)
    named = [set(re.findall(r"{\w+}", text)) for text in WORDS[key]]
    assert all(names == named[0] for names in named)
    assert all(text.strip() == text and text for text in WORDS[key])
