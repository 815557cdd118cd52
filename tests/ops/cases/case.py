"""One row of the table of cases, and the domains that inputs are drawn from.

Domains are smooth by construction: no draw comes near a kink, a tie or a pole, so
that numerical derivatives are accurate and tolerances can be tight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.core.numpy_namespace import Missing
from autograd_lite.core.signatures import dotted_name

Rng = np.random.Generator
Sampler = Callable[[Rng, tuple[int, ...]], Any]


DEPRECATED = {"fix": "2.5.0"}
"""Functions that NumPy warns of, and since which version."""


def has(function: Any) -> bool:
    """Whether this NumPy has what a row is for: a function, or a method of one."""
    return not isinstance(function[0] if isinstance(function, tuple) else function, Missing)


def is_deprecated(function: Any) -> bool:
    """Whether this NumPy warns of every use of it."""
    since = DEPRECATED.get(getattr(function, "__name__", ""))
    return since is not None and np.lib.NumpyVersion(np.__version__) >= since


@dataclass(frozen=True)
class Domain:
    """Where one input is drawn from: its shape, and how to draw an array of a shape."""

    shape: tuple[int, ...]
    sample: Sampler

    def draw(self, rng: Rng, shape: tuple[int, ...] | None = None) -> Any:
        array = np.asarray(self.sample(rng, self.shape if shape is None else shape))
        array.flags.writeable = False
        return array


@dataclass(frozen=True)
class Case:
    """One way to call one registered function."""

    function: Any
    """The key in the registry."""
    call: Callable[..., Any]
    """Takes the inputs, Values or arrays, and returns the result."""
    domains: tuple[Domain, ...]
    reference: Callable[..., Any]
    """The same on plain arrays, by NumPy alone."""
    label: str = ""
    derivatives: int = 2
    """How many derivatives there are; 0 for functions that carry no gradient."""
    keywords: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        function = self.function
        if isinstance(function, tuple):
            owner = getattr(function[0], "__name__", type(function[0]).__name__)
            name = f"{owner.removesuffix('_gen')}.{function[1]}"
        else:
            name = getattr(function, "__name__", str(function))
        module = getattr(function, "__module__", "") or ""
        prefix = "linalg." if "linalg" in module else "fft." if "fft" in module else ""
        if isinstance(function, np.ufunc) or module.startswith("scipy"):
            prefix = "scipy." if dotted_name(function).startswith("scipy.") else prefix
        return f"{prefix}{name}({self.label or ', '.join(map(_shown, self.keywords.items()))})"

    def draw(self, seed: int = 0) -> list[Any]:
        rng = np.random.default_rng(seed)
        return [domain.draw(rng) for domain in self.domains]


def _shown(item: tuple[str, Any]) -> str:
    return f"{item[0]}={item[1]}"


def row(
    function: Any,
    *domains: Domain,
    call: Callable[..., Any] | None = None,
    reference: Callable[..., Any] | None = None,
    label: str = "",
    derivatives: int = 2,
    **keywords: Any,
) -> Case:
    """A case that calls ``function`` with these keywords, unless another call is given."""
    if call is None:

        def call(*inputs: Any) -> Any:
            return function(*inputs, **keywords)

    return Case(function, call, domains, reference or call, label, derivatives, keywords)


def passes(function: Any, *domains: Domain, **options: Any) -> Case:
    """A case of a function that answers as on plain arrays and carries no gradient."""
    return row(function, *domains, derivatives=0, **options)


def method(
    function: Any, name: str, *domains: Domain, call: Callable[..., Any] | None = None,
    reference: Callable[..., Any] | None = None, label: str = "", derivatives: int = 2,
    **keywords: Any,
) -> Case:  # fmt: skip
    """A case of a method of a ufunc: ``np.add.reduce``."""
    bound = getattr(function, name)

    def plain_call(*inputs: Any) -> Any:
        return bound(*inputs, **keywords)

    call = call or plain_call
    return Case((function, name), call, domains, reference or call, label, derivatives, keywords)


# Domains.


def domain(sample: Sampler) -> Callable[..., Domain]:
    def of_shape(*shape: int) -> Domain:
        return Domain(shape, sample)

    return of_shape


@domain
def real(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(-2, 2, shape)


@domain
def positive(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.5, 2.5, shape)


@domain
def nonzero(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape)


@domain
def inside_unit(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Between -1 and 1, where arcsin and arctanh live."""
    return rng.uniform(-0.8, 0.8, shape)


@domain
def above_one(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(1.3, 3, shape)


@domain
def distinct(rng: Rng, shape: tuple[int, ...]) -> Any:
    """No two elements nearer than 0.2, none nearer to 0 than 0.1."""
    size = int(np.prod(shape))
    steps = 0.3 * (np.arange(size) - size // 2) + 0.15
    return (rng.permutation(steps) + rng.uniform(-0.05, 0.05, size)).reshape(shape)


@domain
def distinct_sizes(rng: Rng, shape: tuple[int, ...]) -> Any:
    """No two elements of nearly the same absolute value, none near 0."""
    size = int(np.prod(shape))
    sizes = rng.permutation(0.3 * np.arange(1, size + 1)) + rng.uniform(-0.05, 0.05, size)
    return (sizes * rng.choice([-1, 1], size)).reshape(shape)


@domain
def distinct_lines(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Matrices whose rows, and whose columns, differ in the sums of their absolute values."""
    scales = np.multiply.outer(2.0 ** np.arange(shape[-2]), 3.0 ** np.arange(shape[-1]))
    return rng.uniform(0.9, 1, shape) * rng.choice([-1, 1], shape) * scales


@domain
def increasing(rng: Rng, shape: tuple[int, ...]) -> Any:
    return np.cumsum(rng.uniform(0.5, 1.5, shape), axis=-1)


@domain
def fractional(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Away from all integers, where rounding jumps."""
    return rng.integers(-3, 3, shape) + rng.uniform(0.2, 0.4, shape)


@domain
def invertible(rng: Rng, shape: tuple[int, ...]) -> Any:
    return rng.uniform(-1, 1, shape) + 2 * np.eye(shape[-2], shape[-1])


@domain
def symmetric(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Symmetric, with eigenvalues well apart."""
    noise = rng.uniform(-0.1, 0.1, shape)
    return noise + np.swapaxes(noise, -1, -2) + np.diag(np.arange(1.0, shape[-1] + 1))


@domain
def positive_definite(rng: Rng, shape: tuple[int, ...]) -> Any:
    noise = rng.uniform(-0.3, 0.3, shape)
    return noise + np.swapaxes(noise, -1, -2) + np.diag(np.arange(2.0, shape[-1] + 2))


@domain
def full_rank(rng: Rng, shape: tuple[int, ...]) -> Any:
    """Rectangular, with singular values well apart."""
    noise = rng.uniform(-0.1, 0.1, shape)
    return noise + np.eye(*shape[-2:]) * np.arange(1.0, shape[-1] + 1)


def complex_of(part: Callable[..., Domain]) -> Callable[..., Domain]:
    """Complex numbers with real and imaginary parts from a domain."""

    def of_shape(*shape: int) -> Domain:
        sample = part(*shape).sample
        return Domain(shape, lambda rng, shape: sample(rng, shape) + 1j * sample(rng, shape))

    return of_shape


complex_numbers = complex_of(real)
