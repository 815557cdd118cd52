"""Training on arrays of Dask and on its clusters."""
