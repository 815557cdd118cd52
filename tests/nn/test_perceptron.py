"""Threshold units: Rosenblatt's rule, logic gates, XOR."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
import nn

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
GATES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0], "nor": [1, 0, 0, 0]}
XOR = [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (nn.McCullochPitts(2, threshold=2), [0, 0, 0, 1]),
        (nn.McCullochPitts(2, threshold=1), [0, 1, 1, 1]),
        (nn.McCullochPitts(2, threshold=1, n_inhibitory=1), [0, 0, 1, 0]),
        (nn.McCullochPitts(2, threshold=0, n_inhibitory=2), [1, 0, 0, 0]),
    ],
    ids=["and", "or", "and not", "nor"],
)
def test_mcculloch_pitts_units(unit, expected):
    np.testing.assert_array_equal(unit(INPUTS), expected)


def test_xor_of_mcculloch_pitts_units():
    first, second = INPUTS, INPUTS[:, ::-1]
    without = nn.McCullochPitts(2, threshold=1, n_inhibitory=1)
    either = nn.McCullochPitts(2, threshold=1)
    np.testing.assert_array_equal(either(np.c_[without(first), without(second)]), XOR)


def test_hebbs_rule_sums_correlations():
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    expected = w.copy()
    for inputs, outputs in zip(x, y, strict=True):
        expected += 0.5 * np.outer(inputs, outputs)
    np.testing.assert_allclose(nn.hebb_update(w, x, y, learning_rate=0.5), expected)


@pytest.mark.parametrize(("activation", "low"), [("heaviside", 0.0), ("sign", -1.0)])
def test_the_update_is_rosenblatts_exactly(activation, low):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 3))
    y = np.where(x @ [1.0, -2.0, 0.5] > 0.3, 1.0, low)
    unit = nn.Perceptron(3, activation=activation, learning_rate=0.25)
    weight, bias = np.zeros(3), 0.0
    for _ in range(3):
        mistakes = 0
        for sample, target in zip(x, y, strict=True):
            output = 1.0 if sample @ weight + bias >= 0 else low
            weight = weight + 0.25 * (target - output) * sample
            bias = bias + 0.25 * (target - output)
            mistakes += output != target
        assert unit.fit(x, y, epochs=1) == [mistakes]
        np.testing.assert_array_equal(unit.weight.data[:, 0], weight)
        np.testing.assert_array_equal(unit.bias.data, [bias])


@pytest.mark.parametrize("gate", GATES)
def test_gates_are_learned(gate):
    unit = nn.Perceptron(2)
    assert unit.fit(INPUTS, GATES[gate])[-1] == 0
    np.testing.assert_array_equal(unit.predict(INPUTS)[:, 0], GATES[gate])


def test_not_is_learned():
    unit = nn.Perceptron(1)
    unit.fit([[0], [1]], [1, 0])
    np.testing.assert_array_equal(unit.predict([[0], [1]])[:, 0], [1, 0])


def test_xor_is_never_learned_by_one_layer():
    mistakes = nn.Perceptron(2).fit(INPUTS, XOR, epochs=200)
    assert len(mistakes) == 200
    assert min(mistakes) > 0


def test_xor_is_computed_by_two_layers_of_gates():
    hidden = nn.Perceptron(2, 2)
    hidden.fit(INPUTS, np.transpose([GATES["or"], GATES["nand"]]))
    out = nn.Perceptron(2)
    out.fit(INPUTS, GATES["and"])
    np.testing.assert_array_equal(out.predict(hidden.predict(INPUTS))[:, 0], XOR)


def test_several_outputs_learn_as_if_alone():
    targets = np.transpose(list(GATES.values()))
    together = nn.Perceptron(2, 4)
    together.fit(INPUTS, targets, epochs=5)
    for index, target in enumerate(GATES.values()):
        alone = nn.Perceptron(2)
        alone.fit(INPUTS, target, epochs=5)
        np.testing.assert_array_equal(together.weight.data[:, index], alone.weight.data[:, 0])


@settings(deadline=None, max_examples=25, derandomize=True)
@given(seed=st.integers(0, 10_000), in_features=st.integers(1, 5))
def test_it_converges_within_novikoffs_bound(seed, in_features):
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=in_features + 1)
    normal /= np.linalg.norm(normal)
    points = rng.uniform(-1, 1, (200, in_features))
    with_bias = np.column_stack((points, np.ones(200)))
    margins = with_bias @ normal
    kept = np.abs(margins) > 0.1
    points, labels, margins = points[kept], np.sign(margins[kept]), margins[kept]
    if not len(points):
        return
    unit = nn.Perceptron(in_features, activation="sign")
    bound = (np.linalg.norm(with_bias[kept], axis=1).max() / np.abs(margins).min()) ** 2
    mistakes = unit.fit(points, labels, epochs=5000)
    assert mistakes[-1] == 0
    assert sum(mistakes) <= bound + 1  # zero weights decide for 1, a mistake of no margin


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda unit: unit.fit(INPUTS, [0, 1, 2, 1]),
            "Perceptron: the targets must be 0 or 1, the outputs of heaviside, "
            "but y holds [0. 1. 2.]",
        ),
        (
            lambda unit: unit.fit(INPUTS, [0, 1]),
            "Perceptron: x has shape (4, 2) and y has shape (2, 1); "
            "they must be (samples, 2) and (samples, 1)",
        ),
        (
            lambda unit: unit.fit([[np.nan, 0.0]], [1]),
            "Perceptron: x holds NaN or infinite numbers; remove or replace them",
        ),
        (
            lambda unit: unit.predict(np.zeros((4, 3))),
            "Perceptron: the input has shape (4, 3), but the weight has shape (2, 1); "
            "the last axis of the input must have length 2",
        ),
        (
            lambda unit: nn.McCullochPitts(2, threshold=1)([[0, 2]]),
            "McCullochPitts: the input has shape (1, 2); it must hold zeros and ones, "
            "2 along its last axis",
        ),
        (
            lambda unit: nn.McCullochPitts(2, threshold=1, n_inhibitory=3),
            "McCullochPitts: n_inhibitory is 3 of 2 inputs; it must be from 0 to 2",
        ),
        (
            lambda unit: nn.Perceptron(2, learning_rate=0),
            "Perceptron: learning_rate is 0; it must be a positive number",
        ),
    ],
)
def test_bad_input_changes_nothing(call, message):
    unit = nn.Perceptron(2)
    with pytest.raises(ag.ArgumentValueError) as error:
        call(unit)
    assert str(error.value) == message
    assert not unit.weight.data.any()


MASKED = np.ma.masked_greater(INPUTS.astype(float), 0)
TIMES = INPUTS.astype("M8[D]")


@pytest.mark.parametrize("odd", [MASKED, TIMES, INPUTS * 1j, INPUTS.astype(str)])
def test_what_is_no_number_is_not_learned(odd):
    """What was masked was used, and dates counted as days."""
    unit, weight, y = nn.Perceptron(2), np.zeros((2, 1)), np.ones((4, 1))
    for call in (
        lambda: unit.fit(odd, y),
        lambda: unit.learn(odd[1], 1),
        lambda: unit(odd),
        lambda: nn.hebb_update(weight, odd, y),
    ):
        with pytest.raises(ag.ArgumentTypeError, match=r"masked|not a real number"):
            call()
    assert not unit.weight.data.any()


@pytest.mark.parametrize("epochs", [2.5, -1, "3"])
def test_epochs_are_counted(epochs):
    with pytest.raises(ag.ArgumentValueError, match=r"Perceptron: epochs is .*positive integer"):
        nn.Perceptron(2).fit(INPUTS, XOR, epochs=epochs)
    assert nn.Perceptron(2).fit(INPUTS, XOR, epochs=0) == []


def test_one_sample_is_learned_at_a_time():
    unit = nn.Perceptron(2)
    for x, target in ((INPUTS, 1), ([1, 1], [1, 2]), ([1, 1, 1], 1), ([np.nan, 1], 1)):
        with pytest.raises(ag.ArgumentValueError, match=r"one sample|NaN"):
            unit.learn(x, target)
    assert not unit.weight.data.any()
    assert unit.freeze().predict([1, 1]) == [1]
    with pytest.raises(ag.ArgumentValueError, match=r"it is frozen.*call unfreeze\(\) first$"):
        unit.learn([1, 1], 0)


def test_hebbs_rule_takes_samples_first():
    """Features first, of the right number of entries, were read as other samples."""
    x, y = np.arange(6.0).reshape(3, 2), np.array([1.0, -1.0, 2.0])
    expected = np.array([[0 * 1 - 2 + 4 * 2.0], [1 - 3 + 5 * 2.0]])
    weight = np.zeros((2, 1))
    np.testing.assert_array_equal(nn.hebb_update(weight, x, y), expected)
    np.testing.assert_array_equal(nn.hebb_update(weight, x, y[:, None]), expected)
    np.testing.assert_array_equal(nn.hebb_update(weight, x[2], y[2]), [[8.0], [10.0]])
    for wrong in ((weight, x.T.copy(), y), (weight, x, y[:2]), (np.zeros(2), x, y),
                  (np.zeros((4, 1)), np.ones((4, 2)), np.ones((2, 1)))):  # fmt: skip
        with pytest.raises(ag.ArgumentValueError, match="hebb_update: the weight has shape"):
            nn.hebb_update(*wrong)
    with pytest.raises(ag.ArgumentValueError, match="learning_rate is 'a'"):
        nn.hebb_update(weight, x, y, learning_rate="a")
