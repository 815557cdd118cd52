"""Functions of one's own: several results, what is kept for the rules, forward rules, methods."""

import threading
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from scipy import linalg, special

import autograd_lite as ag

X, Y = np.array([3.0, 1.0]), np.array([4.0, -2.0])


def polar_of(x, y):
    return np.sqrt(x * x + y * y), np.arctan2(y, x)


@pytest.fixture
def polar():
    return ag.primitive(lambda x, y: (np.hypot(x, y), np.arctan2(y, x))).defvjp(
        lambda g, out, x, y: (g[0] * x - g[1] * y / out[0]) / out[0],
        lambda g, out, x, y: (g[0] * y + g[1] * x / out[0]) / out[0],
    )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def swish():
    @ag.primitive(residuals=True)
    def swish(x):
        s = sigmoid(x)
        return x * s, s

    return swish.defvjp(lambda g, out, s, x: g * (s + out * (1 - s)))


def both(function):
    return lambda x, y: np.sum(function(x, y)[0] * np.sin(2 * function(x, y)[1]))


class TestSeveralResults:
    """Independent values: the same written in NumPy, which the engine differentiates by itself."""

    def test_plain_arrays_are_computed_with(self, polar):
        assert [type(x) for x in polar(X, Y)] == [np.ndarray, np.ndarray]

    def test_gradients(self, polar):
        expected = ag.grad(both(polar_of), (0, 1))(X, Y)
        np.testing.assert_allclose(ag.grad(both(polar), (0, 1))(X, Y), expected)

    @pytest.mark.parametrize("place", [0, 1])
    def test_zeros_stand_for_results_that_are_not_used(self, polar, place):
        expected = ag.grad(lambda x: np.sum(polar_of(x, Y)[place]))(X)
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(polar(x, Y)[place]))(X), expected)

    def test_second_derivatives(self, polar):
        expected = ag.hessian(lambda x: both(polar_of)(x, Y))(X)
        np.testing.assert_allclose(ag.hessian(lambda x: both(polar)(x, Y))(X), expected, atol=1e-12)

    def test_forward_mode_and_jacobian(self, polar):
        for got, expected in zip(
            ag.jvp(lambda x: polar(x, Y), X, np.ones(2))[1],
            ag.jvp(lambda x: polar_of(x, Y), X, np.ones(2))[1],
            strict=True,
        ):
            np.testing.assert_allclose(got, expected)
        rows = ag.jacobian(lambda x: polar(x, Y))(X)
        np.testing.assert_allclose(rows[1], ag.jacobian(lambda x: np.arctan2(Y, x))(X))

    def test_compiled(self, polar):
        compiled = ag.compile(ag.grad(both(polar), (0, 1)))
        for shift in range(4):
            expected = ag.grad(both(polar_of), (0, 1))(X + shift, Y)
            np.testing.assert_allclose(compiled(X + shift, Y), expected)

    def test_gradcheck(self, polar):
        assert ag.gradcheck(polar, X, Y, order=2, mode="forward")
        polar.defvjp(*[lambda g, out, x, y: g[0] * x / out[0]] * 2)
        assert ag.gradcheck(polar, X, Y, raise_error=False).verdict == "wrong derivative"

    def test_named_tuples(self):
        class Pair(NamedTuple):
            square: float
            sine: float

        pair = ag.primitive(lambda x: Pair(x**2, np.sin(x)))
        pair.defvjp(lambda g, out, x: g.square * 2 * x + g.sine * np.cos(x))
        assert ag.grad(lambda x: pair(x).square + pair(x).sine)(2.0) == 4.0 + np.cos(2.0)

    def test_integers_among_the_results_carry_no_gradient(self):
        largest = ag.primitive(lambda x: (x**2, np.argmax(x)))
        largest.defvjp(lambda g, out, x: 2 * x * g[0])
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(largest(x)[0]))(X), 2 * X)

    def test_a_result_that_is_an_argument_is_refused(self):
        alias = ag.primitive(lambda x: (x, 2 * x)).defvjp(lambda g, out, x: g[0] + 2 * g[1])
        with pytest.raises(ag.UnsupportedError, match=r"return a copy \(x\.copy\(\)\)$"):
            alias(ag.Value(X))

    @pytest.mark.parametrize("result", [None, "a", [1.0, 2.0], {"a": 1.0}])
    def test_a_single_result_is_a_number(self, result):
        with pytest.raises(ag.ArgumentTypeError, match=r"or several in a tuple$"):
            ag.primitive(lambda x: result)(ag.Value(X))

    def test_what_is_no_number_is_refused(self):
        odd = ag.primitive(lambda x: (x * 2, {"twice": x * 2}))
        with pytest.raises(ag.ArgumentTypeError, match="returned dict; return an array or number"):
            odd(ag.Value(X))


