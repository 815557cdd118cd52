"""Bodies of loops and branches: what a program does again and again, traced once.

While a program is traced, a loop is one node, whose primitive holds the graph of its body.
What the body reads from outside is found in that graph, and becomes an input of the node.
The gradient of such a node is another one: its body is the reverse sweep of the body, and
what that needs of the steps that were is kept by the first one as further results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.core.errors import AutogradError, CompileError, UnsupportedError
from autograd_lite.core.node import (
    Handle,
    Node,
    operand_of,
    serials,
    split_inputs,
    unwrap,
)
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current, record, recording, using, value_of
from autograd_lite.ops import shaping
from autograd_lite.ops.define import select, select_constant
from autograd_lite.random import Draw
from autograd_lite.transforms.batching import Batched, is_stacked, rows_of
from autograd_lite.transforms.stacking import (
    Steps,
    data_in,
    example_outside,
    held,
    is_apart,
    is_of,
    operand_outside,
    outside,
    rows_outside,
    stacked,
    stacked_in_all,
)

__all__ = [
    "Body",
    "Cotangents",
    "Example",
    "Structured",
    "has_masks",
    "is_smooth",
    "kept_in",
    "part",
    "reachable",
    "trace_body",
    "value_or_constant",
]

Function = Callable[..., Any]


class Example(NamedTuple):
    """A number or array like those that a body will be given, and if it may have a gradient."""

    data: Any
    is_varying: bool = True
    name: str = "x"


class Body:
    """The graph of a function that is applied again and again.

    Parameters
    ----------
    inputs
        What it is given anew each time.
    outputs
        What it gives: nodes, and constants.  A sweep may append to them.
    draws
        Its random draws, which each step makes anew; and its loops and branches that draw.
    since
        Nodes with a serial number below it are older than the body.
    hoists
        What does not depend on the inputs is computed outside, once: of a body that runs for
        sure, as it may fail.  What is only taken out of several results is so of any body.

    Attributes
    ----------
    captured : list of Node
        What it reads from outside.
    results : list
        The outputs that the function itself gave.
    outside : Body, optional
        Of one sample of a batch: that of all samples.
    """

    def __init__(
        self, inputs: list[Node], outputs: list[Any], draws: list[Node], since: int, hoists: bool,
        outside: Body | None = None,
    ) -> None:  # fmt: skip
        self.outside = outside
        self.inputs = inputs
        self.outputs = outputs
        self.results = list(outputs)
        self.draws = draws
        self.since = since
        self.hoists = hoists
        inner, self.captured = self._find_inner()
        self.own = {*inner, *inputs}
        """Its inputs, and all that differs from step to step."""

    def _find_inner(self) -> tuple[list[Node], list[Node]]:
        """What is computed inside, oldest first; and what that reads from outside."""
        outputs = [x for x in self.outputs if isinstance(x, Node)]
        given = set(self.inputs)
        inner: dict[Node, None] = {}
        for node in reachable([*outputs, *self.draws], given, self.since):
            inner.update(dict.fromkeys(filter(self._is_made_inside, node.inputs)))
            depends = any(isinstance(x, Node) and (x in inner or x in given) for x in node.inputs)
            is_hoisted = self.hoists or primitive_of(node) in TAKEN
            if depends or not is_hoisted or is_own(node):
                inner[node] = None
        read = (x for node in inner for x in node.inputs if isinstance(x, Node))
        captured = dict.fromkeys(
            x
            for x in (*read, *outputs)
            if x not in inner and x not in given and not self.is_constant(x)
        )
        return list(inner), list(captured)

    def _is_made_inside(self, x: Any) -> bool:
        """Whether it is a leaf for one sample only, as draws are: there is more of it outside."""
        is_leaf = isinstance(x, Node) and self.outside is not None and self.is_constant(x)
        return is_leaf and x.data.__class__ is Batched and isinstance(x.data.array, Handle)

    def is_constant(self, node: Node) -> bool:
        """Whether it is a Value made of plain numbers inside."""
        return node.primitive is None and node.serial > self.since

    @property
    def has_draws(self) -> bool:
        """Whether it draws, or all samples do of which it is for one."""
        return bool(self.draws) if self.outside is None else self.outside.has_draws


def is_own(node: Node) -> bool:
    """Whether it must be computed anew each time, whatever it depends on."""
    primitive = primitive_of(node)
    if isinstance(primitive, Structured):
        return primitive.has_draws
    return isinstance(primitive, Draw) or primitive is shaping.recompute


def reachable(roots: Iterable[Node], known: set[Node], since: int) -> list[Node]:
    """The nodes since then that the roots were computed from, oldest first; not those known."""
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen or node in known or node.serial < since or node.primitive is None:
            continue
        seen.add(node)
        stack.extend(x for x in node.inputs if isinstance(x, Node))
    return sorted(seen, key=lambda node: node.serial)


def is_smooth(data: Any) -> bool:
    """Whether a number or array can have a gradient, or those of each step."""
    if isinstance(data, Steps):
        return all(map(is_smooth, data))
    dtype = getattr(data, "dtype", None)
    return isinstance(data, (float, complex)) if dtype is None else dtype.kind in "fc"


def trace_body(
    function: Callable[[list[Any]], Sequence[Any]],
    examples: Sequence[Example],
    what: str,
    hoists: bool = True,
    through: Sequence[Body] = (),
    alike: Sequence[Any] = (),
) -> Body:
    """Call a function on fresh Values like these examples, and take down what it does.

    ``through``: the function sweeps back through the first of these bodies, which is itself
    the sweep through the next one, if there is one; what it reads there becomes further inputs.
    ``alike``: examples of the first results; where these differ between samples, so do they.
    """
    recorder = current.get()
    if recorder.batch is not None:
        return trace_body_of_samples(recorder, function, examples, what, hoists, through, alike)
    since = next(serials)
    inputs = [Node.leaf(x.data, x.is_varying and is_smooth(x.data), x.name) for x in examples]
    with recorder.body(inputs, what) as draws:
        try:
            results = function([recorder.value(node) for node in inputs])
        except AutogradError:
            raise
        except Exception as error:
            if hoists:  # it runs for sure
                raise
            raise CompileError(
                f"{what}: one of its functions failed on the data of this call, on which it is "
                f"traced whether it is needed or not ({type(error).__name__}: {error}); make the "
                "first two calls with data that all of them can work on"
            ) from error
    outputs = list(map(operand_of, results))
    if through:
        inputs += residuals(inputs, outputs, since, through)
    return Body(inputs, outputs, draws, since, hoists)


def trace_body_of_samples(
    recorder: Any,
    function: Callable[[list[Any]], Sequence[Any]],
    examples: Sequence[Example],
    what: str,
    hoists: bool,
    through: Sequence[Body],
    alike: Sequence[Any],
) -> Body:
    """The same for one sample of a batch: traced inside while it is traced outside."""
    batch = recorder.batch
    examples = [x._replace(data=stacked(x.data, batch, False)) for x in examples]
    inputs: list[Node] = []
    outputs: list[Any] = []
    since = next(serials)

    def of_all(arrays: list[Any]) -> list[Any]:
        for x, array in zip(examples, arrays, strict=True):
            is_varying = x.is_varying and is_smooth(x.data)
            inputs.append(Node.leaf(held(x.data, array), is_varying, x.name))
        with recorder.in_body():
            results = function(list(map(value_of, inputs)))
        inside = [x if is_of(x, batch) else stacked(x, batch, False) for x in results]
        outputs.extend(x if x.__class__ is Batched else operand_of(x) for x in inside)
        return [
            rows_outside(x, batch) if is_apart(like, batch) else outside(x, batch)
            for x, like in zip_longest(inside, alike)
        ]

    with using(recorder.outer):
        whole = trace_body(
            of_all,
            [x._replace(data=example_outside(x.data)) for x in examples],
            what,
            hoists,
            [body.outside for body in through if body.outside is not None],
            [example_outside(stacked(x, batch, False)) for x in alike],
        )
    if through:
        inputs += residuals(inputs, outputs, since, through)
    return Body(inputs, outputs, [], since, hoists, whole)


def residuals(
    inputs: list[Node], outputs: list[Any], since: int, bodies: Sequence[Body]
) -> list[Node]:
    """What a reverse sweep reads of the bodies that it goes through, step by step.

    One of several results is taken out inside of the body, as a tuple cannot be kept.
    """
    given = set(inputs)
    roots = [x for x in outputs if isinstance(x, Node)]
    inside: list[Node] = []
    for node in reachable(roots, given, since):
        is_part = primitive_of(node) in TAKEN
        owner = next((body for body in bodies if is_part and node.inputs[0] in body.own), None)
        if owner is None:
            inside.append(node)
        else:
            owner.own.add(node)
    read = (x for node in inside for x in node.inputs if isinstance(x, Node))
    found = dict.fromkeys(x for x in (*read, *roots) if any(belongs(x, body) for body in bodies))
    for x in found:
        if type(x.data) is tuple:
            raise UnsupportedError(
                f"the gradient of {x.primitive.name} in a loop or branch needs all its results "
                "together, which a program does not keep; write a Python loop, which unrolls"
            )
    return list(found)


# What has a body, as a primitive.


class Structured(Primitive):
    """A loop or a branch of a program: one node, with a tuple of results.

    Attributes
    ----------
    bodies : tuple of Body
    again : tuple of Body
        The same traced once more, which must come out alike.
    sources : list of (Structured, Node)
        What it is the gradient of, and the node of that; then what that is the gradient of.
    outside : Structured, optional
        Of one sample of a batch: the same for all of them, and ``outside_node`` its node.
    """

    __slots__ = ("again", "bodies", "found", "outside", "outside_node", "sources")

    bodies: tuple[Body, ...]
    again: tuple[Body, ...]
    sources: list[tuple[Structured, Node]]

    choosers = 0
    """How many operands come before those that are for the bodies."""

    def __init__(self, name: str, bodies: Sequence[Body], again: Sequence[Body] = ()) -> None:
        super().__init__(never_called, joint=self.pull, name=name, builtin=True)
        self.singular = True  # what is masked is told to ``pull``, which guards the bodies
        self.bodies = tuple(bodies)
        self.again = tuple(again)
        self.sources = []
        self.outside: Any = None
        self.outside_node: Any = None
        self.found: dict[int, Any] = {}
        """Of one sample: for each result its number outside, or what it is there."""

    def of(self, bodies: Sequence[Any], again: Sequence[Any]) -> Structured:
        """The same with other bodies."""
        raise NotImplementedError

    def pull(
        self, g: Any, out: Any, *inputs: Any, masked: bool = False, **parameters: Any
    ) -> list[Any]:
        """The gradients of the inputs, from those of the results."""
        raise NotImplementedError

    @property
    def is_endless(self) -> bool:
        """Whether it is a loop of an unknown number of steps."""
        return False

    def find(self, inside: Node) -> int | None:
        """The number of the result that a node of a body is; one from now on, if it was none.

        None: it is given to the body.
        """
        raise NotImplementedError

    def result_of(self, index: int) -> Any:
        """An example of a result."""
        raise NotImplementedError

    def output_of(self, index: int) -> Any:
        """The same of a body."""
        raise NotImplementedError

    def has_rows(self, index: int) -> bool:
        """Whether an operand has a row for each step."""
        return False

    def gives_rows(self, index: int) -> bool:
        """Whether a result has."""
        return False

    def of_all(self, x: Any) -> Any:
        """What is the same at all steps, as a result."""
        return x

    def is_varying(self, node: Node, index: int) -> bool:
        """Whether a gradient goes through a result of a node that applies it."""
        outputs = [body.outputs[index] for body in self.bodies if index < len(body.outputs)]
        return any(isinstance(x, Node) and x.requires_grad for x in outputs)

    @property
    def parameters(self) -> dict[str, Any]:
        """What is to be known of it besides its bodies."""
        return {}

    @property
    def count(self) -> int:
        """How many results there are by now."""
        return len(self.bodies[0].outputs)

    @property
    def has_draws(self) -> bool:
        """Whether it draws random numbers, at any depth."""
        return any(body.has_draws for body in self.bodies)

    @property
    def captured(self) -> list[Node]:
        """What the bodies read from outside, each once."""
        return list(dict.fromkeys(x for body in self.bodies for x in body.captured))

    def record(self, operands: Sequence[Any]) -> Any:
        """The node that applies it to these operands, and what the bodies read; as a Value.

        What it needs of the steps that it goes back through, it has these keep.
        """
        given = self.bodies[0].inputs[len(operands) - self.choosers :]
        residuals = [kept_in(self.sources, x) for x in given]
        inputs = [*map(operand_of, [*operands, *residuals]), *self.captured]
        if self.bodies[0].outside is None:
            data = tuple(map(self.result_of, range(self.count)))
        else:
            self._record_outside(operands)
            data = tuple(map(self._found_outside, range(self.count)))
        requires_grad = any(isinstance(x, Node) and x.requires_grad for x in inputs)
        value = record(self, data, self.parameters, requires_grad, *split_inputs(tuple(inputs)))
        if self.outside is None and self.has_draws:
            current.get().trace.draws.append(value.node)
        return value

    def take(self, node: Node, index: int) -> Any:
        """A result of a node that applies it."""
        data = self.result_of(index) if self.outside is None else self._found_outside(index)
        requires_grad = node.requires_grad and self.is_varying(node, index)
        return record(part, data, {"index": index}, requires_grad, node)

    def keep(self, node: Node, inside: Node) -> Any:
        """What a node of a body was, for the sweep that goes back through it; as a Value."""
        index = self._number_of(inside)
        if index is None:
            place = self.choosers + self.bodies[0].inputs.index(inside)
            return value_or_constant(node.inputs[place])
        return self.take(node, index)

    def _number_of(self, inside: Node) -> int | None:
        """The same as `find`; of one sample, it is kept of all of them as well."""
        index = self.find(inside)
        if index is not None and self.outside is not None and index not in self.found:
            self._keep_outside(index, inside)
        return index

    # Of one sample of a batch.

    def _record_outside(self, operands: Sequence[Any]) -> None:
        recorder = current.get()
        self.outside = whole = self.of(
            [body.outside for body in self.bodies], [body.outside for body in self.again]
        )
        whole.sources = [(source.outside, source.outside_node) for source, _ in self.sources]
        n = self.choosers
        inside, beyond = self.bodies[0].inputs, whole.bodies[0].inputs
        with using(recorder.outer):
            arrays = [outside(x, recorder.batch) for x in operands[:n]]
            arrays += [
                operand_outside(x, inside[i].data, beyond[i].data, recorder.batch, self.has_rows(i))
                for i, x in enumerate(operands[n:])
            ]
            self.outside_node = whole.record(arrays).node
        self.found = {index: index for index in range(self.count)}

    def _found_outside(self, index: int) -> Any:
        """The data of a result: what there is outside."""
        whole = self.found[index]
        if isinstance(whole, int):
            with using(current.get().outer):
                whole = self.outside.take(self.outside_node, whole)
        return self._of_sample(index, whole)

    def _keep_outside(self, index: int, inside: Node) -> None:
        """Have a node of a body kept outside, where it is a result of another number."""
        recorder = current.get()
        whole = self.outside
        beyond = outside(recorder.value(inside), recorder.batch)
        with using(recorder.outer):
            if not isinstance(beyond, Handle) or not any(
                belongs(beyond.node, body) for body in whole.bodies
            ):
                self.found[index] = self.of_all(beyond)
                return
            place = whole._number_of(beyond.node)
            self.found[index] = (
                whole.keep(self.outside_node, beyond.node) if place is None else place
            )

    def _of_sample(self, index: int, whole: Any) -> Any:
        """A result for all samples, as data of one."""
        batch = current.get().batch
        inside = self.output_of(index)
        if isinstance(unwrap(whole), Steps):
            return held(inside if isinstance(inside, Steps) else Steps([inside]), whole)
        has_rows = self.gives_rows(index)
        differs = len(np.shape(whole)) > len(np.shape(inside)) + has_rows
        if differs and has_rows:
            with using(current.get().outer):
                whole = np.swapaxes(whole, 0, 1)
        return Batched(whole, batch, differs)


def primitive_of(node: Node) -> Any:
    """The primitive of a node, also where it is that of one sample."""
    return getattr(node.primitive, "primitive", node.primitive)


def belongs(node: Node, body: Body) -> bool:
    """Whether a node is of a body, or was taken later of one that is."""
    if node not in body.own and primitive_of(node) in (*TAKEN, shaping.swapaxes):
        (of,) = (x for x in node.inputs if isinstance(x, Node))
        if belongs(of, body):
            body.own.add(node)
    return node in body.own


def never_called(*_: Any) -> Any:
    raise AssertionError("a loop or branch is only ever recorded")


def part_vjp(g: Any, out: Any, results: Any, index: int) -> Any:
    """The gradient of one result; the gaps are for the others, as many as there are by now."""
    return tuple(g if i == index else None for i in range(results.node.primitive.count))


part = Primitive(lambda results, index: results[index], part_vjp, name="part", builtin=True)
"""One of the results of a loop or branch."""

TAKEN = (part, select, select_constant)
"""What takes one of several results."""


# Reverse sweeps of bodies.


class Cotangents:
    """How cotangents go through a body: one, or many at once as the rows of a Jacobian do.

    Many are an array with one more axis in front where they are handed on as leaves.
    """

    def __init__(self, given: Sequence[Any]) -> None:
        # A batch of rows has no recorder: that of vmap has one.
        rows = (x for x in given if x.__class__ is Batched and not x.batch.recorder)
        stacked_rows = [x.batch for x in filter(is_stacked, rows)]
        self.batch: Any = max(stacked_rows, key=lambda batch: batch.serial, default=None)
        self.count = None if self.batch is None else self.batch.count

    def zeros(self, data: Any) -> Any:
        """The cotangent of what has no influence."""
        if isinstance(data, Steps):
            return Steps()  # of how many steps is not known
        if self.count is not None:
            return np.zeros((self.count, *np.shape(data)), np.result_type(data))
        return type(data)(0) if isinstance(data, (float, complex)) else np.zeros_like(data)

    def example(self, data: Any, name: str) -> Example:
        """The same, as a body is given it: of each sample its own."""
        return Example(stacked_in_all(self._like(data), current.get()), name=name)

    def _like(self, data: Any) -> Any:
        return Steps(map(self._like, data)) if isinstance(data, Steps) else self.zeros(data)

    def leaf(self, x: Any) -> Any:
        """A cotangent as a leaf; and back, `from_leaf`."""
        return x if self.batch is None else rows_of(x, self.batch)

    def from_leaf(self, x: Any) -> Any:
        return x if self.count is None else Batched(x, self.batch)

    def steps(self, x: Any) -> Any:
        """Cotangents of all steps, those of a step first; and back."""
        is_as_it_is = self.count is None or isinstance(data_in(x), Steps)
        return x if is_as_it_is else np.swapaxes(x, 0, 1)

    @property
    def lift(self) -> Callable[[Any], Any] | None:
        """What makes one of many, all equal, of what does not depend on the cotangents."""
        return None if self.count is None else self._same_in_all

    def _same_in_all(self, x: Any) -> Batched:
        return Batched(x, self.batch, stacked=False)

    def pull_back(
        self, body: Body, cotangents: Sequence[Any], inputs: Sequence[Node], masked: bool
    ) -> list[Any]:
        """The gradients of inputs, or of what is captured, None where there is no influence."""
        pullback = Pullback(body.outputs, inputs, body.since)
        with recording(True):
            found = pullback.sweep(
                cotangents, recorded=True, lift=self.lift, drop=True, masked=masked
            )
        return [self.leaf(found[x]) if x in found else None for x in inputs]


def has_masks(body: Body) -> bool:
    """Whether a sweep passes a mask on its way through a body, and comes to the next step after."""
    return any(node.primitive is not None and node.primitive.masks for node in body.own)


def kept_in(sources: Sequence[tuple[Structured, Node]], inside: Node) -> Any:
    """What a node in a body of one of these was."""
    owner, node = next(
        (owner, node) for owner, node in sources if any(inside in body.own for body in owner.bodies)
    )
    return owner.keep(node, inside)


def value_or_constant(x: Any) -> Any:
    """An operand of a node as rules get it."""
    return current.get().value(x) if isinstance(x, Node) else x
