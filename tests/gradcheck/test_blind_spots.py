"""Where other checkers pass what is wrong, fail what is right, or decide by luck."""

import numpy as np
import pytest

import autograd_lite as ag
from tests.gradcheck.false_alarms import run

rng = np.random.default_rng(5)


def verdict(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options).verdict


def sum_of_squares(x):
    return np.sum(x**2)


def spoiled(place, factor):
    def gradient(x):
        g = 2 * x
        g[place] *= factor
        return g

    return gradient


@pytest.mark.parametrize("size", [1_000, 100_000])
@pytest.mark.parametrize("factor", [1.001, 2.0, -1.0, 0.0])
def test_one_wrong_entry_among_many(size, factor):
    x = rng.normal(size=size)
    gradient = spoiled(size // 3, factor)
    report = ag.gradcheck(sum_of_squares, x, gradient=gradient, raise_error=False)
    assert report.verdict == "wrong derivative"
    assert [entry.input for entry in report.entries] == [f"x[{size // 3}]"]
    assert report.hints[0].kind == "entries"


def test_a_wrong_entry_where_the_input_is_tiny():
    x = rng.normal(size=10_000)
    x[77] = 1e-9
    wrong = ag.gradcheck(
        lambda x: np.sum(np.sin(x)),
        x,
        gradient=lambda x: np.where(np.abs(x) < 1e-6, 0, np.cos(x)),
        raise_error=False,
    )
    assert [entry.input for entry in wrong.entries] == ["x[77]"]


def test_a_permuted_gradient():
    x = rng.normal(size=50)
    assert verdict(sum_of_squares, x, gradient=lambda x: 2 * x[::-1]) == "wrong derivative"


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1.0, 1e4, 1e8])
def test_steps_fit_the_scale_of_the_input(scale):
    assert verdict(lambda x: x**2, scale) == "correct"
    assert verdict(lambda x: x**2, scale, gradient=lambda x: 2.002 * x) == "wrong derivative"
    assert verdict(np.sin, scale) == "correct"


def test_scales_that_differ_within_one_array():
    x = np.array([1e8, 1e-8])
    assert verdict(sum_of_squares, x) == "correct"
    assert verdict(sum_of_squares, x, gradient=spoiled(1, 1.01)) == "wrong derivative"


def test_a_zero_gradient_of_a_flat_function():
    assert verdict(lambda x: 1e-7 * x**2, 1.0, gradient=lambda x: 0.0) == "wrong derivative"
    assert verdict(lambda x: 1e-7 * x**2, 1.0) == "correct"


def flat_in_real_numbers(x):
    return 1e8 + 1e-12 * float(np.sin(x))


def test_what_rounding_hides_is_no_pass():
    report = ag.gradcheck(
        flat_in_real_numbers, 1.0, gradient=lambda x: 1e-12 * np.cos(x), raise_error=False
    )
    assert report.verdict == "step noise"
    assert "subtract the large constant" in report.reason


def test_a_complex_step_sees_what_rounding_hides():
    def flat(x):
        return 1e8 + 1e-12 * np.sin(x)

    assert verdict(flat, 1.0) == "correct"
    assert verdict(flat, 1.0, gradient=lambda x: 1.01e-12 * np.cos(x)) == "wrong derivative"


KINKS = {
    "abs": (np.abs, [1.0, 0.0, -2.0], "x[1]"),
    "relu": (lambda x: np.maximum(x, 0), [1.0, 0.0, -2.0], "x[1]"),
    "ties": (lambda x: np.max(x), [1.0, 2.0, 2.0], "x[2]"),
    "almost tied": (lambda x: np.max(x), [1.0, 2.0, 2.0 + 1e-14], "x[2]"),
    "crossing": (np.sort, [1.0, 2.0, 2.0], "[2]"),
    "where": (lambda x: np.where(x > 0, x, 3 * x), [1.0, 0.0, -2.0], "x[1]"),
    "jump": (lambda x: np.where(x > 0, x + 1, x), [1.0, 0.0, -2.0], "x[1]"),
    "step": (np.sign, [1.0, 0.0, -2.0], "[1]"),
    "one in a thousand": (lambda x: np.sum(np.abs(x)), [*rng.normal(size=999), 0.0], "x[999]"),
}


@pytest.mark.parametrize("kink", KINKS)
def test_a_kink_is_told_as_such(kink):
    function, x, place = KINKS[kink]
    report = ag.gradcheck(function, np.array(x), raise_error=False)
    assert report.verdict == "not differentiable here"
    assert place in report.reason


@pytest.mark.parametrize("analytic", [-1.0, 0.0, 0.5, 1.0])
def test_no_claim_passes_or_fails_at_a_kink(analytic):
    assert verdict(abs, 0.0, gradient=lambda x: analytic) == "not differentiable here"


def test_close_to_a_kink_the_derivative_is_judged():
    x = np.array([1e-9, -1e-9, 2.0])
    assert verdict(np.abs, x) == "correct"
    assert verdict(np.abs, x, gradient=lambda x: np.ones(3)) == "wrong derivative"


class TestCost:
    """How often the function is evaluated, for 100,000 inputs."""

    size = 100_000

    @pytest.mark.parametrize(
        "function",
        [
            sum_of_squares,
            np.sin,
            lambda x: np.sum(np.maximum(x, 0)),
            lambda x: np.sum(np.log(np.abs(x))),
            lambda x: np.sum(np.tanh(np.reshape(x, (100, 1000)) @ np.ones((1000, 3)))),
        ],
    )
    def test_a_correct_function_takes_at_most_40(self, function):
        report = ag.gradcheck(function, rng.normal(size=self.size))
        assert report.evaluations <= 40

    @pytest.mark.parametrize("factor", [1.001, 2.0, 0.0])
    def test_finding_one_wrong_entry_takes_at_most_150_more(self, factor):
        x = rng.normal(size=self.size)
        right = ag.gradcheck(sum_of_squares, x, gradient=lambda x: 2 * x)
        wrong = ag.gradcheck(sum_of_squares, x, gradient=spoiled(4321, factor), raise_error=False)
        assert wrong.worst.input == "x[4321]"
        assert wrong.evaluations <= right.evaluations + 150


def test_no_false_alarm_at_random_points():
    alarms = run(600, seed=0)
    assert not alarms, alarms
