"""The one door through which a number leaves the graph, to be a plain number from there on.

``float(x)`` is what all doors come down to: ``math`` and ``cmath``, solvers, scalars and
buffers of NumPy, files ask a `Value` for a number by one of Python's protocols.  While a
transform runs, what depends on its arguments may not leave, for the derivative of all
that follows would lack a part.  What is constant almost everywhere may: comparisons,
``int(x)``, ``math.floor(x)`` have the derivative 0.
"""

from __future__ import annotations

import linecache
import math
import opcode
import operator
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import dropwhile, islice, takewhile
from traceback import walk_tb
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.core.array_methods import ArrayMethods, Result, with_named_calls
from autograd_lite.core.backward import dependencies
from autograd_lite.core.duck_arrays import check_entries, is_duck_array
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    MissingAttributeError,
    UnsupportedError,
)
from autograd_lite.core.node import Handle, Node
from autograd_lite.core.plain_arrays import as_plain_array
from autograd_lite.core.primitive import registry
from autograd_lite.core.recorder import current
from autograd_lite.core.signatures import import_rules
from autograd_lite.core.tree import flatten

__all__ = ["Conversions", "call_differentiated", "check_leaving", "is_differentiated"]

differentiated: set[Node] = set()
"""The arguments of all transforms whose functions are running, in whatever thread.

A result is asked whether it depends on one of them, so that threads do not meet here."""

ELSEWHERE = {
    "dist": "np.linalg.norm(x - y)",
    "erf": "ag.special.erf",
    "erfc": "ag.special.erfc",
    "fsum": "np.sum",
    "lgamma": "ag.special.gammaln",
    "phase": "np.angle",
    "sumprod": "np.dot",
}
"""What functions of ``math`` and ``cmath`` are called that NumPy has under another name."""


refused: dict[tuple[CodeType, int], AutogradError] = {}
"""What was refused while transforms run, by the instruction that asked for a number."""


def call_differentiated(function: Callable[..., Any], args: list[Any], nodes: list[Node]) -> Any:
    """Call a function whose derivatives by these nodes, which are in its arguments, are wanted.

    Where NumPy or a solver asked for a number and put an error of its own in the place of
    the refusal, the refusal is what the caller gets.
    """
    differentiated.update(nodes)
    try:
        result = function(*args)
        if not isinstance(result, Handle):
            check_entries(filter(is_duck_array, flatten(result)))
        return result
    except Exception as error:
        refusal = refusal_behind(error)
        if refusal is None:
            raise
        error.__cause__ = None
        raise refusal from error
    finally:
        differentiated.difference_update(nodes)
        if not differentiated:
            refused.clear()


def refusal_behind(error: Exception) -> AutogradError | None:
    """The refusal that led to an error of others: its cause, or raised in the same instruction."""
    if isinstance(error, MissingAttributeError):
        solver = solver_behind(raised_through(error))
        return None if solver is None else UnsupportedError(no_rule_for(solver))
    if isinstance(error, AutogradError):
        return None
    is_pythons = type(error) in (TypeError, ValueError, RuntimeError, SystemError)
    cause = error.__cause__ if is_pythons else None
    while cause is not None and not isinstance(cause, AutogradError):
        cause = cause.__cause__
    if cause is not None:
        return cause
    refusal = next(filter(None, map(refused.get, instructions_of(error))), None)
    return refusal or advice_after(error)


def instructions_of(error: Exception) -> list[tuple[CodeType, int]]:
    """Where an error was raised, and before it the lines of SciPy that it went through.

    Older solvers call a function again while a refusal is pending, and any line of it may fail.
    """
    places = []
    place = error.__traceback__
    while place is not None:
        if place.tb_next is None or package_of(place.tb_frame) == "scipy":
            places.append((place.tb_frame.f_code, place.tb_lasti))
        place = place.tb_next
    return places


NO_NUMBER = re.compile(
    r"'Value'|autograd_lite\.core\.value\.Value|\b(type|from|of|found|not|component:) Value\b"
    r"|\bValue found|pythranized|must be int or float$|Rational instance|buffer API|unmarshallable"
    r"|cannot be written back|\(got Value\)$|^The only supported seed types are"
    r"|^No numeric types to aggregate$|^Cannot aggregate non-numeric type: object$"
)
"""How functions of others say that they do not know a Value, and have not asked it for a number."""

