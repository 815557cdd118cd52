"""From a function to a program: call it on traced Values, and take down the graph."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import compress, count
from typing import Any

from autograd_lite.compiler.frontend.recorded import Place, Recorded
from autograd_lite.compiler.frontend.retrace import first_difference
from autograd_lite.compiler.frontend.signature import Arguments
from autograd_lite.compiler.frontend.tracing import (
    Trace,
    callers_errstate,
    from_engine,
    traced_leaf,
    tracing,
)
from autograd_lite.compiler.ir import (
    Constant,
    Input,
    Operand,
    Operation,
    Program,
    SourceLocation,
    Type,
    rewrite,
    rewrite_bodies,
    substitute,
    walk,
    with_operands,
)
from autograd_lite.compiler.runtime.backend import NumpyBackend, backend_of
from autograd_lite.core.duck_arrays import is_device_array
from autograd_lite.core.errors import CompileError
from autograd_lite.core.foreign_arrays import check_ordinary
from autograd_lite.core.interpreter import getrefcount, watching_calls
from autograd_lite.core.node import Handle, Node, serials
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.tree import flatten, refuse_hidden, unflatten
from autograd_lite.random import Draw
from autograd_lite.transforms.bodies import Body, Structured
from autograd_lite.transforms.checkpoint import Recomputing

__all__ = ["Place", "RandomStates", "Recorded", "generators_in", "name_of", "record_program"]


ATTEMPTS = 10
"""Another thread may draw from NumPy's random numbers meanwhile; the function does every time."""


def record_program(
    function: Callable[..., Any],
    arguments: Arguments,
    generators: Iterable[np.random.Generator] = (),
) -> Recorded:
    """Trace a function on arguments like these.

    It must not draw from NumPy's or Python's own random numbers, nor from ``generators``;
    their states are the same afterwards.
    """
    for attempt in range(ATTEMPTS):
        reached = [*generators, *(leaf.value for leaf in arguments.leaves)]
        states = RandomStates(reached, shared=True)
        try:
            with draws_noted() if attempt else nullcontext() as draws:
                recorded = trace_types(function, arguments)
        finally:
            has_drawn = states.restore(draws)
        if not has_drawn:
            break
    else:
        raise CompileError(
            f"{name_of(function)} drew random numbers while it was traced; they would be the same "
            "at every call: draw by ag.random, or outside and pass them as an argument"
        )
    # The graph is gone by now: an array with a single reference is the program's alone.
    return replace(recorded, program=with_private_constants(recorded.program))


def with_private_constants(program: Program) -> Program:
    program = rewrite_bodies(program, with_private_constants)
    operands = (x for operation in program.operations for x in operation.operands)
    constants = {x for x in (*operands, *program.outputs) if isinstance(x, Constant)}
    arrays = [x for x in constants if isinstance(x.value, np.ndarray)]
    if not arrays:
        return program
    known: dict[Operand, Operand] = {x: replace(x, private=is_private(x)) for x in arrays}

    def rule(operation: Operation) -> Operand:
        return with_operands(operation, substitute(operation.operands, known))

    program = rewrite(program, rule)
    return replace(program, outputs=substitute(program.outputs, known))


def references(array: Any) -> float:
    return getrefcount(array)


PROBE = Constant(np.empty(1))
ONE_REFERENCE = references(PROBE.value)
"""What `references` says of the attribute of an object where nobody else has it."""


def is_private(constant: Constant) -> bool:
    """Whether nobody but this constant holds its array, nor what that is a view of."""
    if not references(constant.value) <= ONE_REFERENCE:
        return False
    view = constant.value
    while isinstance(view.base, np.ndarray):
        if not references(view.base) <= ONE_REFERENCE:
            return False
        view = view.base
    return view.base is None


def trace_types(function: Callable[..., Any], arguments: Arguments) -> Recorded:
    """Trace without keeping large arrays; with them, if NumPy cannot do without."""
    with tracing(forgets=True) as trace:
        try:
            return record_trace(trace, function, arguments)
        except CompileError:
            raise
        except Exception as error:
            if not (trace.has_forgotten and is_raised_by_library(error)):
                raise
    with tracing(forgets=False) as trace:
        return record_trace(trace, function, arguments)


