"""Neural networks on autograd_lite: perceptrons, MLPs, losses, optimizers.

>>> import numpy as np, nn
>>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
>>> y = np.array([0, 1, 1, 0])
>>> model = nn.MLP(2, [8, 2], activation="tanh", rng=0)
>>> optimizer = nn.Adam(model, learning_rate=0.05)
>>> history = nn.fit(model, x, y, loss=nn.cross_entropy, optimizer=optimizer,
...                  epochs=200, batch_size=4, rng=0, progress=False)
>>> nn.predicted_labels(nn.predict(model, x))
array([0, 1, 1, 0])
"""

from nn import initializers, losses
from nn.activations import (
    activations,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_tanh,
    heaviside,
    identity,
    leaky_relu,
    log_softmax,
    mish,
    prelu,
    relu,
    relu6,
    selu,
    sigmoid,
    sign,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from nn.labels import one_hot, predicted_labels
from nn.layers import (
    MLP,
    Activation,
    Concatenate,
    Embedding,
    Flatten,
    Linear,
    PReLU,
    Residual,
    Sequential,
)
from nn.losses import (
    binary_cross_entropy,
    cosine,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mae,
    mse,
    multilabel,
    nll,
    poisson,
    quadratic,
    squared_hinge,
    zero_one,
)
from nn.module import Module, Parameter
from nn.optimizers import SGD, Adam, Optimizer, RMSprop
from nn.perceptron import Neuron, Perceptron
from nn.regularization import BatchNorm1d, Dropout, LayerNorm
from nn.training import History, fit, predict

__all__ = [
    "MLP",
    "SGD",
    "Activation",
    "Adam",
    "BatchNorm1d",
    "Concatenate",
    "Dropout",
    "Embedding",
    "Flatten",
    "History",
    "LayerNorm",
    "Linear",
    "Module",
    "Neuron",
    "Optimizer",
    "PReLU",
    "Parameter",
    "Perceptron",
    "RMSprop",
    "Residual",
    "Sequential",
    "activations",
    "binary_cross_entropy",
    "cosine",
    "cross_entropy",
    "elu",
    "fit",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_tanh",
    "heaviside",
    "hinge",
    "huber",
    "identity",
    "initializers",
    "kl_divergence",
    "leaky_relu",
    "log_cosh",
    "log_softmax",
    "losses",
    "mae",
    "mish",
    "mse",
    "multilabel",
    "nll",
    "one_hot",
    "poisson",
    "predict",
    "predicted_labels",
    "prelu",
    "quadratic",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squared_hinge",
    "tanh",
    "zero_one",
]
