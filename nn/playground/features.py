"""What the network is given of a sample: its numbers, their squares, products and sines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import numpy as np

__all__ = ["Feature", "inputs_code", "inputs_of", "is_plain", "offered"]

FORMULAS: dict[str, tuple[Callable[..., Any], str]] = {
    "column": (lambda x, i: x[:, i], "x[:, {0}]"),
    "square": (lambda x, i: x[:, i] * x[:, i], "x[:, {0}] * x[:, {0}]"),
    "product": (lambda x, i, j: x[:, i] * x[:, j], "x[:, {0}] * x[:, {1}]"),
    "sine": (lambda x, i: np.sin(np.pi * x[:, i]), "np.sin(np.pi * x[:, {0}])"),
}
"""How a feature is computed, and how a program writes it; template/network.js knows them too."""


INDENTED: dict[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    "}


@dataclass(frozen=True)
class Feature:
    """A number that is made from those of a sample."""

    key: str
    """How the settings of the page call it."""
    name: str
    formula: str
    of: tuple[int, ...]

    def values(self, x: Any) -> Any:
        """The numbers of all samples."""
        return FORMULAS[self.formula][0](x, *self.of)

    @property
    def code(self) -> str:
        """How a program writes it."""
        return FORMULAS[self.formula][1].format(*self.of)


def offered(names: Sequence[str]) -> dict[str, Feature]:
    """The features that there are for samples of so many numbers: of one or two numbers several."""
    axes = range(len(names))
    found = [Feature(f"x{i + 1}", names[i], "column", (i,)) for i in axes]
    if len(names) <= 2:
        found += [Feature(f"x{i + 1}^2", f"{names[i]}²", "square", (i,)) for i in axes]
        if len(names) == 2:
            found.append(Feature("x1*x2", f"{names[0]}·{names[1]}", "product", (0, 1)))
        found += [Feature(f"sin x{i + 1}", f"sin π{names[i]}", "sine", (i,)) for i in axes]
    return {feature.key: feature for feature in found}


def inputs_of(x: Any, chosen: Sequence[Feature]) -> Any:
    """The inputs of the network."""
    return np.column_stack([feature.values(x) for feature in chosen])


def is_plain(chosen: Sequence[Feature], axes: int) -> bool:
    """Whether the inputs are the samples' numbers themselves."""
    return len(chosen) == axes and all(feature.formula == "column" for feature in chosen)


def inputs_code(chosen: Sequence[Feature], axes: int) -> str:
    """The line of a program that makes the inputs; none where they are there already."""
    columns = ", ".join(feature.code for feature in chosen)
    if is_plain(chosen, axes):
        return ""
    return f"x = np.column_stack(\n{fill(f'[{columns}]', 92, **INDENTED)}\n)"
