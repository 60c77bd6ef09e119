"""lamina: the Layers and Core APIs of TensorFlow.js as Python, on NumPy, PyTorch and CuPy.

Importing it loads NumPy and nothing else of weight: no backend library, no plugin, and layers, models, files and
training only when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from lamina import errors, ops
from lamina.ops import *  # noqa: F403 - the ops are the vocabulary of this package
from lamina.ops import __all__ as _ops
from lamina.runtime.backends import backend_scope, get_backend, list_backends, set_backend
from lamina.runtime.convert import from_dlpack
from lamina.runtime.memory import memory
from lamina.runtime.profiling import profile, time
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

if TYPE_CHECKING:
    from lamina import (
        activations,
        autodiff,
        constraints,
        data,
        initializers,
        io,
        layers,
        losses,
        metrics,
        models,
        optimizers,
        regularizers,
        replay,
        serialization,
        testing,
        utils,
    )
    from lamina.autodiff import custom_gradient, grad, grads, value_and_grad, value_and_grads, variable_grads
    from lamina.layers import Input
    from lamina.models import Model, Sequential, callbacks, load_model
    from lamina.replay import function
    from lamina.serialization import custom_object_scope
    from lamina.utils import show_versions

__version__ = "0.1.0"

_LATER = {
    **dict.fromkeys(
        ("custom_gradient", "grad", "grads", "value_and_grad", "value_and_grads", "variable_grads"), "lamina.autodiff"
    ),
    **dict.fromkeys(("Model", "Sequential", "callbacks", "load_model"), "lamina.models"),
    "Input": "lamina.layers",
    "function": "lamina.replay",
    "custom_object_scope": "lamina.serialization",
    "show_versions": "lamina.utils",
}
_ROOMS = (
    "activations", "autodiff", "constraints", "data", "initializers", "io", "layers", "losses", "metrics", "models",
    "optimizers", "regularizers", "replay", "serialization", "testing", "utils",
)  # fmt: skip

__all__ = [
    "Input", "Model", "Sequential", "Tensor", "Variable", "activations", "autodiff", "backend_scope", "callbacks",
    "constraints", "custom_gradient", "custom_object_scope", "data", "errors", "from_dlpack", "function",
    "get_backend", "grad", "grads", "initializers", "io", "layers", "list_backends", "load_model", "losses",
    "memory", "metrics", "models", "ops", "optimizers", "profile", "regularizers", "replay", "serialization",
    "set_backend", "show_versions", "testing", "time", "utils", "value_and_grad", "value_and_grads", "variable_grads",
]  # fmt: skip
__all__ += _ops


def __getattr__(name: str) -> Any:
    """Loads what is not needed for the ops when it is first asked for."""
    if name in _LATER:
        found = getattr(importlib.import_module(_LATER[name]), name)
        globals()[name] = found
        return found
    if name in _ROOMS:
        return importlib.import_module(f"lamina.{name}")
    raise AttributeError(f"module 'lamina' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, *_ROOMS})
