"""The bridge to PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.bridges.border import imported, of_some, primitive_of
from autograd_lite.core.errors import ArgumentTypeError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive
from autograd_lite.transforms.functions import vjp

__all__ = ["from_torch", "torch_function"]

Function = Callable[..., Any]


def torch_function(function: Function) -> Function:
    """A function of NumPy code as one of PyTorch's, with its derivatives.

    Parameters
    ----------
    function
        Takes arrays, and other arguments that stay as they are, by position; returns an array or
        a tuple of arrays. It is called on plain arrays, and on Values where a gradient is wanted.

    Returns
    -------
    callable
        Takes tensors where ``function`` takes arrays and returns tensors, on the device of the
        first one. Tensors of floating-point and complex numbers are differentiated by, to any
        order (``create_graph=True``).

    Raises
    ------
    MissingOptionError
        If PyTorch is not installed.
    ArgumentTypeError
        In the call, if the function returns something else.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> import torch  # doctest: +SKIP
    >>> energy = ag.torch_function(lambda x: np.sum(np.sinc(x) ** 2))  # doctest: +SKIP
    >>> x = torch.tensor([0.0, 0.5], requires_grad=True)  # doctest: +SKIP
    >>> energy(x).backward()  # doctest: +SKIP
    >>> x.grad  # doctest: +SKIP
    tensor([ 0.0000, -1.6211])
    """
    torch = imported("torch", "torch_function")
    name = str(getattr(function, "__name__", function))

    class Bridged(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, *inputs: Any) -> Any:
            arrays = [numbers(x) if isinstance(x, torch.Tensor) else x for x in inputs]
            varied = [i for i, x in enumerate(inputs) if is_varied(x)]
            device = next(x.device for x in inputs if isinstance(x, torch.Tensor))
            of_varied = of_some(function, arrays, varied)
            if any(ctx.needs_input_grad):
                found, ctx.pullback = vjp(of_varied, *(arrays[i] for i in varied))
            else:
                found = function(*arrays)
            ctx.of_varied, ctx.varied, ctx.is_one = of_varied, varied, not isinstance(found, tuple)
            ctx.count, ctx.device = len(inputs), device
            ctx.save_for_backward(*(inputs[i] for i in varied))
            results = [tensor(x, device) for x in ((found,) if ctx.is_one else found)]
            ctx.mark_non_differentiable(*(x for x in results if not is_varied(x)))
            return results[0] if ctx.is_one else tuple(results)

        @staticmethod
        def backward(ctx: Any, *cotangents: Any) -> Any:
            if torch.is_grad_enabled():  # a derivative of the derivative may be asked for
                pull = torch_function(pullback_of(ctx.of_varied, len(cotangents), ctx.is_one))
                gradients = pull(*cotangents, *ctx.saved_tensors)
            else:
                plain = tuple(map(numbers, cotangents))
                gradients = [
                    tensor(g, ctx.device) for g in ctx.pullback(plain[0] if ctx.is_one else plain)
                ]
            found: list[Any] = [None] * ctx.count
            for i, g in zip(ctx.varied, gradients, strict=True):
                found[i] = g
            return tuple(found)

    def numbers(x: Any) -> Any:
        return np.array(x.detach().cpu().resolve_conj().resolve_neg().numpy())

    def tensor(x: Any, device: Any) -> Any:
        if not isinstance(x, (np.ndarray, np.generic, float, int, complex)):
            raise ArgumentTypeError(
                f"{name} returned {type(x).__name__}; as a function of PyTorch's it must return an "
                "array or a tuple of arrays"
            )
        return torch.from_numpy(np.array(x)).to(device)

    def is_varied(x: Any) -> bool:
        return isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())

    def bridged(*arguments: Any) -> Any:
        if not any(isinstance(x, torch.Tensor) for x in arguments):
            raise ArgumentTypeError(
                f"{name} as a function of PyTorch's was called without a tensor; pass "
                "torch.tensor(x), or call the function itself with arrays"
            )
        return Bridged.apply(*arguments)

    bridged.__name__ = name
    return bridged


def pullback_of(function: Function, count: int, is_one: bool) -> Function:
    """The gradients of a function, as a function of its cotangents and its arguments."""

    def pull(*both: Any) -> tuple[Any, ...]:
        cotangents, arguments = both[:count], both[count:]
        gradients: tuple[Any, ...] = vjp(function, *arguments)[1](
            cotangents[0] if is_one else tuple(cotangents)
        )
        return gradients

    return pull


def from_torch(function: Function) -> Primitive:
    """A function of PyTorch's, or a module, as one of NumPy code, with its derivatives.

    Parameters
    ----------
    function
        Takes tensors by position and returns one tensor. It must do the same at every call: call
        ``module.eval()`` before. A module's parameters are constants; to differentiate by
        them pass ``lambda x, w: torch.func.functional_call(module, {"weight": w}, x)``.

    Returns
    -------
    Primitive
        Takes arrays and Values, and returns an array or a Value; differentiated to any order,
        by all arguments of floating-point and complex numbers.

    Raises
    ------
    MissingOptionError
        If PyTorch is not installed.
    UnsupportedError
        In the call, if the function returns something else than one tensor.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> import torch  # doctest: +SKIP
    >>> softplus = ag.from_torch(torch.nn.functional.softplus)  # doctest: +SKIP
    >>> ag.grad(lambda x: np.sum(softplus(x)))(np.array([0.0, 1.0]))  # doctest: +SKIP
    array([0.5       , 0.73105858])
    """
    torch = imported("torch", "from_torch")
    name = str(getattr(function, "__name__", type(function).__name__))

    def forward(*arrays: Any) -> Any:
        with torch.no_grad():
            result = function(*(torch.from_numpy(np.array(x)) for x in arrays))
        if not isinstance(result, torch.Tensor):
            raise UnsupportedError(
                f"from_torch: {name} returned {type(result).__name__}, not one tensor; put several "
                "into one by torch.stack or torch.cat, and take them apart with NumPy"
            )
        return result.detach().cpu().resolve_conj().resolve_neg().numpy()[()]

    def pull(cotangent: Any, *tensors: Any) -> Any:
        with torch.enable_grad():
            inputs = [
                x if x.requires_grad or not is_varied(x) else x.detach().requires_grad_()
                for x in tensors
            ]
            varied = [x for x in inputs if is_varied(x)]
            result = function(*inputs)
            found = [None] * len(varied)
            if result.requires_grad:
                found = torch.autograd.grad(
                    result, varied, cotangent, create_graph=True, allow_unused=True
                )
            parts = [
                torch.zeros_like(x) if g is None else g for g, x in zip(found, varied, strict=True)
            ]
            common = torch.result_type(parts[0], cotangent)
            return torch.cat([torch.ravel(g).to(common) for g in parts])

    def is_varied(x: Any) -> bool:
        return bool(x.is_floating_point() or x.is_complex())

    return primitive_of(name, forward, lambda: from_torch(pull))
