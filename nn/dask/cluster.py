"""The cluster that Dask's tasks run on, if there is one."""

from __future__ import annotations

import uuid
from typing import Any

import autograd_lite as ag

__all__ = ["ClusterError", "cluster_errors", "current_client", "has_workers", "scatter"]


class ClusterError(ag.AutogradError, ConnectionError):
    """The scheduler of a cluster, or all its workers, were lost during training.

    The model is as it was after the last step.

    Examples
    --------
    >>> import nn
    >>> issubclass(nn.ClusterError, ConnectionError)
    True
    """


def current_client() -> Any:
    """The client of a cluster that tasks run on by default; None without one."""
    try:
        from dask.distributed import default_client
    except ImportError:
        return None
    try:
        return default_client()
    except ValueError:
        return None


def scatter(thing: Any) -> Any:
    """Something put where tasks find it: on a worker, from which others take it, or here.

    It is not broadcast: that waits for ever if a worker dies meanwhile (dask/distributed#5704).
    """
    import dask

    client = current_client()
    if client is None:
        return dask.delayed(thing, name=f"scattered-{uuid.uuid4().hex}", traverse=False)
    return client.scatter(thing, hash=False)


PATIENCE = 30.0
"""How many seconds to wait for a worker where all were lost: nannies start them again."""


def has_workers() -> bool:
    """Whether the cluster still answers, and has workers or gets some while one waits."""
    client = current_client()
    if client is None or client.status != "running":
        return False
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except Exception:
        return False
    return True


def cluster_errors() -> tuple[type[BaseException], ...]:
    """What Dask raises when it loses workers, data or the scheduler."""
    try:
        from distributed import CancelledError, KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
    except ImportError:
        return ()
    lost = CancelledError, FutureCancelledError, KilledWorker, CommClosedError
    return (*lost, TimeoutError, OSError)
