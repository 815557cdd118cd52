"""Highlights and comparisons: where NaN began, where the gradient died, what differs."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.drawing.layout import lay_out
from autograd_lite.drawing.nesting import layered_layout


def marks(drawing):
    return {v.title: sorted(v.marks) for v in drawing.picture.vertices if v.marks}


def marked_edges(drawing):
    titles = {v.key: v.title for v in drawing.picture.vertices}
    return {(titles[e.tail], titles[e.head]) for e in drawing.picture.edges if e.marks}


def test_the_first_nan_is_found_with_its_source_line():
    def loss(x):
        safe = x * 2.0
        spoilt = np.log(safe - 3.0)
        return np.sum(spoilt * 0.5)

    with np.errstate(all="ignore"):
        drawing = ag.draw(loss, np.array([1.0, 2.0]), highlight="nan")
    assert marks(drawing) == {"spoilt": ["first"], "multiply": ["tainted"], "sum": ["tainted"]}
    first, where = drawing.picture.notes
    assert first == "The first NaN is the result of log."
    assert where.startswith("It was called at test_highlight.py:")
    assert where.endswith("spoilt = np.log(safe - 3.0).")


def test_infinity_and_nan_that_was_put_in_are_told_apart():
    x = ag.Value(np.array([0.0, 1.0]), label="x")
    with np.errstate(all="ignore"):
        assert ag.draw(1.0 / x, highlight="nan").picture.notes == (
            "The first inf is the result of divide.",
        )
    bad = ag.Value(np.nan, label="bad")
    assert ag.draw(bad * 2.0, highlight="nan").picture.notes == (
        "The first NaN was put in as bad.",
    )


def test_nan_that_appears_only_in_the_gradient_is_found():
    def root(x):
        return np.sum(np.sqrt(x) * np.array([0.0, 1.0]))

    with np.errstate(all="ignore"):
        drawing = ag.draw(root, np.array([0.0, 4.0]), highlight="nan")
    assert marks(drawing) == {"sqrt": ["first"]}
    assert marked_edges(drawing) == {("x", "sqrt")}
    assert drawing.picture.notes[0] == (
        "All values are finite; the first NaN in the gradient is the result of sqrt."
    )


def test_nothing_is_marked_where_all_is_finite():
    drawing = ag.draw(lambda x: x * x, 2.0, highlight="nan")
    assert marks(drawing) == {}
    assert drawing.picture.notes == ("All values and gradients are finite.",)


def test_a_dead_relu_blocks_the_gradient():
    def unit(x, w):
        dead = (x * w - 10.0).relu()
        return dead * 3.0 + x

    drawing = ag.draw(unit, 1.0, 2.0, highlight="zero_grad")
    assert marks(drawing) == {"w": ["blocked"], "multiply": ["tainted"], "subtract": ["tainted"]}
    assert marked_edges(drawing) == {("subtract", "dead")}
    assert drawing.picture.notes == ("No gradient reaches w.",)


def test_dead_units_are_counted():
    def layer(x, weight, bias):
        return np.sum((x @ weight + bias).relu())

    x, weight = np.ones((3, 2)), np.array([[1.0, -1.0, -2.0, -3.0], [0.5] * 4])
    drawing = ag.draw(layer, x, weight, np.zeros(4), highlight="zero_grad")
    assert drawing.picture.notes == (
        "No gradient reaches 3 of 4 units of weight, 3 of 4 units of bias.",
    )
    assert marks(drawing) == {"weight": ["tainted"], "bias": ["tainted"]}


def test_a_detached_input_gets_no_gradient():
    x = ag.Value(2.0, label="x")
    loss = x * (x * 3.0).detach()
    drawing = ag.draw(loss, highlight="zero_grad")
    assert list(marks(drawing).values()) == [["blocked"]]
    assert [v.subtitle for v in drawing.picture.vertices if v.marks] == ["no gradient"]


def test_a_gradient_that_reaches_all_leaves_nothing_to_mark():
    drawing = ag.draw(lambda x, y: x * y, 2.0, 3.0, highlight="zero_grad")
    assert marks(drawing) == {}
    assert drawing.picture.notes == ("A gradient reaches every leaf.",)


def test_the_path_of_the_largest_gradient():
    drawing = ag.draw(lambda a, b: a * 10.0 + b * 0.1, 1.0, 1.0, highlight="path")
    assert marked_edges(drawing) == {("a", "multiply"), ("multiply", "add")}
    assert drawing.picture.notes == ("The largest gradient flows add ← multiply ← a.",)


def test_two_runs_are_compared():
    def f(a, b):
        return np.tanh(a * 2.0) + b

    drawing = ag.draw(f, 1.0, 5.0, compare=(1.5, 5.0))
    assert drawing.picture.notes == (
        "8 of 12 nodes differ.",
        "The first difference is a: 1.0 → 1.5.",
    )
    by_frame = {frame: [] for frame in "ab"}
    for vertex in drawing.picture.vertices:
        if vertex.marks:
            by_frame[vertex.module[0]].append((vertex.title, *vertex.marks))
    assert by_frame["a"] == by_frame["b"]
    assert by_frame["a"] == [
        ("a", "differs"), ("multiply", "tainted"), ("tanh", "tainted"), ("add", "tainted"),
    ]  # fmt: skip
    changed = [dict(v.facts).get("changed") for v in drawing.picture.vertices if v.title == "a"]
    assert changed == ["1.0 → 1.5"] * 2
    assert drawing.svg.count("first f") and drawing.svg.count("second f")


def test_the_line_at_which_two_runs_part_is_named():
    noise = iter((0.5, 0.9))

    def f(x):
        return np.exp(np.sin(x) + next(noise))

    note = ag.draw(f, 0.0, compare=(0.0,)).picture.notes[1]
    assert note == "The first difference is 0.5: 0.5 → 0.9."
    drifting = iter((np.sin, np.cos))

    def g(x):
        turned = next(drifting)(x)
        return np.exp(turned)

    note = ag.draw(g, 0.0, compare=(0.0,)).picture.notes[1]
    assert note.startswith("The first difference is turned: only one run has it, computed at ")
    assert note.endswith("turned = next(drifting)(x).")


@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize("place", [lay_out, layered_layout])
def test_the_first_run_is_above_or_left_of_the_second(direction, place):
    drawing = ag.draw(lambda a: np.tanh(a * 2.0), 1.0, compare=(1.5,))
    first, second = place(drawing.picture, direction).frames
    if direction == "LR":
        assert first.y + first.height <= second.y
    else:
        assert first.x + first.width <= second.x


def test_equal_runs_and_runs_of_different_length():
    x, y = ag.Value(2.0), ag.Value(2.0)
    assert ag.draw(x * 3.0, compare=y * 3.0).picture.notes == ("The two runs are the same.",)
    longer = ag.draw(x * 3.0, compare=np.exp(y * 3.0))
    assert [v.title for v in longer.picture.vertices if v.marks] == ["exp"]


def test_comparisons_that_make_no_sense_are_refused():
    x = ag.Value(2.0)
    with pytest.raises(ag.ArgumentTypeError, match="draw: compare is float; pass a Value"):
        ag.draw(x * 2.0, compare=3.0)
    with pytest.raises(ag.ArgumentValueError, match="cannot be combined"):
        ag.draw(x * 2.0, compare=x * 3.0, highlight="nan")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (0.5, 0.9, "0.5 → 0.9"),
        (1.0, 1.0000001, "1.0 → 1.0000001"),
        (0.0, -0.0, "0.0 → -0.0"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.5], "[2]: 3.0 → 3.5 (1 of 3 entries differ)"),
        (np.arange(9.0), np.arange(9.0)[::-1], "[0]: 0.0 → 8.0 (8 of 9 entries differ)"),
        ([[np.nan, 1.0]], [[np.nan, 2.0]], "[0, 1]: 1.0 → 2.0 (1 of 2 entries differ)"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "(2,) float64 → (3,) float64"),
        (np.ones(3, np.float32), np.ones(3), "(3,) float32 → (3,) float64"),
    ],
)
def test_a_difference_says_what_was_and_is(before, after, change):
    def double(x):
        return x * 2.0

    with np.errstate(invalid="ignore"):
        notes = ag.draw(double, np.array(before), compare=(np.array(after),)).picture.notes
    assert notes[1] == f"The first difference is x: {change}."
