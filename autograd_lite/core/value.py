"""Value: a handle on a node of the graph that behaves like the number or array it holds.

Operators and NumPy's two protocols (``__array_ufunc__``, NEP 13, and
``__array_function__``, NEP 18) look up what to do in the registry of
primitives, so ordinary NumPy code records its own graph.
"""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

from autograd_lite.core.backward import conjugate, in_byte_order
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    BackwardError,
    UnsupportedError,
)
from autograd_lite.core.exclusive import Exclusive
from autograd_lite.core.foreign_arrays import check_subclasses
from autograd_lite.core.hooks import HookMethods
from autograd_lite.core.in_place import check_place_in_row, set_row, write_called, write_ufunc
from autograd_lite.core.leaving import Conversions, check_leaving, is_differentiated
from autograd_lite.core.memory import constant, copied
from autograd_lite.core.node import NO_PARAMETERS, Handle, Node, serials
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.operands import (
    NUMBERS,
    as_data,
    as_operands,
    operate_recorded,
    otherwise,
    unusual,
)
from autograd_lite.core.primitive import Primitive, apply, apply_to_one, registry
from autograd_lite.core.pullback import Pullback, as_cotangent, own_memory, repeated, unit_cotangent
from autograd_lite.core.recorder import EAGER, make_values_by, new_node
from autograd_lite.core.recorder import current as recorder_here
from autograd_lite.core.signatures import (
    UFUNC_DEFAULTS,
    beside_defaults,
    bind,
    check_keywords,
    full_name,
    import_rules,
    no_rule,
    unsupported,
)
from autograd_lite.core.views import Looking, is_number
from autograd_lite.core.writing_methods import WritingMethods
from autograd_lite.deprecation import renamed_arguments

__all__ = ["Row", "Value", "start_of_sweep"]

ndarray = np.ndarray


def refuse_samples(data: Any) -> None:
    if isinstance(data, Handle):
        raise UnsupportedError(
            "x.detach() makes a leaf of a plain array, and under ag.vmap there is none; write "
            "ag.stop_gradient(x)"
        )


def unary(function: Any) -> Callable[[Value], Value]:
    def operate(self: Value) -> Value:
        result: Value = apply_to_one(registry[function], self)
        return result

    return operate


Operator = Callable[["Value", Any], "Value"]


def binary(function: Any) -> tuple[Operator, Operator]:
    """An operator and its reflection."""
    return make_operator(function), make_operator(function, reflected=True)


def make_operator(function: Any, reflected: bool = False) -> Operator:
    """Scalar graphs spend their time here, so that `record` is written out."""
    primitive: Any = None

    def operate(self: Value, other: Any) -> Any:
        nonlocal primitive
        if primitive is None:
            primitive = registry[function]
        if current() is not EAGER:
            return operate_recorded(primitive, self, other, reflected)
        x = self.node
        requires_grad = x.requires_grad
        if other.__class__ is Value or isinstance(other, Handle):
            other = other.node
            operand = other.data
            requires_grad = requires_grad or other.requires_grad
        elif other.__class__ in NUMBERS:
            operand = other
        elif other.__class__ is ndarray:
            operand = other
            other = constant(other)
        else:
            return unusual(primitive, self, other, reflected)
        forward = primitive.forward
        try:
            data = forward(operand, x.data) if reflected else forward(x.data, operand)
        except (ArithmeticError, TypeError):
            data = otherwise(primitive, x.data, operand, reflected)
        if not primitive.differentiable:
            requires_grad = False
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

    operate.__qualname__ = f"Value.{function.__name__}"  # as errors about its arguments call it
    return operate


