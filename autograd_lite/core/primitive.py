"""Primitives: functions with derivative rules, and the one place that applies them.

A `Primitive` is a forward function on plain arrays and a vector-Jacobian product (VJP) for each
input.  `apply` runs the function and leaves a `Node`; nodes and their inputs are the graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import Any, Literal

import numpy as np

from autograd_lite.core.calling import (
    PYTHON_SCALARS,
    called_unwritten,
    check_plain,
    computed_in_numpy,
    settle_scalar,
)
from autograd_lite.core.duck_arrays import computed_by_library, duck_types, settled
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    RuleError,
    UnsupportedError,
)
from autograd_lite.core.foreign_arrays import ORDINARY, array_in_numpy, check_ordinary
from autograd_lite.core.joint import one_of_joint
from autograd_lite.core.memory import constant, frozen
from autograd_lite.core.node import NO_PARAMETERS, Handle, split_inputs
from autograd_lite.core.objects import watch_objects
from autograd_lite.core.recorder import EAGER, record
from autograd_lite.core.recorder import current as recorder_here
from autograd_lite.core.tree import flatten, flatten_like, unflatten
from autograd_lite.core.views import is_view_of, look_into

__all__ = [
    "PYTHON_SCALARS",
    "Primitive",
    "Rule",
    "RuleOfUser",
    "apply",
    "apply_to_one",
    "is_discrete",
    "kept",
    "register",
    "registry",
    "settle_parameters",
]

current = recorder_here.get
ndarray = np.ndarray

Rule = Callable[..., Any]
RuleOfUser = (
    Callable[[Any, Any, Any], Any]
    | Callable[[Any, Any, Any, Any], Any]
    | Callable[[Any, Any, Any, Any, Any], Any]
    | Callable[[Any, Any, Any, Any, Any, Any], Any]
    | Rule
)
"""A rule, spelt so that type checkers know the parameters of a lambda."""

registry: dict[Any, Any] = {}
"""What to call for each NumPy function when an argument is a Value: mostly a Primitive."""


def register(function: Any, primitive: Primitive) -> Primitive:
    """Let a primitive be what is called for a NumPy function, and know that function."""
    primitive.function = function
    primitive.builtin = True
    registry[function] = primitive
    return primitive


IMMUTABLE = frozenset({float, int, complex, bool, str, type(None), slice, np.float64, np.float32})
"""Types of operands and parameters that nobody can change."""

WITHOUT_MEMORY = (float, int, complex, np.generic, tuple)
"""Types of results that have no memory to share."""


def apply(primitive: Primitive, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Apply a primitive to inputs of which at least one is a Value; return the new Value."""
    if len(inputs) == 1 and not parameters and not duck_types:
        return apply_to_one(primitive, inputs[0])
    recorder = current()
    if recorder is not EAGER and recorder.batch is not None:
        result = recorder.apply(primitive, inputs, parameters)
        if result is not NotImplemented:
            return result
    operands = []
    nodes = []
    requires_grad = False
    builtin = primitive.builtin
    is_eager = recorder is EAGER or recorder.keeps_constants
    for x in inputs:
        if isinstance(x, Handle):
            node = x.node
            nodes.append(node)
            operands.append(node.data)
            if node.requires_grad:
                requires_grad = primitive.differentiable
        else:
            kind = x.__class__
            if kind not in ORDINARY and builtin:
                check_ordinary(x, f"{primitive.name}: an argument")
                x = settled(x, primitive.name) if kind in duck_types else array_in_numpy(x)
            operands.append(x)
            nodes.append(kept(x) if is_eager and kind not in IMMUTABLE else x)
    forward = primitive.forward
    if duck_types:
        forward = computed_by_library(forward, operands, primitive.name)
    try:
        if builtin:
            data = forward(*operands, **parameters)
        else:
            is_single = primitive.__class__ is Primitive
            data = called_unwritten(forward, operands, nodes, parameters, primitive.name, is_single)
    except Exception as error:
        data = computed_in_numpy(primitive, operands, parameters, error)
    kind = data.__class__
    if kind is not ndarray or not data.ndim:
        data = settle_scalar(data, kind, operands)
        kind = data.__class__
    if requires_grad and not primitive.elementwise and is_discrete(data):
        requires_grad = False
    if parameters and is_eager:
        parameters = settle_parameters(parameters)
    value = record(primitive, data, parameters, requires_grad, *split_inputs(tuple(nodes)))
    is_one = builtin or (len(nodes) == 1 and not parameters)
    if not is_one and is_eager and requires_grad:
        watch_objects(value.node)
    if kind is ndarray:
        may_look = data.base is not None or data is operands[0] or not is_one
    else:
        may_look = not builtin or kind in duck_types
    return with_memory_of(inputs, value, primitive, nodes, parameters, data) if may_look else value


