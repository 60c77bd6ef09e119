"""The base of layers whose weights Keras can quantize or adapt in place."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError
from lamina.layers.layer import Layer


class PlainWeights(Layer):
    """A layer that takes Keras's arguments for quantized and adapted weights, if they are None.

    ``lora_rank``, ``lora_alpha``, ``gptq_unpacked_column_size`` and ``quantization_config`` can only be None: Keras
    writes them into its files, and lamina has no such weights. Raises ArgumentError for another value.
    """

    def __init__(
        self,
        lora_rank: None = None,
        lora_alpha: None = None,
        gptq_unpacked_column_size: None = None,
        quantization_config: None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.lora_rank: None = lora_rank
        self.lora_alpha: None = lora_alpha
        self.gptq_unpacked_column_size: None = gptq_unpacked_column_size
        self.quantization_config: None = quantization_config
        for name in ("lora_rank", "lora_alpha", "gptq_unpacked_column_size", "quantization_config"):
            if getattr(self, name) is not None:
                raise ArgumentError(
                    f"{name} is {getattr(self, name)!r}.",
                    expected="None: weights are neither quantized nor adapted in place.",
                    fix="write a layer that wraps this one, as lamina.layers.Wrapper does.",
                )
