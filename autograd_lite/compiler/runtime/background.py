"""Work that is done beside the program: one thread, which ends when the process does."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["StoppedError", "do_later", "stop_if_asked"]

Task = Callable[[], None]


class StoppedError(BaseException):
    """The process ends: what is being done is of no use any more."""


class Worker(threading.Thread):
    """Does one task after another.

    It is no thread that the interpreter waits for, as it could wait for minutes; nor is it
    left alone at the end, when the libraries that it calls are taken away.  It is told to stop,
    and does so at the next `stop_if_asked`.
    """

    def __init__(self) -> None:
        super().__init__(name="autograd_lite loops", daemon=True)
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        self.is_stopping = False

    def run(self) -> None:
        try:
            while True:
                self.tasks.get()()
        except StoppedError:
            pass

    def stop(self) -> None:
        self.is_stopping = True
        self.tasks.put(stop_if_asked)
        self.join()


def stop_if_asked() -> None:
    """Called before what takes long: a worker whose process ends goes no further."""
    thread = threading.current_thread()
    if isinstance(thread, Worker) and thread.is_stopping:
        raise StoppedError


workers: list[Worker] = []


def do_later(task: Task) -> None:
    """Do something in the background, after what was to be done before; errors are the task's."""
    if not workers:
        worker = Worker()
        try:
            worker.start()
        except RuntimeError:  # there are no threads to be had
            return
        workers.append(worker)
    workers[0].tasks.put(task)


@atexit.register
def stop_all() -> None:
    for worker in workers:
        worker.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=workers.clear)
