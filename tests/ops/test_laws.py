"""Laws that every operation obeys, run over the whole table of cases."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core import backward
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.core.tree import flatten
from tests.ops.cases import CASES, DEPRECATED, HERE
from tests.ops.cases.case import Case, has
from tests.ops.numerical import directional_derivative, inner, random_like

DIFFERENTIABLE = [case for case in CASES if case.derivatives]
COMPOSED = [case for case in CASES if not isinstance(registry.get(case.function), Primitive)]
"""Cases of functions whose value may come from others than NumPy's own."""

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_derivative = pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda case: case.name)


def outputs(case: Case, inputs: list[Any]) -> list[Any]:
    return flatten(case.call(*inputs))


def plain(x: Any) -> Any:
    return x.data if isinstance(x, ag.Value) else x


def test_every_registered_operation_has_a_case_and_every_case_an_operation() -> None:
    in_table = {case.function for case in HERE} - {ag.array, ag.r_, ag.c_}
    registered = {key for key in registry if has(key)}
    keywords = {key for key in registered if isinstance(key, tuple) and key[1] == "__call__"}
    assert registered - keywords - in_table == set()
    assert {key[0] for key in keywords} <= in_table
    assert in_table - registered == set()


def test_the_names_of_cases_are_unique() -> None:
    names = [case.name for case in CASES]
    assert sorted(names) == sorted(set(names))


def assert_bit_for_bit(case: Case, inputs: list[Any], theirs: list[Any]) -> None:
    ours = outputs(case, [ag.Value(x) for x in inputs])
    for mine, yours in zip(map(plain, ours), theirs, strict=True):
        assert np.shape(mine) == np.shape(yours)
        assert np.asarray(mine).dtype == np.asarray(yours).dtype
        assert np.array_equal(mine, yours, equal_nan=np.asarray(yours).dtype.kind in "fc")


@every_case
def test_the_value_is_numpys_bit_for_bit(case: Case) -> None:
    inputs = case.draw()
    assert_bit_for_bit(case, inputs, flatten(case.reference(*inputs)))


