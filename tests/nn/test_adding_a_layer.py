"""The reader's test: a layer or an activation is added in two places, and one is not enough."""

from __future__ import annotations

import pytest

from tests.nn.checkout import Checkout

LAYERS, LAYER_ROWS = "nn/models/layers.py", "tests/nn/layer_cases.py"
LAYER = '''

@layer
class Rescale(Module):
    """A learned factor for each feature.

    Examples
    --------
    >>> import numpy as np, nn
    >>> nn.Rescale(2)(np.array([[3.0, 4.0]]))
    Value([[3., 4.]])
    """

    def __init__(self, in_features: int, *, dtype: DTypeLike = np.float64) -> None:
        self.in_features = check_size("Rescale", "in_features", in_features)
        self.dtype = np.dtype(dtype)
        self.weight = Parameter(np.ones(self.in_features, self.dtype), label="weight")

    def forward(self, x: Any) -> Any:
        """Multiply each feature by its factor."""
        return x * self.weight

    def to_onnx(self, graph: Any, x: str) -> Any:
        """A product."""
        return graph.add("Mul", x, graph.constant(self.weight))
'''
LAYER_ROW = '    "Rescale": lambda: nn.Rescale(4),\n'

ACTIVATIONS, ACTIVATION_ROWS = "nn/activations.py", "tests/nn/test_activations.py"
ACTIVATION = '''

@activation(lambda graph, x: graph.add("Mul", x, graph.add("Mul", x, x)))
def cubic(x: Any) -> Any:
    """The third power.

    Examples
    --------
    >>> import nn
    >>> nn.cubic(2.0)
    8.0
    """
    x = as_floats(x)
    return x * x * x
'''
ACTIVATION_ROW = '    "cubic": lambda x: x**3,\n'

MODULES, SAVING, ONNX, STEP, NAMES = (
    "tests/nn/test_modules_and_layers.py",
    "tests/nn/test_saving.py",
    "tests/nn/test_onnx_export.py",
    "tests/nn/test_step_layers.py",
    "tests/test_architecture.py",
)
REFUSALS = "tests/nn/test_settings_are_read.py"


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path)


def test_a_layer(checkout):
    gate = "every_layer_is_tested"
    checkout.append(LAYERS, LAYER)
    checkout.insert(LAYERS, '__all__ = ["Activation"', ', "Rescale"')
    passed, printed = checkout.run_tests([MODULES], gate)
    assert passed == -1 and "Rescale" in printed, printed

    checkout.insert(LAYER_ROWS, "\nLAYERS = {\n", LAYER_ROW)
    gates = [MODULES, SAVING, ONNX, STEP, NAMES, LAYERS]
    passed, printed = checkout.run_tests(gates, f"Rescale or {gate}")
    # Derivatives, float32, saving, ONNX, two compiled steps, documentation, its example, the gate.
    assert passed >= 8, printed


@pytest.mark.parametrize("forgotten", ["class", "decorator", "name"])
def test_a_layer_whose_first_place_is_incomplete(checkout, forgotten):
    checkout.insert(LAYER_ROWS, "\nLAYERS = {\n", LAYER_ROW)
    if forgotten != "class":
        checkout.append(LAYERS, LAYER.replace("@layer", "") if forgotten == "decorator" else LAYER)
    if forgotten != "name":
        checkout.insert(LAYERS, '__all__ = ["Activation"', ', "Rescale"')
    passed, printed = checkout.run_tests([MODULES], "every_layer_is_tested")
    assert passed == -1 and "Rescale" in printed, printed


def test_an_activation(checkout):
    gate = "every_activation_is_tested"
    checkout.append(ACTIVATIONS, ACTIVATION)
    checkout.insert(ACTIVATIONS, "__all__ = [\n", '    "cubic",\n')
    passed, printed = checkout.run_tests([ACTIVATION_ROWS], gate)
    assert passed == -1 and "cubic" in printed, printed

    checkout.insert(ACTIVATION_ROWS, "REFERENCES = {\n", ACTIVATION_ROW)
    gates = [ACTIVATION_ROWS, MODULES, ONNX, STEP, NAMES, REFUSALS, ACTIVATIONS]
    passed, printed = checkout.run_tests(gates, f"cubic or {gate}")
    # Values, derivatives, extremes in two dtypes, scalars, copies, ONNX, a compiled step,
    # complex numbers refused, documentation, its example, the gate.
    assert passed >= 11, printed
