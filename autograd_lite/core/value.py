"""Value: a handle on a node of the graph that behaves like the number or array it holds.

Operators and NumPy's two protocols (``__array_ufunc__``, NEP 13, and
``__array_function__``, NEP 18) look up what to do in the registry of
primitives, so ordinary NumPy code records its own graph.
"""

from __future__ import annotations

import opcode
import operator
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from autograd_lite.core.array_methods import ArrayMethods
from autograd_lite.core.backward import conjugate
from autograd_lite.core.duck_arrays import check_lengths, computed_by_library, is_duck_array
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    BackwardError,
    InPlaceError,
    NoRuleError,
    UnsupportedError,
)
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node, serials
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import PYTHON_SCALARS, Primitive, apply, apply_to_one, registry
from autograd_lite.core.pullback import Pullback, as_cotangent, unit_cotangent
from autograd_lite.core.recorder import EAGER, make_values_by, new_node, record
from autograd_lite.core.recorder import current as recorder_here

__all__ = ["Value", "as_data", "own_memory", "start_of_sweep"]

STORE_SUBSCR = opcode.opmap["STORE_SUBSCR"]

IN_PLAIN_ARRAY = (
    "a Value cannot be put into a plain array, its gradient would be lost: build arrays of "
    "Values with ag.array or np.stack, replace parts with x.at[i].set(v), or pass x.data "
    "to use the number as a constant"
)

CONSTANTS = frozenset({float, int, complex, bool, np.ndarray, np.float64, np.float32})


def as_data(data: Any, argument: str) -> Any:
    """Check what a Value is to hold; a Python number stays one, the rest becomes an array."""
    if data.__class__ is float or data.__class__ is complex:
        return data
    if data.__class__ is int:
        return float(data)
    if isinstance(data, Handle):
        raise ArgumentTypeError(
            f"{argument} is already a Value; use it as it is, or pass its .data for a new leaf"
        )
    if isinstance(data, (list, tuple)) and holds_value(data):
        raise ArgumentTypeError(
            f"{argument} is a list of Values; use ag.array or np.stack to join them "
            "with their gradients, or pass their .data"
        )
    try:
        fits = isinstance(data, (np.ndarray, np.generic)) or is_duck_array(data)
        array = data if fits else np.asarray(data)
    except ValueError as error:
        raise ArgumentValueError(
            f"{argument} is a ragged list: its rows differ in length; pass rows of equal length"
        ) from error
    check_lengths(array, argument)
    kind = array.dtype.kind
    if kind in "iu":
        return array.astype(np.float64)
    if kind not in "fc":
        raise ArgumentTypeError(
            f"{argument} must hold real or complex numbers, not {type(data).__name__} "
            f"of dtype {array.dtype}; convert it to float first"
        )
    return np.asarray(array) if isinstance(array, np.generic) else array


def holds_value(data: Any) -> bool:
    stack = [data]
    while stack:
        x = stack.pop()
        if isinstance(x, Handle):
            return True
        if isinstance(x, (list, tuple)):
            stack.extend(x)
    return False


def unary(function: Any) -> Callable[[Value], Value]:
    def operate(self: Value) -> Value:
        result: Value = apply_to_one(registry[function], self)
        return result

    return operate


Operator = Callable[["Value", Any], Any]


def binary(function: Any) -> tuple[Operator, Operator]:
    """An operator and its reflection."""
    return make_operator(function, reflected=False), make_operator(function, reflected=True)


def make_operator(function: Any, reflected: bool) -> Operator:
    """Scalar graphs spend their time here, so that `record` is written out."""
    primitive: Any = None

    def operate(self: Value, other: Any) -> Any:
        nonlocal primitive
        if primitive is None:
            primitive = registry[function]
        x = self.node
        requires_grad = x.requires_grad
        if other.__class__ is Value or isinstance(other, Handle):
            other = other.node
            operand = other.data
            requires_grad = requires_grad or other.requires_grad
        elif other.__class__ in CONSTANTS:
            operand = other
        else:
            return unusual(primitive, self, other, reflected)
        forward = primitive.forward
        try:
            data = forward(operand, x.data) if reflected else forward(x.data, operand)
        except (ArithmeticError, TypeError):
            data = otherwise(primitive, x.data, operand, reflected)
        if not primitive.differentiable:
            requires_grad = False
        if current() is not EAGER:
            operands = (other, x) if reflected else (x, other)
            return record(primitive, data, NO_PARAMETERS, requires_grad, *operands)
        node = new_node()
        node.data = data
        node.grad = None
        node.label = None
        node.serial = next(serials)
        node.primitive = primitive
        node.parameters = NO_PARAMETERS
        node.requires_grad = requires_grad
        if reflected:
            node.left = other
            node.right = x
        else:
            node.left = x
            node.right = other
        node.rest = ()
        result = new_value()
        result.node = node
        return result

    return operate


