"""Functions with derivative rules of one's own: `primitive`, and what it makes.

To the engine a `CustomFunction` is a primitive like any other. What is more is brought to
what the engine knows: several results are one tuple, taken apart; what the forward function
keeps for its rules are more results, which nobody sees; a Value passed by keyword is put into
its place. So there is no state between a call and its sweep, and calls may nest, be computed
again, or run in several threads.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from types import MethodType
from typing import Any, overload

import numpy as np

from autograd_lite.core.backward import zeros_like
from autograd_lite.core.calling import is_held_by_others
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    RuleError,
    UnsupportedError,
)
from autograd_lite.core.memory import copied, read_only
from autograd_lite.core.node import Handle, unwrap
from autograd_lite.core.primitive import Primitive, Rule, RuleOfUser
from autograd_lite.core.recorder import current
from autograd_lite.core.tree import flatten, flatten_like, tuple_like, unflatten
from autograd_lite.ops.define import parts
from autograd_lite.transforms.functions import vjp

__all__ = ["CustomFunction", "primitive"]


class CustomFunction(Primitive):
    """What `primitive` makes of a function: give it rules with `defvjp`, and `defjvp`."""

    __slots__ = ()

    def __init__(
        self, forward: Callable[..., Any], *, residuals: bool = False, **options: Any
    ) -> None:
        super().__init__(keeping(forward) if residuals else forward, **options)
        self.residuals = residuals
        self.jvp_rules: tuple[Rule | None, ...] = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply to arrays (plain results) or, if any input is a Value, record a node."""
        if kwargs and any(isinstance(leaf, Handle) for leaf in flatten(list(kwargs.values()))):
            args, kwargs = self._by_position(args, kwargs)
        made = self.with_residuals(*args, **kwargs)
        return unflatten(made.tree, made[: made.number]) if isinstance(made, Kept) else made

    def with_residuals(self, *args: Any, **kwargs: Any) -> Any:
        """The result, or several, with what is kept for the rules beside them."""
        made = super().__call__(*args, **kwargs)
        if not isinstance(made, Handle):
            return made
        data = unwrap(made)
        if not isinstance(data, tuple):
            require_number(self.name, data)
            return made
        self._require_results(data, args)
        return tuple_like(data, pieces(made))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: ``self`` is the first of the arguments, and has no derivative."""
        return self if instance is None else MethodType(self, instance)

    def defvjp(self, *rules: RuleOfUser | None) -> CustomFunction:
        """Set the rules of reverse mode, one for each input, None for one without derivative.

        Parameters
        ----------
        *rules
            Called as ``rule(g, out, *inputs, **static_keyword_arguments)``: the gradient with
            respect to one input. Of a function with several results ``g`` and ``out`` are
            tuples, with zeros in ``g`` for results that were not used. With
            ``residuals=True`` it is ``rule(g, out, residuals, *inputs)``.

        Returns
        -------
        CustomFunction
            This one, so that the call can be chained.

        Raises
        ------
        ArgumentTypeError
            If a rule is neither callable nor None.

        Examples
        --------
        >>> import numpy as np, autograd_lite as ag
        >>> @ag.primitive
        ... def polar(x, y):
        ...     return np.hypot(x, y), np.arctan2(y, x)
        >>> _ = polar.defvjp(
        ...     lambda g, out, x, y: (g[0] * x - g[1] * y / out[0]) / out[0],
        ...     lambda g, out, x, y: (g[0] * y + g[1] * x / out[0]) / out[0],
        ... )
        >>> ag.grad(lambda x: polar(x, 4.0)[0])(3.0)
        0.6
        """
        super().defvjp(*rules)
        self.rules = tuple(
            rule and self._in_terms_of_results(index, rule) for index, rule in enumerate(rules)
        )
        return self

    def defjvp(self, *rules: RuleOfUser | None) -> CustomFunction:
        """Set the rules of forward mode, one for each input, beside those of reverse mode.

        `jvp` then takes them in the place of transposing the rules of reverse mode, which need
        no longer be NumPy code; `gradcheck` compares the two. The tangents of all inputs are
        added up.

        Parameters
        ----------
        *rules
            Called as ``rule(t, out, *inputs, **static_keyword_arguments)``: the tangent of the
            result for the tangent ``t`` of one input; a tuple, where there are several results.
            With ``residuals=True`` it is ``rule(t, out, residuals, *inputs)``.

        Returns
        -------
        CustomFunction
            This one, so that the call can be chained.

        Raises
        ------
        ArgumentTypeError
            If a rule is neither callable nor None, or there are more than of reverse mode.

        Examples
        --------
        >>> import numpy as np, autograd_lite as ag
        >>> @ag.primitive
        ... def sine(x):
        ...     return np.sin(x)
        >>> _ = sine.defvjp(lambda g, out, x: g * np.cos(x))
        >>> _ = sine.defjvp(lambda t, out, x: t * np.cos(x))
        >>> ag.jvp(sine, 0.0, 2.0)
        (0.0, 2.0)
        """
        self._check_rules("defjvp", rules, "(t, out, *inputs)")
        have = [rule is not None for rule in rules]
        if have != [rule is not None for rule in self.rules]:
            raise ArgumentTypeError(
                f"{self.name}.defjvp gives rules for other inputs than defvjp did; "
                "call defvjp first, and give both for the same inputs"
            )
        self.jvp_rules = rules
        return self

    def tangent(self, index: int, t: Any, out: Any, inputs: Sequence[Any], static: Any) -> Any:
        """The tangents of the results, as a list, for that of one input, by the rule for it."""
        rule = self.jvp_rules[index]
        assert rule is not None
        data = unwrap(out)
        made = rule(t, *self._shown(out), *inputs, **static)
        try:
            found = flatten_like(made, data.tree if isinstance(data, Kept) else data)
        except ArgumentValueError as error:
            what, _, _ = str(error).partition(";")
            raise RuleError(
                f"{self.name}: the forward rule for argument {index} returned tangents nested in "
                f"another way than the results: {what}; return the tangent of each result in its "
                "place"
            ) from None
        shapes = [np.shape(unwrap(x)) for x in found]
        expected = [np.shape(x) for x in self.results_of(unwrap(out))]
        if shapes != expected:
            raise RuleError(
                f"{self.name}: the forward rule for argument {index} returned shapes {shapes}; "
                f"return the tangent of each result, in its shape: {expected}"
            )
        return found

    def results_of(self, data: Any) -> list[Any]:
        """The results in what a node holds, without what was kept."""
        if isinstance(data, Kept):
            return list(data[: data.number])
        return list(data) if isinstance(data, tuple) else [data]

    def _require_results(self, data: Any, args: Sequence[Any]) -> None:
        """Refuse what is not a number or array among several results, or looks into an argument."""
        given = [x for x in map(unwrap, flatten(args)) if isinstance(x, np.ndarray)]
        for x in self.results_of(data):
            require_number(self.name, x)
            if isinstance(x, np.ndarray) and any(np.may_share_memory(x, y) for y in given):
                raise UnsupportedError(
                    f"{self.name}: one of its results shares memory with an argument, and what a "
                    "write into one means for the other is not known; return a copy (x.copy())"
                )

    def _shown(self, out: Any) -> list[Any]:
        """What rules get for the results: as they were returned, and what was kept."""
        data = unwrap(out)
        if not isinstance(data, tuple):
            return [read_only(out) if isinstance(out, np.ndarray) else out]
        results = (
            pieces(out)
            if isinstance(out, Handle)
            else [read_only(x) if isinstance(x, np.ndarray) else x for x in data]
        )
        if not isinstance(data, Kept):
            return [tuple_like(data, results)]
        tree, kept = data.tree, unflatten(data.kept, results[data.number :])
        return [unflatten(tree, results[: data.number]), kept]

    def _in_terms_of_results(self, index: int, rule: Rule) -> Rule:
        """A rule as the engine calls it, from one that sees results as they were returned."""

        @wraps(rule)
        def called(g: Any, out: Any, *inputs: Any, **static: Any) -> Any:
            is_plain = PLAIN.issuperset(map(type, (g, out, *inputs)))
            if is_plain or not any(isinstance(x, Handle) for x in flatten([g, out, inputs])):
                return self.gradient(rule, g, out, inputs, static)
            if self.jvp_rules and all(map(is_leaf, inputs)):
                return self._as_linear_map(index, g, out, inputs, static)
            with needing_numpy_code(self.name, index):
                return self.gradient(rule, g, out, inputs, static)

        called.written = rule  # type: ignore[attr-defined]
        return called

    def gradient(self, rule: Rule, g: Any, out: Any, inputs: Sequence[Any], static: Any) -> Any:
        """What a rule says of cotangents and results as the engine has them."""
        operands = [self._cotangent(g, out), *self._shown(out), *inputs]
        try:
            found = rule(*operands, **static)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise RuleError(
                f"{self.name}: a rule writes into what it was given ({error}); let it write into "
                "a copy, or write what makes a new array, as g * out in the place of g *= out"
            ) from error
        # A buffer of the rule's, which it fills again, is no gradient of this sweep.
        return copied(found) if is_held_by_others(found, operands, []) else found

    def _as_linear_map(
        self, index: int, g: Any, out: Any, inputs: Sequence[Any], static: Any
    ) -> Any:
        """A rule recorded as one operation on its cotangents, whose transpose is known."""
        is_several = isinstance(unwrap(out), tuple)
        places = [k for k, v in enumerate(g) if v is not None] if is_several else [0]
        cotangents = [g[k] for k in places] if is_several else [g]
        outs = pieces(out) if is_several else [out]
        reverse = reverse_map(self, index, places, unwrap(out), static)
        return reverse(*cotangents, *outs, *inputs)

    def _cotangent(self, g: Any, out: Any) -> Any:
        """Cotangents in the nesting of the results, with zeros for those that were not used."""
        data = unwrap(out)
        if not isinstance(g, tuple):
            return g
        full = [zeros_like(x) if v is None else v for v, x in zip(g, data, strict=True)]
        if not isinstance(data, Kept):
            return tuple_like(data, full)
        if any(v is not None for v in g[data.number :]):
            raise UnsupportedError(
                f"{self.name}: its second derivative needs that of what it keeps for its rules, "
                "which have no rule themselves; compute it in the rules, from the inputs"
            )
        return unflatten(data.tree, full[: data.number])

    def _by_position(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Inputs that were passed by keyword put into their places."""
        try:
            signature = inspect.signature(self.forward)
        except (TypeError, ValueError):
            return args, kwargs
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentTypeError(f"{self.name}{signature}: {error}") from None
        kwargs = dict(kwargs)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        for parameter in list(signature.parameters.values())[len(args) :]:
            is_done = not any(isinstance(x, Handle) for x in flatten(list(kwargs.values())))
            if is_done or parameter.kind is not kind:
                break
            args = (*args, kwargs.pop(parameter.name, parameter.default))
        return args, kwargs


