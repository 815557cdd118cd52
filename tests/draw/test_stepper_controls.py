"""The controls of the stepper in a real browser: playing, hovering, zooming, finding, folding."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autograd_lite as ag
from tests.draw.networks import expression, network, neuron
from tests.draw.pages import is_in_view, key_of, step_of, steps_of, view_of, wait_until

WIDE = {"width": 1400, "height": 900}


def middle(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def hover_text(page):
    return page.locator("#hover .number").all_inner_texts()


def test_a_number_is_shown_with_all_its_digits_on_hovering(open_page):
    third = ag.Value(1.0, label="x") / 3.0
    drawing = ag.draw(third)
    page = open_page(drawing)
    page.hover(f"#{key_of(drawing, 'x')}")
    assert hover_text(page) == ["value 1.0"]
    page.keyboard.press("End")
    page.hover("header h1")
    assert not page.is_visible("#hover")
    page.hover(f"#{key_of(drawing, 'third')}")
    assert hover_text(page) == [f"value {third.data!r}", "gradient 1.0"]
    page.hover(f"#{key_of(drawing, 'x')}")
    assert hover_text(page) == ["value 1.0", f"gradient {1 / 3!r}"]


def test_what_is_not_computed_yet_is_not_shown_on_hovering(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    page.hover(f"#{key_of(drawing, 'add')}")
    assert page.is_visible("#hover") and hover_text(page) == []


def test_arrays_are_heat_maps_on_hovering(open_page):
    data = np.array([[-2.0, 0.0, 0.5], [np.nan, 1.0, 2.0]])
    drawing = ag.draw(ag.Value(data, label="x") * 2.0)
    page = open_page(drawing)
    page.hover(f"#{key_of(drawing, 'x')}")
    assert hover_text(page) == ["value (2, 3) float64: -2.0 … 2.0, mean 0.3, 1 not finite"]
    assert page.get_by_role("img", name="heat map of the value").count() == 1
    cells = page.locator("#hover .heat i").all()
    titles = ["-2", "0", "0.5", "not finite", "1", "2"]
    assert [cell.get_attribute("title") for cell in cells] == titles
    colours = [cell.evaluate("(cell) => getComputedStyle(cell).background") for cell in cells]
    rgb = [list(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours]
    assert rgb[0] == [0, 114, 178] and rgb[1] == [245, 245, 245] and rgb[5] == [213, 94, 0]
    assert "repeating-linear-gradient" in colours[3]
    tops = [cell.bounding_box()["y"] for cell in cells]
    assert tops[0] == tops[2] < tops[3] == tops[5]


def test_of_a_big_array_the_heat_map_says_which_part_it_is(open_page):
    drawing = ag.draw(np.exp(ag.Value(np.linspace(0.0, 1.0, 2_000).reshape(50, 40), label="x")))
    page = open_page(drawing)
    page.hover(f"#{key_of(drawing, 'x')}")
    assert page.locator("#hover .heat i").count() == 16 * 16
    assert page.inner_text("#hover .muted") == "the first 16 × 16 of 2,000 numbers"


def test_space_plays_and_pauses_at_the_speed_that_was_chosen(open_page):
    result, _ = neuron()
    page = open_page(ag.draw(result), clock=True)
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Pause"
    page.clock.run_for(2_050)
    assert step_of(page) == 2
    page.select_option("#speed", "200")
    page.clock.run_for(1_050)
    assert step_of(page) == 7
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"
    page.clock.run_for(5_000)
    assert step_of(page) == 7
    page.click("#play")
    page.clock.run_for(200 * steps_of(page))
    assert (step_of(page), page.inner_text("#play")) == (steps_of(page), "Play")
    page.click("#play")
    page.clock.run_for(200)
    assert step_of(page) == 1


def test_the_graph_zooms_by_buttons_and_by_the_wheel(open_page):
    result, _ = neuron()
    page = open_page(ag.draw(result), viewport=WIDE)
    left, top, width, height = view_of(page)
    page.click("#zoom-in")
    nearer = view_of(page)
    np.testing.assert_allclose(nearer[2:], [0.8 * width, 0.8 * height], atol=0.02)
    np.testing.assert_allclose(nearer[0] + nearer[2] / 2, left + width / 2, atol=0.02)
    page.click("#zoom-out")
    np.testing.assert_allclose(view_of(page), [left, top, width, height], atol=0.05)
    vertex = page.locator(".vertex").first
    before = vertex.bounding_box()
    page.mouse.move(*middle(before))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    wait_until(page, lambda: vertex.bounding_box()["width"] > 1.5 * before["width"])
    np.testing.assert_allclose(middle(vertex.bounding_box()), middle(before), atol=1)
    page.click("#zoom-fit")
    np.testing.assert_allclose(view_of(page), [left, top, width, height], atol=0.05)


def test_the_graph_moves_by_dragging_and_by_the_wheel(open_page):
    result, _ = neuron()
    page = open_page(ag.draw(result), viewport=WIDE)
    vertex = page.locator(".vertex").first
    before = vertex.bounding_box()
    page.mouse.move(20, 400)
    page.mouse.down()
    page.mouse.move(80, 430, steps=3)
    page.mouse.up()
    after = vertex.bounding_box()
    moved = (after["x"] - before["x"], after["y"] - before["y"])
    np.testing.assert_allclose(moved, (60, 30), atol=1)
    page.mouse.wheel(60, 30)
    wait_until(page, lambda: vertex.bounding_box()["x"] < after["x"] - 50)
    assert vertex.bounding_box() == pytest.approx(before, abs=1)
    assert page.inner_text("#count").startswith("0 /")


def test_two_fingers_zoom(open_page):
    result, _ = neuron()
    page = open_page(ag.draw(result), viewport=WIDE, has_touch=True)
    width = view_of(page)[2]
    touch = page.context.new_cdp_session(page)
    moves = [("touchStart", [50]), ("touchMove", [75]), ("touchMove", [100]), ("touchEnd", [])]
    for kind, distance in moves:
        fingers = [{"x": 400 + f * apart, "y": 400, "id": f} for apart in distance for f in (0, 1)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    wait_until(page, lambda: view_of(page)[2] < 0.6 * width)
    assert view_of(page)[2] == pytest.approx(width / 2, rel=0.02)


def test_fit_shows_all_of_a_graph_that_starts_bigger_than_the_page(open_page):
    drawing = ag.draw(network(4, 4, 4, 4, 4, 4, 1), np.ones((1, 4)))
    page = open_page(drawing, viewport={"width": 800, "height": 600})
    assert not all(map(is_in_view, page.locator(".vertex").all()))
    page.click("#zoom-fit")
    assert all(map(is_in_view, page.locator(".vertex").all()))


def test_the_current_operation_is_always_in_view(open_page):
    drawing = ag.draw(network(4, 4, 4, 4, 4, 4, 1), np.ones((1, 4)))
    page = open_page(drawing, viewport={"width": 800, "height": 600}, reduced_motion="reduce")
    for _ in range(steps_of(page)):
        page.keyboard.press("ArrowRight")
        assert is_in_view(page.locator(".vertex.current"))


def test_the_source_lines_that_made_the_nodes_are_listed_and_lead_to_them(open_page):
    def loss(x, y):
        product = x * y
        return np.tanh(product) + 1.0

    drawing = ag.draw(loss, 2.0, 0.25)
    page = open_page(drawing)
    assert not page.is_visible("#sources li button")
    page.click("#sources summary")
    lines = page.locator("#sources li button").all_inner_texts()
    assert [re.sub(r":\d+  ?", ": ", text) for text in lines] == [
        "product: test_stepper_controls.py: product = x * y",
        "tanh: test_stepper_controls.py: return np.tanh(product) + 1.0",
        "add: test_stepper_controls.py: return np.tanh(product) + 1.0",
    ]
    page.locator("#sources li button").nth(1).click()
    assert page.inner_text("#panel h2") == "compute tanh"
    assert "return np.tanh(product) + 1.0" in page.inner_text("#panel")


def test_graphs_without_known_lines_have_no_list_of_them(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result))
    assert not page.is_visible("#sources") and not page.is_visible("#modules")


def test_clicking_on_the_title_of_a_module_collapses_it_and_on_its_box_opens_it(open_page):
    drawing = ag.draw(network(2, 3, 1), np.ones((4, 2)))
    page = open_page(drawing, viewport=WIDE, reduced_motion="reduce")
    page.locator(".frame text", has_text="layer0").click()
    assert not page.is_visible(f"#{key_of(drawing, 'layer0.weight')}")
    page.locator(".frame.collapsed").click()
    assert page.is_visible(f"#{key_of(drawing, 'layer0.weight')}")


def test_an_element_of_a_matrix_product_is_chosen_by_clicking(open_page):
    x = ag.Value(np.array([[0.5, -1.0], [2.0, 0.25]]), label="x")
    w = ag.Value(np.array([[1.0, -2.0], [0.5, 3.0]]), label="w")
    page = open_page(ag.draw(np.sum(x @ w)))
    page.keyboard.press("ArrowRight")
    cells = page.locator("#panel .numbers td")
    cells.nth(2).click()
    assert page.inner_text("#panel .element") == "[1, 0]: 2.0 · 1.0 + 0.25 · 0.5 = 2.125"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#panel .element") == "[1, 1]: 2.0 · (-2.0) + 0.25 · 3.0 = -3.25"
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#panel .element") == "[0, 1]: 0.5 · (-2.0) + (-1.0) · 3.0 = -4.0"
    page.keyboard.press("ArrowUp")
    assert page.inner_text("#panel .element").startswith("[0, 1]")
    assert page.inner_text("#count").startswith("1 /")
    page.keyboard.press("End")
    page.locator("#panel .numbers").nth(1).locator("td").nth(2).click()
    texts = page.locator("#panel .element").all_inner_texts()
    assert texts[1] == "[1, 0]: 1.0 × (-1.0) + 1.0 × 0.25 = -0.75"
    assert len(texts) == 2


def test_two_runs_are_stepped_through_together(open_page):
    def f(a, b):
        return np.tanh(a * 2.0) + b

    drawing = ag.draw(f, 1.0, 5.0, compare=(1.5, 5.0))
    page = open_page(drawing, viewport=WIDE)
    assert "8 of 12 nodes differ." in page.inner_text("#panel")
    assert page.locator(".vertex.mark-differs").count() == 2
    assert page.locator(".vertex.mark-tainted").count() == 6
    seen = []
    for _ in range(steps_of(page)):
        page.keyboard.press("ArrowRight")
        seen.append((page.inner_text("#panel .phase"), page.inner_text("#panel h2")))
    assert seen[:4] == [
        ("first f · forward", "compute multiply"),
        ("second f · forward", "compute multiply"),
        ("first f · forward", "compute tanh"),
        ("second f · forward", "compute tanh"),
    ]
    assert [phase for phase, _ in seen] == [
        f"{run} f · {phase}"
        for phase in 3 * ["forward"] + ["backward: start"] + 3 * ["backward"]
        for run in ("first", "second")
    ]
    first, second = (v.key for v in drawing.picture.vertices if v.title == "a")
    for key, a in ((first, 1.0), (second, 1.5)):
        page.focus(f"#{key}")
        shown = page.inner_text("#hover .gradient").removeprefix("gradient ")
        assert float(shown) == pytest.approx(2 * (1 - np.tanh(2 * a) ** 2), rel=1e-12)


def test_runs_of_different_length_are_stepped_through_too(open_page):
    x, y = ag.Value(2.0, label="x"), ag.Value(2.0, label="y")
    page = open_page(ag.draw(x * 3.0, compare=np.exp(y * 3.0)))
    assert steps_of(page) == (1 + 2) + 2 + (1 + 2)
    page.keyboard.press("End")
    assert page.inner_text("#panel h2") == "gradient back through multiply"


def test_an_operation_of_ones_own_is_explained_by_its_formula_and_rule(open_page):
    swish = ag.primitive(formula="x · σ(x)")(lambda x: x / (1 + np.exp(-x)))
    swish.defvjp(lambda g, out, x: g * (1 + x - out) / (1 + np.exp(-x)))
    page = open_page(ag.draw(swish, 1.5))
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel .formula").all_inner_texts() == [
        "x · σ(x)",
        "= 1.5 · σ(1.5)",
        "≈ 1.226",
    ]
    page.keyboard.press("End")
    assert page.inner_text("#panel td").startswith("1.0")
    assert "(1 + x - out) / (1 + exp(-x))" in page.inner_text("#panel")


def test_marks_of_vertices_and_edges_are_shown(open_page):
    drawing = ag.draw(lambda a, b: a * 10.0 + b * 0.1, 1.0, 1.0, highlight="path")
    page = open_page(drawing)
    assert page.locator(".vertex.mark-path").count() == 3
    assert page.locator(".edge.mark-path").count() == 2


def test_the_line_on_which_the_gradient_was_lost_is_dashed(open_page):
    page = open_page(ag.draw(lambda x: (x - 10.0).relu() + 0.0 * x, 1.0, highlight="zero_grad"))
    dashes = page.locator(".edge path").evaluate_all(
        "(paths) => paths.map((path) => getComputedStyle(path).strokeDasharray)"
    )
    blocked = page.locator(".edge.mark-blocked").count()
    assert 0 < blocked == len([dash for dash in dashes if dash != "none"]) < len(dashes)


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
    page.wait_for_selector(f"html[data-theme='{other}']", state="attached")
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
