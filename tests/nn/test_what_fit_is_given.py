"""What is passed to `fit` and its neighbours by mistake is named, with what to pass instead."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn

X = np.random.default_rng(0).normal(size=(12, 4))
CLASSES = np.arange(12) % 3
COLUMN = X[:, :1]


def model():
    return nn.Linear(4, 3, rng=0)


def fit(given=None, **options):
    defaults = {"loss": "cross_entropy", "epochs": 1, "progress": False, "rng": 0}
    return nn.fit(given or model(), X, CLASSES, **(defaults | options))


class Two(nn.Module):
    def __init__(self):
        self.a, self.b = nn.Linear(4, 1, rng=0), nn.Linear(4, 1, rng=1)

    def forward(self, x):
        return {"a": self.a(x), "b": self.b(x)}


def two(**options):
    return nn.fit(Two(), X, {"a": COLUMN, "b": COLUMN}, epochs=1, progress=False, **options)


def own(outputs, targets):
    return nn.cross_entropy(outputs, targets)


def nothing(outputs, targets):
    return None


def several(outputs, targets):
    return np.ones(3)


MISTAKES = {
    "model": (lambda: fit(np.tanh), "fit: the model is <ufunc 'tanh'>, which is not a Module; put"),
    "predict": (lambda: nn.predict(np.tanh, X), "predict: the model is <ufunc"),
    "evaluate": (lambda: nn.evaluate(np.tanh, X, X), "evaluate: the model is <ufunc"),
    "no samples": (
        lambda: nn.evaluate(model(), X[:0], CLASSES[:0], loss="cross_entropy"),
        "evaluate: there are no samples; give at least one",
    ),
    "history": (lambda: fit(history={}), "fit: history is dict; pass what an earlier fit returned"),
    "rng": (lambda: fit(rng="a"), "fit: rng is 'a'; pass a generator"),
    "clip_norm": (lambda: fit(clip_norm="a"), "fit: clip_norm is 'a'; it must be a number that"),
    "l2": (lambda: fit(l2="a"), "fit: l2 is 'a'; it must be a number that is not negative"),
    "learning_rate": (
        lambda: nn.SGD(model(), learning_rate="a"),
        "SGD: learning_rate is 'a'; it must be a positive number",
    ),
    "validation_split": (
        lambda: fit(validation_split="a"),
        "fit: validation_split is 'a' for 12 samples; it must be in (0, 1)",
    ),
    "callbacks": (lambda: fit(callbacks=5), "fit: 5 is not a callback; pass objects of classes"),
    "sample_weight": (
        lambda: fit(sample_weight="balanced"),
        "fit: sample_weight is 'balanced'; it must hold one number for each of 12 samples; weights "
        "of classes, or 'balanced', are for class_weight",
    ),
    "sample_weight by class": (lambda: fit(sample_weight={0: 1.0}), "fit: sample_weight is {0: 1"),
    "class_weight": (
        lambda: fit(class_weight="balance"),
        "fit: class_weight is 'balance'; pass a dict or a list of one number for each class, or "
        "'balanced'",
    ),
    "one class_weight": (lambda: fit(class_weight=5), "fit: class_weight is 5; pass a dict"),
    "negative": (
        lambda: fit(class_weight=[-1.0, 1.0, 1.0]),
        "fit: class_weight is [-1.0, 1.0, 1.0]; none may be negative, infinite or NaN, and not",
    ),
    "an infinite class weight": (
        lambda: fit(class_weight=[np.inf, 1.0, 1.0]),
        "fit: class_weight is [inf, 1.0, 1.0]; none may be negative, infinite or NaN, and not",
    ),
    "an infinite weight": (
        lambda: fit(sample_weight=[np.inf, *[1.0] * (len(X) - 1)]),
        f"fit: sample_weight has shape ({len(X)},); it must hold one number for each of {len(X)} "
        "samples, none negative, infinite or NaN, and not all zero",
    ),
    "all zero": (lambda: fit(class_weight=[0, 0, 0]), "fit: class_weight is [0, 0, 0]; none may"),
    "no metric": (
        lambda: fit(metrics=[nothing]),
        "metrics: 'nothing' returned NoneType; return a single number, such as np.mean(...)",
    ),
    "metrics": (lambda: fit(metrics=[several]), "metrics: 'several' returned ndarray of shape (3,"),
    "loss without weights": (
        lambda: fit(loss=own, sample_weight=np.ones(12)),
        "fit: the loss 'own' cannot be called with outputs, targets, sample_weight; write def "
        "own(outputs, targets, sample_weight)",
    ),
    "no loss": (
        lambda: fit(loss=nothing),
        "fit: the loss 'nothing' returned NoneType; return a single number, such as np.mean(...)",
    ),
    "losses": (lambda: fit(loss=several), "fit: the loss 'several' returned ndarray of shape (3,)"),
    "a loss of one row": (
        lambda: fit(loss=lambda outputs, targets: np.mean(outputs, keepdims=True)),
        "fit: the loss '<lambda>' returned Value of shape (1, 1); return a single number, such",
    ),
    "a loss of one row, evaluated": (
        lambda: nn.evaluate(model(), X, CLASSES, loss=lambda z, y: np.mean(z, keepdims=True)),
        "fit: the loss '<lambda>' returned ndarray of shape (1, 1); return a single number, such",
    ),
    "a complex loss": (
        lambda: fit(loss=lambda outputs, targets: np.mean(outputs) * 1j),
        "fit: the loss '<lambda>' returned Value of complex numbers; return a single real number",
    ),
    "a complex loss, evaluated": (
        lambda: nn.evaluate(model(), X, CLASSES, loss=lambda z, y: np.mean(z) * 1j),
        "fit: the loss '<lambda>' returned complex128 of complex numbers; return a single real",
    ),
    "a complex metric": (
        lambda: fit(metrics=[lambda z, y: np.mean(z) * 1j]),
        "metrics: '<lambda>' returned complex128 of complex numbers; return a single real number",
    ),
    "two losses at once": (
        lambda: fit(loss=lambda outputs, targets: (np.mean(outputs), 1.0)),
        "fit: the loss '<lambda>' returned tuple; return a single number, such as np.mean(...)",
    ),
    "a loss of plain numbers": (
        lambda: fit(loss=lambda outputs, targets: float(np.mean(outputs))),
        "fit: the loss '<lambda>' returned a plain number, through which no gradient goes; compute "
        "it of the outputs with NumPy's functions, without float() or .data",
    ),
    "a loss is missing": (
        lambda: two(loss={"a": "mse"}),
        "fit: the parameter 'weight' of shape (4, 1) received no gradient, and there is no loss "
        "for 'b'; give each output a loss, or freeze() the part that is not trained",
    ),
    "optimizer of another model": (
        lambda: fit(optimizer=nn.SGD(model())),
        "fit: the optimizer has the parameter 'weight' of shape (4, 3), which is not of this model",
    ),
    "optimizer": (
        lambda: fit(optimizer=dict),
        "fit: optimizer is <class 'dict'>, which is neither",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_named(mistake):
    call, message = MISTAKES[mistake]
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value).startswith(message)
    assert ";" in str(error.value)


def test_what_is_of_pytorch_is_named():
    torch = pytest.importorskip("torch")
    with pytest.raises(ag.ArgumentTypeError, match="computes with tensors of PyTorch; pass one of"):
        fit(loss=torch.nn.CrossEntropyLoss())
    with pytest.raises(ag.ArgumentTypeError, match=r"which is neither an optimizer nor makes one"):
        fit(optimizer=torch.optim.Adam)


def test_a_checkpoint_is_read_into_a_generator(tmp_path):
    given = model()
    optimizer = nn.SGD(given)
    nn.save_checkpoint(given, tmp_path / "run.npz", optimizer, nn.History())
    with pytest.raises(ag.ArgumentTypeError, match="load_checkpoint: rng is 5; pass the generator"):
        nn.load_checkpoint(given, tmp_path / "run.npz", optimizer, 5)


def test_a_function_becomes_a_model_as_the_message_says():
    np.testing.assert_array_equal(nn.predict(nn.Sequential(nn.Activation(np.tanh)), X), np.tanh(X))


def test_a_loss_for_one_output_is_enough_where_all_parameters_are_trained_by_it():
    class Shared(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(4, 1, rng=0)

        def forward(self, x):
            y = self.linear(x)
            return {"a": y, "b": 2 * y}

    options = {"epochs": 1, "progress": False, "loss": {"a": "mse"}}
    assert len(nn.fit(Shared(), X, {"a": COLUMN, "b": COLUMN}, **options)) == 1
