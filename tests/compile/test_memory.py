"""How much memory a program takes: checkpoints, updates as early as they can be, large traces."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

LAYERS, WIDTH, BATCH, BLOCK = 16, 8, 512, 4
ACTIVATION = BATCH * WIDTH * 4


def layers(x, weights):
    for w in weights:
        x = np.tanh(x @ w)
    return x


def plain_loss(weights, x):
    return np.mean(layers(x, weights))


def checkpointed_loss(weights, x):
    block = ag.checkpoint(lambda x, *weights: layers(x, weights))
    for start in range(0, LAYERS, BLOCK):
        x = block(x, *weights[start : start + BLOCK])
    return np.mean(x)


def capturing_loss(weights, x):
    """The same with weights that the blocks capture instead of being given them."""
    for start in range(0, LAYERS, BLOCK):
        x = ag.checkpoint(lambda x, start=start: layers(x, weights[start : start + BLOCK]))(x)
    return np.mean(x)


def step_of(loss):
    def step(weights, x):
        value, gradients = ag.value_and_grad(loss)(weights, x)
        return value, [w - 0.1 * g for w, g in zip(weights, gradients, strict=True)]

    return step


def arguments():
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(scale=WIDTH**-0.5, size=(WIDTH, WIDTH)).astype(np.float32) for _ in range(LAYERS)
    ]
    return weights, rng.normal(size=(BATCH, WIDTH)).astype(np.float32)


def compiled_and_checked(loss):
    weights, x = arguments()
    reference = [w.copy() for w in weights]
    compiled = ag.compile(step_of(loss), donate=0)
    for _ in range(3):
        value, weights = compiled(weights, x)
        expected, reference = step_of(plain_loss)(reference, x)
        np.testing.assert_allclose(value, expected, rtol=1e-6)
        for mine, yours in zip(weights, reference, strict=True):
            assert mine.dtype == np.float32
            np.testing.assert_allclose(mine, yours, rtol=1e-5, atol=1e-7)
    return compiled


def test_a_step_takes_little_more_than_the_activations():
    assert compiled_and_checked(plain_loss).stats.peak <= 1.1 * LAYERS * ACTIVATION


@pytest.mark.parametrize("loss", [checkpointed_loss, capturing_loss])
def test_checkpoints_keep_one_activation_for_each_block_and_those_of_one_block(loss):
    compiled = compiled_and_checked(loss)
    kept = LAYERS // BLOCK + BLOCK + 1
    assert compiled.stats.peak <= (kept + 0.5) * ACTIVATION
    assert compiled.source.count("tanh(") == 2 * LAYERS


def test_a_recomputation_is_not_merged_with_another_one_or_folded():
    block = ag.checkpoint(lambda x: np.exp(np.sin(x)))
    compiled = ag.compile(ag.grad(lambda x: np.sum(block(x) + block(2 * x))))
    x = np.array([0.5, 1.0])
    expected = ag.grad(lambda x: np.sum(np.exp(np.sin(x)) + np.exp(np.sin(2 * x))))(x)
    for _ in range(3):
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-14)
    assert compiled.source.count("recompute") >= 2


def test_nested_checkpoints_and_second_derivatives():
    inner = ag.checkpoint(np.sin)
    outer = ag.checkpoint(lambda x: inner(x) * inner(inner(x)))
    for derivative in (ag.grad(outer), ag.grad(ag.grad(outer))):
        compiled = ag.compile(derivative)
        for x in (0.5, 0.7, 0.5):
            np.testing.assert_allclose(compiled(x), derivative(x), rtol=1e-13)


def test_a_checkpoint_reads_captured_values_at_every_call():
    scale = ag.Value(np.array([2.0, 3.0]))
    block = ag.checkpoint(lambda x: np.sum(np.sin(x) * scale))
    compiled = ag.compile(ag.grad(block))
    x = np.array([0.5, 1.0])
    np.testing.assert_allclose(compiled(x), np.cos(x) * [2.0, 3.0])
    scale.data = np.array([5.0, 7.0])
    np.testing.assert_allclose(compiled(x), np.cos(x) * [5.0, 7.0])


def test_an_update_waits_for_the_last_reader_of_the_old_parameter():
    def step(w, x):
        loss, g = ag.value_and_grad(lambda w: np.sum((x @ w) @ w.T))(w)
        return w - 0.1 * g, loss + np.sum(w)

    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    expected = step(w, x)
    compiled = ag.compile(step, donate=0)
    for _ in range(3):
        for mine, yours in zip(compiled(w.copy(), x), expected, strict=True):
            np.testing.assert_allclose(mine, yours, rtol=1e-13)


def test_what_comes_between_two_sweeps_is_computed_before_the_second_reads_it():
    def slope(w):
        weighted = ag.grad(lambda v: np.sum(np.sin(v)))(w) * np.exp(w * w)
        return np.sum(weighted)

    w = np.linspace(-1, 1, 5)
    compiled = ag.compile(ag.grad(slope))
    for _ in range(3):
        np.testing.assert_allclose(compiled(w), ag.grad(slope)(w), rtol=1e-13)
    expected = (2 * w * np.cos(w) - np.sin(w)) * np.exp(w * w)
    np.testing.assert_allclose(compiled(w), expected, rtol=1e-12)


def test_a_penalty_on_weights_takes_no_memory_beside_their_gradient():
    """The first weights are free to be read from the first product on, the last from the last."""

    def step(weights, x):
        value, gradients = ag.value_and_grad(plain_loss)(weights, x)
        decayed = [g + 0.01 * (0.5 * w) for w, g in zip(weights, gradients, strict=True)]
        return value, [w - 0.1 * g for w, g in zip(weights, decayed, strict=True)]

    weights, x = arguments()
    expected, without = step(weights, x), ag.compile(step_of(plain_loss), donate=0)
    compiled = ag.compile(step, donate=0)
    for mine, yours in zip(compiled(copies(weights), x)[1], expected[1], strict=True):
        np.testing.assert_allclose(mine, yours, rtol=1e-5, atol=1e-7)
    without(copies(weights), x)
    assert compiled.stats.bytes <= without.stats.bytes + weights[0].nbytes


def copies(arrays):
    return [array.copy() for array in arrays]


def test_tracing_keeps_no_large_arrays():
    def chain(x):
        for _ in range(50):
            x = np.tanh(x + 1)
        return np.sum(x)

    x = np.linspace(0, 1, 1 << 19)
    compiled = ag.compile(ag.grad(chain))
    tracemalloc.start()
    try:
        compiled(x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < compiled.stats.peak + 8 * x.nbytes
    np.testing.assert_allclose(compiled(x), ag.grad(chain)(x), rtol=1e-12)


def test_a_function_that_needs_its_numbers_while_it_is_traced_gets_them():
    """A repeated row would be a singular matrix."""
    x = np.eye(400) * np.arange(1.0, 401.0)
    compiled = ag.compile(lambda x: np.linalg.inv(x * 2.0))
    for _ in range(2):
        np.testing.assert_allclose(np.diag(compiled(x)), 0.5 / np.arange(1.0, 401.0))


def test_a_trace_that_lives_on_in_a_cycle_does_not_keep_the_arrays_of_its_caller() -> None:
    """Frames that hold batches would stay until the collector comes by."""

    def call() -> Any:
        batch = np.ones(1000)
        known = weakref.ref(batch)
        ag.compile(ag.grad(lambda x: np.sum(np.tanh(x) ** 2)))(batch)
        return known

    gc.collect()
    gc.disable()
    try:
        assert call()() is None
    finally:
        gc.enable()
