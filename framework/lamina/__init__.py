"""lamina: the Layers and Core APIs of TensorFlow.js as Python, on NumPy, PyTorch and CuPy.

Importing it loads no backend but NumPy's own array library, and no plugin.
"""

from lamina import errors, ops
from lamina.autodiff import custom_gradient, grad, grads, value_and_grad, value_and_grads, variable_grads
from lamina.ops import random
from lamina.ops import *  # noqa: F403
from lamina.replay import function
from lamina.runtime.backends import backend_scope, get_backend, list_backends, set_backend
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
