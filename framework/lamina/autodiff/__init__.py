"""Gradients, made in the frontend, so that every backend trains.

Listens on the wire while a gradient is asked for, then walks back. Knows ops, for gradients are written in ops;
knows nothing of backends, layers or replay. Each thread has its own listeners.
"""

from lamina.autodiff.gradients import custom_gradient, grad, grads, value_and_grad, value_and_grads, variable_grads
from lamina.autodiff.tape import Tape

__all__ = ["Tape", "custom_gradient", "grad", "grads", "value_and_grad", "value_and_grads", "variable_grads"]
