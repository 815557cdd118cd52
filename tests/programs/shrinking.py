"""Makes a program that fails as short as it can be, on its text.

Statements are left out, blocks unrolled, operations replaced by their operands, as long as the
program goes on failing in the same way. Draws of random numbers would shrink less well: after a
statement that is left out, all later draws would mean something else.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from typing import Any

from tests.programs.judging import examine
from tests.programs.program import IMPORTS, Program
from tests.programs.ways import Way

__all__ = ["shortest", "shrink"]

TRIALS = 1000

Edit = Callable[[ast.Module], None]
"""Changes a tree to one with less in it."""


def shortest(program: Program, way: Way) -> Program:
    """The shortest program found that fails as this one does, run in a way."""
    family = examine(program, way).family
    return shrink(program, lambda p: examine(p, way).family == family)


def shrink(program: Program, still_fails: Callable[[Program], bool]) -> Program:
    """The shortest program found that ``still_fails``."""
    trials, place, shortened = 0, 0, False
    edits = list(possible_edits(ast.parse(program.text)))
    while trials < TRIALS:
        if place >= len(edits):
            if not shortened:
                break
            place, shortened = 0, False
            continue
        trials += 1
        candidate = edited(program, edits[place])
        if candidate is not None and still_fails(candidate):
            # The next thing to leave out is now in the place of the one that was.
            program, shortened = candidate, True
            edits = list(possible_edits(ast.parse(program.text)))
        else:
            place += 1
    return program


def edited(program: Program, edit: Edit) -> Program | None:
    """The program after an edit; None if it might never end."""
    tree = ast.parse(program.text)
    edit(tree)
    if not all(map(ends, ast.walk(tree))):
        return None
    names = [argument.arg for argument in program_of(tree).args.args]
    text = ast.unparse(ast.fix_missing_locations(tree))
    return Program(text, {name: program.arguments[name] for name in names})


def ends(node: ast.AST) -> bool:
    """Whether a loop still counts up to its bound."""
    if not isinstance(node, ast.While):
        return True
    test = node.test
    is_bounded = isinstance(test, ast.Compare) and isinstance(test.left, ast.Name)
    return is_bounded and ast.unparse(node.body[-1]) == f"{test.left.id} += 1"


def program_of(tree: ast.Module) -> ast.FunctionDef:
    """The function that is called; what stands around it is left out whole or left alone."""
    return next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "program")


def blocks(tree: ast.Module) -> list[list[ast.stmt]]:
    """All lists of statements in the function, outer ones first."""
    fields = ("body", "orelse", "finalbody")
    found = [getattr(node, field, None) for node in ast.walk(program_of(tree)) for field in fields]
    return [b for b in found if isinstance(b, list) and b]


def possible_edits(tree: ast.Module) -> Iterator[Edit]:
    """Edits that take away one thing each, the largest things first."""
    function = program_of(tree)
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    for place, argument in enumerate(function.args.args):
        if argument.arg not in used and len(function.args.args) > 1:
            yield lambda t, place=place: program_of(t).args.args.pop(place)
    for place, statement in reversed(list(enumerate(tree.body))):
        if statement is not function:
            yield lambda t, place=place: t.body.pop(place)
    for where, block in enumerate(blocks(tree)):
        for place in reversed(range(len(block))):
            if len(block) > 1:
                yield lambda t, where=where, place=place: blocks(t)[where].pop(place)
    for where, block in enumerate(blocks(tree)):
        for place, statement in enumerate(block):
            yield from unroll(statement, where, place)
            yield from rename(statement, where, place)
    for number, node in enumerate(reads(function)):
        for part, operand in enumerate(ast.iter_child_nodes(node)):
            if isinstance(operand, ast.expr) and may_replace(node, operand):
                yield lambda t, number=number, part=part: simplify(program_of(t), number, part)


def unroll(statement: ast.stmt, where: int, place: int) -> Iterator[Edit]:
    """A block's statements in the place of the block."""
    for field in ("body", "orelse"):
        if getattr(statement, field, None) and not isinstance(statement, ast.FunctionDef):

            def edit(tree: ast.Module, field: str = field) -> None:
                block = blocks(tree)[where]
                block[place : place + 1] = getattr(block[place], field)

            yield edit


def rename(statement: ast.stmt, where: int, place: int) -> Iterator[Edit]:
    """One name less, where a statement gives another name to the same thing."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)):

            def edit(tree: ast.Module) -> None:
                if len(blocks(tree)[where]) > 1:
                    del blocks(tree)[where][place]
                for node in ast.walk(program_of(tree)):
                    if isinstance(node, ast.Name) and node.id == name:
                        node.id = other

            yield edit


def reads(node: ast.AST) -> list[ast.expr]:
    """All expressions that are read, in the order of the text; not those inside of f-strings."""
    found = []
    for child in ast.iter_child_nodes(node):
        context = getattr(child, "ctx", ast.Load())
        if isinstance(child, ast.expr) and isinstance(context, ast.Load):
            found.append(child)
        if not isinstance(child, ast.JoinedStr):
            found += reads(child)
    return found


def may_replace(node: ast.expr, operand: ast.expr) -> bool:
    """Whether an operand is a value; of a call it is the object whose method is called."""
    if isinstance(node, ast.Call) and operand is node.func:
        return isinstance(operand, ast.Attribute) and not is_in_module(operand.value)
    is_part = isinstance(operand, ast.Slice | ast.FormattedValue | ast.Starred)
    return not is_part and not is_in_module(operand)


def is_in_module(node: ast.expr) -> bool:
    """Whether this is a module, or a name in one: ``np``, ``np.random``."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name) and node.id in IMPORTS


class Replace(ast.NodeTransformer):
    """Puts an expression in the place of another."""

    def __init__(self, node: ast.expr, replacement: ast.expr) -> None:
        self.node = node
        self.replacement = replacement

    def visit(self, node: ast.AST) -> Any:
        return self.replacement if node is self.node else self.generic_visit(node)


def simplify(function: ast.FunctionDef, number: int, part: int) -> None:
    """One of the operands in the place of an operation; of ``x.f()`` it is ``x``."""
    node = reads(function)[number]
    operand = list(ast.iter_child_nodes(node))[part]
    if isinstance(node, ast.Call) and isinstance(operand, ast.Attribute) and part == 0:
        operand = operand.value
    assert isinstance(operand, ast.expr)
    Replace(node, copy.deepcopy(operand)).visit(function)
