"""Distributions of one number: the methods of SciPy's, with the rules that they share.

What a family has of its own are derivatives of its standard density f and of its distribution
function F: by z the slope of log f, by each parameter that of log f and that of F.  With
z = (x - loc) / scale all methods follow from these:

    log f / scale      by x:  slope / scale       by loc: -slope / scale
                       by scale: -(1 + z · slope) / scale
    F                  by x:  f / scale           by scale: -z f / scale
    x where F(z) = q   by q:  scale / f           by a parameter p: -scale · (∂F/∂p) / f

M. Figurnov, S. Mohamed, A. Mnih, "Implicit reparameterization gradients" (2018).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import Primitive, Rule, registry
from autograd_lite.scipy.names import as_array_operand, by_scipy_alone, no_rule_by

__all__ = ["ContinuousDistribution", "DiscreteDistribution", "Family", "Method", "Slope", "share"]

Slope = Callable[..., Any]
"""A derivative, as a function of the standardised number and the parameters."""


def share(count: Any, p: Any) -> Any:
    """``count / p``, which is 0 where there is nothing to count."""
    return count / np.where(count == 0, 1, p)


class Method:
    """A method of a distribution, called as SciPy's; Values may stand for any number."""

    def __init__(self, distribution: Any, name: str, first: str, signature: Any, rule: Any) -> None:
        self.__name__ = name
        self.__doc__ = f"As ``scipy.stats.{distribution.name}.{name}``."
        names = [first, *signature]
        self.signature = inspect.Signature(
            [
                inspect.Parameter(
                    p, inspect.Parameter.POSITIONAL_OR_KEYWORD,
                    default=DEFAULTS.get(p, inspect.Parameter.empty),
                )
                for p in names
            ]
        )  # fmt: skip
        self.primitive = Primitive(
            by_scipy_alone(getattr(distribution, name), f"{distribution.name}.{name}"),
            each=nan_where_nan(rule),
            name=f"{distribution.name}.{name}",
            elementwise=True,
            singular=True,
            masks=True,
            builtin=True,
        )
        registry[distribution, name] = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        given = self.signature.bind(*args, **kwargs)
        given.apply_defaults()
        return self.primitive(*map(as_array_operand, given.args))

    def __repr__(self) -> str:
        return f"<method {self.primitive.name}>"


def nan_where_nan(rule: Rule) -> Rule:
    """A rule of a function that is NaN where its parameters are none of a distribution's."""

    def vjp(index: int, g: Any, out: Any, *inputs: Any) -> Any:
        return np.where(np.isnan(out), np.nan, rule(index, g, out, *inputs))

    return vjp


DEFAULTS = {"loc": 0, "scale": 1}


class Family:
    """What methods of a distribution have in common."""

    def __init__(self, distribution: Any, parameters: Sequence[str]) -> None:
        self.distribution = distribution
        self.parameters = tuple(parameters)
        self.name: str = distribution.name
        self.__doc__ = f"As ``scipy.stats.{self.name}``, with derivatives by all parameters."

    def __repr__(self) -> str:
        return f"<distribution {self.name}>"


