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

import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy

from autograd_lite.core.errors import UnsupportedError

__all__ = ["Missing", "complete", "np"]


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
