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

import types
import typing
import warnings

from nn.versions import version as __version__  # noqa: F401

# isort: split
# The rest may need what an engine of another version lacks.

from nn import activations as activations
from nn import initializers as initializers
from nn import losses as losses
from nn import metrics as metrics
from nn import plots as plots
from nn import schedules as schedules
from nn.activations import *
from nn.dask.cluster import ClusterError as ClusterError
from nn.formats.array_files import FileFormatError as FileFormatError
from nn.formats.config import from_config as from_config
from nn.formats.config import to_config as to_config
from nn.formats.onnx import *
from nn.formats.saving import *
from nn.formats.torch import load_torch_state_dict as load_torch_state_dict
from nn.formats.torch import torch_state_dict as torch_state_dict
from nn.losses.classification import *
from nn.losses.labels import one_hot as one_hot
from nn.losses.labels import predicted_labels as predicted_labels
from nn.losses.regression import *
from nn.models.containers import *
from nn.models.layers import *
from nn.models.module import *
from nn.models.regularization import *
from nn.models.summary import LayerSummary as LayerSummary
from nn.models.summary import Summary as Summary
from nn.models.units import *
from nn.optimizers import *
from nn.playground.opening import *
from nn.replay.callback import *
from nn.training.callbacks import *
from nn.training.fit import *
from nn.training.history import History as History
from nn.training.lbfgs import *
from nn.training.learning_rate_finder import *
from nn.training.loggers import *
from nn.training.loop import DivergenceError as DivergenceError
from nn.training.prediction import evaluate as evaluate
from nn.training.prediction import predict as predict
from nn.training.step import CompileWarning as CompileWarning

_MODULES = {"activations", "initializers", "losses", "metrics", "plots", "schedules"}
_RENAMED = {"build": "from_config", "describe": "to_config"}
_MOVED = {name: globals().pop(name) for name in ("cosine", "perceptron", "sign")}
"""Of version 0.1; they are too much like other names, and live in their modules alone."""

if typing.TYPE_CHECKING:  # they do not know __getattr__ below
    build, describe = from_config, to_config
else:  # type checkers read the imports above
    __all__ = sorted(
        name
        for name, thing in globals().items()
        if name in _MODULES or not (name.startswith("_") or isinstance(thing, types.ModuleType))
    )

    def __dir__():
        return [*__all__, "__version__"]

    def __getattr__(name):
        """The names of version 0.1, with a warning."""
        if name in _MOVED:
            module, thing = _MOVED[name].__module__.split(".")[1], _MOVED[name]
            new = f"{module}.{name}"
        elif name in _RENAMED:
            new, thing = _RENAMED[name], globals()[_RENAMED[name]]
        else:
            raise AttributeError(f"module 'nn' has no attribute {name!r}")
        warnings.warn(f"nn.{name} is deprecated; write nn.{new}", DeprecationWarning, 2)
        return thing
