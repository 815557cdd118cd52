"""Tracing: run a function once on Values that take down what is done to them.

While a trace runs, the recorder of its thread or task is a `TraceRecorder`, whose
results are `Traced`.  Such a Value refuses what a recording cannot show: a Python
branch on its number, reading the number out, putting it into a plain array; and
any use by one that does not record for the same trace, such as another thread.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache, lru_cache
from types import FrameType
from typing import Any

import numpy as np

from autograd_lite.compiler.frontend.foresight import in_one_memory, is_unforeseen
from autograd_lite.compiler.ir import SourceLocation
from autograd_lite.core.callers import called_by
from autograd_lite.core.errors import CompileError, UnsupportedError
from autograd_lite.core.memory import checksum
from autograd_lite.core.node import ABSENT, Node, get_node, serials, set_node
from autograd_lite.core.objects import holders, state_of
from autograd_lite.core.recorder import Recorder, current, using, writes_shared
from autograd_lite.core.value import Row, Value
from autograd_lite.core.views import Looking
from autograd_lite.ops import indexing
from autograd_lite.ops.shaping import as_new_node

__all__ = ["Trace", "callers_errstate", "from_engine", "is_traced", "traced_leaf", "tracing"]

ENGINE = "autograd_lite"

NOWHERE = SourceLocation()

LEAST_FORGOTTEN = 1 << 20
"""Bytes of results from which on a trace keeps their first row only."""


class Trace:
    """What one run of a function leaves behind for the compiler, besides its graph.

    Attributes
    ----------
    draws : list of Node
        Random draws, in the order in which they were made, with loops and branches that draw.
    refusal : CompileError or None
        The first refusal, which stands whatever the function or NumPy makes of the exception.
    caught : str or None
        What a function raised because of the numbers that it was given.
    read : dict
        Values from outside that were read, and whether as numbers or only as ``.data``.
    constants : dict
        Arrays of NumPy that operations took, and their checksums, by their identity.
    objects : dict
        Containers and objects that primitives of somebody's took, with one of them and what they
        held, by their identity.
    forgets : bool
        Whether it runs in little memory: a program needs the types of large results,
        not their numbers.
    has_forgotten : bool
        Whether there were large results.
    writes : bool
        Whether something was written in place.
    reads_order : bool
        Whether something was read in the order in which it lies in memory.
    inside : dict
        What bodies of loops and branches are given anew, and what each is a body of.
    bodies : list of int
        Serial numbers from which on nodes are inside, of the bodies that are being traced.
    has_bodies : bool
        Whether there were any so far.
    shared : dict
        What may lie in the memory of others, by the data, and the loop or branch that it is of.
    settled : set of Node
        What was copied in an order of its own.
    unforeseen : dict
        Results of which a loop or branch decides whether they are views, and the nodes in whose
        memory they then are.
    """

    def __init__(self, outermost: FrameType, forgets: bool) -> None:
        self.outermost: FrameType | None = outermost
        self.forgets = forgets
        self.has_forgotten = False
        self.writes = False
        self.reads_order = False
        self.draws: list[Node] = []
        self.constants: dict[int, tuple[Any, int]] = {}
        self.objects: dict[int, tuple[Any, Any, int]] = {}
        self.refusal: CompileError | None = None
        self.caught: str | None = None
        self.read: dict[Node, bool] = {}
        self.filters: Any = warnings.filters
        self.locations: dict[int, SourceLocation] = {}
        self.differentiated: SourceLocation | None = None
        self.inside: dict[Node, str] = {}
        self.bodies: list[int] = []
        self.has_bodies = False
        self.shared: dict[Node, str] = {}
        self.settled: set[Node] = set()
        self.unforeseen: dict[Node, set[Node]] = {}

    def refuse(self, reason: str) -> CompileError:
        """The error for what a program could not do; the trace is worth nothing from here on."""
        error = CompileError(reason)
        self.refusal = self.refusal or error
        return error

    def check_returned(self) -> None:
        """Refuse a function that has returned after something else was refused, or was caught."""
        if self.refusal is None and self.caught is not None:
            self.refuse(
                f"{self.caught}, which the function caught: for other numbers it would do "
                "something else, and a program does the same at every call; choose by a "
                "condition instead (np.where), or catch the error outside"
            )
        if self.refusal is not None:
            raise self.refusal

    def watch(self, operands: Iterable[Any]) -> None:
        """Note what constants hold; refuse those that hold something else than before."""
        for x in operands:
            if isinstance(x, np.ndarray):
                content = checksum(x)
                if self.constants.setdefault(id(x), (x, content))[1] != content:
                    raise self.refuse(
                        f"an array of shape {x.shape} and dtype {x.dtype} was written after it "
                        "had been used with Values, which a program would not do again; use a "
                        "copy (array.copy()), or make the array with np.zeros(shape, like=x)"
                    )

    def watch_objects(self, primitive: Any, given: Iterable[Any]) -> None:
        """The same of containers and objects, which somebody's primitive was called with."""
        for x in given:
            if isinstance(x, np.ndarray | Node) or not holders(x):
                continue
            content = state_of(x)
            if self.objects.setdefault(id(x), (primitive, x, content))[2] != content:
                raise self.refuse(
                    f"{primitive.name} was called with an object of type {type(x).__name__}, and a "
                    "number or array in that was changed afterwards, which a program would not do "
                    "again; pass a copy, or another object"
                )

    def check_constants(self) -> None:
        """At the end, refuse what holds something else than when it was used last."""
        self.watch([array for array, _ in self.constants.values()])
        for primitive, x, _ in list(self.objects.values()):
            self.watch_objects(primitive, [x])
        # Values that outlive the trace keep it: see `is_private`.
        self.constants.clear()
        self.objects.clear()

    def kept(self, data: Any) -> Any:
        """A result; a large one as an array of the same type that repeats its first row."""
        large = (
            isinstance(data, np.ndarray) and data.nbytes >= LEAST_FORGOTTEN and any(data.strides)
        )
        if not (self.forgets and large):
            return data
        self.has_forgotten = True
        return np.broadcast_to(data[:1].copy(), data.shape)

    def note_order_read(self, order: str) -> None:
        """Note that ``order="A"`` or ``"K"`` is what it is of arguments that lie in memory so.

        What a loop or branch gives lies otherwise at another step, or in another branch.
        """
        if self.has_bodies:
            raise self.refuse(
                f'order="{order}" asks how an array lies in memory, which a loop or branch does '
                'not tell beforehand; write order="C" or order="F"'
            )
        if self.has_forgotten:
            raise UnsupportedError(f'order="{order}" needs arrays as they are')
        self.reads_order = True

    def location_of(self, node: Node) -> SourceLocation:
        """The line that a node was recorded for, if this trace recorded it."""
        return self.locations.get(node.serial, NOWHERE)

    def locate(self, frame: FrameType | None) -> SourceLocation:
        """The user's line that a call comes from; in a reverse sweep, the differentiated one."""
        errstate = errstate_inside()
        if warnings.filters is not self.filters and makes_errors(warnings.filters) > makes_errors(
            self.filters
        ):
            raise self.refuse(
                "warnings are made errors in the function, and its program would know nothing of "
                "that; write with np.errstate(all='raise') instead, or set filters outside"
            )
        if self.differentiated is not None:
            line = self.differentiated
            return location_at(line.file, line.line, "backward", errstate)
        while frame is not None and frame is not self.outermost:
            if not from_engine(frame):
                return location_at(frame.f_code.co_filename, frame.f_lineno, "forward", errstate)
            frame = frame.f_back
        return SourceLocation(errstate=errstate)


