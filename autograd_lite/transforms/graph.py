"""What can be asked of a graph that has been recorded, and where a gradient ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.core.backward import conjugate, in_byte_order
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.in_place import look_plainly
from autograd_lite.core.leaving import is_differentiated
from autograd_lite.core.node import Handle, Node
from autograd_lite.core.pullback import Pullback
from autograd_lite.core.recorder import current, value_of
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value, start_of_sweep
from autograd_lite.core.views import WITHOUT_AXES, is_number
from autograd_lite.transforms.batching import Batched
from autograd_lite.transforms.mapping import without_gradient
from autograd_lite.transforms.trace import owned

__all__ = ["as_value", "gradients", "stop_gradient"]


def as_value(x: Any) -> Value:
    """A Value as it is, for type checkers, to whom functions of NumPy give arrays.

    Parameters
    ----------
    x : Value
        What a function of NumPy gave for Values.

    Returns
    -------
    Value
        The same object.

    Raises
    ------
    ArgumentTypeError
        If it is none: what was computed from arrays alone has no graph.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> y = ag.as_value(np.sin(ag.Value(0.0)))
    >>> y.backward()
    """
    if isinstance(x, Value):
        return x
    raise ArgumentTypeError(
        f"as_value: x is {type(x).__name__} and was computed from no Value, so it has no gradient; "
        "compute it from Values, or make a new one of its numbers with ag.Value(x)"
    )


def gradients(output: Any, values: Sequence[Any], *, retain_graph: bool = True) -> list[Any]:
    """The gradients of a number with respect to Values that it was computed from.

    Like ``output.backward()``, but the gradients are returned, and no ``.grad``
    is touched; so it also works in a function that is compiled, and in one that is
    differentiated, where gradients that depend on its arguments are Values.

    Parameters
    ----------
    output : Value
        A single number.
    values : sequence of Value
        Leaves or intermediate results.
    retain_graph : bool
        False frees the graph as the sweep passes it; only leaves then have a
        gradient.

    Returns
    -------
    list
        For each of ``values`` an array or number of its shape, or None where
        the output does not depend on it.  While a function is differentiated by
        what the output depends on, they are Values, differentiated further; under
        `no_grad` they are constants.

    Raises
    ------
    ArgumentTypeError
        If ``output`` is not a Value.
    BackwardError
        If it is not a single number, or requires no gradient.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> w, b = ag.Value([1.0, 2.0]), ag.Value(3.0)
    >>> ag.gradients(np.sum(w * w), [w, b])
    [array([2., 4.]), None]
    """
    if not isinstance(output, Value):
        raise ArgumentTypeError(
            f"gradients: the output is {type(output).__name__}, not a Value, so it depends on "
            "none; compute it from the Values in the list"
        )
    root = output.node
    start = [start_of_sweep(root, None)]
    # A checkpointed function that is called again is differentiated by whoever sweeps.
    recorded = current.get().is_recomputing or is_differentiated(root)
    if recorded:  # the outer sweep still needs the graph
        retain_graph = True
    found = Pullback([root]).sweep(start, recorded=recorded, free=not retain_graph)
    nodes = [x.node if isinstance(x, Handle) else None for x in values]
    return owned([in_byte_order(conjugate(found[x]), x) if x in found else None for x in nodes])


def stop_gradient(x: Any) -> Any:
    """The number or array of a Value, as a constant through which no gradient goes.

    Unlike ``.data`` it may be used in a function that is compiled.

    Parameters
    ----------
    x : Value, array or number, or a nesting of them
        Anything but a Value is returned as it is.

    Returns
    -------
    array or number, or a nesting of them
        The numbers of now, also when the Value is written in place afterwards; an array
        is read-only.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> ag.grad(lambda x: x * ag.stop_gradient(x))(3.0)
    3.0
    """
    if not isinstance(x, Handle):
        leaves = flatten(x)
        if not any(isinstance(leaf, Handle) for leaf in leaves):
            return x
        return unflatten(x, map(stop_gradient, leaves))
    if (data := x.node.data).__class__ is Batched:
        found = value_of(Node.leaf(without_gradient(data)))
        if not is_number(x):
            found.node.parameters = WITHOUT_AXES  # if it has none
    elif isinstance(x, Value) and current.get().trace is not None:
        found = x.detach()
    else:
        return look_plainly(x)
    current.get().note_shared([found.node], "stop_gradient")  # a plain array is handed back itself
    return found