class ContinuousDistribution(Family):
    """A family of densities.

    Parameters
    ----------
    distribution
        SciPy's.
    slope
        The derivative of log f by z.
    support
        The interval on which the density is that of the formula; a function of the parameters
        where it depends on them.
    at_end
        The derivative of f by z where f is 0 at an end, and that of log f infinite.
    **parameters
        For each parameter but loc and scale the derivatives of log f, and of F.
    """

    def __init__(
        self, distribution: Any, slope: Slope, *, support: Any = (-np.inf, np.inf),
        at_end: Slope | None = None, **parameters: tuple[Slope, Slope],
    ) -> None:  # fmt: skip
        super().__init__(distribution, (*parameters, "loc", "scale"))
        self.slope = slope
        self.support = support
        self.at_end = at_end
        self.by_parameters = list(parameters.values())
        self.logpdf = self._method("logpdf", "x", self._logpdf_vjp)
        self.pdf = self._method("pdf", "x", self._pdf_vjp)
        self.cdf = self._method("cdf", "x", self._cdf_vjp)
        self.sf = self._method("sf", "x", self._sf_vjp)
        self.logcdf = self._method("logcdf", "x", self._logcdf_vjp)
        self.logsf = self._method("logsf", "x", self._logsf_vjp)
        self.ppf = self._method("ppf", "q", self._ppf_vjp)
        self.isf = self._method("isf", "q", self._isf_vjp)

    def _method(self, name: str, first: str, rule: Any) -> Method:
        return Method(self.distribution, name, first, self.parameters, rule)

    # Derivatives of the density and of the distribution function by one of (x, …, loc, scale).

    def _standard(self, x: Any, parameters: tuple[Any, ...]) -> tuple[Any, Any]:
        """The standardised number, and whether it lies where there is a density."""
        *shapes, loc, scale = parameters
        z = (x - loc) / scale
        low, high = self.support(*shapes) if callable(self.support) else self.support
        inside = np.logical_and(np.logical_and(z >= low, z <= high), np.isfinite(z))
        # Elsewhere a number at which formulas can be evaluated, and are not used.
        return np.where(inside, z, np.where(low == 1, 1.5, 0.5)), inside

    def _log_density_by(self, index: int, x: Any, parameters: tuple[Any, ...]) -> Any:
        *shapes, _, scale = parameters
        z, inside = self._standard(x, parameters)
        if 0 < index <= len(shapes):
            found = self.by_parameters[index - 1][0](z, *shapes)
        elif index == len(shapes) + 2:
            found = -(1 + z * self.slope(z, *shapes)) / scale
        else:
            found = self.slope(z, *shapes) / (scale if index == 0 else -scale)
        return np.where(inside, found, 0)

    def _distribution_by(self, index: int, x: Any, parameters: tuple[Any, ...]) -> Any:
        shapes = parameters[:-2]
        z, inside = self._standard(x, parameters)
        if 0 < index <= len(shapes):
            return np.where(inside, self.by_parameters[index - 1][1](z, *shapes), 0)
        density = self.pdf(x, *parameters)
        if index == 0:
            return density
        return -density if index == len(shapes) + 1 else -density * np.where(inside, z, 0)

    # The methods.

    def _logpdf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        return g * self._log_density_by(index, x, parameters)

    def _pdf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        if self.at_end is None:
            return g * out * self._log_density_by(index, x, parameters)
        *shapes, loc, scale = parameters
        z, inside = self._standard(x, parameters)
        is_zero = np.logical_and(out == 0, inside)
        between = np.where(is_zero, loc + scale / 2, x)
        usual = out * self._log_density_by(index, between, parameters)
        slope = self.at_end(np.where(is_zero, z, 0.5), *shapes) / (scale * scale)
        if 0 < index <= len(shapes):
            found = np.zeros_like(slope)
        elif index == len(shapes) + 2:
            found = -out / scale - z * slope
        else:
            found = slope if index == 0 else -slope
        return g * np.where(is_zero, found, usual)

    def _cdf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        return g * self._distribution_by(index, x, parameters)

    def _sf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        return -g * self._distribution_by(index, x, parameters)

    def _logcdf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        return g * self._share(index, out, x, parameters)

    def _logsf_vjp(self, index: int, g: Any, out: Any, x: Any, *parameters: Any) -> Any:
        return -g * self._share(index, out, x, parameters)

    def _share(self, index: int, out: Any, x: Any, parameters: tuple[Any, ...]) -> Any:
        """The derivative of F, as a share of the probability whose logarithm is ``out``."""
        shapes = len(self.by_parameters)
        if 0 < index <= shapes:
            return self._distribution_by(index, x, parameters) * np.exp(-out)
        z, inside = self._standard(x, parameters)
        is_some = out > -np.inf
        if self.at_end is None:
            hazard = np.exp(self.logpdf(x, *parameters) - np.where(is_some, out, 0))
        else:
            low, high = self.support
            is_end = np.logical_and(is_some, np.logical_or(z == low, z == high))
            between = np.where(is_end, parameters[-2] + parameters[-1] / 2, x)
            hazard = np.exp(self.logpdf(between, *parameters) - np.where(is_some, out, 0))
            hazard = np.where(is_end, self.pdf(x, *parameters) * np.exp(-out), hazard)
        hazard = np.where(np.logical_or(is_some, ~inside), hazard, np.inf)
        if index == 0:
            return hazard
        return -hazard if index == shapes + 1 else -hazard * z

    def _ppf_vjp(self, index: int, g: Any, out: Any, q: Any, *parameters: Any) -> Any:
        return self._quantile_vjp(index, g, out, parameters, 1)

    def _isf_vjp(self, index: int, g: Any, out: Any, q: Any, *parameters: Any) -> Any:
        return self._quantile_vjp(index, g, out, parameters, -1)

    def _quantile_vjp(
        self, index: int, g: Any, out: Any, parameters: tuple[Any, ...], sign: int
    ) -> Any:
        shapes = len(self.by_parameters)
        if index == 0:
            return sign * g / self.pdf(out, *parameters)
        if index <= shapes:
            share = self._distribution_by(index, out, parameters)
            return -g * share / self.pdf(out, *parameters)
        return g if index == shapes + 1 else g * (out - parameters[-2]) / parameters[-1]


class DiscreteDistribution(Family):
    """A family of probabilities of whole numbers.

    Parameters
    ----------
    distribution
        SciPy's.
    **parameters
        For each parameter the derivatives of the logarithm of the probability, and of the
        probability where it is 0; None for a whole number.
    """

    def __init__(self, distribution: Any, **parameters: tuple[Slope, Slope] | None) -> None:
        super().__init__(distribution, (*parameters, "loc"))
        self.by_parameters = parameters
        self.pmf = Method(distribution, "pmf", "k", self.parameters, self._pmf_vjp)
        self.logpmf = Method(distribution, "logpmf", "k", self.parameters, self._logpmf_vjp)

    def _rules(self, index: int, method: str) -> tuple[Slope, Slope]:
        names = list(self.by_parameters)
        rules = self.by_parameters[names[index - 1]] if 0 < index <= len(names) else None
        if rules is None:
            argument = ("k", *self.parameters)[index]
            refusal = no_rule_by(argument, f"stats.{self.name}.{method}")
            return refusal, refusal
        return rules

    def _pmf_vjp(self, index: int, g: Any, out: Any, k: Any, *parameters: Any) -> Any:
        of_logarithm, at_zero = self._rules(index, "pmf")
        *shapes, loc = parameters
        is_zero = out == 0
        slope = out * of_logarithm(k - loc, *(np.where(is_zero, 0.5, p) for p in shapes))
        return g * np.where(is_zero, at_zero(k - loc, *shapes), slope)

    def _logpmf_vjp(self, index: int, g: Any, out: Any, k: Any, *parameters: Any) -> Any:
        of_logarithm, _ = self._rules(index, "logpmf")
        *shapes, loc = parameters
        return g * np.where(out == -np.inf, 0, of_logarithm(k - loc, *shapes))
