"""Every chapter is a notebook that runs from top to bottom."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from docs.learn import notebooks

CHAPTERS = sorted((notebooks.DOCS / "learn").glob("[0-9]*.md"))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return notebooks.write(tmp_path_factory.mktemp("notebooks"))


def test_there_is_one_for_every_chapter_in_both_languages(written):
    names = {path.parent.name + "/" + path.stem for path in written}
    assert names == {
        f"{folder}/{page.stem}"
        for folder in ("learn", "es")
        for page in (notebooks.DOCS / folder).glob("[0-9]*.md")
    }
    for path in written:
        nbformat.validate(nbformat.read(path, as_version=4))


def test_code_loses_prompts_and_results():
    cells = notebooks.cells_of(
        "Text.\n\n```python\n>>> for i in (1, 2):\n...     i\n1\n2\n```\n\nMore.\n"
    )
    assert [cell["source"] for cell in cells] == ["Text.", "for i in (1, 2):\n    i", "More."]


def test_folds_of_text_stay_and_those_around_code_open():
    fold = "<details><summary>{}</summary>\n\n{}\n\n</details>\n"
    text = fold.format("Why?", "Because.") + fold.format("Answer", "```python\n>>> 1\n1\n```")
    first, code, *_ = (cell["source"] for cell in notebooks.cells_of(text))
    assert first == fold.format("Why?", "Because.") + "**Answer**"
    assert code == "1"


@pytest.mark.parametrize("page", CHAPTERS, ids=lambda page: page.stem)
def test_the_code_runs_from_top_to_bottom(page):
    names: dict = {"__name__": "__main__"}
    cells = notebooks.cells_of(page.read_text(encoding="utf-8"))
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert code
    for source in code:
        exec(compile(source, page.name, "exec"), names)


# The kernel and its messages are Jupyter's; its warnings are not this project's to mend.
@pytest.mark.filterwarnings("default")
def test_a_chapter_runs_in_jupyter():
    """One for all: a kernel takes longer to start than a chapter to run."""
    chapter = nbformat.from_dict(notebooks.notebook(CHAPTERS[0].read_text(encoding="utf-8")))
    NotebookClient(chapter, timeout=300, kernel_name="python3").execute()
    shown = [out for cell in chapter.cells for out in cell.get("outputs", ())]
    assert not [out for out in shown if out.get("name") == "stderr"]
    assert any("array([0, 1, 1, 1])" in str(out) for out in shown)
