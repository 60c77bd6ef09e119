"""Input adapters: training data of any kind as batches of arrays.

Knows tensors; knows nothing of layers, models or training.
"""

from lamina.data.arrays import ArrayData, class_weights
from lamina.data.frames import as_array, as_columns, is_frame

__all__ = ["ArrayData", "as_array", "as_columns", "class_weights", "is_frame"]
