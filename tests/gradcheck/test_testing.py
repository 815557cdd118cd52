"""What other people's test suites use."""

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.testing import DOMAINS, Domain, arrays_for, assert_gradients, smooth_arrays

few = settings(max_examples=10, deadline=None, derandomize=True)


@pytest.mark.parametrize("function", DOMAINS, ids=lambda function: function.__name__)
def test_functions_are_smooth_in_their_domains(function):
    @few
    @given(arrays_for(function))
    def check(args):
        assert_gradients(function, *args, order=1)

    try:
        with np.errstate(all="ignore"):
            function(*(ag.Value([0.5, 0.7]) for _ in DOMAINS[function]))
    except ag.NoRuleError:
        pytest.skip("the engine has no rule for it")
    check()


@few
@given(arrays_for(lambda x, y: x * y, shape=(2, 2), dtype=np.float32))
def test_a_function_of_ones_own_gets_arrays_for_each_argument(args):
    x, y = args
    assert x.shape == y.shape == (2, 2)
    assert x.dtype == y.dtype == np.float32


@few
@given(smooth_arrays(Domain(0.0, 1.0, distinct=True), (2, 3)))
def test_distinct_entries_keep_a_distance(x):
    assert x.shape == (2, 3)
    assert np.min(np.diff(np.sort(x, axis=None))) > 0.05
    assert 0 < x.min() < x.max() < 1


def test_an_empty_domain_is_refused():
    with pytest.raises(ag.ArgumentValueError, match="nothing is left of Domain"):
        smooth_arrays(Domain(-0.01, 0.01, away_from=(0.0,)))


def test_a_family_fails_as_one_with_every_report():
    wrong = ag.Primitive(np.sin, lambda g, out, x: -g * np.cos(x), name="wrong sine")
    family = {"sine": np.sin, "wrong": wrong, "tanh": np.tanh}
    with pytest.raises(AssertionError) as caught:
        assert_gradients(family, np.array([0.5, 1.0]))
    text = str(caught.value)
    assert text.startswith("1 of 3 functions failed\ngradcheck wrong sine: wrong derivative\n")
    assert "hint: the sign is wrong: minus the analytic derivative agrees everywhere" in text


def test_a_wrong_second_derivative_is_found_by_default():
    slope = ag.Primitive(np.cos, lambda g, out, x: g * np.sin(x), name="slope")
    sine = ag.Primitive(np.sin, lambda g, out, x: g * slope(x), name="sine")
    assert_gradients(sine, np.array([0.5]), order=1)
    with pytest.raises(AssertionError, match="gradient of sine: wrong derivative"):
        assert_gradients(sine, np.array([0.5]))


def test_the_order_is_one_that_exists():
    x = np.array([0.5, 1.0])
    assert_gradients(np.sin, x, gradient=np.cos)
    with pytest.raises(ag.ArgumentValueError, match="only the first derivative"):
        assert_gradients(np.sin, x, gradient=np.cos, order=2)


class Spring:
    """A function that is a method."""

    def __init__(self, stiffness):
        self.stiffness = stiffness

    def energy(self, x, rest):
        return np.sum(self.stiffness * (x["end"] - x["start"] - rest) ** 2)


def test_methods_dictionaries_and_arguments_by_name():
    ends = {"start": np.array([0.1, 0.2]), "end": np.array([1.0, 2.0])}
    assert_gradients(Spring(3.0).energy, ends, kwargs={"rest": 0.3})

    def gradient(x, rest):
        force = 6.0 * (x["end"] - x["start"] - rest)
        return {"start": -force, "end": force}, np.sum(force)

    report = ag.gradcheck(
        Spring(3.0).energy, ends, kwargs={"rest": 0.3}, gradient=gradient, raise_error=False
    )
    assert report.hints[0].text == (
        "only for rest: the sign is wrong: minus the analytic derivative agrees everywhere"
    )


@pytest.mark.parametrize("functions", [[], {}, None, [np.sin, "cos"]])
def test_what_holds_no_function_does_not_pass(functions):
    with pytest.raises(ag.ArgumentTypeError, match="pass a function, or a sequence or mapping"):
        assert_gradients(functions, np.ones(2))


def test_what_cannot_be_checked_at_all_is_said_once():
    with pytest.raises(ag.ArgumentValueError, match="was given no number") as caught:
        assert_gradients(np.sin)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("arguments", [{}, [], np.zeros(0)])
def test_arguments_without_a_number_are_named(arguments):
    with pytest.raises(ag.ArgumentValueError, match="no number is in the arguments of sin"):
        assert_gradients(np.sin, arguments)
