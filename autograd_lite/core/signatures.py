"""NumPy's own signatures: a call said in one way, however the caller has spelled it.

Definitions in the registry get the arguments that a call cannot do without by
position, and of the others those that are not NumPy's default anyway, by name.
So ``np.sum(a=x)``, ``np.sum(x, None)`` and ``np.sum(x, dtype=None)`` are one
call to them, and they need no word for a keyword that they have no use for.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from autograd_lite.core.errors import ArgumentTypeError, NoRuleError, UnsupportedError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry

__all__ = [
    "NOT_TOLD",
    "UFUNC_DEFAULTS",
    "beside_defaults",
    "bind",
    "check_casting",
    "check_keywords",
    "dotted_name",
    "full_name",
    "import_rules",
    "keywords_of",
    "no_rule",
    "rules_elsewhere",
    "unsupported",
]

IN_ORDER = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
BY_NAME = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

COMPARABLE = (bool, int, float, str)
"""Types of defaults that need not be the same object; an array has no say in ``==`` then."""


class Signature(NamedTuple):
    """What a function of NumPy's takes."""

    names: tuple[str, ...]
    """Of the arguments that may be passed by position."""
    required: int
    """How many of these stay positional."""
    defaults: Mapping[str, Any]
    every: frozenset[str] | None = None
    """The names of all its arguments; None if it takes any, or does not tell."""


UFUNC_DEFAULTS: Mapping[str, Any] = {
    "casting": "same_kind",
    "dtype": None,
    "order": "K",
    "subok": True,
    "where": True,
}
"""The same for all ufuncs."""

NOT_GIVEN = object()


NOT_TOLD: Mapping[Any, Callable[..., None]] = {
    np.bincount: lambda x, /, weights=None, minlength=0: None,
    np.concatenate: lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    np.copyto: lambda dst, src, casting="same_kind", where=True: None,
    np.dot: lambda a, b, out=None: None,
    np.inner: lambda a, b, /: None,
    np.lexsort: lambda keys, axis=-1: None,
    np.putmask: lambda a, /, mask, values: None,
    np.vdot: lambda a, b, /: None,
    np.where: lambda condition, x=None, y=None, /: None,
}
"""The signatures of functions written in C, which tell theirs from NumPy 2.4 on."""


def told(function: Any) -> inspect.Signature:
    """The signature, as NumPy tells it or would."""
    try:
        return inspect.signature(function)
    except ValueError:
        if function not in NOT_TOLD:
            raise
        return inspect.signature(NOT_TOLD[function])


@cache
def signature_of(function: Any) -> Signature:
    """NumPy's signature."""
    try:
        parameters = told(function).parameters.values()
    except ValueError:
        return Signature((), -1, {"out": None})
    in_order = [p for p in parameters if p.kind in IN_ORDER]
    positional = [p for p in in_order if p.default is p.empty or p.kind is p.POSITIONAL_ONLY]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    names = () if variadic else tuple(p.name for p in in_order)
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    every = None if takes_any else frozenset(p.name for p in parameters)
    return Signature(names, -1 if variadic else len(positional), defaults, every)


@cache
def keywords_of(definition: Any) -> frozenset[str] | None:
    """The names that a definition in the registry knows; None if it takes any."""
    if isinstance(definition, Primitive):
        return definition.keywords
    try:
        parameters = inspect.signature(definition).parameters.values()
    except ValueError:
        return None  # a function of NumPy's in C, before NumPy 2.4
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    return frozenset(p.name for p in parameters if p.kind in BY_NAME)


