"""CuPy, where there is a GPU to run it on."""

from __future__ import annotations

from typing import Any

import pytest


def cupy_with_gpu() -> Any:
    """CuPy; tests that ask for it are skipped with the reason why they cannot have it."""
    library = pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        count = library.cuda.runtime.getDeviceCount()
    except library.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"CuPy finds no GPU: {error}")
    if not count:
        pytest.skip("CuPy finds no GPU")
    return library
