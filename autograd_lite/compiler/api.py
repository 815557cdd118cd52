"""Compiled functions: one program for each signature, checked, cached and called."""

from __future__ import annotations

import gc
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import update_wrapper
from pathlib import Path
from types import MethodType
from typing import Any, Generic, ParamSpec, TypedDict, Unpack, overload

import numpy as np

from autograd_lite.compiler.codegen.export import module_text, write_module
from autograd_lite.compiler.executable import (
    CompiledProgram,
    Specialization,
    Statistics,
    check_unchanged,
    check_watched,
    is_array,
)
from autograd_lite.compiler.frontend.entry import entry_of
from autograd_lite.compiler.frontend.recorded import Recorded
from autograd_lite.compiler.frontend.recording import RandomStates, name_of, record_program
from autograd_lite.compiler.frontend.retrace import first_difference
from autograd_lite.compiler.frontend.signature import (
    Arguments,
    described,
    first_change,
    signature_of,
    strides_of,
)
from autograd_lite.compiler.frontend.tracing import from_engine
from autograd_lite.compiler.frontend.verification import (
    SECOND,
    Contents,
    Outcome,
    UnsteadyError,
    coarsest_epsilon,
    fails_on_arrays,
    outcome_of,
    own,
    record_again,
    run_as_it_is,
    verify,
)
from autograd_lite.compiler.ir import Program
from autograd_lite.compiler.options import (
    Backend,
    Options,
    blocking_of,
    check_backend,
    check_cache_size,
    check_donate,
    check_flags,
)
from autograd_lite.compiler.passes.inline import transparent_functions
from autograd_lite.compiler.tiers import TieredProgram
from autograd_lite.compiler.validation import Validation
from autograd_lite.core import tree
from autograd_lite.core.errors import (
    ArgumentValueError,
    AutogradError,
    CompileError,
    RecompileWarning,
)
from autograd_lite.core.value import Value
from autograd_lite.transforms.captures import Captured

__all__ = ["Compiled", "Statistics", "compile"]

Function = Callable[..., Any]
P = ParamSpec("P")


def rebuilt(function: Function, options: Options, kind: type[Compiled[...]]) -> Compiled[...]:
    """A compiled function as it was pickled, without its programs."""
    return kind(function, options)


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


MOST_IN_A_ROW = 8
"""Programs that are made at call after call before somebody is told."""


class Log:
    """Why programs were made, and how many in a row."""

    def __init__(self, first: str = "it was called for the first time") -> None:
        self.reasons: list[str] = []
        self.first = first
        self.before: dict[str, str] = {}
        self.in_a_row = 0
        self.has_warned = False

    def note(self, name: str, now: dict[str, str], was_reused: bool) -> None:
        """Note a program for such arguments; warn once where each call has one of its own."""
        argument, reason = first_change(self.before, now) if self.reasons else ("", self.first)
        self.reasons.append(reason)
        self.before = now
        self.in_a_row = 1 if was_reused else self.in_a_row + 1
        if self.in_a_row > MOST_IN_A_ROW and not self.has_warned:
            self.has_warned = True
            what = f"the argument {argument!r}" if argument else "what it is called with"
            warnings.warn(
                f"{name} was compiled {self.in_a_row} times in a row, because {what} changes from "
                f"call to call: {reason}; pass numbers as floats or arrays, and arrays of one "
                "shape (padded), or call the function without ag.compile",
                RecompileWarning,
                stacklevel=frames_to_user(),
            )


