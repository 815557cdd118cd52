"""A real browser for the tests of pages."""

from __future__ import annotations

import os
import shutil
from datetime import datetime

import pytest

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
def open_file(browser):
    """Opens a page from disk; afterwards no error may have been logged, nothing requested.

    With ``clock`` the time of the page stands still until the test moves it.
    """
    errors, requests, contexts = [], [], []

    def opened(path, clock=False, **options):
        contexts.append(browser.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(10_000)
        if clock:
            page.clock.install(time=datetime(2030, 1, 1))
        page.on("console", lambda message: errors.append(message.text))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        if clock:
            page.clock.pause_at(datetime(2030, 1, 2))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def open_page(open_file, tmp_path):
    """Opens a drawing, as `open_file` does."""

    def opened(drawing, clock=False, **options):
        return open_file(drawing.save(tmp_path / "drawing.html"), clock, **options)

    return opened
