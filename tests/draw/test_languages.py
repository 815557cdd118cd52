"""The stepper in Spanish, and in a notebook."""

from __future__ import annotations

import html
import re

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.drawing.languages import WORDS
from tests.draw.networks import expression


def shares():
    """A number that a bias, a mean and a slice lead to."""
    x = ag.Value(np.array([[0.5, -1.0], [2.0, 0.25]]), label="x")
    b = ag.Value(np.array([0.1, 0.2]), label="b")
    return np.mean((x[1:] + b) * 2.0) + np.max(x)


def test_a_page_in_spanish_has_no_english_word(open_page):
    page = open_page(ag.draw(shares(), lang="es"))
    assert page.get_attribute("html", "lang") == "es"
    english = [pair[0] for key, pair in WORDS.items() if pair[0] != pair[1] and "{" not in pair[0]]
    english = {text for text in english if len(text) > 3 and text not in ("mean", "name")}
    for _ in range(40):
        shown = page.inner_text("body")
        found = [text for text in english if re.search(rf"\b{re.escape(text)}\b", shown)]
        assert found == []
        page.keyboard.press("ArrowRight")
    assert "lo que llega" in page.inner_text("#panel")


def test_a_bias_is_said_to_be_summed(open_page):
    page = open_page(ag.draw(shares()))
    page.keyboard.press("End")
    seen = []
    while page.inner_text("#panel .phase").startswith("backward"):
        seen.append(page.inner_text("#panel"))
        page.keyboard.press("ArrowLeft")
    texts = "\n".join(seen)
    assert "gets the gradient of its place in the result (local derivative 1)" in texts
    assert "divided by how many entries that has" in texts
    assert "with g for" not in texts and "array(" not in texts


def test_an_operand_without_a_name_is_not_called_like_the_users_x(open_page):
    x = ag.Value(np.array([1.0, 2.0]), label="x")
    page = open_page(ag.draw(np.sum(np.exp(np.sin(x)))))
    page.keyboard.press("End")
    for _ in range(2):
        headers = page.locator("#panel tr th").all_inner_texts()
        assert ("∂out/∂x" in headers) == ("through sin" in page.inner_text("#panel h2"))
        page.keyboard.press("ArrowLeft")


def test_the_legend_shows_the_kinds_of_boxes_that_there_are(open_page):
    page = open_page(ag.draw(shares()))
    assert page.locator("#legend li").all_inner_texts() == ["input", "operation", "constant"]


def test_a_table_of_rounded_numbers_says_so(open_page):
    x = ag.Value(np.array([0.5, 0.25]), label="x")
    page = open_page(ag.draw(np.sum(np.sin(x))))
    page.keyboard.press("End")
    captions = page.locator("#panel caption").all_inner_texts()
    assert captions == ["upstream", "local ≈", "contribution ≈"]


def test_two_runs_are_told_of_in_spanish(open_page):
    page = open_page(ag.draw(shifted, 1.0, 5.0, compare=(1.5, 5.0), lang="es"))
    kinds = ["entrada", "constante", "operación"]
    assert page.locator("#legend li").all_inner_texts() == [*kinds, "difiere", "afectado"]
    assert page.inner_text("h1") == "dos ejecuciones de shifted"
    assert "cambió  1.0 → 1.5" in page.locator("#graph text").all_text_contents()
    page.focus("#a0")
    heard = page.get_attribute("#a0", "aria-label")
    assert "cambió 1.0 → 1.5" in heard and "difiere" in heard
    consequence, cause = (
        page.evaluate("(key) => getComputedStyle(document.querySelector(key)).stroke", key)
        for key in (".mark-tainted rect", ".mark-differs rect")
    )
    assert consequence != cause


def test_the_steps_are_shown_in_a_notebook_without_a_file(open_file, tmp_path):
    result, _ = expression()
    shown = ag.draw(result).steps(height=480)._repr_html_()
    assert "height: 480px" in shown
    assert html.unescape(re.search(r'srcdoc="(.*?)" title', shown, re.S)[1]).startswith("<!DOCTYPE")
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><meta charset=utf-8>{shown}", "utf-8")
    frame = open_file(notebook).frame_locator("iframe")
    frame.locator("#next").click()
    assert frame.locator("#panel h2").inner_text().startswith("compute")


