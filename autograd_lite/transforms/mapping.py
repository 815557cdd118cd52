"""The recorder of functions that are mapped: Values whose data are samples of a batch.

Inside of `vmap` a Value holds a `Batched` array, of which shape and dtype are those of
one sample.  An operation is carried out on all of them, and what it leaves is a node like
any other, on the level of one sample.  Values from outside are constants there: the graph
that they are of goes on in the arrays of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.in_place import READ_ONLY, is_overlapping
from autograd_lite.core.node import ABSENT, Handle, Node, data_of, get_node, serials, split_inputs
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.objects import watch_objects
from autograd_lite.core.overlaps import layouts_of
from autograd_lite.core.primitive import (
    Primitive,
    Rule,
    is_discrete,
    kept,
    registry,
    settle_parameters,
)
from autograd_lite.core.recorder import Recorder, using, value_of, writes_shared
from autograd_lite.core.refusals import forget, refused_write
from autograd_lite.core.signatures import full_name
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value
from autograd_lite.core.views import Looking, is_number, is_view_of, look_into
from autograd_lite.ops import elementwise, indexing, shaping
from autograd_lite.ops.define import apart
from autograd_lite.random import draw_permutation, permutations
from autograd_lite.transforms.batching import Batch, Batched, batch_of, shares_memory
from autograd_lite.transforms.batching_axes import REARRANGEMENTS
from autograd_lite.transforms.generators import Generators

__all__ = ["MappingRecorder", "detached", "refuse_closed", "without_gradient"]


class MappingRecorder(Recorder):
    """Makes Values of what has been computed for all samples of a batch; else as outside."""

    __slots__ = ("batch", "generators", "outer", "shared", "since")

    def __init__(self, batch: Batch, outer: Recorder, generators: Generators) -> None:
        # Inside nothing is differentiated but by a transform, which switches recording on.
        # A loop of a program wants to know what its steps are made of.
        super().__init__(is_recording=outer.takes_bodies)
        self.is_recomputing = outer.is_recomputing
        self.batch = batch
        self.outer = outer
        self.generators = generators
        self.shared: dict[Node, str] = {}
        """What may lie in the memory of others, by the sample, and the branch that it is of."""
        self.since = next(serials)
        """Nodes with a smaller serial number were there before the function was called."""

    @property
    def trace(self) -> Any:
        """The trace outside, if there is one."""
        return self.outer.trace

    @property
    def keeps_constants(self) -> bool:
        """What is computed on arrays of the batch is recorded outside, as it is there."""
        return bool(self.outer.keeps_constants)

    @property
    def takes_bodies(self) -> bool:  # type: ignore[override]
        """Loops and branches are recorded as such, if they are outside."""
        return bool(self.outer.takes_bodies)

    @contextmanager
    def in_body(self) -> Iterator[None]:
        """A block that is the body of a loop or branch, in which nobody writes to what is older."""
        self.batch.bodies.append(next(serials))
        try:
            with using(self):
                yield
        finally:
            self.batch.bodies.pop()

    @contextmanager
    def follow_sweep(self) -> Iterator[Callable[[Node], None] | None]:
        """A block with a sweep, whose rules get Values of everything that was computed."""
        outside, self.batch.is_swept = self.batch.is_swept, True
        try:
            with self.outer.follow_sweep():
                yield None
        finally:
            self.batch.is_swept = outside

    def silence(self) -> Recorder:
        """Under `no_grad` nothing is recorded outside either."""
        return self.replace(is_recording=False, outer=self.outer.silence())

    def apply(self, primitive: Any, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
        """Apply a primitive to inputs of which some are of a batch; or NotImplemented."""
        batches = [batch_of(x) for x in inputs]
        batch: Any = None
        for found in batches:
            if found is not None and (batch is None or found.serial > batch.serial):
                batch = found
        if batch is None:
            return NotImplemented
        operands = []
        is_inside = False
        for x, found in zip(inputs, batches, strict=True):
            if not isinstance(x, Handle) or x.__class__ is Batched:
                operands.append(x)
            elif found is batch:
                operands.append(x.node)
                is_inside = True
            else:
                operands.append(Batched(self.value(x.node), batch, stacked=False))
        if not is_inside:
            return Batched.apply(primitive, inputs, parameters)
        if batch.closed and not batch.is_swept:
            refuse_closed(batch, operands)
        is_recording = self.of_batch(batch).is_recording
        if is_recording:
            operands = [x if isinstance(x, Node) else kept(x) for x in operands]
            parameters = settle_parameters(parameters)
        arrays = tuple(map(data_of, operands))
        batch.has_shared = False
        if any(x.__class__ is Batched for x in arrays):
            data = Batched.apply(primitive, arrays, parameters)
        else:
            data = primitive.forward(*arrays, **parameters)  # a part of several results
        requires_grad = (
            primitive.differentiable
            and any(isinstance(x, Node) and x.requires_grad for x in operands)
            and not is_discrete(data)
        )
        nodes = tuple(operands)
        recorded = primitive
        if requires_grad and not primitive.elementwise:
            recorded = of_samples(primitive) if primitive.builtin else OfSamples(primitive)
        value = self.record(recorded, data, parameters, requires_grad, *split_inputs(nodes))
        if is_recording and requires_grad and not primitive.builtin:
            watch_objects(value.node)
        if not value.shape and makes_array(primitive, inputs, nodes, parameters):
            return np.copy(value)
        return self._looking(value, primitive, inputs, nodes, parameters)

    def _looking(
        self, value: Any, primitive: Primitive, inputs: Any, nodes: Any, parameters: Any
    ) -> Any:
        """A result as the view that it is of an input, or may be, if it were one sample's."""
        data = value.node.data
        batch: Any = self.batch if data.__class__ is not Batched else data.batch
        for place, x in enumerate(inputs):
            operand = data_of(nodes[place])
            if operand.__class__ is not Batched or x.__class__ is Batched:
                continue
            if primitive is elementwise.imag and operand.dtype.kind != "c":  # for writes to refuse
                return look_into(value, x, primitive, nodes, place, parameters)
            if batch.has_shared:
                view = look_into(value, x, primitive, nodes, place, parameters)
                view.__class__ = PerhapsView
                return view
            if data.__class__ is Batched and (
                primitive in MAY_LOOK
                or picks(primitive, inputs, nodes)
                or shares_memory(data.array, operand.array)
            ):
                if is_number(x):  # of which nothing is a view
                    if primitive.function in READ_ONLY:  # for writes to refuse
                        return look_into(value, x, primitive, nodes, place, parameters)
                    is_array = not value.shape and gives_array(primitive, nodes, place, parameters)
                    return np.copy(value) if is_array else value
                votes = views_of_samples(primitive, inputs, nodes, place, parameters)
                if not any(votes):
                    return value
                view = look_into(value, x, primitive, nodes, place, parameters)
                if not all(votes):
                    view.__class__ = PerhapsView
                return view
        return value

    def call(self, function: Any, definition: Any, args: Any, kwargs: Any) -> Any:
        """Call what a function is defined by; sample by sample, if that asks for numbers."""
        try:
            return definition(*args, **kwargs)
        except UnsupportedError as error:
            tree = [args, kwargs]
            leaves = flatten(tree)
            places = [i for i, x in enumerate(leaves) if batch_of(x) is self.batch]
            if isinstance(definition, Primitive) or function.__name__.startswith("save"):
                raise
            if any(leaves[i].node.requires_grad for i in places):
                raise UnsupportedError(
                    f"ag.vmap: {full_name(function)} asks for the numbers of a sample, and is "
                    "differentiated; write it with other functions of NumPy, or call ag.map, "
                    "which takes the samples one by one"
                ) from error

            def of_one_sample(*arrays: Any) -> Any:
                for i, x in zip(places, arrays, strict=True):
                    leaves[i] = x
                positional, named = unflatten(tree, leaves)
                result = function(*positional, **named)
                if not flatten(result) or any(isinstance(x, str) for x in flatten(result)):
                    raise
                return result

            name = full_name(function)
            return apart(
                Primitive(of_one_sample, name=name, builtin=True)(*(leaves[i] for i in places))
            )

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
        """A result of the batch is recorded here, any other one outside."""
        record = super().record if self._is_here(data) else self.outer.record
        return record(primitive, data, parameters, requires_grad, left, right, rest)

    def value(self, node: Node) -> Any:
        """A Value that looks at a node."""
        return value_of(node) if self._is_here(node.data) else self.outer.value(node)

    def view(self, node: Node, look: Any, seen: Node) -> Any:
        view = super().view if self._is_here(node.data) else self.outer.view
        return view(node, look, seen)

    def _is_here(self, data: Any) -> bool:
        """Whether data are of this batch, and not of one outside, or of none."""
        part = data
        while isinstance(part, tuple) and part:
            part = part[0]
        return part.__class__ is Batched and part.batch is self.batch

    def before_write(self, root: Any, what: str) -> None:
        """Refuse writes that reach outside, where each sample would write in turn."""
        node = get_node(root)
        if node.serial < self.since:
            raise refused_write(
                f"{what} writes into a Value from outside of the function that ag.vmap maps, where "
                "each sample would write in turn; let it write into a copy (x = x.copy())"
            )
        if node in self.shared:
            reason = writes_shared(what, self.shared[node])
            raise refused_write(reason) if self.trace is None else self.trace.refuse(reason)
        if self.batch.bodies and node.serial < self.batch.bodies[-1]:
            reason = (
                f"{what} writes in a loop or branch into what is handed to it, or is from outside "
                "of it, which not all samples may want; write into a copy (x = x.copy()) and "
                "return that"
            )
            raise refused_write(reason) if self.trace is None else self.trace.refuse(reason)
        if not self._is_here(node.data):
            self.outer.before_write(root, what)

    def note_shared(self, nodes: Iterable[Node], what: str) -> None:
        for node in nodes:
            if self._is_here(node.data):
                self.shared[node] = what
            else:
                self.outer.note_shared([node], what)

    def draw(self, primitive: Any, rng: Any, parameters: dict[str, Any]) -> Any:
        """Draw for every sample, in one draw of the shape of all."""
        count = self.batch.count
        if primitive is draw_permutation:
            primitive = permutations
            rows: tuple[int, ...] = (count,)
        elif primitive is permutations:
            rows = (count, parameters["count"])
        else:
            rows = ()
            size = parameters["size"]
            size = () if size is None else size if isinstance(size, tuple) else (size,)
            parameters = {**parameters, "size": (count, *size)}
        if rows:
            parameters = {**parameters, "count": math.prod(rows)}

        def draw() -> Any:
            with self.generators.noting(rng):
                array = self.outer.draw(primitive, rng, parameters)
            if rows:
                array = np.reshape(array, (*rows, parameters["x"]))
            return value_of(Node.leaf(Batched(array, self.batch)))

        return self.source(draw)


