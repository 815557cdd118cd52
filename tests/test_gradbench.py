"""The tool for GradBench answers its protocol, with numbers that others confirm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from tests.benchmarks import libraries, objectives
from tests.benchmarks.gradbench import PROBLEMS, answers, in_a_row

RNG = np.random.default_rng(0)
D, K, N, HIDDEN = 3, 2, 6, 4


def drawn(*shape: int) -> Any:
    return RNG.normal(size=shape).tolist()


INPUTS: dict[str, dict[str, Any]] = {
    "gmm": {
        "d": D,
        "k": K,
        "n": N,
        "m": 2,
        "gamma": 0.8,
        "alpha": drawn(K),
        "mu": drawn(K, D),
        "q": drawn(K, D),
        "l": drawn(K, D * (D - 1) // 2),
        "x": drawn(N, D),
    },
    "lstm": {
        "main_params": drawn(4, 4 * HIDDEN),
        "extra_params": drawn(3, HIDDEN),
        "state": drawn(4, HIDDEN),
        "sequence": RNG.integers(0, 2, (5, HIDDEN)).tolist(),
    },
    "kmeans": {"points": drawn(20, D), "centroids": [[-0.5] * D, [0.5] * D]},
    "ba": {"n": 2, "m": 3, "p": 5, "cam": drawn(11), "x": drawn(3), "w": 0.7, "feat": drawn(2)},
    "ode": {"x": RNG.uniform(size=4).tolist(), "s": 8},
    "lse": {"x": drawn(7)},
    "llsq": {"x": drawn(4), "n": 9},
    "det": {"A": drawn(16), "ell": 4},
    "particle": {"w": 0.207},
    "saddle": {"start": [1e-4, 1e-4]},
}
EVERY = [(module, function) for module in INPUTS for function in PROBLEMS[module].functions]


def ask(library: Any, module: str, function: str, **changed: Any) -> Any:
    """The output of one evaluation, through the protocol."""
    content = INPUTS[module] | changed
    message = {"kind": "evaluate", "module": module, "function": function, "input": content}
    (line,) = answers(library, [json.dumps({"id": 7} | message)])
    response = json.loads(line)
    assert response["id"] == 7 and response["success"], response
    assert all(timing["name"] == "evaluate" for timing in response["timings"])
    return response["output"]


def flat(output: Any) -> Any:
    if isinstance(output, dict):
        output = [output[name] for name in sorted(output)]
        output = [list(x.values()) if isinstance(x, dict) else x for x in output]
    return np.array(in_a_row(output if isinstance(output, list) else [output]))


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # PyTorch's own jvp
@pytest.mark.parametrize(("module", "function"), EVERY)
def test_eager_compiled_and_torch_tell_the_same(module: str, function: str) -> None:
    ours = flat(ask(libraries.of_numpy(libraries.unchanged), module, function))
    assert np.all(np.isfinite(ours))
    if module not in ("particle", "saddle"):  # their descent branches on the numbers
        compiled = flat(ask(libraries.of_numpy(), module, function))
        np.testing.assert_allclose(compiled, ours, rtol=1e-12, atol=1e-12)
    pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    if module != "particle" or function == "rr":
        theirs = flat(ask(libraries.of_torch(), module, function))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


PARTS = {
    "gmm": ("objective", "jacobian", ["alpha", "mu", "q", "l"]),
    "lstm": ("objective", "jacobian", ["main_params", "extra_params"]),
    "lse": ("primal", "gradient", ["x"]),
    "llsq": ("primal", "gradient", ["x"]),
    "det": ("primal", "gradient", ["A"]),
}


@pytest.mark.parametrize("module", PARTS)
def test_gradients_are_the_slopes_of_the_function(module: str) -> None:
    library = libraries.of_numpy(libraries.unchanged)
    value, gradient, parts = PARTS[module]
    output = ask(library, module, gradient)
    told = [output[part] for part in parts] if isinstance(output, dict) else output
    point = {part: np.array(INPUTS[module][part]) for part in parts}
    directions = {part: RNG.normal(size=x.shape) for part, x in point.items()}
    h = 1e-5
    ends = [
        ask(
            library,
            module,
            value,
            **{part: (x + s * h * directions[part]).tolist() for part, x in point.items()},
        )
        for s in (1, -1)
    ]
    along = np.concatenate([np.ravel(directions[part]) for part in parts])
    np.testing.assert_allclose(flat(told) @ along, (ends[0] - ends[1]) / (2 * h), rtol=1e-7)


def test_a_mixture_is_scipys():
    given = INPUTS["gmm"]
    weights = np.exp(given["alpha"]) / np.sum(np.exp(given["alpha"]))
    density, prior = 0.0, 0.0
    for weight, mean, q, below in zip(weights, given["mu"], given["q"], given["l"], strict=True):
        factor = np.diag(np.exp(q))
        factor[np.triu_indices(D, 1)[::-1]] = below
        precision = factor.T @ factor
        density += weight * scipy.stats.multivariate_normal(mean, np.linalg.inv(precision)).pdf(
            given["x"]
        )
        freedom, scale = D + given["m"] + 1, np.eye(D) / given["gamma"] ** 2
        # GradBench's prior is written for the factors, without what a change of variables adds.
        prior += scipy.stats.wishart(freedom, scale).logpdf(precision)
    expected = np.sum(np.log(density)) + prior
    found = ask(libraries.of_numpy(libraries.unchanged), "gmm", "objective")
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_newton_step_goes_to_the_mean_of_the_nearest_points():
    points, centroids = (np.array(INPUTS["kmeans"][x]) for x in ("points", "centroids"))
    nearest = np.argmin(np.sum((points[:, None] - centroids) ** 2, axis=-1), axis=1)
    means = [points[nearest == i].mean(axis=0) for i in range(2)]
    direction = ask(libraries.of_numpy(), "kmeans", "dir")
    np.testing.assert_allclose(direction, centroids - means, rtol=1e-12)


def test_determinants_and_the_last_unknown_of_a_solution():
    matrix = np.array(INPUTS["det"]["A"]).reshape(4, 4)
    library = libraries.of_numpy()
    assert np.isclose(ask(library, "det", "primal"), np.linalg.det(matrix), rtol=1e-12)
    # y_i is a power of time: the method of Runge and Kutta solves the first four exactly.
    x = np.array(INPUTS["ode"]["x"])
    exact = [np.prod(x[: i + 1]) * 2 ** (i + 1) / [1, 2, 6, 24][i] for i in range(4)]
    np.testing.assert_allclose(ask(library, "ode", "primal"), exact, rtol=1e-12)


def test_the_blocks_of_a_sparse_jacobian():
    library = libraries.of_numpy(libraries.unchanged)
    told = ask(library, "ba", "jacobian")
    assert told["cols"][:15] == [*range(11), 22, 23, 24, 31] and told["cols"][-1] == 35
    assert told["rows"] == [*range(0, 450, 15), 155]
    values = np.array(told["vals"][:-1]).reshape(2, 15)
    h = 1e-6
    for name, place in (("cam", 0), ("x", 11)):
        for i in range(len(INPUTS["ba"][name])):
            ends = []
            for step in (h, -h):
                moved = list(INPUTS["ba"][name])
                moved[i] += step
                output = ask(library, "ba", "objective", **{name: moved})
                ends.append(np.array(output["reproj_error"]["elements"]))
            slope = (ends[0] - ends[1]) / (2 * h)
            np.testing.assert_allclose(values[:, place + i], slope, rtol=1e-5, atol=1e-7)
    assert told["vals"][-1] == -1.4


def test_descent_ends_where_the_function_is_least():
    place = objectives.argmin(
        lambda x: (x[0] - 1) ** 2 + 4 * x[1] ** 2, lambda x: [2 * x[0] - 2, 8 * x[1]], [3.0, 2.0]
    )
    np.testing.assert_allclose(place, [1, 0], atol=1e-4)


if "AUTOGRAD_LITE_NIGHTLY" in os.environ:  # half a minute each

    @pytest.mark.parametrize(
        ("module", "start", "end"),
        [("particle", {"w": 0.0}, 0.20719187464861172), ("saddle", {"start": [1.0, 1.0]}, 0.0)],
    )
    def test_descent_in_descent_from_the_start_that_its_paper_takes(module, start, end):
        """The place of the particle is what PyTorch finds, by the same source."""
        found = ask(libraries.of_numpy(libraries.unchanged), module, "rr", **start)
        np.testing.assert_allclose(found, end, rtol=1e-12, atol=0 if end else 1e-5)


def test_messages_in_and_out():
    messages = [
        {"id": 0, "kind": "start", "eval": "lse"},
        {"id": 1, "kind": "define", "module": "lse"},
        {"id": 2, "kind": "define", "module": "unheard of"},
        {
            "id": 3,
            "kind": "evaluate",
            "module": "lse",
            "function": "primal",
            "input": {"x": [0.0, 0.0], "min_runs": 3},
        },
        {"id": 4, "kind": "analysis", "of": 3, "valid": True},
        {"id": 5, "kind": "evaluate", "module": "lse", "function": "primal", "input": {}},
    ]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.gradbench"],
        input="".join(json.dumps(message) + "\n" for message in messages),
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    start, known, unknown, result, analysis, failed = map(json.loads, ran.stdout.splitlines())
    assert start == {"id": 0, "tool": "autograd_lite"}
    assert known == {"id": 1, "success": True} and unknown == {"id": 2, "success": False}
    assert result["output"] == np.log(2) and len(result["timings"]) == 3
    assert analysis == {"id": 4}
    assert failed == {"id": 5, "success": False, "error": "KeyError: 'x'"}
