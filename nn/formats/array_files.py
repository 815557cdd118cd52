"""Files of named arrays and texts, in two formats, written atomically and read with suspicion.

``.npz`` is NumPy's archive of arrays; ``.safetensors`` is the format of that
name (a JSON header, then the numbers).  Neither can hold code, and nothing is
ever unpickled.  Reading needs no more memory than the file is long: entries
of an archive must be stored uncompressed.  Both have checksums: those of zip
archives, and one that is put into the metadata of safetensors.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np

import autograd_lite as ag

__all__ = [
    "Contents",
    "FileFormatError",
    "equal_arrays",
    "format_of",
    "read_file",
    "write_file",
]

Array = np.ndarray[Any, Any]
Contents = tuple[dict[str, Array], dict[str, str]]
"""Named arrays, and named texts."""

TEXT_SUFFIX = ".json"
CHECKSUM = "nn.checksum"
SAFETENSORS_NAMES = {
    "BOOL": "bool",
    **{f"{kind}{bits}": f"{name}int{bits}"
       for kind, name in (("I", ""), ("U", "u")) for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
}  # fmt: skip


class FileFormatError(ag.AutogradError, ValueError):
    """A file is not what it should be: corrupt, truncated, hostile, or of something else.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.FileFormatError, ValueError)
    True
    """


def write_file(
    path: str | os.PathLike[str], arrays: Mapping[str, Array], texts: Mapping[str, str]
) -> None:
    """Write arrays and texts; the suffix of ``path`` chooses the format.

    What was written is read again before the file takes its place; arrays and names
    that the format cannot hold are refused, and a file that was there before stays.
    """
    path = ag.files.as_path(path)
    write, read = format_of(path)
    contents = io.BytesIO()
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            instead = "save its parts, .real and .imag"
            if array.dtype.kind != "c":
                instead = "make numbers of it, as np.unique(x, return_inverse=True)[1] does"
            raise ag.ArgumentValueError(
                f"{path.name}: {name!r} has dtype {array.dtype}, and a file holds real numbers "
                f"alone; {instead}"
            )
    write(contents, arrays, texts)
    contents.seek(0)
    try:
        found, found_texts = read(contents, path)
    except FileFormatError as error:
        raise ag.ArgumentValueError(
            f"the arrays cannot be held by a file {path.suffix}: {error}"
        ) from None
    if found_texts != dict(texts) or not equal_arrays(found, arrays):
        names = ", ".join(map(repr, sorted(set(arrays) ^ set(found)))) or "their numbers"
        raise ag.ArgumentValueError(
            f"{path.name}: {names} would not be read again as written; use other names"
        )
    with ag.files.atomic_write(path) as target:
        target.write(contents.getbuffer())


def equal_arrays(left: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    """Whether all arrays are the same, bit for bit but for the order of bytes."""
    return left.keys() == right.keys() and all(
        (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
        for a, b in ((in_own_order(left[name]), in_own_order(right[name])) for name in left)
    )


def in_own_order(given: Any) -> Array:
    """An array in the byte order of this machine."""
    array = np.asarray(given)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def read_file(path: str | os.PathLike[str]) -> Contents:
    """Read arrays and texts; refuse a file that is damaged in any way."""
    path = ag.files.as_path(path)
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
    parts: dict[str, dict[str, Any]] = {".npy": {}, TEXT_SUFFIX: {}}
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in archive.infolist():
                name, suffix = os.path.splitext(entry.filename)
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise damaged(path, f"the entry {entry.filename!r} is compressed")
                if suffix not in parts or name in parts[suffix]:
                    raise damaged(path, f"the entry {entry.filename!r} is not expected")
                contents = archive.read(entry)
                parts[suffix][name] = (
                    contents.decode()
                    if suffix == TEXT_SUFFIX
                    else array_of_npy(contents, name, path)
                )
    except FileFormatError:
        raise
    except Exception as error:  # the parsers of zip files and of NumPy raise what they like
        raise damaged(path, f"it is not a complete zip archive ({error})") from error
    return parts[".npy"], parts[TEXT_SUFFIX]


def array_of_npy(contents: bytes, name: str, path: Path) -> Array:
    """The array in the bytes of a ``.npy`` file."""
    buffer = io.BytesIO(contents)
    try:
        version = np.lib.format.read_magic(buffer)
        if version != (1, 0):
            raise ValueError(f"version {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    except Exception as error:
        raise damaged(path, f"the header of {name!r} is damaged ({error})") from error
    return array_of_bytes(
        contents[buffer.tell() :], name, path, dtype, shape, "F" if fortran else "C"
    )


def array_of_bytes(
    contents: Any, name: str, path: Path, dtype: np.dtype[Any], shape: Any, order: Any = "C"
) -> Array:
    """An array of its own from bytes, of which there must be exactly enough."""
    if dtype.kind not in "fiub" or not all(type(n) is int and n >= 0 for n in shape):
        raise damaged(path, f"{name!r} has dtype {dtype} and shape {tuple(shape)}")
    n_bytes = prod(shape) * dtype.itemsize
    if n_bytes != len(contents):
        size = f"{len(contents)} bytes of {n_bytes}"
        raise damaged(path, f"{name!r} of shape {tuple(shape)} has {size}")
    try:
        return np.frombuffer(contents, dtype).reshape(shape, order=order).copy()
    except (ValueError, OverflowError) as error:  # too many axes, or too long ones
        raise damaged(path, f"{name!r} has shape {tuple(shape)} ({error})") from error


# Safetensors.


def write_safetensors(
    file: IO[bytes], arrays: Mapping[str, Array], texts: Mapping[str, str]
) -> None:
    """The length of a JSON header, the header, then all numbers, little-endian."""
    names = {dtype: name for name, dtype in SAFETENSORS_NAMES.items()}
    header: dict[str, Any] = {"__metadata__": dict(texts)}
    parts = []
    start = 0
    for name, array in arrays.items():
        if array.dtype.name not in names or name in header:
            raise ag.ArgumentValueError(
                f"safetensors cannot hold the array {name!r} of dtype {array.dtype}; "
                "rename or convert it, or use .npz"
            )
        parts.append(array.astype(array.dtype.newbyteorder("<")).tobytes())
        stop = start + len(parts[-1])
        header[name] = {
            "dtype": names[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, stop],
        }
        start = stop
    body = b"".join(parts)
    header["__metadata__"][CHECKSUM] = checksum(header, body)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write(struct.pack("<Q", len(text)) + text)
    file.write(body)


def checksum(header: Mapping[str, Any], body: Any) -> str:
    """SHA-256 of all that a file holds: texts but for the checksum itself, entries, numbers."""
    texts = {k: text for k, text in header["__metadata__"].items() if k != CHECKSUM}
    words = json.dumps({**header, "__metadata__": texts}, sort_keys=True).encode()
    return "sha256:" + hashlib.sha256(words + body).hexdigest()


def read_safetensors(file: IO[bytes], path: Path) -> Contents:
    """The inverse of `write_safetensors`; the checksum is verified if there is one."""
    contents = memoryview(file.read())
    length = struct.unpack("<Q", contents[:8])[0] if len(contents) >= 8 else 0
    if not 2 <= length <= len(contents) - 8:
        raise damaged(path, f"its header has a length of {length} in {len(contents)} bytes")
    body = contents[8 + length :]
    try:
        text = bytes(contents[8 : 8 + length]).decode()
        header = json.loads(text, object_pairs_hook=without_repeats)
        texts = header.setdefault("__metadata__", {})
        entries = {name: Entry(**entry) for name, entry in header.items() if entry is not texts}
        parts = sorted(entry.data_offsets for entry in entries.values())
        is_whole = all(type(text) is str for text in texts.values())
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise damaged(path, f"its header is damaged ({error})") from error
    if not is_whole or [0, *(stop for _, stop in parts)] != [*(p for p, _ in parts), len(body)]:
        raise damaged(path, "its arrays overlap, leave gaps, or do not end with the file")
    if CHECKSUM in texts and texts[CHECKSUM] != checksum(header, body):
        raise damaged(path, "its contents do not have its checksum")
    found = {name: entry.read(body, name, path) for name, entry in entries.items()}
    if texts.pop(CHECKSUM, None) is None:
        warnings.warn(
            f"{path.name}: it has no checksum, so damage to its numbers goes unseen; "
            "nn.save writes one",
            stacklevel=2,
        )
    return found, texts


def without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, refused if a name comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name comes twice")
    return found


class Entry:
    """Where one array lies in a safetensors file."""

    def __init__(self, dtype: str, shape: list[int], data_offsets: list[int]) -> None:
        self.is_bfloat16 = dtype == "BF16"  # which others write, and NumPy does not have
        self.dtype = np.dtype("<u2" if self.is_bfloat16 else SAFETENSORS_NAMES[dtype])
        self.dtype = self.dtype.newbyteorder("<")
        start, stop = data_offsets
        if type(shape) is not list or not type(start) is type(stop) is int:
            raise TypeError(f"the shape is {shape!r} and the offsets are {data_offsets!r}")
        self.shape = shape
        self.data_offsets = start, stop

    def read(self, body: memoryview, name: str, path: Path) -> Array:
        """The array, in the byte order of this machine."""
        start, stop = self.data_offsets
        array = array_of_bytes(body[start:stop], name, path, self.dtype, self.shape)
        if self.is_bfloat16:
            return (array.astype(np.uint32) << 16).view(np.float32)
        return in_own_order(array)


Writer = Callable[[IO[bytes], Mapping[str, Array], Mapping[str, str]], None]
Reader = Callable[[IO[bytes], Path], Contents]
FORMATS: dict[str, tuple[Writer, Reader]] = {
    ".npz": (write_npz, read_npz),
    ".safetensors": (write_safetensors, read_safetensors),
}


def format_of(path: str | os.PathLike[str]) -> tuple[Writer, Reader]:
    """How to write and read files of this suffix."""
    path = ag.files.as_path(path)
    if path.suffix not in FORMATS:
        raise ag.ArgumentValueError(
            f"{path.name}: the suffix {path.suffix!r} names no format; "
            f"use one of {', '.join(FORMATS)}"
        )
    return FORMATS[path.suffix]
