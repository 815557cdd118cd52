"""How operations are written: as NumPy calls, as Python's arithmetic, as formulas for Numba."""
