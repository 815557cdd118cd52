"""What no one would pass on purpose is refused by an error of this package, wherever it is."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.losses import losses
from nn.metrics import metrics
from nn.optimizers.base import optimizers

X = np.random.default_rng(0).normal(size=(12, 3))
Y = (X[:, 0] > 0).astype(int)
NO_NUMBER = [None, "x", np.array([]), [], {}, np.nan, -1, object()]
SEVERAL = (X, Y)


def model():
    return nn.MLP(3, [4, 2], rng=0)


def fit(**options):
    nn.fit(model(), X, Y, **({"loss": "cross_entropy", "epochs": 1, "progress": False} | options))


def learning_rates(**options):
    nn.find_learning_rate(model(), X, Y, loss="cross_entropy", **options)


def lbfgs(**options):
    nn.fit_lbfgs(model(), X, Y, loss="cross_entropy", **options)


NUMBERS = {
    "fit": (fit, "epochs", "batch_size", "validation_split", "l1", "l2", "accumulate"),
    "find_learning_rate": (learning_rates, "lowest", "highest", "steps", "batch_size"),
    "fit_lbfgs": (lbfgs, "iterations", "tolerance", "l2"),
    "EarlyStopping": (nn.EarlyStopping, "patience", "min_delta"),
    "ReduceOnPlateau": (nn.ReduceOnPlateau, "patience", "min_delta", "factor"),
    "top_k_accuracy": (lambda k: metrics["top_k_accuracy"](X, Y, k=k), "k"),
    "one_hot": (lambda n_classes: nn.one_hot(Y, n_classes), "n_classes"),
    "clip_gradient_norm": (lambda limit: nn.clip_gradient_norm(model(), limit), "limit"),
}
OPTIONAL = {
    "fit": (fit, "clip_norm", "clip_value"),
    "fit_lbfgs": (lbfgs, "evaluations"),
}
PLACES = [(owner, name) for owner, (_, *names) in NUMBERS.items() for name in names]


@pytest.mark.parametrize(("owner", "name"), PLACES)
@pytest.mark.parametrize("odd", range(len(NO_NUMBER)))
def test_what_is_no_number_is_refused(owner, name, odd):
    with pytest.raises(ag.AutogradError):
        NUMBERS[owner][0](**{name: NO_NUMBER[odd]})


@pytest.mark.parametrize(
    ("owner", "name"), [(owner, name) for owner, (_, *names) in OPTIONAL.items() for name in names]
)
@pytest.mark.parametrize("odd", range(1, len(NO_NUMBER)))
def test_what_is_neither_a_number_nor_none_is_refused(owner, name, odd):
    with pytest.raises(ag.AutogradError):
        OPTIONAL[owner][0](**{name: NO_NUMBER[odd]})


@pytest.mark.parametrize("name", ["shuffle", "drop_last", "progress", "compile"])
def test_what_is_neither_true_nor_false_is_refused(name):
    for odd in (None, "x", np.array([]), [True], 1):
        with pytest.raises(ag.AutogradError):
            fit(**{name: odd})


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: nn.Linear(2, 2, rng=rng),
        lambda rng: nn.MLP(2, [2], rng=rng),
        lambda rng: nn.Embedding(2, 2, rng=rng),
        lambda rng: nn.Dropout(0.5, rng=rng),
        lambda rng: nn.Neuron(2, rng=rng),
        lambda rng: fit(rng=rng),
        lambda rng: learning_rates(rng=rng),
    ],
)
def test_what_makes_no_generator_is_refused(make):
    for odd in ("x", 1.5, -1, object()):
        with pytest.raises(ag.ArgumentTypeError, match="pass a generator"):
            make(odd)


@pytest.mark.parametrize("name", losses)
def test_losses_refuse_several_outputs_and_odd_options(name):
    outputs = np.zeros((12, 2))
    for given in ((SEVERAL, Y), (outputs, SEVERAL)):
        with pytest.raises(ag.AutogradError):
            losses[name](*given)
    with pytest.raises(ag.AutogradError, match="reduction is"):
        losses[name](outputs, Y if name in LABELLED else outputs, reduction=np.array([]))


LABELLED = {"cross_entropy", "nll", "hinge", "squared_hinge", "perceptron", "zero_one"}


@pytest.mark.parametrize("name", metrics)
def test_metrics_refuse_several_outputs(name):
    for given in ((SEVERAL, Y), (np.zeros((12, 2)), SEVERAL)):
        with pytest.raises(ag.AutogradError):
            metrics[name](*given)


@pytest.mark.parametrize("odd", ["x", {}, ["a", "b"], [None, 1.0], SEVERAL, 5])
def test_weights_of_classes_are_numbers(odd):
    for use in (
        lambda: nn.cross_entropy(np.zeros((12, 2)), Y, class_weight=odd),
        lambda: losses["multilabel"](np.zeros((12, 2)), np.zeros((12, 2)), class_weight=odd),
        lambda: fit(class_weight=odd),
    ):
        with pytest.raises(ag.AutogradError):
            use()


@pytest.mark.parametrize("odd", [None, 3, nn.Linear])
def test_what_is_no_model_is_refused(odd, tmp_path):
    nn.save(nn.Linear(2, 2), tmp_path / "model.npz")
    for use in (
        lambda: nn.save(odd, tmp_path / "other.npz"),
        lambda: nn.load_weights(odd, tmp_path / "model.npz"),
        lambda: nn.load_checkpoint(odd, "model.npz", nn.SGD(model())),
        lambda: nn.to_config(odd),
        lambda: nn.torch_state_dict(odd),
        lambda: nn.load_torch_state_dict(odd, {}),
        lambda: nn.fit_lbfgs(odd, X, Y, loss="mse"),
        lambda: nn.find_learning_rate(odd, X, Y, loss="mse"),
    ):
        with pytest.raises(ag.ArgumentTypeError, match="which is not a Module"):
            use()
    assert not (tmp_path / "other.npz").exists()


@pytest.mark.parametrize("name", optimizers)
def test_optimizers_refuse_what_holds_no_parameters(name):
    with pytest.raises(ag.AutogradError):
        optimizers[name](None)


class Wave(nn.Module):
    """The size of a sum with complex weights, held as one parameter or as two."""

    def __init__(self, is_complex):
        if is_complex:
            self.weight = nn.Parameter(np.array([1 + 1j, 2 - 1j, 0.5j]), label="weight")
        else:
            self.re, self.im = nn.Parameter([1.0, 2.0, 0.0]), nn.Parameter([1.0, -1.0, 0.5])
        self.is_complex = is_complex

    def forward(self, x):
        return np.abs(x @ (self.weight if self.is_complex else self.re + 1j * self.im))


@pytest.mark.parametrize("name", optimizers)
def test_complex_parameters_are_refused_and_two_real_ones_trained(name):
    """Squares and signs of complex numbers are no updates: Adam took other steps than PyTorch."""
    with pytest.raises(ag.ArgumentTypeError) as error:
        optimizers[name](Wave(True))
    assert str(error.value) == (
        f"{name}: the parameter 'weight' has dtype complex128, and updates are those of real "
        "numbers; keep its real and imaginary part as two parameters, and write a + 1j * b"
    )
    losses_of = [
        nn.fit(Wave(False), X, np.abs(X[:, 0]), loss="mse", optimizer=name, epochs=2, rng=0,
               compile=is_compiled, progress=False).loss
        for is_compiled in (True, False)
    ]  # fmt: skip
    np.testing.assert_allclose(*losses_of, rtol=1e-12)
    assert losses_of[0][1] < losses_of[0][0]


def test_complex_gradients_are_not_clipped():
    wave = Wave(True)
    nn.mse(wave(X), np.abs(X[:, 0])).backward()
    for clip in (nn.clip_gradient_norm, nn.clip_gradient_values):
        with pytest.raises(ag.ArgumentTypeError, match="a gradient is complex"):
            clip(wave, 1.0)


def test_adam_of_two_parts_is_pytorchs_of_a_complex_number():
    torch = pytest.importorskip("torch")
    wave, y = Wave(False), np.abs(X[:, 0])
    weight = torch.tensor([1 + 1j, 2 - 1j, 0.5j], dtype=torch.complex128, requires_grad=True)
    theirs = torch.optim.Adam([weight], 0.01)
    nn.fit(wave, X, y, loss="mse", optimizer=nn.Adam(wave, 0.01), epochs=3, progress=False)
    for _ in range(3):
        theirs.zero_grad()
        sums = torch.tensor(X, dtype=torch.complex128) @ weight
        (sums.abs() - torch.tensor(y)).square().mean().backward()
        theirs.step()
    ours = wave.re.data + 1j * wave.im.data
    np.testing.assert_allclose(ours, weight.detach().numpy(), rtol=1e-9)


@pytest.mark.parametrize("sizes", [None, "ab", 3, [], [[2, 1]], np.zeros((2, 2))])
def test_sizes_of_layers_are_a_list_of_numbers(sizes):
    with pytest.raises(ag.ArgumentValueError, match="must list the sizes of the layers"):
        nn.MLP(2, sizes)


def test_gradients_of_a_model_are_clipped():
    network, twin = model(), model()
    for one, given in ((network, network), (twin, list(twin.parameters()))):
        nn.cross_entropy(one(X), Y).backward()
        nn.clip_gradient_norm(given, 0.01)
        nn.clip_gradient_values(given, 0.001)
    for p, q in zip(network.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)
