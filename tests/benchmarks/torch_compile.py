"""``torch.compile`` as a peer: it needs a C++ compiler, which not every machine has."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

COMPILERS = ("g++", "clang++", "c++", "cl")


def compiled_by_torch(function: Callable[..., Any]) -> Callable[..., Any] | str:
    """The compiled function; or, as text, why it cannot be measured here."""
    import torch

    if not any(map(shutil.which, COMPILERS)):
        return "not measured: torch.compile needs a C++ compiler"
    compiled: Callable[..., Any] = torch.compile(function)
    return compiled
