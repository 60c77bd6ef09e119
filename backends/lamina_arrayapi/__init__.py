"""Kernels over any Array API namespace ``xp``: shared by NumPy and CuPy, and enough for a backend of its own.

Uses nothing beyond the standard, and imports no array library: it is handed ``xp``.
"""

from lamina_arrayapi.backend import ArrayAPIBackend
from lamina_arrayapi.kernels import make_kernels

__all__ = ["ArrayAPIBackend", "make_kernels"]
