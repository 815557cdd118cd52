"""Boxes hold their texts, layers are in order, and nothing is cut off on a phone."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
import nn
from autograd_lite.drawing.nesting import layered_layout

LONG = "a_parameter_with_a_very_long_name_that_nobody_would_write_by_hand_1234567890"


def test_layer_2_comes_before_layer_10():
    model = nn.MLP(2, [3] * 6, rng=0)
    drawing = ag.draw(model, np.ones((1, 2)))
    names = [c.path[-1] for c in drawing.picture.clusters[1:]]
    assert names == [str(number) for number in range(len(names))] and len(names) > 10


def test_signs_of_east_asian_scripts_have_the_room_that_they_take(tmp_path, open_file):
    x = ag.Value(1.0, label="重みと偏りの勾配を計算する関数")
    drawing = ag.draw(np.tanh(x))
    assert layered_layout(drawing.picture).boxes["v0"].width > 15 * 10
    page = open_file(drawing.save(tmp_path / "wide.svg"))
    text = page.locator("#v0 text").first.bounding_box()
    box = page.locator("#v0 rect").first.bounding_box()
    assert box["x"] <= text["x"] and text["x"] + text["width"] <= box["x"] + box["width"]


@pytest.mark.parametrize("size", [{"width": 375, "height": 700}, {"width": 1280, "height": 800}])
def test_what_is_pointed_at_is_told_above_the_footer_and_nothing_is_cut(size, open_page):
    x = ag.Value(np.arange(400.0).reshape(20, 20), label=LONG)
    w = ag.Value(np.ones((20, 20)) / 3, label="w")
    page = open_page(ag.draw(np.sum(np.tanh(x @ w))), viewport=size)
    page.keyboard.press("End")
    for vertex in page.locator(".vertex").all():
        vertex.evaluate("v => v.dispatchEvent(new PointerEvent('pointerenter'))")
        hover, stage = page.locator("#hover").bounding_box(), page.locator("#stage").bounding_box()
        assert hover["y"] >= stage["y"]
        assert hover["y"] + hover["height"] <= stage["y"] + stage["height"] + 1
    for part in ("html", "aside", "header"):
        wide, seen = page.locator(part).evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert wide <= seen, part
