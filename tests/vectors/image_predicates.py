"""What disagreements.toml asks of recorded calls on images."""

from __future__ import annotations

import numpy as np
from predicates import Record, predicate


@predicate
def half_pixels_matter(record: Record) -> bool:
    """A gradient with half_pixel_centers, where the places read are other ones than without it."""
    args = record["args"]
    if "grads" not in record or len(args) < 4 or args[3] is not True:
        return False
    return any(_moved(record["op"], old, new) for old, new in zip(args[0].shape[-3:-1], args[1], strict=True))


def _moved(op: str, old: int, new: int) -> bool:
    """Whether half pixels move the places along an axis, once they are brought into the image."""
    scale, steps = old / new, np.arange(new)
    if op == "image.resizeNearestNeighbor":
        return bool(np.any(np.floor(scale * (steps + 0.5)) != np.floor(scale * steps)))
    places = (scale * (steps + 0.5) - 0.5, scale * steps)
    moved, plain = (np.clip(at, 0, old - 1) for at in places)
    return bool(np.any(moved != plain))


@predicate
def several_images_of_another_size(record: Record) -> bool:
    """More than one image, and the number of pixels changes."""
    images, size = record["args"][:2]
    return images.ndim == 4 and images.shape[0] > 1 and images.shape[1] * images.shape[2] != size[0] * size[1]
