"""Import the package on a NumPy from which each function with a rule is removed in turn.

Run as a program by ``test_missing_functions``, since it takes functions out of NumPy and
imports the package again and again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import numpy as np

PACKAGES = ("autograd_lite", "nn")
NAMESPACES = (np, np.linalg, np.fft)
IS_NIGHTLY = bool(os.environ.get("AUTOGRAD_LITE_NIGHTLY"))
SAMPLE = 40
"""In a usual run so many functions are removed one at a time, and then all at once."""

FEWER_THAN_TODAY = ("fix", "matvec", "vecmat", "cumulative_sum", "unstack", "trapezoid")
"""Functions that came to NumPy late, or are on their way out."""


def imported_anew() -> Any:
    """The engine, in modules that know nothing of earlier imports."""
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    return import_module("autograd_lite")


def every_module() -> list[str]:
    """The modules of the packages that can be imported here."""
    names = []
    for package in map(import_module, PACKAGES):
        for _, name, _ in walk_packages(package.__path__, package.__name__ + "."):
            if name.endswith("__main__"):
                continue
            with suppress(ImportError):  # an optional package is missing
                import_module(name)
                names.append(name)
    return names


def with_rules() -> list[Any]:
    """The functions of NumPy's on arrays that the package has something to say to."""
    registry = import_module("autograd_lite.core.primitive").registry
    functions = dict.fromkeys(key[0] if isinstance(key, tuple) else key for key in registry)
    return [function for function in functions if places_of(function) and takes_arrays(function)]


def takes_arrays(function: Any) -> bool:
    """Whether NumPy asks its arguments what to do: not of ``np.zeros``, which was always there."""
    return isinstance(function, np.ufunc) or hasattr(function, "_implementation")


def places_of(function: Any) -> list[tuple[Any, str]]:
    return [(home, name) for home in NAMESPACES for name, x in vars(home).items() if x is function]


@contextmanager
def removed(*functions: Any) -> Iterator[None]:
    """A NumPy without some functions, under any name."""
    gone = [(place, function) for function in functions for place in places_of(function)]
    for (home, name), _ in gone:
        delattr(home, name)
    try:
        yield
    finally:
        for (home, name), function in gone:
            setattr(home, name, function)


def use_scalars(ag: Any) -> None:
    x = ag.Value(2.0)
    (x * 3.0).backward()
    assert x.grad == 3.0


def use_arrays(ag: Any) -> None:
    x = np.array([0.5, 1.0])
    compiled = ag.compile(ag.grad(lambda x: np.sum(np.tanh(x) ** 2)))
    for _ in range(3):
        expected = 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
        assert np.allclose(compiled(x), expected, rtol=1e-14)
    assert np.allclose(ag.jacobian(lambda x: x * x)(x), np.diag(2 * x))


def main() -> None:
    modules, functions = every_module(), with_rules()
    in_turn = functions if IS_NIGHTLY else functions[:: len(functions) // SAMPLE]
    late = [function for function in functions if function.__name__ in FEWER_THAN_TODAY]
    for function in dict.fromkeys([*in_turn, *late]):
        with removed(function):
            ag = imported_anew()
            use_scalars(ag)
            if function.__name__ in FEWER_THAN_TODAY:
                use_arrays(ag)
    with removed(*functions):
        imported_anew()
        for name in modules:
            import_module(name)
    print(f"{len(functions)} functions, {len(modules)} modules")


if __name__ == "__main__":
    main()