def makes_errors(filters: Any) -> bool:
    """Whether filters of warnings make errors of those that NumPy's functions give."""
    of_numpy = (x[0] for x in filters if issubclass(RuntimeWarning, x[2]) and x[1] is x[3] is None)
    return next(of_numpy, "") == "error"


def from_engine(frame: FrameType) -> bool:
    """Whether a frame runs code of this package."""
    return is_engine(frame.f_globals.get("__name__", ""))


@cache
def is_engine(module: str) -> bool:
    return module == ENGINE or module.startswith(ENGINE + ".")


@lru_cache(maxsize=1 << 12)
def location_at(file: str, line: int, section: str, errstate: tuple[Any, ...]) -> SourceLocation:
    """One object for all operations of a line: the garbage collector visits every object."""
    return SourceLocation(file, line, section, errstate)


CALLERS_ERRSTATE = dict.fromkeys(np.geterr(), "call")


def callers_errstate() -> np.errstate:
    """While tracing, what floating-point errors do is left to the caller of the program."""
    return np.errstate(all="call", call=unheeded)


def unheeded(error: str, flag: int) -> None:
    """What happens while tracing to an error that the caller will hear of."""


def errstate_inside() -> tuple[tuple[str, Any], ...]:
    """What the traced function, or the reverse sweep, does about errors by itself."""
    errstate = np.geterr()
    if errstate == CALLERS_ERRSTATE:
        return ()
    return tuple([item for item in errstate.items() if item[1] != "call"])


