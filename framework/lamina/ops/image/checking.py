"""What the functions on images ask of their arguments."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError, ShapeError
from lamina.shapes import as_pair


def check_image(name: str, image: Any, ranks: tuple[int, ...], argument: str = "image") -> None:
    """Raises ShapeError unless an image has one of the numbers of axes, and pixels."""
    if image.ndim not in ranks or 0 in image.shape[-3:-1]:
        shapes = {3: "(height, width, channels)", 4: "(batch, height, width, channels)"}
        raise ShapeError(
            f"{name}({argument}): {argument} is {image.shape}.",
            expected=f"{' or '.join(shapes[rank] for rank in ranks)} with at least one pixel.",
        )


def check_choice(name: str, argument: str, value: Any, choices: tuple[str, ...]) -> str:
    """The value if it is one of the choices; else ArgumentError."""
    if value not in choices:
        raise ArgumentError(
            f"{name}: {argument} is {value!r}.", expected=" or ".join(repr(choice) for choice in choices) + "."
        )
    return str(value)


def new_size(name: str, value: Any) -> tuple[int, int]:
    """A height and a width."""
    if hasattr(value, "__index__"):
        raise ArgumentError(f"{name} is {value!r}.", expected=f"{name} to be (height, width).")
    return as_pair(tuple(value) if hasattr(value, "__iter__") else value, name)
