"""Where the first NaN or infinity comes from, in a computation or in the sweep back through it."""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd_lite.core.duck_arrays import is_duck_array
from autograd_lite.core.errors import NonFiniteError, UnsupportedError
from autograd_lite.core.node import ABSENT, Handle, Node, unwrap
from autograd_lite.core.recorder import EAGER, Recorder, current, using
from autograd_lite.core.tree import flatten

__all__ = ["detect_anomaly"]

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

HERE = tuple(
    folder + os.sep
    for folder in (
        PACKAGE, os.path.join(os.path.dirname(PACKAGE), "nn"), os.path.dirname(str(np.__file__))
    )
)  # fmt: skip
"""Folders whose lines nobody wants to see."""


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """A block in which the first NaN or infinity is an error, with the line that it comes from.

    In the function itself: when a result holds a NaN and no operand does, or an infinity and
    no operand does. In a reverse sweep that runs in the block: when a rule makes one of a
    gradient without any; the line is that of the operation whose rule it is. An infinity that
    is given, as that of a mask, is none of it, nor what becomes of it. NumPy's own warnings of
    such numbers are off in the block.

    All results are looked at, so that the block is several times as slow. Programs of `compile`
    are checked by ``check_finite=True``; results under `vmap` are looked at when the mapped
    function has returned, if no Value from outside is in it: call it for one sample, to see which
    operation it is.

    Raises
    ------
    NonFiniteError
        At the first one.
    UnsupportedError
        If the block begins inside of a function that is compiled or mapped.

    Examples
    --------
    >>> import numpy as np, autograd_lite as ag
    >>> with ag.detect_anomaly():
    ...     ag.grad(np.sqrt)(0.0)
    Traceback (most recent call last):
    ...
    autograd_lite...NonFiniteError: the gradient of the operand of sqrt is the first infinity: ...
    """
    recorder = current.get()
    if recorder.switch(True) is not EAGER and type(recorder) is not AnomalyRecorder:
        raise UnsupportedError(
            "detect_anomaly stands inside of a function that is compiled or mapped; write it "
            "around the call of that function, or pass check_finite=True to ag.compile"
        )
    quiet = np.errstate(divide="ignore", over="ignore", invalid="ignore")  # it says more than they
    with using(AnomalyRecorder(recorder.is_recording)), quiet:
        yield


