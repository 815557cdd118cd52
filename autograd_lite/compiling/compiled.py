"""Compiled functions: one program for each signature, checked, cached and called."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any, overload

import numpy as np

from autograd_lite.compiling.blocks import available_threads
from autograd_lite.compiling.buffers import Plan, planned
from autograd_lite.compiling.captured import Captured
from autograd_lite.compiling.comparison import first_difference
from autograd_lite.compiling.fusion import fused
from autograd_lite.compiling.graphs import gathered, runs_of
from autograd_lite.compiling.library import Library
from autograd_lite.compiling.lowering import Form, lowering_of, lowerings_of
from autograd_lite.compiling.passes import simplified
from autograd_lite.compiling.program import Input, Program, Type
from autograd_lite.compiling.recording import Recorded, name_of, record_program
from autograd_lite.compiling.scalar_functions import numba_module
from autograd_lite.compiling.segments import UNCUT, Blocking, Segment, segmented
from autograd_lite.compiling.signature import leaf_expressions, leaf_names, signature_of
from autograd_lite.compiling.source import Source, written
from autograd_lite.compiling.standalone import module_text, write_module
from autograd_lite.duck_arrays import is_device_array
from autograd_lite.errors import ArgumentValueError, CompileError
from autograd_lite.nested import map_leaves
from autograd_lite.value import Value

__all__ = ["Compiled", "Statistics", "compile"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Statistics:
    """What a program costs, known before it runs."""

    operations: int
    """Operations recorded when the function was traced."""
    calls: int
    """Operations left after the passes."""
    buffers: int
    """Preallocated pieces of memory."""
    bytes: int
    """Their bytes."""
    peak: int
    """Those, and all that NumPy allocates during a call, results included."""


BACKENDS: dict[str, Callable[[Program], Program]] = {"numpy": lambda x: x, "numba": fused}
"""The last pass of each backend."""


class CompiledProgram:
    """The program for one signature, and the prepared functions that run it."""

    def __init__(
        self,
        function: Function,
        recorded: Recorded,
        captured: Captured,
        donated: Sequence[int],
        check_finite: bool,
        blocking: Blocking,
        arguments: Sequence[tuple[str, str]],
        backend: str,
        cuda_graph: bool,
    ) -> None:
        self.function = function
        self.recorded = recorded
        self.arguments = arguments
        self.captured = captured
        self.donated = donated
        self.library = recorded.library
        check_library(function, self.library, backend, cuda_graph)
        program = BACKENDS[backend](simplified(recorded.program))
        lowerings = lowerings_of(program, self.library)
        program = gathered(program, lowerings) if cuda_graph else program
        blocking = blocking if self.library.is_numpy else UNCUT
        self.program, segments = segmented(program, lowerings, blocking, bool(donated))
        given = [self.program.inputs[index] for index in self.donated]
        self.plan = planned(self.program, lowerings, given, segments, keep_results=cuda_graph)
        self.source = written(
            self.program,
            lowerings,
            self.plan,
            getattr(function, "__name__", "program"),
            recorded.result,
            check_finite,
            segments,
            self.library,
            runs_of(self.program, lowerings, self.plan) if cuda_graph else (),
        )
        self.stats = statistics(recorded.program, self.program, self.plan, segments)
        self.prepare = executed(self.source)
        self.idle: list[Function] = []
        given_by_caller = len(self.program.inputs) - len(recorded.captured)
        captured_inputs = self.program.inputs[given_by_caller:]
        self.outside = list(zip(recorded.captured, captured_inputs, strict=True))
        self.checked = False
        self.is_of_numbers = all(x.type.dtype is None for x in self.program.operations)

    def check_captured(self) -> None:
        change = self.captured.changed()
        if change is not None:
            raise CompileError(
                f"since {name_of(self.function)} was compiled, something that it captures has "
                f"changed: {change}; pass it as an argument, or call .clear() after a change"
            )

    def run(self, leaves: list[Any]) -> Any:
        """Run on the variable leaves of a call; each thread has buffers of its own."""
        for node, variable in self.outside:
            leaves.append(checked_captured(node.data, variable, self.function, self.library))
        leaves = self.library.given(leaves)
        if self.donated:
            check_donated(leaves, self.donated, self.program.inputs, self.library)
        try:
            prepared = self.idle.pop()
        except IndexError:
            prepared = self.prepare()
        try:
            return prepared(*leaves)
        finally:
            self.idle.append(prepared)


def check_library(function: Function, library: Library, backend: str, cuda_graph: bool) -> None:
    """Refuse options that go with other arrays than those that there are."""
    if cuda_graph and library.is_numpy:
        raise CompileError(
            f"{name_of(function)} is to run as CUDA graphs, but its arrays are NumPy's; "
            "pass arrays of CuPy, or leave cuda_graph=True out"
        )
    if backend == "numba" and not library.is_numpy:
        raise CompileError(
            f"{name_of(function)} is to run in loops of Numba, which work on arrays of NumPy, "
            f"but its arrays are those of {library.name}; leave backend='numba' out"
        )


def checked_captured(data: Any, variable: Input, function: Function, library: Library) -> Any:
    if Type.of(data) != variable.type:
        raise CompileError(
            f"{name_of(function)} was compiled for a captured Value {variable.name!r} of type "
            f"{variable.type}, which is now {Type.of(data)}; call .clear() after a change"
        )
    if is_device_array(data) and library.is_numpy:
        raise CompileError(
            f"{name_of(function)} was compiled for arrays of NumPy, but the captured Value "
            f"{variable.name!r} has moved to another library; call .clear() after a move"
        )
    return data


def check_donated(
    leaves: list[Any], donated: Sequence[int], inputs: Sequence[Input], library: Library
) -> None:
    """Refuse a donated array that is read-only, or whose memory another argument looks at."""
    sharing: dict[int, list[int]] = {}
    for index, leaf in enumerate(leaves):
        if is_array(leaf):
            sharing.setdefault(id(owner_of(leaf)), []).append(index)
    for index in donated:
        array = leaves[index]
        if library.is_numpy and not array.flags.writeable:
            raise ArgumentValueError(
                f"the donated argument {inputs[index].name!r} is read-only; "
                "pass a writable array, or do not donate it"
            )
        for other in sharing[id(owner_of(array))]:
            if other != index and library.own(np.may_share_memory)(array, leaves[other]):
                raise ArgumentValueError(
                    f"the donated argument {inputs[index].name!r} shares memory with "
                    f"{inputs[other].name!r}; pass a copy of one of them"
                )


def owner_of(array: Any) -> Any:
    """What holds the memory that an array looks at."""
    while is_array(array) and array.base is not None:
        array = array.base
    return array


def is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) or is_device_array(x)


def executed(source: Source) -> Function:
    """Run the text of a program; what it returns prepares buffers and a function to call."""
    names: dict[str, Any] = dict(source.names)
    exec("\n".join([*source.header, *source.body]), names)
    prepare: Function = names["prepare"]
    return prepare


def statistics(
    recorded: Program, program: Program, plan: Plan, segments: Sequence[Segment]
) -> Statistics:
    allocated = [x for x in program.operations if x not in plan.memory and x not in plan.donated]
    fixed = sum(memory.nbytes for memory in plan.pieces)
    fresh = sum(x.type.nbytes for x in allocated if lowering_of(x).form is not Form.VIEW)
    return Statistics(
        operations=len(recorded.operations),
        calls=sum(x not in plan.static for x in program.operations),
        buffers=len(plan.pieces),
        bytes=fixed,
        peak=fixed + fresh + max((scratch(segment, plan) for segment in segments), default=0),
    )


def scratch(segment: Segment, plan: Plan) -> int:
    """Bytes that the threads make for the blocks of a segment while it runs."""
    threads = min(segment.threads or available_threads(), segment.count)
    parts = sum(segment.count * x.type.nbytes for x in segment.reductions)
    return parts + threads * sum(memory.nbytes for memory in plan.pieces_of(segment))


class Compiled:
    """A function that runs as generated NumPy code; made by `compile`.

    Attributes
    ----------
    source : str
        The text of the program that was used last.
    stats : Statistics
        What it costs: operations, calls, buffers, bytes, peak memory.
    program : Program
        The operations that it consists of.
    """

    def __init__(
        self,
        function: Function,
        *,
        check: bool,
        check_finite: bool,
        donate: tuple[int | Value, ...],
        cache_size: int,
        blocking: Blocking,
        backend: str,
        cuda_graph: bool,
    ) -> None:
        self.function = function
        self.check = check
        self.check_finite = check_finite
        self.donate = donate
        self.cache_size = cache_size
        self.blocking = blocking
        self.backend = backend
        self.cuda_graph = cuda_graph
        self._programs: dict[Any, CompiledProgram] = {}
        self._last: CompiledProgram | None = None
        self._lock = threading.RLock()
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the program for these arguments, which is made if there is none yet."""
        leaves, key = signature_of(args, kwargs)
        if key is None:
            return self.function(*args, **kwargs)
        program = self._programs.get(key)
        if program is None:
            program = self._prepared(key, args, kwargs)
            program.check_captured()
        else:
            program.check_captured()
            if not program.checked:
                self._check_again(program, args, kwargs)
        self._last = program
        try:
            return program.run(leaves)
        except (ArithmeticError, ValueError):
            if not program.is_of_numbers:
                raise
            return self._on_values(args, kwargs)

    def _on_values(self, args: Any, kwargs: Any) -> Any:
        """Where Python's arithmetic refuses, as in 1/0: Values then compute in NumPy's."""
        args, kwargs = map_leaves(
            lambda x: Value(x) if isinstance(x, (float, complex)) else x, (args, kwargs)
        )
        results = self.function(*args, **kwargs)
        return map_leaves(lambda x: x.data if isinstance(x, Value) else x, results)

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.function)}, {len(self._programs)} programs>"

    def _prepared(self, key: Any, args: Any, kwargs: Any) -> CompiledProgram:
        with self._lock:
            if key in self._programs:
                return self._programs[key]
            captured = Captured(self.function)
            recorded = self._recorded(args, kwargs, captured)
            program = CompiledProgram(
                self.function,
                recorded,
                captured,
                self._donated(args, recorded),
                self.check_finite,
                self.blocking,
                leaf_expressions(self.function, args, kwargs),
                self.backend,
                self.cuda_graph,
            )
            program.checked = not self.check
            while len(self._programs) >= self.cache_size:
                del self._programs[next(iter(self._programs))]
            self._programs[key] = program
            return program

    def _recorded(self, args: Any, kwargs: Any, captured: Captured) -> Recorded:
        names = leaf_names(self.function, args, kwargs)
        return record_program(self.function, args, kwargs, names, captured.generators)

    def _donated(self, args: tuple[Any, ...], recorded: Recorded) -> list[int]:
        """Which of the program's inputs are donated, in the order of ``donate``."""
        places: dict[Any, list[int]] = {}
        start = 0
        for position, tree in enumerate(args):
            leaves, _ = signature_of((tree,), {})
            arrays = [i for i, leaf in enumerate(leaves, start) if is_array(leaf)]
            places[position] = arrays
            start += len(leaves)
        first = len(recorded.program.inputs) - len(recorded.captured)
        for index, value in enumerate(recorded.captured, first):
            places[value] = [index] if is_array(value.data) else []
        return [index for part in self.donate for index in places.get(part, ())]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program that was used last to a Python module that needs NumPy only.

        The module has one function, of the same name and arguments, for arguments
        of the same nesting, shapes and dtypes; it refuses others.  Static arguments
        are left out: their values are part of the program, as are the numbers that
        captured Values have now.

        Parameters
        ----------
        path
            The file to write: ``"step.py"``.  It is replaced at once, or not at all.

        Returns
        -------
        Path
            The file written.

        Raises
        ------
        CompileError
            If there is no program yet, or it calls what NumPy does not have: a
            primitive of your own, SciPy, a random generator, CuPy.

        Examples
        --------
        >>> import tempfile, numpy as np, autograd_lite as ag
        >>> def loss(x):
        ...     return np.sum(np.sin(x))
        >>> slope = ag.compile(ag.grad(loss))
        >>> _ = slope(np.zeros(3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     "autograd_lite" in slope.save(f"{folder}/slope.py").read_text().split("def ")[1]
        False
        """
        used = self._used
        name = getattr(self.function, "__name__", "program")
        if not used.library.is_numpy:
            raise CompileError(
                f"{name} was used last on arrays of {used.library.name}, and such a module has "
                "NumPy only; call it with arrays of NumPy before you save it"
            )
        captured = [node.data for node, _ in used.outside]
        text = module_text(used.source, name, used.arguments, used.program.inputs, captured)
        return write_module(path, text)

    def _check_again(self, program: CompiledProgram, args: Any, kwargs: Any) -> None:
        """Trace once more, on the second call's data: what differs must not be a constant."""
        with self._lock:
            again = self._recorded(args, kwargs, program.captured)
            difference = first_difference(program.recorded, again)
            if difference is not None:
                raise CompileError(
                    f"{name_of(self.function)} does not do the same at every call, so it cannot "
                    f"be compiled: {difference}; a number that was read out of a Value, a random "
                    "draw or a counter must come in as an argument (check=False skips this test)"
                )
            program.checked = True

    def clear(self) -> None:
        """Forget all programs; the next call traces the function anew."""
        with self._lock:
            self._programs.clear()
            self._last = None

    @property
    def _used(self) -> CompiledProgram:
        if self._last is None:
            raise CompileError(
                f"{name_of(self.function)} has no program yet; call it once with arguments "
                "of the types and shapes that it is for"
            )
        return self._last

    @property
    def source(self) -> str:
        return self._used.source.text

    @property
    def stats(self) -> Statistics:
        return self._used.stats

    @property
    def program(self) -> Program:
        return self._used.program


@overload
def compile(
    function: Function,
    *,
    check: bool = ...,
    check_finite: bool = ...,
    donate: int | Value | tuple[int | Value, ...] = ...,
    cache_size: int = ...,
    block: int | None = ...,
    threads: int | None = ...,
    backend: str = ...,
    cuda_graph: bool = ...,
) -> Compiled: ...
@overload
def compile(
    *,
    check: bool = ...,
    check_finite: bool = ...,
    donate: int | Value | tuple[int | Value, ...] = ...,
    cache_size: int = ...,
    block: int | None = ...,
    threads: int | None = ...,
    backend: str = ...,
    cuda_graph: bool = ...,
) -> Callable[[Function], Compiled]: ...
def compile(
    function: Function | None = None,
    *,
    check: bool = True,
    check_finite: bool = False,
    donate: int | Value | tuple[int | Value, ...] = (),
    cache_size: int = 64,
    block: int | None = None,
    threads: int | None = None,
    backend: str = "numpy",
    cuda_graph: bool = False,
) -> Compiled | Callable[[Function], Compiled]:
    """Turn a function of NumPy code, gradients included, into a straight-line NumPy program.

    The first call traces the function and generates the program; later calls
    run it.  There is one program for each signature: nesting, shapes and dtypes
    of the arguments, and the values of static ones (integers, strings, ...).
    Arrays, Python floats and complex numbers vary from call to call.

    Parameters
    ----------
    function
        Returns arrays and numbers, nested in any way.  It must do the same at
        every call: no Python branches on its arrays, no random draws, no
        changes of what it captures.  Works as a decorator, with or without
        options.
    check : bool
        Trace again at the second call and compare: a difference is an error.
    check_finite : bool
        Check every result for NaN and infinity; slow.
    donate : int or Value, or tuple of them
        Positions of arguments, and Values that the function captures, whose
        arrays may be overwritten with results, so that an update of parameters
        happens in place: each result goes over the first of its shape and dtype
        that is left, if the program has read that for the last time.
    cache_size : int
        How many programs are kept; the oldest goes first.
    block : int
        Chains of elementwise operations on arrays that have more elements than
        this run in blocks of so many elements, which stay in the cache; 0 for
        never.  By default blocks have 8,192 elements, from four blocks on.
    threads : int
        How many threads take blocks; by default one for each core that the
        process may use, where there is enough to do.  Results do not depend
        on it.
    backend : {"numpy", "numba"}
        "numba" computes several elementwise operations in one loop, compiled by
        Numba; the first call then takes seconds.  See docs/compile.md.
    cuda_graph : bool
        For arrays of CuPy: runs of elementwise functions and reductions become
        CUDA graphs, which the GPU repeats without Python.  ``donate`` then
        saves nothing.  See docs/scaling.md.

    Returns
    -------
    Compiled
        Called like the function, gives the same results to rounding, as arrays
        that belong to the caller.  Called with Values it calls the function.

    Raises
    ------
    MissingOptionError
        If Numba is asked for and not installed.
    CompileError
        At a call, if the function does something that no program can repeat,
        with the line that does it; or if a captured variable has changed.
    NonFiniteError
        With ``check_finite``, at the first operation that gives NaN or infinity.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> slope = ag.compile(ag.grad(lambda x: np.sum(np.sin(x))))
    >>> slope(np.array([0.0, np.pi]))
    array([ 1., -1.])
    >>> "cos1 = cos(x)" in slope.source
    True
    """
    check_backend(backend)
    if cuda_graph and check_finite:
        raise ArgumentValueError(
            "compile: check_finite=True looks at every result, and a CUDA graph shows none; "
            "leave one of the two out"
        )
    positions = donate if isinstance(donate, tuple) else (donate,)

    def make(function: Function) -> Compiled:
        return Compiled(
            function,
            check=check,
            check_finite=check_finite,
            donate=positions,
            cache_size=cache_size,
            blocking=blocking_of(block, threads),
            backend=backend,
            cuda_graph=cuda_graph,
        )

    return make if function is None else make(function)


def blocking_of(block: int | None, threads: int | None) -> Blocking:
    if threads is not None and threads < 1:
        raise ArgumentValueError(f"compile: threads={threads}; pass 1 or more, or leave it out")
    if block is None:
        return Blocking(threads=threads)
    if block < 0:
        raise ArgumentValueError(f"compile: block={block}; pass 1 or more, or 0 for no blocks")
    return Blocking(block, block + 1 if block else sys.maxsize, threads)


def check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise ArgumentValueError(
            f"compile: backend={backend!r} is unknown; pass {' or '.join(map(repr, BACKENDS))}"
        )
    if backend == "numba":
        numba_module()
