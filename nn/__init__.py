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

from nn import activations, initializers, losses, metrics, plots, schedules
from nn.activations import (
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
from nn.dask.cluster import ClusterError
from nn.formats.config import build, describe
from nn.formats.files import FileFormatError
from nn.formats.onnx import export_onnx
from nn.formats.saving import Checkpoint, load, load_checkpoint, load_weights, save, save_checkpoint
from nn.formats.torch import load_torch_state_dict, torch_state_dict
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
    perceptron,
    poisson,
    quadratic,
    squared_hinge,
    zero_one,
)
from nn.losses.labels import one_hot, predicted_labels
from nn.models.layers import (
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
from nn.models.module import Module, Parameter
from nn.models.regularization import BatchNorm1d, Dropout, LayerNorm
from nn.models.summary import LayerSummary, Summary
from nn.models.units import McCullochPitts, Neuron, Perceptron, hebb_update
from nn.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Nadam,
    Optimizer,
    RMSprop,
    clip_gradient_norm,
    clip_gradient_values,
)
from nn.training.callbacks import Callback, EarlyStopping, ReduceOnPlateau, Run
from nn.training.fit import fit
from nn.training.history import History
from nn.training.lbfgs import fit_lbfgs
from nn.training.learning_rate_finder import LearningRates, find_learning_rate
from nn.training.loop import DivergenceError
from nn.training.prediction import evaluate, predict
from nn.training.step import CompileWarning

__all__ = [
    "MLP",
    "SGD",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm1d",
    "Callback",
    "Checkpoint",
    "ClusterError",
    "CompileWarning",
    "Concatenate",
    "DivergenceError",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "FileFormatError",
    "Flatten",
    "History",
    "LayerNorm",
    "LayerSummary",
    "LearningRates",
    "Linear",
    "Lion",
    "McCullochPitts",
    "Module",
    "Nadam",
    "Neuron",
    "Optimizer",
    "PReLU",
    "Parameter",
    "Perceptron",
    "RMSprop",
    "ReduceOnPlateau",
    "Residual",
    "Run",
    "Sequential",
    "Summary",
    "activations",
    "binary_cross_entropy",
    "build",
    "clip_gradient_norm",
    "clip_gradient_values",
    "cosine",
    "cross_entropy",
    "describe",
    "elu",
    "evaluate",
    "export_onnx",
    "find_learning_rate",
    "fit",
    "fit_lbfgs",
    "gelu",
    "glu",
    "hard_sigmoid",
    "hard_tanh",
    "heaviside",
    "hebb_update",
    "hinge",
    "huber",
    "identity",
    "initializers",
    "kl_divergence",
    "leaky_relu",
    "load",
    "load_checkpoint",
    "load_torch_state_dict",
    "load_weights",
    "log_cosh",
    "log_softmax",
    "losses",
    "mae",
    "metrics",
    "mish",
    "mse",
    "multilabel",
    "nll",
    "one_hot",
    "perceptron",
    "plots",
    "poisson",
    "predict",
    "predicted_labels",
    "prelu",
    "quadratic",
    "relu",
    "relu6",
    "save",
    "save_checkpoint",
    "schedules",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "softmax",
    "softplus",
    "softsign",
    "squared_hinge",
    "tanh",
    "torch_state_dict",
    "zero_one",
]
