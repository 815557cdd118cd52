"""Models: anything with ``named_parameters()``, checked in every parameter by name.

The engine does not know the package of networks; a model is what has that
method and can be called.  The check works on a deep copy, so neither
parameters nor running averages nor random states of the original change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from autograd_lite.checking.layout import paths, unwrap
from autograd_lite.checking.recording import Recording
from autograd_lite.checking.subjects import RecordedSubject, arrays_among
from autograd_lite.core import tree
from autograd_lite.core.errors import ArgumentTypeError
from autograd_lite.core.recorder import no_grad
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.value import Value

__all__ = ["Model", "is_model"]


def is_model(function: Any) -> bool:
    """Whether something has named parameters to be checked."""
    return callable(getattr(function, "named_parameters", None))


class Model(RecordedSubject):
    """A model as a function of its parameters.

    With a loss it is ``loss(model(inputs), *targets)``, and inputs and targets
    are constants.  Without one it is ``model(*args)``, also as a function of
    those arguments that are floats.
    """

    def __init__(self, model: Any, args: Sequence[Any], loss: Callable[..., Any] | None) -> None:
        self.model, self.loss, self.data = deepcopy(model), deepcopy(loss), args
        named = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        self.values: list[Value] = [parameter for _, parameter in named]
        names = [name for name, _ in named]
        if loss is None:
            names += self._vary_inputs()
        if not names:
            raise ArgumentTypeError(
                f"gradcheck: {type(model).__name__} has no parameters that require a gradient; "
                "call a layer of unknown input size once, or unfreeze its parameters"
            )
        super().__init__(type(model).__name__, self.values, names, range(len(names)))
        self._hold(self.inputs.arrays(self.x))
        self.start()

    def _vary_inputs(self) -> list[str]:
        """Make Values of the inputs that are floats; return their names."""
        names, leaves = list(paths(list(self.data), "input")), flatten(list(self.data))
        varied = []
        for place, leaf in enumerate(leaves):
            if np.asarray(unwrap(leaf)).dtype.kind in "fc":
                leaves[place] = Value(unwrap(leaf))
                self.values.append(leaves[place])
                varied.append(names[place])
        self.data = unflatten(list(self.data), leaves)
        return varied

    def constants(self) -> list[Any]:
        return arrays_among(list(self.data))

    def _hold(self, leaves: Sequence[Any]) -> None:
        for value, leaf in zip(self.values, leaves, strict=True):
            value.data = leaf

    def _call(self) -> Any:
        if self.loss is None:
            return self.model(*self.data)
        inputs, *targets = self.data
        return self.loss(self.model(inputs), *targets)

    def _results(self, leaves: Sequence[Any]) -> Any:
        self._hold(leaves)
        try:
            with no_grad():
                return tree.map(unwrap, self._call())
        finally:
            self._hold(self.inputs.arrays(self.x))

    def record(self) -> Recording:
        return Recording(self.values, flatten(self._call()))
