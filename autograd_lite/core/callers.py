"""Who asks for a number, by the frames of the call, and what to write in its place.

Functions of NumPy and SciPy that take plain numbers say so by asking a `Value` for them; what they
are called, and what has a rule in their place, is found here.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import dropwhile, islice, takewhile
from traceback import walk_tb
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.core.primitive import registry
from autograd_lite.core.signatures import import_rules

__all__ = [
    "IN_PLAIN_ARRAY",
    "OF_CALLS",
    "OF_FAMILIES",
    "asked_by",
    "called_by",
    "dask_function_behind",
    "no_rule_for",
    "outwards",
    "package",
    "package_of",
    "raised_through",
    "solver_behind",
    "within_numpy",
]

WITHIN = frozenset({"autograd_lite", "numpy", "random"})
"""Packages whose own lines are not those of whoever called them."""

WITHIN_DASK = WITHIN | {"dask", "tlz", "toolz", "cytoolz"}


def package(module: str) -> str:
    return module.partition(".")[0]


def package_of(frame: FrameType) -> str:
    return package(str(frame.f_globals.get("__name__", "")))


def called_by(frame: FrameType, otherwise: str) -> tuple[str, Any]:
    """What the source calls at this moment: its name there, and the function if it is plain."""
    while frame.f_back is not None and package_of(frame) in WITHIN:
        frame = frame.f_back
    code = frame.f_code
    line, _, column, _ = next(islice(code.co_positions(), frame.f_lasti // 2, None))
    if line is None or column is None:
        return otherwise, None
    text = linecache.getline(code.co_filename, line, frame.f_globals).encode()[column:]
    match = re.match(r"(?:\w+\.)*?(?:(\w+)\.)?(\w+)\(", text.decode(errors="replace"))
    if match is None:
        return otherwise, None
    owner, name = match.groups()
    scope = {**frame.f_globals, **frame.f_locals}
    if owner is None:
        return f"{name}()", scope.get(name)
    place = scope.get(owner)
    return f"{owner}.{name}()", getattr(place, name, None) if type(place) is ModuleType else None


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those that wait for it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def raised_through(error: Exception) -> Iterator[FrameType]:
    """The frames that an error went through, the innermost first."""
    return reversed([frame for frame, _ in walk_tb(error.__traceback__)])


def solver_behind(frames: Iterable[FrameType]) -> str | None:
    """The function of SciPy that asks for a number, by the name that programs call it."""
    found = None
    others = dropwhile(lambda frame: package_of(frame) in WITHIN, frames)
    for frame in takewhile(lambda frame: package_of(frame) == "scipy", others):
        found = public_name(frame) or found
    return found


def public_name(frame: FrameType) -> str | None:
    """``scipy.linalg.expm`` or ``scipy.stats.norm.cdf``; None for what programs do not call."""
    name, home = frame.f_code.co_name, frame.f_globals["__name__"]
    if name == "wrapper":  # a decorator, which makes arrays before its function is called
        decorated = frame.f_locals.get("f")
        name, home = getattr(decorated, "__name__", ""), getattr(decorated, "__module__", "")
    parts = str(home).split(".")
    modules = [".".join(parts[:n]) for n in (3, 2) if not any(x.startswith("_") for x in parts[:n])]
    owner = frame.f_locals.get("self")
    if name.startswith("__") and owner is not None:  # a class that is called, or its operator
        kinds = [kind.__name__ for kind in type(owner).__mro__]
    else:
        kinds = [name]
    for module in modules:
        for kind in kinds:
            if kind in vars(sys.modules.get(module, sys)):
                return f"{module}.{kind}"
    module = ".".join(parts[:2])
    place = sys.modules.get(module)  # of a distribution, or of a copy of one
    kind = str(getattr(owner, "name", type(owner).__name__.removesuffix("_gen")))
    is_public = type(getattr(place, kind, None)) is type(owner) and not name.startswith("_")
    return f"{module}.{kind}.{name}" if owner is not None and is_public else None


def namesake_of(solver: str) -> Any:
    """What a function of SciPy's is called by in ``autograd_lite.scipy``; None if it is not there.

    Solvers are no rules, but made of one, and so are classes: they are in no registry.
    """
    import_rules()
    module = sys.modules.get(f"autograd_lite.{solver.rpartition('.')[0]}")
    name = solver.rpartition(".")[2]
    return getattr(module, name, None) if name in getattr(module, "__all__", ()) else None


def function_of(solver: str) -> Any:
    """The function of SciPy's with a name; of a distribution, the pair that rules are kept by."""
    _, module, name, *more = solver.split(".")
    place = getattr(sys.modules[f"scipy.{module}"], name, None)
    if more and not isinstance(place, ModuleType):
        return place, *more
    return getattr(place, more[0], None) if more else place


