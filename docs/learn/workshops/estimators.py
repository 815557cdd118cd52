"""Workshop: from a unit of 1943 to estimators, by the tools of ``nn``.

Copy this file, fill it in, and grade it: ``python -m docs.learn.check estimators``. Every function
but the first learns from what it is given, and is asked about examples that it has not seen.
"""


def fires(excitatory, inhibitory, threshold):
    """A unit of McCulloch and Pitts: 1 if enough excitatory inputs are 1, and no inhibitory one.

    Both are lists of 0 and 1.
    """
    raise NotImplementedError


def setosa(petals, is_setosa, new_petals):
    """A perceptron that tells setosa from the others: 0 or 1 for each of the new flowers.

    ``nn.Perceptron`` is there for it.
    """
    raise NotImplementedError


def several_labels(x, y, new_x):
    """Several yes-or-no questions at once: y has a column for each. Answers of 0 and 1, like y.

    One logit for each question, and ``nn.multilabel`` as loss.
    """
    raise NotImplementedError


def regression(x, y, new_x):
    """Numbers, by ``nn.estimators.MLPRegressor``; the columns of x have very different units."""
    raise NotImplementedError


def classification(x, y, new_x):
    """The species of irises, by ``nn.estimators.MLPClassifier``."""
    raise NotImplementedError
