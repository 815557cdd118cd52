"""Rules of reductions along axes; ``spread`` hands a gradient back to what was reduced."""

from __future__ import annotations

from functools import partial
from typing import Any

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, register, registry
from autograd_lite.core.signatures import full_name, unsupported
from autograd_lite.ops.define import composite, nondifferentiable
from autograd_lite.ops.lengths import direction, with_curvature
from autograd_lite.ops.shaping import inverse_order, keep_axes

__all__ = [
    "at_least_zero",
    "axis_of",
    "extremum_vjp",
    "in_dtype",
    "max_",
    "mean",
    "min_",
    "prod",
    "products_of_others",
    "sum",
]

# ``axis`` counts as NumPy counts it: None for all axes, negative from the end, or a tuple.
# ``where`` is a mask of the elements that count, or True for all of them.


class Reduction(Primitive):
    """A reduction along axes.  With ``where=`` its mask is one more input."""

    __slots__ = ("masked",)

    def __init__(self, function: Any, rule: Rule, **options: Any) -> None:
        def forward(x: Any, where: Any, **static: Any) -> Any:
            return function(x, where=where, **static)

        def masked_rule(g: Any, out: Any, x: Any, where: Any, **static: Any) -> Any:
            return np.where(where, rule(g, out, x, where=where, **static), 0)

        name = function.__name__
        super().__init__(function, rule, arrays=1, **options)
        self.masked = Primitive(forward, masked_rule, None, name=name, **{**options, "masks": True})
        register(function, self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], Handle) and is_usual(args[0], kwargs):
            return args[0].apply(self, args, kwargs)
        if kwargs.get("mean") is not None:
            return about_mean(self.function, *args, **kwargs)
        if "where" not in kwargs:
            return super().__call__(*args, **kwargs)
        where = kwargs.pop("where")
        inputs, static = self._bind(args, kwargs)
        return self.masked(*inputs, where, **static)

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A number has no axes, but NumPy takes the first and the last one of it."""
        inputs, static = super()._bind(args, kwargs)
        if static and static.get("axis") is not None and not getattr(inputs[0], "shape", ()):
            self.forward(np.float64(1.0), **static)  # not in every reduction
            static = static | {"axis": axis_of(inputs[0], static["axis"])}
        return inputs, static


def is_usual(x: Any, kwargs: dict[str, Any]) -> bool:
    """Whether a reduction is one of all elements, as losses are, or along one axis of an array."""
    if not kwargs:
        return True
    axis, keepdims = kwargs.get("axis"), kwargs.get("keepdims", False)
    known = len(kwargs) == 1 + ("keepdims" in kwargs)
    return known and axis.__class__ is int and keepdims.__class__ is bool and bool(x.shape)


def axis_of(x: Any, axis: Any) -> Any:
    """The axis of an array; all of none in the place of an axis that NumPy grants a number."""
    granted = isinstance(axis, (int, tuple)) and axis in (0, -1, (0,), (-1,), ())
    return None if granted and np.ndim(x) == 0 else axis


def count_of(x: Any, out: Any, axis: Any, where: Any) -> Any:
    """How many elements were reduced to one, in the dtype of ``x``."""
    if where is True:
        return np.size(x) // max(np.size(out), 1)
    return np.sum(np.where(where, np.ones_like(x), 0), axis=axis, keepdims=True)


def in_dtype(x: Any, dtype: Any) -> Any:
    """What a reduction that is told a dtype computes with: of complex numbers the real parts."""
    if dtype is None or x.dtype == dtype:
        return x
    return np.astype(x if np.dtype(dtype).kind == "c" else np.real(x), dtype)


NUMBERS: frozenset[Any] = frozenset({np.float64, np.float32})


def spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Copy ``g`` along the reduced axes to the shape of ``x``."""
    g = keep_axes(g, axis, keepdims)
    if x.__class__ is np.ndarray and is_in_order(g) and g.ndim in (0, x.ndim):
        steps = [0 if n == 1 else step for n, step in zip(g.shape, g.strides, strict=True)]
        view: Any = np.ndarray(x.shape, g.dtype, g, 0, steps or (0,) * x.ndim)
        view.flags.writeable = False
        return view  # as below, in a fifth of the time
    return np.broadcast_to(g, np.shape(x))


def is_in_order(g: Any) -> bool:
    """Whether it is a number of NumPy's, or an array whose numbers follow each other in memory."""
    return g.__class__ in NUMBERS or (g.__class__ is np.ndarray and g.flags.c_contiguous)


def sum_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, initial: Any = 0, where: Any = True,
) -> Any:  # fmt: skip
    return spread(g, x, axis, keepdims)


def mean_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    return spread(keep_axes(g, axis, keepdims) / count_of(x, out, axis, where), x, axis, True)


