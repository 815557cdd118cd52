"""Compile functions, gradients included, to straight-line NumPy programs."""

from autograd_lite.compiler.api import Compiled, Statistics, compile

__all__ = ["Compiled", "Statistics", "compile"]
