"""The bridge to JAX."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from autograd_lite.bridges.border import imported, is_varied, of_some, primitive_of
from autograd_lite.core.errors import ArgumentTypeError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.transforms.functions import vjp

__all__ = ["from_jax", "jax_function"]

Function = Callable[..., Any]


def jax_function(function: Function, result: Any = None) -> Function:
    """A function of NumPy code as one of JAX's, with its derivatives in reverse mode.

    Parameters
    ----------
    function
        Takes arrays by position and returns an array. It is called through ``jax.pure_callback``,
        so that it must do the same at every call.
    result
        What the result is like, from what the arguments are like: a function of
        ``jax.ShapeDtypeStruct`` that returns one. By default ``function`` is called on ones of
        these shapes to find out.

    Returns
    -------
    callable
        Takes JAX's arrays and returns one; under ``jit``, ``grad`` and ``vmap`` too. Differentiated
        in reverse mode to any order, by all arguments of floating-point and complex numbers.

    Raises
    ------
    MissingOptionError
        If JAX is not installed.
    ArgumentTypeError
        In the call, if the function does not return one array.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> import jax  # doctest: +SKIP
    >>> energy = ag.jax_function(lambda x: np.sum(np.sinc(x) ** 2))  # doctest: +SKIP
    >>> jax.grad(energy)(jax.numpy.array([0.0, 0.5])).round(3)  # doctest: +SKIP
    Array([ 0.   , -1.621], dtype=float32)
    """
    jax = imported("jax", "jax_function")
    name = str(getattr(function, "__name__", function))
    like = result or partial(result_of, function, name)

    def call(*arguments: Any) -> Any:
        structure = like(*map(structure_of, arguments))
        return jax.pure_callback(
            lambda *arrays: np.asarray(function(*map(np.array, arrays)), structure.dtype),
            structure,
            *arguments,
            vmap_method="sequential",
        )

    def structure_of(x: Any) -> Any:
        array = jax.numpy.asarray(x)
        return jax.ShapeDtypeStruct(array.shape, array.dtype)

    differentiated = jax.custom_vjp(call)

    def forward(*arguments: Any) -> Any:
        return differentiated(*arguments), arguments

    def backward(arguments: Any, cotangent: Any) -> Any:
        varied = [i for i, x in enumerate(arguments) if is_varied(jax.numpy.asarray(x))]
        gradients: list[Any] = [np.zeros(np.shape(x), jax.dtypes.float0) for x in arguments]
        if varied:
            vector = pull(varied)(jax.numpy.conj(cotangent), *arguments)
            start = 0
            for i in varied:
                x = jax.numpy.asarray(arguments[i])
                part = vector[start : start + x.size]
                part = part if x.dtype.kind == "c" else jax.numpy.real(part)
                gradients[i] = jax.numpy.conj(part.reshape(x.shape).astype(x.dtype))
                start += x.size
        return tuple(gradients)

    def pull(varied: list[int]) -> Function:
        """The gradients by some of the arguments, one after the other, as a function of JAX's."""

        def gradients(cotangent: Any, *arguments: Any) -> Any:
            of_varied = of_some(function, arguments, varied)
            found = vjp(of_varied, *(arguments[i] for i in varied))[1](cotangent)
            return np.concatenate([np.ravel(g) for g in found])

        def vector_of(cotangent: Any, *like: Any) -> Any:
            inputs = [like[i] for i in varied]
            dtype = np.result_type(*(x.dtype for x in inputs))
            return jax.ShapeDtypeStruct((sum(x.size for x in inputs),), dtype)

        return jax_function(gradients, vector_of)

    differentiated.defvjp(forward, backward)

    def bridged(*arguments: Any) -> Any:
        return differentiated(*map(jax.numpy.asarray, arguments))

    bridged.__name__ = name
    return bridged


def result_of(function: Function, name: str, *arguments: Any) -> Any:
    """The shape and dtype of a result, found by a call on ones."""
    jax = imported("jax", "jax_function")
    found = function(*(np.ones(x.shape, x.dtype) for x in arguments))
    if not isinstance(found, (np.ndarray, np.generic, float, int, complex)):
        raise ArgumentTypeError(
            f"{name} returned {type(found).__name__}; as a function of JAX's it must return "
            "an array"
        )
    array = np.asarray(found)
    return jax.ShapeDtypeStruct(array.shape, jax.dtypes.canonicalize_dtype(array.dtype))


def from_jax(function: Function) -> Primitive:
    """A function of JAX's as one of NumPy code, with its derivatives.

    Parameters
    ----------
    function
        Takes JAX's arrays by position and returns one; it is compiled by ``jax.jit``. JAX computes
        in single precision unless told otherwise: ``jax.config.update("jax_enable_x64", True)``.

    Returns
    -------
    Primitive
        Takes arrays and Values, and returns an array or a Value; differentiated to any order,
        by all arguments of floating-point and complex numbers.

    Raises
    ------
    MissingOptionError
        If JAX is not installed.
    UnsupportedError
        In the call, if the function returns something else than one array, or if it is given
        double precision and JAX computes in single precision.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> import jax  # doctest: +SKIP
    >>> softplus = ag.from_jax(jax.nn.softplus)  # doctest: +SKIP
    >>> ag.grad(lambda x: np.sum(softplus(x)))(np.zeros(2, np.float32))  # doctest: +SKIP
    array([0.5, 0.5], dtype=float32)
    """
    jax = imported("jax", "from_jax")
    name = str(getattr(function, "__name__", function))
    jitted = jax.jit(function)

    def forward(*arrays: Any) -> Any:
        for x in arrays:
            dtype = np.result_type(x)
            if is_varied(np.asarray(x)) and jax.dtypes.canonicalize_dtype(dtype) != dtype:
                raise UnsupportedError(
                    f"from_jax: {name} was given {dtype}, which JAX would round to single "
                    'precision; call jax.config.update("jax_enable_x64", True), or pass float32'
                )
        result = jitted(*arrays)
        if not isinstance(result, jax.Array):
            raise UnsupportedError(
                f"from_jax: {name} returned {type(result).__name__}, not one array; put several "
                "into one by jax.numpy.stack or concatenate, and take them apart with NumPy"
            )
        return np.array(result)[()]

    def pull(cotangent: Any, *arrays: Any) -> Any:
        varied = [i for i, x in enumerate(arrays) if is_varied(x)]
        of_varied = of_some(function, arrays, varied)
        out, pullback = jax.vjp(of_varied, *(arrays[i] for i in varied))
        found = pullback(jax.numpy.conj(cotangent).astype(out.dtype))
        return jax.numpy.concatenate([jax.numpy.conj(jax.numpy.ravel(g)) for g in found])

    return primitive_of(name, forward, lambda: from_jax(pull))
