"""Plots of models and their training, with matplotlib (an extra).

Every function draws into the matplotlib axes ``ax`` if they are given, else into a new figure
of pyplot's, and returns the axes.  A notebook shows the figure by itself, ``plt.show()`` in a
window, ``ax.figure.savefig(path)`` keeps it.  Data that do not fit raise an
`ArgumentValueError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.activations import activations
from nn.losses.labels import plain, predicted_labels
from nn.models.module import Module
from nn.training.history import History
from nn.training.learning_rate_finder import LearningRates
from nn.training.prediction import predict

__all__ = [
    "activation_curves",
    "confusion_matrix",
    "decision_regions",
    "gradient_flow",
    "learning_curves",
    "learning_rates",
    "weight_images",
]


def new_axes(ax: Any) -> Any:
    """The axes given, or those of a new figure."""
    return pyplot().subplots(layout="constrained")[1] if ax is None else ax


def pyplot() -> Any:
    """Matplotlib's pyplot, which is imported only where something is drawn."""
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.plots needs matplotlib; install it with: pip install matplotlib"
        ) from error
    return matplotlib.pyplot


@ag.deprecation.renamed_arguments(axes="ax")
def learning_curves(columns: Mapping[str, Sequence[float]], *, ax: Any = None) -> Any:
    """Draw the numbers of a history against the epochs; validation dashed, in the same colour.

    Parameters
    ----------
    columns : dict of sequence of float
        Such as ``History.columns``.

    Examples
    --------
    >>> import nn
    >>> ax = nn.plots.learning_curves({"loss": [1.0, 0.5], "validation_loss": [1.2, 0.8]})
    >>> [line.get_label() for line in ax.lines]
    ['loss', 'validation_loss']
    """
    ax = new_axes(ax)
    colours: dict[str, str] = {}
    for name, values in columns.items():
        watched = name.removeprefix("validation_")
        colour = colours.setdefault(watched, f"C{len(colours)}")
        style = "--" if name.startswith("validation_") else "-"
        ax.plot(range(1, len(values) + 1), values, style, color=colour, label=name)
    ax.set_xlabel("epoch")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(alpha=0.3)
    if columns:
        ax.legend()
    return ax


History.plotter = staticmethod(learning_curves)


@ag.deprecation.renamed_arguments(axes="ax")
def learning_rates(
    rates: Sequence[float], losses: Sequence[float], suggestion: float, *, ax: Any = None
) -> Any:
    """Draw what `nn.find_learning_rate` found: losses against rates, and where it would go on.

    Parameters
    ----------
    rates, losses : sequence of float
        The learning rate of each step, and the smoothed loss before it.
    suggestion : float
        The rate that gets a line and is named in the legend.

    Examples
    --------
    >>> import nn
    >>> ax = nn.plots.learning_rates([0.01, 0.1, 1.0], [2.0, 1.0, 3.0], 0.1)
    >>> ax.get_xscale(), ax.get_legend().get_texts()[0].get_text()
    ('log', 'suggestion: 0.1')
    """
    ax = new_axes(ax)
    ax.plot(rates, losses)
    ax.axvline(suggestion, linestyle="--", color="C1", label=f"suggestion: {suggestion:.3g}")
    ax.set(xscale="log", xlabel="learning rate", ylabel="loss, smoothed")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


LearningRates.plotter = staticmethod(learning_rates)


