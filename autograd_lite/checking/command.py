"""The shell command ``python -m autograd_lite check package.module:function``."""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.checking.check import gradcheck
from autograd_lite.checking.report import GradcheckReport
from autograd_lite.core.errors import AutogradError

__all__ = ["add_check_command"]


def add_check_command(commands: Any) -> None:
    """Add ``check`` to the subcommands of a parser."""
    parser = commands.add_parser(
        "check",
        help="check the derivative of a function",
        description="Check the derivative of a function. The exit status is 0 if it is correct, "
        "1 if it is not, and 2 if it could not be checked.",
    )
    parser.add_argument("function", help="what to check, as package.module:function")
    parser.add_argument(
        "--args",
        default="",
        help="its arguments as Python numbers and lists, separated by commas: "
        '"[0.5, 1.0], 2.0"; lists become arrays',
    )
    parser.add_argument(
        "--shape",
        action="append",
        default=[],
        metavar="3x4",
        help="an argument of random numbers of this shape; may be repeated",
    )
    for name in ("gradient", "vjp", "jacobian"):
        parser.add_argument(f"--{name}", help=f"a hand-written {name}, as package.module:function")
    parser.add_argument("--order", type=int, default=1, help="1, 2 or 3")
    parser.add_argument("--mode", default="reverse", help="reverse or forward")
    parser.add_argument("--full", action="store_true", help="compare the whole Jacobian")
    for name, what in (("rtol", "relative"), ("atol", "absolute")):
        parser.add_argument(f"--{name}", type=float, help=f"{what} tolerance")
    parser.add_argument(
        "--nondeterminism", type=float, help="by how much results may differ from run to run"
    )
    parser.add_argument(
        "--argnum",
        type=int,
        action="append",
        metavar="N",
        help="the position of an argument to check, from 0 on; may be repeated; all by default",
    )
    parser.add_argument(
        "--max-evaluations", type=int, help="how often the function may be computed, at most"
    )
    parser.add_argument("--seed", type=int, default=0, help="of random directions and arguments")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--table", action="store_true", help="print the Taylor table too")
    parser.set_defaults(run=run_check)


def run_check(options: argparse.Namespace) -> int:
    """Check, print the report and return the exit status."""
    aside = contextlib.redirect_stdout(sys.stderr) if options.json else contextlib.nullcontext()
    with aside:  # what the function prints is no JSON
        report = checked(options)
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
    else:
        print(report)
        if options.table and report.table is not None:
            print(report.table)
    return 0 if report else 1


def checked(options: argparse.Namespace) -> GradcheckReport:
    """What the check comes to; everything else that may happen is an error that says so."""
    if options.seed < 0:
        raise CommandError(f"--seed {options.seed} is negative; write an integer from 0 on")
    args = [*parse_arguments(options.args), *random_arguments(options.shape, options.seed)]
    given = {name: x for name, x in vars(options).items() if x is not None}
    names = ("order", "mode", "full", "rtol", "atol", "nondeterminism", "max_evaluations")
    chosen: dict[str, Any] = {name: given[name] for name in names if name in given}
    if "argnum" in given:
        chosen["argnum"] = tuple(given["argnum"])
    derivatives = (name for name in ("gradient", "vjp", "jacobian") if name in given)
    chosen |= {name: load(given[name]) for name in derivatives}
    function = load(options.function)
    try:
        return gradcheck(function, *args, rng=options.seed, raise_error=False, **chosen)
    except AutogradError:
        raise
    except (Exception, SystemExit) as error:  # a function of the user's may raise anything
        raise CommandError(
            f"{options.function} raised {type(error).__name__} at this point: {error}"
        ) from error


class CommandError(AutogradError, ValueError):
    """What was written on the command line cannot be used."""


def load(name: str) -> Callable[..., Any]:
    """Import ``package.module:function``; the function may be an attribute of an attribute."""
    module_name, _, path = name.partition(":")
    if not path or not all(part.isidentifier() for part in module_name.split(".")):
        raise CommandError(f"{name!r} names no function; write package.module:function")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise CommandError(
            f"cannot import {module_name!r}: {error}; run in the folder that holds it"
        ) from error
    except (Exception, SystemExit) as error:  # so may a module, or end the program
        raise CommandError(
            f"{module_name!r} raised {type(error).__name__} as it was imported: {error}; put what "
            'it runs under if __name__ == "__main__":'
        ) from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise CommandError(f"{module_name!r} has no {path!r}")
        found = getattr(found, part)
    if not callable(found):
        raise CommandError(f"{name} is {type(found).__name__}, not a function")
    return found  # type: ignore[no-any-return]


def parse_arguments(text: str) -> list[Any]:
    """Numbers and lists of a command line; lists of numbers become arrays.

    >>> from autograd_lite.checking.command import parse_arguments
    >>> parse_arguments("[0.5, 1.0], 2.0")
    [array([0.5, 1. ]), 2.0]
    """
    try:
        values = ast.literal_eval(f"({text},)") if text.strip() else ()
        found = [np.asarray(value) if isinstance(value, list) else value for value in values]
        if not any(np.asarray(value).dtype == object for value in found):
            return found
        reason: Exception | None = None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        reason = error
    raise CommandError(
        f"--args {text!r} is not a list of numbers, or its rows are not equally long; write "
        '"[0.5, 1.0], 2.0"'
    ) from reason


def random_arguments(shapes: list[str], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    try:
        return [rng.normal(size=[int(n) for n in shape.split("x")]) for shape in shapes]
    except ValueError as error:
        raise CommandError(f"--shape {' '.join(shapes)} is not a shape; write 3x4") from error
    except MemoryError as error:
        raise CommandError(f"--shape {' '.join(shapes)} is too large; write 3x4") from error
