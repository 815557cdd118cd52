"""The page of a playback: one HTML file, with all that was recorded packed into it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import isfinite
from typing import Any

import numpy as np

from nn.replay.frames import Film
from nn.replay.probe import Probe
from nn.replay.stages import Network
from nn.training.history import History

__all__ = [
    "SCRIPTS",
    "STYLE",
    "Recording",
    "Words",
    "assembled",
    "finite",
    "marks_of",
    "packed",
    "page_data",
    "page_text",
    "resource",
]

SCRIPTS = tuple(
    f"nn.replay/{name}.js"
    for name in ("numbers", "replay", "charts", "network", "pictures", "answers", "beside", "stage")
)
"""What draws a network and answers for it, on every page that shows one."""

STYLE = "nn.replay/playback.css"


@dataclass(frozen=True)
class Words:
    """What a page calls things."""

    title: str
    features: Sequence[str] | None = None
    classes: Sequence[str] | None = None


@dataclass(frozen=True)
class Recording:
    """All that a page is made from."""

    words: Words
    network: Network
    probe: Probe
    film: Film
    history: History
    rule: dict[str, Any]
    most_epochs: int
    """For how many epochs the numbers of the history are there; of more, some are left out."""


def page_text(recording: Recording) -> str:
    """The whole page; nothing is loaded from elsewhere, and only its own script can run."""
    return assembled(
        "nn.replay/playback.html",
        [*SCRIPTS, "nn.replay/controls.js"],
        [STYLE],
        recording.words.title,
        page_data(recording),
    )


def assembled(
    page: str, scripts: Sequence[str], styles: Sequence[str], title: str, data: dict[str, Any]
) -> str:
    """A page of these files, with what its script reads; text in it can never act as markup."""
    script = "\n".join(map(resource, scripts))
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # In a script element only "<" can end the text; escaped it cannot.
    parts = {
        "title": html.escape(title),
        "style": "".join(map(resource, styles)),
        "stage": resource("nn.replay/stage.html"),
        "answers": resource("nn.replay/answers.html"),
        "data": text.replace("<", "\\u003c").replace("\u2028", "\\u2028"),
        "script": script,
        "hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], resource(page))


def resource(name: str) -> str:
    """The text of a file of a package's template."""
    package, file = name.split("/")
    return (files(package) / "template" / file).read_text("utf-8")


def page_data(recording: Recording) -> dict[str, Any]:
    """What the script of the page reads."""
    network, probe, words = recording.network, recording.probe, recording.words
    return {
        "title": words.title,
        "layers": [asdict(layer) for layer in network.layers],
        "features": feature_names(words.features, network.layers[0].in_features, probe.image),
        "classes": None if words.classes is None else [str(name) for name in words.classes],
        "image": probe.image,
        "task": {
            "kind": probe.kind, "probability": probe.probability, "threshold": probe.threshold,
        },
        "probe": packed(probe.features),
        "rounding": max(float(np.finfo(probe.x.dtype).eps) / 2, 2.0**-24),
        "targets": targets_data(probe.targets),
        "watched": probe.watched,
        "rule": recording.rule,
        "frames": frames_data(recording.film),
        "history": history_data(recording),
        "stopped": recording.history.stopped,
    }  # fmt: skip


def targets_data(targets: Any) -> list[Any]:
    """Class numbers; or rows of numbers."""
    if targets.ndim == 1:
        return [int(label) for label in targets]
    return [[finite(x) for x in row] for row in targets]


def feature_names(given: Any, count: int, image: Any) -> list[str]:
    """The names of the inputs; of pixels none are needed."""
    if given is not None:
        return [str(name) for name in given]
    return [] if image else ["x"] if count == 1 else [f"x{i + 1}" for i in range(count)]


def frames_data(film: Film) -> dict[str, Any]:
    """The frames, column by column."""
    frames = film.frames
    has_steps = frames[0].steps is not None
    return {
        "epochs": [f.epoch for f in frames],
        "marks": marks_of(film),
        "weights": packed([f.weights for f in frames]),
        "gradients": packed([f.gradients for f in frames]),
        "steps": packed([f.steps for f in frames]) if has_steps else None,
        "outputs": packed([f.outputs for f in frames]),
        "losses": [finite(f.loss) for f in frames],
        "rates": [finite(f.rate) for f in frames],
        "updates": [[finite(x) for x in f.updates] for f in frames],
    }


def marks_of(film: Film) -> list[str]:
    """For each frame whether it is the best, or one where the loss jumped."""
    best, spikes = film.best, film.spikes()
    return [
        "best" if f is best and isfinite(f.watched) else "spike" if any(f is s for s in spikes)
        else "" for f in film.frames
    ]  # fmt: skip


def history_data(recording: Recording) -> dict[str, Any]:
    """Losses, metrics and learning rates: of every epoch, or of every second, third …"""
    history = recording.history
    kept = {frame.epoch - 1 for frame in recording.film.frames} - {-1}
    if recording.most_epochs:
        kept |= set(range(0, len(history), -(-len(history) // recording.most_epochs) or 1))
    rows = sorted(kept)
    columns = {
        str(name): [finite(column[i]) if i < len(column) else None for i in rows]
        for name, column in history.columns.items()
    }
    return {"epochs": [row + 1 for row in rows], "columns": columns}


def finite(x: float) -> float | None:
    """The number itself; None, which JSON has a word for, where it is not finite."""
    return float(x) if isfinite(x) else None


def packed(rows: Any) -> dict[str, Any]:
    """Rows of float32 in few bytes, and in text.

    What stays from one row to the next becomes zero by an exclusive or; then the first bytes of
    all numbers come together, then the second ones: deflate finds more that is alike there.
    """
    array = np.ascontiguousarray(rows, "<f4")
    words = array.view("<u4")
    words = np.concatenate([words[:1], words[1:] ^ words[:-1]])
    planes = words.view(np.uint8).reshape(-1, 4).T
    data = zlib.compress(planes.tobytes())
    return {"shape": list(array.shape), "bytes": base64.b64encode(data).decode()}