def is_raised_by_library(error: Exception) -> bool:
    """Whether the engine or NumPy raised an error, and not the user's own code."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = frames[-1]
    return from_engine(last) or last.f_globals.get("__name__", "").startswith("numpy")


def record_trace(trace: Trace, function: Callable[..., Any], arguments: Arguments) -> Recorded:
    """Call the function while a trace runs, and take down the graph that it leaves."""
    with callers_errstate():
        since = next(serials)
        for leaf in arguments.leaves:
            check_ordinary(leaf.value, f"the argument {leaf.name!r} of {name_of(function)}")
        called = [
            traced_leaf(leaf.value, trace) if leaf.is_variable else leaf.value
            for leaf in arguments.leaves
        ]
        args, kwargs = arguments.nest(called)
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            if trace.refusal in (None, error):
                raise
            raise trace.refusal from error
        trace.check_returned()
    trace.check_constants()
    check_arguments(function, called, flatten((args, kwargs)))
    inputs = {
        value.node: Input(leaf.name, Type.of(leaf.value))
        for leaf, value in zip(arguments.leaves, called, strict=True)
        if leaf.is_variable
    }
    return Graph(inputs, since, trace).record(result)


def check_arguments(function: Any, before: list[Any], after: list[Any]) -> None:
    if len(before) != len(after) or any(x is not y for x, y in zip(before, after, strict=True)):
        raise CompileError(
            f"{name_of(function)} changed one of its arguments in place (a list or dict); "
            "return the new nesting instead"
        )


def name_of(function: Any) -> str:
    return getattr(function, "__qualname__", None) or repr(function)


@contextmanager
def draws_noted() -> Iterator[list[Any]]:
    """Note what this thread draws from Python's random numbers, one stream for all threads.

    Servers draw from it every moment, in threads of their own: Dask's workers, to name one.
    """
    shared = random.random.__self__  # type: ignore[attr-defined]
    draws: list[Any] = []

    def note(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and getattr(called, "__self__", None) is shared:
            draws.append(called)

    with watching_calls(note):
        yield draws


class RandomStates:
    """The states of random generators.

    ``shared``: also of NumPy's and Python's own, from which other threads may draw.
    """

    def __init__(self, leaves: Iterable[Any], shared: bool = False) -> None:
        self.generators = [x for x in leaves if isinstance(x, np.random.Generator)]
        self.shared = shared
        self.before = self.now()

    def now(self) -> list[Any]:
        states = [x.bit_generator.state for x in self.generators]
        if not self.shared:
            return states
        return [np.random.get_state(legacy=False), random.getstate(), *states]

    @contextmanager
    def again(self) -> Iterator[None]:
        """A block that draws as from these states; it leaves behind those that it found."""
        found = RandomStates(self.generators)
        self.restore()
        try:
            yield
        finally:
            found.restore()

    def restore(self, draws: list[Any] | None = None) -> bool:
        """Undo what was drawn since; returns whether anything was.

        ``draws`` are this thread's own from Python's random numbers, None if that is not known.
        """
        same = list(map(is_same_state, self.now(), self.before))
        if self.shared:
            same[1] = same[1] or draws == []
        if all(same):
            return False
        states = list(self.before)
        if self.shared:
            np.random.set_state(states.pop(0))
            random.setstate(states.pop(0))
        for generator, state in zip(self.generators, states, strict=True):
            generator.bit_generator.state = state
        return True


def generators_in(program: Program) -> list[np.random.Generator]:
    """The generators that a program draws from."""
    operands = (x for operation in walk(program) for x in operation.operands)
    constants = (x.value for x in operands if isinstance(x, Constant))
    return [x for x in constants if isinstance(x, np.random.Generator)]


def is_same_state(x: Any, y: Any) -> bool:
    """Whether two states of one random generator are equal; NumPy's are dicts with arrays."""
    if isinstance(x, dict):
        return all(is_same_state(x[key], y[key]) for key in x)
    return np.array_equal(x, y) if isinstance(x, np.ndarray) else bool(x == y)


def check_repeats(name: str, body: Recorded, again: Recorded) -> None:
    """Refuse a function that does something else at another step."""
    difference = first_difference(body, again)
    if difference is None and body.captured != again.captured:
        difference = "it reads another Value"
    if difference is not None:
        raise CompileError(
            f"{name}: its function does not do the same at every step: {difference}; let what "
            "changes from step to step be a part of the carry, or of xs"
        )


def is_numbers(x: Any) -> bool:
    """Whether it is an array, or a number of NumPy's; others hold texts, times or objects."""
    of_numpy = isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fciub"
    return of_numpy or is_device_array(x)


