"""The course in Spanish says and runs what the English one does."""

from __future__ import annotations

import io
import re
import tokenize
from itertools import pairwise
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH = sorted((DOCS / "learn").glob("[0-9]*.md"))
SPANISH = sorted((DOCS / "es").glob("[0-9]*.md"))
CHAPTERS = pytest.mark.parametrize(
    ("english", "spanish"), list(zip(ENGLISH, SPANISH, strict=True)), ids=lambda page: page.stem
)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def without_comment(line: str) -> str:
    """A line of code, with or without a doctest prompt, up to its comment."""
    prompt, code = re.fullmatch(r"(>>> |\.\.\. |)(.*)", line).groups()
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                return prompt + code[: token.start[1]].rstrip()
    except (tokenize.TokenError, IndentationError):
        pass  # a part of a longer statement, read to its end without meeting a comment
    return line


def code_of(page: Path) -> list[list[str]]:
    blocks = re.findall(r"^```python\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)
    return [[without_comment(line) for line in block.splitlines()] for block in blocks]


def test_a_comment_is_not_code_and_a_string_is_none():
    assert without_comment('>>> f("# 1")  # one') == '>>> f("# 1")'
    assert without_comment("...     g(x,  # two") == "...     g(x,"
    assert without_comment("array([1.])") == "array([1.])"


@CHAPTERS
def test_both_run_the_same_code(english, spanish):
    assert code_of(english) == code_of(spanish)


@CHAPTERS
def test_both_have_the_same_parts(english, spanish):
    assert english.name[:2] == spanish.name[:2]
    for part in (r"^#+ ", r"<details><summary>", r"^\|", r"^\$\$", r"^\*\*\d\.\*\*", r"^- \*\*"):
        counts = [len(re.findall(part, read(page), re.MULTILINE)) for page in (english, spanish)]
        assert counts[0] == counts[1], part


@CHAPTERS
def test_both_show_the_same_pictures(english, spanish):
    pictures = re.findall(r"\(images/(\S+)\)", read(english))
    assert pictures == re.findall(r"\(images/(\S+)\)", read(spanish))


@CHAPTERS
def test_each_links_to_the_other_at_its_top(english, spanish):
    assert read(english).splitlines()[2] == f"[Español](../es/{spanish.name})"
    assert read(spanish).splitlines()[2] == f"[English](../learn/{english.name})"


def test_every_chapter_is_listed_and_leads_to_the_next():
    contents = read(DOCS / "es" / "index.md")
    assert re.findall(r"\]\((\d\d_\w+\.md)\)", contents) == [page.name for page in SPANISH]
    for page, following in pairwise(SPANISH):
        assert f"({following.name})" in read(page)


@pytest.mark.parametrize(
    ("english", "spanish"), [("README", "index"), ("workshops", "talleres")], ids=str
)
def test_other_pages_show_the_same_commands(english, spanish):
    first = blocks_in(DOCS / "learn" / f"{english}.md")
    assert first == blocks_in(DOCS / "es" / f"{spanish}.md")
    assert first


def blocks_in(page):
    """The code of a page; of a terminal the commands alone, whose answers are in its language."""
    blocks = re.findall(r"^```\w+\n.*?^```$", read(page), re.M | re.S)
    return [
        re.findall(r"^\$ (.*?)(?: --lang es)?$", block, re.M) if "\n$ " in block else block
        for block in blocks
    ]
