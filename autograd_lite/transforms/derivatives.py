"""Derivatives of functions of a certain kind: elementwise, of one number, holomorphic, and more.

Each asks less than a Jacobian, and says so where the function is not of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from autograd_lite.core.backward import is_complex
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError, UnsupportedError
from autograd_lite.core.node import unwrap
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.pullback import as_cotangent, unit_cotangent
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.transforms.arguments import Argnum, arguments_in, is_several, places
from autograd_lite.transforms.forward import Forward
from autograd_lite.transforms.functions import (
    Function,
    directions_of,
    grad,
    hvp,
    leaves_nested_like,
)
from autograd_lite.transforms.tangents import check_outputs, kind_of, push_forward
from autograd_lite.transforms.trace import Trace, is_number, owned, the_number

__all__ = ["derivative", "elementwise_grad", "ggnvp", "hessian_diagonal", "holomorphic_grad"]

RELATIVE_ERROR = 16
"""In units of the last place: what two sweeps that do the same may differ by."""


def elementwise_grad(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The derivative of an elementwise function, at every element of its argument at once.

    Parameters
    ----------
    function
        Returns one real array, each element of which depends on its like in the argument
        alone, and on any other arguments.
    argnum, has_aux
        As for `value_and_grad`; each array in the arguments named has the shape of the result.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns the derivatives in the nesting, shape
        and dtype of the argument; ``(derivatives, aux)`` with an aux.

    Raises
    ------
    UnsupportedError
        If an element of the result depends on another element of the argument, or if the
        result is complex.
    ArgumentValueError
        If an argument and the result differ in shape.

    Notes
    -----
    The sweep from a result of ones gives the sums of the columns of the Jacobian, which are
    the derivatives if it is diagonal.  A second sweep, from different powers of two, tells
    whether it is: multiplication by these is exact.  It speaks of the point where it is
    evaluated.  Arrays of more than 256 elements (32 of float32, 4 of float16) share some
    powers, so that one dependence alone, of two elements with the same power, is not seen.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.elementwise_grad(lambda x: x**3)(np.array([1.0, 2.0, 3.0]))
    array([ 3., 12., 27.])
    >>> ag.elementwise_grad(ag.elementwise_grad(np.sin))(np.array([0.0, np.pi / 2]))
    array([-0., -1.])
    """

    @wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        varied = places(function, args, kwargs, argnum)
        trace = Trace(function, args, varied, kwargs, has_aux)
        output = one_real_output(trace)
        for value in trace.fresh:
            if np.shape(unwrap(value)) != np.shape(unwrap(output)):
                raise ArgumentValueError(
                    f"elementwise_grad: {trace.name} returned shape {np.shape(unwrap(output))} for "
                    f"an argument of shape {np.shape(unwrap(value))}; the two must be equal, and "
                    "ag.jacobian is of any function"
                )
        slopes = trace.gradients([unit_cotangent(output)])
        if np.size(unwrap(output)) > 1:
            powers = distinct_powers(output, [value.node.dtype for value in trace.fresh])
            weighted = trace.gradients([as_cotangent(powers, output, "cotangent", "value")])
            slopes = [
                diagonal(slope, other, powers, name=trace.name)
                for slope, other in zip(slopes, weighted, strict=True)
            ]
        trees = trace.like_arguments(slopes)
        found = tuple(trees) if is_several(argnum) else trees[0]
        return (found, trace.returned_aux()) if has_aux else found

    return derivatives


def one_real_output(trace: Trace) -> Any:
    """The one result, checked to be real."""
    output: Any = trace.outputs[0] if len(trace.outputs) == 1 else trace.result
    if not is_number(output):
        raise ArgumentTypeError(
            f"elementwise_grad: {trace.name} returned {type(output).__name__}; it must return one "
            "array, or a number; what else there is, as the second of two results with has_aux=True"
        )
    check_outputs("elementwise_grad", trace)
    if any(map(is_complex, [output, *[value.node for value in trace.fresh]])):
        raise UnsupportedError(
            f"elementwise_grad: {trace.name} has complex arguments or results; differentiate the "
            "real and the imaginary part, each by real numbers, or call ag.holomorphic_grad or "
            "ag.jacobian"
        )
    return output


