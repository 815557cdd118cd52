"""Primitives: functions with derivative rules, and the one place that applies them.

A `Primitive` is a forward function on plain arrays and, for each of its inputs,
one vector-Jacobian product (VJP).  `apply` runs the forward function and leaves
a `Node` that remembers what was applied to what.  The nodes, linked by their
inputs, are the computation graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any, overload

import numpy as np

from autograd_lite.core.duck_arrays import computed_by_library, duck_types
from autograd_lite.core.errors import ArgumentTypeError, UnsupportedError
from autograd_lite.core.node import NO_PARAMETERS, Handle, split_inputs
from autograd_lite.core.recorder import record

__all__ = [
    "PYTHON_SCALARS",
    "Primitive",
    "Rule",
    "apply",
    "apply_to_one",
    "primitive",
    "register",
    "registry",
]

Rule = Callable[..., Any]

PYTHON_SCALARS: frozenset[Any] = frozenset({float, int, complex, bool})

registry: dict[Any, Any] = {}
"""What to call for each NumPy function when an argument is a Value: mostly a Primitive."""


def register(function: Any, primitive: Primitive) -> Primitive:
    """Let a primitive be what is called for a NumPy function, and know that function."""
    primitive.function = function
    primitive.builtin = True
    registry[function] = primitive
    return primitive


def apply(primitive: Primitive, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Apply a primitive to inputs of which at least one is a Value; return the new Value."""
    if len(inputs) == 1 and not parameters and not duck_types:
        return apply_to_one(primitive, inputs[0])
    operands = []
    nodes = []
    requires_grad = False
    for x in inputs:
        if isinstance(x, Handle):
            node = x.node
            nodes.append(node)
            operands.append(node.data)
            if node.requires_grad:
                requires_grad = primitive.differentiable
        else:
            nodes.append(x)
            operands.append(x)
    forward = primitive.forward
    if duck_types:
        forward = computed_by_library(forward, operands, primitive.name)
    data = forward(*operands, **parameters)
    kind = data.__class__
    if kind is not np.ndarray or data.ndim == 0:
        data = settle_scalar(data, kind, operands)
    return record(primitive, data, parameters, requires_grad, *split_inputs(tuple(nodes)))


Handle.apply = staticmethod(apply)


def apply_to_one(primitive: Primitive, value: Handle) -> Any:
    """`apply` for a single operand, without its generality."""
    x = value.node
    data = primitive.forward(x.data)
    if x.data.__class__ in PYTHON_SCALARS and data.__class__ not in PYTHON_SCALARS:
        data = data.item() if getattr(data, "ndim", None) == 0 else data
    requires_grad = x.requires_grad and primitive.differentiable
    return record(primitive, data, NO_PARAMETERS, requires_grad, x)


def settle_scalar(data: Any, kind: type, operands: list[Any]) -> Any:
    """Keep graphs of Python numbers in Python numbers: there NumPy's scalars only cost time."""
    if kind in PYTHON_SCALARS or isinstance(data, (tuple, list)):
        return data
    for operand in operands:
        if operand.__class__ not in PYTHON_SCALARS:
            return data
    return data.item()


