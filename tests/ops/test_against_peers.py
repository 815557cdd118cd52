"""The difficult families agree with PyTorch and JAX on random input, to 1e-8.

Each row writes one function twice, for NumPy and for the peer.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

Inputs = list[Any]


def near_identity(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape) * 0.3 + np.eye(*shape[-2:]) * np.arange(2.0, 2 + shape[-1])


def normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.normal(size=shape)


Shapes = list[tuple[Any, tuple[int, ...]]]
square: Shapes = [(near_identity, (2, 4, 4))]
tall: Shapes = [(near_identity, (5, 3))]
plain: Shapes = [(normal, (3, 5))]


def gram(x: Any) -> Any:
    return x @ x.swapaxes(-1, -2)


def signs(v: Any) -> Any:
    """What does not depend on the signs of vectors."""
    return v * v


PYTORCH: dict[str, tuple[Shapes, Callable[..., Any], Callable[..., Any]]] = {
    "inv": (square, np.linalg.inv, lambda t, a: t.linalg.inv(a)),
    "det": (square, np.linalg.det, lambda t, a: t.linalg.det(a)),
    "slogdet": (square, lambda a: np.linalg.slogdet(a)[1], lambda t, a: t.linalg.slogdet(a)[1]),
    "solve": (
        [*square, (normal, (2, 4, 3))], np.linalg.solve, lambda t, a, b: t.linalg.solve(a, b),
    ),
    "cholesky": (
        square, lambda a: np.linalg.cholesky(gram(a)), lambda t, a: t.linalg.cholesky(gram(a)),
    ),
    "eigh": (
        square,
        lambda a: signs(np.linalg.eigh(a + a.swapaxes(-1, -2))[1]),
        lambda t, a: signs(t.linalg.eigh(a + a.swapaxes(-1, -2))[1]),
    ),
    "eigvalsh": (
        square,
        lambda a: np.linalg.eigvalsh(gram(a)),
        lambda t, a: t.linalg.eigvalsh(gram(a)),
    ),
    "svd u": (
        tall,
        lambda a: signs(np.linalg.svd(a, full_matrices=False)[0]),
        lambda t, a: signs(t.linalg.svd(a, full_matrices=False)[0]),
    ),
    "svd vh": (
        tall,
        lambda a: signs(np.linalg.svd(a, full_matrices=False)[2]),
        lambda t, a: signs(t.linalg.svd(a, full_matrices=False)[2]),
    ),
    "svdvals": (tall, np.linalg.svdvals, lambda t, a: t.linalg.svdvals(a)),
    "qr": (
        tall,
        lambda a: signs(np.linalg.qr(a)[0]) @ np.abs(np.linalg.qr(a)[1]),
        lambda t, a: signs(t.linalg.qr(a)[0]) @ t.linalg.qr(a)[1].abs(),
    ),
    "pinv": (tall, np.linalg.pinv, lambda t, a: t.linalg.pinv(a)),
    "lstsq": (
        [*tall, (normal, (5, 2))],
        lambda a, b: np.linalg.lstsq(a, b)[0],
        lambda t, a, b: t.linalg.lstsq(a, b)[0],
    ),
    "matrix_power": (
        square, lambda a: np.linalg.matrix_power(a, -2), lambda t, a: t.linalg.matrix_power(a, -2),
    ),
    "nuclear norm": (
        tall, lambda a: np.linalg.norm(a, "nuc"), lambda t, a: t.linalg.norm(a, "nuc"),
    ),
    "spectral norm": (tall, lambda a: np.linalg.norm(a, 2), lambda t, a: t.linalg.norm(a, 2)),
    "3-norm": (
        plain, lambda a: np.linalg.norm(a, 3, axis=1), lambda t, a: t.linalg.norm(a, 3, dim=1),
    ),
    "multi_dot": (
        [(normal, (2, 3)), (normal, (3, 4)), (normal, (4, 2))],
        lambda *xs: np.linalg.multi_dot(xs),
        lambda t, *xs: t.linalg.multi_dot(xs),
    ),
    "fft": (plain, lambda a: np.abs(np.fft.fft(a, 7)), lambda t, a: t.fft.fft(a, 7).abs()),
    "ifft": (plain, lambda a: np.abs(np.fft.ifft(a)), lambda t, a: t.fft.ifft(a).abs()),
    "rfft": (
        plain,
        lambda a: np.abs(np.fft.rfft(a, norm="ortho")),
        lambda t, a: t.fft.rfft(a, norm="ortho").abs(),
    ),
    "irfft": (plain, lambda a: np.fft.irfft(a * (1 + 2j)), lambda t, a: t.fft.irfft(a * (1 + 2j))),
    "fft2": (plain, lambda a: np.abs(np.fft.fft2(a)), lambda t, a: t.fft.fft2(a).abs()),
    "rfftn": (plain, lambda a: np.abs(np.fft.rfftn(a)), lambda t, a: t.fft.rfftn(a).abs()),
    "hfft": (plain, lambda a: np.fft.hfft(a), lambda t, a: t.fft.hfft(a)),
    "sort": (plain, lambda a: np.sort(a, axis=0), lambda t, a: t.sort(a, dim=0)[0]),
    "quantile": (
        plain, lambda a: np.quantile(a, 0.3, axis=1), lambda t, a: t.quantile(a, 0.3, dim=1),
    ),
    "pad reflect": (
        plain,
        lambda a: np.pad(a, ((0, 0), (2, 3)), "reflect"),
        lambda t, a: t.nn.functional.pad(a, (2, 3), "reflect"),
    ),
    "pad edge": (
        plain,
        lambda a: np.pad(a, ((0, 0), (2, 3)), "edge"),
        lambda t, a: t.nn.functional.pad(a, (2, 3), "replicate"),
    ),
    "pad wrap": (
        plain,
        lambda a: np.pad(a, ((0, 0), (2, 3)), "wrap"),
        lambda t, a: t.nn.functional.pad(a, (2, 3), "circular"),
    ),
    "einsum": (
        [(normal, (2, 3, 4)), (normal, (4, 3)), (normal, (2, 3))],
        lambda *xs: np.einsum("bij,ji,bi->bj", *xs),
        lambda t, *xs: t.einsum("bij,ji,bi->bj", *xs),
    ),
    "tensordot": (
        [(normal, (2, 3, 4)), (normal, (4, 2, 5))],
        lambda x, y: np.tensordot(x, y, axes=((0, 2), (1, 0))),
        lambda t, x, y: t.tensordot(x, y, dims=((0, 2), (1, 0))),
    ),
    "take_along_axis": (
        plain,
        lambda a: np.take_along_axis(a, np.array([[0, 0, 4]] * 3), axis=1),
        lambda t, a: t.take_along_dim(a, t.tensor([[0, 0, 4]] * 3), dim=1),
    ),
    "index": (plain, lambda a: a[[0, 2, 2], [1, 1, 1]], lambda t, a: a[[0, 2, 2], [1, 1, 1]]),
    "cumprod": (plain, lambda a: np.cumprod(a, axis=1), lambda t, a: t.cumprod(a, dim=1)),
    "running maximum": (
        plain,
        lambda a: np.maximum.accumulate(a, axis=1),
        lambda t, a: t.cummax(a, dim=1)[0],
    ),
    "cov": (plain, np.cov, lambda t, a: t.cov(a)),
    "corrcoef": (
        plain, lambda a: np.corrcoef(a)[0, 1:], lambda t, a: t.corrcoef(a)[0, 1:],
    ),
    "kron": ([(normal, (2, 3)), (normal, (3, 2))], np.kron, lambda t, x, y: t.kron(x, y)),
}  # fmt: skip


def drawn(shapes: Shapes, name: str) -> Inputs:
    rng = np.random.default_rng(sum(map(ord, name)))
    return [domain(rng, *shape) for domain, shape in shapes]


def our_gradients(function: Callable[..., Any], inputs: Inputs) -> Any:
    value, pullback = ag.vjp(function, *inputs)
    return value, pullback(np.cos(np.arange(np.size(value))).reshape(np.shape(value)))


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("name", PYTORCH)
def test_agrees_with_pytorch(name: str) -> None:
    import torch

    shapes, ours, theirs = PYTORCH[name]
    inputs = drawn(shapes, name)
    value, gradients = our_gradients(ours, inputs)
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    result = theirs(torch, *leaves)
    weights = np.cos(np.arange(np.size(value))).reshape(np.shape(value))
    (result * torch.tensor(weights)).sum().backward()
    np.testing.assert_allclose(value, result.detach().numpy(), rtol=1e-9, atol=1e-11)
    for share, leaf in zip(gradients, leaves, strict=True):
        np.testing.assert_allclose(share, leaf.grad.numpy(), rtol=1e-8, atol=1e-10)


JAX: dict[str, tuple[Shapes, str]] = {
    "numpy.linalg.inv": (square, ""),
    "numpy.linalg.det": (square, ""),
    "numpy.linalg.pinv": (tall, ""),
    "numpy.fft.irfft2": (plain, ""),
    "numpy.median": (plain, ""),
    "numpy.ptp": (plain, ""),
    "numpy.convolve": ([(normal, (5,)), (normal, (3,))], "same"),
    "numpy.correlate": ([(normal, (5,)), (normal, (4,))], "full"),
    "numpy.polyval": ([(normal, (4,)), (normal, (3, 2))], ""),
    "numpy.cross": ([(normal, (4, 3)), (normal, (4, 3))], ""),
    "numpy.unwrap": ([(normal, (6,))], ""),
    "numpy.sinc": (plain, ""),
    "numpy.i0": (plain, ""),
    "numpy.logaddexp2": ([(normal, (3,)), (normal, (3,))], ""),
    "numpy.nanvar": (plain, ""),
    "numpy.trapezoid": (plain, ""),
}


@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.parametrize("name", JAX)
def test_agrees_with_jax(name: str) -> None:
    import jax

    jax.config.update("jax_enable_x64", True)
    shapes, *options = JAX[name]
    mode = {"mode": options[0]} if options[0] else {}
    ours, theirs = np, jax.numpy
    for part in name.split(".")[1:]:
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    inputs = drawn(shapes, name)
    value, gradients = our_gradients(lambda *xs: ours(*xs, **mode), inputs)
    result, pullback = jax.vjp(lambda *xs: theirs(*xs, **mode), *map(jax.numpy.asarray, inputs))
    weights = np.cos(np.arange(np.size(value))).reshape(np.shape(value))
    np.testing.assert_allclose(value, result, rtol=1e-9, atol=1e-11)
    for share, other in zip(gradients, pullback(jax.numpy.asarray(weights)), strict=True):
        np.testing.assert_allclose(share, other, rtol=1e-8, atol=1e-10)
