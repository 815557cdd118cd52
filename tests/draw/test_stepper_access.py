"""The stepper for everyone: by keyboard alone, by ear, in print, and without telling colours."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from tests.draw.networks import expression, network, neuron
from tests.draw.pages import contrast, is_in_view, key_of, step_of, steps_of, view_of

FOCUSED = "() => document.activeElement.id || document.activeElement.textContent.trim()"


def tab_to(page, selector):
    """Press Tab until an element has the focus, as somebody without a mouse has to."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} cannot be reached by Tab")


def small_model():
    return ag.draw(lambda x: np.sum(network(2, 3, 1)(x)), np.ones((4, 2)))


def test_the_page_is_announced_by_its_parts(open_page):
    result, _ = expression()
    result.label = "loss"
    page = open_page(ag.draw(result))
    page.keyboard.press("ArrowRight")
    heard = page.locator("body").aria_snapshot()
    for part in [
        '- heading "loss" [level=1]',
        "- search:",
        '- combobox "Find"',
        '- group "View":',
        '- button "Zoom out"',
        '- button "Zoom in"',
        '- button "Fit"',
        '- button "Dark"',
        '- region "Graph":',
        "- paragraph: Computation graph of 6 nodes and 6 edges.",
        '- button "a, value 2.0"',
        '- region "This step":',
        '- heading "compute multiply" [level=2]',
        '- group "Steps":',
        '- button "One step forward"',
        '- slider "Step": "1"',
        '- combobox "Speed"',
    ]:
        assert part in heard, f"{part} is not in\n{heard}"


def test_everything_that_can_have_the_focus_has_a_role_and_a_name(open_page):
    page = open_page(small_model())
    page.keyboard.press("End")
    for part in ("#modules", "#sources", "#keys"):
        page.click(f"{part} summary")
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    focusable = 0
    for node in tree:
        properties = {p["name"]: p["value"].get("value") for p in node.get("properties", [])}
        if properties.get("focusable") and node["role"]["value"] != "RootWebArea":
            focusable += 1
            assert node["role"]["value"] not in ("generic", "none"), node
            assert node["name"]["value"].strip(), node
    assert focusable > 30


def test_a_node_is_told_as_far_as_it_is_known(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    node = page.locator(f"#{key_of(drawing, 'add')}")
    heard = []
    for _ in range(steps_of(page)):
        heard.append((node.get_attribute("aria-label"), node.get_attribute("aria-current")))
        page.keyboard.press("ArrowRight")
    assert heard == [
        ("add", "false"),
        ("add", "false"),
        ("add, value 4.0", "step"),
        ("add, value 4.0", "false"),
        ("add, value 4.0", "false"),
        ("add, value 4.0, grad 2.0", "false"),
        ("add, value 4.0, grad 2.0", "step"),
    ]


def test_each_step_is_announced_and_nothing_is_said_twice(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result))
    panel = page.locator("#panel")
    assert panel.get_attribute("aria-live") == "polite"
    assert panel.get_attribute("aria-atomic") is None
    page.evaluate(
        "() => { window.said = []; new MutationObserver((all) => said.push(...all.flatMap((one) =>"
        " [...one.addedNodes].map((node) => node.textContent)))).observe("
        "document.getElementById('panel'), { childList: true, subtree: true }); }"
    )
    page.keyboard.press("ArrowRight")
    said = page.evaluate("() => window.said")
    assert said[:2] == ["forward", "compute multiply"] and "= -6.0" in said
    assert page.get_attribute("#slider", "aria-valuetext") == "step 1 of 7: compute multiply"


def test_the_value_that_is_shown_at_a_node_is_its_description(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    node = page.locator(f"#{key_of(drawing, 'a')}")
    assert node.get_attribute("aria-describedby") is None
    node.focus()
    assert page.get_attribute("#hover", "role") == "tooltip"
    assert node.get_attribute("aria-describedby") == "hover"
    page.keyboard.press("Escape")
    assert not page.is_visible("#hover")
    assert node.get_attribute("aria-describedby") is None


def test_the_focus_goes_from_the_controls_through_the_graph_to_the_steps(open_page):
    result, _ = expression()
    drawing = ag.draw(result)
    page = open_page(drawing)
    order = []
    for _ in range(30):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused in order or page.evaluate("() => document.activeElement === document.body"):
            break
        order.append(focused)
        assert page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e); "
            "return s.outlineStyle !== 'none' || "
            "getComputedStyle(e.querySelector('rect')).strokeWidth === '4px'; }"
        ), f"{focused} does not show that it has the focus"
    nodes = [vertex.key for vertex in drawing.picture.vertices]
    view = ["find", "zoom-out", "zoom-in", "zoom-fit", "theme"]
    steps = ["Legend", "Keys", "first", "back", "play", "next", "last", "slider", "speed"]
    assert [name for name in order if name] == [*view, "Skip the graph", *nodes, *steps]


def test_the_graph_can_be_skipped(open_page):
    page = open_page(small_model())
    tab_to(page, "a.unseen")
    link = page.locator("a.unseen").bounding_box()
    assert link["width"] > 50 and link["height"] > 10
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.matches('summary')")


def test_a_node_that_gets_the_focus_comes_into_view(open_page):
    drawing = ag.draw(network(4, 4, 4, 4, 4, 4, 1), np.ones((1, 4)))
    page = open_page(drawing, viewport={"width": 800, "height": 600}, reduced_motion="reduce")
    nodes = page.locator(".vertex")
    tab_to(page, ".vertex")
    outside = 0
    for index in range(nodes.count()):
        assert is_in_view(nodes.nth(index))
        outside += index + 1 < nodes.count() and not is_in_view(nodes.nth(index + 1))
        page.keyboard.press("Tab")
    assert outside


