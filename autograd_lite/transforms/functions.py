"""Functions to gradients: grad, vjp, jvp, jacobian, hessian, hvp, with the value or without.

All of them call the function once on fresh Values (`Trace`) and sweep back to these.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, overload

import numpy as np

from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.pullback import as_cotangent, unit_cotangent
from autograd_lite.core.tree import flatten_like, unflatten
from autograd_lite.transforms.arguments import Argnum, arguments_in, is_several, places
from autograd_lite.transforms.forward import Forward
from autograd_lite.transforms.sparse_matrices import rows_by_color, sparse_hessian, sparse_jacobian
from autograd_lite.transforms.tangents import (
    check_outputs,
    columns_of,
    is_tall,
    push_forward,
    transposed,
)
from autograd_lite.transforms.trace import Trace, owned, the_number

__all__ = [
    "Function",
    "directions_of",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "leaves_nested_like",
    "linearize",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
]

Function = Callable[..., Any]
P = ParamSpec("P")


@overload
def value_and_grad(
    function: np.ufunc, argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_grad(
    function: Callable[P, Any], argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[P, tuple[Any, Any]]: ...
def value_and_grad(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The function that returns both the value of ``function`` and its gradient.

    Parameters
    ----------
    function
        Returns a single number; real, or the real part counts.
    argnum
        Which argument to differentiate with respect to: its position, or the name
        of the parameter; several in a tuple, list or range.  The argument may be a
        number, an array, or any nesting of them: tuples, lists, dicts,
        dataclasses, what `register_tree` was told of.
    has_aux
        ``function`` returns a pair; the second part is not differentiated, and
        comes back as plain arrays where it depends on the arguments alone.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns ``(value, gradient)``,
        the gradient nested and shaped as its argument, a tuple of them if
        ``argnum`` names several.  With an aux it is ``((value, aux), gradient)``.

    Raises
    ------
    BackwardError
        If the function returns more than one number.
    ArgumentTypeError
        If an argument is not a number, or the function returns none.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.value_and_grad(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    @wraps(function)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        varied = places(function, args, kwargs, argnum)
        trace = Trace(function, args, varied, kwargs, has_aux)
        output = the_number(trace, "grad")
        gradients = trace.like_arguments(trace.gradients([unit_cotangent(output)]))
        value = trace.unwrap(output)
        return (
            (value, trace.returned_aux()) if has_aux else value,
            tuple(gradients) if is_several(argnum) else gradients[0],
        )

    return value_and_gradient


@overload
def grad(
    function: np.ufunc, argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[..., Any]: ...
@overload
def grad(
    function: Callable[P, Any], argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[P, Any]: ...
def grad(function: Function, argnum: Argnum = 0, *, has_aux: bool = False) -> Function:
    """The gradient of a function that returns a single number.

    Nothing is left behind: no Value gets a ``.grad``.  Calls nest to any order.

    Parameters
    ----------
    function, argnum, has_aux
        As for `value_and_grad`.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns the gradient, in the
        nesting, shape and dtype of the argument; ``(gradient, aux)`` with an aux.

    Raises
    ------
    BackwardError
        If the function returns more than one number.
    ArgumentTypeError
        If an argument is not a number, or the function returns none.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.grad(np.sin)(0.0)
    1.0
    >>> ag.grad(ag.grad(lambda x: x**3))(2.0)
    12.0
    """
    both = value_and_grad(function, argnum, has_aux=has_aux)

    @wraps(function)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(function: Function, *args: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function, and its vector-Jacobian product at that point.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them.
    *args
        Where to evaluate it; nested arguments are differentiated leaf by leaf.
    has_aux
        As for `value_and_grad`; the aux is then a third result.

    Returns
    -------
    value
        ``function(*args)``.
    pullback : callable
        Takes a cotangent shaped as the value and returns a tuple, for each
        argument the gradient of <cotangent, value>.  May be called repeatedly.

    Raises
    ------
    ArgumentValueError
        If a cotangent has another shape than the value.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> value, pullback = ag.vjp(lambda x: x**2, np.array([1.0, 3.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (array([ 2., 60.]),)
    """
    trace = Trace(function, args, range(len(args)), has_aux=has_aux, is_kept=True)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        check_outputs("vjp", trace)
        cotangents = [
            as_cotangent(leaf, output, "cotangent", "value")
            for leaf, output in zip(
                leaves_nested_like(cotangent, trace.result), trace.outputs, strict=True
            )
        ]
        return tuple(trace.like_arguments(trace.gradients(cotangents), cotangents))

    value = trace.as_returned(trace.outputs)
    return (value, pullback, trace.returned_aux()) if has_aux else (value, pullback)


