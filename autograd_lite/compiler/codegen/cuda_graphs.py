"""The source of a CUDA graph: a function of buffers, made once, that the GPU repeats."""

from __future__ import annotations

import numpy as np

from autograd_lite.compiler.codegen.operations import OperationWriter
from autograd_lite.compiler.ir import Input
from autograd_lite.compiler.passes.groups import Graph
from autograd_lite.compiler.runtime.backend import CupyBackend

__all__ = ["write_graph"]


def write_graph(write: OperationWriter, graph: Graph) -> None:
    """Write ``graph1()``; arguments that it reads are copied into buffers of their own before."""
    emitter = write.emitter
    assert isinstance(emitter.backend, CupyBackend)
    with emitter.scope({x: given_buffer(write, x) for x in graph.inputs}) as lines:
        for operation in graph.operations:
            write.write(operation)
    name = emitter.fresh_numbered("graph")
    decorator = emitter.bind("replayed", "replayed", emitter.backend.replay)
    emitter.functions += [f"@{decorator}", f"def {name}():", *(f"    {x}" for x in lines), ""]
    emitter.lines.append(f"{name}()")


def given_buffer(write: OperationWriter, x: Input) -> str:
    """The buffer that an argument is copied into, once in a call."""
    emitter = write.emitter
    key = ("given", x)
    if key not in emitter.keys:
        name = emitter.name_once(key, f"{emitter.texts[x]}_given")
        emitter.prelude.append(f"{name} = {write.empty(x.type.shape, x.type.dtype)}")
        emitter.lines.append(f"{emitter.function(np.copyto)}({name}, {emitter.texts[x]})")
    return emitter.keys[key]
