"""A tour in four stops: see gradients, check one, draw a graph, train a network on real digits.

Run it with ``python examples/tour.py``; it takes some seconds and says where it put each file.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import autograd_lite as ag
import nn
from autograd_lite import Value

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def backpropagate() -> Value:
    """Stop 1: one neuron with its squared error, every number of it."""
    x1, x2 = Value(2.0, label="x1"), Value(-1.0, label="x2")
    w1, w2 = Value(0.5, label="w1"), Value(1.5, label="w2")
    b = Value(0.2, label="b")
    sum_ = x1 * w1 + x2 * w2 + b
    sum_.label = "sum"
    output = np.tanh(sum_)
    output.label = "output"
    error = (output - 1.0) ** 2
    error.label = "error"
    error.backward()
    print("1. A neuron, tanh(x1·w1 + x2·w2 + b), and its squared error from the target 1")
    print(f"   {'':8}{'value':>10}{'gradient':>10}")
    for value in (x1, w1, x2, w2, b, sum_, output, error):
        print(f"   {value.label:8}{value.data:10.4f}{value.grad:10.4f}")
    return error


def check_a_custom_function() -> None:
    """Stop 2: a function with a hand-written derivative, right and wrong."""

    @ag.primitive
    def swish(x: np.ndarray) -> np.ndarray:
        return x / (1 + np.exp(-x))

    def vjp(g: np.ndarray, out: np.ndarray, x: np.ndarray) -> np.ndarray:
        s = 1 / (1 + np.exp(-x))
        return g * (s + out * (1 - s))

    point = np.linspace(-2, 2, 5)
    swish.defvjp(vjp)
    print("\n2. The derivative of swish(x) = x/(1 + exp(-x)), written by hand and checked")
    print(indented(ag.gradcheck(swish, point)))
    swish.defvjp(lambda g, out, x: -vjp(g, out, x))
    print("   ... and with a wrong sign")
    print(indented(ag.gradcheck(swish, point, raise_error=False)))


def indented(text: object) -> str:
    return "\n".join("   " + line for line in str(text).splitlines())


def draw_the_graph(error: Value, folder: Path) -> None:
    """Stop 3: the graph of stop 1 as a picture, and as a page to step through."""
    print("\n3. The graph of the neuron, as a picture and as a page to step through")
    drawing = ag.draw(error)
    for name in ("neuron.dot", "neuron.svg", "neuron.html"):
        try:
            drawing.save(folder / name)
        except ag.MissingOptionError as missing:
            print(f"   {name} left out: {missing}")
        else:
            print(f"   wrote {folder / name}")


def train_on_digits(folder: Path, epochs: int) -> float:
    """Stop 4: an MLP reads handwritten digits; returns its accuracy on the held-out quarter."""
    print("\n4. An MLP learns 1,347 handwritten digits of 8x8 pixels; 450 are held out")
    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(
        digits.data.astype(np.float32) / 16,
        digits.target,
        test_size=0.25,
        stratify=digits.target,
        random_state=0,
    )
    model = nn.MLP(64, [64, 10], activation="relu", rng=0)
    started = time.perf_counter()
    history = nn.fit(
        model,
        x_train,
        y_train,
        loss=nn.cross_entropy,
        optimizer=nn.Adam(model, learning_rate=0.003),
        epochs=epochs,
        batch_size=32,
        validation_data=(x_test, y_test),
        rng=0,
    )
    seconds = time.perf_counter() - started
    accuracy = float(np.mean(nn.predicted_labels(nn.predict(model, x_test)) == y_test))
    print(f"   accuracy on the held-out quarter: {accuracy:.1%} after {seconds:.1f} s")
    path = folder / "loss.png"
    plot_losses(history, path)
    print(f"   wrote {path}")
    return accuracy


def plot_losses(history: nn.History, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    axes.semilogy(history.loss, label="training")
    axes.semilogy(history.validation_loss, label="held out")
    axes.set(xlabel="epoch", ylabel="cross-entropy [nats]", title="Handwritten digits")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("tour_output"), help="folder to fill")
    parser.add_argument("--epochs", type=int, default=30, help="epochs of training")
    arguments = parser.parse_args()
    folder = arguments.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    error = backpropagate()
    check_a_custom_function()
    draw_the_graph(error, folder)
    train_on_digits(folder, arguments.epochs)


if __name__ == "__main__":
    main()
