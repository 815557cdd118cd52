"""``python -m tests.benchmarks.gradbench``: this package as a tool of GradBench.

It reads a message of GradBench's protocol from each line of standard input, as JSON, and
answers it with a line.  ``--numba`` compiles with Numba, ``--eager`` not at all; ``--peer``
answers by another library, with the same objectives.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag
from tests.benchmarks import libraries, objectives
from tests.benchmarks.objectives import Library

Json = dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """How a problem is read, what is computed of it, and how the results are told."""

    read: Callable[[Json], tuple[Any, ...]]
    """What is differentiated comes first."""
    functions: dict[str, Callable[[Library], Callable[..., Any]]]
    tell: dict[str, Callable[..., Any]]
    static: int = 0
    """How many of the arguments at the end are not arrays: numbers that shapes depend on."""

    def prepare(self, library: Library, function: str, message: Json) -> Callable[[], Any]:
        """A function that computes it once."""
        args = self.read(message)
        count = len(args) - self.static
        arrays = [library.array(x) for x in args[:count]]
        static = args[count:]
        make = self.functions[function](library)
        ready = library.ready(lambda *xs: make(*xs, *static))
        return lambda: library.wait(ready(*arrays))


def told(result: Any) -> Any:
    """Nested lists of numbers, of whatever arrays."""
    if isinstance(result, dict):
        return {key: told(x) for key, x in result.items()}
    if isinstance(result, (list, tuple)):
        return list(map(told, result))
    return np.asarray(result).tolist()


def in_a_row(result: Any) -> list[float]:
    parts = [in_a_row(x) if isinstance(x, list) else [x] for x in told(result)]
    return [x for part in parts for x in part]


def objective(function: Callable[..., Any]) -> Callable[[Library], Any]:
    return lambda library: partial(function, library)


def gradient(function: Callable[..., Any]) -> Callable[[Library], Any]:
    return lambda library: library.grad(partial(function, library))


def array(x: Any) -> Any:
    return np.array(x, dtype=float)


def read_mixture(message: Json) -> tuple[Any, ...]:
    parameters = {name: array(message[name]) for name in ("alpha", "mu", "q", "l")}
    d = len(message["x"][0])
    parameters["l"] = parameters["l"].reshape(-1, d * (d - 1) // 2)
    return parameters, array(message["x"]), float(message["gamma"]), int(message["m"])


def read_recurrent(message: Json) -> tuple[Any, ...]:
    main = array(message["main_params"])
    main = main.reshape(len(main), 4, -1)
    parameters = list(main), array(message["extra_params"])
    return parameters, array(message["state"]), array(message["sequence"])


def read_bundle(message: Json) -> tuple[Any, ...]:
    cameras, points, seen = observed(message)
    parameters = (
        np.tile(array(message["cam"]), (seen, 1)),
        np.tile(array(message["x"]), (seen, 1)),
        np.full(seen, float(message["w"])),
    )
    del cameras, points  # all are alike
    return parameters, np.tile(array(message["feat"]), (seen, 1))


def observed(message: Json) -> tuple[int, int, int]:
    return int(message["n"]), int(message["m"]), int(message["p"])


def tell_errors(result: Any, message: Json) -> Json:
    first = np.asarray(result)[0].tolist()
    weight = 1 - float(message["w"]) ** 2
    seen = int(message["p"])
    return {
        "reproj_error": {"elements": first, "repeated": seen},
        "w_err": {"element": weight, "repeated": seen},
    }


def tell_blocks(result: Any, message: Json) -> Json:
    """The first block of the sparse matrix and its last number, as GradBench's tools tell them."""
    rows, of_weights = result
    cameras, points, seen = observed(message)
    places = [*range(11), *range(11 * cameras, 11 * cameras + 3), 11 * cameras + 3 * points]
    values = [
        x for row in rows for x in (*row[0][0].tolist(), *row[1][0].tolist(), float(row[2][0]))
    ]
    return {
        "rows": [15 * i for i in range(30)] + [30 * seen + seen],
        "cols": [*places, *places, 11 * cameras + 3 * points + seen - 1],
        "vals": [*values, float(of_weights[-1])],
    }


def read_polynomial(message: Json) -> tuple[Any, ...]:
    x = array(message["x"])
    t = -1 + np.arange(message["n"]) * 2 / (message["n"] - 1)
    return x, t[:, None] ** np.arange(len(x)), np.sign(t)


def read_matrix(message: Json) -> tuple[Any, ...]:
    size = int(message["ell"])
    return (array(message["A"]).reshape(size, size),)


