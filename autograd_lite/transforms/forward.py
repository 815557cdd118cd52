"""Forward mode: tangents are computed while the function runs, and what is past is forgotten.

A recorder keeps the graph as any other does, until that holds more numbers than a bound.  Then
the tangents of its results are computed, in the order in which they came about, and these forget
what they were computed from.  So memory does not grow with the depth; and of a small graph
nothing is lost, which `tangents.push_forward` then transposes as a whole.

What cannot be cut off keeps its operands: what depends on Values from outside, which are
differentiated by others; what has no rule, or a slope that is infinite; what somebody's own
leaves reach.  From the frontier on these are transposed, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import BackwardError
from autograd_lite.core.hooks import hooks, refuse_hooks
from autograd_lite.core.in_place import ARGUMENT, SHARED_ARGUMENT
from autograd_lite.core.memory import Watched, verify
from autograd_lite.core.node import ABSENT, Handle, Node, data_of
from autograd_lite.core.objects import states, verify_objects
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import EAGER, SILENT, Recorder, current
from autograd_lite.core.refusals import forget
from autograd_lite.transforms.pushforward import push_through
from autograd_lite.transforms.tangents import forward_mode_of, push_forward
from autograd_lite.transforms.trace import Trace

__all__ = ["Forward"]

MOST_HELD = 1 << 15
"""Numbers in the graph from which on it is cut: that many cost less to keep than to cut off."""

NODE = 32
"""What a node costs beside its numbers, in numbers."""

KEPT = object()
"""In the place of a tangent: the result keeps its operands."""


class Forward:
    """The tangents of the call of a `Trace`: how it is recorded, and what is found then.

    Parameters
    ----------
    directions_of
        Gives the tangents of the fresh Values of a trace.
    """

    def __init__(self, directions_of: Callable[[Trace], list[Any]]) -> None:
        self.directions_of = directions_of
        self.directions: list[Any] = []
        self.run: Pass | None = None

    def __call__(self, trace: Trace) -> Recorder:
        """The recorder of the call."""
        directions = self.directions_of(trace)
        self.directions = [x.copy() if isinstance(x, np.ndarray) else x for x in directions]
        recorder = current.get()
        inputs = [value.node for value in trace.fresh]
        if recorder is not EAGER or not all(map(is_plain, (*self.directions, *inputs))):
            return recorder
        self.run = Pass(inputs, self.directions)
        return ForwardRecorder(self.run)

    def tangents(self, trace: Trace) -> list[Any]:
        """The tangents of the outputs."""
        if self.run is None:
            return push_forward(trace, self.directions)
        self.run.is_running = False
        if not self.run.has_cut:
            return push_forward(trace, self.directions)
        outputs = trace.pullback.outputs
        found = self.run.finish(outputs)
        refuse_hooks(forward_mode_of(trace), self.run.hooked())
        if not any(t is KEPT for t in found):
            pairs = zip(found, outputs, strict=True)
            return [zeros_of(data_of(x)) if t is None else t for t, x in pairs]
        inputs = trace.pullback.inputs
        frontier, tangents = self.run.frontier(Pullback(outputs, since=trace.since).order)
        trace.pullback = Pullback(outputs, [*inputs, *frontier], trace.since)
        return push_forward(trace, [*self.directions, *tangents], masked=self.run.masked)


def is_plain(x: Any) -> bool:
    """Whether a tangent, or the node of an argument, is made of numbers alone."""
    if isinstance(x, Node):
        return x.primitive is None and is_plain(x.data)
    return isinstance(x, (float, np.ndarray, complex, np.generic))


def zeros_of(output: Any) -> Any:
    """The tangent of a result that does not depend on the arguments."""
    dtype = np.result_type(output)
    if isinstance(output, (float, complex, int)) and not isinstance(output, (bool, np.generic)):
        return 0j if dtype.kind == "c" else 0.0
    return np.zeros(np.shape(output), dtype if dtype.kind in "fc" else np.float64)


class ForwardRecorder(Recorder):
    """Records as outside, and tells the pass.

    Whoever records for himself, a transform or a sweep that is recorded, does it by the plain
    recorder: he needs all of his graph, and the pass finds its way through.
    """

    __slots__ = ("run",)

    def __init__(self, run: Pass) -> None:
        super().__init__()
        self.run = run

    @property
    def keeps_constants(self) -> bool:
        return True

    def switch(self, is_recording: bool) -> Recorder:
        return EAGER if is_recording else SILENT

    def replace(self, **changes: Any) -> Any:
        return EAGER.replace(**changes)

    def record(
        self,
        primitive: Any,
        data: Any,
        parameters: dict[str, Any],
        requires_grad: bool,
        left: Any,
        right: Any = ABSENT,
        rest: tuple[Any, ...] = (),
    ) -> Any:
        run = self.run
        if run.held > MOST_HELD:
            run.advance()
        value = super().record(primitive, data, parameters, requires_grad, left, right, rest)
        run.recent.append(value.node)
        run.held += NODE + (data.size if data.__class__ is np.ndarray else size_of(data))
        return value


class Pass:
    """The tangents of one call of a function, along one direction.

    Parameters
    ----------
    inputs
        The nodes of the arguments.
    directions
        Their tangents.
    """

    def __init__(self, inputs: Sequence[Node], directions: Sequence[Any]) -> None:
        self.start = inputs[0]
        self.given = zip(inputs, directions, strict=True)
        self.known: WeakKeyDictionary[Node, Any]
        """Tangents of nodes that have not been cut off; None is zero."""
        self.cut: Primitive
        """The primitive of those that were."""
        self.recent: list[Node] = []
        self.held = 0
        self.masked = False
        """Whether an operation on the way may have put exact zeros into tangents."""
        self.is_running = True
        self.has_cut = False

    def _begin(self) -> None:
        """Make what is not needed for a small graph."""
        self.has_cut = True
        self.known = WeakKeyDictionary(self.given)
        self.cut = Primitive(lambda: None, each=self._refuse_sweep, name="forward")

    def _refuse_sweep(self, *_: Any, **__: Any) -> Any:
        if self.is_running:
            raise BackwardError(
                "backward() in a function under ag.jvp reaches a result whose operands were "
                "forgotten, as forward mode no longer needs them; call ag.grad of a function there"
            )
        return ABSENT

    def advance(self) -> None:
        """Compute the tangents of what was recorded, and forget what that was computed from."""
        if not self.has_cut:
            self._begin()
        self.held = 0
        recent, self.recent = self.recent[::-1], []
        with np.errstate(all="ignore"):  # what is not finite is computed anew, and heard of then
            while recent:
                node = recent.pop()
                tangent = self._compute(node)
                if tangent is KEPT:
                    self.known[node] = KEPT
                else:
                    node.primitive, node.parameters = self.cut, {"tangent": tangent}
                    node.left, node.right, node.rest = self.start, ABSENT, ()

    def tangent(self, node: Node) -> Any:
        """The tangent of a node: None for zero, KEPT where it is not known."""
        if node.primitive is self.cut:
            return node.parameters["tangent"]
        if node not in self.known:
            if node.serial < self.start.serial:
                return KEPT
            self._follow(node)
        return self.known[node]

    def _follow(self, root: Node) -> None:
        """Find the tangents on the way to a node that somebody else has recorded."""
        found, stack = {root}, [root]
        while stack:
            for x in stack.pop().inputs:
                is_new = isinstance(x, Node) and x.serial >= self.start.serial and x not in found
                if is_new and x.primitive is not self.cut and x not in self.known:
                    found.add(x)
                    stack.append(x)
        for node in sorted(found, key=lambda node: node.serial):
            self.known[node] = self._compute(node)

    def _compute(self, node: Node) -> Any:
        if node.primitive is None:
            return self._of_leaf(node)
        tangents = []
        varies = False
        for x in node.inputs:
            tangent = self.tangent(x) if isinstance(x, Node) else None
            if tangent is KEPT:
                return KEPT
            varies = varies or tangent is not None
            tangents.append(tangent)
        data = node.data
        is_usual = data.__class__ is np.ndarray or data.__class__ is float
        if hooks and node in hooks:
            return KEPT
        if not (varies and node.requires_grad):
            return None
        if not is_usual and (isinstance(data, Handle) or is_duck_array(data)):
            return KEPT
        try:
            if states and node in states:
                verify_objects(node)
            tangent = push_through(node, tangents, self.masked)
        except Exception as error:  # of a rule that may not be asked for, in the end
            forget(error)
            return KEPT
        self.masked = self.masked or node.primitive.masks
        if tangent.__class__ is tuple:
            return tangent if all(t is None or is_finite(t) for t in tangent) else KEPT
        return tangent if is_finite(tangent) else KEPT

    def _of_leaf(self, leaf: Node) -> Any:
        """A constant has the tangent zero; gradients may be asked for of somebody's own leaf."""
        if leaf.parameters.__class__ is Watched:
            try:
                verify(leaf)
            except Exception:
                return KEPT
        is_argument = leaf.parameters is ARGUMENT or leaf.parameters is SHARED_ARGUMENT
        return KEPT if leaf.requires_grad and not is_argument else None

    def finish(self, outputs: Sequence[Any]) -> list[Any]:
        """The tangents of the outputs, each as `tangent` has it."""
        self.advance()
        with np.errstate(all="ignore"):
            return [self.tangent(x) if isinstance(x, Node) else None for x in outputs]

    def hooked(self) -> list[Node]:
        """The nodes with hooks that no sweep would find any more."""
        return [node for node in list(hooks) if node.primitive is self.cut or node in self.known]

    def frontier(self, order: Sequence[Node]) -> tuple[list[Node], list[Any]]:
        """Of these nodes those that were cut off, and have a tangent; and that."""
        cut = [node for node in order if node.primitive is self.cut]
        pairs = [(node, node.parameters["tangent"]) for node in cut]
        found = [(node, t) for node, t in pairs if t is not None]
        return [node for node, _ in found], [t for _, t in found]


def size_of(data: Any) -> int:
    """How many numbers there are in a result, or in several."""
    if isinstance(data, tuple):
        return sum(map(size_of, data))
    return getattr(data, "size", 1)


def is_finite(t: Any) -> bool:
    """Whether numbers are finite; those whose sum is not count as infinite."""
    if t.__class__ is float:
        return isfinite(t)
    return bool(np.isfinite(np.add.reduce(t, axis=None)))
