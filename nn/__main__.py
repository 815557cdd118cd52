"""The command line: ``python -m nn playground``."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress

from autograd_lite import AutogradError
from nn.playground.opening import playground

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m nn", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    command = commands.add_parser(
        "playground", help="open a page where small networks are trained, until Ctrl-C"
    )
    command.add_argument("--port", type=int, default=0, help="where the page is served")
    command.add_argument("--no-browser", action="store_true", help="only print its address")
    command.set_defaults(run=run_playground)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except (AutogradError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return status


def run_playground(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    opened = playground(port=options.port, open_browser=False)
    with suppress(KeyboardInterrupt), opened:
        print(f"the playground is at {opened.url}\nCtrl-C ends it", flush=True)
        if not options.no_browser:
            webbrowser.open(opened.url)
        opened.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
