"""What is refused before derivatives are compared, and how it is said."""

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([1.0, 2.0])


def square_with(rule):
    return ag.Primitive(lambda x: x * x, rule, name="square")


def checked(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


def verdict_and_reason(*args, **options):
    report = checked(*args, **options)
    return report.verdict, report.reason


def test_a_random_function():
    rng = np.random.default_rng(0)
    verdict, reason = verdict_and_reason(lambda x: x * rng.normal(size=2), X)
    assert verdict == "random function"
    assert reason.startswith("result[0] was 0.12573 and then 0.640423 for the same arguments")


def test_a_random_rule():
    rng = np.random.default_rng(0)
    rule = square_with(lambda g, out, x: g * rng.normal(size=2))
    assert verdict_and_reason(rule, X) == (
        "random function",
        "the rule of square for argument 'x' returns different numbers for the same arguments",
    )


def double_in_place(x):
    x *= 2
    return x * x


def test_a_function_that_writes_to_its_argument():
    assert verdict_and_reason(double_in_place, X, gradient=lambda x: 8 * x) == (
        "mutated argument",
        "double_in_place writes to its argument x; let it work on a copy",
    )
    assert X.tolist() == [1.0, 2.0]


def test_a_function_that_writes_to_a_constant():
    def count(x, calls):
        calls += 1
        return x * x

    verdict, reason = verdict_and_reason(
        count, X, np.zeros(1), gradient=lambda x, calls: 2 * x, argnum=0
    )
    assert verdict == "mutated argument"
    assert reason == "count writes to an argument that is not differentiated"


def test_a_rule_that_writes_to_the_upstream_gradient():
    rule = square_with(lambda g, out, x: np.multiply(g, 2 * x, out=g))
    assert verdict_and_reason(rule, X) == (
        "mutated argument",
        "the rule of square for argument 'x' writes to its upstream gradient; "
        "let it make a new array",
    )


def test_a_rule_that_writes_to_what_was_saved():
    def rule(g, out, x):
        x *= 2
        return g * x

    assert verdict_and_reason(square_with(rule), X) == (
        "mutated argument",
        "the rule of square for argument 'x' writes to what was saved for it; "
        "let it make a new array",
    )


def test_a_hand_written_vjp_that_writes_to_the_upstream_gradient():
    def vjp(g, x):
        g *= 2 * x
        return g

    verdict, reason = verdict_and_reason(lambda x: x * x, X, vjp=vjp)
    assert verdict == "mutated argument"
    assert reason == "vjp writes to the upstream gradient that it is given; let it make a new array"


def test_a_hand_written_gradient_that_writes_to_its_arguments():
    verdict, reason = verdict_and_reason(
        lambda x: np.sum(x * x), X, gradient=lambda x: np.multiply(x, 2, out=x)
    )
    assert verdict == "mutated argument"
    assert reason == "gradient writes to its argument x; let it work on a copy"


@pytest.mark.parametrize(
    ("rule", "reason", "hint"),
    [
        (lambda g, out, x: g[0], "returned shape (), but the argument has shape (2,)", None),
        (lambda g, out, x: (2 * x).astype(int), "returned dtype int64; return floats", None),
        (
            lambda g, out, x: np.outer(np.ones(3), g),
            "returned shape (3, 2), but the argument has shape (2,)",
            "broadcast",
        ),
    ],
)
def test_a_rule_of_wrong_shape_or_dtype(rule, reason, hint):
    report = checked(square_with(rule), X)
    assert report.verdict == "wrong shape or dtype"
    assert report.reason == f"the rule of square for argument 'x' {reason}"
    assert [h.kind for h in report.hints] == ([hint] if hint else [])


@pytest.mark.parametrize(
    ("derivative", "reason"),
    [
        (
            {"gradient": lambda x: (2 * x)[:1]},
            "gradient returned shape (1,) for x; it must be (2,)",
        ),
        (
            {"vjp": lambda g, x: (g, g)},
            "vjp returned 2 arrays for 1 inputs (x); return one for each",
        ),
        ({"jacobian": lambda x: 2 * x}, "jacobian returned shape (2,) for x; it must be (2, 2)"),
        (
            {"gradient": lambda x: np.array([2, 4])},
            "gradient returned dtype int64 for x; a derivative is a float, and integers would "
            "cut off its digits",
        ),
    ],
)
def test_a_hand_written_derivative_of_wrong_shape_or_dtype(derivative, reason):
    assert verdict_and_reason(lambda x: x * x, X, **derivative) == ("wrong shape or dtype", reason)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_say_where_they_came_up_first():
    assert verdict_and_reason(lambda x: np.sum(np.log(x) * 2), np.array([1.0, -2.0])) == (
        "NaN or infinity",
        "result is nan; the first of them came from log of (2,)",
    )
    assert verdict_and_reason(lambda x: np.sum(np.sqrt(x)), np.array([0.0, 1.0])) == (
        "NaN or infinity",
        "the analytic derivative with respect to x[0] is -inf; it came from the rule of sqrt of "
        "(2,)",
    )


def test_nan_never_equals_nan():
    report = checked(lambda x: x * np.nan, X, gradient=lambda x: x * np.nan)
    assert report.verdict == "NaN or infinity"


def test_a_rule_that_is_not_linear_in_its_upstream_gradient_is_named():
    report = checked(square_with(lambda g, out, x: g * g * 2 * x), X)
    assert report.verdict == "wrong derivative"
    assert report.hints[0].text == (
        "the rule of square for argument 'x' is not linear in its upstream gradient g"
    )


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda g: np.clip(g, -5, 5), "large ones are cut off (clip, clamp, a largest norm)"),
        (lambda g: g * np.minimum(1, 20 / np.linalg.norm(g)), "large ones are cut off (clip,"),
        (lambda g: np.where(np.abs(g) > 30, 2 * g, g), "large ones are treated otherwise"),
        (lambda g: np.where(np.abs(g) < 1e-4, 0, g), "small ones are left out"),
        (lambda g: np.where(np.abs(g) < 1e-4, 2 * g, g), "small ones are treated otherwise"),
    ],
)
def test_upstream_gradients_that_are_treated_by_their_size(change, how):
    """Of numbers of about 1 they are right; gradients of a loss are seldom as large."""
    in_engine = checked(square_with(lambda g, out, x: change(g) * 2 * x), X)
    by_hand = checked(lambda x: x**2, X, vjp=lambda g, x: change(g) * 2 * x)
    for report in (in_engine, by_hand):
        assert report.verdict == "wrong derivative"
        assert f"is not linear in its upstream gradient g: {how}" in report.hints[0].text


