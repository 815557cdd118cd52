"""The recorder: what becomes of results, of random draws and of reverse sweeps, here and now.

One context variable holds it, so that each thread and task has its own.  The eager
recorder makes a node for each result; under `no_grad` it makes leaves; the compiler
has a recorder that also notes where results come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Self, cast

from autograd_lite.core.node import ABSENT, Node, serials, set_node

__all__ = [
    "EAGER",
    "SILENT",
    "Recorder",
    "current",
    "make_values_by",
    "new_node",
    "no_grad",
    "noting_errors",
    "record",
    "recording",
    "using",
    "value_of",
    "writes_shared",
]

Source = Callable[[Callable[[], Any]], Any]


def draw_now(draw: Callable[[], Any]) -> Any:
    """The usual source of random numbers: they are drawn."""
    return draw()


new_value: Callable[[], Any]
new_view: Callable[[], Any]
"""These make an empty `Value`, and one that looks into the memory of another; ``value.py``
says how, as its operators need what is in here."""


def make_values_by(value: Callable[[], Any], view: Callable[[], Any]) -> None:
    """Set how results are made, once and for all."""
    global new_value, new_view
    new_value, new_view = value, view


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

    __slots__ = ("is_recomputing", "is_recording", "source")

    is_recomputing: bool
    """Whether a checkpointed function is being called again."""

    trace: Any = None
    """The trace that results belong to, if a program is made of them; None in eager code."""

    takes_bodies = False
    """Whether loops and branches are recorded as such, by their bodies."""

    batch: Any = None
    """The samples that are computed together, in a function that `vmap` calls; else None."""

    outer: Any = None
    """The recorder outside, in a function that `vmap` calls; else None."""

    def __init__(self, is_recording: bool = True, source: Source = draw_now) -> None:
        self.is_recording = is_recording
        self.source = source
        self.is_recomputing = False

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
        if self in (EAGER, SILENT):
            return EAGER if is_recording else SILENT
        return self.replace(is_recording=is_recording)

    @property
    def keeps_constants(self) -> bool:
        """Whether graphs are swept later, when others may have written to their constants."""
        return type(self) is Recorder and self.is_recording

    def of_batch(self, batch: Any) -> Recorder:
        """Who records what is computed for the samples of a batch, here or outside."""
        recorder: Any = self
        while recorder.outer is not None and recorder.batch is not batch:
            recorder = recorder.outer
        return cast(Recorder, recorder)

    def silence(self) -> Recorder:
        """The recorder of a block under `no_grad`."""
        return self.switch(False)

    def apply(self, primitive: Any, inputs: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
        """Apply a primitive in a way of its own, where there is a batch; or NotImplemented."""
        return NotImplemented

    def call(self, function: Any, definition: Any, args: Any, kwargs: Any) -> Any:
        """Call what a function of NumPy's is defined by."""
        return definition(*args, **kwargs)

    def look_at_results(self, function: str, results: Any, arguments: Any) -> None:
        """Called with what a function returned that was mapped over samples, for who looks."""

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

    def view(self, node: Node, look: Any, seen: Node) -> Any:
        """A handle that looks into the memory of another."""
        view = new_view()
        set_node(view, node)
        view.look, view.seen = look, seen
        return view

    def note_read(self, node: Node, is_number: bool) -> None:
        """Called when the number or the array that a handle holds is read by itself."""

    def note_settled(self, node: Node) -> None:
        """Called with what lies, or looks, as it does in whatever order its operand lies."""

    def note_error(self, error: Exception) -> None:
        """Called with what a forward function raised, before its caller may catch it."""

    def before_write(self, root: Any, what: str) -> None:
        """Called before a handle is written in place; raises where that cannot be recorded."""

    def note_shared(self, nodes: Iterable[Node], what: str) -> None:
        """Called with nodes of arrays that may lie in the same memory as others, by the data.

        A loop of no steps returns its first carry itself, and a branch may return what it reads;
        where they are recorded for all data, results are apart, and none of these is written.
        """

    def body(self, inputs: list[Node], what: str) -> AbstractContextManager[list[Node]]:
        """A block that is the body of a loop or branch of a program, with what it is given anew.

        Yields the list that its random draws go to.  Only who `takes_bodies` has such blocks.
        """
        raise NotImplementedError

    @property
    def innermost_body(self) -> int:
        """The number of the body of a loop or branch that is being traced; 0 outside of all."""
        return self.trace.bodies[-1] if self.trace is not None and self.trace.bodies else 0

    def sweeping(self, carry: Callable[..., Any]) -> Callable[..., Any]:
        """What carries gradients back through nodes, for those who look at them."""
        return carry

    @contextmanager
    def follow_sweep(self) -> Iterator[Callable[[Node], None] | None]:
        """A block with a sweep; yields what wants to be called with each node, if anything does."""
        yield None


def writes_shared(write: str, what: str) -> str:
    """Why what may lie in the memory of others is not written."""
    return (
        f"{write} writes into a result of {what}, or into what it was given or returned: for "
        "some data these are one array, and for others they are not; write into a copy "
        "(x = x.copy())"
    )


EAGER = Recorder()

SILENT = Recorder(is_recording=False)
"""The recorder under `no_grad`, if nothing else is special."""

current: ContextVar[Recorder] = ContextVar("recorder", default=EAGER)
"""The recorder of this thread or task."""


class using:  # noqa: N801, named as `contextlib.closing` is
    """A block with another recorder; the former one is back afterwards, also after an error.

    A class, since every transform enters two such blocks, and those of generators take
    five times as long.
    """

    __slots__ = ("recorder", "token")

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __enter__(self) -> None:
        self.token = current.set(self.recorder)

    def __exit__(self, *_: object) -> None:
        current.reset(self.token)


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
    token = current.set(current.get().silence())
    try:
        yield
    finally:
        current.reset(token)


def noting_errors(function: Callable[..., Any], *operands: Any) -> Any:
    """Call a function; the current recorder hears of what it raises."""
    try:
        return function(*operands)
    except Exception as error:
        current.get().note_error(error)
        raise


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
