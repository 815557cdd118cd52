"""Files of named arrays and texts, in two formats, written atomically and read with suspicion.

``.npz`` is NumPy's archive of arrays; ``.safetensors`` is the format of that
name (a JSON header, then the numbers).  Neither can hold code, and nothing is
ever unpickled.  Reading needs no more memory than the file is long: entries
of an archive must be stored uncompressed.
"""

from __future__ import annotations

import io
import json
import os.path
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

import autograd_lite as ag

__all__ = ["Contents", "FileFormatError", "read_file", "write_file"]

Array = np.ndarray[Any, Any]
Contents = tuple[dict[str, Array], dict[str, str]]
"""Named arrays, and named texts."""

TEXT_SUFFIX = ".json"
SAFETENSORS_NAMES = {"F16": "float16", "F32": "float32", "F64": "float64", "I64": "int64"}


class FileFormatError(ag.AutogradError, ValueError):
    """A file is not what it should be: corrupt, truncated, hostile, or of something else.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.FileFormatError, ValueError)
    True
    """


def write_file(path: str | Path, arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """Write arrays and texts; the suffix of ``path`` chooses the format.

    The file appears whole or not at all: it is written under another name
    beside its place, and then renamed.
    """
    path = Path(path)
    write, _ = format_of(path)
    with ag.files.atomic_write(path) as file:
        write(file, arrays, texts)


def read_file(path: str | Path) -> Contents:
    """Read arrays and texts; refuse a file that is damaged in any way."""
    path = Path(path)
    _, read = format_of(path)
    with open(path, "rb") as file:
        return read(file, path)


def damaged(path: Path, what: str) -> FileFormatError:
    """The error for a file that cannot be used."""
    return FileFormatError(f"{path.name}: {what}; the file is damaged or was not written by nn")


# NumPy's archives.


def write_npz(file: IO[bytes], arrays: Mapping[str, Array], texts: Mapping[str, str]) -> None:
    """An uncompressed zip archive of ``.npy`` files, and of ``.json`` files for the texts."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in texts.items():
            archive.writestr(zipfile.ZipInfo(name + TEXT_SUFFIX), text)
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue())


def read_npz(file: IO[bytes], path: Path) -> Contents:
    """The inverse of `write_npz`."""
    arrays: dict[str, Array] = {}
    texts: dict[str, str] = {}
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                name, suffix = os.path.splitext(entry.filename)
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise damaged(path, f"the entry {entry.filename!r} is compressed")
                if suffix not in (".npy", TEXT_SUFFIX) or name in arrays or name in texts:
                    raise damaged(path, f"the entry {entry.filename!r} is not expected")
                contents = read_entry(archive, entry, path)
                if suffix == TEXT_SUFFIX:
                    texts[name] = contents.decode()
                else:
                    arrays[name] = array_of_npy(contents, name, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise damaged(path, f"it is not a complete zip archive ({error})") from error
    return arrays, texts


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    """The bytes of one entry, whose checksum is right."""
    try:
        return archive.read(entry)
    except (zipfile.BadZipFile, EOFError, zlib.error, RuntimeError, OSError) as error:
        raise damaged(path, f"the entry {entry.filename!r} is damaged ({error})") from error


def array_of_npy(contents: bytes, name: str, path: Path) -> Array:
    """The array in the bytes of a ``.npy`` file."""
    buffer = io.BytesIO(contents)
    try:
        version = np.lib.format.read_magic(buffer)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    except (ValueError, EOFError, SyntaxError) as error:
        raise damaged(path, f"the header of {name!r} is damaged ({error})") from error
    return array_of_bytes(
        contents[buffer.tell() :], name, path, dtype, shape, "F" if fortran else "C"
    )


def array_of_bytes(
    contents: Any, name: str, path: Path, dtype: np.dtype[Any], shape: Any, order: Any = "C"
) -> Array:
    """An array of its own from bytes, of which there must be exactly enough."""
    if dtype.kind not in "fi" or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise damaged(path, f"{name!r} has dtype {dtype} and shape {shape}")
    n_bytes = prod(shape) * dtype.itemsize
    if n_bytes != len(contents):
        size = f"{len(contents)} bytes of {n_bytes}"
        raise damaged(path, f"{name!r} of shape {tuple(shape)} has {size}")
    return np.frombuffer(contents, dtype).reshape(shape, order=order).copy()


# Safetensors.


def write_safetensors(
    file: IO[bytes], arrays: Mapping[str, Array], texts: Mapping[str, str]
) -> None:
    """The length of a JSON header, the header, then all numbers, little-endian."""
    names = {dtype: name for name, dtype in SAFETENSORS_NAMES.items()}
    header: dict[str, Any] = {"__metadata__": dict(texts)} if texts else {}
    start = 0
    for name, array in arrays.items():
        stop = start + array.nbytes
        header[name] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    for array in arrays.values():
        file.write(array.astype(array.dtype.newbyteorder("<")).tobytes())


def read_safetensors(file: IO[bytes], path: Path) -> Contents:
    """The inverse of `write_safetensors`."""
    contents = memoryview(file.read())
    length = struct.unpack("<Q", contents[:8])[0] if len(contents) >= 8 else 0
    if not 2 <= length <= len(contents) - 8:
        raise damaged(path, f"its header has a length of {length} in {len(contents)} bytes")
    try:
        header = json.loads(bytes(contents[8 : 8 + length]))
        texts = header.pop("__metadata__", {})
        entries = {name: Entry(**entry) for name, entry in header.items()}
        parts = sorted((entry.data_offsets for entry in entries.values()), key=lambda p: p[0])
        stops = [0, *(int(stop) for _, stop in parts)]
        starts = [*(int(start) for start, _ in parts), len(contents) - 8 - length]
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        raise damaged(path, f"its header is damaged ({error})") from error
    if starts != stops or not all(isinstance(text, str) for text in texts.values()):
        raise damaged(path, "its arrays overlap, leave gaps, or do not end with the file")
    body = contents[8 + length :]
    return {name: entry.read(body, name, path) for name, entry in entries.items()}, texts


class Entry:
    """Where one array lies in a safetensors file."""

    def __init__(self, dtype: str, shape: list[int], data_offsets: list[int]) -> None:
        self.dtype = np.dtype(SAFETENSORS_NAMES[dtype]).newbyteorder("<")
        self.shape = tuple(shape)
        self.data_offsets = data_offsets

    def read(self, body: memoryview, name: str, path: Path) -> Array:
        """The array, in the byte order of this machine."""
        start, stop = self.data_offsets
        array = array_of_bytes(body[start:stop], name, path, self.dtype, self.shape)
        return array.astype(self.dtype.newbyteorder("="), copy=False)


Writer = Callable[[IO[bytes], Mapping[str, Array], Mapping[str, str]], None]
Reader = Callable[[IO[bytes], Path], Contents]
FORMATS: dict[str, tuple[Writer, Reader]] = {
    ".npz": (write_npz, read_npz),
    ".safetensors": (write_safetensors, read_safetensors),
}


def format_of(path: Path) -> tuple[Writer, Reader]:
    """How to write and read files of this suffix."""
    if path.suffix not in FORMATS:
        raise ag.ArgumentValueError(
            f"{path.name}: the suffix {path.suffix!r} names no format; "
            f"use one of {', '.join(FORMATS)}"
        )
    return FORMATS[path.suffix]
