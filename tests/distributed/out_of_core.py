"""Train on more data than memory.

``python -m tests.distributed.out_of_core KIND GB LIMIT [OPTION]``

KIND is memmap (a file mapped by NumPy) or zarr (chunks that Dask loads as they are
needed).  The file is sparse, the numbers in it are zeros.  LIMIT is the memory in GB
that the process may have for itself, which the system enforces (RLIMIT_DATA: what is
mapped from files for reading does not count).  OPTION is one of `OPTIONS`, or `each` for a
line of each.
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
ROWS_IN_A_CHUNK = 5_000  # 20 MB, of which eight are loaded at once


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
        self.stopped = False

    def run(self) -> None:
        while not self.stopped:
            self.highest = max(self.highest, private_memory())
            time.sleep(0.02)


OPTIONS: dict[str, Any] = {
    "plain": lambda x, y: {},
    "validation_split": lambda x, y: {"validation_split": 0.5},
    "validation_data": lambda x, y: {"validation_data": (x, y)},
    "early stopping": lambda x, y: {
        "validation_split": 0.5, "callbacks": [nn.EarlyStopping()]
    },
    "sample_weight": lambda x, y: {"sample_weight": np.ones(len(y))},
    "class_weight": lambda x, y: {"class_weight": "balanced"},
    "metrics": lambda x, y: {"metrics": ["accuracy"]},
    "shuffle": lambda x, y: {"shuffle": False, "validation_split": 0.5},
    "drop_last": lambda x, y: {"drop_last": True},
    "resume": lambda x, y: {"history": None},
}  # fmt: skip
"""What is asked of `fit`, beside arrays and a loss; those of Dask go in an order of their own."""

OF_ARRAYS = ("shuffle", "drop_last")


def main(kind: str, gigabytes: float, limit: float, option: str = "plain") -> None:
    most = int(limit * 1e9)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    if option != "each":
        train(kind, gigabytes, option)
        return
    for each in OPTIONS:
        if kind == "memmap" or each not in OF_ARRAYS:
            train(kind, gigabytes, each)


def train(kind: str, gigabytes: float, option: str) -> None:
    """Print what a fit with an option took."""
    with tempfile.TemporaryDirectory() as folder:
        x = stored(kind, gigabytes, Path(folder))
        y = (np.arange(x.shape[0]) % 2).astype(np.float32)[:, None]
        peak = Peak()
        peak.start()
        labels = y[:, 0].astype(int) if option == "class_weight" else y
        outputs, loss = (
            (2, "cross_entropy") if option == "class_weight" else (1, "binary_cross_entropy")
        )
        model = nn.Linear(FEATURES, outputs, rng=0, dtype=np.float32)
        settings: dict[str, Any] = {
            "loss": loss, "optimizer": nn.SGD, "batch_size": 20_000, "rng": 0, "progress": False,
        }  # fmt: skip
        start = time.perf_counter()
        history = nn.fit(model, x, labels, epochs=1, **settings, **OPTIONS[option](x, labels))
        if option == "resume":
            history = nn.fit(model, x, labels, epochs=1, **settings | {"history": history})
        seconds = time.perf_counter() - start
        peak.stopped = True
    figures = {
        "option": option, "loss": history["loss"][-1], "seconds": round(seconds, 1),
        "peak_gigabytes": peak.highest,
    }  # fmt: skip
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
