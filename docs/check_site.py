"""Open every page of the built site in a browser: ``python docs/check_site.py SITE``.

Pages of people's making are opened at the width of a phone and of a desktop, in light and dark;
pages of the reference once. Reported are errors on the console, requests that fail or leave the
site, pictures that do not load, pages wider than their window, links that lead nowhere, and
steppers that do not step. The exit status is 1 if there is any.
"""

from __future__ import annotations

import argparse
import itertools
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
SCHEMES = ("light", "dark")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if "PLAYWRIGHT_BROWSERS_PATH" in os.environ:
    CHROMIUM = None  # Playwright's own, which was installed there
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pages_of(site: Path) -> list[str]:
    """Addresses of all pages, relative to the site."""
    return sorted(
        path.relative_to(site).as_posix()
        for path in site.rglob("*.html")
        if "_static" not in path.parts
    )


def is_reference(page: str) -> bool:
    return page.startswith(("generated/", "genindex", "py-modindex"))


# Links, which need no browser.


class Anchors(HTMLParser):
    """The links of a page, and the names that links to it may end in."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "href" and tag == "a" and value:
                self.links.append(value)
            elif name == "id" and value:
                self.names.add(value)


def broken_links(site: Path) -> list[str]:
    """Links within the site that lead to no file, or to no place in it."""
    anchors: dict[str, Anchors] = {}
    for page in pages_of(site):
        anchors[page] = Anchors()
        anchors[page].feed((site / page).read_text(encoding="utf-8"))
    faults = []
    for page, found in anchors.items():
        for link in found.links:
            target = urlsplit(urljoin(page, link))
            if target.scheme or target.netloc or not (target.path or target.fragment):
                continue
            path, name = unquote(target.path or page), unquote(target.fragment)
            if not (site / path).exists():
                faults.append(f"{page}: the link {link} leads to no file")
            elif name and path in anchors and name not in anchors[path].names:
                faults.append(f"{page}: the link {link} leads to no place in {path}")
    return faults


# Pages in a browser.


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of the site on loopback."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


PICTURES = "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.getAttribute('src'))"
SCROLL = "() => window.scrollTo({top: document.body.scrollHeight, behavior: 'instant'})"
OVERHANG = "() => document.documentElement.scrollWidth - window.innerWidth"


class Visitor:
    """A window of one size and scheme; collects what is wrong with the pages opened in it."""

    def __init__(self, browser: Browser, home: str, width: str, scheme: str) -> None:
        self.home, self.setting = home, f"{width}, {scheme}"
        columns, rows = WIDTHS[width]
        self.context = browser.new_context(
            viewport={"width": columns, "height": rows}, color_scheme=scheme
        )
        self.page: Page = self.context.new_page()
        self.faults: list[str] = []
        self.seen = ""
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._fault(f"error {error}"))
        self.page.on("requestfailed", self._on_failure)
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def _fault(self, what: str) -> None:
        self.faults.append(f"{self.seen} ({self.setting}): {what}")

    def _on_failure(self, request: Any) -> None:
        """What a page was still loading when it was left has not failed."""
        if request.failure != "net::ERR_ABORTED":
            self._fault(f"failed {request.url}")

    def _on_console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._fault(f"console: {message.text}")

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self._fault(f"asks for {request.url}, which is not of this site")

    def _on_response(self, response: Any) -> None:
        if response.status >= 400:
            self._fault(f"status {response.status} for {response.url}")

    def visit(self, address: str) -> None:
        """Open a page, look at all of it, and step through the steppers in it."""
        self.seen = address
        self.page.goto(self.home + address, wait_until="load")
        self.page.evaluate(SCROLL)
        for source in self.page.evaluate(PICTURES):
            self._fault(f"the picture {source} does not load")
        overhang = self.page.evaluate(OVERHANG)
        if overhang > 1:
            self._fault(f"wider than its window by {overhang} pixels")
        self.page.evaluate("() => window.scrollTo({top: 0, behavior: 'instant'})")
        for index in range(self.page.locator("iframe.stepper").count()):
            self._step_through(index)

    def _step_through(self, index: int) -> None:
        """Forward by keys to the last step, where the whole gradient is there, and back."""
        frame = self.page.frame_locator("iframe.stepper").nth(index)
        slider, count = frame.locator("#slider"), frame.locator("#count")
        slider.focus(timeout=10_000)
        steps = int(slider.get_attribute("max") or 0)
        before = frame.locator(".grad:visible").count()
        for _ in range(steps):
            self.page.keyboard.press("ArrowRight")
        after = frame.locator(".grad:visible").count()
        if steps < 2 or count.inner_text() != f"{steps} / {steps}" or after <= before:
            self._fault(f"the stepper stands at {count.inner_text()} with {after} gradients")
        self.page.keyboard.press("Home")
        if not count.inner_text().startswith("0 / "):
            self._fault(f"the stepper did not go back, but stands at {count.inner_text()}")

    def photograph(self, folder: Path) -> None:
        name = self.seen.replace("/", "_").removesuffix(".html")
        setting = self.setting.replace(", ", "_")
        self.page.screenshot(path=folder / f"{name}_{setting}.png")


def browse(site: Path, screenshots: Path | None) -> list[str]:
    """Open the pages in all settings; returns what is wrong."""
    pages = pages_of(site)
    faults = []
    with sync_playwright() as playwright, served(site) as home:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for number, setting in enumerate(itertools.product(WIDTHS, SCHEMES)):
            visitor = Visitor(browser, home, *setting)
            for page in pages:
                if number and is_reference(page):
                    continue
                visitor.visit(page)
                if screenshots is not None and not is_reference(page):
                    visitor.photograph(screenshots)
            visitor.context.close()
            faults += visitor.faults
        browser.close()
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, help="folder of the built site")
    parser.add_argument("--screenshots", type=Path, help="folder to fill with screenshots")
    arguments = parser.parse_args()
    if arguments.screenshots is not None:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    faults = broken_links(arguments.site) + browse(arguments.site, arguments.screenshots)
    print(*faults, f"{len(pages_of(arguments.site))} pages, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
