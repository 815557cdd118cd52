"""The course and the script that makes its pictures stay in step."""

from __future__ import annotations

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

LEARN = Path(__file__).parents[2] / "docs" / "learn"
SPANISH = LEARN.parent / "es"
CHAPTERS = sorted(LEARN.glob("[0-9]*.md"))


@pytest.fixture(scope="module")
def pictures():
    specification = importlib.util.spec_from_file_location("pictures", LEARN / "pictures.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_every_chapter_is_listed_and_leads_to_the_next():
    contents = (LEARN / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\d\d_\w+\.md)\)", contents) == [page.name for page in CHAPTERS]
    for page, following in pairwise(CHAPTERS):
        assert f"({following.name})" in page.read_text(encoding="utf-8")


def test_every_picture_is_made_and_shown(pictures):
    made = {f"{draw.__name__}.svg" for draw in pictures.DRAWINGS}
    made |= {f"{plot.__name__}.png" for plot in pictures.PLOTS}
    made |= {f"digits_{name}.png" for name in ("learning", "mistakes", "saliency")}
    shown = set()
    for page in CHAPTERS:
        shown |= set(re.findall(r"\(images/(\S+)\)", page.read_text(encoding="utf-8")))
    assert made == shown == {path.name for path in (LEARN / "images").iterdir()}
    assert made == {path.name for path in (SPANISH / "images").iterdir()}


def test_drawings_show_the_numbers_of_today(pictures):
    for draw in pictures.DRAWINGS:
        for lang, folder in (("en", LEARN), ("es", SPANISH)):
            kept = (folder / "images" / f"{draw.__name__}.svg").read_text(encoding="utf-8")
            texts = {text for text in ElementTree.fromstring(kept).itertext() if text.strip()}
            assert texts == {
                text for text in ElementTree.fromstring(draw(lang).svg).itertext() if text.strip()
            }


def test_a_plot_is_a_figure_with_axes(pictures):
    figure = pictures.gates()
    assert [axes.get_title() for axes in figure.axes] == ["AND", "OR", "NAND"]


def test_the_words_of_plots_are_translated(pictures):
    figure = pictures.step_and_sigmoid()
    pictures.translate(figure)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("suma ponderada z", "salida")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["escalón", "sigmoide"]
    assert pictures.in_spanish("8 as 3") == "8 por 3"


def test_a_word_without_a_translation_is_refused(pictures):
    with pytest.raises(KeyError, match="SPANISH lacks 'weight' of 'weight'"):
        pictures.in_spanish("weight")
