"""Kernels in CUDA's language: their sources, and how they are launched. Sizes are arguments, so one build does for all.

A source is text of this package or made of the names of ops and dtypes, never of a user's or a file's words.
"""

from lamina_cupy.cuda.launching import SUPPORTED, Kernels

__all__ = ["SUPPORTED", "Kernels"]