def refuse_closed(batch: Batch, operands: Sequence[Any]) -> None:
    """Refuse what a branch or loop has left behind, which some samples alone have computed."""
    for x in operands:
        if isinstance(x, Node) and any(x.serial in closed for closed in batch.closed):
            raise UnsupportedError(
                "ag.vmap: a number from the inside of ag.cond, ag.switch or ag.while_loop was used "
                "outside, where samples that took another way have none; return it there"
            )


def detached(result: Any) -> Any:
    """The numbers of a result, as the caller of a transform inside of `vmap` gets them."""
    if result.__class__ is not Batched:
        return result
    return value_of(Node.leaf(result)) if result.stacked else result.array


def without_gradient(samples: Batched) -> Batched:
    """The same numbers, through which no gradient goes, outside of the batch neither."""
    array = samples.array
    data = array.node.data if isinstance(array, Value) else array
    if data.__class__ is Batched:
        array = without_gradient(data)
    elif isinstance(array, Value):
        with using(samples.batch.recorder):
            array = array.detach()
    return Batched(array, samples.batch, samples.stacked)


MAKES_ARRAYS = frozenset(
    registry.get(function)
    for function in (
        np.tensordot, np.quantile, np.percentile, np.nanquantile, np.nanpercentile,
        np.astype, np.i0, np.roll,
    )
) | {elementwise.where_chosen, elementwise.real_if_close, shaping.resized}  # fmt: skip
"""Their results are arrays where those of other functions are numbers, if these have no axes."""


