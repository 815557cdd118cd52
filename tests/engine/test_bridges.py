"""NumPy code in PyTorch and JAX and theirs in NumPy code, checked by the checkers of all three."""

from __future__ import annotations

import doctest
import sys
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag

MATRIX, VECTOR = np.random.default_rng(0).normal(size=(3, 3)), np.array([0.3, -0.7, 1.1])
COMPLEX = VECTOR + 1j * VECTOR[::-1]


def product(x: Any, y: Any) -> Any:
    return np.tanh(x @ y) * x[0]


def written(x: Any) -> Any:
    z = np.zeros_like(x)
    z[1:] = np.sin(x[:-1])
    z += x
    return z


def not_holomorphic(z: Any) -> Any:
    return z * np.abs(z) * np.conj(z) + z**2


OF_NUMPY = {
    "product": (product, MATRIX, VECTOR),
    "buffer": (written, VECTOR),
    "transform": (np.fft.rfft, VECTOR),
    "solution": (np.linalg.solve, MATRIX, VECTOR),
    "complex": (not_holomorphic, COMPLEX),
    "real part": (lambda z: np.real(z * z) * np.imag(z), COMPLEX),
}


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def jax() -> Any:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", False)


@pytest.mark.parametrize("name", OF_NUMPY)
def test_pytorchs_checkers_find_the_derivatives_right(name: str, torch: Any) -> None:
    function, *arrays = OF_NUMPY[name]
    inputs = [torch.tensor(x, requires_grad=True) for x in arrays]
    bridged = ag.torch_function(function)
    np.testing.assert_array_equal(bridged(*inputs).detach().numpy(), function(*arrays))
    assert torch.autograd.gradcheck(bridged, inputs)
    assert torch.autograd.gradgradcheck(bridged, inputs)


@pytest.mark.parametrize("name", OF_NUMPY)
def test_jaxs_checker_finds_the_derivatives_right(name: str, jax: Any) -> None:
    from jax.test_util import check_grads

    function, *arrays = OF_NUMPY[name]
    bridged = ag.jax_function(function, **how_to_find_the_shape(name, jax))
    np.testing.assert_array_equal(bridged(*arrays), function(*arrays))
    check_grads(bridged, arrays, 2, ["rev"])


def how_to_find_the_shape(name: str, jax: Any) -> dict[str, Any]:
    """A matrix of ones has no inverse."""
    return (
        {"result": lambda a, b: jax.ShapeDtypeStruct(b.shape, b.dtype)}
        if name == "solution"
        else {}
    )


def of_torch(torch: Any) -> dict[str, Any]:
    return {
        "product": lambda x, y: torch.tanh(x @ y) * x[0],
        "one": lambda x, y: torch.sin(x).sum() * y,
        "not used": lambda x, y: torch.exp(y),
    }


def of_jax(jax: Any) -> dict[str, Any]:
    return {
        "product": lambda x, y: jax.numpy.tanh(x @ y) * x[0],
        "one": lambda x, y: jax.numpy.sin(x).sum() * y,
        "not used": lambda x, y: jax.numpy.exp(y),
    }


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ["product", "one", "not used"])
@pytest.mark.parametrize("library", ["torch", "jax"])
def test_gradcheck_finds_theirs_right(
    library: str, name: str, order: int, request: pytest.FixtureRequest
) -> None:
    module = request.getfixturevalue(library)
    if library == "torch":
        function = ag.from_torch(of_torch(module)[name])
    else:
        function = ag.from_jax(of_jax(module)[name])
    assert ag.gradcheck(lambda x, y: np.sum(function(x, y) ** 2), MATRIX, VECTOR, order=order)


def test_complex_numbers_of_theirs(torch: Any, jax: Any) -> None:
    ours = ag.grad(lambda z: np.sum(np.abs(not_holomorphic(z)) ** 2))(COMPLEX)
    for theirs in (
        ag.from_torch(lambda z: z * torch.abs(z) * torch.conj(z) + z**2),
        ag.from_jax(lambda z: z * jax.numpy.abs(z) * jax.numpy.conj(z) + z**2),
    ):
        found = ag.grad(lambda z, f=theirs: np.sum(np.abs(f(z)) ** 2))(COMPLEX)
        np.testing.assert_allclose(found, ours, rtol=1e-13)
        assert ag.gradcheck(lambda z, f=theirs: np.sum(np.abs(f(z)) ** 2), COMPLEX, order=2)


def test_third_derivatives_and_other_transforms(torch: Any, jax: Any) -> None:
    for sine in (ag.from_torch(torch.sin), ag.from_jax(jax.numpy.sin)):
        assert ag.grad(ag.grad(ag.grad(sine)))(0.3) == pytest.approx(-np.cos(0.3), rel=1e-14)
        np.testing.assert_allclose(ag.jvp(sine, VECTOR, VECTOR)[1], np.cos(VECTOR) * VECTOR)
        compiled = ag.compile(ag.grad(lambda x, f=sine: np.sum(f(x) ** 2)))
        for _ in range(3):
            np.testing.assert_allclose(compiled(VECTOR), np.sin(2 * VECTOR), rtol=1e-14)
        with pytest.warns(ag.AutogradWarning, match="no batching rule"):
            mapped = ag.vmap(lambda x, f=sine: f(x))(MATRIX)
        np.testing.assert_allclose(mapped, np.sin(MATRIX))


