"""The reverse sweep through `Value.backward`: results, repetition, memory, depth."""

from __future__ import annotations

import gc
import re
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite import Value
from autograd_lite.core.backward import add


def test_every_value_of_the_graph_gets_its_gradient():
    a, b, c = Value(2.0), Value(-3.0), Value(10.0)
    product = a * b
    total = product + c
    result = np.tanh(total * 0.1)
    result.backward()
    slope = 1 - np.tanh(0.4) ** 2
    assert result.grad == 1.0
    assert total.grad == pytest.approx(0.1 * slope, rel=1e-15)
    assert product.grad == c.grad == total.grad
    assert a.grad == pytest.approx(-0.3 * slope, rel=1e-15)
    assert b.grad == pytest.approx(0.2 * slope, rel=1e-15)


def test_a_value_used_twice_adds_its_gradients():
    x = Value(3.0)
    (x * x + x).backward()
    assert x.grad == 7.0


def test_gradients_of_several_results_may_be_for_more_results_by_now():
    assert add((1.0, None), (None, 2.0, 3.0)) == (1.0, 2.0, 3.0)
    assert add((1.0, None, 3.0), (1.0, 2.0)) == (2.0, 2.0, 3.0)


def test_a_second_sweep_adds_to_leaves_and_renews_the_rest():
    x = Value(2.0)
    y = x * x
    z = y * 3
    z.backward()
    assert (x.grad, y.grad) == (12.0, 3.0)
    z.backward()
    assert (x.grad, y.grad) == (24.0, 3.0)
    x.grad = None
    (y * 5).backward()
    assert (x.grad, y.grad) == (20.0, 5.0)


def test_a_gradient_set_to_zero_by_hand_is_added_to():
    x = Value(2.0)
    x.grad = 0
    (x * 3).backward()
    assert x.grad == 3.0


def test_gradients_have_the_type_of_what_they_belong_to():
    number, array = Value(2.0), Value(np.ones(3, np.float32))
    np.sum(number * array).backward()
    assert type(number.grad) is float
    assert array.grad.dtype == np.float32
    assert array.grad.shape == (3,)


def test_gradients_of_leaves_are_arrays_of_their_own():
    x, y = Value(np.ones(3)), Value(np.ones(3))
    np.sum(x + y).backward()
    x.grad *= 5
    x.grad[0] = 7
    assert y.grad.tolist() == [1.0, 1.0, 1.0]
    seed = np.ones(3)
    z = Value(np.ones(3))
    (z * 1.0).backward(seed)
    z.grad[0] = 9
    assert seed.tolist() == [1.0, 1.0, 1.0]


def test_a_cotangent_weighs_the_elements():
    x = Value([1.0, 2.0])
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2.0, 40.0]


def test_the_former_name_of_the_cotangent_works_with_a_warning():
    x = Value([1.0, 2.0])
    message = "Value.backward: seed is called cotangent now; write cotangent=..."
    with pytest.warns(DeprecationWarning, match=re.escape(message)):
        (x * x).backward(seed=[1.0, 10.0])
    assert x.grad.tolist() == [2.0, 40.0]


def test_retain_graph_false_frees_the_graph_and_keeps_gradients_of_leaves():
    x = Value(3.0)
    y = x * x
    z = y * y
    z.backward(retain_graph=False)
    assert x.grad == 108.0
    assert y.grad is None
    assert z.node.inputs == ()
    with pytest.raises(ag.BackwardError) as caught:
        z.backward()
    assert str(caught.value) == (
        "this graph was freed by an earlier backward(retain_graph=False); compute the result "
        "again, or keep the graph by leaving retain_graph at True"
    )
    assert x.grad == 108.0


