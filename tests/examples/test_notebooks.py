"""The notebooks run from top to bottom, show drawings inline, and are kept without output."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_output(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def executed(name: str, folder: Path) -> list[dict[str, str]]:
    """What each output of a run shows, by media type."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    shown = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.get("name") != "stderr", output.text
            shown.append(output.get("data") or {"text/plain": output.text})
    return shown


# The kernel and its messages are Jupyter's; its warnings are not this project's to mend.
@pytest.mark.filterwarnings("default")
def test_gradients_are_seen(tmp_path):
    shown = executed("see_a_gradient", tmp_path)
    text = "".join(data.get("text/plain", "") for data in shown)
    drawings = [data["image/svg+xml"] for data in shown if "image/svg+xml" in data]
    assert len(drawings) == 2
    assert all("<svg" in drawing for drawing in drawings)
    assert "gradcheck bell: wrong derivative" in text
    assert "gradcheck bell: correct" in text
    assert (tmp_path / "neuron.html").exists()


@pytest.mark.filterwarnings("default")
def test_a_network_is_looked_into(tmp_path):
    shown = executed("train_and_look_inside", tmp_path)
    text = "".join(data.get("text/plain", "") for data in shown)
    assert sum("image/svg+xml" in data for data in shown) == 1
    assert sum("image/png" in data for data in shown) == 4
    assert "def " in text.partition("History")[2]
