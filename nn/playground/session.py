"""A session of the playground: one run, which goes on, goes back, and is changed by hand."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from typing import Any

from nn.playground.data_sets import DATA_SETS
from nn.playground.experiment import Edit, Experiment, Stretch
from nn.playground.features import is_plain, offered
from nn.playground.program import program_of
from nn.playground.samples import GIVEN, Samples
from nn.playground.settings import SettingError, Settings, settings_from
from nn.replay.frames import Film
from nn.replay.probe import probe_of
from nn.replay.recorder import Recorder
from nn.training.loop import DivergenceError

__all__ = ["FRAMES", "MOST_EPOCHS", "Session"]

FRAMES = 300
"""How many moments of a run are kept to be looked at; it can be rewound to any epoch."""

FEW = 4
"""Of fewer samples none are set aside."""

MOST_EPOCHS = 1000
"""How far a run goes on at a time."""

LONGEST = 1_000_000
"""The last epoch."""


class Session:
    """One run at a time.  What is refused changes nothing.

    A run is what its settings and the changes made by hand say, and nothing else: to go back to an
    epoch, it is made anew up to there, and its parameters are compared with those of the first
    time, all bits of them.

    Examples
    --------
    >>> from nn.playground.session import Session
    >>> session = Session()
    >>> session.advance(3)
    >>> before = session.experiment.digest()
    >>> session.advance(2)
    >>> session.rewind(3)
    >>> session.experiment.digest() == before, session.is_same
    (True, True)
    """

    def __init__(self, given: Samples | None = None) -> None:
        self.given = given
        self.names = {name: data.features for name, data in DATA_SETS.items()}
        settings = Settings()
        if given is not None:
            self.names = {GIVEN: given.names} | self.names
            keys = [key for key, f in offered(given.names).items() if f.formula == "column"]
            settings = replace(
                settings, data=GIVEN, features=tuple(keys), noise=0.0,
                hidden=((8, "tanh"), (8, "tanh")),
                validation=settings.validation if len(given.x) >= FEW else 0.0,
            )  # fmt: skip
        self._start(settings)

    @property
    def settings(self) -> Settings:
        """What holds now."""
        return self.stretches[-1].settings

    @property
    def epoch(self) -> int:
        """How many epochs are finished."""
        return sum(stretch.epochs for stretch in self.stretches)

    def start(self, settings: Any) -> None:
        """Begin a new run with these settings, in the words of the page."""
        features = {name: list(offered(names)) for name, names in self.names.items()}
        self._start(settings_from(settings, list(self.names), features))

    def _start(self, settings: Settings) -> None:
        experiment, stretches = Experiment(settings, self.given), [Stretch(settings)]
        experiment.begin(stretches[0])
        probe = probe_of(
            experiment.model, experiment.network, experiment.run.loss, experiment.x,
            experiment.samples.y, None,
        )  # fmt: skip
        if not is_plain(experiment.features, len(experiment.samples.names)):
            probe.image = None
        self.experiment, self.stretches, self.probe = experiment, stretches, probe
        self.film = Film(FRAMES)
        self.digests: dict[int, str] = {}
        self.is_same: bool | None = None
        self._watch()
        self._record()

    def _watch(self) -> None:
        """Record from now on what the experiment becomes."""
        made = self.experiment
        self.recorder = Recorder(made.run, made.network, self.probe, self.film)

    def advance(self, epochs: int, seconds: float = inf) -> None:
        """Train on, for some epochs; for fewer, at least one, if they take too many seconds.

        A run that diverges is left as it was after its last whole epoch.
        """
        most = min(MOST_EPOCHS, LONGEST - self.epoch)
        if not is_count(epochs) or not 1 <= epochs <= most:
            raise SettingError("epochs", epochs, f"a whole number from 1 to {most}")
        stretch, last, end = self.stretches[-1], self.epoch + epochs, monotonic() + seconds
        try:
            while self.epoch < last:
                self.experiment.train(1)
                stretch.epochs += 1
                if monotonic() > end:
                    break
        except DivergenceError:
            self._repeat()
            if self.film.frames[-1].epoch != self.epoch:
                self._record()
            raise
        self._record()

    def rewind(self, epoch: int) -> None:
        """Go back to an epoch: the run is made anew up to there, with the changes until then."""
        if not is_count(epoch) or not 0 <= epoch <= self.epoch:
            raise SettingError("epoch", epoch, f"a whole number from 0 to {self.epoch}")
        kept, begun = [], 0
        for stretch in self.stretches:
            if begun > epoch:  # a change that is undone; what came of it is nothing to compare with
                self.digests = {at: bits for at, bits in self.digests.items() if at < begun}
                break
            kept.append(replace(stretch, epochs=min(stretch.epochs, epoch - begun)))
            begun += stretch.epochs
        self.stretches = kept
        self._repeat()
        self.film.cut(epoch)
        if self.film.frames[-1].epoch == epoch:
            self._compare()
        else:
            self._record()

    def set_parameter(self, place: int, value: float) -> None:
        """Set a weight or a bias, given by its place in a frame, to a number."""
        size = self.experiment.network.size
        if not is_count(place) or not 0 <= place < size:
            raise SettingError("place", place, f"a whole number from 0 to {size - 1}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) <= 1e6:
            raise SettingError("weight", value, "a number from -1000000 to 1000000")
        self._change(self.settings, [Edit(place, float(value))])

    def adjust(self, setting: str, value: float) -> None:
        """Set learning rate, batch size or a penalty anew, from here on."""
        self._change(self.settings.adjusted(setting, value), [])

    def program(self) -> str:
        """The program that makes this run."""
        return program_of(self.experiment, self.stretches)

    def _change(self, settings: Settings, edits: list[Edit]) -> None:
        """From here on something else holds."""
        last = self.stretches[-1]
        if last.epochs:
            last = Stretch(settings)
            self.stretches.append(last)
        last.settings = settings
        last.edits += edits
        self.experiment.begin(Stretch(settings, edits))
        self._watch()
        self.digests = {at: bits for at, bits in self.digests.items() if at < self.epoch}
        old = self.film.frames.pop()
        self.film.cut(self.epoch)
        self._record()
        self.film.frames[-1].updates = old.updates

    def _repeat(self) -> None:
        """Make the run anew, as far as it goes."""
        made = Experiment(self.stretches[0].settings, self.given)
        for stretch in self.stretches:
            made.begin(stretch)
            if stretch.epochs:
                made.train(stretch.epochs)
        self.experiment = made
        self._watch()

    def _record(self) -> None:
        """Take a frame."""
        self.recorder.record()
        self._compare()

    def _compare(self) -> None:
        """Compare the parameters with those at this epoch before, if it was here before."""
        bits, known = self.experiment.digest(), self.digests.get(self.epoch)
        self.digests[self.epoch] = bits
        self.is_same = None if known is None else known == bits


def is_count(given: Any) -> bool:
    """Whether something is a whole number."""
    return isinstance(given, int) and not isinstance(given, bool)
