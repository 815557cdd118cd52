"""How rules enter the registry; every file beside this one is a list of such entries."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Literal

from autograd_lite.core.duck_arrays import array_of, is_duck_array
from autograd_lite.core.errors import ArgumentTypeError, AutogradError, UnsupportedError
from autograd_lite.core.node import Handle, holds_value, unwrap
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, register, registry
from autograd_lite.core.recorder import current
from autograd_lite.core.signatures import check_casting, full_name
from autograd_lite.core.tree import flatten, tuple_like
from autograd_lite.ops.indexing import scatter

__all__ = [
    "LeftToNumpy",
    "RowByRow",
    "apart",
    "array_function",
    "as_operand",
    "back_to_origins",
    "cast",
    "composite",
    "has_numbers",
    "in_loop",
    "in_loops",
    "is_known",
    "masked",
    "multi_output",
    "nondifferentiable",
    "numbers_of",
    "parts",
    "rearrangement",
    "select",
    "select_constant",
    "ufunc",
    "without_rule",
]


def ufunc(
    function: Any, *rules: Rule | None, forward: Any = None, singular: bool = True, **options: Any
) -> Primitive:
    """Register the rules of a function that works element by element and broadcasts.

    ``forward`` is Python's operator for it, where there is one: the same on
    arrays, and much faster on Python numbers.
    """
    primitive = Primitive(
        forward or function,
        *rules,
        name=function.__name__,
        elementwise=True,
        singular=singular,
        **options,
    )
    register(function, primitive)
    registry[function, "__call__"] = partial(with_keywords, function, primitive)
    return primitive


def with_keywords(
    function: Any, primitive: Primitive, *inputs: Any,
    where: Any = True, dtype: Any = None, casting: Any = "same_kind",
) -> Any:  # fmt: skip
    """Apply a ufunc in another dtype; or only where a mask allows it, with 0 elsewhere."""
    if where is not True:
        return masked(function, *inputs, where=where, dtype=dtype, casting=casting)
    if dtype is not None or not (isinstance(casting, str) and casting == "same_kind"):
        inputs = in_loop(function, inputs, dtype, casting)
    return primitive(*inputs)


def masked(
    function: Any, *inputs: Any, where: Any, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Apply a ufunc only where a mask allows it; elsewhere results are 0.

    What the mask leaves out gives way to numbers at which functions and their derivatives are
    finite, so that nobody warns of it, and nothing comes of it in derivatives of any order.
    """
    is_array = isinstance(where, (Handle, np.ndarray)) or is_duck_array(where)
    mask = where if is_array else np.asarray(where, bool)
    if mask.dtype != bool:
        raise ArgumentTypeError(
            f"{full_name(function)}: where= is an array of {mask.dtype}, and NumPy takes one of "
            "bool only; write mask != 0"
        )
    operands = in_loop(function, inputs, dtype, casting, is_masked=True)
    harmless = HARMLESS.get(function, 0.5)
    results = function(
        *[np.where(mask, x, harmless if x.dtype.kind in "fc" else True) for x in operands]
    )
    # Of numbers it is a number, as without a mask.
    several = results if isinstance(results, tuple) else (results,)
    kept = tuple(x if np.ndim(x) else x[()] for x in [np.where(mask, x, False) for x in several])
    return kept if isinstance(results, tuple) else kept[0]


HARMLESS = {np.arccosh: 2}
"""Where functions are smooth that are not at one half."""

registry["ufunc.masked"] = masked


