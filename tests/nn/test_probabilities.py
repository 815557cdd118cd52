"""Metrics take outputs as probabilities where what computes them can give nothing else."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn import metrics as reference

import autograd_lite as ag
import nn
from nn import metrics


class Ends(nn.Module):
    """A model whose output is a function of a linear one."""

    def __init__(self, function, out_features=1):
        self.linear = nn.Linear(2, out_features, rng=0)
        self.function = function

    def forward(self, x):
        return self.function(self.linear(x))


@ag.primitive
def squashed(x):
    return 1 / (1 + np.exp(-x))


squashed.defvjp(lambda g, out, x: g * out * (1 - out))

PROBABILITIES = {
    "sigmoid": nn.sigmoid,
    "expit": ag.special.expit,
    "written out": lambda z: 1 / (1 + np.exp(-z)),
    "by tanh": lambda z: (1 + np.tanh(z / 2)) / 2,
    "of one class": lambda z: nn.softmax(np.concatenate([z, -z], axis=1))[:, :1],
    "from a logarithm": lambda z: np.exp(nn.log_softmax(np.hstack([z, -z])))[:, 0],
    "reshaped": lambda z: nn.sigmoid(z).reshape(-1),
    "clipped": lambda z: np.clip(nn.sigmoid(z), 1e-7, 1 - 1e-7),
    "the opposite": lambda z: 1 - nn.sigmoid(-z),
    "bounds": lambda z: np.minimum(np.maximum(z, 0), 1),
    "hard": nn.hard_sigmoid,
    "product": lambda z: nn.sigmoid(z) * nn.sigmoid(z + 1),
    "root": lambda z: np.sqrt(nn.sigmoid(z - 1)),
    "size": lambda z: np.abs(nn.sigmoid(z)),
    "square": lambda z: np.square(nn.sigmoid(z + 1)),
}

TOO_WIDE = {
    "odds": lambda z: np.exp(z) / (1 + np.exp(z)),
    "softsign": lambda z: (1 + z / (1 + np.abs(z))) / 2,
    "power": lambda z: nn.sigmoid(z) ** 2,
    "two classes of three": lambda z: nn.softmax(np.hstack([z, -z, 0 * z]))[:, :2].sum(axis=1),
    "by einsum": lambda z: np.einsum("ij->i", nn.sigmoid(z)),
}
"""Probabilities too, whose bounds are wider by interval arithmetic."""

OTHERS = {
    "line": lambda z: z,
    "tanh": np.tanh,
    "scaled": lambda z: 4 * nn.sigmoid(z) - 2,
    "gated": lambda z: z * nn.sigmoid(z),
    "logarithm": lambda z: np.log(nn.sigmoid(z) / (1 - nn.sigmoid(z))),
    "of one's own": lambda z: 2 * squashed(z) - 1,
}

MODELS = {
    "Module": Ends,
    "Activation": lambda f: nn.Sequential(nn.Linear(2, 1, rng=0), nn.Activation(f)),
    "Dropout": lambda f: nn.Sequential(nn.Linear(2, 1, rng=0), f, nn.Dropout(0.5)),
    "frozen": lambda f: nn.Sequential(nn.Linear(2, 1, rng=0).freeze(), f),
}


@pytest.mark.parametrize("function", [*PROBABILITIES, *OTHERS])
@pytest.mark.parametrize("model", MODELS)
def test_outputs_are_probabilities_by_what_computes_them(model, function):
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(float)
    limit = 0.5 if function in PROBABILITIES else 0
    made = MODELS[model]((PROBABILITIES | OTHERS)[function])
    expected = reference.accuracy_score(y, nn.predict(made, x).ravel() > limit)
    assert 0.1 < np.mean(nn.predict(made, x) > limit) < 0.9
    assert nn.evaluate(made, x, y, metrics="accuracy") == {"accuracy": expected}
    assert nn.evaluate(made, [(x, y)], metrics="accuracy") == {"accuracy": expected}
    if model == "Module":
        history = nn.fit(
            made, x, y, loss=lambda p, y: np.mean((p.ravel() - y) ** 2), metrics=["accuracy"],
            epochs=1, optimizer=nn.SGD(made, 1e-300), validation_data=(x, y), progress=False,
        )  # fmt: skip
        assert history["accuracy"] == history["validation_accuracy"] == [expected]


def test_a_model_without_parameters_may_give_probabilities():
    x, y = np.array([[-1.0], [2.0]]), np.array([0, 1])
    assert nn.evaluate(nn.Sequential("sigmoid"), x, y, metrics="accuracy") == {"accuracy": 1.0}


@pytest.mark.parametrize("function", TOO_WIDE)
def test_bounds_that_are_too_wide_tell_nothing(function):
    x = np.random.default_rng(0).normal(size=(60, 2))
    model = Ends(TOO_WIDE[function])
    assert np.all((nn.predict(model, x) >= 0) & (nn.predict(model, x) <= 1))
    with pytest.raises(ag.ArgumentValueError, match="it cannot be told whether the outputs"):
        nn.evaluate(model, x, np.arange(60) % 2, metrics="accuracy")


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(2, 1, rng=3),
        nn.Sequential(nn.Linear(2, 1, rng=3), nn.BatchNorm1d(1), nn.Dropout(0.5)),
        nn.Sequential(nn.MLP(2, [3, 1], rng=0), nn.LayerNorm(1)),
        Ends(lambda z: z / 4 + 0.5),
    ],
)
def test_logits_of_few_samples_stay_logits(model):
    x = np.array([[1.0, 0.1]])
    assert set(nn.evaluate(model, x, [1], metrics="accuracy")) == {"accuracy"}


@pytest.mark.parametrize("name", ["accuracy", "f1", "precision", "recall", "zero_one"])
def test_metrics_with_arguments_given_beforehand_are_told_too(name):
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(int)
    model = Ends(nn.sigmoid)
    bare = nn.evaluate(model, x, y, metrics=name)[name]
    found = (metrics.metrics | nn.losses.losses)[name]
    within = {"p": partial(partial(found), from_logits=False), "q": partial(found)}
    assert nn.evaluate(model, x, y, metrics=within) == {"p": bare, "q": bare}
    predicted = nn.predict(model, x).ravel() > 0.5
    peer = "zero_one_loss" if name == "zero_one" else f"{name}_score"
    assert bare == pytest.approx(getattr(reference, peer)(y, predicted))


def test_each_of_several_outputs_is_looked_at():
    class Two(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 1, rng=0)

        def forward(self, x):
            z = self.linear(x)
            return {"p": nn.sigmoid(z), "z": z}

    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, :1] > 0).astype(float)
    found = nn.evaluate(
        Two(), x, {"p": y, "z": y}, loss={"p": "mse", "z": "mse"},
        metrics={"p": ["accuracy"], "z": ["accuracy"]},
    )  # fmt: skip
    assert found["p_accuracy"] == found["z_accuracy"] != np.mean(y)


def test_what_cannot_be_told_is_refused():
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, :1] > 0).astype(float)
    model = Ends(squashed)
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.evaluate(model, x, y, metrics="accuracy")
    assert str(error.value) == (
        "evaluate: it cannot be told whether the outputs, all from 0 to 1 as far as they were "
        "looked at, are probabilities or logits for the metric 'accuracy'; pass "
        "metrics={'accuracy': partial(accuracy, from_logits=False)}, or from_logits=True"
    )
    right = reference.accuracy_score(y, nn.predict(model, x) > 0.5)
    told = {"accuracy": partial(metrics.accuracy, from_logits=False)}
    assert nn.evaluate(model, x, y, metrics=told) == {"accuracy": right}


@pytest.mark.parametrize(
    "function",
    [lambda z: nn.sigmoid(z) * np.ones(1), lambda z: np.asarray(nn.sigmoid(ag.stop_gradient(z)))],
)
def test_arrays_on_the_way_are_not_looked_into(function):
    x = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(ag.ArgumentValueError, match="it cannot be told whether the outputs"):
        nn.evaluate(Ends(function), x, np.arange(60) % 2, metrics="accuracy")
    y = np.arange(60) % 2
    told = partial(nn.binary_cross_entropy, from_logits=True)
    found = nn.evaluate(Ends(function), x, y, loss=told, metrics="accuracy")
    assert found["accuracy"] == np.mean(y)  # as it was told


def test_an_input_from_0_to_1_makes_no_probability():
    x = np.random.default_rng(0).uniform(size=(60, 2))
    y = (x[:, :1] > 0.5).astype(float)
    model = Ends(lambda z: z)
    expected = reference.accuracy_score(y, nn.predict(model, x) > 0)
    assert nn.evaluate(model, x, y, metrics="accuracy") == {"accuracy": expected}