def test_rules_that_refuse_large_upstream_gradients_or_stop_at_a_tolerance():
    def refuses(g, x):
        if np.max(np.abs(g)) > 50:
            raise ValueError("does not converge")
        return g * 2 * x

    def stops(g, x):
        return np.round(g * 2 * x, 13)

    assert checked(lambda x: x**2, X, vjp=refuses)
    assert checked(lambda x: x**2, X, vjp=stops)


def test_what_a_forward_pass_kept_is_used_right_after_it():
    """Layers of courses: their backward pass is that of the last forward pass."""

    class Layer:
        def forward(self, x):
            self.out = np.tanh(x)
            return self.out

        def backward(self, g):
            return g * (1 - self.out**2)

    layer = Layer()
    for x in (X, np.array([1e-9, 1e-3, 1.0, 1e-14])):
        assert checked(layer.forward, x, vjp=lambda g, x: layer.backward(g))

    def wrong(g, out):
        return g * (1 - out)

    plain = checked(np.tanh, X, vjp=lambda g, x: wrong(g, np.tanh(x)))
    kept = checked(layer.forward, X, vjp=lambda g, x: wrong(g, layer.out))
    assert plain.hints == kept.hints
    assert [str(entry) for entry in plain.entries] == [str(entry) for entry in kept.entries]


def test_forward_mode_finds_a_rule_that_cuts_off_its_upstream_gradient():
    def rule(g, out, x):
        return (g.data if isinstance(g, ag.Value) else g) * 2 * x

    assert checked(square_with(rule), X)
    report = checked(square_with(rule), X, mode="forward")
    assert report.verdict == "wrong derivative"
    assert report.reason.startswith("forward mode gives 0 along a random direction")


