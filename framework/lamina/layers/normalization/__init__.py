"""Layers that normalize: to statistics of the batch, of each example, of the data, or of the weights."""

from lamina.layers.normalization.batch import BatchNormalization
from lamina.layers.normalization.features import Normalization
from lamina.layers.normalization.group import GroupNormalization
from lamina.layers.normalization.layerwise import LayerNormalization
from lamina.layers.normalization.root_mean_square import RMSNormalization
from lamina.layers.normalization.spectral import SpectralNormalization
from lamina.layers.normalization.unit import UnitNormalization

__all__ = [
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "Normalization", "RMSNormalization",
    "SpectralNormalization", "UnitNormalization",
]  # fmt: skip