def makes_array(
    primitive: Primitive, inputs: Any, nodes: Sequence[Any], parameters: dict[str, Any]
) -> bool:
    """Whether NumPy makes of one sample an array of its own without axes, and no number."""
    is_by_array = primitive is indexing.getitem and any(part is ... for part in inputs[1:])
    if primitive not in MAKES_ARRAYS and not is_by_array:
        return False
    samples = list(map(data_of, nodes))
    for place, (x, data) in enumerate(zip(inputs, samples, strict=True)):
        if data.__class__ is Batched:
            one = np.full(data.shape, data.dtype.kind not in "iu", data.dtype)  # an index is 0
            samples[place] = one[()] if isinstance(x, Handle) and is_number(x) else one
    result = primitive.forward(*samples, **parameters)
    return isinstance(result, np.ndarray) and not any(
        result is x or is_view_of(result, x) for x in samples
    )


MAY_LOOK = frozenset(
    {shaping.reshape, shaping.ravel, *(registry.get(function) for function in REARRANGEMENTS)}
)
"""They may give views of one sample where what they give of all is a copy."""


def gives_array(
    primitive: Primitive, nodes: Sequence[Any], place: int, parameters: dict[str, Any]
) -> bool:
    """Whether NumPy makes an array of a number, as ``x[...]`` does, and ``np.reshape(x, ())``."""
    operands = list(map(data_of, nodes))
    operands[place] = operands[place].dtype.type(1)
    return isinstance(primitive.forward(*operands, **parameters), np.ndarray)


