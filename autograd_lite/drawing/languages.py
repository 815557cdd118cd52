"""The words of drawings and of the stepper, in English and Spanish side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autograd_lite.drawing.note_words import NOTES
from autograd_lite.drawing.operation_words import SENTENCES

__all__ = ["LANGUAGES", "WORDS", "all_words", "speak", "spoken", "word"]

LANGUAGES = ("en", "es")

language: ContextVar[str] = ContextVar("language", default="en")

WORDS: dict[str, tuple[str, str]] = (
    {
        # The page around the graph.
        "step_by_step": ("step by step", "paso a paso"),
        "find": ("Find", "Buscar"),
        "name": ("name", "nombre"),
        "view": ("View", "Vista"),
        "zoom_out": ("Zoom out", "Alejar"),
        "zoom_in": ("Zoom in", "Acercar"),
        "fit": ("Fit", "Ajustar"),
        "dark_theme": ("Dark", "Oscuro"),
        "graph": ("Graph", "Grafo"),
        "nodes": ("Nodes", "Nodos"),
        "skip": ("Skip the graph", "Saltar el grafo"),
        "this_step": ("This step", "Este paso"),
        "modules": ("Modules", "Módulos"),
        "source_lines": ("Source lines", "Líneas del código"),
        "keys": ("Keys", "Teclas"),
        "legend": ("Legend", "Leyenda"),
        "steps": ("Steps", "Pasos"),
        "step": ("Step", "Paso"),
        "first": ("First step", "Primer paso"),
        "back": ("One step back", "Un paso atrás"),
        "play": ("Play", "Reproducir"),
        "pause": ("Pause", "Pausa"),
        "next": ("One step forward", "Un paso adelante"),
        "last": ("Last step", "Último paso"),
        "speed": ("Speed", "Velocidad"),
        "forward_values": ("forward: values", "hacia delante: valores"),
        "backward_gradients": ("backward: gradients", "hacia atrás: gradientes"),
        "no_script": (
            "The steps are shown by a script in this file; the browser runs none.",
            "Los pasos los muestra un programa que está en este archivo; el navegador no ejecuta "
            "ninguno.",
        ),
        "keys_steps": (
            "one step, space: play or pause, home and end: first and last step, /: find. "
            "Click a node, or press enter on it, to go to its step; again for its gradient.",
            "un paso, espacio: reproducir o pausar, inicio y fin: primer y último paso, /: buscar. "
            "Un clic en un nodo, o intro sobre él, lleva a su paso; otra vez, al de su gradiente.",
        ),
        "keys_view": (
            "zoom in, out, and to all of the graph; shift and an arrow move it. So do dragging and "
            "the wheel, which zooms with ctrl.",
            "acercar, alejar y ver todo el grafo; mayúsculas y una flecha lo mueven. También se "
            "arrastra, y la rueda lo mueve o, con ctrl, lo acerca.",
        ),
        "keys_tables": (
            "In a table of numbers the arrows pick an element, which is spelt out below it.",
            "En una tabla de números las flechas eligen un elemento, que se desglosa debajo.",
        ),
        # Kinds of boxes.
        "kind.leaf": ("input", "entrada"),
        "kind.parameter": ("parameter", "parámetro"),
        "kind.operation": ("operation", "operación"),
        "kind.constant": ("constant", "constante"),
        "kind.fold": ("several operations", "varias operaciones"),
        "kind.module": ("layer", "capa"),
        "kind.result": ("result", "resultado"),
        # Marks of boxes and arrows.
        "mark.first": ("first", "primero"),
        "mark.tainted": ("tainted", "afectado"),
        "mark.blocked": ("blocked", "bloqueado"),
        "mark.path": ("path", "camino"),
        "mark.differs": ("differs", "difiere"),
        # Steps.
        "phase.start": ("start", "comienzo"),
        "phase.forward": ("forward", "hacia delante"),
        "phase.seed": ("backward: start", "hacia atrás: comienzo"),
        "phase.backward": ("backward", "hacia atrás"),
        "headline.start": ("inputs and parameters", "entradas y parámetros"),
        "headline.forward": ("compute {name}", "calcular {name}"),
        "headline.seed": ("gradient of {name}", "gradiente de {name}"),
        "headline.backward": ("gradient back through {name}", "el gradiente vuelve por {name}"),
        "about.start": (
            "These are given. Each step forward computes one operation; then each step back hands "
            "the gradient on.",
            "Esto es lo dado. Cada paso hacia delante calcula una operación; después, cada paso "
            "hacia atrás entrega el gradiente.",
        ),
        "about.seed": (
            "The sweep starts with the gradient of the result with respect to itself.",
            "El barrido comienza con el gradiente del resultado respecto de sí mismo.",
        ),
        "position": ("step {step} of {last}: {headline}", "paso {step} de {last}: {headline}"),
        "to": ("to {name}", "a {name}"),
        "upstream": ("upstream", "lo que llega"),
        "local": ("local", "local"),
        "contribution": ("contribution", "contribución"),
        "sum": ("sum", "suma"),
        "result": ("result", "resultado"),
        "value": ("value", "valor"),
        "gradient": ("gradient", "gradiente"),
        "grad": ("grad", "grad"),
        "parameters": ("parameters", "parámetros"),
        "heat_map": ("heat map of the {name}", "mapa de calor: {name}"),
        "not_finite": ("not finite", "no finito"),
        "part": ("the first {shown} of {size} numbers", "los primeros {shown} de {size} números"),
        "unreached": (
            "no entry of the result depends on it: 0.0",
            "ningún elemento del resultado depende de él: 0.0",
        ),
        "rounding": ("up to rounding", "salvo redondeo"),
        "last_term": (
            "the last term: {count} smaller products together",
            "el último término: {count} productos menores juntos",
        ),
        # Numbers in short.
        "mean": ("mean", "media"),
        "all": ("all", "todos"),
        "true": ("{count} of {size} True", "{count} de {size} True"),
        "empty": ("empty", "vacío"),
        "no_finite": ("no finite element", "ningún elemento finito"),
        "lost": ("{count} not finite", "{count} no finitos"),
        "no_gradient": ("no gradient", "sin gradiente"),
        "changed": ("changed", "cambió"),
        "given": ("value", "valor"),
        "shared": ("shared", "compartido"),
        "held_by": ("held by {library}", "en {library}"),
        "one_chunk": ("1 chunk", "1 bloque"),
        "chunks": ("{count} chunks of {size}", "{count} bloques de {size}"),
        "tuple": ("tuple of {count}", "tupla de {count}"),
        "booleans": ("{count} booleans", "{count} booleanos"),
        "indices": ("{count} indices", "{count} índices"),
        # Boxes of several nodes, and frames.
        "operations": ("{count} operations", "{count} operaciones"),
        "with_leaf": ("with {count} leaf", "con {count} hoja"),
        "with_leaves": ("with {count} leaves", "con {count} hojas"),
        "others": ("{count} others", "{count} más"),
        "or": ("{one} or {other}", "{one} o {other}"),
        "number": ("number", "número"),
        "section.forward": ("forward", "hacia delante"),
        "section.backward": ("backward", "hacia atrás"),
        "section.update": ("update", "actualización"),
        "outside": ("outside of modules", "fuera de los módulos"),
        "graph_title": ("computation graph", "grafo computacional"),
        "graph_size": (
            "Computation graph of {nodes} and {edges}.",
            "Grafo computacional de {nodes} y {edges}.",
        ),
        "one_node": ("1 node", "1 nodo"),
        "all_nodes": ("{count} nodes", "{count} nodos"),
        "one_edge": ("1 edge", "1 arista"),
        "all_edges": ("{count} edges", "{count} aristas"),
    }
    | SENTENCES
    | NOTES
)


def word(key: str, **parts: object) -> str:
    """A word in the language that is spoken here, with parts put in.

    Examples
    --------
    >>> from autograd_lite.drawing.languages import speak, word
    >>> word("to", name="w"), word("mean")
    ('to w', 'mean')
    >>> with speak("es"):
    ...     word("to", name="w"), word("mean")
    ('a w', 'media')
    """
    text = WORDS[key][LANGUAGES.index(language.get())]
    return text.format(**parts) if parts else text


def all_words() -> dict[str, str]:
    """All words in the language that is spoken here, for the script of a page."""
    return {key: word(key) for key in WORDS if key not in SENTENCES | NOTES}


def spoken() -> str:
    """The language that is spoken here."""
    return language.get()


@contextmanager
def speak(chosen: str) -> Iterator[None]:
    """Have words in a language inside of a ``with`` block."""
    token = language.set(chosen)
    try:
        yield
    finally:
        language.reset(token)
