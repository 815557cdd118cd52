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
from nn.architecture import build, describe
from nn.callbacks import Callback, EarlyStopping, ReduceOnPlateau, Run
from nn.distributed import ClusterError
from nn.files import FileFormatError
from nn.history import History
from nn.inspection import LayerSummary, Summary
from nn.interchange import load_torch_state_dict, torch_state_dict
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
from nn.lbfgs import fit_lbfgs
from nn.learning_rate_finder import LearningRates, find_learning_rate
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
from nn.module import Module, Parameter
from nn.onnx_export import export_onnx
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
from nn.prediction import predict
from nn.regularization import BatchNorm1d, Dropout, LayerNorm
from nn.saving import Checkpoint, load, load_checkpoint, load_weights, save, save_checkpoint
from nn.step import CompileWarning
from nn.training import DivergenceError, evaluate, fit
from nn.units import McCullochPitts, Neuron, Perceptron, hebb_update

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
