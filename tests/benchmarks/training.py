"""Workload: one epoch of an MLP classifier, 5,000 images of 784 pixels, batches of 200, Adam.

One hidden layer of 128 rectified units, softmax cross-entropy and the small
penalty on weights that scikit-learn has.  All peers begin with the same weights
and see the same samples in the same order; the mean losses of their epochs are
compared before they are timed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import nn
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed

N, SIZES, BATCH = 5000, (784, 128, 10), 200
PENALTY, RATE, EPSILON, BETA1, BETA2 = 1e-4, 1e-3, 1e-8, 0.9, 0.999


def images() -> tuple[Any, Any]:
    """Ten prototypes under much noise, about as hard to tell apart as handwritten digits."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, SIZES[-1], N)
    prototypes = rng.random((SIZES[-1], SIZES[0]), np.float32)
    noise = rng.random((N, SIZES[0]), np.float32)
    return 0.1 * prototypes[labels] + 0.9 * noise, labels


def network() -> nn.MLP:
    return nn.MLP(SIZES[0], SIZES[1:], rng=0, dtype=np.float32)


def orders() -> np.random.Generator:
    """Its permutations are the orders of the samples, epoch by epoch."""
    return np.random.default_rng(1)


class SameOrders(np.random.RandomState):
    """What scikit-learn shuffles with, so that it sees these orders too."""

    def __init__(self) -> None:
        super().__init__(0)
        self.orders = orders()

    def shuffle(self, indices: Any) -> None:
        indices[:] = indices[self.orders.permutation(len(indices))]


def by_fit(x: Any, labels: Any, compile: bool | str) -> Runner:
    model, rng = network(), orders()
    optimizer = nn.Adam(model, RATE)

    def epoch() -> Any:
        history = nn.fit(
            model, x, labels, loss=nn.cross_entropy, optimizer=optimizer, epochs=1,
            batch_size=BATCH, l2=PENALTY / BATCH, rng=rng, compile=compile, progress=False,
        )  # fmt: skip
        return history.loss

    return epoch


def by_estimator(x: Any, labels: Any, compile: bool | str) -> Runner:
    from nn.estimators import MLPClassifier

    classifier = MLPClassifier(SIZES[1:-1], batch_size=BATCH, alpha=PENALTY, compile=compile)
    classifier.partial_fit(x[:BATCH], labels[:BATCH], classes=np.arange(SIZES[-1]))
    classifier.model_.load_state_dict(network().state_dict())
    classifier.optimizer_ = nn.Adam(classifier.model_, RATE)
    classifier.random_state = SameOrders()

    def epoch() -> Any:
        return [classifier.partial_fit(x, labels).loss_curve_[-1]]

    return epoch


def by_scikit_learn(x: Any, labels: Any) -> Runner:
    from sklearn.neural_network import MLPClassifier

    layers = [layer for layer in network() if isinstance(layer, nn.Linear)]

    class SameStart(MLPClassifier):
        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
            layer = layers.pop(0)
            return layer.weight.data.astype(dtype), layer.bias.data.astype(dtype)

    options = {"batch_size": BATCH, "alpha": PENALTY, "learning_rate_init": RATE}
    classifier = SameStart(SIZES[1:-1], random_state=SameOrders(), **options)

    def epoch() -> Any:
        return [classifier.partial_fit(x, labels, classes=np.arange(SIZES[-1])).loss_]

    return epoch


