"""The one door through which a number leaves the graph, to be a plain number from there on.

``float(x)`` is what all doors come down to: ``math`` and ``cmath``, solvers, scalars and
buffers of NumPy, files ask a `Value` for a number by one of Python's protocols.  While a
transform runs, what depends on its arguments may not leave, for the derivative of all
that follows would lack a part.  What is constant almost everywhere may: comparisons,
``int(x)``, ``math.floor(x)`` have the derivative 0.
"""

from __future__ import annotations

import math
import opcode
import operator
import re
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from autograd_lite.core.array_methods import ArrayMethods, Result, with_named_calls
from autograd_lite.core.backward import dependencies
from autograd_lite.core.callers import (
    IN_PLAIN_ARRAY,
    asked_by,
    called_by,
    dask_function_behind,
    no_rule_for,
    outwards,
    package,
    package_of,
    raised_through,
    solver_behind,
    within_numpy,
)
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
from autograd_lite.core.refusals import differentiated, refused_writes, running
from autograd_lite.core.tree import flatten

__all__ = ["Conversions", "call_differentiated", "check_leaving", "is_differentiated"]

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

taken: dict[tuple[int, int], tuple[Node, str, CodeType]] = {}
"""What ``x.item()`` took out of the graph last while transforms run, by the instruction: the ``id``
of its code and the place there, as the hash of code reads all of it."""


def call_differentiated(
    function: Callable[..., Any], args: list[Any], nodes: list[Node], has_aux: bool = False
) -> Any:
    """Call a function whose derivatives by these nodes, which are in its arguments, are wanted.

    Where NumPy or a solver asked for a number and put an error of its own in the place of
    the refusal, the refusal is what the caller gets; also where it is caught, if a write into an
    array was refused, which lacks the number then.
    """
    known = [*refused.values(), *refused_writes] if refused or refused_writes else []
    differentiated.update(nodes)
    running.append(function)
    try:
        result = function(*args)
        if refused or refused_writes:
            check_writes(known)
        if taken:
            is_pair = has_aux and isinstance(result, (tuple, list))
            check_taken(result[:1] if is_pair else result, nodes)
        if not isinstance(result, Handle):
            check_entries(filter(is_duck_array, flatten(result)))
        return result
    except Exception as error:
        refusal = refusal_behind(error)
        for place in [key for key, new in refused.items() if new not in known]:
            del refused[place]  # whoever catches the error knows of it
        refused_writes[:] = [new for new in refused_writes if new in known]
        if refusal is None:
            raise
        error.__cause__ = None
        raise refusal from error
    finally:
        differentiated.difference_update(nodes)
        running.pop()
        if not running:
            refused.clear()
            refused_writes.clear()
            taken.clear()


def check_taken(result: Any, nodes: list[Node]) -> None:
    """Refuse a result that is constant because ``x.item()`` took a number out of the graph."""
    since = min([node.serial for node in nodes], default=0)

    def depends(node: Node) -> bool:
        return not set(nodes).isdisjoint(dependencies([node], since)[0])

    def is_constant(leaf: Any) -> bool:
        kind = getattr(getattr(leaf, "dtype", None), "kind", None)
        if kind not in ("f", "c") and not isinstance(leaf, (float, complex)):
            return False  # the derivative of steps is 0
        return not (isinstance(leaf, Handle) and depends(leaf.node))

    for (_, place), (node, method, code) in [*taken.items()]:
        if depends(node) and any(map(is_constant, flatten(result))):
            line = next(line for start, end, line in code.co_lines() if start <= place < end)
            raise UnsupportedError(
                f"{method}() in line {line} of {code.co_name} took a number out of the graph while "
                "a function is differentiated, and its result does not depend on the arguments any "
                "more: the gradient would be 0.\n"
                "Return the Value itself in the place of x.item(); or write ag.stop_gradient(x) if "
                "it is meant as a constant"
            )


def note_taken(node: Node, method: str) -> None:
    """Remember who took a number out, in case that it becomes the result."""
    if node.requires_grad and current.get().is_recording:
        caller = sys._getframe(3)  # behind a method and what names its arguments
        code = caller.f_code
        taken[id(code), caller.f_lasti] = node, method, code


def check_writes(known: list[AutogradError]) -> None:
    """Raise what a program has caught of refused writes, as of ``array[i] = x``."""
    numbers = [refusal for place, refusal in refused.items() if is_write(*place)]
    for refusal in (*numbers, *refused_writes):
        if refusal not in known:
            raise refusal


def is_write(code: CodeType, place: int) -> bool:
    return code.co_code[place] == STORE_SUBSCR


STORE_SUBSCR = opcode.opmap.get("STORE_SUBSCR")


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
    r"'(Value|View)\b|autograd_lite\.core\.value\.Value"
    r"|\b(type|from|of|found|not|component:) Value\b|\bValue found"
    r"|pythranized|must be int or float$|Rational instance|buffer API|unmarshallable"
    r"|cannot be written back|\(got Value\)$|^The only supported seed types are"
    r"|^SeedSequence expects int|^(Stop argument|Indices) for islice"
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
        "np.asarray(x) shows the numbers of a Value, and cannot be written through; write "
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
        if self.node.requires_grad and is_write(caller.f_code, caller.f_lasti):
            raise remember(ArgumentTypeError(IN_PLAIN_ARRAY), caller)
        check_leaving(self.node, "float()")
        return float(self._read())

    def __complex__(self) -> complex:
        check_leaving(self.node, "complex()")
        return complex(self._read())

    def item(self, *index: Any) -> Any:
        """The single number held, or the one at an index, as a plain Python number.

        Examples
        --------
        >>> from autograd_lite import Value
        >>> Value([4.0]).item()
        4.0
        """
        if differentiated:
            note_taken(self.node, "item")
        return self._number(*index)

    def _number(self, *index: Any) -> Any:
        data = self._read()
        if data.__class__ in (float, complex) and not index:
            return data
        return (data if hasattr(data, "item") else np.asarray(data)).item(*index)

    def tolist(self) -> Any:
        """The data as nested lists of plain Python numbers."""
        if self.ndim == 0:
            if differentiated:
                note_taken(self.node, "tolist")
            return self._number()
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
        ratio: tuple[int, int] = self._number().as_integer_ratio()
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
                f"a Value of shape {self.shape} has no single truth value; write np.any(x) or "
                "np.all(x), or np.where(x, a, b) to choose element by element"
            ) from error

    def __int__(self) -> int:
        return int(self._read())

    def __trunc__(self) -> int:
        return int(self)

    def __floor__(self) -> int:
        floor: int = math.floor(self._number())
        return floor

    def __ceil__(self) -> int:
        ceil: int = math.ceil(self._number())
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
            return hash(self._number())
        if node.primitive is not None and not node.requires_grad:
            return hash(self._read())
        if is_differentiated(node):
            raise remember(UnsupportedError(HASHED), sys._getframe(1))
        return object.__hash__(self)

    def __bytes__(self) -> bytes:
        raise ArgumentTypeError(
            "bytes() of a Value, whose memory cannot be read; write x.data.tobytes() for a constant"
        )

    # Text, which nothing is computed from.

    def __format__(self, specification: str) -> str:
        return format(self._read() if self.ndim else self._number(), specification)
