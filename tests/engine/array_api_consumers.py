"""Functions of SciPy and scikit-learn that compute by the array API standard, run on Values.

``SCIPY_ARRAY_API=1 python -m tests.engine.array_api_consumers scipy`` compares values with those
of plain arrays, and gradients with differences; it prints what differs, and fails.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import autograd_lite as ag

RNG = np.random.default_rng(0)
TABLE = RNG.uniform(0.3, 2.0, (4, 5))
LONG = np.sort(RNG.uniform(0.3, 2.0, (25, 2)), axis=0)
Row = tuple[str, Callable[[Any], Any], np.ndarray]


def of_scipy() -> Iterator[Row]:
    import scipy.cluster.vq
    import scipy.constants
    import scipy.fft
    import scipy.integrate
    import scipy.optimize
    import scipy.signal
    from scipy import special, stats
    from scipy.spatial.transform import Rotation

    def row(name: str, *options: Any, of: Any = stats, x: np.ndarray = TABLE, **named: Any) -> Row:
        function = getattr(of, name)
        return name, lambda x: first(function(x, *options, **named)), x

    for name in names(
        "expit erf erfc gammaln i0 i1 i0e i1e log_ndtr ndtr entr digamma psi logsumexp "
        "softmax log_softmax "
    ):
        yield row(name, of=special)
    for name in names("beta betaln xlogy rel_entr kl_div gammainc stdtr chdtr chdtrc huber "):
        yield name, partial(of_both, getattr(special, name), lambda x: x**2 + 1), TABLE
    yield "logit", lambda x: special.logit(x / 3), TABLE
    yield "ndtri", lambda x: special.ndtri(x / 3), TABLE
    yield "zeta", lambda x: special.zeta(2.5, x), TABLE
    yield "multigammaln", lambda x: special.multigammaln(x + 2, 2), TABLE
    for name in names(
        "zscore skew kurtosis gmean hmean variation entropy sem tmean tvar tstd tmin tmax "
        "tsem describe gzscore jarque_bera chisquare power_divergence circmean circvar "
        "circstd iqr directional_stats lmoment median_abs_deviation rankdata gstd mode "
    ):
        yield row(name)
        if name != "directional_stats":
            yield row(name, x=TABLE[0])
    yield row("pmean", 2.0)
    yield row("moment", 3)
    yield row("trim_mean", 0.2)
    yield row("ttest_1samp", 0.4)
    yield row("quantile", 0.4)
    for name in names("skewtest kurtosistest normaltest"):
        yield row(name, x=LONG)
    for name in names("zmap ttest_ind ttest_rel bartlett kruskal mannwhitneyu pearsonr "):
        yield name, partial(of_both, getattr(stats, name), lambda x: x**3 - x), TABLE
    yield "boxcox_llf", lambda x: stats.boxcox_llf(0.4, x), TABLE
    yield "combine_pvalues", lambda x: first(stats.combine_pvalues(x / 3)), TABLE
    yield row("trapezoid", of=scipy.integrate)
    yield row("cumulative_trapezoid", of=scipy.integrate)
    yield row("cumulative_simpson", of=scipy.integrate, dx=0.5)
    yield row("whiten", of=scipy.cluster.vq)
    yield "fftconvolve", lambda x: scipy.signal.fftconvolve(x, x), TABLE
    yield "hilbert", lambda x: abs(scipy.signal.hilbert(x)), TABLE
    for name in names("fft rfft fftn rfftn"):
        yield name, partial(size_of, getattr(scipy.fft, name)), TABLE
    yield row("hfft", of=scipy.fft)
    yield "rotvec", lambda x: Rotation.from_rotvec(x[0, :3]).as_matrix(), TABLE
    yield "quat", lambda x: Rotation.from_quat(x[0, :4]).apply(x[1, :3]), TABLE
    yield row("convert_temperature", "C", "K", of=scipy.constants)
    yield row("rosen", of=scipy.optimize)


def names(text: str) -> list[str]:
    return text.split()


def of_both(function: Any, other: Any, x: Any) -> Any:
    return first(function(x, other(x)))


def size_of(function: Any, x: Any) -> Any:
    return abs(function(x))


def first(result: Any) -> Any:
    """The statistic of a result of several."""
    for name in names("statistic variance mean_direction"):
        if hasattr(result, name):
            return getattr(result, name)
    return result[0] if isinstance(result, tuple) else result


def of_sklearn() -> Iterator[Row]:
    import sklearn
    from sklearn import decomposition, discriminant_analysis, linear_model, preprocessing
    from sklearn.metrics import pairwise

    sklearn.set_config(array_api_dispatch=True)
    x = RNG.normal(size=(12, 3))
    for name in names("StandardScaler MinMaxScaler MaxAbsScaler Normalizer"):
        yield name, getattr(preprocessing, name)().fit_transform, x
    yield "KernelCenterer", lambda x: preprocessing.KernelCenterer().fit_transform(x @ x.T), x
    yield "PolynomialFeatures", preprocessing.PolynomialFeatures(2).fit_transform, x
    for solver in ("full", "covariance_eigh"):
        pca = decomposition.PCA(2, svd_solver=solver)
        yield f"PCA by {solver}", lambda x, pca=pca: abs(pca.fit_transform(x)), x
    yield "Ridge", lambda x: linear_model.Ridge(solver="svd").fit(x, x[:, 0] ** 2).coef_, x
    labels = (x[:, 0] > 0).astype(int)
    yield "LinearDiscriminantAnalysis", lambda x: (
        discriminant_analysis.LinearDiscriminantAnalysis()
        .fit(x, x.__array_namespace__().asarray(labels))
        .decision_function(x)
    ), x  # fmt: skip
    for name in names(
        "cosine_similarity rbf_kernel polynomial_kernel linear_kernel sigmoid_kernel "
    ):
        yield name, getattr(pairwise, name), x
    for name in ["euclidean_distances", "manhattan_distances"]:
        yield name, partial(of_both, getattr(pairwise, name), lambda x: x + 1), x


def fault(function: Callable[[Any], Any], x: np.ndarray) -> str | None:
    """What is wrong with the value or the gradient of a function of an array."""
    expected = np.asarray(function(x))
    got = function(ag.Value(x))
    if not isinstance(got, ag.Value):
        return f"gives no Value but {got!r}"
    if got.shape != expected.shape or not np.allclose(got.data, expected, rtol=1e-9, atol=1e-12):
        return f"gives {got.data} in the place of {expected}"
    weights, direction, h = RNG.normal(size=expected.shape), RNG.normal(size=x.shape), 1e-6
    slope = np.sum(ag.grad(lambda x: np.sum(weights * function(x)))(x) * direction)
    ends = [np.sum(weights * function(x + s * h * direction)) for s in (1, -1)]
    measured = (ends[0] - ends[1]) / (2 * h)
    if not np.isclose(slope, measured, rtol=1e-5, atol=1e-5):
        return f"has the slope {slope} in the place of {measured}"
    return None


def main(library: str) -> int:
    rows = list({"scipy": of_scipy, "sklearn": of_sklearn}[library]())
    faults = {name: fault(function, x) for name, function, x in rows}
    found = [f"{name} {what}" for name, what in faults.items() if what]
    print(f"{len(rows)} functions of {library}", *found, sep="\n")
    return len(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