def frames_to_user() -> int:
    """How many frames up from its caller the code is that called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and from_engine(frame):
        frame, level = frame.f_back, level + 1
    return level


class Compiled(Generic[P]):
    """A function that runs as generated NumPy code; made by `compile`.

    Attributes
    ----------
    source : str
        The text of the program that was used last.
    stats : Statistics
        What it costs: operations, calls, buffers, bytes, peak memory; how many programs were
        made, and why each.
    program : Program
        The operations that it consists of.
    validation : Validation
        What was checked while it was made, with ``validate=True``.
    """

    def __init__(self, function: Callable[P, Any], options: Options) -> None:
        self.function = function
        self.options = options
        self._programs: dict[Any, CompiledProgram] = {}
        self._by_layout: set[Any] = set()
        """Signatures of programs that write in place: for each, one program for each layout."""
        self._last: CompiledProgram | None = None
        self._lock = threading.RLock()
        self._log = Log()
        # The attributes of the function stay its own: a name of ours might be among them.
        update_wrapper(self, function, updated=())

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Call the program for these arguments, which is made if there is none yet."""
        program = self._last
        leaves = None if program is None else program.entry(args, kwargs)
        if program is None or leaves is None:
            leaves, key = signature_of(args, kwargs)
            if key is None:
                return self.function(*args, **kwargs)
            program = self._program_for(key, leaves, args, kwargs)
        else:
            program.check_captured()
        program.calls += 1
        if program.calls >= program.next_check:
            return self._verified(program, leaves, args, kwargs)
        states = program.random_states() if program.generators else None
        try:
            return program.run(leaves)
        except (ArithmeticError, ValueError, Warning) as error:
            return self._as_it_is(program, states, error, args, kwargs)

    def _run(self, program: CompiledProgram, leaves: list[Any], args: Any, kwargs: Any) -> Any:
        states = program.random_states() if program.generators else None
        try:
            return program.run(leaves)
        except (ArithmeticError, ValueError, Warning) as error:
            return self._as_it_is(program, states, error, args, kwargs)

    def _as_it_is(
        self, program: CompiledProgram, states: Any, error: Exception, args: Any, kwargs: Any
    ) -> Any:
        """What the function itself gives, which may catch what its program has raised."""
        if program.donated or isinstance(error, AutogradError):
            raise error
        return run_as_it_is(self.function, args, kwargs, states or RandomStates([]))

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method of a class, it is called with the object that it belongs to."""
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        """Pickled as the function and its options; programs are made anew where it is loaded."""
        return rebuilt, (self.function, self.options, type(self))

    def _program_for(self, key: Any, leaves: list[Any], args: Any, kwargs: Any) -> CompiledProgram:
        """The program of a signature, made if there is none."""
        layout = tuple(map(strides_of, leaves))
        program = self._programs.get((key, layout) if key in self._by_layout else key)
        if program is None:
            program = self._prepared(key, layout, args, kwargs)
        program.check_captured()
        self._last = program
        return program

    def _verified(self, program: CompiledProgram, leaves: list[Any], args: Any, kwargs: Any) -> Any:
        """A call at which it is seen whether the function still does what the program does.

        The second one is traced again, on other numbers; later ones also run the function.
        """
        calls = program.calls
        is_traced = program.next_check == SECOND or not program.compares_numbers
        if is_traced:
            if calls >= SECOND:
                self._trace_again(program, args, kwargs)
            program.plan_next_check()
            return self._run(program, leaves, args, kwargs)

        states = program.random_states()
        donated = Contents(program.donated_arrays(leaves))

        def run(change: Callable[[Any], Any]) -> Outcome:
            with states.again(), donated.again():
                given = tree.map(lambda x: change(own(x)), (args, kwargs))
                return outcome_of(self.function, given[0], given[1], states)

        expected = run(lambda x: x)
        result = self._run(program, leaves, args, kwargs)
        try:
            epsilon = coarsest_epsilon(program.recorded.program)
            verify(name_of(self.function), calls, result, expected, run, epsilon)
        except CompileError as error:  # whoever goes on without a program begins where it began
            states.restore()
            donated.restore()
            if isinstance(error, UnsteadyError):
                self._trace_again(program, args, kwargs)  # names what differs, if it can be seen
            raise
        program.plan_next_check()
        return result

    def __repr__(self) -> str:
        return f"<compiled {name_of(self.function)}, {len(self._programs)} programs>"

    def _prepared(self, key: Any, layout: Any, args: Any, kwargs: Any) -> CompiledProgram:
        with self._lock, collecting_later():
            for known in (key, (key, layout)):
                if known in self._programs:
                    return self._programs[known]
            arguments = Arguments(self.function, args, kwargs)
            captured = Captured([self.function, *arguments.static])
            recorded = self._recorded(arguments, captured)
            check_unchanged(self.function, captured)
            captured.settle(
                transparent_functions(recorded.program), recorded.captured, recorded.read
            )
            check_watched(self.function, captured)
            specialization = Specialization(
                self.function,
                recorded,
                captured,
                donated=self._donated(arguments, recorded),
                arguments=[(leaf.argument_name, leaf.expression) for leaf in arguments.variables],
                entry=entry_of(args, kwargs, recorded.by_layout),
                options=self.options,
            )
            kind = TieredProgram if self.options.tiered else CompiledProgram
            program = kind(specialization)
            if recorded.by_layout:
                self._by_layout.add(key)
                key = (key, layout)
            while len(self._programs) >= self.options.cache_size:
                del self._programs[next(iter(self._programs))]
            self._programs[key] = program
            was_reused = self._last is not None and self._last.calls > 1
            described_now = described(arguments, recorded.by_layout)
            self._log.note(name_of(self.function), described_now, was_reused)
            return program

    def _recorded(self, arguments: Arguments, captured: Captured) -> Recorded:
        """A trace; what only Values make a function raise is refused by name."""
        generators = captured.generators
        try:
            return record_program(self.function, arguments, generators)
        except CompileError:
            raise
        except Exception as error:
            kinds = AttributeError | TypeError | ValueError
            is_of_values = isinstance(error, kinds) and not isinstance(error, AutogradError)
            looks = is_of_values or generators
            given = (arguments.args, arguments.kwargs, generators)
            if (looks and fails_on_arrays(self.function, *given, error)) or not is_of_values:
                raise
            raise CompileError(
                f"{name_of(self.function)} raised {type(error).__name__} ({error}) while it was "
                "traced, and does not with plain arrays: something in it takes arrays and numbers "
                "only; compute with functions of NumPy, or write an ag.primitive of your own"
            ) from error

    def _donated(self, arguments: Arguments, recorded: Recorded) -> list[int]:
        """Which of the program's inputs are donated, in the order of ``donate``."""
        places: dict[Any, list[int]] = {}
        for index, leaf in enumerate(arguments.variables):
            if is_array(leaf.value):
                places.setdefault(leaf.argument, []).append(index)
        first = len(recorded.program.inputs) - len(recorded.captured)
        for index, node in enumerate(recorded.captured, first):
            places[node] = [index] if is_array(node.data) else []
        donated = [x.node if isinstance(x, Value) else x for x in self.options.donate]
        used = {leaf.argument for leaf in arguments.leaves} | set(range(len(arguments.args)))
        for place, given in zip(donated, self.options.donate, strict=True):
            if place not in places and place not in used:
                what = f"argument {place}" if isinstance(place, int) else repr(given)
                raise ArgumentValueError(
                    f"donate: {name_of(self.function)} was called without {what}, or does not use "
                    "it; name positions of arguments, and Values that the function captures"
                )
        return [index for part in donated for index in places.get(part, ())]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the program that was used last to a Python module that needs NumPy only.

        The module has one function, of the same name, arguments and defaults, for arguments
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
        if used.recorded.reads_order:
            raise CompileError(
                f'{name} reads arrays in the order in which they lie in memory (order="A" or "K"), '
                'and such a module takes them in any; write order="C" or order="F"'
            )
        captured = [handle.node.data for handle, _ in used.outside]
        inputs = used.program.inputs
        text = module_text(used.source, name, used.arguments, inputs, captured, self.function)
        return write_module(path, text)

    def _trace_again(self, program: CompiledProgram, args: Any, kwargs: Any) -> None:
        """Trace once more, on other numbers: what differs must not be a constant."""
        with self._lock, collecting_later():
            arguments = Arguments(self.function, args, kwargs)
            try:
                again = record_again(self.function, arguments, program.captured.generators)
            except Exception as error:
                if program.generators and not isinstance(error, CompileError):
                    fails_on_arrays(self.function, args, kwargs, program.generators, error)
                raise
            difference = first_difference(program.recorded, again)
            if difference is not None:
                raise CompileError(
                    f"{name_of(self.function)} does not do the same at every call, so it cannot "
                    f"be compiled: {difference}; a number that was read out of a Value, a random "
                    "draw or a counter must come in as an argument (check=False skips this test)"
                )

    def clear(self) -> None:
        """Forget all programs; the next call traces the function anew."""
        with self._lock:
            self._programs.clear()
            self._by_layout.clear()
            self._last = None
            self._log = Log("it was cleared")

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
        reasons = tuple(self._log.reasons)
        return replace(self._used.stats, programs=len(reasons), reasons=reasons)

    @property
    def program(self) -> Program:
        return self._used.program

    @property
    def validation(self) -> Validation:
        if self._used.validation is None:
            raise CompileError(
                f"{name_of(self.function)} was compiled without validation; write "
                "ag.compile(..., validate=True)"
            )
        return self._used.validation


