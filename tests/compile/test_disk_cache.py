"""Loops on disk: found again by other processes, and never anything but what was compiled."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.runtime import disk_cache, machine_code
from autograd_lite.compiler.runtime.background import do_later
from autograd_lite.compiler.runtime.disk_cache import VARIABLE, keep, location, look_up, name_of
from autograd_lite.compiler.runtime.machine_code import LoopCode, ufunc_of

pytest.importorskip("numba")

posix = pytest.mark.skipif(os.name != "posix", reason="files have no owners here")

X = np.linspace(-2.0, 2.0, 9)

TWICE = LoopCode(
    "def loop(x1):\n    v1 = float64(tanh(x1))\n    return v1 * 2.0",
    "def loop(x1): return inner(x1)",
    ("float64",),
    "float64",
)

PROGRAM = """
import hashlib, sys
import numpy as np
import autograd_lite as ag

def f(x, rate):
    y = x - rate * np.tanh(x)
    return y, np.exp(y) * 2.0

x = np.linspace(-1.0, 2.0, 8192).reshape(64, 128)
results = ag.compile(f, backend="numba", check=False)(x, 0.5)
for mine, wanted in zip(results, f(x, 0.5)):
    np.testing.assert_allclose(mine, wanted, rtol=1e-13)
digest = hashlib.sha256(b"".join(y.tobytes() for y in results)).hexdigest()
print(digest, "numba" in sys.modules)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of its own, in a process that remembers no loop and compiles none any more."""
    done = threading.Event()
    do_later(done.set)
    assert done.wait(300)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    ufunc_of.cache_clear()
    yield tmp_path / "kept"
    ufunc_of.cache_clear()


def entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


def started(text: str = PROGRAM, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", text],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> list[str]:
    """The words that a process has printed."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.split()


def twice_is_right() -> None:
    np.testing.assert_allclose(ufunc_of(TWICE)(X), 2 * np.tanh(X), rtol=1e-15)


def compiled_and_forgotten(folder: Path) -> Path:
    """The file of a loop that this process does not remember."""
    twice_is_right()
    ufunc_of.cache_clear()
    (file,) = entries(folder)
    return file


# Found again.


def test_another_process_needs_neither_numba_nor_its_compiler(folder):
    first, numba_was_there = ended(started())
    assert numba_was_there == "True"
    kept = entries(folder)
    assert kept
    again, numba_was_there = ended(started())
    assert numba_was_there == "False"
    assert again == first  # to the last bit
    assert entries(folder) == kept


def test_a_loop_that_is_known_is_not_compiled(folder, monkeypatch):
    compiled_and_forgotten(folder)
    monkeypatch.setattr(machine_code, "function_of", None)
    twice_is_right()


def test_nothing_is_unpickled(folder, monkeypatch):
    header, _, data = compiled_and_forgotten(folder).read_bytes().partition(b"\n")
    assert set(json.loads(header)) == {"format", "made for", "bytes", "sha256"}
    assert b"numba_unpickle" not in data
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.delattr(pickle, name)
    twice_is_right()


@posix
def test_only_the_user_can_read_or_write_what_is_kept(folder):
    before = os.umask(0)
    try:
        file = compiled_and_forgotten(folder)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_loops_that_write_into_their_arguments(folder, monkeypatch):
    def f(x, y, rate):
        mean = x + rate * (y - x)
        return mean, y - mean / (np.sqrt(mean * mean) + 1.0)

    rng = np.random.default_rng(0)
    given = rng.uniform(0.5, 1.5, (2, 96, 64)).astype(np.float32)
    found = []
    for _ in range(2):
        compiled = ag.compile(f, backend="numba", donate=(0, 1), check=False)
        x, y = given.copy()
        found.append([z.tobytes() for z in compiled(x, y, 0.5)])
        assert found[-1][0] == x.tobytes()
        ufunc_of.cache_clear()
        monkeypatch.setattr(machine_code, "function_of", None)
    assert found[0] == found[1]


def test_loops_that_are_compiled_whole(folder, monkeypatch):
    def f(xs):
        def step(h, x):
            h = np.tanh(h * 0.5 + x @ np.ones((3, 3)))
            return h, h

        return ag.scan(step, np.zeros(3), xs)[1]

    xs = np.linspace(-1, 1, 30).reshape(10, 3)
    for _ in range(2):
        np.testing.assert_allclose(ag.compile(f, backend="numba")(xs), f(xs), rtol=1e-13)
        ufunc_of.cache_clear()
        monkeypatch.setattr(machine_code, "function_of", None)


# Where it lies.


def test_where_it_lies(monkeypatch, tmp_path):
    assert location() == tmp_path / "kept"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert location() == tmp_path / ".cache" / "autograd_lite"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert location() == tmp_path / ".cache" / "autograd_lite"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert location() == tmp_path / "xdg" / "autograd_lite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(sys, "platform", "darwin")
    assert location() == tmp_path / "Library" / "Caches" / "autograd_lite"


@pytest.mark.parametrize("off", ["off", "0", ""])
def test_it_can_be_switched_off(off, folder, monkeypatch):
    monkeypatch.setenv(VARIABLE, off)
    twice_is_right()
    assert not entries(folder)
    assert location() is None


