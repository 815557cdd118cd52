"""Special functions with gradients: a shorter name of `autograd_lite.scipy.special`.

>>> import autograd_lite as ag
>>> round(ag.grad(ag.special.erf)(0.5), 6)
0.878783
"""

from autograd_lite.scipy.special import *
