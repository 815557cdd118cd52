"""Settings in which workloads run: which matrix kernels NumPy has, and how many cores."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

__all__ = ["SETTINGS", "Setting"]

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Setting:
    """Variables of the environment and the cores of the process that measures."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    cores: int | None = None
    """How many cores; None for all."""

    def environment(self) -> dict[str, str]:
        threads = {} if self.cores is None else dict.fromkeys(THREAD_VARIABLES, str(self.cores))
        return {**os.environ, **self.variables, **threads}

    def pin(self) -> None:
        """Keep this process to its cores; only Linux can."""
        if self.cores is not None and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.cores])


KERNELS = {"OPENBLAS_CORETYPE": "SkylakeX"}
"""OpenBLAS's kernels for AVX-512, which it does not choose by itself on every processor."""

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("default"),
        Setting("SkylakeX kernels", KERNELS),
        Setting("one core", cores=1),
        Setting("one core, SkylakeX kernels", KERNELS, cores=1),
    )
}
