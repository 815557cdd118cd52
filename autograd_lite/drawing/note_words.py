"""The notes below a picture: what was looked for in it and found, in English and Spanish."""

from __future__ import annotations

__all__ = ["NOTES"]

NOTES: dict[str, tuple[str, str]] = {
    # Where NaN or infinity began.
    "nan.result": (
        "The first {what} is the result of {name}.",
        "El primer {what} es el resultado de {name}.",
    ),
    "nan.given": ("The first {what} was put in as {name}.", "El primer {what} se dio como {name}."),
    "nan.gradient": (
        "All values are finite; the first {what} in the gradient is the result of {name}.",
        "Todos los valores son finitos; el primer {what} del gradiente es el resultado de {name}.",
    ),
    "nan.line": ("It was called at {line}.", "Se llamó en {line}."),
    "nan.a_value": ("a value", "un valor"),
    "nan.no_gradient": (
        "All values are finite; there is no gradient.",
        "Todos los valores son finitos; no hay gradiente.",
    ),
    "nan.none": (
        "All values and gradients are finite.",
        "Todos los valores y gradientes son finitos.",
    ),
    # Where the gradient was lost.
    "zero.reaches_not": ("No gradient reaches {names}.", "Ningún gradiente llega a {names}."),
    "zero.units": ("{count} of {size} units of {name}", "{count} de {size} unidades de {name}"),
    "zero.more": ("{names} and {count} more", "{names} y {count} más"),
    "zero.none": ("A gradient reaches every leaf.", "A cada hoja llega un gradiente."),
    # Which way it was largest.
    "path.flows": ("The largest gradient flows {way}.", "El mayor gradiente fluye {way}."),
    "path.none": (
        "There is no gradient to follow: the result has none.",
        "No hay gradiente que seguir: el resultado no tiene.",
    ),
    # Two runs side by side.
    "two.and": ("{first} and {second}", "{first} y {second}"),
    "two.title": ("two runs of {name}", "dos ejecuciones de {name}"),
    "two.first": ("first {name}", "primera: {name}"),
    "two.second": ("second {name}", "segunda: {name}"),
    "two.same": ("The two runs are the same.", "Las dos ejecuciones son iguales."),
    "two.differ": ("{count} of {size} nodes differ.", "Difieren {count} de {size} nodos."),
    "two.cause": (
        "The first difference is {name}: {change}.",
        "La primera diferencia es {name}: {change}.",
    ),
    "two.cause_at": (
        "The first difference is {name}: {change}, computed at {line}.",
        "La primera diferencia es {name}: {change}, calculado en {line}.",
    ),
    "two.alone": ("only one run has it", "solo está en una ejecución"),
    "two.entries": (
        "{index}: {change} ({count} of {size} entries differ)",
        "{index}: {change} (difieren {count} de {size} elementos)",
    ),
}
"""By key: the note in both languages."""
