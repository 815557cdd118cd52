"""How the estimators train: optimizers, order of the samples and end of training as scikit-learn's.

Velocities are steps, not gradients, and Adam's epsilon is not corrected, which matters
where the learning rate changes or gradients are tiny.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils import shuffle

import autograd_lite as ag
from nn.estimators.objective import linear_layers
from nn.models.containers import Sequential
from nn.optimizers import Adam, Optimizer
from nn.optimizers.base import State, optimizers
from nn.training.batches import ArrayBatches
from nn.training.callbacks import Callback, Run

__all__ = ["Convergence", "OrderedBatches", "PenalizedConvergence", "make_optimizer"]


class Momentum(Optimizer):
    """Steps with momentum: velocity ← momentum · velocity - learning_rate · g."""

    state_names = ("velocity",)

    def update(self, data: Any, g: Any, state: State, hyperparameters: Any) -> tuple[Any, State]:
        momentum, push = hyperparameters.velocity_kept, hyperparameters.learning_rate * g
        velocity = momentum * state["velocity"] - push
        step = momentum * velocity - push if hyperparameters.nesterov else velocity
        return data + step, {"velocity": velocity}


class AdamOfScikitLearn(Adam):
    """Adam whose epsilon is not corrected for the start at zero: "epsilon hat" of the paper."""

    def scalars(self, group: Any, step: int) -> dict[str, Any]:
        return super().scalars(group, step) | {"corrected_epsilon": group.epsilon}


def make_optimizer(estimator: Any, model: Sequential) -> Optimizer:
    """The optimizer that an estimator's arguments describe."""
    rate = float(estimator.learning_rate_init)
    if estimator.solver == "sgd":
        momentum, nesterov = float(estimator.momentum), bool(estimator.nesterovs_momentum)
        return Momentum(model, rate, velocity_kept=momentum, nesterov=nesterov)
    if estimator.solver == "adam":
        betas = {"beta1": float(estimator.beta_1), "beta2": float(estimator.beta_2)}
        return AdamOfScikitLearn(model, rate, epsilon=float(estimator.epsilon), **betas)
    by_name = {name.lower(): kind for name, kind in optimizers.items()}
    if estimator.solver not in by_name:
        raise ag.ArgumentValueError(
            f"there is no solver {estimator.solver!r}; use one of {', '.join(by_name)}, lbfgs"
        )
    return by_name[estimator.solver](model, rate)


class OrderedBatches(ArrayBatches):
    """Batches of arrays in the order in which scikit-learn takes them."""

    def __init__(self, x: Any, y: Any, batch_size: int, random_state: Any) -> None:
        super().__init__(x, y, None, batch_size)
        self.random_state = random_state
        self.latest = np.arange(x.shape[0])

    def order(self, rng: np.random.Generator) -> Any:
        """Shuffle the last order; without a random state it stays."""
        if self.random_state is not None:
            self.latest = shuffle(self.latest, random_state=self.random_state)
        return self.latest


class Convergence(Callback):
    """Keep an estimator's record of its training, and end it when nothing improves any more.

    ``score()`` is called after each epoch, unless it is None: then the loss decides.
    """

    def __init__(self, estimator: Any, n_samples: int, score: Callable[[], float] | None) -> None:
        self.estimator = estimator
        self.n_samples = n_samples
        self.score = score

    def after_epoch(self, run: Run) -> None:
        """Note loss and score; reduce the learning rate or stop."""
        self.note(run.history.loss[-1])
        estimator = self.estimator
        is_better = self._improved_score(run) if self.score else self._improved_loss()
        estimator._no_improvement_count = 0 if is_better else estimator._no_improvement_count + 1
        group = run.optimizer.groups[0]
        if estimator.solver == "sgd" and estimator.learning_rate == "invscaling":
            group.learning_rate = (
                float(estimator.learning_rate_init) / (estimator.t_ + 1) ** estimator.power_t
            )
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            what = "Validation score" if self.score else "Training loss"
            self._give_up(
                run,
                f"{what} did not improve more than tol={estimator.tol:f} for "
                f"{estimator.n_iter_no_change} consecutive epochs.",
            )

    def note(self, loss: float) -> None:
        """Take down the loss of an epoch."""
        estimator = self.estimator
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        estimator.n_iter_ += 1
        estimator.t_ += self.n_samples
        self._say(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")

    def _improved_loss(self) -> bool:
        estimator = self.estimator
        # This loss is a sum over outputs, and scikit-learn's the mean, which it compares with tol.
        n_summed = estimator.n_outputs_ if estimator.loss == "squared_error" else 1
        tolerance = estimator.tol * n_summed
        improved = not estimator.loss_ > estimator.best_loss_ - tolerance
        estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        return improved

    def _improved_score(self, run: Run) -> bool:
        estimator = self.estimator
        score = self.score() if self.score else np.nan
        run.history.append(validation_score=score)
        estimator.validation_scores_.append(score)
        self._say(f"Validation score: {score:f}")
        improved = not score < estimator.best_validation_score_ + estimator.tol
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator._best_state = run.model.state_dict()
        return improved

    def _give_up(self, run: Run, reason: str) -> None:
        """Stop; or, with an adaptive learning rate, go on with a fifth of it."""
        group, estimator = run.optimizer.groups[0], self.estimator
        is_adaptive = estimator.solver == "sgd" and estimator.learning_rate == "adaptive"
        if is_adaptive and group.learning_rate > 1e-6:
            group.learning_rate /= 5.0
            estimator._no_improvement_count = 0
            self._say(f"{reason} Setting learning rate to {group.learning_rate:f}")
        else:
            run.stop(reason)
            self._say(f"{reason} Stopping.")

    def _say(self, text: str) -> None:
        if self.estimator.verbose:
            print(text)


class PenalizedConvergence(Convergence):
    """The same where `fit` has the penalty ½ · l2 · Σw² for itself, and not in its loss."""

    def __init__(
        self, estimator: Any, n_samples: int, score: Callable[[], float] | None, l2: float
    ) -> None:
        super().__init__(estimator, n_samples, score)
        self.l2 = l2
        self.penalties: list[float] = []

    def before_batch(self, run: Run) -> None:
        """Note the penalty that the step is about to reduce."""
        layers = linear_layers(self.estimator.model_)
        self.penalties.append(0.5 * self.l2 * sum(np.sum(w.weight.data**2) for w in layers))

    def note(self, loss: float) -> None:
        """Take down the loss of an epoch, penalty included."""
        super().note(loss + float(np.mean(self.penalties)))
        self.penalties.clear()