# Nodes, the recorder that makes them, and the Values that look at them.


class TraceRecorder(Recorder):
    """Makes `Traced` Values; records all operations, for a program is made of them."""

    __slots__ = ("trace",)

    takes_bodies = True

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self.trace = trace

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
        """Take down an operation; without recording, as under `no_grad`, it has no gradient."""
        self.trace.watch((left, right, *rest, *parameters.values()))
        if not primitive.builtin:
            self.trace.watch_objects(primitive, (left, right, *rest, *parameters.values()))
        if primitive.selecting or primitive is indexing.getitem:
            self._check_shape_is_fixed(primitive, (right, *rest))
        node = Node()
        node.data = self.trace.kept(data)
        node.grad = None
        node.label = None
        node.serial = next(serials)
        node.primitive = primitive
        node.parameters = parameters
        node.requires_grad = self.is_recording and requires_grad
        node.left, node.right, node.rest = left, right, rest
        self.trace.locations[node.serial] = self.trace.locate(sys._getframe(1))
        if self.trace.has_bodies and is_unforeseen(node, self.trace.inside, self.trace.settled):
            self.trace.unforeseen[node] = set(in_one_memory(node))
        return traced(node, self.trace)

    def note_read(self, node: Node, is_number: bool) -> None:
        """Note a Value from outside whose number the program takes in as a constant."""
        if node.serial not in self.trace.locations:
            read = self.trace.read
            read[node] = is_number or read.get(node, False)

    def note_settled(self, node: Node) -> None:
        self.trace.settled.add(node)
        self.trace.unforeseen.pop(node, None)

    def note_error(self, error: Exception) -> None:
        """Note an error that comes of the numbers: the function may catch it."""
        if isinstance(error, (ArithmeticError, np.linalg.LinAlgError, Warning)):
            line = self.trace.locate(sys._getframe(2))
            self.trace.caught = f"{type(error).__name__} ({error}) was raised at {line}"

    def _check_shape_is_fixed(self, primitive: Any, indices: Iterable[Any]) -> None:
        """A program has fixed shapes: selecting elements by their values is not for it."""
        of_index = (np.result_type(x.data) for x in indices if isinstance(x, Node))
        if primitive.selecting or any(dtype.kind == "b" for dtype in of_index):
            line = self.trace.locate(sys._getframe(2))
            raise self.trace.refuse(
                f"{primitive.name} at {line}: the shape of its result depends on values, and a "
                "program has fixed shapes; write np.where(mask, x, 0) instead of x[mask]"
            )

    def draw(self, primitive: Any, rng: Any, parameters: dict[str, Any]) -> Any:
        """Take down a draw, which the program makes anew; the generator stays as it is."""

        def draw() -> Any:
            example = primitive.forward(deepcopy(rng), **parameters)
            value = self.record(primitive, example, parameters, False, rng)
            self.trace.draws.append(value.node)
            return value

        return self.source(draw)

    def value(self, node: Node) -> Any:
        """A Value that refuses to tell its number, in rules too."""
        return traced(node, self.trace)

    def view(self, node: Node, look: Any, seen: Node) -> Any:
        view = TracedView()
        view.tracing = self.trace
        set_node(view, node)
        view.look, view.seen = look, seen
        return view

    def before_write(self, root: Any, what: str) -> None:
        """Refuse writes that reach outside, and those of which the shapes alone tell too little."""
        self.trace.writes = True
        if not isinstance(root, Traced):
            raise self.trace.refuse(
                f"{what} writes into a Value from outside of the compiled function, where a "
                "program would not write again; pass it as an argument and return what it becomes"
            )
        if get_node(root) in self.trace.inside:
            raise self.trace.refuse(
                f"{what} writes into what {self.trace.inside[get_node(root)]} hands to its "
                "function, which belongs to the loop; write into a copy (x = x.copy())"
            )
        if get_node(root) in self.trace.shared:
            raise self.trace.refuse(writes_shared(what, self.trace.shared[get_node(root)]))
        if self.trace.bodies and get_node(root).serial < self.trace.bodies[-1]:
            raise self.trace.refuse(
                f"{what} writes in a loop or branch into a Value from outside of it, which would "
                "be done once, while it is traced; pass it in, write into a copy (x = x.copy()) "
                "and return that"
            )
        if self.trace.has_forgotten:
            raise UnsupportedError(f"{what} needs arrays as they are, to tell which are views")
        if any(get_node(root) in nodes for nodes in self.trace.unforeseen.values()):
            raise self.trace.refuse(
                f"{what} writes into an array that comes of a loop or branch and was reshaped: by "
                "the order of its axes in memory, which is another one after other steps or in "
                "another branch, that is a view, which shows the write, or a copy; write into "
                "x.copy(), and reshape that"
            )

    def note_shared(self, nodes: Iterable[Node], what: str) -> None:
        self.trace.shared.update(dict.fromkeys(nodes, what))

    @contextmanager
    def body(self, inputs: list[Node], what: str) -> Iterator[list[Node]]:
        """A block that is traced as a body; its draws are its own."""
        trace = self.trace
        outside, trace.draws = trace.draws, []
        trace.inside.update(dict.fromkeys(inputs, what))
        trace.bodies.append(next(serials))
        trace.has_bodies = True
        try:
            yield trace.draws
        finally:
            trace.draws = outside
            trace.bodies.pop()

    @contextmanager
    def follow_sweep(self) -> Iterator[Callable[[Node], None]]:
        """A block in which a sweep tells the node whose rules it applies."""
        trace = self.trace
        outside = trace.differentiated

        def visit(node: Node) -> None:
            trace.differentiated = trace.locations.get(node.serial)

        try:
            yield visit
        finally:
            trace.differentiated = outside


