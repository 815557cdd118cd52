"""Mutants of the derivative rules: the source of each, changed in one place.

A rule is a function whose first argument is a gradient, ``g`` or ``h``, or one that is handed to
what derives rules from a definition; what it calls in its own module belongs to it.  A mutant's
code takes the place of the code of the live function, so that whoever holds the function (a
primitive, a table, a closure) computes with the mutant; and its place in the code of functions
that make it anew at each call.
"""

from __future__ import annotations

import ast
import gc
import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

Place = tuple[str, int, str, Any]
"""Where a function is written: file, first line, name, and where a lambda's value is."""

FunctionNode = ast.FunctionDef | ast.Lambda

OPERATORS: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(),
    ast.Sub: ast.Add(),
    ast.Mult: ast.Div(),
    ast.Div: ast.Mult(),
    ast.Pow: ast.Mult(),
    ast.MatMult: ast.Mult(),
}

COMPARISONS: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.Gt(),
    ast.Gt: ast.Lt(),
    ast.LtE: ast.Gt(),
    ast.GtE: ast.Lt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
}

FUNCTIONS = {
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "exp": "expm1",
    "exp2": "exp",
    "sqrt": "square",
    "sign": "abs",
    "abs": "sign",
    "floor": "ceil",
    "trunc": "ceil",
    "floor_divide": "divide",
    "maximum": "minimum",
    "minimum": "maximum",
    "sum": "max",
    "tril": "triu",
    "triu": "tril",
    "log": "log1p",
    "log1p": "log",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "real": "imag",
    "imag": "real",
    "logical_and": "logical_or",
    "hypot": "maximum",
    "convolve": "correlate",
    "cumsum": "cumprod",
    "argmin": "argmax",
    "inv": "pinv",
}
"""What a function is exchanged for; any other one is left out where it has one array alone."""

ABOUT_SHAPES = {"shape", "ndim", "size", "len", "zeros_like", "ones_like", "is_complex", "range"}
ABOUT_SHAPES |= {"is_duck_array", "isinstance", "zip", "enumerate", "result_type", "ramp"}
"""Questions that any operand of the same shape answers alike."""


CONVERSIONS = {"int", "list", "tuple", "iter", "asarray", "atleast_1d", "unwrap", "ravel"}
"""Functions that make the same of what is the same already."""


DERIVE_FROM_SECOND = {"by_definition", "of_samples", "read_at", "read_by"}
"""Functions whose second argument is a definition, from which they derive the rules."""


@dataclass(frozen=True, eq=False)
class Written:
    """A function of a module as it is written, and its names that live in enclosing functions."""

    module: ModuleType
    node: FunctionNode
    free: tuple[str, ...]

    @property
    def name(self) -> str:
        return getattr(self.node, "name", "<lambda>")

    @cached_property
    def place(self) -> Place:
        return place_of(self.code())

    def code(self, change: tuple[ast.AST, ast.AST] | None = None) -> CodeType:
        """Its compiled code, with one node replaced by another."""
        node: Any = copied(self.node, *change) if change else self.node
        if self.free and isinstance(node, ast.FunctionDef):
            # Names that the mutant does not use any more stay in its closure.
            keep = ast.parse(f"if False: {', '.join(self.free)},").body
            node = copied(node)
            node.body = [*keep, *node.body]
        inner: Any = ast.Assign([ast.Name("_", ast.Store())], node) if self.is_lambda else node
        arguments = [ast.arg(name) for name in self.free]
        outer = ast.FunctionDef(
            "outer", ast.arguments([], arguments, None, [], [], None, []), [inner], []
        )
        if not self.is_lambda and self.name not in self.free:
            outer.body.insert(0, ast.Global([self.name]))  # which may call itself
        module = ast.fix_missing_locations(ast.Module([outer], []))
        flags = annotations_flag
        compiled = compile(module, str(self.module.__file__), "exec", flags=flags)
        (enclosing,) = (x for x in compiled.co_consts if isinstance(x, CodeType))
        return next(
            x for x in enclosing.co_consts if isinstance(x, CodeType) and x.co_name == self.name
        )

    @property
    def is_lambda(self) -> bool:
        return isinstance(self.node, ast.Lambda)


annotations_flag = __import__("__future__").annotations.compiler_flag


def copied(node: Any, old: ast.AST | None = None, new: ast.AST | None = None) -> Any:
    """A copy of a tree, with one node replaced."""
    if node is old:
        return new
    if isinstance(node, list):
        return [copied(part, old, new) for part in node]
    if not isinstance(node, ast.AST):
        return node
    fields = {name: copied(value, old, new) for name, value in ast.iter_fields(node)}
    return ast.copy_location(type(node)(**fields), node)


