"""setuptools' build backend, whose packages are the same to the last byte wherever built."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

__all__ = [*build_meta.__all__]

# The date of all files, by which wheels go too: 1980-01-01, the first that archives know.
os.environ.setdefault("SOURCE_DATE_EPOCH", "315532800")


def build_sdist(sdist_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """Build it, and write it once more without what differs: dates, owners, order, modes."""
    name = build_meta.build_sdist(sdist_directory, config_settings)
    archive = Path(sdist_directory) / name
    made_at = int(os.environ["SOURCE_DATE_EPOCH"])
    with tarfile.open(archive) as old:
        members = sorted(old.getmembers(), key=lambda member: member.name)
        contents = [old.extractfile(m).read() if m.isfile() else None for m in members]
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", mtime=made_at, fileobj=file) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member, content in zip(members, contents, strict=True):
            new.addfile(*settled(member, content, made_at))
    return name


def settled(member: tarfile.TarInfo, content: bytes | None, made_at: int) -> tuple[Any, Any]:
    """A member with what is the same everywhere, and its content."""
    made = tarfile.TarInfo(member.name)
    made.type, made.mtime = member.type, made_at
    made.mode = 0o755 if content is None or member.mode & 0o100 else 0o644
    if content is None:
        return made, None
    made.size = len(content)
    return made, io.BytesIO(content)
