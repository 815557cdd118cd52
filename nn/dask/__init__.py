"""Training on arrays of Dask and on its clusters: importing it registers it with `nn.training`."""

from nn.dask.batches import DaskBatches
from nn.dask.data import (
    check_indices,
    is_dask,
    predict_chunks,
    sample_of,
    validation_in_chunks,
)
from nn.training.batches import Source, sources

__all__: list[str] = []

sources.append(
    Source(is_dask, DaskBatches, predict_chunks, sample_of, check_indices, validation_in_chunks)
)
