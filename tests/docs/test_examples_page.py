"""The page of examples lists them all, each with its picture."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")
WITHOUT_PICTURE = {"tour", "fashion_mnist"}


def test_every_example_is_listed():
    scripts = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert set(re.findall(r"`python examples/(\w+\.py)", PAGE)) == scripts
    notebooks = {path.name for path in (ROOT / "examples").glob("*.ipynb")}
    assert set(re.findall(r"`examples/(\w+\.ipynb)`", PAGE)) == notebooks


def test_every_picture_is_that_of_an_example_and_small():
    pictures = {path.stem: path for path in (ROOT / "docs" / "images" / "examples").iterdir()}
    scripts = {path.stem for path in (ROOT / "examples").glob("*.py")}
    assert set(pictures) == scripts - WITHOUT_PICTURE
    assert set(re.findall(r"\(images/examples/(\w+)\.", PAGE)) == set(pictures)
    for path in pictures.values():
        assert path.stat().st_size < 100_000, path


def test_every_example_says_what_it_is_and_takes_an_output():
    for path in (ROOT / "examples").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert re.match(r'"""[A-Z].+\n\n', text), path
        assert f"examples/{path.name}" in text, path
        assert '"--output"' in text, path
        assert "wrote" in text, path
