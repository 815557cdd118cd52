"""Training on a cluster: NumPy's numbers, also while workers die and join."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pytest

import autograd_lite as ag
import nn
import nn.dask.cluster
import nn.dask.step
from tests.distributed.conftest import local_cluster

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytest.importorskip("distributed")


def digits() -> tuple[Any, Any]:
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.load_digits(return_X_y=True)
    return x / 16, y


def digits_mlp() -> Any:
    return nn.MLP(64, [32, 10], rng=0)


def trained(x: Any, y: Any, **options: Any) -> tuple[Any, Any]:
    model = digits_mlp()
    settings: dict[str, Any] = {
        "loss": nn.cross_entropy, "epochs": 2, "batch_size": 300, "rng": 1, "progress": False,
    }  # fmt: skip
    history = nn.fit(model, x, y, **(settings | options))
    return model, history


def numbers(model: Any) -> list[Any]:
    return [np.array(p.data) for p in model.parameters()]


def assert_same(left: list[Any], right: list[Any]) -> None:
    for a, b in zip(left, right, strict=True):
        np.testing.assert_array_equal(a, b)


def one_step_of_the_whole(x: Any, y: Any, model: Any, loss: Any) -> tuple[float, list[Any]]:
    """The loss, and the gradients, read off a step of plain gradient descent."""
    before = numbers(model)
    history = nn.fit(
        model, x, y, loss=loss, optimizer=lambda m: nn.SGD(m, learning_rate=1.0),
        epochs=1, batch_size=x.shape[0], rng=0, progress=False,
    )  # fmt: skip
    after = numbers(model)
    return history["loss"][0], [b - a for b, a in zip(before, after, strict=True)]


def assert_equal_to_rounding(found: Any, expected: Any) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-12)
    for mine, numpys in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(mine, numpys, rtol=1e-9, atol=1e-13)


def test_loss_and_gradients_of_the_digits_mlp_are_numpys(client: Any) -> None:
    x, y = digits()
    lazy = da.from_array(x, chunks=(200, 64)), da.from_array(y, chunks=200)
    found = one_step_of_the_whole(*lazy, digits_mlp(), nn.cross_entropy)
    assert_equal_to_rounding(found, one_step_of_the_whole(x, y, digits_mlp(), nn.cross_entropy))


def test_loss_and_gradients_of_a_logistic_regression_on_two_million_rows(client: Any) -> None:
    rng = da.random.default_rng(0)
    x = rng.normal(size=(2_000_000, 50), chunks=(125_000, 50)).persist()
    y = (x.sum(axis=1, keepdims=True) > 0).astype(float).persist()
    loss = nn.binary_cross_entropy
    found = one_step_of_the_whole(x, y, nn.Linear(50, 1, rng=0), loss)
    expected = one_step_of_the_whole(x.compute(), y.compute(), nn.Linear(50, 1, rng=0), loss)
    assert_equal_to_rounding(found, expected)


def test_a_lazy_loss_and_its_gradient_run_on_the_cluster(client: Any) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4000, 10)), rng.normal(size=10)

    def loss(x: Any, w: Any) -> Any:
        return np.mean(np.log1p(np.exp(-(x @ w))))

    found = dask.compute(*ag.value_and_grad(loss, 1)(da.from_array(x, chunks=(500, 10)), w))
    expected = ag.value_and_grad(loss, 1)(x, w)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def test_the_number_of_workers_changes_nothing(client: Any, monkeypatch: Any) -> None:
    x, y = digits()
    lazy = da.from_array(x, chunks=(100, 64)), da.from_array(y, chunks=100)
    on_two, history = trained(*lazy, metrics=["accuracy"], validation_data=lazy)
    with dask.config.set(scheduler="synchronous"):
        monkeypatch.setattr(nn.dask.cluster, "current_client", lambda: None)
        here, plain = trained(*lazy, metrics=["accuracy"], validation_data=lazy)
    assert_same(numbers(on_two), numbers(here))
    assert history.columns == plain.columns
    ran = client.run(lambda: len(nn.dask.step.replicas))
    assert len(ran) == 2
    assert all(count > 0 for count in ran.values())


class KillWorkers:
    """A schedule that changes nothing, but kills some workers before one of the steps."""

    def __init__(self, client: Any, step: int, count: int = 1) -> None:
        self.client = client
        self.step = step
        self.count = count
        self.steps = 0

    def __call__(self, epoch: float) -> float:
        self.steps += 1
        if self.steps == self.step:
            for process in list(self.client.run(os.getpid).values())[: self.count]:
                os.kill(process, signal.SIGKILL)
        return 1.0


@pytest.mark.parametrize("count", [1, 2])
def test_workers_killed_in_mid_epoch_change_nothing(count: int) -> None:
    """Of two: where all are killed, those that their nannies start go on."""
    x, y = digits()
    with local_cluster(2) as client:
        lazy = da.from_array(x, chunks=(100, 64)), da.from_array(y, chunks=100)
        undisturbed, _ = trained(*lazy)
        kill = KillWorkers(client, step=3, count=count)
        survived, _ = trained(*lazy, schedule=kill)
    assert kill.steps > 6
    assert_same(numbers(survived), numbers(undisturbed))


def test_a_worker_killed_among_two_million_rows_changes_nothing() -> None:
    """Its half of the data is computed anew, chunk by chunk."""
    rows, columns, steps = 2_000_000, 50, 4

    def fitted(x: Any, y: Any, **options: Any) -> list[Any]:
        model = nn.Linear(columns, 1, rng=0)
        nn.fit(
            model, x, y, loss=nn.binary_cross_entropy, optimizer=nn.SGD, epochs=1,
            batch_size=rows // steps, rng=0, progress=False, **options,
        )  # fmt: skip
        return numbers(model)

    with local_cluster(2) as client:
        rng = da.random.default_rng(0)
        x = rng.normal(size=(rows, columns), chunks=(rows // 8, columns)).persist()
        y = (x.sum(axis=1, keepdims=True) > 0).astype(float).persist()
        undisturbed = fitted(x, y)
        kill_one = KillWorkers(client, step=2)
        survived = fitted(x, y, schedule=kill_one)
    assert kill_one.steps == steps
    assert_same(survived, undisturbed)


def test_the_model_is_sent_once_a_step(client: Any, monkeypatch: Any) -> None:
    """Its numbers, that is; the rest of it stays with the workers from the first step on."""
    x, y = digits()
    lazy = da.from_array(x, chunks=(300, 64)), da.from_array(y, chunks=300)
    sent: list[str] = []
    scatter = type(client).scatter

    def counted(self: Any, data: Any, **options: Any) -> Any:
        sent.append(type(data).__name__)
        return scatter(self, data, **options)

    monkeypatch.setattr(type(client), "scatter", counted)
    trained(*lazy, batch_size=450, epochs=3)
    steps = 3 * 4  # 1,797 samples
    assert sent == ["Blueprint", *["State"] * steps]


def test_training_goes_on_with_its_optimizer_on_another_cluster_and_here(monkeypatch: Any) -> None:
    """What the first cluster was sent is not there."""
    x, y = digits()
    lazy = da.from_array(x, chunks=(300, 64)), da.from_array(y, chunks=300)
    options: dict[str, Any] = {"epochs": 1, "batch_size": 900, "rng": 0, "progress": False}
    moved, stayed = digits_mlp(), digits_mlp()
    adam, other_adam = nn.Adam(moved), nn.Adam(stayed)
    for _ in range(2):
        with local_cluster(1):
            nn.fit(moved, *lazy, loss=nn.cross_entropy, optimizer=adam, **options)
    monkeypatch.setattr(nn.dask.cluster, "current_client", lambda: None)
    with dask.config.set(scheduler="synchronous"):
        nn.fit(moved, *lazy, loss=nn.cross_entropy, optimizer=adam, **options)
        for _ in range(3):
            nn.fit(stayed, *lazy, loss=nn.cross_entropy, optimizer=other_adam, **options)
    assert_same(numbers(moved), numbers(stayed))


@ag.primitive
def slowly(loss: Any) -> Any:
    """The loss itself, after a time that no other work on the machine changes."""
    time.sleep(0.5)
    return loss


slowly.defvjp(lambda g, out, loss: g)


def slow_cross_entropy(outputs: Any, targets: Any) -> Any:
    return slowly(nn.cross_entropy(outputs, targets))


class AddWorker(nn.Callback):
    """Makes the cluster one worker larger after the second epoch, and times all of them."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.seconds: list[float] = []

    def begin(self, run: Any) -> None:
        self.since = time.perf_counter()

    def after_epoch(self, run: Any) -> None:
        self.seconds.append(time.perf_counter() - self.since)
        if run.epoch == 2:
            self.client.cluster.scale(2)
            self.client.wait_for_workers(2, timeout=60)
        self.since = time.perf_counter()


