"""HDF5 files, as far as saved models need them: a reader and a writer of groups, attributes and arrays.

This room sees bytes only: it opens no file, and no library but NumPy and zlib. What is in a file that a saved model
does not need (other files, links, virtual arrays, filters of plugins, compound and variable-length values) is refused.
"""

from lamina_keras.hdf5.reading import read_hdf5
from lamina_keras.hdf5.tree import Group
from lamina_keras.hdf5.writing import LARGEST_ATTRIBUTE, write_hdf5

__all__ = ["LARGEST_ATTRIBUTE", "Group", "read_hdf5", "write_hdf5"]