class TestResiduals:
    def test_callers_see_the_result_alone(self, swish):
        np.testing.assert_allclose(swish(X), X * sigmoid(X))
        assert swish(ag.Value(X)).shape == (2,)

    def test_gradients_nested_threaded_checkpointed_and_compiled(self, swish):
        def plain(x):
            return np.sum(x * sigmoid(x) * sigmoid(x * sigmoid(x)))

        def twice(x):
            return np.sum(swish(swish(x)))

        expected = [ag.grad(plain)(X * i) for i in range(8)]
        found = {}
        threads = [
            threading.Thread(target=lambda i: found.update({i: ag.grad(twice)(X * i)}), args=(i,))
            for i in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        compiled = ag.compile(ag.grad(twice))
        for i in range(8):
            np.testing.assert_allclose(found[i], expected[i])
            np.testing.assert_allclose(compiled(X * i), expected[i])
            np.testing.assert_allclose(ag.grad(ag.checkpoint(twice))(X * i), expected[i])

    def test_forward_mode(self, swish):
        slope = sigmoid(X) + X * sigmoid(X) * (1 - sigmoid(X))
        np.testing.assert_allclose(ag.jvp(swish, X, np.ones(2))[1], slope)

    def test_a_second_derivative_through_them_is_refused(self, swish):
        with pytest.raises(ag.UnsupportedError, match=r"compute it in the rules, from the inputs$"):
            ag.hessian(lambda x: np.sum(swish(x)))(X)

    def test_a_factorization_is_computed_once(self):
        count = []

        @ag.primitive(residuals=True)
        def solve(a, b):
            count.append(1)
            factors = linalg.lu_factor(a)
            return linalg.lu_solve(factors, b), factors

        solve.defvjp(
            lambda g, out, factors, a, b: -np.outer(linalg.lu_solve(factors, g, trans=1), out),
            lambda g, out, factors, a, b: linalg.lu_solve(factors, g, trans=1),
        )
        a = np.array([[2.0, 1.0], [0.5, 3.0]])
        ag.grad(lambda a: np.sum(solve(a, X)))(a)
        assert len(count) == 1
        assert ag.gradcheck(solve, a, X)

    def test_objects_are_kept_and_refused_in_a_program(self):
        power = ag.primitive(residuals=True)(lambda x: (x**2, object()))
        power.defvjp(lambda g, out, kept, x: 2 * g * x)
        assert ag.grad(power)(3.0) == 6.0
        with pytest.raises(
            ag.UnsupportedError, match="keep arrays or numbers while it is compiled"
        ):
            ag.compile(ag.grad(power))(3.0)

    def test_what_is_kept_is_no_view_of_an_argument(self):
        square = ag.primitive(residuals=True)(lambda x: (x**2, x))
        square.defvjp(lambda g, out, kept, x: 2 * g * kept)
        x = ag.Value(X)
        y = x * 1
        total = np.sum(square(y))
        y[0] = 100.0
        total.backward()
        np.testing.assert_allclose(x.grad, 2 * X)

    def test_each_sample_keeps_its_own(self, swish):
        slope = sigmoid(X) + X * sigmoid(X) * (1 - sigmoid(X))
        each, total = ag.vmap(ag.grad(swish)), lambda x: np.sum(ag.vmap(swish)(x))
        with pytest.warns(ag.AutogradWarning, match="each of 2 samples"):
            np.testing.assert_allclose(each(X), slope)
        with pytest.warns(ag.AutogradWarning, match="each of 2 samples"):
            np.testing.assert_allclose(ag.grad(total)(X), slope)
            pullback = ag.vjp(swish, X)[1]
            np.testing.assert_allclose(ag.vmap(pullback)(np.eye(2))[0], np.diag(slope))
            one = ag.vmap(lambda g: ag.vjp(swish, X)[1](g)[0])
            np.testing.assert_allclose(one(np.eye(2)), np.diag(slope))

    @pytest.mark.filterwarnings("ignore::autograd_lite.AutogradWarning")
    def test_objects_are_kept_for_each_sample(self):
        divided = ag.primitive(residuals=True)(lambda x: (1 / x, {"by": Fraction(x), "as": "text"}))
        divided.defvjp(
            lambda g, out, kept, x: g * {"text": -1}[kept["as"]] / float(kept["by"] ** 2)
        )
        x = np.array([[1.0, 2.0, 4.0], [8.0, -1.0, -2.0]])
        slopes = ag.vmap(ag.vmap(ag.grad(divided)))
        np.testing.assert_allclose(slopes(x), -1 / x**2)
        total = ag.grad(lambda x: np.sum(ag.vmap(ag.vmap(divided))(x)))
        np.testing.assert_allclose(total(x), -1 / x**2)

    def test_the_pair_is_required(self):
        with pytest.raises(ag.ArgumentTypeError, match=r"write return result, residuals$"):
            ag.primitive(residuals=True)(lambda x: x)(2.0)


def bessel(**rules):
    """Of SciPy, as a black box: it computes on plain arrays only."""
    found = ag.primitive(lambda x: special.j0(np.asarray(x)))
    return found.defvjp(rules.get("vjp", lambda g, out, x: -g * special.j1(np.asarray(x))))


class TestForwardRules:
    def test_black_boxes_have_forward_mode(self):
        j0 = bessel().defjvp(lambda t, out, x: -t * special.j1(np.asarray(x)))
        np.testing.assert_allclose(ag.jvp(j0, X, Y)[1], -Y * special.j1(X))
        assert ag.gradcheck(j0, X, mode="forward")

    def test_black_boxes_are_compiled(self):
        as_primitive = ag.primitive(lambda g, out, x: -g * special.j1(np.asarray(x)))
        for j0 in (
            bessel().defjvp(lambda t, out, x: -t * special.j1(np.asarray(x))),
            bessel(vjp=as_primitive),
        ):
            compiled = ag.compile(ag.grad(lambda x: np.sum(j0(x))))  # noqa: B023
            for shift in range(4):
                np.testing.assert_allclose(compiled(X + shift), -special.j1(X + shift))

    def test_their_forward_mode_is_compiled(self):
        j0 = bessel().defjvp(lambda t, out, x: -t * special.j1(np.asarray(x)))
        compiled = ag.compile(lambda x: ag.jvp(j0, x, Y)[1])
        for shift in range(4):
            np.testing.assert_allclose(compiled(X + shift), -Y * special.j1(X + shift))

    def test_no_order_that_does_not_exist_is_asserted(self, swish):
        ag.testing.assert_gradients(swish, X)
        ag.testing.assert_gradients(bessel(), X)
        with pytest.raises(ag.UnsupportedError):
            ag.testing.assert_gradients(bessel(), X, order=2)

    @pytest.mark.parametrize(
        "transform",
        [
            lambda f: ag.grad(lambda x: np.sum(ag.jvp(f, x, Y)[1]))(X),
            lambda f: ag.hessian(lambda x: np.sum(f(x)))(X),
        ],
    )
    def test_without_them_derivatives_of_black_boxes_are_refused(self, transform):
        with pytest.raises(ag.UnsupportedError, match=r"forward mode by <lambda>\.defjvp$"):
            transform(bessel())

    def test_second_derivatives_of_black_boxes_are_refused(self):
        j0 = bessel().defjvp(lambda t, out, x: -t * special.j1(np.asarray(x)))
        with pytest.raises(ag.UnsupportedError, match="Write the rule with NumPy functions"):
            ag.hessian(lambda x: np.sum(j0(x)))(X)

    def test_they_are_differentiated_in_turn(self, polar):
        without = ag.hessian(lambda x: both(polar)(x, Y))(X)
        along = ag.grad(lambda x: np.sum(ag.jvp(lambda x: polar(x, Y)[0], x, Y)[1]))(X)
        polar.defjvp(
            lambda t, out, x, y: (t * x / out[0], -t * y / out[0] ** 2),
            lambda t, out, x, y: (t * y / out[0], t * x / out[0] ** 2),
        )
        np.testing.assert_allclose(ag.hessian(lambda x: both(polar)(x, Y))(X), without, atol=1e-12)
        np.testing.assert_allclose(
            ag.grad(lambda x: np.sum(ag.jvp(lambda x: polar(x, Y)[0], x, Y)[1]))(X), along
        )
        assert ag.gradcheck(polar, X, Y, order=2, mode="forward")

    def test_gradcheck_compares_them_with_reverse_rules(self, polar):
        polar.defjvp(
            lambda t, out, x, y: (t * x / out[0], t * y / out[0] ** 2),
            lambda t, out, x, y: (t * y / out[0], t * x / out[0] ** 2),
        )
        report = ag.gradcheck(polar, X, Y, raise_error=False)
        assert report.verdict == "wrong derivative"
        assert report.hints[0].kind == "transpose"
        assert "argument 'x' is not the transpose of its reverse rule" in report.hints[0].text

    def test_a_wrong_shape_is_refused(self, polar):
        polar.defjvp(*[lambda t, out, x, y: t] * 2)
        with pytest.raises(ag.RuleError, match="return the tangent of each result"):
            ag.jvp(lambda x: polar(x, Y), X, X)

    def test_both_kinds_are_given_for_the_same_inputs(self, polar):
        with pytest.raises(ag.ArgumentTypeError, match=r"give both for the same inputs$"):
            polar.defjvp(lambda t, out, x, y: t)
        with pytest.raises(ag.ArgumentTypeError, match="rule 0 is 3"):
            polar.defjvp(3, None)


class Layer:
    def __init__(self, scale):
        self.scale = scale

    @ag.primitive
    def squared(self, x):
        return self.scale * x**2

    squared.defvjp(None, lambda g, out, self, x: 2 * g * self.scale * x)

    def cubed(self, x):
        return self.scale * x**3


class TestCalls:
    def test_methods(self):
        layer = Layer(3.0)
        assert layer.squared(2.0) == 12.0
        assert ag.grad(layer.squared)(2.0) == 12.0
        assert ag.gradcheck(layer.squared, X, order=2)
        compiled = ag.compile(ag.grad(lambda x: np.sum(layer.squared(x))))
        np.testing.assert_allclose(compiled(X), 6 * X)

    def test_bound_methods_are_functions(self):
        cubed = ag.primitive(Layer(2.0).cubed).defvjp(lambda g, out, x: 6 * g * x**2)
        assert ag.gradcheck(cubed, X)

    def test_values_by_keyword_are_inputs(self):
        @ag.primitive
        def line(x, scale, shift=1.0):
            return x * scale + shift

        line.defvjp(
            lambda g, out, x, scale, shift=1.0: g * scale,
            lambda g, out, x, scale, shift=1.0: np.sum(g * x),
            lambda g, out, x, scale, shift=1.0: np.sum(g),
        )
        assert ag.grad(lambda scale: np.sum(line(X, scale=scale)))(2.0) == np.sum(X)
        assert ag.grad(lambda shift: np.sum(line(X, shift=shift, scale=3.0)))(2.0) == 2.0
        assert ag.gradcheck(line, X, kwargs={"scale": 2.0})
        with pytest.raises(ag.ArgumentTypeError, match="missing a required argument: 'scale'"):
            line(X, shift=ag.Value(1.0))

    def test_dicts_are_checked_by_their_rules(self):
        @ag.primitive
        def line(p, x):
            return p["slope"] * x + p["offset"]

        def rules(of_slope):
            return (
                lambda g, out, p, x: {"slope": of_slope(g, x), "offset": np.sum(g)},
                lambda g, out, p, x: g * p["slope"],
            )

        line.defvjp(*rules(lambda g, x: np.sum(g * x)))
        assert ag.gradcheck(line, {"slope": 3.0, "offset": 1.0}, X, order=2)
        line.defvjp(*rules(lambda g, x: np.sum(g)))
        report = ag.gradcheck(line, {"slope": 3.0, "offset": 1.0}, X, raise_error=False)
        assert report.verdict == "wrong derivative"
        assert report.worst.input == "p['slope']"


def test_buffers_that_are_filled_again_are_nobodys_results_nor_gradients():
    first, second, kept, given = (np.empty(3) for _ in range(4))
    both = ag.primitive(lambda x: (np.exp(x, out=first), np.cos(x, out=second)))
    both.defvjp(lambda g, out, x: g[0] * out[0] - g[1] * np.sin(x))
    sine = ag.primitive(lambda x: (np.sin(x), np.cos(x, out=kept)), residuals=True)
    sine.defvjp(lambda g, out, cosine, x: np.multiply(g, cosine, out=given))

    def function(x, both, sine):
        a, b = both(x)
        c, _ = both(2 * x)
        return np.sum(a * b * x) + np.sum(c) + np.sum(sine(x) * sine(2 * x)) + np.sum(sine(sine(x)))

    x = np.array([0.3, 0.8, 1.2])
    expected = ag.grad(lambda x: function(x, lambda x: (np.exp(x), np.cos(x)), np.sin))(x)
    np.testing.assert_allclose(ag.grad(lambda x: function(x, both, sine))(x), expected, rtol=1e-12)


def test_a_rule_that_writes_into_what_it_is_given_is_refused():
    def in_place(g, out, x):
        out *= g
        return out

    exponential = ag.primitive(np.exp).defvjp(in_place)
    with pytest.raises(ag.RuleError, match="writes into what it was given"):
        ag.grad(lambda x: np.sum(exponential(x)))(np.ones(3))


class Scaling:
    """A layer whose function reads a Value of its own in the place of an argument."""

    def __init__(self, scale):
        self.scale = scale

    @ag.primitive
    def of(self, x):
        return self.scale * x

    _ = of.defvjp(None, lambda g, out, self, x: g * self.scale)


def capturing(make, **options):
    """A function that captures what depends on the argument, though it is a primitive."""

    def function(x):
        w = x * x
        made = ag.primitive(**options)(make(w))
        return made.defvjp(lambda g, out, *rest: g * w)(x)

    return function


CAPTURING = {
    "a result": capturing(lambda w: lambda z: z * w),
    "one of several": capturing(lambda w: lambda z: (z, z * w)),
    "a residual": capturing(lambda w: lambda z: (z, z * w), residuals=True),
    "the captured itself": capturing(lambda w: lambda z: w),
    "an object": lambda x: Scaling(x * x).of(x),
    "a plain argument": lambda x: ag.primitive(lambda z: z * x)(3.0) * x,
    "in a container": lambda x: ag.primitive(lambda z: z[0] * x)([x, 1.0]),
    "of two arguments": lambda x: ag.primitive(lambda z, y: z * x * y)(x, 2.0),
    "a Primitive": lambda x: ag.Primitive(lambda z: z * x, lambda g, out, z: g * x)(x),
    "a checkpoint": lambda x: ag.checkpoint(lambda y: capturing(lambda w: lambda z: z * w)(y))(x),
}
TRANSFORMS = {
    "called": lambda f: lambda x: f(ag.Value(x)),
    "grad": ag.grad,
    "jacobian": ag.jacobian,
    "jvp": lambda f: lambda x: ag.jvp(f, x, 1.0),
    "compiled": ag.compile,
    "its gradient compiled": lambda f: ag.compile(ag.grad(f)),
    "samples": lambda f: lambda x: ag.vmap(f)(np.array([x, 2 * x])),
    "gradients of samples": lambda f: lambda x: ag.vmap(ag.grad(f))(np.array([x, 2 * x])),
    "gradient of samples": lambda f: ag.grad(lambda x: ag.vmap(f)(np.array([1.0, 2.0]) * x)[0]),
}


@pytest.mark.filterwarnings("ignore:ag.vmap")
@pytest.mark.parametrize("name", CAPTURING)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_function_that_computes_with_captured_values_is_refused(name, transform):
    with pytest.raises(ag.AutogradError, match=r"returned a Value.*pass that Value as an argument"):
        TRANSFORMS[transform](CAPTURING[name])(1.5)


def test_a_captured_value_that_is_a_constant_says_so():
    w = ag.Value(3.0)
    tripled = ag.primitive(lambda z: z * w.data).defvjp(lambda g, out, z: g * w.data)
    assert ag.grad(tripled)(2.0) == 3.0


@pytest.mark.parametrize(
    "nested",
    [
        lambda slope, offset: {"slope": slope, "offset": offset},
        lambda slope, offset: {"offset": offset, "slope": slope},
    ],
    ids=["in the same order", "in another order"],
)
def test_gradients_of_a_dict_go_by_its_keys(nested):
    line = ag.primitive(lambda p, x: p["slope"] * x + p["offset"]).defvjp(
        lambda g, out, p, x: nested(np.sum(g * x), np.sum(g)), lambda g, out, p, x: g * p["slope"]
    )
    gradient = ag.grad(lambda p: np.sum(line(p, X)))({"slope": 2.0, "offset": 1.0})
    assert gradient == {"slope": np.sum(X), "offset": X.size}


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ({"slope": 1.0, "intercept": 2.0}, r"expected the parts \['slope', 'offset'\], given"),
        ({"slope": 1.0, "offset": None}, "returned None among its gradients; return 0"),
        ((1.0,), "nested as the argument is, and 0"),
    ],
)
def test_gradients_nested_in_another_way_are_refused(returned, what):
    line = ag.primitive(lambda p: p["slope"] + p["offset"]).defvjp(lambda g, out, p: returned)
    with pytest.raises(ag.RuleError, match=what):
        ag.grad(line)({"slope": 2.0, "offset": 1.0})


