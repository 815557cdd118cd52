"""Models with named parameters, and a loss."""

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(6, 3))
LABELS = np.array([0, 1, 1, 0, 1, 0])


class Doubtful(nn.Module):
    """Its activation has a wrong rule."""

    def __init__(self):
        self.weight = nn.Parameter(np.array([0.5, -1.0, 2.0]))
        self.bias = nn.Parameter(0.5)

    def forward(self, x):
        activation = ag.Primitive(np.tanh, lambda g, out, x: -g * (1 - out * out), name="tanh")
        return activation(x @ self.weight) + self.bias


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_model_with_a_loss_is_checked_in_every_parameter(dtype):
    model = nn.MLP(3, [5, 2], rng=0).astype(dtype)
    before = [p.data.copy() for p in model.parameters()]
    assert ag.gradcheck(model, X, LABELS, loss=nn.cross_entropy)
    for parameter, data in zip(model.parameters(), before, strict=True):
        assert parameter.grad is None
        assert parameter.dtype == dtype
        assert np.array_equal(parameter.data, data)


def test_wrong_parameters_are_named():
    report = ag.gradcheck(Doubtful(), X, loss=lambda y: np.sum(y**2), raise_error=False)
    assert report.verdict == "wrong derivative"
    assert report.worst.input.startswith("weight[")
    assert report.hints[0].text.startswith("only for weight: the sign is wrong")


def test_without_a_loss_the_inputs_are_checked_too():
    report = ag.gradcheck(Doubtful(), X, raise_error=False)
    assert "only for weight, input[0]" in report.hints[0].text


def test_a_model_that_draws_random_numbers_is_named_as_such():
    report = ag.gradcheck(nn.Dropout(0.5, rng=0), X, raise_error=False)
    assert report.verdict == "random function"
    assert ag.gradcheck(nn.Dropout(0.5, rng=0).eval(), X)


def test_the_state_of_a_model_is_left_alone():
    layer = nn.BatchNorm1d(3)
    before = {name: np.copy(getattr(layer, name)) for name in layer.buffers}
    ag.gradcheck(layer, X)
    for name, data in before.items():
        assert np.array_equal(getattr(layer, name), data)


def test_a_loss_needs_a_model():
    with pytest.raises(ag.ArgumentValueError, match="loss= goes with a model"):
        ag.gradcheck(np.sin, X, loss=np.sum)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gradient": lambda x: x}, "gradient= is of a plain function, and Doubtful is a model"),
        ({"vjp": lambda g, x: x}, "vjp= is of a plain function"),
        ({"argnum": 0}, "which every parameter is checked; omit it, or freeze"),
    ],
)
@pytest.mark.parametrize("library", ["nn", "torch"])
def test_what_is_not_asked_of_a_model_is_refused(options, said, library):
    """It was passed over, so that a wrong gradient beside a model was called correct."""
    model = Doubtful()
    if library == "torch":
        torch = pytest.importorskip("torch")
        said = said.replace("Doubtful", "Linear")
        model = torch.nn.Linear(3, 1)
    with pytest.raises(ag.ArgumentValueError, match=said):
        ag.gradcheck(model, X, **options)


def test_a_loss_goes_with_a_model_in_every_library():
    torch = pytest.importorskip("torch")
    for x, sine in ((X, np.sin), (torch.tensor(X), torch.sin)):
        with pytest.raises(ag.ArgumentValueError, match="write the loss into it"):
            ag.gradcheck(sine, x, loss=lambda y: y.sum())


def test_higher_orders_of_a_model_are_refused():
    model = nn.MLP(3, [5, 2], rng=0)
    with pytest.raises(ag.ArgumentValueError, match="MLP is a model, which is checked to"):
        ag.gradcheck(model, X, LABELS, loss=nn.cross_entropy, order=2)


def test_a_product_of_input_and_weights_is_swept_where_it_was_recorded():
    x = np.random.default_rng(0).normal(size=(4, 3))
    for layer in (nn.Linear(3, 2, rng=0), nn.PReLU(3), nn.Residual(nn.Linear(3, 3, rng=0))):
        report = ag.gradcheck(layer, x, raise_error=False)
        assert report.verdict == "correct", report.explanation
