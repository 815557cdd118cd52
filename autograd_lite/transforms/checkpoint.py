"""Checkpoints: what happens inside is forgotten, and computed again when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, overload

import numpy as np

from autograd_lite.core.backward import dependencies
from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import (
    ArgumentTypeError,
    AutogradError,
    BackwardError,
)
from autograd_lite.core.memory import constant, verify
from autograd_lite.core.node import (
    ABSENT,
    NO_PARAMETERS,
    Handle,
    Node,
    get_node,
    serials,
    split_inputs,
    unwrap,
)
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current, record, recording, value_of
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value
from autograd_lite.core.views import Looking, root_of
from autograd_lite.ops.define import parts
from autograd_lite.ops.shaping import as_new_node, recompute
from autograd_lite.random import keeping_draws, repeating_draws
from autograd_lite.transforms.batching import Batched, array_of, batch_of
from autograd_lite.transforms.bodies import Cotangents
from autograd_lite.transforms.trace import is_number

__all__ = ["Recomputing", "checkpoint", "fresh_value", "is_recomputing"]

Function = Callable[..., Any]
P = ParamSpec("P")
R = TypeVar("R")


@overload
def checkpoint(function: np.ufunc) -> Callable[..., Any]: ...
@overload
def checkpoint(function: Callable[P, R]) -> Callable[P, R]: ...
def checkpoint(function: Function) -> Function:
    """Trade time for memory: forget what happens inside, and compute it again when needed.

    Only the arguments and the results are kept for the reverse sweep, which
    calls the function once more (A. Griewank, A. Walther, "Evaluating
    Derivatives", 2nd ed. 2008, chapter 12).  Values that the function captures
    get their gradients too.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them; must give the same again
        for the same arguments.  What it draws by `autograd_lite.random`, as dropout
        does, is kept and not drawn anew.  What else it does would be done twice;
        `is_recomputing` tells the second call.

    Returns
    -------
    callable
        The same function of the same arguments.

    Raises
    ------
    ArgumentTypeError
        If the function returns anything but arrays and numbers.
    BackwardError
        In the reverse sweep, if the function gives another result than before, or reads
        a Value that its first call made of the arguments, or as a leaf, and kept.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> block = ag.checkpoint(lambda x: np.tanh(np.sin(x)))
    >>> round(ag.grad(block)(0.5), 6)
    0.703187
    """

    @wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not current.get().is_recording:
            return function(*args, **kwargs)
        trees = [args, kwargs]
        leaves = flatten(trees)
        inside = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Handle)]
        constants = list(map(kept_as_it_is, leaves)) if current.get().keeps_constants else leaves

        def run(*varied: Any, again: bool = False) -> Any:
            called = list(map(as_it_was, constants)) if again else list(leaves)
            for i, x in zip(inside, varied, strict=True):
                called[i] = x
            positional, named = unflatten(trees, called)
            return function(*positional, **named)

        values = [leaves[i] for i in inside]
        with keeping_draws() as kept:
            block = Block(run, values)

        def run_again(*varied: Any) -> list[Handle]:
            since = next(serials)
            with repeating_draws(kept):
                return made_inside(run(*varied, again=True), varied, since)

        if not block.results or block.is_mixed:
            return block.tree
        return block.forget(run_again, values, getattr(function, "__name__", "function"))

    return checkpointed


def kept_as_it_is(argument: Any) -> Any:
    """A constant argument until it is passed again: a copy, or a node with a checksum."""
    return constant(argument) if isinstance(argument, np.ndarray) else argument


def as_it_was(kept: Any) -> Any:
    """The argument of the first call; what was written since then is an error."""
    if isinstance(kept, Node):
        verify(kept)
        return kept.data
    is_open = isinstance(kept, np.ndarray) and kept.flags.writeable
    return kept.copy() if is_open else kept


def is_recomputing() -> bool:
    """Whether `checkpoint` is calling a function again, for its gradient.

    What a function does besides computing its result, as to count its calls or to move
    running averages, is done already then.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> seen = []
    >>> def counted(x):
    ...     if not ag.is_recomputing():
    ...         seen.append("a call")
    ...     return x * x
    >>> ag.grad(ag.checkpoint(counted))(3.0), seen
    (6.0, ['a call'])
    """
    return current.get().is_recomputing


class Recomputing(Primitive):
    """A checkpointed call.  While a program is traced, its last input is its result."""

    __slots__ = ()


pack = Primitive(lambda *results: results, name="pack", differentiable=False, builtin=True)
"""Several results as one; `parts` takes them apart."""


def inputs_of(nodes: list[Node], since: int) -> set[Any]:
    """Some nodes, what they were computed from since then, and what that was computed from."""
    order = dependencies(nodes, since)[0]
    return {*nodes, *(x for node in order for x in node.inputs if isinstance(x, Node))}


class Block:
    """One call of a function on fresh nodes, to be replaced by a node that computes it again."""

    def __init__(self, run: Function, values: list[Any]) -> None:
        first = next(serials)
        fresh = [as_new_node(x) for x in values]
        since = next(serials)
        before = [value.node for value in fresh]
        self.tree = run(*fresh)
        check_results(self.tree)
        self.results = made_inside(self.tree, fresh, since)
        leaves = [moved(x, fresh, values) for x in flatten(self.tree)]
        self.tree = unflatten(self.tree, leaves)
        if any(value.node is not node for value, node in zip(fresh, before, strict=True)):
            raise refused_write(
                "checkpoint: the function writes into its argument, which would be written again "
                "when it is computed again; let it write into a copy (x = x.copy())"
            )
        captured: dict[Node, None] = {}
        for node in Pullback([x.node for x in self.results], since=since).order:
            for x in node.inputs:
                if isinstance(x, Node) and x.requires_grad and x.serial < since:
                    captured[x] = None
        for value in fresh:
            captured.pop(value.node, None)
        self.captured = list(captured)
        """The outer nodes that the results depend on, besides the arguments."""
        self.arguments = range(first, since)
        """Serial numbers of the nodes that stood for the arguments in the first call."""
        self.serials = range(since, next(serials))
        """Those of the nodes made inside; also of views from outside that were looked at anew."""

    @property
    def is_of_samples(self) -> bool:
        """Whether the results are of one sample of a batch."""
        return any(x.node.data.__class__ is Batched for x in self.results)

    @property
    def is_mixed(self) -> bool:
        """Whether some of them are, and others are of outside: no node is on both levels."""
        return len({batch_of(x) for x in self.results}) > 1

    def forget(self, run_again: Function, values: list[Any], name: str) -> Any:
        """The results, as those of one node that remembers the arguments alone."""
        count = len(values)
        kept = [x.node.data for x in self.results]
        is_one = len(kept) == 1

        def forward(*inputs: Any) -> Any:
            found = tuple(map(unwrap, run_again(*inputs[:count])))
            return found[0] if is_one else found

        def joint(g: Any, out: Any, *inputs: Any) -> list[Any]:
            cotangents = [g] if is_one else list(g)
            recorded = any(map(is_handle, (*cotangents, *inputs))) and current.get().is_recording
            return self.gradients_again(run_again, kept, cotangents, inputs[:count], recorded)

        again = Recomputing(forward, joint=joint, name=f"checkpoint({name})")
        inputs = (*(value.node for value in values), *self.captured)
        if current.get().trace is not None and not self.is_of_samples:
            # A program is made of what happened inside; no gradient goes through there.
            # Of one sample of a batch, the numbers are what happened outside.
            computed = as_new_node(self.results[0]) if is_one else pack(*self.results)
            computed.node.requires_grad = False
            inputs = (*inputs, computed.node)
        requires_grad = any(x.node.requires_grad for x in self.results)
        data = kept[0] if is_one else tuple(kept)
        value = record(again, data, NO_PARAMETERS, requires_grad, *split_inputs(inputs))
        found = [value] if is_one else parts(value, len(kept))
        leaves = [moved(x, self.results, found) for x in flatten(self.tree)]
        return unflatten(self.tree, leaves)

    def gradients_again(
        self, run_again: Function, kept: list[Any], cotangents: list[Any],
        arguments: Sequence[Any], recorded: bool,
    ) -> list[Any]:  # fmt: skip
        """The gradients with respect to the arguments and the captured nodes.

        ABSENT without influence: zeros would go on, and by a slope that is infinite become NaN.
        Where the cotangents are rows of a Jacobian, what is computed again is the same for all.
        """
        several = Cotangents(cotangents)
        lift = several.lift
        if lift is not None:
            arguments = list(map(array_of, arguments))
        with recording(True):
            # Results, as they were in the first call: the copy of a leaf would be another leaf.
            fresh = [as_new_node(fresh_value(x)) for x in arguments]
            since = next(serials)
            try:
                results = run_again(*fresh)
            except AutogradError:
                raise
            except Exception as error:
                raise changed() from error
        check_same(kept, [x.node.data for x in results])
        variables = [*(x.node for x in fresh), *self.captured]
        nodes = [x.node for x in results]
        views = self.looked_at(Pullback(nodes, variables, since).order, variables, since)
        pullback = Pullback(nodes, [*variables, *views], since)
        gradients = pullback(cotangents, recorded=recorded, lift=lift)
        if not views:
            influences = inputs_of(
                [x for x, g in zip(nodes, cotangents, strict=True) if g is not None], since
            )
            pairs = zip(gradients, variables, strict=True)
            return [g if x in influences else ABSENT for g, x in pairs]
        of_views = gradients[len(variables) :]
        pullback = Pullback(views, self.captured, self.serials.start)
        beyond = pullback(of_views, recorded=recorded, lift=lift)
        for place, g in enumerate(beyond, len(fresh)):
            gradients[place] = gradients[place] + g
        return gradients[: len(variables)]

    def looked_at(self, order: list[Node], variables: list[Node], since: int) -> list[Node]:
        """The nodes of views from outside that were looked at anew inside, in the first call.

        What else is neither new nor captured has come about since then.
        """
        known = set(variables)
        found: dict[Node, None] = {}
        for node in order:
            for x in node.inputs:
                if isinstance(x, Node) and x.requires_grad and x.serial < since and x not in known:
                    if x.serial not in self.serials:
                        raise changed()
                    found[x] = None
        depended_on = dependencies(found, self.arguments.start)[0]
        if any(x.serial in self.arguments or x.primitive is None for x in depended_on):
            raise BackwardError(KEPT_BY_THE_FUNCTION)
        return list(found)


KEPT_BY_THE_FUNCTION = (
    "checkpoint: called again for its gradient, the function reads a Value that its first call "
    "made and kept, in a cache, an attribute or a global, and the gradient would lack what goes "
    "there.\nMake it anew in each call, or outside of the checkpoint; call a layer once "
    "beforehand, if that draws its weights"
)


def is_handle(x: Any) -> bool:
    return isinstance(x, Handle)


def check_results(results: Any) -> None:
    """Refuse a function that returns anything but arrays and numbers."""
    for leaf in flatten(results) or [results]:
        if not is_number(leaf):
            raise ArgumentTypeError(
                f"checkpoint: the function returned {type(leaf).__name__}; "
                "it must return arrays or numbers, or a nesting of them"
            )


def made_inside(results: Any, arguments: Sequence[Any], since: int) -> list[Handle]:
    """The Values that a function made for what it returned: of a view, what it looks into.

    The arguments, what the function captured, and views of either are of outside; there
    is nothing in them to compute again.
    """
    found: dict[int, Handle] = {}
    for x in flatten(results):
        if is_handle(x):
            root = root_of(x)
            is_argument = any(root is argument for argument in arguments)
            if not is_argument and get_node(root).serial >= since:
                found[id(root)] = root
    return list(found.values())


def looks_into(x: Any, root: Any) -> bool:
    return isinstance(x, Looking) and x.look.root is root


def moved(x: Any, inside: list[Any], outside: list[Any]) -> Any:
    """A result; in the place of one of the handles inside that of outside, for views of it too."""
    for former, latter in zip(inside, outside, strict=True):
        if x is former:
            return latter
        view: Any = x
        while looks_into(view, former):
            base = view.look.base
            view.look = view.look._replace(
                root=root_of(latter), base=latter if base is former else base
            )
            view = base
    return x


def fresh_value(x: Any) -> Any:
    """A Value to differentiate with respect to, of what a rule gets for an argument."""
    is_batched = x.__class__ is Batched
    if isinstance(x, Handle) and not is_batched:
        return recompute(x)
    if (x.dtype if is_batched else np.result_type(x)).kind not in "fc":
        return value_of(Node.leaf(x))  # whole numbers and masks stay what they are
    return value_of(Node.leaf(x, True)) if is_batched else Value(x)


def check_same(kept: list[Any], again: list[Any]) -> None:
    """Refuse a function that gave another result, beyond rounding, when it was called again."""
    if len(kept) != len(again) or not all(map(is_same, kept, again)):
        raise changed()


def changed() -> BackwardError:
    return BackwardError(
        "checkpoint: the function gave another result when it was called again for its "
        "gradient; let it depend on nothing that changes in between, and draw random "
        "numbers by ag.random"
    )


def is_same(x: Any, y: Any) -> bool:
    if x.__class__ is Batched and y.__class__ is Batched:
        return x.stacked == y.stacked and is_same(unwrap(x.array), unwrap(y.array))
    if is_duck_array(x) or np.array_equal(x, y):
        return True
    if np.shape(x) != np.shape(y):
        return False
    x, y = np.asarray(x), np.asarray(y)
    if x.dtype.kind not in "fc":
        return False
    size = np.max(np.abs(x), initial=0, where=np.isfinite(x))
    return np.allclose(x, y, rtol=0, atol=np.sqrt(np.finfo(x.dtype).eps) * size, equal_nan=True)
