"""The mathematics of one application, as text: from the primitive's formula and its rules.

A local derivative is not written down anywhere a second time: the rule itself
is run on symbols that keep what is done to them as text, so that a new
operation needs nothing but its rule.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_lite.core.backward import unbroadcast
from autograd_lite.core.node import Node
from autograd_lite.core.node import data_of as data_of_node
from autograd_lite.core.numpy_namespace import np
from autograd_lite.drawing.collect import static_text

__all__ = [
    "Symbol",
    "apply_rule",
    "argument_names",
    "fill_in",
    "formula_of",
    "is_readable",
    "local_derivative",
    "product_factors",
]

LONGEST = 80
LETTER = r"(?<![a-z])[a-z](?![a-z(])"
"""What stands for an operand in a formula whose rules name none."""

FORMULA = r"-|.* ([-+·*/×@…]|\*\*) |.+[²³]$"
"""What is torn apart among others: what begins with a minus, or has an operation in it."""

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4


def argument_names(node: Node) -> list[str]:
    """What the rules call the inputs: ``x`` and ``y``, or ``x1``, ``x2`` … of any number."""
    primitive, count = node.primitive, len(node.inputs)
    assert primitive is not None
    rule = next((rule for rule in primitive.rules if rule is not None), None)
    names: list[str] = []
    if rule is not None:
        for parameter in list(inspect.signature(rule).parameters.values())[2:]:
            if parameter.kind is parameter.VAR_POSITIONAL:
                break
            names.append(parameter.name)
    if len(names) < count:
        names += re.findall(LETTER, primitive.formula or "")[len(names) : count]
        names += [f"x{index + 1}" for index in range(len(names), count)]
    return ["x"] if not primitive.rules and count == 1 else names[:count]


def formula_of(node: Node) -> str:
    """The formula of a node's operation, in the names of `argument_names`."""
    assert node.primitive is not None
    names = argument_names(node)
    static = static_text(node)
    if static.startswith("["):
        others = f" ← {names[1]}" if node.primitive.name != "getitem" else ""
        return f"{names[0]}{static}{others}"
    if node.primitive.formula is None:
        return f"{node.primitive.name}({', '.join([*names, *filter(None, [static])])})"
    return f"{node.primitive.formula}  ({static})" if static else str(node.primitive.formula)


def fill_in(formula: str, texts: Mapping[str, str]) -> str:
    """A formula with something put in for its names, which gets parentheses if it is a formula.

    Examples
    --------
    >>> from autograd_lite.drawing.formulas import fill_in
    >>> fill_in("x · y", {"x": "2.0", "y": "-3.0"})
    '2.0 · (-3.0)'
    >>> fill_in("tanh(x)", {"x": "-3.0"})
    'tanh(-3.0)'
    >>> fill_in("x · y", {"x": "1.0 + 2.0i", "y": "2.0"})
    '(1.0 + 2.0i) · 2.0'
    >>> fill_in("x ** n", {"x": "a ** b"})
    '(a ** b) ** n'
    """

    def put_in(match: re.Match[str]) -> str:
        text = texts.get(match[0], match[0])
        alone = formula[: match.start()][-1:] in "(," and formula[match.end() :][:1] in "),"
        is_formula = re.match(FORMULA, text) and formula != match[0]
        return f"({text})" if is_formula and not alone else text

    # A square and a transpose are letters to Python, but no part of a name.
    return re.sub(r"[^\W\d](?:(?![²ᵀ])\w)*", put_in, formula)


def local_derivative(
    node: Node, place: int, upstream: Any, contribution: Any = None
) -> tuple[bool, Symbol] | None:
    """The derivative of an operation, found by running its rule on symbols.

    Where the rule multiplies the upstream gradient element by element, the
    result is (True, ∂out/∂operand).  Else it is (False, the gradient of the
    operand), written with ``g`` for the upstream gradient.  None where the
    rule does more than can be written in one line, or where that is not the
    ``contribution`` that the sweep has found, as of complex numbers.
    """
    if isinstance(upstream, tuple):
        return None
    upstream = np.asarray(upstream) if np.ndim(upstream) else upstream
    ones = np.ones_like(upstream) if np.ndim(upstream) else 1.0
    local = apply_rule(node, place, Symbol("1", ones))
    gradient = apply_rule(node, place, Symbol("g", upstream))
    if local is None or gradient is None:
        return None
    if multiplies(node, place, local) and gives(upstream * local.data, contribution):
        return True, local
    return (False, gradient) if gives(gradient.data, contribution) else None


