"""A real browser for the tests of pages."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from urllib.parse import urlsplit

import pytest

import nn

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSERS = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
"""Where Playwright's own browser was installed; without it, it is the system's."""

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
    if CHROMIUM is None and not BROWSERS:
        missing = "the program chromium is not on the PATH: apt install chromium"
    if missing and os.environ.get("CI"):
        pytest.fail(f"{missing}; the tests of the stepper must run here")
    if missing:
        pytest.skip(missing)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=None if BROWSERS else CHROMIUM, args=FLAGS
        )
        yield running
        running.close()


@pytest.fixture
def open_url(browser):
    """Opens a page; afterwards no error may have been logged, nothing requested from elsewhere.

    With ``clock`` the time of the page stands still until the test moves it.
    """
    errors, requests, contexts, own = [], [], [], {"file", "data"}

    def opened(url, clock=False, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        if clock:
            page.clock.install(time=datetime(2030, 1, 1))
        own.add(origin_of(url))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(url)
        if clock:
            page.clock.pause_at(datetime(2030, 1, 2))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in requests if origin_of(url) not in own] == []


def origin_of(url):
    """The server that a URL belongs to; of files and data, which belong to none, their kind."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme


@pytest.fixture
def open_file(open_url):
    """Opens a page from disk, as `open_url` does, without a network."""

    def opened(path, clock=False, **options):
        return open_url(path.as_uri(), clock, offline=True, **options)

    return opened


@pytest.fixture
def open_page(open_file, tmp_path):
    """Opens a drawing, as `open_file` does."""

    def opened(drawing, clock=False, **options):
        return open_file(drawing.save(tmp_path / "drawing.html"), clock, **options)

    return opened


@pytest.fixture
def show_playground(open_url):
    """Opens a playground, and waits until it has drawn; gives the page and the session."""
    opened = []

    def shown(x=None, y=None, names=None, **options):
        opened.append(nn.playground(x, y, open_browser=False, **(names or {})))
        options = {"viewport": {"width": 1280, "height": 900}} | options
        page = open_url(opened[-1].url, **options)
        page.wait_for_selector("html[data-ready]", state="attached")
        return page, opened[-1].server.commands.session

    yield shown
    for one in opened:
        one.close()
