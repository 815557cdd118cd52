"""The stepper in a real browser: what it shows, how it is driven, what it never does."""

from __future__ import annotations

import os
import re
import shutil

import numpy as np
import pytest

import autograd_lite as ag
from tests.draw.networks import cross_entropy, network

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SHOWN_DIGITS = 1e-3  # numbers are shown with four significant digits
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def browser():
    missing = None
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing = "the Python package playwright is not installed: pip install playwright"
    if CHROMIUM is None:
        missing = "the program chromium is not on the PATH: apt install chromium"
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}; the tests of the stepper must run here")
    if missing:
        pytest.skip(missing)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Opens a drawing from disk; afterwards no error may have been logged, nothing requested."""
    errors, requests, contexts = [], [], []

    def opened(drawing, **options):
        path = drawing.save(tmp_path / "drawing.html")
        contexts.append(browser.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def expression():
    """(a·b + c)·a: a is used twice."""
    a, b, c = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b"), ag.Value(10.0, label="c")
    return (a * b + c) * a, [a, b, c]


def neuron():
    weights = [ag.Value(w, label=f"w{i}") for i, w in enumerate((0.5, -1.5, 0.25))]
    bias = ag.Value(0.1, label="bias")
    total = bias
    for w, x in zip(weights, (1.0, 2.0, -3.0), strict=True):
        total = total + w * x
    return np.tanh(total), [*weights, bias]


def mlp():
    model = network(2, 3, 1)
    inputs = np.array([[0.5, -1.0], [1.5, 0.3], [-0.7, 0.9], [0.2, 0.1]])
    labels = np.array([[1], [0], [1], [0]])
    loss = ag.Value(0.0) + cross_entropy(model(inputs), labels)
    for name, x in model.named_parameters():
        x.label = name
    return loss, [x for _, x in model.named_parameters()]


def steps_of(page):
    return int(page.get_attribute("#slider", "max"))


def key_of(drawing, title):
    return next(v.key for v in drawing.picture.vertices if v.title == title)


def gradient_on(page, key):
    """The gradient that hovering over a node shows: a number, or the cells of the heat map."""
    page.evaluate("() => document.activeElement.blur()")
    page.focus(f"#{key}")
    cells = page.locator("#hover .gradient + .heat i")
    if cells.count():
        return [float(cell.get_attribute("title")) for cell in cells.all()]
    return float(page.locator("#hover .gradient").inner_text().removeprefix("gradient "))


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
        for cell in page.locator("#panel td.share, #panel td.sum").all_inner_texts():
            parts = re.fullmatch(r"(\S+) ([×+]) \(?(\S+?)\)? = (\S+)", cell)
            if parts:
                left, right, shown = (float(parts[i]) for i in (1, 3, 4))
                computed = left * right if parts[2] == "×" else left + right
                scale = max(abs(left), abs(right)) if parts[2] == "+" else abs(shown)
                assert abs(computed - shown) <= 2 * SHOWN_DIGITS * scale
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
    upstream, local, share = map(np.array, tables)
    np.testing.assert_allclose(upstream, np.ravel(2 * h.data), rtol=SHOWN_DIGITS)
    np.testing.assert_allclose(local, np.ravel(1 - h.data**2), rtol=SHOWN_DIGITS)
    np.testing.assert_allclose(share, upstream * local, rtol=3 * SHOWN_DIGITS)
    page.locator("#panel .numbers td").nth(2).hover()
    left, right, shown = re.fullmatch(
        r"\[1, 0\]: (\S+) × \(?(\S+?)\)? = (\S+)", page.inner_text("#panel .element")
    ).groups()
    assert (float(left), float(right), float(shown)) == (upstream[2], local[2], share[2])
    page.keyboard.press("End")
    assert page.locator("#panel .element").first.inner_text().startswith("[")


def test_one_element_of_a_big_array_is_spelt_out(open_page):
    x = ag.Value(np.linspace(-1.0, 2.0, 100), label="x")
    page = open_page(ag.draw(np.sum(np.exp(x))))
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#panel .element") == "[99]: exp(2.0) = 7.389"
    page.keyboard.press("End")
    assert page.inner_text("#panel .element") == "[99]: 1.0 × 7.389 = 7.389"
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


def test_space_plays_and_pauses(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result))
    page.select_option("#speed", "200")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Pause"
    page.wait_for_function("() => document.getElementById('play').textContent === 'Play'")
    assert page.inner_text("#count") == f"{steps_of(page)} / {steps_of(page)}"


def test_values_appear_only_when_they_are_computed(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    value = page.locator(f"#{key_of(drawing, 'add')} .value")
    assert not value.is_visible()
    page.locator("#slider").fill("2")
    assert value.is_visible()


def test_modules_collapse_to_one_box_and_one_step(open_page):
    model = network(2, 3, 1)
    drawing = ag.draw(lambda x: np.sum(model(x)), np.ones((4, 2)))
    page = open_page(drawing, viewport={"width": 1400, "height": 900})
    page.click("#modules summary")
    button = page.locator("#modules button", has_text="layer0")
    matmul = page.locator(f"#{key_of(drawing, 'matmul')}")
    assert matmul.is_visible()
    button.click()
    assert button.get_attribute("aria-expanded") == "false"
    assert not matmul.is_visible()
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#count").startswith("2 /")
    assert page.locator(".frame.collapsed.current").count() == 1
    button.click()
    assert matmul.is_visible()


def visible_boxes(page, selector):
    boxes = [rect.bounding_box() for rect in page.locator(selector).all() if rect.is_visible()]
    return [(b["x"], b["y"], b["x"] + b["width"], b["y"] + b["height"]) for b in boxes]


def test_a_collapsed_module_gives_its_room_away(open_page):
    model = network(2, 3, 3, 1)
    drawing = ag.draw(lambda x: np.sum(model(x)), np.ones((4, 2)), direction="LR")
    page = open_page(drawing, viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    page.click("#modules summary")
    before = visible_boxes(page, ".vertex rect")
    width = max(b[2] for b in before) - min(b[0] for b in before)
    for name in ("layer0", "layer1"):
        page.locator("#modules button", has_text=name).click()
    boxes = visible_boxes(page, ".vertex rect, .frame.collapsed rect")
    assert len(boxes) == len(before) - 8 + 2
    assert max(b[2] for b in boxes) - min(b[0] for b in boxes) < 0.8 * width
    for index, a in enumerate(boxes):
        for b in boxes[:index]:
            assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 1 or b[3] <= a[1] + 1
    for name in ("layer0", "layer1"):
        page.locator("#modules button", has_text=name).click()
    after = visible_boxes(page, ".vertex rect")
    shift = np.array(after[0]) - np.array(before[0])
    np.testing.assert_allclose(np.array(after) - shift, np.array(before), atol=0.1)


def test_find_marks_and_jumps(open_page):
    result, _ = neuron()
    drawing = ag.draw(result)
    page = open_page(drawing)
    page.keyboard.press("/")
    page.keyboard.type("tanh")
    assert page.locator(".vertex.found").count() == 1
    page.keyboard.press("Enter")
    assert page.inner_text("#panel h2").endswith("tanh")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_can_be_chosen_and_switched(theme, open_page):
    result, _ = expression()
    page = open_page(ag.draw(result, theme=theme))
    colours = {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 25, 31)"}
    background = "() => getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == colours.pop(theme)
    page.click("#theme")
    assert page.evaluate(background) == next(iter(colours.values()))


@pytest.mark.parametrize("preferred", ["light", "dark"])
def test_the_theme_follows_the_reader_until_it_is_switched(preferred, open_page):
    result, _ = expression()
    page = open_page(ag.draw(result), color_scheme=preferred)
    other = {"light": "dark", "dark": "light"}[preferred]
    theme = "() => document.documentElement.dataset.theme"
    assert page.evaluate(theme) == preferred
    assert page.get_attribute("#theme", "aria-pressed") == str(preferred == "dark").lower()
    page.emulate_media(color_scheme=other)
    page.wait_for_function(f"({theme})() === '{other}'")
    page.click("#theme")
    assert page.evaluate(theme) == preferred
    noticed = "new Promise((done) => matchMedia('print').addEventListener('change', done))"
    page.evaluate(f"() => {{ window.noticed = {noticed}; }}")
    page.emulate_media(color_scheme=preferred)
    page.emulate_media(color_scheme=other, media="print")
    page.evaluate("() => window.noticed")
    assert page.evaluate(theme) == preferred


def test_a_theme_that_was_chosen_is_not_the_readers(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result, theme="light"), color_scheme="dark")
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"


@pytest.mark.parametrize("size", [(360, 640), (800, 600), (1920, 1080)])
def test_the_layout_holds_from_phone_to_wide_screen(size, open_page):
    result, _ = expression()
    page = open_page(ag.draw(result), viewport={"width": size[0], "height": size[1]})
    page.keyboard.press("End")
    overflow = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    for part in ("#graph", "#panel h2", "#slider", "#play"):
        box = page.locator(part).bounding_box()
        assert box["width"] > 0 and box["height"] > 0
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0]
        assert box["y"] >= 0 and box["y"] < size[1]


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
