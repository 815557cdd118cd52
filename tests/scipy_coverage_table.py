"""Write docs/scipy_coverage.md: the functions of SciPy that have derivatives here.

``python -m tests.scipy_coverage_table`` writes the page; a test keeps it in step with the code.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special

import autograd_lite as ag
from autograd_lite.core.primitive import Primitive, registry
from autograd_lite.scipy.stats.families import ContinuousDistribution, DiscreteDistribution

PAGE = Path(__file__).parent.parent / "docs" / "scipy_coverage.md"

INTRODUCTION = """\
# Coverage of SciPy

The functions of SciPy that have first and higher derivatives here, under SciPy's own names:
`ag.scipy.special.gamma`, `ag.scipy.stats.norm.logpdf`. SciPy computes them, so that values are
SciPy's to the last bit; `pip install 'autograd-lite[scipy]'` brings it, and nothing of it is
imported before it is used. This page is written by `python -m tests.scipy_coverage_table` from the
functions that there are. Each, but for solvers, is checked in the table of cases in
`tests/ops/cases`: its value, its first and second derivatives, single precision, read-only and
strided arrays, `vmap` and `compile`. What is not on it is not there yet, and refused by name.

"""

UFUNCS = """\
SciPy's own **ufuncs** take Values too, whatever was imported before: `scipy.special.expit(x)` is
the same as `ag.scipy.special.expit(x)`. Those that are no ufuncs make plain arrays of their
arguments; they refuse a Value, and name the function to use.

    >>> import numpy as np, autograd_lite as ag
    >>> from scipy import special
    >>> x = ag.Value([0.0, 1.0])
    >>> special.logsumexp(x)
    Traceback (most recent call last):
        ...
    autograd_lite.ArgumentTypeError: scipy.special.logsumexp makes plain arrays of its arguments, \
and the gradient would be lost; write ag.scipy.special.logsumexp, which knows its derivative, or \
pass x.data to use the numbers as a constant

"""

PARAMETERS = """
## By parameters

- `gammainc`, `gammaincc`, `betainc` and `betaincc` are differentiated by all their arguments. By
  their parameters the derivatives have no closed form: they are integrated by Gauss and Legendre,
  with 192 nodes for each number, and hold to 1e-10 in the tails too.
- By the order of a Bessel function, by the degree and the parameters of a polynomial, by the
  parameters of a hypergeometric function, by the first argument of `zeta` and by `n` of `expn`
  derivatives are refused by name; pass constants there.
- `digamma` of complex numbers has a value, and no derivative: SciPy has no complex `polygamma`.
  So `gamma` and `loggamma` of complex numbers have one derivative and not two.
- `softmax`, `log_softmax` and `logsumexp` take `axis`; `logsumexp` takes `keepdims` and weights
  `b`, by which there are derivatives too, and no `return_sign`. `comb` and `factorial` are those
  of real numbers, without `exact`.

    >>> ag.grad(special.jv)(1.0, 2.0)
    Traceback (most recent call last):
        ...
    autograd_lite.NoRuleError: scipy.special.jv has no derivative rule by its argument 'v' in \
autograd_lite; pass the number as a constant (v.data), or write the function with ag.primitive and \
defvjp

"""

DISTRIBUTIONS = """
## scipy.stats

Each method by the number that it is of and by all parameters, `loc` and `scale` included; those of
whole numbers by their parameters alone. Beyond the support densities are 0, and so are their
derivatives; at an end of it they are those from inside. Quantiles (`ppf`, `isf`) have derivatives
by the parameters too: `ag.scipy.stats.gamma.ppf(u, a)` of uniform random numbers `u` is a gamma
variable whose gradient by `a` is exact. SciPy's own methods make plain arrays of what they get, and
name these. `multivariate_normal` wants a mean of shape `(d,)` and a covariance of shape `(d, d)`.

    >>> from autograd_lite.scipy import stats
    >>> data = np.array([0.5, 1.5, 2.0])
    >>> round(ag.grad(lambda df: np.sum(stats.t.logpdf(data, df)))(3.0), 6)
    0.053912

"""


def public(module: Any) -> list[str]:
    return sorted(module.__all__)


def arguments(name: str) -> str:
    """Which arguments of a function of ``special`` have no rule."""
    primitive = registry.get(getattr(scipy.special, name))
    if not isinstance(primitive, Primitive):
        return {"zeta": "x"}.get(name, "")
    known = [inspect.getclosurevars(rule).nonlocals for rule in primitive.rules if rule]
    return ", ".join(names["argument"] for names in known if "argument" in names)


def special_table() -> list[str]:
    lines = ["| function | | no derivative by |", "|---|---|---|"]
    for name in public(ag.scipy.special):
        function = getattr(scipy.special, name)
        asks = isinstance(function, np.ufunc) or registry[function] is function
        kind = "SciPy's own takes Values" if asks else "`ag.scipy.special` only"
        without = ", ".join(f"`{x}`" for x in arguments(name).split(", ") if x)
        lines.append(f"| `{name}` | {kind} | {without} |")
    return lines


LINEAR_ALGEBRA = """
## scipy.linalg

