"""Ten times the rows, steps or arguments take about ten times the work, not a hundred times."""

import sys

import numpy as np
import pytest

import autograd_lite as ag

FEW, MANY = 60, 600


def calls_of(function, *args):
    """How many functions Python enters, its own and those of C; deterministic, unlike time."""
    count = 0

    def note(frame, event, arg):
        nonlocal count
        count += event in ("call", "c_call")

    former = sys.getprofile()
    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(former)
    return count


def by_place(xs):
    return np.select([xs[0] > i for i in range(len(xs))], xs, 0.0 * xs[0])


PROGRAMS = {
    "concatenate": lambda xs: np.sum(np.concatenate(xs) ** 2),
    "stack": lambda xs: np.sum(np.stack(xs, axis=1) ** 2),
    "hstack": lambda xs: np.sum(np.hstack(xs) ** 2),
    "block": lambda xs: np.sum(np.block([[x] for x in xs]) ** 2),
    "array": lambda xs: np.sum(ag.array(list(xs)) ** 2),
    "select": lambda xs: np.sum(by_place(xs)),
    "sum": lambda xs: np.sum(sum(xs)),
    "scan": lambda xs: np.sum(ag.scan(lambda h, x: (h * x, h), xs[0], np.stack(xs))[1]),
    "map": lambda xs: np.sum(ag.map(np.sin, np.stack(xs))),
    "writes": lambda xs: np.sum(written(xs)),
    "checkpoint": lambda xs: ag.checkpoint(lambda *args: np.sum(np.stack(args) ** 2))(*xs),
    "vmap": lambda xs: np.sum(ag.vmap(lambda *args: np.stack(args) ** 2)(*xs)),
}


def written(xs):
    buffer = np.zeros((len(xs), 2), like=xs[0])
    for i, x in enumerate(xs):
        buffer[i] = x
    return buffer * buffer


TRANSFORMS = {
    "plain": lambda program, xs: program(xs),
    "grad": lambda program, xs: ag.grad(program)(xs),
    "jvp": lambda program, xs: ag.jvp(program, (xs,), (xs,)),
    "hvp": lambda program, xs: ag.hvp(program, (xs,), (xs,)),
}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_work_is_linear(name, transform):
    def work(count):
        xs = [np.array([0.5, 1.0 + 1.0 / (i + 1)]) for i in range(count)]
        return calls_of(TRANSFORMS[transform], PROGRAMS[name], xs)

    work(3)  # what is imported or cached once
    few, many = work(FEW), work(MANY)
    assert many < 1.3 * MANY / FEW * few
