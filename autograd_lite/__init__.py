"""autograd_lite: exact gradients of NumPy code, graphs to look at, gradients to check.

>>> import numpy as np
>>> import autograd_lite as ag
>>> ag.grad(lambda x: np.sum(np.sin(x) ** 2))(np.array([0.0, np.pi / 4]))
array([0., 1.])
"""

from importlib import import_module
from typing import Any

from autograd_lite import ops, testing
from autograd_lite.draw import Drawing, DrawingWarning, SourceLines, draw
from autograd_lite.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    BackwardError,
    GradcheckError,
    InPlaceError,
    MissingOptionError,
    NoRuleError,
    RuleError,
    UnsupportedError,
)
from autograd_lite.gradcheck import GradcheckReport, gradcheck
from autograd_lite.ops.joining import array
from autograd_lite.primitive import Primitive, no_grad, primitive
from autograd_lite.transforms import (
    checkpoint,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from autograd_lite.value import Value

__version__ = "0.1.0"

__all__ = [
    "ArgumentTypeError",
    "ArgumentValueError",
    "AutogradError",
    "BackwardError",
    "Drawing",
    "DrawingWarning",
    "GradcheckError",
    "GradcheckReport",
    "InPlaceError",
    "MissingOptionError",
    "NoRuleError",
    "Primitive",
    "RuleError",
    "SourceLines",
    "UnsupportedError",
    "Value",
    "array",
    "checkpoint",
    "draw",
    "grad",
    "gradcheck",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "ops",
    "primitive",
    "testing",
    "value_and_grad",
    "vjp",
]


def __getattr__(name: str) -> Any:
    """Load ``ag.special`` when it is first used: it takes SciPy, and SciPy takes its time."""
    if name == "special":
        return import_module("autograd_lite.special")
    raise AttributeError(f"module 'autograd_lite' has no attribute {name!r}")
