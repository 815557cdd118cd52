"""Activations: the functions between the layers, stable at any argument.

Each works on numbers, arrays and Values; whole numbers count as float64.  Those
that NumPy's functions give directly are composed of them; where a composition
would overflow or be slow, a primitive has its rule beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import pi, sqrt
from typing import Any, TypeVar

import numpy as np

import autograd_lite as ag
from nn.checks import as_floats, check_flags
from nn.initializers import Initializer, glorot_uniform, he_normal, lecun_normal, suitable
from nn.registry import Registry

# All of these are names of nn as well, where "activations" is this module: it is not among them.
__all__ = [
    "elu",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_tanh",
    "heaviside",
    "identity",
    "leaky_relu",
    "log_softmax",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]


Function = TypeVar("Function", bound=Callable[..., Any])

activations = Registry("activation")
"""All activations of one argument by name, so that a layer can be told ``"relu"``."""

onnx_converters: dict[str, Callable[..., str]] = {}
"""How each is added to an ONNX graph: ``converter(graph, x, **options)``; see `Module.to_onnx`."""


def activation(
    onnx: str | Callable[..., str],
    *,
    initializer: Initializer = glorot_uniform,
    **attributes: float,
) -> Callable[[Function], Function]:
    """Make an activation known by its name.

    ``onnx`` is the operator of ONNX with the same options, to which ``attributes``
    are added, or a converter.  ``initializer`` suits the layer before.
    """

    def convert(graph: Any, x: str, **options: Any) -> Any:
        return graph.add(onnx, x, **attributes, **options)

    def register(function: Function) -> Function:
        onnx_converters[function.__name__] = convert if isinstance(onnx, str) else onnx
        suitable[function.__name__] = initializer
        return activations.register(function)

    return register


def registered_name(function: Any) -> str | None:
    """The name of an activation; None for a function that is not one of nn."""
    return next((name for name, known in activations.items() if known is function), None)


@activation(lambda graph, x: x)
def identity(x: Any) -> Any:
    """The argument itself: x.

    Examples
    --------
    >>> import nn
    >>> nn.identity(3.0)
    3.0
    """
    return x


def onnx_threshold(graph: Any, x: str, below: float) -> Any:
    """1 where x >= 0, else another number; NaN of NaN."""
    fires = graph.add("GreaterOrEqual", x, graph.constant(0))
    decided = graph.add("Where", fires, graph.constant(1), graph.constant(below))
    return graph.add("Where", graph.add("IsNaN", x), x, decided)


@activation(partial(onnx_threshold, below=0))
@ag.primitive(broadcasts=True, formula="H(x)")
def heaviside(x: Any) -> Any:
    """The threshold unit: 1 where x >= 0, else 0; its derivative counts as 0 everywhere.

    At 0 it fires (McCulloch and Pitts: a unit fires when its threshold is
    reached).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.heaviside(np.array([-1.0, 0.0, 2.0]))
    array([0., 1., 1.])
    """
    return np.heaviside(as_floats(x), 1)


heaviside.defvjp(lambda g, out, x: np.zeros_like(g))


@activation(partial(onnx_threshold, below=-1))
@ag.primitive(broadcasts=True, formula="sign(x)")
def sign(x: Any) -> Any:
    """The threshold unit with outputs ±1: 1 where x >= 0, else -1; derivative 0 everywhere.

    Unlike `numpy.sign` it is never 0, since a unit must decide.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.activations.sign(np.array([-1.0, 0.0, 2.0]))
    array([-1.,  1.,  1.])
    """
    return 2 * np.heaviside(as_floats(x), 1) - 1


sign.defvjp(lambda g, out, x: np.zeros_like(g))


@activation("Sigmoid")
@ag.primitive(broadcasts=True, formula="σ(x)")
def sigmoid(x: Any) -> Any:
    """The logistic function 1 / (1 + exp(-x)).

    Computed from ``exp(-|x|)``, which cannot overflow; small results keep their
    relative precision.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    x = as_floats(x)
    small = np.exp(-np.abs(x))
    return np.where(np.greater_equal(x, 0), 1, small) / (1 + small)


sigmoid.defvjp(lambda g, out, x: g * out * (1 - out))


@activation("Tanh")
def tanh(x: Any) -> Any:
    """The hyperbolic tangent.

    Examples
    --------
    >>> import nn
    >>> nn.tanh(0.0)
    np.float64(0.0)
    """
    return np.tanh(as_floats(x, also_complex=True))


@activation("Relu", initializer=he_normal)
def relu(x: Any) -> Any:
    """The positive part max(x, 0); its derivative at 0 is 0.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """
    x = as_floats(x)
    return x.relu() if isinstance(x, ag.Value) else np.maximum(x, 0)


@activation("Softplus", initializer=he_normal)
def softplus(x: Any) -> Any:
    """A smooth relu: log(1 + exp(x)).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.softplus(np.array([-1000.0, 1000.0]))
    array([   0., 1000.])
    """
    return np.logaddexp(0.0, as_floats(x))


