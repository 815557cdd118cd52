"""Pullbacks: from gradients of results to gradients of what they were computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.core.backward import (
    Lift,
    by_serial,
    dependencies,
    in_byte_order,
    is_complex,
    ones_like,
    sweep,
    zeros_like,
)
from autograd_lite.core.duck_arrays import as_array_of, is_duck_array, settled
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.hooks import have_hooks, sweep_with_hooks
from autograd_lite.core.memory import verify
from autograd_lite.core.node import Handle, Node, data_of, unwrap
from autograd_lite.core.objects import states, verify_objects
from autograd_lite.core.primitive import PYTHON_SCALARS, registry
from autograd_lite.core.recorder import current, recording, value_of
from autograd_lite.core.views import Looking

__all__ = ["Ancestry", "Pullback", "as_cotangent", "own_memory", "repeated", "unit_cotangent"]


class Ancestry:
    """Which results depend on nodes older than a call, or on some that came later.

    Each node is looked at once, however many results are asked about: what a node
    depends on never changes.
    """

    __slots__ = ("known", "since")

    def __init__(self, since: int, given: Iterable[Node] = ()) -> None:
        self.since = since
        self.known = {node: True for node in given if node.requires_grad}

    def reaches_older(self, root: Node) -> bool:
        """Whether a node depends on one that the call did not make, by whatever way."""
        known, since = self.known, self.since
        found: list[Node] = []
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in known:
                known[node] = node.serial < since
                if not known[node]:
                    found.append(node)
                    stack.extend(x for x in node.inputs if isinstance(x, Node))
        for node in sorted(found, key=by_serial):
            known[node] = any(isinstance(x, Node) and known[x] for x in node.inputs)
        return known[root]


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
    watched : list of Node
        Constants among what they depend on that somebody else could write to.
    readers : list of Node
        Results of primitives that were called with objects.
    """

    __slots__ = (
        "inputs", "is_duck", "oldest", "order", "outputs", "reaches_older", "readers", "watched",
    )  # fmt: skip

    def __init__(self, outputs: Sequence[Any], inputs: Sequence[Node] = (), since: int = 0) -> None:
        self.outputs = outputs
        self.inputs = inputs
        roots = [x for x in outputs if isinstance(x, Node)]
        self.order, self.reaches_older, self.watched = dependencies(roots, since)
        self.readers = [node for node in self.order if node in states] if states else []
        self.oldest = min(since, *(node.serial for node in inputs)) if inputs else since
        self.is_duck = any(map(is_duck_array, [x.data for x in roots]))

    def __call__(
        self,
        cotangents: Sequence[Any],
        *,
        recorded: bool = False,
        lift: Callable[[Any], Any] | None = None,
        masked: bool = False,
    ) -> list[Any]:
        """The gradient of <cotangents, outputs> for every input, zeros where there is no influence.

        With ``recorded`` the gradients are Values where they depend on nodes.  ``lift``
        is applied to all that rules get.  ``masked`` as for `sweep`.
        """
        recorder = current.get()
        with recording(recorded or recorder.trace is not None):
            found = self.sweep(cotangents, recorded=recorded, lift=lift, drop=True, masked=masked)
        moves = self.is_duck and recorder.trace is None
        results = []
        for node in self.inputs:
            g = found.get(node)
            g = zeros_like(node.data) if g is None else in_byte_order(g, node)
            if moves and not isinstance(g, Handle):
                # A constant gradient goes where its argument is; programs move constants.
                g = as_array_of(node.data, g)
            results.append(g)
        return results

    def sweep(
        self,
        cotangents: Sequence[Any],
        *,
        recorded: bool = False,
        lift: Callable[[Any], Any] | None = None,
        free: bool = False,
        drop: bool = False,
        masked: bool = False,
    ) -> dict[Node, Any]:
        """The gradients of all nodes that the sweep reaches; with ``drop``, of the inputs.

        None in the place of a cotangent stands for zero.  Where arrays of another library
        are computed with, rules get Values though nothing is recorded, so that every
        function they call is looked up first: what the library lacks is refused by name.
        ``masked``: the cotangents come from behind a mask.
        """
        for node in self.watched:
            verify(node)
        for node in self.readers:
            verify_objects(node)
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
        inputs = {node for node in self.inputs if node.primitive is not None} if drop else None
        if inputs:  # whose gradients are not dropped; those of leaves are not anyway
            order = [node for node in order if node not in inputs]
        carry: Callable[..., dict[Node, Any]] = recorder.sweeping(sweep)
        if have_hooks(self.order):
            origin = tuple(x.serial for x in self.outputs if isinstance(x, Node))
            carry = partial(sweep_with_hooks, carry=carry, nodes=self.order[:], origin=origin)
        if not on_values:
            return carry(
                order, gradients=gradients, free=free, drop=drop, since=self.oldest, masked=masked
            )
        with recording(recorded), recorder.follow_sweep() as visit:
            found = carry(
                order,
                gradients=gradients,
                lift=lifting(recorder.value, lift),
                visit=visit,
                free=free and not is_traced,
                drop=drop,
                since=self.oldest,
                masked=masked,
            )
        return found if recorded else {node: unwrap(g) for node, g in found.items()}


def lifting(value: Lift, lift: Callable[[Any], Any] | None) -> Lift:
    """From a node to what rules get: a Value, or what ``lift`` makes of it."""
    return value if lift is None else lambda node: lift(value(node))


def unit_cotangent(output: Any) -> Any:
    """The gradient of a result with respect to itself; in programs always a constant of NumPy's."""
    data = unwrap(data_of(output))
    if current.get().trace is not None and is_duck_array(data):
        return np.ones(data.shape, data.dtype)
    return ones_like(data)


def as_cotangent(given: Any, output: Any, what: str, counterpart: str) -> Any:
    """Check what was given for an output, or an input, and give it the dtype of that."""
    data = unwrap(data_of(output))
    if np.shape(given) != np.shape(data):
        raise ArgumentValueError(
            f"a {what} has shape {np.shape(given)}, but its {counterpart} has shape "
            f"{np.shape(data)}; the two must be equal"
        )
    if is_complex(given) and not is_complex(data):
        raise ArgumentTypeError(
            f"a {what} is complex, but its {counterpart} is real; pass the real part, or make "
            f"the {counterpart} complex"
        )
    if isinstance(given, Handle):
        return given
    if data.__class__ in PYTHON_SCALARS:
        return type(data)(given)
    if is_duck_array(data) and current.get().trace is None:
        return settled(as_array_of(data, given), f"a {what}")
    return np.asarray(given, data.dtype)


def repeated(gradients: Iterable[Any]) -> set[int]:
    """Identities of the objects that occur more than once among these gradients."""
    return {identity for identity, count in Counter(map(id, gradients)).items() if count > 1}


def own_memory(g: Any, shared: set[int]) -> Any:
    """A gradient that the caller may write to: a copy of a view, and of what is shared."""
    if isinstance(g, Handle):
        is_shared = isinstance(g, Looking) or id(g.node.data) in shared
        # In C order, as methods of arrays copy them.
        return registry[np.copy](g, order="C") if is_shared and g.node.shape else g
    is_shared = id(g) in shared or getattr(g, "base", None) is not None
    return g.copy() if is_shared and (isinstance(g, np.ndarray) or is_duck_array(g)) else g
