"""Layers that apply an activation function, some with settings or weights of their own."""

from lamina.layers.activation.plain import Activation
from lamina.layers.activation.rectifiers import ELU, LeakyReLU, PReLU, ReLU, ThresholdedReLU
from lamina.layers.activation.softmax import Softmax

__all__ = ["ELU", "Activation", "LeakyReLU", "PReLU", "ReLU", "Softmax", "ThresholdedReLU"]
