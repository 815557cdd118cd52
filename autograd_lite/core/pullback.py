"""Pullbacks: from gradients of results to gradients of what they were computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.backward import Lift, dependencies, ones_like, sweep, zeros_like
from autograd_lite.core.duck_arrays import as_array_of, is_duck_array
from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.node import Handle, Node, unwrap
from autograd_lite.core.primitive import PYTHON_SCALARS
from autograd_lite.core.recorder import current, recording, value_of

__all__ = ["Pullback", "as_cotangent", "unit_cotangent"]


class Pullback:
    """The linear map from cotangents of outputs to gradients of inputs: the one way to sweep.

    Both are transposes; see `backward.conjugate`.

    Parameters
    ----------
    outputs
        Nodes; and constants, which pass nothing on.
    inputs
        The nodes whose gradients are wanted.
    since
        Nodes with a serial number below it are older than the question, and not entered.

    Attributes
    ----------
    order : list of Node
        What the outputs depend on, oldest first.
    reaches_older : bool
        Whether they depend, by whatever way, on nodes older than ``since``.
    """

    __slots__ = ("inputs", "is_duck", "oldest", "order", "outputs", "reaches_older")

    def __init__(self, outputs: Sequence[Any], inputs: Sequence[Node] = (), since: int = 0) -> None:
        self.outputs = outputs
        self.inputs = inputs
        roots = [x for x in outputs if isinstance(x, Node)]
        self.order, self.reaches_older = dependencies(roots, since)
        self.oldest = min(since, *(node.serial for node in inputs)) if inputs else since
        self.is_duck = any(map(is_duck_array, [x.data for x in roots]))

    def __call__(
        self,
        cotangents: Sequence[Any],
        *,
        recorded: bool = False,
        lift: Callable[[Any], Any] | None = None,
    ) -> list[Any]:
        """The gradient of <cotangents, outputs> for every input, zeros where there is no influence.

        With ``recorded`` the gradients are Values where they depend on nodes.  ``lift``
        is applied to all that rules get.
        """
        recorder = current.get()
        with recording(recorded or recorder.trace is not None):
            found = self.sweep(cotangents, recorded=recorded, lift=lift)
        moves = self.is_duck and recorder.trace is None
        results = []
        for node in self.inputs:
            g = found[node] if node in found else zeros_like(node.data)
            # A constant gradient goes where its argument is; a program moves constants itself.
            results.append(as_array_of(node.data, g) if moves and not isinstance(g, Handle) else g)
        return results

    def sweep(
        self,
        cotangents: Sequence[Any],
        *,
        recorded: bool = False,
        lift: Callable[[Any], Any] | None = None,
        free: bool = False,
    ) -> dict[Node, Any]:
        """The gradients of all nodes that the sweep reaches.

        None in the place of a cotangent stands for zero.  Where arrays of another library
        are computed with, rules get Values though nothing is recorded, so that every
        function they call is looked up first: what the library lacks is refused by name.
        """
        recorder = current.get()
        is_traced = recorder.trace is not None
        recorded = recorded or is_traced
        on_values = recorded or self.is_duck
        gradients: dict[Node, Any] = {}
        for output, cotangent in zip(self.outputs, cotangents, strict=True):
            if isinstance(output, Node) and output.requires_grad and cotangent is not None:
                g = cotangent
                if self.is_duck and not is_traced and not isinstance(g, Handle):
                    g = value_of(Node.leaf(g))
                gradients[output] = gradients[output] + g if output in gradients else g
        order = self.order if free else self.order[:]
        if not on_values:
            return sweep(order, gradients, free=free, since=self.oldest)
        with recording(recorded), recorder.follow_sweep() as visit:
            found = sweep(
                order,
                gradients,
                lift=lifting(recorder.value, lift),
                visit=visit,
                free=free and not is_traced,
                since=self.oldest,
            )
        return found if recorded else {node: unwrap(g) for node, g in found.items()}


def lifting(value: Lift, lift: Callable[[Any], Any] | None) -> Lift:
    """From a node to what rules get: a Value, or what ``lift`` makes of it."""
    return value if lift is None else lambda node: lift(value(node))


def data_of(output: Any) -> Any:
    """The number or array of a node or a Value; a constant as it is."""
    return output.data if isinstance(output, Node) else unwrap(output)


def unit_cotangent(output: Any) -> Any:
    """The gradient of a result with respect to itself; in programs always a constant of NumPy's."""
    data = data_of(output)
    if current.get().trace is not None and is_duck_array(data):
        return np.ones(data.shape, data.dtype)
    return ones_like(data)


def as_cotangent(given: Any, output: Any, what: str, counterpart: str) -> Any:
    """Check what was given for an output, or an input, and give it the dtype of that."""
    data = data_of(output)
    if np.shape(given) != np.shape(data):
        raise ArgumentValueError(
            f"a {what} has shape {np.shape(given)}, but its {counterpart} has shape "
            f"{np.shape(data)}; the two must be equal"
        )
    if isinstance(given, Handle):
        return given
    if data.__class__ in PYTHON_SCALARS:
        return type(data)(given)
    if is_duck_array(data) and current.get().trace is None:
        return as_array_of(data, given)
    return np.asarray(given, data.dtype)
