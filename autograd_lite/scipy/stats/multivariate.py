"""Distributions of vectors and matrices.

Of a symmetric matrix SciPy reads the lower triangle, as the functions of ``numpy.linalg`` do; only
the trace in Wishart's density is taken of all entries of its first argument.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from math import log
from typing import Any

from scipy import stats

from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.ops.decompositions import by_triangle, hermitian_of_lower
from autograd_lite.scipy.names import as_array_operand, by_scipy_alone
from autograd_lite.scipy.special.gamma_functions import digamma

__all__ = ["dirichlet", "multivariate_normal", "wishart"]


def method(
    distribution: Any, name: str, check: Any, rule: Any, names: str, forward: Any = None
) -> Callable[..., Any]:
    """A method of a distribution, whose arguments are all arrays, with one joint rule."""
    signature = Signature(
        [Parameter(p, Parameter.POSITIONAL_OR_KEYWORD) for p in names.split()]
    )  # fmt: skip
    kind = type(distribution).__name__.removesuffix("_gen")
    primitive = Primitive(
        by_scipy_alone(forward or getattr(distribution, name), f"{kind}.{name}"),
        joint=rule,
        name=f"{kind}.{name}",
        masks=True,  # one triangle of a matrix is not read
        builtin=True,
    )

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentTypeError(
                f"{kind}.{name}: {error}; it takes {names.replace(' ', ', ')}: pass these, and "
                "nothing else"
            ) from None
        operands = [as_array_operand(x) for x in given.args]
        check(f"{kind}.{name}", *map(np.shape, operands))
        return primitive(*operands)

    registry[distribution, name] = call
    return call


def inverse(x: Any) -> Any:
    """That of the symmetric matrix which has this lower triangle."""
    return np.linalg.inv(hermitian_of_lower(x))


def outer(x: Any, y: Any) -> Any:
    return x[..., :, None] * y[..., None, :]


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """The sum over all axes before those of a shape."""
    return np.sum(x, axis=tuple(range(np.ndim(x) - len(shape))))


# The normal distribution.


def check_normal(name: str, *shapes: tuple[int, ...]) -> None:
    """Of the shapes that SciPy takes those that say which axis is that of a vector's entries."""
    *_, mean, cov = shapes
    x = shapes[0] if len(shapes) > 2 else mean
    if not (len(mean) == 1 and cov == mean * 2 and x[-1:] == mean):
        raise ArgumentValueError(
            f"{name}: mean of shape {mean}, cov of shape {cov} and vectors of shape {x}; "
            "pass a mean of shape (d,), a cov of shape (d, d) and vectors of shape (..., d)"
        )


def log_normal_slopes(g: Any, x: Any, mean: Any, cov: Any) -> tuple[Any, Any, Any]:
    """Gradients of the logarithm of the density."""
    precision = inverse(cov)
    pull = (x - mean) @ precision
    weight = np.reshape(g, np.shape(x)[:-1])[..., None]
    by_x = -weight * pull
    by_cov = weight[..., None] * (outer(pull, pull) - precision) / 2
    return by_x, -sum_to(by_x, np.shape(mean)), by_triangle(sum_to(by_cov, np.shape(cov)), True)


def entropy_slopes(g: Any, mean: Any, cov: Any) -> tuple[Any, Any]:
    return np.zeros_like(mean), by_triangle(g * inverse(cov) / 2, True)


class multivariate_normal:  # noqa: N801, SciPy's name
    """As ``scipy.stats.multivariate_normal``, by vectors, mean and covariance."""

    logpdf = staticmethod(
        method(
            stats.multivariate_normal,
            "logpdf",
            check_normal,
            lambda g, out, x, mean, cov: log_normal_slopes(g, x, mean, cov),
            "x mean cov",
        )
    )
    pdf = staticmethod(
        method(
            stats.multivariate_normal,
            "pdf",
            check_normal,
            lambda g, out, x, mean, cov: log_normal_slopes(g * out, x, mean, cov),
            "x mean cov",
        )
    )
    entropy = staticmethod(
        method(
            stats.multivariate_normal,
            "entropy",
            check_normal,
            lambda g, out, mean, cov: entropy_slopes(g, mean, cov),
            "mean cov",
        )
    )


