"""Checks of the workshops: each looks at one function or class of a file that readers fill in."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
import nn
from docs.learn.grading.exercise import exercise, is_true, same

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def digits() -> tuple[Any, Any, Any, Any]:
    """Images and labels to learn from, and to be asked about."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order] / 16, y[order]
    return x[:1200], y[:1200], x[1200:], y[1200:]


def irises() -> tuple[Any, Any, Any, Any]:
    """A hundred flowers to learn from, and fifty to be asked about."""
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    order = np.random.default_rng(1).permutation(len(x))
    x, y = x[order], y[order]
    return x[:100], y[:100], x[100:], y[100:]


# framework: layers, and what they make up.


@exercise("framework.1", "Linear(n_in, n_out, rng)", "Write forward, backward and step of Linear.")
def check_linear(linear: Any) -> None:
    rng = np.random.default_rng(1)
    layer, x, g = linear(3, 2, rng), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    layer.bias = rng.normal(size=np.shape(layer.bias))  # zeros would not be missed
    weight, bias = layer.weight.copy(), layer.bias.copy()
    y, pullback = ag.vjp(lambda x, w, b: x @ w + b, x, weight, bias)
    of_x, of_weight, of_bias = pullback(g)
    same(layer.forward(x), y, "forward")
    same(layer.backward(g), of_x, "the gradient in x")
    same(layer.weight_gradient, of_weight, "weight_gradient")
    same(layer.bias_gradient, of_bias, "bias_gradient")
    layer.step(0.1)
    same(layer.weight, weight - 0.1 * of_weight, "the weight after a step")
    same(layer.bias, bias - 0.1 * of_bias, "the bias after a step")


@exercise("framework.2", "Softmax()", "Write forward and backward of Softmax.")
def check_softmax(softmax: Any) -> None:
    rng = np.random.default_rng(2)
    layer, z, g = softmax(), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    p, pullback = ag.vjp(nn.softmax, z)
    same(layer.forward(z), p, "forward")
    same(layer.backward(g), pullback(g)[0], "the gradient in z")
    with np.errstate(all="ignore"):
        huge = layer.forward(np.array([[1000.0, 0.0]]))
    same(huge, [[1.0, 0.0]], "the softmax of (1000, 0)")


@exercise("framework.3", "CrossEntropyLoss()", "Write forward and backward of the loss.")
def check_cross_entropy_loss(loss_class: Any) -> None:
    p, labels = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]]), np.array([0, 2])
    loss = loss_class()
    same(loss.forward(p, labels), -np.mean(np.log([0.7, 0.4])), "the loss")
    right = [[-0.5 / 0.7, 0, 0], [0, 0, -0.5 / 0.4]]
    same(loss.backward(), right, "the gradient in p")


@exercise("framework.4", "Net(sizes, rng)", "Put the layers together, and learn the digits.")
def check_net(net_class: Any) -> None:
    x, y, new_x, new_y = digits()
    rng = np.random.default_rng(4)
    net = net_class([64, 32, 10], rng)
    same(np.sum(net.forward(x[:3]), axis=1), np.ones(3), "the sums of the probabilities")
    first = net.learn(x[:200], y[:200], 0.0)
    is_true(1.8 < first < 4, f"the loss before learning is {first:.2f}; 2.3 would be guessing")
    for _ in range(12):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 40):
            batch = order[start : start + 40]
            net.learn(x[batch], y[batch], 0.3)
    right = np.mean(np.argmax(net.forward(new_x), axis=1) == new_y)
    is_true(right > 0.93, f"of the digits that it had not seen, {right:.0%} are right; 93 are due")


# nielsen: any number of layers.


@exercise("nielsen.1", "Network(sizes, rng)", "Write feedforward, backprop and sgd of Network.")
def check_network(network_class: Any) -> None:
    rng = np.random.default_rng(5)
    for sizes in ([3, 2], [3, 4, 2], [3, 5, 4, 3, 2]):
        network = network_class(sizes, rng)
        x, y = rng.normal(size=(6, 3)), rng.uniform(size=(6, 2))

        def output(weights: Any, biases: Any, x: Any = x) -> Any:
            for w, b in zip(weights, biases, strict=True):
                x = nn.sigmoid(x @ w + b)
            return x

        def cost(weights: Any, biases: Any, output: Any = output, y: Any = y) -> Any:
            return 0.5 * np.mean(np.sum((output(weights, biases) - y) ** 2, axis=1))

        same(network.feedforward(x), output(network.weights, network.biases), f"{sizes}: output")
        found = network.backprop(x, y)
        wanted = ag.grad(cost, (0, 1))(network.weights, network.biases)
        for name, got, right in zip(("weights", "biases"), found, wanted, strict=True):
            is_true(len(got) == len(right), f"{sizes}: {len(got)} gradients of {name}")
            for layer, (a, b) in enumerate(zip(got, right, strict=True)):
                same(a, b, f"{sizes}: the gradient of {name}[{layer}]")
        before = float(cost(network.weights, network.biases))
        network.sgd(x, y, epochs=20, batch_size=4, rate=1.0, rng=rng)
        after = float(cost(network.weights, network.biases))
        is_true(after < before, f"{sizes}: sgd took the cost from {before:.4f} to {after:.4f}")


