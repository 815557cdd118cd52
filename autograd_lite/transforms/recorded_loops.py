"""Loops of programs: each is one node, whose gradient is a loop that goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import Handle, Node, data_of, serials
from autograd_lite.core.primitive import PYTHON_SCALARS
from autograd_lite.core.recorder import current
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.transforms.batching import Batched, array_of
from autograd_lite.transforms.bodies import (
    Body,
    Cotangents,
    Example,
    Structured,
    has_masks,
    is_smooth,
    reachable,
    trace_body,
)
from autograd_lite.transforms.leaves import as_type, is_plain_number
from autograd_lite.transforms.samples import across, go_on
from autograd_lite.transforms.sharing import note_results, owners_of
from autograd_lite.transforms.side_effects import refuse_side_effects
from autograd_lite.transforms.stacking import Steps, example_of, first_row, stacked, stacked_in_all
from autograd_lite.transforms.steps import Condition, Step

__all__ = ["record_scan", "record_while"]

Function = Callable[..., Any]

LEAST_BROADCAST = 1 << 20
"""Bytes from which on an example of the rows that a loop gives is one row repeated, as of all large
results while a program is traced.  Such an array is not written."""


def record_scan(step: Step, length: int, is_reversed: bool) -> tuple[Any, Any]:
    since = next(serials)
    init = flatten(step.init)
    rows = [Example(first_row(example_of(x)), may_have_gradient(x), "x") for x in step.xs_leaves]
    carry = [Example(example_of(leaf), name="carry") for leaf in init]
    hoists = length > 0  # else what is computed once would be computed too often
    with refuse_side_effects(step.what, [step.f]):
        body, again, examples = settle(step, carry, rows, step.what, twice=True, hoists=hoists)
    loop = Scan(step.what, body, again, step.carries, length, is_reversed)
    init = [as_type(leaf, example.data) for leaf, example in zip(init, examples, strict=True)]
    node = loop.record([*init, *step.xs_leaves]).node
    found = [loop.take(node, index) for index in range(loop.count)]
    note_carries(step, since, found, may_be_passed=length == 0)
    return (
        unflatten(step.init, found[: step.carries]),
        unflatten(step.result, found[step.carries :]),
    )


def may_have_gradient(x: Any) -> bool:
    """Whether a Value may have a gradient; of one sample of a batch, also outside of that."""
    while isinstance(x, Handle):
        if x.node.requires_grad:
            return True
        x = x.node.data.array if x.node.data.__class__ is Batched else None
    return False


def settle(
    function: Function,
    carry: list[Example],
    rest: list[Example],
    what: str,
    twice: bool = False,
    hoists: bool = True,
    through: Sequence[Body] = (),
    given: Sequence[Any] = (),
) -> tuple[Body, tuple[Body, ...], list[Example]]:
    """Trace a step whose carry comes out as it goes in: Python numbers take on a dtype.

    ``given``: examples of what else it gives; where these differ between samples, so does that.
    """
    carry = [x._replace(data=begun(x.data)) for x in carry]
    for _ in range(3 + len(carry)):
        before = [x.data for x in carry]
        body = trace_body(function, [*carry, *rest], what, hoists, through, [*before, *given])
        found = [example_of(data_of(x)) for x in body.outputs[: len(carry)]]
        after = [carry_like(x, y) for x, y in zip(before, found, strict=True)]
        carry = [x._replace(data=data) for x, data in zip(carry, after, strict=True)]
        if all(x is y for x, y in zip(before, after, strict=True)):
            break
    else:
        raise UnsupportedError(
            f"{what}: the carry takes on another type at every step; begin with arrays or NumPy's "
            "numbers (np.float64(0.0))"
        )
    again: tuple[Body, ...] = ()
    if twice:
        again = (trace_body(function, [*carry, *rest], what, hoists, alike=before),)
    return body, again, carry


def begun(data: Any) -> Any:
    """A first carry of one sample: what is the same for all will differ after a step, mostly."""
    differs = is_smooth(data) and data.__class__ not in PYTHON_SCALARS
    return stacked_in_all(data, current.get()) if differs else data


def carry_like(before: Any, after: Any) -> Any:
    """The carry before a step, of such a kind that it comes out of the step as it goes in."""
    if after.__class__ is Batched and before.__class__ is not Batched:
        before = Batched(before, after.batch, stacked=False)
    if before.__class__ is Batched:
        batch = before.batch
        after = stacked(after, batch, before.stacked)
        if after.stacked and not before.stacked:
            before = after if is_plain_number(before) else stacked(before, batch, True)
        array = carry_like(before.array, after.array)
        return before if array is before.array else Batched(array, batch, before.stacked)
    if before.__class__ is after.__class__ or np.shape(before):
        return before
    if before.__class__ in PYTHON_SCALARS and after.__class__ in PYTHON_SCALARS:
        return type(after)(before)
    if before.__class__ in PYTHON_SCALARS:
        return np.asarray(before).astype(after.dtype)[()]
    return before[()] if isinstance(before, np.ndarray) else before


class Scan(Structured):
    """A loop over rows, as one node.

    Its operands are the first carries, the arrays whose rows it goes through, and what the
    body reads from outside; its results the last carries, and arrays of what each step gives.
    """

    __slots__ = ("carries", "is_reversed", "length")

    def __init__(
        self, name: str, body: Body, again: Sequence[Body],
        carries: int, length: int | None, is_reversed: bool,
    ) -> None:  # fmt: skip
        super().__init__(name, [body], again)
        self.carries = carries
        self.length = length
        self.is_reversed = is_reversed

    @property
    def body(self) -> Body:
        return self.bodies[0]

    @property
    def is_endless(self) -> bool:
        return self.length is None

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "carries": self.carries,
            "rows": len(self.body.inputs) - self.carries,
            "length": self.length,
            "reverse": self.is_reversed,
        }

    def of(self, bodies: Sequence[Any], again: Sequence[Any]) -> Scan:
        (body,) = bodies
        return Scan(self.name, body, again, self.carries, self.length, self.is_reversed)

    def has_rows(self, index: int) -> bool:
        return index >= self.carries

    def gives_rows(self, index: int) -> bool:
        return index >= self.carries

    def is_varying(self, node: Node, index: int) -> bool:
        """Without a step the last carry is the first one, whatever a step makes of it."""
        if index < self.carries and not self.length:
            first = node.inputs[index]
            if isinstance(first, Node) and first.requires_grad:
                return True
        return super().is_varying(node, index)

    def of_all(self, x: Any) -> Any:
        if self.length is None:
            raise UnsupportedError(f"what is the same at all steps is not kept by {self.name}")
        return np.broadcast_to(x, (self.length, *np.shape(x)))

    def output_of(self, index: int) -> Any:
        return data_of(self.body.outputs[index])

    def result_of(self, index: int) -> Any:
        data = self.output_of(index)
        if index < self.carries:
            return data
        if self.length is None or isinstance(data, Steps):
            return Steps([data])
        row = np.asarray(data)
        rows = np.broadcast_to(row, (self.length, *row.shape))
        return rows.copy() if rows.nbytes < LEAST_BROADCAST else rows

    def find(self, inside: Node) -> int | None:
        """Rows that there are, or that are kept from now on."""
        if inside in self.body.inputs[self.carries :]:
            return None
        kept = self.body.outputs[self.carries :]
        is_shared = not (self.is_endless or isinstance(inside.data, Steps))
        same = (i for i, x in enumerate(kept) if x is inside and is_shared)
        index = next(same, len(kept))
        if index == len(kept):
            self.body.outputs.append(inside)
        return self.carries + index

    def pull(
        self, g: Any, out: Any, *inputs: Any, masked: bool = False, **parameters: Any
    ) -> list[Any]:
        """A loop that goes back through the steps, whose body is the sweep through the body.

        It carries the gradients of the carry, and the sums of those of what is captured.
        """
        several = Cotangents(g)
        out, inputs = array_of(out), tuple(map(array_of, inputs))
        body, first = self.body, len(self.body.inputs)
        carried = [i for i in range(self.carries) if is_smooth(body.inputs[i].data)]
        varied = [i for i in range(self.carries, first) if body.inputs[i].requires_grad]
        captured = [i for i, x in enumerate(self.captured, first) if x.requires_grad]
        rows = [i for i in range(self.carries, len(g)) if g[i] is not None]
        nodes = [*body.inputs, *self.captured]
        wanted = [nodes[i] for i in (*carried, *captured, *varied)]
        sums = len(carried) + len(captured)
        live = {i for i in carried if g[i] is not None}
        masked = masked or has_masks(body) or meets_zeros_alone(body, carried, live, rows)

        def step(leaves: list[Any]) -> list[Any]:
            cotangents: list[Any] = [None] * len(body.outputs)
            for i, cotangent in zip((*carried, *rows), leaves_of(leaves), strict=True):
                cotangents[i] = several.from_leaf(cotangent)
            found = several.pull_back(body, cotangents, wanted, masked)
            for i in range(len(carried), sums):
                found[i] = leaves[i] if found[i] is None else leaves[i] + found[i]
            return [
                several.zeros(node.data) if x is None else x
                for x, node in zip(found, wanted, strict=True)
            ]

        def leaves_of(leaves: list[Any]) -> list[Any]:
            return [*leaves[: len(carried)], *leaves[sums:]]

        carry = [several.example(nodes[i].data, "g_carry") for i in carried]
        carry += [several.example(nodes[i].data, "g_sum") for i in captured]
        kept = [data_of(body.outputs[i]) for i in rows]
        given = [several.example(x, "g") for x in kept]
        what = f"the gradient of {self.name}"
        sources = [(self, out.node), *self.sources]
        through = [inner for source, _ in sources for inner in source.bodies]
        # Of an unknown number of steps, no more can be made for other samples afterwards.
        gives = [several.example(nodes[i].data, "g").data for i in varied if self.is_endless]
        reverse, _, examples = settle(step, carry, given, what, through=through, given=gives)
        begin = [
            several.zeros(nodes[i].data) if g[i] is None else several.leaf(g[i]) for i in carried
        ]
        begin += [several.zeros(nodes[i].data) for i in captured]
        begin = [as_type(x, example.data) for x, example in zip(begin, examples, strict=True)]
        if self.length is None:
            count_steps(reverse, body, sums)
        loop = Scan(f"{self.name}_gradient", reverse, (), sums, self.length, not self.is_reversed)
        loop.sources = sources
        steps = [several.steps(several.leaf(g[i])) for i in rows]
        node = loop.record([*begin, *steps]).node
        gradients: list[Any] = [None] * len(inputs)
        for index, i in enumerate((*carried, *captured, *varied)):
            if isinstance(nodes[i].data, Steps) and not isinstance(reverse.outputs[index], Node):
                continue
            found = loop.take(node, index)
            gradients[i] = several.from_leaf(found if index < sums else several.steps(found))
        return gradients


def meets_zeros_alone(
    body: Body, carried: Sequence[int], live: Iterable[int], rows: Sequence[int]
) -> bool:
    """Whether a sweep brings nothing but zeros to a rule that could make infinity of them, or NaN.

    A loop that goes back carries zeros for what has no influence: a last carry that nobody uses,
    one that the next step does not read.  A sweep through Python's loop does not come there.
    """
    seen: set[frozenset[int]] = set()
    reached_by = frozenset(live)
    while reached_by not in seen:
        seen.add(reached_by)
        reached = influences(body, [*reached_by, *rows])
        alone = influences(body, [i for i in carried if i not in reached_by]) - reached
        if any(x.requires_grad and x.primitive and x.primitive.singular for x in alone):
            return True
        reached_by = frozenset(i for i in carried if body.inputs[i] in reached)
    return False


def influences(body: Body, outputs: Iterable[int]) -> set[Node]:
    """The nodes of a body that some of its outputs are, or were computed from."""
    roots = [x for x in (body.outputs[i] for i in outputs) if isinstance(x, Node)]
    nodes = reachable(roots, set(), body.since)
    return {*roots, *nodes, *(x for node in nodes for x in node.inputs if isinstance(x, Node))}


def count_steps(reverse: Body, body: Body, carries: int) -> None:
    """Have a loop of unknown length that goes back read something: so many are its steps."""
    if len(reverse.inputs) == carries:
        reverse.inputs.append(body.inputs[0])
    if reverse.outside is not None and body.outside is not None:
        count_steps(reverse.outside, body.outside, carries)


def record_while(step: Step, test: Condition) -> Any:
    since = next(serials)
    init = flatten(step.init)
    carry = [Example(example_of(leaf), name="carry") for leaf in init]

    def go(leaves: list[Any]) -> list[Any]:
        return go_on(step, test(leaves)[0], leaves) if current.get().batch else step(leaves)

    def goes_on(leaves: list[Any]) -> list[Any]:
        return [across(np.any, test(leaves)[0])]

    with refuse_side_effects(step.what, [step.f, test.condition]):
        body, again, carry = settle(go, carry, [], step.what, twice=True, hoists=False)
        tests = [trace_body(goes_on, carry, step.what, hoists=False) for _ in range(2)]
    loop = While([body, tests[0]], [*again, tests[1]])
    init = [as_type(leaf, example.data) for leaf, example in zip(init, carry, strict=True)]
    node = loop.record(init).node
    found = [loop.take(node, index) for index in range(loop.carries)]
    note_carries(step, since, found, may_be_passed=True)
    return unflatten(step.init, found)


def note_carries(step: Step, since: int, results: Sequence[Any], may_be_passed: bool) -> None:
    """Refuse writes to last carries that may lie in the memory of something else."""
    passed = owners_of([*flatten(step.init), *step.xs_leaves])
    carries = results[: step.carries]
    note_results(step.what, carries, [step.returned], since, step.given, passed, may_be_passed)


class While(Scan):
    """A loop of so many steps as a condition wants, as one node."""

    __slots__ = ()

    def __init__(self, bodies: Sequence[Body], again: Sequence[Body]) -> None:
        super().__init__("while_loop", bodies[0], again, len(bodies[0].inputs), None, False)
        self.bodies = tuple(bodies)

    def of(self, bodies: Sequence[Any], again: Sequence[Any]) -> While:
        return While(bodies, again)
