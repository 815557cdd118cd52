"""The progress bar: tqdm's, where that is installed."""

from __future__ import annotations

import functools
import warnings
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["progress_bar"]


NUMBERS_FIRST = "{desc}{postfix} |{bar}| {n_fmt}/{total_fmt} {rate_fmt}"
"""Narrow terminals cut a line at its end, where the bar is."""


def progress_bar(total: int | None, shown: bool) -> AbstractContextManager[Any]:
    """A bar that counts batches; one that does nothing where none is wanted or none is there."""
    if shown:
        try:
            from tqdm import tqdm
        except ImportError:
            say_once()
        else:
            return tqdm(total=total, unit="batch", bar_format=NUMBERS_FIRST)
    return nullcontext(Hidden())


class Hidden:
    """A bar that nobody sees."""

    unit = "batch"

    def update(self) -> None:
        """Do nothing, as all methods here."""

    def set_description_str(self, text: str) -> None:
        """Do nothing."""

    def set_postfix(self, numbers: Any) -> None:
        """Do nothing."""


@functools.cache
def say_once() -> None:
    """Say that there is no bar."""
    warnings.warn(
        "fit: there is no progress bar, because tqdm is not installed; install it with: pip "
        "install tqdm, or pass progress=False",
        stacklevel=2,
    )
