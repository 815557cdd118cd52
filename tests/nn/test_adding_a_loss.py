"""The reader's test: a loss is added in two places, and one is not enough."""

from __future__ import annotations

import pytest

from tests.nn.checkout import Checkout

FUNCTIONS, ROWS = "nn/losses/regression.py", "tests/nn/loss_cases.py"
LOSS = '''

@loss
def quartic(
    prediction: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None
) -> Any:
    """The mean fourth power of the error; parameters, result and errors are those of `mse`.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.quartic(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(8.0)
    """
    error = difference(prediction, target, "quartic")
    return reduce(error**4, reduction, sample_weight, "quartic")
'''
ROW = '    "quartic": Case(nn.quartic, TARGET, (PREDICTION - TARGET) ** 4),\n'
TESTS, GATE = "tests/nn/test_losses.py", "every_loss_is_tested"


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_two_places_are_enough_and_one_is_not(checkout):
    checkout.append(FUNCTIONS, LOSS)
    checkout.insert(FUNCTIONS, "__all__ = [", '"quartic", ')
    passed, printed = checkout.run_tests([TESTS], GATE)
    assert passed == -1 and "quartic" in printed, printed

    checkout.insert(ROWS, "CASES = {\n", ROW)
    gates = [TESTS, "tests/nn/test_step_layers.py", "tests/test_architecture.py", FUNCTIONS]
    passed, printed = checkout.run_tests(gates, f"quartic or {GATE}")
    # Values, derivatives, float32, whole numbers, recorded targets, two compiled fits by its name,
    # documentation, its example, the gate.
    assert passed >= 10, printed


@pytest.mark.parametrize("forgotten", ["function", "decorator", "name"])
def test_a_loss_whose_first_place_is_incomplete(checkout, forgotten):
    checkout.insert(ROWS, "CASES = {\n", ROW)
    if forgotten != "function":
        checkout.append(FUNCTIONS, LOSS.replace("@loss", "") if forgotten == "decorator" else LOSS)
    if forgotten != "name":
        checkout.insert(FUNCTIONS, "__all__ = [", '"quartic", ')
    passed, printed = checkout.run_tests([TESTS], GATE)
    assert passed == -1 and "quartic" in printed, printed
