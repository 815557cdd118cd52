"""The derivative rules, one file a family.  Importing this package fills the registry."""

from autograd_lite.ops import contractions, elementwise, indexing, reductions, shaping

__all__ = ["contractions", "elementwise", "indexing", "reductions", "shaping"]