class TestBadCalls:
    """Refused at once, with what to write instead."""

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (
                lambda: ag.gradcheck(lambda x: x, 3),
                ag.ArgumentTypeError,
                "gradcheck: x of <lambda> is an integer, which has no derivative; convert it to "
                "float, or name the arguments to check with argnum=",
            ),
            (
                lambda: ag.gradcheck(lambda: 1.0),
                ag.ArgumentValueError,
                "gradcheck: <lambda> was given no number to differentiate with respect to; pass "
                "its arguments after it, as in ag.gradcheck(<lambda>, x)",
            ),
            (
                lambda: ag.gradcheck(lambda x: "text", 1.0),
                ag.ArgumentTypeError,
                "gradcheck: result of <lambda> is str; it must return numbers or arrays",
            ),
            (
                lambda: ag.gradcheck(lambda x: None, 1.0),
                ag.ArgumentTypeError,
                "gradcheck: <lambda> returned None; it must return numbers or arrays",
            ),
            (
                lambda: ag.gradcheck(lambda x, y: x, 1.0),
                ag.ArgumentTypeError,
                "gradcheck: <lambda>(x, y) cannot be called with 1 arguments: "
                "missing a required argument: 'y'",
            ),
            (
                lambda: ag.gradcheck(3, 1.0),
                ag.ArgumentTypeError,
                "gradcheck: the first argument is int; pass the function itself, then its "
                "arguments",
            ),
            (
                lambda: ag.gradcheck(np.sin, np.array([1.0, np.nan])),
                ag.ArgumentValueError,
                "gradcheck: x[1] of sin is nan; check at a point of finite numbers",
            ),
            (
                lambda: ag.gradcheck(np.sin, 1.0, argnum=1),
                ag.ArgumentValueError,
                "gradcheck: argnum 1 names no argument; there are 1",
            ),
            (
                lambda: ag.gradcheck(np.sin, 1.0, order=4),
                ag.ArgumentValueError,
                "gradcheck: order=4 is not 1, 2 or 3",
            ),
            (
                lambda: ag.gradcheck(np.sin, 1.0, mode="both"),
                ag.ArgumentValueError,
                'gradcheck: mode=\'both\' is neither "reverse" nor "forward"',
            ),
            (
                lambda: ag.gradcheck(np.sin, 1.0, gradient=np.cos, vjp=np.cos),
                ag.ArgumentValueError,
                "gradcheck: gradient and vjp were both given; check them one after the other",
            ),
            (
                lambda: ag.gradcheck(np.sin, 1.0, gradient=np.cos, order=2),
                ag.ArgumentValueError,
                "gradcheck: only the first derivative of sin was given; order=2 and 3 need a "
                "function that the engine differentiates",
            ),
        ],
    )
    def test_the_message_says_what_to_write(self, call, error, message):
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"argnum": (0, 0)}, "names an argument twice; name each once"),
        ({"argnum": [0]}, r"write argnum=0 or argnum=\(0, 1\)"),
        ({"argnum": True}, "neither a position nor a tuple"),
        ({"rng": -1}, "pass an integer from 0 on"),
        ({"rng": "a"}, "pass an integer from 0 on"),
        ({"kwargs": {"x": X}}, "by position and in kwargs; leave out"),
        ({"kwargs": [1]}, "write kwargs={'w': w}"),
        ({"gradient": 2 * X}, "pass the function that computes it, as in gradient=lambda x"),
        ({"vjp": 2 * X}, "as in vjp=lambda g, x"),
    ],
)
def test_an_option_that_means_nothing_is_refused(options, said):
    with pytest.raises(ag.AutogradError, match=said):
        ag.gradcheck(lambda x: x * x, X, **options)


SEVERAL = {
    "of two shapes": (lambda x: (np.sin(x), np.sum(x)), "(result[0], result[1])"),
    "in a dict": (lambda x: {"a": np.sin(x), "b": np.cos(x)}, "(result['a'], result['b'])"),
}


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize(
    ("form", "derivative"),
    [("gradient", lambda x: np.cos(x) + 1), ("jacobian", lambda x: np.diag(np.cos(x)))],
)
def test_a_gradient_or_jacobian_is_of_a_single_result(name, form, derivative):
    """Of several a Jacobian was taken for that of the first, and of the others for zero."""
    function, parts = SEVERAL[name]
    verdict, reason = verdict_and_reason(function, X, **{form: derivative})
    assert verdict == "wrong shape or dtype"
    assert reason == (
        f"<lambda> returned 2 arrays {parts}, and {form}= is the derivative of a single one; let "
        "it return one of them, or check all of them with vjp="
    )


def test_a_list_of_numbers_is_an_array():
    def squares(x):
        return [a**2 for a in x]

    assert checked(squares, X, jacobian=lambda x: np.diag(2 * x))
    assert checked(squares, X, gradient=lambda x: 2 * x)
    assert not checked(squares, X, jacobian=lambda x: np.diag(3 * x))


