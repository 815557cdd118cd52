"""Training on all samples at once by L-BFGS, through SciPy (an extra)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import NOT_NEGATIVE, check_counts, check_range
from nn.losses import losses
from nn.models.module import Module, Parameter
from nn.optimizers import SGD
from nn.training.data import checked_pair, dtype_of, rows_of
from nn.training.history import History
from nn.training.prediction import predict
from nn.training.step import NonFiniteLossError, Step, check_compile

__all__ = ["fit_lbfgs"]


def fit_lbfgs(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Callable[..., Any] | str,
    iterations: int = 200,
    tolerance: float = 1e-5,
    l2: float = 0.0,
    sample_weight: Any = None,
    compile: bool | str = True,
) -> History:
    """Train a model by L-BFGS: few, exact steps on all samples, good for small data.

    R. Byrd et al., "A limited memory algorithm for bound constrained
    optimization" (1995), as SciPy has it.  Errors are those of `fit`.

    Parameters
    ----------
    model, x, y, loss, sample_weight, compile
        As for `fit`; x and y are arrays.
    iterations : int
        How many steps to take at most.
    tolerance : float
        Stop when no entry of the gradient is larger.
    l2 : float
        The strength of the penalty ½Σw² on weights of two or more axes, which
        is part of the loss here.

    Returns
    -------
    History
        ``loss`` after each iteration.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = nn.MLP(1, [8, 1], activation="tanh", rng=0)
    >>> history = nn.fit_lbfgs(model, x, np.sin(3 * x), loss=nn.mse)
    >>> history.loss[-1] < 1e-4
    True
    """
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.fit_lbfgs needs SciPy; install it with: pip install scipy"
        ) from error
    check_counts("fit_lbfgs", iterations=iterations)
    check_range("fit_lbfgs", NOT_NEGATIVE, l2=l2)
    check_compile("fit_lbfgs", compile)
    x, y = checked_pair(x, y, "x", "y")
    predict(model, rows_of(x, slice(1), None))
    x, y = (rows_of(part, slice(None), dtype_of(model)) for part in (x, y))
    parameters = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in parameters if p.ndim > 1]
    weight = None if sample_weight is None else np.asarray(sample_weight)
    step = Step(model, losses.find(loss), SGD(parameters), compile=compile)
    latest = np.inf

    def objective(vector: Any) -> tuple[float, Any]:
        nonlocal latest
        write_parameters(vector, parameters)
        step.refresh()
        try:
            loss, _ = step.accumulate(x, y, weight)
        except NonFiniteLossError as error:
            return float(error.loss), np.full_like(vector, np.nan)
        latest = float(loss) + 0.5 * l2 * sum(float(np.sum(w.data**2)) for w in weights)
        gradients = [
            g / step.n_samples + (l2 * p.data if p.ndim > 1 else 0.0)
            for g, p in zip(step.sums, parameters, strict=True)
        ]
        return latest, flatten(gradients)

    history = History()
    start = flatten([p.data for p in parameters])
    model.train()
    with np.errstate(over="ignore", invalid="ignore"):
        result = minimize(
            objective, start, jac=True, method="L-BFGS-B",
            options={"maxiter": iterations, "gtol": tolerance, "maxfun": 20 * iterations},
            callback=lambda _: history.append(loss=latest),
        )  # fmt: skip
    write_parameters(result.x, parameters)
    history.append(loss=result.fun)
    history.stopped = str(result.message)
    model.eval().zero_grad()
    return history


def flatten(arrays: list[Any]) -> Any:
    """All numbers in one long vector of float64, which is what SciPy works with."""
    return np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)


def write_parameters(vector: Any, parameters: list[Parameter]) -> None:
    """Spread one long vector over the parameters."""
    start = 0
    for parameter in parameters:
        part = vector[start : start + parameter.size]
        if isinstance(parameter.data, np.ndarray):
            parameter.data[...] = part.reshape(parameter.shape)
        else:
            parameter.data = float(part[0])
        start += parameter.size
