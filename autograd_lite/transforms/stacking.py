"""What stands for one sample, as it is outside of its batch: an array with a row for each.

A loop or branch in a function that `vmap` maps is one twice: for one sample, inside, where
derivatives are; and outside, for all of them, where the program is.  Its body is traced once,
and what an operation leaves inside holds what it left outside.
"""

from __future__ import annotations

from typing import Any

from autograd_lite.core.node import Handle
from autograd_lite.core.numpy_namespace import np
from autograd_lite.core.recorder import current, using
from autograd_lite.transforms.batching import Batch, Batched, batch_of
from autograd_lite.transforms.leaves import as_type

__all__ = [
    "Steps",
    "data_in",
    "example_of",
    "example_outside",
    "first_row",
    "held",
    "is_apart",
    "is_of",
    "operand_outside",
    "outside",
    "rows_outside",
    "stacked",
    "stacked_in_all",
]


class Steps(tuple):  # type: ignore[type-arg]
    """What each step of a loop gives, where their number is not known beforehand.

    Attributes
    ----------
    outside
        Of one sample: the Value of those of all samples.
    """

    outside: Any = None

    def __add__(self, other: Any) -> Any:
        """An example of the sum, step by step; none at all stands for zeros."""
        if not self or not other:
            return self or other
        if self.outside is None or other.outside is None:
            return self
        with using(current.get().outer):
            return held(self, self.outside + other.outside)


def data_in(x: Any) -> Any:
    """The data of a Value; what is not a Value is data."""
    return x if x.__class__ is Batched or not isinstance(x, Handle) else x.node.data


def example_of(x: Any) -> Any:
    """The data of a Value, down to the arrays, whatever batches it is of."""
    data = data_in(x)
    if data.__class__ is Batched:
        return Batched(example_of(data.array), data.batch, data.stacked)
    return data


def stacked(data: Any, batch: Batch, is_apart: bool) -> Any:
    """An example as one of a batch; ``is_apart``: with a row for each sample, whatever it is."""
    if isinstance(data, Steps):
        of_all = Steps(example_outside(stacked(x, batch, True)) for x in data)
        return held(data, of_all) if data.outside is None else data
    if data.__class__ is not Batched or data.batch is not batch:
        data = Batched(data, batch, stacked=False)
    if data.stacked or not is_apart:
        return data
    array = np.broadcast_to(data.array, (batch.count, *np.shape(data.array)))
    return Batched(array, batch)


def stacked_in_all(data: Any, recorder: Any) -> Any:
    """An example with a row for each sample of every batch that a recorder maps over."""
    batch = recorder.batch
    if batch is None:
        return data
    found = stacked(data, batch, True)
    with using(recorder.outer):
        return held(found, stacked_in_all(holding(found), recorder.outer))


def is_apart(data: Any, batch: Batch) -> bool:
    """Whether there is a row for each sample."""
    return data.__class__ is Batched and data.batch is batch and data.stacked


def first_row(data: Any) -> Any:
    """A row like those of an array, for an example of it."""
    if data.__class__ is Batched and data.stacked:
        return Batched(first_row(np.swapaxes(data.array, 0, 1)), data.batch)
    if data.__class__ is Batched:
        return Batched(first_row(data.array), data.batch, stacked=False)
    if len(data):
        return data[0]
    return 0 if isinstance(data, range) else np.zeros(data.shape[1:], data.dtype)[()]


def outside(x: Any, batch: Batch) -> Any:
    """What a Value of a batch holds: for all samples, outside.  Others are outside."""
    if not is_of(x, batch):
        return x
    data = data_in(x)
    return data if isinstance(data, Steps) and data.outside is None else holding(data)


def example_outside(data: Any) -> Any:
    """An example of what a batch holds, as it is outside."""
    return example_of(data if isinstance(data, Steps) and data.outside is None else holding(data))


def holding(data: Any) -> Any:
    return data.outside if isinstance(data, Steps) else data.array


def held(like: Any, array: Any) -> Any:
    """What is outside, as data of a sample."""
    if isinstance(like, Steps):
        steps = Steps(like)
        steps.outside = array
        return steps
    return Batched(array, like.batch, like.stacked)


def is_of(x: Any, batch: Batch) -> bool:
    """Whether a Value or its data are of a batch."""
    return isinstance(data_in(x), Steps) or batch_of(x) is batch


def rows_outside(x: Any, batch: Batch) -> Any:
    """The same with a row for each sample, also where these do not differ."""
    array = outside(x, batch)
    if isinstance(data_in(x), Steps) or is_apart(data_in(x), batch):
        return array
    return np.broadcast_to(array, (batch.count, *np.shape(array)))


def operand_outside(x: Any, inside: Any, like: Any, batch: Batch, is_row: bool) -> Any:
    """An operand of a loop or branch, as the one outside gets it.

    ``inside`` and ``like`` are what its body is given, inside and outside; of ``is_row`` the
    rows, one after the other.
    """
    if isinstance(inside, Steps) or isinstance(x, range) or isinstance(data_in(x), Steps):
        return outside(x, batch)
    if not is_row:
        array = rows_outside(x, batch) if inside.stacked else outside(x, batch)
        return as_type(array, like)
    array = outside(x, batch)
    if is_apart(data_in(x), batch):
        return np.swapaxes(array, 0, 1)
    if not inside.stacked:
        return array
    length, *row = np.shape(array)
    return np.broadcast_to(np.expand_dims(array, 1), (length, batch.count, *row))
