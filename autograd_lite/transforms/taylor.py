"""Taylor coefficients along a line, by arithmetic of truncated power series.

The function is called on a `Series` in the place of its argument.  Sums, products and quotients of
series have their textbook formulas.  For any other elementwise function y = f(u) the rule of
reverse mode is enough: y' = f'(u) u' is the rule applied to the series u', and the coefficients of
y follow from those of y' one by one (A. Griewank, A. Walther, "Evaluating Derivatives", 2008,
chapter 13).
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from math import prod
from typing import Any

from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    UnsupportedError,
)
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.signatures import bind, full_name, import_rules
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.transforms.trace import is_number

__all__ = ["taylor"]


def taylor(
    function: Callable[[Any], Any], primal: Any, direction: Any = None, *, order: int
) -> Any:
    """The Taylor coefficients of a function along a line: of f(x + t v) by t, up to an order.

    The k-th derivative in that direction is k! times the k-th coefficient.  It takes one call of
    the function, whose operations are done with polynomials of t: the work grows with a small
    power of the order, and not exponentially as that of nested first derivatives.

    Parameters
    ----------
    function
        Takes a number or array and returns one, or a nesting of them.
    primal
        Where to expand it: x.
    direction
        v, shaped as ``primal``; 1 for a number if it is left out.
    order
        The highest power of t.

    Returns
    -------
    coefficients
        For each result an array with one more axis, the first, of ``order + 1`` coefficients.
        Values among the arguments have gradients.

    Raises
    ------
    ArgumentTypeError
        If an argument or a result is not a number.
    ArgumentValueError
        If the direction has another shape than ``primal``, or the order is negative.
    UnsupportedError
        If the function uses an operation that has no series here, as a decomposition of matrices.

    Notes
    -----
    Comparisons and other steps see the value at t = 0: on an edge the coefficients are those of
    the branch that is taken there.  Derivatives at 0 that are infinite are so here too.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.taylor(np.exp, 0.0, order=4)
    array([1.        , 1.        , 0.5       , 0.16666667, 0.04166667])
    >>> ag.taylor(lambda x: x[0] * x[1] ** 2, np.array([1.0, 2.0]), np.array([1.0, 1.0]), order=3)
    array([4., 8., 5., 1.])
    """
    if not is_number(primal):
        raise ArgumentTypeError(
            f"taylor: the argument is {type(primal).__name__}; pass one number or array"
        )
    if direction is None and np.ndim(primal) == 0:
        direction = 1.0
    if direction is None or np.shape(direction) != np.shape(primal):
        raise ArgumentValueError(
            f"taylor: the direction has shape {np.shape(direction)} for an argument of shape "
            f"{np.shape(primal)}; pass a direction of that shape"
        )
    order = operator.index(order)
    if order < 0:
        raise ArgumentValueError(f"taylor: the order is {order}; pass 0 or more")
    start = primal if isinstance(primal, Handle) else as_floats(primal)
    steps: Any = direction if isinstance(direction, Handle) else as_floats(direction)
    if steps.dtype.kind == "f":
        steps = steps.astype(np.result_type(unwrap(start)))
    zeros = [np.zeros_like(unwrap(start)) for _ in range(order - 1)]
    result = function(Series([start, steps, *zeros][: order + 1], {}))
    return unflatten(result, [stacked(leaf, order) for leaf in flatten(result)])


def as_floats(x: Any) -> Any:
    """Numbers as floats of their precision; without axes they are NumPy's numbers."""
    array = np.asarray(x)
    return (array if array.dtype.kind in "fc" else array.astype(float))[()]


def stacked(result: Any, order: int) -> Any:
    """The coefficients of a result along a first axis; a constant has one."""
    if not isinstance(result, Series):
        if not is_number(result):
            raise ArgumentTypeError(
                f"taylor: the function returned {type(result).__name__}; return numbers and arrays"
            )
        result = constant(result, order, {})
    return np.stack([np.broadcast_to(c, result.shape) for c in result.coefficients])