def is_integer_of_sample(x: Any, data: Any) -> bool:
    """Whether an operand is a whole number, another one for each sample."""
    of_sample = data.__class__ is Batched and isinstance(x, Handle)
    return of_sample and data.dtype.kind in "iu" and is_number(x)


def picks(primitive: Primitive, inputs: Any, nodes: Sequence[Any]) -> bool:
    """Whether an index, as the `i` of ``x[i]``, is a number of each sample.

    Of all samples together the parts are gathered; of one ``x[i]`` is a view.
    """
    return primitive is indexing.getitem and any(
        map(is_integer_of_sample, inputs[1:], map(data_of, nodes[1:]))
    )


def views_of_samples(
    primitive: Primitive, inputs: Any, nodes: Sequence[Any], place: int, parameters: dict[str, Any]
) -> list[bool]:
    """Whether a result is a view that can be written, for arrays that lie in several ways."""
    operands = [
        x.dtype.type(0) if i != place and is_integer_of_sample(inputs[i], x) else x
        for i, x in enumerate(map(data_of, nodes))
    ]
    votes = []
    for sample in layouts_of(operands[place]):
        operands[place] = sample
        if any(x.__class__ is Batched for x in operands):
            return [False]
        result = primitive.forward(*operands, **parameters)
        is_view = result is sample or is_view_of(result, sample)
        votes.append(is_view and isinstance(result, np.ndarray))
        if is_view and (is_overlapping(result) or (result.size > 1 and not result.flags.writeable)):
            return [True, False]
    return votes


class PerhapsView(Looking, Value):
    """A result that is a view of its operand or a copy, as that lies in memory."""

    __slots__ = ("look", "seen")

    is_certain = False


class OfSamples(Primitive):
    """A primitive whose rules may ask for numbers, or be the user's: sample by sample, if so."""

    __slots__ = ("primitive",)

    def __init__(self, primitive: Primitive) -> None:
        super().__init__(
            primitive.forward,
            joint=None if primitive.joint is None else partial(self._apply_rule, primitive.joint),
            name=primitive.name,
            broadcasts=primitive.broadcasts,
            masks=primitive.masks,
        )
        self.singular = primitive.singular
        self.primitive = primitive

    def rules_for(self, inputs: Sequence[Any]) -> tuple[Rule | None, ...]:
        """The rules of the primitive, for all samples together where they can do that."""
        if self.joint is not None:
            return super().rules_for(inputs)
        rules = self.primitive.rules_for(inputs)
        return tuple(None if rule is None else partial(self._apply_rule, rule) for rule in rules)

    def _apply_rule(self, rule: Rule, *operands: Any, **parameters: Any) -> Any:
        try:
            return rule(*operands, **parameters)
        except Exception as error:
            forget(error)
            # A rule of the user's may fail in any way on what is not a plain array.
            is_together = any(hasattr(x, "is_of_all_samples") for x in parameters.values())
            if is_together or not any(x.__class__ is Batched for x in flatten(operands)):
                raise
        leaves = flatten(operands)

        def of_one_sample(*arrays: Any) -> Any:
            return rule(*unflatten(operands, arrays), **parameters)

        name = f"the derivative of {self.name}"
        return Primitive(of_one_sample, name=name, builtin=True)(*leaves)


@cache
def of_samples(primitive: Primitive) -> Primitive:
    """The same for one of the engine's primitives, which are there for good."""
    return OfSamples(primitive)
