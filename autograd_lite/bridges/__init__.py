"""Functions of NumPy code inside PyTorch and JAX, and functions of theirs inside NumPy code.

Each side computes its own part, and derivatives of any order go through. Numbers are copied
at the border, and PyTorch's go to the CPU.
"""

from __future__ import annotations

from autograd_lite.bridges.with_jax import from_jax, jax_function
from autograd_lite.bridges.with_torch import from_torch, torch_function

__all__ = ["from_jax", "from_torch", "jax_function", "torch_function"]
