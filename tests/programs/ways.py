"""Ways of computing derivatives, which programs are run in."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

import autograd_lite as ag
from autograd_lite.core import tree

__all__ = ["COMPILED", "EAGER", "MAPPED", "SPARSE", "Compiled", "Eager", "Mapped", "Sparse", "Way"]

Function = Callable[..., Any]


class Way(Protocol):
    """Makes functions of a program's arguments, which are called again as the program would be.

    ``weights`` is None for a program that returns one number; for an array the weights of the sum
    that is differentiated.
    """

    name: str

    def value_and_gradients(self, program: Function, weights: Any) -> Function:
        """The function that returns the program's result, and a gradient for each argument."""

    def directional(self, program: Function, directions: tuple[Any, ...]) -> Function:
        """The function that returns the derivative of the result in these directions."""

    def second(self, program: Function, weights: Any, directions: tuple[Any, ...]) -> Function:
        """The function that returns how the gradients change in these directions."""


class Eager:
    """On Values, each operation as it is met."""

    name = "eager"

    def value_and_gradients(self, program: Function, weights: Any) -> Function:
        def both(*arguments: Any) -> tuple[Any, tuple[Any, ...]]:
            if weights is None:
                places = tuple(range(len(arguments)))
                found: tuple[Any, tuple[Any, ...]] = ag.value_and_grad(program, places)(*arguments)
                return found
            result, pullback = ag.vjp(program, *arguments)
            return result, pullback(weights)

        return both

    def directional(self, program: Function, directions: tuple[Any, ...]) -> Function:
        return lambda *arguments: ag.jvp(program, arguments, directions)[1]

    def second(self, program: Function, weights: Any, directions: tuple[Any, ...]) -> Function:
        def number(*arguments: Any) -> Any:
            result = program(*arguments)
            return result if weights is None else np.sum(result * weights)

        return lambda *arguments: ag.hvp(number, arguments, directions)


class Compiled:
    """As programs of NumPy calls, the derivative and all."""

    name = "compiled"

    def __init__(self, backend: str = "numpy") -> None:
        self.backend = backend

    def value_and_gradients(self, program: Function, weights: Any) -> Function:
        return ag.compile(EAGER.value_and_gradients(program, weights), backend=self.backend)

    def directional(self, program: Function, directions: tuple[Any, ...]) -> Function:
        return ag.compile(EAGER.directional(program, directions), backend=self.backend)

    def second(self, program: Function, weights: Any, directions: tuple[Any, ...]) -> Function:
        return ag.compile(EAGER.second(program, weights, directions), backend=self.backend)


class Mapped:
    """As one of three samples that are computed together, the others a little beside it."""

    name = "mapped"

    def value_and_gradients(self, program: Function, weights: Any) -> Function:
        return among_samples(EAGER.value_and_gradients(program, weights))

    def directional(self, program: Function, directions: tuple[Any, ...]) -> Function:
        return among_samples(EAGER.directional(program, directions))

    def second(self, program: Function, weights: Any, directions: tuple[Any, ...]) -> Function:
        return among_samples(EAGER.second(program, weights, directions))


class Sparse(Eager):
    """By sparse Jacobians and Hessians."""

    name = "sparse"

    def value_and_gradients(self, program: Function, weights: Any) -> Function:
        def twice(*arguments: Any) -> tuple[Any, Any]:
            result = program(*arguments)
            return result, result

        def both(*arguments: Any) -> tuple[Any, tuple[Any, ...]]:
            blocks, result = ag.jacobian(twice, range(len(arguments)), has_aux=True, sparse=True)(
                *arguments
            )
            left = np.ones(1) if weights is None else np.ravel(weights)
            gradients = [
                np.reshape(left @ x, np.shape(y)) for x, y in zip(blocks, arguments, strict=True)
            ]
            return result, tuple(x[()] for x in gradients)

        return both

    def second(self, program: Function, weights: Any, directions: tuple[Any, ...]) -> Function:
        def number(*arguments: Any) -> Any:
            result = program(*arguments)
            return result if weights is None else np.sum(result * weights)

        def along(*arguments: Any) -> Any:
            blocks = ag.hessian(number, range(len(arguments)), sparse=True)(*arguments)
            found = [
                sum(x @ np.ravel(v) for x, v in zip(row, directions, strict=True)) for row in blocks
            ]
            return tuple(
                np.reshape(x, np.shape(y))[()] for x, y in zip(found, arguments, strict=True)
            )

        return along


def among_samples(function: Function) -> Function:
    """The function of three samples, of which the second is asked for."""

    def call(*arguments: Any) -> Any:
        if any(isinstance(x, np.ndarray) and x.ndim == 0 for x in arguments):
            return function(*arguments)  # a sample is a number, and numbers are rebound
        samples = [np.stack([x * 1.001, x, x * 0.999]) for x in arguments]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ag.AutogradWarning)
            return tree.map(lambda result: result[1], ag.vmap(function)(*samples))

    return call


EAGER = Eager()
COMPILED = Compiled()
MAPPED = Mapped()
SPARSE = Sparse()
