"""Workshop: what a few units can draw. Gates, a bump, and a disc from four neurons.

No training here: you choose every weight yourself. Copy this file, fill it in, and grade it:
``python -m docs.learn.check gates``. A unit fires, gives 1, where x @ w + b >= 0.
"""

import numpy as np  # noqa: F401 (what you write will need it)


def gates():
    """A unit for each of AND, OR, NAND and NOR: {"AND": ((w1, w2), b), …}."""
    raise NotImplementedError


def xor(x):
    """The exclusive or of each row of x, by units of ``gates()`` and nothing else."""
    raise NotImplementedError


def bump(x, left, right, steepness=50.0):
    """Two sigmoids, one against the other: nearly 1 between left and right, nearly 0 outside."""
    raise NotImplementedError


def disc():
    """Four neurons and one: fire inside the disc of radius 0.6 around (0, 0).

    Return the weights (2, 4) and the biases (4,) of four units that look at the point, and the
    weights (4,) and the bias of the one that looks at them. Each of the four cuts the plane in two.
    """
    raise NotImplementedError
