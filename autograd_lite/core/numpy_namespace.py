"""NumPy's namespace, in which a function that this NumPy lacks has a stand-in.

NumPy's functions come with one version and go with another: ``matvec`` came with 2.2,
``fix`` is deprecated since 2.5.  Rules and tables name them all as NumPy does; modules
that do so while they are imported take NumPy from here:

>>> from autograd_lite.core.numpy_namespace import np
>>> bool(np.sin(0.0) == 0.0)
True
>>> np.a_function_of_tomorrow
<Missing a_function_of_tomorrow>

A rule for a stand-in is entered like any other and never looked up, as nobody can call
the function that it is for.
"""

from __future__ import annotations

import re
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy

from autograd_lite.core.errors import UnsupportedError

__all__ = ["Missing", "check_numpy", "complete", "np"]

OLDEST = (2, 1)
"""The oldest NumPy that the package is tested with, as its metadata say to pip."""


def check_numpy(module: ModuleType) -> None:
    """Refuse a NumPy that is too old, or of which a folder alone is left."""
    version = getattr(module, "__version__", "of unknown version")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < OLDEST:
        raise ImportError(
            f"autograd_lite needs NumPy {OLDEST[0]}.{OLDEST[1]} or newer, and import numpy finds "
            f"NumPy {version} in {getattr(module, '__file__', None) or list(module.__path__)}; "
            "pip install --upgrade numpy brings a newer one, with --force-reinstall a whole one"
        )


check_numpy(numpy)


class Missing:
    """In place of a function that this NumPy does not have."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __repr__(self) -> str:
        return f"<Missing {self.__name__}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise UnsupportedError(
            f"{self.__name__}: NumPy {numpy.__version__} does not have this function; "
            "install a version of NumPy that has it"
        )


def complete(module: ModuleType) -> ModuleType:
    """A copy of a module's namespace; what is not found there gets a stand-in.

    A copy, since its attributes are then read as fast as those of the module itself.
    """
    namespace = ModuleType(module.__name__)
    vars(namespace).update(vars(module))

    def find(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        with warnings.catch_warnings():  # to be named here is not to be used
            warnings.simplefilter("ignore")
            found = getattr(module, name, None)
        vars(namespace)[name] = Missing(name) if found is None else found
        return vars(namespace)[name]

    vars(namespace)["__getattr__"] = find
    return namespace


if TYPE_CHECKING:
    import numpy as np
else:
    np = complete(numpy)
    np.linalg, np.fft = complete(numpy.linalg), complete(numpy.fft)
