"""Functions of statistics about classes."""

from lamina.ops.counting import confusion_matrix

__all__ = ["confusion_matrix"]
