"""Derivatives that people wrote for other libraries, with the mistakes they make there."""

import ctypes
import ctypes.util

import numpy as np
import pytest

import autograd_lite as ag

X = np.array([0.5, -1.0, 2.0])


def checked(function, *args, **options):
    return ag.gradcheck(function, *args, raise_error=False, **options)


class TestTorch:
    @pytest.fixture(autouse=True)
    def _torch(self):
        self.torch = pytest.importorskip("torch")

    def function(self, forward, backward):
        return type(
            "Custom",
            (self.torch.autograd.Function,),
            {"forward": staticmethod(forward), "backward": staticmethod(backward)},
        )

    @staticmethod
    def save(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    def of(self, *shape, dtype="float64"):
        draws = np.random.default_rng(0).normal(size=shape)
        return self.torch.tensor(draws, dtype=getattr(self.torch, dtype))

    def test_writing_to_the_upstream_gradient_is_found(self):
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g.mul_(3 * x**2)

        report = checked(self.function(self.save, backward), self.of(3))
        assert report.verdict == "mutated argument"
        assert "upstream gradient" in report.reason

    def test_what_a_backward_pass_raises_is_no_shape(self):
        def backward(ctx, g):
            raise ValueError("no luck")

        report = checked(self.function(self.save, backward), self.of(3))
        assert report.verdict == "wrong derivative"
        assert "ValueError: no luck" in report.reason and not report.hints

    def test_a_double_backward_may_be_cut_off_from_the_upstream_gradient_too(self):
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * g.data * x**2

        function = self.function(self.save, backward)
        assert checked(function, self.of(3))
        report = checked(function, self.of(3), order=2)
        assert report.verdict == "wrong derivative"
        assert report.hints[0].text.startswith("only for the upstream gradient of result: ")

    def test_what_is_differentiable_once_is_cut_off(self):
        once = self.torch.autograd.function.once_differentiable
        function = self.function(self.save, once(lambda ctx, g: 3 * g * ctx.saved_tensors[0] ** 2))
        assert checked(function, self.of(3))
        report = checked(function, self.of(3), order=2)
        assert report.hints[0].kind == "zero" and "once_differentiable" in report.hints[0].text

    def test_single_precision_inside_is_told_from_other_dependence_on_g(self):
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return (3 * g * x**2).float().double()

        report = checked(self.function(self.save, backward), self.of(3))
        assert report.verdict == "wrong derivative"
        assert report.hints[0].text.endswith("something in it computes in single precision")

    @pytest.mark.parametrize("of_outputs", [(0, 1), (1, 0)])
    def test_upstream_gradients_of_two_results_are_not_to_be_swapped(self, of_outputs):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin(), x.cos()

        def backward(ctx, *upstream):
            (x,) = ctx.saved_tensors
            g, h = (upstream[place] for place in of_outputs)
            return g * x.cos() - h * x.sin()

        report = checked(self.function(forward, backward), self.of(4, 3))
        if of_outputs == (0, 1):
            assert report
        else:
            text = "the upstream gradients of result[0] and result[1] are swapped"
            assert report.hints[0].text == text

    def test_results_that_need_no_gradient_stand_beside_others(self):
        for order in (1, 2):
            assert checked(lambda x: (x.argmax(), x.max() ** 2), self.of(5), order=order)
            assert checked(lambda x: (x.detach() * 0, x.sum() ** 2), self.of(5), order=order)

    def test_a_shape_that_is_not_broadcast_gets_no_hint_of_sums(self):
        def forward(ctx, x, w):
            ctx.save_for_backward(x, w)
            return x @ w.T

        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g @ w, x.T @ g

        report = checked(self.function(forward, backward), self.of(4, 3), self.of(2, 3))
        assert report.verdict == "wrong shape or dtype" and not report.hints

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_gradient_of_tensors_written_by_hand(self, dtype):
        x = self.of(3, dtype=dtype)
        assert checked(lambda x: x.sin().sum(), x, gradient=lambda x: x.cos())
        assert checked(lambda x: x.sin(), x, vjp=lambda g, x: g * x.cos())
        report = checked(lambda x: x.sin(), x, gradient=lambda x: -x.cos())
        assert report.hints[0].kind == "sign"

    def test_a_saturated_cross_entropy_is_not_called_wrong(self):
        x = self.torch.tensor([[40.0, 1.0, 0.0], [0.0, 50.0, 2.0]])
        loss = self.torch.nn.functional.cross_entropy
        report = checked(loss, x, self.torch.tensor([0, 1]))
        assert report.verdict in ("correct", "cannot decide")

    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_right_function_is_accepted(self, dtype):
        right = self.function(self.save, lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2)
        x = self.of(3, dtype=dtype)
        assert checked(right, x)
        assert checked(right, x, order=2)
        assert checked(lambda x: self.torch.sin(right.apply(x)).sum(), x)
        assert x.grad is None

    def test_a_constant_factor(self):
        wrong = self.function(self.save, lambda ctx, g: g * 2 * ctx.saved_tensors[0] ** 2)
        assert checked(wrong, self.of(3)).hints[0].kind == "factor"

    def test_a_wrong_tensor_saved(self):
        def forward(ctx, x):
            out = self.torch.sigmoid(x)
            ctx.save_for_backward(x)  # and not the result
            return out

        def backward(ctx, g):
            (s,) = ctx.saved_tensors
            return g * s * (1 - s)

        report = checked(self.function(forward, backward), self.of(4))
        assert report.hints[0].kind == "wrong place"

    def test_the_sum_over_the_broadcast(self):
        """Torch itself sums what is too large; what has been cut to size it cannot know."""
        summed = self.function(lambda ctx, x, b: x + b, lambda ctx, g: (g, g))
        assert checked(summed, self.of(4, 3), self.of(3))
        wrong = self.function(lambda ctx, x, b: x + b, lambda ctx, g: (g, g[0]))
        report = checked(wrong, self.of(4, 3), self.of(3))
        assert report.hints[0].kind == "broadcast"
        refused = self.function(lambda ctx, x, b: x + b, lambda ctx, g: (g, g[:, 0]))
        assert checked(refused, self.of(4, 3), self.of(3)).verdict == "wrong shape or dtype"

    def test_needs_input_grad_mixed_up(self):
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x * y

        def backward(ctx, g):
            x, y = ctx.saved_tensors
            first, second = g * y, g * x
            return (first, second) if all(ctx.needs_input_grad) else (second, first)

        report = checked(self.function(forward, backward), self.of(3), self.of(3) + 1)
        assert report.verdict == "wrong derivative"
        assert report.hints[0].kind == "needs_input_grad"

    def test_ctx_written_to(self):
        def forward(ctx, x):
            ctx.factor = 2 * x
            return x * x

        def backward(ctx, g):
            ctx.factor = ctx.factor * 2
            return g * ctx.factor / 2

        report = checked(self.function(forward, backward), self.of(3))
        assert report.verdict == "mutated argument"
        assert "saved in ctx" in report.reason

    def test_a_wrong_double_backward(self):
        def backward(ctx, g):
            return g * (3 * ctx.saved_tensors[0] ** 2).detach()

        wrong = self.function(self.save, backward)
        assert checked(wrong, self.of(3))
        report = checked(wrong, self.of(3), order=2)
        assert report.verdict == "wrong derivative"
        assert report.hints[0].kind == "zero"

    def test_mark_dirty_forgotten(self):
        def forward(ctx, x):
            x.data.mul_(2)
            return x * 1

        wrong = self.function(forward, lambda ctx, g: 2 * g)
        assert checked(wrong, self.of(3)).verdict == "mutated argument"

    def test_upstream_ignored_and_none_returned(self):
        ignored = self.function(self.save, lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2)
        assert checked(ignored, self.of(3)).hints[0].kind == "upstream"
        nothing = self.function(self.save, lambda ctx, g: None)
        assert checked(nothing, self.of(3)).hints[0].kind == "zero"

    def test_modules_are_checked_in_every_parameter(self):
        nn = self.torch.nn
        model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        x, labels = self.of(5, 3, dtype="float32"), self.torch.tensor([0, 1, 1, 0, 1])
        assert checked(model, x)
        assert checked(model, x, labels, loss=nn.functional.cross_entropy)

        class Cut(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(3, 2)

            def forward(self, x):
                return x @ self.linear.weight.T.detach() + self.linear.bias

        report = checked(Cut(), x)
        assert report.hints[0].text.startswith("only for linear.weight")
        assert report.hints[0].kind == "zero"

    def test_complex_numbers(self):
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return (z * z.conj()).real

        z = self.torch.tensor([1 + 2j, 3 - 1j], dtype=self.torch.complex128)
        right = self.function(forward, lambda ctx, g: 2 * g * ctx.saved_tensors[0])
        wrong = self.function(forward, lambda ctx, g: 2 * g * ctx.saved_tensors[0].conj())
        assert checked(right, z)
        assert checked(wrong, z).hints[0].kind == "conjugate"

    def test_a_plain_number_beside_tensors_is_a_constant(self):
        def forward(ctx, x, slope):
            ctx.save_for_backward(x)
            ctx.slope = slope
            assert isinstance(slope, float)
            return self.torch.where(x > 0, x, slope * x)

        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return self.torch.where(x > 0, g, ctx.slope * g), None

        assert checked(self.function(forward, backward), self.of(5), 0.1)

    def test_a_hook_on_a_parameter_is_part_of_its_gradient(self):
        layer = self.torch.nn.Linear(3, 2).double()
        assert checked(layer, self.of(4, 3))
        layer.weight.register_hook(lambda g: g / 2)
        report = checked(layer, self.of(4, 3))
        assert report.hints[0].text == (
            "only for weight: a constant factor: the analytic derivative is 1/2 times the true "
            "one, everywhere"
        )

    def test_a_result_in_single_precision_of_a_tensor_in_double(self):
        assert checked(lambda x: self.torch.sin(x).float(), self.of(3))
        report = checked(lambda x: (x * x.detach()).float(), self.of(3))
        assert report.hints[0].kind == "factor"


class TestJax:
    @pytest.fixture(autouse=True)
    def _jax(self):
        self.jax = pytest.importorskip("jax")

    def cube(self, factor):
        cube = self.jax.custom_vjp(lambda x: x**3)
        cube.defvjp(lambda x: (x**3, x), lambda x, g: (factor * g * x**2,))
        return cube

    def test_functions_with_rules_of_their_own(self):
        x = self.jax.numpy.asarray(X)
        assert checked(self.cube(3.0), X)
        assert checked(self.cube(3.0), x, order=2)
        assert checked(self.cube(2.0), x).hints[0].kind == "factor"
        assert checked(lambda x: self.jax.numpy.sin(x).sum(), x)

    def test_a_tangent_rule(self):
        sine = self.jax.custom_jvp(self.jax.numpy.sin)
        sine.defjvp(lambda x, t: (sine(*x), -self.jax.numpy.cos(x[0]) * t[0]))
        assert checked(sine, X).hints[0].kind == "sign"

    def test_complex_numbers(self):
        z = self.jax.numpy.asarray([1 + 2j, 3 - 1j])
        assert checked(lambda z: self.jax.numpy.abs(z) ** 2, z)

    @pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
    def test_coarse_floats(self, dtype):
        x = self.jax.numpy.asarray(X, dtype)
        assert checked(lambda x: self.jax.numpy.sin(x).sum(), x)
        stopped = self.jax.lax.stop_gradient
        assert checked(lambda x: (x * stopped(x)).sum(), x).verdict == "wrong derivative"

    def test_arrays_of_numpy_in_a_function_of_jax_are_refused_by_name(self):
        with pytest.raises(ag.ArgumentTypeError, match=r"jnp\.array"):
            checked(lambda x: self.jax.numpy.sum(self.jax.numpy.sin(x)), X)


def test_primitives_of_autograd():
    extend = pytest.importorskip("autograd.extend")
    for factor, correct in ((3.0, True), (2.0, False)):
        cube = extend.primitive(lambda x: x**3)
        extend.defvjp(cube, lambda out, x, f=factor: lambda g: f * g * x**2)
        report = checked(cube, X)
        assert bool(report) is correct
        assert correct or report.hints[0].kind == "factor"


def test_primitives_of_autograd_are_found_inside_functions():
    extend = pytest.importorskip("autograd.extend")
    cube = extend.primitive(lambda x: x**3)
    extend.defvjp(cube, lambda out, x: lambda g: 2 * g * x**2)

    def inner(x):
        return cube(x)

    for function in (lambda x: cube(x), lambda x: inner(x)):
        assert checked(function, X).hints[0].kind == "factor"


def test_functions_of_numba():
    numba = pytest.importorskip("numba")

    @numba.njit
    def energy(x):
        total = 0.0
        for i in range(x.size - 1):
            total += (x[i + 1] - x[i]) ** 2
        return total

    def gradient(x):
        step = np.diff(x)
        return 2 * (np.append(0.0, step) - np.append(step, 0.0))

    assert checked(energy, X, gradient=gradient)
    assert checked(energy, X, gradient=lambda x: -gradient(x)).hints[0].kind == "sign"


def test_functions_of_numba_compiled_for_float32_are_given_it():
    numba = pytest.importorskip("numba")
    total = numba.njit("f4(f4[:])")(lambda x: np.sum(np.sin(x)))
    sine = numba.njit("f4(f4)")(lambda x: np.sin(x))
    x = X.astype(np.float32)
    assert checked(total, x, gradient=np.cos)
    assert checked(total, x, gradient=numba.njit("f4[:](f4[:])")(lambda x: np.cos(x)))
    assert checked(sine, np.float32(0.5), gradient=np.cos)
    wrong = checked(total, x, gradient=lambda x: 1.01 * np.cos(x))
    assert wrong.verdict == "wrong derivative"


def test_functions_of_numba_need_a_derivative():
    numba = pytest.importorskip("numba")
    total = numba.njit(lambda x: np.sum(np.sin(x)))
    for function in (total, lambda x: 2 * total(x)):
        with pytest.raises(ag.ArgumentTypeError, match="as in gradient=lambda x"):
            ag.gradcheck(function, X)


def test_functions_of_ctypes():
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("there is no C library of mathematics")
    sine = ctypes.CDLL(name).sin
    sine.argtypes, sine.restype = [ctypes.c_double], ctypes.c_double
    assert checked(sine, 0.7, gradient=np.cos)
    assert not checked(sine, 0.7, gradient=np.sin)


def test_a_gradient_of_hips_in_the_shape_of_the_result_is_found():
    extend = pytest.importorskip("autograd.extend")
    scaled = extend.primitive(lambda a, b: a * b)
    extend.defvjp(scaled, lambda out, a, b: lambda g: g * b, lambda out, a, b: lambda g: g * a)
    report = checked(scaled, np.ones((4, 3)), X)
    assert report.verdict == "wrong shape or dtype"
    assert "has shape (4, 3), and" in report.reason
    assert [hint.kind for hint in report.hints] == ["broadcast"]


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("x", [X, 0.5], ids=["array", "number"])
def test_functions_of_hips_are_right_to_every_order(x, order):
    hips = pytest.importorskip("autograd.numpy")
    assert checked(lambda x: hips.sum(hips.sin(x) ** 2), x, order=order)
    assert checked(lambda x: hips.sin(x) * x, x, order=order)


@pytest.mark.filterwarnings("ignore:Output seems independent")
def test_a_second_derivative_of_hips_that_is_cut_off_is_found():
    hips = pytest.importorskip("autograd.numpy")
    extend = pytest.importorskip("autograd.extend")
    cube = extend.primitive(lambda x: x**3)
    value = pytest.importorskip("autograd.tracer").getval
    extend.defvjp(cube, lambda out, x: lambda g: 3 * g * value(x) ** 2)
    assert checked(lambda x: hips.sum(cube(x)), X)
    report = checked(lambda x: hips.sum(cube(x)), X, order=2)
    assert report.verdict == "wrong derivative" and report.hints[0].kind == "zero"
