"""Optimizers: trajectories against PyTorch's, groups, clipping, state, errors."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import weakref

import numpy as np
import pytest

import autograd_lite as ag
import nn
from nn.optimizers.base import optimizers
from tests.nn.optimizer_cases import CASES


def test_every_registered_optimizer_has_a_row_that_says_where_it_leads():
    rows = {case.rule.__name__ for case in CASES.values() if case.torch or case.definition}
    assert rows == set(optimizers)
    for name, rule in optimizers.items():
        assert getattr(nn.optimizers, name) is rule


def residuals(w, b, points):
    """A smooth problem that is not convex, in any array library."""
    return points @ w + (w**2).sum() * 0.1 + b**3


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.torch])
@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
def test_the_trajectory_is_pytorchs(name, weight_decay):
    torch = pytest.importorskip("torch")
    case = CASES[name]
    rate, (peer, peer_options) = case.learning_rate, case.torch
    rng = np.random.default_rng(0)
    points, start = rng.normal(size=(12, 3)), rng.normal(size=3)
    w, b = nn.Parameter(start), nn.Parameter([0.5])
    ours = case.rule([w, b], learning_rate=rate, weight_decay=weight_decay, **case.options)
    tw, tb = (torch.tensor(x, requires_grad=True) for x in (start.copy(), np.array([0.5])))
    theirs = getattr(torch.optim, peer)(
        [tw, tb], lr=rate, weight_decay=weight_decay, **peer_options
    )
    for _ in range(100):
        ours.zero_grad()
        np.mean(residuals(w, b, points) ** 2).backward()
        ours.step()
        theirs.zero_grad()
        (residuals(tw, tb, torch.tensor(points)) ** 2).mean().backward()
        theirs.step()
        np.testing.assert_allclose(w.data, tw.detach().numpy(), rtol=0, atol=1e-6)
        np.testing.assert_allclose(b.data, tb.detach().numpy(), rtol=0, atol=1e-6)
    assert np.abs(w.data - start).max() > 0.01


def test_running_means_forget_large_gradients_as_pytorchs_do():
    """With a small beta what is new may be tiny beside the mean, and is all that there is."""
    torch = pytest.importorskip("torch")
    gradients = (
        np.random.default_rng(0).normal(size=(12, 5)) * 10.0 ** np.arange(6, -6, -1)[:, None]
    )
    rules = {
        "Adam": ({"beta1": 0.9}, lambda kept: {"betas": (0.9, kept)}),
        "AdamW": ({"amsgrad": False}, lambda kept: {"betas": (0.9, kept)}),
        "RMSprop": ({}, lambda kept: {"alpha": kept}),
        "Adadelta": ({}, lambda kept: {"rho": kept}),
    }
    for dtype, tolerance in ((np.float32, 1e-5), (np.float64, 1e-12)):
        for name, (options, peer_options) in rules.items():
            for kept in (0.0, 1e-9, 0.5, 0.999):
                decay = {"beta2" if name.startswith("Adam") else "decay": kept}
                w = nn.Parameter(np.ones(5, dtype))
                peer = torch.ones(5, dtype=getattr(torch, np.dtype(dtype).name)).requires_grad_()
                ours = getattr(nn, name)([w], learning_rate=0.01, **decay, **options)
                theirs = getattr(torch.optim, name)([peer], lr=0.01, **peer_options(kept))
                for g in gradients.astype(dtype):
                    w.grad, peer.grad = g.copy(), torch.tensor(g)
                    ours.step()
                    theirs.step()
                    np.testing.assert_allclose(
                        w.data, peer.detach().numpy(), rtol=tolerance, atol=tolerance
                    )


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.definition])
def test_steps_follow_their_definition(name):
    case = CASES[name]
    start, gradients = np.ones(4), np.random.default_rng(0).normal(size=(20, 4))
    w = nn.Parameter(start)
    optimizer = case.rule([w], learning_rate=0.1, **case.options)
    for g, expected in zip(gradients, case.definition(start, gradients, 0.1), strict=True):
        w.grad = g
        optimizer.step()
        np.testing.assert_allclose(w.data, expected, rtol=1e-12, atol=1e-14)


def test_lion_follows_its_definition():
    rng = np.random.default_rng(0)
    w, expected, mean = nn.Parameter(np.ones(4)), np.ones(4), np.zeros(4)
    optimizer = nn.Lion([w], learning_rate=0.1, beta1=0.8, beta2=0.95, weight_decay=0.2)
    for _ in range(20):
        g = rng.normal(size=4)
        w.grad = g
        optimizer.step()
        expected = expected * (1 - 0.1 * 0.2) - 0.1 * np.sign(0.8 * mean + 0.2 * g)
        mean = 0.95 * mean + 0.05 * g
        np.testing.assert_allclose(w.data, expected, rtol=1e-14)


def train(rule, model, x, steps, **options):
    optimizer = rule(model, **options)
    for _ in range(steps):
        take_step(optimizer, model, x)
    return optimizer


def take_step(optimizer, model, x):
    optimizer.zero_grad()
    np.sum(model(x) ** 2).backward(retain_graph=False)
    optimizer.step()


@pytest.fixture(params=CASES)
def rule(request):
    """Each row of the table, with its options."""
    case = CASES[request.param]
    return lambda parameters, **options: case.rule(parameters, **(case.options | options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_are_updated_in_place_and_keep_their_dtype(rule, dtype):
    model = nn.Linear(2, 3, rng=0, dtype=dtype)
    arrays = [p.data for p in model.parameters()]
    optimizer = train(rule, model, np.ones((4, 2)), 3, weight_decay=0.1)
    gradients = [p.grad.copy() for p in model.parameters()]
    optimizer.step()
    for p, array, g in zip(model.parameters(), arrays, gradients, strict=True):
        assert p.data is array
        assert p.dtype == dtype
        np.testing.assert_array_equal(p.grad, g)


def test_scalar_parameters_take_the_same_steps_as_arrays(rule):
    scalar, array = nn.Parameter(2.0), nn.Parameter([2.0])
    optimizers = [rule([scalar]), rule([array])]
    for _ in range(5):
        for optimizer in optimizers:
            optimizer.zero_grad()
        (scalar**2).backward()
        np.sum(array**2).backward()
        for optimizer in optimizers:
            optimizer.step()
    assert type(scalar.data) is float
    assert scalar.data == pytest.approx(array.data[0], rel=1e-15)


def test_training_goes_on_from_a_saved_state_bit_for_bit(rule):
    x = np.random.default_rng(0).normal(size=(5, 2))
    model = nn.Linear(2, 3, rng=0)
    optimizer = train(rule, model, x, 4, learning_rate=0.01)
    twin = nn.Linear(2, 3, rng=1)
    twin.load_state_dict(model.state_dict())
    other = rule(twin, learning_rate=0.01)
    other.load_state_dict(optimizer.state_dict())
    for _ in range(3):
        take_step(optimizer, model, x)
        take_step(other, twin, x)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(twin.state_dict()[name], array)


def test_a_state_of_another_optimizer_changes_nothing():
    x = np.ones((5, 2))
    optimizer = train(nn.Adam, nn.Linear(2, 3, rng=0), x, 2)
    state = optimizer.state_dict()
    for other, message in (
        (
            train(nn.SGD, nn.Linear(2, 3, rng=0), x, 1),
            "SGD.load_state_dict: the state is that of Adam; load it into an optimizer of the "
            "class Adam",
        ),
        (
            train(nn.Adam, nn.Linear(2, 4, rng=0), x, 1),
            "Adam.load_state_dict: '0.mean' has shape (2, 3) in the state, but the parameter "
            "needs shape (2, 4); load the state of the same optimizer of the same model",
        ),
    ):
        with pytest.raises(ag.ArgumentValueError) as error:
            other.load_state_dict(state)
        assert str(error.value) == message
        assert other.steps == 1


def test_groups_have_hyperparameters_of_their_own():
    slow, fast = nn.Parameter([1.0]), nn.Parameter([1.0])
    optimizer = nn.SGD(
        [{"parameters": [slow], "learning_rate": 0.1}, {"parameters": [fast]}], learning_rate=1.0
    )
    slow.grad = fast.grad = np.array([0.5])
    optimizer.step()
    assert (slow.item(), fast.item()) == (0.95, 0.5)
    optimizer.lr_scale = 0.5
    optimizer.step()
    assert (slow.item(), fast.item()) == pytest.approx((0.925, 0.25))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("exponent", [-320, -200, -40, 0, 30, 200, 307])
@pytest.mark.parametrize("limit", [1e-200, 1e-3, 1.0, 1e200, np.inf])
def test_clipping_neither_overflows_nor_vanishes(exponent, limit, dtype):
    mpmath = pytest.importorskip("mpmath")
    if dtype == np.float32 and not -40 <= exponent <= 30:
        return
    sizes = [np.array([3.0, 0.0, -4.0]), np.zeros((0, 2)), np.array(12.0)]
    parameters = [nn.Parameter((part * 10.0**exponent).astype(dtype)) for part in sizes]
    before = [p.data.copy() for p in parameters]
    for parameter, g in zip(parameters, before, strict=True):
        parameter.grad = g.copy()
    norm = nn.clip_gradient_norm(parameters, limit)
    flat = [mpmath.mpf(float(x)) for g in before for x in g.ravel()]
    expected = mpmath.sqrt(sum(x * x for x in flat))
    assert norm == pytest.approx(float(expected), rel=1e-6 if dtype == np.float32 else 1e-14)
    if expected <= limit:
        for parameter, g in zip(parameters, before, strict=True):
            np.testing.assert_array_equal(parameter.grad, g)
        return
    found = [float(x) for p in parameters for x in p.grad.ravel()]
    for ours, x in zip(found, flat, strict=True):
        right = float(dtype(float(x * mpmath.mpf(limit) / expected)))
        assert ours == pytest.approx(right, rel=1e-6 if dtype == np.float32 else 1e-14, abs=0)
    assert all(p.grad.dtype == dtype for p in parameters)


def test_clipping_of_zeros_and_of_what_is_not_finite():
    w = nn.Parameter(np.ones(2))
    for grad, limit, norm, after in (
        ([0.0, 0.0], 1.0, 0.0, [0.0, 0.0]),
        ([0.0, 0.0], np.inf, 0.0, [0.0, 0.0]),
        ([np.inf, 1.0], np.inf, np.inf, [np.inf, 1.0]),
    ):
        w.grad = np.array(grad)
        assert nn.clip_gradient_norm([w], limit) == norm
        np.testing.assert_array_equal(w.grad, after)
    assert nn.clip_gradient_norm([], 1.0) == 0.0


def test_clipping_by_norm_and_by_value():
    w, b = nn.Parameter([3.0, 0.0]), nn.Parameter(4.0)
    w.grad, b.grad = np.array([3.0, 0.0]), 4.0
    assert nn.clip_gradient_norm([w, b], 10.0) == 5.0
    np.testing.assert_array_equal(w.grad, [3.0, 0.0])
    assert nn.clip_gradient_norm([w, b], 1.0) == 5.0
    np.testing.assert_allclose(np.append(w.grad, b.grad), [0.6, 0.0, 0.8])
    nn.clip_gradient_values([w, b], 0.5)
    np.testing.assert_allclose(np.append(w.grad, b.grad), [0.5, 0.0, 0.5])
    assert type(b.grad) is float
    for clip in (nn.clip_gradient_norm, nn.clip_gradient_values):
        with pytest.raises(ag.ArgumentValueError) as error:
            clip([w], 0)
        assert str(error.value) == f"{clip.__name__}: limit is 0; it must be a positive number"


@pytest.mark.parametrize("rate", [0, 0.0, -0.1, float("nan"), float("inf")])
@pytest.mark.parametrize("optimizer", optimizers.values())
def test_learning_rates_must_be_positive(optimizer, rate):
    with pytest.raises(ag.ArgumentValueError) as error:
        optimizer(nn.Linear(1, 1), learning_rate=rate)
    assert str(error.value) == (
        f"{optimizer.__name__}: learning_rate is {rate!r}; it must be a positive number"
    )


def test_parameters_without_gradient_are_named_and_nothing_changes():
    used, unused = nn.Parameter([1.0, 2.0], label="used"), nn.Parameter([[3.0]], label="unused")
    optimizer = nn.SGD([used, unused], learning_rate=0.1)
    np.sum(used).backward()
    with pytest.raises(ag.BackwardError) as error:
        optimizer.step()
    assert str(error.value) == (
        "SGD.step: parameter 1 ('unused') of shape (1, 1) received no gradient; call backward() "
        "on a loss that depends on it, or set its requires_grad to False"
    )
    np.testing.assert_array_equal(used.data, [1.0, 2.0])
    unused.requires_grad = False
    optimizer.step()
    np.testing.assert_allclose(used.data, [0.9, 1.9])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.SGD([]), "SGD: there is no parameter to train; pass a model that has some"),
        (
            lambda: nn.SGD([ag.Value(1.0)]),
            "SGD: Value(1.0) is not a Parameter; "
            "pass a model, or a list of parameters such as model.parameters()",
        ),
        (
            lambda: nn.Adam(nn.MLP(None, [3, 1])),
            "Adam: the layer '0' does not know its number of inputs yet; "
            "call the model on a batch first",
        ),
        (
            lambda: nn.SGD(nn.Linear(1, 1), momentum=1.0),
            "SGD: momentum is 1.0; it must be in [0, 1)",
        ),
        (
            lambda: nn.Adam(nn.Linear(1, 1), beta2=-0.1),
            "Adam: beta2 is -0.1; it must be in [0, 1)",
        ),
        (
            lambda: nn.AdamW(nn.Linear(1, 1), weight_decay=-1),
            "AdamW: weight_decay is -1; it must be a number that is not negative",
        ),
        (
            lambda: nn.SGD([{"parameters": nn.Linear(1, 1), "speed": 1}]),
            "SGD: a group has the unknown hyperparameter 'speed'; use dampening, decoupled, "
            "learning_rate, momentum, nesterov, weight_decay",
        ),
        (
            lambda: nn.SGD([{"parameters": nn.Linear(1, 1), "learning_rate": 0}]),
            "SGD: learning_rate is 0; it must be a positive number",
        ),
        (
            lambda: nn.RMSprop(nn.Linear(1, 1), epsilon=0.0),
            "RMSprop: epsilon is 0.0; it must be a positive number",
        ),
    ],
)
def test_bad_optimizers_are_refused(call, message):
    with pytest.raises(ag.AutogradError) as error:
        call()
    assert str(error.value) == message


def test_an_update_returns_the_whole_state():
    class Forgetful(nn.Optimizer):
        state_names = ("mean",)

        def update(self, data, g, state, hyperparameters):
            return data - g, {}

    w = nn.Parameter([1.0])
    w.grad = np.array([1.0])
    with pytest.raises(ag.ArgumentValueError) as error:
        Forgetful([w], learning_rate=0.1).step()
    assert str(error.value) == (
        "Forgetful.update: the state had the entries ['mean'], and the one returned has []; "
        "return all of them, changed or not"
    )
    np.testing.assert_array_equal(w.data, [1.0])


# What a class declares, and old names.


def test_signatures_tell_the_hyperparameters_and_unknown_ones_are_refused():
    signature = inspect.signature(nn.AdamW)
    assert list(signature.parameters)[:2] == ["parameters", "learning_rate"]
    defaults = {name: p.default for name, p in signature.parameters.items()}
    assert (defaults["weight_decay"], defaults["decoupled"]) == (0.01, True)
    assert (defaults["beta1"], defaults["amsgrad"]) == (0.9, False)
    assert signature.parameters["beta1"].kind is inspect.Parameter.KEYWORD_ONLY
    assert not hasattr(nn.AdamW(nn.Linear(1, 1)), "beta1")  # it is in the groups
    with pytest.raises(ag.ArgumentTypeError) as error:
        nn.SGD(nn.Linear(1, 1), speed=1)
    assert str(error.value) == (
        "SGD: got an unexpected keyword argument 'speed'; the hyperparameters are "
        "learning_rate, weight_decay, decoupled, momentum, dampening, nesterov"
    )


def test_amsgrad_may_differ_from_group_to_group():
    model = nn.MLP(2, [3, 1], rng=0)
    groups = [{"parameters": model[0], "amsgrad": True}, {"parameters": model[2]}]
    optimizer = nn.Adam(groups)
    take_step(optimizer, model, np.ones((4, 2)))
    entries = {name for name in optimizer.state_dict() if "." in name}
    assert {"0.largest", "1.largest"} == {name for name in entries if "largest" in name}


def test_a_subclass_with_arguments_of_its_own_keeps_its_signature():
    class Slow(nn.Adam):
        def __init__(self, parameters, slowness):
            super().__init__(parameters, 0.1 / slowness)

    assert list(inspect.signature(Slow).parameters) == ["parameters", "slowness"]
    assert Slow(nn.Linear(1, 1), 2).groups[0].learning_rate == 0.05


def test_the_factor_is_called_lr_scale():
    optimizer = nn.SGD(nn.Linear(1, 1))
    message = "Optimizer.factor is called lr_scale now; write optimizer.lr_scale"
    with pytest.warns(DeprecationWarning) as warned:
        optimizer.factor = 0.5
    assert (str(warned[0].message), warned[0].filename) == (message, __file__)
    with pytest.warns(DeprecationWarning) as warned:
        assert optimizer.factor == optimizer.lr_scale == 0.5
    assert (str(warned[0].message), warned[0].filename) == (message, __file__)
    optimizer.load_state_dict({"steps": 3, "factor": 0.25})  # from a file of an earlier version
    assert (optimizer.steps, optimizer.lr_scale) == (3, 0.25)


def test_numbers_of_is_called_scalars():
    with pytest.warns(DeprecationWarning) as warned:

        class Halved(nn.Adam):
            def numbers_of(self, group, step):
                numbers = super().numbers_of(group, step)
                return numbers | {"corrected_rate": numbers["corrected_rate"] / 2}

    assert str(warned[0].message) == "Halved.numbers_of is called scalars now; rename the method"
    assert warned[0].filename == __file__
    w, v = nn.Parameter([1.0]), nn.Parameter([1.0])
    w.grad = v.grad = np.array([1.0])
    Halved([w]).step()
    nn.Adam([v]).step()
    assert 1 - w.item() == pytest.approx((1 - v.item()) / 2)


def test_what_training_attaches_lives_as_long_as_the_optimizer_and_is_not_copied():
    model = nn.Linear(1, 1, rng=0)
    optimizer = nn.SGD(model)
    x = np.ones((4, 1))
    nn.fit(model, x, x, loss="mse", optimizer=optimizer, epochs=1, progress=False)
    step = optimizer.attachments["step"]
    nn.fit(model, x, x, loss="mse", optimizer=optimizer, epochs=1, progress=False)
    assert optimizer.attachments["step"] is step
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert twin.attachments == {}
    gone = weakref.ref(step), weakref.ref(optimizer)
    del step, optimizer, twin
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("name", sorted(nn.optimizers.base.optimizers))
def test_steps_in_half_precision_are_those_in_single_precision_rounded(name, compile):
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(size=(64, 2)), np.zeros(64)].astype(np.float16)  # a gradient of 0, too
    y = (x[:, 0] > 0).astype(int)
    weights = []
    for dtype in (np.float16, np.float32):
        model = nn.Linear(3, 2, rng=0).astype(np.float16).astype(dtype)
        history = nn.fit(
            model, x * 1e-3, y, loss="cross_entropy", optimizer=name, epochs=2, rng=0,
            compile=compile, progress=False,
        )  # fmt: skip
        assert np.isfinite(history.loss).all()
        assert model.weight.dtype == dtype
        weights.append(model.weight.data.astype(np.float32))
    np.testing.assert_allclose(*weights, atol=0.01)
