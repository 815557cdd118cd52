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
from nn.training.callbacks import Run

Array = NDArray[np.float64]


def loss(w: Array, x: Array, y: Array) -> Any:
    return np.mean((np.tanh(x @ w) - y) ** 2)


def gradients() -> None:
    x, y = np.eye(3), np.zeros(3)
    gradient = ag.grad(loss)(np.ones(3), x, y)
    value, _ = ag.value_and_grad(loss)(np.ones(3), x, y)
    print(float(value), gradient.shape, ag.hessian(loss)(np.ones(3), x, y).shape)
    step = ag.compile(ag.grad(loss))
    print(step(np.ones(3), x, y))
    assert_type(step.source, str)


def graphs(folder: Path) -> None:
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    c = np.tanh(a * b + 10.0) ** 2
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


def slope(g: Array, out: Array, x: Array) -> Any:
    return g / (1 + np.exp(-x))


def checks() -> None:
    assert_type(softplus.defvjp(slope), ag.Primitive)
    report = ag.gradcheck(softplus, np.array([-1.0, 0.5]), raise_error=False)
    assert_type(report, ag.GradcheckReport)
    for hint in report.hints:
        assert_type(hint.text, str)
    try:
        ag.gradcheck(np.sin, np.ones(2), gradient=np.sin)
    except ag.GradcheckError as error:
        print(error)


class Stop(nn.Callback):
    """A callback of one's own."""

    def after_epoch(self, run: Run) -> None:
        if run.history.loss[-1] < 1e-3:
            run.stop("good enough")


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


def main() -> None:
    with TemporaryDirectory() as folder:
        gradients()
        graphs(Path(folder))
        checks()
        networks(Path(folder))


if __name__ == "__main__":
    main()
