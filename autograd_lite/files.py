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
from typing import IO

__all__ = ["atomic_write"]

BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a file to write, which takes its place at the end of the block, or never.

    It is written under another name beside its place, and then renamed; until then
    an old file stays as it was.  A link stays a link, to what it leads to; the permissions
    are those of the old file, or those that the process gives to new ones.

    Parameters
    ----------
    path
        Where the file is to appear; one that is there is replaced.

    Yields
    ------
    file
        Open for writing bytes.

    Raises
    ------
    OSError
        If the folder cannot be written to.

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
    path = Path(os.path.realpath(path))
    temporary = path.parent / f".{secrets.token_hex(8)}"  # as short as a name may have to be
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
    except OSError as error:  # nobody knows the other name
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if os.name == "posix" and path.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(path.stat().st_mode))
            os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


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
