"""Input adapters: training data of any kind as batches of arrays.

Knows tensors; knows nothing of layers, models or training.
"""

from lamina.data.arrays import ArrayData, class_weights

__all__ = ["ArrayData", "class_weights"]
