"""Predictions for Dask's arrays, computed where their chunks lie."""

from __future__ import annotations

from typing import Any

from nn.dask.cluster import scatter
from nn.dask.data import chunk_lengths, chunks_of, inputs_in_chunks, sample_of
from nn.models.module import Module
from nn.training.prediction import predict

__all__ = ["predict_chunks"]


def predict_chunks(model: Module, x: Any) -> Any:
    """The outputs: a Dask array, or a tuple of them, chunk by chunk."""
    import dask.array

    x = inputs_in_chunks(x)
    example = predict(model, sample_of(x))
    run = dask.delayed(predict, pure=False)
    whole = scatter(model)
    parts = [run(whole, chunk) for chunk in chunks_of(x)]

    def column(outputs: list[Any], like: Any) -> Any:
        blocks = [
            dask.array.from_delayed(part, (count, *like.shape[1:]), dtype=like.dtype)
            for part, count in zip(outputs, chunk_lengths(x), strict=True)
        ]
        return dask.array.concatenate(blocks)

    if isinstance(example, tuple):
        return tuple(column([part[i] for part in parts], one) for i, one in enumerate(example))
    return column(parts, example)
