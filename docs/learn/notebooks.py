"""Make every chapter a notebook: ``python docs/learn/notebooks.py --output notebooks``.

Text becomes cells of text; what stands after ``>>>`` becomes cells of code, without prompts and
without the results, which running the notebook brings.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[1]
FOLDERS = {"learn": "[0-9]*.md", "es": "[0-9]*.md"}
BLOCK = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


def cells_of(text: str) -> list[dict[str, Any]]:
    """The cells of a chapter, in order."""
    cells = []
    for i, part in enumerate(BLOCK.split(text)):
        if i % 2 and part.startswith(">>> "):
            cells.append(code_cell(source_of(part)))
        elif i % 2:
            cells.append(text_cell(f"```python\n{part}```"))
        elif part.strip():
            cells += [text_cell(shown) for shown in unfolded(part) if shown.strip()]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return cells


def unfolded(text: str) -> list[str]:
    """Text without the folds around answers that have code, which no cell of text can hold."""
    closed = re.sub(
        r"<details><summary>(.*?)</summary>(.*?)</details>", keep, text, flags=re.DOTALL
    )
    opened = re.sub(r"<details><summary>(.*?)</summary>", r"**\1**", closed)
    return [opened.replace("</details>", "").replace("\0", "<")]


def keep(found: re.Match[str]) -> str:
    return found[0].replace("<", "\0")


def source_of(doctest: str) -> str:
    """The code of an example, without prompts and results."""
    lines = doctest.splitlines()
    return "\n".join(line[4:] for line in lines if line.startswith((">>> ", "... ")))


def text_cell(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip()}


def code_cell(code: str) -> dict[str, Any]:
    return {
        "cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": code,
    }  # fmt: skip


def notebook(text: str) -> dict[str, Any]:
    """A chapter as Jupyter stores it."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells_of(text),
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write(folder: Path) -> list[Path]:
    """All chapters in both languages; returns where they are."""
    written = []
    for name, pattern in FOLDERS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for page in sorted((DOCS / name).glob(pattern)):
            path = folder / name / f"{page.stem}.ipynb"
            text = json.dumps(
                notebook(page.read_text(encoding="utf-8")), ensure_ascii=False, indent=1
            )
            path.write_text(text + "\n", encoding="utf-8")
            written.append(path)
    return written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("notebooks"), help="folder to fill")
    for path in write(parser.parse_args().output):
        print("wrote", path)


if __name__ == "__main__":
    main()
