"""Compile functions, gradients included, to straight-line NumPy programs."""

from autograd_lite.compiling.compiled import Compiled, Statistics, compile

__all__ = ["Compiled", "Statistics", "compile"]
