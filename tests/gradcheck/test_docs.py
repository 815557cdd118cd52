"""The page about gradient checking: every report in it is what the checker prints."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "gradient_checking.md"


def test_the_page_prints_what_it_says():
    text = re.sub(r"^```.*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) > 30
    output: list[str] = []
    doctest.DocTestRunner(optionflags=flags).run(test, out=output.append)
    if output:
        pytest.fail("".join(output))


def test_every_verdict_has_its_place_in_the_gallery():
    gallery = PAGE.read_text(encoding="utf-8").split("## Gallery")[1]
    for verdict in (
        "wrong derivative",
        "not differentiable here",
        "cannot decide",
        "at a border",
        "another function on Values",
        "NaN or infinity",
        "random function",
        "mutated argument",
        "wrong shape or dtype",
    ):
        assert verdict in gallery