Handle.apply = staticmethod(apply)


def apply_to_one(primitive: Primitive, value: Handle) -> Any:
    """`apply` for a single operand, without its generality."""
    recorder = current()
    if recorder is not EAGER and recorder.batch is not None:
        result = recorder.apply(primitive, (value,), NO_PARAMETERS)
        if result is not NotImplemented:
            return result
    x = value.node
    forward, operand = primitive.forward, x.data
    try:
        if primitive.builtin:
            data = forward(operand)
        else:
            name, is_single = primitive.name, primitive.__class__ is Primitive
            data = called_unwritten(forward, [operand], [x], NO_PARAMETERS, name, is_single)
    except Exception as error:
        data = computed_in_numpy(primitive, [operand], NO_PARAMETERS, error)
    if operand.__class__ in PYTHON_SCALARS and data.__class__ not in PYTHON_SCALARS:
        data = data.item() if getattr(data, "ndim", None) == 0 else data
    requires_grad = x.requires_grad and primitive.differentiable
    result = record(primitive, data, NO_PARAMETERS, requires_grad, x)
    if data.__class__ is ndarray and (data.base is not None or data is operand):
        return with_memory_of((value,), result, primitive, [x], NO_PARAMETERS, data)
    return result


def kept(x: Any) -> Any:
    """What a graph keeps of an operand that is not a node: it stays what it was."""
    if isinstance(x, np.ndarray):
        return constant(x)
    return frozen(x)


def settle_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Static arguments that stay what they were."""
    for x in parameters.values():
        if x.__class__ not in IMMUTABLE and frozen(x) is not x:
            return {name: frozen(x) for name, x in parameters.items()}
    return parameters


def with_memory_of(
    inputs: tuple[Any, ...],
    value: Any,
    primitive: Primitive,
    nodes: list[Any],
    parameters: dict[str, Any],
    data: Any,
) -> Any:
    """A result as a view of the input whose memory it shares, if there is one."""
    for place, x in enumerate(inputs):
        if isinstance(x, Handle):
            operand = nodes[place].data
            shares = (
                not isinstance(data, WITHOUT_MEMORY)
                if data is operand
                else is_view_of(data, operand)
            )
            if shares:
                return look_into(value, x, primitive, tuple(nodes), place, parameters)
    return value


def is_discrete(data: Any) -> bool:
    """Whether a result is made of integers or booleans: steps, through which no gradient goes."""
    dtype = getattr(data, "dtype", None)
    return (data.__class__ if dtype is None else dtype.kind) in DISCRETE


DISCRETE = frozenset({"b", "i", "u", bool, int})
"""Kinds of dtypes, and Python's types."""


