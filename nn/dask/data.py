"""Data that Dask holds in chunks: checks, weights, shares of chunks, predictions."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import autograd_lite as ag
from nn.checks import as_reals
from nn.dask.cluster import scatter
from nn.models.module import Module
from nn.training.batches import Sampling
from nn.training.data import (
    arrays_of,
    as_batch_array,
    bad_numbers_error,
    check_labels,
    check_samples,
    class_weight_table,
    count_aside,
    dtype_error,
    finite_sum,
    leaves_of,
    length,
    map_arrays,
    map_outputs,
    rows_of,
    weights_error,
)
from nn.training.prediction import predict

__all__ = [
    "Share",
    "Shares",
    "by_chunks",
    "check_indices",
    "chunk_lengths",
    "chunks_of",
    "even_batches",
    "finite",
    "inputs_in_chunks",
    "is_dask",
    "origins_of",
    "predict_chunks",
    "sample_of",
    "samples_in_chunks",
    "shuffled_rows",
    "split_chunks",
    "to_row_chunks",
    "validation_in_chunks",
]


def is_dask(data: Any) -> bool:
    """Whether data are an array or dataframe of Dask, or a tuple of inputs one of which is."""
    if isinstance(data, tuple):
        return any(map(is_dask, data))
    # xarray's arrays have the first two names, whatever they hold; what is delayed has any name.
    return (
        hasattr(data, "__dask_graph__")
        and (hasattr(data, "chunks") or hasattr(data, "to_dask_array"))
        and (hasattr(data, "_meta") or not hasattr(type(data), "chunks"))
    )


def to_row_chunks(data: Any, chunks: tuple[int, ...] | None, name: str, caller: str = "fit") -> Any:
    """A Dask array in chunks of whole samples; from a dataframe, or from an array of NumPy."""
    import dask.array

    if is_frame(data):
        data = numbers_of_frame(data, name, caller).to_dask_array(lengths=True)
    elif is_dask(data) and not hasattr(type(data), "chunks"):  # what is delayed has any attribute
        raise ag.ArgumentTypeError(
            f"{caller}: {name} is {type(data).__name__}, whose shape is not known; write "
            "da.from_delayed(x, shape, dtype)"
        )
    elif not is_dask(data):
        data = dask.array.from_array(as_batch_array(data))
    check_samples(caller, (name, data, data))
    if any(map(math.isnan, data.shape)):
        raise ag.ArgumentValueError(
            f"{caller}: {name} has the shape {data.shape}, whose unknown lengths depend on numbers "
            "not computed yet; call .compute_chunk_sizes() on it first"
        )
    if isinstance(data._meta, np.ma.MaskedArray):
        raise ag.ArgumentTypeError(
            f"{caller}: {name} is a masked array, and what is masked would be used; give "
            "da.ma.filled(x, number), or leave these samples out"
        )
    if not isinstance(data._meta, np.ndarray | np.generic):
        raise ag.ArgumentTypeError(
            f"{caller}: {name} is an array of Dask in chunks of {type(data._meta).__name__}; make "
            "arrays of NumPy of them, such as x.map_blocks(lambda x: x.toarray()) of sparse ones"
        )
    if data.dtype.kind not in "fiub":
        raise dtype_error(name, data.dtype, caller)
    rows = tuple(filter(None, data.chunks[0])) if chunks is None else chunks
    if not sum(rows):
        raise ag.ArgumentValueError(
            f"{caller}: {name} has shape {data.shape}, which holds no samples; give one at least"
        )
    if sum(rows) != data.shape[0]:
        raise ag.ArgumentValueError(
            f"{caller}: {name} has shape {data.shape}, but there are {sum(rows)} samples; "
            "both need the same number of samples along their first axis"
        )
    return data.rechunk({0: rows, **dict.fromkeys(range(1, data.ndim), -1)})


def numbers_of_frame(frame: Any, name: str, caller: str) -> Any:
    """A dataframe of columns that make an array of numbers; of others NumPy makes objects."""
    dtypes = set(np.atleast_1d(np.asarray(frame.dtypes, object)))
    kinds = {getattr(dtype, "kind", "O") for dtype in dtypes}
    if not kinds <= set("fiub") or kinds > {"b"} or not all(map(is_numpys, dtypes)):
        names = ", ".join(sorted(map(str, dtypes)))
        raise ag.ArgumentTypeError(
            f"{caller}: {name} is a dataframe of the dtypes {names}, which make no array of "
            "numbers; leave out columns that hold none, and write frame.astype(float)"
        )
    return frame


def is_numpys(dtype: Any) -> bool:
    """Whether a dtype is no nullable one of pandas."""
    return isinstance(dtype, np.dtype)


def check_indices(**given: Any) -> None:
    """Refuse rows of dataframes that are named otherwise, or come in another order.

    Of pandas' only those that go with one of Dask.
    """
    import dask

    parts = [part for name, data in given.items() for part in arrays_of(data, name)]
    frames = [(name, part) for name, part in parts if hasattr(part, "to_numpy") or is_frame(part)]
    if len(frames) < 2 or not any(is_frame(part) for _, part in frames):
        return
    indices = dask.compute(*[frame.index for _, frame in frames])
    for (name, _), index in zip(frames[1:], indices[1:], strict=True):
        if not index.equals(indices[0]):
            raise ag.ArgumentValueError(
                f"the dataframes {frames[0][0]} and {name} have different indices, so that "
                "samples would meet others' targets; sort both by their index, or take the "
                "columns of both from one dataframe"
            )


def is_frame(data: Any) -> bool:
    """Whether data are a dataframe or a column of Dask."""
    return hasattr(type(data), "to_dask_array")


def finite(data: Any, name: str, purpose: str = "training") -> Any:
    """An array of Dask whose chunks are looked at as they are computed: for NaN and infinity."""
    if data.dtype.kind != "f":
        return data
    return data.map_blocks(finite_block, name, purpose, dtype=data.dtype, meta=data._meta)


def all_finite(data: Any, name: str) -> Any:
    """The same for each array of the inputs or targets."""
    return map_arrays(lambda part: finite(part, f"fit: {name}"), data)


def finite_block(block: Any, name: str, purpose: str, block_info: Any = None) -> Any:
    """A chunk, if it holds finite numbers only; places are told in the whole array."""
    if block_info is None or np.isfinite(finite_sum(block)):
        return block
    start, stop = block_info[0]["array-location"][0]
    bad = np.argwhere(~np.isfinite(block))
    if len(bad):
        first, where = (
            bad[0] + [start, *[0] * (block.ndim - 1)],
            f" in samples {start} to {stop - 1}",
        )
        raise bad_numbers_error(name, len(bad), first, where, purpose)
    return block


def samples_in_chunks(x: Any, y: Any, sampling: Sampling) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights (or None) with the same samples in each chunk."""
    if y is None:
        raise ag.ArgumentTypeError("fit: y is missing; pass targets beside inputs of Dask")
    x, y = pair_in_chunks(x, y, "x", "y")
    weight = weights_in_chunks(sampling, y, chunk_lengths(x))
    return all_finite(x, "x"), all_finite(y, "y"), weight