def no_rule_for(solver: str) -> str:
    """What to write in the place of a function of SciPy."""
    namesake = namesake_of(solver)
    is_registered = function_of(solver) in registry
    if namesake is not None or is_registered:
        code = getattr(namesake, "__code__", None)
        takes_args = code is not None and "args" in code.co_varnames
        by_args = " by args=" if takes_args or solver.startswith("scipy.optimize.") else ""
        return (
            f"{solver} makes plain arrays of its arguments, and the gradient would be lost; "
            f"write ag.{solver}, which knows its derivative{by_args}, or pass x.data to use the "
            "numbers as a constant"
        )
    module, name = solver.split(".")[1:3]
    place = getattr(np, module, np)
    instead = (
        f"Write {place.__name__.replace('numpy', 'np', 1)}.{name}, which has one"
        if getattr(place, name, None) in registry
        else "Call it in an ag.primitive of your own, whose rule differentiates the result; a "
        "solver or minimizer under @ag.implicit, by the equation that its result fulfils"
    )
    return (
        f"{solver} takes plain numbers, and the gradient would be lost: autograd_lite has no rule "
        f"for it.\n{instead}; or pass x.item() or x.data if it is meant as a constant"
    )


def dask_function_behind(frame: FrameType | None) -> str | None:
    """The function or method of Dask's arrays that a program calls at this moment, if any."""
    while frame is not None and package_of(frame) in WITHIN:
        frame = frame.f_back
    found: FrameType | None = None
    while frame is not None and package_of(frame) in WITHIN_DASK:
        if str(frame.f_globals["__name__"]).startswith("dask.array"):
            found = frame
        frame = frame.f_back
    return None if found is None else name_in_dask(found)


def name_in_dask(frame: FrameType) -> str:
    """What people call a function of Dask's; its ufuncs are objects, and some are wrapped."""
    name, of_object = frame.f_code.co_name, frame.f_locals.get("self")
    if name == "__call__":
        return str(getattr(of_object, "__name__", name))
    return name if of_object is not None or name in frame.f_globals else "function"


IN_PLAIN_ARRAY = (
    "NumPy asked for the plain numbers of a Value, and its gradient would be lost.\n"
    "Write np.zeros(n, like=x) for an array to put Values into, ag.array([x, y]) for "
    "np.array([x, y]), np.mean(ag.array([x, y])) for np.mean([x, y]), a @ x for a.dot(x), "
    "or pass x.data to use the numbers as a constant"
)

OF_ROWS = (
    "np.r_ and np.c_ make plain arrays of Values, and their gradient would be lost.\n"
    "Write ag.r_ or ag.c_; or pass x.data to use the numbers as a constant"
)

