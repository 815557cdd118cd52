"""Weights of samples count the same whatever the batches are."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import autograd_lite as ag
import nn

torch = pytest.importorskip("torch")
RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(12, 2)), RNG.uniform(0.1, 3, size=12)
Y = X[:, :1] * 2 + 1


def fit(model, x, y, **options):
    defaults = {"loss": "mse", "epochs": 1, "rng": 0, "progress": False}
    optimizer = options.pop("optimizer", lambda m: nn.SGD(m, learning_rate=0.1))
    return nn.fit(model, x, y, optimizer=optimizer, **(defaults | options))


def weights_of(model):
    return np.concatenate([p.data.ravel() for p in model.parameters()])


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 5, 12])
def test_every_step_is_along_the_weighted_sum(batch_size, compile):
    """Beside PyTorch, with weights relative to their mean: Σ w · loss / (samples of the batch)."""
    model = nn.Linear(2, 1, rng=0)
    weight = torch.tensor(model.weight.data.T.copy(), requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight, bias], lr=0.1)
    order = np.random.default_rng(0).permutation(12)
    relative = torch.tensor(W / W.mean())
    losses = []
    for start in range(0, 12, batch_size):
        rows = order[start : start + batch_size]
        out = torch.nn.functional.linear(torch.tensor(X[rows]), weight, bias)
        each = (out - torch.tensor(Y[rows]))[:, 0] ** 2
        loss = (relative[rows] * each).mean()
        losses.append(loss.item() * len(rows))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    history = fit(model, X, Y, sample_weight=W, batch_size=batch_size, compile=compile)
    expected = np.r_[weight.detach().numpy().ravel(), bias.detach().numpy()]
    np.testing.assert_allclose(weights_of(model), expected, rtol=1e-12)
    assert history.loss == [pytest.approx(sum(losses) / 12)]


@pytest.mark.parametrize("compile", [True, False])
def test_accumulated_batches_are_the_large_batch(compile):
    models = [nn.Linear(2, 1, rng=0) for _ in range(2)]
    fit(models[0], X, Y, sample_weight=W, batch_size=12, epochs=3, compile=compile)
    fit(models[1], X, Y, sample_weight=W, batch_size=4, accumulate=3, epochs=3, compile=compile)
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


def test_the_loss_in_the_history_is_the_weighted_mean():
    model = nn.Linear(2, 1, rng=0)
    expected = np.average((nn.predict(model, X) - Y)[:, 0] ** 2, weights=W)
    tiny = {"optimizer": lambda m: nn.SGD(m, learning_rate=1e-300), "batch_size": 5}
    assert fit(model, X, Y, sample_weight=W, **tiny).loss == [pytest.approx(expected)]
    batches = [(X[i : i + 5], Y[i : i + 5], W[i : i + 5]) for i in range(0, 12, 5)]
    assert fit(model, batches, None, **tiny).loss == [pytest.approx(expected)]


def test_weights_count_in_validation():
    model = nn.Linear(2, 1, rng=0)
    expected = np.average((nn.predict(model, X) - Y)[:, 0] ** 2, weights=W)
    tiny = {"optimizer": lambda m: nn.SGD(m, learning_rate=1e-300)}
    history = fit(model, X, Y, validation_data=(X, Y, W), **tiny)
    assert history.validation_loss == [pytest.approx(expected)]
    assert nn.evaluate(model, X, Y, loss="mse", sample_weight=W)["loss"] == pytest.approx(expected)
    aside = np.random.default_rng(0).permutation(12)[:6]
    split = np.average((nn.predict(model, X) - Y)[aside, 0] ** 2, weights=W[aside])
    history = fit(model, X, Y, sample_weight=W, validation_split=0.5, **tiny)
    assert history.validation_loss == [pytest.approx(split)]


LABELS = np.array([0, 1, 2, 1, 1, 0, 2, 1, 0, 1, 1, 2])


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 3.0, 2: 0.5}, [1.0, 3.0, 0.5], "balanced"])
@pytest.mark.parametrize(
    "labels",
    [
        LABELS.astype(float),
        LABELS.astype(np.uint8),
        np.eye(3)[LABELS],
        np.eye(3, dtype=int)[LABELS],
    ],
    ids=["float", "unsigned", "one-hot", "one-hot of whole numbers"],
)
def test_class_weights_of_every_kind_of_labels(labels, class_weight):
    models = [nn.Linear(2, 3, rng=0) for _ in range(2)]
    options = {"loss": "cross_entropy", "class_weight": class_weight, "batch_size": 4}
    fit(models[0], X, LABELS, **options)
    fit(models[1], X, labels, **options)
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


@pytest.mark.parametrize("kind", [bool, int, float])
def test_class_weights_of_yes_and_no(kind):
    yes = (LABELS == 1)[:, np.newaxis]
    models = [nn.Linear(2, 1, rng=0) for _ in range(2)]
    options = {"loss": "binary_cross_entropy", "batch_size": 4}
    fit(models[0], X, yes.astype(kind), class_weight={0: 1.0, 1: 4.0}, **options)
    fit(models[1], X, yes.astype(float), sample_weight=np.where(yes[:, 0], 4.0, 1.0), **options)
    np.testing.assert_allclose(weights_of(models[0]), weights_of(models[1]), rtol=1e-12)


LOGITS_X = np.random.default_rng(5).normal(size=(24, 3))
CLASSES = np.random.default_rng(6).integers(0, 3, 24)
IGNORED = np.where(np.arange(24) % 5 < 2, -100, CLASSES)
IGNORED[:4] = -100  # a batch of which nothing counts
WEIGHTS = [0.5, 1.0, 3.0]
RANDOM_WEIGHTS = np.random.default_rng(7).uniform(0, 3, 24)
COUNTING = {
    "ignore_index": ({"ignore_index": -100}, IGNORED),
    "class_weight": ({"class_weight": WEIGHTS}, CLASSES),
    "an array": ({"class_weight": np.array(WEIGHTS, np.float32)}, CLASSES),
    "both": ({"class_weight": WEIGHTS, "ignore_index": -100}, IGNORED),
}


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("name", COUNTING)
def test_the_mean_of_an_epoch_is_over_what_counts(name, compile):
    options, labels = COUNTING[name]
    model = nn.Linear(3, 3, rng=0)
    expected = float(nn.cross_entropy(model(LOGITS_X), labels, **options).data)
    history = nn.fit(
        model, LOGITS_X, labels, loss=functools.partial(nn.cross_entropy, **options),
        optimizer=nn.SGD(model, learning_rate=1e-300), epochs=1, batch_size=4, shuffle=False,
        compile=compile, progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(history.loss, [expected], rtol=1e-12)


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("name", COUNTING)
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_that_are_accumulated_are_one_large_one(name, compile, weighted):
    options, labels = COUNTING[name]
    sample_weight = RANDOM_WEIGHTS if weighted else None

    def trained(**sizes):
        model = nn.Linear(3, 3, rng=0)
        history = nn.fit(
            model, LOGITS_X, labels, loss=functools.partial(nn.cross_entropy, **options),
            optimizer=nn.SGD(model, learning_rate=0.5), epochs=3, shuffle=False, progress=False,
            sample_weight=sample_weight, compile=compile, **sizes,
        )  # fmt: skip
        return [*history.loss, *model.weight.data.ravel()]

    in_parts = trained(batch_size=4, accumulate=6)
    np.testing.assert_allclose(in_parts, trained(batch_size=24), rtol=1e-12)
    np.testing.assert_allclose(in_parts, trained(batch_size=4, accumulate=8), rtol=1e-12)


class TwoHeads(nn.Module):
    """Two outputs with classes, and one with numbers."""

    def __init__(self):
        self.body = nn.Linear(3, 4, rng=0)
        self.a, self.b, self.c = (nn.Linear(4, n, rng=n) for n in (3, 2, 1))

    def forward(self, x):
        y = np.tanh(self.body(x))
        return {"a": self.a(y), "b": self.b(y), "c": self.c(y)}


BINARY = np.where(np.arange(24) % 7 == 3, -1, CLASSES > 0)
TARGETS = {"a": IGNORED, "b": BINARY, "c": LOGITS_X[:, :1] ** 2}
LOSSES = {
    "a": functools.partial(nn.cross_entropy, ignore_index=-100, class_weight=WEIGHTS),
    "b": functools.partial(nn.cross_entropy, ignore_index=-1),
    "c": "mse",
}


def fit_heads(counted=("a", "b", "c"), weighted=False, learning_rate=0.5, **options):
    model = TwoHeads()
    for name in {"a", "b", "c"} - set(counted):
        getattr(model, name).freeze()
    defaults = {
        "optimizer": nn.SGD(model, learning_rate=learning_rate), "epochs": 2, "shuffle": False,
        "loss": {name: LOSSES[name] for name in counted},
        "loss_weights": {name: {"a": 0.5, "b": 2.0, "c": 0.3}[name] for name in counted},
        "sample_weight": RANDOM_WEIGHTS if weighted else None, "progress": False,
    }  # fmt: skip
    history = nn.fit(model, LOGITS_X, TARGETS, **(defaults | options))
    return model, history


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("counted", [("a",), ("a", "b"), ("a", "c"), ("a", "b", "c"), ("c",)])
def test_each_of_several_outputs_has_a_mean_over_what_counts_in_it(counted, weighted, compile):
    options = {"counted": counted, "weighted": weighted, "compile": compile}
    (large, expected), (small, found) = (
        fit_heads(**options, **sizes)
        for sizes in ({"batch_size": 24}, {"batch_size": 5, "accumulate": 5})
    )
    for name, array in large.state_dict().items():
        np.testing.assert_allclose(small.state_dict()[name], array, rtol=1e-11, atol=1e-14)
    # the first epoch is computed with the weights that both began with
    np.testing.assert_allclose(found.columns["loss"], expected.columns["loss"], rtol=1e-11)


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_an_output_that_is_frozen_counts_in_the_loss_alone(name, compile):
    class Apart(nn.Module):
        def __init__(self):
            self.a, self.b, self.c = (nn.Linear(3, n, rng=n) for n in (3, 2, 1))

        def forward(self, x):
            return {"a": self.a(x), "b": self.b(x), "c": self.c(x)}

    trained = []
    for sizes in ({"batch_size": 24}, {"batch_size": 5, "accumulate": 5}):
        model = Apart()
        getattr(model, name).freeze()
        history = nn.fit(
            model, LOGITS_X, TARGETS, loss=LOSSES, optimizer=nn.SGD(model, 0.3), epochs=2,
            shuffle=False, compile=compile, progress=False, **sizes,
        )  # fmt: skip
        trained.append([*weights_of(model), *history.loss])
    np.testing.assert_allclose(*trained, rtol=1e-11)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_loss_of_an_epoch_is_that_of_all_its_samples(weighted):
    model, history = fit_heads(weighted=weighted, learning_rate=1e-300, batch_size=5, epochs=1)
    weight = RANDOM_WEIGHTS if weighted else None
    whole = nn.evaluate(
        model, LOGITS_X, TARGETS, loss=LOSSES, loss_weights={"a": 0.5, "b": 2.0, "c": 0.3},
        sample_weight=weight,
    )  # fmt: skip
    np.testing.assert_allclose(history.loss, [whole["loss"]], rtol=1e-12)
    parts = sum(
        history[f"{name}_loss"][0] * share for name, share in {"a": 0.5, "b": 2.0, "c": 0.3}.items()
    )
    np.testing.assert_allclose(history.loss, [parts], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_an_iterable_whose_weights_have_another_mean_is_its_large_batch(weighted):
    weight = 7 * RANDOM_WEIGHTS if weighted else np.ones(24)
    trained = []
    for size, accumulate in ((24, 1), (5, 5)):
        batches = [
            (LOGITS_X[i : i + size], IGNORED[i : i + size], weight[i : i + size])
            for i in range(0, 24, size)
        ]
        model = nn.Linear(3, 3, rng=0)
        loss = functools.partial(nn.cross_entropy, ignore_index=-100)
        nn.fit(model, batches, loss=loss, accumulate=accumulate, epochs=2,
               optimizer=nn.SGD(model, 0.1), progress=False)  # fmt: skip
        trained.append(weights_of(model))
    np.testing.assert_allclose(*trained, rtol=1e-12)


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_that_is_a_sum_is_added_up(weighted, compile):
    loss = functools.partial(nn.mse, reduction="sum")
    weight = RANDOM_WEIGHTS / RANDOM_WEIGHTS.mean() if weighted else None
    y, trained = LOGITS_X[:, :1] ** 2, []
    for sizes in ({"batch_size": 24}, {"batch_size": 5, "accumulate": 5}):
        model = nn.Linear(3, 1, rng=0)
        before = nn.evaluate(model, LOGITS_X, y, loss=loss, sample_weight=weight)["loss"]
        history = fit(model, LOGITS_X, y, loss=loss, sample_weight=weight, compile=compile,
                      optimizer=lambda m: nn.SGD(m, learning_rate=1e-3), **sizes)  # fmt: skip
        assert history.loss == [pytest.approx(before)]
        trained.append(weights_of(model))
    np.testing.assert_allclose(*trained, rtol=1e-12)


class Stop(nn.Callback):
    """Ctrl-C after a batch."""

    def after_batch(self, run):
        if (run.epoch, run.batch) == (0, 2):
            raise KeyboardInterrupt


@pytest.mark.parametrize("metrics", [{}, {"c": "rmse"}])
def test_a_step_of_several_outputs_goes_on_from_a_file(tmp_path, metrics):
    options = {"batch_size": 5, "accumulate": 3, "weighted": True, "metrics": metrics}
    whole, expected = fit_heads(**options)
    stopped = TwoHeads()
    optimizer = nn.SGD(stopped, learning_rate=0.5)
    save = nn.Checkpoint(tmp_path / "run.npz")
    common = {
        "loss": LOSSES, "loss_weights": {"a": 0.5, "b": 2.0, "c": 0.3}, "batch_size": 5,
        "accumulate": 3, "shuffle": False, "sample_weight": RANDOM_WEIGHTS, "progress": False,
        "metrics": metrics,
    }  # fmt: skip
    nn.fit(stopped, LOGITS_X, TARGETS, optimizer=optimizer, epochs=2, callbacks=[save, Stop()],
           **common)  # fmt: skip
    resumed = TwoHeads()
    optimizer = nn.SGD(resumed, learning_rate=0.5)
    history = nn.load_checkpoint(resumed, tmp_path / "run.npz", optimizer)
    history = nn.fit(resumed, LOGITS_X, TARGETS, optimizer=optimizer, epochs=2, history=history,
                     **common)  # fmt: skip
    assert history.columns == expected.columns
    for name, array in whole.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], array)


@pytest.mark.parametrize("scale", [1e-320, 1e308])
def test_only_the_ratios_of_weights_count_also_where_their_sum_overflows(scale):
    x = np.random.default_rng(0).normal(size=(20, 2))
    y = (x[:, 0] > 0).astype(int)
    found = []
    for weight in (np.ones(20), np.full(20, scale)):
        model = nn.Linear(2, 2, rng=0)
        options = {"loss": "cross_entropy", "sample_weight": weight}
        history = nn.fit(model, x, y, epochs=2, rng=0, progress=False, **options)
        descent = nn.fit_lbfgs(nn.Linear(2, 2, rng=0), x, y, **options)
        found.append([*history.loss, *descent.loss[:2], *model.weight.data.ravel()])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-4 if scale < 1 else 1e-12)


@pytest.mark.parametrize("scale", [1.0, 1e308, 1e-320])
def test_evaluate_goes_by_proportions_of_weights(scale):
    """Products with weights of 1e308 are infinite, and the loss was NaN."""
    model = nn.Linear(1, 1, initializer="zeros")
    x, y = np.ones((3, 1)), np.array([[1.0], [2.0], [5.0]])
    weight = scale * np.array([1.0, 0.5, 0.0])
    found = nn.evaluate(model, x, y, loss="mse", sample_weight=weight)
    assert found["loss"] == pytest.approx((1 * 1 + 0.5 * 4) / 1.5, rel=1e-12)


class TwoSides(nn.Module):
    def __init__(self):
        self.left, self.right = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)

    def forward(self, x):
        return {"left": self.left(x), "right": self.right(x)}


@pytest.mark.parametrize("weighted", [(True, False), (False, True), (True, True), (False, False)])
def test_samples_without_weights_count_as_1_beside_others(weighted):
    """The losses of the outputs were means without any weights then, and did not add up."""
    model, parts = TwoSides(), (slice(5), slice(5, 12))
    whole = np.concatenate(
        [W[p] if w else np.ones(12)[p] for p, w in zip(parts, weighted, strict=True)]
    )
    errors = {name: (out - Y)[:, 0] ** 2 for name, out in nn.predict(model, X).items()}
    expected = {name: np.average(error, weights=whole) for name, error in errors.items()}
    batches = [
        (X[p], {"left": Y[p], "right": Y[p]}, *([W[p]] if w else []))
        for p, w in zip(parts, weighted, strict=True)
    ]
    tiny = {"optimizer": lambda m: nn.SGD(m, learning_rate=1e-300)}
    losses = {"left": "mse", "right": "mse"}
    history = fit(model, batches, None, loss=losses, validation_data=batches, **tiny)
    for prefix in ("", "validation_"):
        for name, value in expected.items():
            assert history[f"{prefix}{name}_loss"] == [pytest.approx(value)]
        assert history[f"{prefix}loss"] == [pytest.approx(sum(expected.values()))]


@pytest.mark.parametrize("weight", [2.0, np.ones(4), np.ones((5, 2))])
def test_weights_of_a_batch_are_one_for_each_sample(weight):
    batches = [(X[:5], Y[:5], weight)]
    for options in ({"x": batches, "y": None}, {"x": X, "y": Y, "validation_data": batches}):
        with pytest.raises(ag.ArgumentValueError, match="one number for each of 5 samples"):
            fit(nn.Linear(2, 1, rng=0), **options)
