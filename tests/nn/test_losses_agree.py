"""Weights of a yes, ignored labels and padding: PyTorch's numbers, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn

torch = pytest.importorskip("torch")
functional = torch.nn.functional

REDUCTIONS = ("mean", "sum", "none")


def check(ours, theirs, x, *, arrange=lambda array: array):
    """Compare values and gradients of a function of logits, and those of its compiled self."""
    tensor = torch.tensor(arrange(x), requires_grad=True)
    expected = theirs(tensor)
    expected.sum().backward()
    gradient = ag.grad(lambda x: np.sum(ours(x)))
    for function in (ours, ag.compile(ours)):
        np.testing.assert_allclose(function(x), expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    for function in (gradient, ag.compile(gradient)):
        found = arrange(function(x))
        np.testing.assert_allclose(found, tensor.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.nll])
def test_ignored_labels(loss, seed):
    draws = np.random.default_rng(seed)
    classes, shape = 4, [(9,), (6, 3)][seed % 2]
    x = draws.normal(size=(*shape, classes))
    labels = draws.integers(0, classes, shape)
    ignored = [-100, -1, 0, 2][seed % 4]
    labels.ravel()[::3] = ignored
    weight = None if seed < 4 else draws.uniform(0.5, 2, classes)
    reduction = REDUCTIONS[seed % 3]
    other = functional.cross_entropy if loss is nn.cross_entropy else functional.nll_loss
    options = {"ignore_index": ignored, "reduction": reduction}

    def ours(x):
        return loss(x, labels, class_weight=weight, **options)

    def theirs(x):
        own = None if weight is None else torch.tensor(weight)
        return other(x, torch.tensor(labels), weight=own, **options)

    check(ours, theirs, x, arrange=lambda array: np.moveaxis(array, -1, 1))


def test_ignored_labels_with_smoothing_and_weights_of_samples():
    draws = np.random.default_rng(0)
    x, labels, weight = draws.normal(size=(9, 4)), draws.integers(0, 4, 9), draws.uniform(size=9)
    labels[:3] = -100

    def ours(x):
        return nn.cross_entropy(x, labels, ignore_index=-100, label_smoothing=0.1)

    def theirs(x):
        return functional.cross_entropy(x, torch.tensor(labels), label_smoothing=0.1)

    check(ours, theirs, x)
    without = nn.cross_entropy(x[3:], labels[3:], sample_weight=weight[3:])
    ours_weighted = nn.cross_entropy(x, labels, ignore_index=-100, sample_weight=weight)
    np.testing.assert_allclose(ours_weighted, without, rtol=1e-12)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("kind", ["numbers", "probabilities"])
def test_every_keyword_of_cross_entropy(kind, seed):
    draws = np.random.default_rng([seed, kind == "numbers"])
    classes = int(draws.integers(1, 6))
    shape = [(int(draws.integers(1, 9)),), (3, 2)][draws.integers(2)]
    x = draws.normal(size=(*shape, classes)) * draws.choice([0.1, 1.0, 30.0])
    weight = [None, draws.uniform(0.1, 3, classes)][draws.integers(2)]
    options = {"label_smoothing": float(draws.choice([0.0, 0.1, 0.7])),
               "reduction": REDUCTIONS[draws.integers(3)]}  # fmt: skip
    if kind == "numbers":
        labels = given = draws.integers(0, classes, shape)
        if draws.integers(2):
            options["ignore_index"] = int(draws.integers(-1, classes))
            labels.ravel()[0] = options["ignore_index"]
            labels.ravel()[-1] = (options["ignore_index"] + 1) % classes
    else:
        labels = draws.dirichlet(np.ones(classes), shape)
        given = np.moveaxis(labels, -1, 1)
    if kind == "numbers" and (labels == options.get("ignore_index")).all():
        return  # PyTorch has no number for it

    def ours(x):
        return nn.cross_entropy(x, labels, class_weight=weight, **options)

    def theirs(x):
        own = None if weight is None else torch.tensor(weight)
        return functional.cross_entropy(x, torch.tensor(given.copy()), weight=own, **options)

    check(ours, theirs, x, arrange=lambda array: np.moveaxis(array, -1, 1).copy())


def test_where_all_labels_are_ignored_the_loss_is_zero_and_flat():
    value, gradient = ag.value_and_grad(
        lambda x: nn.cross_entropy(x, np.full(3, -100), ignore_index=-100)
    )(np.ones((3, 2)))
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("seed", range(9))
@pytest.mark.parametrize("from_logits", [True, False])
def test_the_weight_of_a_yes(from_logits, seed):
    draws = np.random.default_rng(seed)
    x, labels = 3 * draws.normal(size=(7, 3)), draws.integers(0, 2, (7, 3)).astype(float)
    labels[0] = draws.uniform(size=3)
    weight = [draws.uniform(0.1, 5, 3), np.array([2.5]), np.array(0.3)][seed % 3]
    reduction = REDUCTIONS[seed // 3]
    given = 1 / (1 + np.exp(-x)) if not from_logits else x

    def ours(x):
        return nn.binary_cross_entropy(
            x, labels, pos_weight=weight, from_logits=from_logits, reduction=reduction
        )

    def theirs(x):
        return functional.binary_cross_entropy_with_logits(
            x if from_logits else torch.logit(x),
            torch.tensor(labels),
            pos_weight=torch.tensor(weight),
            reduction=reduction,
        )

    check(ours, theirs, given)
    each = nn.binary_cross_entropy(given, labels, pos_weight=weight, from_logits=from_logits,
                                   reduction="none")  # fmt: skip
    whole = nn.multilabel(given, labels, pos_weight=weight, from_logits=from_logits)
    np.testing.assert_allclose(whole, each.sum(axis=1).mean(), rtol=1e-12)


def test_the_weight_of_a_yes_at_large_logits():
    x = np.array([1000.0, -1000.0, 0.0])
    found = nn.binary_cross_entropy(x, [1.0, 1.0, 1.0], pos_weight=3.0, reduction="none")
    np.testing.assert_allclose(found, [0, 3000, 3 * np.log(2)], rtol=1e-15)


@pytest.mark.parametrize("padding", [0, 2, -1])
@pytest.mark.parametrize("compile", [True, False])
def test_padding_is_zero_and_not_trained(padding, compile):
    draws = np.random.default_rng(0)
    indices, targets = draws.integers(0, 5, (16, 3)), draws.normal(size=(16, 3, 2))
    ours = nn.Embedding(5, 2, padding_idx=padding, rng=0)
    theirs = torch.nn.Embedding(5, 2, padding_idx=padding).double()
    assert theirs.padding_idx == ours.padding_idx
    theirs.load_state_dict({"weight": torch.tensor(ours.weight.data)})
    assert not ours.weight.data[padding].any()
    ours.weight.data[padding] = 0.5  # PyTorch too gives what is there
    with torch.no_grad():
        theirs.weight[padding] = 0.5
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        functional.mse_loss(theirs(torch.tensor(indices)), torch.tensor(targets)).backward()
        optimizer.step()
    nn.fit(
        ours, indices, targets, loss="mse", optimizer=nn.Adam(ours, 0.1), epochs=3, batch_size=16,
        compile=compile, progress=False,
    )  # fmt: skip
    np.testing.assert_allclose(ours.weight.data, theirs.weight.detach().numpy(), rtol=1e-9)
    np.testing.assert_array_equal(ours.weight.data[padding], [0.5, 0.5])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.cross_entropy(np.zeros((2, 2)), np.eye(2), ignore_index=0),
            "cross_entropy: ignore_index is 0, and the labels are probabilities; give class "
            "numbers, or a sample_weight of 0 to what does not count",
        ),
        (
            lambda: nn.binary_cross_entropy(np.zeros((2, 3)), np.zeros((2, 3)), pos_weight=[1, 2]),
            "binary_cross_entropy: pos_weight has shape (2,), but the labels have shape (2, 3); "
            "give one number, or one for each question, the last axis",
        ),
        (
            lambda: nn.multilabel(np.zeros((2, 3)), np.zeros((2, 3)), pos_weight=-1.0),
            "multilabel: the numbers in pos_weight go from -1 to -1; they must be at least 0",
        ),
        (
            lambda: nn.Embedding(5, 2, padding_idx=5),
            "Embedding: padding_idx is 5, but there are 5 vectors, numbered from 0 to 4",
        ),
        (
            lambda: nn.Embedding(5, 2, padding_idx=1.0),
            "Embedding: padding_idx is 1.0; it must be an integer, the number of a vector",
        ),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value) == message
