"""Recurrent networks, repeated units and activations in pictures."""

from __future__ import annotations

import warnings

import numpy as np

import autograd_lite as ag
import nn


class Cell(nn.Module):
    def __init__(self):
        self.w, self.u = nn.Parameter(np.eye(3)), nn.Parameter(np.ones((2, 3)))

    def forward(self, x, h):
        return np.tanh(x @ self.u + h @ self.w)


class Recurrent(nn.Module):
    def __init__(self):
        self.cell, self.out = Cell(), nn.Linear(3, 1, rng=0)

    def forward(self, x):
        h = np.zeros((1, 3))
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h)
        return np.sum(self.out(h) ** 2)


X = np.random.default_rng(0).normal(size=(1, 10, 2))


def titles(drawing):
    return [v.title for v in drawing.picture.vertices]


def test_a_run_of_calls_is_one_box_with_its_parameters_inside():
    drawing = ag.draw(Recurrent(), X, depth=1)
    assert titles(drawing) == ["x", "10 × getitem", "10 × Cell", "out  Linear", "2", "power", "sum"]
    run = drawing.picture.vertices[2]
    assert ("parameters", "15") in run.facts and ("", "cell … cell (call 10)") in run.facts


def test_shared_weights_are_named_at_every_further_call_and_the_calls_are_in_order():
    drawing = ag.draw(Recurrent(), X[:, :4])
    assert [v.subtitle for v in drawing.picture.vertices].count("shared") == 0
    design = drawing._design
    shared = [v for v in design.still.vertices if v.subtitle == "shared"]
    assert [v.title for v in shared] == ["cell.u", "cell.w"] * 3
    frames = dict(
        zip([c.path[-1] for c in design.still.clusters], design.layout.frames, strict=True)
    )
    tops = [frames[name].y for name in ("cell", "cell (call 2)", "cell (call 3)", "cell (call 4)")]
    assert tops == sorted(tops) and len(set(tops)) == 4


def test_what_two_calls_share_is_drawn_once_with_a_line_to_each():
    still = ag.draw(Recurrent(), X[:, :2])._design.still
    assert not any(v.subtitle == "shared" for v in still.vertices)


def units(count):
    """Hidden units of numbers, the sum of which begins with the first."""
    rng = np.random.default_rng(0)
    x = [ag.Value(0.5, label="x0"), ag.Value(-1.0, label="x1")]
    total = 0.0
    for unit in range(count):
        w, b = [ag.Value(rng.normal(), label=f"w{unit}{i}") for i in range(2)], ag.Value(0.0)
        v = ag.Value(rng.normal(), label=f"v{unit}")
        total = total + v * np.tanh(w[0] * x[0] + w[1] * x[1] + b)
    return total


def test_no_unit_is_split_from_its_sisters_and_folds_have_ranges():
    result = units(32)
    result.backward()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawing = ag.draw(result, max_nodes=40)
    picture = drawing.picture
    folds = [v for v in picture.vertices if v.kind == "fold"]
    assert all(any(name == "value" for name, _ in v.facts) for v in folds)
    assert all(any(name == "grad" for name, _ in v.facts) for v in folds)
    rows = [text for v in folds for name, text in v.facts if name == ""]
    assert "32 × (multiply → multiply → add → add → tanh → multiply)" in rows


def test_layers_without_parameters_say_what_they_do():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Activation("relu6"))
    shown = titles(ag.draw(model, np.ones((1, 2)), depth=1))
    assert shown == ["inputs", "0  Linear", "1  relu6"]
