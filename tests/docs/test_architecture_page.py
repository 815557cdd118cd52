"""The page of the architecture and README's figures are true."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

from docs.module_diagram import PAGE, page
from tests.house import MODULES, ROOT, global_state

README = (ROOT / "README.md").read_text(encoding="utf-8")
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_page_lists_every_file():
    assert page() == TEXT, "run: python -m docs.module_diagram"
    assert TEXT.count("\n### `") == len({Path(module.place).parent for module in MODULES.values()})
    for module in MODULES.values():
        assert module.headline, f"{module.place} has no docstring"


def test_the_page_lists_all_global_state():
    rows = re.findall(r"^\| `([a-z_/]+\.py)` \| `([\w.()]+)` \| \S", TEXT, re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == global_state()


def test_files_and_functions_that_the_page_names_are_there():
    code = "\n".join(module.text for module in MODULES.values())
    for name in re.findall(r"`(_?[a-z]\w+)`", TEXT.partition("## All global state")[0]):
        assert re.search(rf"\b{name}\b", code), name
    for path in re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", TEXT):
        assert (
            any(module.place.endswith("/" + path) for module in MODULES.values())
            or (ROOT / path).exists()
        ), path


def lines_of_code(module) -> int:
    """Lines that are neither empty nor comment nor docstring."""
    docstrings: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            docstrings |= set(range(node.lineno, node.end_lineno + 1))
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in layout | {tokenize.ENDMARKER}:
            code |= set(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def test_readme_says_truly_how_long_the_core_is_that_one_reads_first():
    said = re.search(r"eight files, about ([\d,]+) lines, of which ([\d,]+) are code", README)
    assert said is not None
    lines, code = (int(number.replace(",", "")) for number in said.groups())
    order = re.findall(r"`(\w+)\.py`", README[said.start() :].partition("in this order")[0])
    assert order == [
        *("node", "recorder", "views", "primitive", "backward", "pullback", "in_place", "value")
    ]
    core = [MODULES[f"autograd_lite.core.{name}"] for name in order]
    assert abs(sum(len(module.text.splitlines()) for module in core) - lines) <= 50
    assert abs(sum(map(lines_of_code, core)) - code) <= 50