def larger(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Lengths at which NumPy and BLAS go other ways than for a few elements; equal ones stay so."""
    return shape if shape == (1,) else tuple(7 * length + 2 for length in shape)


@pytest.mark.parametrize("case", COMPOSED, ids=lambda case: case.name)
def test_a_composed_functions_value_is_numpys_bit_for_bit_in_other_draws(case: Case) -> None:
    """Also in larger shapes and in single precision, where the case can be drawn so."""
    for seed in range(1, 6):
        drawn = case.draw(seed)
        assert_bit_for_bit(case, drawn, flatten(case.reference(*drawn)))
        rng = np.random.default_rng(seed)
        try:
            grown = [domain.draw(rng, larger(domain.shape)) for domain in case.domains]
            expected = flatten(case.reference(*grown))
            narrow = [narrowed(x) for x in grown]
            narrowly = flatten(case.reference(*narrow))
        except Exception:
            continue  # NumPy cannot: the call is written for the shape of its row, or overflows
        if case.function is np.empty_like:
            continue  # memory as it was found
        assert_bit_for_bit(case, grown, expected)
        if case.function is np.linalg.cond and case.keywords.get("p") in (1, np.inf, "fro"):
            continue  # to rounding: NumPy inverts single precision in double
        assert_bit_for_bit(case, narrow, narrowly)


def test_what_numpy_deprecates_has_numpys_value_and_numpys_warning() -> None:
    """It is not among `CASES`, since warnings are errors here."""
    for case in DEPRECATED:
        inputs = case.draw()
        with pytest.warns(DeprecationWarning) as warned:
            result, expected = case.call(*map(ag.Value, inputs)), case.reference(*inputs)
        assert len({str(warning.message) for warning in warned}) == 1
        assert np.array_equal(result.data, expected)
        assert result.requires_grad == bool(case.derivatives)


@every_case
def test_a_result_is_a_value_that_knows_whether_it_has_a_gradient(case: Case) -> None:
    for result in outputs(case, [ag.Value(x) for x in case.draw()]):
        if case.derivatives:
            assert isinstance(result, ag.Value)
            assert result.requires_grad
        else:
            assert not getattr(result, "requires_grad", False)


def cotangents(case: Case, inputs: list[Any], seed: int) -> list[Any]:
    return random_like(np.random.default_rng(seed), flatten(case.reference(*inputs)))


def gradients(case: Case, weights: list[Any], inputs: Any) -> Any:
    """The gradients of <weights, outputs> with respect to every input."""

    def listed(*xs: Any) -> Any:
        return flatten(case.call(*xs))

    return ag.vjp(listed, *inputs)[1](weights)


def assert_close(exact: float, numerical: float, scale: float) -> None:
    assert abs(exact - numerical) <= 2e-9 * max(scale, 1.0), (exact, numerical)


@every_derivative
@pytest.mark.parametrize("seed", [1, 2])
def test_the_first_derivative_is_the_numerical_one(case: Case, seed: int) -> None:
    inputs = case.draw(seed)
    weights = cotangents(case, inputs, seed)
    direction = random_like(np.random.default_rng(seed + 10), inputs)
    shares = gradients(case, weights, inputs)
    numerical = directional_derivative(
        lambda *xs: inner(weights, flatten(case.reference(*xs))), inputs, direction, 8e-3
    )
    scale = sum(float(np.sum(np.abs(share))) for share in shares)
    assert_close(inner(shares, direction), numerical, scale)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.derivatives > 1], ids=lambda case: case.name
)
def test_the_second_derivative_is_the_numerical_one(case: Case) -> None:
    inputs = case.draw(3)
    weights = cotangents(case, inputs, 4)
    rng = np.random.default_rng(5)
    direction, probe = random_like(rng, inputs), random_like(rng, inputs)

    def gradient(*xs: Any) -> Any:
        return gradients(case, weights, xs)

    shares = ag.vjp(gradient, *inputs)[1](tuple(probe))
    numerical = directional_derivative(
        lambda *xs: inner(probe, gradient(*xs)), inputs, direction, 8e-3
    )
    scale = sum(float(np.sum(np.abs(share))) for share in shares)
    assert_close(inner(shares, direction), numerical, scale)


def assert_forward_derivative_is_the_numerical_one(
    case: Case, inputs: list[Any], arrays: list[Any]
) -> None:
    """By `jvp`; its tangents are as the values that NumPy gives of the same numbers."""
    theirs = flatten(case.reference(*arrays))
    weights = random_like(np.random.default_rng(1), theirs)
    directions = random_like(np.random.default_rng(2), arrays)
    kinds = [type(x) if isinstance(x, float | complex) else np.asarray for x in inputs]
    tangents = tuple(kind(v) for kind, v in zip(kinds, directions, strict=True))
    numerical = directional_derivative(
        lambda *xs: inner(weights, flatten(case.reference(*xs))), arrays, directions, 2e-3
    )
    if not theirs or not np.isfinite(numerical):
        return
    found = ag.jvp(lambda *xs: flatten(case.call(*xs)), tuple(inputs), tangents)[1]
    for tangent, value in zip(found, theirs, strict=True):
        assert np.shape(tangent) == np.shape(value)
        assert np.asarray(tangent).dtype == np.asarray(value).dtype
    assert_close(inner(weights, found), numerical, sum(float(np.sum(np.abs(t))) for t in found))


@every_derivative
def test_the_forward_derivative_is_the_numerical_one(case: Case) -> None:
    inputs = case.draw(1)
    assert_forward_derivative_is_the_numerical_one(case, inputs, inputs)


NEED_ARRAYS = {"array", "at.imag", "at.real"} | {
    "apply_over_axes", "copyto", "frombuffer", "fromfile", "full", "geomspace", "polyint", "put",
}  # fmt: skip
"""Functions that write, that ask ``like=`` for an array, or that have axes to go along."""


@every_derivative
def test_the_forward_derivative_is_the_numerical_one_for_python_numbers(case: Case) -> None:
    """Where NumPy's function takes numbers in the place of arrays."""
    if getattr(case.function, "__name__", case.function) in NEED_ARRAYS:
        return
    rng = np.random.default_rng(3)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            arrays = [domain.draw(rng, ()) for domain in case.domains]
            case.reference(*arrays)
        except Exception:
            return
        numbers = [x.item() for x in arrays]
        assert_forward_derivative_is_the_numerical_one(case, numbers, arrays)


def narrowed(x: Any) -> Any:
    return x.astype(np.complex64 if np.iscomplexobj(x) else np.float32)


@every_derivative
@pytest.mark.filterwarnings("ignore:logm result may be inaccurate")  # SciPy's, in float32
def test_float32_stays_float32(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values as NumPy's; and no rule computes a gradient in more than its input's precision."""
    if case.function is np.roots:
        return  # its companion matrix is of double precision
    inputs = [narrowed(x) for x in case.draw()]
    leaves = [ag.Value(x) for x in inputs]
    results = outputs(case, leaves)
    widest = max(np.finfo(result.dtype).bits for result in results)
    conform = backward.conform_to

    def watched(share: Any, like: Any, primitive: Any, index: int) -> Any:
        dtype = getattr(share, "dtype", np.dtype(np.float16))
        assert np.finfo(dtype).bits <= widest, (primitive, index, dtype)
        return conform(share, like, primitive, index)

    monkeypatch.setattr(backward, "conform_to", watched)
    for result, expected in zip(results, flatten(case.reference(*inputs)), strict=True):
        assert result.dtype == expected.dtype
        result.backward(np.ones(result.shape, result.dtype))
    for leaf, x in zip(leaves, inputs, strict=True):
        assert leaf.grad is None or leaf.grad.dtype == x.dtype


LAYOUTS = {
    "Fortran": lambda x: np.array(x, order="F"),
    "reversed": lambda x: np.flip(np.flip(x).copy()),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
}


@every_derivative
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_in_memory_does_not_matter(case: Case, layout: str) -> None:
    inputs = case.draw()
    weights = cotangents(case, inputs, 6)
    laid_out = [np.asarray(LAYOUTS[layout](x)) for x in inputs]
    for x in laid_out:
        x.flags.writeable = False
    for share, other in zip(
        gradients(case, weights, inputs), gradients(case, weights, laid_out), strict=True
    ):
        np.testing.assert_allclose(share, other, rtol=1e-13, atol=1e-13)
