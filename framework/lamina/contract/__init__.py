"""What a plugin promises, and how it is announced: the only room of lamina that a plugin needs.

Knows programs, shapes, dtypes and errors. Knows nothing of tensors, ops or layers.
"""

from lamina.contract.backend import Backend, Executable
from lamina.contract.formats import FileFormat
from lamina.contract.hookspecs import PROJECT, hookimpl, hookspec
from lamina.contract.io import IOHandler, ModelArtifacts, SaveResult, WeightSpec
from lamina.contract.kernels import Kernel, KernelTable
from lamina.contract.provides import Provides

__all__ = [
    "PROJECT", "Backend", "Executable", "FileFormat", "IOHandler", "Kernel", "KernelTable", "ModelArtifacts",
    "Provides", "SaveResult", "WeightSpec", "hookimpl", "hookspec",
]  # fmt: skip