# Which functions are rules.


def rules_of(module: ModuleType) -> list[Written]:
    """The rules of a module, and the functions that they call in it."""
    tree = ast.parse(inspect.getsource(module))
    functions = list(functions_in(tree, module, frozenset()))
    named = {f.name: f for f in functions if not f.is_lambda and not f.free}
    definitions = set(definitions_in(tree))
    wanted = [f for f in functions if is_rule(f.node) or f.name in definitions]
    for rule in wanted:
        for node in ast.walk(rule.node):
            called = named.get(node.id) if isinstance(node, ast.Name) else None
            if called is not None and called not in wanted and not is_forward(called):
                wanted.append(called)
    return wanted


def functions_in(node: ast.AST, module: ModuleType, outer: frozenset[str]) -> Iterator[Written]:
    for child in ast.iter_child_nodes(node):
        names = outer
        if isinstance(child, FunctionNode):
            used = {x.id for x in ast.walk(child) if isinstance(x, ast.Name)}
            yield Written(module, child, tuple(sorted(used & outer - own_names(child))))
            names = outer | own_names(child)
        elif isinstance(child, ast.ClassDef):
            continue
        yield from functions_in(child, module, names)


def own_names(function: FunctionNode) -> frozenset[str]:
    """Arguments and what is assigned."""
    a = function.args
    named = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    stored = {
        x.id for x in ast.walk(function) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)
    }
    nested = {
        x.name for x in ast.walk(function) if isinstance(x, ast.FunctionDef) and x is not function
    }
    return frozenset({x.arg for x in named} | stored | nested)