class Series:
    """A truncated power series in the place of an array."""

    outranks_values = True
    """Operators of a Value and a series are those of the series."""

    __slots__ = ("coefficients", "memo", "root")

    def __init__(self, coefficients: Sequence[Any], memo: dict[Any, Any], root: Any = None) -> None:
        self.coefficients = coefficients
        self.memo = memo
        """Series of functions of series, which longer ones continue; shared by a whole call."""
        self.root = self if root is None else root
        """The same for a series and those that it begins with."""

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.coefficients[0])

    @property
    def dtype(self) -> Any:
        return np.result_type(unwrap(self.coefficients[0]))

    @property
    def order(self) -> int:
        return len(self.coefficients) - 1

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: prod(self.shape))
    T = property(lambda self: np.transpose(self))
    real = property(lambda self: np.real(self))
    imag = property(lambda self: np.imag(self))

    def upto(self, order: int) -> Series:
        return Series(self.coefficients[: order + 1], self.memo, self.root)

    def each(self, function: Callable[[Any], Any]) -> Series:
        """A linear function of it."""
        return Series([function(c) for c in self.coefficients], self.memo)

    def derivative(self) -> Series:
        return Series([k * c for k, c in enumerate(self.coefficients)][1:], self.memo)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            definition = registry.get((ufunc, method))
            if definition is None or isinstance(definition, Primitive) or "out" in kwargs:
                raise no_series(f"{full_name(ufunc)} with {method} or keywords")
            return definition(*inputs, **kwargs)
        return apply(ufunc, inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in ABOUT_SHAPES:
            return function(*[at_zero(x) for x in args], **kwargs)
        if function in LINEAR:
            return linear(function, args, kwargs)
        if function in JOINING:
            parts = in_common(args[0])
            return joined(partial(function, **kwargs), parts, args[1:])
        if function in BILINEAR:
            return products(partial(bilinear_call, function, args[2:], kwargs), *args[:2])
        if function is np.where and len(args) == 3:
            return chosen(*args)
        if function in DEFINED:
            return DEFINED[function](*args, **kwargs)
        definition = registry.get(function)
        if definition is None or isinstance(definition, Primitive):
            if definition is None or not (definition.elementwise or not definition.differentiable):
                raise no_series(full_name(function))
            return self.apply(definition, args, kwargs)
        # One in terms of other functions; what it leaves to NumPy comes back here.
        if function in self.memo.setdefault(DEFINING, set()):
            raise no_series(full_name(function))
        self.memo[DEFINING].add(function)
        try:
            args, kwargs = bind(function, definition, args, kwargs)
            return inspect.unwrap(definition)(*args, **kwargs)
        finally:
            self.memo[DEFINING].discard(function)

    def apply(self, primitive: Primitive, args: Sequence[Any], static: dict[str, Any]) -> Any:
        """A primitive of series, which rules may name directly."""
        if not primitive.differentiable:
            return primitive.forward(*map(at_zero, args), **static)
        if not primitive.elementwise:
            raise no_series(primitive.name)
        return solved(primitive, args, static)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise no_series("what makes a plain array of its argument")

    def __float__(self) -> float:
        raise no_series("float(), which math's functions call,", "NumPy's functions, as np.sin")

    def __bool__(self) -> bool:
        return bool(at_zero(self))

    def __setitem__(self, index: Any, content: Any) -> None:
        raise no_series("x[i] = v", "np.where or np.concatenate, which make a new array")

    def __getitem__(self, index: Any) -> Any:
        return self.each(lambda c: c[index])

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> Any:
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)


METHODS = (
    *("sum", "mean", "prod", "var", "std", "max", "min", "cumsum", "cumprod", "dot", "trace"),
    *("diagonal", "ravel", "squeeze", "swapaxes", "repeat", "take", "clip", "conj", "argmax"),
    *("argmin", "astype"),
)

OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide,
    "matmul": np.matmul, "mod": np.remainder, "floordiv": np.floor_divide, "pow": operator.pow,
}  # fmt: skip
COMPARISONS = {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal,
}  # fmt: skip


def method(function: Any) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: function(self, *args, **kwargs)


for name in METHODS:
    setattr(Series, name, method(getattr(np, name)))
for name, function in OPERATORS.items():
    setattr(Series, f"__{name}__", lambda x, y, _f=function: apply(_f, (x, y)))
    setattr(Series, f"__r{name}__", lambda x, y, _f=function: apply(_f, (y, x)))
for name, function in COMPARISONS.items():
    setattr(Series, f"__{name}__", lambda x, y, _f=function: apply(_f, (x, y)))
for name, function in {"neg": np.negative, "pos": np.positive, "abs": np.absolute}.items():
    setattr(Series, f"__{name}__", lambda x, _f=function: apply(_f, (x,)))

