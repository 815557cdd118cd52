"""Samples to learn from: those of a classic set, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import unmasked
from nn.playground.data_sets import DATA_SETS
from nn.playground.settings import Settings

__all__ = ["GIVEN", "Samples", "drawn", "given_samples"]

GIVEN = "given"
"""The name of the user's own data among the data sets."""

MOST_SAMPLES = 20_000
MOST_FEATURES = 64
MOST_CLASSES = 20
MOST_OUTPUTS = 8


@dataclass(frozen=True)
class Samples:
    """Samples and targets; ``classes`` are their names, None where targets are numbers."""

    x: Any
    y: Any
    names: tuple[str, ...]
    classes: tuple[str, ...] | None
    source: str
    """The function that drew them; of the user's own there is none."""
    code: str
    """The lines of a program that make x and y."""

    @property
    def out_features(self) -> int:
        """How many outputs a network for them has: one where there are two classes."""
        if self.classes is None:
            return int(self.y.shape[1])
        return 1 if len(self.classes) == 2 else len(self.classes)

    @property
    def loss(self) -> str:
        """The loss that suits them."""
        if self.classes is None:
            return "mse"
        return "binary_cross_entropy" if len(self.classes) == 2 else "cross_entropy"


def drawn(settings: Settings, rng: np.random.Generator) -> Samples:
    """Samples of a classic set."""
    chosen = DATA_SETS[settings.data]
    x, y = chosen.function(settings.samples, settings.noise, rng)
    classes = tuple(f"class {i}" for i in range(int(y.max()) + 1)) if chosen.is_decision else None
    call = f"x, y = {chosen.function.__name__}({settings.samples}, {settings.noise!r}, rng)"
    return Samples(x, y, chosen.features, classes, chosen.source, call)


def given_samples(
    x: Any, y: Any, names: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> Samples:
    """The user's own samples: whole numbers, words and truth values are classes, floats numbers."""
    x = as_table("x", x)
    lines = [
        "# x and y are the arrays that nn.playground was given.",
        "x = np.asarray(x, float).reshape(len(x), -1)",
    ]
    labels, y = targets_of(y, len(x))
    if labels is None:
        lines.append("y = np.asarray(y, float).reshape(len(y), -1)")
    else:
        lines.append("y = np.unique(np.ravel(y), return_inverse=True)[1]")
    known = ["x"] if x.shape[1] == 1 else [f"x{i + 1}" for i in range(x.shape[1])]
    return Samples(
        x, y, checked_names("feature_names", names, known),
        checked_names("class_names", classes, labels), "", "\n".join(lines),
    )  # fmt: skip


def targets_of(y: Any, n_samples: int) -> tuple[list[str] | None, Any]:
    """The labels of the classes, and their numbers; or None, and rows of floats."""
    y = np.asarray(unmasked(y))
    if y.ndim not in (1, 2) or len(y) != n_samples or (y.ndim == 2 and not y.shape[1]):
        raise ag.ArgumentValueError(
            f"playground: x has {n_samples} samples and y has shape {y.shape}; pass a target for "
            "each sample: classes of shape (samples,), or numbers of shape (samples,) or "
            "(samples, outputs)"
        )
    if y.dtype.kind in "fc" or (y.ndim == 2 and y.shape[1] > 1):
        return None, as_table("y", y)
    try:
        labels, numbers = np.unique(np.ravel(y), return_inverse=True)
    except TypeError as error:
        raise ag.ArgumentTypeError(
            f"playground: the labels in y cannot be sorted ({error}); pass whole numbers or words"
        ) from None
    if not 2 <= len(labels) <= MOST_CLASSES:
        raise ag.ArgumentValueError(
            f"playground: y has {len(labels)} different labels; pass from 2 to {MOST_CLASSES} "
            "classes, or floats, which are numbers to be predicted"
        )
    return [str(label) for label in labels.tolist()], numbers


def as_table(name: str, given: Any) -> Any:
    """A copy as finite floats in rows, a sample each."""
    given = np.asarray(unmasked(given))
    if given.dtype.kind == "c":
        raise ag.ArgumentTypeError(f"playground: {name} is complex; pass real numbers")
    try:
        table = np.array(given, float).reshape(len(given), -1)
    except (TypeError, ValueError) as error:
        raise ag.ArgumentTypeError(
            f"playground: {name} makes no table of numbers ({error}); pass an array of shape "
            "(samples, features)"
        ) from None
    most = MOST_FEATURES if name == "x" else MOST_OUTPUTS
    if not (2 <= len(table) <= MOST_SAMPLES and 1 <= table.shape[1] <= most):
        raise ag.ArgumentValueError(
            f"playground: {name} has shape {given.shape}; the page is made for 2 to "
            f"{MOST_SAMPLES:,} samples of 1 to {most} numbers, so pass some of them"
        )
    if not np.isfinite(table).all():
        raise ag.ArgumentValueError(
            f"playground: {name} holds NaN or infinity; leave these samples out"
        )
    return table


def checked_names(argument: str, given: Sequence[str] | None, known: Sequence[str] | None) -> Any:
    """Names as they were given, one for each thing; or those that are known."""
    if given is None:
        return None if known is None else tuple(known)
    if known is None or isinstance(given, str) or len(given) != len(known):
        wanted = "give none: there are no classes" if known is None else f"give {len(known)} names"
        raise ag.ArgumentValueError(f"playground: {argument} is {given!r}; {wanted}")
    return tuple(map(str, given))