def value_and_gradient(
    read: Callable[[Json], tuple[Any, ...]],
    function: Callable[..., Any],
    names: tuple[str, str] = ("primal", "gradient"),
    tell: Callable[..., Any] = told,
    static: int = 0,
) -> Problem:
    value, slope = names
    functions = {value: objective(function), slope: gradient(function)}
    return Problem(read, functions, {value: told, slope: tell}, static)


BY_MODES = ("ff", "fr", "rf", "rr")


def in_modes(read: Callable[[Json], tuple[Any, ...]], function: Callable[..., Any]) -> Problem:
    def with_modes(modes: str, library: Library) -> Callable[..., Any]:
        return lambda start: function(library, modes, start)

    functions = {modes: partial(with_modes, modes) for modes in BY_MODES}
    return Problem(read, functions, dict.fromkeys(BY_MODES, told))


OBJECTIVE = ("objective", "jacobian")
PROBLEMS = {
    "gmm": value_and_gradient(read_mixture, objectives.gaussian_mixture, OBJECTIVE, static=2),
    "lstm": value_and_gradient(read_recurrent, objectives.recurrent, OBJECTIVE, in_a_row),
    "kmeans": Problem(
        lambda message: (array(message["centroids"]), array(message["points"])),
        {"cost": objective(objectives.clustering), "dir": objectives.newton_direction},
        {"cost": told, "dir": told},
    ),
    "ba": Problem(
        read_bundle,
        {"objective": objective(objectives.reprojection), "jacobian": objectives.blocks},
        {"objective": tell_errors, "jacobian": tell_blocks},
    ),
    "ode": Problem(
        lambda message: (array(message["x"]), int(message["s"])),
        {
            "primal": objective(objectives.runge_kutta),
            "gradient": gradient(objectives.last_of_runge_kutta),
        },
        {"primal": told, "gradient": told},
        static=1,
    ),
    "lse": value_and_gradient(lambda message: (array(message["x"]),), objectives.logsumexp),
    "llsq": value_and_gradient(read_polynomial, objectives.least_squares),
    "det": value_and_gradient(read_matrix, objectives.determinant, tell=in_a_row),
    "particle": in_modes(lambda message: (float(message["w"]),), objectives.particle),
    "saddle": in_modes(lambda message: (list(map(float, message["start"])),), objectives.saddle),
}
"""What GradBench calls its evals."""


def timings(run: Callable[[], Any], message: Json) -> tuple[Any, list[Json]]:
    """The result, and what each run took: as many as are wanted, for as long as is wanted."""
    found: list[Json] = []
    began = time.perf_counter()
    while True:
        start = time.perf_counter_ns()
        result = run()
        found.append({"name": "evaluate", "nanoseconds": time.perf_counter_ns() - start})
        elapsed = time.perf_counter() - began
        if len(found) >= message.get("min_runs", 1) and elapsed >= message.get("min_seconds", 0):
            return result, found


def answer(library: Library, message: Json) -> Json:
    """What is answered to a message, but for its number."""
    if message["kind"] == "start":
        return {"tool": "autograd_lite"}
    if message["kind"] == "define":
        return {"success": message["module"] in PROBLEMS}
    if message["kind"] != "evaluate":
        return {}
    problem, function = PROBLEMS[message["module"]], message["function"]
    try:
        result, took = timings(
            problem.prepare(library, function, message["input"]), message["input"]
        )
        tell = problem.tell[function]
        output = (
            tell(result, message["input"]) if tell in (tell_errors, tell_blocks) else tell(result)
        )
    except (ag.AutogradError, ArithmeticError, KeyError, TypeError, ValueError) as error:
        return {"success": False, "error": f"{type(error).__name__}: {error}"}
    return {"success": True, "output": output, "timings": took}


def answers(library: Library, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        message = json.loads(line)
        yield json.dumps({"id": message["id"], **answer(library, message)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--numba", action="store_true", help="compile with Numba")
    parser.add_argument("--eager", action="store_true", help="do not compile")
    parser.add_argument("--peer", choices=("jax", "torch"), help="answer by another library")
    arguments = parser.parse_args()
    if arguments.peer:
        library = libraries.of_jax() if arguments.peer == "jax" else libraries.of_torch()
    elif arguments.eager:
        library = libraries.of_numpy(libraries.unchanged)
    else:
        backend = "numba" if arguments.numba else "numpy"
        library = libraries.of_numpy(partial(ag.compile, backend=backend))
    for line in answers(library, sys.stdin):
        print(line, flush=True)


if __name__ == "__main__":
    main()
