"""Models: anything with ``named_parameters()``, checked in every parameter by name.

The engine does not know the package of networks; a model is what has that
method and can be called.  The check works on a deep copy, so neither
parameters nor running averages nor random states of the original change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from autograd_lite.backward import dependencies
from autograd_lite.errors import ArgumentTypeError
from autograd_lite.gradcheck.subjects import RecordedSubject, Recording, arrays_among
from autograd_lite.nested import flatten
from autograd_lite.primitive import Node, no_grad

__all__ = ["ModelWithLoss", "is_model"]


def is_model(function: Any) -> bool:
    """Whether something has named parameters to be checked."""
    return callable(getattr(function, "named_parameters", None))


class ModelWithLoss(RecordedSubject):
    """``loss(model(inputs), *targets)``, or ``model(*args)`` without a loss, as a function of
    the model's parameters; inputs and targets are constants."""

    def __init__(
        self, model: Any, args: Sequence[Any], loss: Callable[..., Any] | None
    ) -> None:
        self.model, self.loss, self.data = deepcopy(model), deepcopy(loss), args
        named = [(name, p) for name, p in self.model.named_parameters() if p.requires_grad]
        if not named:
            raise ArgumentTypeError(
                f"gradcheck: {type(model).__name__} has no parameters that require a gradient; "
                "call a layer of unknown input size once, or unfreeze its parameters"
            )
        self.parameters = [parameter for _, parameter in named]
        names = [name for name, _ in named]
        super().__init__(type(model).__name__, self.parameters, names, range(len(named)))
        self._hold(self.inputs.arrays(self.x))
        self.start()

    def constants(self) -> list[Any]:
        return arrays_among(self.data)

    def _hold(self, leaves: Sequence[Any]) -> None:
        for parameter, leaf in zip(self.parameters, leaves, strict=True):
            parameter.data = leaf

    def _call(self) -> Any:
        if self.loss is None:
            return self.model(*self.data)
        inputs, *targets = self.data
        return self.loss(self.model(inputs), *targets)

    def _results(self, leaves: Sequence[Any]) -> Any:
        self._hold(leaves)
        try:
            with no_grad():
                return self._call()
        finally:
            self._hold(self.inputs.arrays(self.x))

    def record(self) -> Recording:
        outputs = flatten(self._call())
        roots = [y for y in outputs if isinstance(y, Node) and y.requires_grad]
        return Recording(self.parameters, outputs, dependencies(roots)[0])
