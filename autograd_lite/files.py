"""Files that are written as a whole or not at all, whatever happens in between."""

from __future__ import annotations

import os
import secrets
import stat
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["as_path", "atomic_write"]

BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


def as_path(path: Any) -> Path:
    """A path of whatever names a file: text, bytes or a path.

    Raises
    ------
    ArgumentTypeError, ArgumentValueError
        If it is none of them, or holds a character that no name of a file can.

    Examples
    --------
    >>> from autograd_lite.files import as_path
    >>> as_path(b"runs/model.npz").name
    'model.npz'
    """
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise ArgumentTypeError(
            f"a path is {path!r}, which names no file; pass text or a pathlib.Path, such as "
            "'folder/name.suffix'"
        ) from None
    if "\0" in text:
        raise ArgumentValueError(f"the path {text!r} holds a null character; leave it out")
    return Path(text)


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file to write, which takes its place at the end of the block, or never.

    It is written under another name beside its place, and then renamed; until then
    an old file stays as it was.  A symbolic link stays a link, to what it leads to; the permissions
    are those of the old file, or those that the process gives to new ones.  What is no
    file, as a pipe or ``/dev/stdout``, is written to as it is.

    Parameters
    ----------
    path
        Where the file is to appear; one that is there is replaced, unless it is read-only.

    Yields
    ------
    file
        Open for writing bytes.

    Raises
    ------
    OSError
        If the file or its folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from autograd_lite.files import atomic_write
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "numbers.txt"
    ...     with atomic_write(place) as file:
    ...         _ = file.write(b"1 2 3")
    ...         before = place.exists()
    ...     before, place.read_text()
    (False, '1 2 3')
    """
    path = Path(os.path.realpath(as_path(path)))
    mode = mode_of(path)
    if mode is not None and not stat.S_ISREG(mode):  # a device would be gone, were it replaced
        with open(path, "wb") as file:
            yield file
        return
    temporary = path.parent / f".{secrets.token_hex(8)}"  # as short as a name may have to be
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
    except OSError as error:  # nobody knows the other name
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if os.name == "posix" and mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def mode_of(path: Path) -> int | None:
    """What is there, and who may do what with it; None if there is nothing.

    An OSError for a file that this process may not write, which a rename would not ask about.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if os.name == "posix" and stat.S_ISREG(mode):
        os.close(os.open(path, os.O_WRONLY))
    return mode


def replace(temporary: Path, path: Path) -> None:
    """Rename; Windows refuses it for the moment in which somebody else has the old file open."""
    for wait in (0.01, 0.1, 1.0):
        try:
            return os.replace(temporary, path)
        except PermissionError:
            time.sleep(wait)
    os.replace(temporary, path)


def appearing_whole(path: str | os.PathLike[str]) -> AbstractContextManager[IO[bytes]]:
    """The former name of `atomic_write`."""
    warnings.warn(
        "files.appearing_whole is now called files.atomic_write; write that instead",
        DeprecationWarning,
        stacklevel=2,
    )
    return atomic_write(path)
