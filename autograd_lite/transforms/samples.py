"""Branches and loops that differ between the samples of `vmap`.

All samples go through each branch that one of them takes, and `np.where` chooses.  A loop goes
on for as long as one sample wants it to; the others keep what they have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.core.errors import ArgumentValueError
from autograd_lite.core.node import Handle, serials
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.recorder import current, using
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.views import is_number
from autograd_lite.transforms.batching import Batched, array_of, batching
from autograd_lite.transforms.leaves import agree, check_results
from autograd_lite.transforms.sharing import note_results, owners_of
from autograd_lite.transforms.side_effects import refuse_side_effects
from autograd_lite.transforms.stacking import data_in
from autograd_lite.transforms.steps import Step

__all__ = ["across", "call_each_taken", "differs", "go_on", "one_of"]

Function = Callable[..., Any]


def batched(x: Any) -> Batched | None:
    """The samples that a Value stands for, if it does."""
    data = data_in(x)
    return data if data.__class__ is Batched else None


def differs(x: Any) -> bool:
    """Whether there is a number of its own for each sample."""
    while (samples := batched(x)) is not None:
        if samples.stacked:
            return True
        x = samples.array
    return False


def across(reduce: Function, x: Any) -> Any:
    """`np.any` or `np.all` of a condition over all samples: one number, outside of all batches."""
    while (samples := batched(x)) is not None:
        x = samples.array
        if samples.stacked:
            with using(samples.batch.recorder):
                x = reduce(x, axis=0)
    return x


class ForSome:
    """A block of what is computed for all samples and wanted by some.

    Errors of arithmetic are not heeded in it, and what is older is not written.  After `close`
    what is from inside is not used: it has gone out through `np.where`.
    """

    def __enter__(self) -> ForSome:
        self.batch = current.get().batch
        self.start = next(serials)
        if self.batch is not None:
            self.batch.bodies.append(self.start)
        self.silent = np.errstate(all="ignore")
        self.silent.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.silent.__exit__(None, None, None)
        if self.batch is not None:
            self.batch.bodies.pop()
        self.stop = next(serials)

    def close(self) -> None:
        if self.batch is not None:
            self.batch.closed.append(range(self.start, self.stop))


def call_each_taken(
    what: str, conditions: Sequence[Any], functions: Sequence[Function], operands: Sequence[Any]
) -> Any:
    """What each sample gets from the function that its condition names; the last takes the rest."""
    taken = list(enumerate(functions))
    trace = current.get().trace
    drawn = 0 if trace is None else len(trace.draws)
    if trace is None:
        rest = np.True_
        for condition in conditions:
            rest = np.logical_and(rest, np.logical_not(condition))
        wanted = [bool(across(np.any, x)) for x in (*conditions, rest)]
        taken = [x for x in taken if wanted[x[0]]] or taken  # of no sample all functions are called
    if len(taken) == 1:
        return functions[taken[0][0]](*operands)
    with refuse_side_effects(what, [*functions, *operands]), ForSome() as block:
        trees = [functions[i](*operands) for i, _ in taken]
    if trace is not None and len(trace.draws) > drawn:
        raise trace.refuse(
            f"{what}: its functions draw random numbers, and under ag.vmap each sample chooses "
            "its own; a program calls all of them, so it would draw where no sample had chosen "
            "to; draw before, and pass the numbers in"
        )
    for tree in trees:
        check_results(what, tree)
    for tree in trees[1:]:
        agree(what, trees[0], flatten(trees[0]), tree, flatten(tree))
    chosen = flatten(trees[-1])
    for (i, _), tree in list(zip(taken, trees, strict=True))[-2::-1]:
        pairs = zip(flatten(tree), chosen, strict=True)
        chosen = [x if x is y else choose(conditions[i], x, y) for x, y in pairs]
    block.close()
    note_results(what, chosen, [owners_of(flatten(tree)) for tree in trees], block.start)
    return unflatten(trees[0], chosen)


def choose(condition: Any, x: Any, y: Any) -> Any:
    """``np.where``, but a number of numbers, as what is chosen from is."""
    chosen: Any = np.where(condition, x, y)
    return chosen if np.ndim(chosen) or not (is_single(x) and is_single(y)) else chosen[()]


def is_single(x: Any) -> bool:
    return is_number(x) if isinstance(x, Handle) else not isinstance(x, np.ndarray)


def go_on(step: Step, holds: Any, value: Sequence[Any]) -> list[Any]:
    """One more step for the samples of which a condition holds."""
    if not differs(holds):
        return list(step(value))
    if current.get().trace is None and bool(across(np.all, holds)):
        return list(step(value))
    with refuse_side_effects("while_loop", [step.f]), ForSome() as block:
        found = step(value)
    chosen = [choose(holds, x, y) for x, y in zip(found, value, strict=True)]
    block.close()
    returned = [owners_of(found), owners_of(value)]
    note_results("while_loop", chosen, returned, block.start)
    return chosen


# The number of a branch.


def refuse_others(index: Any, count: int) -> Any:
    wrong = np.extract((np.asarray(index) < 0) | (np.asarray(index) >= count), index)
    if len(wrong):
        raise ArgumentValueError(
            f"switch: index is {wrong[0]}, and there are {count} branches; pass 0 to {count - 1}"
        )
    return np.array(index)  # a view would be looked into by whoever maps


one_of = Primitive(refuse_others, None, name="one_of", builtin=True)
"""The number of a branch for each sample, refused if there is none of that number."""


@batching(one_of)
def one_of_rows(primitive: Primitive, inputs: Sequence[Any], parameters: dict[str, Any]) -> Any:
    return primitive(array_of(inputs[0]), **parameters)
