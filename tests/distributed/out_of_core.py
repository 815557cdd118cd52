"""Train on more data than memory: ``python -m tests.distributed.out_of_core KIND GB LIMIT``.

KIND is memmap (a file mapped by NumPy) or zarr (chunks that Dask loads as they are
needed).  The file is sparse, the numbers in it are zeros.  LIMIT is the memory in GB
that the process may have for itself, which the system enforces (RLIMIT_DATA: what is
mapped from files for reading does not count).
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

import nn

FEATURES = 1000
ROWS_IN_A_CHUNK = 25_000  # 100 MB


def stored(kind: str, gigabytes: float, folder: Path) -> Any:
    """Inputs on disk, of which nothing is read yet."""
    rows = int(gigabytes * 1e9 / (4 * FEATURES))
    shape, chunks = (rows, FEATURES), (ROWS_IN_A_CHUNK, FEATURES)
    if kind == "zarr":
        import dask.array
        import zarr

        zarr.create_array(str(folder / "x"), shape=shape, chunks=chunks, dtype="f4", fill_value=0)
        return dask.array.from_zarr(str(folder / "x"))
    with open(folder / "x", "wb") as file:
        file.truncate(4 * rows * FEATURES)
    return np.memmap(folder / "x", np.float32, "r", shape=shape)


def private_memory() -> float:
    """Memory of this process that no file backs, in GB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("RssAnon"))
    return int(kilobytes) / 1e6


class Peak(threading.Thread):
    """Looks at the memory now and then."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.highest = 0.0

    def run(self) -> None:
        while True:
            self.highest = max(self.highest, private_memory())
            time.sleep(0.02)


def main(kind: str, gigabytes: float, limit: float) -> None:
    most = int(limit * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        x = stored(kind, gigabytes, Path(folder))
        y = (np.arange(x.shape[0]) % 2).astype(np.float32)[:, None]
        peak = Peak()
        peak.start()
        model = nn.Linear(FEATURES, 1, rng=0, dtype=np.float32)
        start = time.perf_counter()
        history = nn.fit(
            model, x, y, loss=nn.binary_cross_entropy, optimizer=nn.SGD, epochs=1,
            batch_size=20_000, rng=0, progress=False,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    figures = {"loss": history["loss"][-1], "seconds": seconds, "peak_gigabytes": peak.highest}
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
