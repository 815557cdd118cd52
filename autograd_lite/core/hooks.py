"""Hooks: functions that a reverse sweep calls with the gradient of a Value.

What a hook returns takes the place of the gradient.  A sweep stops at each node that has
hooks, where its gradient is complete, and goes on from there; others know nothing of it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np

from autograd_lite.core.backward import by_serial, conjugate, is_complex
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    BackwardError,
    InPlaceError,
    UnsupportedError,
)
from autograd_lite.core.node import Handle, Node, unwrap
from autograd_lite.core.primitive import PYTHON_SCALARS
from autograd_lite.core.recorder import current, value_of

__all__ = [
    "HookMethods",
    "RegisteredHook",
    "have_hooks",
    "hooks",
    "refuse_hooks",
    "sweep_with_hooks",
]

Hook = Callable[[Any], Any]

hooks: WeakKeyDictionary[Node, list[Hook]] = WeakKeyDictionary()
"""The hooks of those few nodes that have any."""


swept: WeakKeyDictionary[Node, tuple[int, ...]] = WeakKeyDictionary()
"""Of nodes with hooks that a recorded sweep has passed: by which outputs that was one."""


class RegisteredHook:
    """A hook, until it is removed or the ``with`` block ends.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> with x.register_hook(lambda g: 10 * g):
    ...     (x * x).backward()
    >>> x.grad
    60.0
    """

    __slots__ = ("_function", "_node")

    def __init__(self, node: Node, function: Hook) -> None:
        # One of its own, as the same function may be registered twice.
        self._node, self._function = node, partial(function)
        hooks.setdefault(node, []).append(self._function)

    def remove(self) -> None:
        """Call it no more; a second time does nothing."""
        others = [hook for hook in hooks.get(self._node, ()) if hook is not self._function]
        if others:
            hooks[self._node] = others
        else:
            hooks.pop(self._node, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class HookMethods(Handle):
    """What registers hooks of a `Value`."""

    __slots__ = ()

    def register_hook(self, hook: Hook) -> RegisteredHook:
        """Let every reverse sweep call a function with the gradient of this Value.

        Parameters
        ----------
        hook
            Takes the gradient, shaped as the Value: a read-only array or a number; a Value
            where the sweep itself is recorded (higher derivatives, `compile`, `vmap`).  What
            it returns, shaped alike, takes the place of the gradient for all that this Value
            was computed from; None leaves it as it is.

        Returns
        -------
        RegisteredHook
            Its ``remove()`` ends it, and so does the end of a ``with`` block.

        Raises
        ------
        BackwardError
            If the Value requires no gradient.
        ArgumentTypeError
            If ``hook`` is not a function; in the sweep, if it returns what is not a gradient.
        ArgumentValueError
            In the sweep, if it returns another shape.
        UnsupportedError
            In a function under `checkpoint`; by `jvp` and what is made with it, and by a second
            derivative that reaches the Value through its gradient.

        Notes
        -----
        Hooks are called in the order in which they were registered, once in each sweep that
        reaches the Value.  A write in place gives the Value other contents, which have no
        hook; copies have none either.

        Examples
        --------
        >>> import numpy as np, autograd_lite as ag
        >>> x = ag.Value([1.0, 2.0, 3.0])
        >>> y = x**2
        >>> hook = y.register_hook(lambda g: np.clip(g, -1.0, 1.0))
        >>> np.sum(y * [0.5, 5.0, -5.0]).backward()
        >>> x.grad
        array([ 1.,  4., -6.])
        >>> hook.remove()
        """
        if not callable(hook):
            raise ArgumentTypeError(
                f"register_hook: the hook is {hook!r}; pass a function of the gradient"
            )
        if not self.node.requires_grad:
            raise BackwardError(
                "register_hook on a Value that requires no gradient, so that no sweep would call "
                "the hook; register it on one that is computed from a Value with requires_grad=True"
            )
        if current.get().is_recomputing:
            raise UnsupportedError(
                "register_hook in a function under ag.checkpoint, which sweeps back through it in "
                "parts; register the hook on what the function returns"
            )
        return RegisteredHook(self.node, hook)


def have_hooks(order: Sequence[Node]) -> bool:
    """Whether any of these nodes has a hook."""
    return bool(hooks) and any(node in hooks for node in order)


def refuse_hooks(transform: str, order: Sequence[Node]) -> None:
    """Refuse nodes with hooks where what is swept back is no gradient of anybody's."""
    if have_hooks(order):
        raise UnsupportedError(
            f"{transform}: a Value that the function computes has a hook, which changes gradients "
            "of reverse sweeps and has no meaning in forward mode; remove the hook, or use ag.vjp "
            "or ag.grad"
        )