def in_loop(
    function: Any, inputs: tuple[Any, ...], dtype: Any, casting: Any, *, is_masked: bool = False
) -> tuple[Any, ...]:
    """The operands in the dtypes of the loop that NumPy chooses for them, or its refusal.

    ``dtype`` is that of the result: ``np.absolute(z, dtype=float)`` is the length of ``z``.
    Without it they stay as they are, but for those that a mask will make arrays of.
    """
    operands: list[Any] = [x if isinstance(x, Handle) else array_of(x) for x in inputs]
    dtypes = [x.dtype for x in operands]
    asked = None if dtype is None else np.dtype(dtype)
    none, results = (None,) * function.nin, function.nout
    try:
        loop = function.resolve_dtypes(
            (*map(weak_or, inputs, dtypes), *(None,) * results),
            signature=(*none, *(asked,) * results),
            casting=casting,
        )
    except TypeError as error:
        raise ArgumentTypeError(
            f"{full_name(function)} of a Value: {error}; leave out dtype= and casting=, or write "
            "x.astype(dtype) for the operands that are to be of another dtype"
        ) from error
    if dtype is None and not is_masked:
        return inputs
    pairs = zip(operands, loop, strict=False)
    return tuple(x if x.dtype == wanted else np.astype(x, wanted) for x, wanted in pairs)


def in_loops(*functions: Any) -> None:
    """Let ufuncs without rules of elements be told their mask, loop and rule of casting."""
    for function in functions:
        registry[function, "__call__"] = partial(with_loop, function)


def with_loop(
    function: Any, *inputs: Any,
    where: Any = True, dtype: Any = None, casting: Any = "same_kind",
) -> Any:  # fmt: skip
    if where is not True:
        return masked(function, *inputs, where=where, dtype=dtype, casting=casting)
    return function(*in_loop(function, inputs, dtype, casting))


def weak_or(x: Any, dtype: Any) -> Any:
    """The type of a number of Python's, which fits in with other dtypes; or the dtype."""
    kind: Any = type(unwrap(x))
    return kind if kind in (int, float, complex) else dtype


def cast(x: Any, dtype: Any, casting: Any = "same_kind") -> Any:
    """An operand in the dtype that ``dtype=`` asks for, if the rule of casting allows it."""
    x = x if isinstance(x, Handle) else array_of(x)
    check_casting(x.dtype, dtype, casting)
    return np.astype(x, dtype)


def array_function(
    function: Any, *rules: Rule | None, forward: Any = None, **options: Any
) -> Primitive:
    """Register the rules of a function of whole arrays; arguments after them are static.

    ``forward`` takes its place where static arguments cannot be passed by keyword.
    """
    options.setdefault("arrays", len(rules))
    primitive = Primitive(forward or function, *rules, name=function.__name__, **options)
    return register(function, primitive)


class RowByRow(Primitive):
    """A function that is applied to one sample or cotangent after the other, and to no stacks."""

    __slots__ = ()


Asked = Literal["always", "on failure", "never"]


class LeftToNumpy(Exception):  # noqa: N818, no error that anybody sees
    """Raised by a composite for arguments that NumPy's own function has words for."""


