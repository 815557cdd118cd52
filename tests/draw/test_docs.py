"""docs/drawing.md: every block runs, prints what it says, and saves the pictures that are shown."""

from __future__ import annotations

import contextlib
import io
import linecache
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "drawing.md").read_text("utf-8")
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.M | re.S)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder in which the blocks of the page were run."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "images").mkdir()
    names = {"__name__": "example"}
    printed = ""
    with contextlib.chdir(folder):
        for kind, text in BLOCK.findall(PAGE):
            if kind == "text":
                assert printed == text
                continue
            # The line that is named in a picture is one of the block.
            linecache.cache["example.py"] = (len(text), None, text.splitlines(True), "example.py")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(compile(text, "example.py", "exec"), names)
            printed = output.getvalue()
    return folder


def texts_of(path):
    """What is written in an SVG, wherever the fonts of a machine put it."""
    return sorted(
        "".join(x.itertext()) for x in ET.parse(path).getroot().iter() if x.tag.endswith("}text")
    )


PICTURES = sorted(
    set(re.findall(r"\(images/(\w+\.svg)\)", (DOCS / "drawing.md").read_text("utf-8")))
)


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_show_what_the_blocks_save(made, name):
    assert texts_of(DOCS / "images" / name) == texts_of(made / "images" / name)
    assert (DOCS / "images" / name).stat().st_size < 30_000


def test_the_page_shows_every_picture_it_saves(made):
    shown = {path.name for path in (made / "images").glob("*.svg")}
    assert shown == set(PICTURES)
    assert (DOCS / "images" / "stepper.png").stat().st_size < 100_000
