"""What is printed must be printable: a console may know no letters but those of ASCII."""

from __future__ import annotations

import sys

__all__ = ["printable"]


def printable(text: str) -> str:
    """The text, with ``?`` for each sign that standard output has no code for.

    >>> from autograd_lite.core.console import printable
    >>> printable("0.5 +- 1e-9")
    '0.5 +- 1e-9'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
