"""What tests do on the page of a playground, and wait for."""

from __future__ import annotations

import re

from tests.draw.pages import wait_until

IF_IDLE = """() => {
  if (!window.asked) {
    window.asked = true;
    queue.then(() => { window.idle = true; });
  }
  if (!window.idle) return null;
  window.asked = window.idle = false;
  return [data.settings, epochOf(lastFrame())];
}"""
"""Asked again and again: a promise that only a test waits for may be collected."""


def settled(page, session):
    """Wait until the page shows what the session is."""

    def is_settled():
        shown = page.evaluate(IF_IDLE)
        if shown is None:
            return False
        weights = page.evaluate("() => Array.from(film.weights[lastFrame()])")
        last = session.film.frames[-1].weights.tolist()
        return [session.settings.data_for_page(), session.epoch] == shown and weights == last

    wait_until(page, is_settled)
    page.wait_for_timeout(20)


def epoch_of(page):
    return int(page.inner_text("#count").split(" / ")[0])


def train(page, session, epochs):
    """Train so many epochs by the button."""
    for _ in range(epochs):
        page.click("#next")
        settled(page, session)


def write(page, selector, text):
    """Type into a field, and leave it."""
    page.fill(selector, str(text))
    page.press(selector, "Tab")


def program_on(page):
    """The program that the page shows; the window with it is closed again."""
    page.click("#copy")
    page.wait_for_selector("#program[open]")
    text = page.text_content("#code")
    page.click("#program button")
    assert not page.is_visible("#program")
    return text


def model_at(session, epoch):
    """The model as the program of the session makes it, at an earlier epoch."""
    made = {}
    text = re.sub(r"epochs=\d+", f"epochs={epoch}", session.program())
    exec(text if epoch else text.partition("history = ")[0], made)
    return made
