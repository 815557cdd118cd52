"""Make the pictures of the course again: ``python docs/learn/pictures.py``.

All are made twice, with English words for ``learn/images`` and with Spanish ones for
``es/images``.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from sklearn.datasets import load_digits, load_iris, make_circles
from sklearn.model_selection import train_test_split

import autograd_lite as ag
import nn
from autograd_lite import Value

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.text import Text

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
COLOURS = np.array(["C0", "C1"])


def panels(count: int, width: float = 3.2, height: float = 3.0) -> tuple[Any, Any]:
    figure, axes = plt.subplots(
        1, count, figsize=(width * count, height), layout="constrained", squeeze=False
    )
    return figure, axes[0]


def scatter(axes: Any, points: np.ndarray, classes: np.ndarray) -> None:
    axes.scatter(*points.T, c=COLOURS[classes], edgecolors="black", s=60, zorder=3)


def line(axes: Any, weight: np.ndarray, bias: float, **style: Any) -> None:
    """The points where ``weight · x + bias`` is zero."""
    low, high = axes.get_xlim()
    x = np.array([low, high])
    axes.plot(x, -(weight[0] * x + bias) / weight[1], **style)
    axes.set_xlim(low, high)


def gates() -> Any:
    figure, axes = panels(3)
    for ax, name, weight, bias in zip(
        axes, ("AND", "OR", "NAND"), ([1, 1], [1, 1], [-1, -1]), (-1.5, -0.5, 1.5), strict=True
    ):
        scatter(ax, CORNERS, (CORNERS @ np.array(weight) + bias >= 0).astype(int))
        ax.set(title=name, xlim=(-0.4, 1.4), ylim=(-0.4, 1.4), xlabel="$x_1$", ylabel="$x_2$")
        line(ax, np.array(weight), bias, color="black")
    return figure


def step_and_sigmoid() -> Any:
    figure, (ax,) = panels(1, 5.0)
    z = np.linspace(-6, 6, 401)
    ax.plot(z, nn.heaviside(z), label="step")
    ax.plot(z, nn.sigmoid(z), label="sigmoid")
    ax.set(xlabel="weighted sum z", ylabel="output")
    ax.legend()
    return figure


def neuron(lang: str = "en") -> ag.Drawing:
    x1, x2 = Value(1.0, label="x1"), Value(2.0, label="x2")
    w1, w2 = Value(0.5, label="w1"), Value(-1.0, label="w2")
    b = Value(0.5, label="b")
    output = np.tanh(w1 * x1 + w2 * x2 + b)
    output.label = "output"
    output.backward()
    return ag.draw(output, lang=lang)


def perceptron() -> Any:
    iris = load_iris()
    chosen = iris.target < 2
    petals, kind = iris.data[chosen, 2:], iris.target[chosen]
    figure, (ax,) = panels(1, 5.5, 4.0)
    scatter(ax, petals, kind)
    ax.set(xlabel="length of the petal [cm]", ylabel="width [cm]", ylim=(-0.5, 2.5))
    unit = nn.Perceptron(2)
    for i in np.random.default_rng(0).permutation(len(petals)):
        if unit.learn(petals[i], kind[i]) and unit.weight.data[1, 0]:
            line(ax, unit.weight.data[:, 0], unit.bias.data[0], color="black", alpha=0.3)
    line(ax, unit.weight.data[:, 0], unit.bias.data[0], color="black", linewidth=2.5)
    return figure


def xor() -> Any:
    classes = np.array([0, 1, 1, 0])
    hidden = np.stack([CORNERS.sum(axis=1) > 0.5, CORNERS.sum(axis=1) < 1.5], axis=1) * 1.0
    figure, (left, right) = panels(2)
    scatter(left, CORNERS, classes)
    left.set(title="inputs", xlabel="$x_1$", ylabel="$x_2$")
    scatter(right, hidden, classes)
    right.set(title="hidden units", xlabel="OR", ylabel="NAND")
    for ax in (left, right):
        ax.set(xlim=(-0.4, 1.4), ylim=(-0.4, 1.4))
    line(right, np.array([1.0, 1.0]), -1.5, color="black")
    return figure


def circles() -> Any:
    points, ring = make_circles(200, factor=0.4, noise=0.08, random_state=0)
    figure, axes = panels(2)
    models = (nn.Linear(2, 2, rng=0), nn.MLP(2, [8, 2], activation="tanh", rng=0))
    for ax, model, title in zip(axes, models, ("one layer", "eight hidden units"), strict=True):
        nn.fit(
            model, points, ring, loss=nn.cross_entropy, epochs=60, rng=0, progress=False,
            optimizer=nn.Adam(model, learning_rate=0.05),
        )  # fmt: skip
        nn.plots.decision_regions(model, points, ring, ax=ax)
        ax.set_title(title)
    return figure


def step_size() -> Any:
    steps = np.logspace(-15, 0, 150)
    slopes = (np.sin(1.0 + steps) - np.sin(1.0 - steps)) / (2 * steps)
    figure, (ax,) = panels(1, 5.0)
    ax.loglog(steps, np.abs(slopes - np.cos(1.0)))
    ax.set(xlabel="step h", ylabel="error of the slope")
    ax.annotate("rounding", (1e-12, 1e-9))
    ax.annotate("curvature", (1e-3, 1e-9))
    return figure


def graph(lang: str = "en") -> ag.Drawing:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    d = (c + a) ** 2
    d.label = "d"
    d.backward()
    return ag.draw(d, lang=lang)


def backpropagation(lang: str = "en") -> ag.Drawing:
    x, t = Value(1.0, label="x"), 1.0
    w1, b1 = Value(0.8, label="w1"), Value(0.1, label="b1")
    w2, b2 = Value(-1.2, label="w2"), Value(0.3, label="b2")
    z1 = x * w1 + b1
    a1 = nn.sigmoid(z1)
    z2 = a1 * w2 + b2
    a2 = nn.sigmoid(z2)
    cost = 0.5 * (a2 - t) ** 2
    for name, value in (("z1", z1), ("a1", a1), ("z2", z2), ("a2", a2), ("cost", cost)):
        value.label = name
    cost.backward()
    return ag.draw(cost, lang=lang)


def learning_rates() -> Any:
    figure, axes = panels(4, 2.6)
    w = np.linspace(-2, 2, 200)
    for ax, rate in zip(axes, (0.01, 0.4, 0.9, 1.1), strict=True):
        path = (1 - 2 * rate) ** np.arange(11)
        ax.plot(w, w**2, color="lightgrey")
        ax.plot(path, path**2, "o-", markersize=4)
        ax.set(title=f"learning rate {rate}", xlim=(-2, 2), ylim=(-0.2, 4), xlabel="w")
    return figure


def network_learning_rates() -> Any:
    x = np.random.default_rng(0).uniform(-1, 1, size=(1000, 1))
    figure, (ax,) = panels(1, 5.0)
    for rate in (0.001, 0.1, 0.5):
        model = nn.MLP(1, [16, 1], activation="tanh", rng=0)
        history = nn.fit(
            model, x, np.sin(3 * x), loss=nn.mse, epochs=30, rng=0, progress=False,
            optimizer=nn.SGD(model, learning_rate=rate),
        )  # fmt: skip
        ax.semilogy(history.loss, label=f"learning rate {rate}")
    ax.set(xlabel="epoch", ylabel="mean squared error")
    ax.legend()
    return figure


def momentum() -> Any:
    figure, axes = panels(2, 4.5)
    curvature = np.array([1.0, 25.0])
    grid = np.meshgrid(np.linspace(-3, 11, 200), np.linspace(-1.6, 1.6, 200))
    height = 0.5 * (grid[0] ** 2 + 25 * grid[1] ** 2)
    for ax, title, options in (
        (axes[0], "plain", {"learning_rate": 1 / 13}),
        (axes[1], "with momentum 0.5", {"learning_rate": 0.09, "momentum": 0.5}),
    ):
        w = nn.Parameter(np.array([10.0, 1.0]))
        optimizer = nn.SGD([w], **options)
        path = [w.data.copy()]
        for _ in range(25):
            optimizer.zero_grad()
            (0.5 * np.sum(curvature * w**2)).backward()
            optimizer.step()
            path.append(w.data.copy())
        ax.contour(*grid, height, levels=np.array([0.5, 2, 5, 10, 20, 40]), colors="lightgrey")
        ax.plot(*np.array(path).T, "o-", markersize=3)
        ax.set(title=f"{title}: 25 steps", xlabel="$w_1$", ylabel="$w_2$")
    return figure


def noisy_sine(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-3, 3, size=(n, 1))
    return x, np.sin(2 * x) + 0.3 * rng.normal(size=(n, 1))


def large_network() -> nn.Module:
    return nn.MLP(1, [50, 50, 1], activation="tanh", rng=0)


def fit_sine(model: nn.Module, x: np.ndarray, y: np.ndarray, **options: Any) -> nn.History:
    return nn.fit(
        model, x, y, loss=nn.mse, batch_size=20, rng=0, progress=False,
        optimizer=nn.Adam(model, learning_rate=0.01), **options,
    )  # fmt: skip


def show_fit(ax: Any, model: nn.Module, x: np.ndarray, y: np.ndarray) -> None:
    line_x = np.linspace(-3, 3, 300)[:, np.newaxis]
    ax.plot(line_x, np.sin(2 * line_x), "--", color="grey", label="truth")
    ax.plot(line_x, nn.predict(model, line_x), color="C1", label="network")
    ax.scatter(x, y, color="black", s=150 / np.sqrt(len(x)) / 3, zorder=3)


def overfitting() -> Any:
    rng = np.random.default_rng(1)
    (x, y), held_out = noisy_sine(rng, 20), noisy_sine(rng, 300)
    model = large_network()
    history = fit_sine(model, x, y, epochs=600, validation_data=held_out)
    figure, (left, right) = panels(2, 4.5, 3.4)
    show_fit(left, model, x, y)
    left.legend()
    right.semilogy(history.loss, label="training")
    right.semilogy(history.validation_loss, label="new points")
    right.axhline(0.09, color="grey", linestyle="--", label="variance of the noise")
    right.set(xlabel="epoch", ylabel="mean squared error")
    right.legend()
    return figure


def remedies() -> Any:
    rng = np.random.default_rng(1)
    few, held_out, many = noisy_sine(rng, 20), noisy_sine(rng, 300), noisy_sine(rng, 400)
    dropout = nn.Sequential(
        nn.Linear(1, 50, rng=0), nn.tanh, nn.Dropout(0.1, rng=1),
        nn.Linear(50, 50, rng=1), nn.tanh, nn.Dropout(0.1, rng=2), nn.Linear(50, 1, rng=2),
    )  # fmt: skip
    figure, axes = panels(4, 2.9)
    for ax, title, model, data, options in (
        (axes[0], "as it is", large_network(), few, {"epochs": 600}),
        (axes[1], "small weights", large_network(), few, {"epochs": 600, "l2": 0.003}),
        (axes[2], "dropout", dropout, few, {"epochs": 600}),
        (axes[3], "400 points", large_network(), many, {"epochs": 100}),
    ):
        fit_sine(model, *data, **options)
        show_fit(ax, model, *data)
        loss = nn.evaluate(model, *held_out, loss=nn.mse)["loss"]
        ax.set(title=f"{title}\ntest loss {loss:.2f}", ylim=(-2, 2))
    return figure


def digits() -> dict[str, Any]:
    """The three pictures of chapter 8, from one training."""
    data = load_digits()
    x, x_test, y, y_test = train_test_split(
        data.data.astype(np.float32) / 16, data.target, test_size=400,
        stratify=data.target, random_state=0,
    )  # fmt: skip
    x, x_validation, y, y_validation = train_test_split(
        x, y, test_size=297, stratify=y, random_state=0
    )
    model = nn.MLP(64, [64, 10], activation="relu", rng=0, dtype=np.float32)
    history = nn.fit(
        model, x, y, loss=nn.cross_entropy, epochs=60, rng=0, progress=False,
        optimizer=nn.Adam(model, learning_rate=0.003),
        validation_data=(x_validation, y_validation), callbacks=[nn.EarlyStopping(patience=10)],
    )  # fmt: skip
    learning, (ax,) = panels(1, 5.0)
    ax.semilogy(history.loss, label="training")
    ax.semilogy(history.validation_loss, label="validation")
    ax.set(xlabel="epoch", ylabel="cross-entropy [nats]")
    ax.legend()
    return {
        "digits_learning.png": learning,
        "digits_mistakes.png": mistakes(model, x_test, y_test),
        "digits_saliency.png": saliency(model, x_test, y_test),
    }


def mistakes(model: nn.Module, x: np.ndarray, y: np.ndarray) -> Any:
    taken_for = nn.predicted_labels(nn.predict(model, x))
    wrong = np.flatnonzero(taken_for != y)[:8]
    figure, axes = panels(len(wrong), 1.2, 1.6)
    for ax, i in zip(axes, wrong, strict=True):
        ax.imshow(x[i].reshape(8, 8), cmap="gray_r")
        ax.set_title(f"{y[i]} as {taken_for[i]}", fontsize=9)
        ax.set_axis_off()
    return figure


def saliency(model: nn.Module, x: np.ndarray, y: np.ndarray) -> Any:
    figure, axes = plt.subplots(2, 10, figsize=(9, 2), layout="constrained")
    for digit, (top, bottom) in enumerate(axes.T):
        image = x[np.flatnonzero(y == digit)[0]]
        slope = ag.grad(lambda pixels, k=digit: model(pixels)[k])(image).data
        top.imshow(image.reshape(8, 8), cmap="gray_r")
        limit = np.abs(slope).max()
        bottom.imshow(slope.reshape(8, 8), cmap="RdBu_r", vmin=-limit, vmax=limit)
        top.set_axis_off()
        bottom.set_axis_off()
    return figure


def waves(x: np.ndarray, n: int) -> np.ndarray:
    k = np.arange(n)
    return np.cos(np.outer(x, k)) / np.sqrt(np.maximum(k, 1))


def double_descent() -> Any:
    rng = np.random.default_rng(0)
    points = []
    for n in (20, 1000):
        x = rng.uniform(0, np.pi, n)
        points.append((x, 2 * np.exp(-x) + 0.3 * rng.normal(size=n)))
    sizes = np.unique(np.r_[1:41, np.geomspace(40, 1000, 40).astype(int)])
    errors = np.empty((2, len(sizes)))
    for i, n in enumerate(sizes):
        weights = np.linalg.lstsq(waves(points[0][0], n), points[0][1], rcond=None)[0]
        errors[:, i] = [np.mean((waves(x, n) @ weights - y) ** 2) for x, y in points]
    figure, (ax,) = panels(1, 5.5, 3.4)
    ax.loglog(sizes, np.maximum(errors[0], 1e-4), label="training")
    ax.loglog(sizes, errors[1], label="new points")
    ax.axhline(0.09, color="grey", linestyle="--", label="variance of the noise")
    ax.set(xlabel="waves", ylabel="mean squared error", ylim=(1e-3, 1e4))
    ax.legend()
    return figure


PLOTS: tuple[Callable[[], Any], ...] = (
    gates, step_and_sigmoid, perceptron, xor, circles, step_size, learning_rates,
    network_learning_rates, momentum, overfitting, remedies, double_descent,
)  # fmt: skip
DRAWINGS: tuple[Callable[..., ag.Drawing], ...] = (neuron, graph, backpropagation)


# What stands in the plots, longer words before those that they begin with.
SPANISH = {
    "weighted sum z": "suma ponderada z",
    "output": "salida",
    "step h": "paso h",
    "steps": "pasos",
    "step": "escalón",
    "sigmoid": "sigmoide",
    "length of the petal [cm]": "longitud del pétalo [cm]",
    "width [cm]": "anchura [cm]",
    "inputs": "entradas",
    "eight hidden units": "ocho unidades ocultas",
    "hidden units": "unidades ocultas",
    "one layer": "una capa",
    "error of the slope": "error de la pendiente",
    "rounding": "redondeo",
    "curvature": "curvatura",
    "learning rate": "tasa",
    "epoch": "época",
    "mean squared error": "error cuadrático medio",
    "plain": "simple",
    "waves": "ondas",
    "with momentum": "con momento",
    "truth": "verdad",
    "network": "red",
    "training": "entrenamiento",
    "validation": "validación",
    "new points": "puntos nuevos",
    "variance of the noise": "varianza del ruido",
    "as it is": "tal cual",
    "small weights": "pesos pequeños",
    "points": "puntos",
    "test loss": "pérdida de prueba",
    "cross-entropy": "entropía cruzada",
    " as ": " por ",
}
SAME = r"AND|OR|NAND|dropout|\[nats\]|\$.*?\$|\bw\b|[\d\s.,:−]"


def in_spanish(text: str) -> str:
    """A text of a plot; a word without a translation is an error."""
    pattern = "|".join(map(re.escape, SPANISH))
    if untranslated := re.sub(f"{pattern}|{SAME}", "", text):
        raise KeyError(f"SPANISH lacks {untranslated!r} of {text!r}")
    return re.sub(pattern, lambda found: SPANISH[found[0]], text)


def translate(figure: Any) -> None:
    for text in figure.findobj(Text):
        text.set_text(in_spanish(text.get_text()))


def save(figures: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=90)
        print("wrote", folder / name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    docs = Path(__file__).parents[1]
    parser.add_argument("--output", type=Path, default=docs, help="folder to fill")
    folder = parser.parse_args().output
    english, spanish = (folder / language / "images" for language in ("learn", "es"))
    figures = {f"{plot.__name__}.png": plot() for plot in PLOTS} | digits()
    save(figures, english)
    for draw in DRAWINGS:
        for lang, place in (("en", english), ("es", spanish)):
            place.mkdir(parents=True, exist_ok=True)
            print("wrote", draw(lang).save(place / f"{draw.__name__}.svg"))
    for figure in figures.values():
        translate(figure)
    save(figures, spanish)


if __name__ == "__main__":
    main()