def otherwise(primitive: Primitive, x: Any, other: Any, reflected: bool) -> Any:
    """What operands refused: in NumPy 1/0 is inf, and a library may need its own arrays."""
    left, right = (other, x) if reflected else (x, other)
    if left.__class__ in PYTHON_SCALARS and right.__class__ in PYTHON_SCALARS:
        return primitive.forward(np.float64(left), np.float64(right)).item()
    return computed_by_library(primitive.forward, [left, right], primitive.name)(left, right)


def unusual(primitive: Primitive, value: Value, other: Any, reflected: bool) -> Any:
    """An operand of a less common type: lists and NumPy scalars are numbers, the rest is not."""
    if isinstance(other, (list, tuple)):
        other = as_data(other, "the operand")
    elif not isinstance(other, (np.generic, np.ndarray)) and not hasattr(other, "__array_ufunc__"):
        return NotImplemented
    if getattr(other, "dtype", np.dtype(float)).kind not in "fciub":
        return NotImplemented
    return apply(primitive, (other, value) if reflected else (value, other), NO_PARAMETERS)


class Value(ArrayMethods):
    """A number or array whose computations are recorded, so that they can be differentiated.

    Parameters
    ----------
    data : float, complex, array_like
        A Python number stays a Python number.  Anything else becomes an array
        that is not copied; lists and integers become float64, ``float32`` and
        other float types stay as they are.
    requires_grad : bool
        Whether gradients are computed for it.
    label : str, optional
        A name for drawings and error messages.

    Attributes
    ----------
    data
        The number or array.
    grad
        The gradient of the last ``backward()``, of the shape and dtype of
        ``data``; None before.

    Raises
    ------
    ArgumentTypeError
        If ``data`` holds booleans, strings or objects.
    ArgumentValueError
        If ``data`` is a ragged list.

    Notes
    -----
    Comparisons give a Value of booleans that carries no gradient; it works in
    ``if``, as an index and in ``np.where`` as the array of booleans would.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_lite import Value
    >>> x = Value([1.0, 2.0, 3.0])
    >>> y = np.sum(x ** 2)
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.])
    """

    __slots__ = ("__weakref__",)

    def __init__(self, data: Any, *, requires_grad: bool = True, label: str | None = None) -> None:
        self.node = Node.leaf(as_data(data, "data"), requires_grad, label)

    # What is known of it: attributes of its node.

    @property
    def data(self) -> Any:
        """The number or array."""
        return self.node.data

    @data.setter
    def data(self, data: Any) -> None:
        self.node.data = data

    @property
    def grad(self) -> Any:
        """The gradient of the last ``backward()``; None before."""
        return self.node.grad

    @grad.setter
    def grad(self, grad: Any) -> None:
        self.node.grad = grad

    @property
    def label(self) -> str | None:
        """A name for drawings and error messages."""
        return self.node.label

    @label.setter
    def label(self, label: str | None) -> None:
        self.node.label = label

    @property
    def requires_grad(self) -> bool:
        """Whether gradients are computed for it."""
        return self.node.requires_grad

    @requires_grad.setter
    def requires_grad(self, requires_grad: bool) -> None:
        self.node.requires_grad = requires_grad

    # The gradient.

    def backward(self, seed: Any = None, *, retain_graph: bool = True) -> None:
        """Set ``.grad`` on every Value that this one was computed from.

        Leaves add the new gradient to the one they have, as in PyTorch;
        intermediate Values only ever show the gradient of the last sweep.

        Parameters
        ----------
        seed : array_like, optional
            The gradient with respect to this Value; must have its shape.
            May be left out for a single number, where it is 1.
        retain_graph : bool
            False frees each node as soon as the sweep has passed it; only
            leaves then get a gradient.

        Raises
        ------
        BackwardError
            If nothing here requires a gradient, if the Value is not a single
            number and no seed is given, or if the graph was freed before.
        ArgumentValueError
            If the seed has another shape than this Value.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> a, b = Value(2.0), Value(-3.0)
        >>> (a * b + a).backward()
        >>> a.grad, b.grad
        (-2.0, 2.0)
        """
        root = self.node
        pullback = Pullback([root])
        order = pullback.order if retain_graph else pullback.order[:]
        start = start_of_sweep(root, seed)
        found = pullback.sweep([start], free=not retain_graph)
        if len(found) < len(order):
            for node in order:
                if node not in found and node.primitive is not None:
                    node.grad = None
        shared: set[int] | None = None
        for node, g in found.items():
            if g.__class__ is not float:
                g = conjugate(g)
            if node.primitive is not None:
                node.grad = g
            elif node.grad is not None:
                node.grad = node.grad + g
            elif g.__class__ is float:
                node.grad = g
            else:
                # A leaf's gradient is the caller's to change: no view, and no other node's.
                shared = repeated(found.values()) if shared is None else shared
                node.grad = own_memory(g, shared)

    def detach(self) -> Value:
        """Return a new leaf with the same data that requires no gradient.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> (Value(2.0) * 3).detach()
        Value(6.0)
        """
        return Value(self.data, requires_grad=False, label=self.label)

    @property
    def at(self) -> At:
        """Replacements of parts: ``x.at[i].set(v)`` and ``x.at[i].add(v)`` give a new Value."""
        return At(self)

    # Operators.

    __add__, __radd__ = binary(np.add)
    __sub__, __rsub__ = binary(np.subtract)
    __mul__, __rmul__ = binary(np.multiply)
    __truediv__, __rtruediv__ = binary(np.divide)
    __floordiv__, __rfloordiv__ = binary(np.floor_divide)
    __mod__, __rmod__ = binary(np.remainder)
    __pow__, __rpow__ = binary(operator.pow)
    __matmul__, __rmatmul__ = binary(np.matmul)
    __and__, __rand__ = binary(np.bitwise_and)
    __or__, __ror__ = binary(np.bitwise_or)
    __xor__, __rxor__ = binary(np.bitwise_xor)
    __lt__, _ = binary(np.less)
    __le__, _ = binary(np.less_equal)
    __gt__, _ = binary(np.greater)
    __ge__, _ = binary(np.greater_equal)
    __eq__, _ = binary(np.equal)
    __ne__, _ = binary(np.not_equal)
    __neg__ = unary(np.negative)
    __pos__ = unary(np.positive)
    __abs__ = unary(np.absolute)
    __invert__ = unary(np.invert)
    __hash__ = object.__hash__

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        called = method == "__call__" and not kwargs
        primitive = registry.get(ufunc if called else (ufunc, method))
        if called and primitive.__class__ is Primitive:
            if len(inputs) == 1:
                return apply_to_one(primitive, self)
            return apply(primitive, inputs, NO_PARAMETERS)
        if method == "at":
            raise InPlaceError(
                f"np.{ufunc.__name__}.at writes in place, which would lose the gradient; "
                "write x = x.at[i].add(v) for np.add.at(x, i, v)"
            )
        if any(x is not None for x in kwargs.get("out", ())):
            raise InPlaceError(
                f"np.{ufunc.__name__} cannot write its result into out= where a Value is "
                "involved; omit out= (or write a = a + x for a += x) "
                "and use the Value that is returned"
            )
        if primitive is None:
            raise no_ufunc_rule(ufunc, method, kwargs)
        return primitive(*inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        primitive = registry.get(function)
        if primitive is None:
            raise no_rule(function)
        if kwargs.get("out") is not None:
            raise InPlaceError(
                f"np.{function.__name__} cannot write its result into out= where a Value is "
                "involved; omit out= and use the Value that is returned"
            )
        return primitive(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.node.requires_grad:
            raise ArgumentTypeError(IN_PLAIN_ARRAY)
        return np.array(self.node.data, dtype, copy=copy)

    # Python's protocols.

    def __getitem__(self, index: Any) -> Value:
        parts = index if isinstance(index, tuple) else (index,)
        result: Value = registry[operator.getitem](self, *parts)
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        raise InPlaceError(
            "a Value cannot be written in place; write x = x.at[i].set(v) for x[i] = v "
            "and x = x.at[i].add(v) for x[i] += v"
        )

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ArgumentTypeError("len() of a Value that is a single number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if self.ndim == 0:
            raise ArgumentTypeError("iteration over a Value that is a single number")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.data)

    def __float__(self) -> float:
        # NumPy asks for a float both in float(x), which is the caller's will, and in
        # array[i] = x, where the gradient would be lost without a word.
        caller = sys._getframe(1)
        if self.requires_grad and caller.f_code.co_code[caller.f_lasti] == STORE_SUBSCR:
            raise ArgumentTypeError(IN_PLAIN_ARRAY)
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __complex__(self) -> complex:
        return complex(self.data)

    def __index__(self) -> int:
        return operator.index(self.data)

    def __format__(self, specification: str) -> str:
        return format(self.data if self.ndim else self.item(), specification)

    def __repr__(self) -> str:
        name = type(self).__name__
        parts = [show(self.data, len(name) + 1)]
        if self.ndim and self.dtype != np.float64 and self.dtype != bool:
            parts.append(f"dtype={self.dtype}")
        if self.grad is not None:
            parts.append(f"grad={show(self.grad, len(name) + 1)}")
        if self.label is not None:
            parts.append(f"label={self.label!r}")
        return f"{name}({', '.join(parts)})"

    def __reduce__(self) -> Any:
        return restore, (type(self), self.data, self.grad, self.requires_grad, self.label)


def start_of_sweep(root: Node, seed: Any) -> Any:
    """The cotangent that ``backward`` begins with: what was given, or 1 for a single number."""
    if not root.requires_grad:
        raise BackwardError(
            "backward() on a Value that requires no gradient: it was made with "
            "requires_grad=False, under no_grad, or by a function without derivative"
        )
    if seed is None:
        if root.data.__class__ is float:
            return 1.0
        if root.size != 1:
            raise BackwardError(
                f"backward() without a seed needs a single number, and this Value has shape "
                f"{root.shape}; reduce it first (np.sum, np.mean) "
                "or pass a seed of that shape"
            )
        return unit_cotangent(root)
    if isinstance(seed, Handle):
        seed = seed.node.data
    if np.shape(seed) != root.shape:
        raise ArgumentValueError(
            f"the seed has shape {np.shape(seed)}, but this Value has shape {root.shape}; "
            "a seed is the gradient with respect to the Value and has its shape"
        )
    cotangent = conjugate(as_cotangent(seed, root, "seed", "Value"))
    # The gradient that is kept must not be the caller's array; a Python number cannot change.
    is_callers = cotangent is seed and hasattr(seed, "copy")
    return cotangent.copy() if is_callers else cotangent


def repeated(gradients: Iterable[Any]) -> set[int]:
    """Identities of the objects that occur more than once among these gradients."""
    return {identity for identity, count in Counter(map(id, gradients)).items() if count > 1}


def own_memory(g: Any, shared: set[int]) -> Any:
    """A gradient that the caller may write to: a copy of a view, and of what is shared."""
    is_shared = id(g) in shared or getattr(g, "base", None) is not None
    is_array = isinstance(g, np.ndarray) or is_duck_array(g)
    return g.copy() if is_shared and is_array else g


def show(data: Any, indent: int) -> str:
    if isinstance(data, np.ndarray):
        return np.array2string(data, separator=", ", prefix=" " * indent)
    return repr(data.item() if isinstance(data, np.generic) else data)


def restore(cls: type[Value], data: Any, grad: Any, requires_grad: bool, label: str) -> Value:
    """Rebuild a copied or unpickled Value as a leaf."""
    value = cls.__new__(cls)
    value.node = Node.leaf(data, requires_grad, label)
    value.grad = grad
    return value


def no_ufunc_rule(ufunc: Any, method: str, kwargs: dict[str, Any]) -> AutogradError:
    """The error for a ufunc, one of its methods, or keywords that have no rule."""
    if method == "__call__" and ufunc in registry:
        return UnsupportedError(
            f"np.{ufunc.__name__} of a Value does not take {', '.join(sorted(kwargs))}; "
            "leave it out, or pass x.data to compute without gradient"
        )
    return no_rule(ufunc, "" if method == "__call__" else f".{method}")


def no_rule(function: Any, method: str = "") -> NoRuleError:
    module = getattr(function, "__module__", None) or "numpy"
    name = f"{module}.{function.__name__}{method}"
    return NoRuleError(
        f"{name} has no derivative rule in autograd_lite; write one with ag.primitive and "
        "defvjp, or pass x.data to use the number as a constant"
    )


class At:
    """Part of a Value that is to be replaced; made by ``x.at[index]``.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> x = Value([1.0, 2.0, 3.0])
    >>> x.at[0].set(10.0)
    Value([10.,  2.,  3.])
    >>> x.at[[0, 0]].add(1.0)
    Value([3., 2., 3.])
    """

    __slots__ = ("index", "value")

    def __init__(self, value: Value) -> None:
        self.value = value
        self.index: tuple[Any, ...] | None = None

    def __getitem__(self, index: Any) -> At:
        part = At(self.value)
        part.index = index if isinstance(index, tuple) else (index,)
        return part

    def _replace(self, how: str, replacement: Any) -> Value:
        if self.index is None:
            raise ArgumentTypeError(f"x.at.{how}(v) lacks an index; write x.at[i].{how}(v)")
        result: Value = registry[f"at.{how}"](self.value, replacement, *self.index)
        return result

    def set(self, replacement: Any) -> Value:
        """A copy with this part replaced; where an index repeats, the last one counts."""
        return self._replace("set", replacement)

    def add(self, increment: Any) -> Value:
        """A copy with this part increased; where an index repeats, increments add up."""
        return self._replace("add", increment)


# Results are made empty, for `record` to fill in: Value.__init__ has nothing to check there.
new_value = partial(object.__new__, Value)
make_values_by(new_value)
current = recorder_here.get