OF_FAMILIES = {
    "vectorize": "ag.array([f(v) for v in x]), or f(x) if f takes arrays",
    "__init__": "np.polyval(c[::-1], t)",
    "__call__": "np.polynomial.polynomial.polyval(t, p.coef)",
    "polyval": "np.polyval(c[::-1], t)",
    "polyfit": "np.polyfit(x, y, degree)[::-1]",
    "polyroots": "np.roots(c[::-1])",
    "polyfromroots": "np.poly(roots)[::-1]",
    "polyvander": "np.vander(x, degree + 1, increasing=True)",
    "polyadd": "np.polyadd(a[::-1], b[::-1])[::-1]",
    "polysub": "np.polysub(a[::-1], b[::-1])[::-1]",
    "polymul": "np.convolve(a, b)",
    "polydiv": "np.polydiv(a[::-1], b[::-1])",
    "polyder": "np.polyder(c[::-1])[::-1]",
    "polyint": "np.polyint(c[::-1])[::-1]",
    "chebval": "np.polynomial.chebyshev.chebvander(t, len(c) - 1) @ c",
    "hermval": "np.polynomial.hermite.hermvander(t, len(c) - 1) @ c",
    "hermeval": "np.polynomial.hermite_e.hermevander(t, len(c) - 1) @ c",
    "lagval": "np.polynomial.laguerre.lagvander(t, len(c) - 1) @ c",
    "legval": "np.polynomial.legendre.legvander(t, len(c) - 1) @ c",
}
"""What to write for functions of NumPy that make plain arrays before a Value is asked."""


def within_numpy(frame: FrameType | None) -> str:
    """Of `numpy.vectorize` and the functions of `numpy.polynomial`: what to write for them."""
    name = None
    while frame is not None and package_of(frame) == "numpy":
        module = str(frame.f_globals["__name__"])
        if module.startswith("numpy.polynomial"):
            name = frame.f_code.co_name
        elif "vectorize" in frame.f_code.co_qualname:
            name = "vectorize"
        elif "AxisConcatenator" in frame.f_code.co_qualname:
            return OF_ROWS
        frame = frame.f_back
    if name is None:
        return ""
    instead = OF_FAMILIES.get(name, "the sum of powers: sum(c[i] * t**i for i in range(len(c)))")
    what = "a class" if name.startswith("__") else name
    what = "np.vectorize" if name == "vectorize" else f"{what} of numpy.polynomial"
    return (
        f"{what} makes a plain array of a Value, and its gradient would be lost.\n"
        f"Write {instead}; or pass x.data to use the numbers as a constant"
    )


OF_CALLS = {
    "arange": "start + step * np.arange(n)",
    "as_strided": "np.lib.stride_tricks.sliding_window_view(x, n)[::step]",
    "assert_allclose": "np.testing.assert_allclose(x.data, y)",
    "assert_array_equal": "np.testing.assert_array_equal(x.data, y)",
    "broadcast": "zip(*(a.flat for a in np.broadcast_arrays(x, y)))",
    "choice": "x[rng.choice(len(x), n)]",
    "complex128": "np.astype(x, np.complex128)",
    "exponential": "scale * rng.exponential(size=n)",
    "float32": "np.astype(x, np.float32)",
    "float64": "np.astype(x, np.float64)",
    "full": "v * np.ones(n)",
    "laplace": "loc + scale * rng.laplace(size=n)",
    "multivariate_normal": "mean + np.linalg.cholesky(cov) @ rng.normal(size=len(mean))",
    "ndenumerate": "((i, x[i]) for i in np.ndindex(x.shape))",
    "nditer": "x.flat, which is iterated over in C order",
    "normal": "loc + scale * rng.normal(size=n)",
    "permutation": "x[rng.permutation(len(x))]",
    "uniform": "low + (high - low) * rng.uniform(size=n)",
}
"""The same for functions of NumPy's that are not written in Python, by the name that is called."""


def asked_by(frame: FrameType) -> str:
    """What to write for a function of NumPy that makes a plain array of a Value."""
    how, _ = called_by(frame, "")
    instead = OF_CALLS.get(how.removesuffix("()").rpartition(".")[2])
    if instead is None:
        return IN_PLAIN_ARRAY
    return (
        f"{how} makes a plain array of a Value, and its gradient would be lost.\n"
        f"Write {instead}; or pass x.data to use the numbers as a constant"
    )
