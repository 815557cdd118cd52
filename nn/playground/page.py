"""The page of the playground: that of a playback, with what can be set beside it."""

from __future__ import annotations

from typing import Any

from nn.replay.page import SCRIPTS, STYLE, assembled

__all__ = ["page_of"]


def page_of(recording: dict[str, Any], token: str) -> str:
    """The whole page; it asks nobody but its own server."""
    return assembled(
        "nn.playground/playground.html",
        [*SCRIPTS, "nn.playground/settings.js", "nn.playground/training.js"],
        [STYLE, "nn.playground/playground.css"],
        recording["title"],
        recording | {"token": token},
    )