def distinct_powers(output: Any, dtypes: list[Any]) -> Any:
    """Powers of two shaped as a result, of which as many differ as the float types bear."""
    limit = min(
        np.finfo(dtype).maxexp
        for dtype in [*dtypes, np.result_type(unwrap(output))]
        if dtype.kind == "f"
    )
    several = max(4, limit // 4)
    count = np.size(unwrap(output))
    exponents = np.random.default_rng(0).permutation(np.arange(count) % several)
    return np.ldexp(1.0, exponents).reshape(np.shape(unwrap(output)))


def check_diagonal(slope: Any, weighted: Any, powers: Any, *, name: str) -> Any:
    """The sums of the columns of a Jacobian, if it is diagonal."""
    limit = np.finfo(slope.dtype)
    with np.errstate(all="ignore"):
        expected = weighted / powers
        error = abs(expected - slope)
        close = error <= RELATIVE_ERROR * limit.eps * abs(slope) + limit.tiny
    if not np.all(close | ~np.isfinite(slope)):
        raise UnsupportedError(
            f"elementwise_grad: {name} is not elementwise: an element of its result depends on "
            "an element of the argument at another place; use ag.jacobian, or ag.vmap of ag.grad "
            "for a function of each row, or ag.grad of the sum if that is meant"
        )
    return slope.copy()  # which may be written


diagonal = Primitive(
    check_diagonal,
    lambda g, out, slope, weighted, powers, name: g,
    None,
    None,
    name="diagonal",
    elementwise=True,
    builtin=True,
)
"""An operation, so that compiled programs check the numbers that they are given."""


def derivative(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The derivative of a function of a single number, whatever it returns.

    One call of the function, however large the result; of one number in memory that does not
    grow with its depth, as `jvp`.

    Parameters
    ----------
    function
        Takes a real number and returns an array or number, or a nesting of them.
    argnum, has_aux
        As for `value_and_grad`; the argument is a number, or a nesting of numbers.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns an array of the shape of the result,
        or a nesting of them; for nested arguments a nesting of these for each, results
        outside; ``(derivative, aux)`` with an aux.

    Raises
    ------
    ArgumentValueError
        If the argument is an array with axes.
    UnsupportedError
        If the argument is complex.

    See Also
    --------
    autograd_lite.jvp : the same in one direction of several arguments; it says how it is computed.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> circle = lambda t: np.array([2.0, 3.0]) * t**2
    >>> ag.derivative(circle)(5.0)
    array([20., 30.])
    >>> ag.derivative(ag.derivative(circle))(5.0)
    array([4., 6.])
    """

    @wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        varied = places(function, args, kwargs, argnum)
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        for leaf in flatten([given[place] for place in varied]):
            check_single_real(getattr(function, "__name__", repr(function)), leaf)
        is_one = len(flatten([given[place] for place in varied])) == 1
        forward = Forward(partial(unit_direction, place=0))
        trace = Trace(function, args, varied, kwargs, has_aux, along=forward if is_one else None)
        check_outputs("derivative", trace)
        columns = (
            [forward.tangents(trace)]
            if is_one
            else [
                push_forward(trace, unit_direction(trace, place))
                for place in range(len(trace.fresh))
            ]
        )
        blocks = []
        for slopes in zip(*columns, strict=True):
            trees = unflatten(trace.trees, owned(map(trace.unwrap, slopes)))
            blocks.append(tuple(trees) if is_several(argnum) else trees[0])
        found = unflatten(trace.result, blocks)
        return (found, trace.returned_aux()) if has_aux else found

    return derivatives


def unit_direction(trace: Trace, place: int) -> list[Any]:
    """The direction of one of the numbers of a call."""
    return [
        unit_cotangent(x) if i == place else 0 * unit_cotangent(x)
        for i, x in enumerate(trace.fresh)
    ]


def check_single_real(name: str, argument: Any) -> None:
    """Refuse an argument that is not one real number."""
    if np.shape(argument):
        raise ArgumentValueError(
            f"derivative: {name} was called with an array of shape {np.shape(argument)}; pass a "
            "single number, or use ag.elementwise_grad, ag.jacobian or ag.jvp"
        )
    if is_complex(argument):
        raise UnsupportedError(
            f"derivative: {name} was called with a complex number; use ag.holomorphic_grad, or "
            "differentiate by the real and the imaginary part, as two arguments"
        )


def holomorphic_grad(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The complex derivative of a holomorphic function that returns a single number.

    Parameters
    ----------
    function
        Takes complex numbers and returns one.
    argnum, has_aux
        As for `value_and_grad`.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns df/dz in the nesting, shape and dtype
        of the argument, as formulas have it: 2 z for z**2.  (`grad` returns the conjugate of
        that, the direction of steepest ascent.)  ``(derivative, aux)`` with an aux.

    Raises
    ------
    UnsupportedError
        If the equations of Cauchy and Riemann do not hold there: the function is not holomorphic.
    ArgumentTypeError
        If an argument or the result is real.
    BackwardError
        If the function returns more than one number.

    Notes
    -----
    One sweep gives the gradient of the real part, another that of the imaginary part, which
    must be i times the first.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.holomorphic_grad(lambda z: z**2)(3 + 4j)
    np.complex128(6+8j)
    """

    @wraps(function)
    def derivatives(*args: Any, **kwargs: Any) -> Any:
        varied = places(function, args, kwargs, argnum)
        trace = Trace(function, args, varied, kwargs, has_aux)
        output = the_number(trace, "holomorphic_grad")
        for what, x in [
            *(("was called with", value) for value in trace.fresh),
            ("returned", output),
        ]:
            if kind_of(x) != "c":
                raise ArgumentTypeError(
                    f"holomorphic_grad: {trace.name} {what} real numbers; it must take and return "
                    "complex ones (write x + 0j), and ag.grad is of real functions"
                )
        one = unit_cotangent(output)
        by_real_part, by_imaginary_part = trace.gradients([one]), trace.gradients([1j * one])
        slopes = [
            complex_derivative(a, b, name=trace.name)
            for a, b in zip(by_real_part, by_imaginary_part, strict=True)
        ]
        trees = trace.like_arguments(slopes)
        found = tuple(trees) if is_several(argnum) else trees[0]
        return (found, trace.returned_aux()) if has_aux else found

    return derivatives


def check_holomorphic(by_real_part: Any, by_imaginary_part: Any, *, name: str) -> Any:
    """The derivative, from the gradients of the real and the imaginary part, if there is one."""
    limit = np.finfo(np.result_type(by_real_part))
    with np.errstate(all="ignore"):
        error = abs(by_imaginary_part - 1j * by_real_part)
        size = abs(by_real_part) + abs(by_imaginary_part)
        close = error <= np.sqrt(limit.eps) * size + limit.tiny
    if not np.all(close | ~np.isfinite(size)):
        raise UnsupportedError(
            f"holomorphic_grad: {name} is not holomorphic there, so that no complex number is its "
            "derivative; use ag.jvp or ag.vjp, or ag.grad of its real and its imaginary part"
        )
    return np.conjugate(by_real_part)


complex_derivative = Primitive(
    check_holomorphic,
    lambda g, out, by_real_part, by_imaginary_part, name: np.conjugate(g),
    None,
    name="complex_derivative",
    elementwise=True,
    builtin=True,
)


def hessian_diagonal(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The second derivatives of a function by each number in turn: the Hessian's diagonal.

    Exact.  It takes as many products with the Hessian as there are numbers, many of them
    together, and never more memory than these: the matrix is not held.

    Parameters
    ----------
    function, argnum, has_aux
        As for `value_and_grad`: the function returns a single number, and the arguments are real.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns the diagonal in the nesting and shape
        of the argument; ``(diagonal, aux)`` with an aux.

    Raises
    ------
    BackwardError
        If the function returns more than one number.
    UnsupportedError
        If an argument is complex.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.hessian_diagonal(lambda x: x[0] ** 2 * x[1] ** 3)(np.array([3.0, 5.0]))
    array([250., 270.])
    """
    gradient = grad(function, argnum, has_aux=has_aux)

    @wraps(function)
    def second_derivatives(*args: Any, **kwargs: Any) -> Any:
        varied = places(function, args, kwargs, argnum)
        trace = Trace(gradient, args, varied, kwargs, has_aux)
        if any(is_complex(value.node) for value in trace.fresh):
            raise UnsupportedError(
                f"hessian_diagonal: {trace.name} was called with complex numbers, by which there "
                "is no single second derivative; use ag.hvp, or differentiate by the real and the "
                "imaginary part, as two arguments"
            )
        trees = trace.like_arguments([trace.diagonal(i) for i in range(len(trace.fresh))])
        found = tuple(trees) if is_several(argnum) else trees[0]
        return (found, trace.returned_aux()) if has_aux else found

    return second_derivatives


def ggnvp(
    function: Function,
    loss: Callable[[Any], Any],
    primals: Any,
    tangents: Any,
    *,
    has_aux: bool = False,
) -> Any:
    """The generalised Gauss-Newton matrix times a vector, without the matrix.

    The matrix is JᵀHJ for the Jacobian J of ``function`` and the Hessian H of ``loss`` at its
    result: the Hessian of ``loss(function(x))`` without the curvature of ``function``, positive
    semi-definite for a convex loss (N. Schraudolph, "Fast curvature matrix-vector products for
    second-order gradient descent", Neural Computation 14, 2002).

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them: predictions, residuals.
    loss
        Takes that result, as one argument, and returns a single number.
    primals
        A tuple of arguments of ``function``; or one argument alone, as a namedtuple is.
    tangents
        The vector: nested and shaped as ``primals``.
    has_aux
        ``function`` returns a pair, as for `value_and_grad`.

    Returns
    -------
    product
        Nested and shaped as ``primals``; ``(product, aux)`` with an aux.

    Raises
    ------
    ArgumentValueError
        If a tangent has another shape than its primal.
    BackwardError
        If ``loss`` returns more than one number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> half_square = lambda residuals: 0.5 * np.sum(residuals**2)
    >>> ag.ggnvp(np.sin, half_square, np.array([0.0, np.pi]), np.array([1.0, 2.0]))
    array([1., 2.])
    """
    args = arguments_in(primals)
    trace = Trace(function, args, range(len(args)), has_aux=has_aux)
    check_outputs("ggnvp", trace)
    directions = directions_of(trace, tangents, primals)
    value = trace.as_returned(trace.outputs)
    tangent = unflatten(trace.result, owned(map(trace.unwrap, push_forward(trace, directions))))
    (curved,) = hvp(loss, (value,), (tangent,))
    cotangents = [
        as_cotangent(leaf, output, "product with the loss's Hessian", "value")
        for leaf, output in zip(
            leaves_nested_like(curved, trace.result), trace.outputs, strict=True
        )
    ]
    trees = trace.like_arguments(trace.gradients(cotangents), [*cotangents, *directions])
    product = tuple(trees) if args is primals else trees[0]
    return (product, trace.returned_aux()) if has_aux else product
