"""Training steps on a GPU, beside PyTorch on the same one: ``python -m tests.benchmarks.gpu``.

Needs CuPy and a GPU, and PyTorch with CUDA for its rows; says what is missing and measures
nothing without the first two.  A step is loss, gradients and the update of plain gradient
descent in float32; each one ends when its loss has arrived on the host.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks.measure import OURS, Runner, Workload, installed
from tests.benchmarks.report import machine, table

RATE = 0.01
NETWORKS = {
    "MLP step on a GPU, small": ((784, 128, 10), 200),
    "MLP step on a GPU, large": ((4096, 4096, 4096, 10), 1024),
    "64 layers of tanh on a GPU": ((256,) * 65, 256),
}
"""Sizes of the layers, and samples in a batch."""


def drawn(sizes: Sequence[int], batch: int) -> tuple[list[Any], list[Any], Any, Any]:
    """Weights, biases, inputs and targets, the same for all peers."""
    rng = np.random.default_rng(0)
    weights = [
        rng.normal(scale=n_in**-0.5, size=(n_in, n_out)).astype(np.float32)
        for n_in, n_out in pairwise(sizes)
    ]
    biases = [np.zeros(n, np.float32) for n in sizes[1:]]
    x, y = (rng.normal(size=(batch, n)).astype(np.float32) for n in (sizes[0], sizes[-1]))
    return weights, biases, x, y


def loss_with(namespace: Any, parameters: Any, x: Any, y: Any) -> Any:
    """The same lines for every peer whose namespace looks like NumPy's."""
    weights, biases = parameters
    for w, b in zip(weights, biases, strict=True):
        x = namespace.tanh(x @ w + b)
    return namespace.mean((x - y) ** 2)


def by_us(library: Any, data: Any, **options: Any) -> Runner:
    weights, biases, x, y = data
    there = library.asarray
    state = [[there(w) for w in weights], [there(b) for b in biases]]
    given = there(x), there(y)

    def step(parameters: Any, x: Any, y: Any) -> Any:
        loss, gradients = ag.value_and_grad(lambda p: loss_with(np, p, x, y))(parameters)
        changed = [
            [p - np.float32(RATE) * g for p, g in zip(column, slopes, strict=True)]
            for column, slopes in zip(parameters, gradients, strict=True)
        ]
        return loss, changed

    compiled = ag.compile(step, donate=0, **options)

    def run() -> float:
        loss, state[:] = compiled(state, *given)
        return float(loss)

    return run


def by_torch(data: Any, *, compiled: bool) -> Runner:
    import torch

    weights, biases, x, y = data
    device = torch.device("cuda")
    parameters = [
        [torch.tensor(p, device=device, requires_grad=True) for p in column]
        for column in (weights, biases)
    ]
    given = [torch.tensor(part, device=device) for part in (x, y)]
    every = [p for column in parameters for p in column]
    optimizer = torch.optim.SGD(every, lr=RATE)

    def loss_of(x: Any, y: Any) -> Any:
        return loss_with(torch, parameters, x, y)

    loss_function = torch.compile(loss_of, mode="reduce-overhead") if compiled else loss_of

    def run() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_function(*given)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return run


def runners(library: Any, sizes: Sequence[int], batch: int) -> dict[str, Any]:
    data = drawn(sizes, batch)
    found: dict[str, Any] = {
        OURS: by_us(library, data),
        f"{OURS}, CUDA graphs": by_us(library, data, cuda_graph=True),
    }
    if not installed("torch"):
        return found
    import torch

    if not torch.cuda.is_available():
        return found | {"PyTorch": "this build of PyTorch finds no GPU"}
    return found | {
        "PyTorch": by_torch(data, compiled=False),
        "torch.compile": by_torch(data, compiled=True),
    }


def workloads(library: Any) -> list[Workload]:
    def maker(sizes: Sequence[int], batch: int) -> Callable[[], dict[str, Any]]:
        return lambda: runners(library, sizes, batch)

    return [
        Workload(name, f"{sizes}, batch {batch}, float32", maker(sizes, batch), tolerance=1e-3)
        for name, (sizes, batch) in NETWORKS.items()
    ]


def gpu_library() -> Any:
    """CuPy; or the reason why nothing can be measured, as text."""
    if not installed("cupy"):
        return "CuPy is not installed: pip install 'autograd-lite[cupy]' (for CUDA 12)"
    import cupy

    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy finds no GPU: {error}"
    return cupy if count else "CuPy finds no GPU"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=30)
    repetitions = parser.parse_args().repetitions
    library = gpu_library()
    if isinstance(library, str):
        sys.exit(f"Nothing was measured. {library}")
    name = library.cuda.runtime.getDeviceProperties(0)["name"].decode()
    rows = [
        (name, row)
        for workload in workloads(library)
        for row in workload.measured(repetitions, (), progress=True)
    ]
    print(f"{machine()}, {name}, CuPy {library.__version__}\n\n{table(rows)}")


if __name__ == "__main__":
    main()