def test_languages_that_there_are_not_are_refused():
    with pytest.raises(ag.AutogradError, match="lang='fr' is unknown; use 'en', 'es'"):
        ag.draw(shares(), lang="fr")


def entropy(p):
    q = 1.0 - p
    return -np.sum(q * np.log(q))


def shifted(a, b):
    return np.tanh(a * 2.0) + b


def dead_units():
    w = ag.Value(np.array([[0.5, 0.5], [1.0, 1.0]]), label="w")
    b = ag.Value(np.array([0.0, -9.0]), label="b")
    return np.sum((np.ones((3, 2)) @ w + b).relu())


def training_step():
    def loss(w, x):
        return np.sum(np.tanh(x @ w) ** 2)

    @ag.compile
    def step(w, x):
        value, gradient = ag.value_and_grad(loss)(w, x)
        return value, w - 0.1 * gradient

    step(np.ones((3, 2)), np.ones((4, 3)))
    return step


TWELVE = ag.Value(np.linspace(0.0, 1.0, 12), label="v")
DRAWN = {
    "nan": ((entropy, np.array([0.5, 1.0])), {"highlight": "nan"}),
    "nan as an argument": ((entropy, np.array([0.5, np.nan])), {"highlight": "nan"}),
    "no nan": ((entropy, np.array([0.5, 0.2])), {"highlight": "nan"}),
    "path": ((entropy, np.array([0.5, 0.2])), {"highlight": "path"}),
    "dead": ((dead_units,), {"highlight": "zero_grad"}),
    "dead argument": ((lambda x: (x * 0.0) * x, 1.0), {"highlight": "zero_grad"}),
    "alive": ((entropy, np.array([0.5, 0.2])), {"highlight": "zero_grad"}),
    "two runs": ((shifted, 1.0, 5.0), {"compare": (1.5, 5.0)}),
    "twice the same": ((shifted, 1.0, 5.0), {"compare": (1.0, 5.0)}),
    "program": ((training_step(),), {}),
    "folded program": ((training_step(),), {"max_nodes": 10}),
    "folded": ((lambda x: sum(np.sin(x * k) for k in range(40)), 1.0), {"max_nodes": 10}),
    "layers": ((nn.MLP(8, [4, 4, 4, 2], rng=0), np.zeros((5, 8))), {"depth": 1}),
    "one box": ((nn.MLP(2, [3, 1], rng=0), np.zeros((5, 2))), {"depth": 0}),
    "choice": ((lambda: TWELVE[np.array([0, 3])],), {}),
    "several results": ((lambda: np.linalg.svd(TWELVE.reshape(3, 4))[1],), {}),
}
OF_CODE = """
add axis backward bias cos dead_units entropy float full grad indices inf inputs linear log matmul
matrices mlp multiply nan negative relu reshape select shape shifted sin sqrt square step subtract
sum svd swapaxes tanh true values weight index count getitem lambda compute_uv training_step
full_matrices
"""


@pytest.mark.filterwarnings("ignore::autograd_lite.DrawingWarning")
@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("suffix", [".svg", ".txt"])
def test_no_picture_mixes_the_languages(name, suffix):
    """What a Spanish picture has in common with the English one are numbers, and names of code."""
    arguments, options = DRAWN[name]
    texts = []
    for lang in ("en", "es"):
        with np.errstate(all="ignore"):
            content = ag.draw(*arguments, lang=lang, **options)._content(suffix).decode()
        content = re.sub(r"\w+\.py:\d+[^<\n]*|<(?!/?(?:text|tspan|title|desc))[^>]*>", " ", content)
        texts.append(set(re.findall(r"[a-z_]{3,}", re.sub(r"<[^>]*>", " ", content).lower())))
    assert texts[0] & texts[1] <= set(OF_CODE.split())