def power_without_modulus(operate: Operator) -> Operator:
    """A power, which Python may call with a third argument."""

    def power(self: Value, other: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            raise ArgumentTypeError(
                "pow(x, y, m) of Values and of arrays takes no modulus; write x**y % m"
            )
        return operate(self, other)

    power.__qualname__ = operate.__qualname__
    return power


class Value(WritingMethods["Value"], Conversions["Value"], HookMethods):
    """A number or array whose computations are recorded, so that they can be differentiated.

    Parameters
    ----------
    data : float, complex, array_like
        A Python number stays a Python number.  Anything else becomes an array of
        its own, a copy; lists and integers become float64, ``float32`` and
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
        The gradient, of the shape and dtype of ``data``, or None: of leaves the
        sum over all calls of ``backward()``, of results that of the last one.

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
        numbers = as_data(data, "data")
        is_callers = numbers is data or getattr(numbers, "base", None) is not None
        if is_callers and hasattr(numbers, "copy"):
            numbers = copied(numbers)
        self.node = Node.leaf(numbers, requires_grad, label)

    # What is known of it: attributes of its node.

    @property
    def data(self) -> Any:
        """The number or array."""
        return self._read(is_number=False)

    @data.setter
    def data(self, data: Any) -> None:
        self.node.data = data

    @property
    def grad(self) -> Any | None:
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

    @renamed_arguments(seed="cotangent")
    def backward(self, cotangent: Any = None, *, retain_graph: bool = True) -> None:
        """Set ``.grad`` on every Value that this one was computed from.

        Leaves add the new gradient to the one they have, as in PyTorch;
        intermediate Values only ever show the gradient of the last sweep.

        Parameters
        ----------
        cotangent : array_like, optional
            The gradient with respect to this Value; must have its shape.
            May be left out for a single number, where it is 1.
        retain_graph : bool
            False frees each node as soon as the sweep has passed it; only
            leaves then get a gradient.

        Raises
        ------
        BackwardError
            If nothing here requires a gradient, if the Value is not a single
            number and no cotangent is given, or if the graph was freed before.
        ArgumentValueError
            If the cotangent has another shape than this Value.
        UnsupportedError
            In a function that is differentiated, where this Value depends on its
            arguments: ``.grad`` is numbers, and what is computed from them would be
            a constant.  `gradients` gives Values there.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> a, b = Value(2.0), Value(-3.0)
        >>> (a * b + a).backward()
        >>> a.grad, b.grad
        (-2.0, 2.0)
        """
        root = self.node
        if is_differentiated(root):
            raise UnsupportedError(
                "backward() gives plain numbers, and what is computed from them in a function that "
                "is differentiated would lose its derivative.\nWrite gradients = "
                "ag.gradients(y, [w]), which are differentiated further; or call y.backward() "
                "under ag.no_grad(), if they are meant as constants"
            )
        pullback = Pullback([root])
        order = pullback.order if retain_graph else pullback.order[:]
        start = start_of_sweep(root, cotangent)
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
                node.grad = in_byte_order(node.grad + g, node)
            elif g.__class__ is float:
                node.grad = g
            else:
                g = in_byte_order(g, node)
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
        refuse_samples(self.node.data)
        return Value(self.data, requires_grad=False, label=self.label)

    # Operators.

    __add__, __radd__ = binary(np.add)
    __sub__, __rsub__ = binary(np.subtract)
    __mul__, __rmul__ = binary(np.multiply)
    __truediv__, __rtruediv__ = binary(np.divide)
    __floordiv__, __rfloordiv__ = binary(np.floor_divide)
    __mod__, __rmod__ = binary(np.remainder)
    __pow__, __rpow__ = map(power_without_modulus, binary(operator.pow))
    __matmul__, __rmatmul__ = binary(np.matmul)
    __and__, __rand__ = binary(np.bitwise_and)
    __or__, __ror__ = binary(np.bitwise_or)
    __xor__, __rxor__ = binary(np.bitwise_xor)
    __lshift__, __rlshift__ = binary(np.left_shift)
    __rshift__, __rrshift__ = binary(np.right_shift)
    __lt__ = make_operator(np.less)
    __le__ = make_operator(np.less_equal)
    __gt__ = make_operator(np.greater)
    __ge__ = make_operator(np.greater_equal)
    __eq__: ClassVar[Operator] = make_operator(np.equal)  # type: ignore[assignment]
    __ne__: ClassVar[Operator] = make_operator(np.not_equal)  # type: ignore[assignment]
    __neg__ = unary(np.negative)
    __pos__ = unary(np.positive)
    __abs__ = unary(np.absolute)
    __invert__ = unary(np.invert)
    __hash__ = Conversions.__hash__

    # NumPy's protocols.

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs:
            kwargs = beside_defaults(kwargs, UFUNC_DEFAULTS)
        called = method == "__call__" and not kwargs
        primitive = registry.get(ufunc if called else (ufunc, method))
        if called and primitive.__class__ is Primitive:
            if len(inputs) == 1:
                return apply_to_one(primitive, self)
            return apply(primitive, as_operands(inputs), NO_PARAMETERS)
        if method == "at":
            return registry["ufunc.at"](ufunc, *inputs)
        if any(x is not None for x in kwargs.get("out", ())):
            return write_ufunc(ufunc, method, inputs, **kwargs)
        if primitive is None and import_rules():
            return self.__array_ufunc__(ufunc, method, *inputs, **kwargs)
        if primitive is None:
            if method == "__call__" and ufunc in registry:
                raise unsupported(full_name(ufunc), kwargs)
            raise no_rule(ufunc, method)
        check_keywords(ufunc, primitive, kwargs, method)
        operands = inputs if method == "reduceat" else as_operands(inputs)  # a list says where
        return primitive(*operands, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        primitive = registry.get(function)
        if primitive is None:
            raise no_rule(function)
        check_subclasses(types, function)
        args, kwargs = bind(function, primitive, args, kwargs)
        if "out" in kwargs:
            return write_called(function, primitive, args, **kwargs)
        recorder = current()
        if recorder is EAGER:
            return primitive(*args, **kwargs)
        return recorder.call(function, primitive, args, kwargs)

    # Python's protocols.

    def __getitem__(self, index: Any) -> Value:
        parts = index if isinstance(index, tuple) else (index,)
        result: Value = registry[operator.getitem](self, *parts)
        return result

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ArgumentTypeError(
                "len() of a Value that is a single number; np.size(x) is 1, and np.atleast_1d(x) "
                "is an array of it"
            )
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        if self.ndim == 0:
            raise ArgumentTypeError(
                "iteration over a Value that is a single number; write for a in np.atleast_1d(x)"
            )
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        name = kind_of(self).__name__
        parts = [show(self.data, len(name) + 1)]
        if self.ndim and self.dtype != np.float64 and self.dtype != bool:
            parts.append(f"dtype={self.dtype}")
        if self.grad is not None:
            parts.append(f"grad={show(self.grad, len(name) + 1)}")
        if self.label is not None:
            parts.append(f"label={self.label!r}")
        return f"{name}({', '.join(parts)})"

    # Copies.

    def __copy__(self) -> Value:
        return self._copied(copy.copy)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        return self._copied(partial(copy.deepcopy, memo=memo))

    def _copied(self, copied: Callable[[Any], Any]) -> Value:
        """The gradient goes through the copy of a result; the copy of a leaf is another leaf."""
        node = self.node
        is_result = node.primitive is not None and node.requires_grad
        if is_result or is_differentiated(node) or isinstance(node.data, Handle):
            result: Value = registry["identity" if is_number(self) else np.copy](self)
            return result
        grad = copied(node.grad)
        return restore(kind_of(self), copied(node.data), grad, node.requires_grad, node.label)

    def __reduce__(self) -> Any:
        check_leaving(self.node, "pickle")
        data = self.data
        return restore, (
            kind_of(self),
            np.asarray(data) if isinstance(data, Handle) else data,  # refused of a sample
            self.grad,
            self.requires_grad,
            self.label,
        )


def kind_of(value: Value) -> type[Value]:
    """The class that people know a Value by."""
    return Value if isinstance(value, (Looking, Exclusive)) else type(value)


def start_of_sweep(root: Node, given: Any) -> Any:
    """The cotangent that ``backward`` begins with: what was given, or 1 for a single number."""
    if not root.requires_grad:
        if recorder_here.get().batch is not None:
            raise BackwardError(
                "a sweep back within a function that ag.vmap calls, where samples have no graph of "
                "their own; write ag.grad(f)(w), where f is the function of w that computes this "
                "Value"
            )
        raise BackwardError(
            "backward() on a Value that requires no gradient: it was made with "
            "requires_grad=False, under no_grad, or by a function without derivative"
        )
    if given is None:
        if root.data.__class__ is float:
            return 1.0
        if root.size != 1:
            raise BackwardError(
                f"backward() without a cotangent needs a single number, and this Value has shape "
                f"{root.shape}; reduce it first (np.sum, np.mean) "
                "or pass a cotangent of that shape"
            )
        return unit_cotangent(root)
    if isinstance(given, Handle):
        given = given.node.data
    if np.shape(given) != root.shape:
        raise ArgumentValueError(
            f"backward: the cotangent has shape {np.shape(given)}, but this Value has shape "
            f"{root.shape}; it is the gradient with respect to the Value, of the same shape"
        )
    cotangent = conjugate(as_cotangent(given, root, "cotangent", "Value"))
    # The gradient that is kept must not be the caller's array; a Python number cannot change.
    is_callers = cotangent is given and hasattr(given, "copy")
    return cotangent.copy() if is_callers else cotangent


def show(data: Any, indent: int) -> str:
    if isinstance(data, np.ndarray):
        return np.array2string(data, separator=", ", prefix=" " * indent)
    return repr(data.item() if isinstance(data, np.generic) else data)


def restore(
    cls: type[Value], data: Any, grad: Any, requires_grad: bool, label: str | None
) -> Value:
    """Rebuild a copied or unpickled Value as a leaf."""
    value = cls.__new__(cls)
    value.node = Node.leaf(data, requires_grad, label)
    value.grad = grad
    return value


class View(Looking, Value):
    """A Value that looks into the memory of another."""

    __slots__ = ("look", "seen")


class Row(View):
    """What ``x.flat`` is: parts of it are copies, and what is written into it repeats."""

    __slots__ = ()

    def __next__(self) -> Any:
        raise ArgumentTypeError("next(x.flat) of a Value; write next(iter(x.flat))")

    def __getitem__(self, index: Any) -> Any:
        check_place_in_row(index)
        part = Value.__getitem__(self, index)
        return np.copy(part) if isinstance(part, Looking) else part

    def __setitem__(self, index: Any, content: Any) -> None:
        set_row(self, index, content)


View.row = Row


class ExclusiveValue(Exclusive, Value):
    """A Value whose array nobody else has seen."""

    __slots__ = ()

    shared = Value


Value.exclusive = ExclusiveValue

# Results are made empty, for `record` to fill in: Value.__init__ has nothing to check there.
new_value = partial(object.__new__, Value)
make_values_by(new_value, partial(object.__new__, View))
current = recorder_here.get