ADVICE = (
    (
        NO_NUMBER,
        "a function that takes plain numbers or their memory was given a Value; compute with "
        "functions of NumPy or ag.special, or pass x.item(), x.tolist() or x.data if it is meant "
        "as a constant",
    ),
    (
        re.compile(r"(array|destination) is read-only$"),
        "np.asarray(x) shows the numbers of a Value, and nobody writes through it; write "
        "np.array(x), which copies, or write into the Value, as x[i] = v",
    ),
)
"""What to write after an error of others that a Value is behind, by its words."""


def advice_after(error: Exception) -> AutogradError | None:
    """An error of others again, with what to write, if a Value is behind it."""
    kind = type(error)
    if kind not in (TypeError, ValueError) and package(kind.__module__) not in WITH_ERRORS:
        return None
    for words, advice in ADVICE:
        if words.search(str(error)):
            refusal = ArgumentValueError if isinstance(error, ValueError) else ArgumentTypeError
            return refusal(f"{error}; {advice}")
    return None


WITH_ERRORS = frozenset({"pandas", "sqlite3"})
"""Packages that say in errors of their own that they do not know a Value."""


def remember(refusal: AutogradError, caller: FrameType) -> AutogradError:
    if differentiated:
        refused[caller.f_code, caller.f_lasti] = refusal
    return refusal


def is_differentiated(node: Node) -> bool:
    """Whether a node depends on an argument of a running transform, and a gradient goes there."""
    if not (differentiated and node.requires_grad):
        return False
    batch = getattr(node.data, "batch", None) if isinstance(node.data, Handle) else None
    if not current.get().of_batch(batch).is_recording:
        return False
    since = min([argument.serial for argument in tuple(differentiated)])
    return not differentiated.isdisjoint(dependencies([node], since)[0])


def check_leaving(node: Node, how: str) -> None:
    """Refuse to give away a number whose gradient would be lost, and say what to write.

    Called by the protocol that somebody uses, to look at who that is.
    """
    if not is_differentiated(node):
        return
    caller = sys._getframe(2)
    solver = solver_behind(outwards(caller))
    if solver is not None:
        raise remember(UnsupportedError(no_rule_for(solver)), caller)
    how, function = called_by(caller, how)
    module = getattr(function, "__module__", None)
    name = getattr(function, "__name__", "")
    namesake = ELSEWHERE.get(name, f"np.{name}" if getattr(np, name, None) in registry else None)
    instead = (
        f"write {namesake}, which knows its derivative"
        if module in ("math", "cmath") and namesake is not None
        else "compute with functions of NumPy or ag.special, or write an ag.primitive of your own"
    )
    error = UnsupportedError(
        f"{how} takes a number out of the graph while a function is differentiated, so that "
        f"its gradient would be lost; {instead}; or pass ag.stop_gradient(x) or x.item() "
        "if it is meant as a constant"
    )
    raise remember(error, caller)


WITHIN = frozenset({"autograd_lite", "numpy", "random"})
"""Packages whose own lines are not what somebody wrote who called them."""

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


def check_chunk(caller: FrameType) -> None:
    """Refuse to be a chunk of an array of Dask, or an argument of its tasks.

    Dask would compute with it, in whatever thread and later, but its arrays lead to no gradient.
    """
    name = dask_function_behind(caller)
    if name is None:
        return
    has_rule = getattr(np, name, None) in registry and "array" not in name
    namesake = f"np.{name}" if has_rule else "it with functions of NumPy, as np.sum"
    text = (
        f"Dask's {name} takes a Value for plain numbers, and its gradient would be lost.\n"
        f"Write {namesake} (Dask's arrays and Values mix there); or pass x.data if it is meant "
        "as a constant"
    )
    raise remember(ArgumentTypeError(text), caller)


BY_COMPARISON = frozenset({"_minimize_scalar_golden"})
"""Searches of SciPy in which numbers are compared, and nothing of them goes into the result."""


def check_search(node: Node) -> None:
    """Refuse to steer a search whose result follows the arguments by comparisons alone."""
    caller = sys._getframe(2)
    if caller.f_code.co_name not in BY_COMPARISON or package_of(caller) != "scipy":
        return
    if any(isinstance(x, Node) and is_differentiated(x) for x in node.inputs):
        text = no_rule_for(solver_behind(outwards(caller)) or "scipy.optimize.golden")
        raise remember(UnsupportedError(text), caller)


