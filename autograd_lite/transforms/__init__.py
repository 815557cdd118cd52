"""Transforms: functions to their derivatives, and what can be asked of a graph."""

from autograd_lite.transforms import batching_axes, batching_indexing, batching_products

__all__ = ["batching_axes", "batching_indexing", "batching_products"]
