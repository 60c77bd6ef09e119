"""What TensorFlow.js 4.22 knows by name: its registry, in lamina's spelling, and configs without what it does not know.

Names only: nothing of layers or models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LAYERS: Final = frozenset({
    "Activation", "Add", "AlphaDropout", "Average", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "BatchNormalization", "Bidirectional", "CategoryEncoding", "CenterCrop", "Concatenate", "Conv1D", "Conv2D",
    "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM2D", "ConvLSTM2DCell", "Cropping2D", "Dense",
    "DepthwiseConv2D", "Dot", "Dropout", "ELU", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout",
    "GaussianNoise", "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "InputLayer", "LSTM", "LSTMCell", "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D",
    "MaxPooling3D", "Maximum", "Minimum", "Multiply", "PReLU", "Permute", "RNN", "RandomWidth", "ReLU",
    "RepeatVector", "Rescaling", "Reshape", "Resizing", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell", "Softmax",
    "SpatialDropout1D", "StackedRNNCells", "ThresholdedReLU", "TimeDistributed", "UpSampling2D", "ZeroPadding2D",
})  # fmt: skip
"""Its layers. ``Identity`` is an initializer there."""

HEED_MASKS: Final = frozenset({
    "BatchNormalization", "Bidirectional", "ConvLSTM2D", "GRU", "LSTM", "RNN", "SimpleRNN", "TimeDistributed",
})  # fmt: skip
"""Layers that predict there with masks as they do here."""

MODELS: Final = frozenset({"Sequential", "Model", "Functional"})

ACTIVATIONS: Final = frozenset({
    "elu", "gelu", "hard_sigmoid_tfjs", "linear", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "tanh",
})  # fmt: skip
"""Its activations, by lamina's names; ``gelu_new``, which it cannot read back, is left out."""

OBJECTS: Final[Mapping[str, frozenset[str]]] = {
    "initializer": frozenset({
        "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "LeCunNormal",
        "LeCunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling",
        "Zeros",
    }),
    "regularizer": frozenset({"L1L2"}),
    "constraint": frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"}),
}  # fmt: skip
"""Its other objects in configs of layers, by the last word of their keys; configs spell them as it does."""

DTYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("float16", "bfloat16", "float64"), "float32"),
    **dict.fromkeys(("int8", "uint8", "int16", "uint16", "uint32", "int64", "uint64"), "int32"),
    "complex128": "complex64",
}
"""What stands there for the dtypes that it lacks."""


def known_config(config: Any) -> tuple[Any, list[str]]:
    """A config without the objects that TensorFlow.js does not know, and what was replaced.

    They matter for training and for new weights only: initializers become zeros, the others go.
    """
    replaced: list[str] = []
    return _known(config, replaced), replaced


def _known(value: Any, replaced: list[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _entry(str(key), entry, replaced) for key, entry in value.items()}
    return [_known(v, replaced) for v in value] if isinstance(value, list) else value


def _entry(key: str, value: Any, replaced: list[str]) -> Any:
    kind = key.rpartition("_")[2]
    if kind not in OBJECTS or value is None:
        return _known(value, replaced)
    name = value.get("class_name") if isinstance(value, Mapping) else value
    if key != "activity_regularizer" and name in OBJECTS[kind]:
        return value
    replaced.append(f"the {key.replace('_', ' ')} {name}")
    return {"class_name": "Zeros", "config": {}} if kind == "initializer" else None


def known_dtypes(config: Any) -> Any:
    """A topology with the dtypes that TensorFlow.js has."""
    if isinstance(config, Mapping):
        return {
            key: DTYPES.get(value, value) if key == "dtype" and isinstance(value, str) else known_dtypes(value)
            for key, value in config.items()
        }
    return [known_dtypes(v) for v in config] if isinstance(config, list) else config