DEFINING = "functions whose definitions are being computed"

ABOUT_SHAPES = {
    np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj, np.isrealobj,
    np.zeros_like, np.ones_like, np.empty_like,
}  # fmt: skip
LINEAR = {
    np.sum, np.mean, np.reshape, np.ravel, np.transpose, np.swapaxes, np.moveaxis, np.squeeze,
    np.expand_dims, np.broadcast_to, np.take, np.diagonal, np.diag, np.trace, np.flip, np.roll,
    np.rot90, np.cumsum, np.diff, np.tile, np.repeat, np.real, np.imag, np.tril, np.triu, np.copy,
    np.astype, np.atleast_1d, np.atleast_2d, np.matrix_transpose, np.fliplr, np.flipud,
    np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft,
}  # fmt: skip
JOINING = {np.concatenate, np.stack, np.hstack, np.vstack, np.column_stack}
BILINEAR = {np.dot, np.inner, np.outer, np.tensordot, np.kron, np.convolve, np.cross}
LINEAR_UFUNCS = {np.negative, np.positive, np.conjugate, np.deg2rad, np.rad2deg}


def no_series(what: str, instead: str = "nested ag.derivative, or ag.jvp of ag.jvp") -> Exception:
    return UnsupportedError(f"taylor: {what} has no power series here; write {instead}")


def at_zero(x: Any) -> Any:
    """The value at t = 0."""
    if isinstance(x, (list, tuple)):
        return type(x)([at_zero(y) for y in x])
    return x.coefficients[0] if isinstance(x, Series) else x


def constant(x: Any, order: int, memo: dict[Any, Any]) -> Series:
    zero = 0.0 if isinstance(x, (int, float)) else np.zeros_like(unwrap(x))
    return Series([x, *[zero] * order], memo)


def in_common(parts: Sequence[Any]) -> list[Series]:
    """All as series of the same order."""
    parts = [joined(np.stack, in_common(x), ()) if holds_series(x) else x for x in parts]
    series = [x for x in parts if isinstance(x, Series)]
    order = min(x.order for x in series)
    memo = series[0].memo
    return [x.upto(order) if isinstance(x, Series) else constant(x, order, memo) for x in parts]


