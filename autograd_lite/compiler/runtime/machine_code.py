"""From the text of a loop to a ufunc: machine code, which Numba makes once and processes share.

Numba takes about a second a loop, and half of one to be imported.  What it makes of a loop is
reduced to one function that calls nothing but the C library, and kept as an object file, so that
another process needs LLVM's linker and NumPy alone.  Nothing that is read from the disk is
unpickled (Numba's own cache, `numba.core.caching`, pickles its index and its entries).
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import threading
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import astuple, dataclass
from functools import cache
from hashlib import sha256
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd_lite.compiler.runtime import disk_cache, numba_math
from autograd_lite.compiler.runtime.background import answer, is_in_background
from autograd_lite.compiler.runtime.numba_math import loop_names, numba_module

__all__ = ["LoopCode", "environment", "serve", "ufunc_of"]

ENTRY = "loop"
"""The one symbol of an object file."""

DTYPES: dict[str, np.dtype[Any]] = {
    "float64": np.dtype(np.float64),
    "float32": np.dtype(np.float32),
    "boolean": np.dtype(np.bool_),
}
"""By Numba's names for numbers."""

compiling, linking = threading.RLock(), threading.RLock()
"""Held while Numba or LLVM work, so that no process is forked amid of it."""

if hasattr(os, "register_at_fork"):
    for lock in (linking, compiling):  # it begins with the last
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )

names_of_libraries = count()


@dataclass(frozen=True)
class LoopCode:
    """All that a loop is made of: two functions as text, and how NumPy calls the outer one."""

    inner: str
    """A function ``loop``, which ``outer`` calls by the name ``inner``."""
    outer: str
    """A function ``loop``, which NumPy calls."""
    types: tuple[str, ...]
    """Of its arguments, as Numba names them: ``float64[:, :]``."""
    result: str = "void"
    layout: str = ""
    """The axes of each argument, for a generalised ufunc: ``(m,n),(n)``."""
    writable: tuple[int, ...] = ()
    """The arguments that it writes into."""
    is_inlined: bool = True
    """Whether the inner function is put into the outer one before LLVM looks at either."""

    @property
    def signature(self) -> str:
        return f"{self.result}({', '.join(self.types)})"


@cache
def ufunc_of(code: LoopCode) -> Any:
    """The ufunc of a loop, as it was kept on disk or compiled now; the same one is made once."""
    surroundings = environment()
    key = repr((*astuple(code), surroundings)) if surroundings else None
    kept = kept_ufunc(code, key)
    if kept is not None:
        return kept
    if is_in_background():
        made = made_apart(code)
        ufunc = linked(code, made)
    else:
        with compiling:
            function = function_of(code)
            try:
                made = object_file(code, function)
                ufunc = linked(code, made)
            except Exception:  # inner parts of Numba's, which may change: its decorators stay
                return decorated(code, function)
    if key is not None:
        disk_cache.keep(key, made)
    return ufunc


def kept_ufunc(code: LoopCode, key: str | None) -> Any:
    """The ufunc of a loop that lies on disk; None if there is none, or no linker for it."""
    kept = None if key is None else disk_cache.look_up(key)
    if kept is not None:
        with suppress(Exception):
            return linked(code, kept)
    return None


SERVER = f"from {__name__} import serve; serve()"


def made_apart(code: LoopCode) -> bytes:
    """The object file of a loop, by an interpreter of its own."""
    return b64decode(answer(SERVER, json.dumps(astuple(code))), validate=True)