def composite(
    *functions: Any,
    of_sequences: bool = False,
    asks_numpy: Asked = "always",
    whole: tuple[str, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function by what it is in terms of other functions: it needs no rule.

    Parameters
    ----------
    *functions
        What is registered; a method of a ufunc as a pair, ``(np.hypot, "reduce")``.
    of_sequences
        The function is one of sequences of arrays.  To others, a list with Values in it
        is one operand, and reaches the definition as one Value.
    asks_numpy
        Whether NumPy's own function is called on the plain numbers as well.  What it refuses
        is refused with its words, so that a definition need not check its arguments as NumPy
        does.  "on failure" is for functions on which much time is spent: what would go through
        they find by themselves, and raise `LeftToNumpy`.  "never" is for those that write into
        their arguments, or call functions of the caller's.
    whole
        Names of arguments that say where or how many: integers, or lists of them.
        A Value that holds integers will do, where its numbers are known.
    """

    def register(definition: Callable[..., Any]) -> Callable[..., Any]:
        call = definition if of_sequences else of_operands(definition)
        call = with_whole_numbers(call, whole) if whole else call
        for function in functions:
            asking = call if asks_numpy == "never" else asked(function, call, asks_numpy)
            registry[function] = asking
        return definition

    return register


def of_operands(definition: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(definition)
    def call(*args: Any, **kwargs: Any) -> Any:
        args = tuple([as_operand(x) if isinstance(x, SEQUENCES) else x for x in args])
        if kwargs:
            kwargs = {name: as_operand(x) for name, x in kwargs.items()}
        return definition(*args, **kwargs)

    return call


def with_whole_numbers(
    definition: Callable[..., Any], names: tuple[str, ...]
) -> Callable[..., Any]:
    """A definition that gets plain numbers for some of its arguments."""
    places = [
        place for place, name in enumerate(inspect.signature(definition).parameters)
        if name in names
    ]  # fmt: skip

    @wraps(definition)
    def call(*args: Any, **kwargs: Any) -> Any:
        if holds_value(args) or any(name in kwargs for name in names):
            args = tuple(whole(x) if place in places else x for place, x in enumerate(args))
            kwargs = {name: whole(x) if name in names else x for name, x in kwargs.items()}
        return definition(*args, **kwargs)

    return call


def whole(x: Any) -> Any:
    """The integers of a Value, or of Values in a list; others are left for NumPy to refuse."""
    if isinstance(x, SEQUENCES):
        return type(x)(map(whole, x)) if holds_value(x) else x
    return numbers_of(x) if isinstance(x, Handle) else x


def asked(function: Any, definition: Callable[..., Any], when: Asked) -> Callable[..., Any]:
    """A definition that lets NumPy refuse what it refuses, by its own function.

    A refusal of the definition's comes first: it says what to write.
    """
    name = full_name(*function) if isinstance(function, tuple) else full_name(function)

    def ask(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether there are numbers to ask NumPy with, which then has not refused them."""
        if not all(map(has_numbers, flatten((args, kwargs)))):
            return False
        operands = unwrap_nested(args)
        keywords = {key: unwrap_nested(x) for key, x in kwargs.items()}
        with np.errstate(all="ignore"):
            call_of = getattr(*function) if isinstance(function, tuple) else function
            call_of(*operands, **keywords)
        return True

    @wraps(definition)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            result = definition(*args, **kwargs)
        except (AutogradError, FloatingPointError, Warning):
            raise
        except Exception as error:
            failure = error
        else:
            if when == "always":
                ask(args, kwargs)
            return result
        if not ask(args, kwargs) and isinstance(failure, np.exceptions.AxisError):
            raise failure
        raise UnsupportedError(
            f"{name} of a Value is not known for these arguments, which NumPy takes "
            f"({type(failure).__name__}: {failure}); write it with other functions, or pass x.data "
            "to compute without gradient"
        ) from failure

    return call


def unwrap_nested(x: Any) -> Any:
    """The numbers of a Value, and of those in lists and tuples."""
    if isinstance(x, SEQUENCES):
        return type(x)(map(unwrap_nested, x)) if holds_value(x) else x
    return unwrap(x)


def is_known(x: Any) -> bool:
    """Whether the numbers of an array or Value may be looked at, to choose between formulas.

    They are not known while a program is traced.
    """
    return has_numbers(x) and current.get().trace is None


def has_numbers(x: Any) -> bool:
    """Whether there are numbers of NumPy's: none on a device, or in Dask's graph.

    They differ between the samples of a batch, and between the rows of a Jacobian.
    """
    try:
        data = unwrap(x)
    except UnsupportedError:
        return False
    return not (is_duck_array(data) or isinstance(data, Handle))


def numbers_of(x: Any) -> Any:
    """The numbers of a Value, for a function that needs them: refused while a program is traced."""
    value: Any = x
    return value.data if isinstance(x, Handle) else x


SEQUENCES = (list, tuple)


def as_operand(x: Any) -> Any:
    """A list with Values in it as one Value; NumPy would make an array of it."""
    holds_values = isinstance(x, SEQUENCES) and holds_value(x)
    return registry[np.array](x) if holds_values else x


# Functions that only move elements: the gradient of one comes from wherever it went.


def rearrangement(*functions: Any, arrays: int = 1, masks: bool = False) -> None:
    """Register functions that copy elements of their first argument, or put zeros.

    Arguments after it, up to ``arrays``, say where; they have no derivative.  With ``masks``
    the functions may leave elements out, to which zeros go back.
    """
    for function in functions:
        others: list[Rule | None] = [None] * (arrays - 1)
        rule = back_to_origins(function)
        array_function(function, rule, *others, arrays=arrays, masks=masks, linear="all")


def back_to_origins(function: Any) -> Rule:
    """The rule of a rearrangement: do to numbered places what was done to the elements."""

    def rule(g: Any, out: Any, x: Any, *places: Any, **static: Any) -> Any:
        shape = np.shape(x)
        numbers = np.arange(1, np.size(x) + 1).reshape(shape)
        # Through the registry: NumPy would not ask a Value that only says where.
        origins = registry[function](numbers, *places, **static)
        sums = scatter(g, origins, shape=(np.size(x) + 1,))
        return np.reshape(sums[1:], shape)

    return rule


# Functions with several results: one node holds the tuple, one more node selects each result.


def select_vjp(g: Any, out: Any, results: Any, index: int, count: int) -> Any:
    """The gradient of one of several results; the gaps are for the others."""
    return tuple(g if i == index else None for i in range(count))


def select_forward(results: Any, index: int, count: int) -> Any:
    return results[index]


select = Primitive(select_forward, select_vjp, name="select", builtin=True, linear="all")

select_constant = Primitive(select.forward, name="select", differentiable=False, builtin=True)


def parts(results: Any, count: int) -> list[Any]:
    """The results of a function with several, each for itself; integers carry no gradient."""
    plain = unwrap(results)
    smooth = [getattr(x, "dtype", np.dtype(type(x))).kind in "fc" for x in plain]
    return [
        (select if smooth[i] else select_constant)(results, index=i, count=count)
        for i in range(count)
    ]


class Several(Primitive):
    """A function of NumPy's whose results are one tuple, which `apart` takes apart."""

    __slots__ = ()


def multi_output(
    function: Any, rule: Rule | None, *, arrays: int = 1, **options: Any
) -> Callable[..., Any]:
    """Register a function that returns a tuple.

    The rule gets as ``g`` a tuple of gradients, None for results not used, and
    as ``out`` what `parts` takes apart.
    """
    rules = () if rule is None else (rule, *[None] * (arrays - 1))
    primitive = Several(function, *rules, arrays=arrays, **options)

    def call(*args: Any, **static: Any) -> Any:
        return apart(primitive(*args, **static))

    registry[function] = call
    return call


def apart(node: Any) -> Any:
    """A node that holds a tuple as a tuple of nodes, named as NumPy names them."""
    results = unwrap(node)
    if not isinstance(results, (tuple, list)):
        return node
    nodes = parts(node, len(results))
    return tuple_like(results, nodes) if isinstance(results, tuple) else nodes


# Functions without rules.


class WithoutRule(Primitive):
    """A function whose results are recorded, though there is no rule for them.

    Integers and booleans carry no gradient; a sweep that reaches other results is an
    error.  The counts of a histogram are steps, its edges are not.
    """

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(x, Handle) for x in kwargs.values()):
            args, kwargs = self._in_order(args, kwargs)
        args = tuple(map(as_operand, args))
        result = super().__call__(*args, **kwargs)
        return apart(result) if isinstance(result, Handle) else result

    def _in_order(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Inputs passed by keyword put into their places."""
        kwargs = dict(kwargs)
        for name in self.argument_names[len(args) :]:
            if not any(isinstance(x, Handle) for x in kwargs.values()) or name not in kwargs:
                break
            args = (*args, kwargs.pop(name))
        return args, kwargs


def without_rule(*functions: Any, **options: Any) -> None:
    """Register functions of whose results only integers and booleans can be differentiated."""
    for function in functions:
        register(function, WithoutRule(function, **options))


def nondifferentiable(*functions: Any, **options: Any) -> None:
    """Register functions whose results carry no gradient."""
    without_rule(*functions, differentiable=False, **options)
