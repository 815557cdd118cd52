"""Checkpoints: what happens inside is forgotten, and computed again when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node, serials, split_inputs, unwrap
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current, record, recording
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value
from autograd_lite.ops.shaping import as_new_node, recompute
from autograd_lite.random import keeping_draws, repeating_draws
from autograd_lite.transforms.trace import is_number

__all__ = ["Recomputing", "checkpoint"]

Function = Callable[..., Any]


def checkpoint(function: Function) -> Function:
    """Trade time for memory: forget what happens inside, and compute it again when needed.

    Only the arguments and the result are kept for the reverse sweep, which
    calls the function once more (A. Griewank, A. Walther, "Evaluating
    Derivatives", 2nd ed. 2008, chapter 12).  Values that the function captures
    get their gradients too.

    Parameters
    ----------
    function
        Returns one array or number; must give the same again for the same
        arguments.  What it draws by `autograd_lite.random`, as dropout does, is
        kept and not drawn anew.

    Returns
    -------
    callable
        The same function of the same arguments.

    Raises
    ------
    ArgumentTypeError
        If the function returns anything but one array or number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> block = ag.checkpoint(lambda x: np.tanh(np.sin(x)))
    >>> round(ag.grad(block)(0.5), 6)
    0.703187
    """

    @wraps(function)
    def checkpointed(*args: Any) -> Any:
        if not current.get().is_recording:
            return function(*args)
        trees = list(args)
        leaves = flatten(trees)
        inside = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Handle)]

        def run(*varied: Any) -> Any:
            called = list(leaves)
            for i, x in zip(inside, varied, strict=True):
                called[i] = x
            return function(*unflatten(trees, called))

        def run_again(*varied: Any) -> Any:
            with repeating_draws(kept):
                return run(*varied)

        values = [leaves[i] for i in inside]
        with keeping_draws() as kept:
            result, captured = run_forgetting(run, values)
        if not isinstance(result, Handle):
            return result
        again = Recomputing(
            lambda *inputs: unwrap(run_again(*inputs[: len(values)])),
            joint=lambda g, out, *inputs: recompute_gradients(
                run_again, captured, g, inputs[: len(values)]
            ),
            name=f"checkpoint({getattr(function, '__name__', 'function')})",
        )
        node = result.node
        inputs = (*(value.node for value in values), *captured)
        if current.get().trace is not None:
            # A program is made of what happened inside; no gradient goes through there.
            computed = as_new_node(result).node
            computed.requires_grad = False
            inputs = (*inputs, computed)
        return record(again, node.data, NO_PARAMETERS, node.requires_grad, *split_inputs(inputs))

    return checkpointed


class Recomputing(Primitive):
    """A checkpointed call.  While a program is traced, its last input is its result."""

    __slots__ = ()


def run_forgetting(run: Function, values: list[Any]) -> tuple[Any, list[Node]]:
    """Call the function; return its result and the outer nodes that it used besides ``values``."""
    fresh = [as_new_node(x) for x in values]
    since = next(serials)
    result = run(*fresh)
    if not is_number(result):
        raise ArgumentTypeError(
            f"checkpoint: the function returned {type(result).__name__}; "
            "it must return one array or number"
        )
    if not isinstance(result, Handle):
        return result, []
    captured: dict[Node, None] = {}
    for node in Pullback([result.node], since=since).order:
        for x in node.inputs:
            if isinstance(x, Node) and x.requires_grad and x.serial < since:
                captured[x] = None
    for value in fresh:
        captured.pop(value.node, None)
    return result, list(captured)


def recompute_gradients(
    run_again: Function, captured: list[Node], g: Any, inputs: Sequence[Any]
) -> list[Any]:
    """The gradients of a checkpointed call with respect to its inputs and captured nodes."""
    recorded = any(isinstance(x, Handle) for x in (g, *inputs)) and current.get().is_recording
    with recording(True):
        fresh = [recompute(x) if isinstance(x, Handle) else Value(x) for x in inputs]
        since = next(serials)
        result = run_again(*fresh)
    pullback = Pullback([result.node], [*(x.node for x in fresh), *captured], since)
    return pullback([g], recorded=recorded)
