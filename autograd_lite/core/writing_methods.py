"""The operators, methods and attributes of arrays that write, as `Value` has them."""

from __future__ import annotations

import opcode
import operator
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Generic

from autograd_lite.core.array_methods import Result, with_named_calls
from autograd_lite.core.errors import ArgumentTypeError, ArgumentValueError
from autograd_lite.core.in_place import (
    OF_ARITHMETIC,
    check_writable,
    is_writable,
    set_item,
    set_row,
    write,
)
from autograd_lite.core.node import Handle, get_node
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.primitive import registry
from autograd_lite.core.recorder import current
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.views import Looking, is_number, look_into, root_of

__all__ = ["WritingMethods"]


InPlace = Callable[[Any, Any], Any]

ASSIGNMENTS = {
    opcode.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in opcode.opmap
}


def check_swap(caller: FrameType) -> None:
    """Refuse what is not an assignment: a shuffle swaps rows by views, and so would repeat some."""
    if caller.f_code.co_code[caller.f_lasti] not in ASSIGNMENTS:
        raise refused_write(
            "a call puts a part of a Value into another part, as rng.shuffle(x) does, and "
            "x.__setitem__(i, x[j]); write x = x[rng.permutation(len(x))], or x[i] = x[j]"
        )


def in_place(function: Any, symbol: str) -> InPlace:
    """An operator that writes: an array is written, a number rebound, as NumPy does it."""

    def operate(self: Any, other: Any, modulus: Any = None) -> Any:
        if modulus is not None or not is_writable(self):
            return NotImplemented
        try:
            result = function(self, other)
        except OF_ARITHMETIC:
            with np.errstate(all="ignore"):
                write(self, function(self, other), f"x {symbol} y")
            raise
        write(self, result, f"x {symbol} y")
        return self

    return operate


@with_named_calls
class WritingMethods(Handle, Generic[Result]):
    """What writes into a `Value`."""

    __slots__ = ()

    __iadd__ = in_place(operator.add, "+=")
    __isub__ = in_place(operator.sub, "-=")
    __imul__ = in_place(operator.mul, "*=")
    __itruediv__ = in_place(operator.truediv, "/=")
    __ifloordiv__ = in_place(operator.floordiv, "//=")
    __imod__ = in_place(operator.mod, "%=")
    __ipow__ = in_place(operator.pow, "**=")
    __imatmul__ = in_place(operator.matmul, "@=")
    __iand__ = in_place(operator.and_, "&=")
    __ior__ = in_place(operator.or_, "|=")
    __ixor__ = in_place(operator.xor, "^=")
    __ilshift__ = in_place(operator.lshift, "<<=")
    __irshift__ = in_place(operator.rshift, ">>=")

    def __setitem__(self, index: Any, content: Any) -> None:
        if isinstance(content, Looking) and content.look.root is root_of(self):
            check_swap(sys._getframe(1))
        set_item(self, index, content)

    def __delitem__(self, index: Any) -> None:
        raise ArgumentValueError(
            "del x[i]: an array keeps its length; write x = np.delete(x, i), which makes another"
        )

    @property
    def at(self) -> At[Result]:
        """Replacements of parts: ``x.at[i].set(v)`` and ``x.at[i].add(v)`` give a new Value."""
        return At(self)

    @property
    def real(self) -> Result:
        """The real part; of a complex array, a view to write into."""
        part: Result = registry[np.real](self)
        return part

    @real.setter
    def real(self, part: Any) -> None:
        set_item(self.real, ..., part)

    @property
    def imag(self) -> Result:
        """The imaginary part; of a complex array, a view to write into."""
        part: Result = registry[np.imag](self)
        return part

    @imag.setter
    def imag(self, part: Any) -> None:
        if self.node.dtype.kind != "c":
            raise ArgumentTypeError(
                "x.imag = v: a real array has no imaginary part to write; "
                "make it complex first, with x = x + 0j"
            )
        set_item(self.imag, ..., part)

    @property
    def flat(self) -> Result:
        """All elements in one row, in C order, to read and write; parts of it are copies."""
        row: Any = registry[np.ravel](self)
        is_view = isinstance(row, Looking) and row.is_certain
        if not is_view and not is_number(self):
            # NumPy's flat is a view also where the elements lie in another order.
            row = look_into(row, self, registry[np.ravel], (self.node,), 0, {})
        current.get().note_settled(get_node(row))
        if isinstance(row, Looking) and row.row is not None:
            row.__class__ = row.row
        flat: Result = row
        return flat

    @flat.setter
    def flat(self, content: Any) -> None:
        check_writable(self, "x.flat = v")
        set_row(self.flat, ..., content)

    def fill(self, value: Any) -> None:
        """Write one number everywhere, as ``x[...] = value`` does."""
        if isinstance(value, (list, tuple)):
            raise ArgumentValueError(
                "x.fill(v) writes one number everywhere; write x[...] = v for several"
            )
        set_item(self, ..., value)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """``np.put`` into this Value."""
        registry[np.put](self, indices, values, mode)

    def sort(
        self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
    ) -> None:
        """Sort in place along an axis; ``np.sort`` gives a sorted copy."""
        content = registry[np.sort](self, operator.index(axis), kind, order, stable=stable)
        write(self, content, "x.sort()")

    def partition(self, kth: Any, axis: int = -1, kind: Any = "introselect") -> None:
        """Partition in place along an axis; ``np.partition`` gives a copy."""
        write(self, registry[np.partition](self, kth, operator.index(axis), kind), "x.partition()")


class At(Generic[Result]):
    """Part of a Value that is to be replaced; made by ``x.at[index]``.

    Examples
    --------
    >>> from autograd_lite import Value
    >>> x = Value([1.0, 2.0, 3.0])
    >>> x.at[0].set(10.0)
    Value([10.,  2.,  3.])
    >>> x.at[[0, 0]].add(1.0)
    Value([3., 2., 3.])
    """

    __slots__ = ("index", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self.index: tuple[Any, ...] | None = None

    def __getitem__(self, index: Any) -> At[Result]:
        part: At[Result] = At(self.value)
        part.index = index if isinstance(index, tuple) else (index,)
        return part

    def _replace(self, how: str, replacement: Any) -> Result:
        if self.index is None:
            raise ArgumentTypeError(f"x.at.{how}(v) lacks an index; write x.at[i].{how}(v)")
        result: Result = registry[f"at.{how}"](self.value, replacement, *self.index)
        return result

    def set(self, replacement: Any) -> Result:
        """A copy with this part replaced; where an index repeats, the last one counts."""
        return self._replace("set", replacement)

    def add(self, increment: Any) -> Result:
        """A copy with this part increased; where an index repeats, increments add up."""
        return self._replace("add", increment)