class Graph:
    """The recorded nodes, turned into operations."""

    def __init__(self, inputs: dict[Node, Input], since: int, trace: Trace) -> None:
        self.known: dict[Any, Operand] = dict(inputs)
        self.arguments = [node.data for node in inputs]
        self.inputs = list(inputs.values())
        self.captured: list[Node] = []
        self.constants: dict[int, Constant] = {}
        self.since = since
        self.trace = trace
        self.section = "forward"
        self.draws: set[Node] = set()
        self.compares = False
        """Whether it is for comparison: without what sweeps have added to results of loops."""

    def record(self, result: Any) -> Recorded:
        refuse_hidden("a compiled function", result, self.since)
        leaves = flatten(result)
        results = [leaf.node if isinstance(leaf, Handle) else leaf for leaf in leaves]
        for x in results:
            check_ordinary(x, "a result of a compiled function")
        are_outputs = [isinstance(x, Node) or is_numbers(x) for x in results]
        program = self.program(compress(results, are_outputs), self.trace.draws)
        index = count()
        places = [
            Place(next(index)) if is_output else leaf
            for leaf, is_output in zip(leaves, are_outputs, strict=True)
        ]
        captured = tuple(self.captured)
        backend = backend_of([*self.arguments, *(node.data for node in captured)])
        # Of those that are inputs too, .data is read for its shape or dtype, mostly.
        noted = self.trace.read.items()
        read = tuple(x for x, is_number in noted if is_number or x not in captured)
        nested = unflatten(result, places)
        trace = self.trace
        how = (trace.writes, trace.reads_order)
        return Recorded(program, nested, captured, backend, read, *how)

    def program(self, results: Iterable[Any], draws: Iterable[Node]) -> Program:
        """The program that computes these nodes and constants, and makes these draws."""
        results = list(results)
        self.draws = set(draws)
        operations = [
            self.operation(node)
            for node in self.order([*(x for x in results if isinstance(x, Node)), *self.draws])
            if not self.is_recomputing(node)
        ]
        outputs = tuple(map(self.operand, results))
        return Program(tuple(self.inputs), tuple(operations), outputs)

    def order(self, roots: Iterable[Node]) -> list[Node]:
        """The nodes of the trace that the roots were computed from, oldest first."""
        stack = [node for node in roots if self.is_inner(node)]
        seen = set(stack)
        while stack:
            for x in stack.pop().inputs:
                if isinstance(x, Node) and x not in seen and self.is_inner(x):
                    seen.add(x)
                    stack.append(x)
        return sorted(seen, key=lambda node: node.serial)

    def is_inner(self, node: Node) -> bool:
        return node.serial > self.since and node.primitive is not None and node not in self.known

    def is_recomputing(self, node: Node) -> bool:
        """Whether it is a checkpointed call, which is known by what it computed inside."""
        if not isinstance(node.primitive, Recomputing):
            return False
        self.known[node] = self.operand(node.inputs[-1])
        return True

    def operation(self, node: Node) -> Operation:
        assert node.primitive is not None
        if isinstance(node.primitive, Draw) and node not in self.draws:
            raise self.trace.refuse(
                "random numbers that were drawn in a loop or branch are used outside of it, or "
                "once more by a checkpoint around it; draw them before, and pass them in"
            )
        operation = Operation(
            node.primitive,
            tuple(self.operand(x) for x in node.inputs),
            node.parameters,
            Type.of(node.data),
            node.label or "",
            self.origin_of(node),
            self.bodies_of(node.primitive),
        )
        self.known[node] = operation
        return operation

    def bodies_of(self, primitive: Primitive) -> tuple[Program, ...]:
        """The programs of the bodies of a loop or branch, which read what they capture last."""
        if not isinstance(primitive, Structured):
            return ()
        for body, again in zip(primitive.bodies, primitive.again, strict=False):
            if not self.compares:
                check_repeats(primitive.name, self.alone(body), self.alone(again))
        first, captured = primitive.bodies[0], primitive.captured
        given = [Input(x.label or "x", Type.of(x.data)) for x in first.inputs]
        read = {x: Input(x.label or "captured", Type.of(x.data)) for x in captured}
        return tuple(self.body(body, given, read) for body in primitive.bodies)

    def body(self, body: Body, given: list[Input], read: dict[Node, Input]) -> Program:
        known = {**read, **dict(zip(body.inputs, given, strict=True))}
        inside = Graph(known, body.since, self.trace)
        inside.inputs = [*given, *read.values()]
        inside.section = self.section
        inside.compares = self.compares
        return inside.program(body.results if self.compares else body.outputs, body.draws)

    def alone(self, body: Body) -> Recorded:
        """A body as its function was, for comparison: with what is computed outside, once."""
        inputs = [Input("x", Type.of(node.data)) for node in body.inputs]
        inside = Graph(dict(zip(body.inputs, inputs, strict=True)), body.since, self.trace)
        inside.compares = True
        program = inside.program(body.results, body.draws)
        return Recorded(program, None, tuple(inside.captured), NumpyBackend())

    def origin_of(self, node: Node) -> SourceLocation:
        """Where a node was recorded; what follows the reverse sweep is the update."""
        origin = self.trace.location_of(node)
        if origin.section == "forward" and self.section != "forward":
            origin = replace(origin, section="update")
        self.section = origin.section
        return origin

    def operand(self, x: Any) -> Operand:
        if not isinstance(x, Node):
            if id(x) not in self.constants:
                self.constants[id(x)] = Constant(x)
            return self.constants[id(x)]
        if x not in self.known:
            self.known[x] = self.leaf(x)
        return self.known[x]

    def leaf(self, node: Node) -> Operand:
        """A Value that is no argument: captured from outside, or made from plain numbers inside."""
        if node in self.trace.inside and not self.compares:
            raise self.trace.refuse(
                f"a Value of the inside of {self.trace.inside[node]} was used outside of its "
                "function, which had kept it; return it there, as a carry or a result"
            )
        if node.serial > self.since:
            return self.operand(node.data)
        self.captured.append(node)
        name = node.label or f"captured_{len(self.captured)}"
        variable = Input(name, Type.of(node.data))
        self.inputs.append(variable)
        return variable