def sweep_with_hooks(
    order: list[Node],
    gradients: dict[Node, Any],
    *,
    carry: Callable[..., dict[Node, Any]],
    nodes: Sequence[Node],
    origin: tuple[int, ...],
    masked: bool,
    **options: Any,
) -> dict[Node, Any]:
    """A sweep in parts: hooks are called where the gradient of a node of ``nodes`` is complete.

    Each part is swept by ``carry``.  ``origin`` tells from which outputs.  A sweep that goes
    through another, recorded one would call the hooks on what is no gradient of their Value,
    and is refused.
    """
    for node in reversed([node for node in nodes if node in hooks]):
        start = bisect_right(order, node.serial, key=by_serial)
        younger = order[start:]
        del order[start:]
        masks = any(x.primitive is not None and x.primitive.masks for x in younger)
        carry(younger, gradients=gradients, masked=masked, **options)
        masked = masked or masks
        if node in gradients:
            if swept.get(node, origin) != origin:
                raise UnsupportedError(
                    "a second sweep reaches a Value with a hook by way of its gradient, which the "
                    "hook has changed already: higher derivatives through hooks are not defined; "
                    "remove the hook, or write what it does into the function with ag.primitive"
                )
            if options.get("lift") is not None:
                swept[node] = origin
            gradients[node] = call_hooks(node, gradients[node])
    return carry(order, gradients=gradients, masked=masked, **options)


def call_hooks(node: Node, g: Any) -> Any:
    """The gradient that the hooks of a node leave."""
    for hook in tuple(hooks[node]):
        is_plain = not isinstance(g, Handle)
        # Under `vmap` it is called with a Value of the batch, as the function is.
        is_data = not is_plain and (
            g.__class__ is node.data.__class__ or not hasattr(g, "backward")
        )
        shown = conjugate(value_of(Node.leaf(g)) if is_data else g)
        if isinstance(shown, np.ndarray):
            shown = shown.copy()
            shown.flags.writeable = False
        try:
            result = hook(shown)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise InPlaceError(
                f"a hook writes into the gradient that it was given ({error}); let it return "
                "another array, as 2 * g in the place of g *= 2"
            ) from error
        if result is None or result is shown:
            continue
        check_returned(result, node, is_plain)
        if is_data:
            result = unwrap(result)
        elif is_plain:
            kind = type(node.data)
            if kind in PYTHON_SCALARS:
                result = kind(result)
            elif isinstance(g, (np.ndarray, np.generic)):
                result = np.array(result, node.dtype)  # a copy, which is the sweep's own
        g = conjugate(result)
    return g


def check_returned(result: Any, node: Node, is_plain: bool) -> None:
    """Refuse what cannot take the place of a gradient."""
    if is_plain and isinstance(result, Handle):
        raise ArgumentTypeError(
            "a hook returned a Value in a sweep of plain arrays, where its own gradient would be "
            "lost; compute with its .data"
        )
    dtype = getattr(result, "dtype", None)
    if (
        dtype.kind not in "fciub"
        if dtype is not None
        else not isinstance(result, (float, int, complex))
    ):
        what = type(result).__name__ if dtype is None else f"an array of {dtype}"
        raise ArgumentTypeError(
            f"a hook returned {what}; return an array of shape {node.shape}, or None to leave the "
            "gradient as it is"
        )
    if np.shape(result) != node.shape:
        raise ArgumentValueError(
            f"a hook returned shape {np.shape(result)} for a Value of shape {node.shape}; a "
            "gradient has the shape of what it is the gradient of"
        )
    if is_complex(result) and not is_complex(node):
        raise ArgumentTypeError(
            "a hook returned complex numbers as the gradient of a real Value; return the real part"
        )
