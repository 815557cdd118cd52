"""How rules enter the registry; every file beside this one is a list of such entries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, register, registry
from autograd_lite.ops.indexing import scatter

__all__ = [
    "array_function",
    "composite",
    "multi_output",
    "nondifferentiable",
    "parts",
    "rearrangement",
    "select",
    "ufunc",
]


def ufunc(
    function: Any, *rules: Rule | None, forward: Any = None, singular: bool = True, **options: Any
) -> Primitive:
    """Register the rules of a function that works element by element and broadcasts.

    ``forward`` is Python's operator for it, where there is one: the same on
    arrays, and much faster on Python numbers.
    """
    primitive = Primitive(
        forward or function,
        *rules,
        name=function.__name__,
        elementwise=True,
        singular=singular,
        **options,
    )
    register(function, primitive)
    registry[function, "__call__"] = partial(with_keywords, function, primitive)
    return primitive


def with_keywords(
    function: Any, primitive: Primitive, *inputs: Any,
    where: Any = True, dtype: Any = None, out: Any = None, **others: Any,
) -> Any:  # fmt: skip
    """Apply a ufunc in another dtype; or only where a mask allows it, with 0 elsewhere."""
    if others:
        raise UnsupportedError(
            f"np.{primitive.name} of a Value does not take {', '.join(sorted(others))}; "
            "leave it out, or pass x.data to compute without gradient"
        )
    if dtype is not None:
        arrays: list[Any] = [x if isinstance(x, Handle) else array_of(x) for x in inputs]
        inputs = tuple(np.astype(x, dtype) for x in arrays)
    return primitive(*inputs) if where is True else masked(function, primitive)(*inputs, where)


def masked(function: Any, primitive: Primitive) -> Primitive:
    """A ufunc with its mask as one more input."""

    def forward(*operands: Any) -> Any:
        *inputs, where = operands
        if any(map(is_duck_array, operands)):
            return np.where(where, function(*inputs), 0)
        result = np.asarray(function(*inputs, where=where, out=None))
        np.copyto(result, 0, where=np.logical_not(where))
        return result

    def vjp(index: int, g: Any, out: Any, *operands: Any) -> Any:
        *inputs, where = operands
        rule = primitive.rules[index]
        return 0 * g if rule is None else np.where(where, rule(g, out, *inputs), 0)

    return Primitive(
        forward, each=vjp, name=primitive.name, elementwise=True, singular=True, masks=True
    )


def array_function(
    function: Any, *rules: Rule | None, forward: Any = None, **options: Any
) -> Primitive:
    """Register the rules of a function of whole arrays; arguments after them are static.

    ``forward`` takes its place where static arguments cannot be passed by keyword.
    """
    options.setdefault("arrays", len(rules))
    primitive = Primitive(forward or function, *rules, name=function.__name__, **options)
    return register(function, primitive)


def composite(*functions: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function by what it is in terms of other functions: it needs no rule."""

    def register(definition: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            registry[function] = definition
        return definition

    return register


# Functions that only move elements: the gradient of one comes from wherever it went.


def rearrangement(*functions: Any, arrays: int = 1) -> None:
    """Register functions that copy elements of their first argument, or put zeros.

    Arguments after it, up to ``arrays``, say where; they have no derivative.
    """
    for function in functions:
        array_function(function, back_to_origins(function), *[None] * (arrays - 1), arrays=arrays)


def back_to_origins(function: Any) -> Rule:
    """The rule of a rearrangement: do to numbered places what was done to the elements."""

    def rule(g: Any, out: Any, x: Any, *places: Any, **static: Any) -> Any:
        shape = np.shape(x)
        numbers = np.arange(1, np.size(x) + 1).reshape(shape)
        # Through the registry: NumPy would not ask a Value that only says where.
        origins = registry[function](numbers, *places, **static)
        sums = scatter(g, origins, shape=(np.size(x) + 1,))
        return np.reshape(sums[1:], shape)

    return rule


# Functions with several results: one node holds the tuple, one more node selects each result.


def select_vjp(g: Any, out: Any, results: Any, index: int, count: int) -> Any:
    """The gradient of one of several results; the gaps are for the others."""
    return tuple(g if i == index else None for i in range(count))


def select_forward(results: Any, index: int, count: int) -> Any:
    return results[index]


select = Primitive(select_forward, select_vjp, name="select")

select_constant = Primitive(select.forward, name="select", differentiable=False)


def parts(results: Any, count: int) -> list[Any]:
    """The results of a function with several, each for itself; integers carry no gradient."""
    plain = unwrap(results)
    smooth = [getattr(x, "dtype", np.dtype(type(x))).kind in "fc" for x in plain]
    return [
        (select if smooth[i] else select_constant)(results, index=i, count=count)
        for i in range(count)
    ]


def multi_output(
    function: Any, rule: Rule | None, *, arrays: int = 1, **options: Any
) -> Callable[..., Any]:
    """Register a function that returns a tuple.

    The rule gets as ``g`` a tuple of gradients, None for results not used, and
    as ``out`` what `parts` takes apart.
    """
    rules = () if rule is None else (rule, *[None] * (arrays - 1))
    primitive = Primitive(function, *rules, arrays=arrays, **options)

    def call(*args: Any, **static: Any) -> Any:
        return apart(primitive(*args, **static))

    registry[function] = call
    return call


def apart(node: Any) -> Any:
    """A node that holds a tuple as a tuple of nodes, named as NumPy names them."""
    results = unwrap(node)
    if not isinstance(results, (tuple, list)):
        return node
    nodes = parts(node, len(results))
    return type(results)(*nodes) if hasattr(results, "_fields") else type(results)(nodes)


# Functions without gradient.


class Nondifferentiable(Primitive):
    """A function whose results carry no gradient; they are recorded all the same."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Handle) for x in kwargs.values()):
            args, kwargs = self._in_order(args, kwargs)
        args = tuple(np.stack(x) if holds_node(x) else x for x in args)
        result = super().__call__(*args, **kwargs)
        return apart(result) if isinstance(result, Handle) else result

    def _in_order(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Inputs passed by keyword put into their places."""
        kwargs = dict(kwargs)
        for name in self.argument_names[len(args) :]:
            if not any(isinstance(x, Handle) for x in kwargs.values()) or name not in kwargs:
                break
            args = (*args, kwargs.pop(name))
        return args, kwargs


def holds_node(x: Any) -> bool:
    """Whether it is a sequence with a Value in it, which an input cannot be."""
    return isinstance(x, (list, tuple)) and any(isinstance(part, Handle) for part in x)


def nondifferentiable(*functions: Any, **options: Any) -> None:
    """Register functions whose results carry no gradient."""
    for function in functions:
        register(function, Nondifferentiable(function, differentiable=False, **options))
