"""autograd_lite: exact gradients of NumPy code, graphs to look at, gradients to check.

>>> import numpy as np
>>> import autograd_lite as ag
>>> ag.grad(lambda x: np.sum(np.sin(x) ** 2))(np.array([0.0, np.pi / 4]))
array([0., 1.])
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from autograd_lite import ops
from autograd_lite import random as random
from autograd_lite.core.allocator import keep_memory
from autograd_lite.core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    AutogradError,
    AutogradWarning,
    BackwardError,
    CompileError,
    GradcheckError,
    InPlaceError,
    MissingAttributeError,
    MissingOptionError,
    NonFiniteError,
    NoRuleError,
    RecompileWarning,
    RuleError,
    UnsupportedError,
)
from autograd_lite.core.primitive import Primitive
from autograd_lite.core.recorder import no_grad
from autograd_lite.core.signatures import rules_elsewhere
from autograd_lite.core.tree import register_tree
from autograd_lite.core.value import Value
from autograd_lite.ops.joining import array, c_, r_
from autograd_lite.transforms.anomaly import detect_anomaly
from autograd_lite.transforms.branches import cond, switch
from autograd_lite.transforms.checkpoint import checkpoint, is_recomputing
from autograd_lite.transforms.custom import primitive
from autograd_lite.transforms.derivatives import (
    derivative,
    elementwise_grad,
    ggnvp,
    hessian_diagonal,
    holomorphic_grad,
)
from autograd_lite.transforms.functions import (
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    value_and_jacobian,
    vjp,
)
from autograd_lite.transforms.graph import as_value, gradients, stop_gradient
from autograd_lite.transforms.implicit import implicit
from autograd_lite.transforms.loops import fori, scan, while_loop
from autograd_lite.transforms.sparse_matrices import sparsity
from autograd_lite.transforms.taylor import taylor
from autograd_lite.transforms.vectors import flatten, unflatten
from autograd_lite.transforms.vmap import map as map
from autograd_lite.transforms.vmap import vmap

if TYPE_CHECKING:
    from autograd_lite import array_api, deprecation, files, testing
    from autograd_lite import scipy as scipy
    from autograd_lite import special as special
    from autograd_lite.bridges import from_jax, from_torch, jax_function, torch_function
    from autograd_lite.checking import GradcheckReport, gradcheck
    from autograd_lite.compiler.api import compile as compile
    from autograd_lite.drawing import Drawing, DrawingWarning, SourceLines, draw

__version__ = "0.1.0"

__all__ = [
    "ArgumentTypeError",
    "ArgumentValueError",
    "AutogradError",
    "AutogradWarning",
    "BackwardError",
    "CompileError",
    "Drawing",
    "DrawingWarning",
    "GradcheckError",
    "GradcheckReport",
    "InPlaceError",
    "MissingAttributeError",
    "MissingOptionError",
    "NoRuleError",
    "NonFiniteError",
    "Primitive",
    "RecompileWarning",
    "RuleError",
    "SourceLines",
    "UnsupportedError",
    "Value",
    "array",
    "array_api",
    "as_value",
    "c_",
    "checkpoint",
    "cond",
    "deprecation",
    "derivative",
    "detect_anomaly",
    "draw",
    "elementwise_grad",
    "files",
    "flatten",
    "fori",
    "from_jax",
    "from_torch",
    "ggnvp",
    "grad",
    "gradcheck",
    "gradients",
    "hessian",
    "hessian_diagonal",
    "holomorphic_grad",
    "hvp",
    "implicit",
    "is_recomputing",
    "jacobian",
    "jax_function",
    "jvp",
    "keep_memory",
    "linearize",
    "no_grad",
    "ops",
    "primitive",
    "r_",
    "register_tree",
    "scan",
    "sparsity",
    "stop_gradient",
    "switch",
    "taylor",
    "testing",
    "torch_function",
    "unflatten",
    "value_and_grad",
    "value_and_jacobian",
    "vjp",
    "vmap",
    "while_loop",
]

# Public too; but ``import *`` shadows no builtin, no module of this name, and needs no SciPy.
_NOT_BY_STAR = ["compile", "map", "random", "scipy", "special"]


# Where to find what takes longer to import than the whole engine.
_ON_FIRST_USE = {
    "Drawing": "autograd_lite.drawing",
    "DrawingWarning": "autograd_lite.drawing",
    "GradcheckReport": "autograd_lite.checking",
    "SourceLines": "autograd_lite.drawing",
    "array_api": "autograd_lite.array_api",
    "compile": "autograd_lite.compiler.api",
    "deprecation": "autograd_lite.deprecation",
    "draw": "autograd_lite.drawing",
    "files": "autograd_lite.files",
    "from_jax": "autograd_lite.bridges",
    "from_torch": "autograd_lite.bridges",
    "gradcheck": "autograd_lite.checking",
    "jax_function": "autograd_lite.bridges",
    "scipy": "autograd_lite.scipy",
    "special": "autograd_lite.special",
    "testing": "autograd_lite.testing",
    "torch_function": "autograd_lite.bridges",
}


# SciPy's own functions find their rules when they first meet a Value.
rules_elsewhere.update(
    {
        f"scipy.{name}": f"autograd_lite.scipy.{name}"
        for name in (
            "integrate",
            "interpolate",
            "linalg",
            "ndimage",
            "optimize",
            "signal",
            "sparse",
            "sparse.linalg",
            "special",
            "stats",
        )
    }
)


def __getattr__(name: str) -> Any:
    """Import at first use: the compiler, drawing, checking, what needs SciPy or Hypothesis."""
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module 'autograd_lite' has no attribute {name!r}")
    module = import_module(_ON_FIRST_USE[name])
    thing = module if module.__name__ == f"autograd_lite.{name}" else getattr(module, name)
    globals()[name] = thing
    return thing


def __dir__() -> list[str]:
    """The public names; without SciPy not those that need it, which ``help`` would ask for."""
    try:
        has_scipy = find_spec("scipy") is not None
    except (ImportError, ValueError):
        has_scipy = False
    missing = () if has_scipy else ("scipy", "special")
    return sorted({*__all__, *_NOT_BY_STAR, "__version__"}.difference(missing))