class Primitive:
    """A function together with its vector-Jacobian products.

    Parameters
    ----------
    forward
        Computes the result from plain arrays and static keyword arguments.
    *rules
        One for each input, called as ``rule(g, out, *inputs, **parameters)``;
        it returns the gradient with respect to that input, given ``g``, the gradient with respect
        to the result ``out``.  None marks an input that has no derivative (an index, a condition).
        Rules use NumPy functions and operators only.
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
        is exactly zero behind a mask, the engine then keeps the product zero;
        of elementwise functions only.
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
    consume
        The same as ``joint``, where nobody else needs ``g``: it may write into it.
    accumulate
        Called as ``accumulate(gradient, g, out, *inputs)`` where nobody else needs the
        gradient that the first input already has: it adds its own to it in place.
    linear
        "all": the function is linear in those inputs together that have a rule (but for what
        ``initial`` adds); "each": in each of them, as a product is.  Forward mode then applies
        it to tangents, in the place of its rules.

    Attributes
    ----------
    function
        The NumPy function that it is registered for; None if there is none.
    over
        The rules as they write their results over ``g``; None if they do not.

    Raises
    ------
    NoRuleError
        In the reverse sweep, when an input needs a gradient and has no rule.
    RuleError
        In the reverse sweep, when a rule returns a wrong shape or type.

    See Also
    --------
    autograd_lite.primitive : the decorator for functions of your own.

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
        "accumulate",
        "broadcasts",
        "builtin",
        "cheap",
        "consume",
        "differentiable",
        "each",
        "elementwise",
        "fast_path",
        "forward",
        "function",
        "joint",
        "linear",
        "masks",
        "over",
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
        consume: Rule | None = None,
        accumulate: Rule | None = None,
        linear: Literal["all", "each"] | None = None,
    ) -> None:
        self.name = name or str(getattr(forward, "__name__", type(forward).__name__))
        if singular and not elementwise:
            raise wrongly_singular(self.name)
        self.function: Any = None
        self.forward = forward
        self.rules = rules
        self.each = each
        self.joint = joint
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
        self.consume = consume
        self.accumulate = accumulate
        self.linear = linear
        self.over: Any = None
        self.fast_path = self._has_fast_path()
        self._names: tuple[str, ...] | None = None
        self._keywords: frozenset[str] | None = None
        update_wrapper(self, forward)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply to arrays (a plain result) or, if any input is a Value, record a node."""
        if self.arrays is not None:
            args, kwargs = self._bind(args, kwargs)
        for name, parameter in kwargs.items():
            if isinstance(parameter, Handle) and parameter.node.dtype.kind in "iub":
                kwargs[name] = parameter = np.asarray(parameter)[()]  # no gradient to lose
            if isinstance(parameter, Handle) or not (self.builtin or no_handle_in(parameter)):
                raise ArgumentTypeError(
                    f"{self.name}: the argument {name!r} is static and cannot be a Value; "
                    f"pass {name}={name}.data to use its number as a constant"
                )
            if self.builtin and parameter.__class__ not in ORDINARY:
                check_ordinary(parameter, f"{self.name}: the argument {name!r}")
                if isinstance(parameter, np.integer):
                    kwargs[name] = int(parameter)  # rules compute with it, beyond its dtype
        if not (self.builtin or all(isinstance(x, Handle) or no_handle_in(x) for x in args)):
            return OfContainers(self, args)(*flatten(args), **kwargs)
        for x in args:
            if isinstance(x, Handle) or hasattr(x, "outranks_values"):
                return x.apply(self, args, kwargs)
        data = self.forward(*args, **kwargs)
        if not self.builtin:
            check_plain(self.name, data)
        return data

    def __repr__(self) -> str:
        return f"<Primitive {self.name}>"

    def __reduce__(self) -> str:
        """Pickled by name, as functions are: rules are code, not data."""
        return str(getattr(self, "__qualname__", self.name))

    def defvjp(self, *rules: RuleOfUser | None) -> Primitive:
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
        self._check_rules("defvjp", rules, "(g, out, *inputs)")
        self.rules = rules
        self.over = None
        self.fast_path = self._has_fast_path()
        return self

    def _check_rules(self, method: str, rules: tuple[Rule | None, ...], arguments: str) -> None:
        for index, rule in enumerate(rules):
            if rule is not None and not callable(rule):
                raise ArgumentTypeError(
                    f"{self.name}.{method}: rule {index} is {rule!r}; "
                    f"pass a function of {arguments}, or None for no derivative"
                )

    def _has_fast_path(self) -> bool:
        """Whether it broadcasts one or two inputs, each with a rule: most operations do."""
        return self.broadcasts and len(self.rules) in (1, 2) and None not in self.rules

    def rules_for(self, inputs: Sequence[Any]) -> tuple[Rule | None, ...]:
        """One rule for each of these inputs; shorter if rules are missing."""
        if self.each is not None:
            return tuple(partial(self.each, index) for index in range(len(inputs)))
        if self.joint is not None:
            found: list[Any] = []
            return tuple(partial(one_of_joint, self, found, index) for index in range(len(inputs)))
        return self.rules

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
            rule = self.each or self.joint or next(filter(None, self.rules), None)
            if rule is None:
                return None
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
                    raise UnsupportedError(
                        f"{self.name}: the argument {name!r} has no derivative rule here; "
                        "leave it out, or pass x.data to compute without gradient"
                    )
        for x in args:
            if isinstance(x, (list, tuple)):
                as_array = registry[np.array]  # which may hold Values
                args = tuple(as_array(x) if isinstance(x, (list, tuple)) else x for x in args)
                break
        return args, kwargs


