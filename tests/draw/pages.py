"""Reading pages: steppers and playbacks."""

from __future__ import annotations

import re

import numpy as np
import pytest

SHOWN_DIGITS = 1e-3
"""Numbers are shown with four significant digits."""


def steps_of(page):
    return int(page.get_attribute("#slider", "max"))


def step_of(page):
    return int(page.inner_text("#count").partition(" / ")[0])


def view_of(page):
    """Left, top, width and height of the part of the graph that is seen."""
    return [float(number) for number in page.get_attribute("#graph", "viewBox").split()]


def is_in_view(vertex):
    """Whether all of a vertex is seen; borders may be cut by a hair."""
    stage = vertex.page.locator("#stage").bounding_box()
    box = vertex.bounding_box()
    return all(
        stage[start] - 2 <= box[start]
        and box[start] + box[length] <= stage[start] + stage[length] + 2
        for start, length in (("x", "width"), ("y", "height"))
    )


def wait_until(page, condition):
    """Wait for what a page does in its own time."""
    for _ in range(100):
        if condition():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it did not happen within five seconds")


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


def luminance(rgb):
    channels = np.array(rgb) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(page, one, other):
    """The contrast of two colours of the page's, after WCAG 2.2."""
    code = (
        "(name) => { const e = document.body.appendChild(document.createElement('i')); "
        "e.style.color = `var(--${name})`; const colour = getComputedStyle(e).color; e.remove();"
        " return colour; }"
    )
    colours = [list(map(int, re.findall(r"\d+", page.evaluate(code, x)))) for x in (one, other)]
    low, high = sorted(map(luminance, colours))
    return (high + 0.05) / (low + 0.05)


def numbers_of(page):
    """The numbers beside the epoch, by their names."""
    names = page.locator("#numbers dt").all_inner_texts()
    return dict(
        zip(names, map(number_in, page.locator("#numbers dd").all_inner_texts()), strict=True)
    )


def number_in(text):
    found = re.search(r"-?\d[\d.]*(e[+-]?\d+)?", text)
    return float(found[0]) if found else None


def right_side(text):
    """The result of an equation that is spelt out, after it was checked to follow from it."""
    left, sign, right = re.fullmatch(r"(.*) ([=≈]) (\S+)", text).groups()
    left = re.sub(r"^\w+ (=|←) ", "", left).replace("·", "*")
    functions = {"tanh": np.tanh, "relu": lambda z: max(z, 0.0), "__builtins__": {}}
    computed = eval(left, functions)
    assert f"{computed:.4g}" == f"{float(right):.4g}", text
    assert sign == "≈" or computed == pytest.approx(float(right), abs=1e-12)
    return float(right)