@ag.deprecation.renamed_arguments(axes="ax")
def decision_regions(
    model: Module | Callable[[Any], Any],
    x: Any,
    labels: Any,
    *,
    n_points: int = 200,
    ax: Any = None,
) -> Any:
    """Draw the regions of the plane that a model takes for each class, and the data in them.

    Parameters
    ----------
    model : Module or callable
        Takes points of shape (points, 2) and returns outputs as for
        `nn.predicted_labels`.
    x : array_like, shape (samples, 2)
        The data.
    labels : array_like of int, shape (samples,)
        Their classes.
    n_points : int
        The number of grid points along each axis.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.array([[-1.0, 0.0], [1.0, 0.0]])
    >>> ax = nn.plots.decision_regions(nn.Linear(2, 2, rng=0), x, [0, 1], n_points=20)
    >>> ax.has_data()
    True
    """
    points, classes = plain(x), class_numbers(labels)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) != len(classes):
        raise ag.ArgumentValueError(
            f"decision_regions: x has shape {points.shape} and there are {len(classes)} labels; "
            "points of shape (samples, 2) are needed, with one label for each"
        )
    ax = new_axes(ax)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.1 * (high - low)
    sides = [np.linspace(a, b, n_points) for a, b in zip(low - margin, high + margin, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    flat = grid.reshape(-1, 2)
    outputs = predict(model, flat) if isinstance(model, Module) else model(flat)
    predicted = predicted_labels(outputs)
    if predicted.shape != flat.shape[:1]:
        raise ag.ArgumentValueError(
            f"decision_regions: of points of shape {flat.shape} the model made outputs of shape "
            f"{np.shape(outputs)}; it must return a row, or a number, for each point"
        )
    regions = predicted.reshape(n_points, n_points)
    n_classes = int(max(regions.max(), classes.max())) + 1
    levels = np.arange(n_classes + 1) - 0.5
    colours = [f"C{i}" for i in range(n_classes)]
    ax.contourf(*sides, regions, levels=levels, colors=colours, alpha=0.25)
    ax.scatter(*points.T, c=[colours[c] for c in classes], s=15, edgecolors="white", linewidths=0.4)
    return ax


def class_numbers(labels: Any) -> Any:
    """Labels as whole numbers from 0 on, each of which has a colour."""
    given = plain(labels).ravel()
    is_number = given.dtype.kind in "biuf"
    if not is_number or not np.all((given >= 0) & (given == np.floor(given))):
        raise ag.ArgumentValueError(
            "decision_regions: labels must be the numbers of the classes, 0, 1, 2 …, and there are "
            f"{', '.join(map(repr, np.unique(given)[:3].tolist()))} among them; pass "
            "np.unique(labels, return_inverse=True)[1]"
        )
    return given.astype(int)


@ag.deprecation.renamed_arguments(axes="ax")
def weight_images(
    weight: Any, shape: tuple[int, int], *, n_columns: int = 8, ax: Any = None
) -> Any:
    """Draw what each unit of a first layer looks at: its weights as an image.

    Parameters
    ----------
    weight : array_like or Parameter, shape (pixels, units)
        Such as ``model[0].weight``.
    shape : tuple of int
        Rows and columns of the input images.
    n_columns : int
        How many images make a row.

    Examples
    --------
    >>> import numpy as np, nn
    >>> ax = nn.plots.weight_images(np.zeros((6, 4)), (2, 3), n_columns=2)
    >>> len(ax.images)
    1
    """
    weights = plain(weight)
    if np.shape(shape) != (2,):
        raise ag.ArgumentValueError(
            f"weight_images: shape is {shape!r}; it holds the rows and the columns of an image, "
            "such as (28, 28)"
        )
    height, width = shape
    if weights.ndim != 2 or weights.shape[0] != height * width:
        raise ag.ArgumentValueError(
            f"weight_images: the weight has shape {weights.shape}, which does not hold images of "
            f"shape {shape}; its first axis must have length {height * width}"
        )
    n_units = weights.shape[1]
    n_rows = -(-n_units // n_columns)
    tiles = np.full((n_rows * (height + 1) - 1, n_columns * (width + 1) - 1), np.nan)
    for unit in range(n_units):
        top, left = (unit // n_columns) * (height + 1), (unit % n_columns) * (width + 1)
        tiles[top : top + height, left : left + width] = weights[:, unit].reshape(shape)
    ax = new_axes(ax)
    limit = np.abs(weights).max() or 1.0
    ax.imshow(tiles, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_axis_off()
    return ax


def activation_curves(names: Iterable[str] | None = None, *, columns: int = 4) -> Any:
    """Draw activations and their derivatives, one small plot for each, into a new figure.

    Parameters
    ----------
    names : iterable of str, optional
        Which; by default all that work on single numbers.
    columns : int
        How many plots make a row.

    Examples
    --------
    >>> import nn
    >>> figure = nn.plots.activation_curves(["tanh", "relu"], columns=2)
    >>> [axes.get_title() for axes in figure.axes]
    ['tanh', 'relu']
    """
    of_vectors = ("softmax", "log_softmax", "glu")
    chosen = [n for n in activations if n not in of_vectors] if names is None else list(names)
    n_rows = -(-len(chosen) // columns)
    size = (2.6 * columns, 2.1 * n_rows)
    figure, grid = pyplot().subplots(
        n_rows, columns, squeeze=False, figsize=size, layout="constrained"
    )
    grid = grid.ravel()
    x = np.linspace(-4, 8, 601)
    for axes, name in zip(grid, chosen, strict=False):
        function = activations[name]
        axes.plot(x, function(x), label=name)
        axes.plot(x, ag.grad(lambda x, f=function: np.sum(f(x)))(x), "--", label="derivative")
        axes.set_title(name, fontsize=9)
        axes.set_ylim(-2, 8)
        axes.grid(alpha=0.3)
    for axes in grid[len(chosen) :]:
        axes.set_axis_off()
    return figure


@ag.deprecation.renamed_arguments(axes="ax")
def confusion_matrix(counts: Any, *, names: Sequence[str] | None = None, ax: Any = None) -> Any:
    """Draw a confusion matrix with its numbers: true classes down, predicted ones across.

    Parameters
    ----------
    counts : array_like of int, shape (classes, classes)
        As `nn.metrics.confusion_matrix` returns them.
    names : sequence of str, optional
        Of the classes.

    Examples
    --------
    >>> import nn
    >>> ax = nn.plots.confusion_matrix(nn.metrics.confusion_matrix([0, 1, 1], [0, 1, 0]))
    >>> [text.get_text() for text in ax.texts]
    ['1', '1', '0', '1']
    """
    matrix = np.asarray(counts)
    ax = new_axes(ax)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        colour = "white" if shares[row, column] > 0.5 else "black"
        ax.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(matrix))
    ax.set_xticks(ticks, names or [str(i) for i in ticks])
    ax.set_yticks(ticks, names or [str(i) for i in ticks])
    ax.set_xlabel("predicted")
    ax.set_ylabel("true")
    return ax


@ag.deprecation.renamed_arguments(axes="ax")
def gradient_flow(model: Module, *, ax: Any = None) -> Any:
    """Draw the root mean square of each weight's gradient, from the first layer to the last.

    Vanishing gradients fall towards the first layer, exploding ones rise.
    Call it after ``backward()``: a weight needs a gradient to be drawn.

    Examples
    --------
    >>> import numpy as np, nn
    >>> model = nn.MLP(2, [3, 1], rng=0)
    >>> np.sum(model(np.ones((4, 2)))).backward()
    >>> ax = nn.plots.gradient_flow(model)
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['0.weight', '2.weight']
    """
    sizes = {
        name: float(np.sqrt(np.mean(np.square(parameter.grad))))
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.ndim > 1
    }
    if not sizes:
        raise ag.ArgumentValueError(
            "gradient_flow: no weight has a gradient; call backward() on a loss first"
        )
    ax = new_axes(ax)
    ax.plot(range(len(sizes)), list(sizes.values()), "o-")
    ax.set_yscale("log")
    ax.set_xticks(range(len(sizes)), list(sizes), rotation=45, ha="right", fontsize=8)
    ax.set_ylabel("root mean square of the gradient")
    ax.grid(alpha=0.3)
    return ax
