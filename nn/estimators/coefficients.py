"""Weights and biases under scikit-learn's names: lists whose arrays are those of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

import autograd_lite as ag

__all__ = ["Coefficients"]


def refused(method: str) -> Callable[..., NoReturn]:
    """A method of lists that would change how many arrays there are, or their order."""

    def refuse(self: Coefficients, *_: Any, **__: Any) -> NoReturn:
        raise ag.ArgumentTypeError(
            f"{self.name}.{method} would change the layers of the network, which are fixed; make "
            f"a list of its own, list(model.{self.name}), or another estimator"
        )

    return refuse


class Coefficients(list[Any]):
    """Arrays of a network, layer by layer.

    What is written into one is written into the network, and so is an array that is put in
    the place of one, as it is in scikit-learn.
    """

    def __init__(self, name: str, arrays: Iterable[Any]) -> None:
        super().__init__(arrays)
        self.name = name

    def __setitem__(self, index: Any, value: Any) -> None:
        arrays = list(self)
        arrays[index] = value
        self.write(arrays)

    def write(self, arrays: Iterable[Any]) -> None:
        """Give each layer the numbers of another array."""
        new = [np.array(array) for array in arrays]  # a copy, as they may be parts of each other
        if [array.shape for array in new] != [array.shape for array in self]:
            raise ag.ArgumentValueError(
                f"{self.name} have the shapes {[array.shape for array in self]}, and not "
                f"{[array.shape for array in new]}; assign arrays of the same shapes"
            )
        for array, numbers in zip(self, new, strict=True):
            array[...] = numbers

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies are lists, of copies."""
        return list, (list(self),)

    append, extend, insert, pop, remove, clear, sort, reverse = map(
        refused, ("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse")
    )
    __delitem__, __iadd__, __imul__ = map(refused, ("__delitem__", "__iadd__", "__imul__"))