@activation("HardSigmoid", alpha=1 / 6, beta=0.5)
def hard_sigmoid(x: Any) -> Any:
    """A sigmoid of three straight pieces: x/6 + 1/2, clipped to [0, 1].

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.hard_sigmoid(np.array([-9.0, 0.0, 9.0]))
    array([0. , 0.5, 1. ])
    """
    return np.clip(as_floats(x) / 6 + 0.5, 0.0, 1.0)


@activation(lambda graph, x: graph.add("Clip", x, graph.constant(-1), graph.constant(1)))
def hard_tanh(x: Any) -> Any:
    """A hyperbolic tangent of three straight pieces: x clipped to [-1, 1].

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.hard_tanh(np.array([-9.0, 0.5, 9.0]))
    array([-1. ,  0.5,  1. ])
    """
    return np.clip(as_floats(x), -1.0, 1.0)


@activation(
    lambda graph, x: graph.add("Clip", x, graph.constant(0), graph.constant(6)),
    initializer=he_normal,
)
def relu6(x: Any) -> Any:
    """A relu that ends at 6: x clipped to [0, 6]; its derivative at 0 and 6 is 1, that of `clip`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.relu6(np.array([-9.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """
    return np.clip(as_floats(x), 0.0, 6.0)


@activation(
    lambda graph, x, slope=0.01: graph.add("LeakyRelu", x, alpha=slope), initializer=he_normal
)
def leaky_relu(x: Any, *, slope: float = 0.01) -> Any:
    """x where it is positive, else ``slope`` · x, also at 0.

    A. Maas et al., "Rectifier nonlinearities improve neural network acoustic
    models" (2013).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.leaky_relu(np.array([-100.0, 2.0]))
    array([-1.,  2.])
    """
    return prelu(x, slope)


def prelu(x: Any, slope: Any) -> Any:
    """`leaky_relu` whose slope is learned; see the layer `PReLU`.

    K. He et al., "Delving deep into rectifiers" (2015).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.prelu(np.array([[-2.0, -2.0]]), np.array([0.5, 0.25]))
    array([[-1. , -0.5]])
    """
    x = as_floats(x)
    return np.where(x > 0, x, slope * x)


@activation("Elu", initializer=he_normal)
def elu(x: Any, *, alpha: float = 1.0) -> Any:
    """x where it is positive, else ``alpha`` · (exp(x) - 1).

    D. Clevert et al., "Fast and accurate deep network learning by exponential
    linear units" (2016).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.elu(np.array([-1000.0, 2.0]))
    array([-1.,  2.])
    """
    x = as_floats(x)
    positive = x > 0
    return np.where(positive, x, alpha * np.expm1(np.where(positive, 0.0, x)))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@activation("Selu", initializer=lecun_normal, alpha=SELU_ALPHA, gamma=SELU_SCALE)
def selu(x: Any) -> Any:
    """A scaled `elu` that draws mean 0 and variance 1 towards themselves.

    G. Klambauer et al., "Self-normalizing neural networks" (2017).

    Examples
    --------
    >>> import nn
    >>> round(float(nn.selu(1.0)), 4)
    1.0507
    """
    return SELU_SCALE * elu(x, alpha=SELU_ALPHA)


# erfc(z) = t · exp(-z² + P(t)) with t = 2/(2 + z); these are the coefficients of P in
# Chebyshev polynomials of 2t - 1, interpolated in 40 digits.
ERFC_CHEBYSHEV = (
    -0.651326859890854717, 0.64196979235649026, 0.0194764732041858363,
    -0.00956151478680863164, -0.000946595344482036866, 0.000366839497852761452,
    0.0000425233248069077716, -0.0000202785781125342432, -1.62429000464702551e-6,
    1.3036558355805232e-6, 1.56264417220661432e-8, -8.52380959149265425e-8,
    6.5290544390988515e-9, 5.05934349555146894e-9, -9.91364156493033087e-10,
    -2.27365122293183586e-10, 9.6467911020155268e-11, 2.39403808303911474e-12,
    -6.8860275264975534e-12, 8.94487927309072572e-13, 3.13092139934295808e-13,
    -1.12708223613672524e-13, 3.81090525518923207e-16, 7.10609761360923694e-15,
    -1.52302820145710415e-15, -9.45749457129125445e-17, 1.21023718922427302e-16,
)  # fmt: skip


