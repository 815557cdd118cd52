"""Writes whose source lies where they write: NumPy copies it first for most, but not for all.

Without the copy, an element that is read late has been written before, so that the result
depends on the order in which NumPy passes over memory.  Nothing is known here of which
function copies: the write is tried out, on numbers that lie as those of the Values do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from autograd_lite.core.memory import copied
from autograd_lite.core.node import Handle, data_of, get_node, unwrap
from autograd_lite.core.recorder import current
from autograd_lite.core.refusals import refused_write
from autograd_lite.core.tree import flatten, unflatten
from autograd_lite.core.views import Looking, root_of

__all__ = ["check_overlap", "layouts_of", "place_of", "reads_at_other_steps"]


def check_overlap(write: Callable[..., Any], handle: Any, sources: Any, what: str) -> None:
    """Refuse a write of which NumPy would make something else if its source were copied first.

    Parameters
    ----------
    write
        NumPy's own function, called as ``write(array, sources)`` with plain arrays.
    handle
        What is written.
    sources
        What is read: Values and anything else, in nested containers.
    what
        Names the writing function in errors.
    """
    leaves = flatten(sources)
    root = root_of(handle)
    if not any(isinstance(x, Handle) and root_of(x) is root for x in leaves):
        return
    content = get_node(root).data
    contents = layouts_of(content) if isinstance(content, Handle) else [content]

    def written(destination: Any, source: Any) -> Any:
        """What a destination holds after the write."""
        arrays = [looked_at(x, source) if root_of(x) is root else number_of(x) for x in leaves]
        with np.errstate(all="ignore"):
            write(looked_at(handle, destination), unflatten(sources, arrays))
        return destination

    def is_as_if_copied(numbers: Any) -> bool:
        source, destination, both = (copied(numbers) for _ in range(3))
        with suppress(Exception):  # NumPy may want others: quantiles are at 0 to 1
            found, wanted = written(both, both), written(destination, source)
            return np.allclose(found, wanted, rtol=1e-5, atol=0, equal_nan=True)
        return False

    if all(isinstance(x, np.ndarray) and all(map(is_as_if_copied, trials_of(x))) for x in contents):
        return
    raise refused_write(
        f"{what}: what is read lies in the memory that is written, and NumPy copies none of it "
        "beforehand, so that its result depends on the order of the elements in memory; read "
        "from a copy (x.copy())"
    )


def reads_at_other_steps(handle: Any, parts: tuple[Any, ...], content: Looking) -> bool:
    """Whether ``handle[parts] = content``, by slices, is what NumPy does not copy first.

    It passes over a row so that what lies in its way has been read before, which suffices
    where both go by the same steps; of rows that go by others, as in ``x[::2] = x[:3]``, it
    overwrites what it is to read.
    """
    root = root_of(handle)
    if content.look.root is not root:
        return False
    data = get_node(root).data
    whole = layouts_of(data)[0] if isinstance(data, Handle) else data
    if not isinstance(whole, np.ndarray):
        return False
    written, read = looked_at(handle, whole)[parts], looked_at(content, whole)
    return bool(np.ndim(written) == 1 and np.ndim(read) and written.strides != read.strides[-1:])


TRIALS = 4
"""How many other numbers a write is tried out on."""

TRIALS_UNSEEN = 64
"""The same for a compiled program, or for samples, whose numbers are not seen here."""


def layouts_of(sample: Any) -> list[Any]:
    """Arrays like a sample of a batch, in the ways in which it may lie in memory."""
    shape, dtype = sample.shape, sample.dtype
    arrays = [np.zeros(shape, dtype)]
    if shape:
        arrays += [
            np.zeros(shape[::-1], dtype).T,
            np.zeros((*shape[:-1], 2 * shape[-1]), dtype)[..., ::2],
        ]
    return arrays


def number_of(x: Any) -> Any:
    """An operand of the function that is tried out; for samples, some number of such a kind."""
    data = unwrap(x)
    if not isinstance(data, Handle):
        return data
    numbers = layouts_of(data)[0]
    if numbers.dtype.kind not in "fc":
        raise TypeError("which elements a mask or an index takes is not known of samples")
    return numbers_like(numbers, 0)


def place_of(part: Any) -> Any:
    """A part of an index as NumPy gets it; of whole numbers of samples some one.

    Places that differ between two indices lie apart, so that nothing is overwritten there
    that is read; so the trial takes the same for all.
    """
    data = data_of(part)
    if not isinstance(data, Handle):
        return data
    sample: Any = data
    return sample if sample.shape or sample.dtype.kind not in "iu" else sample.dtype.type(0)


def trials_of(content: Any) -> Iterator[Any]:
    """Numbers to try a write out on, laid out as those that are written.

    First these themselves: extrema and quantiles see few of their elements, and any one of
    them may be what others miss.
    """
    yield content
    recorder = current.get()
    is_seen = recorder.trace is None and recorder.batch is None
    for seed in range(TRIALS if is_seen else TRIALS_UNSEEN):
        yield numbers_like(content, seed)


def numbers_like(array: Any, seed: int) -> Any:
    """An array of other numbers, laid out as this one is."""
    numbers = 100 * np.random.default_rng(seed).normal(size=array.shape)
    content = copied(array)
    content[...] = (numbers * (1 + 1.5j) if content.dtype.kind == "c" else numbers).astype(
        content.dtype
    )
    return content


def looked_at(handle: Any, content: Any) -> Any:
    """What a handle would look at if what it looks into had another content."""
    if not isinstance(handle, Looking):
        return content
    look = handle.look
    operands = list(map(place_of, look.operands))
    operands[look.place] = looked_at(look.base, content)
    return look.primitive.forward(*operands, **look.parameters)