def test_tangents_of_nested_results_go_by_their_keys():
    @ag.primitive(residuals=True)
    def waves(x):
        return {"sin": np.sin(x), "cos": np.cos(x)}, x

    waves.defvjp(lambda g, out, kept, x: g["sin"] * np.cos(x) - g["cos"] * np.sin(x))
    waves.defjvp(lambda t, out, kept, x: {"cos": -t * np.sin(x), "sin": t * np.cos(x)})
    assert ag.jvp(lambda x: waves(x)["sin"], 1.0, 1.0)[1] == pytest.approx(np.cos(1.0))
    waves.defjvp(lambda t, out, kept, x: {"c": -t * np.sin(x), "s": t * np.cos(x)})
    with pytest.raises(ag.RuleError, match="nested in another way than the results"):
        ag.jvp(lambda x: waves(x)["sin"], 1.0, 1.0)


def test_singular_goes_with_elementwise_functions_only():
    with pytest.raises(ag.ArgumentValueError, match="pass elementwise=True if it is one"):
        ag.Primitive(np.sum, lambda g, out, x: g + 0 * x, singular=True)
    root = ag.Primitive(
        np.sqrt, lambda g, out, x: g / (2 * out), elementwise=True, singular=True, name="root"
    )
    gradient = ag.grad(lambda x: np.sum(np.where(x > 0, root(x), 0)))(np.array([0.0, 4.0]))
    assert gradient.tolist() == [0.0, 0.25]
