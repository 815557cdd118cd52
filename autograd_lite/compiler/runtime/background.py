"""Work that is done beside the program: one thread, and another interpreter for what takes long.

A compiler in a thread would hold Python's lock half of the time, and change for moments which
warnings are shown, which is one setting for all threads.  So the thread asks, and waits.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["answer", "do_later", "is_in_background"]

Task = Callable[[], None]


class StoppedError(BaseException):
    """The process ends: what is being done is of no use any more."""


class Worker(threading.Thread):
    """Does one task after another.

    The interpreter does not wait for it at the end, as it could wait for minutes; it is told to
    stop, and the other interpreter is ended.
    """

    def __init__(self) -> None:
        super().__init__(name="autograd_lite loops", daemon=True)
        self.tasks: SimpleQueue[Task] = SimpleQueue()
        self.helper: subprocess.Popen[str] | None = None
        self.is_stopping = False

    def run(self) -> None:
        try:
            while True:
                self.tasks.get()()
                if self.tasks.empty():
                    self.end_helper()
        except StoppedError:
            self.end_helper()

    def stop(self) -> None:
        self.is_stopping = True
        self.tasks.put(self.go_on)
        helper = self.helper
        if helper is not None:
            helper.kill()
        self.join()

    def go_on(self) -> None:
        """Go no further, if the process ends."""
        if self.is_stopping:
            raise StoppedError

    def answer(self, program: str, question: str) -> str:
        """A line that another interpreter answers; it runs the program until it is not needed."""
        self.go_on()
        if self.helper is None:
            self.helper = started(program)
        helper = self.helper
        assert helper.stdin is not None and helper.stdout is not None
        try:
            helper.stdin.write(question + "\n")
            helper.stdin.flush()
            line = helper.stdout.readline()
        except OSError:
            line = ""
        self.go_on()
        if not line:
            self.end_helper()
            raise RuntimeError("the other interpreter has ended")
        return line.strip()

    def end_helper(self) -> None:
        helper, self.helper = self.helper, None
        if helper is not None:
            helper.kill()
            helper.communicate()


def started(program: str) -> subprocess.Popen[str]:
    """Another interpreter, which finds the modules that are found here, and runs a program."""
    if getattr(sys, "frozen", False) or not sys.executable:
        raise RuntimeError("there is no interpreter to be started")
    helper = subprocess.Popen(
        [sys.executable, "-c", f"import json, sys; sys.path[:] = json.loads(input()); {program}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,  # who interrupts the program from the keyboard does not mean it
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    assert helper.stdin is not None
    helper.stdin.write(json.dumps([*map(str, sys.path)]) + "\n")
    return helper


def is_in_background() -> bool:
    return isinstance(threading.current_thread(), Worker)


def answer(program: str, question: str) -> str:
    """What another interpreter that runs a program answers; called in the background."""
    worker = threading.current_thread()
    assert isinstance(worker, Worker)
    return worker.answer(program, question)


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