def var_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    ddof: float = 0, correction: float = 0, dtype: Any = None, where: Any = True,
    mean: Any = None,
) -> Any:  # fmt: skip
    g = np.real(g) if is_complex(g) else g
    count = count_of(x, out, axis, where)
    middle = np.sum(np.where(where, in_dtype(x, dtype), 0), axis=axis, keepdims=True) / count
    freedom = at_least_zero(count - (ddof or correction))
    deviations = np.conjugate(x - middle)
    if where is not True:  # behind a mask 0 / 0 is seen in a quotient alone
        return keep_axes(g, axis, keepdims) * (2 * deviations / freedom)
    return keep_axes(g, axis, keepdims) / freedom * 2 * deviations


def about_mean(
    function: Any, x: Any, mean: Any, axis: Any = None, keepdims: bool = False,
    ddof: float = 0, correction: float = 0, dtype: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """A variance or standard deviation about a mean that is given, and has a gradient too."""
    if function not in (np.var, np.std):
        raise unsupported(full_name(function), ["mean"])
    deviations = x - mean
    real, imaginary = np.real(deviations), np.imag(deviations)
    squares = real * real + (imaginary * imaginary if is_complex(deviations) else 0)
    how = {"axis": axis, "keepdims": keepdims, "where": where}
    total = registry[np.sum](squares, dtype=dtype, **how)
    if where is True:
        count: Any = np.size(x) // max(np.size(total), 1)
    else:
        count = np.sum(np.broadcast_to(1, np.shape(x)), **how)
    variance = np.astype(total / at_least_zero(count - (ddof or correction)), total.dtype)
    if function is np.var:
        return variance
    if variance.dtype.kind not in "fc":
        raise ArgumentTypeError(
            f"np.std: dtype={dtype!r} holds no square roots; pass a floating-point dtype"
        )
    is_zero = variance == 0
    return np.where(is_zero, variance, np.sqrt(np.where(is_zero, 1, variance)))


def at_least_zero(freedom: Any) -> Any:
    """Degrees of freedom as NumPy counts them; a Python number stays one, to keep dtypes."""
    return max(freedom, 0) if isinstance(freedom, float | int) else np.maximum(freedom, 0)


def std_vjp(g: Any, out: Any, x: Any, **static: Any) -> Any:
    """The derivative of the root of `var_vjp`'s; 0 where all elements are equal."""
    axis, keepdims = static.get("axis"), static.get("keepdims", False)
    if is_complex(out):  # by dtype=, with nothing in the imaginary part
        g, out = np.real(g), np.real(out)
    deviations = var_vjp(np.ones_like(out) / 2, out, x, **static)
    share = keep_axes(g, axis, keepdims) * direction(deviations, keep_axes(out, axis, keepdims))
    return with_curvature(share, deviations, g, out, axis, keepdims)


def extremum_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    initial: Any = None, where: Any = True,
) -> Any:  # fmt: skip
    """All that attain the extremum share the gradient equally."""
    g = keep_axes(g, axis, keepdims)
    # Where there is a NaN, it is the extremum, and equals nothing.
    attained = np.logical_or(x == keep_axes(out, axis, keepdims), np.isnan(x))
    if where is not True:
        attained = np.logical_and(where, attained)
    each = attained * np.ones_like(g)  # a mask that is summed with a dtype is not a line of a loop
    return each * (g / np.maximum(np.sum(each, axis=axis, keepdims=True), 1))


