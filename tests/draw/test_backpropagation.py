"""The sweep taken apart: its contributions are the engine's own, and add up to `.grad`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core.backward import add
from autograd_lite.drawing.backpropagation import Backpropagation, backpropagation_from
from autograd_lite.drawing.collect import recorded_graph

OPERATIONS = [
    lambda x, y: x + y,
    lambda x, y: x * y,
    lambda x, y: np.tanh(x) - y,
    lambda x, y: np.sin(x * y),
    lambda x, y: np.maximum(x, 0.3 * y),
]


def assert_contributions_add_up(result):
    result.backward()
    root = result.node
    sweep = Backpropagation(root)
    sums = {root: sweep.gradients[root]}
    for node in sweep.order:
        for place, x in enumerate(node.inputs):
            contribution = sweep.contribution(node, place)
            if contribution is not None:
                sums[x] = contribution if x not in sums else add(sums[x], contribution)
    for node in recorded_graph([root]).nodes:
        if node.grad is not None:
            np.testing.assert_array_equal(sums[node], node.grad)
            np.testing.assert_array_equal(sweep.gradients[node], node.grad)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 99), st.integers(0, 99)), max_size=25))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_contributions_of_scalar_graphs_add_up_to_grad(steps):
    nodes = [ag.Value(0.7), ag.Value(-1.3)]
    for which, i, j in steps:
        nodes.append(OPERATIONS[which](nodes[i % len(nodes)], nodes[j % len(nodes)]))
    assert_contributions_add_up(nodes[-1] * 1.0)


def test_contributions_of_array_graphs_add_up_to_grad():
    rng = np.random.default_rng(0)
    x, w = ag.Value(rng.normal(size=(4, 3))), ag.Value(rng.normal(size=(3, 2)))
    h = np.tanh(x @ w) + np.sum(w, axis=0)
    assert_contributions_add_up(np.mean(h * h) + np.sum(np.concatenate([x, x * 2.0])[1:, 0]))


def test_zero_behind_a_mask_stays_zero_as_in_the_engine():
    x = ag.Value(np.array([0.0, 4.0]))
    result = np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    assert_contributions_add_up(result)
    np.testing.assert_array_equal(x.grad, [0.0, 0.25])


def test_complex_contributions_point_the_way_of_steepest_ascent():
    z = ag.Value(np.array([1.0 + 2.0j, -0.5j]))
    assert_contributions_add_up(np.sum(np.abs(z * (1.0 - 2.0j)) ** 2))


def test_no_grad_is_touched():
    x = ag.Value(2.0)
    y = x * x
    assert Backpropagation(y.node).gradients[x.node] == 4.0
    assert x.grad is None and y.grad is None


def test_a_seed_given_to_backward_is_the_start():
    x = ag.Value([1.0, 2.0])
    y = x * x
    assert backpropagation_from(y.node) is None
    y.backward([1.0, -1.0])
    np.testing.assert_array_equal(backpropagation_from(y.node).gradients[x.node], [2.0, -4.0])


def test_results_without_gradient_have_no_sweep():
    x = ag.Value(2.0)
    assert backpropagation_from((x > 1.0).node) is None
    y = x * x
    y.backward(retain_graph=False)
    assert backpropagation_from(y.node) is None


def several_outputs(a):
    eigenvalues, eigenvectors = np.linalg.eigh(a)
    return np.sum(eigenvectors[0] * eigenvalues)


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (several_outputs, np.array([[2.0, 1.0], [1.0, 3.0]])),
        (lambda x: np.sum(x[1:] * x[:-1]), np.arange(4.0)),
        (lambda x: np.sum(x.at[0].set(5.0).at[[1, 1]].add(2.0)), np.arange(4.0)),
        (lambda x: np.sum(x * 2.0), np.zeros((0, 3))),
        (lambda z: np.real(z * np.conjugate(z)), 1.0 + 2.0j),
        (lambda x: (x * 2.0, x * 3.0), 2.0),
        (lambda x: x * x, np.arange(3.0)),
        (lambda x: x > 1.0, np.arange(3.0)),
        (lambda x: np.tanh(x), np.float32(0.5)),
        (lambda x: ag.grad(lambda y: y**3 * x)(x), 2.0),
    ],
)
def test_every_kind_of_graph_can_be_drawn_and_stepped_through(function, argument, tmp_path):
    drawing = ag.draw(function, argument)
    for suffix in ("svg", "html", "txt", "mmd"):
        assert drawing.save(tmp_path / f"graph.{suffix}").stat().st_size > 100
