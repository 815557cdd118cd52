"""Numbers that are not finite change nothing, and losses of infinite logits are right."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn

torch = pytest.importorskip("torch")


class Distance(nn.Module):
    """Its last parameter gets a NaN gradient where it is 0, though the loss is finite."""

    def __init__(self):
        self.scale = nn.Parameter(np.zeros(1))
        self.first, self.second = nn.Linear(2, 3, rng=0), nn.Linear(3, 1, rng=1)

    def forward(self, x):
        return self.second(self.first(x)) + np.sqrt(self.scale * self.scale)


@pytest.mark.parametrize("options", [{}, {"compile": False}, {"accumulate": 2}, {"clip_norm": 1.0}])
def test_a_gradient_that_is_not_finite_changes_nothing(options):
    model = Distance()
    optimizer = nn.Adam(model)
    x = np.ones((6, 2))
    before = model.state_dict()
    with pytest.raises(nn.DivergenceError) as error:
        nn.fit(
            model, x, x[:, :1], loss="mse", optimizer=optimizer, batch_size=2, progress=False,
            **options,
        )  # fmt: skip
    assert str(error.value).startswith("fit: the gradient of 'scale' became nan in epoch 1, batch")
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    assert optimizer.steps == 0


def test_an_exact_fit_of_a_root_keeps_the_parameters():
    """The root of the mean squared error has no derivative at 0."""

    def rmse(outputs, targets):
        return np.sqrt(nn.mse(outputs, targets))

    model = nn.Linear(1, 1, initializer=nn.initializers.ones)
    x = np.arange(4.0)[:, np.newaxis]
    with pytest.raises(nn.DivergenceError):
        nn.fit(model, x, x, loss=rmse, optimizer=nn.SGD(model), progress=False)
    assert (model.weight.item(), model.bias.item()) == (1.0, 0.0)


@pytest.mark.parametrize("compile", [True, False])
def test_large_gradients_are_finite(compile):
    model = nn.Linear(1, 1, initializer=nn.initializers.ones)
    x = np.full((2, 1), 1e80)  # gradients of 1e160, whose squares are too large
    nn.fit(
        model, x, 2 * x, loss="mse", optimizer=nn.SGD(model, 1e-300), epochs=1,
        compile=compile, progress=False,
    )  # fmt: skip
    assert model.weight.item() == 1.0


@pytest.mark.parametrize("rate", [1e200, 1e3])
def test_the_best_weights_come_back_also_after_divergence(rate):
    x = np.linspace(-1, 1, 20)[:, np.newaxis]
    model = nn.Linear(1, 1, rng=0)
    stopping = nn.EarlyStopping(patience=500)
    history = nn.History()
    with pytest.raises(nn.DivergenceError):
        nn.fit(
            model, x, 2 * x, loss="mse", optimizer=nn.SGD(model, 0.1), epochs=500, progress=False,
            schedule=lambda epoch: 1.0 if epoch < 5 else rate, callbacks=[stopping],
            history=history, validation_data=(x, 2 * x),
        )  # fmt: skip
    assert history.stopped == "diverged"
    assert stopping.best_epoch >= 4
    assert nn.evaluate(model, x, 2 * x, loss="mse")["loss"] < 1.0


LOGITS = np.array([[1.0, -np.inf, 2.0], [0.5, 0.0, -np.inf]])


def torch_loss(function, outputs, targets):
    outputs = torch.tensor(outputs, requires_grad=True)
    loss = function(outputs, torch.tensor(targets))
    loss.backward()
    return loss.item(), outputs.grad.numpy()


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("labels", [[0, 1], [2, 0]])
def test_classes_that_cannot_be_take_no_part_in_cross_entropy(labels, compile):
    expected, gradient = torch_loss(torch.nn.functional.cross_entropy, LOGITS, np.array(labels))
    both = ag.value_and_grad(lambda logits: nn.cross_entropy(logits, labels))
    value, g = (ag.compile(both) if compile else both)(LOGITS)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(g, gradient, rtol=1e-12)


def test_the_loss_of_a_class_that_cannot_be():
    assert nn.cross_entropy([[1.0, -np.inf, 2.0]], [0]) == pytest.approx(1.3132616875182228)
    assert nn.cross_entropy(LOGITS[:1], [1]) == np.inf
    assert nn.hinge(LOGITS[:1], [2]) == 0.0
    probabilities = np.array([[0.25, 0.0, 0.75]])
    expected, gradient = torch_loss(
        lambda x, p: torch.nn.functional.kl_div(
            torch.log_softmax(x, 1)[:, [0, 2]], p[:, [0, 2]], reduction="batchmean"
        ),
        LOGITS[:1], probabilities,
    )  # fmt: skip
    value, g = ag.value_and_grad(lambda x: nn.kl_divergence(x, probabilities))(LOGITS[:1])
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(g, gradient, rtol=1e-12)


@pytest.mark.parametrize("compile", [True, False])
def test_probabilities_of_0_and_1_are_pulled_to_their_labels(compile):
    p = np.array([0.0, 1.0, 0.3, 1e-13, 0.0, 1e-5])
    y = np.array([1.0, 0.0, 1.0, 1.0, 0.25, 0.0])

    def ours(p):
        return nn.binary_cross_entropy(p, y, from_logits=False)

    both = ag.value_and_grad(ours)
    value, g = (ag.compile(both) if compile else both)(p)
    expected, gradient = torch_loss(torch.nn.functional.binary_cross_entropy, p, y)
    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(g, gradient, rtol=1e-8)  # PyTorch's 1e-12 is of float32


@pytest.mark.parametrize("options", [{}, {"compile": False}, {"accumulate": 2}])
@pytest.mark.parametrize("aside", [{}, {"validation_split": 0.25, "metrics": "accuracy"}])
def test_a_parameter_that_the_last_step_made_infinite_is_an_error(options, aside):
    """The largest number of float16 is 65504."""
    x, y = np.ones((8, 2)), np.arange(8) % 2
    model = nn.Linear(2, 2, rng=0).astype(np.float16)
    with pytest.raises(nn.DivergenceError) as error:
        nn.fit(model, x, y, loss="cross_entropy", optimizer=nn.Lion(model, 1e5), epochs=1,
               batch_size=8, rng=0, progress=False, **options, **aside)  # fmt: skip
    assert str(error.value).startswith("fit: the parameter 'weight' became ")
    assert " in epoch 1, batch 1, at learning rate 100000; " in str(error.value)
    assert str(error.value).endswith("train in float32, as float16 ends at 65504")
