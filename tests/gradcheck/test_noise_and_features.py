"""What is noise, what is a fine feature of the function, and what is too small to be seen."""

import numpy as np
import pytest

import autograd_lite as ag


def checked(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, progress=False, **options)


def verdict(function, *args, **options):
    return checked(function, *args, **options).verdict


def draw(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 20))
    return rng.normal(size=count), rng.normal(size=count)


ROUNDED_INSIDE = {
    "single precision": lambda v: np.float64(np.float32(v)),
    "nine digits": lambda v: np.round(v, 9),
}


@pytest.mark.parametrize("name", ROUNDED_INSIDE)
@pytest.mark.parametrize("seed", range(6))
def test_a_function_that_rounds_inside_is_another_one_between_its_jumps(name, seed):
    """Between the jumps the standard deviation is a constant: a mistake that people make."""
    x, w = draw(seed)

    def scaled(x):
        return float(np.sum(w * x) / ROUNDED_INSIDE[name](np.std(x)))

    def right(x):
        s = np.std(x)
        return w / s - np.sum(w * x) / s**2 * (x - np.mean(x)) / (x.size * s)

    assert verdict(scaled, x, gradient=right) == "correct"
    for wrong in (lambda x: w / np.std(x), lambda x: 1.01 * right(x)):
        report = checked(scaled, x, gradient=wrong)
        assert report.verdict == "wrong derivative"
        assert report.evaluations <= 300


@pytest.mark.parametrize("seed", range(3))
def test_features_of_a_hundred_millionth_are_seen(seed):
    x, _ = draw(seed)

    def rippled(x):
        return np.sum(x + 1e-8 * np.sin(1e8 * x))

    assert verdict(rippled, x, gradient=lambda x: 1 + np.cos(1e8 * x)) == "correct"
    assert verdict(rippled, x, gradient=np.ones_like) == "wrong derivative"


@pytest.mark.parametrize("frequency", [1e11, 3e11, 1e12])
@pytest.mark.parametrize("seed", range(6))
def test_features_are_no_noise_down_to_a_millionth_of_a_millionth(frequency, seed):
    """Coarse steps agree on the slope without the sine: it is neither a reason to call the right
    one wrong, nor right itself."""
    draws = np.random.default_rng(seed)
    x, w = draws.uniform(0.5, 2, 3), draws.normal(size=3)
    k = np.array([frequency, 1.0, 1.0])

    def rippled(x):
        return np.sum(w * (k * x + np.sin(k * x)))

    right = verdict(rippled, x, gradient=lambda x: w * k * (1 + np.cos(k * x)))
    assert right in ("correct", "cannot decide")
    assert verdict(rippled, x, gradient=lambda x: w * k) in ("wrong derivative", "cannot decide")


@pytest.mark.parametrize("scale", [1e4, 1e6, 1e9])
def test_many_periods_away_from_zero(scale):
    x = scale * np.array([1.3, -2.1, 0.7])
    assert verdict(np.sin, x) == "correct"
    assert verdict(np.sin, x, gradient=lambda x: 1.01 * np.cos(x)) == "wrong derivative"


@pytest.mark.parametrize("scale", [1e17, 1e100, 1e290])
@pytest.mark.parametrize("factor", [0.0, 1.0, 2.0])
def test_where_neighbouring_floats_are_periods_apart_nothing_is_decided(scale, factor):
    x = scale * np.array([1.3, -2.1, 0.7])
    assert verdict(np.sin, x, gradient=lambda x: factor * np.cos(x)) in (
        {"cannot decide"} if factor else {"cannot decide", "correct", "wrong derivative"}
    )


@pytest.mark.parametrize("x", [[1e8, 1e-8], [1e-8, 1e8], [1e8, 1e-8, 3e-9, 2e7], [1.0, 1e-9]])
@pytest.mark.parametrize("factor", [1.0, 1.01, 1.001, 0.0, -1.0, 2.0])
def test_an_entry_that_does_not_show_is_checked_where_it_does(x, factor):
    x = np.array(x)
    weights = np.ones(x.size)
    weights[np.argmin(x)] = factor
    report = checked(lambda x: np.sum(x**2), x, gradient=lambda x: 2 * weights * x)
    assert report.verdict == ("correct" if factor == 1 else "wrong derivative")
    if factor != 1:
        assert f"x[{np.argmin(x)}]" in [entry.input for entry in report.entries]


@pytest.mark.parametrize("scale", [1e170, 1e190, 1e250])
def test_a_derivative_that_no_float_can_hold_may_be_zero(scale):
    assert verdict(lambda x: 1 / x, scale * np.array([1.0, -3.0])) == "correct"
    assert verdict(np.log, scale * np.array([1.0, 3.0]), order=2) == "correct"


@pytest.mark.parametrize("seed", range(20))
def test_results_that_are_steps_by_their_own_size(seed):
    """1 - tanh² is a multiple of a rounding error of 1, and its size down to one or two of them."""
    x = 10 * np.random.default_rng(seed).normal(size=(2, 3))
    report = checked(np.tanh, x, order=2)
    assert report.verdict in ("correct", "cannot decide"), report


def test_a_search_for_jumps_ends_where_floats_do():
    x = np.array([[1.8684680e-17, -2.8698535e-17, -3.6922050e-17, -4.6757638e-17]], np.float32)
    assert verdict(lambda x: np.sum(x - np.mean(x)), x) == "correct"


def test_a_pole_between_the_point_and_where_a_tiny_entry_is_moved():
    for x in (
        [[2.66401852e-31, -4.60189981e-30, 6.36608208e-26, 1.26135460e-20]],
        [[-3.91622778e-17, 3.02941132e-16, -2.27238997e-06, 1.34756401e-14]],
    ):
        assert verdict(lambda x: 1 / x, np.array(x), order=2) in ("correct", "cannot decide")
