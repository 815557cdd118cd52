"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["appearing_whole"]

BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


@contextmanager
def appearing_whole(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A file to write, which takes its place at the end of the block, or never.

    It is written under another name beside its place, and then renamed: an old
    file stays as it was until then.  It has the rights that the process gives
    to new files.

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
    >>> from autograd_lite.files import appearing_whole
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder) / "numbers.txt"
    ...     with appearing_whole(place) as file:
    ...         _ = file.write(b"1 2 3")
    ...         before = place.exists()
    ...     before, place.read_text()
    (False, '1 2 3')
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