# Dirichlet's distribution.


def check_dirichlet(name: str, *shapes: tuple[int, ...]) -> None:
    *_, alpha = shapes
    x = shapes[0] if len(shapes) > 1 else alpha
    if not (len(alpha) == 1 and x[:1] in (alpha, (alpha[0] - 1,))):
        raise ArgumentValueError(
            f"{name}: alpha of shape {alpha} and shares of shape {x}; pass an alpha of shape (k,) "
            "and shares of shape (k, ...) or (k - 1, ...)"
        )


def log_dirichlet_slopes(g: Any, x: Any, alpha: Any) -> tuple[Any, Any]:
    """Gradients of the logarithm of the density; the last share may be what the others leave."""
    missing = np.shape(alpha)[0] - np.shape(x)[0]
    shares = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)]) if missing else x
    column = (..., *[None] * (np.ndim(x) - 1))
    by_share = (alpha[column] - 1) / shares
    normalizer = digamma(np.sum(alpha)) - digamma(alpha)
    by_alpha = g * (np.log(shares) + normalizer[column])
    return (
        g * (by_share[:-1] - by_share[-1:] if missing else by_share),
        np.sum(by_alpha, axis=tuple(range(1, np.ndim(x)))),
    )


class dirichlet:  # noqa: N801, SciPy's name
    """As ``scipy.stats.dirichlet``, by shares and concentrations.

    By all shares the derivatives are those of the formula; that they sum to 1 is up to the caller.
    """

    logpdf = staticmethod(
        method(
            stats.dirichlet,
            "logpdf",
            check_dirichlet,
            lambda g, out, x, alpha: log_dirichlet_slopes(g, x, alpha),
            "x alpha",
        )
    )
    pdf = staticmethod(
        method(
            stats.dirichlet,
            "pdf",
            check_dirichlet,
            lambda g, out, x, alpha: log_dirichlet_slopes(g * out, x, alpha),
            "x alpha",
        )
    )


# Wishart's distribution.


def check_wishart(name: str, *shapes: tuple[int, ...]) -> None:
    x, df, scale = shapes
    if not (df == () and len(scale) == 2 and x == scale):
        raise ArgumentValueError(
            f"{name}: df of shape {df}, scale of shape {scale} and a matrix of shape {x}; "
            "pass one number df, and matrices of shape (d, d)"
        )


def log_wishart_slopes(g: Any, x: Any, df: Any, scale: Any) -> tuple[Any, Any, Any]:
    size = np.shape(x)[0]
    precision = inverse(scale)
    by_df = (
        np.linalg.slogdet(hermitian_of_lower(x))[1]
        - np.linalg.slogdet(hermitian_of_lower(scale))[1]
        - size * log(2)
        - sum(digamma((df - j) / 2) for j in range(size))
    )
    return (
        by_triangle(g * (df - size - 1) * inverse(x) / 2, True) - g * precision / 2,
        g * by_df / 2,
        by_triangle(g * (precision @ x @ precision - df * precision) / 2, True),
    )


def log_wishart(x: Any, df: Any, scale: Any) -> Any:
    """SciPy's, which wants no array for a number."""
    return stats.wishart.logpdf(x, np.asarray(df)[()], scale)


class wishart:  # noqa: N801, SciPy's name
    """As ``scipy.stats.wishart``: its logpdf, by a matrix, the degrees of freedom and the scale."""

    logpdf = staticmethod(
        method(
            stats.wishart,
            "logpdf",
            check_wishart,
            lambda g, out, x, df, scale: log_wishart_slopes(g, x, df, scale),
            "x df scale",
            log_wishart,
        )
    )
