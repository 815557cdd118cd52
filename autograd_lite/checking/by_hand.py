"""A derivative that somebody wrote by hand, of a plain function: no Values involved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite.checking.layout import Vector, paths, unwrap
from autograd_lite.checking.subjects import (
    Subject,
    argument_names,
    function_name,
    resolution_of,
)
from autograd_lite.checking.verdict import Finding, Verdict, described
from autograd_lite.core import tree
from autograd_lite.core.errors import ArgumentValueError, AutogradError
from autograd_lite.core.tree import flatten

__all__ = ["HandWritten"]

Function = Callable[..., Any]

WIDE = (np.float64, np.complex128)
"""The dtypes in which arguments are computed with, where a function lets itself."""


class HandWritten(Subject):
    """A plain function with a derivative that somebody wrote by hand; no Values involved.

    ``form`` says what the derivative is: "gradient", "vjp" or "jacobian".
    """

    def __init__(
        self,
        function: Function,
        args: Sequence[Any],
        varied: Sequence[int],
        form: str,
        derivative: Function,
    ) -> None:
        names = argument_names(function, len(args))
        super().__init__(function_name(function), args, names, varied)
        self.function, self.form, self.derivative = function, form, derivative
        if form == "jacobian":
            self.on_conjugates = "of complex results a Jacobian holds ∂re + i·∂im, without np.conj"
        self.gradient_resolution = self.coarsest = resolution_of(self.inputs.leaves)
        """A derivative by float32 numbers need not be known better than these, as constants in it
        may be float32 as well."""
        self.summed = False
        """Whether the result is an array, whose sum is what was differentiated."""
        self.keeps_dtypes = False
        """Whether arguments come in their own dtypes, as others are not taken."""
        self.latest: list[Vector] = []
        """Where the function was called last: the derivative may use what that call kept."""
        self.uses_up: bool | None = None
        """Whether it can use that only once, as a backward pass that clears what was kept."""
        try:
            self.start()
        except Exception:  # what is compiled for one dtype says in its own way that it wants it
            if all(leaf.dtype in WIDE for leaf in self.inputs.leaves):
                raise
            self.keeps_dtypes = True
            self.start()

    def called_with(self, leaves: Sequence[Any]) -> list[Any]:
        if self.keeps_dtypes:
            pairs = zip(leaves, self.inputs.leaves, strict=True)
            leaves = [np.asarray(x, leaf.dtype)[()] for x, leaf in pairs]
        return super().called_with(leaves)

    def _results(self, leaves: Sequence[Any]) -> Any:
        self.latest[:] = [self.inputs.vector(leaves)]
        result = self.function(*self.called_with(leaves))
        if self.form != "vjp":
            result = self._as_one_array(result)
        if self.form != "gradient" or np.shape(result) == ():
            return result
        self.summed = True
        return np.sum(result)

    def _as_one_array(self, result: Any) -> Any:
        """A result as it is, or a list of numbers as the array that it makes."""
        parts = list(paths(result, "result"))
        if len(parts) < 2:
            return result
        with suppress(ValueError):  # of parts that differ in shape
            array = np.asarray(result)
            if array.dtype != object:
                return array
        raise Finding(
            Verdict.SHAPE,
            f"{self.name} returned {len(parts)} arrays ({', '.join(parts)}), and {self.form}= is "
            "the derivative of a single one; let it return one of them, or check all of them with "
            "vjp=",
        )

    def pull(self, v: Vector, x: Vector | None = None) -> Vector:
        at = self.x if x is None else x
        leaves = self.inputs.arrays(at)
        if self.uses_up or not np.array_equal(self.latest[0], at):
            self._call_again(at)
        called = self.called_with(leaves)
        seeds = self.outputs.arrays(v, own_dtype=True)
        rounded = self.outputs.vector(seeds)
        if self.form == "gradient":
            with np.errstate(over="ignore"):
                analytic = float(v[0]) * self._as_vector(self._derived(at, *called))
        elif self.form == "vjp":
            analytic = self._as_vector(self._derived(at, self.outputs.nest(seeds), *called))
        else:
            shape, seed = self.outputs.leaves[0].shape, self.outputs.arrays(v)[0]
            blocks = self._checked(self._in_order(self._derived(at, *called)), shape)
            analytic = self.as_gradient(self._pulled_through(seed, blocks))
        self.refuse_changes(self.form, leaves, at)
        if not np.array_equal(self.outputs.vector(seeds), rounded):
            raise Finding(
                Verdict.MUTATED,
                "vjp writes to the upstream gradient that it is given; let it make a new array",
            )
        return analytic

    def _call_again(self, at: Vector) -> None:
        """Call the function at a point, for what it keeps for its derivative there."""
        if self.remaining:
            self.evaluations += 1
            with suppress(Exception):  # it may have no value there, and its derivative one
                self._results(self.inputs.arrays(at))

    def _derived(self, at: Vector, *args: Any) -> Any:
        """What the user's derivative returns at a point; that it raises is a finding."""
        if self.uses_up is None:
            self.uses_up = self._is_used_up(*args)
            if self.uses_up:
                self._call_again(at)
        try:
            return self.derivative(*args)
        except (Finding, AutogradError):
            raise
        except Exception as error:  # a function of the user's may raise anything
            raise Finding(Verdict.WRONG, f"{self.form} raises {described(error)}") from error

    def _is_used_up(self, *args: Any) -> bool:
        """Whether the derivative works after a call of the function, but not any number of times:
        something may have been kept of each call so far."""
        for again in range(self.evaluations + 1):
            try:
                self.derivative(*args)
            except Exception:  # a function of the user's may raise anything
                return again > 0
        return False

    def _pulled_through(self, seed: Any, blocks: Sequence[Any]) -> list[Any]:
        """Gradients by way of a Jacobian: of complex results it holds derivatives, by complex
        arguments too, and of real ones gradients, as everywhere here."""
        of_complex = self.outputs.leaves[0].is_complex
        pulled = [
            np.tensordot(np.conj(seed), np.asarray(unwrap(block)), axes=np.ndim(seed))
            for block in blocks
        ]
        if not of_complex:
            return pulled
        leaves = self.inputs.leaves
        return [
            np.conj(g) if leaf.is_complex else np.real(g)
            for g, leaf in zip(pulled, leaves, strict=True)
        ]

    def as_gradient(self, gradients: Sequence[Any]) -> Vector:
        vector = super().as_gradient(gradients)
        self.gradient_resolution = max(self.gradient_resolution, self.coarsest)
        return vector

    def _as_vector(self, analytic: Any) -> Vector:
        """Gradients as the user's function returned them: one, or one for each argument."""
        single = len(self.inputs.leaves) == 1 and isinstance(analytic, list)
        gradients = [np.asarray(analytic)] if single else self._in_order(analytic)
        return self.as_gradient(self._checked(gradients))

    def _in_order(self, derivatives: Any) -> list[Any]:
        """What the user's function returned, in the order of the inputs; dicts go by their keys."""
        trees = tuple(self.inputs.tree)
        for wanted in (trees, trees[0]) if len(trees) == 1 else (trees,):
            with suppress(ArgumentValueError):
                found = tree.flatten_like(derivatives, wanted)
                if not any(isinstance(x, (tuple, dict)) for x in found):
                    return found
        found = flatten(derivatives)
        if len(found) == len(self.inputs.leaves):
            raise Finding(
                Verdict.SHAPE,
                f"{self.form} returned {', '.join(paths(derivatives, self.form))} for "
                f"{', '.join(leaf.name for leaf in self.inputs.leaves)}; nest derivatives as the "
                "arguments are, with the same keys",
            )
        return found

    def _checked(self, derivatives: Sequence[Any], shape: tuple[int, ...] = ()) -> Sequence[Any]:
        """Derivatives of results of a shape, one for each input, in that input's shape."""
        leaves = self.inputs.leaves
        if len(derivatives) != len(leaves):
            raise Finding(
                Verdict.SHAPE,
                f"{self.form} returned {len(derivatives)} arrays for {len(leaves)} inputs "
                f"({', '.join(leaf.name for leaf in leaves)}); return one for each",
            )
        for g, leaf in zip(derivatives, leaves, strict=True):
            of_complex = self.form == "jacobian" and self.outputs.leaves[0].is_complex
            is_real = not (leaf.is_complex or of_complex)
            require_gradient(self.form, g, leaf.name, shape + leaf.shape, is_real=is_real)
        return derivatives


def require_gradient(
    what: str, g: Any, name: str, shape: tuple[int, ...], *, is_real: bool = False
) -> None:
    """A hand-written derivative has the shape of what it belongs to, and is not an integer."""
    if g is None:
        raise Finding(
            Verdict.SHAPE,
            f"{what} returned None for {name}; return zeros where nothing depends on it",
        )
    array = np.asarray(unwrap(g))
    if array.dtype.kind == "c" and is_real:
        raise Finding(
            Verdict.SHAPE,
            f"{what} returned dtype {array.dtype} for {name}, which is real; return what changes "
            "a real number, the real part (np.real) of the product with the upstream gradient",
        )
    if array.dtype.kind not in "fc" and not isinstance(g, int):
        raise Finding(
            Verdict.SHAPE,
            f"{what} returned dtype {array.dtype} for {name}; a derivative is a float, "
            "and integers would cut off its digits",
        )
    if array.shape != shape:
        raise Finding(
            Verdict.SHAPE, f"{what} returned shape {array.shape} for {name}; it must be {shape}"
        )
