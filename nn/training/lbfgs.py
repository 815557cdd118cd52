"""Training on all samples at once by L-BFGS, through SciPy (an extra)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import NOT_NEGATIVE, check_counts, check_range
from nn.models.module import Module, Parameter
from nn.optimizers import SGD
from nn.training.data import (
    check_on_host,
    checked_pair,
    checked_weights,
    dtype_of,
    length,
    relative_to_mean,
    rows_of,
)
from nn.training.history import History
from nn.training.outputs import LossChoice, choose_loss
from nn.training.prediction import predict
from nn.training.step import NonFiniteError, Step, added, check_compile

__all__ = ["fit_lbfgs"]


def fit_lbfgs(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: LossChoice,
    loss_weights: Any = None,
    iterations: int = 200,
    tolerance: float = 1e-5,
    evaluations: int | None = None,
    l2: float = 0.0,
    sample_weight: Any = None,
    compile: bool | str = True,
) -> History:
    """Train a model by L-BFGS: few, exact steps on all samples, good for small data.

    R. Byrd et al., "A limited memory algorithm for bound constrained
    optimization" (1995), as SciPy has it.  Errors are those of `fit`; and a loss that differs
    from one evaluation to the next, as `Dropout` makes it, is refused: a search along a line
    needs one function.

    Parameters
    ----------
    model, x, y, loss, loss_weights, sample_weight, compile
        As for `fit`; x and y are arrays.
    iterations : int
        How many steps to take at most.
    tolerance : float
        Stop when no entry of the gradient is larger.
    evaluations : int, optional
        How often to compute loss and gradient at most; 20 times ``iterations`` by default.
    l2 : float
        The strength of the penalty ½Σw² on weights of two or more axes, which
        is part of the loss here.

    Returns
    -------
    History
        ``loss`` before the first iteration, and after each.

    Examples
    --------
    >>> import numpy as np, nn
    >>> x = np.linspace(-1, 1, 20).reshape(-1, 1)
    >>> model = nn.MLP(1, [8, 1], activation="tanh", rng=0)
    >>> history = nn.fit_lbfgs(model, x, np.sin(3 * x), loss=nn.mse)
    >>> history.loss[-1] < 1e-4
    True
    """
    minimize = scipys_minimize()
    check_on_host("fit_lbfgs", model)
    check_counts("fit_lbfgs", iterations=iterations)
    if evaluations is not None:
        check_counts("fit_lbfgs", evaluations=evaluations)
    check_range("fit_lbfgs", NOT_NEGATIVE, l2=l2, tolerance=tolerance)
    check_compile("fit_lbfgs", compile)
    x, y = checked_pair(x, y, "x", "y")
    predict(model, rows_of(x, slice(1), None))
    x, y = (rows_of(part, slice(None), dtype_of(model)) for part in (x, y))
    parameters = [p for p in model.parameters() if p.requires_grad]
    weights = [p for p in parameters if p.ndim > 1]
    weight = checked_weights(sample_weight, None, y, length(x))
    if weight is not None:
        weight = relative_to_mean(weight)
    step = Step(
        model, choose_loss("fit_lbfgs", loss, loss_weights), SGD(parameters), compile=compile
    )
    latest, history = np.inf, History()

    def evaluate() -> tuple[float, Any]:
        step.reset()
        loss, _ = step.accumulate(x, y, weight)
        gradients = [
            g + (l2 * p.data if p.ndim > 1 else 0.0)
            for g, p in zip(added(step.sums, step.tally.scales()), parameters, strict=True)
        ]
        penalty = 0.5 * l2 * sum(float(np.sum(w.data**2)) for w in weights)
        return loss + penalty, flatten(gradients)

    def objective(vector: Any) -> tuple[float, Any]:
        nonlocal latest
        write_parameters(vector, parameters)
        try:
            if not history:
                check_repeats(step, evaluate)
            latest, gradient = evaluate()
        except NonFiniteError as error:
            return float(error.value), np.full_like(vector, np.nan)
        if not history:
            history.append(loss=latest)
        return latest, gradient

    reached = flatten([p.data for p in parameters])

    def note(vector: Any) -> None:
        nonlocal reached
        reached = np.array(vector)
        history.append(loss=latest)

    model.train()
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            result = minimize(
                objective, reached, jac=True, method="L-BFGS-B", callback=note,
                options={"maxiter": iterations, "gtol": tolerance,
                         "maxfun": evaluations or 20 * iterations},
            )  # fmt: skip
        reached = result.x
    finally:  # what a search along a line has tried last is not what was reached
        write_parameters(reached, parameters)
        model.eval().zero_grad()
    if not history:  # there is no finite loss, nor a step
        history.append(loss=result.fun)
    history.stopped = str(result.message)
    return history


def scipys_minimize() -> Callable[..., Any]:
    """SciPy's optimizers, which are an extra."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ag.MissingOptionError(
            "nn.fit_lbfgs needs SciPy; install it with: pip install scipy"
        ) from error
    found: Callable[..., Any] = minimize
    return found


def check_repeats(step: Step, evaluate: Callable[[], tuple[float, Any]]) -> None:
    """Refuse a loss that is another one when it is computed again; the model stays as it was."""
    before, draws = step.model.state_dict(), [(x, x.bit_generator.state) for x in step.generators]
    evaluate()  # the first time a program is made, which may round otherwise
    (loss, gradient), (again, other) = evaluate(), evaluate()
    step.model.load_state_dict(before)
    for source, state in draws:
        source.bit_generator.state = state
    rounding = float(np.sqrt(np.finfo(dtype_of(step.model)).eps))
    norm = np.linalg.norm
    if abs(again - loss) > rounding * abs(loss) or norm(other - gradient) > rounding * norm(
        gradient
    ):
        raise ag.ArgumentValueError(
            "fit_lbfgs: the loss is another one when it is computed again, as Dropout makes it, "
            "and a search along a line needs one function; freeze() the layers that draw, or "
            "train with nn.fit"
        )


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
