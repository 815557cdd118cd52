"""The command line: ``python -m autograd_lite check package.module:function``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from autograd_lite.checking.command import add_check_command
from autograd_lite.errors import AutogradError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m autograd_lite", description=__doc__)
    add_check_command(parser.add_subparsers(required=True, metavar="command"))
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except AutogradError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
