"""Plots show what they should; the summary counts what is there."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn import plots

pyplot = pytest.importorskip("matplotlib.pyplot")


def test_learning_curves_hold_the_numbers():
    history = nn.History()
    for loss in (1.0, 0.5, 0.25):
        history.append(loss=loss, validation_loss=2 * loss)
    axes = history.plot()
    solid, dashed = axes.lines
    np.testing.assert_array_equal(solid.get_xdata(), [1, 2, 3])
    np.testing.assert_array_equal(dashed.get_ydata(), [2.0, 1.0, 0.5])
    assert solid.get_color() == dashed.get_color()
    assert history.plot(ax=axes) is axes


def test_epochs_are_whole_numbers():
    ticks = plots.learning_curves({"loss": [3.0, 2.0, 1.0]}).get_xticks()
    np.testing.assert_array_equal(ticks, np.round(ticks))


@pytest.mark.parametrize(
    "draw",
    [
        lambda **options: plots.learning_curves({"loss": [1.0, 0.5]}, **options),
        lambda **options: nn.LearningRates([0.1, 1.0], [2.0, 1.0], 0.5).plot(**options),
        lambda **options: plots.decision_regions(
            lambda p: p[:, 0], [[0, 0], [1, 1]], [0, 1], **options
        ),
        lambda **options: plots.weight_images(np.ones((6, 4)), (2, 3), **options),
        lambda **options: plots.confusion_matrix([[5, 1], [0, 7]], **options),
    ],
)
def test_plots_show_like_any_plot_of_pyplots(draw):
    """``plt.show()`` and a notebook show what pyplot knows of."""
    before = pyplot.gca()
    ax = draw()
    assert pyplot.gcf() is ax.figure
    assert ax is not before
    assert draw(ax=before) is before
    with pytest.warns(DeprecationWarning, match="axes is called ax now; write ax="):
        assert draw(axes=before) is before


def test_relu6_is_drawn_to_where_it_differs_from_relu():
    (axes,) = plots.activation_curves(["relu6"], columns=1).axes
    assert axes.lines[0].get_ydata().max() == 6.0
    assert axes.get_ylim()[1] > 6


def test_decision_regions_are_those_of_the_model():
    x = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    axes = plots.decision_regions(lambda points: points[:, 0], x, [0, 1, 1], n_points=20)
    (points,) = [c for c in axes.collections if len(c.get_offsets()) == 3]
    np.testing.assert_array_equal(points.get_offsets(), x)
    model = nn.Linear(2, 1, rng=0).train()
    plots.decision_regions(model, x, [0, 1, 1], n_points=5, ax=axes)
    assert model.training


def test_weight_images_are_the_weights():
    weight = np.arange(12.0).reshape(6, 2)
    axes = plots.weight_images(nn.Parameter(weight), (2, 3), n_columns=2)
    image = axes.images[0].get_array()
    np.testing.assert_array_equal(image[:, :3], weight[:, 0].reshape(2, 3))
    np.testing.assert_array_equal(image[:, 4:], weight[:, 1].reshape(2, 3))


def test_activation_curves_show_function_and_derivative():
    figure = plots.activation_curves(["tanh", "relu"], columns=2)
    curve, slope = figure.axes[0].lines
    x = curve.get_xdata()
    np.testing.assert_allclose(curve.get_ydata(), np.tanh(x))
    np.testing.assert_allclose(slope.get_ydata(), 1 - np.tanh(x) ** 2)
    assert len(plots.activation_curves().axes) >= len(nn.activations.activations) - 3


def test_confusion_matrix_shows_its_numbers():
    axes = plots.confusion_matrix([[5, 1], [0, 7]], names=["no", "yes"])
    assert [text.get_text() for text in axes.texts] == ["5", "1", "0", "7"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["no", "yes"]


def test_gradient_flow_falls_where_gradients_vanish():
    model = nn.MLP(4, [8] * 6 + [1], activation="sigmoid", rng=0)
    np.sum(model(np.ones((3, 4)))).backward()
    sizes = plots.gradient_flow(model).lines[0].get_ydata()
    assert len(sizes) == 7
    assert sizes[0] < 1e-3 * sizes[-1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: plots.decision_regions(np.sum, np.zeros((4, 3)), [0] * 4),
            "decision_regions: x has shape (4, 3) and there are 4 labels; "
            "points of shape (samples, 2) are needed, with one label for each",
        ),
        (
            lambda: plots.weight_images(np.zeros((5, 2)), (2, 3)),
            "weight_images: the weight has shape (5, 2), which does not hold images of "
            "shape (2, 3); its first axis must have length 6",
        ),
        (
            lambda: plots.weight_images(np.zeros((6, 2)), ()),
            "weight_images: shape is (); it holds the rows and the columns of an image, "
            "such as (28, 28)",
        ),
        (
            lambda: plots.gradient_flow(nn.Linear(2, 1)),
            "gradient_flow: no weight has a gradient; call backward() on a loss first",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ag.ArgumentValueError) as error:
        call()
    assert str(error.value) == message


def test_the_summary_counts_parameters_and_memory():
    model = nn.Sequential(
        nn.Residual(nn.Linear(4, 4)), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(out_features=2)
    )
    model(np.zeros((3, 4)))
    model[3].bias.requires_grad = False
    summary = model.train().summary(np.zeros((7, 4)))
    assert [(line.name, line.shape, line.parameters) for line in summary.layers] == [
        ("0.module", (4,), 20), ("1", (4,), 8), ("2", (4,), 0), ("3", (2,), 8),
    ]  # fmt: skip
    assert [line.memory for line in summary.layers] == [160 + 32, 128 + 32, 32, 80 + 16]
    assert (summary.parameters, summary.memory) == (36, 480)
    assert model.training
    assert all("forward" not in vars(module) for _, module in model.named_modules())
    assert "36" in str(summary)
    assert model.summary().layers[0].shape is None


def test_the_summary_leaves_a_forward_of_ones_own():
    """It was thrown away, and the model then computed other numbers."""
    model = nn.MLP(2, [3, 1], rng=0)
    model[0].forward = lambda x: x @ np.full((2, 3), 2.0)
    x = np.array([[1.0, 3.0]])
    before = nn.predict(model, x)
    assert model.summary(x).layers[0].shape == (3,)
    np.testing.assert_array_equal(nn.predict(model, x), before)
    untouched = nn.MLP(2, [3, 1])
    names = set(vars(untouched))
    untouched.summary(x)
    assert set(vars(untouched)) == names and untouched.training


@pytest.mark.parametrize(
    ("labels", "shown"),
    [(["a", "b", "a"], "'a', 'b'"), ([-1, 1, 1], "-1, 1"), ([0.5, 1.0, 0.0], "0.0, 0.5, 1.0")],
)
def test_labels_that_are_no_numbers_of_classes_are_refused(labels, shown):
    x = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    with pytest.raises(ag.ArgumentValueError) as caught:
        plots.decision_regions(lambda points: points[:, 0], x, labels)
    assert str(caught.value) == (
        "decision_regions: labels must be the numbers of the classes, 0, 1, 2 …, and there are "
        f"{shown} among them; pass np.unique(labels, return_inverse=True)[1]"
    )