def test_a_worker_that_joins_in_mid_training_speeds_it_up(capsys: Any) -> None:
    """Each of the eight shares of an epoch sleeps: 4 s on one worker, 2 s on two."""
    rng = da.random.default_rng(0)
    lazy = (
        rng.normal(size=(8000, 64), chunks=(1000, 64)),
        rng.integers(10, size=8000, chunks=1000),
    )
    with local_cluster(1) as client:
        (first,) = client.run(os.getpid)
        joining = AddWorker(client)
        options: dict[str, Any] = {"batch_size": 8000, "epochs": 4}
        helped, _ = trained(
            *lazy, loss=slow_cross_entropy, callbacks=[joining], progress=True, **options
        )
        bar = capsys.readouterr().err
        steps = client.run(lambda: len(nn.dask.step.replicas))
        together, _ = trained(*lazy, **options)
    (joined,) = set(steps) - {first}
    assert steps[joined] > 0
    assert_same(numbers(helped), numbers(together))
    assert min(joining.seconds[:2]) > 4
    assert min(joining.seconds[2:]) < 0.8 * min(joining.seconds[:2])
    assert "batch (1 worker)" in bar
    assert "batch (2 workers)" in bar


def test_a_lost_scheduler_is_a_clear_error_and_leaves_the_last_step() -> None:
    x, y = digits()
    model = digits_mlp()
    before_step: list[list[Any]] = []
    soon = dask.config.set({"distributed.comm.timeouts.connect": "2s"})
    with soon, local_cluster(2) as client:
        lazy = da.from_array(x, chunks=(200, 64)), da.from_array(y, chunks=200)

        def lose(epoch: float) -> float:
            before_step.append(numbers(model))
            if len(before_step) == 4:
                client.cluster.sync(client.cluster.scheduler.close)
            return 1.0

        with pytest.raises(
            nn.ClusterError,
            match=r"s after 1 of 3 attempts; the model is as it was after the last step, so start",
        ):
            nn.fit(
                model, *lazy, loss=nn.cross_entropy, epochs=3, batch_size=300, rng=1,
                schedule=lose, progress=False,
            )  # fmt: skip
    assert_same(numbers(model), before_step[-1])
    assert not np.array_equal(numbers(model)[0], before_step[0][0])
    assert not model.training
