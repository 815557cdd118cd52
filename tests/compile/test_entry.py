"""The short way into a program lets in the calls of its signature, and no others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.frontend.entry import entry_of
from autograd_lite.compiler.frontend.signature import signature_of


class Pair(NamedTuple):
    x: Any
    y: Any


class Sub(np.ndarray):
    """A subclass of arrays, for which a program of its own is made."""


THING = object()

CALLS: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}),
    ((np.ones(3),), {}),
    ((np.ones(3, np.float32),), {}),
    ((np.ones(3, ">f8"),), {}),
    ((np.ones((3, 1)),), {}),
    ((np.ones(3).view(Sub),), {}),
    ((np.ones(3), np.ones(3)), {}),
    (([np.ones(3), np.ones(3)],), {}),
    (((np.ones(3), np.ones(3)),), {}),
    ((Pair(np.ones(3), np.ones(3)),), {}),
    ((np.ones(3),), {"y": np.ones(3)}),
    ((np.ones(3),), {"z": np.ones(3)}),
    (({"a": np.ones(3), "b": 1.0},), {}),
    (({"b": 1.0, "a": np.ones(3)},), {}),
    ((1.0,), {}),
    ((1,), {}),
    ((2,), {}),
    ((True,), {}),
    (("text",), {}),
    ((b"text",), {}),
    ((None,), {}),
    ((1j,), {}),
    ((np.float64(1.0),), {}),
    ((np.float32(1.0),), {}),
    ((np.int64(1),), {}),
    ((THING,), {}),
    ((np.sin,), {}),
    (([],), {}),
    (([[], {}],), {}),
    (([1.0, [2.0, (3.0, "x")]],), {}),
    ((np.array(["text"]),), {}),
]


@pytest.mark.parametrize("made", CALLS, ids=map(str, range(len(CALLS))))
def test_a_call_gets_in_if_its_signature_is_that_of_the_program(made: Any) -> None:
    entry = entry_of(*made)
    _, key = signature_of(*made)
    for args, kwargs in CALLS:
        leaves, other = signature_of(args, kwargs)
        got = entry(args, kwargs)
        if key != other:
            assert got is None
        elif got is not None:  # dtypes that are equal without being the same go the long way
            assert len(got) == len(leaves)
            assert all(x is y for x, y in zip(got, leaves, strict=True))
    assert entry(*made) is not None


def test_values_go_the_long_way() -> None:
    assert entry_of((np.ones(3),), {})((ag.Value(np.ones(3)),), {}) is None


def test_keys_that_are_equal_are_told_apart_by_their_types() -> None:
    """1, 1.0 and True are one key of a dict, and a program is made for one of them."""

    def named(weights: Any) -> Any:
        return {key: weight * len(str(key)) for key, weight in weights.items()}

    for check in (True, False):
        compiled = ag.compile(named, check=check)
        for key in (1, True, 1.0, 1, True, 1.0):
            ((found, number),) = compiled({key: 2.0}).items()
            assert type(found) is type(key)
            assert number == 2.0 * len(str(key))
        assert compiled.stats.programs == 3
