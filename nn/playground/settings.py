"""What can be set on the page, within which bounds; what is out of them is refused by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import autograd_lite as ag
from nn.optimizers import rules
from nn.replay.stages import REPLAYED

__all__ = [
    "ADJUSTABLE",
    "BOUNDS",
    "MOMENTUM",
    "MOST_LAYERS",
    "MOST_UNITS",
    "SettingError",
    "Settings",
    "activation_names",
    "checked_number",
    "optimizer_names",
    "settings_from",
]

MOST_LAYERS = 6
MOST_UNITS = 32

BOUNDS: dict[str, tuple[type, float, float]] = {
    "samples": (int, 10, 2000),
    "noise": (float, 0, 1),
    "seed": (int, 0, 2**32 - 1),
    "dropout": (float, 0, 0.9),
    "learning_rate": (float, 1e-9, 100),
    "batch_size": (int, 1, 2000),
    "l1": (float, 0, 10),
    "l2": (float, 0, 10),
    "validation": (float, 0, 0.9),
}
"""The numbers among the settings: whether they are whole, the smallest and the largest."""

ADJUSTABLE = ("learning_rate", "batch_size", "l1", "l2")
"""What can be set while a run goes on; all else begins a new one."""

NOT_LEARNING = {"heaviside", "sign"}
OF_ALL_UNITS = {"glu", "softmax", "log_softmax"}

MOMENTUM = "SGD with momentum"


class SettingError(ag.ArgumentValueError):
    """A setting is not one that there is; ``setting`` is its name."""

    def __init__(self, setting: str, given: Any, wanted: str) -> None:
        self.setting = setting
        text = "left empty" if given is None or given == [] else repr(given)
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        super().__init__(f"playground: {setting} is {shown}; it must be {wanted}")


@dataclass(frozen=True)
class Settings:
    """All that makes a run: the same settings make the same run, bit for bit."""

    data: str = "circles"
    samples: int = 240
    noise: float = 0.05
    seed: int = 0
    features: tuple[str, ...] = ("x1", "x2")
    hidden: tuple[tuple[int, str], ...] = ((4, "tanh"), (2, "tanh"))
    dropout: float = 0.0
    optimizer: str = "Adam"
    learning_rate: float = 0.03
    batch_size: int = 10
    l1: float = 0.0
    l2: float = 0.0
    validation: float = 0.25

    def adjusted(self, setting: str, value: float) -> Settings:
        """The same with another number for what can be set while a run goes on."""
        if setting not in ADJUSTABLE:
            raise SettingError(str(setting), value, f"set for a new run; {', '.join(ADJUSTABLE)} "
                               "can be set while one goes on")  # fmt: skip
        return replace(self, **{setting: checked_number(setting, value)})

    def data_for_page(self) -> dict[str, Any]:
        """The same in words that JSON has."""
        hidden = [{"units": units, "activation": name} for units, name in self.hidden]
        return asdict(self) | {"hidden": hidden, "features": list(self.features)}


def activation_names() -> list[str]:
    """The activations of hidden layers: those of one number that a gradient passes."""
    return [name for name in REPLAYED if name not in NOT_LEARNING | OF_ALL_UNITS]


def optimizer_names() -> list[str]:
    """The optimizers, by the names on the page."""
    return ["SGD", MOMENTUM, *(name for name in rules.__all__ if name != "SGD")]


def checked_number(name: str, given: Any) -> Any:
    """A number within its bounds."""
    kind, low, high = BOUNDS[name]
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not low <= given <= high or (kind is int and given != int(given)):
        what = "a whole number" if kind is int else "a number"
        raise SettingError(name, given, f"{what} from {low:.10g} to {high:.10g}")
    return kind(given)


def checked_name(setting: str, given: Any, allowed: list[str]) -> str:
    """A name that is one of these."""
    if not isinstance(given, str) or given not in allowed:
        raise SettingError(setting, given, f"one of {', '.join(allowed)}")
    return given


def settings_from(given: Any, data_sets: list[str], features: Mapping[str, list[str]]) -> Settings:
    """Settings from the words of a page; ``features`` says which there are for each data set."""
    if not isinstance(given, dict):
        raise SettingError("settings", given, "an object with a value for each setting")
    names = [field.name for field in fields(Settings)]
    odd = next((name for name in [*given, *names] if (name in given) != (name in names)), None)
    if odd is not None:
        what = given.get(odd, "missing")
        raise SettingError(str(odd), what, f"left out, or set: there are {', '.join(names)}")
    data = checked_name("data", given["data"], data_sets)
    return Settings(
        data=data,
        features=checked_features(given["features"], features[data]),
        hidden=checked_layers(given["hidden"]),
        optimizer=checked_name("optimizer", given["optimizer"], optimizer_names()),
        **{name: checked_number(name, given[name]) for name in BOUNDS},
    )


def checked_features(given: Any, allowed: list[str]) -> tuple[str, ...]:
    """Which features are used, in the order in which they are offered."""
    is_list = isinstance(given, list) and all(isinstance(key, str) for key in given)
    if not is_list or not given or not set(given) <= set(allowed):
        raise SettingError("features", given, f"a list of some of {', '.join(allowed)}")
    return tuple(key for key in allowed if key in given)


def checked_layers(given: Any) -> tuple[tuple[int, str], ...]:
    """The hidden layers: units and activation of each."""
    if not isinstance(given, list) or len(given) > MOST_LAYERS:
        raise SettingError("hidden", given, f"a list of at most {MOST_LAYERS} layers")
    return tuple(map(checked_layer, given))


def checked_layer(given: Any) -> tuple[int, str]:
    """Units and activation of a layer."""
    if not isinstance(given, dict) or given.keys() != {"units", "activation"}:
        raise SettingError("hidden", given, "layers that have units and an activation")
    units = given["units"]
    if not isinstance(units, int) or isinstance(units, bool) or not 1 <= units <= MOST_UNITS:
        raise SettingError("units", units, f"a whole number from 1 to {MOST_UNITS}")
    return units, checked_name("activation", given["activation"], activation_names())
