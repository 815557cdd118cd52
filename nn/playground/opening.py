"""playground: opens the page, for as long as it is wanted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

import autograd_lite as ag
from nn.playground.commands import Commands
from nn.playground.samples import given_samples
from nn.playground.session import Session

if TYPE_CHECKING:
    from nn.playground.server import Server

__all__ = ["Playground", "playground"]


class Playground:
    """A playground that is open; what `playground` returns.

    Attributes
    ----------
    url : str
        The address of its page, with the token that it asks for.

    Examples
    --------
    >>> import nn
    >>> opened = nn.playground(open_browser=False)
    >>> opened
    <Playground at http://127.0.0.1:...>
    >>> opened.close()
    """

    def __init__(self, server: Server) -> None:
        self.server, self.closed = server, Event()
        self.url = server.url
        Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def __repr__(self) -> str:
        return f"<Playground at {'nowhere: it is closed' if self.closed.is_set() else self.url}>"

    def program(self) -> str:
        """The program that makes the run that the page shows, as it stands now."""
        return self.server.commands.program()

    def wait(self) -> None:
        """Keep it open until Ctrl-C, for programs that would end otherwise."""
        try:
            self.closed.wait()
        except KeyboardInterrupt:
            self.close()

    def close(self) -> None:
        """End it; the page then answers no more."""
        if not self.closed.is_set():
            self.closed.set()
            self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def playground(
    x: Any = None,
    y: Any = None,
    *,
    feature_names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    port: int = 0,
    open_browser: bool = True,
) -> Playground:
    """Open a page in the browser where `fit` trains small networks, as one asks.

    On one's own samples, or on classic sets: layers, units, activations, features, optimizer,
    rates, penalties, dropout and noise can be set; the training is played, stopped, taken step by
    step, rewound, and its weights set by hand.  The same settings make the same run, bit for bit,
    and "copy as Python" gives the program that makes it.

    A server on this machine alone serves the page, which asks nobody else; it answers those who
    know the token in the address.  It ends with the program: a script ends with ``.wait()``.

    Parameters
    ----------
    x : array_like, shape (samples, features), optional
        At most 20,000 samples of at most 64 numbers; they stay on this machine.
    y : array_like, shape (samples,) or (samples, outputs), optional
        Whole numbers, truth values or words are classes, of which there may be 20; floats are
        numbers to be predicted.
    feature_names, class_names : sequence of str, optional
        Of the inputs, and of the classes in their order when sorted.
    port : int
        Where the server listens; by default where there is room.
    open_browser : bool
        Whether the page is opened; ``url`` is its address.

    Returns
    -------
    Playground
        With ``url``, ``program()``, ``wait()`` and ``close()``; it can stand in a ``with``.

    Raises
    ------
    ArgumentValueError, ArgumentTypeError
        If the samples do not fit one another, are too many, or hold NaN or infinity.

    Examples
    --------
    >>> import nn
    >>> with nn.playground(open_browser=False) as opened:
    ...     program = opened.program()
    >>> print(program.splitlines()[0])
    \"\"\"A run of nn.playground.\"\"\"
    """
    if (x is None) != (y is None):
        raise ag.ArgumentValueError(
            "playground: only one of x and y is given; pass both, samples and their targets, or "
            "neither"
        )
    if x is None and not (feature_names is None and class_names is None):
        raise ag.ArgumentValueError(
            "playground: names are given, and no samples that they belong to; pass x and y"
        )
    if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port < 65_536:
        raise ag.ArgumentValueError(
            f"playground: port is {port!r}; it must be a whole number from 0 to 65535"
        )
    given = None if x is None else given_samples(x, y, feature_names, class_names)
    # What serves pages takes as long to import as all of NumPy.
    server: type[Server] = import_module("nn.playground.server").Server
    opened = Playground(server(Commands(Session(given)), port))
    if open_browser and not import_module("webbrowser").open(opened.url):
        print(f"the playground is at {opened.url}", file=sys.stderr)
    return opened
