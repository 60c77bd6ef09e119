"""Training data of any kind: datasets to go through step by step, and adapters that bring data to batches of arrays.

``from_list``, ``from_arrays``, ``from_generator``, ``from_func``, ``csv`` and ``TextLineDataset`` begin a dataset,
``map``, ``filter``, ``batch``, ``shuffle`` and so on make others of it. Knows tensors; knows nothing of layers, models
or training.
"""

from lamina.data.arrays import ArrayData, class_weights
from lamina.data.dataset import Dataset
from lamina.data.frames import as_array, as_columns, is_frame
from lamina.data.slices import from_arrays
from lamina.data.sources import from_func, from_generator, from_list
from lamina.data.sources import zip_datasets as zip
from lamina.data.tables import CSVDataset, csv
from lamina.data.text import TextLineDataset

__all__ = [
    "ArrayData", "CSVDataset", "Dataset", "TextLineDataset", "as_array", "as_columns", "class_weights", "csv",
    "from_arrays", "from_func", "from_generator", "from_list", "is_frame", "zip",
]  # fmt: skip
