"""A program as a user of both packages writes it, checked by mypy and pyright in strict mode.

`.ci/run` checks it against the installed wheel, where types are seen only if ``py.typed`` is there.
It also runs, as part of the tests.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autograd_lite as ag
import nn
from nn.estimators import MLPClassifier, MLPRegressor
from nn.training.callbacks import Run

Array = NDArray[np.float64]


def loss(w: Array, x: Array, y: Array) -> Any:
    return np.mean((np.tanh(x @ w) - y) ** 2)


def gradients() -> None:
    x, y = np.eye(3), np.zeros(3)
    gradient = ag.grad(loss)(np.ones(3), x, y)
    value, _ = ag.value_and_grad(loss, argnum="w")(w=np.ones(3), x=x, y=y)
    print(float(value), gradient.shape, ag.hessian(loss)(np.ones(3), x, y).shape)
    print(ag.vmap(ag.grad(loss), in_axes=(None, 0, 0))(np.ones(3), np.ones((4, 3, 3)), np.ones(4)))
    print(ag.grad(ag.checkpoint(loss))(np.ones(3), x, y), ag.grad(np.sin)(0.5))
    step = ag.compile(ag.grad(loss))
    print(step(np.ones(3), x, y))
    assert_type(step.source, str)


@ag.compile
def energy(x: Array, scale: float = 1.0) -> Any:
    return scale * np.sum(x**2)


@ag.compile(check_finite=True)
def slope(x: Array) -> Any:
    return ag.grad(energy)(x, scale=0.5)


def compiled() -> None:
    print(energy(np.ones(3)), energy(np.ones(3), scale=2.0), energy.stats.operations)
    print(slope(np.ones(3)))


def loops() -> None:
    """Lambdas of what is handed on."""
    print(ag.scan(lambda carry, x: (carry + x, carry), 0.0, np.ones(3)))
    print(ag.fori(0, 3, lambda i, total: total + i, 0.0))
    print(ag.while_loop(lambda x: x < 3, lambda x: 2 * x, 1.0))


def values() -> None:
    """Operators and methods of a Value give Values; NumPy's functions, as a Value says."""
    v, w = ag.Value([1.0, 2.0]), ag.Value([[1.0, 0.0], [0.5, 1.0]])
    assert_type(v + 1, ag.Value)
    assert_type(2.0 * v, ag.Value)
    assert_type(1 / v - v**2, ag.Value)
    assert_type(v @ w, ag.Value)
    assert_type(-abs(v), ag.Value)
    assert_type(v > 1.5, ag.Value)
    assert_type(v == 1.0, ag.Value)
    assert_type(v[0], ag.Value)
    assert_type(v.sum(), ag.Value)
    assert_type(w.mean(axis=0).reshape(1, -1).T, ag.Value)
    assert_type(v.at[0].set(3.0), ag.Value)
    assert_type(v.shape, tuple[int, ...])
    total = ag.as_value(np.sum(np.sin(v) * v))
    assert_type(total, ag.Value)
    total.backward()
    assert v.grad is not None
    print(v.grad.shape)


def graphs(folder: Path) -> None:
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    c = ag.as_value(np.tanh(a * b + 10.0)) ** 2
    c.backward()
    assert_type(a.label, str | None)
    assert_type(a.requires_grad, bool)
    assert_type(a.detach(), ag.Value)
    drawing = ag.draw(c)
    assert_type(drawing, ag.Drawing)
    assert_type(drawing.source, str)
    assert_type(drawing.save(folder / "graph.svg"), Path)


@ag.primitive
def softplus(x: Array) -> Any:
    return np.logaddexp(0, x)


@ag.primitive(broadcasts=True)
def scaled(x: Array, y: Array) -> Any:
    return x * y


def slope_of_softplus(g: Array, out: Array, x: Array) -> Any:
    return g / (1 + np.exp(-x))


scaled.defvjp(lambda g, out, x, y: g * y, lambda g, out, x, y: g * x)
scaled.defjvp(lambda t, out, x, y: t * y, lambda t, out, x, y: t * x)


def checks() -> None:
    with_rule: ag.Primitive = softplus.defvjp(slope_of_softplus)
    assert_type(with_rule.name, str)
    report = ag.gradcheck(softplus, np.array([-1.0, 0.5]), raise_error=False)
    assert_type(report, ag.GradcheckReport)
    for hint in report.hints:
        assert_type(hint.text, str)
    try:
        ag.gradcheck(np.sin, np.ones(2), gradient=np.sin)
    except ag.GradcheckError as error:
        print(error)
    print(ag.grad(scaled, argnum=1)(2.0, 3.0))


class Stop(nn.Callback):
    """A callback of one's own."""

    def after_epoch(self, run: Run) -> None:
        if run.history.loss[-1] < 1e-3:
            run.stop("good enough")


class Gated(nn.Module):
    """A module of one's own, whose `forward` takes what it needs."""

    def __init__(self, in_features: int, out_features: int) -> None:
        self.body = nn.Linear(in_features, out_features, rng=0)
        self.gate = nn.Parameter(np.zeros(out_features))

    def forward(self, x: Array) -> ag.Value:
        return ag.as_value(self.body(x) * nn.activations.sigmoid(self.gate))


class Pair(nn.Module):
    """A module of two inputs."""

    def __init__(self) -> None:
        self.parts = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Activation("tanh"))

    def forward(self, left: Array, right: Array) -> Any:
        return np.sum(self.parts(left) * self.parts(right), axis=-1)


def networks(folder: Path) -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    model = nn.MLP(2, [8, 2], activation="tanh", rng=0)
    history = nn.fit(
        model,
        x,
        y,
        loss=nn.cross_entropy,
        optimizer=nn.Adam(model, learning_rate=0.05),
        epochs=5,
        callbacks=[Stop(), nn.EarlyStopping("loss")],
        progress=False,
    )
    assert_type(history, nn.History)
    assert_type(history.loss, list[float])
    assert_type(nn.metrics.accuracy(nn.predict(model, x), y), float)
    assert_type(model.parameters(), list[nn.Parameter])
    nn.save(model, folder / "model.npz")
    assert_type(nn.load(folder / "model.npz"), nn.Module)
    nn.fit(Gated(2, 2), x, y, loss="cross_entropy", optimizer="sgd", epochs=1, progress=False)
    assert_type(Gated(2, 2).eval(), Gated)
    print(Pair()(np.ones(3), right=np.ones(3)))


def estimators() -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    classifier = MLPClassifier(hidden_layer_sizes=(4,), tol=10.0, random_state=0)
    assert_type(classifier.fit(x, x[:, 0] > 0), MLPClassifier)
    regressor = MLPRegressor(hidden_layer_sizes=(4,), tol=10.0, random_state=0).fit(x, x[:, 0])
    print(classifier.predict_proba(x).shape, regressor.predict(x).shape)


def main() -> None:
    with TemporaryDirectory() as folder:
        gradients()
        compiled()
        loops()
        values()
        graphs(Path(folder))
        checks()
        networks(Path(folder))
        estimators()


if __name__ == "__main__":
    main()