# What is not to be trusted.


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGES = {
    "a bit of the code": lambda data: flipped(data, len(data) - 500),
    "the last bit": lambda data: flipped(data, len(data) - 1),
    "a bit of the header": lambda data: flipped(data, 40),
    "the first bit": lambda data: flipped(data, 0),
    "half of it": lambda data: data[: len(data) // 2],
    "the header alone": lambda data: data[: data.index(b"\n") + 1],
    "something behind it": lambda data: data + b"\0",
    "nothing": lambda data: b"",
    "a pickle": lambda data: pickle.dumps(data),
    "another version's": lambda data: data.replace(b'"format": 1', b'"format": 0'),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_was_tampered_with_is_compiled_anew(damage, folder):
    file = compiled_and_forgotten(folder)
    sound = file.read_bytes()
    file.write_bytes(damage(sound))
    twice_is_right()
    assert entries(folder) == [file]
    key = json.loads(file.read_bytes().partition(b"\n")[0])["made for"]
    assert look_up(key) is not None  # it was replaced


def test_what_was_made_for_something_else_is_not_taken(folder, monkeypatch):
    file = compiled_and_forgotten(folder)
    monkeypatch.setattr(machine_code, "environment", lambda: "another version of Numba's")
    twice_is_right()
    (other,) = (x for x in entries(folder) if x != file)
    other.write_bytes(file.read_bytes())  # under the name of another
    ufunc_of.cache_clear()
    twice_is_right()
    assert other.read_bytes() != file.read_bytes()


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x7fELF" + bytes(200)])
def test_what_has_a_checksum_and_is_no_code_is_compiled_anew(content, folder):
    file = compiled_and_forgotten(folder)
    sound = file.read_bytes()
    key = json.loads(sound.partition(b"\n")[0])["made for"]
    keep(key, content)
    assert look_up(key) == content
    twice_is_right()
    assert look_up(key) not in (None, content)


def test_code_that_needs_what_is_not_there_is_no_code(folder):
    from llvmlite import binding

    machine_code.linker()
    machine = binding.Target.from_default_triple().create_target_machine()
    module = binding.parse_assembly(
        "declare void @no_such_function()\n"
        "define void @loop() {\n"
        "  call void @no_such_function()\n  ret void\n}"
    )
    file = compiled_and_forgotten(folder)
    key = json.loads(file.read_bytes().partition(b"\n")[0])["made for"]
    keep(key, machine.emit_object(module))
    twice_is_right()


@posix
def test_a_folder_that_others_may_write_to_is_not_used(folder):
    file = compiled_and_forgotten(folder)
    key = json.loads(file.read_bytes().partition(b"\n")[0])["made for"]
    for mode in (0o720, 0o702, 0o777):
        folder.chmod(mode)
        assert look_up(key) is None
        keep("key", b"content")
        assert entries(folder) == [file]
    folder.chmod(0o755)  # who may read does no harm
    assert look_up(key) is not None


@posix
def test_what_belongs_to_another_user_is_not_used(folder, monkeypatch):
    keep("key", b"content")
    assert look_up("key") == b"content"
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert look_up("key") is None
    keep("other", b"content")
    assert len(entries(folder)) == 1


@posix
def test_only_files_are_read_and_only_those_that_are_ones_own(folder, tmp_path):
    keep("key", b"content")
    (file,) = entries(folder)
    file.chmod(0o620)
    assert look_up("key") is None
    file.chmod(0o600)
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert look_up("key") is None
    file.unlink()
    os.mkfifo(file)
    assert look_up("key") is None  # nor is it waited for
    file.unlink()
    file.mkdir()
    assert look_up("key") is None
    keep("key", b"content")
    twice_is_right()


# What the file system refuses.


def test_a_home_that_cannot_be_written_to(folder, monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"no folder")
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/below")):
        monkeypatch.setenv(VARIABLE, str(place))
        ufunc_of.cache_clear()
        twice_is_right()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("HOME", "nowhere")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    ufunc_of.cache_clear()
    twice_is_right()


def test_folders_that_can_be_read_only(folder, monkeypatch):
    compiled_and_forgotten(folder)

    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(30, "Read-only file system")

    for name in ("utime", "mkdir", "replace"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(machine_code, "function_of", None)
    twice_is_right()  # it is found
    monkeypatch.undo()
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr(os, "replace", refuse)
    keep("key", b"content")
    assert len(entries(folder)) == 1  # and nothing is left of what could not be written


@posix
def test_a_disk_that_is_full(folder):
    """No file may grow beyond 1,000 bytes: what is written first fits, and all of it does not."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    ended(started(limit + PROGRAM))
    assert entries(folder) == []


@posix
def test_a_process_that_is_killed_while_it_writes(folder):
    suicide = "import os; os.fsync = lambda _: os.kill(os.getpid(), 9)\n"
    process = started(suicide + PROGRAM)
    process.communicate(timeout=300)
    assert process.returncode == -9
    (half,) = entries(folder)
    assert half.name.startswith(".")
    digest, _ = ended(started())
    assert ended(started()) == [digest, "False"]
    assert half in entries(folder)  # it might be another process's that is still at work
    os.utime(half, (0, 0))
    keep("key", b"content")
    assert half not in entries(folder)


def test_several_processes_at_once(folder):
    processes = [started() for _ in range(3)]
    found = {digest for digest, _ in map(ended, processes)}
    assert len(found) == 1
    assert [x.name for x in entries(folder) if x.name.startswith(".")] == []
    assert ended(started()) == [*found, "False"]


# How much of it.


def test_what_was_used_last_stays(folder, monkeypatch):
    monkeypatch.setattr(disk_cache, "MOST_BYTES", 3 * len(disk_cache.packed("a", bytes(1000))))
    for age, key in enumerate("abc"):
        keep(key, bytes(1000))
        os.utime(folder / name_of(key), (age, age))
    assert look_up("a") is not None  # which is a use
    keep("d", bytes(1000))
    assert [key for key in "abcd" if look_up(key) is not None] == ["a", "c", "d"]


def test_what_is_too_large_is_not_kept(folder):
    keep("key", bytes(disk_cache.MOST_OF_ONE))
    assert not entries(folder)