Called from `ag.scipy.linalg`, with SciPy's arguments but for those that allow to overwrite what is
given. `lu` and `lu_factor` are differentiated for square matrices, `solveh_banded` for real ones.
Functions of a matrix have derivatives of any order: each is the same function of a matrix twice as
large.

    >>> from autograd_lite.scipy import linalg
    >>> ag.grad(lambda t: linalg.expm(t * np.array([[0.0, 1.0], [-1.0, 0.0]]))[0, 1])(0.0)
    1.0

"""


FILTERS = """
## scipy.signal and scipy.ndimage

Called from `ag.scipy.signal` and `ag.scipy.ndimage`. `lfilter` by its coefficients and the signal,
without `zi`; `savgol_filter` with `mode="interp"`. Filters of images with one `mode` for all axes,
`convolve` and `correlate` by their weights too; by `sigma` and `size` there are no derivatives.
Images at other places by the image and by what says where they are read: coordinates, shifts,
angles, matrices and offsets, in all modes and orders.

"""


SOLVERS = """
## scipy.optimize

Called from `ag.scipy.optimize`, with SciPy's arguments. What a solution is differentiated by is
passed by `args` (`kwargs` of `least_squares`, the data of `curve_fit`, the arrays of `linprog`);
the function is NumPy code. Derivatives are those of the equation that the solution fulfils, of any
order: [Solutions of equations](implicit.md). `minimize` takes `bounds` and no `constraints`,
`least_squares` no `loss`, `curve_fit` a `sigma` of one dimension. Checked against closed forms in
`tests/ops/test_scipy_optimize.py`.

"""


INTEGRALS = """
## scipy.integrate

Called from `ag.scipy.integrate`, with SciPy's arguments. Integrals of functions by their limits and
by `args`; integrals of samples by the samples, and by `x` or `dx`; solutions of differential
equations by initial values, times and `args`, to any order, with events: [Integrals, equations and
curves](integrals.md). Infinite limits are constants, errors are estimates, and neither has a
derivative.

"""


CURVES = """
## scipy.interpolate

Called from `ag.scipy.interpolate`; objects are made and called as SciPy's, with `nu` for
derivatives, and have no other methods. By values, knots and places; `make_interp_spline` without
`bc_type`, `RegularGridInterpolator` for "linear" and "nearest".

"""


SPARSE = """
## scipy.sparse and scipy.sparse.linalg

Arrays whose numbers may be a Value, made as SciPy's of a matrix or of numbers and their places,
which are constants. They have `@`, `*` by a number, `T` and `toarray()`; a Value times one of them
is written `A.T @ x`. Systems by the numbers and by the right-hand side, without operators.

"""


def names_in(module: Any) -> str:
    return ", ".join(f"`{name}`" for name in public(module)) + "."


def methods_of(distribution: Any) -> list[str]:
    if isinstance(distribution, ContinuousDistribution | DiscreteDistribution):
        names = vars(distribution)
        return [name for name in names if type(names[name]).__name__ == "Method"]
    return [name for name in vars(distribution) if not name.startswith("_")]


def stats_table() -> list[str]:
    lines = ["| distribution | methods |", "|---|---|"]
    for name in public(ag.scipy.stats):
        methods = ", ".join(f"`{m}`" for m in methods_of(getattr(ag.scipy.stats, name)))
        lines.append(f"| `{name}` | {methods} |")
    return lines


def count() -> int:
    """Functions, and methods of distributions."""
    stats = ag.scipy.stats
    methods = sum(len(methods_of(getattr(stats, name))) for name in stats.__all__)
    modules = (
        ag.scipy.special,
        ag.scipy.linalg,
        ag.scipy.signal,
        ag.scipy.ndimage,
        ag.scipy.optimize,
        ag.scipy.integrate,
        ag.scipy.interpolate,
        ag.scipy.sparse.linalg,
    )
    arrays = len(ag.scipy.sparse.__all__) - 1  # besides the module of solvers
    return sum(len(module.__all__) for module in modules) + arrays + methods


def page() -> str:
    return "".join(
        [
            INTRODUCTION,
            f"{count()} functions and methods of distributions.\n\n## scipy.special\n\n",
            UFUNCS,
            "\n".join(special_table()),
            "\n",
            PARAMETERS,
            DISTRIBUTIONS,
            "\n".join(stats_table()),
            "\n",
            LINEAR_ALGEBRA,
            names_in(ag.scipy.linalg),
            "\n",
            FILTERS,
            f"Signals: {names_in(ag.scipy.signal)}\n\nImages: {names_in(ag.scipy.ndimage)}\n",
            SOLVERS,
            f"{names_in(ag.scipy.optimize)}\n",
            INTEGRALS,
            f"{names_in(ag.scipy.integrate)}\n",
            CURVES,
            f"{names_in(ag.scipy.interpolate)}\n",
            SPARSE,
            "`coo_array`, `csc_array`, `csr_array`; ",
            f"{names_in(ag.scipy.sparse.linalg)}\n",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(PAGE, count())
