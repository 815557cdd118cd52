"""Fits by least squares: the gradient of the sum of squares is zero, or a bound is reached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from autograd_lite.core.errors import UnsupportedError
from autograd_lite.core.node import holds_value
from autograd_lite.core.tree import flatten
from autograd_lite.scipy.calls import Call, as_arguments, projected
from autograd_lite.scipy.names import as_array_operand
from autograd_lite.transforms.functions import grad, jacobian
from autograd_lite.transforms.implicit import implicit

__all__ = ["curve_fit", "least_squares"]

Function = Callable[..., Any]

EVERYWHERE = (-np.inf, np.inf)


def limits(bounds: Any) -> tuple[Any, Any]:
    low, high = (bounds.lb, bounds.ub) if isinstance(bounds, optimize.Bounds) else bounds
    return np.asarray(low), np.asarray(high)


def condition(deviations: Function, bounds: Any) -> Function:
    """The equation of the parameters by which a sum of squares is least."""

    def residual(p: Any, *arguments: Any) -> Any:
        gradient = grad(lambda p: np.sum(deviations(p, *arguments) ** 2) / 2)(p)
        return projected(p, gradient, *limits(bounds))

    return residual


def least_squares(
    fun: Function, x0: Any, *, bounds: Any = EVERYWHERE, loss: Any = "linear", args: Any = (),
    kwargs: dict[str, Any] | None = None, **options: Any,
) -> Any:  # fmt: skip
    """``scipy.optimize.least_squares``: ``x``, ``fun`` and ``cost`` by ``args`` and ``kwargs``.

    ``fun`` is NumPy code, which is differentiated twice.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> t = np.arange(4.0)
    >>> off = lambda p, y: p[0] + p[1] * t - y
    >>> line = lambda y: optimize.least_squares(off, [0.0, 0.0], args=(y,)).x[1]
    >>> ag.grad(line)(np.array([1.0, 2.0, 2.0, 4.0])).round(6)
    array([-0.3, -0.1,  0.1,  0.3])
    """
    settings = {"bounds": bounds, "loss": loss, **options}
    call = Call("least_squares", settings)
    kwargs, args = kwargs or {}, as_arguments(args)

    def deviations(x: Any, x0: Any, args: Any, kwargs: Any) -> Any:
        return as_array_operand(fun(x, *args, **kwargs))

    @implicit(condition(deviations, bounds))
    def least_squares(x0: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = optimize.least_squares(call.plain(fun), x0, args=args, kwargs=kwargs, **settings)
        return call.keep(found).x

    if loss != "linear" and holds_value(flatten([x0, args, kwargs])):
        raise UnsupportedError(
            f"least_squares: loss={loss!r} has no derivative rule here; pass loss='linear', or "
            "call ag.scipy.optimize.minimize with the loss written out"
        )
    x = least_squares(x0, args, kwargs)
    if not holds_value([x]):
        return call.found
    off = np.atleast_1d(deviations(x, x0, args, kwargs))
    return call.result(x=x, fun=off, cost=np.sum(off**2) / 2)


def curve_fit(
    f: Function, xdata: Any, ydata: Any, p0: Any = None, sigma: Any = None,
    absolute_sigma: bool = False, *, bounds: Any = EVERYWHERE, **options: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """``scipy.optimize.curve_fit``: parameters and their covariance, by the data.

    Both have derivatives by ``xdata``, ``ydata`` and a ``sigma`` of one dimension; the
    covariance is that of the exact Jacobian.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> from autograd_lite.scipy import optimize
    >>> t = np.arange(4.0)
    >>> rate = lambda y: optimize.curve_fit(lambda t, a, k: a * np.exp(-k * t), t, y)[0][1]
    >>> ag.grad(rate)(4 * np.exp(-0.5 * t)).round(4)
    array([ 0.1325, -0.078 , -0.1434, -0.1452])
    """
    settings = {"absolute_sigma": absolute_sigma, "bounds": bounds, **options}
    call = Call("curve_fit", settings)
    if not holds_value(flatten([xdata, ydata, p0, sigma])):
        found: tuple[Any, Any] = optimize.curve_fit(f, xdata, ydata, p0, sigma, **settings)
        return found
    if sigma is not None and np.ndim(sigma) > 1:
        raise UnsupportedError(
            "curve_fit: a matrix of covariances as sigma has no derivative rule here; pass the "
            "deviations, or multiply data and function by the inverse of its Cholesky factor"
        )
    if options.get("full_output") or options.get("nan_policy") == "omit":
        raise UnsupportedError(
            "curve_fit: full_output and nan_policy='omit' are for plain numbers; leave them out"
        )

    def deviations(p: Any, xdata: Any, ydata: Any, p0: Any, sigma: Any) -> Any:
        if isinstance(xdata, (list, tuple)):  # of which SciPy makes an array
            xdata = np.array(xdata, float, like=p)
        off = as_array_operand(f(xdata, *p)) - np.array(ydata, float, like=p)
        return off if sigma is None else off / np.array(sigma, float, like=p)

    @implicit(condition(deviations, bounds))
    def curve_fit(xdata: Any, ydata: Any, p0: Any, sigma: Any) -> Any:
        return optimize.curve_fit(call.plain(f), xdata, ydata, p0, sigma, **settings)[0]

    p = curve_fit(xdata, ydata, p0, sigma)
    slopes = jacobian(lambda p: deviations(p, xdata, ydata, p0, sigma))(p)
    covariance = np.linalg.inv(slopes.T @ slopes)
    if not absolute_sigma:
        off = deviations(p, xdata, ydata, p0, sigma)
        free = np.size(off) - np.size(p)
        covariance = covariance * (np.sum(off**2) / free if free > 0 else np.inf)
    return p, covariance