def by_torch(x: Any, labels: Any) -> Runner:
    import torch

    first, last = (nn.torch_state_dict(network()[i]) for i in (0, 2))
    model = torch.nn.Sequential(
        torch.nn.Linear(*SIZES[:2]), torch.nn.ReLU(), torch.nn.Linear(*SIZES[1:])
    )
    for layer, state in ((model[0], first), (model[2], last)):
        layer.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    weights, biases = ([p for p in model.parameters() if p.ndim == n] for n in (2, 1))
    groups = [{"params": weights, "weight_decay": PENALTY / BATCH}, {"params": biases}]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    x, labels, rng = torch.tensor(x), torch.tensor(labels), orders()

    def epoch() -> Any:
        total = 0.0
        for rows in torch.tensor(rng.permutation(N)).split(BATCH):
            loss = torch.nn.functional.cross_entropy(model(x[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        return [total / N]

    return epoch


class ByHand:
    """NumPy with every result in a buffer of its own or over one that is not needed any more."""

    def __init__(self, x: Any, labels: Any) -> None:
        self.x, self.labels, self.rng = x, labels, orders()
        self.parameters = [p.data for p in network().parameters()]
        self.means, self.squares, self.gradients, self.scratch = (
            [np.zeros_like(p) for p in self.parameters] for _ in range(4)
        )
        self.batch = np.empty((BATCH, SIZES[0]), np.float32)
        self.h, self.dh = np.empty((2, BATCH, SIZES[1]), np.float32)
        self.z, self.p = np.empty((2, BATCH, SIZES[2]), np.float32)
        self.active = np.empty(self.h.shape, bool)
        self.rows = np.arange(BATCH)
        self.steps = 0

    def epoch(self) -> Any:
        order = self.rng.permutation(N)
        losses = [self.step(order[i : i + BATCH]) for i in range(0, N, BATCH)]
        return [float(np.mean(losses))]

    def step(self, chosen: Any) -> Any:
        w1, b1, w2, b2 = self.parameters
        dw1, db1, dw2, db2 = self.gradients
        x, h, dh, z, p, zero = self.batch, self.h, self.dh, self.z, self.p, np.float32(0)
        np.take(self.x, chosen, 0, x)
        labels = self.labels[chosen]
        np.dot(x, w1, h)
        np.add(h, b1, h)
        np.maximum(h, zero, out=h)
        np.dot(h, w2, z)
        np.add(z, b2, z)
        np.subtract(z, z.max(1, keepdims=True), z)
        np.exp(z, p)
        total = p.sum(1, keepdims=True)
        loss = (np.log(total).sum() - z[self.rows, labels].sum()) / BATCH
        np.divide(p, total, p)
        p[self.rows, labels] -= 1
        np.divide(p, np.float32(BATCH), p)
        np.add.reduce(p, 0, None, db2)
        np.dot(h.T, p, dw2)
        np.dot(p, w2.T, dh)
        np.greater(h, zero, self.active)
        np.multiply(dh, self.active, dh)
        np.add.reduce(dh, 0, None, db1)
        np.dot(x.T, dh, dw1)
        self.adam()
        return loss

    def adam(self) -> None:
        self.steps += 1
        root = np.sqrt(1 - BETA2**self.steps)
        epsilon = np.float32(EPSILON * root)
        rate = np.float32(RATE * root / (1 - BETA1**self.steps))
        keep1, add1, keep2, add2 = map(np.float32, (BETA1, 1 - BETA1, BETA2, 1 - BETA2))
        for parameter, mean, square, g, s in zip(
            self.parameters, self.means, self.squares, self.gradients, self.scratch, strict=True
        ):
            if parameter.ndim == 2:
                np.multiply(parameter, np.float32(PENALTY / BATCH), s)
                np.add(g, s, g)
            np.multiply(mean, keep1, mean)
            np.multiply(g, add1, s)
            np.add(mean, s, mean)
            np.multiply(square, keep2, square)
            np.multiply(g, g, s)
            np.multiply(s, add2, s)
            np.add(square, s, square)
            np.sqrt(square, s)
            np.add(s, epsilon, s)
            np.divide(mean, s, s)
            np.multiply(s, rate, s)
            np.subtract(parameter, s, parameter)


def make() -> dict[str, Any]:
    x, labels = images()
    runners: dict[str, Any] = {
        OURS: by_fit(x, labels, True),
        BY_HAND: ByHand(x, labels).epoch,
        f"{OURS}, compile=False": by_fit(x, labels, False),
    }
    if installed("numba"):
        runners[f"{OURS}, compile='numba'"] = by_fit(x, labels, "numba")
    if installed("numba") and installed("sklearn"):
        runners[f"{OURS}, MLPClassifier, compile='numba'"] = by_estimator(x, labels, "numba")
    if installed("sklearn"):
        runners[f"{OURS}, MLPClassifier"] = by_estimator(x, labels, True)
        runners["scikit-learn, float32"] = by_scikit_learn(x, labels)
        runners["scikit-learn, float64"] = by_scikit_learn(x.astype(np.float64), labels)
    if installed("torch"):
        runners["PyTorch"] = by_torch(x, labels)
    return runners


WORKLOADS = [
    Workload(
        "epoch of an MLP classifier",
        "784-128-10, 5,000 samples, batch 200, Adam; float32 but for one peer",
        make,
        inner=1,
        tolerance=2e-3,
    )
]