def wrongly_singular(name: str) -> ArgumentValueError:
    """The error of ``singular=True`` for what is not elementwise."""
    return ArgumentValueError(
        f"{name}: singular=True keeps a gradient zero, element by element, where that of the "
        "result is, so it goes with elementwise functions only; pass elementwise=True if it is "
        "one, else leave singular out"
    )


def no_handle_in(x: Any) -> bool:
    """Whether it is not a container of handles."""
    return not any(isinstance(leaf, Handle) for leaf in flatten(x))


class OfContainers(Primitive):
    """A primitive as a function of the numbers in its arguments, some of which are containers.

    A rule gets the containers and returns the gradient nested as its argument.
    """

    __slots__ = ()

    def __init__(self, primitive: Primitive, args: tuple[Any, ...]) -> None:
        def forward(*leaves: Any, **parameters: Any) -> Any:
            return primitive.forward(*unflatten(args, leaves), **parameters)

        super().__init__(
            forward,
            name=primitive.name,
            broadcasts=primitive.broadcasts,
            masks=primitive.masks,
            formula=primitive.formula,
        )
        self.singular = primitive.singular
        self.primitive = primitive
        self.args = args

    def rules_for(self, inputs: Sequence[Any]) -> tuple[Rule | None, ...]:
        """A rule for each number; those of one container share what its rule returns."""
        rules: list[Rule | None] = []
        for rule, arg in zip(self.primitive.rules_for(self.args), self.args, strict=False):
            found: list[Any] = []
            rules.extend(
                None if rule is None else partial(self._part, rule, arg, found, place)
                for place in range(len(flatten(arg)))
            )
        return tuple(rules)

    def _part(
        self, rule: Rule, arg: Any, found: list[Any], place: int, g: Any, out: Any,
        *leaves: Any, **parameters: Any,
    ) -> Any:  # fmt: skip
        """The gradient of one of the numbers in a container."""
        if not found:
            gradients = rule(g, out, *unflatten(self.args, leaves), **parameters)
            found.extend(self._in_order(gradients, arg))
        return found[place]

    def _in_order(self, gradients: Any, arg: Any) -> list[Any]:
        """What a rule returned for a container, in the order of the container's own parts."""
        try:
            found = flatten_like(gradients, arg)
        except ArgumentValueError as error:
            what, _, _ = str(error).partition(";")
            raise RuleError(
                f"{self.name}: the rule for a container returned something nested in another way: "
                f"{what}; return a gradient for each array, nested as the argument is, and 0 "
                "where there is none"
            ) from None
        if any(x is None for x in found):
            raise RuleError(
                f"{self.name}: the rule for a container returned None among its gradients; "
                "return 0 where there is none"
            )
        return found
