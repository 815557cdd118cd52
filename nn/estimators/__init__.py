"""Estimators for scikit-learn (an extra): networks of nn in pipelines and grid searches.

They take scikit-learn's own names for what its networks know too, so that its
users can switch by changing an import.
"""

import autograd_lite as ag

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ag.MissingOptionError(
        "nn.estimators needs scikit-learn; install it with: pip install 'autograd-lite[sklearn]'"
    ) from error

from nn.estimators.mlp import MLPClassifier, MLPRegressor
from nn.estimators.perceptron import Perceptron
from nn.estimators.rosenblatt import PerceptronClassifier

__all__ = ["MLPClassifier", "MLPRegressor", "Perceptron", "PerceptronClassifier"]
