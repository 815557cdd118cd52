"""The program that makes a run of the playground again, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from nn.initializers import for_activation, glorot_uniform
from nn.playground.experiment import Experiment, Stretch
from nn.playground.features import inputs_code
from nn.playground.settings import MOMENTUM, Settings

__all__ = ["program_of"]


def program_of(experiment: Experiment, stretches: Sequence[Stretch]) -> str:
    """The text of the program."""
    settings, samples = stretches[0].settings, experiment.samples
    parts = ['"""A run of nn.playground."""\n\nimport numpy as np\n\nimport nn']
    if samples.source:
        parts.append(f"\n{samples.source}")
    data = [f"rng = np.random.default_rng({settings.seed})", samples.code]
    data.append(inputs_code(experiment.features, len(samples.names)))
    parts.append("\n".join(filter(None, data)))
    parts.append(f"{model_code(experiment, settings)}\n{optimizer_code(settings)}")
    is_first = True
    for before, stretch in zip([None, *stretches], stretches, strict=False):
        lines = changes_code(experiment, stretch, before)
        if stretch.epochs:
            lines.append(fit_code(experiment, stretch, is_first))
            is_first = False
        if lines:
            parts.append("\n".join(lines))
    if not is_first:
        parts.append("for name, column in history.columns.items():\n    print(name, column[-1])")
    return "\n\n".join(parts) + "\n"


def model_code(experiment: Experiment, settings: Settings) -> str:
    """The lines that make the model, as `model_of` does."""
    lines, in_features = [], len(experiment.features)
    for n, (units, name) in enumerate(settings.hidden):
        draw = for_activation(name)
        initializer = "" if draw is glorot_uniform else (
            f", initializer=nn.initializers.{draw.__name__}"
        )  # fmt: skip
        lines.append(f"nn.Linear({in_features}, {units}{initializer}, rng=rng)")
        lines.append(f'"{name}"')
        if settings.dropout:
            lines.append(f"nn.Dropout({settings.dropout!r}, rng={settings.seed + n + 1})")
        in_features = units
    lines.append(f"nn.Linear({in_features}, {experiment.samples.out_features}, rng=rng)")
    return "model = nn.Sequential(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def optimizer_code(settings: Settings) -> str:
    """The line that makes the optimizer, as `optimizer_of` does."""
    name, more = settings.optimizer, ""
    if name == MOMENTUM:
        name, more = "SGD", ", momentum=0.9"
    return f"optimizer = nn.{name}(model, learning_rate={settings.learning_rate!r}{more})"


def changes_code(experiment: Experiment, stretch: Stretch, before: Stretch | None) -> list[str]:
    """What was set by hand, or set anew."""
    lines = []
    for edit in stretch.edits:
        parameter, index = experiment.place_of(edit.place)
        name = next(n for n, p in experiment.model.named_parameters() if p is parameter)
        layer, _, attribute = name.rpartition(".")
        place = ", ".join(map(str, index))
        lines.append(f"model[{layer}].{attribute}.data[{place}] = {edit.value!r}")
    rate = stretch.settings.learning_rate
    if before is not None and rate != before.settings.learning_rate:
        lines.append(f"optimizer.groups[0].learning_rate = {rate!r}")
    return lines


def fit_code(experiment: Experiment, stretch: Stretch, is_first: bool) -> str:
    """The call that trains."""
    settings = stretch.settings
    options: dict[str, Any] = {
        "loss": f'"{experiment.samples.loss}"', "optimizer": "optimizer", "epochs": stretch.epochs,
        "batch_size": settings.batch_size,
    }  # fmt: skip
    for name, number in (
        ("validation_split", settings.validation), ("l1", settings.l1), ("l2", settings.l2),
    ):  # fmt: skip
        if number:
            options[name] = repr(number)
    if experiment.samples.classes:
        options["metrics"] = '"accuracy"'
    if not is_first:
        options["history"] = "history"
    options |= {"rng": "rng", "progress": "False"}
    given = ", ".join(["model, x, y", *(f"{name}={text}" for name, text in options.items())])
    lines = wrap(given, 92, break_long_words=False, break_on_hyphens=False)
    return "\n".join(["history = nn.fit(", *(f"    {line}" for line in lines)]) + ",\n)"
