"""Pictures of computation graphs, and a backpropagation to step through.

A recorded graph becomes a `picture.Picture`, one description that all writers read.
"""

from autograd_lite.draw.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
