"""Compile functions, gradients included, to straight-line NumPy programs.

Nothing is imported here, so that `ir`, which describes programs, can be had without the compiler.
"""
