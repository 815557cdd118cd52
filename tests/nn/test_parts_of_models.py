"""Parts of models: what containers and activations take, and what they refuse at once."""

from __future__ import annotations

import json

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(5, 3))

REFUSED = {
    "a class among layers": (
        lambda: nn.Sequential(nn.Linear(3, 2), nn.Flatten),
        "Flatten is a class, and no activation; make an object of it, Flatten(...), or pass a "
        "function",
    ),
    "a class as the activation": (
        lambda: nn.MLP(3, [4, 2], activation=nn.PReLU),
        "PReLU is a class, and no activation; make an object of it, PReLU(...), or pass a function",
    ),
    "a list of layers": (
        lambda: nn.Sequential([nn.Linear(3, 2), "relu"]),
        "a list of layers is no layer; pass them one by one, as in nn.Sequential(*layers)",
    ),
    "no branches": (nn.Concatenate, "Concatenate: there is no branch; pass at least one"),
    "an option of an activation of nn": (
        lambda: nn.Activation("tanh", slope=0.1),
        "Activation: tanh was given 'slope', and it has no options; leave 'slope' out",
    ),
    "an option of a function": (
        lambda: nn.Activation(lambda x, scale=1.0: scale * x, slope=0.1),
        "Activation: <lambda> was given 'slope', and it takes scale; leave 'slope' out",
    ),
    "a model in the place of its weights": (
        lambda: nn.load_torch_state_dict(nn.Linear(3, 2), nn.Linear(3, 2)),
        "load_torch_state_dict: the weights are Linear; pass a dict of arrays, what .state_dict() "
        "of a model of PyTorch returns",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_part_is_refused_when_it_is_given(name):
    make, message = REFUSED[name]
    with pytest.raises(ag.ArgumentTypeError) as error:
        make()
    assert str(error.value) == message


def test_options_of_ufuncs_are_known():
    with pytest.raises(ag.ArgumentTypeError, match="tanh was given 'alpha', and it takes out"):
        nn.Activation(np.tanh, alpha=0.1)


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("leaky_relu", {"slope": 0.3}),
        (lambda x, **options: x * options["scale"], {"scale": 2.0}),
        (lambda x, *rest, scale=1.0: x * scale, {"scale": 2.0}),
        (lambda x, scale: x * scale, {"scale": 2.0}),
    ],
    ids=["known", "any", "after others", "needed"],
)
def test_options_that_a_function_takes_are_given_to_it(function, options):
    expected = nn.Activation(function, **options).function(X, **options)
    np.testing.assert_array_equal(nn.Activation(function, **options)(X), expected)


@pytest.mark.parametrize("part", ["relu", nn.relu])
def test_residuals_take_what_other_containers_take(part, tmp_path):
    model = nn.Sequential(nn.Residual(part), nn.Linear(3, 2, rng=0))
    expected = (X + np.maximum(X, 0)) @ model[1].weight.data
    np.testing.assert_allclose(nn.predict(model, X), expected, rtol=1e-14)
    nn.save(model, tmp_path / "model.npz")
    np.testing.assert_array_equal(nn.predict(nn.load(tmp_path / "model.npz"), X), expected)
    with pytest.raises(ag.ArgumentTypeError, match="None is no activation"):
        nn.Residual(None)


def test_the_number_of_inputs_is_asked_of_the_layer_that_knows_it():
    model = nn.MLP(3, [4, 2])
    model[0] = nn.LayerNorm(3)
    assert model.in_features == 3
    model.insert(0, "tanh")
    with pytest.raises(ag.MissingAttributeError) as error:
        model.in_features  # noqa: B018
    assert str(error.value) == (
        "MLP.in_features: the first layer is tanh now, which does not know it; ask the layer that "
        "does, as in model[1].in_features"
    )
    assert not hasattr(model, "in_features")
    del model[:]
    assert not hasattr(model, "in_features")
    model.append(nn.Linear(3, 1))
    assert model.in_features == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing", "Expecting value: line 1 column 1 (char 0)"),
        ("{}", "KeyError: 'columns'"),
        ("[]", "TypeError: list indices must be integers or slices, not str"),
        ('{"columns": 1, "stopped": ""}', "AttributeError: 'int' object has no attribute 'items'"),
        (
            '{"columns": {"loss": ["a"]}, "stopped": ""}',
            "ValueError: could not convert string to float: 'a'",
        ),
    ],
    ids=["text", "empty", "list", "number", "word"],
)
def test_what_is_no_history_is_refused(text, reason):
    message = (
        f"History: this is not what a history was written as: {reason}; pass what to_dict() or "
        "to_json() returned"
    )
    with pytest.raises(ag.ArgumentValueError) as error:
        nn.History.from_json(text)
    assert str(error.value) == message


def test_histories_come_back_with_what_is_not_finite():
    history = nn.History()
    history.append(loss=float("nan"))
    history.append(loss=float("inf"), accuracy=1)
    twin = nn.History.from_json(history.to_json())
    assert json.dumps(twin.to_dict()) == json.dumps(history.to_dict())
