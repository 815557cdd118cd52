"""Hooks: functions of one's own that look at, or change, what a module computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

import autograd_lite as ag

__all__ = ["Hook", "Hooked"]


class Hook:
    """A function that a module calls, until it is removed or the ``with`` block ends."""

    def __init__(self, hooks: list[Callable[..., Any]], function: Callable[..., Any]) -> None:
        if not callable(function):
            raise ag.ArgumentTypeError(f"a hook is {function!r}; pass a function")
        self.hooks, self.function = hooks, function
        hooks.append(function)

    def remove(self) -> None:
        """Call it no more."""
        self.hooks[:] = [hook for hook in self.hooks if hook is not self.function]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooked:
    """What modules have that calls hooks.

    Files do not hold hooks, so a model whose outputs one may change is not saved; models with
    hooks are not compiled: `fit` runs them as they are.
    """

    _forward_hooks: list[Callable[..., Any]] | None = None
    _gradient_hooks: list[Callable[..., Any]] | None = None

    @property
    def has_hooks(self) -> bool:
        """Whether there are any."""
        return bool(self._forward_hooks or self._gradient_hooks)

    def register_forward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> Hook:
        """Call ``hook(module, inputs, output)`` after each forward pass through this module.

        What it returns takes the place of the output, unless it is None.

        Returns
        -------
        Hook
            Whose ``remove()`` ends it; in a ``with`` statement the block's end does.

        Examples
        --------
        >>> import numpy as np, nn
        >>> model = nn.MLP(2, [3, 1], rng=0)
        >>> def show(module, inputs, output):
        ...     print(module, np.shape(output))
        >>> with model[0].register_forward_hook(show):
        ...     _ = model(np.zeros((5, 2)))
        Linear(2, 3) (5, 3)
        """
        self._forward_hooks = self._forward_hooks or []
        return Hook(self._forward_hooks, hook)

    def register_gradient_hook(self, hook: Callable[[Any, Any], Any]) -> Hook:
        """Call ``hook(module, gradient)`` in each backward pass, with that of the module's output.

        What it returns takes the place of the gradient, unless it is None.  Of an output
        that is a tuple, list or dict, it is called for each part.

        Examples
        --------
        >>> import numpy as np, nn
        >>> model = nn.MLP(2, [3, 1], rng=0)
        >>> def show(module, gradient):
        ...     print(module, gradient.shape)
        >>> with model[0].register_gradient_hook(show):
        ...     np.sum(model(np.zeros((5, 2)))).backward()
        Linear(2, 3) (5, 3)
        """
        self._gradient_hooks = self._gradient_hooks or []
        return Hook(self._gradient_hooks, hook)

    def _call_hooks(self, inputs: Any, output: Any) -> Any:
        """The output as the hooks have it."""
        map_parts(lambda part: part.data, [inputs, output])  # refused where a program is traced
        for hook in tuple(self._forward_hooks or ()):
            returned = hook(self, inputs, output)
            output = output if returned is None else returned
        if not self._gradient_hooks:
            return output
        shown = ag.Primitive(lambda part: part, self._show_gradient, name="watched")
        return map_parts(shown, output)

    def _show_gradient(self, g: Any, out: Any, output: Any) -> Any:
        for hook in tuple(self._gradient_hooks or ()):
            returned = hook(self, g)
            if returned is not None and np.shape(returned) != np.shape(g):
                raise ag.ArgumentValueError(
                    f"{type(self).__name__}: a gradient hook returned something of shape "
                    f"{np.shape(returned)}, but the gradient has shape {np.shape(g)}; return a "
                    "gradient of that shape, or None to leave it as it is"
                )
            g = g if returned is None else returned
        return g


def map_parts(function: Callable[[Any], Any], output: Any) -> Any:
    """Apply to the Values in an output, which may be in tuples, lists and dicts."""
    if isinstance(output, dict):
        return {name: map_parts(function, part) for name, part in output.items()}
    if isinstance(output, tuple | list):
        parts = [map_parts(function, part) for part in output]
        return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    return function(output) if isinstance(output, ag.Value) else output