class CompileOptions(TypedDict, total=False):
    """The options of `compile`, for type checkers."""

    check: bool
    check_finite: bool
    donate: int | Value | tuple[int | Value, ...]
    cache_size: int
    block: int | None
    threads: int | None
    backend: Backend
    cuda_graph: bool
    validate: bool


@overload
def compile(function: np.ufunc, **options: Unpack[CompileOptions]) -> Compiled[...]: ...
@overload
def compile(function: Callable[P, Any], **options: Unpack[CompileOptions]) -> Compiled[P]: ...
@overload
def compile(**options: Unpack[CompileOptions]) -> Callable[[Callable[P, Any]], Compiled[P]]: ...
def compile(
    function: Function | None = None,
    *,
    check: bool = True,
    check_finite: bool = False,
    donate: int | Value | tuple[int | Value, ...] = (),
    cache_size: int = 64,
    block: int | None = None,
    threads: int | None = None,
    backend: Backend = "numpy",
    cuda_graph: bool = False,
    validate: bool = False,
) -> Compiled[...] | Callable[[Function], Compiled[...]]:
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
        Trace again at the second call, and run the function beside its program at calls 1, 4,
        8, 16, ...: a difference is an error.  See docs/compile.md.
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
    backend : {"numpy", "numba", "auto"}
        "numba" computes several elementwise operations in one loop, compiled by
        Numba; the first call then takes seconds, unless the loops are on disk.
        "auto" runs calls of NumPy until such loops are compiled in the background,
        agree with them and are quicker; where there is no Numba, it is "numpy".
        See docs/compile.md.
    cuda_graph : bool
        For arrays of CuPy: runs of elementwise functions and reductions become
        CUDA graphs, which the GPU repeats without Python.  ``donate`` then
        saves nothing.  See docs/scaling.md.
    validate : bool
        Check after each pass of the compiler that the program still computes what was
        recorded, on random and special numbers; ``print(compiled.validation)`` shows what
        was checked.  Compiling then takes several times as long.

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
    ArgumentValueError, ArgumentTypeError
        If an option is none of those.

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
    check_flags(check=check, check_finite=check_finite, cuda_graph=cuda_graph, validate=validate)
    if cuda_graph and check_finite:
        raise ArgumentValueError(
            "compile: check_finite=True looks at every result, and a CUDA graph shows none; "
            "leave one of the two out"
        )
    check_cache_size(cache_size)
    given = donate if isinstance(donate, tuple) else (donate,)
    check_donate(given)
    options = Options(
        check=check,
        check_finite=check_finite,
        donate=given,
        cache_size=cache_size,
        blocking=blocking_of(block, threads),
        backend=backend,
        cuda_graph=cuda_graph,
        validate=validate,
    )

    def make(function: Function) -> Compiled[...]:
        return Compiled(function, options)

    return make if function is None else make(function)
