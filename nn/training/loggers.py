"""Loggers: callbacks that write the history to files while training goes on."""

from __future__ import annotations

import csv
import io
import os
import time
from math import isnan
from typing import Any

import autograd_lite as ag
from nn.checks import check_folder
from nn.training.callbacks import Callback, Run

__all__ = ["CSVLogger", "TensorBoard"]


class CSVLogger(Callback):
    """Write the history to a table, a row for each epoch, after every epoch.

    The file is always whole, also after a crash, and has the epochs of an earlier run too
    that this one goes on from.  An empty cell stands for what was not watched in an epoch.

    Parameters
    ----------
    path : str or Path
        The file; one that is there is replaced.
    separator : str
        Between the cells.

    Examples
    --------
    >>> import pathlib, tempfile, numpy as np, nn
    >>> x = np.ones((4, 1))
    >>> model = nn.Linear(1, 1, initializer=nn.initializers.zeros)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "run.csv")
    ...     _ = nn.fit(model, x, x, loss="mse", optimizer=nn.SGD(model, 0.25), epochs=2,
    ...                callbacks=nn.CSVLogger(path), progress=False)
    ...     print(path.read_text().strip())
    epoch,loss,learning_rate
    1,1.0,0.25
    2,0.0,0.25
    """

    def __init__(self, path: str | os.PathLike[str], *, separator: str = ",") -> None:
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise ag.ArgumentValueError(
                f"CSVLogger: separator is {separator!r}; it must be a single character, neither a "
                "quotation mark nor the end of a line"
            )
        self.path = ag.files.as_path(path)
        self.separator = separator

    def begin(self, run: Run) -> None:
        """Write what there is already, so that a path that cannot be written to is known now."""
        check_folder("CSVLogger", self.path)
        self._write(run)

    def after_epoch(self, run: Run) -> None:
        """Write the table anew."""
        self._write(run)

    def _write(self, run: Run) -> None:
        columns = run.history.columns
        text = io.StringIO()
        table = csv.writer(text, delimiter=self.separator, lineterminator="\n")
        table.writerow(["epoch", *columns])
        for epoch in range(len(run.history)):
            numbers = [column[epoch : epoch + 1] for column in columns.values()]
            cells = ["" if not x or isnan(x[0]) else x[0] for x in numbers]
            table.writerow([epoch + 1, *cells])
        with ag.files.atomic_write(self.path) as file:
            file.write(text.getvalue().encode())


class TensorBoard(Callback):
    """Write the history for TensorBoard, through its own package (extra ``tensorboard``).

    Each column of the history is a scalar of its name at the number of the epoch; look at
    them with ``tensorboard --logdir folder``.

    Parameters
    ----------
    folder : str or Path
        Where the files of events are written; one folder for each run.

    Raises
    ------
    MissingOptionError
        If the package ``tensorboard`` is not installed.

    Examples
    --------
    ``nn.fit(model, x, y, loss="mse", callbacks=nn.TensorBoard("runs/first"))``

    >>> import nn
    >>> issubclass(nn.TensorBoard, nn.Callback)
    True
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        self.writer_type, self.event, self.summary = writers()
        self.writer: Any = None

    def begin(self, run: Run) -> None:
        """Open a file."""
        self.writer = self.writer_type(self.folder)

    def after_epoch(self, run: Run) -> None:
        """Write the numbers of the epoch."""
        epoch = len(run.history)
        values = [
            self.summary.Value(tag=name, simple_value=column[-1])
            for name, column in run.history.columns.items()
            if len(column) == epoch
        ]
        event = self.event(step=epoch, wall_time=time.time(), summary=self.summary(value=values))
        self.writer.add_event(event)
        self.writer.flush()

    def end(self, run: Run) -> None:
        """Close the file."""
        self.writer.close()


def writers() -> tuple[Any, Any, Any]:
    """What the package writes with: files of events, an event, and a summary."""
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.TensorBoard needs the package tensorboard; install it with: pip install tensorboard"
        ) from error
    return EventFileWriter, Event, Summary