STORE_SUBSCR = opcode.opmap.get("STORE_SUBSCR")

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


HASHED = (
    "a Value was looked up in a dict or set, or hashed, while a function is differentiated: NumPy "
    "goes by its number, and its gradient would be lost; write x.item() to look up the number, or "
    "id(x) to tell Values apart"
)


@with_named_calls
class Conversions(ArrayMethods[Result]):
    """Python's and NumPy's protocols by which a handle becomes a plain number or array."""

    __slots__ = ()

    __pandas_priority__ = 5000
    """Above those of its tables, so that they leave operators to a Value."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.node.requires_grad:
            caller = sys._getframe(1)
            solver = solver_behind(outwards(caller))
            text = no_rule_for(solver) if solver else within_numpy(caller) or asked_by(caller)
            raise remember(ArgumentTypeError(text), caller)
        self._read()
        return as_plain_array(self, dtype, copy)

    def __float__(self) -> float:
        # NumPy asks for a float both in float(x), which is the caller's will, and in
        # array[i] = x, where the gradient would be lost without a word.
        caller = sys._getframe(1)
        if self.node.requires_grad and caller.f_code.co_code[caller.f_lasti] == STORE_SUBSCR:
            raise remember(ArgumentTypeError(IN_PLAIN_ARRAY), caller)
        check_leaving(self.node, "float()")
        return float(self._read())

    def __complex__(self) -> complex:
        check_leaving(self.node, "complex()")
        return complex(self._read())

    def tolist(self) -> Any:
        """The data as nested lists of plain Python numbers."""
        if self.ndim == 0:
            return self.item()
        check_leaving(self.node, "tolist()")
        return np.asarray(self._read()).tolist()

    def as_integer_ratio(self) -> tuple[int, int]:
        """The number as a fraction of integers, as ``statistics`` and ``fractions`` ask for it.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> Value(0.75).as_integer_ratio()
        (3, 4)
        """
        check_leaving(self.node, "as_integer_ratio()")
        ratio: tuple[int, int] = self.item().as_integer_ratio()
        return ratio

    def __dask_tokenize__(self) -> Any:
        """What Dask tells tasks apart by: it asks wherever its arrays take something in."""
        check_chunk(sys._getframe(1))
        from dask.base import normalize_token

        return type(self).__name__, self.node.requires_grad, normalize_token(self._read())

    # Steps: their derivative is 0.

    def __bool__(self) -> bool:
        if differentiated:
            check_search(self.node)
        try:
            return bool(self._read())
        except ValueError as error:
            raise ArgumentValueError(
                f"a Value of shape {self.shape} is no single truth value; write np.any(x) or "
                "np.all(x), or np.where(x, a, b) to choose element by element"
            ) from error

    def __int__(self) -> int:
        return int(self._read())

    def __trunc__(self) -> int:
        return int(self)

    def __floor__(self) -> int:
        floor: int = math.floor(self.item())
        return floor

    def __ceil__(self) -> int:
        ceil: int = math.ceil(self.item())
        return ceil

    def __index__(self) -> int:
        if self.dtype.kind not in "iub":
            raise ArgumentTypeError(
                f"a Value of {self.dtype} where an integer is asked for; write int(x) or "
                "np.floor(x).astype(int), whose derivative is 0, or pass x.item() for the number"
            )
        return operator.index(self._read())

    def __hash__(self) -> int:
        """Values are told apart as objects are; numbers of steps are looked up, as NumPy's are."""
        node = self.node
        if isinstance(node.data, np.ndarray) or node.shape:
            return object.__hash__(self)  # NumPy has no hash of arrays
        if isinstance(node.data, Handle):
            return hash(self.item())
        if node.primitive is not None and not node.requires_grad:
            return hash(self._read())
        if is_differentiated(node):
            raise remember(UnsupportedError(HASHED), sys._getframe(1))
        return object.__hash__(self)

    def __bytes__(self) -> bytes:
        raise ArgumentTypeError(
            "bytes() of a Value, whose memory nobody reads; write x.data.tobytes() for a constant"
        )

    # Text, which nothing is computed from.

    def __format__(self, specification: str) -> str:
        return format(self._read() if self.ndim else self.item(), specification)