def serve() -> None:
    """Answer each line, a loop, by its object file; by nothing if that cannot be made."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        inner, outer, types, result, layout, writable, is_inlined = json.loads(line)
        code = LoopCode(inner, outer, tuple(types), result, layout, tuple(writable), is_inlined)
        data = b""
        with suppress(Exception):
            data = object_file(code, function_of(code))
        print(b64encode(data).decode(), file=answers, flush=True)


@cache
def environment() -> str:
    """All that machine code depends on besides the text; empty if it cannot be told."""
    spec = find_spec("numba")
    if spec is None or spec.origin is None:
        return ""
    try:
        from llvmlite import __version__, binding

        own = (
            Path(str(module.__file__)).read_bytes()
            for module in (numba_math, sys.modules[__name__])
        )
        versions = Path(spec.origin).with_name("_version.py").read_bytes()
        processor = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    except (ImportError, OSError, RuntimeError):
        return ""
    digest = sha256(b"\n".join([versions, *own])).hexdigest()
    python = sys.implementation.cache_tag, sys.platform, platform.machine()
    settings = sorted(x for x in os.environ.items() if x[0].startswith("NUMBA_"))
    return repr((digest, __version__, np.__version__, python, processor, settings))


def function_of(code: LoopCode) -> Any:
    """The outer function, in whose names the inner one is compiled."""
    names = loop_names()
    exec(code.inner, names)
    options = {"forceinline": True} if code.is_inlined else {}
    names["inner"] = numba_module().njit(error_model="numpy", **options)(names["loop"])
    exec(code.outer, names)
    return names["loop"]


def decorated(code: LoopCode, function: Any) -> Any:
    """The ufunc by what Numba offers for it, which lives in this process."""
    numba = numba_module()
    if code.layout:
        options = {"writable_args": code.writable}
        return numba.guvectorize([code.signature], code.layout, **options)(function).ufunc
    # What surrounds the ufunc takes three times as long to call.
    return numba.vectorize([code.signature])(function).ufunc


# Object files.


def object_file(code: LoopCode, function: Any) -> bytes:
    """The machine code of what NumPy calls, by Numba, without all that it does not need."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.np.ufunc import sigparse, ufuncbuilder, wrappers

    parse: Any = sigparse.parse_signature  # they have no types
    wrap: Any = wrappers
    dispatcher: Any = ufuncbuilder.UFuncDispatcher
    with global_compiler_lock:
        made = dispatcher(function).compile(code.signature, nopython=True)
        if code.layout:
            options = {"cache": False, "is_parfors": False}
            wrapper = wrap.build_gufunc_wrapper(function, made, *parse(code.layout), **options)
        else:
            wrapper = wrap.build_ufunc_wrapper(
                made.library,
                made.target_context,
                made.fndesc.llvm_func_name,
                made.signature,
                made.objectmode,
                made,
            )
        library = wrapper.library
        if library.has_dynamic_globals:
            raise ValueError("it holds addresses of this process")
        module = library._final_module.clone()
        reduce_to(module, wrapper.name, library._codegen._tm)
        return bytes(library._codegen._tm.emit_object(module))


def reduce_to(module: Any, name: str, machine: Any) -> None:
    """Leave what one function of a module needs; it cannot fail, so that ways out of it go too."""
    from llvmlite import binding

    for function in module.functions:
        if not function.is_declaration and function.name != name:
            function.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    function = module.get_function(name)
    function.linkage = "external"
    function.name = ENTRY
    passes = binding.create_new_module_pass_manager()
    if hasattr(passes, "add_ipsccp_pass"):
        passes.add_ipsccp_pass()
        passes.add_simplify_cfg_pass()
        passes.add_global_dead_code_eliminate_pass()
        options = binding.create_pipeline_tuning_options()
        passes.run(module, binding.create_pass_builder(machine, options))
    else:  # llvmlite 0.44, of Numba 0.61
        passes = binding.create_module_pass_manager()
        passes.add_ipsccp_pass()
        passes.add_cfg_simplification_pass()
        passes.add_global_dce_pass()
        passes.run(module)


def linked(code: LoopCode, data: bytes) -> Any:
    """The ufunc whose machine code an object file holds."""
    from llvmlite import binding

    library = binding.JITLibraryBuilder().add_object_img(data).add_current_process()
    with linking:
        tracker = library.export_symbol(ENTRY).link(linker(), f"loop{next(names_of_libraries)}")
    dtypes = [DTYPES[re.sub(r"\[.*", "", x)].num for x in code.types]
    shape: tuple[Any, ...] = (len(dtypes), 0)
    if code.layout:
        options: tuple[Any, ...] = (code.layout, code.writable)
    else:
        dtypes.append(DTYPES[code.result].num)
        shape, options = (len(code.types), 1), ()
    internal = ufuncs_of_numba()
    unordered = internal.PyUFunc_None
    # The last but the options is kept alive by the ufunc: without it the code would be unloaded.
    return internal.fromfunc(
        ENTRY, None, [tracker[ENTRY]], [dtypes], *shape, [None], [tracker], unordered, *options
    )


@cache
def linker() -> Any:
    """LLVM's linker, which says what is missing where others end the process."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    # The older of two linkers does not keep the parts of an object within reach of each other,
    # which ARM's instructions need; the newer one is not complete on Windows.
    is_arm = platform.machine().lower() in ("aarch64", "arm64")
    return binding.create_lljit_compiler(use_jit_link=is_arm, suppress_errors=True)


@cache
def ufuncs_of_numba() -> ModuleType:
    """The module in C with which Numba makes ufuncs, without the rest of Numba."""
    name = "numba.np.ufunc._internal"
    if name in sys.modules:
        return sys.modules[name]
    origin = find_spec("numba")
    assert origin is not None and origin.origin is not None
    folder = Path(origin.origin).parent.joinpath("np", "ufunc")
    spec = PathFinder.find_spec(name, [str(folder)])
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop(name, None)  # whoever imports Numba gets it as part of it
    return module