def leaves_nested_like(tree: Any, like: Any) -> list[Any]:
    """The leaves of a nesting that must be nested like another one, whose arrays may be lists."""
    return [
        np.asarray(leaf, float) if isinstance(leaf, (list, tuple)) else leaf
        for leaf in flatten_like(tree, like)
    ]


def directions_of(trace: Trace, tangents: Any, primals: Any) -> list[Any]:
    """Tangents for the numbers of a call, checked and in their dtypes."""
    leaves = leaves_nested_like(tangents, primals)
    return [
        as_cotangent(tangent, primal, "tangent", "primal")
        for tangent, primal in zip(leaves, trace.fresh, strict=True)
    ]


def jvp(
    function: Function, primals: Any, tangents: Any, *, has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of a function, and its derivative in one direction (Jacobian-vector product).

    Forward mode: tangents are computed while the function runs, and what is past is forgotten,
    so that memory does not grow with its depth (R. E. Wengert, "A simple automatic derivative
    evaluation program", Communications of the ACM 7, 1964).  The rules are those of reverse mode:
    each is linear in its cotangent, and transposing that map gives the derivative the other way
    (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).  What depends on
    Values from outside is kept, as their derivatives need it; so is all where a direction or an
    argument is a Value, and in functions that `vmap` or `compile` call.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them.
    primals
        A tuple of arguments; or one argument alone, as a namedtuple is.
    tangents
        The direction: nested and shaped as ``primals``.
    has_aux
        As for `value_and_grad`; the aux is then a third result.

    Returns
    -------
    value, tangent
        ``function(*primals)`` and its directional derivative, shaped alike.

    Raises
    ------
    ArgumentValueError
        If a tangent has another shape than its primal.
    BackwardError
        If the function calls ``backward()`` on a result whose operands are forgotten.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.jvp(lambda x: x**2, np.array([1.0, 3.0]), np.array([1.0, 0.5]))
    (array([1., 9.]), array([2., 3.]))
    """
    args = arguments_in(primals)
    forward = Forward(lambda trace: directions_of(trace, tangents, primals))
    trace = Trace(function, args, range(len(args)), has_aux=has_aux, along=forward)
    check_outputs("jvp", trace)
    tangent = forward.tangents(trace)
    own = owned(map(trace.unwrap, tangent), forward.directions)
    results = trace.as_returned(trace.outputs), unflatten(trace.result, own)
    return (*results, trace.returned_aux()) if has_aux else results


def linearize(function: Function, *args: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function, and the linear map that takes directions to its derivatives there.

    The function is called once, however often the map is used; `jvp` calls it every time.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them.
    *args
        Where to evaluate it.
    has_aux
        As for `value_and_grad`; the aux is then a third result.

    Returns
    -------
    value
        ``function(*args)``.
    pushforward : callable
        Takes a direction for each argument, nested and shaped as it is, and returns the
        directional derivative, nested and shaped as the value.

    Raises
    ------
    ArgumentTypeError
        If there are not as many directions as arguments.
    ArgumentValueError
        If a direction has another shape than its argument.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> value, pushforward = ag.linearize(lambda x: x**2, np.array([1.0, 3.0]))
    >>> pushforward(np.array([1.0, 0.5]))
    array([2., 3.])
    >>> pushforward(np.array([0.0, 1.0]))
    array([0., 6.])
    """
    trace = Trace(function, args, range(len(args)), has_aux=has_aux, is_kept=True)
    check_outputs("linearize", trace)
    pullback = transposed(trace)

    def pushforward(*tangents: Any) -> Any:
        if len(tangents) != len(args):
            raise ArgumentTypeError(
                f"the map of {trace.name} at {len(args)} arguments was given {len(tangents)} "
                "directions; pass one for each argument"
            )
        directions = directions_of(trace, tangents, args)
        tangent = push_forward(trace, directions, pullback)
        ancestry = trace.ancestry_with(directions)
        own = owned((trace.unwrap(x, ancestry) for x in tangent), directions)
        return unflatten(trace.result, own)

    value = trace.as_returned(trace.outputs)
    return (value, pushforward, trace.returned_aux()) if has_aux else (value, pushforward)


@overload
def jacobian(
    function: np.ufunc, argnum: Argnum = ..., *, has_aux: bool = ..., sparse: bool = ...
) -> Callable[..., Any]: ...
@overload
def jacobian(
    function: Callable[P, Any], argnum: Argnum = ..., *, has_aux: bool = ..., sparse: bool = ...
) -> Callable[P, Any]: ...
def jacobian(
    function: Function, argnum: Argnum = 0, *, has_aux: bool = False, sparse: bool = False
) -> Function:
    """The matrix of all first derivatives, a row for each output element.

    One reverse sweep carries all rows of an output, or as many as fit into
    memory; they are computed one after the other where a rule of your own
    works on plain arrays only. Where there are far fewer numbers in the
    arguments than in the results, columns are computed in their place.

    Parameters
    ----------
    function
        Returns an array or number, or a nesting of them.
    argnum, has_aux
        As for `value_and_grad`.
    sparse
        Return matrices of SciPy's, ``scipy.sparse.csr_array``, that hold no more than the places
        that `sparsity` finds. Rows or columns that share no place are computed together, so
        that it takes as many products as there are colours, and not one for each row.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns an array of shape
        ``output.shape + argument.shape``; for nested outputs or arguments a
        nesting of them, outputs outside; ``(jacobian, aux)`` with an aux.
        That of a complex output by a real argument is complex.
        If sparse, a matrix with a row for each number of the output and a column for each of
        the argument; its ``data`` is a Value where it depends on one of the caller's.

    Raises
    ------
    UnsupportedError
        If an output and an argument are complex: unless the function is holomorphic,
        no single number for each pair of elements is its derivative. If sparse, also
        if one of them is, if SciPy is not there, or in a program that is compiled, if places
        depend on an array that is computed or is an argument.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.jacobian(lambda x: np.array([[0.0, 1.0], [2.0, 0.0]]) @ x)(np.array([5.0, 7.0]))
    array([[0., 1.],
           [2., 0.]])
    >>> ag.jacobian(np.diff, sparse=True)(np.zeros(1000)).nnz
    1998
    """
    if sparse:
        return sparse_jacobian(function, argnum, has_aux)
    both = value_and_jacobian(function, argnum, has_aux=has_aux)

    @wraps(function)
    def all_derivatives(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return all_derivatives


@overload
def value_and_jacobian(
    function: np.ufunc, argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[..., tuple[Any, Any]]: ...
@overload
def value_and_jacobian(
    function: Callable[P, Any], argnum: Argnum = ..., *, has_aux: bool = ...
) -> Callable[P, tuple[Any, Any]]: ...
def value_and_jacobian(
    function: Function, argnum: Argnum = 0, *, has_aux: bool = False
) -> Function:
    """The function that returns both the value of ``function`` and its `jacobian`, from one call.

    Parameters
    ----------
    function, argnum, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns ``(value, jacobian)``, the Jacobian of
        shape ``output.shape + argument.shape``; ``((value, aux), jacobian)`` with an aux.

    Raises
    ------
    UnsupportedError
        If an output and an argument are complex, as for `jacobian`.
    ArgumentTypeError
        If a result is not a number or array.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> value, slopes = ag.value_and_jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 5.0]))
    >>> value
    array([ 5., 10.])
    >>> slopes
    array([[5., 0., 1.],
           [0., 5., 2.]])
    """

    @wraps(function)
    def value_and_derivatives(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        varied = places(function, args, kwargs, argnum)
        trace = Trace(function, args, varied, kwargs, has_aux)
        check_outputs("jacobian", trace)
        blocks = []
        by_column = columns_of(trace) if is_tall(trace) else None
        for index, output in enumerate(trace.outputs):
            shape = getattr(output, "shape", ())
            derivatives = (
                by_column[index]
                if by_column
                else [
                    np.reshape(rows, shape + np.shape(rows)[1:]) if shape else rows
                    for rows in rows_by_color(trace, index) or trace.rows(index)
                ]
            )
            trees = trace.like_arguments(derivatives)
            blocks.append(tuple(trees) if is_several(argnum) else trees[0])
        found = unflatten(trace.result, blocks)
        value = trace.as_returned(trace.outputs)
        return (value, trace.returned_aux()) if has_aux else value, found

    return value_and_derivatives


@overload
def hessian(
    function: np.ufunc, argnum: Argnum = ..., *, has_aux: bool = ..., sparse: bool = ...
) -> Callable[..., Any]: ...
@overload
def hessian(
    function: Callable[P, Any], argnum: Argnum = ..., *, has_aux: bool = ..., sparse: bool = ...
) -> Callable[P, Any]: ...
def hessian(
    function: Function, argnum: Argnum = 0, *, has_aux: bool = False, sparse: bool = False
) -> Function:
    """The matrix of all second derivatives of a function that returns a single number.

    Parameters
    ----------
    function, argnum, has_aux
        As for `value_and_grad`.
    sparse
        As for `jacobian`. A Hessian is symmetric, so that fewer products give all of it.

    Returns
    -------
    callable
        Takes the arguments of ``function`` and returns an array of shape
        ``argument.shape + argument.shape``, nested twice for nested arguments;
        ``(hessian, aux)`` with an aux. If sparse, matrices with a row and a column for
        each number.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    >>> ag.hessian(lambda x: np.sum(x[1:] * x[:-1]), sparse=True)(np.ones(1000)).nnz
    1998
    """
    gradient = grad(function, argnum, has_aux=has_aux)
    if sparse:
        return sparse_hessian(gradient, argnum, has_aux)
    return jacobian(gradient, argnum, has_aux=has_aux)


def hvp(function: Function, primals: Any, tangents: Any, *, has_aux: bool = False) -> Any:
    """The Hessian times a vector, at the cost of a few gradients and without the matrix.

    B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural
    Computation 6 (1994); here by differentiating <gradient, tangents>.

    Parameters
    ----------
    function
        Returns a single number.
    primals
        A tuple of arguments; or one argument alone, as a namedtuple is.
    tangents
        The vector: nested and shaped as ``primals``.
    has_aux
        As for `value_and_grad`.

    Returns
    -------
    product
        Nested and shaped as ``primals``; ``(product, aux)`` with an aux.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> ag.hvp(lambda x: np.sum(x**3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    args = arguments_in(primals)
    gradient = grad(function, range(len(args)), has_aux=has_aux)
    _, pullback, *aux = vjp(gradient, *args, has_aux=has_aux)
    is_one = args is not primals
    products = pullback((tangents,) if is_one else tangents)
    product = products[0] if is_one else products
    return (product, *aux) if has_aux else product