def traced(node: Node, trace: Trace) -> Traced:
    value: Traced = Traced()
    set_node(value, node)
    value.tracing = trace
    return value


def traced_leaf(data: Any, trace: Trace) -> Traced:
    """An argument of the function that is traced; integers and booleans stay what they are."""
    differentiable = isinstance(data, float) or np.result_type(data).kind in "fc"
    return traced(Node.leaf(data, differentiable), trace)


def is_traced(x: Any) -> bool:
    return isinstance(x, Traced)


def refuse(what: str, instead: str) -> CompileError:
    """The error for something that a program could not repeat, with the user's line."""
    trace = current.get().trace
    line = "an unknown line" if trace is None else trace.locate(sys._getframe(2))
    reason = (
        f"{what} at {line}: its number is known only when the compiled "
        f"function runs, not while it is traced; {instead}"
    )
    return CompileError(reason) if trace is None else trace.refuse(reason)


class Traced(Value):
    """A Value in a function that is being compiled: it has a shape and a dtype, no number."""

    __slots__ = ("tracing",)  # trace() is a method of arrays

    __init__ = object.__init__

    tracing: Trace

    def _node(self) -> Any:
        """The node, for those who record for the same trace."""
        if current.get().trace is not self.tracing:
            raise self.tracing.refuse(
                "a traced Value was used outside of its trace, in another thread or after the "
                "function had returned and an attribute or a list had kept it; compute with it "
                "in the function that is compiled, or return it"
            )
        return get_node(self)

    def _data(self) -> Any:
        raise refuse(
            ".data of a traced Value was read",
            "compute with the Value itself, or return it and read it outside",
        )

    node: Any = property(_node)
    data: Any = property(_data)

    def __len__(self) -> int:
        # NumPy's shuffle asks for it before it warns of what is no sequence; Python's only draws.
        caller = sys._getframe(1)
        is_python = caller.f_globals.get("__name__") == "random"
        if not is_python and called_by(caller, "len()")[0].endswith("shuffle()"):
            raise refuse(
                "a traced Value was shuffled in place",
                "write x = x[ag.random.permutation(rng, len(x))]",
            )
        return super().__len__()

    def __bool__(self) -> bool:
        raise refuse(
            "a Python branch (if, while, and, or, not, assert) on a traced Value",
            "write np.where(condition, x, y), ag.cond or ag.while_loop, or make the condition "
            "depend on static arguments (shapes, ints, strings) only",
        )

    def __float__(self) -> float:
        raise refuse("float() of a traced Value", "compute with the Value itself")

    def __int__(self) -> int:
        raise refuse("int() of a traced Value", "pass the number as a Python int argument")

    def __complex__(self) -> complex:
        raise refuse("complex() of a traced Value", "compute with the Value itself")

    def __index__(self) -> int:
        raise refuse(
            "a traced Value as a Python index or length",
            "pass the number as a Python int argument, or index a Value with it",
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise refuse(
            "a traced Value was turned into a plain array",
            "build arrays of Values with np.stack or np.concatenate",
        )

    def __format__(self, specification: str) -> str:
        raise refuse("a traced Value was formatted as text", "return it and format it outside")

    def __repr__(self) -> str:
        if current.get().trace is self.tracing:
            raise refuse("a traced Value was shown as text", "return it and show it outside")
        return "<a traced Value>"

    def __hash__(self) -> int:
        raise refuse(
            "a traced Value was looked up in a dict or set, or hashed",
            "use np.where, or look up what is static (shapes, ints, strings)",
        )

    def _number(self, *index: Any) -> Any:
        raise refuse(".item() of a traced Value", "compute with the Value itself")

    def tolist(self) -> Any:
        raise refuse(".tolist() of a traced Value", "compute with the Value itself")

    def _copied(self, copied: Callable[[Any], Any]) -> Value:
        value: Value = as_new_node(self)
        return value

    def detach(self) -> Value:
        """The same Value, through which no gradient passes."""
        value: Value = as_new_node(self)
        value.node.requires_grad = False
        return value

    def backward(self, seed: Any = None, *, retain_graph: bool = True) -> None:
        raise refuse(
            "backward() of a traced Value, which would leave .grad behind",
            "use ag.value_and_grad and return the gradient",
        )


class TracedView(Looking, Traced):
    """A traced Value that looks into the memory of another."""

    __slots__ = ("look", "seen")

    def _node(self) -> Any:
        Traced._node(self)
        return Looking._node(self)

    node: Any = property(_node)


class TracedRow(TracedView):
    """What ``x.flat`` is of a traced Value."""

    __slots__ = ()

    __next__, __getitem__, __setitem__ = Row.__next__, Row.__getitem__, Row.__setitem__


TracedView.row = TracedRow


@contextmanager
def tracing(forgets: bool) -> Iterator[Trace]:
    """Take down what is computed in this thread or task."""
    trace = Trace(sys._getframe(2), forgets)
    try:
        with using(TraceRecorder(trace)):
            yield trace
    finally:
        trace.outermost = None  # a frame holds its caller's arrays, and what was traced lives on
