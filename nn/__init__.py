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

from nn import initializers
from nn.activations import (
    activations,
    heaviside,
    identity,
    log_softmax,
    relu,
    sigmoid,
    sign,
    softmax,
    softplus,
    tanh,
)
from nn.labels import one_hot, predicted_labels
from nn.layers import MLP, Activation, Linear, Sequential
from nn.losses import binary_cross_entropy, cross_entropy, huber, mae, mse, zero_one
from nn.module import Module, Parameter
from nn.optimizers import SGD, Adam, Optimizer, RMSprop
from nn.perceptron import Neuron, Perceptron
from nn.training import History, fit, predict

__all__ = [
    "MLP",
    "SGD",
    "Activation",
    "Adam",
    "History",
    "Linear",
    "Module",
    "Neuron",
    "Optimizer",
    "Parameter",
    "Perceptron",
    "RMSprop",
    "Sequential",
    "activations",
    "binary_cross_entropy",
    "cross_entropy",
    "fit",
    "heaviside",
    "huber",
    "identity",
    "initializers",
    "log_softmax",
    "mae",
    "mse",
    "one_hot",
    "predict",
    "predicted_labels",
    "relu",
    "sigmoid",
    "sign",
    "softmax",
    "softplus",
    "tanh",
    "zero_one",
]
