"""The built-in layers and other named objects, announced through the same hooks that plugins use."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl

LAYERS = (
    "Activation", "Add", "BatchNormalization", "Concatenate", "Conv2D", "Dense", "Dropout", "Embedding", "Flatten",
    "InputLayer", "LSTM", "MaxPooling2D", "Reshape",
)  # fmt: skip


@hookimpl
def lamina_layers() -> Iterable[Provides]:
    return [Provides(name, f"lamina.layers:{name}") for name in LAYERS] + [
        Provides("Sequential", "lamina.models:Sequential"),
        Provides("Model", "lamina.models:Model"),
        Provides("Functional", "lamina.models:Model"),
    ]
