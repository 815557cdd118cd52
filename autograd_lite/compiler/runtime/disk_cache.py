"""A folder of small files that are the same answer, sooner: what compilers made in other processes.

Whoever writes into that folder decides what runs here, so it is used only where the user alone
can write to it.  A file is there as a whole or not at all, and what is in it is compared with its
checksum and with all that it was made for; anything else counts as missing.  So does whatever the
file system refuses: a cache is never a reason to fail.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from autograd_lite.files import atomic_write

__all__ = ["MOST_BYTES", "VARIABLE", "keep", "location", "look_up", "reason_for_none"]

VARIABLE = "AUTOGRAD_LITE_CACHE"
"""The environment variable that names the folder, or says ``off``."""

FORMAT = 1
MOST_BYTES = 1 << 26
"""Of all files together; those that were used last stay."""
MOST_OF_ONE = 1 << 22
ABANDONED = 3600.0
"""Seconds after which a file that is half written is nobody's any more."""

SHARED = stat.S_IWGRP | stat.S_IWOTH
OPENING = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # what is no file but a pipe would be waited for
)


def location() -> Path | None:
    """The folder, whether it is there or not; None if there is to be none."""
    chosen = os.environ.get(VARIABLE)
    if chosen is not None:
        return None if chosen in ("", "0", "off") else Path(chosen).absolute()
    bases = {"win32": "LOCALAPPDATA"}
    base = os.environ.get(bases.get(sys.platform, "XDG_CACHE_HOME"), "")
    if not os.path.isabs(base):  # the standard has relative ones ignored
        home = os.path.expanduser("~")
        if not os.path.isabs(home):
            return None
        base = os.path.join(home, "Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(base, "autograd_lite")


def reason_for_none(folder: Path) -> str | None:
    """Why a folder that is there is not used; None if it is."""
    try:
        of = os.stat(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        return str(error.strerror)
    if not stat.S_ISDIR(of.st_mode):
        return "it is no folder"
    if not is_own(of):
        return "it belongs to another user, or others may write to it (chmod 700)"
    return None


def is_own(of: os.stat_result) -> bool:
    """Whether a file or a folder is this user's, and nobody else's to write to."""
    if not hasattr(os, "geteuid"):
        return True  # Windows: what is in a user's profile is that user's
    return of.st_uid == os.geteuid() and not of.st_mode & SHARED


def look_up(key: str) -> bytes | None:
    """What was kept under a key; None if nothing was, or if it is not beyond doubt."""
    folder = location()
    if folder is None or reason_for_none(folder) is not None:
        return None
    path = folder / name_of(key)
    with suppress(OSError):
        descriptor = os.open(path, OPENING)
        with os.fdopen(descriptor, "rb") as file:
            of = os.fstat(descriptor)
            if not (stat.S_ISREG(of.st_mode) and is_own(of) and of.st_size <= MOST_OF_ONE):
                return None
            content = unpacked(key, file.read())
        if content is not None:
            with suppress(OSError):
                os.utime(path)  # it was used just now
        return content
    return None


def keep(key: str, content: bytes) -> None:
    """Keep something under a key for other processes, if there is a place for it."""
    folder = location()
    data = packed(key, content)
    if folder is None or len(data) > MOST_OF_ONE:
        return
    with suppress(OSError):
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if reason_for_none(folder) is not None:
            return
        with atomic_write(folder / name_of(key)) as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), 0o600)
            file.write(data)
        remove_oldest(folder)


def name_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:40]


def packed(key: str, content: bytes) -> bytes:
    """A line that says what follows, and for what it was made."""
    checksum = sha256(content).hexdigest()
    header = {"format": FORMAT, "made for": key, "bytes": len(content), "sha256": checksum}
    return json.dumps(header).encode() + b"\n" + content


def unpacked(key: str, data: bytes) -> bytes | None:
    """What was packed, unless a bit of it is not as it was, or it was made for something else."""
    _, _, content = data.partition(b"\n")
    return content if data == packed(key, content) else None


def remove_oldest(folder: Path) -> None:
    """Make room, if there is too much: what was not used for the longest time goes first."""
    files = sorted(files_in(folder), key=lambda x: x[1].st_mtime)
    total = sum(of.st_size for _, of in files)
    for path, of in files:
        is_abandoned = path.name.startswith(".") and of.st_mtime < time.time() - ABANDONED
        if total > MOST_BYTES or is_abandoned:
            total -= of.st_size
            with suppress(OSError):
                path.unlink()


def files_in(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):  # another process may have removed it
                if entry.is_file(follow_symlinks=False):
                    yield Path(entry.path), entry.stat(follow_symlinks=False)