class Primitive:
    """A function together with its vector-Jacobian products.

    Parameters
    ----------
    forward
        Computes the result from plain arrays and static keyword arguments.
    *rules
        One for each input, called as ``rule(g, out, *inputs, **parameters)``;
        it returns the gradient with respect to that input, given ``g``, the
        gradient with respect to the result ``out``.  None marks an input that
        has no derivative (an index, a condition).  Rules use NumPy functions
        and operators only.
    each
        Instead of ``rules``, for any number of inputs: called as
        ``each(index, g, out, *inputs, **parameters)``.
    joint
        Instead of ``rules``, where the gradients share their computation:
        called once as ``joint(g, out, *inputs, **parameters)``, it returns a
        sequence with one gradient for each input.
    name
        What error messages and drawings call it; the function's own by default.
    arrays
        How many leading arguments are inputs; those that follow are static.
        None: all positional arguments are inputs.
    broadcasts
        The function broadcasts its inputs: the engine sums gradients over what
        was broadcast, so that rules need not.
    singular
        A local derivative can be infinite or NaN.  Where the upstream gradient
        is exactly zero behind a mask, the engine then keeps the product zero.
    masks
        The rule puts exact zeros into the gradient (``where``, ``maximum``,
        indexing), which switches that protection on for what lies upstream.
    differentiable
        False for functions whose results carry no gradient (comparisons,
        ``argsort``); they need no rules.
    formula
        The mathematics of one application, for people: ``"tanh(x)"``.
    elementwise
        Each element of the result depends on its like in the inputs, which
        broadcast: true of ``add``, not of ``matmul``.
    cheap
        It costs little more than to pass over its inputs.
    selecting
        The numbers in its inputs decide the shape of its result.
    builtin
        It is one call that does nothing but give its result, as NumPy's functions
        do: a program may make it beforehand, and does not take it apart.

    Attributes
    ----------
    function
        The NumPy function that it is registered for; None if there is none.

    Raises
    ------
    NoRuleError
        In the reverse sweep, when an input needs a gradient and has no rule.
    RuleError
        In the reverse sweep, when a rule returns a wrong shape or type.

    See Also
    --------
    primitive : the decorator that makes one.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> cube = ag.Primitive(lambda x: x**3, lambda g, out, x: g * 3 * x**2, name="cube")
    >>> ag.grad(cube)(2.0)
    12.0
    """

    # The sweep reads these for every node; slots are three times as fast as a dictionary.
    __slots__ = (
        "__dict__",
        "broadcasts",
        "builtin",
        "cheap",
        "differentiable",
        "each",
        "elementwise",
        "fast_path",
        "forward",
        "function",
        "joint",
        "masks",
        "rules",
        "selecting",
        "singular",
    )

    def __init__(
        self,
        forward: Callable[..., Any],
        *rules: Rule | None,
        each: Rule | None = None,
        joint: Rule | None = None,
        name: str | None = None,
        arrays: int | None = None,
        broadcasts: bool = False,
        singular: bool = False,
        masks: bool = False,
        differentiable: bool = True,
        formula: str | None = None,
        elementwise: bool = False,
        cheap: bool = False,
        selecting: bool = False,
        builtin: bool = False,
    ) -> None:
        self.function: Any = None
        self.forward = forward
        self.rules = rules
        self.each = each
        self.joint = joint
        self.name = name or str(getattr(forward, "__name__", type(forward).__name__))
        self.arrays = arrays
        self.broadcasts = broadcasts or elementwise
        self.singular = singular
        self.masks = masks
        self.differentiable = differentiable
        self.formula = formula
        self.elementwise = elementwise
        self.cheap = cheap
        self.selecting = selecting
        self.builtin = builtin
        self.fast_path = self._has_fast_path()
        self._names: tuple[str, ...] | None = None
        self._keywords: frozenset[str] | None = None
        update_wrapper(self, forward)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply to arrays (a plain result) or, if any input is a Value, record a node."""
        if self.arrays is not None:
            args, kwargs = self._bind(args, kwargs)
        for name, parameter in kwargs.items():
            if isinstance(parameter, Handle):
                raise ArgumentTypeError(
                    f"{self.name}: the argument {name!r} is static and cannot be a Value; "
                    f"pass {name}={name}.data to use its number as a constant"
                )
        for x in args:
            if isinstance(x, Handle):
                return x.apply(self, args, kwargs)
        return self.forward(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Primitive {self.name}>"

    def __reduce__(self) -> str:
        """Pickled by name, as functions are: rules are code, not data."""
        return str(getattr(self, "__qualname__", self.name))

    def defvjp(self, *rules: Rule | None) -> Primitive:
        """Set the rules, one for each input in order, None for an input without derivative.

        Parameters
        ----------
        *rules
            Called as ``rule(g, out, *inputs, **static_keyword_arguments)``.

        Returns
        -------
        Primitive
            This primitive, so that the call can be chained.

        Raises
        ------
        ArgumentTypeError
            If a rule is neither callable nor None.

        Examples
        --------
        >>> import numpy as np, autograd_lite as ag
        >>> @ag.primitive
        ... def scaled_sine(x, scale):
        ...     return scale * np.sin(x)
        >>> _ = scaled_sine.defvjp(lambda g, out, x, scale: g * scale * np.cos(x), None)
        >>> ag.grad(scaled_sine)(0.0, 3.0)
        3.0
        """
        for index, rule in enumerate(rules):
            if rule is not None and not callable(rule):
                raise ArgumentTypeError(
                    f"{self.name}.defvjp: rule {index} is {rule!r}; "
                    "pass a function of (g, out, *inputs), or None for no derivative"
                )
        self.rules = rules
        self.fast_path = self._has_fast_path()
        return self

    def _has_fast_path(self) -> bool:
        """Whether it broadcasts one or two inputs, each with a rule: most operations do."""
        return self.broadcasts and len(self.rules) in (1, 2) and None not in self.rules

    def rules_for(self, inputs: Sequence[Any]) -> tuple[Rule | None, ...]:
        """One rule for each of these inputs; shorter if rules are missing."""
        if self.each is not None:
            return tuple(partial(self.each, index) for index in range(len(inputs)))
        if self.joint is not None:
            found: list[Any] = []
            return tuple(partial(self._joint_rule, found, index) for index in range(len(inputs)))
        return self.rules

    def _joint_rule(self, found: list[Any], index: int, *args: Any, **parameters: Any) -> Any:
        """One of the joint gradients, which are computed when the first is asked for."""
        if not found and self.joint is not None:
            found.extend(self.joint(*args, **parameters))
        return found[index]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Names of the forward function's arguments, as far as Python can tell them."""
        if self._names is None:
            try:
                self._names = tuple(inspect.signature(self.forward).parameters)
            except (TypeError, ValueError):
                self._names = ()
        return self._names

    @property
    def keywords(self) -> frozenset[str] | None:
        """Static arguments that the rules know; None if they take any."""
        if self._keywords is None:
            if not self.differentiable:
                return None
            rule = self.each or self.joint or next(filter(None, self.rules))
            parameters = list(inspect.signature(rule).parameters.values())
            if any(p.kind is p.VAR_KEYWORD for p in parameters):
                return None
            self._keywords = frozenset(
                p.name for p in parameters if p.default is not p.empty or p.kind is p.KEYWORD_ONLY
            )
        return self._keywords

    def _bind(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a NumPy call into its array inputs and its static keyword arguments."""
        arrays = self.arrays or 0
        if len(args) > arrays:
            names = self.argument_names[arrays:]
            kwargs = dict(zip(names, args[arrays:], strict=False)) | kwargs
            args = args[:arrays]
        elif len(args) < arrays:
            kwargs = dict(kwargs)
            for name in self.argument_names[len(args) : arrays]:
                if name in kwargs:
                    args = (*args, kwargs.pop(name))
        if kwargs:
            known = self.keywords
            if known is not None:
                for name in [name for name in kwargs if name not in known]:
                    if kwargs[name] is not None:
                        raise UnsupportedError(
                            f"{self.name}: the argument {name!r} has no derivative rule here; "
                            "leave it out, or pass x.data to compute without gradient"
                        )
                    kwargs = {key: value for key, value in kwargs.items() if key != name}
        for x in args:
            if isinstance(x, (list, tuple)):
                args = tuple(np.asarray(x) if isinstance(x, (list, tuple)) else x for x in args)
                break
        return args, kwargs


@overload
def primitive(forward: Callable[..., Any]) -> Primitive: ...
@overload
def primitive(
    *, broadcasts: bool = ..., formula: str | None = ...
) -> Callable[[Callable[..., Any]], Primitive]: ...
def primitive(
    forward: Callable[..., Any] | None = None,
    *,
    broadcasts: bool = False,
    formula: str | None = None,
) -> Primitive | Callable[[Callable[..., Any]], Primitive]:
    """Turn a NumPy function into a primitive, to be given its own derivative rules.

    Positional arguments are the inputs; keyword arguments are static and reach
    the rules as they were passed.

    Parameters
    ----------
    forward
        A function of plain NumPy arrays (and static keyword arguments).
    broadcasts
        Set it if the function broadcasts its inputs like a ufunc; gradients
        are then summed over the broadcast axes for you.
    formula
        Its mathematics, as drawings show it: ``"x·σ(x)"``.

    Returns
    -------
    Primitive
        Call it as the function; call its ``defvjp`` to give the rules.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> @ag.primitive
    ... def swish(x):
    ...     return x / (1 + np.exp(-x))
    >>> def swish_vjp(g, out, x):
    ...     s = 1 / (1 + np.exp(-x))
    ...     return g * (s + x * s * (1 - s))
    >>> _ = swish.defvjp(swish_vjp)
    >>> bool(ag.gradcheck(swish, np.linspace(-2, 2, 5)))
    True
    """

    def make(function: Callable[..., Any]) -> Primitive:
        return Primitive(function, broadcasts=broadcasts, formula=formula)

    return make if forward is None else make(forward)
