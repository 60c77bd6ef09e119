"""Layers that prepare data: other scales, other sizes, categories as vectors."""

from lamina.layers.preprocessing.discretization import Discretization
from lamina.layers.preprocessing.encoding import CategoryEncoding
from lamina.layers.preprocessing.images import CenterCrop, RandomWidth, Resizing
from lamina.layers.preprocessing.scaling import Rescaling
from lamina.layers.preprocessing.spectrograms import MelSpectrogram, STFTSpectrogram

__all__ = [
    "CategoryEncoding", "CenterCrop", "Discretization", "MelSpectrogram", "RandomWidth", "Rescaling", "Resizing",
    "STFTSpectrogram",
]  # fmt: skip
