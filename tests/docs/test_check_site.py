"""The checker of the site finds what is wrong with a small site made to be wrong."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

import autograd_lite as ag

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (
    '<!doctype html><html lang="en"><head><title>t</title>{head}</head><body>{body}</body></html>'
)
ICON = '<link rel="icon" href="data:,">'


@pytest.fixture(scope="module")
def checker():
    specification = importlib.util.spec_from_file_location("check_site", DOCS / "check_site.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if module.CHROMIUM is None:
        missing = "the program chromium is not on the PATH: apt install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return module


def write(folder: Path, **bodies: str) -> Path:
    for name, body in bodies.items():
        (folder / f"{name}.html").write_text(PAGE.format(head=ICON, body=body), encoding="utf-8")
    return folder


def stepper(folder: Path) -> None:
    (folder / "steppers").mkdir()
    a, b = ag.Value(2.0, label="a"), ag.Value(-3.0, label="b")
    ag.draw(a * b + a).save(folder / "steppers" / "graph.html")


def test_a_sound_site_has_no_faults(checker, tmp_path):
    stepper(tmp_path)
    embedded = '<iframe class="stepper" src="steppers/graph.html"></iframe>'
    write(tmp_path, index='<h1 id="top">a</h1><a href="next.html#here">b</a>', next='<p id="here">')
    write(tmp_path, chapter=f'{embedded}<a href="#">top</a><a href="https://example.org">c</a>')
    assert checker.broken_links(tmp_path) == []
    assert checker.browse(tmp_path, None) == []


def test_links_that_lead_nowhere_are_named(checker, tmp_path):
    write(
        tmp_path, index='<a href="gone.html">a</a><a href="#gone">b</a><a href="next.html#no">c</a>'
    )
    write(tmp_path, next='<p id="yes">')
    assert checker.broken_links(tmp_path) == [
        "index.html: the link gone.html leads to no file",
        "index.html: the link #gone leads to no place in index.html",
        "index.html: the link next.html#no leads to no place in next.html",
    ]


WRONG = {
    "console": ("<script>console.error('oh')</script>", "console: oh"),
    "script": ("<script>undefined.x</script>", "error Cannot read properties of undefined"),
    "picture": ('<img src="gone.png" alt="">', "the picture gone.png does not load"),
    "missing": ('<img src="gone.png" alt="">', "status 404 for http://127.0.0.1:"),
    "wide": ('<div style="width: 5000px">wide</div>', "wider than its window by "),
    "foreign": (
        '<img src="http://127.0.0.1:9/x.png" alt="">',
        "asks for http://127.0.0.1:9/x.png, which is not of this site",
    ),
    "stepper": (
        '<iframe class="stepper" src="dead.html"></iframe>',
        "the stepper stands at 0 / 3 with 0 gradients",
    ),
}


@pytest.fixture(scope="module")
def found(checker, tmp_path_factory):
    """What is found on a site where every page is wrong in one way."""
    site = write(
        tmp_path_factory.mktemp("site"),
        dead='<input id="slider" type="range" max="3"><span id="count">0 / 3</span>',
        **{name: body for name, (body, _) in WRONG.items()},
    )
    (site / "generated").mkdir()
    write(site / "generated", nn="<script>console.warn('hm')</script>")
    return checker.browse(site, None)


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_page_is_named_in_every_setting(found, name):
    for setting in ("phone, light", "phone, dark", "desktop, light", "desktop, dark"):
        fault = f"{name}.html ({setting}): {WRONG[name][1]}"
        assert any(line.startswith(fault) for line in found), found


def test_a_page_of_the_reference_is_opened_once(found):
    assert [line for line in found if line.startswith("generated")] == [
        "generated/nn.html (phone, light): console: hm"
    ]