def test_bad_calls_of_backward_say_what_to_do():
    x = Value([1.0, 2.0])
    for call, error, text in (
        (
            lambda: (x * 2).backward(),
            ag.BackwardError,
            "backward() without a cotangent needs a single number, and this Value has shape (2,); "
            "reduce it first (np.sum, np.mean) or pass a cotangent of that shape",
        ),
        (
            lambda: (x * 2).backward(np.ones(3)),
            ag.ArgumentValueError,
            "backward: the cotangent has shape (3,), but this Value has shape (2,); "
            "it is the gradient with respect to the Value, of the same shape",
        ),
        (
            lambda: Value(1.0, requires_grad=False).backward(),
            ag.BackwardError,
            "backward() on a Value that requires no gradient: it was made with "
            "requires_grad=False, under no_grad, or by a function without derivative",
        ),
    ):
        with pytest.raises(error) as caught:
            call()
        assert str(caught.value) == text
    assert x.grad is None


def test_an_exception_in_a_rule_leaves_all_gradients_as_they_were():
    @ag.primitive
    def faulty(x):
        return x * 1.0

    def raising(g, out, x):
        raise ZeroDivisionError("deliberate")

    faulty.defvjp(raising)
    x = Value([2.0])
    (x * x).backward()
    y = x * 3
    before = x.grad.copy()
    with pytest.raises(ZeroDivisionError, match="deliberate"):
        np.sum(faulty(y) + y).backward()
    assert x.grad == before
    assert y.grad is None


def test_no_grad_records_nothing():
    x = Value(2.0)
    with ag.no_grad():
        y = x * x
        assert not y.requires_grad
        assert y.node.inputs == ()
        with pytest.raises(KeyError), ag.no_grad():
            raise KeyError
        assert not (x * x).requires_grad
    assert (x * x).requires_grad

    @ag.no_grad()
    def decorated():
        return x * x

    assert not decorated().requires_grad
    assert not decorated().requires_grad


def test_detach_cuts_the_graph():
    x = Value(2.0)
    (x * x.detach()).backward()
    assert x.grad == 2.0


def test_each_node_of_a_diamond_is_visited_once():
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_chain_of_two_hundred_thousand_operations():
    x = y = Value(1.0)
    for _ in range(200_000):
        y = y * 1.000005
    y.backward()
    assert x.grad == y.data == pytest.approx(1.000005**200_000, rel=1e-9)


def test_graphs_die_by_reference_counting_alone():
    gc.collect()
    gc.disable()
    try:
        x = Value(np.ones(3))
        y = np.tanh(x @ np.ones((3, 3))) * x
        z = np.sum(y[y > 0.1])
        z.backward()
        witnesses = [weakref.ref(node) for node in (y, z)]
        del y, z
        assert [witness() for witness in witnesses] == [None, None]
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_long_chain_dies_without_the_collector():
    gc.collect()
    gc.disable()
    try:
        y = Value(1.0)
        first = None
        for i in range(200_000):
            y = y * 1.0
            if i == 0:
                first = weakref.ref(y)
        y.backward()
        del y
        assert first() is None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_masked_branches_send_no_nan():
    x = Value([0.0, 4.0])
    with np.errstate(divide="ignore"):
        np.sum(np.where(x.data > 0, 1 / np.sqrt(x), 0.0)).backward()
    assert x.grad.tolist() == [0.0, -1 / 16]


@pytest.mark.parametrize("number", [0.0, -1.0])
def test_masked_branches_send_no_nan_in_scalar_graphs(number):
    x = Value(number)
    with np.errstate(all="ignore"):
        np.where(x > 0, np.log(x) * (1 / x if number else 1.0), 0.0).backward()
    assert x.grad == 0.0


def test_complex_gradients_point_uphill():
    z = Value(3 + 4j)
    (np.abs(z) ** 2).backward()
    assert z.grad == pytest.approx(6 + 8j)
    z = Value(np.array([1 + 2j, 3 - 1j]))
    np.real(np.sum(z * z)).backward()
    np.testing.assert_allclose(z.grad, np.conj(2 * z.data))


def test_a_cotangent_may_be_a_plain_number():
    x = ag.Value(2.0)
    (x * x).backward(-1.5)
    assert x.grad == -6.0