def products_of_others(x: Any) -> Any:
    """For each element along the last axis the product of all the others, without division.

    Products go up a binary tree; on the way down each child gets its parent's
    product times its sibling's (G. Blelloch, "Prefix sums and their
    applications", 1990).  Exact with any number of zeros, and linear in time.
    """
    size = np.shape(x)[-1]
    levels = [x]
    while np.shape(levels[-1])[-1] > 1:
        level = levels[-1]
        if np.shape(level)[-1] % 2:
            level = np.concatenate((level, np.ones_like(level[..., :1])), axis=-1)
            levels[-1] = level
        levels.append(level[..., 0::2] * level[..., 1::2])
    others = np.ones_like(levels.pop())
    for level in reversed(levels):
        others = others[..., : np.shape(level)[-1] // 2]
        pairs = np.stack((others * level[..., 1::2], others * level[..., 0::2]), axis=-1)
        others = np.reshape(pairs, np.shape(level))
    return others[..., :size]


def prod_vjp(
    g: Any, out: Any, x: Any, axis: Any = None, keepdims: bool = False,
    dtype: Any = None, initial: Any = 1, where: Any = True,
) -> Any:  # fmt: skip
    shape = np.shape(x)
    initial = 1 if initial is None else initial
    if not shape or not np.size(x):
        return spread(g * initial, x, axis, keepdims)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    taken = [a % len(shape) for a in axes]
    order = [a for a in range(len(shape)) if a not in taken] + taken
    x = in_dtype(x, dtype)
    moved = np.transpose(x if where is True else np.where(where, x, 1), order)
    kept = np.shape(moved)[: len(shape) - len(taken)]
    others = np.reshape(products_of_others(np.reshape(moved, (*kept, -1))), np.shape(moved))
    return keep_axes(g * initial, axis, keepdims) * np.transpose(others, inverse_order(order))


def along_first(reduction: Any, array: Any, axis: Any = 0, **keywords: Any) -> Any:
    """A reduction as a method of its ufunc, which takes the first axis if none is named.

    Through the registry: NumPy would not ask a Value that is the mask.
    """
    return registry[reduction](array, axis=axis, **keywords)


def extremum_along_first(reduction: Any, array: Any, *, dtype: Any = None, **keywords: Any) -> Any:
    """The same of a largest or smallest element, whose functions take no dtype."""
    array = array if dtype is None else np.astype(array, dtype)
    return along_first(reduction, array, **keywords)


def of_truths(
    function: Any, array: Any, axis: Any = 0, dtype: Any = None, initial: Any = None,
    **keywords: Any,
) -> Any:  # fmt: skip
    """The same of a function of truth values; `np.any` and `np.all` start with none."""
    if dtype not in (None, bool, "?", "bool", np.dtype(bool)):
        raise ArgumentTypeError(
            f"np.{function.__name__}.reduce gives truth values, of dtype bool and not {dtype!r}; "
            "leave out dtype=, and write result.astype(dtype)"
        )
    keywords["axis"] = axis
    result = along_first(np.any if function is np.logical_or else np.all, array, **keywords)
    return result if initial is None else function(result, initial)


sum = Reduction(np.sum, sum_vjp, cheap=True, linear="all")  # noqa: A001
mean = Reduction(np.mean, mean_vjp, cheap=True, linear="all")
var = Reduction(np.var, var_vjp)
std = Reduction(np.std, std_vjp)
max_ = Reduction(np.max, extremum_vjp, masks=True, cheap=True)
min_ = Reduction(np.min, extremum_vjp, masks=True, cheap=True)
prod = Reduction(np.prod, prod_vjp, cheap=True)


# The same functions under other names, and as methods of ufuncs.

function: Any
reduction: Any
for name, reduction in (("amax", max_), ("amin", min_)):
    registry[getattr(np, name)] = reduction
for function, reduction in (
    (np.add, np.sum),
    (np.multiply, np.prod),
):
    registry[function, "reduce"] = partial(along_first, reduction)
for function, reduction in ((np.maximum, np.max), (np.minimum, np.min)):
    registry[function, "reduce"] = partial(extremum_along_first, reduction)
for function in (np.logical_or, np.logical_and):
    registry[function, "reduce"] = partial(of_truths, function)


@composite(np.ptp, asks_numpy="on failure")
def ptp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


nondifferentiable(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.any, np.all)
nondifferentiable(np.count_nonzero)

# Without the NaN: the same reductions of what is left.


def without_nan(
    reduction: Any, neutral: int, a: Any, axis: Any = None, dtype: Any = None, **keywords: Any
) -> Any:
    """A sum or product in which a number that changes nothing stands for NaN."""
    if dtype is not None:
        keywords["dtype"] = dtype
    return reduction(np.where(np.isnan(a), neutral, a), axis=axis, **keywords)


for function, reduction, neutral in (
    (np.nansum, np.sum, 0),
    (np.nanprod, np.prod, 1),
    (np.nancumsum, np.cumsum, 0),
    (np.nancumprod, np.cumprod, 1),
):
    registry[function] = partial(without_nan, reduction, neutral)


def present(a: Any, where: Any) -> Any:
    """The mask of the elements that count and are not NaN."""
    mask = np.logical_not(np.isnan(a))
    return mask if where is True else np.logical_and(mask, where)


def over_present(rule: Rule) -> Rule:
    """A rule of a reduction that skips NaN: the rule with a mask, of an array without NaN."""

    def nan_rule(g: Any, out: Any, x: Any, where: Any = True, **static: Any) -> Any:
        mask = present(x, where)
        return np.where(mask, rule(g, out, np.where(mask, x, 0), where=mask, **static), 0)

    return nan_rule


for function, rule in (
    (np.nanmax, extremum_vjp),
    (np.nanmin, extremum_vjp),
    (np.nanmean, mean_vjp),
    (np.nanvar, var_vjp),
    (np.nanstd, std_vjp),
):
    Reduction(function, over_present(rule), masks=True)