def validation_in_chunks(x: Any, y: Any, weight: Any = None) -> tuple[Any, Any, Any]:
    """Data to validate with, the same samples in each chunk; weights are looked at."""
    check_indices(**{"validation_data[0]": x, "validation_data[1]": y, "its weights": weight})
    x, y = pair_in_chunks(x, y, "validation_data[0]", "validation_data[1]")
    weight = None if weight is None else checked_weights(weight, chunk_lengths(x))
    return all_finite(x, "validation_data[0]"), all_finite(y, "validation_data[1]"), weight


def pair_in_chunks(x: Any, y: Any, x_name: str, y_name: str) -> tuple[Any, Any]:
    """Inputs and targets with the same samples in each chunk."""
    x = inputs_in_chunks(x, x_name)
    chunks = chunk_lengths(x)
    return x, map_arrays(lambda part: to_row_chunks(part, chunks, y_name), y)


def inputs_in_chunks(x: Any, name: str = "x", caller: str = "fit") -> Any:
    """Inputs as Dask arrays with the same samples in each chunk: those of the first."""
    first = to_row_chunks(x[0] if isinstance(x, tuple) else x, None, name, caller)
    return map_arrays(lambda part: to_row_chunks(part, first.chunks[0], name, caller), x)


def chunk_lengths(x: Any) -> tuple[int, ...]:
    """How many samples there are in each chunk."""
    lengths: tuple[int, ...] = (x[0] if isinstance(x, tuple) else x).chunks[0]
    return lengths


def chunks_of(data: Any) -> list[Any]:
    """The chunks, one after the other; tuples or dicts of them where there are several arrays."""
    if isinstance(data, dict):
        parts = zip(*map(chunks_of, data.values()), strict=True)
        return [dict(zip(data, part, strict=True)) for part in parts]
    if isinstance(data, tuple):
        return list(zip(*map(chunks_of, data), strict=True))
    return list(data.to_delayed().ravel())


