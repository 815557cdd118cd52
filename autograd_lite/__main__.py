"""The command line: ``python -m autograd_lite check module:function``, or ``doctor``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from autograd_lite.checking.command import add_check_command
from autograd_lite.core.errors import AutogradError
from autograd_lite.doctor.command import add_doctor_command

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status, 2 if it could not be run."""
    parser = argparse.ArgumentParser(prog="python -m autograd_lite", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    add_check_command(commands)
    add_doctor_command(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
    except AutogradError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whom it was printed for has stopped reading, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
