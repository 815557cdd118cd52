"""Cases of averages, covariances and quantiles."""

from __future__ import annotations

from typing import Any

from autograd_lite.core.numpy_namespace import np
from tests.ops.cases.case import Case, complex_numbers, distinct, positive, real, row

WITH_NAN = np.array([[0, np.nan, 0, 0, 0], [0, 0, 0, 0, 0], [np.nan, 0, np.nan, 0, np.nan]])
FRACTIONS = np.array([0.3, 0.8])
WEIGHTS = np.arange(1.0, 16.0).reshape(3, 5) % 4 + 0.5
METHODS = (
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation",
    "interpolated_inverted_cdf", "hazen", "weibull", "linear", "median_unbiased",
    "normal_unbiased", "lower", "higher", "midpoint", "nearest",
)  # fmt: skip


def without_nan(function: Any, **keywords: Any) -> Case:
    return row(
        function,
        distinct(3, 5),
        call=lambda x: function(x + WITH_NAN, **keywords),
        label=f"nan,{keywords}",
    )


ROWS: list[Case] = [
    row(np.average, real(2, 3)),
    row(
        np.average,
        real(2, 3),
        positive(2, 3),
        label="weights",
        call=lambda x, w: np.average(x, weights=w),
    ),
    row(
        np.average,
        real(2, 3),
        positive(3),
        label="along",
        call=lambda x, w: np.average(x, axis=1, weights=w, keepdims=True),
    ),
    row(
        np.average,
        real(2, 3, 4),
        positive(4, 2),
        label="along two",
        call=lambda x, w: np.average(x, axis=(-1, 0), weights=w),
    ),
    row(
        np.average,
        real(2, 3),
        positive(2),
        label="returned",
        call=lambda x, w: np.average(x, axis=0, weights=w, returned=True),
    ),
    row(np.cov, real(3, 5)),
    row(np.cov, real(5), label="one"),
    row(np.cov, real(2, 5), real(5), label="two"),
    row(np.cov, real(5, 2), rowvar=False, bias=True),
    row(np.cov, real(2, 5), ddof=0),
    row(np.cov, real(2, 4), label="weights", fweights=[1, 2, 1, 3], aweights=[0.5, 1, 2, 0.3]),
    row(np.cov, real(2, 4), label="aweights", aweights=[0.5, 1, 2, 0.3]),
    row(np.cov, real(2, 4), label="fweights", fweights=[1, 2, 1, 3]),
    row(np.cov, complex_numbers(2, 4), label="complex"),
    row(np.corrcoef, real(3, 6), call=lambda x: np.corrcoef(x)[[0, 0, 1], [1, 2, 2]]),
    row(np.corrcoef, real(6), real(6), call=lambda x, y: np.corrcoef(x, y)[0, 1], label="two"),
    row(np.corrcoef, complex_numbers(2, 4), call=lambda x: np.corrcoef(x)[0, 1], label="complex"),
    *[
        row(np.median, distinct(3, 4), **keywords)
        for keywords in ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)})
    ],
    *[row(np.quantile, distinct(7), q=0.3, method=method) for method in METHODS],
    *[
        row(np.quantile, distinct(2, 3, 2), **keywords)
        for keywords in (
            {"q": 0.5},
            {"q": [0.0, 0.35, 1.0], "axis": 1},
            {"q": [[0.2], [0.9]], "axis": (0, 2)},
            {"q": 0.7, "axis": 0, "keepdims": True},
        )
    ],
    *[
        row(
            np.quantile,
            distinct(7),
            real(),
            label=f"by q,{method}",
            call=lambda x, q, method=method: np.quantile(x, 0.3 + 0.01 * q, method=method),
        )
        for method in METHODS
    ],
    *[
        row(
            np.quantile,
            distinct(2, 5, 2),
            real(*shape),
            label=f"by q,{shape},{keywords}",
            call=lambda x, q, keywords=keywords: np.quantile(x, 0.6 + 0.02 * q, **keywords),
        )
        for shape in ((), (3,), (2, 1))
        for keywords in ({"axis": 1}, {"axis": (0, 2), "keepdims": True})
    ],
    row(
        np.quantile,
        distinct(5),
        real(2),
        label="beyond the ends",
        call=lambda x, q: np.quantile(x, [0.02, 0.97] + 0.005 * q, method="weibull"),
    ),
    row(np.quantile, distinct(1), positive(), call=lambda x, q: np.quantile(x, q / 3), label="one"),
    row(np.percentile, distinct(5), real(), call=lambda x, q: np.percentile(x, 31 + q), label="q"),
    *[
        row(
            function,
            distinct(3, 5),
            real(2),
            label=f"nan,by q,{axis}",
            call=lambda x, q, function=function, axis=axis, scale=scale: function(
                x + WITH_NAN, (scale * (FRACTIONS + 0.01 * q)), axis=axis
            ),
        )
        for function, scale in ((np.nanquantile, 1), (np.nanpercentile, 100))
        for axis in (None, 1)
    ],
    *[
        row(
            function,
            distinct(3, 5),
            label=f"weights,{keywords}",
            call=lambda x, function=function, q=q, keywords=keywords: function(
                x, q, method="inverted_cdf", **keywords
            ),
        )
        for function, q in ((np.quantile, 0.4), (np.percentile, [20, 70]))
        for keywords in (
            {"weights": WEIGHTS},
            {"weights": WEIGHTS, "axis": 0},
            {"weights": WEIGHTS[0], "axis": 1, "keepdims": True},
        )
    ],
    row(np.percentile, distinct(5), q=[30, 65]),
    row(np.percentile, distinct(2, 5), call=lambda x: np.percentile(x, 40, 1), label="x,q,axis"),
    *[without_nan(np.nanmedian, **keywords) for keywords in ({}, {"axis": 0}, {"axis": 1})],
    *[
        without_nan(np.nanquantile, **keywords)
        for keywords in ({"q": 0.3}, {"q": [0.1, 0.8], "axis": 1, "keepdims": True})
    ],
    row(np.nanquantile, distinct(2, 3, 4), q=[0.2, 0.7], axis=1),
    row(
        np.quantile,
        distinct(2, 3, 4),
        real(2),
        call=lambda x, q: np.quantile(x, [0.45, 0.9] + 0.02 * q, axis=2),
        label="fractions of rows",
    ),
    without_nan(np.nanpercentile, q=30, axis=0),
]