def bind(
    function: Any, definition: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A call of a NumPy function, as its definition in the registry is to get it.

    Raises
    ------
    ArgumentTypeError
        If the function does not have such arguments.
    UnsupportedError
        If an argument that is not the default has no meaning for Values.
    """
    names, required, defaults, every = signature_of(function)
    if len(args) == required:
        if not kwargs:
            return args, kwargs
        if are_usual(function, definition, tuple(kwargs)):
            return args, beside_defaults(kwargs, defaults)
    if names and len(args) > len(names):
        raise wrong_call(function, f"{len(args)} arguments in the place of {len(names)}")
    if every is not None and not kwargs.keys() <= every:
        unknown = ", ".join(sorted(map(repr, kwargs.keys() - every)))
        raise wrong_call(function, f"{unknown}, which it does not know")
    twice = [name for name in names[: len(args)] if name in kwargs]
    if twice:
        raise wrong_call(function, f"{twice[0]!r} twice, by position and by name")
    if names and len(args) > required:
        kwargs = dict(zip(names[required:], args[required:], strict=False)) | kwargs
        args = args[:required]
    elif names and len(args) < required:
        kwargs = dict(kwargs)
        for name in names[len(args) : required]:
            if name not in kwargs:
                break
            args = (*args, kwargs.pop(name))
        if len(args) < required and names[len(args)] not in defaults:
            raise wrong_call(function, f"no argument {names[len(args)]!r}")
    kwargs = beside_defaults(kwargs, defaults)
    # It allows, but does not ask, that the input is used up.
    uses_up = kwargs.pop("overwrite_input", False)
    check_keywords(function, definition, kwargs)
    if uses_up and "out" in kwargs:
        kwargs["overwrite_input"] = uses_up  # what is written may lie in the input
    return args, kwargs


@cache
def are_usual(function: Any, definition: Any, given: tuple[str, ...]) -> bool:
    """Whether NumPy and a definition know all these names, so that no call can be wrong in them."""
    names, required, _, every = signature_of(function)
    taken = keywords_of(definition)
    by_position = {"out", "overwrite_input", *names[:required]}
    known = every is None or every.issuperset(given)
    return known and by_position.isdisjoint(given) and (taken is None or taken.issuperset(given))


def beside_defaults(kwargs: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that say anything."""
    given = {}
    for name, x in kwargs.items():
        default = defaults.get(name, NOT_GIVEN)
        same_kind = x.__class__ is default.__class__ and x.__class__ in COMPARABLE
        if x is not default and not (same_kind and x == default):
            given[name] = x
    return given


def check_keywords(
    function: Any, definition: Any, kwargs: dict[str, Any], method: str = "__call__"
) -> None:
    """Refuse by name what a definition does not take; ``out`` is refused with other words."""
    taken = keywords_of(definition)
    if kwargs and taken is not None and not kwargs.keys() <= taken:
        surplus = kwargs.keys() - taken - {"out"}
        if surplus:
            raise unsupported(full_name(function, method), surplus)


def wrong_call(function: Any, fault: str) -> ArgumentTypeError:
    """The error for a call that NumPy's signature does not allow; a method's is its function's."""
    name = full_name(function)
    return ArgumentTypeError(f"{name} was given {fault}; write {name}{told(function)}")


def check_casting(dtype: Any, target: Any, casting: Any) -> None:
    """Refuse a conversion that NumPy's rule does not allow."""
    target = np.dtype(target)  # of None it is that of a float
    if not np.can_cast(dtype, target, casting):
        raise ArgumentTypeError(
            f"numbers of dtype {dtype} cannot become {target} with casting={casting!r}; "
            "pass casting='unsafe', or convert them with x.astype"
        )


rules_elsewhere: dict[str, str] = {}
"""Modules that enter rules for the functions of a package, by its name; not imported yet."""


def import_rules() -> bool:
    """Import the rules for packages that the program has imported; whether there were any."""
    met = [
        (package, module) for package, module in rules_elsewhere.items() if package in sys.modules
    ]
    for package, module in met:
        import_module(module)
        rules_elsewhere.pop(package, None)
    return bool(met)


def unsupported(name: str, keywords: Iterable[str]) -> UnsupportedError:
    """The error for arguments that a function of a Value does not take."""
    return UnsupportedError(
        f"{name} of a Value does not take {', '.join(sorted(keywords))}; "
        "leave it out, or pass x.data to compute without gradient"
    )


def no_rule(function: Any, method: str = "__call__") -> NoRuleError:
    """The error for a function, or a method of a ufunc, that is not in the registry."""
    name = dotted_name(function)
    name = name if method == "__call__" else f"{name}.{method}"
    namesake = getattr(np, function.__name__, function)
    if namesake is not function and namesake in registry:
        return NoRuleError(
            f"array.{function.__name__}() of a plain array does not record a Value; "
            f"write np.{function.__name__}(array, ...)"
        )
    return NoRuleError(
        f"{name} has no derivative rule in autograd_lite; write one with ag.primitive and "
        "defvjp, or pass x.data to use the number as a constant"
    )


def dotted_name(function: Any) -> str:
    """As its module has it; ufuncs do not tell theirs."""
    name: str = function.__name__
    module = getattr(function, "__module__", None)
    for place in () if module else ("numpy", "scipy.special"):
        if getattr(sys.modules.get(place), name, None) is function:
            module = place
    return f"{module}.{name}" if module else name


def full_name(function: Any, method: str = "__call__") -> str:
    """As programs write it: ``np.linalg.norm``, ``np.add.reduce``."""
    name = dotted_name(function).replace("numpy", "np", 1)
    return name if method == "__call__" else f"{name}.{method}"