@exercise("nielsen.2", "xor_outputs()", "Find the mistake: the program says .5 four times.")
def check_xor_outputs(xor_outputs: Any) -> None:
    outputs = np.ravel(xor_outputs())
    is_true(outputs.shape == (4,), f"the outputs have the shape {outputs.shape}")
    off = np.abs(outputs - [0, 1, 1, 0]).max()
    is_true(off < 0.2, f"it says {', '.join(f'{x:.2f}' for x in outputs)}")


# gates: weights that are chosen.


@exercise("gates.1", "gates()", "Choose weights and bias of a unit for each of four gates.")
def check_gates(gates: Any) -> None:
    found = gates()
    is_true(isinstance(found, dict), 'return a dictionary, {"AND": ((w1, w2), b), …}')
    for name, right in (
        ("AND", [0, 0, 0, 1]), ("OR", [0, 1, 1, 1]), ("NAND", [1, 1, 1, 0]), ("NOR", [1, 0, 0, 0]),
    ):  # fmt: skip
        is_true(name in found, f"{name} is not there")
        w, b = found[name]
        same(PAIRS @ np.array(w, dtype=float) + b >= 0, right, f"{name} of 00, 01, 10, 11")


@exercise("gates.2", "xor(x)", "Build the exclusive or from units of gates().")
def check_xor_of_gates(xor: Any) -> None:
    same(xor(PAIRS), [0, 1, 1, 0], "xor of 00, 01, 10, 11")


@exercise("gates.3", "bump(x, left, right, steepness)", "Make a bump of two sigmoids.")
def check_bump(bump: Any) -> None:
    x = np.array([-1.0, 0.0, 0.3, 0.5, 0.7, 1.0, 2.0])
    same(bump(x, 0.2, 0.8, 100.0), [0, 0, 1, 1, 1, 0, 0], "the bump from 0.2 to 0.8", 1e-3)
    same(bump(np.array([0.2, 0.8]), 0.2, 0.8, 100.0), [0.5, 0.5], "the bump at its sides", 1e-3)


@exercise("gates.4", "disc()", "Enclose a disc with four neurons.")
def check_disc(disc: Any) -> None:
    parts = disc()
    are_four = isinstance(parts, (tuple, list)) and len(parts) == 4
    is_true(are_four, "return four things: the weights and biases of the four, and of the one")
    weight, bias, out_weight, out_bias = (np.asarray(part, dtype=float) for part in parts)
    shapes = (weight.shape, bias.shape, out_weight.shape, out_bias.shape)
    is_true(shapes == ((2, 4), (4,), (4,), ()), f"the shapes are {shapes}")
    x = np.random.default_rng(7).uniform(-1, 1, size=(4000, 2))
    fires = (x @ weight + bias >= 0) @ out_weight + out_bias >= 0
    right = np.mean(fires == (np.hypot(*x.T) < 0.6))
    is_true(right > 0.93, f"{right:.0%} of the points of the square are right; 93 are due")


# sequential: as in Keras.


@exercise("sequential.1", "Perceptron()", "Write fit and predict of the perceptron.")
def check_perceptron(perceptron: Any) -> None:
    unit = perceptron().fit(PAIRS, [0, 1, 1, 1])
    same(unit.weight, [1.0, 1.0], "the weights after learning OR in order")
    same(unit.bias, -1.0, "the bias after learning OR in order")
    same(unit.predict(PAIRS), [0, 1, 1, 1], "OR of 00, 01, 10, 11")


