"""Functions that make a merging layer and call it: ``add([a, b])`` is ``Add()([a, b])``.

They live here beside the layers; the ops of the same names are ``lamina.add`` and so on.
"""

from __future__ import annotations

from typing import Any

from lamina.layers.merge.concatenation import Concatenate
from lamina.layers.merge.elementwise import Add, Average, Maximum, Minimum, Multiply, Subtract
from lamina.layers.merge.product import Dot


def add(inputs: Any, **settings: Any) -> Any:
    """Sum of the inputs: ``Add`` made with the settings given, and called.

    >>> from lamina import ops
    >>> add([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[3.0]]
    """
    return Add(**settings)(inputs)


def average(inputs: Any, **settings: Any) -> Any:
    """Mean of the inputs: ``Average`` made with the settings given, and called.

    >>> from lamina import ops
    >>> average([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.5]]
    """
    return Average(**settings)(inputs)


def concatenate(inputs: Any, axis: int = -1, **settings: Any) -> Any:
    """The inputs one after the other along ``axis``: ``Concatenate`` made with the settings given, and called.

    >>> from lamina import ops
    >>> concatenate([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.0, 2.0]]
    """
    return Concatenate(axis, **settings)(inputs)


def dot(inputs: Any, axes: Any = -1, **settings: Any) -> Any:
    """Product of two inputs, summed over ``axes``: ``Dot`` made with the settings given, and called.

    >>> from lamina import ops
    >>> dot([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[2.0]]
    """
    return Dot(axes, **settings)(inputs)


def maximum(inputs: Any, **settings: Any) -> Any:
    """Largest of the inputs, element by element: ``Maximum`` made with the settings given, and called.

    >>> from lamina import ops
    >>> maximum([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[2.0]]
    """
    return Maximum(**settings)(inputs)


def minimum(inputs: Any, **settings: Any) -> Any:
    """Smallest of the inputs, element by element: ``Minimum`` made with the settings given, and called.

    >>> from lamina import ops
    >>> minimum([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[1.0]]
    """
    return Minimum(**settings)(inputs)


def multiply(inputs: Any, **settings: Any) -> Any:
    """Product of the inputs: ``Multiply`` made with the settings given, and called.

    >>> from lamina import ops
    >>> multiply([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[2.0]]
    """
    return Multiply(**settings)(inputs)


def subtract(inputs: Any, **settings: Any) -> Any:
    """Difference of two inputs: ``Subtract`` made with the settings given, and called.

    >>> from lamina import ops
    >>> subtract([ops.tensor([[1.0]]), ops.tensor([[2.0]])]).tolist()
    [[-1.0]]
    """
    return Subtract(**settings)(inputs)