def holds_series(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(isinstance(y, Series) or holds_series(y) for y in x)


def linear(function: Any, args: Any, kwargs: Any) -> Any:
    """A function that is linear in its first argument."""
    if not isinstance(args[0], Series) or any(isinstance(x, Series) for x in args[1:]):
        raise no_series(f"{full_name(function)} of these arguments")
    if function is np.astype and np.dtype(args[1]).kind not in "fc":
        return function(at_zero(args[0]), *args[1:], **kwargs)
    if NOT_LINEAR & kwargs.keys() or (function is np.diff and len(args) > 3):
        raise no_series(f"{full_name(function)} with {', '.join(kwargs)}")
    return args[0].each(lambda c: function(c, *args[1:], **kwargs))


NOT_LINEAR = {"append", "dtype", "initial", "out", "prepend"}
"""What linear functions add, round or write."""


def joined(function: Any, parts: Sequence[Series], rest: Any) -> Series:
    orders = range(parts[0].order + 1)
    return Series([function([x.coefficients[k] for x in parts], *rest) for k in orders],
                  parts[0].memo)  # fmt: skip


def chosen(mask: Any, x: Any, y: Any) -> Any:
    """`numpy.where`: by the mask at t = 0."""
    x, y = in_common((x, y)) if isinstance(x, Series) or isinstance(y, Series) else (x, y)
    mask = at_zero(mask)
    if not isinstance(x, Series):
        return np.where(mask, x, y)
    both = zip(x.coefficients, y.coefficients, strict=True)
    return Series([np.where(mask, a, b) for a, b in both], x.memo)


def bilinear_call(function: Any, rest: Any, kwargs: Any, x: Any, y: Any) -> Any:
    if "out" in kwargs:
        raise no_series(f"{full_name(function)} with out")
    return function(x, y, *rest, **kwargs)


def products(multiply: Callable[[Any, Any], Any], x: Any, y: Any) -> Series:
    """The product of two series, or of one and a constant, by Cauchy."""
    if not isinstance(x, Series):
        return y.each(lambda c: multiply(x, c))  # type: ignore[no-any-return]
    if not isinstance(y, Series):
        return x.each(lambda c: multiply(c, y))
    order = min(x.order, y.order)
    a, b = x.coefficients, y.coefficients
    terms = [[multiply(a[i], b[k - i]) for i in range(k + 1)] for k in range(order + 1)]
    return Series([sum(row[1:], row[0]) for row in terms], x.memo)


def quotient(x: Any, y: Any) -> Series:
    """x / y, from x = y · (x / y)."""
    if not isinstance(y, Series):
        return x.each(lambda c: c / y)  # type: ignore[no-any-return]
    if not isinstance(x, Series):
        x = constant(x, y.order, y.memo)
    a, b = x.coefficients, y.coefficients
    found: list[Any] = []
    for k in range(min(x.order, y.order) + 1):
        rest = sum((found[i] * b[k - i] for i in range(k)), 0 * a[k])
        found.append((a[k] - rest) / b[0])
    return Series(found, y.memo)


def plus(sign: Callable[[Any, Any], Any], x: Any, y: Any) -> Series:
    a, b = in_common((x, y))
    pairs = zip(a.coefficients, b.coefficients, strict=True)
    return Series([sign(u, v) for u, v in pairs], a.memo)


BY_FORMULA: dict[Any, Callable[..., Any]] = {
    np.add: partial(plus, np.add),
    np.subtract: partial(plus, np.subtract),
    np.multiply: partial(products, np.multiply),
    np.matmul: partial(products, np.matmul),
    np.divide: quotient,
    np.square: lambda x: products(np.multiply, x, x),
    np.reciprocal: lambda x: quotient(1.0, x),
    np.absolute: lambda x: absolute(x),
    np.logaddexp: lambda x, y: log_of_sum(x, y),
    **dict.fromkeys((operator.pow, np.power, np.float_power), lambda x, n: power(x, n)),
}


def absolute(x: Series) -> Any:
    if x.dtype.kind == "c":
        return np.sqrt(np.real(x) ** 2 + np.imag(x) ** 2)
    return x * np.sign(at_zero(x))


def log_of_sum(x: Any, y: Any) -> Any:
    is_less = at_zero(x) < at_zero(y)
    high, low = chosen(is_less, y, x), chosen(is_less, x, y)
    return high + np.log1p(np.exp(low - high))


def power(x: Any, n: Any) -> Any:
    """x ** n, for a constant n from x · y' = n · y · x'."""
    if isinstance(n, Series):
        return np.exp(n * np.log(x))
    if isinstance(n, (int, np.integer)) and n >= 0:
        result: Any = np.ones_like(at_zero(x))
        for digit in f"{n:b}":
            result = result * result * x if digit == "1" else result * result
        return result if isinstance(result, Series) else constant(result, x.order, x.memo)
    a = x.coefficients
    found = [a[0] ** n]
    for k in range(1, x.order + 1):
        terms = [(n * j - (k - j)) * a[j] * found[k - j] for j in range(1, k + 1)]
        found.append(sum(terms[1:], terms[0]) / (k * a[0]))
    return Series(found, x.memo)


def product_along(x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    rows = x.ravel() if axis is None else np.moveaxis(x, axis, 0)
    result: Any = reduce(operator.mul, rows)
    if keepdims:
        return result.reshape((1,) * x.ndim) if axis is None else np.expand_dims(result, axis)
    return result


def variance(x: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
    from_mean = x - np.mean(x, axis=axis, keepdims=True)
    squares = (from_mean * np.conjugate(from_mean)).real
    total = np.sum(squares, axis=axis, keepdims=keepdims)
    return total / (x.size / max(total.size, 1) - ddof)


def contraction(subscripts: str, *operands: Any, **options: Any) -> Any:
    """`numpy.einsum`, of one or two series."""
    places = [i for i, x in enumerate(operands) if isinstance(x, Series)]

    def of_these(*given: Any) -> Any:
        full = list(operands)
        for i, x in zip(places, given, strict=True):
            full[i] = x
        return np.einsum(subscripts, *full, **options)

    if len(places) == 1:
        return operands[places[0]].each(of_these)
    if len(places) != 2:
        raise no_series("np.einsum of more than two of them", "it for two at a time")
    return products(of_these, *(operands[i] for i in places))


def extreme(where: Callable[..., Any], x: Any, axis: Any = None, keepdims: Any = False) -> Any:
    """The element that is the largest, or the smallest, at t = 0."""
    place = where(at_zero(x), axis=axis, keepdims=True)
    if axis is None:
        return x.ravel()[np.ravel(unwrap(place))[0]] if not keepdims else x.ravel()[place]
    found = x.each(lambda c: np.take_along_axis(c, place, axis))
    return found if keepdims else np.squeeze(found, axis)


def solution(a: Any, b: Any) -> Series:
    """`numpy.linalg.solve`, from b = a @ x."""
    order = min(x.order for x in (a, b) if isinstance(x, Series))
    memo = (a if isinstance(a, Series) else b).memo
    left, right = (x if isinstance(x, Series) else constant(x, order, memo) for x in (a, b))
    found: list[Any] = []
    for k in range(order + 1):
        rest = sum(left.coefficients[k - i] @ found[i] for i in range(k))
        found.append(np.linalg.solve(left.coefficients[0], right.coefficients[k] - rest))
    return Series(found, memo)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if ord is not None:
        raise no_series("np.linalg.norm with ord", "the sum that it is")
    return np.sqrt(np.sum(np.square(abs(x)), axis=axis, keepdims=keepdims))


DEFINED: dict[Any, Callable[..., Any]] = {
    np.linalg.norm: norm,
    np.linalg.solve: solution,
    np.linalg.inv: lambda a: solution(a, np.eye(a.shape[-1], dtype=a.dtype)),
    np.einsum: contraction,
    np.max: partial(extreme, np.argmax),
    np.min: partial(extreme, np.argmin),
    np.prod: product_along,
    np.var: variance,
    np.std: lambda x, **options: np.sqrt(variance(x, **options)),
}


def apply(function: Any, inputs: Sequence[Any]) -> Any:
    """An elementwise function of series and constants."""
    inputs = [joined(np.stack, in_common(x), ()) if holds_series(x) else x for x in inputs]
    if function in BY_FORMULA:
        result = BY_FORMULA[function](*inputs)
        # The same function of the same series is the same, so that what follows is continued.
        key = (function, *map(key_of, inputs))
        result.root = result.memo.setdefault(key, (result.root, list(inputs)))[0]
        return result
    if function in LINEAR_UFUNCS:
        return inputs[0].each(function)
    primitive = registry.get(function)
    if primitive is None and import_rules():
        primitive = registry.get(function)
    if primitive is not None and not isinstance(primitive, Primitive):
        return primitive(*inputs)
    if primitive is None:
        raise no_series(full_name(function))
    first = next(x for x in inputs if isinstance(x, Series))
    return first.apply(primitive, inputs, {})


def solved(primitive: Primitive, inputs: Sequence[Any], static: dict[str, Any]) -> Series:
    """y = f(u), coefficient by coefficient, from y' = f'(u) u', which the rules are for."""
    series = [x for x in inputs if isinstance(x, Series)]
    order, memo = min(x.order for x in series), series[0].memo
    key = (primitive, *map(key_of, inputs), *((k, key_of(x)) for k, x in sorted(static.items())))
    if key not in memo:
        first = Series([primitive.forward(*map(at_zero, inputs), **static)], memo)
        memo[key] = (
            first,
            list(inputs),
        )  # the arguments live as long, so that no identity comes back
    root, _ = memo[key]
    known: list[Any] = root.coefficients
    shape = np.shape(known[0])
    rules = primitive.rules_for(inputs)
    while len(known) <= order:
        m = len(known)
        so_far = [x.upto(m - 1) if isinstance(x, Series) else x for x in inputs]
        out = Series(known[:m], memo, root)
        slopes = []
        for rule, x in zip(rules, inputs, strict=False):
            if not isinstance(x, Series):
                continue
            if rule is None:
                raise no_series(f"{primitive.name} by an argument without a derivative")
            slope = x.upto(m).derivative().each(lambda c: np.broadcast_to(c, shape))
            slopes.append(rule(slope, out, *so_far, **static))
        known.append(sum(coefficient(s, m - 1) for s in slopes) / m)
    return Series(known[: order + 1], memo, root)


def key_of(x: Any) -> Any:
    if isinstance(x, Series):
        return id(x.root)
    return (type(x), x) if isinstance(x, (int, float, complex)) else id(x)


def coefficient(x: Any, k: int) -> Any:
    if isinstance(x, Series):
        return x.coefficients[k]
    return x if k == 0 else 0 * x