@exercise("sequential.2", "Dense(units, activation)", "Write build and __call__ of the layer.")
def check_dense(dense: Any) -> None:
    layer = dense(300, "relu")
    layer.build(50, np.random.default_rng(8))
    is_true(layer.weight.shape == (50, 300), f"the weight has the shape {layer.weight.shape}")
    same(layer.bias, np.zeros(300), "the bias")
    is_true(abs(np.var(layer.weight) * 50 - 1) < 0.1, "the variance should be 1 / n_inputs")
    x, weight = np.array([[1.0, -2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    same(layer(x, weight, np.array([0.5, 0.5])), [[1.5, 0.0]], "the layer's output")


@exercise("sequential.3", "Sequential(layers, seed)", "Write the rest, and learn XOR.")
def check_sequential(sequential: Any) -> None:
    layers = make_layers(sequential)
    model = sequential(layers, seed=3)
    is_true(np.shape(model.predict(PAIRS)) == (4, 1), "predict gives one output for each row")
    same(model.count_parameters(), 2 * 8 + 8 + 8 + 1, "the number of parameters")
    signs = np.array([-1.0, 1.0, 1.0, -1.0])

    def squared(outputs: Any, y: Any) -> Any:
        return np.mean((outputs[:, 0] - y) ** 2)

    losses = model.fit(PAIRS, signs, squared, 0.1, 400)
    is_true(len(losses) == 400, f"{len(losses)} losses came back")
    is_true(losses[-1] < 0.05, f"the loss is {losses[-1]:.3f} after 400 epochs; 0.05 is due")
    same(np.sign(model.predict(PAIRS)[:, 0]), signs, "XOR of 00, 01, 10, 11")
    output_alone = sequential(make_layers(sequential)[1:], seed=3)
    losses = output_alone.fit(np.zeros((4, 2)), np.ones(4), squared, 0.1, 50)
    is_true(losses[-1] < 0.05, "where all inputs are 0 the bias should learn, and does not")


def make_layers(sequential: Any) -> list[Any]:
    """Layers by the reader's own Dense, which stands in the same file."""
    dense = sequential.__init__.__globals__["Dense"]
    return [dense(8, "tanh"), dense(1)]


# estimators: by the tools of nn.


@exercise("estimators.1", "fires(excitatory, inhibitory, threshold)", "McCulloch and Pitts.")
def check_fires(fires: Any) -> None:
    for excitatory, inhibitory, threshold, right in (
        ([1, 1], [], 2, 1), ([1, 0], [], 2, 0), ([1, 0], [], 1, 1), ([1, 1], [1], 1, 0),
        ([], [0], 0, 1), ([], [1], 0, 0),
    ):  # fmt: skip
        given = f"excitatory {excitatory}, inhibitory {inhibitory}, threshold {threshold}"
        same(fires(excitatory, inhibitory, threshold), right, given)


def share(found: Any, right: Any, due: float, of: str) -> None:
    """Enough of the answers are right."""
    is_true(np.shape(found) == np.shape(right), f"{of}: the shape is {np.shape(found)}")
    got = np.mean(np.asarray(found) == right)
    is_true(got >= due, f"{of}: {got:.0%} are right, {due:.0%} are due")


@exercise("estimators.2", "setosa(petals, is_setosa, new_petals)", "A perceptron for irises.")
def check_setosa(setosa: Any) -> None:
    x, y, new_x, new_y = irises()
    found = setosa(x[:, 2:], (y == 0).astype(int), new_x[:, 2:])
    share(found, (new_y == 0).astype(int), 1.0, "new flowers")


@exercise("estimators.3", "several_labels(x, y, new_x)", "Several questions at once.")
def check_several_labels(several_labels: Any) -> None:
    x = np.random.default_rng(9).uniform(-1, 1, size=(600, 2))
    y = np.stack([x[:, 0] > 0, x.sum(axis=1) > 0.3, np.hypot(*x.T) < 0.7], axis=1).astype(int)
    share(several_labels(x[:400], y[:400], x[400:]), y[400:], 0.93, "new points")


@exercise("estimators.4", "regression(x, y, new_x)", "Numbers, by MLPRegressor.")
def check_regression(regression: Any) -> None:
    rng = np.random.default_rng(10)
    x = rng.uniform(size=(700, 3)) * [1.0, 1000.0, 0.01]
    y = np.sin(3 * x[:, 0]) + (x[:, 1] / 1000) ** 2 - 50 * x[:, 2] + rng.normal(0, 0.05, 700)
    found = np.asarray(regression(x[:500], y[:500], x[500:]))
    is_true(found.shape == (200,), f"the shape is {found.shape}")
    share_left = np.mean((found - y[500:]) ** 2) / np.var(y[500:])
    is_true(share_left < 0.15, f"{share_left:.0%} of the variance is left, 15 are allowed")


@exercise("estimators.5", "classification(x, y, new_x)", "Irises, by MLPClassifier.")
def check_classification(classification: Any) -> None:
    x, y, new_x, new_y = irises()
    share(classification(x, y, new_x), new_y, 0.9, "new flowers")