def test_all_of_it_can_be_done_by_keyboard(open_page):
    drawing = small_model()
    page = open_page(drawing, viewport={"width": 1400, "height": 900})
    press = page.keyboard.press
    press("/")
    page.keyboard.type("tanh")
    press("Enter")
    assert page.inner_text("#panel h2") == "compute tanh"
    tab_to(page, "#theme")
    press("Space")
    assert page.get_attribute("#theme", "aria-pressed") == "true"
    tab_to(page, f"#{key_of(drawing, 'sum')}")
    assert page.is_visible("#hover")
    press("Enter")
    assert page.inner_text("#panel h2") == "compute sum"
    tab_to(page, "#modules summary")
    press("Enter")
    tab_to(page, "#modules li:nth-child(3) button")
    press("Enter")
    assert page.locator(".frame.collapsed").count() == 1
    press("Space")
    assert page.locator(".frame.collapsed").count() == 0
    tab_to(page, "#sources summary")
    press("Enter")
    tab_to(page, "#sources li button")
    press("Home")
    press("Enter")
    assert page.inner_text("#panel h2") == "compute matmul"
    tab_to(page, "#slider")
    press("ArrowRight")
    press("End")
    assert step_of(page) == steps_of(page)
    tab_to(page, "#speed")
    page.keyboard.type("5")
    assert page.input_value("#speed") == "200"
    tab_to(page, "body")
    press("Home")
    press("Space")
    assert page.inner_text("#play") == "Pause"
    press("Space")
    assert page.inner_text("#play") == "Play"


def test_the_graph_zooms_and_moves_by_keyboard(open_page):
    result, _ = neuron()
    page = open_page(ag.draw(result), viewport={"width": 1400, "height": 900})
    left, top, width, height = view_of(page)
    page.keyboard.press("+")
    assert view_of(page)[2] == pytest.approx(0.8 * width, abs=0.02)
    page.keyboard.press("-")
    assert view_of(page)[2] == pytest.approx(width, abs=0.05)
    for key, sign in (("ArrowRight", 1), ("ArrowDown", 1)):
        before = view_of(page)
        page.keyboard.press(f"Shift+{key}")
        moved = np.subtract(view_of(page), before)
        axis = int(key == "ArrowDown")
        assert sign * moved[axis] > 20 and moved[1 - axis] == 0
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowUp")
    np.testing.assert_allclose(view_of(page), [left, top, width, height], atol=0.05)
    page.keyboard.press("-")
    page.keyboard.press("0")
    np.testing.assert_allclose(view_of(page), [left, top, width, height], atol=0.05)
    assert step_of(page) == 0


def test_numbers_of_a_table_are_one_stop_for_the_tab_key(open_page):
    x = ag.Value(np.arange(6.0).reshape(2, 3), label="x")
    page = open_page(ag.draw(np.exp(x)))
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel .numbers td[tabindex='0']").count() == 1
    tab_to(page, "#panel .numbers td")
    assert page.inner_text("#panel .element") == "[1, 2]: exp(5.0) ≈ 148.4"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#panel .element") == "[1, 1]: exp(4.0) ≈ 54.6"
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.matches('summary')")


def test_nothing_moves_for_who_asked_for_less_motion(open_page):
    duration = "() => getComputedStyle(document.querySelector('.vertex')).transitionDuration"
    for motion, seconds in (("reduce", "0s"), ("no-preference", "0.25s")):
        page = open_page(small_model(), reduced_motion=motion)
        assert page.evaluate(duration) == seconds


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_can_be_read_and_seen(theme, open_page):
    """4.5 to 1 for text, 3 to 1 for lines that mean something (WCAG 2.2, level AA)."""
    result, _ = expression()
    page = open_page(ag.draw(result, theme=theme))
    fills = ["background", "surface", "leaf", "operation", "constant", "fold", "module", "lit"]
    for fill in fills:
        for text in ("text", "muted", "backward"):
            assert contrast(page, text, fill) >= 4.5, (theme, text, fill)
    kinds = ("leaf", "operation", "constant", "fold", "module")
    for line in ("line", "forward", "backward", "mark", *(f"{kind}-line" for kind in kinds)):
        assert contrast(page, line, "background") >= 3, (theme, line)


def test_a_print_of_the_dark_page_is_light(open_page):
    result, _ = expression()
    page = open_page(ag.draw(result, theme="dark"))
    page.keyboard.press("End")
    page.emulate_media(media="print")
    style = page.evaluate(
        "() => { const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]; }"
    )
    assert style == ["rgb(255, 255, 255)", "rgb(27, 39, 51)"]
    assert not page.is_visible("footer") and not page.is_visible("#search")
    assert page.is_visible("#graph") and page.is_visible("#panel")


def test_kinds_of_nodes_differ_without_their_colours(open_page):
    drawing = ag.draw(network(8, 8, 8, 8, 2), np.ones((4, 8)), depth=1)
    chain = ag.Value(1.0, label="x")
    for _ in range(20):
        chain = chain * 1.01
    with pytest.warns(ag.DrawingWarning):
        folded = ag.draw(chain + 1.0, max_nodes=10)
    forms = {}
    for shown in (drawing, folded):
        page = open_page(shown)
        forms |= page.evaluate(
            "() => Object.fromEntries([...document.querySelectorAll('.vertex')].map((v) => {"
            " const rects = [...v.querySelectorAll('rect')], s = getComputedStyle(rects[0]);"
            " return [v.classList[1], [rects.length, s.rx, s.strokeDasharray].join(' ')]; }))"
        )
    assert set(forms) >= {"leaf", "constant", "operation", "fold", "module"}
    assert len(set(forms.values())) == len(forms)