def sample_of(x: Any) -> Any:
    """One sample of zeros of the shapes and dtypes that there are."""

    def zeros(part: Any) -> Any:
        like = part._meta.to_numpy() if is_frame(part) else part
        return np.zeros((1, *like.shape[1:]), like.dtype)

    return map_arrays(zeros, x)


# Weights and validation data.


def weights_in_chunks(sampling: Sampling, y: Any, chunks: tuple[int, ...]) -> Any:
    """One weight for each sample, in the chunks of the inputs; None without weights."""
    given = sampling.sample_weight
    weight = None if given is None else checked_weights(given, chunks)
    if sampling.class_weight is None:
        return weight
    by_class = weights_by_class(sampling.class_weight, y)
    return by_class if weight is None else weight * by_class


def checked_weights(given: Any, chunks: tuple[int, ...]) -> Any:
    """One weight for each sample, after all were looked at."""
    import dask

    weight = as_reals(
        "fit: sample_weight", to_row_chunks(given, chunks, "sample_weight"), np.float64
    )
    are_in_range, some = dask.compute(((weight >= 0) & (weight < np.inf)).all(), weight.any())
    if weight.ndim != 1 or not are_in_range or not some:
        raise weights_error(weight, sum(chunks))
    return weight


def weights_by_class(class_weight: Any, labels: Any) -> Any:
    """For each sample the weight of its class, after the labels were counted once."""
    import dask.array

    check_labels(labels)
    classes, counts = dask.compute(*dask.array.unique(labels, return_counts=True))
    weights = class_weight_table(class_weight, classes, counts)
    return labels.map_blocks(lambda x: weights[np.searchsorted(classes, x)], dtype=np.float64)


def split_chunks(
    x: Any, y: Any, weight: Any, sampling: Sampling
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any], list[Origin]]:
    """Set a random share of each chunk aside; `nn.fit` loads chunks and splits them anew.

    Last come the origins of the chunks that are trained on.
    """
    lengths, total = chunk_lengths(x), length(x)
    n_aside = count_aside(sampling.validation_split, total, sampling.validation_data)
    ends = np.rint(np.cumsum(lengths) * (n_aside / total)).astype(int)
    aside = [int(count) for count in np.diff(ends, prepend=0)]
    seed = int(sampling.rng.integers(2**63))

    def rows(bounds: list[tuple[int, int]]) -> tuple[Any, Any, Any]:
        def chosen(array: Any) -> Any:
            return rows_within(array, bounds, seed)

        return (
            map_arrays(chosen, x),
            map_arrays(chosen, y),
            None if weight is None else chosen(weight),
        )

    kept = list(zip(aside, lengths, strict=True))
    origins = [
        replace(origin, aside=((start, stop), (seed, index)))
        for index, (origin, (start, stop)) in enumerate(zip(origins_of(lengths), kept, strict=True))
        if start < stop
    ]
    return rows(kept), rows([(0, count) for count in aside]), origins


def order_of(length: int, bounds: tuple[int, int], seed: tuple[int, ...]) -> Any:
    """A run of the numbers of a chunk's samples, in an order that the seed tells."""
    return np.random.default_rng(seed).permutation(length)[slice(*bounds)]


def rows_within(array: Any, bounds: list[tuple[int, int]], seed: int) -> Any:
    """Of each chunk the samples between two places in an order that the seed tells."""
    import dask.array

    rows = dask.delayed(shuffled_rows, pure=False)
    chunks = zip(chunks_of(array), array.chunks[0], bounds, strict=True)
    parts = [
        dask.array.from_delayed(
            rows(chunk, length, (start, stop), (seed, index), None),
            (stop - start, *array.shape[1:]),
            dtype=array.dtype,
        )
        for index, (chunk, length, (start, stop)) in enumerate(chunks)
        if start < stop
    ]
    return dask.array.concatenate(parts)


# Predictions, computed where the chunks lie.


def predict_chunks(model: Module, x: Any) -> Any:
    """The outputs: Dask arrays, nested as the model returns them, chunk by chunk."""
    first = x[0] if isinstance(x, tuple) else x
    if hasattr(type(first), "chunks") and first.shape[0] == 0:
        import dask.array

        outputs = predict(model, map_arrays(lambda part: part[:0], sample_of(x)))
        return map_outputs(dask.array.from_array, outputs)
    return by_chunks(predict, model, inputs_in_chunks(x, caller="predict"))