def test_a_layer_of_numpy_code_trains_in_a_torch_model(torch: Any) -> None:
    bump = ag.torch_function(lambda x, width: np.exp(-((x / width) ** 2)))

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(2, 8, dtype=torch.float64)
            self.width = torch.nn.Parameter(torch.ones(8, dtype=torch.float64))
            self.out = torch.nn.Linear(8, 1, dtype=torch.float64)

        def forward(self, x: Any) -> Any:
            return self.out(bump(self.linear(x), self.width))

    torch.manual_seed(0)
    model = Model()
    x = torch.randn(64, 2, dtype=torch.float64)
    y = (x[:, :1] * x[:, 1:]).sin()
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    losses = []
    for _ in range(150):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 10


def test_a_module_of_torch_has_a_hessian(torch: Any) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.GELU(), torch.nn.Linear(4, 1)
    ).double()
    ours = ag.from_torch(module)
    expected = torch.autograd.functional.hessian(lambda x: module(x)[0], torch.tensor(VECTOR))
    np.testing.assert_allclose(
        ag.hessian(lambda x: ours(x)[0])(VECTOR), expected, rtol=1e-12, atol=1e-14
    )


def test_several_results_and_arguments_that_stay(torch: Any, jax: Any) -> None:
    both = ag.torch_function(lambda x, k, name: (x**k, np.argsort(x)))
    x = torch.tensor(VECTOR, requires_grad=True)
    power, order = both(x, 3, "name")
    assert order.tolist() == [1, 0, 2]
    assert not order.requires_grad
    power.sum().backward()
    np.testing.assert_allclose(x.grad, 3 * VECTOR**2)
    picked = ag.from_torch(lambda x, k: x[k])
    np.testing.assert_array_equal(
        ag.grad(lambda x: np.sum(picked(x, np.array([0, 0]))))(VECTOR), [2, 0, 0]
    )
    picked = ag.from_jax(lambda x, k: x[k])
    np.testing.assert_array_equal(
        ag.grad(lambda x: np.sum(picked(x, np.array([0, 0]))))(VECTOR), [2, 0, 0]
    )
    index = jax.numpy.array([0, 0])
    taken = jax.grad(lambda x: jax.numpy.sum(ag.jax_function(lambda x, k: x[k])(x, index)))(VECTOR)
    np.testing.assert_array_equal(taken, [2, 0, 0])


def test_under_jit_and_vmap_of_jax(jax: Any) -> None:
    bridged = ag.jax_function(lambda x, y: np.sum(product(x, y)))
    gradient = ag.grad(lambda x: np.sum(product(x, VECTOR)))(MATRIX)
    np.testing.assert_allclose(jax.jit(jax.grad(bridged))(MATRIX, VECTOR), gradient)
    mapped = jax.vmap(jax.grad(bridged), (0, None))(np.stack([2 * MATRIX, MATRIX]), VECTOR)
    np.testing.assert_allclose(mapped[1], gradient)


def test_single_precision_stays(torch: Any) -> None:
    x = torch.tensor([0.5, 1.0], requires_grad=True)
    y = ag.torch_function(np.sin)(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == torch.float32
    assert (
        ag.grad(lambda x: np.sum(ag.from_torch(torch.sin)(x)))(np.ones(2, np.float32)).dtype
        == np.float32
    )


def test_writes_into_arguments_stay_inside(torch: Any) -> None:
    def f(x: Any) -> Any:
        x[0] = 5.0
        return x * x

    x = torch.tensor(VECTOR, requires_grad=True)
    ag.torch_function(f)(x).sum().backward()
    np.testing.assert_array_equal(x.detach(), VECTOR)
    np.testing.assert_allclose(x.grad, [0.0, *2 * VECTOR[1:]])


def test_errors_say_what_to_write(torch: Any, jax: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        ag.ArgumentTypeError, match=r"called without a tensor; pass torch\.tensor\(x\)"
    ):
        ag.torch_function(np.sin)(VECTOR)
    with pytest.raises(
        ag.ArgumentTypeError, match="returned list; as a function of PyTorch's it must"
    ):
        ag.torch_function(lambda x: [1, 2])(torch.ones(2))
    with pytest.raises(ag.ArgumentTypeError, match="returned list; as a function of JAX's it must"):
        ag.jax_function(lambda x: [1, 2])(VECTOR)
    with pytest.raises(ag.UnsupportedError, match=r"returned tuple, not one tensor; put several"):
        ag.from_torch(lambda x: (x, x))(VECTOR)
    with pytest.raises(ag.UnsupportedError, match=r"returned tuple, not one array; put several"):
        ag.from_jax(lambda x: (x, x))(VECTOR)
    jax.config.update("jax_enable_x64", False)
    with pytest.raises(ag.UnsupportedError, match="given float64, which JAX would round"):
        ag.from_jax(jax.numpy.sin)(VECTOR)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ag.MissingOptionError, match="torch_function needs torch, which cannot"):
        ag.torch_function(np.sin)


@pytest.mark.parametrize("name", ["torch_function", "from_torch", "jax_function", "from_jax"])
def test_the_examples_run_and_show_what_they_print(name: str, request: Any) -> None:
    library = name.removesuffix("_function").removeprefix("from_")
    names = {"np": np, "ag": ag, library: request.getfixturevalue(library)}
    if library == "jax":
        names["jax"].config.update("jax_enable_x64", False)
    for example in doctest.DocTestParser().get_examples(getattr(ag, name).__doc__):
        if example.want:
            assert repr(eval(example.source, names)) == example.want.strip()
        else:
            exec(example.source, names)