PLAIN = frozenset({np.ndarray, np.float64, np.float32, float, int, bool})
"""What rules mostly get in a sweep through numbers, and holds no Value."""


def require_number(name: str, x: Any) -> None:
    """Refuse a result that is neither an array, of whatever library, nor a number."""
    if not is_numeric(x):
        raise ArgumentTypeError(
            f"{name} returned {type(x).__name__}; return an array or number, or several in a tuple"
        )


def is_numeric(x: Any) -> bool:
    return hasattr(x, "dtype") or isinstance(x, (float, int, complex))


class Kept(tuple[Any, ...]):
    """The results of a function, one after the other, and what it keeps for its rules."""

    tree: Any
    """The nesting of the results."""
    kept: Any
    """The nesting of what is kept."""
    number: int
    """How many results there are."""


def keeping(forward: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns its results and what it keeps as one tuple."""

    @wraps(forward)
    def kept(*args: Any, **kwargs: Any) -> Kept:
        made = forward(*args, **kwargs)
        if not isinstance(made, tuple) or len(made) != 2:
            name = getattr(forward, "__name__", "the function")
            raise ArgumentTypeError(
                f"{name} returned {type(made).__name__}, but with residuals=True it must return "
                "its result and what its rules need; write return result, residuals"
            )
        results = flatten(made[0])
        given = [x for x in flatten([args, kwargs]) if isinstance(x, np.ndarray)]
        residuals = [copied_if_shared(x, given) for x in flatten(made[1])]
        together = Kept([*results, *residuals])
        together.tree, together.kept = made
        together.number = len(results)
        return together

    return kept


def copied_if_shared(x: Any, given: Sequence[Any]) -> Any:
    """An array that is kept, which nobody else may write to."""
    is_shared = isinstance(x, np.ndarray) and any(np.may_share_memory(x, y) for y in given)
    return x.copy() if is_shared else x


class LinearMap(Primitive):
    """A rule as an operation: linear in its first operands, with a transpose given beside it.

    With respect to the others it is differentiated as NumPy code.
    """

    __slots__ = ()

    def __init__(
        self, of: CustomFunction, index: int, count: int, forward: Rule, transpose: Rule
    ) -> None:
        def each(place: int, h: Any, _: Any, *operands: Any) -> Any:
            if place < count:
                return transpose(place, h, *operands[count:])
            with needing_numpy_code(of.name, index):
                of_one = partial(with_operand, forward, operands, place)
                return vjp(of_one, operands[place])[1](h)[0]

        super().__init__(forward, each=each, name=f"rule of {of.name}")


def reverse_map(
    of: CustomFunction, index: int, places: Sequence[int], out: Any, static: Any
) -> LinearMap:
    """From the cotangents of some results to the gradient of one input."""
    rule: Any = of.rules[index]
    first, after = len(places), len(places) + size_of(out)

    def forward(*operands: Any) -> Any:
        given = dict(zip(places, operands[:first], strict=True))
        is_several = isinstance(out, tuple)
        g = tuple(given.get(k) for k in range(len(out))) if is_several else given[0]
        results = rebuilt(out, operands[first:after])
        return of.gradient(rule.written, g, results, operands[after:], static)

    def transpose(place: int, h: Any, *rest: Any) -> Any:
        return forward_map(of, index, places[place], out, static)(h, *rest)

    return LinearMap(of, index, first, forward, transpose)


def forward_map(of: CustomFunction, index: int, place: int, out: Any, static: Any) -> LinearMap:
    """From the tangent of one input to that of one result."""
    count = size_of(out)

    def forward(t: Any, *operands: Any) -> Any:
        results = rebuilt(out, operands[:count])
        return of.tangent(index, t, results, operands[count:], static)[place]

    def transpose(_: int, h: Any, *rest: Any) -> Any:
        return reverse_map(of, index, [place], out, static)(h, *rest)

    return LinearMap(of, index, 1, forward, transpose)


@contextmanager
def needing_numpy_code(name: str, index: int) -> Iterator[None]:
    """Say of a rule that runs on Values, or is differentiated, what it must be."""
    try:
        yield
    except (AutogradError, TypeError) as error:
        if isinstance(error, (RuleError, UnsupportedError)):
            raise
        where = "a compiled function" if current.get().trace else "jvp or a second derivative"
        raise UnsupportedError(
            f"{name}: the rule for argument {index} does not run on Values, as {where} "
            f"needs: {error}\nWrite the rule with NumPy functions and operators; or, if it calls "
            "other code, make it a primitive itself (ag.primitive(rule)), or give the rule of "
            f"forward mode by {name}.defjvp"
        ) from error


def size_of(out: Any) -> int:
    """How many results a node holds."""
    return len(out) if isinstance(out, tuple) else 1


def rebuilt(out: Any, parts: Sequence[Any]) -> Any:
    """A result, or several as the engine holds them, from others in their place."""
    return tuple_like(out, parts) if isinstance(out, tuple) else parts[0]


def is_leaf(x: Any) -> bool:
    """Whether an input is one array or number, and no container of them."""
    leaves = flatten([x])
    return len(leaves) == 1 and leaves[0] is x


def with_operand(function: Callable[..., Any], operands: Sequence[Any], place: int, x: Any) -> Any:
    """A function of one of its arguments."""
    return function(*operands[:place], x, *operands[place + 1 :])


def pieces(made: Any) -> list[Any]:
    """Each of several results as a Value; what is not a number or array as it is."""
    data = unwrap(made)
    numeric = list(map(is_numeric, data))
    if not all(numeric) and current.get().trace is not None:
        raise UnsupportedError(
            "a function keeps objects for its rules that are not arrays, which a program cannot "
            "pass on; keep arrays or numbers while it is compiled"
        )
    taken = parts(made, len(numeric))
    return [
        part if is_number else x for part, x, is_number in zip(taken, data, numeric, strict=True)
    ]


@overload
def primitive(forward: Callable[..., Any]) -> CustomFunction: ...
@overload
def primitive(
    *, broadcasts: bool = ..., formula: str | None = ..., residuals: bool = ...
) -> Callable[[Callable[..., Any]], CustomFunction]: ...
def primitive(
    forward: Callable[..., Any] | None = None,
    *,
    broadcasts: bool = False,
    formula: str | None = None,
    residuals: bool = False,
) -> CustomFunction | Callable[[Callable[..., Any]], CustomFunction]:
    """Turn a NumPy function into a primitive, to be given its own derivative rules.

    Arguments that may be passed by position are inputs, numbers or containers of them, and so
    are Values passed by keyword; other keyword arguments are static and reach the rules as they
    were passed.  The rule for a container returns the gradient in the same nesting.  Of a method
    ``self`` is the first argument.

    Parameters
    ----------
    forward
        A function of plain NumPy arrays (and static keyword arguments); it returns an
        array or number, or several in a tuple or named tuple.
    broadcasts
        Set it if the function broadcasts its inputs like a ufunc; gradients
        are then summed over the broadcast axes for you.
    formula
        Its mathematics, as drawings show it: ``"x·σ(x)"``.
    residuals
        The function returns ``result, residuals``: callers see the result, rules get
        both, and need not compute again what the function had at hand.

    Returns
    -------
    CustomFunction
        Call it as the function; call its ``defvjp`` to give the rules.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> @ag.primitive
    ... def swish(x):
    ...     return x / (1 + np.exp(-x))
    >>> def swish_vjp(g, out, x):
    ...     s = 1 / (1 + np.exp(-x))
    ...     return g * (s + x * s * (1 - s))
    >>> _ = swish.defvjp(swish_vjp)
    >>> bool(ag.gradcheck(swish, np.linspace(-2, 2, 5)))
    True

    >>> @ag.primitive(residuals=True)
    ... def swish(x):
    ...     s = 1 / (1 + np.exp(-x))
    ...     return x * s, s
    >>> _ = swish.defvjp(lambda g, out, s, x: g * (s + out * (1 - s)))
    >>> round(ag.grad(swish)(1.0), 4)
    0.9277
    """

    def make(function: Callable[..., Any]) -> CustomFunction:
        if not callable(function):
            raise ArgumentTypeError(
                f"primitive: {function!r} is not a function; write @ag.primitive above one, or "
                "ag.primitive(function)"
            )
        return CustomFunction(function, broadcasts=broadcasts, formula=formula, residuals=residuals)

    return make if forward is None else make(forward)
