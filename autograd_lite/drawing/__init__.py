"""Pictures of computation graphs, and a backpropagation to step through.

Read in this order: `collect` lists what was recorded, `scene` decides what
becomes a box and makes a `picture`, the one description that all `writers`
read.  `story` tells what happens in each step
of the stepper.  `programs` makes the picture of a compiled program.
"""

from autograd_lite.drawing.drawing import Drawing, DrawingWarning, draw
from autograd_lite.drawing.provenance import SourceLines

__all__ = ["Drawing", "DrawingWarning", "SourceLines", "draw"]
