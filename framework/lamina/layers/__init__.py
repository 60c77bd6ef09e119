"""Layers: functions with weights, from which models are made.

Knows ops, initializers, regularizers, constraints and activations; knows nothing of models, training or files.
"""

from lamina.layers.convolution import Conv2D
from lamina.layers.core import Activation, Dense, Dropout, Embedding, Flatten, Input, InputLayer, Reshape
from lamina.layers.input_spec import InputSpec
from lamina.layers.layer import Layer
from lamina.layers.merge import Add, Concatenate
from lamina.layers.normalization import BatchNormalization
from lamina.layers.pooling import MaxPooling2D
from lamina.layers.recurrent import LSTM
from lamina.layers.serializing import deserialize, serialize
from lamina.layers.symbolic import SymbolicTensor
from lamina.layers.wrapper import Wrapper

__all__ = [
    "LSTM", "Activation", "Add", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout", "Embedding",
    "Flatten", "Input", "InputLayer", "InputSpec", "Layer", "MaxPooling2D", "Reshape", "SymbolicTensor", "Wrapper",
    "deserialize", "serialize",
]  # fmt: skip