class AnomalyRecorder(Recorder):
    """Looks at every result, and remembers the line of each node.

    What a definition or a rule computes on its way may be anything: it is looked at
    when it has come to its end. ``unfinished`` holds those that have not.
    """

    __slots__ = ("lines", "unfinished")

    def __init__(self, is_recording: bool) -> None:
        super().__init__(is_recording)
        self.lines: WeakKeyDictionary[Node, str] = WeakKeyDictionary()
        self.unfinished: list[str] = []

    @property
    def keeps_constants(self) -> bool:
        return self.is_recording

    def record(
        self,
        primitive: Any,
        data: Any,
        parameters: dict[str, Any],
        requires_grad: bool,
        left: Any,
        right: Any = ABSENT,
        rest: tuple[Any, ...] = (),
    ) -> Any:
        value = super().record(primitive, data, parameters, requires_grad, left, right, rest)
        self.lines[value.node] = line_of_user(sys._getframe(1))
        self._check_result(
            primitive.name, data, [x for x in (left, right, *rest) if x is not ABSENT]
        )
        return value

    def call(self, function: Any, definition: Any, args: Any, kwargs: Any) -> Any:
        name = str(getattr(function, "__name__", function))
        self.unfinished.append(name)
        try:
            result = definition(*args, **kwargs)
        finally:
            self.unfinished.pop()
        self.look_at_results(name, result, [args, kwargs])
        return result

    def look_at_results(self, function: str, results: Any, arguments: Any) -> None:
        for part in flatten([results]):
            self._check_result(function, part, flatten(arguments))

    def _check_result(self, function: str, data: Any, operands: list[Any]) -> None:
        name = "" if self.unfinished else new_kind(data, operands)
        if name:
            raise NonFiniteError(
                f"the result of {function} is the first {name}: {shown(data, name)}, of the "
                f"operands {', '.join(map(described, operands))}; {line_of_user(sys._getframe(2))}"
            )

    def sweeping(self, carry: Callable[..., dict[Node, Any]]) -> Callable[..., dict[Node, Any]]:
        """A sweep that goes node by node, and looks at what each of them hands on."""

        def checked(
            order: list[Node], *, gradients: dict[Node, Any], masked: bool, **options: Any
        ) -> dict[Node, Any]:
            while order:
                node = order.pop()
                g, primitive = gradients.get(node), node.primitive
                operands = [x for x in node.inputs if isinstance(x, Node)]
                before = [g, *(gradients[x] for x in operands if x in gradients)]
                self.unfinished.append("a rule")
                try:
                    gradients = carry([node], gradients=gradients, masked=masked, **options)
                finally:
                    self.unfinished.pop()
                masked = masked or (primitive is not None and primitive.masks)
                for x in operands if g is not None else ():
                    if x in gradients:
                        self._check_gradient(node, primitive, x, before, gradients[x])
            return gradients

        return checked

    def _check_gradient(
        self, node: Node, primitive: Any, x: Node, before: list[Any], after: Any
    ) -> None:
        name = "" if self.unfinished else new_kind(after, before)
        if name:
            line = self.lines.get(node, "the line is not known, as it stands outside of the block")
            raise NonFiniteError(
                f"the gradient of the operand of {primitive.name} is the first {name}: "
                f"{shown(after, name)}, where the operand is {described(x)} and the gradient of "
                f"the result {described(before[0])}; {line}"
            )


def new_kind(result: Any, operands: list[Any]) -> str:
    """What a result holds that no operand does: ``NaN``, ``infinity`` or nothing."""
    if has(np.isnan, result):
        return "" if any(has(np.isnan, x) for x in operands) else "NaN"
    if has(np.isinf, result):
        return "" if any(has(np.isinf, x) or has(np.isnan, x) for x in operands) else "infinity"
    return ""


def has(test: Callable[[Any], Any], x: Any) -> bool:
    data = numbers_of(x)
    is_float = isinstance(data, (float, complex)) or getattr(data, "dtype", None) is not None
    if not is_float or is_duck_array(data) or np.asarray(data).dtype.kind not in "fc":
        return False
    return bool(np.any(test(data)))


def numbers_of(x: Any) -> Any:
    """Those of an operand, whatever holds it: its node, a handle, or nothing."""
    data = unwrap(x.data) if isinstance(x, Node) else unwrap(x) if isinstance(x, Handle) else x
    return np.asarray(data) if hasattr(data, "history") else data


def shown(data: Any, name: str) -> str:
    """The first number of the kind, and where it is."""
    array = np.asarray(numbers_of(data))
    is_there = np.isnan(array) if name == "NaN" else np.isinf(array)
    place = tuple(int(i) for i in np.argwhere(is_there)[0])
    return f"{array[place]} at {list(place)}" if place else f"{array[()]}"


def described(x: Any) -> str:
    data = numbers_of(x)
    if np.ndim(data) and np.size(data) > 4:
        finite = np.asarray(data)
        low, high = (f(finite) for f in (np.min, np.max)) if finite.dtype.kind == "f" else ("", "")
        return f"an array of shape {finite.shape}" + (f" from {low} to {high}" if low != "" else "")
    return np.array2string(np.asarray(data), separator=", ") if np.ndim(data) else str(data)


def line_of_user(frame: FrameType | None) -> str:
    """The line outside of this package and NumPy that a result comes from."""
    while frame is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    if frame is None:
        return "no line of yours made it"
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    return f"look at {file}:{line}" + (f": {text}" if text else "")
