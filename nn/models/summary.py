"""What a model is made of, as a table; see ``Module.summary``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial, update_wrapper
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import host_array

__all__ = ["LayerSummary", "Summary", "summarize"]


@dataclass(frozen=True)
class LayerSummary:
    """One line of the table: a module that holds parameters of its own, or no others.

    A parameter that several share counts for the first of them.

    Attributes
    ----------
    name : str
        Its dotted name in the model.
    layer : str
        As ``repr`` shows it.
    shape : tuple of int or None
        Of its output, for one sample; None if no example was given.
    parameters : int
        The numbers that are trained in it.
    memory : int
        The bytes of its parameters, buffers, and of its output for one sample.

    Examples
    --------
    >>> import nn
    >>> nn.MLP(4, [8, 3]).summary().layers[0]
    LayerSummary(name='0', layer='Linear(4, 8)', shape=None, parameters=40, memory=320)
    """

    name: str
    layer: str
    shape: tuple[int, ...] | None
    parameters: int
    memory: int


@dataclass(frozen=True)
class Summary:
    """The lines of a summary, its ``layers``; ``str`` makes the table.

    Examples
    --------
    >>> import nn
    >>> nn.MLP(4, [8, 3]).summary().parameters
    67
    """

    layers: list[LayerSummary]

    @property
    def parameters(self) -> int:
        """The numbers that are trained, in all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def memory(self) -> int:
        """The bytes of parameters, buffers and outputs for one sample, in all layers."""
        return sum(layer.memory for layer in self.layers)

    def __str__(self) -> str:
        rows = [("name", "layer", "output shape", "parameters", "memory")]
        rows += [
            (
                line.name,
                line.layer,
                "" if line.shape is None else str(("n", *line.shape)).replace("'", ""),
                f"{line.parameters:,}",
                f"{line.memory:,} B",
            )
            for line in self.layers
        ]
        rows.append(("total", "", "", f"{self.parameters:,}", f"{self.memory:,} B"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if index > 2 else cell.ljust(width)
                for index, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        rule = "-" * max(map(len, lines))
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    __repr__ = __str__


def summarize(model: Any, x: Any = None) -> Summary:
    """The summary of a module, with shapes of outputs if there is an input to find them from."""
    outputs = {} if x is None else sizes_of_outputs(model, x)
    lines = []
    counted: set[int] = set()
    for name, module in model.named_modules():
        members = [member for _, member in module.members()]
        own = [p for p in members if isinstance(p, ag.Value) and id(p) not in counted]
        counted |= {id(p) for p in own}
        buffers = [getattr(module, attribute) for attribute in module.buffers]
        holds_modules = any(not isinstance(member, ag.Value) for member in members)
        if holds_modules and not own:
            continue
        held = sum(p.size * p.dtype.itemsize for p in own)
        held += sum(b.size * b.dtype.itemsize for b in buffers if b is not None)
        shape, size = outputs.get(id(module), (None, 0))
        layer = type(module).__name__ if holds_modules else repr(module)
        trained = sum(p.size for p in own if p.requires_grad)
        lines.append(LayerSummary(name, layer, shape, trained, held + size))
    return Summary(lines)


def sizes_of_outputs(model: Any, x: Any) -> dict[int, tuple[tuple[int, ...], int]]:
    """Shape and bytes of each module's output for one sample, by the module's identity.

    While the model is called, ``forward`` of each module is one that records its output.
    """
    sizes: dict[int, tuple[tuple[int, ...], int]] = {}
    modules = [(module, dict(vars(module))) for _, module in model.named_modules()]

    def record(module: Any, forward: Any, *inputs: Any, **named: Any) -> Any:
        out = forward(*inputs, **named)
        if hasattr(out, "shape"):
            shape = tuple(out.shape[1:])
            sizes[id(module)] = shape, int(np.prod(shape)) * out.dtype.itemsize
        return out

    named = {n: host_array(part)[:1] for n, part in x.items()} if isinstance(x, dict) else {}
    parts = () if named else x if isinstance(x, tuple) else (x,)
    sample = [host_array(part)[:1] for part in parts]
    try:
        for module, _ in modules:
            recording = partial(record, module, module.forward)
            module.forward = update_wrapper(recording, module.forward)
        model.eval()
        with ag.no_grad():
            model(*sample, **named)
    finally:
        for module, before in modules:
            for name in ("forward", "training"):  # some have their own
                vars(module).pop(name, None)
                if name in before:
                    vars(module)[name] = before[name]
    return sizes