@ag.primitive(broadcasts=True, formula="Φ(x)")
def normal_probability(x: Any) -> Any:
    """The probability that a standard normal number is below x: erfc(-x/√2)/2.

    By Chebyshev approximation of erfc (W. Press et al., "Numerical Recipes",
    3rd ed. 2007, section 6.2), accurate to rounding also in the tails.
    """
    x = as_floats(x)
    size = np.minimum(np.abs(x) * sqrt(0.5), 1e4)
    t = 2 / (2 + size)
    twice = 4 * t - 2
    following = polynomial = np.zeros_like(twice)
    for coefficient in ERFC_CHEBYSHEV[:0:-1]:  # Clenshaw's recurrence
        polynomial, following = twice * polynomial - following + coefficient, polynomial
    polynomial = 0.5 * twice * polynomial - following + ERFC_CHEBYSHEV[0]
    below = 0.5 * t * np.exp(polynomial - size * size)
    return np.where(np.less(x, 0), below, 1 - below)


normal_probability.defvjp(
    lambda g, out, x: g * (np.exp(-0.5 * np.square(np.clip(x, -100, 100))) / sqrt(2 * pi))
)


@activation(
    lambda graph, x, approximate=False: graph.add(
        "Gelu", x, approximate="tanh" if approximate else "none"
    ),
    initializer=he_normal,
)
def gelu(x: Any, *, approximate: bool = False) -> Any:
    """x · Φ(x), with Φ the normal distribution function; or its approximation by tanh if told so.

    D. Hendrycks, K. Gimpel, "Gaussian error linear units" (2016).

    Examples
    --------
    >>> import nn
    >>> round(float(nn.gelu(1.0)), 4), round(float(nn.gelu(1.0, approximate=True)), 4)
    (0.8413, 0.8412)
    """
    check_flags("gelu", approximate=approximate)
    x = as_floats(x)
    if not approximate:
        return x * normal_probability(x)
    bounded = np.clip(x, -100.0, 100.0)
    return 0.5 * x * (1 + np.tanh(sqrt(2 / pi) * (bounded + 0.044715 * bounded**3)))


@activation(lambda graph, x: graph.add("Mul", x, graph.add("Sigmoid", x)), initializer=he_normal)
def silu(x: Any) -> Any:
    """x · sigmoid(x), also called swish.

    S. Elfwing et al., "Sigmoid-weighted linear units for neural network
    function approximation in reinforcement learning" (2018).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.silu(np.array([-1000.0, 0.0, 1000.0]))
    array([  -0.,    0., 1000.])
    """
    x = as_floats(x)
    return x * sigmoid(x)


@activation("Mish", initializer=he_normal)
def mish(x: Any) -> Any:
    """x · tanh(softplus(x)).

    D. Misra, "Mish: a self regularized non-monotonic activation function" (2020).

    Examples
    --------
    >>> import nn
    >>> round(float(nn.mish(1.0)), 4)
    0.8651
    """
    x = as_floats(x)
    return x * np.tanh(softplus(x))


@activation("Softsign")
def softsign(x: Any) -> Any:
    """x / (1 + \\|x\\|).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.softsign(np.array([-1.0, 0.0, 3.0]))
    array([-0.5 ,  0.  ,  0.75])
    """
    x = as_floats(x)
    return x / (1 + np.abs(x))


def onnx_glu(graph: Any, x: str, axis: int = -1) -> Any:
    halves = [f"half{len(graph.nodes)}_{i}" for i in range(2)]
    graph.add("Split", x, outputs=halves, axis=axis, num_outputs=2)
    return graph.add("Mul", halves[0], graph.add("Sigmoid", halves[1]))


@activation(onnx_glu)
def glu(x: Any, *, axis: int = -1) -> Any:
    """The first half along an axis of even length, gated by the `sigmoid` of the second.

    Y. Dauphin et al., "Language modeling with gated convolutional networks" (2017).

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.glu(np.array([2.0, 4.0, 0.0, 1000.0]))
    array([1., 4.])
    """
    x = as_floats(x)
    if np.shape(x)[axis] % 2:
        raise ag.ArgumentValueError(
            f"glu: axis {axis} of shape {np.shape(x)} has odd length {np.shape(x)[axis]}; "
            "it must hold values and as many gates"
        )
    values, gates = np.split(x, 2, axis=axis)
    return values * sigmoid(gates)


@activation("Softmax")
@ag.primitive(formula="softmax(x)")
def softmax(x: Any, *, axis: int = -1) -> Any:
    """Exponentials divided by their sum along an axis: positive, and summing to 1.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    x = as_floats(x)
    exponentials = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


def softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    weighted = g * out
    return weighted - out * np.sum(weighted, axis=axis, keepdims=True)


softmax.defvjp(softmax_vjp)


@activation("LogSoftmax")
@ag.primitive(formula="log softmax(x)")
def log_softmax(x: Any, *, axis: int = -1) -> Any:
    """The logarithm of `softmax`, also where softmax itself would be 0.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    x = as_floats(x)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def log_softmax_vjp(g: Any, out: Any, x: Any, axis: int = -1) -> Any:
    return g - np.exp(out) * np.sum(g, axis=axis, keepdims=True)


log_softmax.defvjp(log_softmax_vjp)
