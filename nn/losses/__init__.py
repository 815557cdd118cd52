"""Losses: one number that says how wrong a model's outputs are.

All share four conventions.  The first axis counts samples.  ``reduction`` is
``"mean"`` over the samples (and over the outputs of each, where every output
has a loss of its own), ``"sum"``, or ``"none"``.  ``sample_weight`` holds one
weight for each sample; the mean is then the weighted mean.  Shapes that do not
fit, and labels that are out of range, raise an `ArgumentValueError`.
"""

from typing import TYPE_CHECKING

from nn.losses import classification, regression
from nn.losses.classification import *
from nn.losses.reduction import losses as losses
from nn.losses.regression import *

if not TYPE_CHECKING:  # type checkers read no sum of lists, but the imports above
    __all__ = ["losses", *classification.__all__, *regression.__all__]
