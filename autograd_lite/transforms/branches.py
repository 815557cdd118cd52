"""Branches that stay branches in compiled programs: cond and switch.

Called as usual they call the one function that is chosen.  While a program is traced all
functions are traced (`bodies`), and the branch is one node.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.node import Handle, Node, data_of, serials, unwrap
from autograd_lite.core.primitive import PYTHON_SCALARS
from autograd_lite.core.recorder import current
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.transforms.batching import array_of
from autograd_lite.transforms.bodies import (
    Body,
    Cotangents,
    Structured,
    trace_body,
)
from autograd_lite.transforms.leaves import (
    agree,
    as_type,
    check_leaf,
    check_results,
    is_plain_number,
    names_of,
    takes_on,
    text_of_type,
)
from autograd_lite.transforms.samples import call_each_taken, differs, one_of
from autograd_lite.transforms.sharing import Owners, note_results, owners_of, without_new_arrays
from autograd_lite.transforms.side_effects import refuse_side_effects
from autograd_lite.transforms.stacking import Steps, example_of, stacked_in_all

__all__ = ["cond", "switch"]

Function = Callable[..., Any]


def cond(predicate: Any, f: Function, g: Function, *operands: Any) -> Any:
    """Call one of two functions, by a condition on data.

    In a function under `compile` it is an ``if`` of the program, which runs the one branch
    that is taken, and so does its gradient; elsewhere it is::

        f(*operands) if predicate else g(*operands)

    Under `vmap`, where samples take different ways, both are called, and `np.where` chooses.

    Parameters
    ----------
    predicate
        A single number; 0 and False take ``g``.
    f, g
        Called with the operands; what they read from outside gets its gradient too.  Under
        `compile` both are traced, and must return results of the same nesting, shapes and
        dtypes.
    *operands
        Whatever the functions take.

    Returns
    -------
    result
        Of ``f`` or of ``g``.

    Raises
    ------
    ArgumentTypeError
        If the predicate is not a single number; under `compile`, if results differ in kind.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> root = lambda x: ag.cond(x > 0, np.sqrt, lambda x: 0.0 * x, x)
    >>> ag.grad(root)(4.0), ag.grad(root)(-4.0)
    (0.25, 0.0)
    >>> slope = ag.compile(ag.grad(root))
    >>> slope(4.0), slope(-4.0), "if " in slope.source
    (0.25, 0.0, True)
    """
    check_single("cond", "predicate", predicate)
    if differs(predicate):
        return call_each_taken("cond", [predicate], [f, g], operands)
    if isinstance(predicate, Handle) and current.get().takes_bodies:
        return record_branches("cond", predicate, [f, g], operands)
    return f(*operands) if bool(predicate) else g(*operands)


def switch(index: Any, branches: Sequence[Function], *operands: Any) -> Any:
    """Call one of several functions, by a whole number.

    In a function under `compile` it is an ``if`` of the program; elsewhere it is
    ``branches[index](*operands)``.  Under `vmap` all branches that a sample takes are called.

    Parameters
    ----------
    index
        From 0 to ``len(branches) - 1``; others are refused.
    branches
        The functions; see `cond`.
    *operands
        Whatever they take.

    Returns
    -------
    result
        Of the function that is called.

    Raises
    ------
    ArgumentTypeError
        If the index is not a whole number; under `compile`, if results differ in kind.
    ArgumentValueError
        If there is no branch of that number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.switch(1, [np.sin, np.cos, np.tan], 0.0)
    np.float64(1.0)
    """
    check_single("switch", "index", index)
    if np.result_type(unwrap(index)).kind not in "iu":
        raise ArgumentTypeError(
            f"switch: index is {text_of_type(index)}; pass a whole number, x.astype(int)"
        )
    branches = list(branches)
    if not branches:
        raise ArgumentValueError("switch: there are no branches; pass a list of functions")
    if differs(index):
        index = one_of(index, count=len(branches))
        others = [index == i for i in range(len(branches) - 1)]
        return call_each_taken("switch", others, branches, operands)
    if isinstance(index, Handle) and current.get().takes_bodies:
        return record_branches("switch", index, branches, operands)
    number = operator.index(index)
    if not 0 <= number < len(branches):
        raise ArgumentValueError(
            f"switch: index is {number}, and there are {len(branches)} branches; "
            f"pass 0 to {len(branches) - 1}"
        )
    return branches[number](*operands)


def check_single(what: str, argument: str, x: Any) -> None:
    """Refuse what is not a single number."""
    check_leaf(what, argument, x)
    if np.shape(unwrap(x)):
        raise ArgumentTypeError(
            f"{what}: {argument} has shape {np.shape(unwrap(x))}, which is not a single number; "
            "reduce it (np.all, np.any), or choose element by element with np.where"
        )


def record_branches(
    what: str, chooser: Any, functions: Sequence[Function], operands: Sequence[Any]
) -> Any:
    with refuse_side_effects(what, [*functions, *operands]):
        return record_called(what, chooser, [Called(what, f, operands) for f in functions])


def record_called(what: str, chooser: Any, called: Sequence[Called]) -> Any:
    since = next(serials)
    bodies = [x.trace() for x in called]
    examples = [list(map(data_of, body.outputs)) for body in bodies]
    for x, example in zip(called, examples, strict=True):
        agree(what, called[0].tree, examples[0], x.tree, example)
    types = [common(leaves) for leaves in zip(*(body.outputs for body in bodies), strict=True)]
    for example in examples:
        check_numbers(what, called[0].tree, example, types)
    types = [stacked_in_all(x, current.get()) for x in types]
    for x in called:
        x.types = types
    again = [x.trace() for x in called]
    branches = Branches(what, [x.trace() for x in called], again)
    node = branches.record([chooser]).node
    found = [branches.take(node, index) for index in range(branches.count)]
    note_results(what, found, [x.owners for x in called], since)
    return unflatten(called[0].tree, found)


class Called:
    """A branch, and what it returned last."""

    def __init__(self, what: str, function: Function, operands: Sequence[Any]) -> None:
        self.what = what
        self.function = function
        self.operands = operands
        self.tree: Any = None
        self.types: list[Any] | None = None
        """Examples of what its results are made to be: all branches must give the same."""
        self.owners: Owners = []
        """Whose memory its results lie in, and did the time before."""
        self.before: Owners = []

    def __call__(self, _: Any) -> list[Any]:
        self.tree = self.function(*self.operands)
        check_results(self.what, self.tree)
        leaves = flatten(self.tree)
        if self.types is None:
            return leaves
        owners = owners_of(leaves)
        self.owners, self.before = without_new_arrays(owners, self.before), owners
        return [as_type(leaf, like) for leaf, like in zip(leaves, self.types, strict=True)]

    def trace(self) -> Body:
        return trace_body(self, [], self.what, hoists=False, alike=self.types or ())


def common(leaves: Sequence[Any]) -> Any:
    """An example of what a result is in all branches: Python numbers take on a dtype."""
    plain = [example_of(data_of(x)) for x in leaves]
    typed = [x for x in plain if x.__class__ not in PYTHON_SCALARS]
    if not typed:
        return type(sum(plain))(0) if len({type(x) for x in plain}) > 1 else plain[0]
    return typed[0] if np.shape(typed[0]) else typed[0][()]


def check_numbers(what: str, tree: Any, leaves: Sequence[Any], types: Sequence[Any]) -> None:
    """Refuse a Python number that another branch has an array for, of a type too narrow for it."""
    for name, leaf, like in zip(names_of(tree, "the result"), leaves, types, strict=True):
        if is_plain_number(leaf) and not takes_on(leaf, like):
            raise ArgumentTypeError(
                f"{what}: {name} is a Python {text_of_type(leaf)} in one branch, and "
                f"{text_of_type(like)} in another, which cannot hold it; convert one of them "
                "(x.astype(float))"
            )


class Branches(Structured):
    """A choice between bodies, as one node.

    Its operands are what chooses, what all bodies are given, and what they read from outside.
    """

    __slots__ = ()

    choosers = 1

    def of(self, bodies: Sequence[Any], again: Sequence[Any]) -> Branches:
        return Branches(self.name, bodies, again)

    def result_of(self, index: int) -> Any:
        found = [data_of(body.outputs[index]) for body in self.bodies]
        return next((x for x in found if isinstance(x, Steps)), found[0])

    output_of = result_of

    def find(self, inside: Node) -> int | None:
        """A node of one branch, as a result; where another one is taken, it is zeros."""
        if inside in self.bodies[0].inputs:
            return None
        mine = next(body for body in self.bodies if inside in body.own)
        index = next((i for i, x in enumerate(mine.outputs) if x is inside), self.count)
        if index == self.count:
            for body in self.bodies:
                body.outputs.append(inside if body is mine else empty_like(inside.data))
        return index

    def pull(
        self, g: Any, out: Any, *inputs: Any, masked: bool = False, **parameters: Any
    ) -> list[Any]:
        """A choice between the sweeps through the bodies."""
        several = Cotangents(g)
        out, inputs = array_of(out), tuple(map(array_of, inputs))
        nodes = [None, *self.bodies[0].inputs, *self.captured]
        places = {i: x for i, x in enumerate(nodes) if isinstance(x, Node) and x.requires_grad}
        wanted = list(places.values())
        cotangents = [*g, *[None] * (self.count - len(g))]
        sources = [(self, out.node), *self.sources]
        what = f"the gradient of {self.name}"
        through = [inner for source, _ in sources for inner in source.bodies]

        def trace_back(body: Body) -> Body:
            def sweep(_: Any) -> list[Any]:
                found = several.pull_back(body, cotangents, wanted, masked)
                return [
                    several.zeros(node.data) if x is None else x
                    for x, node in zip(found, wanted, strict=True)
                ]

            examples = [several.example(x.data, "g").data for x in wanted]
            return trace_body(sweep, [], what, hoists=False, through=through, alike=examples)

        reverses = list(map(trace_back, self.bodies))
        share_inputs(reverses)
        branches = Branches(f"{self.name}_gradient", reverses)
        branches.sources = sources
        node = branches.record([inputs[0]]).node
        gradients: list[Any] = [None] * len(inputs)
        for index, (i, x) in enumerate(places.items()):
            reached = any(isinstance(reverse.outputs[index], Node) for reverse in reverses)
            if isinstance(x.data, Steps) and not reached:
                continue
            gradients[i] = several.from_leaf(branches.take(node, index))
        return gradients


def share_inputs(bodies: Sequence[Any]) -> None:
    """Give all bodies what one of them reads."""
    given = list(dict.fromkeys(x for body in bodies for x in body.inputs))
    for body in bodies:
        body.inputs = given
    if bodies[0].outside is not None:
        share_inputs([body.outside for body in bodies])


def empty_like(data: Any) -> Any:
    """What stands for a node of a branch that was not taken, and is never read."""
    if data.__class__ in PYTHON_SCALARS:
        return type(data)(0)
    if isinstance(data, Steps):
        return ()
    return np.zeros_like(data)
