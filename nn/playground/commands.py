"""What a page can ask of a session, and what it is answered: plain objects, for JSON."""

from __future__ import annotations

import base64
from threading import Lock
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.playground.data_sets import DATA_SETS
from nn.playground.features import is_plain, offered
from nn.playground.samples import GIVEN
from nn.playground.session import MOST_EPOCHS, Session
from nn.playground.settings import (
    ADJUSTABLE,
    BOUNDS,
    MOST_LAYERS,
    MOST_UNITS,
    SettingError,
    activation_names,
    optimizer_names,
)
from nn.replay.frames import Frame
from nn.replay.page import Recording, Words, finite, marks_of, packed, page_data
from nn.training.loop import DivergenceError

__all__ = ["Commands"]


LONGEST_ANSWER = 1.0
"""For how many seconds a page waits for a frame; of a slow run it then shows fewer epochs."""


class Commands:
    """The commands of a session; one is obeyed at a time.

    A session has versions: each command changes one into the next.  A command for another version
    than the one that holds, as of a second window, is not obeyed; the answer then says so.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.lock, self.version = session, Lock(), 0

    def recording(self) -> dict[str, Any]:
        """All that the page shows."""
        with self.lock:
            return recording_of(self.session) | {"version": self.version}

    def program(self) -> str:
        """The program of the run as it is now."""
        with self.lock:
            return self.session.program()

    def obey(self, request: Any) -> dict[str, Any]:
        """Do what a request asks for; of what is refused, the answer says why."""
        with self.lock:
            epoch = self.session.epoch
            given = dict(request) if isinstance(request, dict) else {}
            if given.pop("version", self.version) != self.version:
                return {"is_stale": True}
            try:
                answer = self._obey(given)
            except DivergenceError as error:
                answer = {"refused": str(error)} | update_of(self.session, epoch)
            except ag.AutogradError as error:
                return {"refused": str(error), "setting": getattr(error, "setting", None)}
            self.version += 1
            return answer | {"version": self.version}

    def _obey(self, given: dict[str, Any]) -> dict[str, Any]:
        name = given.pop("command", None)
        session, epoch = self.session, self.session.epoch
        arguments = ARGUMENTS.get(name) if isinstance(name, str) else None
        if arguments is None:
            raise SettingError("command", name, f"one of {', '.join(ARGUMENTS)}")
        if given.keys() != set(arguments):
            wanted = f"given with {' and '.join(arguments)}" if arguments else "given alone"
            raise SettingError("command", name, wanted)
        if name == "program":
            return {"program": session.program()}
        if name == "start":
            session.start(given["settings"])
            return {"recording": recording_of(session)}
        if name == "advance":
            session.advance(given["epochs"], LONGEST_ANSWER)
        elif name == "rewind":
            session.rewind(given["epoch"])
            epoch = session.epoch
        elif name == "set_parameter":
            session.set_parameter(given["place"], given["value"])
        else:
            session.adjust(given["setting"], given["value"])
        return update_of(session, epoch)


ARGUMENTS = {
    "start": ["settings"],
    "advance": ["epochs"],
    "rewind": ["epoch"],
    "set_parameter": ["place", "value"],
    "adjust": ["setting", "value"],
    "program": [],
}
"""The commands, and what is given with them."""


def update_of(session: Session, before: int) -> dict[str, Any]:
    """What has changed: the last frame, which ones are kept, and the history since an epoch."""
    frames = session.film.frames
    columns = session.experiment.history.columns
    return {
        "frame": frame_data(frames[-1]),
        "kept": [frame.epoch for frame in frames],
        "marks": marks_of(session.film),
        "history": {
            "epochs": list(range(before + 1, session.epoch + 1)),
            "columns": {name: list(map(finite, c[before:])) for name, c in columns.items()},
        },
        "rule": session.recorder.rule,
        "settings": session.settings.data_for_page(),
        "is_same": session.is_same,
    }


def frame_data(frame: Frame) -> dict[str, Any]:
    """A frame by itself."""
    rows = {name: getattr(frame, name) for name in ("weights", "gradients", "steps", "outputs")}
    return {
        "epoch": frame.epoch,
        "loss": finite(frame.loss),
        "rate": finite(frame.rate),
        "updates": list(map(finite, frame.updates)),
        **{name: None if row is None else numbers(row) for name, row in rows.items()},
    }


def numbers(row: Any) -> str:
    """Numbers of float32 as text."""
    return base64.b64encode(np.ascontiguousarray(row, "<f4").tobytes()).decode()


def recording_of(session: Session) -> dict[str, Any]:
    """All that a page shows of a session, and what can be set."""
    made = session.experiment
    samples, plain = made.samples, is_plain(made.features, len(made.samples.names))
    sizes = [layer.in_features for layer in made.network.layers]
    shape = "-".join(map(str, [*sizes, made.network.layers[-1].units]))
    name = session.settings.data
    title = f"{title_of(name)}: {shape}"
    words = Words(title, [feature.name for feature in made.features], samples.classes)
    recording = Recording(
        words, made.network, session.probe, session.film, made.history,
        session.recorder.rule, MOST_EPOCHS,
    )  # fmt: skip
    formulas = [{"name": feature.formula, "of": feature.of} for feature in made.features]
    return page_data(recording) | {
        "stopped": "",
        "axes": list(samples.names),
        "formulas": None if plain else formulas,
        "places": packed(samples.x[session.probe.rows]),
        "settings": session.settings.data_for_page(),
        "choices": choices_of(session),
    }


def title_of(data: str) -> str:
    """What a data set is called on the page."""
    return "Your data" if data == GIVEN else DATA_SETS[data].title


def choices_of(session: Session) -> dict[str, Any]:
    """What can be set, and the bounds of numbers."""
    return {
        "data": [
            {
                "key": key,
                "title": title_of(key),
                "is_given": key == GIVEN,
                "features": [
                    {"key": f.key, "name": f.name, "is_plain": f.formula == "column"}
                    for f in offered(names).values()
                ],
            }
            for key, names in session.names.items()
        ],
        "activations": activation_names(),
        "optimizers": optimizer_names(),
        "bounds": {name: {"low": low, "high": high, "whole": kind is int}
                   for name, (kind, low, high) in BOUNDS.items()},
        "adjustable": ADJUSTABLE,
        "most_layers": MOST_LAYERS,
        "most_units": MOST_UNITS,
    }  # fmt: skip
