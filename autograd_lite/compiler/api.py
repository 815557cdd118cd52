"""Compiled functions: one program for each signature, checked, cached and called."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from pathlib import Path
from typing import Any, overload

from autograd_lite.compiler.codegen.export import module_text, write_module
from autograd_lite.compiler.executable import CompiledProgram, Statistics, is_array
from autograd_lite.compiler.frontend.captures import Captured
from autograd_lite.compiler.frontend.entry import entry_of
from autograd_lite.compiler.frontend.recording import Recorded, name_of, record_program
from autograd_lite.compiler.frontend.retrace import first_difference
from autograd_lite.compiler.frontend.signature import Arguments, signature_of
from autograd_lite.compiler.ir import Program
from autograd_lite.compiler.options import Options, blocking_of, check_backend
from autograd_lite.core import tree
from autograd_lite.core.errors import ArgumentValueError, CompileError
from autograd_lite.core.value import Value

__all__ = ["Compiled", "Statistics", "compile"]

Function = Callable[..., Any]


@contextmanager
def collecting_later() -> Iterator[None]:
    """A block without garbage collections: they would visit a growing graph again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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

    def __init__(self, function: Function, options: Options) -> None:
        self.function = function
        self.options = options
        self._programs: dict[Any, CompiledProgram] = {}
        self._last: CompiledProgram | None = None
        self._lock = threading.RLock()
        update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the program for these arguments, which is made if there is none yet."""
        program = self._last
        leaves = None if program is None else program.entry(args, kwargs)
        if program is None or leaves is None or not program.checked:
            leaves, key = signature_of(args, kwargs)
            if key is None:
                return self.function(*args, **kwargs)
            program = self._program_for(key, args, kwargs)
        else:
            program.check_captured()
        try:
            return program.run(leaves)
        except (ArithmeticError, ValueError):
            if not program.is_of_numbers:
                raise
            return self._on_values(args, kwargs)

    def _program_for(self, key: Any, args: Any, kwargs: Any) -> CompiledProgram:
        """The program of a signature, made if there is none; checked at the second call."""
        program = self._programs.get(key)
        if program is None:
            program = self._prepared(key, args, kwargs)
            program.check_captured()
        else:
            program.check_captured()
            if not program.checked:
                self._check_again(program, args, kwargs)
        self._last = program
        return program

    def _on_values(self, args: Any, kwargs: Any) -> Any:
        """Where Python's arithmetic refuses, as in 1/0: Values then compute in NumPy's."""
        args, kwargs = tree.map(
            lambda x: Value(x) if isinstance(x, (float, complex)) else x, (args, kwargs)
        )
        results = self.function(*args, **kwargs)
        return tree.map(lambda x: x.data if isinstance(x, Value) else x, results)

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.function)}, {len(self._programs)} programs>"

    def _prepared(self, key: Any, args: Any, kwargs: Any) -> CompiledProgram:
        with self._lock, collecting_later():
            if key in self._programs:
                return self._programs[key]
            captured = Captured(self.function)
            arguments = Arguments(self.function, args, kwargs)
            recorded = record_program(self.function, arguments, captured.generators)
            program = CompiledProgram(
                self.function,
                recorded,
                captured,
                self._donated(arguments, recorded),
                [(leaf.argument_name, leaf.expression) for leaf in arguments.variables],
                entry_of(args, kwargs),
                self.options,
            )
            while len(self._programs) >= self.options.cache_size:
                del self._programs[next(iter(self._programs))]
            self._programs[key] = program
            return program

    def _donated(self, arguments: Arguments, recorded: Recorded) -> list[int]:
        """Which of the program's inputs are donated, in the order of ``donate``."""
        places: dict[Any, list[int]] = {}
        for index, leaf in enumerate(arguments.variables):
            if is_array(leaf.value):
                places.setdefault(leaf.argument, []).append(index)
        first = len(recorded.program.inputs) - len(recorded.captured)
        for index, node in enumerate(recorded.captured, first):
            places[node] = [index] if is_array(node.data) else []
        donated = (x.node if isinstance(x, Value) else x for x in self.options.donate)
        return [index for part in donated for index in places.get(part, ())]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program that was used last to a Python module that needs NumPy only.

        The module has one function, of the same name and arguments, for arguments
        of the same nesting, shapes and dtypes; it refuses others.  Static arguments
        are left out: their values are part of the program, as are the numbers that
        captured Values have now.  Loops by Numba are written as calls of NumPy.

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
        used = self._used.in_numpy()
        name = getattr(self.function, "__name__", "program")
        used.backend.check_export(name)
        captured = [node.data for node, _ in used.outside]
        text = module_text(used.source, name, used.arguments, used.program.inputs, captured)
        return write_module(path, text)

    def _check_again(self, program: CompiledProgram, args: Any, kwargs: Any) -> None:
        """Trace once more, on the second call's data: what differs must not be a constant."""
        with self._lock, collecting_later():
            arguments = Arguments(self.function, args, kwargs)
            again = record_program(self.function, arguments, program.captured.generators)
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
        never.  By default blocks of an array take at most 128 KiB, from 32,768 elements on.
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
    options = Options(
        check=check,
        check_finite=check_finite,
        donate=donate if isinstance(donate, tuple) else (donate,),
        cache_size=cache_size,
        blocking=blocking_of(block, threads),
        backend=backend,
        cuda_graph=cuda_graph,
    )

    def make(function: Function) -> Compiled:
        return Compiled(function, options)

    return make if function is None else make(function)