def gives(found: Any, contribution: Any) -> bool:
    """Whether numbers are those of a contribution, once they are added up to its shape."""
    if contribution is None:
        return True
    try:
        summed = unbroadcast(np.asarray(found), np.shape(contribution))
    except Exception:
        return False
    with np.errstate(all="ignore"):
        return bool(np.allclose(summed, contribution, rtol=1e-4, atol=1e-12, equal_nan=True))


def is_readable(text: str) -> bool:
    """Whether a derivation says something to people: no moving about of arrays is named in it.

    >>> from autograd_lite.drawing.formulas import is_readable
    >>> is_readable("upstream @ wᵀ"), is_readable("1 - tanh(x)²"), is_readable("reshape(g, (2,))")
    (True, True, False)
    """
    called = re.findall(r"(\w+)\(", text)
    arranging = [name for name in called if not isinstance(getattr(np, name, np.exp), np.ufunc)]
    return not arranging and not re.search(r"array\(|…|[=<>≤≥≠]", text)


def multiplies(node: Node, place: int, local: Symbol) -> bool:
    """Whether a rule multiplies element by element, tried with a gradient that varies."""
    shape = np.shape(node.data)
    trial = np.linspace(2.0, 3.0, np.size(node.data)).reshape(shape)[()]
    gradient = apply_rule(node, place, Symbol("g", trial))
    if gradient is None or np.shape(local.data) != shape:
        return False
    with np.errstate(all="ignore"):
        return np.allclose(gradient.data, trial * local.data, equal_nan=True)


def product_factors(node: Node) -> tuple[Any, Any] | None:
    """The matrices that an operation multiplies; None if it does anything else."""
    assert node.primitive is not None
    symbols = [Symbol("x", x.data) if isinstance(x, Node) else x for x in node.inputs]
    try:
        result = node.primitive.forward(*symbols, **node.parameters)
    except Exception:
        return None  # not every function takes symbols
    return result.factors if isinstance(result, Symbol) else None


def apply_rule(
    node: Node, place: int, g: Symbol, out: Any = None, operands: Sequence[Any] | None = None
) -> Symbol | None:
    """A node's rule for one operand, run on symbols for the operands that are Values.

    It is run on the numbers that the node has, or on others in their place.
    """
    assert node.primitive is not None
    rules = node.primitive.rules_for(node.inputs)
    rule = rules[place] if place < len(rules) else None
    if rule is None:
        return None
    operands = list(map(data_of_node, node.inputs)) if operands is None else operands
    symbols = [
        Symbol(name, data) if isinstance(x, Node) else x
        for name, data, x in zip(argument_names(node), operands, node.inputs, strict=True)
    ]
    out = Symbol("out", node.data if out is None else out)
    try:
        with np.errstate(all="ignore"):
            gradient = rule(g, out, *symbols, **node.parameters)
    except Exception:
        # Anybody's rule may do anything to a symbol; then there is no formula to show.
        return None
    if not isinstance(gradient, Symbol):
        gradient = Symbol(str(gradient), gradient) if np.ndim(gradient) == 0 else None
    return gradient if gradient is not None and len(gradient.text) <= LONGEST else None


