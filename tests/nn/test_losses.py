"""Losses: values, derivatives, reductions, weights, extremes, errors."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy import special

import autograd_lite as ag
import nn
from autograd_lite.core.node import Node
from tests.nn.loss_cases import CASES, LABELS, PREDICTION, TARGET, YES_NO


def test_every_loss_is_tested():
    """A loss is its function, which registers and lists itself, and its row in the table."""
    exported = set(nn.losses.__all__) - {"losses"}
    assert set(nn.losses.losses) == {*CASES, "zero_one"} == exported
    assert all(getattr(nn.losses, name) is loss for name, loss in nn.losses.losses.items())


@pytest.mark.parametrize("name", CASES)
def test_values_and_reductions(name):
    loss, target, expected, _ = CASES[name]
    each = np.asarray(expected)
    weight = np.array([1.0, 0.0, 2.0, 1.0, 0.5, 3.0])
    weights = np.broadcast_to(weight.reshape(-1, *(1,) * (each.ndim - 1)), each.shape)
    close = np.testing.assert_allclose
    close(loss(PREDICTION, target), each.mean())
    close(loss(PREDICTION, target, reduction="sum"), each.sum())
    close(loss(PREDICTION, target, reduction="none"), each)
    close(loss(PREDICTION, target, sample_weight=weight), np.average(each, weights=weights))
    close(loss(PREDICTION, target, sample_weight=weight, reduction="sum"), (each * weights).sum())


@pytest.mark.parametrize("name", CASES)
def test_both_derivatives(name, check_derivatives):
    loss, target, _, linear = CASES[name]
    check_derivatives(lambda x: loss(x, target), PREDICTION, second=not linear)
    check_derivatives(
        lambda x: loss(x, target, sample_weight=np.arange(6.0)), PREDICTION, second=not linear
    )


@pytest.mark.parametrize("name", CASES)
def test_float32_is_kept(name):
    loss, target, *_ = CASES[name]
    x = ag.Value(PREDICTION.astype(np.float32))
    out = loss(x, target, sample_weight=np.arange(6.0))
    out.backward()
    assert out.dtype == np.float32
    assert x.grad.dtype == np.float32


@pytest.mark.parametrize("name", CASES)
def test_whole_numbers_and_lists_are_outputs_like_others(name):
    """In the dtype of the outputs, targets and weights were rounded: mse([1], [1.5]) was 0."""
    case, weight = CASES[name], np.linspace(0.3, 1.7, 6)
    whole = np.array([[1, 0, 2], [-1, 3, 0], [0, 0, 1], [2, 1, -1], [1, 1, 3], [0, -2, 1]])
    target = whole + 0.25 if case.target is TARGET else case.target
    options = {"sample_weight": weight, "reduction": "none"}
    expected = case.loss(whole.astype(np.float64), target, **options)
    for outputs in (whole, whole.tolist(), whole.astype(np.int8), ag.Value(whole)):
        computed = case.loss(outputs, target, **options)
        np.testing.assert_array_equal(getattr(computed, "data", computed), expected)
    for odd in (whole + 1j, whole.astype(str), whole.astype("m8[D]"), whole.astype(object) + 1j):
        with pytest.raises(ag.ArgumentTypeError, match="the outputs hold"):
            case.loss(odd, target)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_losses_from_logits_are_stable(dtype):
    logits = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]], dtype)
    for loss, target, expected in (
        (nn.cross_entropy, [0, 0], 1000.0),
        (nn.binary_cross_entropy, [[1.0, 0.0], [1.0, 0.0]], 500.0),
    ):
        value = ag.Value(logits)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            out = loss(value, target)
            out.backward()
        assert out.item() == expected
        assert np.isfinite(value.grad).all()


def test_cross_entropy_takes_probabilities_class_weights_and_smoothing():
    probabilities = nn.one_hot(LABELS, 3)
    plain = nn.cross_entropy(PREDICTION, LABELS, reduction="none")
    np.testing.assert_array_equal(
        nn.cross_entropy(PREDICTION, probabilities, reduction="none"), plain
    )
    weight = np.array([1.0, 2.0, 5.0])
    np.testing.assert_allclose(
        nn.cross_entropy(PREDICTION, LABELS, class_weight=weight),
        np.average(plain, weights=weight[LABELS]),
    )
    uniform = -special.log_softmax(PREDICTION, axis=1).mean(axis=1)
    np.testing.assert_allclose(
        nn.cross_entropy(PREDICTION, LABELS, label_smoothing=0.1, reduction="none"),
        0.9 * plain + 0.1 * uniform,
    )


def test_binary_cross_entropy_from_probabilities():
    np.testing.assert_allclose(
        nn.binary_cross_entropy(nn.sigmoid(PREDICTION), YES_NO, from_logits=False),
        nn.binary_cross_entropy(PREDICTION, YES_NO),
    )
    assert nn.binary_cross_entropy(np.array([0.0, 1.0]), [0, 1], from_logits=False) == 0.0


def test_impossible_events_cost_a_finite_amount():
    for dtype in (np.float32, np.float64):
        outputs = ag.Value(np.array([0.0], dtype))
        loss = nn.binary_cross_entropy(outputs, [1.0], from_logits=False)
        assert loss.item() == 100.0  # as in PyTorch
        loss.backward()
        assert np.isfinite(outputs.grad).all()


@pytest.mark.parametrize("labels", [[1, 0, 1], [1, -1, 1]])
def test_margins_of_single_scores(labels):
    scores = np.array([0.5, 3.0, 1.5])
    close = np.testing.assert_array_equal
    close(nn.hinge(scores, labels, reduction="none"), [0.5, 4.0, 0.0])
    close(nn.losses.perceptron(scores, labels, reduction="none"), [0.0, 3.0, 0.0])
    close(nn.squared_hinge(scores[:, None], np.c_[labels], reduction="none").ravel(), [0.25, 16, 0])


def test_the_gradient_of_the_perceptron_loss_is_rosenblatts_rule():
    rng = np.random.default_rng(0)
    unit, linear = nn.Perceptron(3, activation="sign"), nn.Linear(3, 1)
    linear.weight.data[:] = 0
    for x, label in zip(rng.normal(size=(30, 3)), rng.choice([-1.0, 1.0], 30), strict=True):
        score = linear(x[np.newaxis])
        linear.zero_grad()
        nn.losses.perceptron(score, [[label]]).backward()
        unit.learn(x, [label])
        if score.item() != 0:  # a score of zero is a tie, on which the two may differ
            for parameter in linear.parameters():
                parameter.data -= 2 * parameter.grad
        else:
            linear.load_state_dict(unit.state_dict())
        np.testing.assert_array_equal(linear.weight.data, unit.weight.data)
        np.testing.assert_array_equal(linear.bias.data, unit.bias.data)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [(np.float64, s) for s in (1e-300, 1e-170, 1.0, 1e170, 1e300)]
    + [(np.float32, s) for s in (1e-35, 1e-25, 1e20, 1e37)],
)
def test_a_cosine_does_not_depend_on_the_length(dtype, scale):
    """Of (3, 4) and (4, 3) it is 24/25, and the gradient that at length 5, over the scale."""
    vector, other = np.array([[3.0, 4.0]], dtype), np.array([[4.0, 3.0]], dtype)
    expected = np.array([[-0.0448, 0.0336]])
    for compiled in (False, True):
        both = ag.value_and_grad(lambda x: nn.losses.cosine(x, other))
        both = ag.compile(both) if compiled else both
        value, g = both(vector * dtype(scale))
        assert value == pytest.approx(0.04, rel=1e-5)
        assert g.dtype == dtype
        np.testing.assert_allclose(g * dtype(scale), expected, rtol=1e-5)
        assert nn.losses.cosine(other, vector * dtype(scale)) == pytest.approx(0.04, rel=1e-5)


def test_a_cosine_with_zeros_counts_as_orthogonal():
    value = ag.Value(np.zeros((1, 2)))
    loss = nn.losses.cosine(value, np.ones((1, 2)))
    loss.backward()
    assert loss.item() == 1.0
    assert np.isfinite(value.grad).all()


def test_weights_of_zero_everywhere_cost_nothing():
    assert nn.mse(np.ones(3), np.zeros(3), sample_weight=np.zeros(3)) == 0.0


@pytest.mark.parametrize("name", CASES)
def test_targets_that_are_values_are_recorded(name):
    """The record holds the targets as inputs, so that it can be replayed on other targets."""
    loss, target, *_ = CASES[name]
    value = ag.Value(target, requires_grad=False)
    out = loss(ag.Value(PREDICTION), value)
    stack, seen = [out.node], set()
    while stack:
        node = stack.pop()
        if id(node) not in seen and isinstance(node, Node):
            seen.add(id(node))
            stack.extend(node.inputs)
    assert id(value.node) in seen
    assert out.item() == loss(PREDICTION, target)


def test_zero_one_counts_wrong_classes():
    assert nn.zero_one(np.array([[2.0, 1.0], [0.0, 3.0], [1.0, 0.0]]), [0, 0, 0]) == 1 / 3
    assert nn.zero_one(np.array([[-1.0], [1.0]]), np.array([[1], [1]])) == 0.5
    assert nn.zero_one(ag.Value([-1.0, 1.0]), [0, 1], reduction="sum") == 0.0


LOGITS = np.zeros((5, 10))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.cross_entropy(LOGITS, [0, 1, 2, 10, 4]),
            "cross_entropy: the label at position 3 is 10, but the logits have 10 classes; "
            "labels go from 0 to 9",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, [0, 1, -1, 3, 4]),
            "cross_entropy: the label at position 2 is -1, but the logits have 10 classes; "
            "labels go from 0 to 9",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, [0, 1]),
            "cross_entropy: the labels have shape (2,), but the logits have shape (5, 10); "
            "give one label for each row, shape (5,)",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, [0.5, 1, 2, 3, 4]),
            "cross_entropy: the labels have dtype float64 and are not whole numbers; "
            "number the classes from 0 to 9",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, ["a", "b", "c", "d", "e"]),
            "cross_entropy: the labels have dtype <U1 and are not whole numbers; "
            "number the classes from 0 to 9",
        ),
        (
            lambda: nn.cross_entropy(np.zeros(5), [0, 1, 2, 3, 4]),
            "cross_entropy: the logits have shape (5,); they must have shape (samples, classes)",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, [0, 1, 2, 3, 4], label_smoothing=1.0),
            "cross_entropy: label_smoothing is 1.0; it must be in [0, 1)",
        ),
        (
            lambda: nn.cross_entropy(LOGITS, [0, 1, 2, 3, 4], class_weight=[1.0, 2.0]),
            "cross_entropy: class_weight has shape (2,), but there are 10 classes; "
            "give one weight for each",
        ),
        (
            lambda: nn.mse(np.zeros((5, 2)), np.zeros(5)),
            "mse: the outputs have shape (5, 2), but the targets have shape (5,); "
            "reshape one so that both are equal",
        ),
        (
            lambda: nn.mse(np.zeros(5), np.zeros(5), reduction="average"),
            "mse: reduction is 'average'; use 'mean', 'sum' or 'none'",
        ),
        (
            lambda: nn.mse(np.zeros(5), np.zeros(5), sample_weight=[1.0, 2.0]),
            "mse: sample_weight has shape (2,), but there are 5 samples; "
            "give one weight for each, shape (5,)",
        ),
        (
            lambda: nn.mse(np.zeros(2), np.zeros(2), sample_weight=[1.0, -2.0]),
            "mse: the weights in sample_weight go from -2 to 1; they must be at least 0",
        ),
        (
            lambda: nn.huber(np.zeros(2), np.zeros(2), delta=0),
            "huber: delta is 0; it must be a positive number",
        ),
        (
            lambda: nn.binary_cross_entropy(np.zeros(2), [0, 2]),
            "binary_cross_entropy: the labels go from 0 to 2; they must be from 0 to 1",
        ),
        (
            lambda: nn.binary_cross_entropy(np.zeros((2, 3)), [0, 1]),
            "binary_cross_entropy: the outputs have shape (2, 3), but the targets have shape (2,); "
            "reshape one so that both are equal",
        ),
        (
            lambda: nn.poisson(np.zeros(2), [1, -1]),
            "poisson: the counts go from -1 to 1; they must be at least 0",
        ),
        (
            lambda: nn.poisson(np.zeros(2), [1, np.nan]),
            "poisson: the counts go from nan to nan; they must be at least 0",
        ),
        (
            lambda: nn.kl_divergence(np.zeros((1, 2)), [[-0.5, 1.5]]),
            "kl_divergence: the probabilities go from -0.5 to 1.5; they must be at least 0",
        ),
        (
            lambda: nn.hinge(np.zeros(3), [0, 1, -1]),
            "hinge: the labels hold [-1  0  1]; use 0 and 1, or -1 and 1",
        ),
        (
            lambda: nn.hinge(np.zeros((3, 1, 1)), [0, 1, 1]),
            "hinge: the scores have shape (3, 1, 1), but the labels have shape (3,); "
            "reshape one so that both are equal",
        ),
        (
            lambda: nn.zero_one(np.zeros((2, 3)), [0, 1, 2]),
            "zero_one: the labels have shape (3,), but there are predictions of shape (2,); "
            "give one label for each sample",
        ),
    ],
)
def test_bad_targets_are_named(call, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        call()
    assert str(error.value) == message


SMALL = [0.0, 1e-300, 1e-20, 1e-9, 1e-4, 0.5, 0.999, 1.001, 20.0, 300.0]
PRECISE = {
    "log_cosh": (nn.log_cosh, lambda mp, e: (e, 0.0, mp.log(mp.cosh(e)))),
    "mse": (nn.mse, lambda mp, e: (e, 0.0, e * e)),
    "huber": (nn.huber, lambda mp, e: (e, 0.0, e * e / 2 if e <= 1 else e - 0.5)),
    "a yes": (nn.binary_cross_entropy, lambda mp, e: (e, 1.0, mp.log1p(mp.exp(-e)))),
    "a no": (nn.binary_cross_entropy, lambda mp, e: (-e, 0.0, mp.log1p(mp.exp(-e)))),
    "a weighted yes": (
        partial(nn.binary_cross_entropy, pos_weight=2.0),
        lambda mp, e: (e, 1.0, 2 * mp.log1p(mp.exp(-e))),
    ),
    "a probability": (
        partial(nn.binary_cross_entropy, from_logits=False),
        lambda mp, e: (float(e / 1001), 0.0, -mp.log1p(-mp.mpf(float(e / 1001)))),
    ),
}


@pytest.mark.parametrize("error", SMALL)
@pytest.mark.parametrize("name", PRECISE)
def test_small_losses_are_as_precise_as_others(name, error):
    mpmath = pytest.importorskip("mpmath")
    loss, case = PRECISE[name]
    with mpmath.workdps(60):
        output, target, expected = case(mpmath, mpmath.mpf(error))
        expected = float(expected)
    found = loss(np.array([float(output)]), np.array([target]))
    assert found == pytest.approx(expected, rel=1e-14, abs=0)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-8, 1e-3, 1.0, 3.0])
def test_small_angles_are_precise(angle):
    found = nn.losses.cosine(7 * np.array([[np.cos(angle), np.sin(angle)]]), np.array([[3.0, 0.0]]))
    assert found == pytest.approx(2 * np.sin(angle / 2) ** 2, rel=1e-12, abs=1e-30)
