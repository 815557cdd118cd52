"""The stepper in a real browser: what it shows, how it is driven, what it never does."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.drawing.formatting import number
from tests.draw.networks import Network, affine, expression, mlp, neuron
from tests.draw.pages import gradient_on, key_of, steps_of

SHOWN_DIGITS = 1e-3  # numbers are shown with four significant digits


@pytest.mark.parametrize("graph", [expression, neuron, mlp])
def test_the_sweep_ends_with_the_gradients_of_backward(graph, open_page):
    result, leaves = graph()
    result.backward()
    drawing = ag.draw(result)
    page = open_page(drawing)
    for _ in range(steps_of(page)):
        page.keyboard.press("ArrowRight")
    assert page.inner_text("#count") == f"{steps_of(page)} / {steps_of(page)}"
    for leaf in leaves:
        shown = gradient_on(page, key_of(drawing, leaf.label))
        exact = isinstance(leaf.data, float)
        np.testing.assert_allclose(
            shown, np.ravel(leaf.grad), rtol=1e-15 if exact else SHOWN_DIGITS, atol=1e-12
        )


@pytest.mark.parametrize("graph", [expression, neuron, mlp])
def test_each_step_back_shows_products_that_are_right(graph, open_page):
    """upstream × local = contribution, and before + contribution = sum, on every step."""
    result, _ = graph()
    page = open_page(ag.draw(result))
    page.keyboard.press("End")
    checked = 0
    while page.inner_text("#panel .phase").startswith("backward"):
        for cell in page.locator("#panel td.contribution, #panel td.sum").all_inner_texts():
            parts = re.fullmatch(r"(\S+) ([×+]) \(?(\S+?)\)? ([=≈]) (\S+)", cell)
            if parts:
                left, right = float(parts[1]), float(parts[3])
                computed = left * right if parts[2] == "×" else left + right
                assert number(computed) == parts[5]
                assert parts[4] == "≈" or computed == float(parts[5])
                checked += 1
        page.keyboard.press("ArrowLeft")
    assert checked >= (1 if graph is mlp else 4)


def test_small_arrays_are_spelt_out_element_by_element(open_page):
    x = ag.Value(np.array([[0.5, -1.0], [2.0, 0.25]]), label="x")
    w = ag.Value(np.array([[1.0, -2.0], [0.5, 3.0]]), label="w")
    h = np.tanh(x @ w)
    result = np.sum(h * h)
    result.backward()
    page = open_page(ag.draw(result))
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#panel h2") == "compute matmul"
    formulas = page.locator("#panel .formula:not(.element)").all_inner_texts()
    assert formulas == ["x @ y", "= x @ w", "= -4.0 … 2.125, mean -1.28125"]
    numbers = page.locator("#panel .numbers td").all_inner_texts()
    product = np.ravel(x.data @ w.data)
    np.testing.assert_allclose([float(text) for text in numbers], product, rtol=SHOWN_DIGITS)
    assert page.inner_text("#panel .element") == "[0, 1]: 0.5 · (-2.0) + (-1.0) · 3.0 = -4.0"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#panel h2") == "gradient back through h tanh"
    tables = [
        [float(text) for text in body.locator("td").all_inner_texts()]
        for body in page.locator("#panel .numbers").all()
    ]
    upstream, local, contribution = map(np.array, tables)
    np.testing.assert_allclose(upstream, np.ravel(2 * h.data), rtol=SHOWN_DIGITS)
    np.testing.assert_allclose(local, np.ravel(1 - h.data**2), rtol=SHOWN_DIGITS)
    np.testing.assert_allclose(contribution, upstream * local, rtol=3 * SHOWN_DIGITS)
    page.locator("#panel .numbers td").nth(2).hover()
    left, right, shown = re.fullmatch(
        r"\[1, 0\]: (\S+) × \(?(\S+?)\)? ≈ (\S+)", page.inner_text("#panel .element")
    ).groups()
    assert number(float(left) * float(right)) == shown
    assert float(shown) == contribution[2]
    np.testing.assert_allclose([float(left), float(right)], [upstream[2], local[2]], SHOWN_DIGITS)
    page.keyboard.press("End")
    assert page.locator("#panel .element").first.inner_text().startswith("[")


def test_one_element_of_a_big_array_is_spelt_out(open_page):
    x = ag.Value(np.linspace(-1.0, 2.0, 100), label="x")
    page = open_page(ag.draw(np.sum(np.exp(x))))
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#panel .element") == "[99]: exp(2.0) ≈ 7.389"
    page.keyboard.press("End")
    assert page.inner_text("#panel .element") == "[99]: 1.0 × 7.389 ≈ 7.389"
    assert page.locator("#panel .numbers").count() == 0


def test_contributions_of_several_uses_add_up(open_page):
    result, (a, *_) = expression()
    result.backward()
    drawing = ag.draw(result)
    page = open_page(drawing)
    page.keyboard.press("End")
    sums = page.locator("#panel td.sum").all_inner_texts()
    assert "4.0 + (-6.0) = -2.0" in sums
    assert a.grad == -2.0
    assert page.locator(f"#{key_of(drawing, 'a')} .grad").text_content() == "grad  -2.0"


def test_a_wide_graph_opens_where_its_computation_starts(open_page):
    x = ag.Value(2.0, label="x")
    drawing = ag.draw(np.sum(np.stack([np.sin(x * i) for i in range(40)])))
    page = open_page(drawing)
    stage = page.locator("#stage").bounding_box()
    box = page.locator(f"#{key_of(drawing, 'x')}").bounding_box()
    for start, length in (("x", "width"), ("y", "height")):
        assert stage[start] <= box[start]
        assert box[start] + box[length] <= stage[start] + stage[length]


def test_the_forward_step_shows_formula_names_and_numbers(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result))
    page.keyboard.press("ArrowRight")
    formulas = page.locator("#panel .formula").all_inner_texts()
    assert formulas == ["x · y", "= a · b", "= 2.0 · (-3.0)", "= -6.0"]


def test_the_backward_step_shows_the_local_derivative_in_names_and_numbers(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result))
    page.keyboard.press("End")
    assert page.locator("#panel h3").all_inner_texts() == ["to a", "to b"]
    rows = page.locator("#panel tr").all_inner_texts()
    assert rows[1].split("\t") == ["∂out/∂a", "b = -3.0"]
    assert rows[2].split("\t") == ["contribution", "2.0 × (-3.0) = -6.0"]
    assert rows[5].split("\t") == ["∂out/∂b", "a = 2.0"]


def test_keys_slider_and_clicks_move_through_the_steps(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    last = steps_of(page)
    assert last == 3 + 1 + 3
    page.keyboard.press("End")
    assert page.inner_text("#count") == f"{last} / {last}"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#count") == f"{last} / {last}"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#count") == f"{last - 1} / {last}"
    page.keyboard.press("Home")
    assert page.inner_text("#count") == f"0 / {last}"
    page.locator("#slider").fill("3")
    assert page.inner_text("#count") == f"3 / {last}"
    page.click("#back")
    page.click("#first")
    page.click(f"#{key_of(drawing, 'add')}")
    assert page.inner_text("#panel h2") == "compute add"
    page.focus(f"#{key_of(drawing, 'add')}")
    page.keyboard.press("Enter")
    assert page.inner_text("#panel h2").startswith("gradient back through")


def test_values_appear_only_when_they_are_computed(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    value = page.locator(f"#{key_of(drawing, 'add')} .value")
    assert not value.is_visible()
    page.locator("#slider").fill("2")
    assert value.is_visible()


HOSTILE = [
    "<script>window.hacked = true</script>",
    "</script><script>window.hacked = true</script>",
    "<img src=x onerror='window.hacked = true'>",
    "]]><svg onload='window.hacked = true'>",
    "${window.hacked = true}",
    "{{script}}",
    "<!--<script>",
    "\u2028\u2029\x00\x1b[31m",
    "\"'><b onmouseover=window.hacked=true>",
]


def test_hostile_labels_are_text_in_the_page(open_page):
    total = ag.Value(0.0, label=HOSTILE[0])
    for label in HOSTILE:
        total = total + ag.Value(1.0, label=label)
    total.label = "</title><script>window.hacked = true</script>"
    page = open_page(ag.draw(total))
    for _ in range(steps_of(page)):
        page.keyboard.press("ArrowRight")
    page.focus("#v1")
    assert page.evaluate("() => window.hacked") is None
    titles = page.locator(".vertex .title").all_text_contents()
    assert HOSTILE[0] in titles and HOSTILE[4] in titles
    assert page.locator("script").count() == 2


def test_hostile_labels_are_text_in_the_svg(browser, tmp_path):
    total = ag.Value(0.0)
    for label in HOSTILE:
        total = total + ag.Value(1.0, label=label)
    page = browser.new_page()
    page.goto(ag.draw(total).save(tmp_path / "hostile.svg").as_uri())
    assert page.evaluate("() => window.hacked") is None
    assert page.locator("script, img, b").count() == 0
    assert HOSTILE[0] in page.locator("text").all_text_contents()
    page.close()


def test_hostile_source_lines_and_names_of_modules_are_text(open_page, browser, tmp_path):
    model = Network(**{HOSTILE[2]: affine(np.random.default_rng(0), 2, 1)})

    def loss(x):
        return np.sum(model(x))  # </script><script>window.hacked = true</script>

    drawing = ag.draw(loss, np.ones((1, 2)))
    page = open_page(drawing)
    page.click("#sources summary")
    page.click("#modules summary")
    page.keyboard.press("End")
    assert page.evaluate("() => window.hacked") is None
    assert "</script><script>" in page.locator("#sources li").last.inner_text()
    assert "<img src=x onerror=" in page.locator("#modules li").last.inner_text()
    picture = browser.new_page()
    picture.goto(drawing.save(tmp_path / "hostile.svg").as_uri())
    assert picture.evaluate("() => window.hacked") is None
    assert picture.locator("script, img").count() == 0
    picture.close()
