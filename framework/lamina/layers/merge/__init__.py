"""Layers that bring several inputs together, and the functions that make one and call it at once."""

from lamina.layers.merge.base import Merge
from lamina.layers.merge.concatenation import Concatenate
from lamina.layers.merge.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract
from lamina.layers.merge.functions import add, average, concatenate, dot, maximum, minimum, multiply, subtract
from lamina.layers.merge.product import Dot

__all__ = [
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Merge", "Minimum", "Multiply", "Subtract", "add", "average",
    "concatenate", "dot", "maximum", "minimum", "multiply", "subtract",
]  # fmt: skip
