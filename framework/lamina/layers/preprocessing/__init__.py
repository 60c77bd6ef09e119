"""Layers that prepare data: other scales, other sizes, categories as vectors."""

from lamina.layers.preprocessing.discretization import Discretization
from lamina.layers.preprocessing.encoding import CategoryEncoding
from lamina.layers.preprocessing.images import CenterCrop, RandomWidth, Resizing
from lamina.layers.preprocessing.scaling import Rescaling

__all__ = ["CategoryEncoding", "CenterCrop", "Discretization", "RandomWidth", "Rescaling", "Resizing"]
