"""Workloads: whole matrices of derivatives, a Hessian and a Jacobian of a hundred variables."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import BY_HAND, OURS, Runner, Workload, installed
from tests.benchmarks.with_advect import runs_of_advect

SIZE = 100


def rosenbrock(x: Any) -> Any:
    """H. Rosenbrock, "An automatic method for finding the greatest or least value ..." (1960)."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def point() -> Any:
    return np.random.default_rng(0).uniform(-1, 1, SIZE)


def matrix() -> Any:
    return np.random.default_rng(1).normal(scale=SIZE**-0.5, size=(SIZE, SIZE))


def analytic_hessian(x: Any) -> Any:
    """The formula, as a person writes it who knows that there are three diagonals."""
    size = len(x)
    result = np.zeros((size, size))
    here, after = np.arange(size - 1), np.arange(1, size)
    result[here, here] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    result[after, after] += 200
    result[here, after] = result[after, here] = -400 * x[:-1]
    return result


def compiled(function: Any, x: Any, backend: str = "numpy") -> Runner:
    program = ag.compile(function, backend=backend)
    program(x)
    program(x)  # the second call compares two traces
    return lambda: program(x)


def of_torch(transform: Any, function: Any) -> Runner:
    import torch

    x = torch.tensor(point())
    derivatives = transform(function)
    return lambda: derivatives(x).numpy()


def of_jax(transform: Any, function: Any) -> Runner:
    import jax

    jax.config.update("jax_enable_x64", True)
    x = jax.numpy.asarray(point())
    derivatives = jax.jit(transform(function))
    return lambda: derivatives(x).block_until_ready()


def make_hessian() -> dict[str, Runner]:
    x = point()
    runners = {OURS: compiled(ag.hessian(rosenbrock), x), BY_HAND: lambda: analytic_hessian(x)}
    if installed("numba"):
        runners[f"{OURS}, Numba"] = compiled(ag.hessian(rosenbrock), x, "numba")
    if installed("torch"):
        import torch

        runners["PyTorch hessian"] = of_torch(torch.func.hessian, rosenbrock)
    if installed("jax"):
        import jax

        runners["JAX jit"] = of_jax(jax.hessian, rosenbrock)
    eager = ag.hessian(rosenbrock)
    runners["autograd_lite, eager"] = lambda: eager(x)
    runners |= runs_of_advect("hessian", rosenbrock, x)
    return runners


def make_jacobian() -> dict[str, Runner]:
    weights = matrix()

    def layer(x: Any) -> Any:
        return np.tanh(weights @ x)

    def analytic() -> Any:
        return (1 - np.tanh(weights @ x) ** 2)[:, None] * weights

    x, jacobian = point(), ag.jacobian(layer)
    runners = {OURS: compiled(jacobian, x), BY_HAND: analytic}
    if installed("numba"):
        runners[f"{OURS}, Numba"] = compiled(jacobian, x, "numba")
    if installed("torch"):
        import torch

        tensor = torch.tensor(weights)
        for transform in (torch.func.jacrev, torch.func.jacfwd):
            name = f"PyTorch {transform.__name__}"
            runners[name] = of_torch(transform, lambda x: torch.tanh(tensor @ x))
    if installed("jax"):
        import jax

        for transform in (jax.jacrev, jax.jacfwd):
            name = f"JAX jit {transform.__name__}"
            runners[name] = of_jax(transform, lambda x: jax.numpy.tanh(weights @ x))
    runners["autograd_lite, eager"] = lambda: jacobian(x)
    runners |= runs_of_advect("jacobian", layer, x)
    return runners


WORKLOADS = [
    Workload(
        "hessian",
        "Hessian of the Rosenbrock function of 100 variables",
        make_hessian,
    ),
    Workload(
        "jacobian",
        "Jacobian of tanh(W x), 100 outputs by 100 inputs",
        make_jacobian,
    ),
]