def test_a_derivative_of_none_is_told():
    assert verdict_and_reason(np.sum, X, gradient=lambda x: None) == (
        "wrong shape or dtype",
        "gradient returned None for a; return zeros where nothing depends on it",
    )


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), "MaskedArray.*x.filled()"),
        (np.array([[1.0, 2.0], [3.0, 4.0]]).view(np.matrix), "matrix.*np.asarray"),
    ],
)
@pytest.mark.parametrize("derivative", [{}, {"gradient": lambda x: 2 * x}])
def test_arrays_with_operators_of_their_own_are_refused(array, said, derivative):
    """The function would be checked on plain arrays, of which it is another one."""
    with pytest.raises(ag.ArgumentTypeError, match=said):
        ag.gradcheck(lambda x: np.sum(x * x), array, **derivative)


@pytest.mark.parametrize(
    ("x", "gradient"),
    [
        (X.astype(np.float16), lambda x: (1.01 * np.cos(x)).astype(np.float16)),
        (X, lambda x: np.cos(x).astype(np.float16)),
        (X / 2, lambda x: np.floor(2 * x)),
    ],
)
def test_an_analytic_derivative_of_few_digits_is_given_as_the_reason(x, gradient):
    verdict, reason = verdict_and_reason(lambda x: np.sum(np.sin(x)), x, gradient=gradient)
    assert verdict == "cannot decide"
    assert reason.startswith("the analytic derivative is not known well enough")
    assert "let it keep all digits (astype, round and int cut them off)" in reason


def exponential(a):
    """The exponential of a matrix, by its series after halving it as often as its size asks for."""
    halved = max(0, int(np.ceil(np.log2(np.max(np.abs(a), initial=1.0)))) + 4)
    a, term, total = a / 2.0**halved, np.eye(len(a)), np.eye(len(a))
    for order in range(1, 12):
        term = term @ a / order
        total = total + term
    for _ in range(halved):
        total = total @ total
    return total


def exponential_vjp(g, a):
    """The corner of the exponential of [[aᵀ, g], [0, aᵀ]]."""
    size = len(a)
    return exponential(np.block([[a.T, g], [np.zeros_like(a), a.T]]))[:size, size:]


@pytest.mark.parametrize("seed", range(5))
def test_a_large_upstream_gradient_may_make_a_rule_lose_digits(seed):
    """As it is halved together with what stands beside it, as PyTorch does for `matrix_exp`."""
    a = np.random.default_rng(seed).normal(size=(3, 3))
    assert checked(exponential, a, vjp=exponential_vjp, rng=seed)
    doubled = checked(exponential, a, vjp=lambda g, a: 2 * exponential_vjp(g, a), rng=seed)
    assert str(doubled.hints[0]).startswith("a constant factor: the analytic derivative is 2 times")


@pytest.mark.parametrize("most", [2.0**power for power in range(6, 47, 5)])
def test_a_clip_is_no_loss_of_digits(most):
    report = checked(lambda x: 1.0 * x, X, vjp=lambda g, x: np.clip(g, -most, most))
    assert str(report.hints[0]) == (
        "the vjp is not linear in its upstream gradient g: large ones are cut off (clip, clamp, a "
        "largest norm)"
    )


@pytest.mark.parametrize("most", [0.5, 1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 10.0])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_clipped_is_no_rounding_error_of_multiples(most, seed):
    """Whether one upstream gradient exceeds it, or only a combination of two, or a multiple."""
    x = np.array([0.3, -1.2, 2.7])

    def largest_norm(g, x):
        return g * np.minimum(1, most / np.linalg.norm(g))

    for clipped in (lambda g, x: np.clip(g, -most, most), largest_norm):
        report = checked(lambda x: 1.0 * x, x, vjp=clipped, rng=seed)
        assert "is not linear in its upstream gradient g" in str(report.hints[0])


def test_a_clip_at_one_is_the_explanation_and_gives_no_example():
    """Of an upstream gradient of one it is right."""
    x = np.array([0.3, 1.2, -2.7])
    report = checked(lambda x: 1.0 * x, x, vjp=lambda g, x: np.clip(g, -1, 1))
    assert report.entries == ()
    assert list(map(str, report.hints)) == ["the vjp is not linear in its upstream gradient g"]
