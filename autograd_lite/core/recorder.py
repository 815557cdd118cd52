"""The recorder: what becomes of results, of random draws and of reverse sweeps, here and now.

One context variable holds it, so that each thread and task has its own.  The eager
recorder makes a node for each result; under `no_grad` it makes leaves; the compiler
has a recorder that also notes where results come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Self

from autograd_lite.core.node import ABSENT, Node, serials

__all__ = [
    "EAGER",
    "Recorder",
    "current",
    "make_values_by",
    "new_node",
    "no_grad",
    "record",
    "recording",
    "using",
    "value_of",
]

Source = Callable[[Callable[[], Any]], Any]


def draw_now(draw: Callable[[], Any]) -> Any:
    """The usual source of random numbers: they are drawn."""
    return draw()


new_value: Callable[[], Any]
"""Makes an empty `Value`; ``value.py`` says how, as its operators need what is in here."""


def make_values_by(new: Callable[[], Any]) -> None:
    """Set how results are made, once and for all."""
    global new_value
    new_value = new


def value_of(node: Node) -> Any:
    """A Value that looks at this node."""
    value = new_value()
    value.node = node
    return value


class Recorder:
    """How results are recorded, as a value: a block that wants it otherwise uses another one.

    Parameters
    ----------
    is_recording
        Whether results remember what they were computed from.
    source
        Gets each random draw as a function without arguments, and returns its numbers.
    """

    __slots__ = ("is_recording", "source")

    trace: Any = None
    """The trace that results belong to, if a program is made of them; None in eager code."""

    def __init__(self, is_recording: bool = True, source: Source = draw_now) -> None:
        self.is_recording = is_recording
        self.source = source

    def replace(self, **changes: Any) -> Self:
        """The same recorder but for some of its attributes."""
        other = object.__new__(type(self))
        for cls in type(self).__mro__:
            for name in getattr(cls, "__slots__", ()):
                setattr(other, name, changes.get(name, getattr(self, name)))
        return other

    def switch(self, is_recording: bool) -> Recorder:
        """The recorder that records, or does not, and is the same in all else."""
        if self.is_recording == is_recording:
            return self
        if self is EAGER:
            return SILENT
        return self.replace(is_recording=is_recording)

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
        """Make the handle for a result that has just been computed from these operands."""
        node = Node.leaf(data)
        if self.is_recording:
            node.primitive = primitive
            node.parameters = parameters
            node.requires_grad = requires_grad
            node.left, node.right, node.rest = left, right, rest
        return value_of(node)

    def draw(self, primitive: Any, rng: Any, parameters: dict[str, Any]) -> Any:
        """Draw random numbers from a generator."""
        return self.source(lambda: primitive.forward(rng, **parameters))

    value = staticmethod(value_of)
    """A Value that looks at a node, as rules get it in a sweep that is recorded."""

    @contextmanager
    def follow_sweep(self) -> Iterator[Callable[[Node], None] | None]:
        """A block with a sweep; yields what wants to be called with each node, if anything does."""
        yield None


EAGER = Recorder()

SILENT = Recorder(is_recording=False)
"""The recorder under `no_grad`, if nothing else is special."""

current: ContextVar[Recorder] = ContextVar("recorder", default=EAGER)
"""The recorder of this thread or task."""


@contextmanager
def using(recorder: Recorder) -> Iterator[None]:
    """A block with another recorder; the former one is back afterwards, also after an error."""
    token = current.set(recorder)
    try:
        yield
    finally:
        current.reset(token)


def recording(is_recording: bool) -> AbstractContextManager[None]:
    """A block in which results remember, or do not remember, what they were computed from."""
    return using(current.get().switch(is_recording))


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute on Values without recording a graph: results are leaves without gradient.

    Works as a context manager and as a decorator.  The state belongs to the
    current thread or task (a `contextvars.ContextVar`) and is restored also
    when the block raises.

    Examples
    --------
    >>> import autograd_lite as ag
    >>> x = ag.Value(3.0)
    >>> with ag.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """
    token = current.set(current.get().switch(False))
    try:
        yield
    finally:
        current.reset(token)


new_node: Callable[[], Any] = partial(object.__new__, Node)


def record(
    primitive: Any,
    data: Any,
    parameters: dict[str, Any],
    requires_grad: bool,
    left: Any,
    right: Any = ABSENT,
    rest: tuple[Any, ...] = (),
) -> Any:
    """Make the handle for a result, as the current recorder does it.

    ``left``, ``right`` and ``rest`` are the operands, nodes or constants.
    """
    recorder = current.get()
    if recorder is not EAGER:
        return recorder.record(primitive, data, parameters, requires_grad, left, right, rest)
    # The rest is Recorder.record written out: small graphs spend their time here.
    node: Any = new_node()
    node.data = data
    node.grad = None
    node.label = None
    node.serial = next(serials)
    node.primitive = primitive
    node.parameters = parameters
    node.requires_grad = requires_grad
    node.left = left
    node.right = right
    node.rest = rest
    value = new_value()
    value.node = node
    return value