def by_chunks(function: Callable[[Any, Any], Any], thing: Any, x: Any) -> Any:
    """What a function of a thing, such as a model, and of samples gives, chunk by chunk."""
    import dask.array

    example = function(thing, sample_of(x))
    run = dask.delayed(leaves_by, pure=False)
    whole = scatter(as_it_is(thing))
    parts = [run(function, whole, chunk) for chunk in chunks_of(x)]

    def column(place: int, like: Any) -> Any:
        blocks = [
            dask.array.from_delayed(part[place], (count, *like.shape[1:]), dtype=like.dtype)
            for part, count in zip(parts, chunk_lengths(x), strict=True)
        ]
        return dask.array.concatenate(blocks)

    columns = iter([column(*place) for place in enumerate(leaves_of(example))])
    return map_outputs(lambda _: next(columns), example)


def as_it_is(thing: Any) -> Any:
    """A copy for tasks that run later, in several threads at once: it is trained no further.

    A model is in use, so that none of them switches modes while others compute.
    """
    try:
        mine = copy.deepcopy(thing)
    except Exception as error:
        raise ag.ArgumentTypeError(
            f"{type(thing).__name__} cannot be copied ({type(error).__name__}: {error}), and what "
            "is predicted later must be what it predicts now; leave out what belongs to one "
            "process, as locks, files and connections do, or predict chunks with .compute()"
        ) from error
    return mine.eval() if isinstance(mine, Module) else mine


def leaves_by(function: Callable[[Any, Any], Any], thing: Any, x: Any) -> list[Any]:
    """The arrays that a function gives of a chunk; runs where it lies."""
    return leaves_of(function(thing, x))


# Shares.


@dataclass(frozen=True)
class Origin:
    """Which samples of the whole there are in a chunk, of which a part may have been set aside."""

    start: int
    length: int
    aside: tuple[tuple[int, int], tuple[int, int]] | None = None

    def numbers(self) -> Any:
        """Their numbers in the whole, in their order in the chunk."""
        rows = np.arange(self.length) if self.aside is None else order_of(self.length, *self.aside)
        return self.start + rows


def origins_of(lengths: tuple[int, ...]) -> list[Origin]:
    """The origins of chunks that follow each other."""
    return [Origin(end - n, n) for end, n in zip(np.cumsum(lengths).tolist(), lengths, strict=True)]


@dataclass(frozen=True)
class Share:
    """Some samples of one chunk: from one place in a shuffled order of it to another."""

    x: Any
    y: Any
    weight: Any
    chunk_length: int
    bounds: tuple[int, int]
    seed: tuple[int, int]
    origin: Origin

    def numbers(self) -> Any:
        """The numbers of its samples in the whole."""
        return self.origin.numbers()[order_of(self.chunk_length, self.bounds, self.seed)]

    def first(self, count: int) -> Share:
        """So many of its samples, or all."""
        start, stop = self.bounds
        return replace(self, bounds=(start, min(start + count, stop)))

    def rows(self, dtype: Any) -> tuple[Any, Any, Any]:
        """Inputs, targets and weights of the samples, once their chunks are there."""
        return self._rows(self.x, dtype), self.targets(dtype), self._rows(self.weight, dtype)

    def targets(self, dtype: Any) -> Any:
        """The targets alone."""
        return self._rows(self.y, dtype)

    def targets_and_weights(self, dtype: Any) -> tuple[Any, Any]:
        """The targets, and the weights or None."""
        return self.targets(dtype), self._rows(self.weight, None)

    def _rows(self, data: Any, dtype: Any) -> Any:
        if data is None:
            return None
        return shuffled_rows(data, self.chunk_length, self.bounds, self.seed, dtype)


def even_batches(
    lengths: list[int], count: int, rng: np.random.Generator
) -> Iterator[list[tuple[int, int]]]:
    """For each of so many batches, from where to where it takes of chunks of these lengths.

    Batches differ by one sample at the most.  Each is a systematic sample of what is left, from a
    start drawn at random: its share of a chunk is in proportion, rounded up or down.
    """
    begins, left = np.zeros_like(lengths), np.array(lengths)
    for batches_left in range(count, 0, -1):
        total = int(left.sum())
        marks = np.cumsum([0, *left]) * (total // batches_left) + rng.integers(total)
        taken = np.diff(marks // total)
        yield list(zip(begins.tolist(), (begins + taken).tolist(), strict=True))
        begins, left = begins + taken, left - taken


@dataclass(frozen=True)
class Shares:
    """A batch in shares, which stay where they are."""

    shares: list[Share]
    shape: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        total = sum(stop - start for start, stop in (share.bounds for share in self.shares))
        object.__setattr__(self, "shape", (total,))


def shuffled_rows(
    data: Any, chunk_length: int, bounds: tuple[int, int], seed: tuple[int, ...], dtype: Any
) -> Any:
    """The samples of a share: a run of the chunk's, in an order that the seed tells."""
    return rows_of(data, order_of(chunk_length, bounds, seed), dtype)