def definitions_in(tree: ast.AST) -> Iterator[str]:
    """The functions whose derivatives are those of what other functions compute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node.func) in DERIVE_FROM_SECOND:
            definition = node.args[1]
            if isinstance(definition, ast.Name):
                yield definition.id


def is_rule(function: FunctionNode) -> bool:
    if getattr(function, "name", "").endswith("_forward"):
        return False
    names = [x.arg for x in function.args.args[:2]]
    return bool(names) and (names[0] in ("g", "h") or names[:2] == ["index", "g"])


def is_forward(function: Written) -> bool:
    return function.name.endswith("_forward")


# What can be changed.


@dataclass(frozen=True, eq=False)
class Mutant:
    """One rule with one change."""

    rule: Written
    old: ast.expr
    new: ast.expr

    @property
    def name(self) -> str:
        """The rule, the line within it, and what becomes of what there."""
        node, module = self.rule.node, self.rule.module.__name__.rpartition(".")[2]
        place = f"{self.rule.name}+{self.old.lineno - node.lineno}"
        if isinstance(node, ast.Lambda):
            place = f"λ {shown(node.body)}"
        return f"{module}.{place}: {shown(self.old)} → {shown(self.new)}"

    def code(self) -> CodeType | None:
        """The changed code; None if it is the same or none."""
        try:
            code = self.rule.code((self.old, self.new))
        except SyntaxError:
            return None
        return None if is_same_code(code, self.rule.code()) else code


def shown(node: ast.expr) -> str:
    """An expression as short text."""
    text = ast.unparse(node)
    return text if len(text) <= 22 else f"{text[:12]}…{text[-9:]}"


def mutants_of(module: ModuleType) -> Iterator[Mutant]:
    """All mutants of all rules of a module."""
    for rule in rules_of(module):
        for node in nodes_of(rule.node):
            for new in changes(node, rule.node):
                yield Mutant(rule, node, new)


def is_same_code(code: CodeType, other: CodeType) -> bool:
    parts = ("co_code", "co_names", "co_consts", "co_varnames")
    return all(getattr(code, part) == getattr(other, part) for part in parts)


def nodes_of(function: FunctionNode) -> Iterator[ast.expr]:
    """The expressions of the body, but for those about shapes, and in errors."""
    body = function.body if isinstance(function.body, list) else [function.body]
    stack: list[ast.AST] = list(reversed(body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise | ast.FunctionDef | ast.Lambda | ast.JoinedStr):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        if isinstance(node, ast.expr) and not is_about_options(node):
            yield node
        if isinstance(node, ast.Call) and name_of(node.func) in ABOUT_SHAPES:
            continue
        if isinstance(node, ast.Compare) and is_about_options(node):
            continue
        if isinstance(node, ast.Attribute) or is_negative_number(node):
            continue
        if isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise):
            continue
        if isinstance(node, ast.Call):
            stack += [x for x in (*reversed(node.args), *node.keywords) if not is_idle(x, node)]
            continue
        stack += reversed(list(ast.iter_child_nodes(node)))


def is_idle(argument: ast.AST, call: ast.Call) -> bool:
    """A result that is passed on to a rule, which rarely reads it; a 1 that is divided by."""
    if isinstance(call.func, ast.Name):
        return isinstance(argument, ast.Name) and argument.id == "out"
    is_one = isinstance(argument, ast.Constant) and argument.value == 1
    return is_one and name_of(call.func) == "where"


def is_about_options(node: ast.AST) -> bool:
    """``where is True``: of the two ways one is shorter."""
    test = getattr(node, "test", node)
    return isinstance(test, ast.Compare) and isinstance(test.ops[0], ast.Is | ast.IsNot)


def is_negative_number(node: ast.AST) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def name_of(function: ast.expr) -> str:
    return getattr(function, "attr", getattr(function, "id", ""))


def changes(node: ast.expr, function: FunctionNode) -> Iterator[ast.expr]:
    """What an expression is replaced by, each for itself."""
    match node:
        case ast.BinOp():
            if type(node.op) in OPERATORS:
                yield ast.BinOp(node.left, OPERATORS[type(node.op)], node.right)
            yield node.left
            yield node.right
        case ast.UnaryOp(op=ast.USub()):
            yield node.operand
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            yield ast.Compare(node.left, [COMPARISONS[type(op)]], node.comparators)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Name(id=name) if name in gradient_names(function):
            yield ast.BinOp(ast.Constant(1.001), ast.Mult(), node)
            yield ast.UnaryOp(ast.USub(), node)
        case ast.Name(id=name) if isinstance(node.ctx, ast.Load):
            operands = operands_of(function)
            if name in operands and len(operands) > 1:
                other = operands[(operands.index(name) + 1) % len(operands)]
                yield ast.Name(other, ast.Load())
        case ast.Call():
            yield from changed_calls(node)


def changed_calls(node: ast.Call) -> Iterator[ast.expr]:
    name = name_of(node.func)
    if name in FUNCTIONS and isinstance(node.func, ast.Attribute):
        other = ast.Attribute(node.func.value, FUNCTIONS[name], ast.Load())
        yield ast.Call(other, node.args, node.keywords)
    elif name == "where" and len(node.args) == 3:
        condition, chosen, otherwise = node.args
        yield ast.Call(node.func, [condition, otherwise, chosen], node.keywords)
        yield chosen
    elif name not in ABOUT_SHAPES | CONVERSIONS and len(node.args) == 1 and not node.keywords:
        yield node.args[0]


def gradient_names(function: FunctionNode) -> list[str]:
    return [x.arg for x in function.args.args if x.arg in ("g", "h")]


def operands_of(function: FunctionNode) -> list[str]:
    """The result and the inputs of a rule: arguments without default after the gradient."""
    arguments = function.args.args
    required = arguments[: len(arguments) - len(function.args.defaults)]
    return [x.arg for x in required if x.arg not in ("g", "h", "index", "axis", "shape", "mode")]


# Putting a mutant in the place of the original.


def functions_at(places: Iterable[Place]) -> dict[Place, list[FunctionType]]:
    """The live functions that are written in these places, and those that make them."""
    found: dict[Place, list[FunctionType]] = {place: [] for place in places}
    files = {place[0] for place in found}
    for thing in gc.get_objects():
        # isinstance would ask proxies, also dead ones
        if type(thing) is FunctionType and thing.__code__.co_filename in files:
            for code in codes_within(thing.__code__):
                if place_of(code) in found:
                    found[place_of(code)].append(thing)
    return found


def codes_within(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of those that are written in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_within(constant)


def place_of(code: CodeType) -> Place:
    position = list(code.co_positions())[-1] if code.co_name == "<lambda>" else None
    return code.co_filename, code.co_firstlineno, code.co_name, position


def exchanged(code: CodeType, place: Place, new: CodeType) -> CodeType:
    """The code of a function with other code in some place: its own, or within it."""
    if place_of(code) == place:
        assert code.co_freevars == new.co_freevars
        return new
    constants = [exchanged(x, place, new) if isinstance(x, CodeType) else x for x in code.co_consts]
    return code.replace(co_consts=tuple(constants))


@contextmanager
def in_place(code: CodeType, place: Place, functions: Sequence[FunctionType]) -> Iterator[None]:
    """A block in which functions compute with other code in some place."""
    originals = [function.__code__ for function in functions]
    for function in functions:
        function.__code__ = exchanged(function.__code__, place, code)
    try:
        yield
    finally:
        for function, original in zip(functions, originals, strict=True):
            function.__code__ = original