@dataclass(eq=False)
class Symbol(NDArrayOperatorsMixin):
    """A number or array together with the text of how it was computed.

    It is computed by NumPy, where 1/0 is inf and a power that is not real is NaN.
    Of a matrix product the ``factors`` are kept, so that one entry of it can be spelt out.
    """

    text: str
    data: Any
    binds: int = ATOM
    factors: tuple[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim", "size", "dtype"):
            return getattr(np.asarray(self.data), name)
        raise AttributeError(name)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __getitem__(self, index: Any) -> Symbol:
        return Symbol(f"{text_of(self, ATOM)}[…]", self.data[index])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        in_place = kwargs.pop("out", ())  # a symbol is never changed: a new one takes its place
        if method != "__call__" or kwargs or any(x is not inputs[0] for x in in_place):
            return NotImplemented
        return OPERATORS[ufunc](*inputs) if ufunc in OPERATORS else call(ufunc, inputs, {})

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return call(function, args, kwargs)

    __hash__ = object.__hash__


def call(function: Any, args: Any, kwargs: Any) -> Any:
    """A function of symbols: its call as text, unless the result is a shape or a dtype."""
    data = function(*map(data_of, args), **{name: data_of(x) for name, x in kwargs.items()})
    if not isinstance(data, (np.ndarray, np.generic, float, int)) or function in (np.ndim, np.size):
        return data
    if function is np.where and np.all(data_of(args[0])):
        return args[1] if isinstance(args[1], Symbol) else data
    if function is np.swapaxes and set(args[1:]) == {-1, -2}:
        return Symbol(text_of(args[0], ATOM) + "ᵀ", data)
    shown = [text_of(x, 0) for x in args] + [f"{name}={x}" for name, x in kwargs.items()]
    return Symbol(f"{function.__name__}({', '.join(shown)})", data)


def data_of(x: Any) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)(map(data_of, x))
    return x.data if isinstance(x, Symbol) else x


def text_of(x: Any, binds: int) -> str:
    """The text of an operand, in parentheses if it would otherwise be torn apart."""
    if isinstance(x, Symbol):
        return f"({x.text})" if x.binds < binds else x.text
    if isinstance(x, float):
        x = int(x) if x.is_integer() else x
    text = str(x) if np.ndim(x) == 0 else f"array{np.shape(x)}"
    return f"({text})" if text.startswith("-") and binds > 0 else text


def negative(x: Symbol) -> Symbol:
    text = x.text[1:] if x.text.startswith("-") else "-" + text_of(x, PRODUCT)
    return Symbol(text, -x.data, PRODUCT)


def conjugate(x: Symbol) -> Symbol:
    """Of real numbers it is what they are, and nobody needs to know the word."""
    return call(np.conjugate, (x,), {}) if np.iscomplexobj(x.data) else x


def floor_divide(left: Any, right: Any) -> Symbol:
    data = np.floor_divide(data_of(left), data_of(right))
    return Symbol(f"⌊{text_of(left, PRODUCT)} / {text_of(right, POWER)}⌋", data)


def binary(function: np.ufunc, sign: str, binds: int) -> Any:
    def operate(left: Any, right: Any) -> Any:
        data = function(data_of(left), data_of(right))
        a = text_of(left, binds + (sign == "**"))
        b = text_of(right, binds + (sign in ("-", "/", "**")))
        simple = simplify(sign, a, b, data, left, right)
        factors = (data_of(left), data_of(right)) if sign == "@" else None
        return Symbol(f"{a} {sign} {b}", data, binds, factors) if simple is None else simple

    return operate


def simplify(sign: str, a: str, b: str, data: Any, left: Any, right: Any) -> Symbol | None:
    """What a person would write for 1·x, x/1, x**1, x·x and (-1)·x."""
    if sign == "·" and a == "1":
        return Symbol(text_of(right, 0), data, getattr(right, "binds", ATOM))
    if sign in ("·", "/", "**") and b == "1":
        return Symbol(text_of(left, 0), data, getattr(left, "binds", ATOM))
    if sign == "·" and a == "-1":
        return Symbol(f"-{b}", data, PRODUCT)
    if sign == "·" and a == b and a.isidentifier():
        return Symbol(f"{a}²", data, POWER)
    return None


OPERATORS: dict[Any, Any] = {
    np.negative: negative,
    np.conjugate: conjugate,
    np.add: binary(np.add, "+", SUM),
    np.subtract: binary(np.subtract, "-", SUM),
    np.multiply: binary(np.multiply, "·", PRODUCT),
    np.divide: binary(np.divide, "/", PRODUCT),
    np.floor_divide: floor_divide,
    np.power: binary(np.power, "**", POWER),
    np.matmul: binary(np.matmul, "@", PRODUCT),
    np.less: binary(np.less, "<", 0),
    np.less_equal: binary(np.less_equal, "≤", 0),
    np.greater: binary(np.greater, ">", 0),
    np.greater_equal: binary(np.greater_equal, "≥", 0),
    np.equal: binary(np.equal, "=", 0),
    np.not_equal: binary(np.not_equal, "≠", 0),
}
